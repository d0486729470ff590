use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use edupro_core::{
    Change,
    accounts::UserId,
    assessments::{
        self, ASSESSMENT_TITLE_LENGTH, Assessment, AssessmentChanges, AssessmentError,
        AssessmentFilter, AssessmentType, Link, LinkChanges, LinkKind, NewAssessment,
        OpenAssessment, PASSING_GRADE, Question, TIME_LIMIT_MAX,
    },
    courses::{self, DESCRIPTION_LENGTH},
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::questions::QuestionView;
use crate::{
    EduPro, Links,
    answer::{Created, NoContent},
    error::{Answer, ApiError},
    extract::{Incoming, ListQuery, Path, Site, Student, Teacher, form},
    render::{Amount, Moment, Number},
};

/// What 10.1 and 10.2 say of fewer attempts than one.
const TOO_FEW_ATTEMPTS: &str = "Max attempts must be at least 1.";

form! {
    /// 10.1: a new assessment.
    pub(crate) struct AssessmentForm / AssessmentDraft {
        title: String = required(text().at_most(ASSESSMENT_TITLE_LENGTH)),
        description: Option<String> = optional(text().or_blank().of_lines().at_most(DESCRIPTION_LENGTH)),
        course: Option<Uuid> = optional(id()),
        module: Option<Uuid> = optional(id()),
        lesson: Option<Uuid> = optional(id()),
        assessment_type: AssessmentType = required(choice(&AssessmentType::ALL, AssessmentType::as_str)),
        passing_grade | passing_score: Option<Decimal> = given(passing_grade()),
        is_published: Option<bool> = given(flag()),
        is_timed: Option<bool> = given(flag()),
        time_limit: Option<i64> = optional(whole().at_most(TIME_LIMIT_MAX)),
        max_attempts: Option<i64> = given(whole().at_least(1, TOO_FEW_ATTEMPTS)),
        available_from: Option<DateTime<Utc>> = optional(moment()),
        available_until: Option<DateTime<Utc>> = optional(moment()),
    }
}

form! {
    /// 10.2: what becomes of an assessment.
    pub(crate) struct AssessmentUpdate / AssessmentUpdateDraft {
        title: Option<String> = given(text().at_most(ASSESSMENT_TITLE_LENGTH)),
        description: Change<String> = changed(text().or_blank().of_lines().at_most(DESCRIPTION_LENGTH)),
        course: Change<Uuid> = changed(id()),
        module: Change<Uuid> = changed(id()),
        lesson: Change<Uuid> = changed(id()),
        assessment_type: Option<AssessmentType> = given(choice(&AssessmentType::ALL, AssessmentType::as_str)),
        passing_grade | passing_score: Option<Decimal> = given(passing_grade()),
        is_published: Option<bool> = given(flag()),
        is_timed: Option<bool> = given(flag()),
        time_limit: Change<i64> = changed(whole().at_most(TIME_LIMIT_MAX)),
        max_attempts: Option<i64> = given(whole().at_least(1, TOO_FEW_ATTEMPTS)),
        available_from: Option<DateTime<Utc>> = optional(moment()),
        available_until: Change<DateTime<Utc>> = changed(moment()),
    }
}

impl From<AssessmentForm> for NewAssessment {
    fn from(form: AssessmentForm) -> Self {
        let link = |id: Option<Uuid>| id.map_or(Change::Keep, Change::Set);
        Self {
            title: form.title,
            description: form.description,
            kind: form.assessment_type,
            link: LinkChanges {
                course: link(form.course),
                module: link(form.module),
                lesson: link(form.lesson),
            },
            is_published: form.is_published.unwrap_or(true),
            is_timed: form.is_timed.unwrap_or_default(),
            time_limit: form.time_limit,
            max_attempts: form.max_attempts.unwrap_or(1),
            passing_grade: form.passing_grade.unwrap_or(PASSING_GRADE),
            available_from: form.available_from,
            available_until: form.available_until,
        }
    }
}

impl From<AssessmentUpdate> for AssessmentChanges {
    fn from(form: AssessmentUpdate) -> Self {
        let AssessmentUpdate { course, module, lesson, .. } = form;
        Self {
            title: form.title,
            description: form.description,
            kind: form.assessment_type,
            link: LinkChanges { course, module, lesson },
            is_published: form.is_published,
            is_timed: form.is_timed,
            time_limit: form.time_limit,
            max_attempts: form.max_attempts,
            passing_grade: form.passing_grade,
            available_from: form.available_from,
            available_until: form.available_until,
        }
    }
}

/// 10.1, 10.7: an assessment. What it belongs to is a text in lists and a thing in details.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "AssessmentView_{R}")]
pub(crate) struct AssessmentView<R> {
    id: Uuid,
    title: String,
    description: Option<String>,
    course: Option<Uuid>,
    module: Option<Uuid>,
    lesson: Option<Uuid>,
    assessment_type: &'static str,
    passing_grade: Number,
    /// An older name (behaviour G18), as are `total_marks` and `related_to`.
    passing_score: Amount,
    is_published: bool,
    is_timed: bool,
    time_limit: Option<i64>,
    max_attempts: i64,
    available_from: Moment,
    available_until: Option<Moment>,
    is_available: bool,
    total_questions: i64,
    total_marks: Amount,
    related_to: R,
    teacher: UserId,
    created_at: Moment,
    updated_at: Moment,
}

/// What an assessment belongs to, in words.
pub(crate) fn related_to(link: Option<&Link>) -> String {
    match link {
        None => "No relation".to_owned(),
        Some(Link::Course(course)) => format!("Course: {}", course.title),
        Some(Link::Module(module)) => format!("Module: {}", module.title),
        Some(Link::Lesson(lesson)) => format!("Lesson: {}", lesson.title),
    }
}

/// What an assessment belongs to.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct RelatedView {
    r#type: &'static str,
    id: Uuid,
    title: String,
}

