//! Parameters of a path: what is not of the right type names nothing (behaviour G1).

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{
    error::ApiError,
    openapi::{Describe, Description},
};

/// One parameter, or a tuple of them; 404 when one is not of its type.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // Nothing has a NUL in its name, and PostgreSQL is not to be asked for one.
        if parts.uri.path().contains("%00") {
            return Err(ApiError::not_found());
        }
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| ApiError::not_found())
    }
}

impl<T: JsonSchema> Describe for Path<T> {
    fn describe(description: &mut Description<'_>) {
        let schema = description.schema::<T>();
        // A tuple has a type for each of its parts.
        description.path = match schema["prefixItems"].as_array() {
            Some(parts) => parts.clone(),
            None => vec![schema],
        };
        description.fail(StatusCode::NOT_FOUND);
    }
}
