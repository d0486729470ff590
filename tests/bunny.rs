//! Bunny Stream against a Bunny on the loopback: what is asked, what comes of each answer, and what
//! never gets out.

#![cfg(test)]

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use edupro_core::{
    Clock, ManualClock, SystemEntropy, WebhookRequest, conformance,
    files::{FileKey, FileKind, FileStore, check_video},
    video::{
        BunnyStream, BunnyStreamConfigError, BunnyStreamOptions, Film, HostError, NewUpload,
        UploadHow, UploadTicket, VideoHosts, VideoId, VideoProvider, VideoState, Viewer,
        WebhookProof,
    },
};

#[path = "support/bunny.rs"]
mod bunny;

use bunny::{FIRST, FakeBunny, Fault, KEY, LIBRARY};

const TOKEN_KEY: &str = "token-security-key";
const READ_ONLY_KEY: &str = "read-only-key";
const TITLE: &str = "Limits & continuity – ٣";

/// The moment at which the published signatures' time is six hours ahead.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_900_000_000 - 6 * 60 * 60, 0).unwrap()
}

fn options(url: &str) -> BunnyStreamOptions {
    let mut options = BunnyStreamOptions::new(LIBRARY, KEY.into(), TOKEN_KEY.into());
    options.read_only_key = Some(READ_ONLY_KEY.into());
    options.base_url = format!("{url}/");
    options.timeout = Duration::from_millis(300);
    options
}

async fn start() -> (FakeBunny, BunnyStream) {
    let fake = FakeBunny::start(now()).await;
    let bunny = BunnyStream::new(options(fake.url())).unwrap();
    (fake, bunny)
}

async fn begin(bunny: &BunnyStream, title: &str) -> Result<UploadTicket, HostError> {
    bunny.begin_upload(&NewUpload::new(title, "key"), now()).await
}

fn first() -> VideoId {
    VideoId(FIRST.to_owned())
}

/// A film of about a megabyte in a store.
async fn film() -> (FileStore, FileKey, Vec<u8>) {
    let files = FileStore::in_memory().unwrap();
    let brands = b"\0\0\0\x18ftypisom\0\0\x02\0mp41isom";
    let data = vec![7; 1_000_000];
    let bytes = [&brands[..], &1_000_008_u32.to_be_bytes(), b"mdat", &data].concat();
    let mut staging = files.stage(2_000_000).await.unwrap();
    staging.write(&bytes).await.unwrap();
    let upload = staging.finish(Some("limits.mp4".to_owned())).await.unwrap();
    let video = check_video(upload).unwrap();
    let key = files.put(FileKind::LessonVideo, video, &SystemEntropy, now()).await.unwrap();
    (files, key, bytes)
}

/// An error with everything that led to it.
fn told(error: &HostError) -> String {
    let mut text = format!("{error:?} {error}");
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text} {error:?} {error}");
        next = error.source();
    }
    text
}

#[tokio::test]
async fn a_browser_uploads_by_tus_with_the_published_signature() {
    let (fake, bunny) = start().await;
    let ticket = begin(&bunny, TITLE).await.unwrap();
    assert_eq!(ticket.video, Some(first()));
    assert_eq!(ticket.upload.0, FIRST);
    assert_eq!(ticket.expires_at.unwrap().timestamp(), 1_900_000_000);
    let UploadHow::Tus { url, headers, metadata } = &ticket.how else { panic!("{:?}", ticket.how) };
    assert_eq!(url, "https://video.bunnycdn.com/tusupload");
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let signature = "a0270ef34e4892a437af4ec5e2aa2eed3d2c9c74a735a28d9adf50725ab1a775";
    assert_eq!(
        *headers,
        pairs(&[
            ("AuthorizationSignature", signature),
            ("AuthorizationExpire", "1900000000"),
            ("VideoId", FIRST),
            ("LibraryId", "759"),
        ])
    );
    assert_eq!(*metadata, pairs(&[("filetype", "video/mp4"), ("title", TITLE)]));
    assert_eq!(fake.video(FIRST).unwrap().title, TITLE);
    assert!(!format!("{ticket:?}").contains(signature));
}

