//! What a connection is doing, as far as its time limits are concerned.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// The way of a connection: `Waiting → Header → Busy → Flushing → Waiting → …`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing of a request has arrived yet.
    Waiting = 0,
    /// A part of a request's header is here.
    Header = 1,
    /// The router has the request, or its answer is being read from the router.
    Busy = 2,
    /// The router is done; the answer's last bytes may still be on their way out.
    Flushing = 3,
}

/// A connection's phase, shared by its stream and its service. Both run in one task; the atomic
/// is there because the compiler cannot know that.
#[derive(Debug, Default)]
pub(super) struct CurrentPhase(AtomicU8);

impl CurrentPhase {
    pub(super) fn get(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Waiting,
            1 => Phase::Header,
            2 => Phase::Busy,
            _ => Phase::Flushing,
        }
    }

    pub(super) fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    /// Whether a request is being answered: a graceful stop waits for it.
    pub(super) fn is_answering(&self) -> bool {
        matches!(self.get(), Phase::Busy | Phase::Flushing)
    }
}

/// Keeps the connection [`Phase::Busy`] while it lives: it goes with the request into the router
/// and leaves with the answer's body.
#[derive(Debug)]
pub(super) struct Answering(Arc<CurrentPhase>);

impl Answering {
    pub(super) fn new(phase: &Arc<CurrentPhase>) -> Self {
        phase.set(Phase::Busy);
        Self(Arc::clone(phase))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.set(Phase::Flushing);
    }
}
