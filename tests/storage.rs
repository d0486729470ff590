//! What our own storage does beyond what every storage has to promise, which is
//! `tests/conformance`: schemas, indexes, URLs, connections that are lost.

#![cfg(test)]

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use edupro_core::{Page, PageNumber, Storage, StoreError, courses::CourseQuery};
use edupro_http::testkit::TestApp;
use edupro_storage::{ConnectError, Database, DatabaseOptions, MigrationError};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tracing::field::{Field, Visit};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

#[path = "support/postgres.rs"]
mod postgres;

/// A database with its schema, and what has to outlive it.
struct Opened {
    database: Database,
    url: String,
    _folder: TempDir,
}

async fn connect(url: &str) -> Database {
    Database::connect(&DatabaseOptions::new(url)).await.unwrap()
}

async fn migrate(url: &str) {
    let database = connect(url).await;
    database.migrate().await.unwrap();
    database.close().await;
}

fn sqlite_url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("edupro.db").display())
}

async fn on_sqlite() -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path());
    let database = connect(&url).await;
    database.migrate().await.unwrap();
    Opened { database, url, _folder: folder }
}

async fn on_postgres() -> Opened {
    let url = postgres::database(async |url| migrate(url).await).await;
    Opened { database: connect(&url).await, url, _folder: tempfile::tempdir().unwrap() }
}

/// Runs a statement beside the pools.
async fn run(url: &str, statement: &'static str) {
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

/// Runs a statement that may fail.
async fn try_to(url: &str, statement: String) -> sqlx::Result<()> {
    let statement = AssertSqlSafe(statement);
    if url.starts_with("sqlite") {
        SqliteConnection::connect(url).await?.execute(statement).await.map(drop)
    } else {
        PgConnection::connect(url).await?.execute(statement).await.map(drop)
    }
}

macro_rules! on_both_engines {
    ($($(#[$doc:meta])* async fn $name:ident($opened:ident) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn story($opened: Opened) $body

            #[tokio::test]
            async fn sqlite() {
                story(on_sqlite().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                story(on_postgres().await).await;
            }
        }
    )*};
}

/// A teacher, by way of the testkit, in the same database.
async fn teacher(opened: &Opened) {
    let app = TestApp::builder().database(&opened.url).start().await;
    app.teacher("mona").await;
}

on_both_engines! {
    /// A schema that a newer version left is refused, and the server is not ready.
    async fn newer_schema(opened) {
        assert!(opened.database.check().await.is_ok());
        let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                      SELECT 999, 'from the future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
        run(&opened.url, insert).await;
        assert!(opened.database.check().await.is_err());
        assert!(matches!(opened.database.migrate().await, Err(MigrationError::Newer(999))));
    }

    /// Several processes that start at once on an empty database make one schema.
    async fn starting_at_once(opened) {
        let wipe = if opened.url.starts_with("sqlite") {
            opened.database.close().await;
            let path = opened.url.trim_start_matches("sqlite://");
            for end in ["", "-wal", "-shm"] {
                drop(std::fs::remove_file(format!("{path}{end}")));
            }
            "SELECT 1"
        } else {
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
        };
        if !opened.url.starts_with("sqlite") {
            run(&opened.url, wipe).await;
        }
        let starts = (0..4).map(|_| {
            let url = opened.url.clone();
            tokio::spawn(async move {
                let database = connect(&url).await;
                database.migrate().await.unwrap();
                database.check().await.unwrap();
                database.close().await;
            })
        });
        for start in futures_util::future::join_all(starts).await {
            start.unwrap();
        }
    }
}

/// Keeps the statements of this thread.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Statement(Option<String>);
        impl Visit for Statement {
            fn record_str(&mut self, field: &Field, value: &str) {
                if field.name() == "statement" {
                    self.0 = Some(value.to_owned());
                }
            }
            fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
        }
        let mut statement = Statement(None);
        event.record(&mut statement);
        self.0.lock().unwrap().extend(statement.0);
    }
}

/// The statement that counts the courses in which a word occurs.
async fn search_statement(opened: &Opened) -> String {
    let statements = Statements::default();
    let subscriber = tracing_subscriber::registry().with(statements.clone());
    let guard = tracing::subscriber::set_default(subscriber);
    let mut query = CourseQuery::newest(Page { number: PageNumber::Nth(1), size: 5 });
    query.words.push("light".into());
    opened.database.read().await.unwrap().courses().list(&query).await.unwrap();
    drop(guard);
    let statements = statements.0.lock().unwrap();
    statements.iter().find(|text| text.contains("COUNT(*)")).unwrap().clone()
}

/// A search asks the index of trigrams and does not read every course.
#[tokio::test]
async fn searches_use_their_index_on_sqlite() {
    let opened = on_sqlite().await;
    let explain = format!("EXPLAIN QUERY PLAN {}", search_statement(&opened).await);
    let mut connection = SqliteConnection::connect(&opened.url).await.unwrap();
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(AssertSqlSafe(explain))
        .bind("\"light\"")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let plan: Vec<String> = plan.into_iter().map(|row| row.3).collect();
    assert!(
        plan.iter().any(|step| step.contains("courses_search VIRTUAL TABLE INDEX")),
        "{plan:?}"
    );
    assert!(!plan.iter().any(|step| step == "SCAN c"), "{plan:?}");
}

