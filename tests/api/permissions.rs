//! Who may do what (behaviour G4, G5, G15): every operation, as everybody.

use std::sync::Arc;

use async_trait::async_trait;
use edupro_core::payment::{
    Begin, PaymentError, PaymentEvent, PaymentProvider, Terms, orders::Order,
};
use edupro_http::{
    openapi::operations,
    testkit::{
        Browser, TestApp, TestBuilder,
        permissions::{Cast, Route, Visitor, Walk, World},
    },
};
use insta::assert_snapshot;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{
    attempts::{choice, essay},
    grading::waiting,
    support::{
        Witness, assessment, coupons, course, enroll, lesson, module, on_postgres, on_sqlite,
        redeem,
    },
};

/// Takes orders, and nothing comes of them.
#[derive(Debug)]
struct Desk;

#[async_trait]
impl PaymentProvider for Desk {
    fn name(&self) -> &'static str {
        "desk"
    }

    fn terms(&self) -> Option<Terms> {
        let page = "https://school.example/courses".to_owned();
        let currency = "EGP".parse().ok()?;
        Some(Terms { currency, success_url: page.clone(), cancel_url: page })
    }

    async fn begin(&self, order: &Order) -> Result<Begin, PaymentError> {
        let session = order.id.to_string();
        let url = format!("https://school.example/slips/{session}");
        Ok(Begin::Redirect { session, url, expires_at: None })
    }

    async fn webhook(
        &self,
        _: &edupro_core::WebhookRequest<'_>,
        _: chrono::DateTime<chrono::Utc>,
    ) -> Result<Vec<PaymentEvent>, PaymentError> {
        Err(PaymentError::Rejected { reason: "nobody signs here".to_owned() })
    }
}

/// What a teacher and a student of theirs have.
struct Tenant {
    student: i64,
    course: String,
    module: String,
    lesson: String,
    coupon: (i64, String),
    enrollment: i64,
    rating: i64,
    /// A course beside the first, which the student has begun to pay for.
    ordered: String,
    order: String,
    assessment: String,
    question: String,
    option: String,
    /// An attempt that waits for a grade, and the answer that does.
    submitted: String,
    answer: String,
    /// An attempt that is not over.
    running: String,
}

