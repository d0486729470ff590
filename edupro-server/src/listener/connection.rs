//! One connection, from its first byte to its last.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{HeaderValue, header::CONNECTION},
};
use hyper::{
    Request, Response,
    body::{Body as _, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::Service,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::watch, time::timeout};
use tower::Service as _;
use tracing::debug;

use super::{
    Limits,
    phase::{Answering, CurrentPhase},
    refusal::Refusal,
    stream::Watched,
};

/// What a connection needs to serve its client.
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    pub(super) app: Router,
    pub(super) limits: Limits,
    pub(super) protocol: http1::Builder,
    /// Becomes `true` when the server is to stop.
    pub(super) stop: watch::Receiver<bool>,
}

impl Connection {
    /// Serves until the client leaves, a limit has passed, or the server stops.
    pub(super) async fn run(mut self, stream: TcpStream) {
        let phase = Arc::new(CurrentPhase::default());
        let watched = Watched::new(stream, Arc::clone(&phase), self.limits);
        let gate = Gate {
            peer: self.peer,
            app: self.app,
            url_bytes: self.limits.url_bytes,
            phase: Arc::clone(&phase),
            stop: self.stop.clone(),
        };
        let mut serving = pin!(self.protocol.serve_connection(TokioIo::new(watched), gate));
        let ended = tokio::select! {
            ended = &mut serving => Some(ended),
            () = asked_to_stop(&mut self.stop) => {
                let farewell = answering_or_ended(serving.as_mut(), &phase);
                match timeout(self.limits.farewell, farewell).await {
                    // Nothing came: an idle connection, or half a header.
                    Err(_) => None,
                    Ok(Some(ended)) => Some(ended),
                    Ok(None) => {
                        serving.as_mut().graceful_shutdown();
                        Some(serving.await)
                    }
                }
            }
        };
        if let Some(Err(error)) = ended {
            debug!(peer = %self.peer, %error, "the connection ended early");
        }
    }
}

/// Ready when the server stops, also when it is gone.
async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
    // An error says that the sender is dropped, and with it the server.
    drop(stop.wait_for(|stopping| *stopping).await);
}

/// Serves until a request is being answered, which gives `None`, or the connection has ended.
async fn answering_or_ended<C: Future>(
    mut serving: Pin<&mut C>,
    phase: &CurrentPhase,
) -> Option<C::Output> {
    poll_fn(|context| match serving.as_mut().poll(context) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending if phase.is_answering() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Stands between hyper and the router: says who is asking, refuses long URLs, and tells clients
/// to go when the server stops.
struct Gate {
    peer: SocketAddr,
    app: Router,
    url_bytes: usize,
    phase: Arc<CurrentPhase>,
    stop: watch::Receiver<bool>,
}

impl Service<Request<Incoming>> for Gate {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        // Not inside the future: from here on the stop must wait for this request.
        let answering = Answering::new(&self.phase);
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        let too_long = target.len() > self.url_bytes;
        let mut app = self.app.clone();
        let peer = self.peer;
        let stop = self.stop.clone();
        Box::pin(async move {
            let is_read = Arc::new(AtomicBool::new(request.body().is_end_stream()));
            let mut response = if too_long {
                Refusal::UrlTooLong.to_response()
            } else {
                let noted = Arc::clone(&is_read);
                let mut request =
                    request.map(|body| Body::new(RequestBody { body, is_read: noted }));
                request.extensions_mut().insert(ConnectInfo(peer));
                app.call(request).await?
            };
            // Hyper closes after a body that nobody wanted unless all of it happens to be here
            // already. Whoever is not told sends the next request into a closed connection.
            if *stop.borrow() || !is_read.load(Ordering::Relaxed) {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response.map(|body| AnswerBody { body, _answering: answering }))
        })
    }
}

/// What the client sends, and whether the router has read it to the end.
struct RequestBody {
    body: Incoming,
    is_read: Arc<AtomicBool>,
}

impl hyper::body::Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.is_read.store(true, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The router's body. Hyper drops it when it has taken all of it.
struct AnswerBody {
    body: Body,
    _answering: Answering,
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
