use axum::{Json, extract::State, http::StatusCode};
use edupro_core::{
    PageOf,
    accounts::{Actor, User, UserId},
    coupons::Item,
    enrollments::{
        self, CourseEnrollment, EnrollError, EnrolledCourse, Enrollment, EnrollmentError, Wanted,
    },
};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{courses::CourseView, students::StudentView};
use crate::{
    EduPro, Links,
    answer::{Created, NoContent, Ready},
    error::{Answer, ApiError},
    extract::{
        Incoming, ListQuery, Once, Paginated, Path, SignedIn, Site, Student, Teacher, form,
        invalid_page,
    },
    render::{Amount, Moment},
};

/// Enrolments, and courses of a student, on a page (behaviour G9).
const PAGE_SIZE: i64 = 5;

form! {
    /// 4.1: which course, and what pays for it.
    pub(crate) struct CourseEnrollmentForm / CourseEnrollmentDraft {
        course_id: Uuid = required(id()),
        coupon_code: Option<String> = optional(text().or_blank()),
    }
}

form! {
    /// 7.6: which module, and what pays for it.
    pub(crate) struct ModuleEnrollmentForm / ModuleEnrollmentDraft {
        module_id: Uuid = required(id()),
        coupon_code: Option<String> = optional(text().or_blank()),
    }
}

/// 4.1: an enrolment that was just made.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct EnrolledView {
    id: i64,
    teacher: UserId,
    student: UserId,
    course: Uuid,
    status: &'static str,
    is_active: bool,
    date: Moment,
    access_type: String,
    ended_date: Option<Moment>,
    progress: Amount,
}

/// 7.6: the same in a module.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct EnrolledInModuleView {
    id: i64,
    student: UserId,
    module: Uuid,
    status: &'static str,
    is_active: bool,
    date: Moment,
    ended_date: Option<Moment>,
}

/// 3.10: an enrolment in a course, for its owner.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct EnrollmentView {
    id: i64,
    student: LearnerView,
    enrollment_date: Moment,
    status: &'static str,
    access_type: String,
    is_active: bool,
    progress: Amount,
    course_name: String,
    student_name: String,
    ended_date: Option<Moment>,
    is_completed: bool,
}

/// 3.10: who learns.
#[derive(Debug, JsonSchema, Serialize)]
struct LearnerView {
    user: LearnerUserView,
    full_name: String,
}

/// 3.10: the account of who learns.
#[derive(Debug, JsonSchema, Serialize)]
struct LearnerUserView {
    id: UserId,
    first_name: String,
    last_name: String,
    email: String,
    username: String,
}

impl From<CourseEnrollment> for EnrollmentView {
    fn from(found: CourseEnrollment) -> Self {
        let CourseEnrollment { enrollment, student, course_title, .. } = found;
        let student_name = student.user.name();
        Self {
            id: enrollment.id,
            student: LearnerView {
                user: LearnerUserView {
                    id: student.user.id,
                    first_name: student.user.first_name,
                    last_name: student.user.last_name,
                    email: student.user.email,
                    username: student.user.username,
                },
                full_name: student.profile.full_name,
            },
            enrollment_date: Moment(enrollment.enrolled_at),
            status: enrollment.status.as_str(),
            access_type: enrollment.access_type,
            is_active: enrollment.is_active,
            progress: Amount(enrollment.progress),
            course_name: course_title,
            student_name,
            ended_date: enrollment.ends_at.map(Moment),
            is_completed: enrollment.is_completed,
        }
    }
}

/// 3.11, X2, X3: the same with the whole student and the names that clients of old read.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct DetailedEnrollmentView {
    id: i64,
    student: StudentView,
    enrollment_date: Moment,
    ended_date: Option<Moment>,
    status: &'static str,
    access_type: String,
    is_completed: bool,
    is_active: bool,
    progress: Amount,
    last_activity: Option<Moment>,
    course_name: String,
    student_name: String,
    teacher_name: String,
}

impl DetailedEnrollmentView {
    fn new(links: &Links, found: CourseEnrollment) -> Self {
        let CourseEnrollment { enrollment, student, course_title, teacher_name, .. } = found;
        Self {
            id: enrollment.id,
            student_name: student.user.name(),
            student: StudentView::new(links, student),
            enrollment_date: Moment(enrollment.enrolled_at),
            ended_date: enrollment.ends_at.map(Moment),
            status: enrollment.status.as_str(),
            access_type: enrollment.access_type,
            is_completed: enrollment.is_completed,
            is_active: enrollment.is_active,
            progress: Amount(enrollment.progress),
            last_activity: enrollment.last_activity.map(Moment),
            course_name: course_title,
            teacher_name,
        }
    }
}

/// 4.2: a course that a student has.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct EnrolledCourseView {
    #[serde(flatten)]
    course: CourseView,
    progress: Amount,
    is_completed: bool,
    enrollment_id: i64,
    enrollment_date: Moment,
}

