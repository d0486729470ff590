//! Answers that graders have.

use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    grading::{Deferred, DeferredAgain, Remark},
};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    answers::{AnswerRow, answer_columns},
    attempts::{PaperRow, paper_columns},
    sql::{ROWS_AT_ONCE, Tx, value_rows},
};

#[derive(sqlx::FromRow)]
struct DeferredRow {
    #[sqlx(flatten)]
    answer: AnswerRow,
    #[sqlx(flatten)]
    paper: PaperRow,
    ticket: Option<String>,
}

impl TryFrom<DeferredRow> for Deferred {
    type Error = StoreError;

    fn try_from(row: DeferredRow) -> StoreResult<Self> {
        Ok(Self { answer: row.answer.try_into()?, paper: row.paper.into(), ticket: row.ticket })
    }
}

/// The answer, if a grader has it.
pub(crate) async fn find(tx: &mut Tx, answer: Uuid) -> StoreResult<Option<Deferred>> {
    let row = tx
        .query(concat!(
            "SELECT ",
            answer_columns!(),
            ", ",
            paper_columns!(),
            ", w.ticket
             FROM answers w
             JOIN attempts t ON t.id = w.attempt_id
             JOIN papers n ON n.id = t.paper_id
             WHERE w.id = $1 AND w.state = 'deferred'"
        ))
        .bind(answer)
        .optional::<DeferredRow>()
        .await?;
    row.map(Deferred::try_from).transpose()
}

/// Keeps what a deferred answer is collected with.
pub(crate) async fn keep_ticket(
    tx: &mut Tx,
    answer: Uuid,
    version: i64,
    ticket: &str,
) -> StoreResult<bool> {
    let kept = tx
        .query(
            "UPDATE answers SET ticket = $3
             WHERE id = $1 AND state = 'deferred' AND question_version = $2",
        )
        .bind(answer)
        .bind(version)
        .bind(ticket.to_owned())
        .execute()
        .await?;
    Ok(kept == 1)
}

/// Leaves answers to a person that are deferred under these versions.
pub(crate) async fn leave(
    tx: &mut Tx,
    answers: &[(Uuid, i64)],
    remark: &Remark,
) -> StoreResult<()> {
    for answers in answers.chunks(ROWS_AT_ONCE) {
        let mut statement = tx
            .query_built(format!(
                "UPDATE answers SET state = 'pending', ticket = NULL, remark = $1
                 FROM (VALUES {}) AS g
                 WHERE answers.id = g.column1 AND question_version = g.column2
                   AND state = 'deferred'",
                value_rows(2, answers.len(), 2)
            ))
            .bind(Json(remark.clone()));
        for (answer, version) in answers {
            statement = statement.bind(*answer).bind(*version);
        }
        statement.execute().await?;
    }
    Ok(())
}

/// Leaves to a person what was deferred before `then`.
pub(crate) async fn leave_late(
    tx: &mut Tx,
    then: DateTime<Utc>,
    remark: &Remark,
) -> StoreResult<u64> {
    tx.query(
        "UPDATE answers SET state = 'pending', ticket = NULL, remark = $2
         WHERE state = 'deferred' AND deferred_at < $1",
    )
    .bind(then)
    .bind(Json(remark.clone()))
    .execute()
    .await
}

/// Gives answers that are not graded to graders.
pub(crate) async fn defer_again(
    tx: &mut Tx,
    answers: &[DeferredAgain],
    at: DateTime<Utc>,
) -> StoreResult<()> {
    for answers in answers.chunks(ROWS_AT_ONCE) {
        let mut statement = tx
            .query_built(format!(
                "UPDATE answers
                 SET state = 'deferred', question_version = g.column2, grader = g.column3,
                     ticket = NULL, deferred_at = $1, remark = NULL
                 FROM (VALUES {}) AS g WHERE answers.id = g.column1 AND state <> 'graded'",
                value_rows(2, answers.len(), 3)
            ))
            .bind(at);
        for again in answers {
            statement = statement.bind(again.answer).bind(again.version).bind(again.grader.clone());
        }
        statement.execute().await?;
    }
    Ok(())
}
