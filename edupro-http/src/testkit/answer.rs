//! What came back.

use std::fmt;

use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use serde_json::Value;

/// What came back. Shown, it is the status, the cookies by name and flags, and the body: all that
/// a client of the contract depends on.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// The status, as a number.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// A header, if it is there.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body as it is.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// The `Set-Cookie` headers.
    pub fn cookies(&self) -> impl Iterator<Item = &str> {
        self.headers.get_all(header::SET_COOKIE).into_iter().filter_map(|value| value.to_str().ok())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.status)?;
        for cookie in self.cookies() {
            let (name, rest) = cookie.split_once('=').unwrap_or((cookie, ""));
            let (value, flags) = rest.split_once(';').unwrap_or((rest, ""));
            let value = if value.is_empty() { "" } else { "…" };
            write!(formatter, "\nset-cookie: {name}={value};{flags}")?;
        }
        for name in [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
            if let Some(value) = self.header(name.as_str()) {
                write!(formatter, "\n{name}: {value}")?;
            }
        }
        if self.body.is_empty() {
            return Ok(());
        }
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(_) => write!(formatter, "\n\n{}", pretty(&self.body)),
            Err(_) => write!(formatter, "\n\n{} bytes", self.body.len()),
        }
    }
}

/// JSON with a line a value, its keys in the order they were sent.
fn pretty(body: &[u8]) -> String {
    let mut text = String::new();
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let body = String::from_utf8_lossy(body);
    let mut characters = body.chars().peekable();
    while let Some(character) = characters.next() {
        if in_string {
            text.push(character);
            in_string = escaped || character != '"';
            escaped = character == '\\' && !escaped;
            continue;
        }
        match character {
            '{' | '[' => {
                text.push(character);
                if characters.peek().is_some_and(|next| matches!(next, '}' | ']')) {
                    continue;
                }
                depth += 1;
                break_line(&mut text, depth);
            }
            '}' | ']' => {
                if !text.ends_with(['{', '[']) {
                    depth -= 1;
                    break_line(&mut text, depth);
                }
                text.push(character);
            }
            ',' => {
                text.push(',');
                break_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            '"' => {
                in_string = true;
                text.push('"');
            }
            other => text.push(other),
        }
    }
    text
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
}
