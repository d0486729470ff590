//! What stands before and after every handler, from the outside in: a request id and a line in the
//! log, headers, panics, CORS, the origin, the traffic, the time.

mod headers;
mod origin;
mod record;
mod traffic;

use std::{any::Any, convert::Infallible, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::Route,
};
use tokio::time::timeout;
use tower::{Layer, Service};
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer};

pub(crate) use self::traffic::Traffic;
use crate::{EduPro, error::ApiError, routes::UPLOADS};

/// How long a handler may take when it has no upload to wait for (security R18): 15 seconds, and one
/// more, so that a body that does not come in its 15 is told so by whoever reads it.
const HANDLER_TIME: Duration = Duration::from_secs(16);
/// How long a browser may remember what it may send (security R15).
const PREFLIGHT_LIFETIME: Duration = Duration::from_mins(10);

/// Puts the guards around a router and its fallback.
pub(crate) fn around<S>(router: Router<S>, edupro: &EduPro) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router.layer(guards(edupro))
}

/// Puts the guards around the routes of a router and nothing else: what does not fit any of them is
/// no business of ours.
pub(crate) fn around_routes<S>(router: Router<S>, edupro: &EduPro) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router.route_layer(guards(edupro))
}

/// All guards, the outermost first.
fn guards(
    edupro: &EduPro,
) -> impl Layer<
    Route,
    Service: Service<
        Request,
        Response: IntoResponse + 'static,
        Error: Into<Infallible> + 'static,
        Future: Send + 'static,
    > + Clone
                 + Send
                 + Sync
                 + 'static,
> + Clone
+ Send
+ Sync
+ 'static {
    let state = || edupro.clone();
    (
        middleware::from_fn_with_state(state(), record::log),
        middleware::from_fn_with_state(state(), headers::add),
        CatchPanicLayer::custom(answer_panic as fn(_) -> _),
        cors(edupro),
        middleware::from_fn_with_state(state(), origin::check),
        middleware::from_fn_with_state(state(), traffic::limit),
        middleware::from_fn(limit_time),
    )
}

/// Exact origins, with cookies (security R15).
fn cors(edupro: &EduPro) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(edupro.cors_origins().to_vec())
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::ACCEPT,
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::RANGE,
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("x-requested-with"),
        ])
        .expose_headers([header::RETRY_AFTER, HeaderName::from_static("x-request-id")])
        .max_age(PREFLIGHT_LIFETIME)
}

/// A panic is a fault of ours: the process lives on (security R19).
#[expect(clippy::needless_pass_by_value, reason = "the layer gives it by value")]
fn answer_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let words = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    tracing::error!(panic = words, "a handler panicked");
    ApiError::broken().into_response()
}

/// Bounds the time of a handler. An upload has bounds of its own where it is read.
async fn limit_time(request: Request, next: Next) -> Response {
    let content_type = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_film = request.uri().path().starts_with(UPLOADS);
    if is_film || content_type.is_some_and(|value| value.starts_with(b"multipart/")) {
        return next.run(request).await;
    }
    match timeout(HANDLER_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::unavailable(1).into_response(),
    }
}

/// The state of a guard.
type App = State<EduPro>;
