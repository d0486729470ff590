//! Who says to be whom (behaviour G4, security R9, R13).

use axum::http::{HeaderMap, HeaderValue, header};
use edupro_core::conformance::strangers;

use crate::{cookies, extract::access_token};

/// Every token that is found in the headers is judged as [`strangers::token`] says, and no cookie
/// of somebody else hides the school's own. A line each is a `Cookie` header, or `Authorization` if
/// it begins with `Bearer`. Answers whether somebody was recognised.
///
/// # Panics
///
/// When one of that is not so.
pub fn cookies(bytes: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        match line.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Bearer")) {
            true => headers.append(header::AUTHORIZATION, value),
            false => headers.append(header::COOKIE, value),
        };
    }
    let access: Vec<_> = access_token(&headers).collect();
    assert!(access.len() <= 2, "more tokens than there are places for them: {access:?}");
    let refresh = cookies::refresh_token(&headers);
    assert_ne!(refresh.as_deref(), Some(""), "nothing is a token");
    let tokens = access.iter().chain(&refresh);
    let known = tokens.filter(|token| strangers::token(token)).count() > 0;

    let [own, ..] = strangers::tokens();
    let cookie = format!("{}={own}", cookies::ACCESS);
    headers.append(header::COOKIE, cookie.parse().expect("a token fits into a header"));
    assert_eq!(access_token(&headers).next(), Some(own), "a cookie hides the school's own");
    known
}
