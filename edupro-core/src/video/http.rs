//! What video hosts that are asked over HTTPS have in common: answers of a bounded size, errors that
//! tell no secrets, and films that are sent for as long as they move.

use std::{
    error::Error,
    iter::successors,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::{Body, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::timeout;

use super::HostError;
use crate::{
    files::{Download, FileError},
    https,
};

/// Largest answer that is read, in bytes. A list of a few dozen videos is some 50 KiB.
pub(super) const ANSWER_LIMIT: usize = 1 << 20;
/// Longest wait that a provider can ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Longest text of a provider's that a teacher is shown, in characters.
const TEXT_LENGTH: usize = 200;
/// What a film of some gigabytes needs on a slow line.
const LONGEST_PUSH: Duration = Duration::from_hours(12);
/// How often somebody looks whether a film still moves.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The body of an answer, of which no more than `limit` bytes are taken.
pub(super) async fn read_bounded(mut answer: Response, limit: usize) -> Result<Bytes, HostError> {
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + piece.len() > limit {
                return Err(HostError::Other("an answer that is too long".into()));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    };
    // The client's own limit is not in force after a film.
    timeout(LOOK_EVERY, reading).await.map_err(HostError::unavailable)?
}

/// No answer came, or a film could not be read.
pub(super) fn unreachable(error: reqwest::Error) -> HostError {
    let maybe_done = !error.is_connect();
    let is_ours = error.is_builder() || causes(&error).any(<dyn Error>::is::<FileError>);
    let source = in_words(error).into();
    match is_ours {
        true => HostError::Other(source),
        false => HostError::Unavailable { retry_after: None, maybe_done, source },
    }
}

/// What went wrong, as a text: the error itself would also show where, and some addresses have a
/// secret in them.
fn in_words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let words: Vec<_> = causes(&error).map(ToString::to_string).collect();
    words.join(": ")
}

/// An error, and what caused it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error| error.source())
}

/// A provider's text as a teacher may see it: one line of at most 200 characters, without addresses,
/// and nothing of it when one of our secrets is in it.
pub(super) fn for_a_teacher(text: &str, secrets: &[&SecretString]) -> String {
    let is_secret = secrets
        .iter()
        .map(|secret| secret.expose_secret())
        .any(|secret| !secret.is_empty() && text.contains(secret));
    let is_address = |word: &str| {
        let word = word.to_ascii_lowercase();
        word.contains("://") || word.contains("www.")
    };
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words: Vec<&str> =
        words.filter(|word| !is_secret && !word.is_empty() && !is_address(word)).collect();
    match words.is_empty() {
        true => "The video service refused this request.".to_owned(),
        false => words.join(" ").chars().take(TEXT_LENGTH).collect(),
    }
}

