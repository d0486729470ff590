//! Events on their way to the school.

use std::sync::Arc;

use axum::http::Uri;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Video, state::Shared};

/// Who wants to hear of what.
#[derive(Clone, Debug)]
pub(super) struct Hook {
    pub(super) url: String,
    pub(super) event: String,
}

/// An event that went out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// To where.
    pub url: String,
    /// What it says.
    pub event: Value,
    /// What was answered; `None` where nobody was asked, or nobody answered.
    pub status: Option<u16>,
}

/// What a webhook says of a video. Its own time is in milliseconds, the video's in seconds.
pub(super) fn event(hook: &str, event: &str, video: &Video, now: DateTime<Utc>) -> Value {
    json!({
        "hookId": hook, "event": event, "time": now.timestamp_millis(),
        "payload": {
            "id": video.id, "title": video.title, "upload_time": video.begun_at.timestamp(),
            "tags": null, "length": video.length, "status": video.status,
        },
    })
}

pub(super) fn send(shared: &Arc<Shared>, url: String, event: Value) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let status = post(&url, &event).await;
        shared.books().deliveries.push(Delivery { url, event, status });
    });
}

/// Posts an event to an address of the loopback; nothing leaves this machine.
async fn post(url: &str, event: &Value) -> Option<u16> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host().filter(|host| matches!(*host, "127.0.0.1" | "localhost"))?;
    let mut stream = TcpStream::connect((host, uri.port_u16()?)).await.ok()?;
    let (path, body) = (uri.path_and_query()?, event.to_string());
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer).await.ok()?;
    let line = String::from_utf8_lossy(&answer);
    line.split(' ').nth(1)?.parse().ok()
}
