use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;

use super::{Announced, EventError, EventSink};

/// Several sinks as one: each hears of each event, whatever the others say.
///
/// When one of them cannot take an event now, it is told to **all** of them again later, as it may
/// happen to every sink anyway. An event that one rejects and all others take is not told again.
#[derive(Clone, Debug, Default)]
pub struct FanOut(Vec<Arc<dyn EventSink>>);

impl FanOut {
    /// These sinks as one.
    #[must_use]
    pub const fn new(sinks: Vec<Arc<dyn EventSink>>) -> Self {
        Self(sinks)
    }
}

#[async_trait]
impl EventSink for FanOut {
    async fn receive(&self, announced: &Announced) -> Result<(), EventError> {
        let said = join_all(self.0.iter().map(|sink| sink.receive(announced))).await;
        let mut errors: Vec<_> = said.into_iter().filter_map(Result::err).collect();
        // Whoever may take it later decides that there is a later.
        errors.sort_by_key(|error| matches!(error, EventError::Rejected { .. }));
        errors.into_iter().next().map_or(Ok(()), Err)
    }
}
