//! A video provider of one's own: films go into a folder, and a CDN serves it to who knows a name.
//!
//! ```sh
//! cargo run -p edupro-suite --example custom_video
//! ```

use std::{
    error::Error,
    io::{ErrorKind, Write, stdout},
    path::PathBuf,
    sync::Arc,
};

use async_trait::async_trait;
use axum::http::Method;
use chrono::{DateTime, TimeDelta, Utc};
use edupro_core::video::{
    Film, HostError, NewUpload, Playback, UploadHow, UploadId, UploadTicket, VideoCapabilities,
    VideoId, VideoInfo, VideoProvider, VideoState, Viewer,
};
use edupro_http::testkit::TestApp;
use futures_util::TryStreamExt;
use serde_json::json;
use tokio::{fs, io::AsyncWriteExt};

/// A folder, and where the CDN serves it.
#[derive(Debug)]
struct Folder(PathBuf, &'static str);

#[async_trait]
impl VideoProvider for Folder {
    fn name(&self) -> &'static str {
        "folder"
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
        // The same ticket means the same name: what broke off is done again, over it.
        let name = format!("{}.mp4", ticket.upload.0);
        let part = self.0.join(format!("{name}.part"));
        let mut target = fs::File::create(&part).await.map_err(HostError::unavailable)?;
        let mut source = film.open().await?.stream;
        while let Some(piece) = source.try_next().await? {
            target.write_all(&piece).await.map_err(HostError::unavailable)?;
        }
        target.sync_all().await.map_err(HostError::unavailable)?;
        fs::rename(part, self.0.join(&name)).await.map_err(HostError::unavailable)?;
        let mut info = self.show(&VideoId(name)).await?;
        info.duration = film.duration;
        Ok(info)
    }

    async fn show(&self, id: &VideoId) -> Result<VideoInfo, HostError> {
        match fs::try_exists(self.0.join(&id.0)).await.map_err(HostError::unavailable)? {
            true => Ok(VideoInfo::new(Some(id.clone()), VideoState::Ready, "ready")),
            false => Err(HostError::NotFound),
        }
    }

    async fn authorize(
        &self,
        id: &VideoId,
        _: &Viewer<'_>,
        _: DateTime<Utc>,
    ) -> Result<Playback, HostError> {
        // A CDN that checks signatures would get one here.
        Ok(Playback::new(format!("{}/{}", self.1, id.0), Vec::new()))
    }

    async fn delete(&self, ids: &[VideoId]) -> Result<(), HostError> {
        for id in ids {
            match fs::remove_file(self.0.join(&id.0)).await {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(HostError::unavailable(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let films = Folder(folder.path().to_owned(), "https://cdn.example/films");
    // A school to try things with; in yours it is `EduPro::builder(…).video(…)`.
    let app = TestApp::builder().start_with(|school| school.video(Arc::new(films))).await;
    let mona = app.teacher("mona").await;

    let leave = json!({"title": "Waves"});
    let leave = mona.post("/course/create-vdocipher-upload-credentials/", leave).await.json();
    let url = leave["data"]["upload_url"].as_str().ok_or("no leave")?;
    let film = b"\0\0\0\x18ftypisom\0\0\x02\0mp41isom";
    mona.send(Method::PUT, url, Some("video/mp4"), film.to_vec().into()).await;
    // `edupro serve` keeps a worker running; here the one job is done by hand.
    app.work().await;

    let course = json!({"title": "Sound", "description": "What we hear", "price": "5"});
    let course = mona.post("/course/create/", course).await.json();
    let modules = format!("/courses/{}/modules/create/", course["id"].as_str().ok_or("no course")?);
    let module = mona.post(&modules, json!({"title": "Air"})).await.json();
    let lessons = format!("/modules/{}/lessons/create/", module["id"].as_str().ok_or("no module")?);
    let lesson = json!({"title": "Waves", "video_id": leave["data"]["vdo_cipher_video_id"]});
    let lesson = mona.post(&lessons, lesson).await.json();
    writeln!(stdout(), "{}: {}", lesson["video_status"], lesson["video_url"])?;
    Ok(())
}
