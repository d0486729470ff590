//! Who graded what.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{GradingError, by_hand::owned_answer};
use crate::{Transaction, accounts::UserId};

/// Why an answer got its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GradingReason {
    /// The program marked it.
    Auto,
    /// A person did.
    Manual,
    /// The key was changed, and it was marked again because a person said so.
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
    /// What was said to it.
    pub feedback: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// The same with the person's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GradingLine {
    /// The line.
    pub entry: GradingEntry,
    /// The name of the account of whoever graded, unless that was the program.
    pub username: Option<String>,
}

/// Who graded an answer, the oldest line first.
///
/// What was marked while it was handed in has no line in the storage: exams would write twice as
/// much for nothing. It is the line before the first one.
pub async fn history(
    tx: &mut dyn Transaction,
    teacher: UserId,
    answer: Uuid,
) -> Result<Vec<GradingLine>, GradingError> {
    let item = owned_answer(tx, teacher, answer).await?;
    let mut lines = tx.grading().history(answer).await?;
    let at_first = match lines.first() {
        Some(line) => line.entry.before,
        None => item.answer.points_awarded,
    };
    if let (Some(after), Some(at)) = (at_first, item.attempt.ended_at) {
        let entry = GradingEntry {
            answer,
            graded_by: None,
            reason: GradingReason::Auto,
            before: None,
            after,
            feedback: None,
            at,
        };
        lines.insert(0, GradingLine { entry, username: None });
    }
    Ok(lines)
}
