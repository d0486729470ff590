use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    Page, PageOf, StoreError, StoreResult,
    access::Ties,
    accounts::{UserId, username_key},
    assessments::Assessment,
    attempts::{
        Answer, Attempt, AttemptStatus, AttemptStore, AttemptSummary, AttemptsOf, Candidate,
        Expired, Paper, PaperQuestion, Sitting, Subject,
    },
};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    answers,
    assessments::{AssessmentRow, assessment_columns, assessment_tables, holdings},
    attempt_lists,
    cents::{from_cents, to_cents},
    roster::standing,
    sql::{Tx, value_rows, vanished},
};

/// The columns of [`AttemptRow`], from a table called `t`.
macro_rules! attempt_columns {
    () => {
        "t.id AS attempt_id, t.student_id, t.assessment_id AS attempt_assessment_id, t.paper_id,
         t.attempt_number, t.status, t.started_at, t.deadline, t.ended_at, t.score, t.max_score,
         t.passing_grade AS attempt_passing_grade, t.percentage, t.is_passed, t.auto_graded,
         t.graded_at, t.graded_by, t.teacher_feedback"
    };
}
pub(crate) use attempt_columns;

#[derive(sqlx::FromRow)]
pub(crate) struct AttemptRow {
    attempt_id: Uuid,
    student_id: i64,
    attempt_assessment_id: Uuid,
    paper_id: Uuid,
    attempt_number: i64,
    status: String,
    started_at: DateTime<Utc>,
    deadline: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    score: Option<i64>,
    max_score: i64,
    attempt_passing_grade: i64,
    percentage: Option<i64>,
    is_passed: Option<bool>,
    auto_graded: bool,
    graded_at: Option<DateTime<Utc>>,
    graded_by: Option<i64>,
    teacher_feedback: Option<String>,
}

/// The status that a column's word stands for.
pub(crate) fn attempt_status(word: String) -> StoreResult<AttemptStatus> {
    AttemptStatus::from_word(&word)
        .ok_or(StoreError::Corrupt { column: "attempts.status", value: word })
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> StoreResult<Self> {
        Ok(Self {
            id: row.attempt_id,
            student: UserId(row.student_id),
            assessment: row.attempt_assessment_id,
            paper: row.paper_id,
            number: row.attempt_number,
            status: attempt_status(row.status)?,
            started_at: row.started_at,
            deadline: row.deadline,
            ended_at: row.ended_at,
            score: row.score.map(from_cents),
            max_score: from_cents(row.max_score),
            passing_grade: from_cents(row.attempt_passing_grade),
            percentage: row.percentage.map(from_cents),
            is_passed: row.is_passed,
            auto_graded: row.auto_graded,
            graded_at: row.graded_at,
            graded_by: row.graded_by.map(UserId),
            teacher_feedback: row.teacher_feedback,
        })
    }
}

/// The columns of [`PaperRow`], from a table called `n`.
macro_rules! paper_columns {
    () => {
        "n.id AS paper_id, n.assessment_id AS paper_assessment_id, n.revision AS paper_revision,
         n.content"
    };
}
pub(crate) use paper_columns;

#[derive(sqlx::FromRow)]
pub(crate) struct PaperRow {
    paper_id: Uuid,
    paper_assessment_id: Uuid,
    paper_revision: i64,
    content: Json<Vec<PaperQuestion>>,
}

impl From<PaperRow> for Paper {
    fn from(row: PaperRow) -> Self {
        Self {
            id: row.paper_id,
            assessment: row.paper_assessment_id,
            revision: row.paper_revision,
            questions: row.content.0,
        }
    }
}

/// What ties a student to an assessment, and how the student stands with its teacher.
#[derive(sqlx::FromRow)]
struct TiesRow {
    relation_is_active: Option<bool>,
    has_course: bool,
    has_module: bool,
}

impl From<TiesRow> for Ties {
    fn from(row: TiesRow) -> Self {
        Self {
            standing: row.relation_is_active.map(standing),
            course: row.has_course,
            module: row.has_module,
        }
    }
}

#[derive(sqlx::FromRow)]
struct CandidateRow {
    #[sqlx(flatten)]
    assessment: AssessmentRow,
    #[sqlx(flatten)]
    ties: TiesRow,
    attempts_used: i64,
    running: Option<Uuid>,
    paper_id: Option<Uuid>,
    content: Option<Json<Vec<PaperQuestion>>>,
}

impl TryFrom<CandidateRow> for Candidate {
    type Error = StoreError;

    fn try_from(row: CandidateRow) -> StoreResult<Self> {
        let assessment = Assessment::try_from(row.assessment)?;
        let paper = row.paper_id.zip(row.content).map(|(id, content)| Paper {
            id,
            assessment: assessment.id,
            revision: assessment.revision,
            questions: content.0,
        });
        Ok(Self {
            assessment,
            ties: row.ties.into(),
            attempts_used: row.attempts_used,
            running: row.running,
            paper,
        })
    }
}

