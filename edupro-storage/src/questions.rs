use std::collections::HashMap;

use async_trait::async_trait;
use edupro_core::{
    StoreError, StoreResult,
    assessments::{Question, QuestionOption, QuestionStore, QuestionType},
    files::FileKey,
};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{cents::from_cents, sql::Tx};

#[derive(sqlx::FromRow)]
struct QuestionRow {
    id: Uuid,
    assessment_id: Uuid,
    question_text: String,
    question_type: String,
    points: i64,
    position: i64,
    explanation: Option<String>,
    image: Option<String>,
    marking: Option<Json<serde_json::Value>>,
    version: i64,
}

/// The type of question that a column's word stands for.
pub(crate) fn question_type(column: &'static str, word: String) -> StoreResult<QuestionType> {
    QuestionType::from_word(&word).ok_or(StoreError::Corrupt { column, value: word })
}

impl QuestionRow {
    fn with(self, options: Vec<QuestionOption>) -> StoreResult<Question> {
        Ok(Question {
            id: self.id,
            assessment: self.assessment_id,
            text: self.question_text,
            kind: question_type("questions.question_type", self.question_type)?,
            points: from_cents(self.points),
            order: self.position,
            explanation: self.explanation,
            image: self.image.map(FileKey::from_stored),
            marking: self.marking.map(|marking| marking.0),
            version: self.version,
            options,
        })
    }
}

#[derive(sqlx::FromRow)]
struct OptionRow {
    id: Uuid,
    question_id: Uuid,
    option_text: String,
    is_correct: bool,
    position: i64,
}

impl From<OptionRow> for QuestionOption {
    fn from(row: OptionRow) -> Self {
        Self {
            id: row.id,
            question: row.question_id,
            text: row.option_text,
            is_correct: row.is_correct,
            order: row.position,
        }
    }
}

/// A question.
macro_rules! question {
    ($rest:literal) => {
        concat!(
            "SELECT q.id, q.assessment_id, q.question_text, q.question_type, q.points, q.position,
                    q.explanation, q.image, q.marking, q.version FROM questions q ",
            $rest
        )
    };
}

/// An option.
macro_rules! option {
    ($rest:literal) => {
        concat!(
            "SELECT o.id, o.question_id, o.option_text, o.is_correct, o.position
             FROM question_options o ",
            $rest
        )
    };
}

#[async_trait]
impl QuestionStore for Tx {
    async fn list(&mut self, assessment: Uuid) -> StoreResult<Vec<Question>> {
        let questions = self
            .query(question!("WHERE q.assessment_id = $1 ORDER BY q.position"))
            .bind(assessment)
            .all::<QuestionRow>()
            .await?;
        let options = self
            .query(option!(
                "JOIN questions q ON q.id = o.question_id
                 WHERE q.assessment_id = $1 ORDER BY o.position"
            ))
            .bind(assessment)
            .all::<OptionRow>()
            .await?;
        let mut of: HashMap<Uuid, Vec<QuestionOption>> = HashMap::new();
        for option in options {
            of.entry(option.question_id).or_default().push(option.into());
        }
        let with_options = questions.into_iter().map(|question| {
            let options = of.remove(&question.id).unwrap_or_default();
            question.with(options)
        });
        with_options.collect()
    }
}
