//! Grading: what an answer is worth, and who says so (contract 10.12, 10.13).
//!
//! A teacher says with a question's [`Marking`] how its answers are marked. [`AutoGrader`] follows
//! it without asking anybody, and leaves to a person what no rule decides. Whoever grades
//! otherwise brings an [`AssessmentGrader`], which a school keeps in its [`Graders`]. It may answer
//! at once, leave an answer to a person, or give a ticket and answer later.
//!
//! What an answer is worth is a [`Share`] of its question, which becomes points in one place. So no
//! grader can give more than there is.
//!
//! # A new type of question
//!
//! Questions are data: a question whose marking names a grader belongs to it, with settings that
//! nobody else reads. A type of question that this crate knows nothing of is one implementation,
//! and no change of anything else:
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use edupro_core::{
//!     assessments::QuestionType,
//!     grading::{
//!         AssessmentGrader, GradeError, GradeRequest, GraderCapabilities, Graders, Marking, Plan,
//!         Response, Share, Verdict,
//!     },
//! };
//! use serde_json::json;
//! use uuid::Uuid;
//!
//! /// Wants a text that reads the same from both ends.
//! #[derive(Debug)]
//! struct Palindromes;
//!
//! #[async_trait]
//! impl AssessmentGrader for Palindromes {
//!     fn name(&self) -> &'static str {
//!         "palindrome"
//!     }
//!
//!     fn capabilities(&self) -> GraderCapabilities {
//!         GraderCapabilities::new().deterministic()
//!     }
//!
//!     async fn grade(&self, request: &GradeRequest<'_>) -> Result<Verdict, GradeError> {
//!         let Response::Text(text) = request.response else {
//!             return Ok(Verdict::graded(Share::NONE));
//!         };
//!         Ok(Verdict::graded(match text.chars().eq(text.chars().rev()) {
//!             true => Share::FULL,
//!             false => Share::NONE,
//!         }))
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let graders = Graders::new().with(Arc::new(Palindromes));
//!
//! // What a teacher sends with a question.
//! let kind = QuestionType::ShortAnswer;
//! let marking = Marking::parse(kind, json!({"by": "external", "grader": "palindrome"}))?;
//! graders.check(kind, &marking)?;
//!
//! let response = Response::Text("level".to_owned());
//! let request = GradeRequest::new(Uuid::nil(), kind, &marking, &response);
//! assert_eq!(graders.plan(&request), Plan::Deferred { grader: "palindrome" });
//! assert_eq!(graders.grade(&request).await?, Verdict::graded(Share::FULL));
//! # Ok(()) }
//! ```

mod asked;
mod auto;
mod by_hand;
mod check;
mod deferred;
mod graders;
mod history;
mod marking;
mod numbers;
mod pending;
mod policy;
mod regrade;
mod response;
mod settle;
mod share;
mod store;
#[cfg(test)]
mod tests;
mod texts;
mod verdict;

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;

#[cfg(feature = "conformance")]
pub(crate) use self::check::is_name;
pub(crate) use self::deferred::{ask, handed_in};
pub use self::{
    auto::{AutoGrader, grade_local},
    by_hand::{FEEDBACK_LENGTH, GradingError, NewGrade, grade, owned_answer},
    check::MarkingError,
    deferred::{DEADLINE, leave_late},
    graders::{Graders, Plan},
    history::{GradingEntry, GradingLine, GradingReason, history},
    marking::{Blank, Marking},
    numbers::{AcceptedNumber, DecimalSign, Number, NumberRange, UnreadableNumber},
    pending::{PendingFilter, pending},
    policy::{Regrade, RegradePolicy},
    regrade::{OutdatedQuestion, RegradeOf, RegradeReport, outdated, regrade},
    response::{GradeRequest, Response},
    share::{Share, UnreadableShare},
    store::{
        Deferred, DeferredAgain, Grade, GradingItem, GradingStore, OutdatedCount, PendingOf,
        Remark, Settled, Totals,
    },
    texts::{AcceptedText, Ignore},
    verdict::{Suggestion, TICKET_LENGTH, Verdict, WORDS_LENGTH},
};
use crate::{assessments::QuestionType, error::Source};

/// What can be expected of a grader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraderCapabilities {
    /// Its verdict depends on the question and the answer alone: asked again, it says the same.
    pub deterministic: bool,
    /// It may give tickets.
    pub deferred: bool,
    /// A person has to confirm what it gives before it counts.
    pub needs_review: bool,
}

impl GraderCapabilities {
    /// None of them.
    #[must_use]
    pub const fn new() -> Self {
        Self { deterministic: false, deferred: false, needs_review: false }
    }

    /// The same, and [`deterministic`](Self::deterministic).
    #[must_use]
    pub const fn deterministic(self) -> Self {
        Self { deterministic: true, ..self }
    }

    /// The same, and [`deferred`](Self::deferred).
    #[must_use]
    pub const fn deferred(self) -> Self {
        Self { deferred: true, ..self }
    }

