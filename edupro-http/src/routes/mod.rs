//! THE TABLE: every path of the contract, in the contract's order, with its numbers.
//!
//! Each path works with and without its last slash. A path that is not here does not exist.

mod methods;
mod query;

use axum::{
    Router,
    extract::{Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};

use self::methods::{Api, change, delete, get, patch, post, put, send};
use crate::{
    EduPro,
    api::{
        accounts, assessments, attempts, audit, categories, coupons, courses, enrollments, grading,
        health, index, lessons, modules, openapi, payments, progress, questions, ratings,
        registration, results, roster, sessions, students, teachers, videos,
    },
    docs,
    error::ApiError,
    guard, media,
    openapi::Permission,
};

/// Where the contract's paths begin.
pub(crate) const PREFIX: &str = "/api/v1";
/// Where films come in that go by this school.
pub(crate) const UPLOADS: &str = "/media/uploads/";

/// The contract.
#[expect(clippy::too_many_lines, reason = "a table is as long as what it lists")]
pub(crate) fn api() -> Api {
    Api::new()
        .section("The API itself")
        .bare("", get("", "List the paths", index::list))
        .bare("/openapi.json", get("", "Describe the API", openapi::show))
        .section("1. User Authentication & Management")
        .at(
            "/teacher/login/",
            post("1.1", "Log a teacher or an administrator in", accounts::login_teacher)
                .fails(&[StatusCode::UNAUTHORIZED]),
        )
        .at(
            "/student/login/{username}/",
            post("1.2", "Log a student in at a teacher's school", accounts::login_student)
                .fails(&[StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN]),
        )
        .at(
            "/logout/",
            post("1.3", "Log out", accounts::logout)
                .fails(&[StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED]),
        )
        .at(
            "/token/refresh/",
            post("1.4", "Refresh the tokens of a teacher or an administrator", accounts::refresh)
                .fails(&[StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN]),
        )
        .at(
            "/student/refresh/{teacher_username}/",
            post(
                "1.5",
                "Refresh the tokens of a student, at a teacher's school",
                accounts::refresh_student,
            )
            .fails(&[
                StatusCode::BAD_REQUEST,
                StatusCode::UNAUTHORIZED,
                StatusCode::FORBIDDEN,
            ]),
        )
        .at(
            "/password-reset/request/",
            post("1.6", "Send a code for a new password", accounts::request_reset),
        )
        .at(
            "/password-reset/verify/",
            post("1.7", "Check a code without using it up", accounts::verify_reset),
        )
        .at(
            "/password-reset/confirm/",
            post("1.8", "Set a new password with a code", accounts::confirm_reset),
        )
        .at(
            "/teacher/teacher-register/",
            post("1.9", "Register a teacher", registration::register_teacher)
                .fails(&[StatusCode::FORBIDDEN]),
        )
        .at(
            "/student/student-register/{teacher_username}",
            post("1.10", "Register a student with a teacher", registration::register_student)
                .fails(&[StatusCode::FORBIDDEN, StatusCode::NOT_FOUND]),
        )
        .bare(
            "/student/student-register/",
            post(
                "1.10",
                "Register a student without a teacher's name",
                registration::register_student_with_nobody,
            )
            .fails(&[StatusCode::BAD_REQUEST]),
        )
        .at("/join-teacher/{teacher_username}/", post("1.11", "Join a teacher", registration::join))
        .bare(
            "/join-teacher/",
            post("1.11", "Join a teacher without a name", registration::join_nobody)
                .fails(&[StatusCode::BAD_REQUEST]),
        )
        .at(
            "/student/student-profile/{teacher_username}",
            get("1.12", "Show a student's profile as one teacher has it", students::show),
        )
        .bare(
            "/student/student-profile/",
            get(
                "1.12",
                "Show a student's profile without a teacher's name",
                students::show_with_nobody,
            )
            .fails(&[StatusCode::BAD_REQUEST]),
        )
        .at(
            "/student/update-profile/",
            change("1.13", "Update a student's own profile", students::update)
                .only(Permission::Student),
        )
        .at(
            "/teacher/teacher-profile/",
            get("1.14", "Show a teacher's own profile", teachers::show_own)
                .only(Permission::Teacher),
        )
        .at(
            "/teacher/teacher-profile/{teacher_username}",
            get("1.15", "Show a teacher to anybody", teachers::show_public),
        )
        .at(
            "/teacher/update-profile/",
            change("1.16", "Update a teacher's own profile", teachers::update)
                .only(Permission::Teacher),
        )
        .at(
            "/teacher/students/remove/{student_id}/",
            delete("1.17", "Remove a student", roster::remove).owned("student_id"),
        )
        .bare(
            "/teacher/students/remove/",
            delete("1.17", "Remove a student without a number", roster::remove_nobody)
                .fails(&[StatusCode::BAD_REQUEST]),
        )
        .at(
            "/teacher/students/toggle-block/{student_id}/",
            patch("1.18", "Block a student, or let them in again", roster::toggle_block)
                .owned("student_id"),
        )
        .bare(
            "/teacher/students/toggle-block/",
            patch("1.18", "Block a student without a number", roster::toggle_nobody)
                .fails(&[StatusCode::BAD_REQUEST]),
        )
        .at(
            "/teacher/get_students/",
            get("1.19", "List a teacher's students", roster::list)
                .fails(&[StatusCode::NOT_FOUND])
                .query(&[
                    query::SEARCH,
                    query::ROSTER_ORDER,
                    query::IS_ACTIVE,
                    query::PAGE,
                    query::PAGE_SIZE,
                ]),
        )
        .at(
            "/teacher/get-student-profile/{student_id}",
            get("1.21", "Show one of a teacher's students", roster::show).owned("student_id"),
        )
        .at(
            "/teacher/revenue/",
            get("1.22", "Show what a teacher has earned", teachers::revenue)
                .only(Permission::Teacher),
        )
        .at("/change-password/", put("1.23", "Change the password", accounts::change_password))
        .bare("/sessions/", get("", "List one's own sessions", sessions::list))
        .bare(
            "/sessions/{id}/",
            delete("", "End one of one's own sessions", sessions::end).owned("id"),
        )
        .bare(
            "/teacher/audit/",
            get("", "List what the teacher's students did and what was done to them", audit::list)
                .query(&[query::AUDITED_STUDENT, query::AUDITED_ACTION]),
        )
        .section("2. Course Category Management")
        .at(
            "/course/category/create/",
            post("2.1", "Create a category", categories::create).only(Permission::Admin),
        )
        .at("/course/category/list/", get("2.2", "List all categories", categories::list))
        .at(
            "/course/category/update/{category_id}",
            change("2.3", "Update a category", categories::update),
        )
        .section("3. Course Management")
        .at("/course/create/", post("3.1", "Create a course", courses::create))
        .at("/course/list/", get("3.2", "List published courses", courses::list))
        .at("/course/course-detail/{course_id}", get("3.3", "Show a course", courses::show))
        .at(
            "/course/update/{course_id}",
            change("3.4", "Update a course", courses::update).owned("course_id"),
        )
        .at(
            "/course/course-delete/{course_id}",
            delete("3.5", "Delete a course", courses::delete).owned("course_id"),
        )
        .at(
            "/course/course-search-filter/",
            get("3.6", "Search and filter published courses", courses::search).query(&[
                query::SEARCH,
                query::COURSE_ORDER,
                query::CATEGORY_NAME,
                query::TEACHER_NAME,
                query::IS_PUBLISHED,
            ]),
        )
        .at(
            "/course/list-by-teacher/",
            get("3.7", "List a teacher's own courses", courses::list_own),
        )
        .at(
            "/course/teacher-list/{teacher_username}",
            get("3.8", "List a teacher's published courses", courses::list_of_teacher),
        )
        .at(
            "/course/private-deatils/{course_id}",
            get("3.9", "Show a course with everything in it to its owner", courses::show_private)
                .owned("course_id"),
        )
        .at(
            "/get_student-enrollments/{course_id}",
            get("3.10", "List everybody in a course", enrollments::list_of_course)
                .owned("course_id"),
        )
        .at(
            "/teacher/courses/{course_id}/enrollments/",
            get("3.11", "List a page of everybody in a course", enrollments::page_of_course)
                .query(&[query::STUDENT])
                .owned("course_id"),
        )
        .bare(
            "/teacher/courses/{course_id}/enrollments/{student_id}/",
            get(
                "X2",
                "List the enrolment of one student in a course",
                enrollments::page_of_student_in_course,
            )
            .owned("course_id"),
        )
        .bare(
            "/teacher/students/{student_id}/enrollments/",
            get(
                "X3",
                "List one student's enrolments with this teacher",
                enrollments::page_of_student,
            )
            .owned("student_id"),
        )
        .section("4. Course Enrollment Management")
        .at(
            "/course/course-enrollment/",
            post("4.1", "Enrol in a course", enrollments::enroll_in_course),
        )
        .at(
            "/course/course-enrollment-list/{teacher_username}",
            get(
                "4.2",
                "List the courses that a student has with one teacher",
                enrollments::list_courses_of_teacher,
            ),
        )
        .bare(
            "/course/course-enrollment-list/",
            get("4.2", "List all courses that a student has", enrollments::list_all_courses),
        )
        .bare(
            "/my-courses/",
            get("X1", "List a student's enrolments, ended ones too", enrollments::list_mine),
        )
        .at(
            "/course/course-enrollment-delete/{course_id}/{enrollment_id}",
            delete("4.3", "Delete an enrolment", enrollments::delete).owned("enrollment_id"),
        )
        .at(
            "/course/course-enrollment-delete/{course_id}/",
            delete("4.3", "Delete a student's own enrolment in a course", enrollments::delete_own)
                .fails(&[StatusCode::BAD_REQUEST])
                .owned("course_id"),
        )
        .bare(
            "/payments/checkout/",
            post("", "Begin to pay for a course or a module", payments::checkout)
                .fails(&[StatusCode::BAD_GATEWAY]),
        )
        .bare(
            "/payments/webhook/{provider}/",
            post("", "Hear from a payment provider", payments::webhook),
        )
        .bare(
            "/payments/orders/{id}",
            get("", "Show an order of one's own", payments::show).owned("id"),
        )
        .section("5. Coupon Management")
        .at("/coupon/create/", post("5.1", "Create coupons", coupons::create))
        .at("/coupon/list/", get("5.2", "List coupons", coupons::list))
        .at(
            "/coupon/detail/{coupon_id}",
            get("5.3", "Show a coupon", coupons::show).owned("coupon_id"),
        )
        .at(
            "/coupon/update/{coupon_id}",
            change("5.4", "Update a coupon", coupons::update).owned("coupon_id"),
        )
        .at(
            "/coupon/delete/{coupon_id}",
            delete("5.5", "Delete a coupon", coupons::delete).owned("coupon_id"),
        )
        .at("/coupon/used-coupons/", get("5.6", "List used coupons", coupons::list_used))
        .section("6. Course Rating Management")
        .at(
            "/courses/{course_id}/list-ratings/",
            get("6.1", "List the ratings of a course", ratings::list),
        )
        .at("/courses/{course_id}/ratings/create/", post("6.2", "Rate a course", ratings::create))
        .at(
            "/course/retrive-upadate-delete-ratings/{id}/",
            get("6.3", "Show one's own rating", ratings::show)
                .change("6.3", "Update one's own rating", ratings::update)
                .delete("6.3", "Take one's own rating back", ratings::delete)
                .owned("id"),
        )
        .section("7. Course Module Management")
        .at(
            "/courses/{course_id}/modules/",
            get("7.1", "List the modules of a course", modules::list),
        )
        .at(
            "/courses/{course_id}/modules/create/",
            post("7.2", "Create a module", modules::create).owned("course_id"),
        )
        .at("/modules/{module_id}/", get("7.3", "Show a module with its lessons", modules::show))
        .at(
            "/modules/{module_id}/update/",
            change("7.4", "Update a module", modules::update).owned("module_id"),
        )
        .at(
            "/modules/{module_id}/delete/",
            delete("7.5", "Delete a module", modules::delete).owned("module_id"),
        )
        .at(
            "/course/module-enrollment/",
            post("7.6", "Enrol in a module", enrollments::enroll_in_module),
        )
        .section("8. Lesson Management")
        .at(
            "/modules/{module_id}/lessons/",
            get("8.1", "List the lessons of a module", lessons::list)
                .fails(&[StatusCode::FORBIDDEN]),
        )
        .at(
            "/modules/{module_id}/lessons/create/",
            post("8.2", "Create a lesson", lessons::create)
                .only(Permission::Teacher)
                .owned("module_id"),
        )
        .at(
            "/lessons/{id}/",
            get("8.3", "Show a lesson", lessons::show).fails(&[StatusCode::FORBIDDEN]),
        )
        .at(
            "/lessons/{id}/update/",
            change("8.4", "Update a lesson", lessons::update).only(Permission::Teacher).owned("id"),
        )
        .at("/lessons/{id}/delete/", delete("8.5", "Delete a lesson", lessons::delete).owned("id"))
        .at(
            "/lessons/{id}/status/",
            get("8.6", "Show a student's progress in a lesson", progress::show)
                .only(Permission::Student)
                .put("8.6", "Set a student's progress in a lesson", progress::put)
                .only(Permission::Student)
                .patch("8.6", "Change a student's progress in a lesson", progress::patch)
                .only(Permission::Student),
        )
        .bare(
            "/lessons/{id}/complete/",
            put("8.6", "Set a student's progress in a lesson", progress::put)
                .only(Permission::Student),
        )
        .at(
            "/video/check-status/{lesson_id}",
            get("8.7", "Check how a lesson's video stands", videos::check)
                .fails(&[StatusCode::BAD_REQUEST])
                .owned("lesson_id"),
        )
        .section("9. Video Management")
        .at(
            "/course/create-vdocipher-upload-credentials/",
            post("9.1", "Get leave to upload a video", videos::issue).only(Permission::Teacher),
        )
        .bare(
            "/videos/webhook/{provider}/",
            post("", "Hear from a video provider", videos::webhook),
        )
        .section("10. Assessment Management")
        .at(
            "/teacher/assessments/",
            get("10.1", "List the teacher's assessments", assessments::list)
                .fails(&[StatusCode::NOT_FOUND])
                .query(&[query::COURSE, query::ASSESSMENT_TYPE])
                .post("10.1", "Create an assessment", assessments::create),
        )
        .bare(
            "/teacher/courses/{course_id}/assessments/",
            get(
                "X4",
                "List the assessments of a course, its modules and its lessons",
                assessments::list_of_course,
            )
            .query(&[query::ASSESSMENT_TYPE])
            .post(
                "X4",
                "Create an assessment, in this course unless the body says otherwise",
                assessments::create_in_course,
            )
            .owned("course_id"),
        )
        .at(
            "/teacher/assessments/{assessment_id}/",
            get("10.2", "Show an assessment with its questions", assessments::show)
                .change("10.2", "Update an assessment", assessments::update)
                .delete("10.2", "Delete an assessment", assessments::delete)
                .owned("assessment_id"),
        )
        .at(
            "/teacher/assessments/{assessment_id}/questions/",
            get("10.3", "List the questions of an assessment", questions::list)
                .post("10.3", "Create a question", questions::create)
                .owned("assessment_id"),
        )
        .at(
            "/teacher/assessments/questions/{question_id}/",
            get("10.4", "Show a question", questions::show)
                .change("10.4", "Update a question", questions::update)
                .delete("10.4", "Delete a question", questions::delete)
                .owned("question_id"),
        )
        .at(
            "/teacher/questions/{question_id}/options/",
            get("10.5", "List the options of a question", questions::list_options)
                .post("10.5", "Create an option, or several", questions::create_options)
                .owned("question_id"),
        )
        .at(
            "/teacher/questions/options/{option_id}/",
            get("10.6", "Show an option", questions::show_option)
                .change("10.6", "Update an option", questions::update_option)
                .delete("10.6", "Delete an option", questions::delete_option)
                .owned("option_id"),
        )
        .at(
            "/student/assessments/{teacher_username}/",
            get(
                "10.7",
                "List a teacher's assessments that the student may take",
                assessments::list_open,
            )
            .query(&[query::COURSE]),
        )
        .at(
            "/student/assessments/{assessment_id}/{teacher_username}/start/",
            post("10.8", "Start an assessment, or go on with it", attempts::start)
                .fails(&[StatusCode::BAD_REQUEST]),
        )
        .at_root_too(
            "/students/attempts/{attempt_id}/submit/",
            send("10.9", "Hand an attempt in", attempts::submit).owned("attempt_id"),
        )
        .at_root_too(
            "/student/{teacher_username}/attempts/",
            get(
                "10.10",
                "List the student's attempts at the assessments of a teacher",
                results::list_own,
            )
            .query(&[query::COURSE]),
        )
        .at_root_too(
            "/student/attempts/{attempt_id}/result/",
            get("10.11", "Show what came of an attempt", results::show)
                .fails(&[StatusCode::ACCEPTED])
                .owned("attempt_id"),
        )
        .bare(
            "/teacher/assessments/{assessment_id}/attempts/",
            get("X5", "List the attempts at an assessment", results::list_of_assessment)
                .query(&[query::STUDENT_USERNAME])
                .owned("assessment_id"),
        )
        .bare(
            "/teacher/assessments/{assessment_id}/attempts/{student_username}/",
            get(
                "X6",
                "List one student's attempts at an assessment, or at all of a type",
                results::page_of_student_in_assessment,
            )
            .query(&[query::COURSE, query::ASSESSMENT_TYPE])
            .owned("assessment_id"),
        )
        .bare(
            "/teacher/assessments/attempts/{student_username}/",
            get(
                "X7",
                "List one student's attempts at the teacher's assessments",
                results::page_of_student_of_teacher,
            )
            .query(&[query::COURSE, query::ASSESSMENT_TYPE]),
        )
        .bare(
            "/teacher/courses/{course_id}/assessments/attempts/{student_username}/",
            get(
                "X9",
                "List one student's attempts at the assessments of a course",
                results::page_of_student_in_course,
            )
            .query(&[query::COURSE, query::ASSESSMENT_TYPE])
            .owned("course_id"),
        )
        .at(
            "/teacher/grading/pending/",
            get("10.12", "List the answers that wait for the teacher", grading::list)
                .fails(&[StatusCode::NOT_FOUND])
                .query(&[
                    query::COURSE,
                    query::ASSESSMENT,
                    query::ASSESSMENT_TYPE,
                    query::QUESTION_TYPE,
                ]),
        )
        .bare(
            "/teacher/courses/{course_id}/grading/pending/",
            get("X10", "List the answers of a course that wait", grading::list_of_course)
                .query(&[
                    query::COURSE,
                    query::ASSESSMENT,
                    query::ASSESSMENT_TYPE,
                    query::QUESTION_TYPE,
                ])
                .owned("course_id"),
        )
        .bare(
            "/teacher/assessments/{assessment_id}/grading/pending/",
            get(
                "X11",
                "List the answers of an assessment, or of a type of assessments, that wait",
                grading::list_of_assessments,
            )
            .query(&[
                query::COURSE,
                query::ASSESSMENT,
                query::ASSESSMENT_TYPE,
                query::QUESTION_TYPE,
            ])
            .owned("assessment_id"),
        )
        .bare(
            "/teacher/assessments/questions/{question_id}/grading/pending/",
            get(
                "X13",
                "List the answers to a type of questions that wait",
                grading::list_of_questions,
            )
            .query(&[
                query::COURSE,
                query::ASSESSMENT,
                query::ASSESSMENT_TYPE,
                query::QUESTION_TYPE,
            ]),
        )
        .at(
            "/teacher/grading/answer/{answer_id}/",
            change("10.13", "Grade an answer", grading::grade).owned("answer_id"),
        )
        .bare(
            "/teacher/grading/answer/{answer_id}/history/",
            get("", "Show who graded an answer, and how", grading::history).owned("answer_id"),
        )
        .bare(
            "/teacher/assessments/{assessment_id}/regrade/",
            get("", "Show what another answer key would change", grading::outdated)
                .post("", "Mark again by the present answer key", grading::regrade)
                .owned("assessment_id"),
        )
}

/// The paths of the contract, parameters by their bare names.
pub(crate) fn index() -> Vec<String> {
    let api = api();
    let paths = api.paths().iter();
    paths.map(|path| format!("{PREFIX}{}", path.replace(['{', '}'], ""))).collect()
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

/// The API in a browser, with what guards it.
pub(crate) fn docs<S>(edupro: &EduPro) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    guard::around_routes(pages(), edupro).with_state(edupro.clone())
}

/// All of it, and an answer to every other path.
pub(crate) fn site<S>(edupro: &EduPro) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let router = contract().merge(health_checks()).merge(pages());
    let router = router.fallback(async || ApiError::not_found());
    guard::around(router, edupro).with_state(edupro.clone())
}

fn contract() -> Router<EduPro> {
    Router::new()
        .merge(api().router)
        .route(&format!("{PREFIX}/{{*unknown}}"), any(async || ApiError::not_found()))
        .route("/media/{*key}", axum::routing::get(media::download))
        .route(
            &format!("{UPLOADS}{{id}}"),
            axum::routing::put(videos::receive).post(videos::receive),
        )
        .method_not_allowed_fallback(method_not_allowed)
}

fn health_checks() -> Router<EduPro> {
    Router::new()
        .route("/healthz", axum::routing::get(health::live))
        .route("/readyz", axum::routing::get(health::ready))
        .method_not_allowed_fallback(method_not_allowed)
}

fn pages() -> Router<EduPro> {
    docs::router().method_not_allowed_fallback(method_not_allowed)
}

/// 405, or what an OPTIONS request wants: axum adds `Allow` to both.
async fn method_not_allowed(State(_): State<EduPro>, request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let words = format!("Method \"{}\" not allowed.", request.method());
    ApiError::detail(StatusCode::METHOD_NOT_ALLOWED, words).into_response()
}
