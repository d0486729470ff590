//! What a [`VideoProvider`] is asked, and what it answers.

use std::{
    fmt::{self, Debug},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    error::Source,
    files::{Download, FileError, FileKey, FileStore},
    webhook::WebhookRequest,
};

/// A provider's name for a video that it has. Opaque.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VideoId(pub String);

/// A provider's name for an upload that it has allowed. Some have no name for the video before it
/// arrived. Opaque.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UploadId(pub String);

/// What a provider can do, said honestly: whoever runs a school decides by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VideoCapabilities {
    /// It takes a film from this server, by [`VideoProvider::push`].
    pub server_upload: bool,
    /// It plays the file that this server has stored: pushing costs nothing, and the file stays.
    pub plays_stored_files: bool,
    /// [`VideoProvider::authorize`] asks nobody, so that lists may call it too.
    pub authorizes_alone: bool,
    /// [`UploadTicket::video`] is there from the start.
    pub names_video_at_start: bool,
    /// Largest file, in bytes.
    pub max_upload_bytes: Option<u64>,
    /// It says so when it cannot make anything of a film. Where it does not, a film that is not
    /// ready after a day has failed.
    pub reports_failure: bool,
    /// It says how long a video lasts.
    pub reports_duration: bool,
    /// How its webhooks prove who sent them.
    pub webhook: WebhookProof,
    /// Each playback is for one viewer.
    pub per_viewer: bool,
    /// The keys, beside `video_url`, with which a lesson tells its page how to play.
    pub ticket_keys: &'static [&'static str],
    /// Encrypted, with keys that only a player of its own gets.
    pub drm: bool,
    /// It writes the viewer's name over the picture.
    pub watermark: bool,
}

/// How a webhook proves who sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookProof {
    /// There are no webhooks.
    #[default]
    None,
    /// A secret in its address, which says nothing of the content.
    UrlToken,
    /// A signature over the content.
    Signature,
}

/// A video that somebody is about to upload.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NewUpload<'a> {
    /// What it is called, 1 to 255 characters.
    pub title: &'a str,
    /// Ours for this upload. With the same one a provider that can tell answers the same.
    pub key: &'a str,
}

impl<'a> NewUpload<'a> {
    /// An upload of this title.
    #[must_use]
    pub const fn new(title: &'a str, key: &'a str) -> Self {
        Self { title, key }
    }
}

/// Leave to upload one video. It is kept until the upload is over, so that a process that comes
/// after this one can go on with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UploadTicket {
    /// The provider's name for the upload.
    pub upload: UploadId,
    /// Its name for the video, if it has one already.
    pub video: Option<VideoId>,
    /// Until when a file is taken.
    pub expires_at: Option<DateTime<Utc>>,
    /// How the file gets there.
    pub how: UploadHow,
}

impl UploadTicket {
    /// A ticket for an upload.
    #[must_use]
    pub const fn new(
        upload: UploadId,
        video: Option<VideoId>,
        expires_at: Option<DateTime<Utc>>,
        how: UploadHow,
    ) -> Self {
        Self { upload, video, expires_at, how }
    }
}

/// Whoever has the instructions can upload, so the log gets none of them.
impl Debug for UploadTicket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UploadTicket")
            .field("upload", &self.upload)
            .field("video", &self.video)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// How a file gets to a provider: instructions that a page follows without knowing the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
#[non_exhaustive]
pub enum UploadHow {
    /// A form is posted: the fields in this order, and the file last.
    Form {
        /// To where.
        url: String,
        /// What stands before the file.
        fields: Vec<(String, String)>,
        /// The name of the file's field.
        file_field: String,
    },
    /// The bytes are put, as they are.
    Put {
        /// To where.
        url: String,
        /// What goes along.
        headers: Vec<(String, String)>,
    },
    /// The tus protocol, which goes on where it was interrupted.
    Tus {
        /// Where an upload is created.
        url: String,
        /// What goes along with each request.
        headers: Vec<(String, String)>,
        /// What is said of the file when it is created.
        metadata: Vec<(String, String)>,
    },
    /// There is no way past this school: it takes the file and pushes it.
    Relay,
}

