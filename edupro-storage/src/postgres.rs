//! PostgreSQL is on the other end of a line: it may be silent, restart, or no longer be the one that
//! writes. sqlx waits for an answer as long as TCP does, so patience is ours (security R41, R42).

use std::{
    io,
    pin::pin,
    str::FromStr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use edupro_core::StoreError;
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool, Postgres,
    pool::PoolConnection, postgres::PgConnectOptions,
};
use tokio::time::timeout;

use crate::sql::store_error;

/// A connection that was idle for longer is asked whether it is still there (security R41).
const IDLE_BEFORE_PING: Duration = Duration::from_secs(5);
/// How long that answer may take, and a new connection when another one is silent.
const PING_TIMEOUT: Duration = Duration::from_millis(500);
/// After so long without an answer to a statement the server is asked whether it is there at all.
/// Together with that question it is well below the three seconds of security R42.
const PATIENCE: Duration = Duration::from_millis(1500);
/// The server ends a statement after five seconds; a connection that says nothing for longer than
/// this is dead, however well the server is.
const SILENCE_MAX: Duration = Duration::from_secs(6);
/// The same for a commit, which is below what the server allows: a commit that waits for a standby
/// is answered with success when its time is over, and what was acknowledged must not be lost.
const COMMIT_MAX: Duration = Duration::from_secs(4);
/// How long a connection may take to undo what was not committed, before it is dropped.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a statement, a lock or a forgotten transaction may not hold a request up for (security R41).
const LIMITS: [(&str, &str); 3] = [
    ("statement_timeout", "5000"),
    ("lock_timeout", "2000"),
    ("idle_in_transaction_session_timeout", "10000"),
];

/// The same for whoever changes the schema: that takes as long as it takes, but a lock which nobody
/// gives back is an error and no start that hangs for ever.
const MIGRATION_LIMITS: &str = "SET statement_timeout = 0; SET lock_timeout = '5min'";

/// What a crash would lose, by setting.
const DURABILITY: &str = "SELECT name, setting FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
    ORDER BY name";

/// Connections to one server.
#[derive(Clone, Debug)]
pub(crate) struct PostgresPool {
    pool: PgPool,
    line: Arc<Line>,
}

impl PostgresPool {
    /// Opens one. The line says where the server is.
    pub(crate) async fn open(
        line: &Arc<Line>,
        pool: sqlx::pool::PoolOptions<Postgres>,
        settings: &[(&str, &str)],
    ) -> sqlx::Result<Self> {
        let options = line.options.clone().options(LIMITS.iter().chain(settings).copied());
        let checked = Arc::clone(line);
        let pool = pool
            .before_acquire(move |connection, meta| {
                let line = Arc::clone(&checked);
                Box::pin(async move {
                    if line.is_doubted(meta.age) {
                        return Ok(false);
                    }
                    if meta.idle_for <= IDLE_BEFORE_PING {
                        return Ok(true);
                    }
                    let ping = timeout(PING_TIMEOUT, connection.ping()).await;
                    Ok(matches!(ping, Ok(Ok(()))))
                })
            })
            .connect_with(options)
            .await?;
        Ok(Self { pool, line: Arc::clone(line) })
    }

    /// A connection to read from.
    pub(crate) async fn acquire(&self) -> Result<Lease, StoreError> {
        let connection = self.pool.acquire().await.map_err(store_error)?;
        let line = Arc::clone(&self.line);
        Ok(Lease { connection: Some(connection), line, is_sound: true, is_open: false })
    }

    /// A transaction.
    pub(crate) async fn begin(&self) -> Result<Lease, StoreError> {
        let mut lease = self.acquire().await?;
        lease.run(|connection| connection.execute("BEGIN")).await.map_err(store_error)?;
        lease.is_open = true;
        Ok(lease)
    }

    /// A connection beside the pool, for whoever changes the schema.
    pub(crate) async fn connect_to_migrate(&self) -> sqlx::Result<PgConnection> {
        let mut connection = self.line.options.connect().await?;
        connection.execute(MIGRATION_LIMITS).await?;
        Ok(connection)
    }