#[tokio::test]
async fn searches_use_their_index_on_postgresql() {
    let opened = on_postgres().await;
    teacher(&opened).await;
    run(
        &opened.url,
        "INSERT INTO courses (id, teacher_id, title, description, search_text, price, is_free,
                              is_published, created_at, updated_at, total_enrollments,
                              total_lessons, total_duration, total_reviews, average_rating,
                              total_revenue)
         SELECT md5(n::text)::uuid, 1, 'A course', md5(n::text), md5(n::text), 0, FALSE, TRUE,
                to_timestamp(n), to_timestamp(n), 0, 0, 0, 0, 0, 0
         FROM generate_series(1, 20000) n",
    )
    .await;
    run(&opened.url, "ANALYZE courses").await;
    let explain = format!("EXPLAIN {}", search_statement(&opened).await);
    let mut connection = PgConnection::connect(&opened.url).await.unwrap();
    let plan: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(explain))
        .bind("%light%")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert!(plan.iter().any(|(step,)| step.contains("courses_search_idx")), "{plan:?}");
}

#[tokio::test]
async fn urls_that_name_no_database_are_refused() {
    let connect = async |url: &str| Database::connect(&DatabaseOptions::new(url)).await.err();
    assert!(matches!(connect("mysql://localhost/school").await, Some(ConnectError::Scheme)));
    assert!(matches!(connect("sqlite::memory:").await, Some(ConnectError::InMemory)));
    assert!(matches!(connect("sqlite://x?mode=memory").await, Some(ConnectError::InMemory)));
    let mut options = DatabaseOptions::new("sqlite://nowhere.db");
    options.read_url = Some("postgres://localhost/school".into());
    assert!(matches!(Database::connect(&options).await, Err(ConnectError::ReadUrl)));
    let unreachable = connect("postgres://127.0.0.1:9/school").await;
    assert!(matches!(unreachable, Some(ConnectError::Database(_))));
}

/// A database that went away is "not available", at once, and comes back by itself.
#[tokio::test]
async fn a_lost_connection_is_not_the_end() {
    let opened = on_postgres().await;
    opened.database.check().await.unwrap();
    run(
        &opened.url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(opened.database.check().await);
    }
    let lost = answers.iter().filter(|answer| answer.is_err());
    assert!(
        lost.clone().all(|answer| matches!(answer, Err(StoreError::Unavailable(_)))),
        "{answers:?}"
    );
    assert!(answers.last().unwrap().is_ok());
}

/// After a fail-over the old server only reads: no connection to it is used a second time (security
/// R41, T9).
#[tokio::test]
async fn a_server_that_was_demoted_is_left() {
    let opened = on_postgres().await;
    opened.database.close().await;
    let mut options = DatabaseOptions::new(&opened.url);
    options.max_connections = 3;
    let database = Database::connect(&options).await.unwrap();
    let count = async || {
        let mut tx = database.write().await?;
        let now = chrono::DateTime::UNIX_EPOCH;
        tx.limits().count("demotion", now, now).await?;
        tx.commit().await
    };
    // Three connections, all of them to the server as it is now.
    let (one, two, three) = tokio::join!(database.write(), database.write(), database.write());
    drop((one.unwrap(), two.unwrap(), three.unwrap()));
    run(
        &opened.url,
        "CREATE TABLE demoted AS SELECT pid FROM pg_stat_activity WHERE datname = current_database();
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF EXISTS (SELECT 1 FROM demoted WHERE pid = pg_backend_pid()) THEN
                 RAISE EXCEPTION 'cannot execute INSERT in a read-only transaction'
                     USING ERRCODE = '25006';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON limits FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await;
    assert!(matches!(count().await, Err(StoreError::Unavailable(_))));
    // One refusal is enough to leave all of them.
    for _ in 0..6 {
        count().await.unwrap();
    }
}

/// Nobody waits for somebody else's lock for longer than two seconds (security R41, T8).
#[tokio::test]
async fn a_lock_that_is_held_is_waited_for_two_seconds() {
    let opened = on_postgres().await;
    let mut holder = PgConnection::connect(&opened.url).await.unwrap();
    holder.execute("BEGIN; LOCK TABLE limits IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let begun = std::time::Instant::now();
    let mut tx = opened.database.write().await.unwrap();
    let now = chrono::DateTime::UNIX_EPOCH;
    let counted = tx.limits().count("lock", now, now).await;
    assert!(matches!(counted, Err(StoreError::Contended(_))), "{counted:?}");
    let waited = begun.elapsed();
    assert!((2..4).contains(&waited.as_secs()), "{waited:?}");
}

on_both_engines! {
    /// What was sold cannot be changed or taken back, whoever asks the database (security R31).
    async fn a_ledger_that_only_grows(opened) {
        let course = if opened.url.starts_with("sqlite") { "x'00'" } else { "gen_random_uuid()" };
        let sale = format!(
            "INSERT INTO sales (teacher_id, student_id, student_name, course_id, course_title,
                                amount, sold_at)
             VALUES (1, 2, 'Omar', {course}, 'Waves', 100, '2026-01-01T00:00:00Z')"
        );
        try_to(&opened.url, sale).await.unwrap();
        for statement in ["UPDATE sales SET amount = 0", "DELETE FROM sales"] {
            let error = try_to(&opened.url, statement.to_owned()).await.unwrap_err();
            assert!(error.to_string().contains("the ledger is append-only"), "{error}");
        }
    }
}
