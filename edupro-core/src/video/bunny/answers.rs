//! What Bunny answers, and what it means here.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;

use crate::video::{VideoId, VideoInfo, VideoState};

/// A video as the API shows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    pub(super) guid: String,
    pub(super) title: Option<String>,
    date_uploaded: Option<String>,
    status: i64,
    /// In seconds; 0 until Bunny has looked at the file.
    length: Option<i64>,
}

/// A page of videos.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) items: Vec<Shown>,
}

/// A video that was made, and has no file yet.
#[derive(Deserialize)]
pub(super) struct Made {
    pub(super) guid: String,
}

/// What a webhook says. Its numbers for the status are others than the API's: whoever wants to know
/// how the video stands asks the API.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Event {
    pub(super) video_library_id: u64,
    pub(super) video_guid: String,
}

impl From<Shown> for VideoInfo {
    fn from(shown: Shown) -> Self {
        let (state, word) = standing(shown.status);
        let seconds = shown.length.and_then(|length| u64::try_from(length).ok());
        Self {
            duration: seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs),
            begun_at: shown.date_uploaded.as_deref().and_then(time),
            title: shown.title,
            ..Self::new(Some(VideoId(shown.guid)), state, word)
        }
    }
}

/// What the API's number for a status means, and Bunny's word for it.
fn standing(status: i64) -> (VideoState, String) {
    let (state, word) = match status {
        0 => (VideoState::AwaitingUpload, "Created"),
        1 => (VideoState::Queued, UPLOADED),
        2 => (VideoState::Queued, "Processing"),
        3 => (VideoState::Queued, "Transcoding"),
        4 => (VideoState::Ready, "Finished"),
        5 => (VideoState::Failed, "Error"),
        6 => (VideoState::Failed, "UploadFailed"),
        7 => (VideoState::Queued, "JitSegmenting"),
        // The player encodes the rest while it plays.
        8 => (VideoState::Ready, "JitPlaylistsCreated"),
        other => return (VideoState::Unknown, other.to_string()),
    };
    (state, word.to_owned())
}

/// The word for a video whose file has just come.
pub(super) const UPLOADED: &str = "Uploaded";

/// A time, which Bunny writes without its zone: it is UTC.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let with_zone = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let without = || text.parse::<NaiveDateTime>().map(|time| time.and_utc());
    with_zone.or_else(|_| without()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_video_is_read_as_the_api_writes_it() {
        let shown: Shown = serde_json::from_str(
            r#"{"videoLibraryId":759,"guid":"eb1c","title":"Limits","status":4,"length":1503,
                "dateUploaded":"2026-01-02T03:04:05.678","encodeProgress":100}"#,
        )
        .unwrap();
        let info = VideoInfo::from(shown);
        assert_eq!(info.id, Some(VideoId("eb1c".to_owned())));
        assert_eq!((info.state, info.word.as_str()), (VideoState::Ready, "Finished"));
        assert_eq!(info.duration, Some(Duration::from_secs(1503)));
        assert_eq!(info.begun_at.unwrap().timestamp_millis(), 1_767_323_045_678);
        assert_eq!(info.title.as_deref(), Some("Limits"));
    }

    #[test]
    fn what_is_not_known_yet_is_left_out() {
        let shown: Shown =
            serde_json::from_str(r#"{"guid":"eb1c","title":null,"status":0,"length":0}"#).unwrap();
        let info = VideoInfo::from(shown);
        assert_eq!(info.state, VideoState::AwaitingUpload);
        assert_eq!((info.duration, info.begun_at, info.title), (None, None, None));
    }

    #[test]
    fn each_number_has_its_word_and_a_new_one_keeps_itself() {
        let words: Vec<_> = (0..10).map(|status| standing(status).1).collect();
        assert_eq!(
            words.join(" "),
            "Created Uploaded Processing Transcoding Finished Error UploadFailed JitSegmenting \
             JitPlaylistsCreated 9"
        );
        assert_eq!(standing(9).0, VideoState::Unknown);
        assert_eq!(time("2026-01-02T05:04:05+02:00"), time("2026-01-02T03:04:05"));
        assert_eq!(time("yesterday"), None);
    }
}
