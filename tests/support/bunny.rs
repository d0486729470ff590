//! Bunny Stream's HTTP API as far as EduPro uses it, on the loopback, with whatever can go wrong on
//! the way.

// Clippy then knows that the helpers here are tests too.
#![cfg(test)]

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream;
use serde_json::{Value, json};

/// The library that there is.
pub(crate) const LIBRARY: u64 = 759;
/// The key that the fake takes.
pub(crate) const KEY: &str = "stream-key";
/// The name of the first video; others end in their number.
pub(crate) const FIRST: &str = "eb1c4f77-0cda-46be-b47d-1118ad7c2ffe";

/// What happens to the next request instead of what should.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is not done, and this is the answer, with these headers.
    Answer(u16, &'static [(&'static str, &'static str)], String),
    /// It is done, and the answer does not arrive in time.
    Silent,
    /// It is done, and the connection breaks within the answer.
    Broken,
    /// It is done, and the answer never ends.
    Endless,
}

/// What is known of a video.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) title: String,
    pub(crate) status: i64,
    pub(crate) made_at: DateTime<Utc>,
    pub(crate) film: Bytes,
}

#[derive(Default)]
struct Library {
    now: DateTime<Utc>,
    faults: VecDeque<Fault>,
    videos: BTreeMap<String, Kept>,
    requests: Vec<String>,
    made: u64,
    /// How long a film takes to be read.
    reading: Duration,
    /// A film can be played as soon as it has come.
    is_quick: bool,
}

/// A Bunny of a test's own.
#[derive(Clone)]
pub(crate) struct FakeBunny {
    url: String,
    library: Arc<Mutex<Library>>,
}

type Shared = State<Arc<Mutex<Library>>>;

impl FakeBunny {
    /// A Bunny whose clock shows `now`.
    pub(crate) async fn start(now: DateTime<Utc>) -> Self {
        let library = Arc::new(Mutex::new(Library { now, ..Library::default() }));
        let router = Router::new()
            .route("/library/759/videos", post(create).get(list))
            .route("/library/759/videos/{id}", get(show).put(upload).delete(delete))
            .layer(middleware::from_fn_with_state(Arc::clone(&library), misbehave))
            .layer(middleware::from_fn(authenticate))
            .with_state(Arc::clone(&library));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // It ends with the runtime of its test.
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, library }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn library(&self) -> MutexGuard<'_, Library> {
        self.library.lock().unwrap()
    }

    /// Has the next request go wrong.
    pub(crate) fn fail(&self, fault: Fault) {
        self.library().faults.push_back(fault);
    }

    /// Moves the clock.
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.library().now += by;
    }

    /// Has films arrive slowly.
    pub(crate) fn read_slowly(&self, reading: Duration) {
        self.library().reading = reading;
    }

    /// Has films encoded at once.
    pub(crate) fn encode_quickly(&self) {
        self.library().is_quick = true;
    }

    /// A video, as it is now.
    pub(crate) fn video(&self, id: &str) -> Option<Kept> {
        self.library().videos.get(id).cloned()
    }

    /// Lets a video come so far.
    pub(crate) fn set_status(&self, id: &str, status: i64) {
        self.library().videos.get_mut(id).unwrap().status = status;
    }

    /// The method and the target of each request that had the key.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.library().requests.clone()
    }
}

fn said(status: StatusCode, message: &str) -> Response {
    let body = json!({
        "success": status.is_success(), "message": message, "statusCode": status.as_u16(),
    });
    (status, Json(body)).into_response()
}

async fn authenticate(request: Request, next: Next) -> Response {
    let headers = request.headers();
    assert!(headers["user-agent"].to_str().unwrap().starts_with("edupro/"));
    assert_eq!(headers["accept"], "application/json");
    match headers.get("accesskey").is_some_and(|key| key == KEY) {
        true => next.run(request).await,
        false => said(StatusCode::UNAUTHORIZED, "Authentication has been denied."),
    }
}

