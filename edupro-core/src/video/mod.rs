//! Videos: where they are kept, how they get there, and how they are played (contract 8.2–8.5, 8.7, 9).
//!
//! A lesson shows a [`Video`], which remembers the [`VideoProvider`] that has it: whoever switches
//! to another provider changes where *new* videos go, and the old ones play on.
//!
//! | way in | what happens |
//! | --- | --- |
//! | 8.2 with a file, [`LocalVideo`] | the file is the video, ready at once |
//! | 8.2 with a file, a provider elsewhere | the file is stored; a job pushes it and deletes it afterwards |
//! | 9.1, then 8.2 with the `video_id` | the teacher's browser uploads to where the provider says |
//!
//! A row is committed *before* a provider is asked for anything that it keeps. When the answer is
//! lost the row is not, and [`uploads::sweep`] looks for what it may have left behind.

#[cfg(feature = "bunny")]
mod bunny;
mod guarded;
mod hosts;
#[cfg(any(feature = "vdocipher", feature = "bunny"))]
mod http;
mod local;
pub mod playback;
mod provider;
pub mod status;
pub mod uploads;
#[cfg(feature = "vdocipher")]
mod vdocipher;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

#[cfg(feature = "bunny")]
pub use self::bunny::{BunnyStream, BunnyStreamConfigError, BunnyStreamOptions};
#[cfg(feature = "vdocipher")]
pub use self::vdocipher::{VdoCipher, VdoCipherConfigError, VdoCipherOptions};
pub use self::{
    hosts::VideoHosts,
    local::LocalVideo,
    provider::{
        Film, HostError, NewUpload, Playback, UploadHow, UploadId, UploadTicket, VideoCapabilities,
        VideoId, VideoInfo, VideoProvider, VideoState, Viewer, WebhookProof,
    },
};
use crate::{StoreResult, accounts::UserId, files::FileKey};

/// Longest title of an upload, in characters (behaviour 9.1).
pub const UPLOAD_TITLE_LENGTH: usize = 255;
/// Longest `video_id` that a lesson takes, in characters (behaviour 8.2).
pub const VIDEO_ID_LENGTH: usize = 100;

/// How far a video has come (behaviour 3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoStatus {
    /// No file has reached the provider.
    PreUpload,
    /// The provider works on it.
    Queued,
    /// It can be played.
    Ready,
    /// It never will be.
    Failed,
}

impl VideoStatus {
    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreUpload => "pre-upload",
            Self::Queued => "queued",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    /// The status that this word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::PreUpload, Self::Queued, Self::Ready, Self::Failed]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// The video of a lesson, as far as whoever shows the lesson needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoOf {
    /// [`Video::id`].
    pub id: Uuid,
    /// [`Video::provider`].
    pub provider: String,
    /// [`Video::host_id`].
    pub host_id: Option<VideoId>,
    /// [`Video::status`].
    pub status: VideoStatus,
}

/// A video, or what is to become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    /// Which one.
    pub id: Uuid,
    /// Whose.
    pub teacher: UserId,
    /// The lesson that shows it; `None` while there is none, and when it is gone.
    pub lesson: Option<Uuid>,
    /// What it is called.
    pub title: String,
    /// Which provider has it.
    pub provider: String,
    /// The provider's name for the upload.
    pub upload: Option<UploadId>,
    /// The provider's name for the video.
    pub host_id: Option<VideoId>,
    /// How far it has come.
    pub status: VideoStatus,
    /// The provider's word for that, when it gave one.
    pub word: Option<String>,
    /// How long it lasts, in seconds; 0 is unknown.
    pub duration: i64,
    /// Its film in this school's store: what is played, or what is still to be pushed.
    pub file: Option<FileKey>,
    /// The leave to upload it, while that is still needed.
    pub ticket: Option<UploadTicket>,
    /// When the provider was last asked to allow an upload.
    pub begun_at: Option<DateTime<Utc>>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// Since when its status is what it is.
    pub changed_at: DateTime<Utc>,
    /// When it was given up: it waits to be deleted at the provider.
    pub discarded_at: Option<DateTime<Utc>>,
}

