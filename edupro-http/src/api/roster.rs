use axum::{Json, extract::State, http::StatusCode};
use edupro_core::{
    accounts::UserId,
    roster::{self, Membership, RosterError, RosterOrder, RosterQuery, Standing},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    accounts::{Message, message},
    students::StudentView,
};
use crate::{
    EduPro, Links,
    answer::NoContent,
    error::{Answer, ApiError},
    extract::{ListQuery, Paginated, Path, Site, Teacher},
    render::Moment,
};

/// Students on a page (behaviour G9).
const PAGE_SIZE: i64 = 5;

/// 1.12, 1.21: a student as one teacher has them.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct MembershipView {
    id: i64,
    student: StudentView,
    enrollment_date: Moment,
    notes: Option<String>,
    is_active: bool,
    completed_lessons: i64,
    last_activity: Moment,
    number_of_completed_courses: i64,
    number_of_enrollment_courses: i64,
}

impl MembershipView {
    pub(crate) fn new(links: &Links, membership: Membership) -> Self {
        Self {
            id: membership.id,
            student: StudentView::new(links, membership.student),
            enrollment_date: Moment(membership.joined_at),
            notes: membership.notes,
            is_active: membership.standing == Standing::Active,
            completed_lessons: membership.activity.completed_lessons,
            last_activity: Moment(membership.activity.last_activity),
            number_of_completed_courses: membership.activity.completed_courses,
            number_of_enrollment_courses: membership.activity.current_courses,
        }
    }
}

/// 1.20: the same in a list.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct ListedMembership {
    #[serde(flatten)]
    membership: MembershipView,
    teacher: UserId,
}

/// 1.19 and 1.20 share an URL: the envelope, and the students alone beside it.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct RosterView {
    #[serde(flatten)]
    page: Paginated<ListedMembership>,
    students: Vec<StudentView>,
}

/// 1.17 Remove a student.
pub(crate) async fn remove(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(student): Path<UserId>,
) -> Answer<NoContent> {
    roster::remove(edupro.school(), &teacher, student).await?;
    Ok(NoContent)
}

/// 1.17 without a student.
pub(crate) async fn remove_nobody(_: Teacher) -> ApiError {
    ApiError::keyed(StatusCode::BAD_REQUEST, "student_id", "student id is required")
}

/// 1.18 Block a student, or let them in again.
pub(crate) async fn toggle_block(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(student): Path<UserId>,
) -> Answer<Json<Message>> {
    Ok(match roster::toggle_block(edupro.school(), &teacher, student).await? {
        Standing::Blocked => message("Student has been blocked."),
        Standing::Active => message("Student has been unblocked."),
    })
}

/// 1.18 without a student.
pub(crate) async fn toggle_nobody(_: Teacher) -> ApiError {
    ApiError::keyed(StatusCode::BAD_REQUEST, "student_id", "Student ID is required in the URL.")
}

/// 1.19, 1.20 List a teacher's students.
pub(crate) async fn list(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Site(links): Site,
    query: ListQuery,
) -> Answer<Json<RosterView>> {
    let mut order = query.ordering(|name| match name {
        "enrollment_date" => Some(RosterOrder::JoinedAt),
        "student__full_name" => Some(RosterOrder::FullName),
        _ => None,
    });
    if order.is_empty() {
        order.push((RosterOrder::FullName, false));
    }
    let page = query.page(PAGE_SIZE)?;
    let asked =
        RosterQuery { is_active: query.flag("is_active"), words: query.words(), order, page };
    let mut tx = edupro.school().storage.read().await?;
    let found = roster::list(&mut *tx, teacher.id, &asked, edupro.school().clock.now()).await?;
    let students = found.items.iter().map(|m| StudentView::new(&links, m.student.clone()));
    let students = students.collect();
    let listed = found.map(|membership| ListedMembership {
        teacher: membership.teacher,
        membership: MembershipView::new(&links, membership),
    });
    Ok(Json(RosterView { page: query.paginate(&links, page.size, listed), students }))
}

/// 1.21 Show one of a teacher's students.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(student): Path<UserId>,
    Site(links): Site,
) -> Answer<Json<MembershipView>> {
    let mut tx = edupro.school().storage.read().await?;
    let membership =
        roster::find(&mut *tx, teacher.id, student, edupro.school().clock.now()).await?;
    Ok(Json(MembershipView::new(&links, membership)))
}

impl From<RosterError> for ApiError {
    fn from(error: RosterError) -> Self {
        match error {
            RosterError::UnknownTeacher | RosterError::NotAStudentOfTheirs => Self::not_found(),
            RosterError::NoSuchPage => crate::extract::invalid_page(),
            RosterError::Policy(error) => error.into(),
            RosterError::Store(error) => error.into(),
        }
    }
}
