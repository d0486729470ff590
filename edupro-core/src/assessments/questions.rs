//! Questions and their options, and where they are kept.

use async_trait::async_trait;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{StoreResult, files::FileKey, grading::Marking};

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionType {
    /// By choosing among options.
    MultipleChoice,
    /// By choosing between two.
    TrueFalse,
    /// With a few words.
    ShortAnswer,
    /// With many.
    Essay,
    /// With what is missing in a text.
    FillBlank,
}

impl QuestionType {
    /// Every type.
    pub const ALL: [Self; 5] =
        [Self::MultipleChoice, Self::TrueFalse, Self::ShortAnswer, Self::Essay, Self::FillBlank];

    /// The word the contract has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MultipleChoice => "multiple_choice",
            Self::TrueFalse => "true_false",
            Self::ShortAnswer => "short_answer",
            Self::Essay => "essay",
            Self::FillBlank => "fill_blank",
        }
    }

    /// The type of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// Whether it has options to choose from; the others are answered with text.
    #[must_use]
    pub const fn has_options(self) -> bool {
        match self {
            Self::MultipleChoice | Self::TrueFalse => true,
            Self::ShortAnswer | Self::Essay | Self::FillBlank => false,
        }
    }
}

/// A question of an assessment, with its key: for its teacher and for whoever grades.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Which one.
    pub id: Uuid,
    /// Of which assessment.
    pub assessment: Uuid,
    /// What is asked.
    pub text: String,
    /// How it is answered.
    pub kind: QuestionType,
    /// What a right answer gives, with two places, above 0.
    pub points: Decimal,
    /// Its place in the assessment, from 1; no other question has it.
    pub order: i64,
    /// Why the right answer is right.
    pub explanation: Option<String>,
    /// A picture to it.
    pub image: Option<FileKey>,
    /// How its answers are marked, where the teacher has said so.
    pub marking: Option<Marking>,
    /// How often it or an option of it has changed.
    pub version: i64,
    /// What there is to choose from, in order.
    pub options: Vec<QuestionOption>,
}

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuestionOption {
    /// Which one.
    pub id: Uuid,
    /// Of which question.
    pub question: Uuid,
    /// What it says.
    pub text: String,
    /// Whether it is right. Several may be.
    pub is_correct: bool,
    /// Its place in the question, from 1; no other option has it.
    pub order: i64,
}

/// Where questions and their options are kept. Whoever changes them has locked their assessment.
#[async_trait]
pub trait QuestionStore: Send {
    /// An assessment's questions in order, with their options: two statements, however many there
    /// are.
    async fn list(&mut self, assessment: Uuid) -> StoreResult<Vec<Question>>;

    /// The question with this id, with its options.
    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Question>>;

    /// The assessment of a question.
    async fn assessment_of(&mut self, id: Uuid) -> StoreResult<Option<Uuid>>;

    /// One more than the highest order in the assessment.
    async fn next_order(&mut self, assessment: Uuid) -> StoreResult<i64>;

    /// Whether another question of the assessment than `except` has this order.
    async fn order_is_taken(
        &mut self,
        assessment: Uuid,
        order: i64,
        except: Uuid,
    ) -> StoreResult<bool>;

    /// Frees a taken order for a question: whoever has it moves up by one, and so do those behind
    /// it until there is a gap. What the question had is free for them. It has the order
    /// afterwards, if it exists already.
    async fn make_room(&mut self, assessment: Uuid, order: i64, of: Uuid) -> StoreResult<()>;

    /// Adds a question, without its options.
    async fn add(&mut self, question: &Question) -> StoreResult<()>;

    /// Keeps the question as it is here, but for its options.
    async fn save(&mut self, question: &Question) -> StoreResult<()>;

    /// Deletes the question and its options.
    async fn delete(&mut self, id: Uuid) -> StoreResult<()>;

    /// Notes that an option of the question has changed.
    async fn touch(&mut self, id: Uuid) -> StoreResult<()>;

    /// Adds options, all in one statement.
    async fn add_options(&mut self, options: &[QuestionOption]) -> StoreResult<()>;

    /// The option with this id.
    async fn find_option(&mut self, id: Uuid) -> StoreResult<Option<QuestionOption>>;

    /// Keeps the option as it is here.
    async fn save_option(&mut self, option: &QuestionOption) -> StoreResult<()>;

    /// Deletes the option.
    async fn delete_option(&mut self, id: Uuid) -> StoreResult<()>;

    /// Deletes all options of a question.
    async fn delete_options(&mut self, question: Uuid) -> StoreResult<()>;
}
