use axum::{Json, extract::State, http::StatusCode};
use edupro_core::{
    accounts::UserId,
    assessments::AssessmentType,
    attempts::{
        self, AnswerResult, Attempt, AttemptError, AttemptResult, AttemptSummary, AttemptsOf, Taker,
    },
};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::assessments::related_to;
use crate::{
    EduPro, Links,
    answer::ListOrPage,
    error::{Answer, ApiError},
    extract::{ListQuery, Paginated, Path, Site, Student, Teacher, invalid_page},
    render::{Amount, Moment, Number},
};

/// Attempts on a page of a teacher's lists (behaviour X5).
const PAGE_SIZE: i64 = 10;

/// 10.10, X5–X9: an attempt in a list.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct AttemptView {
    id: Uuid,
    attempt_id: Uuid,
    assessment_id: Uuid,
    assessment_title: String,
    student_name: String,
    assessment_type: &'static str,
    related_to: String,
    attempt_number: i64,
    status: &'static str,
    started_at: Moment,
    ended_at: Option<Moment>,
    time_taken: Option<i64>,
    score: Option<Amount>,
    total_score: Option<Number>,
    percentage: Option<Amount>,
    is_passed: Option<bool>,
}

impl From<AttemptSummary> for AttemptView {
    fn from(summary: AttemptSummary) -> Self {
        let AttemptSummary { attempt, assessment, student } = summary;
        Self {
            id: attempt.id,
            attempt_id: attempt.id,
            assessment_id: assessment.id,
            student_name: student.username,
            assessment_type: assessment.kind.as_str(),
            related_to: related_to(assessment.link.as_ref()),
            assessment_title: assessment.title,
            attempt_number: attempt.number,
            status: attempt.status.as_str(),
            started_at: Moment(attempt.started_at),
            ended_at: attempt.ended_at.map(Moment),
            time_taken: attempt.time_taken(),
            score: attempt.score.map(Amount),
            total_score: attempt.score.map(Number),
            percentage: attempt.percentage.map(Amount),
            is_passed: attempt.is_passed,
        }
    }
}

/// X5–X9: an attempt in a teacher's list.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct TeachersAttemptView {
    #[serde(flatten)]
    attempt: AttemptView,
    student: TakerView,
}

/// X5–X9, 10.12: whose it is.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct TakerView {
    id: UserId,
    username: String,
    full_name: String,
}

impl From<Taker> for TakerView {
    fn from(student: Taker) -> Self {
        let Taker { id, username, full_name } = student;
        Self { id, username, full_name }
    }
}

impl From<AttemptSummary> for TeachersAttemptView {
    fn from(summary: AttemptSummary) -> Self {
        let student = summary.student.clone().into();
        Self { attempt: summary.into(), student }
    }
}

/// 10.11: what came of an attempt. It says what is right, so it is only made of a closed one.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct ResultView {
    id: Uuid,
    assessment_id: Uuid,
    assessment_title: String,
    attempt_number: i64,
    status: &'static str,
    started_at: Moment,
    ended_at: Option<Moment>,
    time_taken: Option<i64>,
    total_score: Number,
    score: Amount,
    max_score: Number,
    percentage: Amount,
    passing_grade: Number,
    is_passed: bool,
    teacher_feedback: Option<String>,
    answers: Vec<AnswerView>,
}

/// 10.11: what came of a question.
#[derive(Debug, JsonSchema, Serialize)]
struct AnswerView {
    id: Option<Uuid>,
    question: Uuid,
    question_text: String,
    question_type: &'static str,
    points: Number,
    points_awarded: Number,
    /// An older name (behaviour G18), as are the next two.
    marks_awarded: Amount,
    selected_option_text: Option<String>,
    text_answer: Option<String>,
    student_answer: String,
    correct_answer: String,
    is_correct: bool,
    teacher_feedback: Option<String>,
    auto_graded: bool,
}

