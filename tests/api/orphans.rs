//! Files that no row names are deleted after a day, and no other file ever is (security R20).

use axum::http::Method;
use chrono::TimeDelta;
use edupro_core::files::{
    FileError, FileKey, FileKind, check_document, document_limit,
    orphans::{Swept, sweep},
};
use edupro_http::testkit::{Part, TestApp};
use edupro_storage::FILE_COLUMNS;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};

use crate::{
    attempts::started,
    support::{assessment, behind, course, film, module, on_both_engines, pdf, question},
};

/// Columns of texts that name no file of ours. Whoever adds a column to the schema adds it here or to
/// `FILE_COLUMNS`: what is forgotten there is deleted after a day. `papers.images` is asked by itself.
const OTHER_TEXTS: &[(&str, &str)] = &[
    (
        "answers",
        "blanks correct_answer grader question_text question_type remark selected state student_answer teacher_feedback text_answer ticket",
    ),
    ("assessments", "assessment_type description title"),
    ("attempts", "status teacher_feedback"),
    (
        "audit_log",
        "action actor_name address object_id object_kind student_name value_after value_before",
    ),
    ("categories", "name name_key"),
    ("coupons", "code status"),
    ("course_enrollments", "access_type status"),
    ("courses", "description search_text title"),
    ("grading_history", "feedback reason"),
    ("idempotency_keys", "body fingerprint key"),
    ("jobs", "last_error task"),
    ("lessons", "description title"),
    ("limits", "key"),
    ("module_enrollments", "status"),
    ("modules", "description title"),
    (
        "orders",
        "cancel_url charge course_title currency customer_email module_title problem provider session status success_url url",
    ),
    ("papers", "content images"),
    ("password_resets", "nonce"),
    ("payment_events", "event provider"),
    ("question_options", "option_text"),
    ("questions", "explanation marking question_text question_type"),
    ("ratings", "comment"),
    ("row_counts", "list"),
    ("sales", "coupon_code course_title module_title student_name"),
    ("sessions", "address user_agent"),
    ("student_profiles", "address bio city country full_name full_name_key gender search_text"),
    (
        "teacher_profiles",
        "accent_color address background_color bio city country experiance full_name full_name_key gender institution primary_color primary_color_dark primary_color_light secondary_color specialization",
    ),
    // Says whose a file is, and makes nobody want it.
    ("stored_files", "key"),
    ("teacher_students", "name_key notes search_text"),
    (
        "users",
        "email first_name last_name parent_phone password_hash phone slug user_type username username_key",
    ),
    ("videos", "provider status ticket title upload_id word"),
];

/// A file in the store that nothing names yet.
async fn store(app: &TestApp) -> FileKey {
    let school = app.school();
    let mut staging = school.files.stage(document_limit()).await.unwrap();
    staging.write(&pdf()).await.unwrap();
    let upload = staging.finish(Some("waves.pdf".to_owned())).await.unwrap();
    let file = check_document(upload).unwrap();
    school.store_file(None, FileKind::LessonDocument, file).await.unwrap()
}

async fn is_there(app: &TestApp, file: &FileKey) -> bool {
    match app.school().files.get(file, None).await {
        Ok(_) => true,
        Err(FileError::NotFound) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Files in memory are as old as the test, whatever the school's clock says: in a hundred years both
/// agree that they are old.
fn later(app: &TestApp) {
    app.clock().advance(TimeDelta::days(36_500));
}

/// A row in each table that can name a file.
async fn furnish(app: &TestApp) {
    let root = app.admin("root").await;
    let mona = app.teacher("mona").await;
    let omar = app.student("omar", "mona").await;
    root.post("/course/category/create/", json!({"name": "Physics"})).await;
    let course = course(&mona, json!({})).await;
    let module = module(&mona, &course, json!({})).await;
    let path = format!("/modules/{module}/lessons/create/");
    let film = film(60);
    let lesson = [Part::Text("title", "Waves"), Part::File("video", "waves.mp4", &film)];
    assert_eq!(mona.multipart(Method::POST, &path, &lesson).await.status(), 201);
    let quiz = assessment(&mona, json!({})).await;
    question(&mona, &quiz, json!({})).await;
    started(&omar, &quiz).await;
}

on_both_engines! {
    async fn what_a_row_names_stays_and_what_none_names_goes(school) {
        let app = school.start().await;
        furnish(&app).await;
        let row = if app.database_url().starts_with("sqlite") { "rowid" } else { "ctid" };
        let mut named = Vec::new();
        for (table, column) in FILE_COLUMNS {
            let file = store(&app).await;
            let first = format!("(SELECT MIN({row}) FROM {table})");
            behind(&app, format!("UPDATE {table} SET {column} = '{file}' WHERE {row} = {first}")).await;
            named.push((format!("{table}.{column}"), file));
        }
        let (one, other) = (store(&app).await, store(&app).await);
        behind(&app, format!("UPDATE papers SET images = '{one}\n{other}'")).await;
        named.extend([("papers.images".to_owned(), one), ("papers.images".to_owned(), other)]);
        let (orphan, second) = (store(&app).await, store(&app).await);

        // All of it is young: somebody may be about to commit.
        assert_eq!(sweep(app.school()).await.unwrap(), Swept::Deleted(0));
        later(&app);
        let young = store(&app).await;
        // With the two there is the film that the lesson had before.
        assert_eq!(sweep(app.school()).await.unwrap(), Swept::Deleted(3));
        for (column, file) in &named {
            assert!(is_there(&app, file).await, "{column} names {file}");
        }
        assert!(is_there(&app, &young).await);
        assert!(!is_there(&app, &orphan).await && !is_there(&app, &second).await);
        assert_eq!(sweep(app.school()).await.unwrap(), Swept::Deleted(0));
    }

    /// A store that was put beside an empty database.
    async fn most_files_are_never_deleted(school) {
        let app = school.start().await;
        let mut files = Vec::new();
        for _ in 0..101 {
            files.push(store(&app).await);
        }
        later(&app);
        let suspicious = Swept::Suspicious { named: 0, orphans: 101 };
        assert_eq!(sweep(app.school()).await.unwrap(), suspicious);
        assert!(is_there(&app, &files[0]).await);
        // A few are a school that has just begun.
        app.school().files.delete(&files[..1]).await.unwrap();
        assert_eq!(sweep(app.school()).await.unwrap(), Swept::Deleted(100));
    }
}

#[tokio::test]
async fn every_column_of_texts_is_known_to_name_a_file_or_not() {
    let app = TestApp::new().await;
    let mut database = SqliteConnection::connect(app.database_url()).await.unwrap();
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT tables.name || '.' || columns.name
         FROM sqlite_master tables JOIN pragma_table_info(tables.name) columns
         WHERE tables.type = 'table' AND columns.type IN ('TEXT', 'JSON', 'JSONB')
           AND tables.name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND tables.name NOT LIKE '%\\_search%' ESCAPE '\\'
         ORDER BY 1",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    let names = FILE_COLUMNS.iter().map(|(table, column)| format!("{table}.{column}"));
    let others = OTHER_TEXTS.iter().flat_map(|(table, columns)| {
        columns.split_whitespace().map(move |column| format!("{table}.{column}"))
    });
    let mut known: Vec<String> = names.chain(others).collect();
    known.sort();
    let unknown: Vec<_> = columns.iter().filter(|column| !known.contains(column)).collect();
    assert!(
        unknown.is_empty(),
        "can these name a stored file? Then they belong to FILE_COLUMNS, else to OTHER_TEXTS: {unknown:?}"
    );
    assert_eq!(known, columns, "a column is known twice, or is there no more");
}
