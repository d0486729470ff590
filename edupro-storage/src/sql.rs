//! The only file that knows there are two engines.
//!
//! A query is written once, in the SQL that both read. [`Tx::query`] binds it to whichever engine
//! the transaction was opened on.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use edupro_core::StoreError;
use sqlx::{
    AssertSqlSafe, Encode, FromRow, PgConnection, Postgres, SqlSafeStr, SqlStr, Sqlite,
    SqliteConnection, Transaction, Type,
    error::BoxDynError,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteRow},
};

/// A value that both engines can bind.
pub(crate) trait Bind:
    Type<Postgres> + Type<Sqlite> + for<'q> Encode<'q, Postgres> + for<'q> Encode<'q, Sqlite> + Send
{
}

impl<T> Bind for T where
    T: Type<Postgres>
        + Type<Sqlite>
        + for<'q> Encode<'q, Postgres>
        + for<'q> Encode<'q, Sqlite>
        + Send
{
}

/// A row that both engines can give; `#[derive(sqlx::FromRow)]` is enough.
pub(crate) trait Record:
    for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin
{
}

impl<T> Record for T where
    T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin
{
}

/// When the server that is written to was last found to be one that is not: after a fail-over its old
/// connections lead to a machine that only reads, and none of them is to be used again (security R41).
#[derive(Clone, Debug, Default)]
pub(crate) struct Demotion(Arc<Mutex<Option<Instant>>>);

impl Demotion {
    /// Notes what an error says about the server.
    fn note(&self, error: &sqlx::Error) {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        if code.as_deref().is_some_and(is_lost) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// Whether a connection of this age was opened before that.
    pub(crate) fn concerns(&self, age: Duration) -> bool {
        let noted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.is_some_and(|noted| noted.elapsed() < age)
    }
}

/// An open transaction, or a connection to read from. Dropping it undoes what was not committed.
#[derive(Debug)]
pub(crate) enum Tx {
    PostgresRead(PoolConnection<Postgres>),
    PostgresWrite(Transaction<'static, Postgres>, Demotion),
    SqliteRead(PoolConnection<Sqlite>),
    SqliteWrite(Transaction<'static, Sqlite>),
}

enum Connection<'c> {
    Postgres(&'c mut PgConnection),
    Sqlite(&'c mut SqliteConnection),
}

impl Tx {
    fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::PostgresRead(connection) => Connection::Postgres(connection),
            Self::PostgresWrite(transaction, _) => Connection::Postgres(transaction),
            Self::SqliteRead(connection) => Connection::Sqlite(connection),
            Self::SqliteWrite(transaction) => Connection::Sqlite(transaction),
        }
    }

    pub(crate) fn query(&mut self, text: &'static str) -> Query<'_> {
        self.prepare(text.into_sql_str())
    }

    /// For the few lists whose filters change the text. The text holds placeholders and words of
    /// this crate, never values.
    pub(crate) fn query_built(&mut self, text: String) -> Query<'_> {
        self.prepare(AssertSqlSafe(text).into_sql_str())
    }

    fn prepare(&mut self, text: SqlStr) -> Query<'_> {
        let demotion = match self {
            Self::PostgresWrite(_, demotion) => Some(demotion.clone()),
            _ => None,
        };
        let run = match self.connection() {
            Connection::Postgres(connection) => Run::Postgres(connection, PgArguments::default()),
            Connection::Sqlite(connection) => Run::Sqlite(connection, SqliteArguments::default()),
        };
        Query { run, text, bound: 0, error: None, demotion }
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::PostgresWrite(transaction, demotion) => {
                { transaction.commit().await.inspect_err(|error| demotion.note(error)) }
                    .map_err(store_error)
            }
            Self::SqliteWrite(transaction) => transaction.commit().await.map_err(store_error),
            Self::PostgresRead(_) | Self::SqliteRead(_) => Ok(()),
        }
    }
}

/// A connection and the values for it.
enum Run<'c> {
    Postgres(&'c mut PgConnection, PgArguments),
    Sqlite(&'c mut SqliteConnection, SqliteArguments),
}

/// A statement on its way to one engine.
#[must_use = "a query does nothing until it is run"]
pub(crate) struct Query<'c> {
    run: Run<'c>,
    text: SqlStr,
    bound: usize,
    error: Option<BoxDynError>,
    demotion: Option<Demotion>,
}