impl EnrolledCourseView {
    fn new(links: &Links, found: EnrolledCourse) -> Self {
        Self {
            course: CourseView::new(links, found.course),
            progress: Amount(found.enrollment.progress),
            is_completed: found.enrollment.is_completed,
            enrollment_id: found.enrollment.id,
            enrollment_date: Moment(found.enrollment.enrolled_at),
        }
    }
}

/// X1: an enrolment of one's own, ended ones too.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct MyCourseView {
    id: i64,
    course: CourseView,
    enrollment_date: Moment,
    progress: Amount,
    is_completed: bool,
    status: &'static str,
    access_type: String,
    is_active: bool,
    ended_date: Option<Moment>,
}

impl MyCourseView {
    fn new(links: &Links, found: EnrolledCourse) -> Self {
        let EnrolledCourse { course, enrollment } = found;
        Self {
            id: enrollment.id,
            course: CourseView::new(links, course),
            enrollment_date: Moment(enrollment.enrolled_at),
            progress: Amount(enrollment.progress),
            is_completed: enrollment.is_completed,
            status: enrollment.status.as_str(),
            access_type: enrollment.access_type,
            is_active: enrollment.is_active,
            ended_date: enrollment.ends_at.map(Moment),
        }
    }
}

async fn enroll(
    edupro: &EduPro,
    student: &Actor,
    wanted: Wanted,
    code: Option<&str>,
) -> Answer<(Item, Enrollment)> {
    Ok(enrollments::enroll(edupro.school(), student, wanted, code).await?)
}

/// 4.1 Enrol in a course.
pub(crate) async fn enroll_in_course(
    State(edupro): State<EduPro>,
    Student(student): Student,
    once: Once,
    incoming: Incoming<CourseEnrollmentForm>,
) -> Answer<Ready<Created<EnrolledView>>> {
    let form = incoming.read(&edupro).await?;
    let code = form.coupon_code.as_deref();
    let wish = format!("{} {}", form.course_id, code.unwrap_or_default());
    let work = async {
        let wanted = Wanted::Course(form.course_id);
        let (item, enrollment) = enroll(&edupro, &student, wanted, code).await?;
        let view = EnrolledView {
            id: enrollment.id,
            teacher: item.teacher,
            student: enrollment.student,
            course: item.course,
            status: enrollment.status.as_str(),
            is_active: enrollment.is_active,
            date: Moment(enrollment.enrolled_at),
            access_type: enrollment.access_type,
            ended_date: enrollment.ends_at.map(Moment),
            progress: Amount(enrollment.progress),
        };
        Ok(Created(view))
    };
    once.answer(&edupro, student.id, &wish, work).await
}

/// 7.6 Enrol in a module.
pub(crate) async fn enroll_in_module(
    State(edupro): State<EduPro>,
    Student(student): Student,
    once: Once,
    incoming: Incoming<ModuleEnrollmentForm>,
) -> Answer<Ready<Created<EnrolledInModuleView>>> {
    let form = incoming.read(&edupro).await?;
    let code = form.coupon_code.as_deref();
    let wish = format!("{} {}", form.module_id, code.unwrap_or_default());
    let work = async {
        let wanted = Wanted::Module(form.module_id);
        let (_, enrollment) = enroll(&edupro, &student, wanted, code).await?;
        let view = EnrolledInModuleView {
            id: enrollment.id,
            student: enrollment.student,
            module: form.module_id,
            status: enrollment.status.as_str(),
            is_active: enrollment.is_active,
            date: Moment(enrollment.enrolled_at),
            ended_date: enrollment.ends_at.map(Moment),
        };
        Ok(Created(view))
    };
    once.answer(&edupro, student.id, &wish, work).await
}

/// 3.10 List everybody in a course.
pub(crate) async fn list_of_course(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(course): Path<Uuid>,
) -> Answer<Json<Vec<EnrollmentView>>> {
    let school = edupro.school();
    let mut tx = school.storage.read().await?;
    let found = enrollments::of_course(&mut *tx, teacher.id, course, school.clock.now()).await?;
    Ok(Json(found.into_iter().map(EnrollmentView::from).collect()))
}

fn paginate(
    query: &ListQuery,
    links: &Links,
    size: i64,
    found: PageOf<CourseEnrollment>,
) -> Paginated<DetailedEnrollmentView> {
    let views = found.map(|enrollment| DetailedEnrollmentView::new(links, enrollment));
    query.paginate(links, size, views)
}

/// 3.11 List a page of everybody in a course, or of one student with `student_id`.
pub(crate) async fn page_of_course(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(course): Path<Uuid>,
    Site(links): Site,
    query: ListQuery,
) -> Answer<Paginated<DetailedEnrollmentView>> {
    // A number that is none names nobody (behaviour G10).
    let student = query.value("student_id").map(|id| UserId(id.parse().unwrap_or_default()));
    let page = query.page(PAGE_SIZE)?;
    let (school, id) = (edupro.school(), teacher.id);
    let (mut tx, now) = (school.storage.read().await?, school.clock.now());
    let found = enrollments::page_of_course(&mut *tx, id, course, student, now, page).await?;
    Ok(paginate(&query, &links, page.size, found))
}

