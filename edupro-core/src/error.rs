//! What can go wrong below the rules, named by what the caller can do about it.

use std::error::Error;

/// The source of a failure, kept for the log and never shown to a client.
pub type Source = Box<dyn Error + Send + Sync>;

/// Why a store could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A unique constraint stands in the way: somebody was faster. Ask again what is taken.
    #[error("a row with the same unique key exists")]
    Conflict,
    /// Two transactions were in each other's way and this one lost. Doing it again helps.
    #[error("another transaction was in the way")]
    Contended(#[source] Source),
    /// The database cannot be reached, or has no connection to spare. Waiting helps.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Source),
    /// A row holds what the domain does not know. Somebody has to look at it.
    #[error("the database holds a {column} that cannot be read: {value}")]
    Corrupt {
        /// Where it stands.
        column: &'static str,
        /// What stands there.
        value: String,
    },
    /// Anything else.
    #[error("the database failed")]
    Other(#[source] Source),
}

impl StoreError {
    /// The database could not be reached because of `source`.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// The result of a store's method.
pub type StoreResult<T> = Result<T, StoreError>;

/// Looks for a [`StoreError`] in an error and in what caused it.
#[must_use]
pub fn store_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a StoreError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
