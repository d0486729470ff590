//! The conformance suite of redemption on both engines, with as many threads as there are.
//!
//! `scripts/stress-coupons` runs it a hundred times and prints what came of it.

#![cfg(test)]

use std::{sync::Arc, time::Instant};

use edupro_core::{
    School,
    conformance::redemption::{self, Tally},
};
use edupro_http::testkit::TestApp;
use edupro_storage::{Database, DatabaseOptions};

#[path = "support/postgres.rs"]
mod postgres;

const STRESS_ROUNDS: usize = 100;

async fn on_postgres() -> TestApp {
    let url = postgres::database(async |template| {
        let database = Database::connect(&DatabaseOptions::new(template)).await.unwrap();
        database.migrate().await.unwrap();
        database.close().await;
    });
    TestApp::builder().database(url.await).start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    redemption::all(TestApp::new().await.edupro().school()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    redemption::all(on_postgres().await.edupro().school()).await;
}

/// The figures of one check, again and again. A promise that is not kept ends it.
async fn stress<F: Future<Output = Tally>>(
    engine: &str,
    what: &str,
    school: &Arc<School>,
    check: impl Fn(Arc<School>) -> F,
) {
    let started = Instant::now();
    let mut sum = Tally::default();
    for _ in 0..STRESS_ROUNDS {
        let Tally { asked, let_in, refused, sales } = check(Arc::clone(school)).await;
        sum.asked += asked;
        sum.let_in += let_in;
        sum.refused += refused;
        sum.sales += sales;
    }
    let Tally { asked, let_in, refused, sales } = sum;
    let seconds = started.elapsed().as_secs();
    println!(
        "{engine:10} {what:40} {STRESS_ROUNDS:5} rounds {asked:6} requests {let_in:5} let in \
         {refused:6} refused {sales:5} sales {:2} others {seconds:4} s",
        asked - let_in - refused
    );
}

async fn stress_all(engine: &str, app: TestApp) {
    let school = app.edupro().school();
    stress(engine, "50 students, a coupon for 1", school, |school| async move {
        redemption::one_use(&school, 50).await
    })
    .await;
    stress(engine, "500 students, a coupon for 7", school, |school| async move {
        redemption::few_uses(&school, 500, 7).await
    })
    .await;
    stress(engine, "1 student 16 times, 4 coupons", school, |school| async move {
        redemption::one_student(&school).await
    })
    .await;
    stress(engine, "12 students, a coupon that is withdrawn", school, |school| async move {
        redemption::changed_meanwhile(&school).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: scripts/stress-coupons"]
async fn stress_sqlite() {
    stress_all("SQLite", TestApp::new().await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: scripts/stress-coupons"]
async fn stress_postgres() {
    stress_all("PostgreSQL", on_postgres().await).await;
}