impl Video {
    /// A video of which nothing is anywhere yet.
    #[must_use]
    pub fn new(
        id: Uuid,
        teacher: UserId,
        title: String,
        provider: &str,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            teacher,
            lesson: None,
            title,
            provider: provider.to_owned(),
            upload: None,
            host_id: None,
            status: VideoStatus::PreUpload,
            word: None,
            duration: 0,
            file: None,
            ticket: None,
            begun_at: None,
            created_at: now,
            changed_at: now,
            discarded_at: None,
        }
    }

    /// Notes how the provider says it stands.
    pub(crate) fn take(&mut self, info: &VideoInfo, now: DateTime<Utc>) {
        if let Some(id) = &info.id {
            self.host_id = Some(id.clone());
        }
        let status = match info.state {
            VideoState::AwaitingUpload => VideoStatus::PreUpload,
            VideoState::Queued | VideoState::Unknown => VideoStatus::Queued,
            VideoState::Ready => VideoStatus::Ready,
            VideoState::Failed => VideoStatus::Failed,
        };
        if status != self.status {
            self.status = status;
            self.changed_at = now;
        }
        self.word = Some(info.word.chars().take(WORD_LENGTH).collect());
        if let Some(duration) = info.duration {
            self.duration = i64::try_from(duration.as_secs()).unwrap_or_default();
        }
    }
}

/// Longest word of a provider that is kept, in characters.
const WORD_LENGTH: usize = 50;

/// Whose videos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideosOf {
    /// A lesson's.
    Lesson(Uuid),
    /// Those of a module's lessons.
    Module(Uuid),
    /// Those of a course's lessons.
    Course(Uuid),
}

/// Where videos are noted.
#[async_trait]
pub trait VideoStore: Send {
    /// Adds a video.
    async fn add(&mut self, video: &Video) -> StoreResult<()>;

    /// The video with this id.
    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Video>>;

    /// The video, unless it was discarded. Until this transaction ends nobody else changes it.
    async fn lock(&mut self, id: Uuid) -> StoreResult<Option<Video>>;

    /// A teacher's video that no lesson shows yet, by the name that 9.1 gave, held like this too.
    async fn lock_unused(&mut self, teacher: UserId, name: &str) -> StoreResult<Option<Video>>;

    /// The video of a lesson.
    async fn of_lesson(&mut self, lesson: Uuid) -> StoreResult<Option<Video>>;

    /// The video that a provider calls so.
    async fn find_at(&mut self, provider: &str, id: &VideoId) -> StoreResult<Option<Video>>;

    /// Keeps a locked video as it is here, but for what [`attach`](Self::attach) and
    /// [`discard`](Self::discard) decide.
    async fn save(&mut self, video: &Video) -> StoreResult<()>;

    /// Lets a lesson show a video that none shows yet. `false` when somebody was faster.
    async fn attach(&mut self, id: Uuid, lesson: Uuid) -> StoreResult<bool>;

    /// Takes videos from their lessons and notes that they are to be deleted; returns them.
    async fn discard(&mut self, of: VideosOf, now: DateTime<Utc>) -> StoreResult<Vec<Uuid>>;

    /// The same as [`discard`](Self::discard) for one video, whatever shows it.
    async fn discard_one(&mut self, id: Uuid, now: DateTime<Utc>) -> StoreResult<()>;

    /// Forgets a video: nothing of it is left anywhere.
    async fn remove(&mut self, id: Uuid) -> StoreResult<()>;

    /// Videos that somebody has to look after, because nothing has happened to them since
    /// `before`: they are discarded, are no lesson's and have no file, or never became ready.
    async fn forgotten(&mut self, before: DateTime<Utc>) -> StoreResult<Vec<Video>>;
}
