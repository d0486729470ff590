//! One connection, from its first byte to its last.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
};
use hyper::{
    Request, Response,
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
    service::Service,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::watch};
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
        };
        let mut serving = pin!(self.protocol.serve_connection(TokioIo::new(watched), gate));
        let ended = tokio::select! {
            // Hyper goes first: what has arrived before the stop is a request to answer.
            biased;
            ended = &mut serving => ended,
            () = asked_to_stop(&mut self.stop) => {
                if !phase.is_answering() {
                    return;
                }
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        if let Err(error) = ended {
            debug!(peer = %self.peer, %error, "the connection ended early");
        }
    }
}

/// Ready when the server stops, also when it is gone.
async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
    // An error says that the sender is dropped, and with it the server.
    drop(stop.wait_for(|stopping| *stopping).await);
}

/// Stands between hyper and the router: says who is asking, and refuses long URLs.
struct Gate {
    peer: SocketAddr,
    app: Router,
    url_bytes: usize,
    phase: Arc<CurrentPhase>,
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
        Box::pin(async move {
            let response = if too_long {
                Refusal::UrlTooLong.to_response()
            } else {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                app.call(request).await?
            };
            Ok(response.map(|body| AnswerBody { body, _answering: answering }))
        })
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
