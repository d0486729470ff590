//! SQLite has one writer at a time. When its disk fails or is full it may undo a transaction by
//! itself, which sqlx does not notice: it would take every later one for a part of that. So the words
//! that begin and end a transaction are ours.

use edupro_core::StoreError;
use sqlx::{Executor as _, Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};

use crate::sql::store_error;

/// The writer's connection, with a transaction. Dropping it undoes what was not committed.
#[derive(Debug)]
pub(crate) struct Turn {
    /// There until it is dropped.
    connection: Option<PoolConnection<Sqlite>>,
    /// A transaction may have begun, and was neither kept nor undone.
    is_open: bool,
}

impl Turn {
    /// Begins a transaction. The lock is taken now: one that reads first and then wants to write
    /// fails at once when another has written meanwhile.
    pub(crate) async fn begin(pool: &SqlitePool) -> Result<Self, StoreError> {
        let connection = pool.acquire().await.map_err(store_error)?;
        // Before it is known: whoever gives up waiting for the lock may get it all the same.
        let mut turn = Self { connection: Some(connection), is_open: true };
        let begun = turn.run(|connection| connection.execute("BEGIN IMMEDIATE")).await;
        turn.is_open = begun.is_ok();
        begun.map_err(|error| match store_error(error) {
            // Whoever has waited that long for another process is not told to try again at once.
            StoreError::Contended(source) => StoreError::Unavailable(source),
            error => error,
        })?;
        Ok(turn)
    }

    /// Runs something of sqlx.
    pub(crate) async fn run<'c, T, F>(
        &'c mut self,
        work: impl FnOnce(&'c mut SqliteConnection) -> F,
    ) -> sqlx::Result<T>
    where
        F: Future<Output = sqlx::Result<T>>,
    {
        let Some(connection) = &mut self.connection else { return Err(sqlx::Error::PoolClosed) };
        work(connection).await
    }

    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let committed = self.run(|connection| connection.execute("COMMIT")).await;
        self.is_open = committed.is_err();
        committed.map(drop).map_err(store_error)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(connection.leak());
            return;
        };
        if self.is_open {
            runtime.spawn(async move {
                // An error says that there is nothing to undo, or worse.
                if connection.execute("ROLLBACK").await.is_err() {
                    connection.close_on_drop();
                }
            });
        }
    }
}