/// What an answer that is no success means.
pub(super) async fn refusal(answer: Response, secrets: &[&SecretString]) -> HostError {
    let status = answer.status();
    let retry_after = https::retry_after(answer.headers()).map(|wait| wait.min(LONGEST_WAIT));
    let failed = |maybe_done| HostError::Unavailable {
        retry_after,
        maybe_done,
        source: status.to_string().into(),
    };
    if status == StatusCode::TOO_MANY_REQUESTS {
        return failed(false);
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return failed(true);
    }
    if !status.is_client_error() {
        return HostError::Other(status.to_string().into());
    }
    // A refusal is one without its words too.
    let body = read_bounded(answer, ANSWER_LIMIT).await.unwrap_or_default();
    let text = reason(&body).unwrap_or_default();
    let public = for_a_teacher(&text, secrets);
    let about_plan = is_about_plan(&text);
    match status {
        StatusCode::PAYMENT_REQUIRED => HostError::Quota { public },
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN if about_plan => {
            HostError::Quota { public }
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => HostError::Credentials,
        StatusCode::NOT_FOUND => HostError::NotFound,
        _ => HostError::Rejected { public },
    }
}

/// Why something was refused, where one provider or another writes it.
fn reason(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let places = [
        body.get("message"),
        body.get("Message"),
        body.get("error").and_then(|error| error.get("message")),
        body.get("error"),
        body.get("errors").and_then(|errors| errors.get(0)),
    ];
    places.into_iter().flatten().find_map(Value::as_str).map(ToOwned::to_owned)
}

/// Whether it is about what was paid for: no provider has a code for that.
fn is_about_plan(text: &str) -> bool {
    let text = text.to_lowercase();
    ["trial limit", "video limit", "quota", "upgrade", "subscription"]
        .iter()
        .any(|word| text.contains(word))
}

/// Sends a film, in a request that `request` makes of its body, for as long as it moves.
pub(super) async fn send_film(
    film: Download,
    request: impl FnOnce(Body) -> RequestBuilder,
) -> Result<Response, HostError> {
    send_while_it_moves(film, request, LOOK_EVERY).await
}

async fn send_while_it_moves(
    film: Download,
    request: impl FnOnce(Body) -> RequestBuilder,
    look_every: Duration,
) -> Result<Response, HostError> {
    let pieces = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&pieces);
    let body = Body::wrap_stream(film.stream.inspect(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    }));
    let mut sending = pin!(request(body).timeout(LONGEST_PUSH).send());
    let mut before = 0;
    loop {
        match timeout(look_every, &mut sending).await {
            Ok(answer) => return answer.map_err(unreachable),
            Err(late) => match pieces.load(Ordering::Relaxed) {
                now if now == before => return Err(HostError::unavailable(late)),
                now => before = now,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use chrono::DateTime;
    use futures_util::stream;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        time::sleep,
    };

    use super::*;

    const PIECE: usize = 1 << 12;

    /// A film of so many pieces, with a pause before each.
    fn film(pieces: u64, pause: Duration) -> Download {
        let size = pieces * PIECE as u64;
        let stream = stream::iter(0..pieces).then(move |_| async move {
            sleep(pause).await;
            Ok(Bytes::from(vec![0; PIECE]))
        });
        Download {
            size,
            range: 0..size,
            last_modified: DateTime::UNIX_EPOCH,
            e_tag: None,
            content_type: "video/mp4",
            stream: stream.boxed(),
        }
    }

    async fn send(
        film: Download,
        server: impl AsyncFnOnce(TcpStream),
    ) -> Result<Response, HostError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let client = https::client(Duration::from_secs(2), Duration::from_millis(50)).unwrap();
        let sending = send_while_it_moves(
            film,
            |body| client.put(url).body(body),
            Duration::from_millis(200),
        );
        let serving = async { server(listener.accept().await.unwrap().0).await };
        tokio::select! {
            answer = sending => answer,
            () = async { serving.await; std::future::pending().await } => unreachable!(),
        }
    }

    #[tokio::test]
    async fn a_film_may_take_longer_than_an_answer() {
        let answer = send(film(5, Duration::from_millis(100)), async |mut socket| {
            let mut got = Vec::new();
            while !got.ends_with(b"\r\n0\r\n\r\n") {
                socket.read_buf(&mut got).await.unwrap();
            }
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        });
        assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn a_film_that_does_not_move_is_given_up() {
        let start = Instant::now();
        let answer =
            send(film(10_000, Duration::ZERO), async |_socket| std::future::pending().await);
        let error = answer.await.unwrap_err();
        assert!(matches!(error, HostError::Unavailable { maybe_done: true, .. }), "{error:?}");
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_teacher_is_shown_one_short_line_without_addresses_and_secrets() {
        let secret = SecretString::from("k3y");
        let shown = |text: &str| for_a_teacher(text, &[&secret]);
        assert_eq!(shown("Title is\r\n\tinvalid\0."), "Title is invalid .");
        assert_eq!(shown("See https://a.example/?x and WWW.b.example now"), "See and now");
        assert_eq!(shown(&"é".repeat(300)), "é".repeat(200));
        for text in ["", " \n", "http://a.example", "key=k3y was wrong"] {
            assert_eq!(shown(text), "The video service refused this request.", "{text}");
        }
    }

    #[test]
    fn a_reason_is_found_wherever_it_stands() {
        let found = |body: &str| reason(body.as_bytes());
        for body in [
            r#"{"message":"No."}"#,
            r#"{"Message":"No."}"#,
            r#"{"error":"No."}"#,
            r#"{"error":{"message":"No."}}"#,
            r#"{"errors":["No."]}"#,
        ] {
            assert_eq!(found(body).as_deref(), Some("No."), "{body}");
        }
        assert_eq!(found("<html>"), None);
        assert_eq!(found(r#"{"message":{}}"#), None);
    }
}
