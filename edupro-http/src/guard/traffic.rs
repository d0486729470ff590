//! How many requests one visitor may make (security R7): 300 in ten seconds, then thirty a second.
//!
//! Counted in this process and in memory: it protects this process.

use std::{
    fmt,
    hash::Hash,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use edupro_core::{Clock, accounts::sessions, limits::Throttled};
use governor::{
    Quota, RateLimiter, clock::Clock as LimiterClock, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::DashMapStateStore,
};
use uuid::Uuid;

use super::App;
use crate::{error::ApiError, extract};

/// Requests that may come at once.
const BURST: u32 = 300;
/// Requests a second from then on.
const RATE: u32 = 30;
/// After so many requests, visitors who have been quiet are forgotten.
const FORGET_EVERY: usize = 10_000;

/// Who is counted: a session, or an address without one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Session(Uuid),
    Address(IpAddr),
}

type Limiter = RateLimiter<Key, DashMapStateStore<Key>, SchoolClock, NoOpMiddleware<Nanos>>;

/// Counts the requests of each visitor.
pub(crate) struct Traffic {
    limiter: Limiter,
    requests: AtomicUsize,
}

impl Traffic {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let quota = match (std::num::NonZeroU32::new(RATE), std::num::NonZeroU32::new(BURST)) {
            (Some(rate), Some(burst)) => Quota::per_second(rate).allow_burst(burst),
            _ => Quota::per_second(std::num::NonZeroU32::MIN),
        };
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), SchoolClock(clock));
        Self { limiter, requests: AtomicUsize::new(0) }
    }

    fn count(&self, key: &Key) -> Result<(), Throttled> {
        if self.requests.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(self.limiter.clock().now());
            Throttled { retry_after: TimeDelta::from_std(wait).unwrap_or(TimeDelta::seconds(1)) }
        })
    }
}

impl fmt::Debug for Traffic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Traffic")
            .field("visitors", &self.limiter.len())
            .finish_non_exhaustive()
    }
}

/// The school's clock, as the limiter wants it.
#[derive(Clone, Debug)]
struct SchoolClock(Arc<dyn Clock>);

impl LimiterClock for SchoolClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let nanoseconds = self.0.now().timestamp_nanos_opt().unwrap_or_default();
        Nanos::new(u64::try_from(nanoseconds).unwrap_or_default())
    }
}

pub(super) async fn limit(State(edupro): App, request: Request, next: Next) -> Response {
    let school = edupro.school();
    if !school.settings.throttle {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    // Only a token of ours makes a visitor of its own: whoever invents some gains nothing.
    let session =
        extract::access_token(&parts.headers).find_map(|token| sessions::named_by(school, &token));
    let key = session.map_or_else(|| Key::Address(extract::address(&edupro, &parts)), Key::Session);
    match edupro.traffic().count(&key) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(throttled) => ApiError::throttled(throttled).into_response(),
    }
}
