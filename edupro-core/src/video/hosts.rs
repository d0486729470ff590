//! The providers of a school: one for new videos, and those that still have old ones.

use std::sync::Arc;

use super::{HostError, VideoProvider, guarded::Guarded};
use crate::Clock;

/// The providers of a school. Each of them is asked with patience, but not for ever: within five
/// seconds, eight questions at a time, and not at all for half a minute after five failures.
#[derive(Debug)]
pub struct VideoHosts {
    current: Arc<dyn VideoProvider>,
    others: Vec<Arc<dyn VideoProvider>>,
}

impl VideoHosts {
    /// New videos go to `current`; `others` play what they have.
    #[must_use]
    pub fn new(
        current: Arc<dyn VideoProvider>,
        others: Vec<Arc<dyn VideoProvider>>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let guarded = |provider: Arc<dyn VideoProvider>| -> Arc<dyn VideoProvider> {
            match provider.capabilities().authorizes_alone
                && provider.capabilities().plays_stored_files
            {
                // It is no other machine that could be down.
                true => provider,
                false => Arc::new(Guarded::new(provider, Arc::clone(clock))),
            }
        };
        Self { current: guarded(current), others: others.into_iter().map(guarded).collect() }
    }

    /// Where new videos go.
    #[must_use]
    pub fn current(&self) -> &dyn VideoProvider {
        &*self.current
    }

    /// The provider that has something, by the name that was kept with it.
    pub(crate) fn named(&self, name: &str) -> Result<&dyn VideoProvider, HostError> {
        let unknown = || HostError::Other(format!("no video provider {name} is configured").into());
        self.by_name(name).ok_or_else(unknown)
    }

    /// The provider of this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&dyn VideoProvider> {
        self.all().find(|provider| provider.name() == name)
    }

    /// The keys with which any of them tells a page how to play.
    pub fn ticket_keys(&self) -> impl Iterator<Item = &'static str> {
        self.all().flat_map(|provider| provider.capabilities().ticket_keys).copied()
    }

    fn all(&self) -> impl Iterator<Item = &dyn VideoProvider> {
        std::iter::once(&self.current).chain(&self.others).map(|provider| &**provider)
    }
}
