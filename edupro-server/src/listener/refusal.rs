//! Answers to requests that do not reach the router, in the contract's `detail` shape.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};

/// What every answer carries (security R16), here without the router's layers.
const HEADERS: [(header::HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "application/json"),
    (header::CONNECTION, "close"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// Why a request was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Its header is not HTTP.
    Unreadable,
    /// Its URL is longer than the limit.
    UrlTooLong,
    /// Its header has too many bytes or fields.
    HeaderTooLarge,
}

impl Refusal {
    /// The refusal behind the answer that hyper wrote by itself. Hyper's have no body, and an
    /// API whose errors are JSON should not have exceptions.
    pub(super) fn read(answer: &[u8]) -> Self {
        match answer.get(9..12) {
            Some(b"431") => Self::HeaderTooLarge,
            Some(b"414") => Self::UrlTooLong,
            _ => Self::Unreadable,
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::UrlTooLong => StatusCode::URI_TOO_LONG,
            Self::HeaderTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        }
    }

    fn body(self) -> &'static str {
        match self {
            Self::Unreadable => r#"{"detail":"The request is not valid HTTP."}"#,
            Self::UrlTooLong => r#"{"detail":"The URL is too long."}"#,
            Self::HeaderTooLarge => r#"{"detail":"The request header is too large."}"#,
        }
    }

    /// The whole answer as it goes over the wire.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let (status, body) = (self.status(), self.body());
        let mut answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in HEADERS {
            answer.extend([name.as_str(), ": ", value, "\r\n"]);
        }
        answer.push_str("\r\n");
        answer.push_str(body);
        answer.into_bytes()
    }

    /// The same for hyper to write.
    pub(super) fn to_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body()));
        *response.status_mut() = self.status();
        for (name, value) in HEADERS {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
