//! No key, no ticket and no address in an error or in the log, whatever happened.

use std::{
    error::Error,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use edupro_core::video::{HostError, UploadHow, VideoProvider};
use edupro_http::testkit::{FakeVdoCipher, vdocipher::Failure};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Rig, TIMEOUT, TOKEN, fields, stranger};

/// An error as a log would show it, in every way it could.
fn shown(error: &HostError) -> String {
    let mut shown = vec![format!("{error:#?}")];
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        shown.push(format!("{error}\n{error:?}"));
        next = error.source();
    }
    shown.join("\n")
}

/// What nobody may read: the key, the token, who watches and with what, who may upload.
const SECRETS: [&str; 8] = [
    "Apisecret",
    FakeVdoCipher::API_SECRET,
    TOKEN,
    "student",
    "20160313vers",
    "AKIAFAKE",
    "x-amz-",
    "eyJ",
];

fn failures() -> Vec<Failure> {
    let echo = format!("Apisecret {} at http://127.0.0.1/otp", FakeVdoCipher::API_SECRET);
    let mut failures: Vec<_> = [400, 401, 402, 403, 404, 405, 408, 422, 429, 500, 503]
        .into_iter()
        .map(|status| Failure::status(status, &echo))
        .collect();
    failures.push(Failure::status(400, &format!("upgrade {TOKEN}")));
    failures.push(Failure::status(302, &echo).with_header("location", "http://127.0.0.1:9/otp"));
    // Almost a ticket: an error that quotes it would give it away.
    failures.push(Failure::Answer {
        status: 200,
        body: r#"{"otp":["student"],"status":["otp"],"videoId":["otp"],"rows":"otp"}"#.to_owned(),
        headers: Vec::new(),
    });
    let others = [Failure::Garbage, Failure::Drop, Failure::DropAfterWork, Failure::HalfABody];
    failures.extend(others);
    failures
}

#[tokio::test]
async fn no_error_tells_a_secret() {
    let rig = Rig::new().await;
    let Some(fake) = rig.ours() else { return };
    let id = rig.video("Waves").await;
    let mut errors = Vec::new();
    for failure in failures() {
        for _ in 0..10 {
            fake.fail_next(failure.clone());
        }
        errors.extend(rig.begin("Waves").await.err());
        errors.extend(rig.host.show(&id).await.err());
        errors.extend(rig.watch(&id).await.err());
        errors.extend(rig.host.search("Waves").await.err());
        errors.extend(rig.host.delete(&[stranger()]).await.err());
        while !fake.requests().is_empty() && rig.host.show(&id).await.is_err() {}
        let (ticket, _) = rig.ticket("Waves").await;
        fake.fail_next_upload(failure);
        errors.extend(rig.push(&ticket).await.err());
        let mut changed = ticket.clone();
        fields(&mut changed)[0].1.push_str("AKIA");
        errors.extend(rig.push(&changed).await.err());
        if let UploadHow::Form { url, .. } = &mut changed.how {
            "http://127.0.0.1:9/otp".clone_into(url);
        }
        errors.extend(rig.push(&changed).await.err());
    }
    let port = fake.base_url().rsplit_once(':').unwrap().1.replace("/api", "");
    let places = ["http:", "127.0.0.1", "/otp", port.as_str()];
    fake.fail_next(Failure::Delay(TIMEOUT * 2));
    errors.extend(rig.watch(&id).await.err());
    assert!(errors.len() > 100, "{}", errors.len());
    for error in &errors {
        let shown = shown(error);
        for word in SECRETS.into_iter().chain(places) {
            assert!(!shown.contains(word), "{word} in {shown}");
        }
    }
}

/// A log that is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_log_tells_a_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // Of all tests here: what one thread has found out about who listens holds for the others.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let rig = Rig::new().await;
    let Some(fake) = rig.ours() else { return };
    let id = rig.video("Waves").await;
    let playback = rig.watch(&id).await.unwrap();
    for failure in failures() {
        for _ in 0..4 {
            fake.fail_next(failure.clone());
        }
        let _ = rig.host.show(&id).await;
        let _ = rig.watch(&id).await;
        while rig.host.show(&id).await.is_err() {}
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("VdoCipher is asked once more"), "{log}");
    let tickets = playback.tickets.iter().map(|(_, value)| value.as_str());
    for word in SECRETS.into_iter().chain(tickets) {
        assert!(!log.contains(word), "{word} in {log}");
    }
}
