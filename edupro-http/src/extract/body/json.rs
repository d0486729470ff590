//! JSON bodies (behaviour G2).

use axum::http::StatusCode;
use serde_json::Value;

use super::Input;
use crate::error::ApiError;

/// How deep a body may be nested (security R17).
const DEPTH: usize = 64;

pub(super) fn parse(body: &[u8]) -> Result<Input, ApiError> {
    value(body)?.map_or_else(|| Ok(Input::empty()), input)
}

/// The value that a body is; an empty body is none.
pub(super) fn value(body: &[u8]) -> Result<Option<Value>, ApiError> {
    if body.is_empty() {
        return Ok(None);
    }
    let value: Value =
        serde_json::from_slice(body).map_err(|error| not_json(&error.to_string()))?;
    match depth(&value) > DEPTH {
        true => Err(not_json("nested too deeply")),
        false => Ok(Some(value)),
    }
}

/// The fields of an object.
pub(super) fn input(value: Value) -> Result<Input, ApiError> {
    match value {
        Value::Object(map) => Ok(Input::of(map)),
        Value::Null => Err(ApiError::field("non_field_errors", "No data provided")),
        other => Err(ApiError::field("non_field_errors", not_an_object(&other))),
    }
}

/// What is said of a value that should be an object.
pub(super) fn not_an_object(value: &Value) -> String {
    format!("Invalid data. Expected a dictionary, but got {}.", type_name(value))
}

/// What is said of a value that should be a list.
pub(super) fn not_a_list(value: &Value) -> String {
    format!("Expected a list of items but got type \"{}\".", type_name(value))
}

/// What is said of a value that should be an object inside a body.
pub(super) fn not_a_dictionary(value: &Value) -> String {
    format!("Expected a dictionary of items but got type \"{}\".", type_name(value))
}

/// What is said of a list or an object with more elements than so many.
pub(super) fn too_many(most: usize) -> String {
    format!("Ensure this field has no more than {most} elements.")
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
