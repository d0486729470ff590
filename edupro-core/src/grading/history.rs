//! Who graded what.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::accounts::UserId;

/// Why an answer got its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GradingReason {
    /// The program marked it.
    Auto,
    /// A person did.
    Manual,
    /// The key was changed, and it was marked again.
    Regrade,
}

impl GradingReason {
    /// The word it is stored as.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Manual => "manual",
            Self::Regrade => "regrade",
        }
    }

    /// The reason of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Auto, Self::Manual, Self::Regrade].into_iter().find(|known| known.as_str() == word)
    }
}

/// One line of an answer's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GradingEntry {
    /// Of which answer.
    pub answer: Uuid,
    /// Who graded; `None` is the program.
    pub graded_by: Option<UserId>,
    /// Why.
    pub reason: GradingReason,
    /// What it was worth before.
    pub before: Option<Decimal>,
    /// What it was worth afterwards.
    pub after: Decimal,
    /// What the teacher said to it.
    pub feedback: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Where answers are graded, and where it is kept who did.
#[async_trait]
pub trait GradingStore: Send {}
