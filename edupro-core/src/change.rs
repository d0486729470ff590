//! What an update does to one value: PUT and PATCH change only what is sent (behaviour G8).

/// What becomes of a value that may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is emptied.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T> Change<T> {
    /// Carries the change out.
    pub fn apply(self, value: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *value = None,
            Self::Set(new) => *value = Some(new),
        }
    }

    /// The file that the change brings, if it brings one.
    pub(crate) fn new_file(&self) -> Vec<T>
    where
        T: Clone,
    {
        match self {
            Self::Set(new) => vec![new.clone()],
            Self::Keep | Self::Clear => Vec::new(),
        }
    }

    /// The same change to another kind of value.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(new) => Change::Set(turn(new)),
        }
    }
}
