//! A school inside another service: its people in that service's handlers, its guards around them.

use axum::{
    Router,
    extract::{FromRef, Path, State},
    routing::{get, post},
};
use edupro_core::lessons;
use edupro_http::{
    ApiError, EduPro,
    extract::{Admin, SignedIn, Student, Teacher, Visitor},
    testkit::{Answer, Browser, PUBLIC_URL},
};
use insta::assert_snapshot;
use serde_json::json;
use uuid::Uuid;

use crate::support::{UNKNOWN, free_course, lesson, module, on_both_engines, redeem};

#[derive(Clone, FromRef)]
struct App {
    edupro: EduPro,
    greeting: String,
}

async fn hello(State(greeting): State<String>, Visitor(visitor): Visitor) -> String {
    let name = visitor.map_or_else(|| "you".to_owned(), |visitor| visitor.user.first_name.clone());
    format!("\"{greeting}, {name}!\"")
}

async fn transcript(
    State(edupro): State<EduPro>,
    SignedIn(visitor): SignedIn,
    Path(id): Path<Uuid>,
) -> Result<String, ApiError> {
    let school = edupro.school();
    let mut tx = school.storage.read().await?;
    let lesson = lessons::show(&mut *tx, &visitor.user, id, school.clock.now()).await?;
    Ok(format!("\"What is said in {}\"", lesson.title))
}

async fn for_students(Student(student): Student) -> String {
    format!("\"{}\"", student.username)
}

async fn for_teachers(Teacher(teacher): Teacher) -> String {
    format!("\"{}\"", teacher.username)
}

async fn for_admins(Admin(admin): Admin) -> String {
    format!("\"{}\"", admin.username)
}

fn app(edupro: &EduPro) -> Router {
    let own = Router::new()
        .route("/hello", get(hello))
        .route("/transcripts/{id}", get(transcript))
        .route("/students", post(for_students))
        .route("/teachers", get(for_teachers))
        .route("/admins", get(for_admins));
    let app = App { edupro: edupro.clone(), greeting: "Welcome".to_owned() };
    edupro.guard(own).merge(edupro.router()).with_state(app)
}

async fn ask(browser: &Browser, path: &str) -> Answer {
    browser.get(&format!("{PUBLIC_URL}{path}")).await
}

async fn post_to(browser: &Browser, path: &str) -> Answer {
    browser.post(&format!("{PUBLIC_URL}{path}"), json!({})).await
}

on_both_engines! {
    /// Who is there, and who is let in.
    async fn own_handlers(school) {
        let app = school.start().await.inside(app);
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let root = app.admin("root").await;
        let visitor = app.visitor();
        assert_eq!(ask(&visitor, "/hello").await.json(), "Welcome, you!");
        assert_eq!(ask(&omar, "/hello").await.json(), "Welcome, Omar!");
        assert_eq!(ask(&mona, "/teachers").await.json(), "mona");
        assert_eq!(ask(&root, "/admins").await.json(), "root");
        assert_eq!(post_to(&omar, "/students").await.json(), "omar");
        assert_snapshot!("nobody", ask(&visitor, "/teachers").await);
        assert_snapshot!("not_a_teacher", ask(&omar, "/teachers").await);
        assert_snapshot!("not_an_admin", ask(&mona, "/admins").await);
        assert_eq!(post_to(&mona, "/students").await.status(), 403);

        let gift = free_course(&mona).await;
        let sound = module(&mona, &gift, json!({})).await;
        let pipes = lesson(&mona, &sound, json!({"title": "Pipes"})).await;
        let path = format!("/transcripts/{pipes}");
        assert_eq!(ask(&mona, &path).await.json(), "What is said in Pipes");
        assert_snapshot!("not_enrolled", ask(&omar, &path).await);
        assert_snapshot!("unknown", ask(&omar, &format!("/transcripts/{UNKNOWN}")).await);
        redeem(&omar, &gift, "").await;
        assert_eq!(ask(&omar, &path).await.json(), "What is said in Pipes");
    }

    /// What stands around the school's handlers stands around these too.
    async fn guarded(school) {
        let app = school.start().await.inside(app);
        app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let elsewhere = omar.with_header("origin", "https://evil.example");
        assert_snapshot!("from_elsewhere", post_to(&elsewhere, "/students").await);
        let answer = ask(&omar, "/hello").await;
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert!(answer.header("x-request-id").is_some());
    }
}
