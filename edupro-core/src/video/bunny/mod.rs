//! Bunny Stream: browsers upload by tus, Bunny encodes, and its player opens with a token.

mod answers;
mod options;
mod signature;

use std::fmt::{self, Debug};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{
    Client, Method, RequestBuilder, Response,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::json;

use self::answers::{Event, Listed, Made, Shown, UPLOADED};
pub use self::options::{BunnyStreamConfigError, BunnyStreamOptions};
use super::{
    Film, HostError, NewUpload, Playback, UploadHow, UploadId, UploadTicket, VideoCapabilities,
    VideoId, VideoInfo, VideoProvider, VideoState, Viewer, WebhookProof, http,
};
use crate::{WebhookRequest, https};

/// How long a browser may take for an upload: every piece of it is checked against this.
const UPLOAD_LIFETIME: TimeDelta = TimeDelta::hours(6);
/// How many videos of a title are looked at.
const SEARCH_LENGTH: &str = "50";

/// Keeps videos at Bunny Stream.
///
/// A link to its player is good for everybody who gets it within its five minutes, and what the
/// player shows can be saved by who knows how: there is no DRM here, and no watermark.
pub struct BunnyStream {
    client: Client,
    access_key: HeaderValue,
    options: BunnyStreamOptions,
}

impl Debug for BunnyStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client: _, access_key: _, options } = self;
        formatter
            .debug_struct("BunnyStream")
            .field("library_id", &options.library_id)
            .field("base_url", &options.base_url)
            .finish_non_exhaustive()
    }
}

impl BunnyStream {
    /// Prepares to use Bunny Stream; asks nobody yet.
    pub fn new(options: BunnyStreamOptions) -> Result<Self, BunnyStreamConfigError> {
        let keys = [
            ("api_key", Some(&options.api_key)),
            ("read_only_key", options.read_only_key.as_ref()),
            ("token_key", Some(&options.token_key)),
        ];
        for (name, key) in keys {
            if key.is_some_and(|key| key.expose_secret().is_empty()) {
                return Err(BunnyStreamConfigError::EmptyKey(name));
            }
        }
        let mut access_key = HeaderValue::from_str(options.api_key.expose_secret())
            .map_err(|_| BunnyStreamConfigError::ApiKey)?;
        access_key.set_sensitive(true);
        let client = https::client(options.connect_timeout, options.timeout)
            .map_err(BunnyStreamConfigError::Client)?;
        Ok(Self { client, access_key, options })
    }

    /// A request about the library's videos, or about one of them.
    fn request(&self, method: Method, video: Option<&str>) -> RequestBuilder {
        let base = self.options.base_url.trim_end_matches('/');
        let library = self.options.library_id;
        let url = match video {
            Some(video) => format!("{base}/library/{library}/videos/{video}"),
            None => format!("{base}/library/{library}/videos"),
        };
        self.client
            .request(method, url)
            .header("AccessKey", self.access_key.clone())
            .header(ACCEPT, "application/json")
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Bytes, HostError> {
        self.read(request.send().await.map_err(http::unreachable)?).await
    }

    async fn read(&self, answer: Response) -> Result<Bytes, HostError> {
        if answer.status().is_success() {
            return http::read_bounded(answer, http::ANSWER_LIMIT).await;
        }
        let BunnyStreamOptions { api_key, read_only_key, token_key, .. } = &self.options;
        let secrets: Vec<_> = [api_key, token_key].into_iter().chain(read_only_key).collect();
        Err(http::refusal(answer, &secrets).await)
    }

    async fn ask_for<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, HostError> {
        let body = self.ask(request).await?;
        serde_json::from_slice(&body).map_err(|error| HostError::Other(error.into()))
    }
}

/// A video's name, if it can be one of Bunny's: it goes into paths and signatures.
fn name(video: &str) -> Option<&str> {
    let is_name = video.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_name && (1..=64).contains(&video.len())).then_some(video)
}

