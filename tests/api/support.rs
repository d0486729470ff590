//! How a story is told on both engines.

use std::io::Cursor;

use chrono::{DateTime, Utc};
use edupro_http::testkit::{Answer, Browser, TestApp, TestBuilder};
use edupro_storage::{Database, DatabaseOptions};
use image::{ImageFormat, RgbImage};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

#[path = "../support/postgres.rs"]
mod postgres;

/// An id that nothing has.
pub(crate) const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

/// The titles in a list, in its order.
pub(crate) fn titles(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect()
}

/// A school on a new SQLite file.
pub(crate) fn on_sqlite() -> TestBuilder {
    TestApp::builder().witness(crate::truth::check)
}

/// A school on a new PostgreSQL database.
pub(crate) async fn on_postgres() -> TestBuilder {
    let url = postgres::database(async |template| {
        let database = Database::connect(&DatabaseOptions::new(template)).await.unwrap();
        database.migrate().await.unwrap();
        database.close().await;
    });
    TestApp::builder().witness(crate::truth::check).database(url.await)
}

/// Tells each story twice.
macro_rules! on_both_engines {
    ($($(#[$doc:meta])* async fn $name:ident($school:ident) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn story($school: edupro_http::testkit::TestBuilder) $body

            #[tokio::test]
            async fn sqlite() {
                story(crate::support::on_sqlite()).await;
            }

            #[tokio::test]
            async fn postgres() {
                story(crate::support::on_postgres().await).await;
            }
        }
    )*};
}
pub(crate) use on_both_engines;

/// What `POST` of JSON to `path` has made: its id.
async fn make(teacher: &Browser, path: &str, mut body: Value, defaults: Value) -> String {
    let Value::Object(defaults) = defaults else { panic!("an object") };
    let body_map = body.as_object_mut().unwrap();
    for (key, value) in defaults {
        body_map.entry(key).or_insert(value);
    }
    let made = teacher.post(path, body).await;
    assert_eq!(made.status(), 201, "{made}");
    made.json()["id"].as_str().unwrap().to_owned()
}

/// Makes a course and returns its id.
pub(crate) async fn course(teacher: &Browser, body: Value) -> String {
    let defaults = json!({"title": "Waves", "description": "Sound and light"});
    make(teacher, "/course/create/", body, defaults).await
}

/// Makes a module and returns its id.
pub(crate) async fn module(teacher: &Browser, course: &str, body: Value) -> String {
    let path = format!("/courses/{course}/modules/create/");
    make(teacher, &path, body, json!({"title": "A module"})).await
}

/// Makes a lesson and returns its id.
pub(crate) async fn lesson(teacher: &Browser, module: &str, body: Value) -> String {
    let path = format!("/modules/{module}/lessons/create/");
    make(teacher, &path, body, json!({"title": "A lesson"})).await
}

/// Makes a course that costs nothing and returns its id.
pub(crate) async fn free_course(teacher: &Browser) -> String {
    course(teacher, json!({"title": "Gift", "is_free": true})).await
}

/// Makes coupons and returns their numbers and codes.
pub(crate) async fn coupons(teacher: &Browser, count: usize, price: &str) -> Vec<(i64, String)> {
    let body = json!({"number_of_coupons": count, "price": price});
    let made = teacher.post("/coupon/create/", body).await;
    assert_eq!(made.status(), 201, "{made}");
    let name = |coupon: &Value| {
        (coupon["id"].as_i64().unwrap(), coupon["code"].as_str().unwrap().to_owned())
    };
    made.json().as_array().unwrap().iter().map(name).collect()
}

/// Makes one coupon and returns its number and code.
pub(crate) async fn coupon(teacher: &Browser, price: &str) -> (i64, String) {
    coupons(teacher, 1, price).await.remove(0)
}

/// So many students of a teacher.
pub(crate) async fn students(app: &TestApp, teacher: &str, count: usize) -> Vec<Browser> {
    let mut students = Vec::with_capacity(count);
    for number in 0..count {
        students.push(app.student(&format!("student{number}"), teacher).await);
    }
    students
}

/// 4.1
pub(crate) async fn redeem(student: &Browser, course: &str, code: &str) -> Answer {
    let body = json!({"course_id": course, "coupon_code": code});
    student.post("/course/course-enrollment/", body).await
}

/// 7.6
pub(crate) async fn redeem_module(student: &Browser, module: &str, code: &str) -> Answer {
    let body = json!({"module_id": module, "coupon_code": code});
    student.post("/course/module-enrollment/", body).await
}

/// Makes a quiz and returns its id.
pub(crate) async fn assessment(teacher: &Browser, body: Value) -> String {
    let defaults = json!({"title": "Waves", "assessment_type": "quiz"});
    make(teacher, "/teacher/assessments/", body, defaults).await
}

/// Makes a question with two options, of which the first is right, and returns its id.
pub(crate) async fn question(teacher: &Browser, assessment: &str, body: Value) -> String {
    let path = format!("/teacher/assessments/{assessment}/questions/");
    let defaults = match body["question_type"].as_str() {
        None => json!({
            "question_text": "What carries sound?",
            "question_type": "multiple_choice",
            "options": [{"option_text": "Air", "is_correct": true}, {"option_text": "Nothing"}],
        }),
        Some(_) => json!({"question_text": "What is sound?"}),
    };
    make(teacher, &path, body, defaults).await
}

/// Runs a statement behind the school's back.
pub(crate) async fn behind(app: &TestApp, statement: String) {
    let url = app.database_url();
    let statement = AssertSqlSafe(statement);
    if url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
    }
}

/// A UUID as a literal of the database.
pub(crate) fn uuid_literal(app: &TestApp, id: &str) -> String {
    match app.database_url().starts_with("sqlite") {
        true => format!("X'{}'", id.replace('-', "")),
        false => format!("'{id}'"),
    }
}

/// Enrols a student in a course, behind the school's back: nobody can do so yet by the front door.
pub(crate) async fn enroll(
    app: &TestApp,
    username: &str,
    course: &str,
    ends_at: Option<DateTime<Utc>>,
) {
    let course = uuid_literal(app, course);
    let time = |time: DateTime<Utc>| format!("'{}'", time.to_rfc3339());
    let statement = format!(
        "INSERT INTO course_enrollments (student_id, course_id, enrolled_at, ends_at, status,
                                         access_type, is_completed, is_active, progress)
         SELECT id, {course}, {}, {}, 'active', 'full_access', FALSE, TRUE, 0
         FROM users WHERE username = '{username}'",
        time(app.school().clock.now()),
        ends_at.map_or_else(|| "NULL".to_owned(), time),
    );
    behind(app, statement).await;
}

/// A box of an MPEG-4 file.
fn mp4_box(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
    [&length[..], &name, content].concat()
}

/// A film of so many seconds and no pictures.
pub(crate) fn film(seconds: u32) -> Vec<u8> {
    let mut header = vec![0; 100];
    header[12..16].copy_from_slice(&1000_u32.to_be_bytes());
    header[16..20].copy_from_slice(&(seconds * 1000).to_be_bytes());
    [
        mp4_box(*b"ftyp", b"isom\0\0\x02\0isomiso2mp41"),
        mp4_box(*b"moov", &mp4_box(*b"mvhd", &header)),
        mp4_box(*b"mdat", b""),
    ]
    .concat()
}

/// A paper without words.
pub(crate) fn pdf() -> Vec<u8> {
    b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n".to_vec()
}

/// A picture of one colour.
pub(crate) fn picture(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(8, 6, image::Rgb([200, 30, 90])).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