impl From<AttemptResult> for ResultView {
    fn from(result: AttemptResult) -> Self {
        let AttemptResult { sitting, answers } = result;
        let Attempt { score, percentage, is_passed, .. } = sitting.attempt;
        // A closed attempt has all three.
        let (score, percentage) = (score.unwrap_or_default(), percentage.unwrap_or_default());
        Self {
            id: sitting.attempt.id,
            assessment_id: sitting.assessment.id,
            assessment_title: sitting.assessment.title,
            attempt_number: sitting.attempt.number,
            status: sitting.attempt.status.as_str(),
            started_at: Moment(sitting.attempt.started_at),
            ended_at: sitting.attempt.ended_at.map(Moment),
            time_taken: sitting.attempt.time_taken(),
            total_score: Number(score),
            score: Amount(score),
            max_score: Number(sitting.attempt.max_score),
            percentage: Amount(percentage),
            passing_grade: Number(sitting.attempt.passing_grade),
            is_passed: is_passed.unwrap_or_default(),
            teacher_feedback: sitting.attempt.teacher_feedback,
            answers: answers.into_iter().map(AnswerView::from).collect(),
        }
    }
}

impl From<AnswerResult> for AnswerView {
    fn from(answer: AnswerResult) -> Self {
        let chosen = Some(answer.student_answer.clone());
        Self {
            id: answer.id,
            question: answer.question,
            question_text: answer.question_text,
            question_type: answer.kind.as_str(),
            points: Number(answer.points),
            points_awarded: Number(answer.points_awarded),
            marks_awarded: Amount(answer.points_awarded),
            selected_option_text: chosen
                .filter(|words| answer.kind.has_options() && !words.is_empty()),
            text_answer: answer.text,
            student_answer: answer.student_answer,
            correct_answer: answer.correct_answer,
            is_correct: answer.is_correct,
            teacher_feedback: answer.teacher_feedback,
            auto_graded: answer.auto_graded,
        }
    }
}

/// 10.10 List the student's attempts at the assessments of a teacher.
pub(crate) async fn list_own(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Path(username): Path<String>,
    query: ListQuery,
) -> Answer<Json<Vec<AttemptView>>> {
    let school = edupro.school();
    let now = school.clock.now();
    // A course that is none matches nothing, but the teacher is looked at all the same.
    let course = query.id("course_id").unwrap_or(Some(Uuid::nil()));
    let mut tx = school.storage.read().await?;
    let found = attempts::list_own(&mut *tx, &student, &username, course, now).await?;
    Ok(Json(found.into_iter().map(AttemptView::from).collect()))
}

/// 10.11 Show what came of an attempt.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Path(id): Path<Uuid>,
) -> Answer<Json<ResultView>> {
    let school = edupro.school();
    let (mut tx, now) = (school.storage.read().await?, school.clock.now());
    Ok(Json(attempts::result(&mut *tx, student.id, id, now).await?.into()))
}

type AttemptsPage = Paginated<TeachersAttemptView>;

async fn paginate(
    edupro: &EduPro,
    links: &Links,
    query: &ListQuery,
    of: &AttemptsOf,
) -> Answer<AttemptsPage> {
    let page = query.page(PAGE_SIZE)?;
    let school = edupro.school();
    let (mut tx, now) = (school.storage.read().await?, school.clock.now());
    let found = attempts::page(&mut *tx, of, now, page).await?;
    Ok(query.paginate(links, page.size, found.map(TeachersAttemptView::from)))
}

