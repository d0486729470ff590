//! VdoCipher itself: videos, tickets to watch, and who is told of what.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{FakeVdoCipher, Video, hooks::Hook, policy, state::Shared};

type Fake = State<Arc<Shared>>;

/// The routes below `/api`.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    let hooks = get(hooks).post(add_hook).delete(remove_hook);
    Router::new()
        .route("/videos", put(create).get(list).delete(remove))
        .route("/videos/{id}", get(show))
        .route("/videos/{id}/otp", post(ticket))
        .route("/hooks", hooks.clone())
        .route("/hooks/", hooks)
        .fallback(async || refused(StatusCode::NOT_FOUND, "Not found"))
        .method_not_allowed_fallback(async || {
            refused(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
        })
        .layer(middleware::from_fn(authenticate))
        // Everybody who knows a name may ask for this.
        .route("/meta/{id}", get(meta))
        .with_state(Arc::clone(shared))
}

fn refused(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"message": message}))).into_response()
}

fn unknown() -> Response {
    refused(StatusCode::NOT_FOUND, "Video not found")
}

fn wrong(message: &str) -> Response {
    refused(StatusCode::BAD_REQUEST, message)
}

async fn authenticate(headers: HeaderMap, request: Request, next: Next) -> Response {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret = sent.and_then(|value| value.strip_prefix("Apisecret "));
    match secret {
        Some(FakeVdoCipher::API_SECRET) => next.run(request).await,
        Some(secret) if !secret.is_empty() && !secret.contains(' ') => {
            refused(StatusCode::UNAUTHORIZED, "Invalid API Secret")
        }
        _ => refused(StatusCode::UNAUTHORIZED, "Authorization header missing or malformed"),
    }
}

