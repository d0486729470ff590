//! What keeps a slow or broken provider from making the school slow (security R45).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    Film, HostError, NewUpload, Playback, UploadId, UploadTicket, VideoCapabilities, VideoId,
    VideoInfo, VideoProvider, Viewer,
};
use crate::{Clock, webhook::WebhookRequest};

/// How long a provider may take for an answer that somebody is waiting for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many questions a provider is asked at the same time.
const IN_FLIGHT: usize = 8;
/// How many failures in a row make us stop asking.
const FAILURES: u32 = 5;
/// How long nobody asks then.
const REST: TimeDelta = TimeDelta::seconds(30);

/// A provider that is not asked while it is known to be down, nor too much at once.
#[derive(Debug)]
pub(super) struct Guarded {
    provider: Arc<dyn VideoProvider>,
    clock: Arc<dyn Clock>,
    places: Semaphore,
    circuit: Mutex<Circuit>,
}

/// Failures in a row, and until when nobody is to ask.
#[derive(Debug, Default)]
struct Circuit {
    failures: u32,
    open_until: Option<DateTime<Utc>>,
}

impl Guarded {
    pub(super) fn new(provider: Arc<dyn VideoProvider>, clock: Arc<dyn Clock>) -> Self {
        Self {
            provider,
            clock,
            places: Semaphore::new(IN_FLIGHT),
            circuit: Mutex::new(Circuit::default()),
        }
    }

    /// Whether it may be asked now. After a rest one question is let through, and shows whether the
    /// provider is back; the others wait for what becomes of that.
    fn enter(&self) -> Result<(), HostError> {
        let now = self.clock.now();
        let mut circuit = self.circuit.lock().unwrap_or_else(PoisonError::into_inner);
        match circuit.open_until {
            Some(until) if now < until => Err(HostError::Unavailable {
                retry_after: (until - now).to_std().ok(),
                maybe_done: false,
                source: "it did not answer and is left alone for a while".into(),
            }),
            Some(_) => {
                circuit.open_until = Some(now + REST);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn note(&self, is_down: bool) {
        let mut circuit = self.circuit.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_down {
            *circuit = Circuit::default();
            return;
        }
        circuit.failures = circuit.failures.saturating_add(1);
        if circuit.failures >= FAILURES && circuit.open_until.is_none() {
            tracing::warn!(provider = self.provider.name(), "the video host is left alone");
            circuit.open_until = Some(self.clock.now() + REST);
        }
    }

    async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, HostError> {
        self.enter()?;
        let question = async {
            let _place = self.places.acquire().await.map_err(HostError::unavailable)?;
            question.await
        };
        let answer = match timeout(PATIENCE, question).await {
            Ok(answer) => answer,
            Err(late) => Err(HostError::unavailable(late)),
        };
        self.note(matches!(answer, Err(HostError::Unavailable { .. })));
        answer
    }
}

#[async_trait]
impl VideoProvider for Guarded {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn capabilities(&self) -> VideoCapabilities {
        self.provider.capabilities()
    }

    async fn begin_upload(
        &self,
        new: &NewUpload<'_>,
        now: DateTime<Utc>,
    ) -> Result<UploadTicket, HostError> {
        self.ask(self.provider.begin_upload(new, now)).await
    }

    /// It takes as long as it takes, and a job is waiting, not a person.
    async fn push(&self, ticket: &UploadTicket, film: &Film<'_>) -> Result<VideoInfo, HostError> {
        self.provider.push(ticket, film).await
    }

    async fn find_upload(&self, upload: &UploadId) -> Result<VideoInfo, HostError> {
        self.ask(self.provider.find_upload(upload)).await
    }

    async fn show(&self, id: &VideoId) -> Result<VideoInfo, HostError> {
        self.ask(self.provider.show(id)).await
    }

    async fn authorize(
        &self,
        id: &VideoId,
        viewer: &Viewer<'_>,
        now: DateTime<Utc>,
    ) -> Result<Playback, HostError> {
        // What asks nobody works while the provider is down, and says nothing of whether it is.
        match self.provider.capabilities().authorizes_alone {
            true => self.provider.authorize(id, viewer, now).await,
            false => self.ask(self.provider.authorize(id, viewer, now)).await,
        }
    }

    async fn delete(&self, ids: &[VideoId]) -> Result<(), HostError> {
        self.ask(self.provider.delete(ids)).await
    }

    async fn search(&self, title: &str) -> Result<Vec<VideoInfo>, HostError> {
        self.ask(self.provider.search(title)).await
    }

    async fn webhook(
        &self,
        request: &WebhookRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<VideoId>, HostError> {
        // Verifying asks nobody.
        self.provider.webhook(request, now).await
    }
}
