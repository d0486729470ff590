//! The bucket: what it refuses, and what becomes of a film when it is down.

use std::time::Duration;

use edupro_core::video::{HostError, UploadHow, UploadTicket, VideoProvider, VideoState};
use edupro_http::testkit::vdocipher::Failure;
use futures_util::stream;
use reqwest::{
    Body, Method, Response, StatusCode,
    multipart::{Form, Part},
};

use crate::support::{Rig, client, fields, refused};

/// Where a form goes, and a form with everything but the film.
fn form(ticket: &mut UploadTicket) -> (String, Form) {
    let form = fields(ticket)
        .iter()
        .fold(Form::new(), |form, (name, value)| form.text(name.clone(), value.clone()));
    let UploadHow::Form { url, .. } = &ticket.how else { panic!("{ticket:?}") };
    (url.clone(), form)
}

/// The status and the code of a refusal.
async fn code(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/xml");
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let content = answer.text().await.unwrap();
    let code = content.split_once("<Code>").unwrap().1.split_once("</Code>").unwrap().0;
    (status, code.to_owned())
}

#[tokio::test]
async fn a_browser_may_post_a_film_by_itself() {
    let rig = Rig::new().await;
    let (mut ticket, id) = rig.ticket("Waves").await;
    let (url, form) = form(&mut ticket);
    let asked = client().request(Method::OPTIONS, &url).send().await.unwrap();
    assert!(asked.status().is_success());
    assert_eq!(asked.headers()["access-control-allow-methods"], "POST");
    // What stands behind the film is not looked at.
    let form = form.part("file", Part::bytes(&b"a film"[..]).file_name("lesson 1.mp4"));
    let form = form.text("acl", "public-read");
    let taken = client().post(url).multipart(form).send().await.unwrap();
    assert_eq!(taken.status(), StatusCode::CREATED);
    let tag = taken.headers()["etag"].to_str().unwrap();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 34, "{tag}");
    let content = taken.text().await.unwrap();
    assert!(content.contains(&format!("<Key>orig/{}</Key>", id.0)), "{content}");
    assert_eq!(rig.host.show(&id).await.unwrap().state, VideoState::Ready);
}

#[tokio::test]
async fn a_form_without_a_length_is_refused() {
    let rig = Rig::new().await;
    let (mut ticket, _) = rig.ticket("Waves").await;
    let (url, form) = form(&mut ticket);
    let pieces = stream::iter([Ok::<_, std::io::Error>("a film")]);
    let form = form.part("file", Part::stream(Body::wrap_stream(pieces)));
    let answer = client().post(url).multipart(form).send().await.unwrap();
    assert_eq!(code(answer).await, (411, "MissingContentLength".to_owned()));
}

#[tokio::test]
async fn a_form_has_to_be_one_with_a_film_and_no_key() {
    let rig = Rig::new().await;
    let (mut ticket, _) = rig.ticket("Waves").await;
    let (url, without) = form(&mut ticket);
    let answer = client().post(&url).multipart(without).send().await.unwrap();
    assert_eq!(code(answer).await, (400, "InvalidArgument".to_owned()));

    let with = form(&mut ticket).1.part("file", Part::bytes(&b"a film"[..]));
    let answer = client().post(&url).header("authorization", "Apisecret a").multipart(with);
    assert_eq!(code(answer.send().await.unwrap()).await, (400, "InvalidArgument".to_owned()));

    let answer = client().post(&url).body("a film").send().await.unwrap();
    assert_eq!(code(answer).await, (412, "PreconditionFailed".to_owned()));

    let empty = form(&mut ticket).1.part("file", Part::bytes(&b""[..]));
    let answer = client().post(&url).multipart(empty).send().await.unwrap();
    assert_eq!(code(answer).await, (400, "EntityTooSmall".to_owned()));

    let early = Form::new().part("file", Part::bytes(&b"a film"[..]));
    let early = fields(&mut ticket)
        .iter()
        .fold(early, |form, (name, value)| form.text(name.clone(), value.clone()));
    let answer = client().post(&url).multipart(early).send().await.unwrap();
    assert_eq!(code(answer).await, (400, "InvalidArgument".to_owned()));
}

#[tokio::test]
async fn a_film_that_is_too_large_is_the_teachers_matter() {
    let rig = Rig::new().await;
    let Some(fake) = rig.ours() else { return };
    fake.limit_uploads(1_000);
    let (ticket, id) = rig.ticket("Waves").await;
    let error = refused(rig.push(&ticket).await);
    let HostError::Rejected { public } = error else { panic!("{error:?}") };
    assert_eq!(public, "The video is too large for the video service.");
    assert_eq!(rig.host.show(&id).await.unwrap().state, VideoState::AwaitingUpload);
}

