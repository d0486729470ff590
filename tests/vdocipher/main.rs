//! VdoCipher, asked for everything and in all its moods.
//!
//! The double is the testkit's. With `EDUPRO_VDOCIPHER_FAKE=http://127.0.0.1:18899` the same tests
//! run against another double of the service that listens there and is told by `/_control/…` what
//! to do; it is one for all, so then `cargo test --test vdocipher -- --test-threads 1`. What it
//! cannot be told is skipped.

#![cfg(test)]

mod bucket;
mod conformance;
mod double;
mod failures;
mod films;
mod playback;
mod secrets;
mod support;
