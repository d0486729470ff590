//! A video provider of one's own: a CDN that takes films from the school and plays them to who knows
//! their names.
//!
//! ```sh
//! cargo run -p edupro-suite --example custom_video
//! ```

use std::{collections::HashMap, error::Error, io::Write, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::http::Method;
use chrono::{DateTime, TimeDelta, Utc};
use edupro_core::video::{
    Film, HostError, NewUpload, Playback, UploadHow, UploadId, UploadTicket, VideoCapabilities,
    VideoId, VideoInfo, VideoProvider, VideoState, Viewer,
};
use edupro_http::testkit::TestApp;
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// The films that the CDN has, and how long they last.
#[derive(Debug, Default)]
pub(crate) struct Cdn(Mutex<HashMap<VideoId, Option<Duration>>>);

#[async_trait]
impl VideoProvider for Cdn {
    fn name(&self) -> &'static str {
        "cdn"
    }

    fn capabilities(&self) -> VideoCapabilities {
        let mut can = VideoCapabilities::default();
        (can.server_upload, can.authorizes_alone, can.reports_duration) = (true, true, true);
        can
    }

    async fn begin_upload(
        &self,
        new: &NewUpload<'_>,
        now: DateTime<Utc>,
    ) -> Result<UploadTicket, HostError> {
        // There is no way past the school: it takes the film and pushes it.
        let (upload, end) = (UploadId(new.key.to_owned()), now + TimeDelta::hours(1));
        Ok(UploadTicket::new(upload, None, Some(end), UploadHow::Relay))
    }

    async fn push(&self, ticket: &UploadTicket, film: &Film<'_>) -> Result<VideoInfo, HostError> {
        // Each piece would be sent on; what breaks off is no film yet, and is pushed again.
        film.open().await?.stream.try_for_each(async |_| Ok(())).await?;
        let id = VideoId(format!("{}.mp4", ticket.upload.0));
        self.0.lock().await.insert(id.clone(), film.duration);
        self.show(&id).await
    }

    async fn show(&self, id: &VideoId) -> Result<VideoInfo, HostError> {
        let duration = *self.0.lock().await.get(id).ok_or(HostError::NotFound)?;
        let mut info = VideoInfo::new(Some(id.clone()), VideoState::Ready, "ready");
        info.duration = duration;
        Ok(info)
    }

    async fn authorize(
        &self,
        id: &VideoId,
        _: &Viewer<'_>,
        _: DateTime<Utc>,
    ) -> Result<Playback, HostError> {
        Ok(Playback::new(format!("https://cdn.example/films/{}", id.0), Vec::new()))
    }

    async fn delete(&self, ids: &[VideoId]) -> Result<(), HostError> {
        self.0.lock().await.retain(|id, _| !ids.contains(id));
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A school to try things with; in yours it is `EduPro::builder(…).video(…)`.
    let app = TestApp::builder().start_with(|school| school.video(Arc::<Cdn>::default())).await;
    let mona = app.teacher("mona").await;
    let make = async |path: &str, body: Value| mona.post(path, body).await.json();
    let path = "/course/create-vdocipher-upload-credentials/";
    let leave = make(path, json!({"title": "Waves"})).await["data"].take();
    let url = leave["upload_url"].as_str().ok_or("no leave")?;
    let film = b"\0\0\0\x18ftypisom\0\0\x02\0mp41isom".to_vec();
    mona.send(Method::PUT, url, Some("video/mp4"), film.into()).await;
    // `edupro serve` keeps a worker running; here the one job is done by hand.
    app.work().await;

    let course = make("/course/create/", json!({"title": "Sound", "description": "Air"})).await;
    let path = format!("/courses/{}/modules/create/", course["id"].as_str().unwrap_or_default());
    let module = make(&path, json!({"title": "Air"})).await;
    let path = format!("/modules/{}/lessons/create/", module["id"].as_str().unwrap_or_default());
    let lesson = json!({"title": "Waves", "video_id": leave["vdo_cipher_video_id"]});
    let lesson = make(&path, lesson).await;
    Ok(writeln!(std::io::stdout(), "{}: {}", lesson["video_status"], lesson["video_url"])?)
}
