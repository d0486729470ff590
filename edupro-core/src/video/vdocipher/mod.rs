//! VdoCipher: encrypted videos in a player of its own, with the viewer's name over the picture.
//!
//! | asked | request | repeated |
//! | --- | --- | --- |
//! | [`begin_upload`](VideoProvider::begin_upload) | `PUT /videos?title=` | never: each call makes a video |
//! | [`push`](VideoProvider::push) | a form, posted to the bucket behind it | by whoever calls it |
//! | [`show`](VideoProvider::show) | `GET /videos/{id}` | once |
//! | [`authorize`](VideoProvider::authorize) | `POST /videos/{id}/otp` | once |
//! | [`delete`](VideoProvider::delete) | `DELETE /videos?videos=` | once |
//! | [`search`](VideoProvider::search) | `GET /videos?q=` | once |
//! | [`webhook`](VideoProvider::webhook) | nobody is asked | |
//!
//! Repeated means: a fifth of a second later, when it could not be reached or failed and did not
//! say when to come back. Both attempts together take [`VdoCipherOptions::timeout`] at most.
//! A film may take as long as it moves.
//!
//! | answer | read as |
//! | --- | --- |
//! | 401; 403 that says nothing of the plan | [`HostError::Credentials`] |
//! | 402; 400 and 403 that speak of the plan | [`HostError::Quota`] |
//! | 404 | [`HostError::NotFound`]; done, when it was to be deleted |
//! | 408, 429, 5xx, no answer, half an answer | [`HostError::Unavailable`] |
//! | any other 4xx | [`HostError::Rejected`] |
//! | what cannot be read, or leads elsewhere | [`HostError::Other`] |
//!
//! It says nothing when it can make nothing of a film: such a film stays `Queued`. Its webhook
//! proves nothing but that the sender knows the address, so that is all that is taken from it.

mod answers;
mod api;
mod options;
mod upload;

use std::fmt::{self, Debug};

use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::{DateTime, Utc};
use reqwest::{Method, Url, header::CONTENT_LENGTH};
use secrecy::ExposeSecret;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

pub use self::options::{VdoCipherConfigError, VdoCipherOptions};
use self::{
    answers::{Credentials, List, Row, Ticket},
    api::Api,
};
use super::{
    Film, HostError, NewUpload, Playback, UploadTicket, VideoCapabilities, VideoId, VideoInfo,
    VideoProvider, VideoState, Viewer, WebhookProof,
};
use crate::WebhookRequest;

/// Largest film, in bytes.
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;
/// How many videos a page of the list holds at most.
const PAGE: usize = 40;
/// Longest name of a viewer, in characters.
const VIEWER_LENGTH: usize = 36;

/// Keeps videos at VdoCipher.
///
/// ```
/// use edupro_core::video::{VdoCipher, VdoCipherConfigError, VdoCipherOptions, VideoProvider};
///
/// let mut options = VdoCipherOptions::new("the key of the dashboard".into());
/// options.webhook_token = Some("a long text that nobody guesses".into());
/// let host = VdoCipher::new(options)?;
/// assert!(host.capabilities().drm);
/// # Ok::<(), VdoCipherConfigError>(())
/// ```
pub struct VdoCipher {
    api: Api,
    player: Url,
    options: VdoCipherOptions,
}

/// Without the key and the webhook's token.
impl Debug for VdoCipher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VdoCipher")
            .field("base_url", &self.options.base_url)
            .finish_non_exhaustive()
    }
}

impl VdoCipher {
    /// Prepares to use VdoCipher; asks nobody yet.
    pub fn new(options: VdoCipherOptions) -> Result<Self, VdoCipherConfigError> {
        let player = address("player_url", &options.player_url)?;
        if options.ticket_life.as_secs() == 0 {
            return Err(VdoCipherConfigError::Option("ticket_life"));
        }
        // Whoever sends an empty token would be believed.
        if options.webhook_token.as_ref().is_some_and(|token| token.expose_secret().is_empty()) {
            return Err(VdoCipherConfigError::Option("webhook_token"));
        }
        Ok(Self { api: Api::new(&options)?, player, options })
    }

    async fn remove(&self, ids: &[&str]) -> Result<(), HostError> {
        let request = self.api.request(Method::DELETE, &["videos"]);
        self.api.ask::<IgnoredAny>(request.query(&[("videos", ids.join(","))])).await.map(drop)
    }
}

/// An address of the web without a name and password in it, which a log would show.
fn address(option: &'static str, text: &str) -> Result<Url, VdoCipherConfigError> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .ok_or(VdoCipherConfigError::Option(option))
}

/// Whether VdoCipher can have given a video this name. Others could lead out of their place in an
/// address.
fn is_id(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

fn known(id: &VideoId) -> Result<&str, HostError> {
    is_id(&id.0).then_some(id.0.as_str()).ok_or(HostError::NotFound)
}

/// The API itself is not where it should be.
fn misplaced(error: HostError) -> HostError {
    match error {
        HostError::NotFound => HostError::Other("404 for the list of videos".into()),
        error => error,
    }
}

/// The name of a viewer as VdoCipher takes it.
fn viewer_name<'a>(viewer: &Viewer<'a>) -> Result<&'a str, HostError> {
    let is_name = is_id(viewer.key) && viewer.key.len() <= VIEWER_LENGTH;
    is_name.then_some(viewer.key).ok_or_else(|| HostError::Other("a viewer without a name".into()))
}

