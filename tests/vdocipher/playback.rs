//! Tickets to watch, and who is told that a video is ready.

use edupro_core::{
    WebhookRequest,
    video::{HostError, VideoId, VideoProvider, Viewer},
};
use serde_json::{Value, json};

use crate::support::{Rig, TOKEN, refused, stranger};

#[tokio::test]
async fn each_viewer_gets_a_ticket_of_his_own() {
    let rig = Rig::with(|options| {
        options.player_url = "https://player.example/v2/?player=abc".to_owned();
    })
    .await;
    let id = rig.video("Waves").await;
    let playback = rig.watch(&id).await.unwrap();
    let [(otp_key, otp), (info_key, info)] = playback.tickets.as_slice() else { panic!("two") };
    assert_eq!((*otp_key, *info_key), ("otp", "playback_info"));
    assert!(otp.starts_with("20160313vers"), "{otp}");
    assert!(info.ends_with('='), "{info}");
    let info = info.replace('=', "%3D");
    let url = format!("https://player.example/v2/?player=abc&otp={otp}&playbackInfo={info}");
    assert_eq!(playback.url, url);
    assert_ne!(rig.watch(&id).await.unwrap(), playback);

    let Some(fake) = rig.ours() else { return };
    let seen = fake.requests();
    let post = seen.iter().find(|seen| seen.uri.path().ends_with("/otp")).unwrap();
    assert_eq!(post.headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(&post.body).unwrap();
    let annotate: Value = serde_json::from_str(body["annotate"].as_str().unwrap()).unwrap();
    assert_eq!((&body["ttl"], &body["userId"]), (&json!(300), &json!("student_42")));
    let text = json!([{
        "type": "rtext", "text": "student 42", "alpha": "0.60", "color": "0xFFFFFF",
        "size": "15", "interval": "5000",
    }]);
    assert_eq!(annotate, text);
}

#[tokio::test]
async fn a_watermark_may_be_any_text_or_none() {
    let rig = Rig::new().await;
    let id = rig.video("Waves").await;
    let now = rig.clock.now();
    for text in [None, Some(""), Some("\"منى\" \\ <b>\n{}")] {
        let viewer = Viewer::new("v", "a session", text);
        rig.host.authorize(&id, &viewer, now).await.unwrap();
        let Some(fake) = rig.ours() else { continue };
        let body: Value = serde_json::from_slice(&fake.requests().last().unwrap().body).unwrap();
        let annotate = body["annotate"].as_str().map(serde_json::from_str::<Value>);
        let sent = annotate.map(|it| it.unwrap()[0]["text"].clone());
        assert_eq!(sent, text.map(Value::from));
    }
}

#[tokio::test]
async fn a_viewer_whose_name_says_too_much_is_not_passed_on() {
    let rig = Rig::new().await;
    let id = rig.video("Waves").await;
    for key in ["", "mona@example.com", "منى", &"v".repeat(37)] {
        let viewer = Viewer::new(key, "a session", None);
        let error = refused(rig.host.authorize(&id, &viewer, rig.clock.now()).await);
        assert!(matches!(error, HostError::Other(_)), "{key}: {error:?}");
    }
    let longest = "v".repeat(36);
    let viewer = Viewer::new(&longest, "a session", None);
    rig.host.authorize(&id, &viewer, rig.clock.now()).await.unwrap();
}

#[tokio::test]
async fn what_is_not_ready_has_tickets_too() {
    // So the school has to look at its own books before it asks.
    let rig = Rig::new().await;
    let (_, id) = rig.ticket("Waves").await;
    rig.watch(&id).await.unwrap();
}

#[tokio::test]
async fn strange_names_are_asked_about_nowhere() {
    let rig = Rig::new().await;
    assert!(matches!(refused(rig.host.show(&stranger()).await), HostError::NotFound));
    assert!(matches!(refused(rig.watch(&stranger()).await), HostError::NotFound));
    let before = rig.ours().map(|fake| fake.requests().len());
    for name in ["", "..", "../videos", "a/b", "a?b", "a#b", "%2e%2e", "é"] {
        let id = VideoId(name.to_owned());
        assert!(matches!(refused(rig.host.show(&id).await), HostError::NotFound), "{name}");
        assert!(matches!(refused(rig.watch(&id).await), HostError::NotFound), "{name}");
    }
    assert_eq!(rig.ours().map(|fake| fake.requests().len()), before);
}

#[tokio::test]
async fn a_webhook_tells_of_a_video() {
    let rig = Rig::new().await;
    let Some(fake) = rig.ours() else { return };
    // Nothing listens there, and the other address is not on this machine.
    fake.add_hook("http://127.0.0.1:9/hooks?token=t");
    fake.add_hook("https://school.example/hooks?token=t");
    let id = rig.video("Waves").await;
    rig.host.show(&id).await.unwrap();
    while fake.deliveries().len() < 2 {
        tokio::task::yield_now().await;
    }
    let delivery = fake.deliveries().remove(0);
    assert_eq!(delivery.status, None);
    assert_eq!(delivery.event["event"], "video:ready");
    for event in [delivery.event, fake.event(&id.0)] {
        assert_eq!(event["payload"]["length"], 25);
        let query = [("token".to_owned(), TOKEN.to_owned())];
        let body = event.to_string();
        let request = WebhookRequest { headers: &[], query: &query, body: body.as_bytes() };
        let named = rig.host.webhook(&request, rig.clock.now()).await.unwrap();
        assert_eq!(named, std::slice::from_ref(&id));
    }
}