async fn misbehave(State(library): Shared, request: Request, next: Next) -> Response {
    let fault = {
        let mut library = library.lock().unwrap();
        library.requests.push(format!("{} {}", request.method(), request.uri()));
        library.faults.pop_front()
    };
    match fault {
        None => next.run(request).await,
        Some(Fault::Answer(status, headers, body)) => {
            let mut answer = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                answer.headers_mut().insert(*name, value.parse().unwrap());
            }
            answer
        }
        Some(Fault::Silent) => {
            let answer = next.run(request).await;
            tokio::time::sleep(Duration::from_mins(1)).await;
            answer
        }
        Some(Fault::Broken) => {
            next.run(request).await;
            let pieces = [Ok(Bytes::from_static(b"{\"guid\":")), Err("the line is cut")];
            Body::from_stream(stream::iter(pieces)).into_response()
        }
        Some(Fault::Endless) => {
            next.run(request).await;
            let piece = Ok::<_, &str>(Bytes::from_static(&[b' '; 1 << 12]));
            Body::from_stream(stream::repeat(piece)).into_response()
        }
    }
}

async fn create(State(library): Shared, Json(body): Json<Value>) -> Response {
    let mut library = library.lock().unwrap();
    let id = match library.made {
        0 => FIRST.to_owned(),
        number => format!("{}{number:012x}", &FIRST[..24]),
    };
    library.made += 1;
    let title = body["title"].as_str().unwrap().to_owned();
    let kept = Kept { title, status: 0, made_at: library.now, film: Bytes::new() };
    let answer = shown(&id, &kept);
    library.videos.insert(id, kept);
    Json(answer).into_response()
}

/// A video as the API writes it.
fn shown(id: &str, kept: &Kept) -> Value {
    json!({
        "videoLibraryId": LIBRARY, "guid": id, "title": kept.title, "status": kept.status,
        "dateUploaded": kept.made_at.format("%Y-%m-%dT%H:%M:%S%.3f").to_string(),
        "length": if kept.status > 2 { 1503 } else { 0 }, "encodeProgress": 0,
    })
}

async fn show(State(library): Shared, Path(id): Path<String>) -> Response {
    match library.lock().unwrap().videos.get(&id) {
        Some(kept) => Json(shown(&id, kept)).into_response(),
        None => said(StatusCode::NOT_FOUND, "The requested video was not found."),
    }
}

async fn list(State(library): Shared, Query(query): Query<BTreeMap<String, String>>) -> Response {
    assert_eq!((query["page"].as_str(), query["orderBy"].as_str()), ("1", "date"));
    let library = library.lock().unwrap();
    let wanted = query["search"].to_lowercase();
    let found =
        library.videos.iter().filter(|(_, kept)| kept.title.to_lowercase().contains(&wanted));
    let items: Vec<Value> = found.map(|(id, kept)| shown(id, kept)).collect();
    let limit: usize = query["itemsPerPage"].parse().unwrap();
    assert!((1..=100).contains(&limit));
    Json(
        json!({"totalItems": items.len(), "currentPage": 1, "itemsPerPage": limit, "items": items}),
    )
    .into_response()
}

async fn upload(
    State(library): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    film: Bytes,
) -> Response {
    assert_eq!(headers["content-length"], film.len().to_string().as_str());
    let reading = library.lock().unwrap().reading;
    tokio::time::sleep(reading).await;
    let mut library = library.lock().unwrap();
    let status = if library.is_quick { 4 } else { 1 };
    match library.videos.get_mut(&id) {
        None => said(StatusCode::NOT_FOUND, "The requested video was not found."),
        Some(kept) if kept.status != 0 => {
            said(StatusCode::BAD_REQUEST, "The requested video was already uploaded.")
        }
        Some(kept) => {
            (kept.status, kept.film) = (status, film);
            said(StatusCode::OK, "OK")
        }
    }
}

async fn delete(State(library): Shared, Path(id): Path<String>) -> Response {
    match library.lock().unwrap().videos.remove(&id) {
        Some(_) => said(StatusCode::OK, "OK"),
        None => said(StatusCode::NOT_FOUND, "The requested video was not found."),
    }
}