#[tokio::test]
async fn a_refusal_of_the_bucket_says_what_can_be_done() {
    let rig = Rig::new().await;
    let Some(fake) = rig.ours() else { return };
    let (ticket, _) = rig.ticket("Waves").await;
    let expired = "Invalid according to Policy: Policy expired.";
    let failed = "Invalid according to Policy: Policy Condition failed: [\"eq\", \"$key\", \"a\"]";
    for (status, code, message, expected) in [
        (503, "SlowDown", "Please reduce your request rate.", "Unavailable"),
        (500, "InternalError", "We encountered an internal error.", "Unavailable"),
        (400, "RequestTimeout", "Your socket connection was idle.", "Unavailable"),
        (429, "", "", "Unavailable"),
        (403, "AccessDenied", expired, "TicketExpired"),
        (403, "AccessDenied", failed, "Other"),
        (403, "SignatureDoesNotMatch", "It does not match.", "Other"),
        (400, "EntityTooLarge", "Your proposed upload is too large.", "Rejected"),
        (400, "EntityTooSmall", "Your proposed upload is too small.", "Rejected"),
        (411, "MissingContentLength", "You must provide it.", "Other"),
        (404, "NoSuchBucket", "There is none.", "Other"),
        (307, "TemporaryRedirect", "It is elsewhere.", "Other"),
        (200, "", "", "Other"),
        (204, "", "", "Other"),
    ] {
        fake.fail_next_upload(Failure::of_the_bucket(status, code, message));
        let error = refused(rig.push(&ticket).await);
        let shown = format!("{error:?}");
        assert!(shown.starts_with(expected), "{status} {code}: {shown}");
        assert!(!shown.contains(message) || message.is_empty(), "{shown}");
    }
    fake.fail_next_upload(Failure::Garbage);
    assert!(matches!(refused(rig.push(&ticket).await), HostError::Other(_)));
    rig.push(&ticket).await.unwrap();
}

#[tokio::test]
async fn a_film_that_breaks_off_is_pushed_again() {
    let rig = Rig::new().await;
    let Some(fake) = rig.ours() else { return };
    for (failure, arrives) in [(Failure::Drop, false), (Failure::DropAfterWork, true)] {
        let (ticket, id) = rig.ticket("Waves").await;
        fake.fail_next_upload(failure);
        let error = refused(rig.push(&ticket).await);
        assert!(matches!(error, HostError::Unavailable { maybe_done: true, .. }), "{error:?}");
        let state = rig.host.show(&id).await.unwrap().state;
        assert_eq!(state != VideoState::AwaitingUpload, arrives);
        rig.push(&ticket).await.unwrap();
        assert_eq!(rig.host.show(&id).await.unwrap().state, VideoState::Ready);
    }
    // The status says it all.
    let (ticket, _) = rig.ticket("Waves").await;
    fake.fail_next_upload(Failure::HalfABody);
    rig.push(&ticket).await.unwrap();
}

#[tokio::test]
async fn a_film_may_take_longer_than_an_answer() {
    let rig = Rig::new().await;
    let Some(fake) = rig.ours() else { return };
    let (ticket, _) = rig.ticket("Waves").await;
    fake.fail_next_upload(Failure::Delay(crate::support::TIMEOUT * 2));
    rig.push(&ticket).await.unwrap();
}

#[tokio::test]
#[ignore = "waits for a minute"]
async fn a_film_that_makes_no_progress_is_given_up() {
    let rig = Rig::new().await;
    let Some(fake) = rig.ours() else { return };
    let (ticket, _) = rig.ticket("Waves").await;
    fake.fail_next_upload(Failure::Delay(Duration::from_hours(1)));
    let start = std::time::Instant::now();
    let error = refused(rig.push(&ticket).await);
    assert!(matches!(error, HostError::Unavailable { maybe_done: true, .. }), "{error:?}");
    assert!(start.elapsed() <= Duration::from_secs(62), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_bucket_that_is_down_has_done_nothing() {
    let rig = Rig::new().await;
    let (mut ticket, _) = rig.ticket("Waves").await;
    if let UploadHow::Form { url, .. } = &mut ticket.how {
        "http://127.0.0.1:9/bucket".clone_into(url);
    }
    let error = refused(rig.push(&ticket).await);
    assert!(matches!(error, HostError::Unavailable { maybe_done: false, .. }), "{error:?}");
}
