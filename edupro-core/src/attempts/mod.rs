//! Attempts: a student takes an assessment (contract 10.8–10.11).

mod papers;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

pub use self::papers::{Paper, PaperOption, PaperQuestion};
use crate::{accounts::UserId, assessments::QuestionType};

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
    /// How long it took, in seconds.
    pub time_taken: Option<i64>,
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

/// How an answer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerState {
    /// It has its points.
    Graded,
    /// A person has to look at it.
    Pending,
    /// A grader has it and answers later.
    Deferred,
}

impl AnswerState {
    /// The word it is stored as.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Graded => "graded",
            Self::Pending => "pending",
            Self::Deferred => "deferred",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Graded, Self::Pending, Self::Deferred]
            .into_iter()
            .find(|known| known.as_str() == word)
    }
}

/// What was answered to one question of a paper, and what it was worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which one.
    pub id: Uuid,
    /// In which attempt.
    pub attempt: Uuid,
    /// To which question. It may be gone.
    pub question: Uuid,
    /// The version of the question that was asked.
    pub question_version: i64,
    /// The question's place in the paper.
    pub order: i64,
    /// What was asked.
    pub question_text: String,
    /// How it was to be answered.
    pub kind: QuestionType,
    /// What a right answer gives.
    pub points: Decimal,
    /// The chosen options.
    pub selected: Vec<Uuid>,
    /// The text that was written.
    pub text: Option<String>,
    /// What was answered, in words; empty when nothing was.
    pub student_answer: String,
    /// What is right, in words; empty when nobody has said so.
    pub correct_answer: String,
    /// How it stands.
    pub state: AnswerState,
    /// What it was worth, once it is graded.
    pub points_awarded: Option<Decimal>,
    /// Whether it was right.
    pub is_correct: Option<bool>,
    /// What the teacher says to it.
    pub teacher_feedback: Option<String>,
    /// The program graded it last.
    pub auto_graded: bool,
    /// A person did.
    pub manual_graded: bool,
    /// When it was graded last.
    pub graded_at: Option<DateTime<Utc>>,
}

/// Where attempts, their papers and their answers are kept.
#[async_trait]
pub trait AttemptStore: Send {}
