//! THE TABLE: every path of the contract, in the contract's order, with its numbers.
//!
//! Each path works with and without its last slash. A path that is not here does not exist.

use axum::{
    Router,
    extract::{Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
    routing::{MethodRouter, any, delete, get, patch, post, put},
};

use crate::{
    EduPro,
    api::{
        accounts, assessments, attempts, categories, coupons, courses, enrollments, grading,
        health, index, lessons, modules, payments, progress, questions, ratings, registration,
        results, roster, students, teachers, videos,
    },
    error::ApiError,
    guard, media,
};

/// Where the contract's paths begin.
pub(crate) const PREFIX: &str = "/api/v1";
/// Where films come in that go by this school.
pub(crate) const UPLOADS: &str = "/media/uploads/";

/// The contract.
#[expect(clippy::too_many_lines, reason = "a table is as long as what it lists")]
pub(crate) fn api() -> Api {
    Api::new()
        // 1 User Authentication & Management
        .at("/teacher/login/", post(accounts::login_teacher)) // 1.1
        .at("/student/login/{username}/", post(accounts::login_student)) // 1.2
        .at("/logout/", post(accounts::logout)) // 1.3
        .at("/token/refresh/", post(accounts::refresh)) // 1.4
        .at("/student/refresh/{teacher_username}/", post(accounts::refresh_student)) // 1.5
        .at("/password-reset/request/", post(accounts::request_reset)) // 1.6
        .at("/password-reset/verify/", post(accounts::verify_reset)) // 1.7
        .at("/password-reset/confirm/", post(accounts::confirm_reset)) // 1.8
        .at("/teacher/teacher-register/", post(registration::register_teacher)) // 1.9
        .at("/student/student-register/{teacher_username}", post(registration::register_student)) // 1.10
        .bare("/student/student-register/", post(registration::register_student_with_nobody))
        .at("/join-teacher/{teacher_username}/", post(registration::join)) // 1.11
        .bare("/join-teacher/", post(registration::join_nobody))
        .at("/student/student-profile/{teacher_username}", get(students::show)) // 1.12
        .bare("/student/student-profile/", get(students::show_with_nobody))
        .at("/student/update-profile/", put(students::update).patch(students::update)) // 1.13
        .at("/teacher/teacher-profile/", get(teachers::show_own)) // 1.14
        .at("/teacher/teacher-profile/{teacher_username}", get(teachers::show_public)) // 1.15
        .at("/teacher/update-profile/", put(teachers::update).patch(teachers::update)) // 1.16
        .at("/teacher/students/remove/{student_id}/", delete(roster::remove)) // 1.17
        .bare("/teacher/students/remove/", delete(roster::remove_nobody))
        .at("/teacher/students/toggle-block/{student_id}/", patch(roster::toggle_block)) // 1.18
        .bare("/teacher/students/toggle-block/", patch(roster::toggle_nobody))
        .at("/teacher/get_students/", get(roster::list)) // 1.19, 1.20
        .at("/teacher/get-student-profile/{student_id}", get(roster::show)) // 1.21
        .at("/teacher/revenue/", get(teachers::revenue)) // 1.22
        .at("/change-password/", put(accounts::change_password)) // 1.23
        // 2 Course Category Management
        .at("/course/category/create/", post(categories::create)) // 2.1
        .at("/course/category/list/", get(categories::list)) // 2.2
        .at(
            "/course/category/update/{category_id}",
            put(categories::update).patch(categories::update),
        ) // 2.3
        // 3 Course Management
        .at("/course/create/", post(courses::create)) // 3.1
        .at("/course/list/", get(courses::list)) // 3.2
        .at("/course/course-detail/{course_id}", get(courses::show)) // 3.3
        .at("/course/update/{course_id}", put(courses::update).patch(courses::update)) // 3.4
        .at("/course/course-delete/{course_id}", delete(courses::delete)) // 3.5
        .at("/course/course-search-filter/", get(courses::search)) // 3.6
        .at("/course/list-by-teacher/", get(courses::list_own)) // 3.7
        .at("/course/teacher-list/{teacher_username}", get(courses::list_of_teacher)) // 3.8
        .at("/course/private-deatils/{course_id}", get(courses::show_private)) // 3.9
        .at("/get_student-enrollments/{course_id}", get(enrollments::list_of_course)) // 3.10
        .at("/teacher/courses/{course_id}/enrollments/", get(enrollments::page_of_course)) // 3.11
        .bare(
            "/teacher/courses/{course_id}/enrollments/{student_id}/",
            get(enrollments::page_of_student_in_course),
        ) // X2
        .bare("/teacher/students/{student_id}/enrollments/", get(enrollments::page_of_student)) // X3
        // 4 Course Enrollment Management
        .at("/course/course-enrollment/", post(enrollments::enroll_in_course)) // 4.1
        .at(
            "/course/course-enrollment-list/{teacher_username}",
            get(enrollments::list_courses_of_teacher),
        ) // 4.2
        .bare("/course/course-enrollment-list/", get(enrollments::list_all_courses)) // 4.2
        .bare("/my-courses/", get(enrollments::list_mine)) // X1
        .at(
            "/course/course-enrollment-delete/{course_id}/{enrollment_id}",
            delete(enrollments::delete),
        ) // 4.3
        .at("/course/course-enrollment-delete/{course_id}/", delete(enrollments::delete_own)) // 4.3
        .bare("/payments/checkout/", post(payments::checkout)) // beside the contract
        .bare("/payments/webhook/{provider}/", post(payments::webhook)) // beside the contract
        .bare("/payments/orders/{id}", get(payments::show)) // beside the contract
        // 5 Coupon Management
        .at("/coupon/create/", post(coupons::create)) // 5.1
        .at("/coupon/list/", get(coupons::list)) // 5.2
        .at("/coupon/detail/{coupon_id}", get(coupons::show)) // 5.3
        .at("/coupon/update/{coupon_id}", put(coupons::update).patch(coupons::update)) // 5.4
        .at("/coupon/delete/{coupon_id}", delete(coupons::delete)) // 5.5
        .at("/coupon/used-coupons/", get(coupons::list_used)) // 5.6
        // 6 Course Rating Management
        .at("/courses/{course_id}/list-ratings/", get(ratings::list)) // 6.1
        .at("/courses/{course_id}/ratings/create/", post(ratings::create)) // 6.2
        .at(
            "/course/retrive-upadate-delete-ratings/{id}/",
            get(ratings::show).put(ratings::update).patch(ratings::update).delete(ratings::delete),
        ) // 6.3
        // 7 Course Module Management
        .at("/courses/{course_id}/modules/", get(modules::list)) // 7.1
        .at("/courses/{course_id}/modules/create/", post(modules::create)) // 7.2
        .at("/modules/{module_id}/", get(modules::show)) // 7.3
        .at("/modules/{module_id}/update/", put(modules::update).patch(modules::update)) // 7.4
        .at("/modules/{module_id}/delete/", delete(modules::delete)) // 7.5
        .at("/course/module-enrollment/", post(enrollments::enroll_in_module)) // 7.6
        // 8 Lesson Management
        .at("/modules/{module_id}/lessons/", get(lessons::list)) // 8.1
        .at("/modules/{module_id}/lessons/create/", post(lessons::create)) // 8.2
        .at("/lessons/{id}/", get(lessons::show)) // 8.3
        .at("/lessons/{id}/update/", put(lessons::update).patch(lessons::update)) // 8.4
        .at("/lessons/{id}/delete/", delete(lessons::delete)) // 8.5
        .at("/lessons/{id}/status/", get(progress::show).put(progress::put).patch(progress::patch)) // 8.6
        .bare("/lessons/{id}/complete/", put(progress::put)) // 8.6, as clients of old call it
        .at("/video/check-status/{lesson_id}", get(videos::check)) // 8.7
        // 9 Video Management
        .at("/course/create-vdocipher-upload-credentials/", post(videos::issue)) // 9.1
        .bare("/videos/webhook/{provider}/", post(videos::webhook)) // beside the contract
        // 10 Assessment Management
        .at("/teacher/assessments/", get(assessments::list).post(assessments::create)) // 10.1
        .bare(
            "/teacher/courses/{course_id}/assessments/",
            get(assessments::list_of_course).post(assessments::create_in_course),
        ) // X4
        .at(
            "/teacher/assessments/{assessment_id}/",
            get(assessments::show)
                .put(assessments::update)
                .patch(assessments::update)
                .delete(assessments::delete),
        ) // 10.2
        .at(
            "/teacher/assessments/{assessment_id}/questions/",
            get(questions::list).post(questions::create),
        ) // 10.3
        .at(
            "/teacher/assessments/questions/{question_id}/",
            get(questions::show)
                .put(questions::update)
                .patch(questions::update)
                .delete(questions::delete),
        ) // 10.4
        .at(
            "/teacher/questions/{question_id}/options/",
            get(questions::list_options).post(questions::create_options),
        ) // 10.5
        .at(
            "/teacher/questions/options/{option_id}/",
            get(questions::show_option)
                .put(questions::update_option)
                .patch(questions::update_option)
                .delete(questions::delete_option),
        ) // 10.6
        .at("/student/assessments/{teacher_username}/", get(assessments::list_open)) // 10.7
        .at("/student/assessments/{assessment_id}/{teacher_username}/start/", post(attempts::start)) // 10.8
        .at_root_too(
            "/students/attempts/{attempt_id}/submit/",
            post(attempts::submit).put(attempts::submit).patch(attempts::submit),
        ) // 10.9, X15
        .at_root_too("/student/{teacher_username}/attempts/", get(results::list_own)) // 10.10
        .at_root_too("/student/attempts/{attempt_id}/result/", get(results::show)) // 10.11
        .bare("/teacher/assessments/{assessment_id}/attempts/", get(results::list_of_assessment)) // X5
        .bare(
            "/teacher/assessments/{assessment_id}/attempts/{student_username}/",
            get(results::page_of_student_in_assessment),
        ) // X6, X8
        .bare(
            "/teacher/assessments/attempts/{student_username}/",
            get(results::page_of_student_of_teacher),
        ) // X7
        .bare(
            "/teacher/courses/{course_id}/assessments/attempts/{student_username}/",
            get(results::page_of_student_in_course),
        ) // X9
        .at("/teacher/grading/pending/", get(grading::list)) // 10.12
        .bare("/teacher/courses/{course_id}/grading/pending/", get(grading::list_of_course)) // X10
        .bare(
            "/teacher/assessments/{assessment_id}/grading/pending/",
            get(grading::list_of_assessments),
        ) // X11, X12
        .bare(
            "/teacher/assessments/questions/{question_id}/grading/pending/",
            get(grading::list_of_questions),
        ) // X13
        .at("/teacher/grading/answer/{answer_id}/", put(grading::grade).patch(grading::grade)) // 10.13
        .bare("/teacher/grading/answer/{answer_id}/history/", get(grading::history)) // beside the contract
        .bare(
            "/teacher/assessments/{assessment_id}/regrade/",
            get(grading::outdated).post(grading::regrade),
        ) // beside the contract
}

/// The contract, the index of it, and files, with what guards them. What is unknown below their
/// beginnings is answered here; all other paths are somebody else's.
pub(crate) fn router<S>(edupro: &EduPro) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    guard::around_routes(contract(), edupro).with_state(edupro.clone())
}