impl RelatedView {
    fn new(link: &Link) -> Self {
        Self { r#type: link.kind().as_str(), id: link.id(), title: link.title().to_owned() }
    }
}

impl<R> AssessmentView<R> {
    fn new(assessment: Assessment, related_to: R, now: DateTime<Utc>) -> Self {
        let link = |kind| {
            let link = assessment.link.as_ref().filter(|link| link.kind() == kind);
            link.map(Link::id)
        };
        Self {
            id: assessment.id,
            course: link(LinkKind::Course),
            module: link(LinkKind::Module),
            lesson: link(LinkKind::Lesson),
            assessment_type: assessment.kind.as_str(),
            passing_grade: Number(assessment.passing_grade),
            passing_score: Amount(assessment.passing_grade),
            is_published: assessment.is_published,
            is_timed: assessment.time_limit.is_some(),
            time_limit: assessment.time_limit,
            max_attempts: assessment.max_attempts,
            available_from: Moment(assessment.available_from),
            available_until: assessment.available_until.map(Moment),
            is_available: assessment.is_available(now),
            total_questions: assessment.total_questions,
            total_marks: Amount(assessment.total_points),
            related_to,
            teacher: assessment.teacher,
            created_at: Moment(assessment.created_at),
            updated_at: Moment(assessment.updated_at),
            title: assessment.title,
            description: assessment.description,
        }
    }
}

impl AssessmentView<String> {
    pub(crate) fn listed(assessment: Assessment, now: DateTime<Utc>) -> Self {
        let related_to = related_to(assessment.link.as_ref());
        Self::new(assessment, related_to, now)
    }
}

/// 10.2: an assessment with its questions, for its teacher.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct AssessmentDetailView {
    #[serde(flatten)]
    assessment: AssessmentView<Option<RelatedView>>,
    questions: Vec<QuestionView>,
}

impl AssessmentDetailView {
    fn new(
        links: &Links,
        (assessment, questions): (Assessment, Vec<Question>),
        now: DateTime<Utc>,
    ) -> Self {
        let related_to = assessment.link.as_ref().map(RelatedView::new);
        Self {
            assessment: AssessmentView::new(assessment, related_to, now),
            questions: QuestionView::all(links, questions),
        }
    }
}

/// 10.7: an assessment, for a student who may take it.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct OpenAssessmentView {
    #[serde(flatten)]
    assessment: AssessmentView<String>,
    attempts_used: i64,
}

/// The filters of 10.1; `None` when they match nothing.
fn filter(query: &ListQuery) -> Option<AssessmentFilter> {
    Some(AssessmentFilter {
        course: query.id("course_id")?,
        kind: query.filter("assessment_type", AssessmentType::from_word)?,
    })
}

async fn list_filtered(
    edupro: &EduPro,
    teacher: UserId,
    filter: AssessmentFilter,
) -> Answer<Json<Vec<AssessmentView<String>>>> {
    let school = edupro.school();
    let mut tx = school.storage.read().await?;
    let assessments = assessments::list(&mut *tx, teacher, filter).await?;
    let now = school.clock.now();
    Ok(Json(assessments.into_iter().map(|it| AssessmentView::listed(it, now)).collect()))
}

