//! Answers as they were: what the tests of the API were told, an example for each message.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// What was answered, by the summary of the operation, then by status: `scripts/note-examples`
/// writes it.
const EXAMPLES: &str = include_str!("examples.json");

/// All examples.
#[derive(Debug)]
pub(super) struct Examples(Value);

/// The words of a status.
pub(super) fn reason(status: u16) -> &'static str {
    let status = StatusCode::from_u16(status).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or("An answer")
}

impl Examples {
    pub(super) fn read() -> Self {
        Self(serde_json::from_str(EXAMPLES).unwrap_or_default())
    }

    /// The answers of an operation with this status, by what they say.
    pub(super) fn of(&self, summary: &str, status: u16) -> Map<String, Value> {
        let status = status.to_string();
        let own = self.0[summary][&status].as_array();
        // What no story has met here is what others were told.
        let found = own.or_else(|| self.0["*"][&status].as_array());
        let named = found.into_iter().flatten().enumerate();
        named.map(|(at, value)| (format!("{}", at + 1), json!({"value": value}))).collect()
    }
}