/// A film in this school's store, on its way to a provider.
#[derive(Clone, Copy, Debug)]
pub struct Film<'a> {
    /// Which file.
    pub file: &'a FileKey,
    /// How long it lasts, if it tells.
    pub duration: Option<Duration>,
    files: &'a FileStore,
}

impl<'a> Film<'a> {
    /// A film in `files`.
    #[must_use]
    pub const fn new(files: &'a FileStore, file: &'a FileKey, duration: Option<Duration>) -> Self {
        Self { file, duration, files }
    }

    /// Its bytes from the beginning, and how many there are. May be called again.
    pub async fn open(&self) -> Result<Download, FileError> {
        self.files.get(self.file, None).await
    }
}

/// How a video stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VideoState {
    /// No file has come yet.
    AwaitingUpload,
    /// The file has come and is being worked on.
    Queued,
    /// It can be played.
    Ready,
    /// It never will be.
    Failed,
    /// The provider uses a word that this library does not know.
    Unknown,
}

/// What a provider says of a video.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VideoInfo {
    /// Its name; `None` while there is only an upload.
    pub id: Option<VideoId>,
    /// How it stands.
    pub state: VideoState,
    /// The provider's own word for that (contract 8.7 shows it).
    pub word: String,
    /// How long it lasts.
    pub duration: Option<Duration>,
    /// When the upload was allowed, or the file came.
    pub begun_at: Option<DateTime<Utc>>,
    /// What it is called.
    pub title: Option<String>,
}

impl VideoInfo {
    /// A video that stands like this.
    #[must_use]
    pub fn new(id: Option<VideoId>, state: VideoState, word: impl Into<String>) -> Self {
        Self { id, state, word: word.into(), duration: None, begun_at: None, title: None }
    }
}

/// Who is about to watch. Access was checked before.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Viewer<'a> {
    /// The same for the same person, and nothing that is known of them outside: at most 36 of
    /// `[A-Za-z0-9_-]`.
    pub key: &'a str,
    /// What a link of this school is bound to.
    pub session: &'a str,
    /// What to write over the picture.
    pub watermark: Option<&'a str>,
}

impl<'a> Viewer<'a> {
    /// A viewer.
    #[must_use]
    pub const fn new(key: &'a str, session: &'a str, watermark: Option<&'a str>) -> Self {
        Self { key, session, watermark }
    }
}

/// How one viewer plays a video now. It is made for one answer, and kept nowhere.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Playback {
    /// What to open. What begins with a slash is on this school's own server.
    pub url: String,
    /// Names from [`VideoCapabilities::ticket_keys`] and their values.
    pub tickets: Vec<(&'static str, String)>,
}

impl Playback {
    /// A playback at this address.
    #[must_use]
    pub const fn new(url: String, tickets: Vec<(&'static str, String)>) -> Self {
        Self { url, tickets }
    }
}

/// Whoever has it can watch.
impl Debug for Playback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Playback").finish_non_exhaustive()
    }
}

/// Why a provider did not do what it was asked, named by what the caller can do about it. None of
/// them holds a secret or an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// It will never do this. The teacher may read why.
    #[error("the video host refused: {public}")]
    Rejected {
        /// Why, in words for a teacher.
        public: String,
    },
    /// What was paid for is used up. It helps when somebody pays for more.
    #[error("the video host allows no more: {public}")]
    Quota {
        /// Why, in words for a teacher.
        public: String,
    },
    /// It does not know our key, or the key may not do this. The operator has to look at it.
    #[error("the video host does not accept the school's key")]
    Credentials,
    /// It has no such video.
    #[error("the video host has no such video")]
    NotFound,
    /// The ticket is over: a new one helps.
    #[error("the leave to upload has expired")]
    TicketExpired,
    /// It cannot be reached or is busy. Waiting helps.
    #[error("the video host is not available")]
    Unavailable {
        /// How long it asked us to wait.
        retry_after: Option<Duration>,
        /// Whether what was asked may have been done all the same.
        maybe_done: bool,
        /// What happened.
        #[source]
        source: Source,
    },
    /// This provider has no such thing.
    #[error("the video host does not support {0}")]
    Unsupported(&'static str),
    /// Anything else. Somebody has to look at it.
    #[error("the video host failed")]
    Other(#[source] Source),
}

impl HostError {
    /// Nobody can tell whether it was done.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable { retry_after: None, maybe_done: true, source: source.into() }
    }

    /// Whether what was asked may have been done all the same.
    #[must_use]
    pub const fn may_be_done(&self) -> bool {
        matches!(self, Self::Unavailable { maybe_done: true, .. } | Self::Other(_))
    }
}