    /// The same, and [`needs_review`](Self::needs_review).
    #[must_use]
    pub const fn needs_review(self) -> Self {
        Self { needs_review: true, ..self }
    }
}

/// Why a grader did not say what an answer is worth, named by what the caller can do about it. An
/// answer is never lost by it: in the end a person reads it.
#[derive(Debug, thiserror::Error)]
pub enum GradeError {
    /// It cannot be reached or is busy. The very same request helps later, and does nothing twice.
    #[error("the grader is not available")]
    Unavailable {
        /// How long it asked us to wait.
        retry_after: Option<Duration>,
        /// What happened.
        #[source]
        source: Source,
    },
    /// It will never grade this: an answer it cannot read, a ticket it never gave. Trying again is
    /// useless.
    #[error("the grader refused: {reason}")]
    Rejected {
        /// Why, for the log.
        reason: String,
    },
    /// This grader has no such thing.
    #[error("the grader does not support {0}")]
    Unsupported(&'static str),
    /// Anything else. The same request fails again; a new one may not.
    #[error("the grader failed")]
    Other(#[source] Source),
}

impl GradeError {
    /// It could not be reached because of `source`, and did not say when to come back.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable { retry_after: None, source: source.into() }
    }

    /// It failed because of `source`.
    pub fn other(source: impl Into<Source>) -> Self {
        Self::Other(source.into())
    }
}

/// Marks answers.
///
/// Handing in never waits for a grader. What [`grade_local`] decides is decided in the transaction
/// that keeps the answers; everybody else is asked by a job afterwards, never inside a
/// transaction. A grader that fails, or does not answer in time, leaves its answers to the teacher.
///
/// - **Again:** a job may ask twice, after a time-out or when its process has died. The answer's id
///   with the question's version is the key: under the same key a grader does its work once, and
///   gives the same ticket.
/// - **At once:** many answers are handed in at the same moment, so methods are called side by
///   side.
/// - **In time:** a job stops waiting after ten seconds, and a person has the answer after ten
///   minutes. What takes longer than the seconds gets a ticket.
/// - **Cancelled:** a future may be dropped at any `.await`. Whatever was begun by then is found
///   again by the next call with the same key.
/// - **Unheard:** what a student wrote is data. A grader that shows it to a language model takes no
///   orders from it, and [needs review](GraderCapabilities::needs_review).
/// - **Unlogged:** neither answers nor keys belong in a log, and a request holds nothing that tells
///   whose an answer is. Its `Debug` shows the key alone; neither that of a grader nor an error
///   shows more.
///
/// # Write one
///
/// The [module's documentation](self) has a grader that is whole, and `examples/custom_grader.rs`
/// one that gives tickets. Give it to a school with `Builder::grader`.
///
/// # Test it
///
/// The feature `conformance` checks every promise with one call, `conformance::grading::all`, given
/// questions and answers of the grader's own kind, and a far side, a sandbox or a double of it,
/// where there is one.
#[async_trait]
pub trait AssessmentGrader: Debug + Send + Sync + 'static {
    /// One word of letters, digits, `-` and `_`. It stands in markings and beside tickets in the
    /// database, so it is not changed while either exists.
    fn name(&self) -> &'static str;

    /// What can be expected of it. Always the same.
    fn capabilities(&self) -> GraderCapabilities;

    /// Whether it marks answers to questions of this type with this marking; unless it says
    /// otherwise, those whose marking names it. A grader of essays says so of essays that are
    /// [`Marking::Manual`]. It always says the same, and asks nobody: it is asked inside
    /// transactions.
    fn handles(&self, kind: QuestionType, marking: &Marking) -> bool {
        let _ = kind;
        marking.is_for(self.name())
    }

    /// Whether it can work with a marking that it handles: asked when a teacher sends one, and
    /// answered in words for the teacher, as [`MarkingError::Settings`]. It asks nobody either, and
    /// says the same again.
    fn check(&self, marking: &Marking) -> Result<(), MarkingError> {
        let _ = marking;
        Ok(())
    }

    /// What an answer is worth, or a ticket. May be repeated: with the same key it is the same work
    /// and the same ticket. [`Graders`] asks nobody about an answer with nothing in it; who is asked
    /// all the same, gives nothing for it.
    ///
    /// A student may send what nobody expected, also what does not fit the question. What cannot be
    /// graded is [`Rejected`](GradeError::Rejected) and goes to a person;
    /// [`Unavailable`](GradeError::Unavailable) has it asked again, and is for what time heals.
    async fn grade(&self, request: &GradeRequest<'_>) -> Result<Verdict, GradeError>;

    /// What became of the work behind a ticket; `None` is nothing yet. May be repeated: a ticket can
    /// be collected any number of times, with the same verdict, since whoever collected it may have
    /// died before it was written down. Another ticket is no answer. A ticket that was never given is
    /// [`Rejected`](GradeError::Rejected).
    async fn collect(&self, ticket: &str) -> Result<Option<Verdict>, GradeError> {
        let _ = ticket;
        Err(GradeError::Unsupported("tickets"))
    }
}
