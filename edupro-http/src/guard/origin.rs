//! Where a changing request may come from (behaviour G14, security R14).
//!
//! A browser sends cookies with requests that other sites make it send. It also says which site:
//! that must be this one or one of the allowed origins. Scripts say nothing and pass, and so does
//! a bearer token, which no other site can make a browser send.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::App;
use crate::{EduPro, cookies, error::ApiError, extract};

pub(super) async fn check(State(edupro): App, request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let (parts, body) = request.into_parts();
    if !is_safe && !is_bearer_alone(&parts.headers) && !is_from_here(&edupro, &parts) {
        let words = "CSRF Failed: Origin checking failed.";
        return ApiError::detail(StatusCode::FORBIDDEN, words).into_response();
    }
    next.run(Request::from_parts(parts, body)).await
}

fn is_bearer_alone(headers: &HeaderMap) -> bool {
    let jar = axum_extra::extract::CookieJar::from_headers(headers);
    headers.contains_key(header::AUTHORIZATION)
        && jar.get(cookies::ACCESS).is_none()
        && jar.get(cookies::REFRESH).is_none()
}

fn is_from_here(edupro: &EduPro, parts: &Parts) -> bool {
    let Some(origin) = parts.headers.get(header::ORIGIN) else {
        let site = parts.headers.get("sec-fetch-site");
        return site.is_none_or(|site| site == "same-origin" || site == "none");
    };
    if edupro.cors_origins().contains(origin) {
        return true;
    }
    let Ok(origin) = origin.to_str() else { return false };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    // An origin is a scheme and a host: what an URL begins with, before its path.
    if let Some(url) = edupro.public_url() {
        let is_whole = authority.is_some_and(|host| !host.is_empty() && !host.contains('/'));
        let rest = url.strip_prefix(origin).filter(|_| is_whole);
        return rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    }
    authority.is_some() && authority == extract::host(parts)
}