/// X5 List the attempts at an assessment: an array, or, for a client that asks for a page, the
/// envelope.
pub(crate) async fn list_of_assessment(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(assessment): Path<Uuid>,
    Site(links): Site,
    query: ListQuery,
) -> Answer<ListOrPage<Json<Vec<TeachersAttemptView>>, Paginated<TeachersAttemptView>>> {
    let of = AttemptsOf {
        assessment: Some(assessment),
        username: query.text("student_username"),
        ..AttemptsOf::teacher(teacher.id)
    };
    if query.value("page").is_some() {
        return Ok(ListOrPage::Page(paginate(&edupro, &links, &query, &of).await?));
    }
    let school = edupro.school();
    let (mut tx, now) = (school.storage.read().await?, school.clock.now());
    let found = attempts::list(&mut *tx, &of, now).await?;
    let views = found.into_iter().map(TeachersAttemptView::from);
    Ok(ListOrPage::List(Json(views.collect())))
}

/// What a list of one student's attempts is about, beside the student.
#[derive(Clone, Copy, Debug)]
enum Of {
    Assessment(Uuid),
    Course(Uuid),
    /// A type of assessments; an unknown one has none.
    Kind(Option<AssessmentType>),
    Teacher,
}

/// A page of one student's attempts at the teacher's assessments.
async fn page_of_student(
    edupro: &EduPro,
    teacher: UserId,
    username: &str,
    links: &Links,
    query: &ListQuery,
    what: Of,
) -> Answer<AttemptsPage> {
    let mut tx = edupro.school().storage.read().await?;
    let student = Some(attempts::student(&mut *tx, username).await?.id);
    drop(tx);
    let mut of = AttemptsOf { student, ..AttemptsOf::teacher(teacher) };
    let filters =
        (query.id("course_id"), query.filter("assessment_type", AssessmentType::from_word));
    let (Some(course), Some(kind)) = filters else { return nothing(links, query) };
    (of.course, of.kind) = (course, kind);
    match what {
        Of::Assessment(assessment) => of.assessment = Some(assessment),
        Of::Course(course) => of.course = Some(course),
        Of::Kind(Some(kind)) => of.kind = Some(kind),
        Of::Kind(None) => return nothing(links, query),
        Of::Teacher => {}
    }
    paginate(edupro, links, query, &of).await
}

/// A page of nothing.
fn nothing(links: &Links, query: &ListQuery) -> Answer<AttemptsPage> {
    let page = query.page(PAGE_SIZE)?;
    Ok(query.paginate(links, page.size, ListQuery::nothing(page)?))
}

/// X6, X8 List one student's attempts at an assessment, or at all of a type.
pub(crate) async fn page_of_student_in_assessment(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path((assessment, username)): Path<(String, String)>,
    Site(links): Site,
    query: ListQuery,
) -> Answer<AttemptsPage> {
    let what = match assessment.parse() {
        Ok(assessment) => Of::Assessment(assessment),
        Err(_) => Of::Kind(AssessmentType::from_word(&assessment)),
    };
    page_of_student(&edupro, teacher.id, &username, &links, &query, what).await
}

/// X7 List one student's attempts at the teacher's assessments.
pub(crate) async fn page_of_student_of_teacher(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(username): Path<String>,
    Site(links): Site,
    query: ListQuery,
) -> Answer<AttemptsPage> {
    page_of_student(&edupro, teacher.id, &username, &links, &query, Of::Teacher).await
}

/// X9 List one student's attempts at the assessments of a course.
pub(crate) async fn page_of_student_in_course(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path((course, username)): Path<(Uuid, String)>,
    Site(links): Site,
    query: ListQuery,
) -> Answer<AttemptsPage> {
    page_of_student(&edupro, teacher.id, &username, &links, &query, Of::Course(course)).await
}

impl From<AttemptError> for ApiError {
    fn from(error: AttemptError) -> Self {
        let words = error.to_string();
        match error {
            AttemptError::Unknown => Self::not_found(),
            AttemptError::NotYours => Self::forbidden(),
            AttemptError::InProgress => Self::detail(StatusCode::FORBIDDEN, words),
            AttemptError::Waiting => Self::keyed(StatusCode::ACCEPTED, "message", words),
            AttemptError::NoSuchPage => invalid_page(),
            AttemptError::Store(error) => error.into(),
        }
    }
}
