//! What the storage promises beneath the rules, on both engines.

#![cfg(test)]

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use edupro_core::{
    Page, PageNumber, Storage, StoreError, SystemEntropy,
    accounts::{Reset, Session, User, UserId},
    courses::CourseQuery,
    jobs::{Lane, NewJob, Task},
    storage::atomically,
};
use edupro_http::testkit::TestApp;
use edupro_storage::{ConnectError, Database, DatabaseOptions, MigrationError};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::Barrier;
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

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_767_427_200_123_456).unwrap()
}

/// Two people, by way of the testkit, in the same database.
async fn people(opened: &Opened) -> [User; 2] {
    let app = TestApp::builder().database(&opened.url).start().await;
    app.teacher("mona").await;
    app.teacher("hana").await;
    let mut tx = opened.database.read().await.unwrap();
    tx.users().all().await.unwrap().try_into().unwrap()
}

fn job(task: Task) -> NewJob {
    use edupro_core::Entropy;
    NewJob {
        id: SystemEntropy.uuid(now()),
        task,
        created_at: now(),
        due_at: now(),
        expires_at: None,
    }
}

on_both_engines! {
    /// Dropping undoes, only committing keeps.
    async fn units(opened) {
        let key = "units";
        let mut tx = opened.database.write().await.unwrap();
        tx.limits().count(key, now(), now() + TimeDelta::hours(1)).await.unwrap();
        drop(tx);
        let tally = opened.database.read().await.unwrap().limits().tally(key, now()).await.unwrap();
        assert_eq!(tally, None);
        let mut tx = opened.database.write().await.unwrap();
        tx.limits().count(key, now(), now() + TimeDelta::hours(1)).await.unwrap();
        tx.commit().await.unwrap();
        let tally = opened.database.read().await.unwrap().limits().tally(key, now()).await.unwrap();
        assert_eq!(tally.map(|tally| tally.count), Some(1));
    }

    /// What was opened for reading cannot write.
    async fn readers(opened) {
        let mut tx = opened.database.read().await.unwrap();
        let written = tx.limits().count("readers", now(), now()).await;
        assert!(written.is_err());
    }

    /// A counter begins anew with its window, and is swept out after it.
    async fn counters(opened) {
        let mut tx = opened.database.write().await.unwrap();
        let window = TimeDelta::minutes(15);
        for expected in 1..=3 {
            let tally = tx.limits().count("k", now(), now() + window).await.unwrap();
            assert_eq!(tally.count, expected);
        }
        tx.limits().give_back("k").await.unwrap();
        tx.limits().give_back("nobody").await.unwrap();
        let later = now() + window;
        assert_eq!(tx.limits().tally("k", later).await.unwrap(), None);
        let tally = tx.limits().count("k", later, later + window).await.unwrap();
        assert_eq!((tally.count, tally.window_ends), (1, later + window));
        assert_eq!(tx.limits().purge(later).await.unwrap(), 0);
        assert_eq!(tx.limits().purge(later + window).await.unwrap(), 1);
    }

    /// Old sessions and codes are swept out, live ones stay.
    async fn housekeeping(opened) {
        use edupro_core::Entropy;
        let [_, user] = people(&opened).await;
        let mut tx = opened.database.write().await.unwrap();
        let session = Session {
            id: SystemEntropy.uuid(now()),
            user: user.id,
            generation: 0,
            created_at: now(),
            rotated_at: now(),
            expires_at: now() + TimeDelta::days(1),
            user_agent: Some("a browser".into()),
        };
        tx.sessions().add(&session).await.unwrap();
        let found = tx.sessions().find_live(session.id, now()).await.unwrap();
        assert_eq!(found, Some((session.clone(), user.clone())));
        assert_eq!(tx.sessions().find_live(session.id, session.expires_at).await.unwrap(), None);
        assert_eq!(tx.sessions().purge(now()).await.unwrap(), 0);
        // Theirs from the testkit last for a week.
        assert_eq!(tx.sessions().purge(now() + TimeDelta::days(2)).await.unwrap(), 1);

        let reset = Reset { user: user.id, nonce: "n".into(), expires_at: now() };
        tx.resets().replace(&reset).await.unwrap();
        assert_eq!(tx.resets().find(user.id).await.unwrap(), Some(reset.clone()));
        assert!(tx.resets().consume(&reset, now()).await.unwrap());
        assert!(!tx.resets().consume(&reset, now()).await.unwrap());
        assert_eq!(tx.resets().find(user.id).await.unwrap(), None);
        assert_eq!(tx.resets().purge(now()).await.unwrap(), 0);
        assert_eq!(tx.resets().purge(now() + TimeDelta::seconds(1)).await.unwrap(), 1);
    }

    /// A claimed job is nobody else's until the claim runs out; one that was given up is nobody's.
    async fn jobs(opened) {
        let job = job(Task::SendPasswordChanged { user: UserId(1) });
        let until = now() + TimeDelta::minutes(1);
        let mut tx = opened.database.write().await.unwrap();
        assert_eq!(tx.jobs().next_due(Lane::Quick).await.unwrap(), None);
        tx.jobs().add(std::slice::from_ref(&job)).await.unwrap();
        let claimed = tx.jobs().claim(Lane::Quick, now(), until).await.unwrap().unwrap();
        assert_eq!((claimed.id, &claimed.task, claimed.tries), (job.id, &job.task, 1));
        assert!(tx.jobs().claim(Lane::Quick, now(), until).await.unwrap().is_none());
        assert_eq!(tx.jobs().next_due(Lane::Quick).await.unwrap(), Some(until));
        let claimed = tx.jobs().claim(Lane::Quick, until, until + TimeDelta::minutes(1)).await.unwrap().unwrap();
        assert_eq!(claimed.tries, 2);
        tx.jobs().retry(job.id, now(), "busy").await.unwrap();
        assert!(tx.jobs().claim(Lane::Quick, now(), until).await.unwrap().is_some());
        tx.jobs().give_up(job.id, now(), "hopeless").await.unwrap();
        assert_eq!(tx.jobs().next_due(Lane::Quick).await.unwrap(), None);
        tx.jobs().finish(job.id).await.unwrap();
    }

    /// Two that want each other's rows: one is undone and runs again, and both are done.
    async fn deadlocks(opened) {
        let [one, two] = people(&opened).await.map(|user| user.id);
        let barrier = Barrier::new(2);
        let both = async |first: UserId, second: UserId| {
            let met = std::sync::atomic::AtomicBool::new(false);
            let done = atomically(&SystemEntropy, || async {
                let mut tx = opened.database.write().await?;
                tx.users().set_last_login(first, now()).await?;
                // On SQLite writers come one after another, so they cannot meet here.
                if !opened.url.starts_with("sqlite") && !met.swap(true, std::sync::atomic::Ordering::Relaxed) {
                    barrier.wait().await;
                }
                tx.users().set_last_login(second, now()).await?;
                tx.commit().await
            });
            done.await
        };
        let (left, right) = futures_util::join!(both(one, two), both(two, one));
        left.unwrap();
        right.unwrap();
    }

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
    people(&opened).await;
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
