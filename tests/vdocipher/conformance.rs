//! What every provider has to promise, and whether it is noticed when one does not keep it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    ManualClock,
    conformance::video,
    files::{FileStore, LinkSigner},
    video::{
        Film, HostError, LocalVideo, NewUpload, Playback, UploadId, UploadTicket,
        VideoCapabilities, VideoId, VideoInfo, VideoProvider, VideoState, Viewer, WebhookProof,
    },
};

use crate::support::{Rig, start_of_time};

#[tokio::test]
async fn vdocipher_keeps_all_promises() {
    // A crowd may keep a machine with two cores busy for a while.
    let rig = Rig::with(|options| options.timeout = Duration::from_secs(5)).await;
    rig.ready_after_polls(2).await;
    video::all(&rig.host, &rig.files, &*rig.clock).await;
    if let Some(fake) = rig.ours() {
        assert_eq!(fake.videos().len(), 0, "{:?}", fake.videos());
    }
}

fn local() -> (LocalVideo, FileStore, ManualClock) {
    let files = FileStore::in_memory().unwrap();
    let local = LocalVideo::new(files.clone(), LinkSigner::new(&[7; 32]));
    (local, files, ManualClock::new(start_of_time()))
}

#[tokio::test]
async fn the_schools_own_store_keeps_all_promises() {
    let (local, files, clock) = local();
    video::all(&local, &files, &clock).await;
}

/// A promise that is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    Name,
    NamedAtStart,
    Webhook,
    OneUpload,
    Overdue,
    Strangers,
    OtherVideo,
    NoWord,
    NoDuration,
    Keys,
    SharedTicket,
    Asks,
    Deletes,
    Forgets,
}

/// The school's own store, but for one promise.
#[derive(Debug)]
struct Liar(LocalVideo, Lie);

#[async_trait]
impl VideoProvider for Liar {
    fn name(&self) -> &'static str {
        if self.1 == Lie::Name { "Local host" } else { self.0.name() }
    }

    fn capabilities(&self) -> VideoCapabilities {
        let mut can = self.0.capabilities();
        match self.1 {
            Lie::NamedAtStart => can.names_video_at_start = true,
            Lie::Webhook => can.webhook = WebhookProof::Signature,
            Lie::Keys => can.ticket_keys = &["otp"],
            _ => {}
        }
        can
    }

    async fn begin_upload(
        &self,
        new: &NewUpload<'_>,
        now: DateTime<Utc>,
    ) -> Result<UploadTicket, HostError> {
        let mut ticket = self.0.begin_upload(new, now).await?;
        match self.1 {
            Lie::OneUpload => ticket.upload = UploadId("1".to_owned()),
            Lie::Overdue => ticket.expires_at = Some(now),
            _ => {}
        }
        Ok(ticket)
    }

    async fn push(&self, ticket: &UploadTicket, film: &Film<'_>) -> Result<VideoInfo, HostError> {
        let mut info = self.0.push(ticket, film).await?;
        match self.1 {
            Lie::NoWord => info.word.clear(),
            Lie::NoDuration => info.duration = None,
            Lie::Forgets => info.id = None,
            _ => {}
        }
        Ok(info)
    }

    async fn show(&self, id: &VideoId) -> Result<VideoInfo, HostError> {
        match self.1 {
            Lie::Strangers => {
                Ok(VideoInfo::new(Some(id.clone()), VideoState::AwaitingUpload, "waiting"))
            }
            Lie::OtherVideo => {
                let info = self.0.show(id).await?;
                Ok(VideoInfo::new(Some(VideoId("another".to_owned())), info.state, info.word))
            }
            _ => self.0.show(id).await,
        }
    }

    async fn authorize(
        &self,
        id: &VideoId,
        viewer: &Viewer<'_>,
        now: DateTime<Utc>,
    ) -> Result<Playback, HostError> {
        if self.1 == Lie::Asks {
            tokio::task::yield_now().await;
        }
        let viewer = match self.1 {
            Lie::SharedTicket => &Viewer::new("all", "all", None),
            _ => viewer,
        };
        self.0.authorize(id, viewer, now).await
    }

    async fn delete(&self, ids: &[VideoId]) -> Result<(), HostError> {
        if self.1 == Lie::Deletes { Ok(()) } else { self.0.delete(ids).await }
    }

    async fn webhook(
        &self,
        request: &edupro_core::WebhookRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<VideoId>, HostError> {
        if self.1 == Lie::Webhook { Ok(Vec::new()) } else { self.0.webhook(request, now).await }
    }
}

#[tokio::test]
async fn a_promise_that_is_not_kept_is_noticed() {
    for (lie, expected) in [
        (Lie::Name, "is no word"),
        (Lie::NamedAtStart, "a video that has a name at once"),
        (Lie::Webhook, "a webhook is believed that proves nothing"),
        (Lie::OneUpload, "two uploads have one name"),
        (Lie::Overdue, "an upload that is over when it is allowed"),
        (Lie::Strangers, "is shown"),
        (Lie::OtherVideo, "another video is shown"),
        (Lie::NoWord, "there is no word"),
        (Lie::NoDuration, "nobody says how long it lasts"),
        (Lie::Keys, "the keys of a ticket"),
        (Lie::SharedTicket, "two viewers have one ticket"),
        (Lie::Asks, "it asks somebody"),
        (Lie::Deletes, "is shown"),
        (Lie::Forgets, "a video has no name"),
    ] {
        let (local, files, clock) = local();
        let liar = Arc::new(Liar(local, lie));
        let trial = tokio::spawn(async move { video::all(&*liar, &files, &clock).await });
        let panic = trial.await.expect_err("it keeps all promises").into_panic();
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        assert!(words.as_ref().is_some_and(|words| words.contains(expected)), "{lie:?}: {words:?}");
    }
}
