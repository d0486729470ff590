//! What is kept, and what happens to a video.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::{HeaderMap, Method, Uri};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use edupro_core::{Clock, entropy::fingerprint};

use super::{
    Delivery, Failure,
    hooks::{self, Hook},
};

/// The largest film that is allowed when nothing else was said: 5 GB.
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;
/// How long a video lasts when nothing else was said, in seconds.
const LENGTH: u64 = 25;
/// The bucket's name.
pub(super) const BUCKET: &str = "fake-vdo-bucket";

/// A request that came in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body. Empty where it came to the bucket.
    pub body: Bytes,
}

/// A video, as it is kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Video {
    /// Its name.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// The folder it lies in.
    pub folder: String,
    /// The name of its film in the bucket.
    pub key: String,
    /// The word for how it stands.
    pub status: String,
    /// How long it lasts, in seconds; 0 until it is ready.
    pub length: u64,
    /// How large its film is, in bytes; 0 until it has come.
    pub size: u64,
    /// When the upload was allowed, or the film came.
    pub begun_at: DateTime<Utc>,
    /// How often it was shown while it was queued.
    polls: u32,
}

impl Video {
    fn become_ready(&mut self, word: &str, length: Option<u64>) {
        word.clone_into(&mut self.status);
        self.length = length.unwrap_or(LENGTH);
    }
}

/// What happens next, and what there is.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) offset: TimeDelta,
    pub(super) polls: Option<u32>,
    pub(super) limit: u64,
    pub(super) link: Option<String>,
    pub(super) failures: VecDeque<Failure>,
    pub(super) upload_failures: VecDeque<Failure>,
    pub(super) requests: Vec<Seen>,
    pub(super) videos: Vec<Video>,
    pub(super) hooks: Vec<(String, Hook)>,
    pub(super) deliveries: Vec<Delivery>,
    named: u64,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            offset: TimeDelta::zero(),
            polls: Some(0),
            limit: LARGEST,
            link: None,
            failures: VecDeque::new(),
            upload_failures: VecDeque::new(),
            requests: Vec::new(),
            videos: Vec::new(),
            hooks: Vec::new(),
            deliveries: Vec::new(),
            named: 0,
        }
    }
}

impl Books {
    /// Sixty-four hexadecimal digits that look like chance and are the same in each run.
    pub(super) fn name(&mut self) -> String {
        self.named += 1;
        fingerprint(&["fake VdoCipher", &self.named.to_string()])
    }

    pub(super) fn video(&mut self, id: &str) -> Option<&mut Video> {
        self.videos.iter_mut().find(|video| video.id == id)
    }
}

/// What the server and the test share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) origin: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) books: Mutex<Books>,
}

impl Shared {
    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now() + self.books().offset
    }

    pub(super) fn bucket_url(&self) -> String {
        format!("{}/s3/{BUCKET}", self.origin)
    }

    /// Allows an upload, which makes a video at once.
    pub(super) fn add_video(&self, title: &str, folder: &str) -> Video {
        let now = self.now();
        let mut books = self.books();
        let id = books.name()[..32].to_owned();
        let video = Video {
            title: title.to_owned(),
            folder: folder.to_owned(),
            key: format!("orig/{id}"),
            status: "PRE-Upload".to_owned(),
            length: 0,
            size: 0,
            begun_at: now,
            polls: 0,
            id,
        };
        books.videos.push(video.clone());
        video
    }

    /// Somebody asks how a video stands, which is also how time passes for it.
    pub(super) fn poll(self: &Arc<Self>, id: &str) -> Option<Video> {
        let now = self.now();
        let mut books = self.books();
        let enough = books.polls;
        let video = books.video(id)?;
        if video.status == "Queued" {
            let is_done = enough.is_some_and(|enough| video.polls >= enough);
            video.polls += 1;
            if is_done {
                video.become_ready("ready", None);
                self.tell(&mut books, id, now);
            }
        }
        books.video(id).cloned()
    }

    pub(super) fn set_status(self: &Arc<Self>, id: &str, status: &str, length: Option<u64>) {
        let now = self.now();
        let mut books = self.books();
        let Some(video) = books.video(id) else { return };
        if status.eq_ignore_ascii_case("ready") {
            video.become_ready(status, length);
            self.tell(&mut books, id, now);
        } else {
            status.clone_into(&mut video.status);
        }
    }

    /// Sends an event about a video to whoever wants to hear of it.
    fn tell(self: &Arc<Self>, books: &mut Books, id: &str, now: DateTime<Utc>) {
        let hooks = books.hooks.clone();
        let Some(video) = books.video(id) else { return };
        for (uuid, hook) in hooks {
            let event = hooks::event(&uuid, &hook.event, video, now);
            hooks::send(self, hook.url, event);
        }
    }

    /// A film has come. Where its video has been deleted meanwhile, the bucket does not care.
    pub(super) fn take_film(&self, key: &str, size: u64) {
        let now = self.now();
        let mut books = self.books();
        if let Some(video) = books.videos.iter_mut().find(|video| video.key == key) {
            "Queued".clone_into(&mut video.status);
            video.size = size;
            video.begun_at = now;
            video.polls = 0;
        }
    }

    pub(super) fn add_hook(&self, hook: Hook) -> String {
        let mut books = self.books();
        let uuid = books.name()[..32].to_owned();
        books.hooks.push((uuid.clone(), hook));
        uuid
    }
}