/// How the process and the school are, with what guards them.
pub(crate) fn health<S>(edupro: &EduPro) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    guard::around_routes(health_checks(), edupro).with_state(edupro.clone())
}

/// Both, and an answer to every other path.
pub(crate) fn site<S>(edupro: &EduPro) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let router = contract().merge(health_checks()).fallback(async || ApiError::not_found());
    guard::around(router, edupro).with_state(edupro.clone())
}

fn contract() -> Router<EduPro> {
    Router::new()
        .route(PREFIX, get(index::list))
        .route(&format!("{PREFIX}/"), get(index::list))
        .merge(api().router)
        .route(&format!("{PREFIX}/{{*unknown}}"), any(async || ApiError::not_found()))
        .route("/media/{*key}", get(media::download))
        .route(&format!("{UPLOADS}{{id}}"), put(videos::receive).post(videos::receive))
        .method_not_allowed_fallback(method_not_allowed)
}

fn health_checks() -> Router<EduPro> {
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .method_not_allowed_fallback(method_not_allowed)
}

/// A router that remembers its paths.
#[derive(Debug)]
pub(crate) struct Api {
    router: Router<EduPro>,
    paths: Vec<&'static str>,
}

impl Api {
    fn new() -> Self {
        Self { router: Router::new(), paths: Vec::new() }
    }

