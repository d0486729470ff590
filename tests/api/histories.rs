//! How random histories are told to one school, one after the other.

use std::{cell::Cell, fmt::Debug, ops::Range};

use edupro_http::testkit::TestApp;
use proptest::{prelude::*, test_runner::TestRunner};

/// Tells so many histories of acts to what `start` makes. Each has a number, so that it can have
/// people and things of its own. `EDUPRO_TEST_HISTORIES` multiplies them, for a long night.
#[expect(clippy::needless_pass_by_value, reason = "a story is told where it is written")]
pub(crate) fn tell<C, A: Strategy<Value: Debug>>(
    count: u32,
    act: A,
    lengths: Range<usize>,
    start: impl Future<Output = C>,
    story: impl AsyncFn(&C, usize, &[A::Value]),
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stage = runtime.block_on(start);
    let number = Cell::new(0);
    // What fails is printed whole; there is no file to keep it in.
    let cases = count * times();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let acts = proptest::collection::vec(act, lengths);
    let outcome = TestRunner::new(config).run(&acts, |acts| {
        number.set(number.get() + 1);
        runtime.block_on(story(&stage, number.get(), &acts));
        Ok(())
    });
    drop(stage);
    outcome.unwrap();
    eprintln!("{cases} histories without a difference");
}

/// The school, with a teacher who blocks nobody: whom students log in under.
pub(crate) async fn with_open_teacher(start: impl Future<Output = TestApp>) -> TestApp {
    let app = start.await;
    app.teacher("open").await;
    app
}

/// How many times as many histories as usual are told.
fn times() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "a test has no configuration file")]
    let said = std::env::var("EDUPRO_TEST_HISTORIES");
    said.map_or(1, |times| times.parse().expect("EDUPRO_TEST_HISTORIES is a number"))
}
