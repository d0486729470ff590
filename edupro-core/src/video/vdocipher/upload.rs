//! The way of a film: a form that is posted to the bucket behind VdoCipher.

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
    multipart::{Form, Part},
};
use serde::Deserialize;

use super::{answers::Credentials, is_id};
use crate::video::{Film, HostError, UploadHow, UploadId, UploadTicket, VideoId, http};

/// What the bucket checks, in the documentation's order.
const SIGNED: [&str; 6] =
    ["policy", "key", "x-amz-signature", "x-amz-algorithm", "x-amz-date", "x-amz-credential"];
/// What is asked of it beside that. Any further field it would refuse.
const CONSTANT: [(&str, &str); 2] =
    [("success_action_status", "201"), ("success_action_redirect", "")];
/// How long it takes a file, where the policy does not say.
const LIFETIME: TimeDelta = TimeDelta::hours(1);

/// A policy, as far as it says until when it is good.
#[derive(Deserialize)]
struct Expiring {
    expiration: DateTime<Utc>,
}

/// The ticket that these credentials make.
pub(super) fn ticket(made: Credentials, now: DateTime<Utc>) -> Result<UploadTicket, HostError> {
    let Credentials { video_id, client_payload } = made;
    let missing = |what: &str| HostError::Other(format!("credentials without {what}").into());
    if !is_id(&video_id) {
        return Err(missing("a video's name"));
    }
    let text = |name: &str| client_payload.text(name).ok_or_else(|| missing(name));
    let url = text("uploadLink")?;
    if !Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        return Err(missing("an address of the web"));
    }
    let mut fields = Vec::with_capacity(SIGNED.len() + CONSTANT.len());
    for name in SIGNED {
        fields.push((name.to_owned(), text(name)?.to_owned()));
    }
    fields.extend(CONSTANT.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let expires_at = expiration(text("policy")?).unwrap_or(now + LIFETIME);
    let how = UploadHow::Form { url: url.to_owned(), fields, file_field: "file".to_owned() };
    let upload = UploadId(text("key")?.to_owned());
    Ok(UploadTicket::new(upload, Some(VideoId(video_id)), Some(expires_at), how))
}

fn expiration(policy: &str) -> Option<DateTime<Utc>> {
    let policy = BASE64_STANDARD.decode(policy).ok()?;
    serde_json::from_slice(&policy).ok().map(|policy: Expiring| policy.expiration)
}

/// Posts a film, piece by piece as it is read.
pub(super) async fn push(
    client: &Client,
    ticket: &UploadTicket,
    film: &Film<'_>,
) -> Result<(), HostError> {
    let UploadHow::Form { url, fields, file_field } = &ticket.how else {
        return Err(HostError::Unsupported("tickets of another host"));
    };
    let content = film.open().await.map_err(|error| HostError::Other(error.into()))?;
    let name = film.file.as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let (size, content_type) = (content.size, HeaderValue::from_static(content.content_type));
    let post = |body| {
        // With a length, or the bucket refuses it.
        let part = Part::stream_with_length(body, size).file_name(name);
        let part = part.headers(HeaderMap::from_iter([(CONTENT_TYPE, content_type)]));
        let form = fields
            .iter()
            .fold(Form::new(), |form, (name, value)| form.text(name.clone(), value.clone()));
        client.post(url).multipart(form.part(file_field.clone(), part))
    };
    let answer = http::send_film(content, post).await?;
    match answer.status() {
        StatusCode::CREATED => Ok(()),
        status => Err(refusal(status, answer).await),
    }
}

async fn refusal(status: StatusCode, answer: Response) -> HostError {
    // The status says enough where the rest is missing.
    let answer = http::read_bounded(answer, http::ANSWER_LIMIT).await.unwrap_or_default();
    let answer = String::from_utf8_lossy(&answer);
    let code = element(&answer, "Code");
    let is_code = code.len() <= 50 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let code = if is_code { code } else { "" };
    let source = || format!("the bucket answered {} {code}", status.as_u16()).into();
    match (status.as_u16(), code) {
        (408 | 429 | 500.., _) | (_, "SlowDown" | "InternalError" | "RequestTimeout") => {
            HostError::Unavailable { retry_after: None, maybe_done: true, source: source() }
        }
        (_, "AccessDenied") if element(&answer, "Message").contains("Policy expired") => {
            HostError::TicketExpired
        }
        (_, "EntityTooLarge") => {
            HostError::Rejected { public: "The video is too large for the video service.".into() }
        }
        (_, "EntityTooSmall") => HostError::Rejected { public: "The video is empty.".into() },
        _ => HostError::Other(source()),
    }
}

/// The text of the first element of this name.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let text = xml.split_once(&format!("<{name}>"));
    text.and_then(|(_, rest)| rest.split_once('<')).map_or("", |(text, _)| text)
}