#[derive(sqlx::FromRow)]
struct SittingRow {
    #[sqlx(flatten)]
    attempt: AttemptRow,
    #[sqlx(flatten)]
    assessment: AssessmentRow,
    #[sqlx(flatten)]
    ties: TiesRow,
    paper_revision: i64,
    content: Json<Vec<PaperQuestion>>,
}

impl TryFrom<SittingRow> for Sitting {
    type Error = StoreError;

    fn try_from(row: SittingRow) -> StoreResult<Self> {
        let attempt = Attempt::try_from(row.attempt)?;
        let paper = Paper {
            id: attempt.paper,
            assessment: attempt.assessment,
            revision: row.paper_revision,
            questions: row.content.0,
        };
        Ok(Self { attempt, assessment: row.assessment.try_into()?, paper, ties: row.ties.into() })
    }
}

/// Whose attempt at whose assessment.
#[derive(sqlx::FromRow)]
pub(crate) struct SubjectRow {
    attempt_id: Uuid,
    student_id: i64,
    assessment_id: Uuid,
    teacher_id: i64,
    title: String,
}

impl From<SubjectRow> for Subject {
    fn from(row: SubjectRow) -> Self {
        Self {
            attempt: row.attempt_id,
            student: UserId(row.student_id),
            teacher: UserId(row.teacher_id),
            assessment: row.assessment_id,
            assessment_title: row.title,
        }
    }
}

#[derive(sqlx::FromRow)]
struct ExpiredRow {
    #[sqlx(flatten)]
    subject: SubjectRow,
    deadline: DateTime<Utc>,
}

impl From<ExpiredRow> for Expired {
    fn from(row: ExpiredRow) -> Self {
        Self { subject: row.subject.into(), deadline: row.deadline }
    }
}

/// Expires attempts whose time ran out before the placeholder `$1`. SQLite returns nothing of a
/// table that was joined, but what it looks up.
macro_rules! expire {
    ($rest:literal) => {
        concat!(
            "UPDATE attempts
             SET status = 'expired', ended_at = deadline, score = 0, percentage = 0,
                 is_passed = FALSE
             WHERE status = 'in_progress' AND deadline < $1",
            $rest,
            " RETURNING id AS attempt_id, student_id, assessment_id, deadline,
                (SELECT a.teacher_id FROM assessments a WHERE a.id = attempts.assessment_id) AS teacher_id,
                (SELECT a.title FROM assessments a WHERE a.id = attempts.assessment_id) AS title"
        )
    };
}

#[async_trait]
impl AttemptStore for Tx {
    async fn candidate(
        &mut self,
        student: UserId,
        assessment: Uuid,
        teacher: &str,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<Candidate>> {
        let row = self
            .query(concat!(
                "SELECT ",
                assessment_columns!(),
                ", ",
                holdings!("$2", "$3"),
                ", r.is_active AS relation_is_active, n.id AS paper_id, n.content,
                   (SELECT COUNT(*) FROM attempts t
                    WHERE t.student_id = $2 AND t.assessment_id = a.id) AS attempts_used,
                   (SELECT t.id FROM attempts t
                    WHERE t.student_id = $2 AND t.assessment_id = a.id
                      AND t.status = 'in_progress') AS running
                 FROM ",
                assessment_tables!(),
                " JOIN users w ON w.id = a.teacher_id
                  LEFT JOIN teacher_students r ON r.teacher_id = a.teacher_id AND r.student_id = $2
                  LEFT JOIN papers n ON n.assessment_id = a.id AND n.revision = a.revision
                  WHERE a.id = $1 AND w.username_key = $4 AND w.is_active"
            ))
            .bind(assessment)
            .bind(student.0)
            .bind(now)
            .bind(username_key(teacher))
            .optional::<CandidateRow>()
            .await?;
        row.map(Candidate::try_from).transpose()
    }

    async fn paper(&mut self, assessment: Uuid, revision: i64) -> StoreResult<Option<Paper>> {
        let row = self
            .query(concat!(
                "SELECT ",
                paper_columns!(),
                " FROM papers n WHERE n.assessment_id = $1 AND n.revision = $2"
            ))
            .bind(assessment)
            .bind(revision)
            .optional::<PaperRow>()
            .await?;
        Ok(row.map(Paper::from))
    }

    async fn add_paper(&mut self, paper: &Paper) -> StoreResult<bool> {
        let images: Vec<_> = paper.images().map(ToString::to_string).collect();
        // What was read of the questions is of this revision if that is the present one still.
        let added = self
            .query(
                "INSERT INTO papers (id, assessment_id, revision, content, images)
                 SELECT $1, a.id, a.revision, $4, $5
                 FROM assessments a WHERE a.id = $2 AND a.revision = $3
                 ON CONFLICT (assessment_id, revision) DO NOTHING",
            )
            .bind(paper.id)
            .bind(paper.assessment)
            .bind(paper.revision)
            .bind(Json(paper.questions.clone()))
            .bind(images.join("\n"))
            .execute()
            .await
            .map_err(vanished)?;
        Ok(added == 1)
    }

    async fn start(&mut self, attempt: &Attempt, most: i64) -> StoreResult<Option<i64>> {
        let row = self
            .query(
                "INSERT INTO attempts (id, student_id, assessment_id, paper_id, attempt_number,
                                       status, started_at, deadline, max_score, passing_grade,
                                       auto_graded)
                 SELECT $1, $2, $3, $4, n.used + 1, 'in_progress', $5, $6, $7, $8, TRUE
                 FROM (SELECT COALESCE(MAX(t.attempt_number), 0) AS used FROM attempts t
                       WHERE t.student_id = $2 AND t.assessment_id = $3) n
                 WHERE n.used < $9
                 ON CONFLICT DO NOTHING
                 RETURNING attempt_number",
            )
            .bind(attempt.id)
            .bind(attempt.student.0)
            .bind(attempt.assessment)
            .bind(attempt.paper)
            .bind(attempt.started_at)
            .bind(attempt.deadline)
            .bind(to_cents(attempt.max_score))
            .bind(to_cents(attempt.passing_grade))
            .bind(most)
            .optional::<(i64,)>()
            .await
            .map_err(vanished)?;
        Ok(row.map(|(number,)| number))
    }