/// Keeps videos and plays them.
///
/// # What is promised
///
/// - **Outside transactions.** No method is called inside one. Who may watch was decided before.
/// - **A person waits.** Except for [`push`](Self::push) each answers within five seconds, or is
///   [`Unavailable`](HostError::Unavailable); the core stops waiting after that.
/// - **All of it may be given up.** Futures are dropped at any `await`, when nobody waits any more or
///   a process stops. What was made by then is found again, by its title or by the same ticket.
/// - **Everything may be repeated**, also at the same moment, except for
///   [`begin_upload`](Self::begin_upload).
/// - **An error says what can be done.** [`Unavailable`](HostError::Unavailable) is what waiting
///   heals, and says whether it may have been done all the same. Names come from outside, so one
///   that leads elsewhere in an address is [`NotFound`](HostError::NotFound) like any that is not
///   there.
/// - **What the log gets.** Names of videos and titles may be logged. Keys, tickets, addresses with
///   secrets in them, who watches and what a watermark says may not, in [`Debug`] and in errors
///   neither.
/// - **Time comes as `now`.** What ends is computed from that and from no clock.
///
/// # Write one
///
/// ```
/// use async_trait::async_trait;
/// use chrono::{DateTime, TimeDelta, Utc};
/// use edupro_core::video::{
///     HostError, NewUpload, Playback, UploadHow, UploadId, UploadTicket, VideoCapabilities,
///     VideoId, VideoInfo, VideoProvider, VideoState, Viewer,
/// };
///
/// /// A bucket with a server in front of it, into which browsers put films.
/// #[derive(Debug)]
/// struct Bucket;
///
/// impl Bucket {
///     /// An address that is good until `end`.
///     fn signed(&self, name: &str, end: DateTime<Utc>) -> String {
///         // With an HMAC of both under the bucket's key.
///         format!("https://films.example/{name}?until={}", end.timestamp())
///     }
///
///     async fn has(&self, id: &VideoId) -> Result<bool, std::io::Error> {
///         # let _ = id;
///         // An HTTPS request with a time limit. The name is one segment of its path, escaped.
///         Ok(true)
///     }
/// }
///
/// #[async_trait]
/// impl VideoProvider for Bucket {
///     fn name(&self) -> &'static str {
///         "bucket"
///     }
///
///     fn capabilities(&self) -> VideoCapabilities {
///         let mut can = VideoCapabilities::default();
///         (can.authorizes_alone, can.names_video_at_start) = (true, true);
///         can
///     }
///
///     async fn begin_upload(
///         &self,
///         new: &NewUpload<'_>,
///         now: DateTime<Utc>,
///     ) -> Result<UploadTicket, HostError> {
///         let end = now + TimeDelta::hours(1);
///         let how = UploadHow::Put { url: self.signed(new.key, end), headers: Vec::new() };
///         let (upload, video) = (UploadId(new.key.to_owned()), VideoId(new.key.to_owned()));
///         Ok(UploadTicket::new(upload, Some(video), Some(end), how))
///     }
///
///     async fn show(&self, id: &VideoId) -> Result<VideoInfo, HostError> {
///         match self.has(id).await {
///             Ok(true) => Ok(VideoInfo::new(Some(id.clone()), VideoState::Ready, "ready")),
///             Ok(false) => Err(HostError::NotFound),
///             Err(error) => Err(HostError::unavailable(error)),
///         }
///     }
///
///     async fn authorize(
///         &self,
///         id: &VideoId,
///         _: &Viewer<'_>,
///         now: DateTime<Utc>,
///     ) -> Result<Playback, HostError> {
///         Ok(Playback::new(self.signed(&id.0, now + TimeDelta::minutes(5)), Vec::new()))
///     }
///
///     async fn delete(&self, ids: &[VideoId]) -> Result<(), HostError> {
///         # let _ = ids;
///         // One request for each; what is not there is as good as deleted.
///         Ok(())
///     }
/// }
/// ```
///
/// Give it to a school with `Builder::video`; its webhook is then at
/// `/api/v1/videos/webhook/<name>/`. `examples/custom_video.rs` takes films from the school itself.
///
/// # Test it
///
/// The feature `conformance` checks every promise with one call, `conformance::video::all`, against
/// an account that is used for nothing else or a double of the service.
#[async_trait]
pub trait VideoProvider: Debug + Send + Sync + 'static {
    /// One word of `a-z` and `0-9`, which is kept with each of its videos and is in the path of its
    /// webhook: never change it.
    fn name(&self) -> &'static str;

    /// What it can do. Always the same.
    fn capabilities(&self) -> VideoCapabilities;

    /// Allows one upload. Not repeated: each call may leave a video behind that nobody fills, which
    /// the core finds again by [`search`](Self::search). Given up, it may have been done.
    async fn begin_upload(
        &self,
        new: &NewUpload<'_>,
        now: DateTime<Utc>,
    ) -> Result<UploadTicket, HostError>;

    /// Brings a film to the provider with a ticket of its own, and says how the video stands then.
    /// It may take as long as the film takes, but must not wait for more than a minute for a sign
    /// of life. With the same ticket it may be repeated after a failure, or when it was given up
    /// half-way: the film is there once then. A ticket that is over is
    /// [`TicketExpired`](HostError::TicketExpired).
    async fn push(&self, ticket: &UploadTicket, film: &Film<'_>) -> Result<VideoInfo, HostError> {
        let _ = (ticket, film);
        Err(HostError::Unsupported("uploads from the server"))
    }

    /// How the video of an upload stands, where there was no name for it at the start. May be
    /// repeated.
    async fn find_upload(&self, upload: &UploadId) -> Result<VideoInfo, HostError> {
        let _ = upload;
        Err(HostError::Unsupported("names of uploads"))
    }

    /// How a video stands. May be repeated, and changes nothing. One that is not there, whatever its
    /// name looks like, is [`NotFound`](HostError::NotFound).
    async fn show(&self, id: &VideoId) -> Result<VideoInfo, HostError>;

    /// Lets one viewer play a video now. May be repeated; each call is another ticket, which is kept
    /// and logged nowhere.
    async fn authorize(
        &self,
        id: &VideoId,
        viewer: &Viewer<'_>,
        now: DateTime<Utc>,
    ) -> Result<Playback, HostError>;

    /// Removes videos. One that is not there is as good as removed. May be repeated.
    async fn delete(&self, ids: &[VideoId]) -> Result<(), HostError>;

    /// Videos of exactly this title, the newest first, a few dozen at most. May be repeated.
    async fn search(&self, title: &str) -> Result<Vec<VideoInfo>, HostError> {
        let _ = title;
        Err(HostError::Unsupported("searching"))
    }

    /// Which videos a webhook is about, if it is truly the provider's. The core asks how they stand
    /// by itself, so a webhook that comes twice, late or out of order does no harm. What proves it is
    /// compared in constant time, over the bytes as they came; what proves nothing is
    /// [`Rejected`](HostError::Rejected).
    async fn webhook(
        &self,
        request: &WebhookRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<VideoId>, HostError> {
        let _ = (request, now);
        Err(HostError::Unsupported("webhooks"))
    }
}