async fn made(browser: &Browser, path: &str, body: Value) -> Value {
    let answer = browser.post(path, body).await;
    assert_eq!(answer.status(), 201, "{answer}");
    answer.json()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Fills the school of one teacher.
async fn tenant(teacher: &Browser, name: &str, student: &Browser) -> Tenant {
    let ordered = course(teacher, json!({"title": "Light", "price": "60"})).await;
    let order = made(student, "/payments/checkout/", json!({"course_id": ordered})).await;

    let course = course(teacher, json!({"price": "50"})).await;
    let module = module(teacher, &course, json!({"price": "20"})).await;
    let lesson = lesson(teacher, &module, json!({})).await;
    let mut coupons = coupons(teacher, 2, "50").await;
    let enrolled = redeem(student, &course, &coupons[0].1).await;
    assert_eq!(enrolled.status(), 201, "{enrolled}");
    let path = format!("/courses/{course}/ratings/create/");
    let rating = made(student, &path, json!({"rating": 5})).await;

    let body = json!({"course": course, "max_attempts": 3});
    let assessment = assessment(teacher, body).await;
    let choice = choice(teacher, &assessment, json!({})).await;
    let essay = essay(teacher, &assessment).await;
    let start = format!("/student/assessments/{assessment}/{name}/start/");
    let submitted = text(&made(student, &start, json!({})).await["attempt_id"]);
    let answers = json!([{"question_id": essay, "short_answer_text": "So."}]);
    let path = format!("/students/attempts/{submitted}/submit/");
    let handed_in = student.post(&path, json!({"answers": answers})).await;
    assert_eq!(handed_in.status(), 200, "{handed_in}");
    let running = text(&made(student, &start, json!({})).await["attempt_id"]);

    Tenant {
        student: enrolled.json()["student"].as_i64().unwrap(),
        enrollment: enrolled.json()["id"].as_i64().unwrap(),
        rating: rating["id"].as_i64().unwrap(),
        order: text(&order["order_id"]),
        coupon: coupons.remove(1),
        question: choice.id,
        option: choice.right,
        answer: waiting(teacher).await.remove(0),
        course,
        module,
        lesson,
        ordered,
        assessment,
        submitted,
        running,
    }
}

/// A school with two teachers, who have the same.
pub(crate) struct School {
    cast: Cast,
    a: Tenant,
    category: i64,
    /// Of teacher A, who is asking with it.
    session: String,
    witness: Mutex<Witness>,
    pub(crate) app: TestApp,
}

impl School {
    pub(crate) async fn open(school: TestBuilder) -> Self {
        let app = school.start_with(|builder| builder.payment(Arc::new(Desk))).await;
        let cast = Cast::of(&app).await;
        let category = made(&cast.admin, "/course/category/create/", json!({"name": "Sound"}));
        let category = category.await["id"].as_i64().unwrap();
        let a = tenant(&cast.teacher_a, "teacher_a", &cast.student_a).await;
        tenant(&cast.teacher_b, "teacher_b", &cast.student_b).await;
        // As if it had been before the block.
        enroll(&app, "blocked", &a.course, None).await;
        let session = text(&cast.teacher_a.get("/sessions/").await.json()[0]["id"]);
        let mut witness = Witness::of(&app).await;
        witness.restore().await;
        let witness = Mutex::new(witness);
        Self { cast, a, category, session, witness, app }
    }
}

#[async_trait]
impl World for School {
    fn cast(&self) -> &Cast {
        &self.cast
    }

    fn parameter(&self, Route { path, .. }: &Route, name: &str) -> Option<String> {
        let a = &self.a;
        Some(match name {
            "answer_id" => a.answer.clone(),
            "assessment_id" => a.assessment.clone(),
            "attempt_id" if path.ends_with("/submit/") => a.running.clone(),
            "attempt_id" => a.submitted.clone(),
            "category_id" => self.category.to_string(),
            "coupon_id" => a.coupon.0.to_string(),
            "course_id" => a.course.clone(),
            "enrollment_id" => a.enrollment.to_string(),
            "id" if path.contains("/lessons/") => a.lesson.clone(),
            "id" if path.contains("/sessions/") => self.session.clone(),
            "id" if path.contains("/orders/") => a.order.clone(),
            "id" if path.contains("-ratings/") => a.rating.to_string(),
            "lesson_id" => a.lesson.clone(),
            "module_id" => a.module.clone(),
            "option_id" => a.option.clone(),
            "provider" if path.contains("/payments/") => "desk".to_owned(),
            "provider" => "local".to_owned(),
            // X13: a type of questions.
            "question_id" if path.ends_with("/grading/pending/") => "essay".to_owned(),
            "question_id" => a.question.clone(),
            "student_id" => a.student.to_string(),
            "student_username" => "student_a".to_owned(),
            "teacher_username" | "username" => "teacher_a".to_owned(),
            _ => return None,
        })
    }

    fn owners(&self, Route { path, .. }: &Route) -> &'static [Visitor] {
        match path.as_str() {
            path if path.contains("/teacher/") => &[Visitor::TeacherA],
            path if path.contains("/orders/") || path.contains("/attempts/") => {
                &[Visitor::StudentA]
            }
            path if path.contains("-ratings/") => &[Visitor::StudentA],
            // 4.3, long: one enrolment, of which its student and its teacher dispose.
            path if path.ends_with("/{enrollment_id}") => &[Visitor::StudentA, Visitor::TeacherA],
            // 4.3, short: whoever is enrolled in the course.
            path if path.contains("/course-enrollment-delete/") => {
                &[Visitor::StudentA, Visitor::Blocked, Visitor::TeacherA]
            }
            _ => &[Visitor::TeacherA],
        }
    }

    /// One for all: what a route does not know it ignores (behaviour G2). It names what is teacher
    /// A's, so that strangers who are let in ask for that.
    fn body(&self, Route { path, .. }: &Route) -> Value {
        let a = &self.a;
        if path.ends_with("/checkout/") {
            return json!({"course_id": a.ordered});
        }
        let mut body = json!({
            "answers": [],
            "assessment_type": "quiz",
            "coupon_code": a.coupon.1,
            "course": a.course,
            "course_id": a.course,
            "description": "As it is now",
            "is_completed": true,
            "module_id": a.module,
            "name": "Changed",
            "number_of_coupons": 1,
            "option_text": "Changed",
            "points_awarded": 1,
            "price": "5",
            "question_text": "What has changed?",
            "rating": 4,
            "title": "Changed",
        });
        if path.ends_with("/questions/") {
            body["question_type"] = "essay".into();
        }
        body
    }

    async fn state(&self) -> String {
        self.witness.lock().await.rows().await.join("\n")
    }

    async fn restore(&self) -> bool {
        self.witness.lock().await.restore().await
    }
}

