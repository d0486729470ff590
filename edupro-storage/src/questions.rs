use std::collections::HashMap;

use async_trait::async_trait;
use edupro_core::{
    StoreError, StoreResult,
    assessments::{Question, QuestionOption, QuestionStore, QuestionType},
    files::FileKey,
    grading::Marking,
};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    cents::{from_cents, to_cents},
    sql::{Tx, value_rows},
};

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
    marking: Option<Json<Marking>>,
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

    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Question>> {
        let row = self.query(question!("WHERE q.id = $1")).bind(id).optional::<QuestionRow>();
        let Some(row) = row.await? else { return Ok(None) };
        let options = self
            .query(option!("WHERE o.question_id = $1 ORDER BY o.position"))
            .bind(id)
            .all::<OptionRow>()
            .await?;
        row.with(options.into_iter().map(QuestionOption::from).collect()).map(Some)
    }

    async fn assessment_of(&mut self, id: Uuid) -> StoreResult<Option<Uuid>> {
        let row = self
            .query("SELECT assessment_id FROM questions WHERE id = $1")
            .bind(id)
            .optional::<(Uuid,)>()
            .await?;
        Ok(row.map(|(assessment,)| assessment))
    }

    async fn next_order(&mut self, assessment: Uuid) -> StoreResult<i64> {
        let (next,) = self
            .query("SELECT COALESCE(MAX(position), 0) + 1 FROM questions WHERE assessment_id = $1")
            .bind(assessment)
            .one::<(i64,)>()
            .await?;
        Ok(next)
    }

    async fn order_is_taken(
        &mut self,
        assessment: Uuid,
        order: i64,
        except: Uuid,
    ) -> StoreResult<bool> {
        let (taken,) = self
            .query(
                "SELECT EXISTS (SELECT 1 FROM questions
                                WHERE assessment_id = $1 AND position = $2 AND id <> $3)",
            )
            .bind(assessment)
            .bind(order)
            .bind(except)
            .one::<(bool,)>()
            .await?;
        Ok(taken)
    }

    async fn make_room(&mut self, assessment: Uuid, order: i64, of: Uuid) -> StoreResult<()> {
        // A unique order is looked at row by row, so all go below zero first. The gap is behind the
        // first one that has no neighbour.
        self.query(
            "UPDATE questions
             SET position = CASE WHEN id = $3 THEN -$2 ELSE -(position + 1) END
             WHERE assessment_id = $1
               AND (id = $3
                    OR (position >= $2
                        AND position <= (SELECT MIN(q.position) FROM questions q
                                         WHERE q.assessment_id = $1 AND q.id <> $3
                                           AND q.position >= $2
                                           AND NOT EXISTS (SELECT 1 FROM questions n
                                                           WHERE n.assessment_id = $1
                                                             AND n.id <> $3
                                                             AND n.position = q.position + 1))))",
        )
        .bind(assessment)
        .bind(order)
        .bind(of)
        .execute()
        .await?;
        self.query(
            "UPDATE questions SET position = -position WHERE assessment_id = $1 AND position < 0",
        )
        .bind(assessment)
        .execute()
        .await?;
        Ok(())
    }

    async fn add(&mut self, question: &Question) -> StoreResult<()> {
        self.query(
            "INSERT INTO questions (id, assessment_id, question_text, question_type, points,
                                    position, explanation, image, marking, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(question.id)
        .bind(question.assessment)
        .bind(question.text.clone())
        .bind(question.kind.as_str())
        .bind(to_cents(question.points))
        .bind(question.order)
        .bind(question.explanation.clone())
        .bind(question.image.as_ref().map(ToString::to_string))
        .bind(question.marking.clone().map(Json))
        .bind(question.version)
        .execute()
        .await?;
        Ok(())
    }

    async fn save(&mut self, question: &Question) -> StoreResult<()> {
        self.query(
            "UPDATE questions
             SET question_text = $2, question_type = $3, points = $4, position = $5,
                 explanation = $6, image = $7, marking = $8, version = $9
             WHERE id = $1",
        )
        .bind(question.id)
        .bind(question.text.clone())
        .bind(question.kind.as_str())
        .bind(to_cents(question.points))
        .bind(question.order)
        .bind(question.explanation.clone())
        .bind(question.image.as_ref().map(ToString::to_string))
        .bind(question.marking.clone().map(Json))
        .bind(question.version)
        .execute()
        .await?;
        Ok(())
    }

    async fn delete(&mut self, id: Uuid) -> StoreResult<()> {
        self.query("DELETE FROM questions WHERE id = $1").bind(id).execute().await?;
        Ok(())
    }

    async fn touch(&mut self, id: Uuid) -> StoreResult<()> {
        self.query("UPDATE questions SET version = version + 1 WHERE id = $1")
            .bind(id)
            .execute()
            .await?;
        Ok(())
    }

    async fn add_options(&mut self, options: &[QuestionOption]) -> StoreResult<()> {
        if options.is_empty() {
            return Ok(());
        }
        let mut statement = self.query_built(format!(
            "INSERT INTO question_options (id, question_id, option_text, is_correct, position)
             VALUES {}",
            value_rows(1, options.len(), 5)
        ));
        for option in options {
            statement = statement
                .bind(option.id)
                .bind(option.question)
                .bind(option.text.clone())
                .bind(option.is_correct)
                .bind(option.order);
        }
        statement.execute().await?;
        Ok(())
    }

    async fn find_option(&mut self, id: Uuid) -> StoreResult<Option<QuestionOption>> {
        let row = self.query(option!("WHERE o.id = $1")).bind(id).optional::<OptionRow>().await?;
        Ok(row.map(QuestionOption::from))
    }

    async fn save_option(&mut self, option: &QuestionOption) -> StoreResult<()> {
        self.query("UPDATE question_options SET option_text = $2, is_correct = $3 WHERE id = $1")
            .bind(option.id)
            .bind(option.text.clone())
            .bind(option.is_correct)
            .execute()
            .await?;
        Ok(())
    }

    async fn delete_option(&mut self, id: Uuid) -> StoreResult<()> {
        self.query("DELETE FROM question_options WHERE id = $1").bind(id).execute().await?;
        Ok(())
    }

    async fn delete_options(&mut self, question: Uuid) -> StoreResult<()> {
        self.query("DELETE FROM question_options WHERE question_id = $1")
            .bind(question)
            .execute()
            .await?;
        Ok(())
    }
}
