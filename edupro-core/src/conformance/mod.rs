//! What whoever implements a trait of this crate can have checked. Not a stable API: a new version
//! may ask for more.
//!
//! | give | your | inside |
//! | --- | --- | --- |
//! | [`grading`] | [`AssessmentGrader`](crate::grading::AssessmentGrader) | |
//! | [`redemption`] | [`Storage`](crate::Storage) | a [`School`](crate::School) |
//! | [`video`] | [`VideoProvider`](crate::video::VideoProvider) | |
//!
//! Call them from a test. They panic at the first promise that is not kept, and say which.

#![expect(clippy::panic, reason = "this is how a check fails the test that called it")]

pub mod grading;
pub mod redemption;
pub mod video;

/// What has to work before anything can be asked.
fn working<T, E: std::fmt::Debug>(otherwise: &str, outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| panic!("{otherwise}: {error:?}"))
}
