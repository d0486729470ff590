use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    Page, PageOf, StoreError, StoreResult,
    access::Ties,
    accounts::{UserId, username_key},
    assessments::{Assessment, AssessmentType},
    attempts::{
        Answer, AnswerState, Attempt, AttemptStatus, AttemptStore, AttemptSummary, AttemptsOf,
        Candidate, Paper, PaperQuestion, Sitting, Taker,
    },
};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    assessments::{AssessmentRow, assessment_columns, assessment_tables, holdings},
    cents::{from_cents, to_cents},
    questions::question_type,
    roster::standing,
    sql::{Query, Tx, vanished},
};

/// Most answers that one statement keeps: SQLite binds no more than 32,766 values.
const ANSWERS_AT_ONCE: usize = 500;

/// The columns of [`AttemptRow`], from a table called `t`.
macro_rules! attempt_columns {
    () => {
        "t.id AS attempt_id, t.student_id, t.assessment_id AS attempt_assessment_id, t.paper_id,
         t.attempt_number, t.status, t.started_at, t.deadline, t.ended_at, t.score, t.max_score,
         t.passing_grade AS attempt_passing_grade, t.percentage, t.is_passed, t.auto_graded,
         t.graded_at, t.graded_by, t.teacher_feedback"
    };
}

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

impl TryFrom<AttemptRow> for Attempt {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> StoreResult<Self> {
        let status = AttemptStatus::from_word(&row.status)
            .ok_or(StoreError::Corrupt { column: "attempts.status", value: row.status })?;
        Ok(Self {
            id: row.attempt_id,
            student: UserId(row.student_id),
            assessment: row.attempt_assessment_id,
            paper: row.paper_id,
            number: row.attempt_number,
            status,
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

#[derive(sqlx::FromRow)]
struct PaperRow {
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

#[derive(sqlx::FromRow)]
struct SummaryRow {
    #[sqlx(flatten)]
    attempt: AttemptRow,
    #[sqlx(flatten)]
    assessment: AssessmentRow,
    username: String,
    full_name: String,
}

impl TryFrom<SummaryRow> for AttemptSummary {
    type Error = StoreError;

    fn try_from(row: SummaryRow) -> StoreResult<Self> {
        let attempt = Attempt::try_from(row.attempt)?;
        let SummaryRow { username, full_name, .. } = row;
        let student = Taker { id: attempt.student, username, full_name };
        Ok(Self { attempt, assessment: row.assessment.try_into()?, student })
    }
}

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

/// Attempts called `t` whose time ran out before the placeholder `$1`, as they are then.
macro_rules! expire {
    ($rest:literal) => {
        concat!(
            "UPDATE attempts
             SET status = 'expired', ended_at = deadline, score = 0, percentage = 0,
                 is_passed = FALSE
             WHERE status = 'in_progress' AND deadline < $1",
            $rest
        )
    };
}

/// A value for a placeholder.
enum Value {
    Id(Uuid),
    Number(i64),
    Word(String),
}

/// Which attempts are asked for. Only what is becomes a condition, so that each list finds its
/// index.
struct Filter {
    conditions: String,
    values: Vec<Value>,
}

impl Filter {
    fn new(of: &AttemptsOf) -> Self {
        let mut filter = Self { conditions: "TRUE".to_owned(), values: Vec::new() };
        filter.add("a.teacher_id =", [Value::Number(of.teacher.0)]);
        filter.add("t.assessment_id =", of.assessment.map(Value::Id));
        filter.add("c.id =", of.course.map(Value::Id));
        filter.add("t.student_id =", of.student.map(|student| Value::Number(student.0)));
        let username = of.username.as_deref().map(username_key);
        filter.add("u.username_key =", username.map(Value::Word));
        let kinds = of.kind.map(AssessmentType::synonyms).into_iter().flatten();
        filter.add("a.assessment_type =", kinds.map(|kind| Value::Word(kind.as_str().to_owned())));
        filter
    }

    /// What holds for one of the values, if there are any.
    fn add(&mut self, what: &str, values: impl IntoIterator<Item = Value>) {
        let mut one_of = Vec::new();
        for value in values {
            self.values.push(value);
            one_of.push(format!("{what} ${}", self.values.len()));
        }
        if !one_of.is_empty() {
            self.conditions.push_str(&format!(" AND ({})", one_of.join(" OR ")));
        }
    }

    fn bind<'c>(&self, mut statement: Query<'c>) -> Query<'c> {
        for value in &self.values {
            statement = match value {
                Value::Id(id) => statement.bind(*id),
                Value::Number(number) => statement.bind(*number),
                Value::Word(word) => statement.bind(word.clone()),
            };
        }
        statement
    }

    fn count(&self) -> String {
        format!("SELECT COUNT(*) FROM {SUMMARY_TABLES} WHERE {}", self.conditions)
    }

    /// The statement for the attempts, with what comes behind the conditions.
    fn summaries(&self) -> String {
        format!(
            "SELECT {}, {}, u.username, p.full_name FROM {SUMMARY_TABLES}
             WHERE {} ORDER BY t.started_at DESC, t.id DESC",
            attempt_columns!(),
            assessment_columns!(),
            self.conditions,
        )
    }
}

/// Attempts with what they are about.
const SUMMARY_TABLES: &str = concat!(
    assessment_tables!(),
    " JOIN attempts t ON t.assessment_id = a.id
      JOIN users u ON u.id = t.student_id
      JOIN student_profiles p ON p.id = t.student_id"
);

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
            .query(
                "SELECT n.id AS paper_id, n.assessment_id AS paper_assessment_id,
                        n.revision AS paper_revision, n.content
                 FROM papers n WHERE n.assessment_id = $1 AND n.revision = $2",
            )
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
        for answers in answers.chunks(ANSWERS_AT_ONCE) {
            add_answers(self, answers).await?;
        }
        Ok(())
    }

