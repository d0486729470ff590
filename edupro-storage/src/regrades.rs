//! Answers that were graded by a key which has changed.

use edupro_core::{
    StoreResult,
    attempts::{Answer, Paper},
    grading::OutdatedCount,
};
use uuid::Uuid;

use crate::{
    answers::{AnswerRow, answer_columns},
    attempts::{PaperRow, paper_columns},
    sql::{ROWS_AT_ONCE, Tx, value_rows},
};

#[derive(sqlx::FromRow)]
struct CountRow {
    question_id: Uuid,
    answers: i64,
    by_hand: i64,
}

impl From<CountRow> for OutdatedCount {
    fn from(row: CountRow) -> Self {
        Self { question: row.question_id, answers: row.answers, by_hand: row.by_hand }
    }
}

/// The questions of an assessment that are newer than answers to them.
pub(crate) async fn outdated(tx: &mut Tx, assessment: Uuid) -> StoreResult<Vec<OutdatedCount>> {
    let rows = tx
        .query(
            "SELECT w.question_id,
                    CAST(SUM(CASE WHEN w.manual_graded THEN 0 ELSE 1 END) AS BIGINT) AS answers,
                    CAST(SUM(CASE WHEN w.manual_graded THEN 1 ELSE 0 END) AS BIGINT) AS by_hand
             FROM attempts t
             JOIN answers w ON w.attempt_id = t.id
             JOIN questions q ON q.id = w.question_id
             WHERE t.assessment_id = $1 AND w.question_version < q.version
             GROUP BY w.question_id
             HAVING SUM(CASE WHEN w.manual_graded THEN 0 ELSE 1 END) > 0",
        )
        .bind(assessment)
        .all::<CountRow>()
        .await?;
    Ok(rows.into_iter().map(OutdatedCount::from).collect())
}

/// The answers that no person has graded: to such questions, or to one question.
pub(crate) async fn regradable(
    tx: &mut Tx,
    assessment: Uuid,
    question: Option<Uuid>,
) -> StoreResult<Vec<Answer>> {
    let rows = tx
        .query(concat!(
            "SELECT ",
            answer_columns!(),
            " FROM attempts t
              JOIN answers w ON w.attempt_id = t.id
              JOIN questions q ON q.id = w.question_id
              WHERE t.assessment_id = $1 AND t.status IN ('submitted', 'graded')
                AND NOT w.manual_graded
                AND (q.id = $2 OR ($3 AND w.question_version < q.version))
              ORDER BY t.id, w.position"
        ))
        .bind(assessment)
        .bind(question)
        .bind(question.is_none())
        .all::<AnswerRow>()
        .await?;
    rows.into_iter().map(Answer::try_from).collect()
}

/// The papers of an assessment on which something was handed in.
pub(crate) async fn papers(tx: &mut Tx, assessment: Uuid) -> StoreResult<Vec<Paper>> {
    let rows = tx
        .query(concat!(
            "SELECT ",
            paper_columns!(),
            " FROM papers n
              WHERE n.assessment_id = $1
                AND EXISTS (SELECT 1 FROM attempts t
                            WHERE t.paper_id = n.id AND t.status IN ('submitted', 'graded'))"
        ))
        .bind(assessment)
        .all::<PaperRow>()
        .await?;
    Ok(rows.into_iter().map(Paper::from).collect())
}

/// Notes that answers were looked at again with this version of their question.
pub(crate) async fn looked_at(
    tx: &mut Tx,
    answers: &[Uuid],
    version: i64,
    correct_answer: &str,
) -> StoreResult<()> {
    for answers in answers.chunks(ROWS_AT_ONCE) {
        let mut statement = tx
            .query_built(format!(
                "UPDATE answers SET question_version = $1, correct_answer = $2 WHERE id IN {}",
                value_rows(3, 1, answers.len())
            ))
            .bind(version)
            .bind(correct_answer.to_owned());
        for answer in answers {
            statement = statement.bind(*answer);
        }
        statement.execute().await?;
    }
    Ok(())
}
