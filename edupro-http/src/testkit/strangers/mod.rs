//! What strangers send over HTTP: promises that hold whatever the bytes are (security T25).
//!
//! Each function takes bytes from anywhere, a fuzzer or a test that makes them up, and panics when
//! a promise is broken. What needs no HTTP stands in [`edupro_core::conformance::strangers`].
//!
//! [`TARGETS`] are what `scripts/fuzz` runs, each with seeds in `fuzz/seeds`.

#![expect(
    clippy::must_use_candidate,
    reason = "whoever makes bytes up wants the promises, and seldom the answer"
)]

mod cookies;
mod forms;
mod links;
mod queries;

pub use self::{
    cookies::cookies,
    forms::{form, sent_document},
    links::{altered_link, link, links},
    queries::query,
};

use edupro_core::conformance::strangers::{altered_token, file};

/// A target of a fuzzer: its name, and what it does with bytes. It answers whether they meant
/// something, and panics when a promise is broken.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every target.
pub const TARGETS: [Target; 5] = [
    ("cookies_and_tokens", cookies_and_tokens),
    ("files", file),
    ("multipart", multipart),
    ("query_strings", query),
    ("signed_urls", signed_urls),
];

/// [`cookies`], and a letter of a token that is another one.
pub fn cookies_and_tokens(bytes: &[u8]) -> bool {
    if let [low, high, letter, ..] = *bytes {
        altered_token(u16::from_le_bytes([low, high]).into(), letter);
    }
    cookies(bytes)
}

/// [`form`], and a document in pieces of so many bytes as the first one says.
pub fn multipart(bytes: &[u8]) -> bool {
    if let [size, content @ ..] = bytes {
        sent_document(content, usize::from(*size));
    }
    form(bytes)
}

/// [`link`], and a letter of a link that is another one.
pub fn signed_urls(bytes: &[u8]) -> bool {
    if let [low, high, letter, ..] = *bytes {
        altered_link(u16::from_le_bytes([low, high]).into(), letter);
    }
    link(bytes)
}

#[cfg(test)]
mod tests;
