//! A request's id and its line in the log. Neither has a query, a body or a header: they hold
//! signatures, codes and passwords (security R50).

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;

use super::App;
use crate::EduPro;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over from a client.
const ID_LENGTH: usize = 64;

pub(super) async fn log(State(edupro): App, request: Request, next: Next) -> Response {
    let id = request_id(&edupro, &request);
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>();
    let path = matched.map_or("-", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", id = %id.to_str().unwrap_or_default());
    let began = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let _in_span = span.enter();
    tracing::info!(
        %method,
        path,
        status = response.status().as_u16(),
        milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The id that a proxy or a client gave, if it is a plain word; else one of ours.
fn request_id(edupro: &EduPro, request: &Request) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID).filter(|value| {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        (1..=ID_LENGTH).contains(&value.len()) && value.as_bytes().iter().all(is_plain)
    });
    given.cloned().unwrap_or_else(|| {
        let mut bytes = [0; 8];
        edupro.school().entropy.fill(&mut bytes);
        HeaderValue::try_from(format!("{:016x}", u64::from_be_bytes(bytes)))
            .unwrap_or(HeaderValue::from_static("-"))
    })
}
