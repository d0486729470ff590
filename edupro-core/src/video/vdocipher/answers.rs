//! What VdoCipher answers. What nobody needs is not read, so it may change.

use std::time::Duration;

use chrono::DateTime;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use super::is_id;
use crate::video::{HostError, VideoId, VideoInfo, VideoState};

/// Longest that a video can last, in seconds: more is not believed.
const LONGEST: f64 = 1e7;

/// The answer to `PUT /videos`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Credentials {
    pub(super) video_id: String,
    pub(super) client_payload: ClientPayload,
}

/// What the bucket wants to see, signed.
#[derive(Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct ClientPayload(Value);

impl ClientPayload {
    /// One of its texts; an empty one is none.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

/// It has also been met as a text that holds an object.
impl TryFrom<Value> for ClientPayload {
    type Error = serde_json::Error;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match value {
            Value::String(text) => serde_json::from_str(&text).map(Self),
            value => Ok(Self(value)),
        }
    }
}

/// The answer to `GET /videos`.
#[derive(Deserialize)]
pub(super) struct List {
    pub(super) rows: Vec<Row>,
}

/// A video. Only its status has to be there.
#[derive(Deserialize)]
pub(super) struct Row {
    #[serde(default)]
    id: Option<String>,
    #[serde(deserialize_with = "filled")]
    status: String,
    #[serde(default)]
    title: Value,
    #[serde(default)]
    length: Value,
    #[serde(default)]
    upload_time: Value,
}

impl Row {
    pub(super) fn title(&self) -> Option<&str> {
        self.title.as_str()
    }

    pub(super) fn info(self) -> Result<VideoInfo, HostError> {
        if self.id.as_ref().is_some_and(|id| !is_id(id)) {
            return Err(HostError::Other("a video's name that cannot be one".into()));
        }
        // Zero until it is ready.
        let length = self.length.as_f64().filter(|length| *length > 0.0 && *length < LONGEST);
        let begun_at = self.upload_time.as_i64().and_then(|at| DateTime::from_timestamp(at, 0));
        let title = self.title().map(str::to_owned);
        Ok(VideoInfo {
            duration: length.map(Duration::from_secs_f64),
            begun_at,
            title,
            ..VideoInfo::new(self.id.map(VideoId), state(&self.status), self.status)
        })
    }
}

/// What a status stands for. The documentation writes it in another case than the API does, and
/// names neither of the two for a failure.
fn state(word: &str) -> VideoState {
    match word.to_ascii_lowercase().as_str() {
        "pre-upload" => VideoState::AwaitingUpload,
        "queued" => VideoState::Queued,
        "ready" => VideoState::Ready,
        "failed" | "error" => VideoState::Failed,
        _ => VideoState::Unknown,
    }
}

/// The answer to `POST /videos/{id}/otp`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ticket {
    #[serde(deserialize_with = "filled")]
    pub(super) otp: String,
    #[serde(deserialize_with = "filled")]
    pub(super) playback_info: String,
}

/// A text with something in it.
fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim().is_empty() {
        false => Ok(text),
        true => Err(D::Error::custom("an empty text")),
    }
}