#[async_trait]
impl VideoProvider for BunnyStream {
    fn name(&self) -> &'static str {
        "bunny"
    }

    fn capabilities(&self) -> VideoCapabilities {
        VideoCapabilities {
            server_upload: true,
            authorizes_alone: true,
            names_video_at_start: true,
            reports_failure: true,
            reports_duration: true,
            webhook: match self.options.read_only_key {
                Some(_) => WebhookProof::Signature,
                None => WebhookProof::None,
            },
            ..VideoCapabilities::default()
        }
    }

    async fn begin_upload(
        &self,
        new: &NewUpload<'_>,
        now: DateTime<Utc>,
    ) -> Result<UploadTicket, HostError> {
        let request = self.request(Method::POST, None).json(&json!({ "title": new.title }));
        let made: Made = self.ask_for(request).await?;
        let video = name(&made.guid)
            .ok_or_else(|| HostError::Other("a video whose name is none".into()))?;
        let BunnyStreamOptions { library_id, api_key, tus_url, .. } = &self.options;
        let expires_at = now + UPLOAD_LIFETIME;
        let expires = expires_at.timestamp();
        let how = UploadHow::Tus {
            url: tus_url.clone(),
            headers: vec![
                (
                    "AuthorizationSignature".to_owned(),
                    signature::upload(*library_id, api_key, expires, video),
                ),
                ("AuthorizationExpire".to_owned(), expires.to_string()),
                ("VideoId".to_owned(), video.to_owned()),
                ("LibraryId".to_owned(), library_id.to_string()),
            ],
            metadata: vec![
                // Bunny asks for one, and looks at the file itself. The page may know better.
                ("filetype".to_owned(), "video/mp4".to_owned()),
                ("title".to_owned(), new.title.to_owned()),
            ],
        };
        let video = video.to_owned();
        Ok(UploadTicket::new(UploadId(video.clone()), Some(VideoId(video)), Some(expires_at), how))
    }

    async fn push(&self, ticket: &UploadTicket, film: &Film<'_>) -> Result<VideoInfo, HostError> {
        let video = ticket.video.as_ref().and_then(|video| name(&video.0));
        let video = video.ok_or(HostError::TicketExpired)?;
        let film = film.open().await?;
        let size = film.size;
        let sent = http::send_film(film, |body| {
            self.request(Method::PUT, Some(video))
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(CONTENT_LENGTH, size)
                .body(body)
        });
        let id = VideoId(video.to_owned());
        match self.read(sent.await?).await {
            Ok(_) => Ok(VideoInfo::new(Some(id), VideoState::Queued, UPLOADED)),
            // What the ticket was for has been deleted.
            Err(HostError::NotFound) => Err(HostError::TicketExpired),
            // A file is taken once, and an upload that broke off may count as one.
            Err(refused @ HostError::Rejected { .. }) => match self.show(&id).await {
                Ok(info) if info.state == VideoState::Failed => Err(HostError::TicketExpired),
                Ok(info) if info.state != VideoState::AwaitingUpload => Ok(info),
                _ => Err(refused),
            },
            Err(error) => Err(error),
        }
    }

    async fn show(&self, id: &VideoId) -> Result<VideoInfo, HostError> {
        let video = name(&id.0).ok_or(HostError::NotFound)?;
        let shown: Shown = self.ask_for(self.request(Method::GET, Some(video))).await?;
        Ok(shown.into())
    }

    async fn authorize(
        &self,
        id: &VideoId,
        _: &Viewer<'_>,
        now: DateTime<Utc>,
    ) -> Result<Playback, HostError> {
        let video = name(&id.0).ok_or(HostError::NotFound)?;
        let BunnyStreamOptions { library_id, token_key, embed_url, ticket_life, .. } =
            &self.options;
        let base = embed_url.trim_end_matches('/');
        let life = i64::try_from(ticket_life.as_secs()).unwrap_or(i64::MAX);
        let expires = now.timestamp().saturating_add(life);
        let token = signature::embed(token_key, video, expires);
        let url = format!("{base}/{library_id}/{video}?token={token}&expires={expires}");
        Ok(Playback::new(url, Vec::new()))
    }

    async fn delete(&self, ids: &[VideoId]) -> Result<(), HostError> {
        // What is no name of Bunny's names no video.
        for video in ids.iter().filter_map(|id| name(&id.0)) {
            match self.ask(self.request(Method::DELETE, Some(video))).await {
                Ok(_) | Err(HostError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn search(&self, title: &str) -> Result<Vec<VideoInfo>, HostError> {
        let query = [
            ("search", title),
            ("page", "1"),
            ("itemsPerPage", SEARCH_LENGTH),
            ("orderBy", "date"),
        ];
        let listed: Listed = self.ask_for(self.request(Method::GET, None).query(&query)).await?;
        let mut found: Vec<VideoInfo> = listed
            .items
            .into_iter()
            // Bunny finds parts of titles too.
            .filter(|shown| shown.title.as_deref() == Some(title))
            .map(VideoInfo::from)
            .collect();
        found.sort_by_key(|info| std::cmp::Reverse(info.begun_at));
        Ok(found)
    }

    async fn webhook(
        &self,
        request: &WebhookRequest<'_>,
        _: DateTime<Utc>,
    ) -> Result<Vec<VideoId>, HostError> {
        let Some(key) = &self.options.read_only_key else {
            return Err(HostError::Unsupported("webhooks without the read-only key"));
        };
        let refused = |public: &str| HostError::Rejected { public: public.to_owned() };
        let signature = request.header("x-bunnystream-signature").unwrap_or_default();
        if !signature::is_webhook(key, request.body, signature) {
            return Err(refused("The signature is wrong."));
        }
        let event: Event = serde_json::from_slice(request.body)
            .map_err(|_| refused("The event cannot be read."))?;
        let is_ours = event.video_library_id == self.options.library_id;
        let video = name(&event.video_guid).filter(|_| is_ours);
        Ok(video.map(|video| VideoId(video.to_owned())).into_iter().collect())
    }
}
