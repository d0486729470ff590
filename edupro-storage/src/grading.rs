use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    accounts::UserId,
    assessments::{Assessment, AssessmentType, QuestionType},
    attempts::{Answer, Attempt, Paper, Taker},
    grading::{
        Deferred, DeferredAgain, Grade, GradingEntry, GradingItem, GradingLine, GradingReason,
        GradingStore, OutdatedCount, PendingOf, Remark, Settled, Totals,
    },
};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    answers::{AnswerRow, answer_columns},
    assessments::{AssessmentRow, assessment_columns, assessment_tables},
    attempts::{AttemptRow, SubjectRow, attempt_columns, attempt_status},
    cents::{from_cents, to_cents},
    deferrals, regrades,
    sql::{ROWS_AT_ONCE, Tx, value_rows},
};

/// An answer called `w` with all that is about it.
macro_rules! item {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            answer_columns!(),
            ", ",
            attempt_columns!(),
            ", ",
            assessment_columns!(),
            ", u.username, p.full_name, w.remark FROM ",
            assessment_tables!(),
            " JOIN attempts t ON t.assessment_id = a.id
              JOIN answers w ON w.attempt_id = t.id
              JOIN users u ON u.id = t.student_id
              JOIN student_profiles p ON p.id = t.student_id ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct ItemRow {
    #[sqlx(flatten)]
    answer: AnswerRow,
    #[sqlx(flatten)]
    attempt: AttemptRow,
    #[sqlx(flatten)]
    assessment: AssessmentRow,
    username: String,
    full_name: String,
    remark: Option<Json<Remark>>,
}

impl TryFrom<ItemRow> for GradingItem {
    type Error = StoreError;

    fn try_from(row: ItemRow) -> StoreResult<Self> {
        let ItemRow { username, full_name, .. } = row;
        let attempt = Attempt::try_from(row.attempt)?;
        Ok(Self {
            answer: row.answer.try_into()?,
            assessment: Assessment::try_from(row.assessment)?,
            student: Taker { id: attempt.student, username, full_name },
            attempt,
            remark: row.remark.map(|remark| remark.0),
        })
    }
}

#[derive(sqlx::FromRow)]
struct LineRow {
    answer_id: Uuid,
    graded_by: Option<i64>,
    username: Option<String>,
    reason: String,
    points_before: Option<i64>,
    points_after: i64,
    feedback: Option<String>,
    graded_at: DateTime<Utc>,
}

impl TryFrom<LineRow> for GradingLine {
    type Error = StoreError;

    fn try_from(row: LineRow) -> StoreResult<Self> {
        let reason = GradingReason::from_word(&row.reason)
            .ok_or(StoreError::Corrupt { column: "grading_history.reason", value: row.reason })?;
        let entry = GradingEntry {
            answer: row.answer_id,
            graded_by: row.graded_by.map(UserId),
            reason,
            before: row.points_before.map(from_cents),
            after: from_cents(row.points_after),
            feedback: row.feedback,
            at: row.graded_at,
        };
        Ok(Self { entry, username: row.username })
    }
}

#[derive(sqlx::FromRow)]
struct TotalsRow {
    #[sqlx(flatten)]
    subject: SubjectRow,
    status: String,
    before: Option<i64>,
    max_score: i64,
    passing_grade: i64,
    score: i64,
    waiting: i64,
}

impl TryFrom<TotalsRow> for Totals {
    type Error = StoreError;

    fn try_from(row: TotalsRow) -> StoreResult<Self> {
        Ok(Self {
            subject: row.subject.into(),
            status: attempt_status(row.status)?,
            before: row.before.map(from_cents),
            waiting: row.waiting,
            score: from_cents(row.score),
            max_score: from_cents(row.max_score),
            passing_grade: from_cents(row.passing_grade),
        })
    }
}

#[async_trait]
impl GradingStore for Tx {
    async fn pending(&mut self, of: PendingOf) -> StoreResult<Vec<GradingItem>> {
        let [kind, synonym] =
            of.kind.map_or(["", ""], |kind| kind.synonyms().map(AssessmentType::as_str));
        let rows = self
            .query(item!(
                "WHERE a.teacher_id = $1 AND w.state = 'pending' AND t.status = 'submitted'
                   AND ($2 OR c.id = $3) AND ($4 OR a.id = $5)
                   AND ($6 = '' OR a.assessment_type IN ($6, $7))
                   AND ($8 = '' OR w.question_type = $8)
                 ORDER BY t.ended_at, t.id, w.position"
            ))
            .bind(of.teacher.0)
            .bind(of.course.is_none())
            .bind(of.course)
            .bind(of.assessment.is_none())
            .bind(of.assessment)
            .bind(kind)
            .bind(synonym)
            .bind(of.question_kind.map_or("", QuestionType::as_str))
            .all::<ItemRow>()
            .await?;
        rows.into_iter().map(GradingItem::try_from).collect()
    }

    async fn find(&mut self, answer: Uuid) -> StoreResult<Option<GradingItem>> {
        let row = self.query(item!("WHERE w.id = $1")).bind(answer).optional::<ItemRow>().await?;
        row.map(GradingItem::try_from).transpose()
    }

    async fn save(&mut self, grades: &[Grade], at: DateTime<Utc>) -> StoreResult<()> {
        for grades in grades.chunks(ROWS_AT_ONCE) {
            let mut statement = self
                .query_built(format!(
                    "UPDATE answers
                     SET state = 'graded', points_awarded = g.column2, is_correct = g.column3,
                         teacher_feedback = g.column4, manual_graded = g.column5,
                         auto_graded = NOT g.column5, graded_at = $1, ticket = NULL
                     FROM (VALUES {}) AS g WHERE answers.id = g.column1",
                    value_rows(2, grades.len(), 5)
                ))
                .bind(at);
            for grade in grades {
                statement = statement
                    .bind(grade.answer)
                    .bind(to_cents(grade.points))
                    .bind(grade.is_correct)
                    .bind(grade.feedback.clone())
                    .bind(grade.by_hand);
            }
            statement.execute().await?;
        }
        Ok(())
    }

    async fn note(&mut self, entries: &[GradingEntry]) -> StoreResult<()> {
        for entries in entries.chunks(ROWS_AT_ONCE) {
            let mut statement = self.query_built(format!(
                "INSERT INTO grading_history (answer_id, graded_by, reason, points_before,
                                              points_after, feedback, graded_at)
                 VALUES {}",
                value_rows(1, entries.len(), 7)
            ));
            for entry in entries {
                statement = statement
                    .bind(entry.answer)
                    .bind(entry.graded_by.map(|by| by.0))
                    .bind(entry.reason.as_str())
                    .bind(entry.before.map(to_cents))
                    .bind(to_cents(entry.after))
                    .bind(entry.feedback.clone())
                    .bind(entry.at);
            }
            statement.execute().await?;
        }
        Ok(())
    }

    async fn history(&mut self, answer: Uuid) -> StoreResult<Vec<GradingLine>> {
        let rows = self
            .query(
                "SELECT h.answer_id, h.graded_by, u.username, h.reason, h.points_before,
                        h.points_after, h.feedback, h.graded_at
                 FROM grading_history h LEFT JOIN users u ON u.id = h.graded_by
                 WHERE h.answer_id = $1 ORDER BY h.id",
            )
            .bind(answer)
            .all::<LineRow>()
            .await?;
        rows.into_iter().map(GradingLine::try_from).collect()
    }

    async fn totals(&mut self, attempts: &[Uuid]) -> StoreResult<Vec<Totals>> {
        let mut totals = Vec::with_capacity(attempts.len());
        for attempts in attempts.chunks(ROWS_AT_ONCE) {
            let mut statement = self.query_built(format!(
                "SELECT t.id AS attempt_id, t.student_id, t.assessment_id, a.teacher_id, a.title,
                        t.status, t.score AS before, t.max_score, t.passing_grade,
                        CAST(COALESCE(SUM(w.points_awarded), 0) AS BIGINT) AS score,
                        CAST(SUM(CASE WHEN w.state = 'graded' THEN 0 ELSE 1 END) AS BIGINT)
                            AS waiting
                 FROM attempts t
                 JOIN answers w ON w.attempt_id = t.id
                 JOIN assessments a ON a.id = t.assessment_id
                 WHERE t.id IN {} AND t.status IN ('submitted', 'graded')
                 GROUP BY t.id, t.student_id, t.assessment_id, a.teacher_id, a.title, t.status,
                          t.score, t.max_score, t.passing_grade
                 ORDER BY t.id",
                value_rows(1, 1, attempts.len())
            ));
            for attempt in attempts {
                statement = statement.bind(*attempt);
            }
            for row in statement.all::<TotalsRow>().await? {
                totals.push(row.try_into()?);
            }
        }
        Ok(totals)
    }

    async fn settle(
        &mut self,
        settled: &[Settled],
        by: Option<UserId>,
        at: DateTime<Utc>,
    ) -> StoreResult<()> {
        for settled in settled.chunks(ROWS_AT_ONCE) {
            let mut statement = self
                .query_built(format!(
                    "UPDATE attempts
                     SET status = CASE WHEN g.column2 IS NULL THEN status ELSE 'graded' END,
                         score = COALESCE(g.column2, score),
                         percentage = COALESCE(g.column3, percentage),
                         is_passed = COALESCE(g.column4, is_passed),
                         graded_at = CASE WHEN g.column2 IS NULL THEN graded_at ELSE $1 END,
                         graded_by = COALESCE($2, graded_by),
                         auto_graded = auto_graded AND $3
                     FROM (VALUES {}) AS g WHERE attempts.id = g.column1",
                    value_rows(4, settled.len(), 4)
                ))
                .bind(at)
                .bind(by.map(|by| by.0))
                .bind(by.is_none());
            for Settled { attempt, outcome } in settled {
                statement = statement
                    .bind(*attempt)
                    .bind(outcome.map(|it| to_cents(it.score)))
                    .bind(outcome.map(|it| to_cents(it.percentage)))
                    .bind(outcome.map(|it| it.is_passed));
            }
            statement.execute().await?;
        }
        Ok(())
    }

    async fn deferred(&mut self, answer: Uuid) -> StoreResult<Option<Deferred>> {
        deferrals::find(self, answer).await
    }

    async fn keep_ticket(&mut self, answer: Uuid, version: i64, ticket: &str) -> StoreResult<bool> {
        deferrals::keep_ticket(self, answer, version, ticket).await
    }

    async fn leave(&mut self, answers: &[(Uuid, i64)], remark: &Remark) -> StoreResult<()> {
        deferrals::leave(self, answers, remark).await
    }

    async fn leave_late(&mut self, then: DateTime<Utc>, remark: &Remark) -> StoreResult<u64> {
        deferrals::leave_late(self, then, remark).await
    }

    async fn defer_again(
        &mut self,
        answers: &[DeferredAgain],
        at: DateTime<Utc>,
    ) -> StoreResult<()> {
        deferrals::defer_again(self, answers, at).await
    }

    async fn outdated(&mut self, assessment: Uuid) -> StoreResult<Vec<OutdatedCount>> {
        regrades::outdated(self, assessment).await
    }

    async fn regradable(
        &mut self,
        assessment: Uuid,
        question: Option<Uuid>,
    ) -> StoreResult<Vec<Answer>> {
        regrades::regradable(self, assessment, question).await
    }

    async fn papers(&mut self, assessment: Uuid) -> StoreResult<Vec<Paper>> {
        regrades::papers(self, assessment).await
    }

    async fn looked_at(
        &mut self,
        answers: &[Uuid],
        version: i64,
        correct_answer: &str,
    ) -> StoreResult<()> {
        regrades::looked_at(self, answers, version, correct_answer).await
    }
}
