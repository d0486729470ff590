//! What a database is like: asked on a connection of its own, without the pools, and without
//! changing anything. Facts only; what is good or bad about them is for whoever asks to say.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use edupro_core::Clock;
use sqlx::{
    Connection, PgConnection, SqliteConnection, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use tokio::time::timeout;

use crate::{
    ConnectError,
    database::is_postgres,
    migrations::{self, Schema},
};

/// How long a database may take to answer the call.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long all other questions may take together.
const QUESTIONS_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may take to look at every page of a SQLite database.
const DAMAGE_TIMEOUT: Duration = Duration::from_mins(1);
/// So many damages are named; more do not help.
const DAMAGES: usize = 3;

/// What PostgreSQL may be set to that decides what a crash loses.
const POSTGRES_SETTINGS: &str = "SELECT name, setting FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'max_connections')
    ORDER BY name";

/// What was found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Examination {
    /// The engine and its version.
    pub engine: String,
    /// The schema beside the one this version needs.
    pub schema: Schema,
    /// Why nothing can be written to it; `None` when it can.
    pub refuses_writes: Option<String>,
    /// How far its clock is ahead of ours; `None` when it is the same clock.
    pub clock_ahead: Option<TimeDelta>,
    /// Its settings that matter, each with its value.
    pub settings: Vec<(String, String)>,
    /// What is broken in it, the first few of it; `None` when there was no time to look.
    pub damage: Option<Vec<String>>,
}

impl Examination {
    /// What a setting is set to.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Why a database could not be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExaminationError {
    /// There is no such file.
    #[error("there is no {}", .0.display())]
    Absent(PathBuf),
    /// It cannot be reached or opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It did not answer in time.
    #[error("it does not answer within {0:?}")]
    Slow(Duration),
    /// A question failed.
    #[error("it cannot be asked")]
    Question(#[source] sqlx::Error),
}

/// Looks at the database at `url`. Nothing is made, migrated or changed.
pub async fn examine(url: &str, clock: &dyn Clock) -> Result<Examination, ExaminationError> {
    if is_postgres(url) {
        let options = PgConnectOptions::from_str(url).map_err(ConnectError::Database)?;
        let mut connection =
            opened(PgConnection::connect_with(&options.application_name("edupro doctor"))).await?;
        let found = asked(postgres(&mut connection, clock)).await;
        // Whatever it says to that, it has been looked at.
        drop(timeout(CONNECT_TIMEOUT, connection.close()).await);
        return found;
    }
    let options = SqliteConnectOptions::from_str(url).map_err(ConnectError::Database)?;
    let file = options.get_filename().to_owned();
    if !file.exists() {
        return Err(ExaminationError::Absent(file));
    }
    let options = options.create_if_missing(false).busy_timeout(CONNECT_TIMEOUT);
    let mut connection = opened(SqliteConnection::connect_with(&options)).await?;
    let mut found = asked(sqlite(&mut connection, &file)).await;
    if let Ok(found) = &mut found {
        // Where there was no time, the engine is still busy with it.
        if let Ok(damage) = timeout(DAMAGE_TIMEOUT, damage(&mut connection)).await {
            found.damage = Some(damage.map_err(ExaminationError::Question)?);
        }
    }
    // The last one out writes the journal into the file, as a server does that stops.
    drop(timeout(CONNECT_TIMEOUT, connection.close()).await);
    found
}

async fn opened<C>(
    connecting: impl Future<Output = sqlx::Result<C>>,
) -> Result<C, ExaminationError> {
    match timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(opened) => Ok(opened.map_err(ConnectError::Database)?),
        Err(_) => Err(ExaminationError::Slow(CONNECT_TIMEOUT)),
    }
}

async fn asked(
    questions: impl Future<Output = sqlx::Result<Examination>>,
) -> Result<Examination, ExaminationError> {
    match timeout(QUESTIONS_TIMEOUT, questions).await {
        Ok(found) => found.map_err(ExaminationError::Question),
        Err(_) => Err(ExaminationError::Slow(QUESTIONS_TIMEOUT)),
    }
}

async fn postgres(connection: &mut PgConnection, clock: &dyn Clock) -> sqlx::Result<Examination> {
    let (version,): (String,) = sqlx::query_as("SELECT current_setting('server_version')")
        .fetch_one(&mut *connection)
        .await?;
    let before = clock.now();
    let (there,): (DateTime<Utc>,) =
        sqlx::query_as("SELECT clock_timestamp()").fetch_one(&mut *connection).await?;
    // It looked at its clock on the way, so half of the way is taken off.
    let here = before + (clock.now() - before) / 2;
    let settings = sqlx::query_as(POSTGRES_SETTINGS).fetch_all(&mut *connection).await?;
    let (is_replica, is_read_only): (bool, bool) = sqlx::query_as(
        "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'",
    )
    .fetch_one(&mut *connection)
    .await?;
    let (may_create,): (Option<bool>,) =
        sqlx::query_as("SELECT has_schema_privilege(current_schema(), 'CREATE')")
            .fetch_one(&mut *connection)
            .await?;
    let refuses_writes = if is_replica {
        Some("it is a replica, which only reads")
    } else if is_read_only {
        Some("its transactions are read-only")
    } else if may_create != Some(true) {
        Some("its user may not create tables there, so the schema cannot be brought up to date")
    } else {
        None
    };
    Ok(Examination {
        engine: format!("PostgreSQL {version}"),
        schema: migrations::schema_on_postgres(connection).await?,
        refuses_writes: refuses_writes.map(str::to_owned),
        clock_ahead: Some(there - here),
        settings,
        damage: Some(Vec::new()),
    })
}

async fn sqlite(connection: &mut SqliteConnection, file: &Path) -> sqlx::Result<Examination> {
    let (version,): (String,) =
        sqlx::query_as("SELECT sqlite_version()").fetch_one(&mut *connection).await?;
    let (journal,): (String,) =
        sqlx::query_as("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
    let refuses_writes = match connection.begin_with("BEGIN IMMEDIATE").await {
        Ok(transaction) => {
            transaction.rollback().await?;
            None
        }
        Err(error) => Some(format!("nothing can be written to {}: {error}", file.display())),
    };
    Ok(Examination {
        engine: format!("SQLite {version}"),
        schema: migrations::schema_on_sqlite(connection).await?,
        refuses_writes,
        clock_ahead: None,
        settings: vec![("journal_mode".to_owned(), journal)],
        damage: None,
    })
}

/// What SQLite finds broken when it looks at every page and every reference.
async fn damage(connection: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    let pages: Vec<(String,)> =
        sqlx::query_as("PRAGMA quick_check(3)").fetch_all(&mut *connection).await?;
    let references: Vec<(String, Option<i64>, String)> =
        sqlx::query_as("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT 3")
            .fetch_all(&mut *connection)
            .await?;
    let pages = pages.into_iter().map(|(words,)| words).filter(|words| words != "ok");
    let references = references.into_iter().map(|(table, row, parent)| {
        let row = row.map_or_else(|| "a row".to_owned(), |row| format!("row {row}"));
        format!("{row} of {table} refers to nothing in {parent}")
    });
    Ok(pages.chain(references).take(DAMAGES).collect())
}
