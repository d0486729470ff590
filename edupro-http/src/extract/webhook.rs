//! What a provider reports by itself.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::StatusCode,
};
use edupro_core::WebhookRequest;

use super::{ListQuery, body::text};
use crate::{
    error::ApiError,
    openapi::{Describe, Description},
};

/// A webhook, byte for byte: nothing of it is read before it is verified.
#[derive(Debug)]
pub(crate) struct Webhook {
    headers: Vec<(String, String)>,
    query: ListQuery,
    body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Webhook {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let headers = parts.headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let headers = headers.collect();
        let query = ListQuery::from_request_parts(&mut parts, state).await?;
        let body = text(Request::from_parts(parts, body)).await?;
        Ok(Self { headers, query, body })
    }
}

impl Describe for Webhook {
    fn describe(description: &mut Description<'_>) {
        description.body = vec![("application/json", serde_json::json!({}))];
        description.fail(StatusCode::BAD_REQUEST);
    }
}

impl Webhook {
    /// What its provider verifies.
    pub(crate) fn request(&self) -> WebhookRequest<'_> {
        WebhookRequest { headers: &self.headers, query: self.query.pairs(), body: &self.body }
    }
}
