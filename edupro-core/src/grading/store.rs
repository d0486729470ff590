//! What grading reads and keeps.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{GradingEntry, GradingLine, Suggestion};
use crate::{
    StoreResult,
    accounts::UserId,
    assessments::{Assessment, AssessmentType, QuestionType},
    attempts::{Answer, Attempt, AttemptStatus, Outcome, Paper, Subject, Taker},
};

/// An answer with all that its teacher is shown of it, read in one statement.
#[derive(Clone, Debug)]
pub struct GradingItem {
    /// The answer.
    pub answer: Answer,
    /// The attempt that it belongs to.
    pub attempt: Attempt,
    /// What that is an attempt at.
    pub assessment: Assessment,
    /// Who answered.
    pub student: Taker,
    /// What a grader said that left it to a person.
    pub remark: Option<Remark>,
}

/// What a grader says to the person it leaves an answer to. This is what the database keeps, so
/// fields are only added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Why a person has to read it.
    pub why: String,
    /// What the grader would give. It counts for nothing.
    pub suggestion: Option<Suggestion>,
}

/// Which of a teacher's answers that wait for a person are asked for. What is not given filters
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingOf {
    /// Whose assessments.
    pub teacher: UserId,
    /// Only those of this course, its modules and its lessons.
    pub course: Option<Uuid>,
    /// Only this one.
    pub assessment: Option<Uuid>,
    /// Only those of this type or its synonym.
    pub kind: Option<AssessmentType>,
    /// Only answers to questions of this type.
    pub question_kind: Option<QuestionType>,
}

/// What an answer is worth from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grade {
    /// Which answer.
    pub answer: Uuid,
    /// The points.
    pub points: Decimal,
    /// Whether it is right.
    pub is_correct: bool,
    /// What is said to it.
    pub feedback: Option<String>,
    /// Whether a person says so, and not the program.
    pub by_hand: bool,
}

/// An attempt and what its answers add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Which attempt, and whose.
    pub subject: Subject,
    /// How it stands.
    pub status: AttemptStatus,
    /// The points that it has by now, if it is graded.
    pub before: Option<Decimal>,
    /// How many of its answers wait.
    pub waiting: i64,
    /// The points of the others.
    pub score: Decimal,
    /// What its paper gives at most.
    pub max_score: Decimal,
    /// How many percent pass.
    pub passing_grade: Decimal,
}

/// What an attempt comes to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which attempt.
    pub attempt: Uuid,
    /// `None` while an answer waits: then it stays as it is.
    pub outcome: Option<Outcome>,
}

/// An answer that a grader has.
#[derive(Clone, Debug)]
pub struct Deferred {
    /// The answer.
    pub answer: Answer,
    /// The questions as they were asked.
    pub paper: Paper,
    /// What it is collected with, once the grader has given that.
    pub ticket: Option<String>,
}

/// An answer that is given to a grader once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeferredAgain {
    /// Which answer.
    pub answer: Uuid,
    /// The version of its question that the grader is asked with.
    pub version: i64,
    /// The grader's name.
    pub grader: String,
}

/// A question whose answers were graded under an older version of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutdatedCount {
    /// Which question.
    pub question: Uuid,
    /// How many answers a regrade would look at.
    pub answers: i64,
    /// How many others a person has graded: they stay as they are.
    pub by_hand: i64,
}

/// Where answers are graded, and where it is kept who did.
///
/// Whoever gives points to answers holds their assessment: only so are attempts added up rightly.
/// (Not the attempt: PostgreSQL looks at what a row refers to when a transaction changes it for
/// the second time, and would find whoever deletes the assessment there.) What graders say on the
/// way guards itself by the version of the question: what is meant for another one changes nothing.
#[async_trait]
pub trait GradingStore: Send {
    /// The answers of handed in attempts that wait for a person, those that wait longest first.
    async fn pending(&mut self, of: PendingOf) -> StoreResult<Vec<GradingItem>>;

    /// The answer with this id.
    async fn find(&mut self, answer: Uuid) -> StoreResult<Option<GradingItem>>;

    /// Keeps what answers are worth. Like all below that take many, it is one statement for every
    /// five hundred.
    async fn save(&mut self, grades: &[Grade], at: DateTime<Utc>) -> StoreResult<()>;

    /// Adds lines to the history.
    async fn note(&mut self, entries: &[GradingEntry]) -> StoreResult<()>;

    /// What is kept of an answer's history, the oldest line first.
    async fn history(&mut self, answer: Uuid) -> StoreResult<Vec<GradingLine>>;

    /// What attempts that were handed in add up to, in the order of their ids.
    async fn totals(&mut self, attempts: &[Uuid]) -> StoreResult<Vec<Totals>>;

    /// Keeps what attempts come to, and that this person has graded in them.
    async fn settle(
        &mut self,
        settled: &[Settled],
        by: Option<UserId>,
        at: DateTime<Utc>,
    ) -> StoreResult<()>;

    /// The answer, if a grader has it.
    async fn deferred(&mut self, answer: Uuid) -> StoreResult<Option<Deferred>>;

    /// Keeps what a deferred answer is collected with; false when it is not deferred any more.
    async fn keep_ticket(&mut self, answer: Uuid, version: i64, ticket: &str) -> StoreResult<bool>;

    /// Leaves answers to a person that are deferred under these versions of their questions.
    async fn leave(&mut self, answers: &[(Uuid, i64)], remark: &Remark) -> StoreResult<()>;

    /// Leaves to a person all answers that were deferred before `then`; returns how many.
    async fn leave_late(&mut self, then: DateTime<Utc>, remark: &Remark) -> StoreResult<u64>;

    /// Gives answers that are not graded to graders.
    async fn defer_again(
        &mut self,
        answers: &[DeferredAgain],
        at: DateTime<Utc>,
    ) -> StoreResult<()>;

    /// The questions of an assessment that are newer than answers to them.
    async fn outdated(&mut self, assessment: Uuid) -> StoreResult<Vec<OutdatedCount>>;

    /// The answers to such questions, or all answers to one question, that were handed in and not
    /// graded by a person.
    async fn regradable(
        &mut self,
        assessment: Uuid,
        question: Option<Uuid>,
    ) -> StoreResult<Vec<Answer>>;

    /// The papers of an assessment on which something was handed in.
    async fn papers(&mut self, assessment: Uuid) -> StoreResult<Vec<Paper>>;

    /// Notes that answers to a question were looked at again with this version of it, and what is
    /// right now.
    async fn looked_at(
        &mut self,
        answers: &[Uuid],
        version: i64,
        correct_answer: &str,
    ) -> StoreResult<()>;
}