/// X2 List the enrolment of one student in a course.
pub(crate) async fn page_of_student_in_course(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path((course, student)): Path<(Uuid, UserId)>,
    Site(links): Site,
    query: ListQuery,
) -> Answer<Paginated<DetailedEnrollmentView>> {
    let page = query.page(PAGE_SIZE)?;
    let (school, id) = (edupro.school(), teacher.id);
    let (mut tx, now) = (school.storage.read().await?, school.clock.now());
    let found = enrollments::page_of_course(&mut *tx, id, course, Some(student), now, page).await?;
    Ok(paginate(&query, &links, page.size, found))
}

/// X3 List one student's enrolments with this teacher.
pub(crate) async fn page_of_student(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(student): Path<UserId>,
    Site(links): Site,
    query: ListQuery,
) -> Answer<Paginated<DetailedEnrollmentView>> {
    let page = query.page(PAGE_SIZE)?;
    let school = edupro.school();
    let (mut tx, now) = (school.storage.read().await?, school.clock.now());
    let found = enrollments::page_of_student(&mut *tx, teacher.id, student, now, page).await?;
    Ok(paginate(&query, &links, page.size, found))
}

async fn list_courses(
    edupro: &EduPro,
    student: &User,
    links: &Links,
    query: &ListQuery,
    teacher: Option<&str>,
) -> Answer<Paginated<EnrolledCourseView>> {
    let school = edupro.school();
    let page = query.page(PAGE_SIZE)?;
    let mut tx = school.storage.read().await?;
    let now = school.clock.now();
    let found = enrollments::courses(&mut *tx, student.id, teacher, now, page).await?;
    let views = found.map(|found| EnrolledCourseView::new(links, found));
    Ok(query.paginate(links, page.size, views))
}

/// 4.2 List the courses that a student has with one teacher.
pub(crate) async fn list_courses_of_teacher(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Path(teacher): Path<String>,
    Site(links): Site,
    query: ListQuery,
) -> Answer<Paginated<EnrolledCourseView>> {
    list_courses(&edupro, &student, &links, &query, Some(&teacher)).await
}

/// 4.2 List all courses that a student has.
pub(crate) async fn list_all_courses(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Site(links): Site,
    query: ListQuery,
) -> Answer<Paginated<EnrolledCourseView>> {
    list_courses(&edupro, &student, &links, &query, None).await
}

/// X1 List a student's enrolments, ended ones too.
pub(crate) async fn list_mine(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Site(links): Site,
) -> Answer<Json<Vec<MyCourseView>>> {
    let school = edupro.school();
    let mut tx = school.storage.read().await?;
    let found = enrollments::all_courses(&mut *tx, student.id, school.clock.now()).await?;
    Ok(Json(found.into_iter().map(|found| MyCourseView::new(&links, found)).collect()))
}

/// 4.3 Delete an enrolment: a teacher names it, a student may.
pub(crate) async fn delete(
    State(edupro): State<EduPro>,
    SignedIn(signed_in): SignedIn,
    Path((course, enrollment)): Path<(Uuid, i64)>,
) -> Answer<NoContent> {
    enrollments::delete(edupro.school(), &signed_in.user, course, Some(enrollment)).await?;
    Ok(NoContent)
}

/// 4.3 Delete a student's own enrolment in a course.
pub(crate) async fn delete_own(
    State(edupro): State<EduPro>,
    SignedIn(signed_in): SignedIn,
    Path(course): Path<Uuid>,
) -> Answer<NoContent> {
    enrollments::delete(edupro.school(), &signed_in.user, course, None).await?;
    Ok(NoContent)
}

impl From<EnrollError> for ApiError {
    fn from(error: EnrollError) -> Self {
        let field = match error {
            EnrollError::UnknownCourse => "course_id",
            EnrollError::UnknownModule => "module_id",
            EnrollError::NotPublished(thing) => thing,
            EnrollError::NotAStudent => "user",
            EnrollError::Blocked => return Self::detail(StatusCode::FORBIDDEN, error.to_string()),
            EnrollError::HasCourse | EnrollError::HasModule => "student",
            EnrollError::CodeRequired(_) => "coupon_code",
            EnrollError::Coupon(_) => "coupon",
            EnrollError::Throttled(throttled) => return throttled.into(),
            EnrollError::Policy(error) => return error.into(),
            EnrollError::Store(error) => return error.into(),
        };
        Self::field(field, error.to_string())
    }
}

impl From<EnrollmentError> for ApiError {
    fn from(error: EnrollmentError) -> Self {
        match error {
            EnrollmentError::Unknown => Self::not_found(),
            EnrollmentError::NotYours => Self::forbidden(),
            EnrollmentError::NoSuchPage => invalid_page(),
            EnrollmentError::WhichStudent => {
                Self::keyed(StatusCode::BAD_REQUEST, "student_id", error.to_string())
            }
            EnrollmentError::Store(error) => error.into(),
        }
    }
}
