use std::sync::Arc;

use async_trait::async_trait;
use edupro_core::{Storage, StoreError, StoreResult, Transaction, conformance::storage};
use edupro_storage::{Database, DatabaseOptions};
use sqlx::{Connection, Executor, SqliteConnection};
use tempfile::TempDir;

use crate::complaint;

#[path = "../support/postgres.rs"]
mod postgres;

async fn connect(url: &str) -> Database {
    Database::connect(&DatabaseOptions::new(url)).await.unwrap()
}

pub(crate) async fn on_sqlite() -> (TempDir, String, Database) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("edupro.db").display());
    let database = connect(&url).await;
    database.migrate().await.unwrap();
    (folder, url, database)
}

async fn on_postgres() -> Database {
    let url = postgres::database(async |template| {
        let database = connect(template).await;
        database.migrate().await.unwrap();
        database.close().await;
    });
    connect(&url.await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let (_folder, _, database) = on_sqlite().await;
    let database: Arc<dyn Storage> = Arc::new(database);
    storage::all(&database).await;
    // Not only on an empty one.
    storage::all(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let database: Arc<dyn Storage> = Arc::new(on_postgres().await);
    storage::all(&database).await;
    storage::all(&database).await;
}

/// A promise that is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    NotReady,
    CannotWrite,
    ReadersWrite,
    ReadsElsewhere,
}

/// A storage that keeps all promises but one.
#[derive(Debug)]
struct Liar(Database, Database, Lie);

#[async_trait]
impl Storage for Liar {
    async fn read(&self) -> StoreResult<Box<dyn Transaction>> {
        match self.2 {
            Lie::ReadersWrite => self.0.write().await,
            Lie::ReadsElsewhere => self.1.read().await,
            _ => self.0.read().await,
        }
    }

    async fn write(&self) -> StoreResult<Box<dyn Transaction>> {
        if self.2 == Lie::CannotWrite { self.0.read().await } else { self.0.write().await }
    }

    async fn check(&self) -> StoreResult<()> {
        match self.2 {
            Lie::NotReady => Err(StoreError::Unavailable("the door is locked".into())),
            _ => self.0.check().await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_that_is_not_kept_is_noticed() {
    for (lie, expected) in [
        (Lie::NotReady, "the storage is not ready"),
        (Lie::CannotWrite, "nothing can be counted"),
        (Lie::ReadersWrite, "what was opened for reading writes"),
        (Lie::ReadsElsewhere, "a counter, kept or not"),
    ] {
        let (one, other) = (on_postgres().await, on_postgres().await);
        let liar: Arc<dyn Storage> = Arc::new(Liar(one, other, lie));
        let words = complaint(async move { storage::all(&liar).await }).await;
        assert!(words.contains(expected), "{lie:?}: {words}");
    }
}

/// What each line of the schema is there for.
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_lacks_something_is_noticed() {
    let add_twice = "CREATE TABLE twice (id, task, is_slow, tries, created_at, due_at, expires_at,
                                         failed_at, last_error);
                     DROP TABLE jobs; ALTER TABLE twice RENAME TO jobs";
    for (damage, expected) in [
        ("DROP INDEX users_email_key", "two people have one name"),
        ("DROP INDEX users_username_key", "two people have one name"),
        ("DROP INDEX users_phone_key", "two people have one name"),
        ("DROP INDEX users_slug_key", "two people have one name"),
        (add_twice, "a job that is there already"),
        (
            "CREATE TRIGGER t AFTER UPDATE ON limits WHEN new.count > old.count
             BEGIN UPDATE limits SET count = old.count + 2 WHERE key = new.key; END",
            "of many who count at once each counts once",
        ),
        (
            "CREATE TRIGGER t AFTER UPDATE OF due_at ON jobs WHEN new.tries > old.tries
             BEGIN UPDATE jobs SET due_at = old.due_at WHERE id = new.id; END",
            "a job is claimed twice",
        ),
        (
            "CREATE TRIGGER t AFTER UPDATE ON idempotency_keys
             BEGIN UPDATE idempotency_keys SET body = new.body WHERE key = new.key; \
                   UPDATE idempotency_keys SET status = 500 WHERE key = new.key; END",
            "an answer",
        ),
    ] {
        let (_folder, url, database) = on_sqlite().await;
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        connection.execute(damage).await.unwrap();
        connection.close().await.unwrap();
        let database: Arc<dyn Storage> = Arc::new(database);
        let words = complaint(async move { storage::all(&database).await }).await;
        assert!(words.contains(expected), "{damage}: {words}");
    }
}