#[tokio::test]
async fn a_film_is_pushed_whole_and_a_second_time_does_no_harm() {
    let (fake, bunny) = start().await;
    let (files, key, bytes) = film().await;
    let film = Film::new(&files, &key, None);
    let ticket = begin(&bunny, TITLE).await.unwrap();
    // A film may take longer than an answer.
    fake.read_slowly(Duration::from_millis(600));
    let info = bunny.push(&ticket, &film).await.unwrap();
    assert_eq!((info.id, info.state), (Some(first()), VideoState::Queued));
    assert_eq!(info.word, "Uploaded");
    assert_eq!(fake.video(FIRST).unwrap().film, bytes);

    fake.set_status(FIRST, 3);
    let info = bunny.push(&ticket, &film).await.unwrap();
    assert_eq!((info.state, info.word.as_str()), (VideoState::Queued, "Transcoding"));

    // Only a new ticket helps a broken upload, and one whose video is gone.
    fake.set_status(FIRST, 6);
    assert!(matches!(bunny.push(&ticket, &film).await, Err(HostError::TicketExpired)));
    bunny.delete(&[first()]).await.unwrap();
    assert!(matches!(bunny.push(&ticket, &film).await, Err(HostError::TicketExpired)));
}

#[tokio::test]
async fn a_refused_film_is_refused_and_a_lost_answer_is_asked_for_again() {
    let (fake, bunny) = start().await;
    let (files, key, bytes) = film().await;
    let film = Film::new(&files, &key, None);
    let ticket = begin(&bunny, TITLE).await.unwrap();
    let refusal = r#"{"success":false,"message":"The file is too large.","statusCode":413}"#;
    fake.fail(Fault::Answer(413, &[], refusal.to_owned()));
    match bunny.push(&ticket, &film).await {
        Err(HostError::Rejected { public }) => assert_eq!(public, "The file is too large."),
        other => panic!("{other:?}"),
    }
    fake.fail(Fault::Broken);
    let error = bunny.push(&ticket, &film).await.unwrap_err();
    assert!(matches!(error, HostError::Unavailable { maybe_done: true, .. }), "{error:?}");
    assert_eq!(bunny.push(&ticket, &film).await.unwrap().word, "Uploaded");
    assert_eq!(fake.video(FIRST).unwrap().film, bytes);
}

#[tokio::test]
async fn a_video_is_shown_by_the_numbers_of_the_api() {
    let (fake, bunny) = start().await;
    begin(&bunny, TITLE).await.unwrap();
    let info = bunny.show(&first()).await.unwrap();
    assert_eq!((info.id.as_ref(), info.state), (Some(&first()), VideoState::AwaitingUpload));
    assert_eq!((info.word.as_str(), info.duration), ("Created", None));
    assert_eq!((info.begun_at, info.title.as_deref()), (Some(now()), Some(TITLE)));

    // A webhook's 3 is finished; the API's is not.
    let states = [(3, VideoState::Queued), (4, VideoState::Ready), (5, VideoState::Failed)];
    for (status, state) in states {
        fake.set_status(FIRST, status);
        let info = bunny.show(&first()).await.unwrap();
        assert_eq!((info.state, info.duration), (state, Some(Duration::from_secs(1503))));
    }
    for nobody in ["eb1c4f77", "../../videos", "a?b", ""] {
        let error = bunny.show(&VideoId(nobody.to_owned())).await.unwrap_err();
        assert!(matches!(error, HostError::NotFound), "{nobody}: {error:?}");
    }
    // What cannot be a name was not asked about.
    assert_eq!(fake.requests().len(), 6);
}