    /// A path of the contract.
    fn at(mut self, path: &'static str, methods: MethodRouter<EduPro>) -> Self {
        self.paths.push(path);
        self.bare(path, methods)
    }

    /// A path of the contract that it prints without the prefix: it is there with it too.
    fn at_root_too(mut self, path: &'static str, methods: MethodRouter<EduPro>) -> Self {
        self.router = both_ways(self.router, path, methods.clone());
        self.at(path, methods)
    }

    /// A path beside the contract, or one of it whose parameter is missing: it has an answer of its
    /// own (behaviour G1) but is no path of the index.
    fn bare(mut self, path: &'static str, methods: MethodRouter<EduPro>) -> Self {
        self.router = both_ways(self.router, &format!("{PREFIX}{path}"), methods);
        self
    }

    /// The paths, in the contract's order.
    pub(crate) fn paths(&self) -> &[&'static str] {
        &self.paths
    }
}

/// A path with its last slash and without.
fn both_ways(router: Router<EduPro>, path: &str, methods: MethodRouter<EduPro>) -> Router<EduPro> {
    let short = path.trim_end_matches('/');
    router.route(short, methods.clone()).route(&format!("{short}/"), methods)
}

/// 405, or what an OPTIONS request wants: axum adds `Allow` to both.
async fn method_not_allowed(State(_): State<EduPro>, request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let words = format!("Method \"{}\" not allowed.", request.method());
    ApiError::detail(StatusCode::METHOD_NOT_ALLOWED, words).into_response()
}
