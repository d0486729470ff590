//! The two cookies (behaviour G4, security R13).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use edupro_core::accounts::Tokens;

use crate::EduPro;

/// Shows who is asking.
pub(crate) const ACCESS: &str = "access_token";
/// Gets a new pair.
pub(crate) const REFRESH: &str = "refresh_token";

/// The refresh token of a request, if it has one that is not empty.
pub(crate) fn refresh_token(headers: &HeaderMap) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    jar.get(REFRESH).map(|cookie| cookie.value().to_owned()).filter(|token| !token.is_empty())
}

/// The headers that give a client its tokens.
pub(crate) fn set(edupro: &EduPro, tokens: &Tokens) -> HeaderMap {
    let settings = &edupro.school().settings;
    headers([
        cookie(edupro, ACCESS, &tokens.access, settings.access_ttl),
        cookie(edupro, REFRESH, &tokens.refresh, settings.refresh_ttl),
    ])
}

/// The headers that take them away.
pub(crate) fn clear(edupro: &EduPro) -> HeaderMap {
    headers([ACCESS, REFRESH].map(|name| cookie(edupro, name, "", Duration::ZERO)))
}

fn headers(cookies: [String; 2]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in cookies.into_iter().filter_map(|cookie| HeaderValue::try_from(cookie).ok()) {
        headers.append(header::SET_COOKIE, value);
    }
    headers
}

fn cookie(edupro: &EduPro, name: &'static str, value: &str, lifetime: Duration) -> String {
    let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    let mut cookie =
        Cookie::build((name, value)).http_only(true).same_site(SameSite::Lax).path("/").build();
    if edupro.cookie_secure() {
        cookie.set_secure(true);
    }
    // The cookie crate's own duration type would be one more dependency for one number.
    format!("{cookie}; Max-Age={seconds}")
}
