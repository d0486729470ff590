//! Answers as they were: what the tests of the API were told, an example for each message.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::Operation;

/// What was answered, by method and path, then by status.
const EXAMPLES: &str = include_str!("examples.json");

/// The words of a status.
pub(super) fn reason(status: u16) -> &'static str {
    let status = StatusCode::from_u16(status).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or("An answer")
}

/// The answers of an operation with this status.
pub(super) fn of(operation: &Operation, status: u16) -> Map<String, Value> {
    let name = format!("{} {}", operation.method, operation.path);
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap_or_default();
    let found = examples[name][status.to_string()].as_array().cloned().unwrap_or_default();
    let numbered = found.into_iter().enumerate();
    numbered
        .map(|(at, value)| ((at + 1).to_string(), serde_json::json!({"value": value})))
        .collect()
}