/// The text that wanders over the picture. All values are texts, and the whole is one too.
fn annotation(text: &str) -> String {
    json!([{
        "type": "rtext", "text": text,
        "alpha": "0.60", "color": "0xFFFFFF", "size": "15", "interval": "5000",
    }])
    .to_string()
}

#[async_trait]
impl VideoProvider for VdoCipher {
    fn name(&self) -> &'static str {
        "vdocipher"
    }

    fn capabilities(&self) -> VideoCapabilities {
        VideoCapabilities {
            server_upload: true,
            names_video_at_start: true,
            max_upload_bytes: Some(LARGEST),
            reports_duration: true,
            webhook: match self.options.webhook_token {
                Some(_) => WebhookProof::UrlToken,
                None => WebhookProof::None,
            },
            per_viewer: true,
            ticket_keys: &["otp", "playback_info"],
            drm: true,
            watermark: true,
            ..VideoCapabilities::default()
        }
    }

    async fn begin_upload(
        &self,
        new: &NewUpload<'_>,
        now: DateTime<Utc>,
    ) -> Result<UploadTicket, HostError> {
        // Some servers refuse what has no body and does not say so.
        let request = self.api.request(Method::PUT, &["videos"]).header(CONTENT_LENGTH, 0);
        let request = request.query(&[("title", new.title)]);
        let made: Credentials = self.api.ask_once(request).await.map_err(misplaced)?;
        upload::ticket(made, now)
    }

    async fn push(&self, ticket: &UploadTicket, film: &Film<'_>) -> Result<VideoInfo, HostError> {
        upload::push(self.api.client(), ticket, film).await?;
        Ok(VideoInfo::new(ticket.video.clone(), VideoState::Queued, "Queued"))
    }

    async fn show(&self, id: &VideoId) -> Result<VideoInfo, HostError> {
        let request = self.api.request(Method::GET, &["videos", known(id)?]);
        let row: Row = self.api.ask(request).await?;
        let info = row.info()?;
        match info.id.as_ref().is_none_or(|shown| shown == id) {
            true => Ok(VideoInfo { id: Some(id.clone()), ..info }),
            false => Err(HostError::Other("it shows another video".into())),
        }
    }

    async fn authorize(
        &self,
        id: &VideoId,
        viewer: &Viewer<'_>,
        _: DateTime<Utc>,
    ) -> Result<Playback, HostError> {
        let mut wish = json!({
            "ttl": self.options.ticket_life.as_secs(),
            "userId": viewer_name(viewer)?,
        });
        if let Some(text) = viewer.watermark {
            wish["annotate"] = annotation(text).into();
        }
        let request = self.api.request(Method::POST, &["videos", known(id)?, "otp"]).json(&wish);
        let Ticket { otp, playback_info } = self.api.ask(request).await?;
        let mut player = self.player.clone();
        player
            .query_pairs_mut()
            .append_pair("otp", &otp)
            .append_pair("playbackInfo", &playback_info);
        Ok(Playback::new(player.into(), vec![("otp", otp), ("playback_info", playback_info)]))
    }

    async fn delete(&self, ids: &[VideoId]) -> Result<(), HostError> {
        // What cannot be a name of its names nothing.
        let ids: Vec<&str> = ids.iter().filter_map(|id| known(id).ok()).collect();
        for some in ids.chunks(PAGE) {
            match self.remove(some).await {
                Err(HostError::NotFound) if some.len() > 1 => {
                    // One is missing, and nobody says what became of the others.
                    for id in some {
                        removed(self.remove(&[id]).await)?;
                    }
                }
                outcome => removed(outcome)?,
            }
        }
        Ok(())
    }

    async fn search(&self, title: &str) -> Result<Vec<VideoInfo>, HostError> {
        let wish = [("q", title), ("limit", &PAGE.to_string())];
        let request = self.api.request(Method::GET, &["videos"]).query(&wish);
        let list: List = self.api.ask(request).await.map_err(misplaced)?;
        // It also finds what only contains the title, and what has it for a name.
        list.rows.into_iter().filter(|row| row.title() == Some(title)).map(Row::info).collect()
    }

    async fn webhook(
        &self,
        request: &WebhookRequest<'_>,
        _: DateTime<Utc>,
    ) -> Result<Vec<VideoId>, HostError> {
        let token = self.options.webhook_token.as_ref().ok_or(HostError::NotFound)?;
        let sent = request.query.iter().find(|(name, _)| name == "token");
        let sent = sent.map(|(_, value)| value.as_bytes()).unwrap_or_default();
        verify_slices_are_equal(sent, token.expose_secret().as_bytes())
            .map_err(|_| HostError::Rejected { public: "The token is wrong.".to_owned() })?;
        let event: Value = serde_json::from_slice(request.body)
            .map_err(|_| HostError::Rejected { public: "The event cannot be read.".to_owned() })?;
        // Whatever has happened to a video: how it stands now is asked anyway.
        let id = event.pointer("/payload/id").and_then(Value::as_str).filter(|id| is_id(id));
        Ok(id.map(|id| VideoId(id.to_owned())).into_iter().collect())
    }
}

/// What is not there is as good as removed.
fn removed(outcome: Result<(), HostError>) -> Result<(), HostError> {
    match outcome {
        Err(HostError::NotFound) => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests;
