//! The provider that is always there: this school's own file store.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Film, HostError, NewUpload, Playback, UploadHow, UploadId, UploadTicket, VideoCapabilities,
    VideoId, VideoInfo, VideoProvider, VideoState, Viewer,
};
use crate::files::{FileError, FileKey, FileStore, LinkSigner, video_limit};

/// How long an upload may begin after it was allowed.
const UPLOAD_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// Plays the stored file itself, by a link that is good for one session and five minutes.
///
/// It is no DRM: who may watch may also save what they see.
#[derive(Debug)]
pub struct LocalVideo {
    files: FileStore,
    links: LinkSigner,
}

impl LocalVideo {
    /// Its name.
    pub const NAME: &'static str = "local";

    /// A provider for the films in `files`, whose links `links` signs.
    #[must_use]
    pub const fn new(files: FileStore, links: LinkSigner) -> Self {
        Self { files, links }
    }
}

fn key(id: &VideoId) -> Result<FileKey, HostError> {
    FileKey::parse(&id.0).ok_or(HostError::NotFound)
}

fn ready(key: &FileKey) -> VideoInfo {
    VideoInfo::new(Some(VideoId(key.to_string())), VideoState::Ready, "ready")
}

impl From<FileError> for HostError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::NotFound => Self::NotFound,
            FileError::NoSpace => Self::unavailable(error),
            error => Self::Other(error.into()),
        }
    }
}

#[async_trait]
impl VideoProvider for LocalVideo {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn capabilities(&self) -> VideoCapabilities {
        VideoCapabilities {
            server_upload: true,
            plays_stored_files: true,
            authorizes_alone: true,
            max_upload_bytes: Some(video_limit()),
            reports_failure: true,
            reports_duration: true,
            per_viewer: true,
            ..VideoCapabilities::default()
        }
    }

    async fn begin_upload(
        &self,
        new: &NewUpload<'_>,
        now: DateTime<Utc>,
    ) -> Result<UploadTicket, HostError> {
        let upload = UploadId(new.key.to_owned());
        Ok(UploadTicket::new(upload, None, Some(now + UPLOAD_LIFETIME), UploadHow::Relay))
    }

    async fn push(&self, _: &UploadTicket, film: &Film<'_>) -> Result<VideoInfo, HostError> {
        Ok(VideoInfo { duration: film.duration, ..ready(film.file) })
    }

    async fn show(&self, id: &VideoId) -> Result<VideoInfo, HostError> {
        let key = key(id)?;
        self.files.get(&key, None).await?;
        Ok(ready(&key))
    }

    async fn authorize(
        &self,
        id: &VideoId,
        viewer: &Viewer<'_>,
        now: DateTime<Utc>,
    ) -> Result<Playback, HostError> {
        let key = key(id)?;
        Ok(Playback::new(self.links.link(&key, viewer.session, now), Vec::new()))
    }

    async fn delete(&self, ids: &[VideoId]) -> Result<(), HostError> {
        // What is no key of ours names no file.
        let keys: Vec<FileKey> = ids.iter().filter_map(|id| key(id).ok()).collect();
        Ok(self.files.delete(&keys).await?)
    }
}
