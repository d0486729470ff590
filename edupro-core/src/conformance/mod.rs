//! What whoever implements a trait of this crate can have checked. Not a stable API: a new version
//! may ask for more.
//!
//! Give [`redemption`] a [`School`](crate::School) on your [`Storage`](crate::Storage), or
//! [`grading`] your [`AssessmentGrader`](crate::grading::AssessmentGrader), and call it from a
//! test. It panics at the first promise that is not kept, and says which.

#[expect(clippy::panic, reason = "this is how a check fails the test that called it")]
pub mod grading;
#[expect(clippy::panic, reason = "this is how a check fails the test that called it")]
pub mod redemption;
