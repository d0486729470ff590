use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    attempts::{Answer, AnswerState},
};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    cents::{from_cents, to_cents},
    questions::question_type,
    sql::{ROWS_AT_ONCE, Tx, value_rows},
};

/// The columns of [`AnswerRow`], from a table called `w`.
macro_rules! answer_columns {
    () => {
        "w.id AS answer_id, w.attempt_id AS answer_attempt_id, w.question_id, w.question_version,
         w.position, w.question_text, w.question_type, w.points, w.selected, w.text_answer,
         w.blanks, w.student_answer, w.correct_answer, w.state, w.grader, w.deferred_at,
         w.points_awarded, w.is_correct, w.teacher_feedback AS answer_feedback, w.auto_graded AS answer_auto_graded,
         w.manual_graded, w.graded_at AS answer_graded_at"
    };
}
pub(crate) use answer_columns;

#[derive(sqlx::FromRow)]
pub(crate) struct AnswerRow {
    answer_id: Uuid,
    answer_attempt_id: Uuid,
    question_id: Uuid,
    question_version: i64,
    position: i64,
    question_text: String,
    question_type: String,
    points: i64,
    selected: Json<Vec<Uuid>>,
    text_answer: Option<String>,
    blanks: Option<Json<BTreeMap<String, String>>>,
    student_answer: String,
    correct_answer: String,
    state: String,
    grader: Option<String>,
    deferred_at: Option<DateTime<Utc>>,
    points_awarded: Option<i64>,
    is_correct: Option<bool>,
    answer_feedback: Option<String>,
    answer_auto_graded: bool,
    manual_graded: bool,
    answer_graded_at: Option<DateTime<Utc>>,
}

impl TryFrom<AnswerRow> for Answer {
    type Error = StoreError;

    fn try_from(row: AnswerRow) -> StoreResult<Self> {
        let state = AnswerState::from_word(&row.state)
            .ok_or(StoreError::Corrupt { column: "answers.state", value: row.state })?;
        Ok(Self {
            id: row.answer_id,
            attempt: row.answer_attempt_id,
            question: row.question_id,
            question_version: row.question_version,
            order: row.position,
            question_text: row.question_text,
            kind: question_type("answers.question_type", row.question_type)?,
            points: from_cents(row.points),
            selected: row.selected.0,
            text: row.text_answer,
            blanks: row.blanks.map(|blanks| blanks.0),
            student_answer: row.student_answer,
            correct_answer: row.correct_answer,
            state,
            grader: row.grader,
            deferred_at: row.deferred_at,
            points_awarded: row.points_awarded.map(from_cents),
            is_correct: row.is_correct,
            teacher_feedback: row.answer_feedback,
            auto_graded: row.answer_auto_graded,
            manual_graded: row.manual_graded,
            graded_at: row.answer_graded_at,
        })
    }
}

/// The answers of an attempt, in the order of its paper.
pub(crate) async fn list(tx: &mut Tx, attempt: Uuid) -> StoreResult<Vec<Answer>> {
    let rows = tx
        .query(concat!(
            "SELECT ",
            answer_columns!(),
            " FROM answers w WHERE w.attempt_id = $1 ORDER BY w.position"
        ))
        .bind(attempt)
        .all::<AnswerRow>()
        .await?;
    rows.into_iter().map(Answer::try_from).collect()
}

/// Keeps answers, however many.
pub(crate) async fn add(tx: &mut Tx, answers: &[Answer]) -> StoreResult<()> {
    for answers in answers.chunks(ROWS_AT_ONCE) {
        add_some(tx, answers).await?;
    }
    Ok(())
}

/// Keeps answers in one statement.
async fn add_some(tx: &mut Tx, answers: &[Answer]) -> StoreResult<()> {
    let mut statement = tx.query_built(format!(
        "INSERT INTO answers (id, attempt_id, question_id, question_version, position,
                              question_text, question_type, points, selected, text_answer, blanks,
                              student_answer, correct_answer, state, grader, deferred_at,
                              points_awarded, is_correct, teacher_feedback, auto_graded,
                              manual_graded, graded_at)
         VALUES {}",
        value_rows(1, answers.len(), 22)
    ));
    for answer in answers {
        statement = statement
            .bind(answer.id)
            .bind(answer.attempt)
            .bind(answer.question)
            .bind(answer.question_version)
            .bind(answer.order)
            .bind(answer.question_text.clone())
            .bind(answer.kind.as_str())
            .bind(to_cents(answer.points))
            .bind(Json(answer.selected.clone()))
            .bind(answer.text.clone())
            .bind(answer.blanks.clone().map(Json))
            .bind(answer.student_answer.clone())
            .bind(answer.correct_answer.clone())
            .bind(answer.state.as_str())
            .bind(answer.grader.clone())
            .bind(answer.deferred_at)
            .bind(answer.points_awarded.map(to_cents))
            .bind(answer.is_correct)
            .bind(answer.teacher_feedback.clone())
            .bind(answer.auto_graded)
            .bind(answer.manual_graded)
            .bind(answer.graded_at);
    }
    statement.execute().await?;
    Ok(())
}
