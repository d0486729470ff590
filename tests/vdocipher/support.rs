//! Which double it is, and how it is told what to do.

use std::{fmt::Debug, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use edupro_core::{
    Clock, Entropy, ManualClock, SystemClock, SystemEntropy, entropy,
    files::{FileKey, FileKind, FileStore, check_video, video_limit},
    video::{
        Film, HostError, NewUpload, Playback, UploadHow, UploadTicket, VdoCipher, VdoCipherOptions,
        VideoId, VideoInfo, VideoProvider, Viewer,
    },
};
use edupro_http::testkit::{FakeVdoCipher, vdocipher::Failure};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::sleep;

pub(crate) const TOKEN: &str = "a-token-that-nobody-guesses";
/// How long these tests wait for an answer, for they wait in vain a lot.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(800);

/// The testkit's double, or one that runs elsewhere.
enum Double {
    Ours(FakeVdoCipher),
    Elsewhere { origin: String, client: Client },
}

/// A VdoCipher with its double.
pub(crate) struct Rig {
    pub(crate) host: VdoCipher,
    pub(crate) files: FileStore,
    pub(crate) clock: Arc<dyn Clock>,
    double: Double,
}

pub(crate) fn start_of_time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_322_000, 0).unwrap()
}

pub(crate) fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// Where another double listens, if one does.
#[expect(clippy::disallowed_methods, reason = "no configuration reaches a test")]
fn elsewhere() -> Option<String> {
    std::env::var("EDUPRO_VDOCIPHER_FAKE").ok()
}

impl Double {
    fn base_url(&self) -> String {
        match self {
            Self::Ours(fake) => fake.base_url(),
            Self::Elsewhere { origin, .. } => format!("{origin}/api"),
        }
    }
}

impl Rig {
    /// A double without films, whose videos are ready when they are asked for.
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// The same, with other options.
    pub(crate) async fn with(change: impl FnOnce(&mut VdoCipherOptions)) -> Self {
        let (double, clock): (_, Arc<dyn Clock>) = if let Some(origin) = elsewhere() {
            (Double::Elsewhere { origin, client: client() }, Arc::new(SystemClock))
        } else {
            let clock = Arc::new(ManualClock::new(start_of_time()));
            (Double::Ours(FakeVdoCipher::start(Arc::<ManualClock>::clone(&clock)).await), clock)
        };
        let mut options = VdoCipherOptions::new(FakeVdoCipher::API_SECRET.into());
        options.base_url = double.base_url();
        options.webhook_token = Some(TOKEN.into());
        options.timeout = TIMEOUT;
        change(&mut options);
        let host = VdoCipher::new(options).unwrap();
        let rig = Self { host, files: FileStore::in_memory().unwrap(), clock, double };
        rig.set_time(TimeDelta::zero()).await;
        rig.ready_after_polls(0).await;
        rig
    }

    /// The testkit's double, unless it is another one.
    pub(crate) fn ours(&self) -> Option<&FakeVdoCipher> {
        match &self.double {
            Double::Ours(fake) => Some(fake),
            Double::Elsewhere { .. } => None,
        }
    }

    async fn control(&self, what: &str, wish: Value) {
        let Double::Elsewhere { origin, client } = &self.double else { return };
        let url = format!("{origin}/_control/{what}");
        let done = client.post(url).json(&wish).send().await.unwrap();
        assert!(done.status().is_success(), "{what} {wish}");
    }

    /// Has the next request go wrong. `false` when the double cannot do that.
    pub(crate) async fn fail(&self, failure: Failure) -> bool {
        if let Some(fake) = self.ours() {
            fake.fail_next(failure);
            return true;
        }
        let wish = match failure {
            Failure::Answer { status, body, headers } => {
                let body: Value = serde_json::from_str(&body).unwrap_or_default();
                json!({"code": status, "body": body, "headers": headers})
            }
            Failure::Drop => json!({"code": 0}),
            Failure::DropAfterWork => json!({"code": -1}),
            Failure::Delay(time) => json!({"code": -i64::try_from(time.as_millis()).unwrap()}),
            Failure::Garbage => json!({"code": 200, "body": "<html>"}),
            Failure::HalfABody => return false,
        };
        self.control("fail", wish).await;
        true
    }

