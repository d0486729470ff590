//! Assessments: what students are asked, and when (contract 10.1–10.7).
//!
//! An assessment is built here, question by question. Whoever takes it gets a
//! [`Paper`](crate::attempts::Paper): its questions as they were at that moment. So a teacher may
//! change everything at any time, and no attempt is touched by it.

mod authoring;
mod entry;
mod links;
mod options;
mod questions;
mod writing;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

pub(crate) use self::authoring::lock_owned;
pub use self::{
    authoring::{
        AssessmentChanges, NewAssessment, PASSING_GRADE, create, create_in_course, delete, list,
        owned, show, update,
    },
    entry::{NoEntry, Offer, OpenAssessment, list_open, may_take},
    links::{LessonOf, Link, LinkChanges, LinkKind},
    options::{
        NewOption, OptionChanges, create_options, delete_option, owned_option, update_option,
    },
    questions::{Question, QuestionOption, QuestionStore, QuestionType},
    writing::{
        NewQuestion, OPTION_LENGTH, OPTIONS_MAX, POINTS, QUESTION_LENGTH, QuestionChanges,
        QuestionError, create_question, delete_question, list_questions, owned_question,
        update_question,
    },
};
use crate::{StoreError, StoreResult, accounts::UserId, files::FileKey};

/// Longest title of an assessment, in characters (behaviour 3.15).
pub const ASSESSMENT_TITLE_LENGTH: usize = 200;
/// Longest time limit, in minutes: a year.
pub const TIME_LIMIT_MAX: i64 = 365 * 24 * 60;

/// What an assessment is called by its teacher. The kinds have the same rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssessmentType {
    /// A few questions.
    Quiz,
    /// An exam.
    Exam,
    /// Work to hand in.
    Assignment,
    /// An exam, in an older word. Whoever filters for one finds both.
    CourseExam,
}

impl AssessmentType {
    /// Every type.
    pub const ALL: [Self; 4] = [Self::Quiz, Self::Exam, Self::Assignment, Self::CourseExam];

    /// The word the contract has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quiz => "quiz",
            Self::Exam => "exam",
            Self::Assignment => "assignment",
            Self::CourseExam => "course_exam",
        }
    }

    /// The type of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// The type and its synonym: what a filter for it finds.
    #[must_use]
    pub const fn synonyms(self) -> [Self; 2] {
        match self {
            Self::Exam | Self::CourseExam => [Self::Exam, Self::CourseExam],
            other => [other, other],
        }
    }
}

/// A set of questions with its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Which one.
    pub id: Uuid,
    /// Whose.
    pub teacher: UserId,
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// What kind of assessment it is.
    pub kind: AssessmentType,
    /// What it belongs to. Without a link it is for all students of its teacher.
    pub link: Option<Link>,
    /// Whether students see it.
    pub is_published: bool,
    /// How many minutes an attempt may take; `None` is as many as one likes.
    pub time_limit: Option<i64>,
    /// How often a student may try, at least once.
    pub max_attempts: i64,
    /// How many percent one needs to pass, with two places.
    pub passing_grade: Decimal,
    /// When it opens.
    pub available_from: DateTime<Utc>,
    /// When it closes, after it has opened.
    pub available_until: Option<DateTime<Utc>>,
    /// How many questions it has.
    pub total_questions: i64,
    /// What they give together.
    pub total_points: Decimal,
    /// How often its questions have changed.
    pub revision: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it or one of its questions was changed last.
    pub updated_at: DateTime<Utc>,
}

impl Assessment {
    /// Whether students may start it at `now`, as far as it is up to the assessment.
    #[must_use]
    pub fn is_available(&self, now: DateTime<Utc>) -> bool {
        self.is_published
            && self.available_from <= now
            && self.available_until.is_none_or(|until| until >= now)
    }
}

/// Which of a teacher's assessments are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssessmentFilter {
    /// Only those of this course, its modules and its lessons.
    pub course: Option<Uuid>,
    /// Only those of this type or its synonym.
    pub kind: Option<AssessmentType>,
}

/// Why an assessment was not shown, made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AssessmentError {
    /// There is no such assessment, course or teacher.
    #[error("Not found.")]
    Unknown,
    /// It is another teacher's, or of a teacher whose student one is not.
    #[error("You do not have permission to perform this action.")]
    NotYours,
    /// The teacher has blocked the student.
    #[error("You are blocked by the teacher.")]
    Blocked,
    /// It would belong to several things.
    #[error("An assessment can be linked to only one of course, module or lesson.")]
    TooManyLinks,
    /// What it should belong to does not exist.
    #[error("Invalid pk \"{1}\" - object does not exist.")]
    UnknownLink(LinkKind, Uuid),
    /// What it should belong to is another teacher's.
    #[error("You don't own this {}.", .0.as_str())]
    LinkNotYours(LinkKind),
    /// Somebody has started it.
    #[error("The assessment type cannot be changed after attempts exist.")]
    TypeFrozen,
    /// Somebody has started it.
    #[error("The {} cannot be changed after attempts exist.", .0.as_str())]
    LinkFrozen(LinkKind),
    /// It is timed, and nobody knows how.
    #[error("Timed assessments must have a time_limit greater than 0.")]
    NoTimeLimit,
    /// It closes before it opens.
    #[error("Available until must be after available from.")]
    EndsTooEarly,
    /// The storage.
    #[error("an assessment could not be read or saved")]
    Store(#[from] StoreError),
}

/// Where assessments are kept.
#[async_trait]
pub trait AssessmentStore: Send {
    /// Adds an assessment, without questions.
    async fn add(&mut self, assessment: &Assessment) -> StoreResult<()>;

    /// The assessment with this id.
    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Assessment>>;

    /// The assessment. Until this transaction ends nobody else changes it or its questions.
    async fn lock(&mut self, id: Uuid) -> StoreResult<Option<Assessment>>;

    /// A teacher's assessments, the newest first.
    async fn of_teacher(
        &mut self,
        teacher: UserId,
        filter: AssessmentFilter,
    ) -> StoreResult<Vec<Assessment>>;

    /// A teacher's published assessments, the newest first, with what ties a student to each: one
    /// statement. With a course only those of it, its modules and its lessons.
    async fn offers(
        &mut self,
        teacher: UserId,
        student: UserId,
        course: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> StoreResult<Vec<Offer>>;

    /// Keeps the assessment as it is here, but for what is counted.
    async fn save(&mut self, assessment: &Assessment) -> StoreResult<()>;

    /// Deletes the assessment and all below it.
    async fn delete(&mut self, id: Uuid) -> StoreResult<()>;

    /// Counts its questions and points again, and notes that its questions have changed.
    async fn recount(&mut self, id: Uuid, now: DateTime<Utc>) -> StoreResult<()>;

    /// Whether anybody has started it.
    async fn has_attempts(&mut self, id: Uuid) -> StoreResult<bool>;

    /// Every image of its questions, those of its papers too.
    async fn files(&mut self, id: Uuid) -> StoreResult<Vec<FileKey>>;

    /// The same of all assessments that go when a course, a module or a lesson goes. Until this
    /// transaction ends nobody else changes them.
    async fn files_below(&mut self, kind: LinkKind, id: Uuid) -> StoreResult<Vec<FileKey>>;

    /// Whether a paper of the assessment shows the image.
    async fn is_on_paper(&mut self, id: Uuid, image: &FileKey) -> StoreResult<bool>;
}
