//! Attempts: a student takes an assessment (contract 10.8–10.11).
//!
//! in progress → graded, when nothing of what was handed in waits; else → submitted → graded, when
//! the last of it has its points; in progress → expired. The deadline is fixed at the start, and so
//! are the questions: see [`Paper`]. That a student is in one attempt of an assessment at a time is
//! the database's guarantee, and so is that an attempt is handed in once.

mod answers;
mod expiry;
mod outcome;
mod papers;
mod results;
mod starting;
mod store;
mod subject;
mod submission;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

pub use self::{
    answers::{ANSWER_LENGTH, Answer, AnswerProblem, AnswerState, SentAnswer},
    expiry::{Expired, expire},
    outcome::Outcome,
    papers::{Paper, PaperOption, PaperQuestion},
    results::{AnswerResult, AttemptError, AttemptResult, list, list_own, page, result, student},
    starting::{StartError, Started, start},
    store::{AttemptStore, AttemptSummary, AttemptsOf, Candidate, Sitting, Taker},
    subject::Subject,
    submission::{SubmitError, check_open, submit},
};
use crate::accounts::UserId;

/// How long after its deadline an attempt may still be handed in: networks are slow (behaviour
/// 10.9).
pub const GRACE: TimeDelta = TimeDelta::seconds(10);

/// How an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptStatus {
    /// The student is at it.
    InProgress,
    /// It was handed in, and something in it waits to be graded.
    Submitted,
    /// All of it is graded.
    Graded,
    /// Its time ran out before it was handed in.
    Expired,
}

impl AttemptStatus {
    /// The word the contract has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Submitted => "submitted",
            Self::Graded => "graded",
            Self::Expired => "expired",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::InProgress, Self::Submitted, Self::Graded, Self::Expired]
            .into_iter()
            .find(|known| known.as_str() == word)
    }
}

/// A student's try at an assessment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which one.
    pub id: Uuid,
    /// Who tries.
    pub student: UserId,
    /// What.
    pub assessment: Uuid,
    /// The questions as they were at the start.
    pub paper: Uuid,
    /// The student's how many-th try it is, from 1.
    pub number: i64,
    /// How it stands.
    pub status: AttemptStatus,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it must be handed in.
    pub deadline: Option<DateTime<Utc>>,
    /// When it was handed in, or its time ran out.
    pub ended_at: Option<DateTime<Utc>>,
    /// The points for it, once all of it is graded.
    pub score: Option<Decimal>,
    /// What its paper gives at most.
    pub max_score: Decimal,
    /// How many percent pass, as it was at the start.
    pub passing_grade: Decimal,
    /// The score in percent of the most, with two places.
    pub percentage: Option<Decimal>,
    /// Whether that is enough.
    pub is_passed: Option<bool>,
    /// No person has graded any of it.
    pub auto_graded: bool,
    /// When the last of it was graded.
    pub graded_at: Option<DateTime<Utc>>,
    /// Who graded it last, if it was a person.
    pub graded_by: Option<UserId>,
    /// What the teacher says to it.
    pub teacher_feedback: Option<String>,
}

impl Attempt {
    /// Whether its time ran out, [`GRACE`] included, and nobody has noted it yet.
    #[must_use]
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        let is_late = self.deadline.is_some_and(|deadline| deadline < now - GRACE);
        self.status == AttemptStatus::InProgress && is_late
    }

    /// The attempt as it stands at `now`: one that is overdue has expired, also when the minute's
    /// chore has not been there yet, and it looks the same before and after.
    #[must_use]
    pub fn at(self, now: DateTime<Utc>) -> Self {
        if !self.is_overdue(now) {
            return self;
        }
        Self {
            status: AttemptStatus::Expired,
            ended_at: self.deadline,
            score: Some(Decimal::ZERO),
            percentage: Some(Decimal::ZERO),
            is_passed: Some(false),
            ..self
        }
    }

    /// How many seconds it took, once it has ended.
    #[must_use]
    pub fn time_taken(&self) -> Option<i64> {
        self.ended_at.map(|ended_at| (ended_at - self.started_at).num_seconds().max(0))
    }

    /// What so many points come to.
    #[must_use]
    pub fn outcome(&self, score: Decimal) -> Outcome {
        Outcome::new(score, self.max_score, self.passing_grade)
    }
}
