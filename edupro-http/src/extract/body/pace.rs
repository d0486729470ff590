//! How slowly a body may arrive (security R18).

use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::{Instant, timeout};

use crate::error::ApiError;

/// A small body arrives within this time.
const SMALL: Duration = Duration::from_secs(15);
/// A large one may pause for this long.
const IDLE: Duration = Duration::from_secs(15);
/// How long a large one has before its speed is looked at.
const WARM_UP: Duration = Duration::from_secs(10);
/// Its average speed from then on, in bytes a second.
const SPEED: u64 = 64 * 1024;

/// Watches a large body.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    bytes: u64,
}

fn too_slow() -> ApiError {
    ApiError::detail(StatusCode::REQUEST_TIMEOUT, "The request body arrived too slowly.")
}

impl Pace {
    /// Bounds the reading of a small body.
    pub(super) async fn small<T>(read: impl Future<Output = T>) -> Result<T, ApiError> {
        timeout(SMALL, read).await.map_err(|_| too_slow())
    }

    pub(super) fn begin() -> Self {
        Self { began: Instant::now(), bytes: 0 }
    }

    /// Bounds the wait for the next piece.
    pub(super) async fn wait<T>(&self, next: impl Future<Output = T>) -> Result<T, ApiError> {
        timeout(IDLE, next).await.map_err(|_| too_slow())
    }

    /// Counts a piece; refuses when the body is too slow on average.
    pub(super) fn count(&mut self, bytes: usize) -> Result<(), ApiError> {
        self.bytes += bytes as u64;
        let seconds = self.began.elapsed().as_secs();
        match seconds > WARM_UP.as_secs() && self.bytes / seconds < SPEED {
            true => Err(too_slow()),
            false => Ok(()),
        }
    }
}
