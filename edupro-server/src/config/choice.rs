//! Whom a section names as its provider: one of this server's, or somebody's own.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Problem;

/// The providers of one section that come with this server.
pub trait BuiltIn: Copy + Default + 'static {
    /// The key that chooses among them.
    const KEY: &'static str;
    /// All of them, in the order in which they are listed.
    const ALL: &'static [Self];

    /// The word in the configuration.
    fn as_str(self) -> &'static str;
}

/// The provider that a section names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice<K> {
    /// One that comes with this server.
    BuiltIn(K),
    /// One that was added to [`Server`](crate::Server) under this name.
    Own(String),
}

impl<K: BuiltIn> Choice<K> {
    /// The word in the configuration.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::BuiltIn(kind) => kind.as_str(),
            Self::Own(name) => name,
        }
    }

    /// Refuses a name that nobody has.
    pub(super) fn check(&self, own: &[&str]) -> Result<(), Problem> {
        match self {
            Self::Own(name) if !own.contains(&name.as_str()) => {
                let names: Vec<&str> =
                    K::ALL.iter().map(|kind| kind.as_str()).chain(own.iter().copied()).collect();
                Err((K::KEY, format!("must be one of {}, not {name:?}", names.join(", "))))
            }
            _ => Ok(()),
        }
    }
}

impl<K: BuiltIn> Default for Choice<K> {
    fn default() -> Self {
        Self::BuiltIn(K::default())
    }
}

impl<'de, K: BuiltIn> Deserialize<'de> for Choice<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let kind = K::ALL.iter().find(|kind| kind.as_str() == name);
        Ok(kind.map_or(Self::Own(name), |kind| Self::BuiltIn(*kind)))
    }
}

impl<K: BuiltIn> Serialize for Choice<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
