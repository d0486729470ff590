//! JSON bodies (behaviour G2).

use axum::http::StatusCode;
use serde_json::Value;

use super::{Input, Raw};
use crate::error::ApiError;

/// How deep a body may be nested (security R17).
const DEPTH: usize = 64;

pub(super) fn parse(body: &[u8]) -> Result<Input, ApiError> {
    let mut input = Input::empty();
    if body.is_empty() {
        return Ok(input);
    }
    let value: Value =
        serde_json::from_slice(body).map_err(|error| not_json(&error.to_string()))?;
    if depth(&value) > DEPTH {
        return Err(not_json("nested too deeply"));
    }
    let got = match value {
        Value::Object(map) => {
            for (key, value) in map {
                input.put(key, Raw::Json(value));
            }
            return Ok(input);
        }
        Value::Null => return Err(ApiError::field("non_field_errors", "No data provided")),
        other => type_name(&other),
    };
    let words = format!("Invalid data. Expected a dictionary, but got {got}.");
    Err(ApiError::field("non_field_errors", words))
}

fn not_json(reason: &str) -> ApiError {
    ApiError::detail(StatusCode::BAD_REQUEST, format!("JSON parse error - {reason}"))
}

/// What the contract's clients call a JSON type.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// `serde_json` has refused more than 128 levels already, so this cannot run away.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}
