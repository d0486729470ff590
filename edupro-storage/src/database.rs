//! The two pools behind a [`Database`], and how a transaction is opened on them.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    thread::available_parallelism,
    time::Duration,
};

use async_trait::async_trait;
use edupro_core::{
    Storage, StoreError, StoreResult, Transaction,
    access::AccessStore,
    accounts::{ResetStore, SessionStore, UserStore},
    assessments::{AssessmentStore, QuestionStore},
    attempts::AttemptStore,
    audit::AuditStore,
    categories::CategoryStore,
    coupons::CouponStore,
    courses::CourseStore,
    enrollments::EnrollmentStore,
    files::{FileNameStore, QuotaStore},
    grading::GradingStore,
    idempotency::IdempotencyStore,
    jobs::JobStore,
    lessons::LessonStore,
    limits::LimitStore,
    modules::ModuleStore,
    payment::orders::OrderStore,
    progress::ProgressStore,
    ratings::RatingStore,
    roster::RosterStore,
    students::StudentStore,
    teachers::TeacherStore,
    video::VideoStore,
};
use sqlx::{
    SqlitePool,
    pool::PoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    migrations,
    postgres::{Line, PostgresPool},
    sql::{Tx, store_error},
    sqlite::Turn,
};

/// How long a request waits for a connection before it is told to come back (security R41).
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a writer waits for its turn on SQLite, which has one at a time.
const SQLITE_WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// How large SQLite's journal stays once it has been written back: 64 MiB (security R43).
const JOURNAL_BYTES: &str = "67108864";
/// How long SQLite waits for another process (design section 5).
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How old a connection may get (security R41).
const MAX_LIFETIME: Duration = Duration::from_mins(30);

/// Where the database is.
#[derive(Clone)]
#[non_exhaustive]
pub struct DatabaseOptions {
    /// `sqlite://path/to/file.db` or `postgres://user:password@host/database`.
    pub url: String,
    /// PostgreSQL only: where to read, for instance a streaming replica. Default: `url`.
    pub read_url: Option<String>,
    /// Connections of each pool, at most. SQLite has one for writing, and no more for reading than
    /// the cores can keep busy.
    pub max_connections: u32,
}

impl DatabaseOptions {
    /// A database at `url`, with ten connections.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), read_url: None, max_connections: 10 }
    }
}

impl std::fmt::Debug for DatabaseOptions {
    /// URLs may hold passwords.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DatabaseOptions").finish_non_exhaustive()
    }
}

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL names neither engine.
    #[error("the database URL must begin with sqlite:// or postgres://")]
    Scheme,
    /// SQLite in memory is gone with its connection.
    #[error("a SQLite database must be a file, so that several connections can share it")]
    InMemory,
    /// Reading elsewhere needs PostgreSQL.
    #[error("database.read_url needs a PostgreSQL database")]
    ReadUrl,
    /// It cannot be reached or opened.
    #[error("the database cannot be opened")]
    Database(#[source] sqlx::Error),
}

/// One of the two engines, with a pool to read and a pool to write.
#[derive(Clone, Debug)]
pub struct Database {
    pub(crate) pools: Pools,
}

#[derive(Clone, Debug)]
pub(crate) enum Pools {
    Postgres { read: PostgresPool, write: PostgresPool },
    Sqlite { read: SqlitePool, write: SqlitePool, file: PathBuf },
}

impl Database {
    /// Connects by the URL's scheme. The schema is not touched: see [`Database::migrate`].
    pub async fn connect(options: &DatabaseOptions) -> Result<Self, ConnectError> {
        let url = &options.url;
        if is_postgres(url) {
            let read_url = options.read_url.as_deref().unwrap_or(url);
            let pools = postgres(url, read_url, options.max_connections);
            let pools = Box::pin(pools).await.map_err(ConnectError::Database)?;
            return Ok(Self { pools });
        }
        if !url.starts_with("sqlite:") {
            return Err(ConnectError::Scheme);
        }
        if url.contains(":memory:") || url.contains("mode=memory") {
            return Err(ConnectError::InMemory);
        }
        if options.read_url.is_some() {
            return Err(ConnectError::ReadUrl);
        }
        let pools = sqlite(url, options.max_connections).await.map_err(ConnectError::Database)?;
        Ok(Self { pools })
    }

    /// Brings the schema up to date. Several processes may do so at once: one does the work and
    /// the others wait for it.
    pub async fn migrate(&self) -> Result<(), migrations::MigrationError> {
        Box::pin(migrations::run(&self.pools)).await
    }

    /// Closes all connections once they are idle.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Postgres { read, write, .. } => {
                read.close().await;
                write.close().await;
            }
            Pools::Sqlite { read, write, .. } => {
                read.close().await;
                write.close().await;
            }
        }
    }
}

/// Whether a URL names PostgreSQL.
pub(crate) fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

async fn postgres(url: &str, read_url: &str, max_connections: u32) -> sqlx::Result<Pools> {
    let line = Line::new(url)?;
    // What one pool learns of a server is true for the other.
    let read_line = if read_url == url { Arc::clone(&line) } else { Line::new(read_url)? };
    let only_reads = [("default_transaction_read_only", "on")];
    let read = PostgresPool::open(&read_line, pool(max_connections), &only_reads).await?;
    let write = PostgresPool::open(&line, pool(max_connections), &[]).await?;
    write.warn_of_losses().await?;
    Ok(Pools::Postgres { read, write })
}

