//! Headers of every answer, errors included (behaviour G14, security R16).

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERER, REFERRER_POLICY,
            STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    middleware::Next,
    response::Response,
};

use super::App;
use crate::EduPro;

/// Whoever answers may say more of these two than "nothing": files do.
const DEFAULTS: [(HeaderName, &str); 2] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

const ALWAYS: [(HeaderName, &str); 3] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "same-origin"),
];

/// Whose pages may show an answer.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

pub(super) async fn add(State(edupro): App, request: Request, next: Next) -> Response {
    let is_file = request.uri().path().starts_with("/media/");
    let is_shown_elsewhere = is_file && comes_from_a_client(&edupro, request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = if is_shown_elsewhere { "cross-origin" } else { "same-site" };
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static(policy));
    if is_file {
        headers.append(VARY, HeaderValue::from_static("Referer"));
    }
    if edupro.public_url().is_some_and(|url| url.starts_with("https://")) {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

/// Whether a page of an allowed origin asks. Such a client shows pictures and films of the school,
/// also where browsers take it for another site: two ports of one IP address, for instance.
fn comes_from_a_client(edupro: &EduPro, headers: &HeaderMap) -> bool {
    let referrer = headers.get(REFERER).and_then(|value| value.to_str().ok());
    let origin = referrer.and_then(|referrer| {
        let (scheme, rest) = referrer.split_once("://")?;
        Some(format!("{scheme}://{}", rest.split('/').next()?))
    });
    origin.is_some_and(|origin| edupro.cors_origins().iter().any(|known| *known == origin))
}
