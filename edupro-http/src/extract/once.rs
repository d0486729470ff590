//! Requests that carry an `Idempotency-Key` (security R35): repeated, they get the first answer.

use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use edupro_core::{
    accounts::UserId,
    entropy,
    idempotency::{self, Begun, Given, KEY_LENGTH},
};
use http_body_util::BodyExt;

use crate::{
    EduPro,
    answer::Ready,
    error::{Answer, ApiError},
    openapi::{Describe, Description},
};

/// Tells a client that it has had this answer before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The key of a request, if it has one, and what the request is.
#[derive(Debug)]
pub(crate) struct Once {
    key: Option<String>,
    what: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Once {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let what = format!("{} {}", parts.method, parts.uri.path().trim_end_matches('/'));
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self { key: None, what });
        };
        let key = value.to_str().ok().filter(|key| (1..=KEY_LENGTH).contains(&key.len()));
        match key {
            Some(key) => Ok(Self { key: Some(key.to_owned()), what }),
            None => Err(ApiError::detail(
                StatusCode::BAD_REQUEST,
                format!("Idempotency-Key must have 1 to {KEY_LENGTH} ASCII characters."),
            )),
        }
    }
}

impl Once {
    /// The answer of `work`, or the one that was given when this user first asked with this key.
    /// `asked` is everything of the request that matters.
    pub(crate) async fn answer<A: IntoResponse>(
        self,
        edupro: &EduPro,
        user: UserId,
        asked: &str,
        work: impl Future<Output = Answer<A>>,
    ) -> Answer<Ready<A>> {
        let work = async { work.await.map(IntoResponse::into_response) };
        let Some(key) = self.key else { return work.await.map(Ready::new) };
        let school = edupro.school();
        let fingerprint = entropy::fingerprint(&[&self.what, asked]);
        match idempotency::begin(school, user, &key, &fingerprint).await? {
            Begun::First => {}
            Begun::Again(given) => return Ok(Ready::new(repeat(given))),
            Begun::InFlight => {
                let words = "A request with this Idempotency-Key is still being answered.";
                return Err(ApiError::detail(StatusCode::CONFLICT, words));
            }
            Begun::Other => {
                let words = "This Idempotency-Key was used for another request.";
                return Err(ApiError::detail(StatusCode::UNPROCESSABLE_ENTITY, words));
            }
        }
        let response = work.await.unwrap_or_else(IntoResponse::into_response);
        let (parts, body) = response.into_parts();
        let bytes = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return Err(ApiError::internal(&error)),
        };
        // What may be different the next time is not kept.
        let is_final =
            !parts.status.is_server_error() && parts.status != StatusCode::TOO_MANY_REQUESTS;
        let given = is_final.then(|| Given {
            status: parts.status.as_u16(),
            body: String::from_utf8_lossy(&bytes).into_owned(),
        });
        idempotency::end(school, user, &key, given.as_ref()).await?;
        Ok(Ready::new(Response::from_parts(parts, Body::from(bytes))))
    }
}

impl Describe for Once {
    fn describe(description: &mut Description<'_>) {
        let about = "A word of the client's own: a request with it that is repeated gets the first \
                     answer again, and does nothing.";
        description.headers.push(("Idempotency-Key", about));
        description.fail(StatusCode::BAD_REQUEST);
        description.fail(StatusCode::CONFLICT);
        description.fail(StatusCode::UNPROCESSABLE_ENTITY);
    }
}

fn repeat(given: Given) -> Response {
    let status = StatusCode::from_u16(given.status).unwrap_or(StatusCode::OK);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (REPLAYED, HeaderValue::from_static("true")),
    ];
    (status, headers, given.body).into_response()
}
