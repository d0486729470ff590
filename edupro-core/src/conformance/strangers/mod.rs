//! What strangers send: promises that hold whatever the bytes are (security T25).
//!
//! Each function takes bytes from anywhere, a fuzzer or a test that makes them up, and panics when
//! a promise is broken. Their secrets and their time are fixed, so that the same bytes do the same
//! again.

#![expect(
    clippy::must_use_candidate,
    reason = "whoever makes bytes up wants the promises, and seldom the answer"
)]

mod files;
mod tokens;

pub use self::{
    files::file,
    tokens::{altered_token, token, tokens},
};

use chrono::{DateTime, TimeDelta, Utc};

/// The time at which everything of this module happens: a Saturday morning.
#[must_use]
pub fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_767_427_200)
}

#[cfg(test)]
mod tests;