/// All that is answered otherwise than roles and owners say, and why.
const EXCEPTIONS: &[(&str, &[Visitor], u16, &str)] = &[
    (
        "POST /api/v1/logout/",
        &[Visitor::Nobody, Visitor::Expired],
        401,
        "1.3: a session is ended by whichever of its cookies is still good",
    ),
    (
        "POST /api/v1/token/refresh/",
        &[Visitor::Nobody, Visitor::Expired],
        401,
        "1.4: the refresh cookie says who asks",
    ),
    (
        "POST /api/v1/token/refresh/",
        &[Visitor::StudentA, Visitor::StudentB, Visitor::Blocked],
        403,
        "1.4: students have an endpoint of their own",
    ),
    (
        "POST /api/v1/student/refresh/{teacher_username}/",
        &[Visitor::Nobody, Visitor::Expired],
        401,
        "1.5: the refresh cookie says who asks",
    ),
    (
        "POST /api/v1/student/refresh/{teacher_username}/",
        &[Visitor::StudentB, Visitor::Blocked],
        403,
        "1.5: this teacher does not let them in",
    ),
    (
        "GET /api/v1/student/student-profile/{teacher_username}",
        &[Visitor::StudentB],
        404,
        "1.12: a profile is with a teacher whom one has joined",
    ),
    ("POST /api/v1/course/course-enrollment/", &[Visitor::Blocked], 403, "4.1: blocked"),
    ("POST /api/v1/course/module-enrollment/", &[Visitor::Blocked], 403, "7.6: blocked"),
    ("POST /api/v1/payments/checkout/", &[Visitor::Blocked], 403, "as 4.1: blocked"),
    (
        "POST /api/v1/courses/{course_id}/ratings/create/",
        &[Visitor::StudentB, Visitor::Blocked],
        403,
        "6.2: whoever has the course rates it",
    ),
    (
        "GET /api/v1/modules/{module_id}/lessons/",
        &[Visitor::StudentB, Visitor::Blocked, Visitor::TeacherB, Visitor::Admin],
        403,
        "8.1: its owner and whoever has the module, staff not",
    ),
    (
        "GET /api/v1/lessons/{id}/",
        &[Visitor::StudentB, Visitor::Blocked, Visitor::TeacherB, Visitor::Admin],
        403,
        "8.3: its owner and whoever has the lesson, staff not",
    ),
    (
        "GET PUT PATCH /api/v1/lessons/{id}/status/",
        &[Visitor::StudentB, Visitor::Blocked],
        403,
        "8.6: whoever has the lesson",
    ),
    (
        "PUT /api/v1/lessons/{id}/complete/",
        &[Visitor::StudentB, Visitor::Blocked],
        403,
        "8.6: whoever has the lesson",
    ),
    (
        "POST /api/v1/videos/webhook/{provider}/",
        &Visitor::ALL,
        404,
        "the school's own disk, which has the videos here, has no webhook",
    ),
    (
        "GET /api/v1/student/assessments/{teacher_username}/",
        &[Visitor::StudentB, Visitor::Blocked],
        403,
        "10.7: this teacher does not let them in",
    ),
    (
        "POST /api/v1/student/assessments/{assessment_id}/{teacher_username}/start/",
        &[Visitor::StudentB, Visitor::Blocked],
        403,
        "10.8: this teacher does not let them in",
    ),
];

