//! Whatever the core asks a provider of videos, from the leave to upload until a video is gone,
//! and what may happen on the way: questions that are repeated, given up, or put all at once.

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, future::join_all};
use tokio::{
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::working;
use crate::{
    Clock, WebhookRequest,
    entropy::{self, Entropy, SystemEntropy},
    files::{FileKey, FileKind, FileStore, check_video, video_limit},
    video::{
        Film, HostError, NewUpload, Playback, UploadHow, UploadTicket, VideoCapabilities, VideoId,
        VideoInfo, VideoProvider, VideoState, Viewer, WebhookProof,
    },
};

/// How long a film may take until it can be played.
const PATIENCE: Duration = Duration::from_mins(10);
/// How many questions are put at once, as many as the core puts.
const CROWD: usize = 8;
/// How large the film is, in bytes: more than goes on its way in one piece.
const SIZE: u32 = 300_000;

/// Names that no video has. Some would lead elsewhere if they got into an address.
const STRANGERS: [&str; 9] = [
    "00000000000000000000000000000000",
    "",
    "..",
    "../account",
    "a/b",
    "a?b=c#d",
    "a,b",
    "%2e%2e",
    "غريب\n",
];

/// Everything that can be asked of a provider, once. It has to have an account, or a double of the
/// service, on which it may make and delete videos; all of them have a title that nothing else
/// has. `files` is where the films lie: its own store, if it plays stored files.
///
/// A provider that takes no film from this server is not asked to play one.
///
/// # Panics
///
/// When a promise is not kept, or the provider does not work at all.
pub async fn all(host: &dyn VideoProvider, files: &FileStore, clock: &dyn Clock) {
    let mut chance = [0; 10];
    SystemEntropy.fill(&mut chance);
    let title = format!("أمواج & \"waves\"? 100%+ #{}", entropy::code(&chance));
    let trial = Trial { host, can: host.capabilities(), files, clock, title };
    trial.says_what_it_can();
    trial.knows_no_strangers().await;
    trial.believes_nobody().await;
    trial.allows_uploads().await;
    if trial.can.server_upload {
        trial.keeps_films().await;
    } else {
        trial.takes_no_films().await;
    }
    trial.forgets_all().await;
}

/// A provider that is looked at.
struct Trial<'a> {
    host: &'a dyn VideoProvider,
    can: VideoCapabilities,
    files: &'a FileStore,
    clock: &'a dyn Clock,
    title: String,
}

