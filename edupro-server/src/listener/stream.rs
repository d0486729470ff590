//! A socket that knows how long it has been waiting, and for what.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    Limits,
    phase::{CurrentPhase, Phase},
    refusal::Refusal,
};

/// The stream hyper reads and writes. A limit that has passed is an I/O error, upon which hyper
/// closes the connection.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    phase: Arc<CurrentPhase>,
    limits: Limits,
    /// Whether a request was answered already.
    used: bool,
    /// When the phase began that reading is limited by.
    since: Instant,
    /// When the client stopped taking what is written; `None` while it takes.
    stalled: Option<Instant>,
    /// When the connection's end was sent; from then on what still arrives is thrown away.
    ended: Option<Instant>,
    read_alarm: Alarm,
    write_alarm: Alarm,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, phase: Arc<CurrentPhase>, limits: Limits) -> Self {
        let since = Instant::now();
        Self {
            stream,
            phase,
            limits,
            used: false,
            since,
            stalled: None,
            ended: None,
            read_alarm: Alarm::at(since),
            write_alarm: Alarm::at(since),
        }
    }

    /// How long the current phase may wait for the client's next byte. While a request is being
    /// answered hyper only reads to see whether the client is still there.
    fn patience(&self) -> Option<Duration> {
        match self.phase.get() {
            Phase::Waiting if self.used => Some(self.limits.idle),
            Phase::Waiting => Some(self.limits.first_byte),
            Phase::Header => Some(self.limits.header),
            Phase::Busy | Phase::Flushing => None,
        }
    }

    /// Notes what became of a write.
    fn written(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let since = *self.stalled.get_or_insert_with(Instant::now);
        ready!(self.write_alarm.poll(context, since + self.limits.write_stall));
        Poll::Ready(Err(timed_out("the client has stopped reading")))
    }

    /// Whether hyper is answering by itself: the router has not seen the request.
    fn is_refusing(&self) -> bool {
        !self.phase.is_answering()
    }

    /// Writes our own words where hyper refuses with an empty body.
    fn poll_refuse(
        &mut self,
        context: &mut Context<'_>,
        answer: &[u8],
        length: usize,
    ) -> Poll<io::Result<usize>> {
        let ours = Refusal::read(answer).to_bytes();
        let outcome = Pin::new(&mut self.stream).poll_write(context, &ours);
        self.written(context, outcome.map_ok(|_| length))
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Pending => {
                let Some(patience) = this.patience() else { return Poll::Pending };
                ready!(this.read_alarm.poll(context, this.since + patience));
                Poll::Ready(Err(timed_out("the client sent no request in time")))
            }
            outcome @ Poll::Ready(_) => {
                if buffer.filled().len() > before && this.phase.get() == Phase::Waiting {
                    this.phase.set(Phase::Header);
                    this.since = Instant::now();
                }
                outcome
            }
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_refusing() {
            return self.poll_refuse(context, buffer, buffer.len());
        }
        let outcome = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.written(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_refusing() {
            let length = buffers.iter().map(|buffer| buffer.len()).sum();
            let first = buffers.first().map_or(&[][..], |buffer| buffer);
            return self.poll_refuse(context, first, length);
        }
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.written(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Hyper flushes once all it has to say is written: then the answer is out, and the wait for
    /// the next request begins.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.phase.get() == Phase::Flushing {
            this.used = true;
            this.since = Instant::now();
            this.phase.set(Phase::Waiting);
            // Hyper already knows that there is nothing to read and does not ask again, so the
            // alarm that will make it ask is set here.
            let _ = this.read_alarm.poll(context, this.since + this.limits.idle);
        }
        Pin::new(&mut this.stream).poll_flush(context)
    }

    /// Sends the end and goes on reading for a moment. A socket that is closed with unread bytes
    /// resets the connection, and the client loses the answer it was about to read: a refused
    /// upload would look like a broken network.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let since = if let Some(since) = this.ended {
            since
        } else {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            this.phase.set(Phase::Waiting);
            *this.ended.insert(Instant::now())
        };
        let mut scratch = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut this.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    if since.elapsed() >= this.limits.linger {
                        return Poll::Ready(Ok(()));
                    }
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    return this.read_alarm.poll(context, since + this.limits.linger).map(Ok);
                }
            }
        }
    }
}

/// A timer that is set only when there is something to wait for.
#[derive(Debug)]
struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    fn at(instant: Instant) -> Self {
        Self(Box::pin(sleep_until(instant)))
    }

    /// Ready once `instant` has passed.
    fn poll(&mut self, context: &mut Context<'_>, instant: Instant) -> Poll<()> {
        if self.0.deadline() != instant {
            self.0.as_mut().reset(instant);
        }
        self.0.as_mut().poll(context)
    }
}

fn timed_out(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}
