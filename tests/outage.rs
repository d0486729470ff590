//! What our storage does when the line to PostgreSQL, or the server at its end, is not what it was
//! (security R41, R42). The same with a whole server around it is `scripts/reliability`.

#![cfg(test)]

use std::{
    net::ToSocketAddrs,
    str::FromStr,
    time::{Duration, Instant},
};

use edupro_core::{Storage, StoreError};
use edupro_storage::{Database, DatabaseOptions};
use futures_util::future::join_all;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use tokio::time::sleep;
use uuid::Uuid;

use self::proxy::Proxy;

#[path = "support/postgres.rs"]
mod postgres;
#[expect(dead_code, reason = "some troubles of a line are for scripts only")]
#[path = "support/proxy.rs"]
mod proxy;

/// What every answer has to come within (security R42).
const AT_MOST: Duration = Duration::from_secs(3);

/// A database behind a line that can be bad.
struct School {
    database: Database,
    proxy: Proxy,
    /// The way around the proxy.
    url: String,
}

impl School {
    async fn start() -> Self {
        let url = postgres::database(async |url| {
            let database = Database::connect(&DatabaseOptions::new(url)).await.unwrap();
            database.migrate().await.unwrap();
            database.close().await;
        })
        .await;
        let options = PgConnectOptions::from_str(&url).unwrap();
        let target = (options.get_host(), options.get_port()).to_socket_addrs().unwrap().next();
        let proxy = Proxy::open(target.unwrap()).await.unwrap();
        let through = options.host("127.0.0.1").port(proxy.addr().port()).to_url_lossy();
        let database = Database::connect(&DatabaseOptions::new(through)).await.unwrap();
        Self { database, proxy, url }
    }

    /// A statement that writes, though it finds nothing to change.
    async fn write(&self) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        tx.jobs().finish(Uuid::nil()).await?;
        tx.commit().await
    }

    /// Holds as many transactions at once as the pool has places.
    async fn use_every_place(&self) {
        let open = join_all((0..10).map(|_| self.database.write())).await;
        let refused: Vec<_> = open.into_iter().filter_map(Result::err).collect();
        assert!(refused.is_empty(), "{refused:?}");
    }

    /// A connection around the proxy.
    async fn beside(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    /// Whether new sessions may only read, as on a server that follows another one.
    async fn demote(&self, only_reads: &'static str) {
        let mut connection = self.beside().await;
        connection.execute("BEGIN READ WRITE").await.unwrap();
        connection.execute(only_reads).await.unwrap();
        connection.execute("COMMIT").await.unwrap();
        connection.close().await.unwrap();
    }
}

fn is_unavailable<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unavailable(_)))
}

#[tokio::test]
async fn silence_is_noticed_and_forgiven() {
    let school = School::start().await;
    school.database.check().await.unwrap();
    school.write().await.unwrap();
    let open = school.database.write().await.unwrap();
    school.proxy.hold();
    let begin = Instant::now();
    let (reads, writes, committed) = tokio::join!(
        join_all((0..12).map(|_| school.database.check())),
        join_all((0..12).map(|_| school.write())),
        open.commit(),
    );
    assert!(begin.elapsed() < AT_MOST, "{:?}", begin.elapsed());
    assert!(reads.iter().chain(&writes).all(is_unavailable), "{reads:?} {writes:?}");
    assert!(is_unavailable(&committed), "{committed:?}");
    school.proxy.flow();
    let begin = Instant::now();
    while school.write().await.is_err() {
        assert!(begin.elapsed() < AT_MOST);
    }
    // Every place of the pool has a connection that works.
    school.use_every_place().await;
}

#[tokio::test]
async fn a_line_that_was_cut_is_made_anew() {
    let school = School::start().await;
    let open = join_all((0..5).map(|_| school.database.write())).await;
    drop(open);
    sleep(Duration::from_millis(100)).await;
    school.proxy.cut();
    let first = school.write().await;
    assert!(first.is_ok() || is_unavailable(&first), "{first:?}");
    // The others were cut too, but nobody has to find that out one by one.
    school.write().await.unwrap();
    school.write().await.unwrap();
}

#[tokio::test]
async fn a_server_that_only_reads_is_left() {
    let school = School::start().await;
    school
        .demote("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$")
        .await;
    school.proxy.cut();
    drop(school.write().await);
    let refused = school.write().await;
    assert!(is_unavailable(&refused), "{refused:?}");
    school
        .demote("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$")
        .await;
    school.write().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_only_slow_is_waited_for() {
    let school = School::start().await;
    let mut holder = school.beside().await;
    holder.execute("BEGIN").await.unwrap();
    holder.execute("LOCK TABLE jobs").await.unwrap();
    let begin = Instant::now();
    let answer = school.write().await;
    // Not until the lock's two seconds are over, which is longer than we wait for a silent server.
    assert!(matches!(answer, Err(StoreError::Contended(_))), "{answer:?}");
    assert!(begin.elapsed() >= Duration::from_secs(2));
    holder.execute("ROLLBACK").await.unwrap();
    school.write().await.unwrap();
}

#[tokio::test]
async fn a_start_waits_for_another_one_longer_than_requests_do() {
    let school = School::start().await;
    let mut holder = school.beside().await;
    holder.execute("BEGIN").await.unwrap();
    holder.execute("LOCK TABLE _sqlx_migrations").await.unwrap();
    let (migrated, ()) = tokio::join!(school.database.migrate(), async {
        sleep(Duration::from_millis(2500)).await;
        holder.execute("COMMIT").await.unwrap();
    });
    migrated.unwrap();
}

/// A request that is given up in the middle of a statement takes its connection along, and no place.
#[tokio::test]
async fn who_goes_away_leaves_no_connection_that_is_busy() {
    let school = School::start().await;
    let mut holder = school.beside().await;
    holder.execute("BEGIN").await.unwrap();
    holder.execute("LOCK TABLE jobs").await.unwrap();
    let given_up =
        (0..10).map(|_| tokio::time::timeout(Duration::from_millis(300), school.write()));
    assert!(join_all(given_up).await.iter().all(Result::is_err));
    let begin = Instant::now();
    school.use_every_place().await;
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
}