    async fn answers(&mut self, attempt: Uuid) -> StoreResult<Vec<Answer>> {
        let rows = self
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

    async fn known_options(&mut self, options: &[Uuid]) -> StoreResult<Vec<Uuid>> {
        if options.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<_> = (1..=options.len()).map(|number| format!("${number}")).collect();
        let text = format!("SELECT id FROM question_options WHERE id IN ({})", places.join(", "));
        let mut statement = self.query_built(text);
        for option in options {
            statement = statement.bind(*option);
        }
        let rows = statement.all::<(Uuid,)>().await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    async fn expire(&mut self, then: DateTime<Utc>) -> StoreResult<u64> {
        self.query(expire!("")).bind(then).execute().await
    }

    async fn expire_one(&mut self, attempt: Uuid, then: DateTime<Utc>) -> StoreResult<u64> {
        self.query(expire!(" AND id = $2")).bind(then).bind(attempt).execute().await
    }

    async fn list(&mut self, of: &AttemptsOf) -> StoreResult<Vec<AttemptSummary>> {
        let filter = Filter::new(of);
        let statement = self.query_built(filter.summaries());
        let rows = filter.bind(statement).all::<SummaryRow>().await?;
        rows.into_iter().map(AttemptSummary::try_from).collect()
    }

    async fn page(
        &mut self,
        of: &AttemptsOf,
        page: Page,
    ) -> StoreResult<Option<PageOf<AttemptSummary>>> {
        let filter = Filter::new(of);
        let statement = self.query_built(filter.count());
        let (count,) = filter.bind(statement).one::<(i64,)>().await?;
        let Some(window) = page.window(count) else { return Ok(None) };
        let (limit, offset) = (filter.values.len() + 1, filter.values.len() + 2);
        let text = format!("{} LIMIT ${limit} OFFSET ${offset}", filter.summaries());
        let rows = filter
            .bind(self.query_built(text))
            .bind(window.limit)
            .bind(window.offset)
            .all::<SummaryRow>()
            .await?;
        let items = rows.into_iter().map(AttemptSummary::try_from).collect::<StoreResult<_>>()?;
        Ok(Some(PageOf { items, count, number: window.number }))
    }
}

async fn add_answers(tx: &mut Tx, answers: &[Answer]) -> StoreResult<()> {
    const COLUMNS: usize = 22;
    let rows: Vec<String> = (0..answers.len())
        .map(|row| {
            let places: Vec<_> = (1..=COLUMNS).map(|n| format!("${}", row * COLUMNS + n)).collect();
            format!("({})", places.join(", "))
        })
        .collect();
    let mut statement = tx.query_built(format!(
        "INSERT INTO answers (id, attempt_id, question_id, question_version, position,
                              question_text, question_type, points, selected, text_answer, blanks,
                              student_answer, correct_answer, state, grader, deferred_at,
                              points_awarded, is_correct, teacher_feedback, auto_graded,
                              manual_graded, graded_at)
         VALUES {}",
        rows.join(", ")
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
