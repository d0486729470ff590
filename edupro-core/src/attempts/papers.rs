//! Papers: the questions of an assessment as they were when somebody started.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    assessments::{Question, QuestionOption, QuestionType},
    files::FileKey,
    grading::Marking,
};

/// The questions of one revision of an assessment, shared by all attempts of that revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Paper {
    /// Which one.
    pub id: Uuid,
    /// Of which assessment.
    pub assessment: Uuid,
    /// Of which of its revisions.
    pub revision: i64,
    /// The questions in order.
    pub questions: Vec<PaperQuestion>,
}

impl Paper {
    /// What it gives at most.
    #[must_use]
    pub fn max_score(&self) -> Decimal {
        self.questions.iter().map(|question| question.points).sum()
    }

    /// The images in it.
    pub fn images(&self) -> impl Iterator<Item = &FileKey> {
        self.questions.iter().filter_map(|question| question.image.as_ref())
    }
}

/// A question as it was, with its key. This is what the database keeps, so keys are only added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaperQuestion {
    /// [`Question::id`].
    pub id: Uuid,
    /// [`Question::version`].
    pub version: i64,
    /// [`Question::text`].
    pub text: String,
    /// [`Question::kind`].
    pub kind: QuestionType,
    /// [`Question::points`].
    pub points: Decimal,
    /// [`Question::order`].
    pub order: i64,
    /// [`Question::explanation`].
    pub explanation: Option<String>,
    /// [`Question::image`].
    pub image: Option<FileKey>,
    /// [`Question::marking`].
    pub marking: Option<Marking>,
    /// [`Question::options`].
    pub options: Vec<PaperOption>,
}

/// An option as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperOption {
    /// [`QuestionOption::id`].
    pub id: Uuid,
    /// [`QuestionOption::text`].
    pub text: String,
    /// [`QuestionOption::is_correct`].
    pub is_correct: bool,
    /// [`QuestionOption::order`].
    pub order: i64,
}

impl From<Question> for PaperQuestion {
    fn from(question: Question) -> Self {
        Self {
            id: question.id,
            version: question.version,
            text: question.text,
            kind: question.kind,
            points: question.points,
            order: question.order,
            explanation: question.explanation,
            image: question.image,
            marking: question.marking,
            options: question.options.into_iter().map(PaperOption::from).collect(),
        }
    }
}

impl From<QuestionOption> for PaperOption {
    fn from(option: QuestionOption) -> Self {
        Self {
            id: option.id,
            text: option.text,
            is_correct: option.is_correct,
            order: option.order,
        }
    }
}
