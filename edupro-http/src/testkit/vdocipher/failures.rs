//! What goes wrong when a test wants it to.

use std::{convert::Infallible, fmt, io, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet, time::sleep};
use tower::ServiceExt;

use super::state::{Seen, Shared};

/// How much of a request to the API is read, in bytes.
const LARGEST_REQUEST: usize = 1024 * 1024;

/// What happens to a request instead of what should.
#[derive(Clone, Debug)]
pub enum Failure {
    /// This is answered, and nothing is done.
    Answer {
        /// The status.
        status: u16,
        /// The body.
        body: String,
        /// Headers, which may replace what stands there otherwise.
        headers: Vec<(&'static str, String)>,
    },
    /// The connection is closed before anything is done.
    Drop,
    /// The connection is closed when it is done, and no answer comes.
    DropAfterWork,
    /// So long nothing happens; then it is done as if nothing were wrong.
    Delay(Duration),
    /// Nothing is done, and the answer is a success that nobody can read.
    Garbage,
    /// It is done, and the connection is closed in the middle of the answer.
    HalfABody,
}

impl Failure {
    /// A refusal, with a message where one has been met.
    #[must_use]
    pub fn status(status: u16, message: &str) -> Self {
        Self::Answer { status, body: json!({"message": message}).to_string(), headers: Vec::new() }
    }

    /// The refusals of the bucket look like this.
    #[must_use]
    pub fn of_the_bucket(status: u16, code: &str, message: &str) -> Self {
        let body = super::bucket::error_text(code, message);
        Self::Answer { status, body, headers: vec![("content-type", "application/xml".to_owned())] }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// Marks an answer instead of which the connection is closed.
#[derive(Clone, Copy, Debug)]
struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is to be dropped")
    }
}

impl std::error::Error for Dropped {}

/// Answers until it is aborted, and its connections with it. `axum::serve` cannot do without an
/// answer.
pub(super) async fn serve(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let router = router.clone();
        connections.spawn(async move {
            let service = service_fn(move |request: hyper::Request<Incoming>| {
                let answer = router.clone().oneshot(request.map(Body::new));
                async move {
                    let answer = answer.await.unwrap_or_else(|never: Infallible| match never {});
                    match answer.extensions().get::<Dropped>() {
                        Some(dropped) => Err(*dropped),
                        None => Ok(answer),
                    }
                }
            });
            // How a connection ends is what the tests are about.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Notes what comes in, and has it go wrong when that was ordered.
pub(super) async fn misbehave(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    // What a browser asks before it uploads is no upload.
    if request.method() == Method::OPTIONS {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let is_upload = parts.uri.path().starts_with("/s3/");
    let (content, body) = if is_upload {
        // A film is passed on as it comes.
        (Bytes::new(), body)
    } else {
        let content = to_bytes(body, LARGEST_REQUEST).await.unwrap_or_default();
        (content.clone(), content.into())
    };
    let failure = {
        let mut books = shared.books();
        books.requests.push(Seen {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
            body: content,
        });
        match is_upload {
            true => books.upload_failures.pop_front(),
            false => books.failures.pop_front(),
        }
    };
    let request = Request::from_parts(parts, body);
    match failure {
        None => next.run(request).await,
        Some(Failure::Delay(time)) => {
            sleep(time).await;
            next.run(request).await
        }
        Some(Failure::Drop) => dropped(),
        Some(Failure::DropAfterWork) => {
            next.run(request).await;
            dropped()
        }
        Some(Failure::HalfABody) => half(next.run(request).await).await,
        Some(Failure::Garbage) => {
            drain(request.into_body()).await;
            ([(header::CONTENT_TYPE, "text/html")], "<html><body>It works!</body></html>")
                .into_response()
        }
        Some(Failure::Answer { status, body, headers }) => {
            drain(request.into_body()).await;
            let status = StatusCode::from_u16(status).expect("a status");
            let content_type = [(header::CONTENT_TYPE, "application/json")];
            let mut answer = (status, content_type, body).into_response();
            for (name, value) in headers {
                let value = HeaderValue::try_from(value).expect("a header's value");
                answer.headers_mut().insert(HeaderName::from_static(name), value);
            }
            answer
        }
    }
}

fn dropped() -> Response {
    let mut answer = Response::default();
    answer.extensions_mut().insert(Dropped);
    answer
}

/// The first half of an answer that was to be whole.
async fn half(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let content = to_bytes(body, LARGEST_REQUEST).await.expect("a short answer");
    parts.headers.insert(header::CONTENT_LENGTH, content.len().into());
    let first = content.slice(..content.len() / 2);
    let end = async {
        // Or the first half would never leave.
        sleep(Duration::from_millis(20)).await;
        Err(io::Error::other("the other half does not come"))
    };
    let pieces = stream::iter([Ok(first)]).chain(stream::once(end));
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// Reads what was sent to its end: who is answered while sending might not look.
pub(super) async fn drain(body: Body) {
    let mut pieces = body.into_data_stream();
    while let Some(Ok(_)) = pieces.next().await {}
}