/// 10.1 List the teacher's assessments.
pub(crate) async fn list(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    query: ListQuery,
) -> Answer<Json<Vec<AssessmentView<String>>>> {
    match filter(&query) {
        Some(filter) => list_filtered(&edupro, teacher.id, filter).await,
        None => Ok(Json(Vec::new())),
    }
}

/// 10.1 Create an assessment.
pub(crate) async fn create(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Site(links): Site,
    incoming: Incoming<AssessmentForm>,
) -> Answer<Created<AssessmentDetailView>> {
    let form = incoming.read(&edupro).await?;
    let assessment = assessments::create(edupro.school(), teacher.id, form.into()).await?;
    let now = edupro.school().clock.now();
    let view = AssessmentDetailView::new(&links, (assessment, Vec::new()), now);
    Ok(Created(view))
}

/// X4 List the assessments of a course, its modules and its lessons.
pub(crate) async fn list_of_course(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(course): Path<Uuid>,
    query: ListQuery,
) -> Answer<Json<Vec<AssessmentView<String>>>> {
    let course = Some(course);
    match query.filter("assessment_type", AssessmentType::from_word) {
        Some(kind) => list_filtered(&edupro, teacher.id, AssessmentFilter { course, kind }).await,
        None => Ok(Json(Vec::new())),
    }
}

/// X4 Create an assessment, in this course unless the body says otherwise.
pub(crate) async fn create_in_course(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(course): Path<Uuid>,
    Site(links): Site,
    incoming: Incoming<AssessmentForm>,
) -> Answer<Created<AssessmentDetailView>> {
    let school = edupro.school();
    courses::owned(&mut *school.storage.read().await?, teacher.id, course).await?;
    let form = incoming.read(&edupro).await?;
    let made = assessments::create_in_course(school, teacher.id, course, form.into()).await?;
    let view = AssessmentDetailView::new(&links, (made, Vec::new()), school.clock.now());
    Ok(Created(view))
}

/// 10.2 Show an assessment with its questions.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
    Site(links): Site,
) -> Answer<Json<AssessmentDetailView>> {
    let school = edupro.school();
    let mut tx = school.storage.read().await?;
    let found = assessments::show(&mut *tx, teacher.id, id).await?;
    Ok(Json(AssessmentDetailView::new(&links, found, school.clock.now())))
}

/// 10.2 Update an assessment.
pub(crate) async fn update(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
    Site(links): Site,
    incoming: Incoming<AssessmentUpdate>,
) -> Answer<Json<AssessmentDetailView>> {
    let school = edupro.school();
    assessments::owned(&mut *school.storage.read().await?, teacher.id, id).await?;
    let form = incoming.read(&edupro).await?;
    let found = assessments::update(school, &teacher, id, form.into()).await?;
    Ok(Json(AssessmentDetailView::new(&links, found, school.clock.now())))
}

/// 10.2 Delete an assessment.
pub(crate) async fn delete(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
) -> Answer<NoContent> {
    assessments::delete(edupro.school(), &teacher, id).await?;
    Ok(NoContent)
}

/// 10.7 List a teacher's assessments that the student may take.
pub(crate) async fn list_open(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Path(username): Path<String>,
    query: ListQuery,
) -> Answer<Json<Vec<OpenAssessmentView>>> {
    let school = edupro.school();
    let now = school.clock.now();
    // A course that is none matches nothing, but who asks is looked at all the same.
    let course = query.id("course_id").unwrap_or(Some(Uuid::nil()));
    let mut tx = school.storage.read().await?;
    let open = assessments::list_open(&mut *tx, &student, &username, course, now).await?;
    let view = |OpenAssessment { assessment, attempts_used }| OpenAssessmentView {
        assessment: AssessmentView::listed(assessment, now),
        attempts_used,
    };
    Ok(Json(open.into_iter().map(view).collect()))
}

impl From<AssessmentError> for ApiError {
    fn from(error: AssessmentError) -> Self {
        let words = error.to_string();
        match error {
            AssessmentError::Unknown => Self::not_found(),
            AssessmentError::NotYours => Self::forbidden(),
            AssessmentError::Blocked => Self::detail(StatusCode::FORBIDDEN, words),
            AssessmentError::TooManyLinks => Self::field("non_field_errors", words),
            AssessmentError::UnknownLink(kind, _)
            | AssessmentError::LinkNotYours(kind)
            | AssessmentError::LinkFrozen(kind) => Self::field(kind.as_str(), words),
            AssessmentError::TypeFrozen => Self::field("assessment_type", words),
            AssessmentError::NoTimeLimit => Self::field("time_limit", words),
            AssessmentError::EndsTooEarly => Self::field("available_until", words),
            AssessmentError::Store(error) => error.into(),
        }
    }
}
