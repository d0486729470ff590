//! A VdoCipher of a test's own, on the loopback: its API, the bucket that takes the films, and
//! whatever can go wrong on the way.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use std::sync::Arc;
//!
//! use edupro_core::SystemClock;
//! use edupro_http::testkit::{FakeVdoCipher, vdocipher::Failure};
//!
//! let fake = FakeVdoCipher::start(Arc::new(SystemClock)).await;
//! fake.fail_next(Failure::status(503, "Come back later."));
//! assert!(fake.base_url().ends_with("/api"));
//! assert!(fake.videos().is_empty());
//! # }
//! ```
//!
//! | file | what |
//! | --- | --- |
//! | `api.rs` | videos, tickets to watch, webhooks: VdoCipher itself |
//! | `bucket.rs`, `policy.rs` | the form that a film comes in, and whether its policy allows it |
//! | `state.rs` | what is kept, and what happens to a video |
//! | `failures.rs` | what goes wrong when a test wants it to |
//! | `hooks.rs` | events on their way to the school |
//!
//! A video goes from `PRE-Upload` to `Queued` when its film arrives, and to `ready` when it was
//! asked for often enough ([`FakeVdoCipher::ready_after_polls`]). Names are counted and the time
//! comes from a [`Clock`], so with a clock that stands still two runs answer the same.
//!
//! What is documented is refused as it is documented. The words of its refusals are not, and
//! neither is what it says to a name it does not know: these are guesses, and nothing may depend
//! on them but their status.

mod api;
mod bucket;
mod failures;
mod hooks;
mod policy;
mod state;

use std::sync::{Arc, Mutex};

use axum::{Router, middleware};
use chrono::TimeDelta;
use edupro_core::Clock;
use serde_json::Value;
use tokio::{net::TcpListener, task::AbortHandle};

pub use self::{
    failures::Failure,
    hooks::Delivery,
    state::{Seen, Video},
};
use self::{hooks::Hook, state::Shared};

/// A VdoCipher of a test's own. Clones are the same one; it ends with the runtime of its test.
#[derive(Clone, Debug)]
pub struct FakeVdoCipher {
    shared: Arc<Shared>,
    server: AbortHandle,
}

impl FakeVdoCipher {
    /// The key that it takes.
    pub const API_SECRET: &'static str = "fake-apisecret-0001";

    /// A VdoCipher without videos, on a port of its own.
    pub async fn start(clock: Arc<dyn Clock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback has a port");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            origin: format!("http://{address}"),
            clock,
            books: Mutex::default(),
        });
        let router = Router::new()
            .nest("/api", api::router(&shared))
            .nest("/s3", bucket::router(&shared))
            .layer(middleware::from_fn_with_state(Arc::clone(&shared), failures::misbehave));
        let server = tokio::spawn(failures::serve(listener, router)).abort_handle();
        Self { shared, server }
    }

    /// Where its API is.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("{}/api", self.shared.origin)
    }

    /// Where its bucket is.
    #[must_use]
    pub fn bucket_url(&self) -> String {
        self.shared.bucket_url()
    }

    /// Has tickets to upload name another bucket, so that an answer with such a ticket has no port
    /// in it, which is another one each time. `None` names its own again.
    pub fn name_bucket(&self, url: Option<&str>) {
        self.shared.books().link = url.map(str::to_owned);
    }

    /// Ends it: from now on connections are refused, and open ones are closed.
    pub fn stop(&self) {
        self.server.abort();
    }

    /// Moves its clock away from the test's.
    pub fn advance(&self, by: TimeDelta) {
        self.shared.books().offset += by;
    }

    /// Has the next request to the API go wrong. Called twice, the next two.
    pub fn fail_next(&self, failure: Failure) {
        self.shared.books().failures.push_back(failure);
    }

    /// The same for the bucket.
    pub fn fail_next_upload(&self, failure: Failure) {
        self.shared.books().upload_failures.push_back(failure);
    }

    /// How often a video that is `Queued` is shown so before it is ready. `None`: until
    /// [`set_status`](Self::set_status) says otherwise. Default: not once.
    pub fn ready_after_polls(&self, polls: Option<u32>) {
        self.shared.books().polls = polls;
    }

    /// Gives a video this status, which may be any word, and a length in seconds. Who becomes
    /// `ready` without one lasts 25. Whoever registered a webhook hears of it.
    pub fn set_status(&self, id: &str, status: &str, length: Option<u64>) {
        self.shared.set_status(id, status, length);
    }

    /// The largest film that policies allow from now on, in bytes.
    pub fn limit_uploads(&self, bytes: u64) {
        self.shared.books().limit = bytes;
    }

    /// Registers a webhook, as `POST /hooks/` does. Events go to addresses of the loopback; for
    /// others they are only kept in [`deliveries`](Self::deliveries).
    pub fn add_hook(&self, url: &str) {
        self.shared.add_hook(Hook { url: url.to_owned(), event: "video:ready".to_owned() });
    }

    /// What a webhook says of a video, to be sent by the test itself.
    #[must_use]
    pub fn event(&self, id: &str) -> Value {
        let video = self.video(id).expect("the event is about a video");
        hooks::event("0123456789abcdef0123456789abcdef", "video:ready", &video, self.shared.now())
    }

    /// The events that went out, in the order in which they arrived.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.books().deliveries.clone()
    }

    /// All requests so far, also those that went wrong.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.books().requests.clone()
    }

    /// The videos that there are, in the order in which they were made.
    #[must_use]
    pub fn videos(&self) -> Vec<Video> {
        self.shared.books().videos.clone()
    }

    /// A video, as it is now.
    #[must_use]
    pub fn video(&self, id: &str) -> Option<Video> {
        self.shared.books().videos.iter().find(|video| video.id == id).cloned()
    }
}
