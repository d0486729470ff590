//! The accept loop: it holds the protocol's limits (security R17, R18) and the graceful stop (R48).
//!
//! `axum::serve` has neither: its hyper runs without a timer, so a client that never finishes its
//! header keeps a connection for ever and keeps the process from stopping. What a request may do
//! once its header is here (body, handler) is limited by the router's own layers.

mod connection;
mod phase;
mod refusal;
mod stream;

#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};
use tracing::{debug, error, info, warn};

/// How long to wait after `accept` failed: too many open files go away when connections close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What one client may ask of the server before its request reaches the router.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the connection's start to its first byte. 10 s.
    pub first_byte: Duration,
    /// From a request's first byte to the end of its header. 10 s.
    pub header: Duration,
    /// From an answer's last byte to the next request's first. 60 s.
    pub idle: Duration,
    /// How long a client may take nothing of an answer that waits for it. 30 s.
    pub write_stall: Duration,
    /// How long a closed connection still reads, so that a client in the middle of sending sees
    /// the answer instead of a reset. 1 s.
    pub linger: Duration,
    /// How long a waiting connection may still come with a request once the stop was asked for: one
    /// that is on its way when the server stops is answered, and told to be the last. 500 ms.
    pub farewell: Duration,
    /// How long requests may go on once the stop was asked for. 25 s.
    pub drain: Duration,
    /// Bytes of request line and header fields together. 32 KiB; at most 100 fields, which is
    /// hyper's own limit.
    pub header_bytes: usize,
    /// Bytes of a URL. 8 KiB.
    pub url_bytes: usize,
    /// Open connections; further ones wait in the system's queue. 4,096.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(10),
            header: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            write_stall: Duration::from_secs(30),
            linger: Duration::from_secs(1),
            farewell: Duration::from_millis(500),
            drain: Duration::from_secs(25),
            header_bytes: 32 * 1024,
            url_bytes: 8 * 1024,
            connections: 4096,
        }
    }
}

/// How the serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Requests that were still running after [`Limits::drain`] and were cut off.
    pub cut_off: usize,
}

/// Serves `app` until `stop` is ready, then lets the running requests finish.
///
/// Every request carries a [`ConnectInfo`](axum::extract::ConnectInfo) with its peer's address.
/// Dropping the future stops at once, with no regard for running requests.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> Stopped {
    let protocol = protocol(&limits);
    let room = Arc::new(Semaphore::new(limits.connections));
    let (stopping, stop_seen) = watch::channel(false);
    let connection = |peer| connection::Connection {
        peer,
        app: app.clone(),
        limits,
        protocol: protocol.clone(),
        stop: stop_seen.clone(),
    };
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer, place) = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(ended) = connections.join_next() => {
                note_panic(ended);
                continue;
            }
            accepted = accept(&listener, &room) => accepted,
        };
        let connection = connection(peer);
        connections.spawn(async move {
            connection.run(stream).await;
            drop(place);
        });
    }
    stopping.send_replace(true);
    // Whom the system has let in by now is served; later ones are refused, instead of waiting for
    // nobody.
    for (stream, peer) in last_clients(listener, room.available_permits()) {
        connections.spawn(connection(peer).run(stream));
    }
    drain(connections, limits.drain).await
}

/// The connections that are waiting in the system's queue, `most` of them.
fn last_clients(listener: TcpListener, most: usize) -> Vec<(TcpStream, SocketAddr)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let mut clients = Vec::new();
    // The listener does not block: an error says that nobody is waiting any more.
    while clients.len() < most
        && let Ok((stream, peer)) = listener.accept()
    {
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        clients.extend(stream.map(|stream| (stream, canonical(peer))));
    }
    clients
}

/// An IPv4 client of an IPv6 listener, as the IPv4 address that it is.
fn canonical(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}

/// Hyper's part of the limits. The time limits are kept by [`stream::Watched`]: hyper has one for
/// the header, which counts a kept-alive connection's idle time as header time, and does not begin
/// to count before it looks at the socket again.
fn protocol(limits: &Limits) -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol
        .header_read_timeout(None)
        .max_header_size(limits.header_bytes)
        .max_buf_size((2 * limits.header_bytes).max(16 * 1024));
    protocol
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = Arc::clone(room).acquire_owned().await else {
            // Nobody closes the semaphore.
            return std::future::pending().await;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    debug!(%error, "the connection was gone before it was set up");
                }
                return (stream, canonical(peer), place);
            }
            Err(error) if concerns_one_client(&error) => debug!(%error, "a client gave up"),
            Err(error) => {
                warn!(%error, "cannot accept connections; is the limit of open files too low?");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn concerns_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

/// Waits for the running requests; idle connections have ended by themselves.
async fn drain(mut connections: JoinSet<()>, patience: Duration) -> Stopped {
    if !connections.is_empty() {
        info!(connections = connections.len(), "finishing running requests");
    }
    let all_ended = async {
        while let Some(ended) = connections.join_next().await {
            note_panic(ended);
        }
    };
    if timeout(patience, all_ended).await.is_ok() {
        return Stopped { cut_off: 0 };
    }
    let cut_off = connections.len();
    warn!(cut_off, "some requests took too long to finish");
    connections.shutdown().await;
    Stopped { cut_off }
}

/// A panic ends one connection. The router turns a handler's panic into an answer, so one that
/// arrives here is worth a line in the log.
fn note_panic(ended: Result<(), JoinError>) {
    if let Err(failure) = ended
        && failure.is_panic()
    {
        error!("a connection ended with a panic");
    }
}