/// Every operation, as everybody; nothing but what is written above is an exception. A world that
/// was changed is left, so both engines are asked for several.
async fn everybody(school: impl AsyncFn() -> TestBuilder) {
    let walk = EXCEPTIONS
        .iter()
        .fold(Walk::new(operations()), |walk, (route, visitors, status, reason)| {
            walk.except(route, visitors, *status, reason)
        });
    let matrix = walk.run(async || School::open(school().await).await).await;
    assert_snapshot!("matrix", matrix);
    matrix.assert();
}

#[tokio::test]
async fn everybody_on_sqlite() {
    everybody(async || on_sqlite()).await;
}

#[tokio::test]
async fn everybody_on_postgres() {
    everybody(async || on_postgres().await).await;
}

/// What a route that is not as it says looks like.
mod liars {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::{
        Router,
        http::{Method, StatusCode},
        routing::{get, put},
    };
    use edupro_http::{EduPro, extract::Teacher, openapi::Permission};

    use super::{
        Arc, Cast, Route, TestApp, Value, Visitor, Walk, World, assert_snapshot, async_trait, json,
    };

    /// A school, beside whose routes others count.
    struct Counting {
        cast: Cast,
        count: Arc<AtomicUsize>,
        _app: TestApp,
    }

    fn app(edupro: &EduPro, count: &Arc<AtomicUsize>) -> Router {
        let refuse_late = {
            let count = Arc::clone(count);
            async move || {
                count.fetch_add(1, Ordering::SeqCst);
                StatusCode::UNAUTHORIZED
            }
        };
        let bad_request = {
            let count = Arc::clone(count);
            async move || {
                count.fetch_add(1, Ordering::SeqCst);
                StatusCode::BAD_REQUEST
            }
        };
        let own = Router::new()
            .route("/open", get(async || "\"to everybody\""))
            .route("/anyones/{thing}", get(async |_: Teacher| "\"a teacher's\""))
            .route("/late", put(refuse_late))
            .route("/half", put(bad_request))
            .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR));
        edupro.guard(own).merge(edupro.router()).with_state(edupro.clone())
    }

    impl Counting {
        async fn open() -> Self {
            let count = Arc::<AtomicUsize>::default();
            let app = TestApp::new().await.inside(|edupro| app(edupro, &count));
            Self { cast: Cast::of(&app).await, count, _app: app }
        }
    }

    #[async_trait]
    impl World for Counting {
        fn cast(&self) -> &Cast {
            &self.cast
        }

        fn parameter(&self, _: &Route, name: &str) -> Option<String> {
            (name == "thing").then(|| "one".to_owned())
        }

        fn body(&self, _: &Route) -> Value {
            json!({"anything": 1})
        }

        async fn state(&self) -> String {
            format!("count {}", self.count.load(Ordering::SeqCst))
        }
    }

    #[tokio::test]
    async fn are_found() {
        let route = |path, permission| Route::new(Method::GET, path, permission);
        let routes = [
            route("/open", Permission::Teacher),
            route("/anyones/{thing}", Permission::Teacher).owned("thing"),
            Route::new(Method::PUT, "/late", Permission::SignedIn),
            Route::new(Method::PUT, "/half", Permission::Anyone),
            route("/broken", Permission::Anyone),
            route("/nowhere", Permission::Anyone),
            route("/things/{other}", Permission::Teacher),
            route("/anyones/{thing}", Permission::Teacher).owned("another"),
            route("/anyones/{thing}", Permission::Anyone).owned("thing"),
        ];
        let walk = Walk::new(routes)
            .except("GET /open", &[Visitor::TeacherA], 200, "not needed")
            .except("GET /open", &[Visitor::Admin], 404, "not so")
            .except("GET /closed", &[Visitor::Admin], 404, "nowhere");
        let matrix = walk.run(Counting::open).await;
        assert_snapshot!("liars", matrix.faults().collect::<Vec<_>>().join("\n"));
        assert_eq!(matrix.status("GET", "/open", Visitor::Nobody), Some(200));
        assert_eq!(matrix.status("GET", "/things/{other}", Visitor::Nobody), None);
        let refused = std::panic::catch_unwind(|| matrix.assert()).unwrap_err();
        let words = refused.downcast_ref::<String>().unwrap();
        assert!(matrix.faults().all(|fault| words.contains(&fault)), "{words}");
    }
}
