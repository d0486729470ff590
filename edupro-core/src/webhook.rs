//! What comes in from a provider that reports by itself.

use std::fmt::{self, Debug};

/// A webhook as it came in. A signature is over the very bytes, so nothing is read before it.
#[derive(Clone, Copy)]
pub struct WebhookRequest<'a> {
    /// Names, in lower case, and values.
    pub headers: &'a [(String, String)],
    /// Names and values, decoded.
    pub query: &'a [(String, String)],
    /// The bytes.
    pub body: &'a [u8],
}

impl WebhookRequest<'_> {
    /// The first header of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Debug for WebhookRequest<'_> {
    /// Signatures and what is known of people stay out of the log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WebhookRequest")
            .field("length", &self.body.len())
            .finish_non_exhaustive()
    }
}
