use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;

use super::{Announced, EventError, EventSink};

/// Keeps events in memory, for tests.
#[derive(Debug, Default)]
pub struct MemorySink {
    received: Mutex<Vec<Announced>>,
    refusing: AtomicBool,
}

impl MemorySink {
    /// What was received so far, the oldest first.
    #[must_use]
    pub fn received(&self) -> Vec<Announced> {
        self.lock().clone()
    }

    /// What was received since the last call, the oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<Announced> {
        std::mem::take(&mut *self.lock())
    }

    /// Plays a sink that can take nothing now, until it is called with `false`.
    pub fn refuse(&self, refuse: bool) {
        self.refusing.store(refuse, Ordering::SeqCst);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Announced>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl EventSink for MemorySink {
    async fn receive(&self, announced: &Announced) -> Result<(), EventError> {
        if self.refusing.load(Ordering::SeqCst) {
            return Err(EventError::unavailable("the sink was told to refuse"));
        }
        self.lock().push(announced.clone());
        Ok(())
    }
}