/// Runs an expression of sqlx on the engine at hand.
macro_rules! on_engine {
    ($query:expr, |$text:ident, $arguments:ident, $connection:ident| $run:expr) => {{
        let Query { run, text: $text, demotion, .. } = $query.checked()?;
        match run {
            Run::Postgres($connection, $arguments) => $run,
            Run::Sqlite($connection, $arguments) => $run,
        }
        .inspect_err(|error| demotion.iter().for_each(|demotion| demotion.note(error)))
        .map_err(store_error)
    }};
}

impl Query<'_> {
    /// Binds the next placeholder.
    pub(crate) fn bind(mut self, value: impl Bind) -> Self {
        use sqlx::Arguments as _;
        let added = match &mut self.run {
            Run::Postgres(_, arguments) => arguments.add(value),
            Run::Sqlite(_, arguments) => arguments.add(value),
        };
        self.bound += 1;
        self.error = self.error.or(added.err());
        self
    }

    /// Runs it and returns how many rows it changed.
    pub(crate) async fn execute(self) -> Result<u64, StoreError> {
        on_engine!(self, |text, arguments, connection| sqlx::query_with(text, arguments)
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
    }

    /// The row, if there is one.
    pub(crate) async fn optional<R: Record>(self) -> Result<Option<R>, StoreError> {
        on_engine!(self, |text, arguments, connection| sqlx::query_as_with(text, arguments)
            .fetch_optional(connection)
            .await)
    }

    /// The row.
    pub(crate) async fn one<R: Record>(self) -> Result<R, StoreError> {
        on_engine!(self, |text, arguments, connection| sqlx::query_as_with(text, arguments)
            .fetch_one(connection)
            .await)
    }

    /// All rows.
    pub(crate) async fn all<R: Record>(self) -> Result<Vec<R>, StoreError> {
        on_engine!(self, |text, arguments, connection| sqlx::query_as_with(text, arguments)
            .fetch_all(connection)
            .await)
    }

    /// SQLite reads an unbound placeholder as NULL, silently; refuse it on both.
    fn checked(self) -> Result<Self, StoreError> {
        if let Some(error) = self.error {
            return Err(StoreError::Other(error));
        }
        let wanted = placeholders(self.text.as_str());
        if wanted != self.bound {
            let words =
                format!("{wanted} placeholders but {} values: {}", self.bound, self.text.as_str());
            return Err(StoreError::Other(words.into()));
        }
        // One line a statement: what a request costs can be counted.
        tracing::trace!(statement = self.text.as_str(), "runs");
        Ok(self)
    }
}

/// The highest `$N` in a text.
fn placeholders(text: &str) -> usize {
    text.split('$')
        .skip(1)
        .filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest[..end].parse().ok()
        })
        .max()
        .unwrap_or(0)
}

/// What a caller can do about an error of sqlx. The database's words go along as the source.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(database) => {
            if database.is_unique_violation() {
                return StoreError::Conflict;
            }
            match database.code().as_deref().map_or(Trouble::Other, trouble) {
                Trouble::Contended => StoreError::Contended(Box::new(error)),
                Trouble::Unavailable => StoreError::Unavailable(Box::new(error)),
                Trouble::Other => StoreError::Other(Box::new(error)),
            }
        }
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_) => StoreError::Unavailable(Box::new(error)),
        _ => StoreError::Other(Box::new(error)),
    }
}

/// For a statement whose row names another that may go at the same moment: that is no fault, but
/// somebody in the way. Whoever runs it again finds out.
pub(crate) fn vanished(error: StoreError) -> StoreError {
    let is_gone = |source: &BoxDynError| match source.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Database(database)) => database.is_foreign_key_violation(),
        _ => false,
    };
    match error {
        StoreError::Other(source) if is_gone(&source) => StoreError::Contended(source),
        error => error,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    Contended,
    Unavailable,
    Other,
}