impl Trial<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn says_what_it_can(&self) {
        let name = self.host.name();
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(!name.is_empty() && name.bytes().all(is_plain), "the name {name:?} is no word");
        assert_eq!(self.host.name(), name, "the name changes");
        assert_eq!(self.host.capabilities(), self.can, "what it can do changes");
        let keys: HashSet<_> = self.can.ticket_keys.iter().collect();
        assert_eq!(keys.len(), self.can.ticket_keys.len(), "a key of a ticket is there twice");
        assert_ne!(self.can.max_upload_bytes, Some(0), "no film is small enough");
        let stores = self.can.plays_stored_files;
        assert!(!stores || self.can.server_upload, "what is stored would not get to it");
    }

    async fn knows_no_strangers(&self) {
        for name in STRANGERS {
            let id = VideoId(name.to_owned());
            self.is_gone(&id).await;
            let removed = self.host.delete(std::slice::from_ref(&id)).await;
            working(&format!("a video that is not there, {name:?}, cannot be deleted"), removed);
        }
        working("nothing cannot be deleted", self.host.delete(&[]).await);
    }

    /// There is no such video, and nobody is let in to see it.
    async fn is_gone(&self, id: &VideoId) {
        let shown = self.host.show(id).await;
        assert!(matches!(shown, Err(HostError::NotFound)), "{id:?} is shown: {shown:?}");
        if !self.can.authorizes_alone {
            let playback = self.host.authorize(id, &viewer(), self.now()).await;
            let is_refused = matches!(playback, Err(HostError::NotFound));
            assert!(is_refused, "{id:?} is played: {playback:?}");
        }
    }

    async fn believes_nobody(&self) {
        let token = |value: &str| vec![("token".to_owned(), value.to_owned())];
        for query in [Vec::new(), token(""), token("a guess")] {
            for body in [&b""[..], b"{}", br#"{"payload":{"id":"0a1b"}}"#, b"\xff\xfe"] {
                let request = WebhookRequest { headers: &[], query: &query, body };
                let heard = self.host.webhook(&request, self.now()).await;
                let Err(refused) = heard else {
                    panic!("a webhook is believed that proves nothing")
                };
                let is_known = matches!(refused, HostError::Unsupported(_) | HostError::NotFound);
                let is_deaf = self.can.webhook == WebhookProof::None;
                assert!(!is_deaf || is_known, "there is no webhook, yet it looks: {refused:?}");
            }
        }
    }

    async fn allows_uploads(&self) {
        let (one, other) = (self.begin().await, self.begin().await);
        assert_ne!(one.upload, other.upload, "two uploads have one name");
        assert!(one.video.is_none() || one.video != other.video, "two uploads are one video");
        for ticket in [&one, &other] {
            let shown = match &ticket.video {
                Some(id) => self.show(id).await,
                None if matches!(ticket.how, UploadHow::Relay) => continue,
                None => {
                    let found = self.host.find_upload(&ticket.upload).await;
                    working("an upload cannot be found", found)
                }
            };
            let state = shown.state;
            assert_eq!(state, VideoState::AwaitingUpload, "a video without a film");
        }
        let waiting = [one.video, other.video].into_iter().flatten().collect::<Vec<_>>();
        self.finds(&waiting).await;
        working("what waits for a film cannot be deleted", self.host.delete(&waiting).await);
        for id in &waiting {
            self.is_gone(id).await;
        }
    }

    async fn begin(&self) -> UploadTicket {
        let now = self.now();
        let key = SystemEntropy.uuid(now).to_string();
        let begun = self.host.begin_upload(&NewUpload::new(&self.title, &key), now).await;
        let ticket = working("no upload is allowed", begun);
        let is_named = ticket.video.is_some();
        assert_eq!(is_named, self.can.names_video_at_start, "a video that has a name at once");
        let is_late = ticket.expires_at.is_some_and(|end| end <= now);
        assert!(!is_late, "an upload that is over when it is allowed");
        let (url, secrets) = match &ticket.how {
            UploadHow::Form { url, fields, file_field } => {
                assert!(!file_field.is_empty(), "the file's field has no name");
                let is_file = fields.iter().any(|(name, _)| name == file_field);
                assert!(!is_file, "the file's field is there twice");
                (Some(url), fields.as_slice())
            }
            UploadHow::Put { url, headers } | UploadHow::Tus { url, headers, .. } => {
                (Some(url), headers.as_slice())
            }
            UploadHow::Relay => {
                assert!(self.can.server_upload, "nobody can bring a film");
                (None, &[][..])
            }
        };
        let shown = format!("{ticket:?}");
        if let Some(url) = url {
            is_address(url);
            assert!(!shown.contains(url.as_str()), "a log would have an address to upload to");
        }
        let is_name = |text: &str| {
            ticket.upload.0.contains(text)
                || ticket.video.as_ref().is_some_and(|id| id.0.contains(text))
        };
        for (name, value) in secrets.iter().filter(|(_, value)| value.len() >= 16) {
            let is_shown = shown.contains(value.as_str()) && !is_name(value);
            assert!(!is_shown, "a log would have {name} of an upload");
        }
        let kept = working("a ticket cannot be kept", serde_json::to_string(&ticket));
        let found: UploadTicket = working("a ticket is lost", serde_json::from_str(&kept));
        assert_eq!(found, ticket, "a ticket that was kept");
        ticket
    }

    /// A title finds its videos, if titles find anything.
    async fn finds(&self, videos: &[VideoId]) {
        let other = self.host.search(&format!("{} and more", self.title)).await;
        assert!(
            matches!(&other, Err(HostError::Unsupported(_))) || other.is_ok_and(|it| it.is_empty()),
            "a title that nothing has"
        );
        // Whoever searches elsewhere may hear of it a little later.
        for attempt in 0.. {
            let found = match self.host.search(&self.title).await {
                Err(HostError::Unsupported(_)) => return,
                found => working("nothing can be searched for", found),
            };
            for info in &found {
                assert_eq!(info.title.as_ref(), Some(&self.title), "a title was searched for");
            }
            let is_sorted = found.is_sorted_by(|newer, older| newer.begun_at >= older.begun_at);
            assert!(is_sorted, "the newest comes first");
            let is_there = |id: &VideoId| found.iter().any(|info| info.id.as_ref() == Some(id));
            if videos.iter().all(is_there) {
                return;
            }
            assert!(attempt < 6, "{videos:?} are not found by their title");
            sleep(Duration::from_secs(5)).await;
        }
    }

    async fn takes_no_films(&self) {
        let (key, ticket) = (self.film().await, self.begin().await);
        let pushed = self.host.push(&ticket, &Film::new(self.files, &key, None)).await;
        let is_unsupported = matches!(pushed, Err(HostError::Unsupported(_)));
        assert!(is_unsupported, "a film is pushed to who takes none: {pushed:?}");
        let left = ticket.video.into_iter().collect::<Vec<_>>();
        working("what waits for a film cannot be deleted", self.host.delete(&left).await);
        working("the film cannot be deleted", self.files.delete(&[key]).await);
    }

    async fn keeps_films(&self) {
        let (one, other) = (self.keep().await, self.keep().await);
        assert_ne!(one, other, "two films are one video");
        self.plays(&one).await;
        self.survives_impatience(&one).await;
        self.serves_a_crowd(&one).await;
        // One after the other, then both, of which one is gone already.
        let both = [one.clone(), other.clone()];
        for ids in [&both[..1], &both[..1], &both, &both] {
            working("a video cannot be deleted", self.host.delete(ids).await);
            self.is_gone(&one).await;
        }
        self.is_gone(&other).await;
    }

    /// Brings a film to the provider and waits until it can be played.
    async fn keep(&self) -> VideoId {
        let (key, mut ticket) = (self.film().await, self.begin().await);
        let film = Film::new(self.files, &key, Some(Duration::from_secs(2)));
        // The process that pushed it at first was stopped.
        let _ = timeout(Duration::from_millis(3), self.host.push(&ticket, &film)).await;
        let mut pushed = self.host.push(&ticket, &film).await;
        if matches!(pushed, Err(HostError::TicketExpired)) {
            // Some take no second film in the place of half a one.
            ticket = self.begin().await;
            pushed = self.host.push(&ticket, &film).await;
        }
        let pushed = working("a film cannot be pushed", pushed);
        let again = self.host.push(&ticket, &film).await;
        let again = working("a film cannot be pushed a second time", again);
        assert_eq!(again.id, pushed.id, "a film that is pushed twice");
        let id = pushed.id.clone();
        let id = id.unwrap_or_else(|| panic!("a video has no name when its film is there"));
        if let Some(named) = &ticket.video {
            assert_eq!(id, *named, "the video has another name than it was given");
        }
        if self.can.plays_stored_files {
            assert_eq!(pushed.state, VideoState::Ready, "a stored film");
        }
        let ready = self.becomes_ready(&id, &pushed).await;
        let duration = ready.duration.or(pushed.duration);
        let is_told = duration.is_some_and(|duration| !duration.is_zero());
        assert!(is_told || !self.can.reports_duration, "nobody says how long it lasts");
        if !self.can.plays_stored_files {
            working("the film cannot be deleted", self.files.delete(&[key]).await);
        }
        id
    }

    async fn becomes_ready(&self, id: &VideoId, pushed: &VideoInfo) -> VideoInfo {
        let mut info = pushed.clone();
        let waiting = async {
            let mut pause = Duration::from_millis(10);
            loop {
                assert!(!info.word.trim().is_empty(), "there is no word for how {id:?} stands");
                match info.state {
                    VideoState::Ready => break,
                    VideoState::Queued | VideoState::Unknown => {}
                    state => panic!("{id:?} is {state:?} ({:?}) with its film", info.word),
                }
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(10));
                info = self.show(id).await;
            }
            self.show(id).await
        };
        let late = "a film does not become ready";
        let ready = working(late, timeout(PATIENCE, waiting).await);
        assert_eq!(ready.state, VideoState::Ready, "what was ready once");
        ready
    }

    async fn show(&self, id: &VideoId) -> VideoInfo {
        let info = working("a video is not shown", self.host.show(id).await);
        assert_eq!(info.id.as_ref(), Some(id), "another video is shown");
        assert!(info.title.as_ref().is_none_or(|title| *title == self.title), "another title");
        info
    }

    async fn plays(&self, id: &VideoId) {
        let other = Viewer::new("somebody_else-of-the-same-course-0000", "session 2", None);
        let first = self.play(id, &viewer()).await;
        let second = self.play(id, &Viewer { key: &other.key[..36], ..other }).await;
        assert!(!self.can.per_viewer || first != second, "two viewers have one ticket");
        self.play(id, &viewer()).await;
        if self.can.authorizes_alone {
            let now = self.host.authorize(id, &viewer(), self.now()).now_or_never();
            assert!(now.is_some(), "it asks somebody before it lets anybody in");
        }
    }

    async fn play(&self, id: &VideoId, viewer: &Viewer<'_>) -> Playback {
        let allowed = self.host.authorize(id, viewer, self.now()).await;
        let playback = working("a video cannot be played", allowed);
        if !playback.url.starts_with('/') {
            is_address(&playback.url);
        }
        let keys: Vec<_> = playback.tickets.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, self.can.ticket_keys, "the keys of a ticket");
        let shown = format!("{playback:?}");
        assert!(!shown.contains(&playback.url), "a log would have an address to watch at");
        for (key, value) in &playback.tickets {
            assert!(!value.is_empty(), "{key} of a ticket is empty");
            assert!(!shown.contains(value.as_str()), "a log would have {key} of a ticket");
        }
        playback
    }

    /// Whoever asked has gone away, at whatever moment.
    async fn survives_impatience(&self, id: &VideoId) {
        for pause in [0, 1, 2, 5].map(Duration::from_millis) {
            let _ = timeout(pause, self.host.show(id)).await;
            let _ = timeout(pause, self.host.authorize(id, &viewer(), self.now())).await;
            let _ = timeout(pause, self.host.search(&self.title)).await;
            let strangers = STRANGERS.map(|name| VideoId(name.to_owned()));
            let _ = timeout(pause, self.host.delete(&strangers)).await;
            let key = SystemEntropy.uuid(self.now()).to_string();
            let new = NewUpload::new(&self.title, &key);
            if let Ok(Ok(ticket)) = timeout(pause, self.host.begin_upload(&new, self.now())).await {
                let left = ticket.video.into_iter().collect::<Vec<_>>();
                working("what waits for a film cannot be deleted", self.host.delete(&left).await);
            }
        }
        self.play(id, &viewer()).await;
    }

    async fn serves_a_crowd(&self, id: &VideoId) {
        let guests: Vec<_> = (0..CROWD).map(|number| format!("guest-{number}")).collect();
        let guest = async |key: &str| {
            let shown = self.show(id).await;
            assert_eq!(shown.state, VideoState::Ready, "what was ready once");
            self.play(id, &Viewer::new(key, key, Some(key))).await
        };
        let playbacks = join_all(guests.iter().map(|key| guest(key))).await;
        let urls: HashSet<_> = playbacks.iter().map(|playback| &playback.url).collect();
        assert!(!self.can.per_viewer || urls.len() == CROWD, "viewers share a ticket");
        let tickets = join_all((0..CROWD).map(|_| self.begin())).await;
        let uploads: HashSet<_> = tickets.iter().map(|ticket| &ticket.upload.0).collect();
        assert_eq!(uploads.len(), CROWD, "uploads share a name");
        let left: Vec<_> = tickets.into_iter().filter_map(|ticket| ticket.video).collect();
        working("what waits for a film cannot be deleted", self.host.delete(&left).await);
    }

    /// Nothing stays, not even what an answer that was lost has left behind.
    async fn forgets_all(&self) {
        let Ok(left) = self.host.search(&self.title).await else { return };
        let left: Vec<_> = left.into_iter().filter_map(|info| info.id).collect();
        working("what was left behind cannot be deleted", self.host.delete(&left).await);
        for id in &left {
            self.is_gone(id).await;
        }
    }

    /// A film in the school's store.
    async fn film(&self) -> FileKey {
        let head = b"\0\0\0\x18ftypisom\0\0\x02\0isommp41";
        let mut content = [&(SIZE + 8).to_be_bytes()[..], b"mdat"].concat();
        content.extend((0..=250).cycle().zip(0..SIZE).map(|(byte, _): (u8, u32)| byte));
        let mut staging = working("no film can be stored", self.files.stage(video_limit()).await);
        for piece in [&head[..], &content] {
            working("no film can be stored", staging.write(piece).await);
        }
        let upload = staging.finish(Some("waves.mp4".to_owned())).await;
        let upload = working("no film can be stored", upload);
        let checked = spawn_blocking(move || check_video(upload)).await;
        let video = working("no film", working("no film", checked));
        let kept = self.files.put(FileKind::LessonVideo, video, &SystemEntropy, self.now()).await;
        working("no film can be stored", kept)
    }
}

/// Somebody whose name needs care.
const fn viewer() -> Viewer<'static> {
    Viewer::new("student_1", "session 1", Some("\"منى\" <1> & \\ 'x'"))
}

fn is_address(url: &str) {
    let is_address = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(is_address && is_plain, "no address of the web");
}
