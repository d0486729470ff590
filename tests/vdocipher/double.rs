//! What the testkit's double promises to those who test with it.

use std::sync::Arc;

use edupro_core::{ManualClock, video::VideoProvider};
use edupro_http::testkit::{FakeVdoCipher, vdocipher::Failure};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{Rig, client, start_of_time};

async fn ask(fake: &FakeVdoCipher, method: Method, path: &str, body: Option<Value>) -> Response {
    let url = format!("{}{path}", fake.base_url());
    let secret = format!("Apisecret {}", FakeVdoCipher::API_SECRET);
    let request = client().request(method, url).header("authorization", secret);
    match body {
        Some(body) => request.json(&body),
        None => request,
    }
    .send()
    .await
    .unwrap()
}

async fn double() -> FakeVdoCipher {
    FakeVdoCipher::start(Arc::new(ManualClock::new(start_of_time()))).await
}

#[tokio::test]
async fn two_runs_answer_the_same() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let fake = double().await;
        fake.name_bucket(Some("https://bucket.example"));
        let mut answers = Vec::new();
        for (method, path) in [
            (Method::PUT, "/videos?title=Waves"),
            (Method::PUT, "/videos?title=Sound&folderId=a"),
            (Method::GET, "/videos"),
        ] {
            answers.push(ask(&fake, method, path, None).await.text().await.unwrap());
        }
        let id = fake.videos()[0].id.clone();
        let path = format!("/videos/{id}/otp");
        answers.push(ask(&fake, Method::POST, &path, None).await.text().await.unwrap());
        runs.push(answers);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0][0].contains("https://bucket.example"), "{}", runs[0][0]);
}

#[tokio::test]
async fn requests_without_the_key_are_refused() {
    let fake = double().await;
    for (header, message) in [
        (None, "Authorization header missing or malformed"),
        (Some("fake-apisecret-0001"), "Authorization header missing or malformed"),
        (Some("Bearer fake-apisecret-0001"), "Authorization header missing or malformed"),
        (Some("apisecret fake-apisecret-0001"), "Authorization header missing or malformed"),
        (Some("Apisecret  fake-apisecret-0001"), "Authorization header missing or malformed"),
        (Some("Apisecret"), "Authorization header missing or malformed"),
        (Some("Apisecret another"), "Invalid API Secret"),
    ] {
        let mut request = client().get(format!("{}/videos", fake.base_url()));
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401, "{header:?}");
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({"message": message}));
    }
}

#[tokio::test]
async fn wishes_that_make_no_sense_are_refused() {
    let fake = double().await;
    ask(&fake, Method::PUT, "/videos?title=Waves", None).await;
    let otp = format!("/videos/{}/otp", fake.videos()[0].id);
    for (method, path, body, status) in [
        (Method::PUT, "/videos", None, 400),
        (Method::PUT, "/videos?title=%20", None, 400),
        (Method::GET, "/videos/0a1b", None, 404),
        (Method::POST, "/videos/0a1b/otp", None, 404),
        (Method::GET, "/nothing", None, 404),
        (Method::DELETE, "/videos/0a1b", None, 405),
        (Method::POST, &otp, Some(json!([])), 400),
        (Method::POST, &otp, Some(json!({"ttl": 0})), 400),
        (Method::POST, &otp, Some(json!({"ttl": "300"})), 400),
        (Method::POST, &otp, Some(json!({"annotate": [{"type": "text"}]})), 400),
        (Method::POST, &otp, Some(json!({"annotate": "{}"})), 400),
        (Method::POST, &otp, Some(json!({"licenseRules": {"canPersist": true}})), 400),
        (Method::POST, &otp, Some(json!({"userId": "v".repeat(37)})), 400),
        (Method::POST, "/hooks/", Some(json!({"type": "http", "value": "a", "event": "b"})), 400),
        (Method::POST, &otp, None, 200),
        (
            Method::POST,
            &otp,
            Some(json!({"ttl": 300, "annotate": "[]", "licenseRules": "{}"})),
            200,
        ),
        (Method::DELETE, "/videos?videos=0a1b", None, 200),
    ] {
        let answer = ask(&fake, method.clone(), path, body.clone()).await;
        assert_eq!(answer.status(), status, "{method} {path} {body:?}");
        answer.json::<Value>().await.unwrap();
    }
    assert_eq!(fake.requests().len(), 18);
}