/// Whether PostgreSQL's five characters say that this connection leads to no server that can be
/// written to: it only reads, it ends, the connection broke.
fn is_lost(code: &str) -> bool {
    matches!(code, "25006" | "57P01" | "57P02" | "57P03")
        || (code.len() == 5 && code.starts_with("08"))
}

/// Reads PostgreSQL's five characters or SQLite's number.
fn trouble(code: &str) -> Trouble {
    match code {
        // Serialization failure, deadlock, lock timeout.
        "40001" | "40P01" | "55P03" => return Trouble::Contended,
        // Statement timeout, no connection to spare.
        "57014" | "53300" => return Trouble::Unavailable,
        _ if is_lost(code) => return Trouble::Unavailable,
        _ => {}
    }
    match code.parse::<i32>().map(|code| code & 0xff) {
        // SQLITE_BUSY and SQLITE_LOCKED, with whatever extended code.
        Ok(5 | 6) if code.len() < 5 => Trouble::Contended,
        // SQLITE_FULL, SQLITE_CANTOPEN.
        Ok(13 | 14) if code.len() < 5 => Trouble::Unavailable,
        _ => Trouble::Other,
    }
}

/// Most rows that one statement is given: SQLite binds no more than 32,766 values.
pub(crate) const ROWS_AT_ONCE: usize = 500;

/// The placeholders of so many rows of so many columns, from `$first` on: `($1, $2), ($3, $4)`.
pub(crate) fn value_rows(first: usize, rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places: Vec<_> =
            (0..columns).map(|column| format!("${}", first + row * columns + column)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// A condition that finds a word in a table's `search_text`, and the value for its placeholder.
pub(crate) struct Search {
    pub(crate) condition: String,
    pub(crate) value: String,
}

impl Tx {
    /// Finds a word, in lower case, with the engine's index of trigrams. `alias` is the table in
    /// the statement, `number` the placeholder.
    ///
    /// PostgreSQL's index knows `LIKE`. SQLite's is a table of its own that knows `MATCH`, and
    /// nothing shorter than three characters: such a word is looked for row by row.
    pub(crate) fn search(&self, alias: &str, table: &str, number: usize, word: &str) -> Search {
        let is_sqlite = matches!(self, Self::SqliteRead(_) | Self::SqliteWrite(_));
        if is_sqlite && word.chars().count() >= 3 {
            let condition = format!(
                "{alias}.number IN (SELECT rowid FROM {table}_search WHERE {table}_search MATCH ${number})"
            );
            // In quotes it is a text and no query language.
            return Search { condition, value: format!("\"{}\"", word.replace('"', "\"\"")) };
        }
        let condition = format!("{alias}.search_text LIKE ${number} ESCAPE '\\'");
        Search { condition, value: containing(word) }
    }
}

/// `text` as a pattern for `LIKE … ESCAPE '\'` that finds it anywhere.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_counted_by_the_highest() {
        assert_eq!(placeholders("SELECT 1"), 0);
        assert_eq!(placeholders("SELECT $2, $1, $2"), 2);
        assert_eq!(placeholders("VALUES ($9, $10)"), 10);
    }

    #[test]
    fn rows_of_values_go_on_counting() {
        assert_eq!(value_rows(1, 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(value_rows(3, 1, 1), "($3)");
    }

    #[test]
    fn codes_of_both_engines_are_told_apart() {
        assert_eq!(trouble("40001"), Trouble::Contended);
        assert_eq!(trouble("5"), Trouble::Contended);
        assert_eq!(trouble("517"), Trouble::Contended);
        assert_eq!(trouble("08006"), Trouble::Unavailable);
        assert_eq!(trouble("25006"), Trouble::Unavailable);
        assert_eq!(trouble("57P01"), Trouble::Unavailable);
        assert_eq!(trouble("57014"), Trouble::Unavailable);
        assert!(is_lost("25006") && !is_lost("57014") && !is_lost("08"));
        assert_eq!(trouble("23503"), Trouble::Other);
        assert_eq!(trouble("787"), Trouble::Other);
    }

    #[test]
    fn wildcards_of_a_search_are_literal() {
        assert_eq!(containing(r"50%_\"), r"%50\%\_\\%");
    }
}