    async fn sitting(&mut self, attempt: Uuid, now: DateTime<Utc>) -> StoreResult<Option<Sitting>> {
        let row = self
            .query(concat!(
                "SELECT ",
                attempt_columns!(),
                ", ",
                assessment_columns!(),
                ", ",
                holdings!("t.student_id", "$2"),
                ", r.is_active AS relation_is_active, n.revision AS paper_revision, n.content
                 FROM ",
                assessment_tables!(),
                " JOIN attempts t ON t.assessment_id = a.id
                  JOIN papers n ON n.id = t.paper_id
                  LEFT JOIN teacher_students r
                         ON r.teacher_id = a.teacher_id AND r.student_id = t.student_id
                  WHERE t.id = $1"
            ))
            .bind(attempt)
            .bind(now)
            .optional::<SittingRow>()
            .await?;
        row.map(Sitting::try_from).transpose()
    }

    async fn hand_in(&mut self, attempt: &Attempt) -> StoreResult<bool> {
        let handed_in = self
            .query(
                "UPDATE attempts
                 SET status = $2, ended_at = $3, score = $4, percentage = $5, is_passed = $6,
                     graded_at = $7
                 WHERE id = $1 AND status = 'in_progress'",
            )
            .bind(attempt.id)
            .bind(attempt.status.as_str())
            .bind(attempt.ended_at)
            .bind(attempt.score.map(to_cents))
            .bind(attempt.percentage.map(to_cents))
            .bind(attempt.is_passed)
            .bind(attempt.graded_at)
            .execute()
            .await?;
        Ok(handed_in == 1)
    }

    async fn add_answers(&mut self, answers: &[Answer]) -> StoreResult<()> {
        answers::add(self, answers).await
    }

    async fn answers(&mut self, attempt: Uuid) -> StoreResult<Vec<Answer>> {
        answers::list(self, attempt).await
    }

    async fn known_options(&mut self, options: &[Uuid]) -> StoreResult<Vec<Uuid>> {
        if options.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = self.query_built(format!(
            "SELECT id FROM question_options WHERE id IN {}",
            value_rows(1, 1, options.len())
        ));
        for option in options {
            statement = statement.bind(*option);
        }
        let rows = statement.all::<(Uuid,)>().await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    async fn expire(&mut self, then: DateTime<Utc>) -> StoreResult<Vec<Expired>> {
        let mut rows = self.query(expire!("")).bind(then).all::<ExpiredRow>().await?;
        // What an UPDATE returns is in no order.
        rows.sort_by_key(|row| row.subject.attempt_id);
        Ok(rows.into_iter().map(Expired::from).collect())
    }

    async fn expire_one(
        &mut self,
        attempt: Uuid,
        then: DateTime<Utc>,
    ) -> StoreResult<Option<Expired>> {
        let statement = self.query(expire!(" AND id = $2")).bind(then).bind(attempt);
        Ok(statement.optional::<ExpiredRow>().await?.map(Expired::from))
    }

    async fn list(&mut self, of: &AttemptsOf) -> StoreResult<Vec<AttemptSummary>> {
        attempt_lists::list(self, of).await
    }

    async fn page(
        &mut self,
        of: &AttemptsOf,
        page: Page,
    ) -> StoreResult<Option<PageOf<AttemptSummary>>> {
        attempt_lists::page(self, of, page).await
    }
}
