//! What is decided without asking anybody. `tests/vdocipher` asks.

use std::time::Duration;

use super::*;
use crate::video::UploadHow;

const SECRET: &str = "an-api-secret-0001";
const TOKEN: &str = "a-token-of-a-webhook";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_322_000, 0).unwrap()
}

fn options() -> VdoCipherOptions {
    let mut options = VdoCipherOptions::new(SECRET.into());
    options.webhook_token = Some(TOKEN.into());
    options
}

fn host() -> VdoCipher {
    VdoCipher::new(options()).unwrap()
}

#[test]
fn nonsense_cannot_be_configured() {
    type Change = fn(&mut VdoCipherOptions);
    let cases: [(&str, Change); 11] = [
        ("api_secret", |options| options.api_secret = "".into()),
        ("api_secret", |options| options.api_secret = " ".into()),
        ("api_secret", |options| options.api_secret = "a\nb".into()),
        ("webhook_token", |options| options.webhook_token = Some("".into())),
        ("base_url", |options| options.base_url = String::new()),
        ("base_url", |options| options.base_url = "/api".to_owned()),
        ("base_url", |options| options.base_url = "ftp://example.com/api".to_owned()),
        ("base_url", |options| options.base_url = "data:text/plain,api".to_owned()),
        ("base_url", |options| options.base_url = "https://me:word@example.com/api".to_owned()),
        ("player_url", |options| options.player_url = "javascript:alert(1)".to_owned()),
        ("ticket_life", |options| options.ticket_life = Duration::from_millis(999)),
    ];
    for (name, change) in cases {
        let mut options = options();
        change(&mut options);
        let error = VdoCipher::new(options).unwrap_err();
        assert!(matches!(error, VdoCipherConfigError::Option(told) if told == name), "{error:?}");
    }
}

#[test]
fn what_is_shown_holds_no_secret() {
    for text in [format!("{:?}", host()), format!("{:?}", options())] {
        assert!(!text.contains(SECRET) && !text.contains(TOKEN), "{text}");
    }
    assert_eq!(
        format!("{:?}", host()),
        "VdoCipher { base_url: \"https://dev.vdocipher.com/api\", .. }"
    );
}

#[test]
fn a_webhook_is_declared_when_it_can_be_believed() {
    assert_eq!(host().capabilities().webhook, WebhookProof::UrlToken);
    let host = VdoCipher::new(VdoCipherOptions::new(SECRET.into())).unwrap();
    assert_eq!(host.capabilities().webhook, WebhookProof::None);
}

#[test]
fn names_that_could_leave_their_place_are_none() {
    for name in ["0a1b2c", "a", "A-b_9", &"f".repeat(64)] {
        assert!(is_id(name), "{name}");
    }
    for name in ["", "..", "../account", "a/b", "a?b", "a#b", "a,b", "a%2fb", "a b", "ä", "a\n"] {
        assert!(!is_id(name), "{name}");
    }
    assert!(!is_id(&"f".repeat(65)));
}

fn credentials(payload: &Value) -> Result<UploadTicket, HostError> {
    let answer = json!({"videoId": "0a1b", "clientPayload": payload});
    upload::ticket(serde_json::from_value(answer).unwrap(), now())
}

fn payload() -> Value {
    json!({
        "key": "orig/0a1b", "x-amz-credential": "AKIA/20260102/r/s3/aws4_request",
        // {"expiration":"2026-01-02T04:04:05.000Z","conditions":[]}
        "policy": "eyJleHBpcmF0aW9uIjoiMjAyNi0wMS0wMlQwNDowNDowNS4wMDBaIiwiY29uZGl0aW9ucyI6W119",
        "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": "20260102T030405Z",
        "x-amz-signature": "e305", "uploadLink": "https://bucket.example.com",
        "x-amz-new": "is not a field that anybody documented",
    })
}

#[test]
fn a_ticket_is_made_of_credentials() {
    let ticket = credentials(&payload()).unwrap();
    assert_eq!(ticket.upload.0, "orig/0a1b");
    assert_eq!(ticket.video, Some(VideoId("0a1b".to_owned())));
    assert_eq!(ticket.expires_at.unwrap().to_rfc3339(), "2026-01-02T04:04:05+00:00");
    let UploadHow::Form { url, fields, file_field } = &ticket.how else { panic!("{ticket:?}") };
    assert_eq!((url.as_str(), file_field.as_str()), ("https://bucket.example.com", "file"));
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names.join(" "),
        "policy key x-amz-signature x-amz-algorithm x-amz-date x-amz-credential \
         success_action_status success_action_redirect"
    );
    assert_eq!(fields[6].1, "201");
    assert_eq!(fields[7].1, "");
    // It has been met as a text too.
    assert_eq!(credentials(&payload().to_string().into()).unwrap(), ticket);
}