#[tokio::test]
async fn everybody_may_read_a_title() {
    let fake = double().await;
    ask(&fake, Method::PUT, "/videos?title=Waves", None).await;
    let url = format!("{}/meta/{}", fake.base_url(), fake.videos()[0].id);
    let meta: Value = client().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(meta["title"], "Waves");
}

#[tokio::test]
async fn pages_hold_forty_at_most() {
    let fake = double().await;
    for number in 0..45 {
        ask(&fake, Method::PUT, &format!("/videos?title=Waves%20{number}"), None).await;
    }
    for (query, rows, first) in [
        ("", 20, Some("Waves 44")),
        ("?limit=100", 40, Some("Waves 44")),
        ("?limit=40&page=2", 5, Some("Waves 4")),
        ("?limit=40&page=3", 0, None),
        ("?q=waves%201", 11, Some("Waves 19")),
        ("?folderId=none", 0, None),
    ] {
        let list = ask(&fake, Method::GET, &format!("/videos{query}"), None).await;
        let list: Value = list.json().await.unwrap();
        assert_eq!(list["rows"].as_array().unwrap().len(), rows, "{query}");
        assert_eq!(list["rows"][0]["title"].as_str(), first, "{query}");
    }
}

#[tokio::test]
async fn whoever_registered_hears_of_what_is_ready() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks?token=t", listener.local_addr().unwrap());
    let fake = double().await;
    let hook = json!({"type": "http", "value": url, "event": "video:ready", "status": 1});
    let hook = ask(&fake, Method::POST, "/hooks/", Some(hook)).await;
    let hook: Value = hook.json().await.unwrap();
    ask(&fake, Method::PUT, "/videos?title=Waves", None).await;
    let id = fake.videos()[0].id.clone();
    let listening = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    };
    fake.set_status(&id, "ready", Some(1_503));
    let request = listening.await;
    assert!(request.starts_with("POST /hooks?token=t HTTP/1.1\r\n"), "{request}");
    let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["hookId"], hook["uuid"]);
    assert_eq!(body["time"], 1_767_322_000_000_i64);
    assert_eq!(body["payload"]["upload_time"], 1_767_322_000);
    assert_eq!(body["payload"]["length"], 1_503);
    while fake.deliveries().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(fake.deliveries()[0].status, Some(202));
    // Nobody is told twice, and not after he signed off.
    let off = json!({"uuid": hook["uuid"]});
    ask(&fake, Method::DELETE, "/hooks/", Some(off)).await;
    fake.set_status(&id, "ready", None);
    let hooks = ask(&fake, Method::GET, "/hooks/", None).await;
    assert_eq!(hooks.json::<Value>().await.unwrap(), json!([]));
    assert_eq!(fake.deliveries().len(), 1);
}

#[tokio::test]
async fn failures_come_in_the_order_in_which_they_were_ordered() {
    let rig = Rig::new().await;
    let Some(fake) = rig.ours() else { return };
    for status in [422, 401] {
        fake.fail_next(Failure::status(status, "No."));
    }
    let shown: Vec<_> = [rig.begin("a").await, rig.begin("b").await, rig.begin("c").await]
        .into_iter()
        .map(|outcome| outcome.map_or_else(|error| error.to_string(), |_| "made".to_owned()))
        .collect();
    let expected =
        ["the video host refused: No.", "the video host does not accept the school's key", "made"];
    assert_eq!(shown, expected);
    assert_eq!(rig.host.search("c").await.unwrap().len(), 1);
    assert_eq!(fake.videos().len(), 1);
}