/// A video as it is shown.
fn shown(video: &Video) -> Value {
    let picture = |(width, height): (u32, u32)| {
        let url = format!("https://d0fake.cloudfront.net/poster/{}.{height}.jpeg", video.id);
        json!({"width": width, "height": height, "posterUrl": url})
    };
    let posters = match video.status.as_str() {
        "ready" => [(854, 480), (427, 240)].map(picture).to_vec(),
        _ => Vec::new(),
    };
    json!({
        "id": video.id, "title": video.title, "description": "",
        "upload_time": video.begun_at.timestamp(), "length": video.length,
        "status": video.status, "posters": posters, "tags": [], "public": 0,
        "whitelisthref": null, "ipGeoRules": null, "folderId": video.folder,
        "totalSizeBytes": video.size,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    #[serde(default)]
    title: String,
    #[serde(default = "root")]
    folder_id: String,
}

fn root() -> String {
    "root".to_owned()
}

async fn create(State(shared): Fake, Query(wish): Query<Create>) -> Response {
    let title = wish.title.trim();
    if title.is_empty() {
        return wrong("title is required");
    }
    let video = shared.add_video(title, &wish.folder_id);
    let (limit, link) = {
        let books = shared.books();
        (books.limit, books.link.clone())
    };
    let link = link.unwrap_or_else(|| shared.bucket_url());
    let mut payload = policy::issue(&video.key, limit, shared.now());
    payload["uploadLink"] = link.into();
    Json(json!({"clientPayload": payload, "videoId": video.id})).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Find {
    #[serde(default = "first")]
    page: usize,
    #[serde(default = "twenty")]
    limit: usize,
    q: Option<String>,
    folder_id: Option<String>,
}

fn first() -> usize {
    1
}

fn twenty() -> usize {
    20
}

async fn list(State(shared): Fake, Query(wish): Query<Find>) -> Response {
    let videos = shared.books().videos.clone();
    let asked_for = wish.q.unwrap_or_default().to_lowercase();
    let mut found: Vec<_> = videos
        .iter()
        .filter(|video| format!("{}{}", video.id, video.title).to_lowercase().contains(&asked_for))
        .filter(|video| wish.folder_id.as_ref().is_none_or(|folder| *folder == video.folder))
        .map(shown)
        .collect();
    found.reverse();
    let limit = wish.limit.min(40);
    let rows: Vec<_> = found.iter().skip(wish.page.saturating_sub(1) * limit).take(limit).collect();
    Json(json!({"count": found.len(), "rows": rows})).into_response()
}

#[derive(Deserialize)]
struct Remove {
    #[serde(default)]
    videos: String,
}

async fn remove(State(shared): Fake, Query(wish): Query<Remove>) -> Response {
    let mut books = shared.books();
    let before = books.videos.len();
    books.videos.retain(|video| !wish.videos.split(',').any(|id| id == video.id));
    let message = format!("Successfully deleted {} videos", before - books.videos.len());
    Json(json!({"code": 200, "message": message})).into_response()
}

async fn show(State(shared): Fake, Path(id): Path<String>) -> Response {
    match shared.poll(&id) {
        Some(video) => Json(shown(&video)).into_response(),
        None => unknown(),
    }
}

async fn meta(State(shared): Fake, Path(id): Path<String>) -> Response {
    match shared.books().video(&id) {
        Some(video) => Json(json!({"title": video.title, "duration": video.length, "posters": []}))
            .into_response(),
        None => unknown(),
    }
}

/// What is wrong with a wish for a ticket. All of it is optional.
fn wrong_wish(wish: &Value) -> Option<&'static str> {
    let given = |name: &str| wish.get(name).filter(|value| !value.is_null());
    let as_text = |name: &str| given(name).map(|value| value.as_str().unwrap_or_default());
    if !wish.is_object() {
        return Some("Invalid JSON");
    }
    if given("ttl").is_some_and(|ttl| ttl.as_u64().is_none_or(|ttl| ttl == 0)) {
        return Some("ttl must be a positive integer");
    }
    let is_list = |text: &str| serde_json::from_str::<Vec<Value>>(text).is_ok();
    if as_text("annotate").is_some_and(|text| !is_list(text)) {
        return Some("annotate must be a string that holds a list");
    }
    if as_text("licenseRules").is_some_and(str::is_empty) {
        return Some("licenseRules must be a string");
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_user = |text: &str| (1..=36).contains(&text.len()) && text.bytes().all(is_plain);
    if as_text("userId").is_some_and(|text| !is_user(text)) {
        return Some("userId is not valid");
    }
    None
}

async fn ticket(State(shared): Fake, Path(id): Path<String>, body: Bytes) -> Response {
    let mut books = shared.books();
    // One that is not ready gets tickets too.
    if books.video(&id).is_none() {
        return unknown();
    }
    let wish = match body.is_empty() {
        true => Ok(json!({})),
        false => serde_json::from_slice(&body),
    };
    let wish: Value = wish.unwrap_or_default();
    if let Some(message) = wrong_wish(&wish) {
        return wrong(message);
    }
    let otp = format!("20160313versASE323{}", &books.name()[..46]);
    let info = BASE64_STANDARD.encode(json!({"videoId": id}).to_string());
    Json(json!({"otp": otp, "playbackInfo": info})).into_response()
}

fn as_hook(uuid: &str, hook: &Hook) -> Value {
    json!({"uuid": uuid, "type": "http", "value": hook.url, "event": hook.event, "status": 1})
}

async fn hooks(State(shared): Fake) -> Response {
    let books = shared.books();
    let hooks: Vec<_> = books.hooks.iter().map(|(uuid, hook)| as_hook(uuid, hook)).collect();
    Json(hooks).into_response()
}

async fn add_hook(State(shared): Fake, body: Bytes) -> Response {
    let wish: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (url, event) = (wish["value"].as_str(), wish["event"].as_str());
    match (wish["type"].as_str(), url, event) {
        (Some("http"), Some(url), Some(event @ ("video:ready" | "video:readyall"))) => {
            let hook = Hook { url: url.to_owned(), event: event.to_owned() };
            let uuid = shared.add_hook(hook.clone());
            Json(as_hook(&uuid, &hook)).into_response()
        }
        _ => wrong("Invalid event"),
    }
}

async fn remove_hook(State(shared): Fake, body: Bytes) -> Response {
    let wish: Value = serde_json::from_slice(&body).unwrap_or_default();
    shared.books().hooks.retain(|(uuid, _)| wish["uuid"] != uuid.as_str());
    Json(json!({"message": "Deleted"})).into_response()
}