async fn sqlite(url: &str, max_connections: u32) -> sqlx::Result<Pools> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // With NORMAL a power cut may undo what was acknowledged; coupons are money.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(SQLITE_BUSY_TIMEOUT)
        .foreign_keys(true)
        // The journal is cut back after it has grown, for instance under a long backup (security R43).
        .pragma("journal_size_limit", JOURNAL_BYTES);
    let file = options.get_filename().to_owned();
    // A database in memory has a name of this kind, and belongs to one process.
    let lock = if file.to_string_lossy().starts_with("file:") {
        None
    } else {
        make_private(&file)?;
        // Two that turn a new file's journal on at once are not made to wait by SQLite.
        Some(migrations::lock_beside(&file).await?)
    };
    // The writer is opened first: it makes the journal.
    let write = pool::<sqlx::Sqlite>(1)
        .acquire_timeout(SQLITE_WRITE_TIMEOUT)
        .connect_with(options.clone())
        .await?;
    drop(lock);
    let read = pool::<sqlx::Sqlite>(max_connections.min(sqlite_readers()))
        .connect_with(options.pragma("query_only", "ON"))
        .await?;
    Ok(Pools::Sqlite { read, write, file })
}

/// A reader of SQLite computes and hardly waits, and each has a thread and memory of its own.
fn sqlite_readers() -> u32 {
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    u32::try_from(2 * cores).unwrap_or(u32::MAX).max(4)
}

/// Makes the file of a new database, which nobody but its owner may read, wherever it lies. SQLite
/// gives its journal the same rights.
fn make_private(file: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

fn pool<DB: sqlx::Database>(max_connections: u32) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(max_connections.max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_lifetime(MAX_LIFETIME)
        .test_before_acquire(false)
}

#[async_trait]
impl Storage for Database {
    async fn read(&self) -> StoreResult<Box<dyn Transaction>> {
        Ok(Box::new(match &self.pools {
            Pools::Postgres { read, .. } => Tx::PostgresRead(read.acquire().await?),
            Pools::Sqlite { read, .. } => {
                Tx::SqliteRead(read.acquire().await.map_err(store_error)?)
            }
        }))
    }

    async fn write(&self) -> StoreResult<Box<dyn Transaction>> {
        Ok(Box::new(match &self.pools {
            Pools::Postgres { write, .. } => Tx::PostgresWrite(write.begin().await?),
            Pools::Sqlite { write, .. } => Tx::SqliteWrite(Turn::begin(write).await?),
        }))
    }

    async fn check(&self) -> StoreResult<()> {
        migrations::check(&self.pools).await
    }
}

#[async_trait]
impl Transaction for Tx {
    fn users(&mut self) -> &mut dyn UserStore {
        self
    }

    fn sessions(&mut self) -> &mut dyn SessionStore {
        self
    }

    fn resets(&mut self) -> &mut dyn ResetStore {
        self
    }

    fn students(&mut self) -> &mut dyn StudentStore {
        self
    }

    fn teachers(&mut self) -> &mut dyn TeacherStore {
        self
    }

    fn roster(&mut self) -> &mut dyn RosterStore {
        self
    }

    fn categories(&mut self) -> &mut dyn CategoryStore {
        self
    }

    fn courses(&mut self) -> &mut dyn CourseStore {
        self
    }

    fn modules(&mut self) -> &mut dyn ModuleStore {
        self
    }

    fn lessons(&mut self) -> &mut dyn LessonStore {
        self
    }

    fn videos(&mut self) -> &mut dyn VideoStore {
        self
    }

    fn access(&mut self) -> &mut dyn AccessStore {
        self
    }

    fn coupons(&mut self) -> &mut dyn CouponStore {
        self
    }

    fn enrollments(&mut self) -> &mut dyn EnrollmentStore {
        self
    }

    fn orders(&mut self) -> &mut dyn OrderStore {
        self
    }

    fn progress(&mut self) -> &mut dyn ProgressStore {
        self
    }

    fn ratings(&mut self) -> &mut dyn RatingStore {
        self
    }

    fn assessments(&mut self) -> &mut dyn AssessmentStore {
        self
    }

    fn questions(&mut self) -> &mut dyn QuestionStore {
        self
    }

    fn attempts(&mut self) -> &mut dyn AttemptStore {
        self
    }

    fn grading(&mut self) -> &mut dyn GradingStore {
        self
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyStore {
        self
    }

    fn limits(&mut self) -> &mut dyn LimitStore {
        self
    }

    fn file_names(&mut self) -> &mut dyn FileNameStore {
        self
    }

    fn quotas(&mut self) -> &mut dyn QuotaStore {
        self
    }

    fn jobs(&mut self) -> &mut dyn JobStore {
        self
    }

    fn audit(&mut self) -> &mut dyn AuditStore {
        self
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Tx::commit(*self).await
    }
}
