//! How random histories are told to one school, one after the other.

use std::{cell::Cell, fmt::Debug, ops::Range};

use proptest::{prelude::*, test_runner::TestRunner};

/// Tells so many histories of acts to what `start` makes. Each has a number, so that it can have
/// people and things of its own.
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
    let config =
        ProptestConfig { cases: count, failure_persistence: None, ..ProptestConfig::default() };
    let acts = proptest::collection::vec(act, lengths);
    let outcome = TestRunner::new(config).run(&acts, |acts| {
        number.set(number.get() + 1);
        runtime.block_on(story(&stage, number.get(), &acts));
        Ok(())
    });
    drop(stage);
    outcome.unwrap();
}