    /// Warns of settings with which a crash of the server's machine loses what was acknowledged.
    pub(crate) async fn warn_of_losses(&self) -> sqlx::Result<()> {
        let off: Vec<(String, String)> = sqlx::query_as(DURABILITY).fetch_all(&self.pool).await?;
        for (setting, _) in off {
            tracing::warn!(
                setting,
                "PostgreSQL may lose what was acknowledged when its machine fails; turn this setting on"
            );
        }
        Ok(())
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// The way to a server, and what is known of it.
#[derive(Debug)]
pub(crate) struct Line {
    options: PgConnectOptions,
    /// When it was last asked, and whether it was there. Whoever asks holds the lock, so however
    /// many statements are waiting, it is asked once.
    asked: tokio::sync::Mutex<Option<(Instant, bool)>>,
    /// Connections that are older may lead to a server that is gone or does not write any more.
    doubted: Mutex<Option<Instant>>,
    /// There was trouble, and nothing was written since.
    is_troubled: AtomicBool,
}

impl Line {
    pub(crate) fn new(url: &str) -> sqlx::Result<Arc<Self>> {
        let options = PgConnectOptions::from_str(url)?.application_name("edupro");
        Ok(Arc::new(Self {
            options,
            asked: <_>::default(),
            doubted: <_>::default(),
            is_troubled: <_>::default(),
        }))
    }

    /// Waits for an answer, but not on a line that is dead.
    async fn wait<T>(
        &self,
        answer: impl Future<Output = sqlx::Result<T>>,
        longest: Duration,
    ) -> sqlx::Result<T> {
        let mut answer = pin!(answer);
        let begin = Instant::now();
        while let Some(left) = longest.checked_sub(begin.elapsed()) {
            if let Ok(answer) = timeout(left.min(PATIENCE), &mut answer).await {
                return answer;
            }
            tokio::select! {
                answer = &mut answer => return answer,
                is_there = self.is_there() => if !is_there {
                    break;
                }
            }
        }
        Err(sqlx::Error::Io(io::Error::new(
            io::ErrorKind::TimedOut,
            "the database does not answer",
        )))
    }

    /// Whether somebody answers at all, if it is only to refuse.
    async fn is_there(&self) -> bool {
        let mut asked = self.asked.lock().await;
        if let Some((when, is_there)) = *asked
            && when.elapsed() < PING_TIMEOUT
        {
            return is_there;
        }
        let connection = timeout(PING_TIMEOUT, self.options.connect()).await;
        let is_there = matches!(connection, Ok(Ok(_) | Err(sqlx::Error::Database(_))));
        if let Ok(Ok(connection)) = connection {
            // It is only polite: the server notices anyway.
            drop(timeout(PING_TIMEOUT, connection.close()).await);
        }
        *asked = Some((Instant::now(), is_there));
        is_there
    }

    fn note_trouble(&self) {
        self.is_troubled.store(true, Ordering::Relaxed);
        self.doubt();
    }

    /// After trouble: only now is it known that the server is one that writes. What was opened in
    /// between, to read from, may lead to one that does not.
    fn note_written(&self) {
        if self.is_troubled.swap(false, Ordering::Relaxed) {
            self.doubt();
        }
    }

    fn doubt(&self) {
        *self.doubted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection of this age was made before the last trouble.
    fn is_doubted(&self, age: Duration) -> bool {
        let doubted = *self.doubted.lock().unwrap_or_else(PoisonError::into_inner);
        doubted.is_some_and(|doubted| doubted.elapsed() < age)
    }
}

/// A connection of the pool, perhaps with a transaction. It goes back to others only with nothing
/// under way on it, and only while it leads to a server that does what it is there for.
#[derive(Debug)]
pub(crate) struct Lease {
    /// There until it is dropped.
    connection: Option<PoolConnection<Postgres>>,
    line: Arc<Line>,
    is_sound: bool,
    /// A transaction was begun, and neither kept nor undone.
    is_open: bool,
}

impl Lease {
    /// Runs something of sqlx. Dropped before the answer was there, the connection is not used again.
    pub(crate) async fn run<'c, T, F>(
        &'c mut self,
        work: impl FnOnce(&'c mut PgConnection) -> F,
    ) -> sqlx::Result<T>
    where
        F: Future<Output = sqlx::Result<T>>,
    {
        self.run_for(SILENCE_MAX, work).await
    }

    async fn run_for<'c, T, F>(
        &'c mut self,
        longest: Duration,
        work: impl FnOnce(&'c mut PgConnection) -> F,
    ) -> sqlx::Result<T>
    where
        F: Future<Output = sqlx::Result<T>>,
    {
        let Some(connection) = &mut self.connection else { return Err(sqlx::Error::PoolClosed) };
        self.is_sound = false;
        let answer = self.line.wait(work(connection), longest).await;
        match &answer {
            Err(error) if is_fatal(error) => self.line.note_trouble(),
            _ => self.is_sound = true,
        }
        answer
    }

    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        self.run_for(COMMIT_MAX, |connection| connection.execute("COMMIT"))
            .await
            .map_err(store_error)?;
        self.is_open = false;
        self.line.note_written();
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            // Nobody is left who could say goodbye.
            drop(connection.leak());
            return;
        };
        if !self.is_sound {
            connection.close_on_drop();
            return;
        }
        let is_open = self.is_open;
        runtime.spawn(async move {
            let returned = timeout(RELEASE_TIMEOUT, async {
                if is_open {
                    connection.execute("ROLLBACK").await?;
                }
                connection.return_to_pool().await;
                Ok::<_, sqlx::Error>(())
            });
            if !matches!(returned.await, Ok(Ok(()))) {
                connection.close_on_drop();
            }
        });
    }
}

/// Whether an error says that the connection, or the server behind it, is of no more use.
fn is_fatal(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| ends_connection(&code)),
        _ => false,
    }
}

/// Codes after which a connection is closed and not returned (security R41): it is broken, the
/// server stops or starts, it has become one that only reads, or it has ended the session itself.
fn ends_connection(code: &str) -> bool {
    code == "25006" || code == "25P03" || code.starts_with("08") || code.starts_with("57P")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_connection_is_told_from_what_fails_a_statement() {
        for code in ["25006", "25P03", "08006", "57P01", "57P03"] {
            assert!(ends_connection(code), "{code}");
        }
        for code in ["57014", "55P03", "40001", "23505", "53300"] {
            assert!(!ends_connection(code), "{code}");
        }
    }
}