#[tokio::test]
async fn a_viewer_opens_the_player_for_five_minutes_and_nobody_is_asked() {
    let (fake, bunny) = start().await;
    let viewer = Viewer::new("edupro-1", "session", Some("amina"));
    let at = DateTime::from_timestamp(1_900_000_000 - 300, 0).unwrap();
    let playback = bunny.authorize(&first(), &viewer, at).await.unwrap();
    let token = "83aa72ede06e5381e5eebd199117d96c78d31c61d7fabef6ae7cdf40c88776c1";
    assert_eq!(
        playback.url,
        format!(
            "https://iframe.mediadelivery.net/embed/759/{FIRST}?token={token}&expires=1900000000"
        )
    );
    assert_eq!(playback.tickets, []);
    assert!(!format!("{playback:?}").contains(token));
    let wrong = bunny.authorize(&VideoId("a/b".to_owned()), &viewer, at).await;
    assert!(matches!(wrong, Err(HostError::NotFound)));
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn what_is_gone_is_as_good_as_deleted() {
    let (fake, bunny) = start().await;
    begin(&bunny, TITLE).await.unwrap();
    let both = [VideoId("00000000-nobody".to_owned()), VideoId("a/b".to_owned()), first()];
    bunny.delete(&both).await.unwrap();
    assert!(fake.video(FIRST).is_none());
    bunny.delete(&both).await.unwrap();
    begin(&bunny, TITLE).await.unwrap();
    fake.fail(Fault::Answer(503, &[], String::new()));
    assert!(bunny.delete(&[first()]).await.is_err());
}

#[tokio::test]
async fn a_search_finds_exactly_the_title_and_the_newest_first() {
    let (fake, bunny) = start().await;
    for title in [TITLE, "Limits", TITLE] {
        begin(&bunny, title).await.unwrap();
        fake.advance(TimeDelta::minutes(1));
    }
    let found = bunny.search(TITLE).await.unwrap();
    let times: Vec<_> = found.iter().map(|info| info.begun_at.unwrap()).collect();
    assert_eq!(times, [now() + TimeDelta::minutes(2), now()]);
    assert!(bunny.search("limits").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_webhook_tells_of_a_video_only_with_the_published_signature() {
    let (_fake, bunny) = start().await;
    assert_eq!(bunny.capabilities().webhook, WebhookProof::Signature);
    let body = format!(r#"{{"VideoLibraryId":759,"VideoGuid":"{FIRST}","Status":3}}"#);
    let signature = "4e8cd69dff11d78d92ce93d3cf19ae1353cff36e4ae3d83877b3680221d30eee";
    let hear = async |bunny: &BunnyStream, signature: &str, body: &str| {
        let headers = [("x-bunnystream-signature".to_owned(), signature.to_owned())];
        let request = WebhookRequest { headers: &headers, query: &[], body: body.as_bytes() };
        bunny.webhook(&request, now()).await
    };
    assert_eq!(hear(&bunny, signature, &body).await.unwrap(), [first()]);
    for (signature, body) in [(signature, &body.replace('3', "4")), ("", &body), ("zz", &body)] {
        let error = hear(&bunny, signature, body).await.unwrap_err();
        assert!(matches!(error, HostError::Rejected { .. }), "{error:?}");
    }

    let mut other = options("http://127.0.0.1:1");
    other.library_id = 760;
    let other = BunnyStream::new(other).unwrap();
    assert_eq!(hear(&other, signature, &body).await.unwrap(), []);

    let mut silent = options("http://127.0.0.1:1");
    silent.read_only_key = None;
    let silent = BunnyStream::new(silent).unwrap();
    assert_eq!(silent.capabilities().webhook, WebhookProof::None);
    assert!(matches!(hear(&silent, signature, &body).await, Err(HostError::Unsupported(_))));
}

#[tokio::test]
async fn each_refusal_is_named_by_what_can_be_done_about_it() {
    let (fake, bunny) = start().await;
    let said = |message: &str| format!(r#"{{"success":false,"message":"{message}"}}"#);
    let cases = [
        (400, said("The title is invalid."), "Rejected { public: \"The title is invalid.\" }"),
        (
            422,
            "<html>".to_owned(),
            "Rejected { public: \"The video service refused this request.\" }",
        ),
        (
            400,
            said("Your video limit is reached"),
            "Quota { public: \"Your video limit is reached\" }",
        ),
        (402, said("Pay"), "Quota { public: \"Pay\" }"),
        (401, said("Denied"), "Credentials"),
        (403, said("Denied"), "Credentials"),
        (404, said("Unknown library"), "NotFound"),
        (408, String::new(), "Unavailable { retry_after: None, maybe_done: true, "),
        (429, String::new(), "Unavailable { retry_after: None, maybe_done: false, "),
        (500, said("Oops"), "Unavailable { retry_after: None, maybe_done: true, "),
        (301, String::new(), "Other("),
        (200, said("no video"), "Other("),
        (200, r#"{"guid":"../759"}"#.to_owned(), "Other("),
    ];
    for (status, body, expected) in cases {
        fake.fail(Fault::Answer(status, &[("location", "/library/759/videos")], body));
        let error = begin(&bunny, TITLE).await.unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{status}: {error:?}");
    }
    // No redirect was followed.
    assert_eq!(fake.requests().len(), 13);

    fake.fail(Fault::Answer(429, &[("retry-after", "7")], String::new()));
    let error = begin(&bunny, TITLE).await.unwrap_err();
    let HostError::Unavailable { retry_after, .. } = error else { panic!("{error:?}") };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_lost_answer_may_have_been_a_good_one() {
    let (fake, bunny) = start().await;
    for fault in [Fault::Silent, Fault::Broken] {
        let start = Instant::now();
        fake.fail(fault);
        let error = begin(&bunny, TITLE).await.unwrap_err();
        assert!(matches!(error, HostError::Unavailable { maybe_done: true, .. }), "{error:?}");
        assert!(start.elapsed() < Duration::from_secs(2));
    }
    // The core finds them again, and has them deleted.
    assert_eq!(bunny.search(TITLE).await.unwrap().len(), 2);

    fake.fail(Fault::Endless);
    let error = begin(&bunny, TITLE).await.unwrap_err();
    assert!(matches!(error, HostError::Other(_)), "{error:?}");
}

#[tokio::test]
async fn nobody_there_has_done_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = begin(&BunnyStream::new(options(&url)).unwrap(), TITLE).await.unwrap_err();
    assert!(matches!(error, HostError::Unavailable { maybe_done: false, .. }), "{error:?}");
    assert!(!told(&error).contains(&url), "{}", told(&error));
}

#[tokio::test]
async fn no_key_gets_out() {
    let (fake, bunny) = start().await;
    let mut errors = Vec::new();
    for status in [400, 401, 402, 500] {
        let body = format!(r#"{{"message":"Key {KEY} at {}/library is wrong"}}"#, fake.url());
        fake.fail(Fault::Answer(status, &[], body));
        errors.push(told(&begin(&bunny, TITLE).await.unwrap_err()));
    }
    let shown = format!("{errors:?} {bunny:?} {:?}", options(fake.url()));
    for secret in [KEY, TOKEN_KEY, READ_ONLY_KEY] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(!format!("{errors:?}").contains(fake.url()), "{errors:?}");
}

#[tokio::test]
async fn an_empty_key_is_no_key() {
    let refused = |change: fn(&mut BunnyStreamOptions)| {
        let mut options = options("http://127.0.0.1:1");
        change(&mut options);
        BunnyStream::new(options).unwrap_err()
    };
    let errors = [
        refused(|options| options.api_key = "".into()),
        refused(|options| options.token_key = "".into()),
        refused(|options| options.read_only_key = Some("".into())),
        refused(|options| options.api_key = "two\nlines".into()),
    ];
    assert_eq!(
        errors.map(|error: BunnyStreamConfigError| error.to_string()),
        [
            "api_key is empty",
            "token_key is empty",
            "read_only_key is empty",
            "api_key holds what no header can",
        ]
    );
}

#[tokio::test]
async fn videos_play_on_while_bunny_is_down() {
    let (fake, bunny) = start().await;
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(now()));
    let hosts = VideoHosts::new(Arc::new(bunny), Vec::new(), &clock);
    let viewer = Viewer::new("edupro-1", "session", None);
    for _ in 0..5 {
        fake.fail(Fault::Answer(503, &[], String::new()));
        assert!(hosts.current().show(&first()).await.is_err());
        // That a link can be made does not mean that Bunny is back.
        hosts.current().authorize(&first(), &viewer, now()).await.unwrap();
    }
    let error = hosts.current().show(&first()).await.unwrap_err();
    assert!(matches!(error, HostError::Unavailable { maybe_done: false, .. }), "{error:?}");
    assert_eq!(fake.requests().len(), 5);
    hosts.current().authorize(&first(), &viewer, now()).await.unwrap();
}

#[tokio::test]
async fn every_promise_of_a_provider_is_kept() {
    let fake = FakeBunny::start(now()).await;
    fake.encode_quickly();
    let mut options = options(fake.url());
    options.timeout = Duration::from_secs(5);
    let bunny = BunnyStream::new(options).unwrap();
    let files = FileStore::in_memory().unwrap();
    conformance::video::all(&bunny, &files, &ManualClock::new(now())).await;
}