    /// Lets the other double, which does one thing at a time, come to the end of a delay. Ours does
    /// nothing for who has gone away.
    pub(crate) async fn settle(&self) {
        if self.ours().is_none() {
            sleep(TIMEOUT * 2).await;
        }
    }

    /// Moves the double's clock so far away from ours.
    pub(crate) async fn set_time(&self, offset: TimeDelta) {
        match self.ours() {
            Some(fake) => fake.advance(offset),
            None => self.control("clock", json!({"offset": offset.num_seconds()})).await,
        }
    }

    /// How often a video is queued before it is ready.
    pub(crate) async fn ready_after_polls(&self, polls: u32) {
        match self.ours() {
            Some(fake) => fake.ready_after_polls(Some(polls)),
            None => self.control("auto", json!({"polls": polls})).await,
        }
    }

    /// Gives a video any status.
    pub(crate) async fn set_status(&self, id: &VideoId, status: &str, length: Option<u64>) {
        let wish = json!({"id": id.0, "status": status, "length": length});
        match self.ours() {
            Some(fake) => fake.set_status(&id.0, status, length),
            None => self.control("status", wish).await,
        }
    }

    /// How often our double was asked for this.
    pub(crate) fn asked(&self, method: &str) -> usize {
        let seen = self.ours().map(FakeVdoCipher::requests).unwrap_or_default();
        seen.iter().filter(|seen| seen.method == method).count()
    }

    /// Allows an upload.
    pub(crate) async fn begin(&self, title: &str) -> Result<UploadTicket, HostError> {
        self.host.begin_upload(&NewUpload::new(title, "a key"), self.clock.now()).await
    }

    /// A ticket to upload, and the name of its video.
    pub(crate) async fn ticket(&self, title: &str) -> (UploadTicket, VideoId) {
        let ticket = self.begin(title).await.unwrap();
        let id = ticket.video.clone().unwrap();
        (ticket, id)
    }

    /// A film of so many bytes and more, in the school's store.
    pub(crate) async fn film(&self, size: usize) -> FileKey {
        let mut staging = self.files.stage(video_limit()).await.unwrap();
        staging.write(b"\0\0\0\x18ftypisom\0\0\x02\0isommp41").await.unwrap();
        for start in (0..size).step_by(1 << 16) {
            staging.write(&vec![7; (1 << 16).min(size - start)]).await.unwrap();
        }
        let upload = staging.finish(Some("Waves 1.mp4".to_owned())).await.unwrap();
        let video = check_video(upload).unwrap();
        let now = self.clock.now();
        self.files.put(FileKind::LessonVideo, video, &SystemEntropy, now).await.unwrap()
    }

    /// Brings a film with this ticket.
    pub(crate) async fn push(&self, ticket: &UploadTicket) -> Result<VideoInfo, HostError> {
        let key = self.film(1_000).await;
        self.host.push(ticket, &Film::new(&self.files, &key, None)).await
    }

    /// A video that can be played.
    pub(crate) async fn video(&self, title: &str) -> VideoId {
        let (ticket, id) = self.ticket(title).await;
        self.push(&ticket).await.unwrap();
        id
    }

    /// Lets a student watch.
    pub(crate) async fn watch(&self, id: &VideoId) -> Result<Playback, HostError> {
        self.host.authorize(id, &viewer(), self.clock.now()).await
    }
}

pub(crate) fn viewer() -> Viewer<'static> {
    Viewer::new("student_42", "a session", Some("student 42"))
}

/// A name that no video of any double has.
pub(crate) fn stranger() -> VideoId {
    VideoId("00000000000000000000000000000000".to_owned())
}

/// The fields of a form, to change them.
pub(crate) fn fields(ticket: &mut UploadTicket) -> &mut Vec<(String, String)> {
    match &mut ticket.how {
        UploadHow::Form { fields, .. } => fields,
        _ => panic!("a form"),
    }
}

/// Why something was not done.
pub(crate) fn refused<T: Debug>(outcome: Result<T, HostError>) -> HostError {
    outcome.expect_err("it should not be done")
}

/// A title that nothing else has, whatever else a double keeps.
pub(crate) fn title(name: &str) -> String {
    let mut chance = [0; 10];
    SystemEntropy.fill(&mut chance);
    format!("{name} {}", entropy::code(&chance))
}
