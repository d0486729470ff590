//! The two cookies (behaviour G4, security R13).

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use edupro_core::accounts::Tokens;

use crate::{
    EduPro, extract,
    openapi::{Describe, Description},
};

/// Shows who is asking.
pub(crate) const ACCESS: &str = "access_token";
/// Gets a new pair.
pub(crate) const REFRESH: &str = "refresh_token";

impl Describe for Cookies {
    fn describe(_: &mut Description<'_>) {}
}

/// The refresh token of a request, if it has one that is not empty.
pub(crate) fn refresh_token(headers: &HeaderMap) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    jar.get(REFRESH).map(|cookie| cookie.value().to_owned()).filter(|token| !token.is_empty())
}

/// Gives a client its tokens, and takes them away.
#[derive(Debug)]
pub(crate) struct Cookies {
    edupro: EduPro,
    path: String,
}

impl<S> FromRequestParts<S> for Cookies
where
    EduPro: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let edupro = EduPro::from_ref(state);
        let path = path(&edupro, parts).to_owned();
        Ok(Self { edupro, path })
    }
}

/// The path below which a browser sends the cookies again: where this school is, so that another
/// one on the same host does not get them, nor takes its own for them.
fn path<'a>(edupro: &'a EduPro, parts: &'a Parts) -> &'a str {
    if let Some(path) = edupro.cookie_path() {
        return path;
    }
    let prefix = extract::prefix(parts);
    // A proxy may have taken something off before the path that we see.
    let path = match edupro.public_url() {
        Some(url) if !prefix.is_empty() => {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            rest.find('/').map_or("", |at| &rest[at..])
        }
        _ => prefix,
    };
    if is_path(path) { path } else { "/" }
}

/// Whether a text can be a cookie's path.
pub(crate) fn is_path(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b";,\\".contains(&byte);
    text.starts_with('/') && text.bytes().all(is_plain)
}

impl Cookies {
    /// The headers that give a client its tokens.
    pub(crate) fn set(&self, tokens: &Tokens) -> HeaderMap {
        let settings = &self.edupro.school().settings;
        headers([
            self.cookie(ACCESS, &tokens.access, settings.access_ttl),
            self.cookie(REFRESH, &tokens.refresh, settings.refresh_ttl),
        ])
    }

    /// The headers that take them away.
    pub(crate) fn clear(&self) -> HeaderMap {
        headers([ACCESS, REFRESH].map(|name| self.cookie(name, "", Duration::ZERO)))
    }

    fn cookie(&self, name: &'static str, value: &str, lifetime: Duration) -> String {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let cookie = Cookie::build((name, value)).http_only(true).same_site(SameSite::Lax);
        let mut cookie = cookie.path(&*self.path).build();
        if self.edupro.cookie_secure() {
            cookie.set_secure(true);
        }
        // The cookie crate's own duration type would be one more dependency for one number.
        format!("{cookie}; Max-Age={seconds}")
    }
}

fn headers(cookies: [String; 2]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in cookies.into_iter().filter_map(|cookie| HeaderValue::try_from(cookie).ok()) {
        headers.append(header::SET_COOKIE, value);
    }
    headers
}
