//! A composed school, ready to be served.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use axum::{Router, http::HeaderValue};
use edupro_core::School;
use ipnet::IpNet;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::{
    builder::Builder,
    guard::{self, Traffic},
    openapi, routes,
};

/// A school with everything the outside of it needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EduPro(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) school: Arc<School>,
    pub(crate) public_url: Option<String>,
    pub(crate) cors_origins: Vec<HeaderValue>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) cookie_secure: bool,
    pub(crate) cookie_path: Option<String>,
    pub(crate) traffic: Traffic,
    pub(crate) decoders: Arc<Semaphore>,
    pub(crate) stopping: AtomicBool,
    pub(crate) described: Described,
}

/// What is said of the routes. It is the same for every visitor, so the first who asks has it made.
#[derive(Debug, Default)]
pub(crate) struct Described {
    index: OnceLock<Vec<String>>,
    document: OnceLock<Value>,
}

impl EduPro {
    /// Begins to compose a school that keeps everything in `storage`.
    pub fn builder(storage: Arc<dyn edupro_core::Storage>) -> Builder {
        Builder::new(storage)
    }

    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The routes of the contract, `/api/v1…`, and of files, `/media/…`, with what guards them. They
    /// fit under any state, beside any other routes and fallback, and below any path:
    ///
    /// ```
    /// # use axum::{Router, routing::get};
    /// # fn app(north: &edupro_http::EduPro, south: &edupro_http::EduPro) -> Router {
    /// Router::new()
    ///     .route("/", get(async || "my own page"))
    ///     .nest("/north", north.router())
    ///     .nest("/south", south.router())
    ///     .fallback(async || "my own 404")
    /// # }
    /// ```
    ///
    /// Links and cookies follow the path: see [`Builder::public_url`] and [`Builder::cookie_path`].
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        routes::router(self)
    }

    /// `/healthz`, whether the process answers, and `/readyz`, whether the school could: for a
    /// service that has no such paths of its own.
    pub fn health<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        routes::health(self)
    }

    /// `/docs`: the API in a browser, to read and to try. It needs no other host, and expects what
    /// [`router`](Self::router) has below the same path as itself.
    pub fn docs<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        routes::docs(self)
    }

    /// [`router`](Self::router), [`health`](Self::health) and [`docs`](Self::docs), with an answer
    /// of the contract's to every other path: for a process that serves nothing but the school.
    pub fn site<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        routes::site(self)
    }

    /// The same guards around routes of one's own: a request id and a line in the log, headers,
    /// panics, CORS, the origin of what changes something, the traffic, the time. For handlers
    /// that ask the [extractors](crate::extract) who is there.
    pub fn guard<S>(&self, router: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        guard::around(router, self)
    }

    /// The school itself: its rules can be asked without HTTP.
    #[must_use]
    pub fn school(&self) -> &Arc<School> {
        &self.0.school
    }

    /// From now on `/readyz` says no, so that nobody sends new visitors.
    pub fn stop_accepting(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    /// The paths of the contract, as the index has them.
    pub(crate) fn index(&self) -> &[String] {
        self.0.described.index.get_or_init(routes::index)
    }

    /// The document of the API, which does not say yet where it is reached.
    pub(crate) fn document(&self) -> &Value {
        self.0.described.document.get_or_init(openapi::describe)
    }

    pub(crate) fn public_url(&self) -> Option<&str> {
        self.0.public_url.as_deref()
    }

    pub(crate) fn cors_origins(&self) -> &[HeaderValue] {
        &self.0.cors_origins
    }

    pub(crate) fn trusted_proxies(&self) -> &[IpNet] {
        &self.0.trusted_proxies
    }

    pub(crate) fn cookie_secure(&self) -> bool {
        self.0.cookie_secure
    }

    pub(crate) fn cookie_path(&self) -> Option<&str> {
        self.0.cookie_path.as_deref()
    }

    pub(crate) fn traffic(&self) -> &Traffic {
        &self.0.traffic
    }

    pub(crate) fn decoders(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.decoders)
    }
}
