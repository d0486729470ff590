//! A line that can be bad: passes connections on to another port, and holds them up, slows them
//! down or cuts them when it is told to.
//!
//! What TCP would send again after a pause of the network is delivered after a pause here too:
//! [`Proxy::hold`] loses no byte, it only lets none through.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::sleep,
};

/// What passes in one piece; with a limit, the longest piece between two pauses.
const CHUNK: usize = 16 * 1024;

/// How the line is.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Where new connections go.
    target: SocketAddr,
    /// Nothing passes, and nobody is told.
    is_held: bool,
    /// New connections are reset.
    is_refused: bool,
    /// Raised whenever connections that are there have to end.
    cuts: u64,
    /// Raised whenever both sides have to be told that nothing more comes.
    ends: u64,
    /// How long each piece waits.
    delay: Duration,
    /// Bytes a second, each direction of each connection; 0 is no limit.
    limit: u64,
}

/// A listener that passes everything on. It stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    addr: SocketAddr,
    line: watch::Sender<Line>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of this machine.
    pub(crate) async fn open(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (line, seen) = watch::channel(Line {
            target,
            is_held: false,
            is_refused: false,
            cuts: 0,
            ends: 0,
            delay: Duration::ZERO,
            limit: 0,
        });
        Ok(Self { addr, line, accepting: tokio::spawn(accept(listener, seen)) })
    }

    /// Where it listens.
    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Everything passes again, also what was held up.
    pub(crate) fn flow(&self) {
        self.line.send_modify(|line| {
            line.is_held = false;
            line.is_refused = false;
        });
    }

    /// Nothing passes, in neither direction, and nobody is told.
    pub(crate) fn hold(&self) {
        self.line.send_modify(|line| line.is_held = true);
    }

    /// Resets the connections that are there, and those that come.
    pub(crate) fn refuse(&self) {
        self.line.send_modify(|line| {
            line.is_refused = true;
            line.cuts += 1;
        });
    }

    /// Resets the connections that are there; new ones are welcome.
    pub(crate) fn cut(&self) {
        self.line.send_modify(|line| line.cuts += 1);
    }

    /// Tells both sides of each connection that the other has nothing more to say.
    pub(crate) fn finish(&self) {
        self.line.send_modify(|line| line.ends += 1);
    }

    /// Lets each piece wait so long.
    pub(crate) fn delay(&self, delay: Duration) {
        self.line.send_modify(|line| line.delay = delay);
    }

    /// Lets so many bytes a second pass in each direction of each connection; 0 is no limit.
    pub(crate) fn limit(&self, bytes_per_second: u64) {
        self.line.send_modify(|line| line.limit = bytes_per_second);
    }

    /// Takes new connections elsewhere.
    pub(crate) fn turn_to(&self, target: SocketAddr) {
        self.line.send_modify(|line| line.target = target);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, line: watch::Receiver<Line>) {
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(pass_on(near, line.clone()));
    }
}

/// A connection's whole life. However it ends, both sides hear of it: of an end when one of them
/// has said everything, and of a reset in every other case.
async fn pass_on(near: TcpStream, mut line: watch::Receiver<Line>) {
    let Line { cuts, is_refused, .. } = *line.borrow();
    if is_refused {
        return reset(&near);
    }
    let mut near = near;
    let is_open = line.wait_for(|line| !line.is_held || line.cuts != cuts).await;
    let Ok(Line { target, .. }) = is_open.map(|line| *line) else { return reset(&near) };
    let Ok(mut far) = TcpStream::connect(target).await else { return reset(&near) };
    let is_over = {
        let (near_reads, near_writes) = near.split();
        let (far_reads, far_writes) = far.split();
        let mut watched = line.clone();
        tokio::select! {
            passed = async { tokio::try_join!(
                pump(near_reads, far_writes, line.clone()),
                pump(far_reads, near_writes, line.clone()),
            ) } => passed.is_ok(),
            _ = watched.wait_for(|line| line.cuts != cuts) => false,
        }
    };
    if !is_over {
        reset(&near);
        reset(&far);
    }
}

/// Has the connection reset when it is dropped, which loses what was not delivered. One that is
/// gone already needs none.
fn reset(stream: &TcpStream) {
    drop(stream.set_zero_linger());
}

/// One direction, until there is nothing more to say.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut line: watch::Receiver<Line>,
) -> io::Result<()> {
    let ends = line.borrow().ends;
    let mut chunk = vec![0; CHUNK];
    loop {
        let mut watched = line.clone();
        let size = tokio::select! {
            read = from.read(&mut chunk) => read?,
            _ = watched.wait_for(|line| line.ends != ends) => 0,
        };
        line.wait_for(|line| !line.is_held).await.map_err(io::Error::other)?;
        let Line { delay, limit, .. } = *line.borrow();
        sleep(delay).await;
        if size == 0 {
            return to.shutdown().await;
        }
        to.write_all(chunk.get(..size).unwrap_or_default()).await?;
        if let Some(milliseconds) = (size as u64 * 1000).checked_div(limit) {
            sleep(Duration::from_millis(milliseconds)).await;
        }
    }
}