#[test]
fn a_policy_that_cannot_be_read_is_good_for_an_hour() {
    for policy in ["e305", "%", "bm8="] {
        let mut payload = payload();
        payload["policy"] = policy.into();
        let ticket = credentials(&payload).unwrap();
        assert_eq!(ticket.expires_at, Some(now() + chrono::TimeDelta::hours(1)));
    }
}

#[test]
fn incomplete_credentials_are_no_ticket() {
    for name in ["policy", "key", "x-amz-signature", "x-amz-date", "uploadLink"] {
        for value in [Value::Null, "".into(), 7.into()] {
            let mut payload = payload();
            payload[name] = value;
            assert!(matches!(credentials(&payload), Err(HostError::Other(_))), "{name}");
        }
    }
    let mut payload = payload();
    payload["uploadLink"] = "file:///etc/passwd".into();
    assert!(matches!(credentials(&payload), Err(HostError::Other(_))));
}

#[test]
fn a_video_is_read_whatever_else_stands_there() {
    let read = |value: Value| serde_json::from_value::<Row>(value).ok()?.info().ok();
    let info = read(json!({
        "id": "0a1b", "status": "PRE-Upload", "length": 0, "upload_time": 1_767_322_000,
        "title": "Waves", "posters": [], "new": {},
    }));
    let info = info.unwrap();
    assert_eq!((info.state, info.word.as_str()), (VideoState::AwaitingUpload, "PRE-Upload"));
    assert_eq!((info.duration, info.begun_at), (None, Some(now())));
    assert_eq!(info.title.as_deref(), Some("Waves"));
    for (word, state) in [
        ("pre-upload", VideoState::AwaitingUpload),
        ("Pre-Upload", VideoState::AwaitingUpload),
        ("Queued", VideoState::Queued),
        ("READY", VideoState::Ready),
        ("Failed", VideoState::Failed),
        ("error", VideoState::Failed),
        ("Processing", VideoState::Unknown),
        ("معالجة", VideoState::Unknown),
    ] {
        let info = read(json!({"status": word})).unwrap();
        assert_eq!((info.state, info.word.as_str()), (state, word));
    }
    for (length, seconds) in [(json!(25), Some(25.0)), (json!(1.5), Some(1.5)), (json!(0), None)] {
        let info = read(json!({"status": "ready", "length": length})).unwrap();
        assert_eq!(info.duration.map(|duration| duration.as_secs_f64()), seconds);
    }
    for odd in [json!(-1), json!(1e300), json!("25"), Value::Null, json!([])] {
        let row = json!({"status": "ready", "length": odd, "upload_time": odd, "title": odd});
        assert_eq!(read(row).unwrap().duration, None, "{odd}");
    }
    for none in [json!({}), json!({"status": ""}), json!({"status": 1}), json!([])] {
        assert!(read(none.clone()).is_none(), "{none}");
    }
    assert!(read(json!({"status": "ready", "id": "../a"})).is_none());
}

async fn hear(host: &VdoCipher, token: &str, body: &str) -> Result<Vec<VideoId>, HostError> {
    let query = [("a".to_owned(), TOKEN.to_owned()), ("token".to_owned(), token.to_owned())];
    let request = WebhookRequest { headers: &[], query: &query, body: body.as_bytes() };
    host.webhook(&request, now()).await
}

#[tokio::test]
async fn a_webhook_with_the_token_names_its_video() {
    for event in ["video:ready", "video:readyall", "video:later"] {
        let body = json!({
            "hookId": "5d41", "event": event, "time": 1_767_323_503_000_i64,
            "payload": {"id": "0a1b", "status": "ready", "length": 1503},
        });
        let named = hear(&host(), TOKEN, &body.to_string()).await.unwrap();
        assert_eq!(named, [VideoId("0a1b".to_owned())]);
    }
    for body in ["{}", "[]", "7", r#"{"payload":{}}"#, r#"{"payload":{"id":"../a"}}"#] {
        assert_eq!(hear(&host(), TOKEN, body).await.unwrap(), [], "{body}");
    }
    let unread = hear(&host(), TOKEN, "{").await.unwrap_err();
    assert!(matches!(unread, HostError::Rejected { .. }), "{unread:?}");
}

#[tokio::test]
async fn a_webhook_without_the_token_is_refused() {
    let body = r#"{"event":"video:ready","payload":{"id":"0a1b"}}"#;
    for token in ["", "a", &TOKEN.to_uppercase(), &format!("{TOKEN}x"), &TOKEN[1..]] {
        let refused = hear(&host(), token, body).await.unwrap_err();
        assert!(matches!(refused, HostError::Rejected { .. }), "{refused:?}");
    }
    let nameless = WebhookRequest { headers: &[], query: &[], body: body.as_bytes() };
    let refused = host().webhook(&nameless, now()).await.unwrap_err();
    assert!(matches!(refused, HostError::Rejected { .. }), "{refused:?}");
    let deaf = VdoCipher::new(VdoCipherOptions::new(SECRET.into())).unwrap();
    assert!(matches!(hear(&deaf, "", body).await, Err(HostError::NotFound)));
}
