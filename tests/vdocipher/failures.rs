//! VdoCipher down, slow, full of excuses, or cut off in the middle of a word.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use edupro_core::{
    ManualClock,
    video::{
        HostError, VdoCipher, VdoCipherOptions, VideoHosts, VideoId, VideoProvider, VideoState,
    },
};
use edupro_http::testkit::{FakeVdoCipher, vdocipher::Failure};
use tokio::{net::TcpListener, time::sleep};

use crate::support::{Rig, TIMEOUT, refused, start_of_time, stranger, title};

const REFUSED: &str = "The video service refused this request.";

fn json(status: u16, body: &str) -> Failure {
    Failure::Answer { status, body: body.to_owned(), headers: Vec::new() }
}

#[tokio::test]
async fn a_refusal_says_what_can_be_done() {
    let rig = Rig::new().await;
    let plan = "You have reached the video limit of 4.";
    for status in [400, 405, 409, 413, 422] {
        rig.fail(Failure::status(status, "The title is too long.")).await;
        let error = refused(rig.begin("Waves").await);
        let HostError::Rejected { public } = &error else { panic!("{status}: {error:?}") };
        assert_eq!(public, "The title is too long.");
    }
    for (status, message) in [(401, "Invalid API Secret"), (401, plan), (403, "No."), (403, "")] {
        rig.fail(Failure::status(status, message)).await;
        let error = refused(rig.begin("Waves").await);
        assert!(matches!(error, HostError::Credentials), "{status}: {error:?}");
    }
    let words = ["Trial limit.", plan, "Over QUOTA", "Please upgrade", "No subscription", "Pay."];
    for (status, message) in [400, 403, 402, 403, 400, 402].into_iter().zip(words) {
        rig.fail(Failure::status(status, message)).await;
        let error = refused(rig.begin("Waves").await);
        let HostError::Quota { public } = &error else { panic!("{status}: {error:?}") };
        assert_eq!(public, message);
    }
    for status in [408, 500, 502, 503, 504] {
        rig.fail(Failure::status(status, "Please upgrade")).await;
        let error = refused(rig.begin("Waves").await);
        let HostError::Unavailable { retry_after: None, maybe_done: true, .. } = error else {
            panic!("{status}: {error:?}")
        };
    }
    rig.fail(Failure::status(429, "Slow down").with_header("retry-after", "7")).await;
    let error = refused(rig.begin("Waves").await);
    let HostError::Unavailable { retry_after, maybe_done: false, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
    // There is no list of videos where it is looked for: that is no missing video.
    rig.fail(Failure::status(404, "Not found")).await;
    let error = refused(rig.begin("Waves").await);
    assert!(matches!(error, HostError::Other(_)), "{error:?}");
    rig.fail(Failure::status(302, "").with_header("location", "http://127.0.0.1:9/")).await;
    let error = refused(rig.begin("Waves").await);
    assert!(matches!(error, HostError::Other(_)), "{error:?}");
}

#[tokio::test]
async fn a_teacher_reads_what_it_says_wherever_it_says_it() {
    let rig = Rig::new().await;
    for (body, expected) in [
        (r#"{"message":"No."}"#, "No."),
        (r#"{"error":"No."}"#, "No."),
        (r#"{"error":{"message":"No."}}"#, "No."),
        (r#"{"errors":["No.","Not this."]}"#, "No."),
        (r#"{"message":"See https://dev.vdocipher.com/a?b=c\nnow"}"#, "See now"),
        (r#"{"message":"Your key fake-apisecret-0001 is old"}"#, REFUSED),
        (r#"{"message":"http://127.0.0.1/"}"#, REFUSED),
        (r#"{"detail":"No."}"#, REFUSED),
        ("{}", REFUSED),
        ("", REFUSED),
    ] {
        rig.fail(json(422, body)).await;
        let error = refused(rig.begin("Waves").await);
        let HostError::Rejected { public } = &error else { panic!("{body}: {error:?}") };
        assert_eq!(public, expected, "{body}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_the_operators_matter() {
    let rig = Rig::with(|options| options.api_secret = "another-secret".into()).await;
    assert!(matches!(refused(rig.begin("Waves").await), HostError::Credentials));
    assert!(matches!(refused(rig.host.show(&stranger()).await), HostError::Credentials));
    assert!(matches!(refused(rig.host.search("Waves").await), HostError::Credentials));
    assert!(matches!(refused(rig.host.delete(&[stranger()]).await), HostError::Credentials));
}

/// What can be asked twice, one after the other: whether it was answered.
async fn ask_all(rig: &Rig, id: &VideoId) -> [Result<(), HostError>; 4] {
    [
        rig.host.show(id).await.map(drop),
        rig.watch(id).await.map(drop),
        rig.host.search("Nothing has this title").await.map(drop),
        rig.host.delete(&[stranger()]).await,
    ]
}

#[tokio::test]
async fn what_may_be_repeated_is_repeated_once() {
    let rig = Rig::new().await;
    let id = rig.video("Waves").await;
    for failure in [
        Failure::status(503, "Not now."),
        Failure::status(500, "Not now."),
        Failure::status(429, "Not now."),
        Failure::Drop,
        Failure::DropAfterWork,
        Failure::HalfABody,
    ] {
        for number in 0..4 {
            if !rig.fail(failure.clone()).await {
                continue;
            }
            let answered = match number {
                0 => rig.host.show(&id).await.map(drop),
                1 => rig.watch(&id).await.map(drop),
                2 => rig.host.search("Nothing has this title").await.map(drop),
                _ => rig.host.delete(&[stranger()]).await,
            };
            answered.unwrap_or_else(|error| panic!("{failure:?}, {number}: {error:?}"));
        }
    }
    // Not a third time.
    for _ in 0..8 {
        rig.fail(Failure::status(503, "Not now.")).await;
    }
    let before = rig.ours().map(|fake| fake.requests().len());
    for error in ask_all(&rig, &id).await.map(refused) {
        assert!(matches!(error, HostError::Unavailable { maybe_done: true, .. }), "{error:?}");
    }
    let after = rig.ours().map(|fake| fake.requests().len());
    assert_eq!(after, before.map(|before| before + 8));
}

#[tokio::test]
async fn what_would_not_help_is_not_repeated() {
    let rig = Rig::new().await;
    let id = rig.video("Waves").await;
    for failure in [
        Failure::status(400, "No."),
        Failure::status(401, "No."),
        Failure::status(404, "No."),
        Failure::Garbage,
        Failure::status(503, "Not now.").with_header("retry-after", "1"),
    ] {
        for _ in 0..4 {
            rig.fail(failure.clone()).await;
        }
        let before = rig.ours().map(|fake| fake.requests().len());
        let answers = ask_all(&rig, &id).await;
        assert!(answers[..3].iter().all(Result::is_err), "{failure:?}: {answers:?}");
        let after = rig.ours().map(|fake| fake.requests().len());
        assert_eq!(after, before.map(|before| before + 4), "{failure:?}");
    }
    rig.host.show(&id).await.unwrap();
}

#[tokio::test]
async fn leave_to_upload_is_asked_for_once() {
    let rig = Rig::new().await;
    for failure in [
        Failure::status(503, "Not now."),
        Failure::Drop,
        Failure::DropAfterWork,
        Failure::HalfABody,
        Failure::Delay(TIMEOUT * 2),
    ] {
        let (title, before) = (title("Waves"), rig.asked("PUT"));
        if !rig.fail(failure.clone()).await {
            continue;
        }
        let error = refused(rig.begin(&title).await);
        let HostError::Unavailable { maybe_done: true, .. } = error else {
            panic!("{failure:?}: {error:?}")
        };
        assert!(rig.ours().is_none() || rig.asked("PUT") == before + 1, "{failure:?}");
        if matches!(failure, Failure::Delay(_)) {
            rig.settle().await;
        }
        // What was made all the same is found by its title.
        let found = rig.host.search(&title).await.unwrap().len();
        let is_made = !matches!(failure, Failure::Drop | Failure::Answer { .. });
        // Our double does nothing for who has gone away meanwhile.
        let may_be_made = matches!(failure, Failure::Delay(_)) && found == 0;
        assert!(found == usize::from(is_made) || may_be_made, "{failure:?}: {found}");
    }
}

#[tokio::test]
async fn an_answer_that_nobody_can_read_is_somebodys_fault() {
    let rig = Rig::new().await;
    let id = rig.video("Waves").await;
    let bodies = ["null", "[]", "{}", "7", "\"text\"", r#"{"otp":"","playbackInfo":""}"#];
    let mut failures: Vec<_> = bodies.iter().map(|body| json(200, body)).collect();
    failures.push(Failure::Garbage);
    failures.push(json(200, r#"{"videoId":"../a","clientPayload":{}}"#));
    failures.push(json(200, r#"{"id":"another","status":"ready","rows":[{"title":"Waves"}]}"#));
    if rig.ours().is_some() {
        failures.push(json(200, ""));
        failures.push(json(200, &format!("[{}]", "1,".repeat(1 << 20))));
    }
    for failure in failures {
        for _ in 0..4 {
            rig.fail(failure.clone()).await;
        }
        let answers = [
            rig.begin("Waves").await.map(drop),
            rig.host.show(&id).await.map(drop),
            rig.watch(&id).await.map(drop),
            rig.host.search("Waves").await.map(drop),
        ];
        for error in answers.map(refused) {
            assert!(matches!(error, HostError::Other(_)), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_missing_one_of_many_is_no_reason_to_keep_the_others() {
    let rig = Rig::new().await;
    let ids = [rig.video("Waves").await, rig.video("Sound").await];
    rig.fail(Failure::status(404, "Video not found")).await;
    rig.host.delete(&ids).await.unwrap();
    for id in &ids {
        assert!(matches!(refused(rig.host.show(id).await), HostError::NotFound));
    }
    rig.fail(Failure::status(404, "Video not found")).await;
    rig.host.delete(&ids[..1]).await.unwrap();
}

#[tokio::test]
async fn a_slow_answer_is_an_answer() {
    let rig = Rig::new().await;
    let id = rig.video("Waves").await;
    rig.fail(Failure::Delay(TIMEOUT / 4)).await;
    assert_eq!(rig.host.show(&id).await.unwrap().state, VideoState::Ready);
}

#[tokio::test]
async fn nobody_waits_longer_than_was_said() {
    let rig = Rig::new().await;
    let id = rig.video("Waves").await;
    for number in 0..5 {
        rig.fail(Failure::Delay(TIMEOUT * 2)).await;
        let start = Instant::now();
        let error = refused(match number {
            0 => rig.host.show(&id).await.map(drop),
            1 => rig.watch(&id).await.map(drop),
            2 => rig.host.search("Waves").await.map(drop),
            3 => rig.begin("Waves").await.map(drop),
            _ => rig.host.delete(&[stranger()]).await,
        });
        let took = start.elapsed();
        assert!(matches!(error, HostError::Unavailable { maybe_done: true, .. }), "{error:?}");
        assert!(took >= TIMEOUT && took < TIMEOUT * 2, "{number}: {took:?}");
        rig.settle().await;
    }
}

#[tokio::test]
async fn a_second_attempt_has_the_rest_of_the_time() {
    let rig = Rig::new().await;
    let id = rig.video("Waves").await;
    rig.fail(Failure::status(503, "Not now.")).await;
    rig.fail(Failure::Delay(TIMEOUT * 2)).await;
    let start = Instant::now();
    refused(rig.host.show(&id).await);
    assert!(start.elapsed() < TIMEOUT * 3 / 2, "{:?}", start.elapsed());
    rig.settle().await;
}

/// A VdoCipher at an address where there may be none, with the limits that it has by itself.
fn at(base_url: String) -> VdoCipher {
    let mut options = VdoCipherOptions::new(FakeVdoCipher::API_SECRET.into());
    options.base_url = base_url;
    VdoCipher::new(options).unwrap()
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let host = at(format!("http://{address}/api"));
    let start = Instant::now();
    for error in [
        refused(host.show(&stranger()).await),
        refused(host.search("Waves").await),
        refused(host.delete(&[stranger()]).await),
    ] {
        assert!(matches!(error, HostError::Unavailable { maybe_done: false, .. }), "{error:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn where_nobody_answers_one_waits_for_five_seconds() {
    // Connections are taken, and nothing more.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = at(format!("http://{}/api", listener.local_addr().unwrap()));
    let start = Instant::now();
    let error = refused(host.show(&stranger()).await);
    let took = start.elapsed();
    assert!(matches!(error, HostError::Unavailable { maybe_done: true, .. }), "{error:?}");
    assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(8), "{took:?}");
}

#[tokio::test]
async fn a_stopped_double_refuses_connections() {
    let rig = Rig::new().await;
    let id = rig.video("Waves").await;
    let Some(fake) = rig.ours() else { return };
    fake.stop();
    sleep(Duration::from_millis(50)).await;
    let error = refused(rig.host.show(&id).await);
    assert!(matches!(error, HostError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn after_five_failures_it_is_left_alone_for_half_a_minute() {
    let rig = Rig::new().await;
    let id = rig.video("Waves").await;
    let Some(fake) = rig.ours() else { return };
    let mut options = VdoCipherOptions::new(FakeVdoCipher::API_SECRET.into());
    options.base_url = fake.base_url();
    let clock = Arc::new(ManualClock::new(start_of_time()));
    let host = Arc::new(VdoCipher::new(options).unwrap());
    let hosts = VideoHosts::new(host, Vec::new(), &(Arc::<ManualClock>::clone(&clock) as _));
    let busy = || Failure::status(503, "Not now.").with_header("retry-after", "60");
    for _ in 0..5 {
        fake.fail_next(busy());
        refused(hosts.current().show(&id).await);
    }
    let before = fake.requests().len();
    let error = refused(hosts.current().show(&id).await);
    assert!(matches!(error, HostError::Unavailable { maybe_done: false, .. }), "{error:?}");
    assert_eq!(fake.requests().len(), before, "it is left alone");
    clock.advance(TimeDelta::seconds(31));
    assert_eq!(hosts.current().show(&id).await.unwrap().state, VideoState::Ready);
}
