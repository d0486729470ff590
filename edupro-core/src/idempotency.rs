//! Requests that may be repeated (security R35): whoever sends a key gets the first answer again.
//!
//! Enrolling, printing coupons and handing an exam in are safe without a key. With one, a client
//! that lost the answer learns it instead of "you have already …".

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{School, StoreError, StoreResult, accounts::UserId};

/// Longest key, in characters.
pub const KEY_LENGTH: usize = 255;
/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// After this a request that never answered is taken for lost, and its key may be used again.
const LOST: TimeDelta = TimeDelta::seconds(60);

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// What was asked with it.
    pub fingerprint: String,
    /// When.
    pub started_at: DateTime<Utc>,
    /// What was answered; `None` while the request is on its way.
    pub given: Option<Given>,
}

/// Where keys are kept.
#[async_trait]
pub trait IdempotencyStore: Send {
    /// Notes a key as in use; false when it is known already.
    async fn begin(
        &mut self,
        user: UserId,
        key: &str,
        fingerprint: &str,
        now: DateTime<Utc>,
    ) -> StoreResult<bool>;

    /// What is known of a key.
    async fn find(&mut self, user: UserId, key: &str) -> StoreResult<Option<KeyUse>>;

    /// Notes what was answered.
    async fn finish(&mut self, user: UserId, key: &str, given: &Given) -> StoreResult<()>;

    /// Forgets a key.
    async fn forget(&mut self, user: UserId, key: &str) -> StoreResult<()>;

    /// Forgets keys of before `then`.
    async fn purge(&mut self, then: DateTime<Utc>) -> StoreResult<u64>;
}

/// What to do with a request that carries a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    /// Answer it, and say what was answered.
    First,
    /// This was the answer.
    Again(Given),
    /// The first is still on its way.
    InFlight,
    /// The key was used for something else.
    Other,
}

/// Begins a request that carries a key.
pub async fn begin(
    school: &School,
    user: UserId,
    key: &str,
    fingerprint: &str,
) -> StoreResult<Begun> {
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let known = tx.idempotency().find(user, key).await?;
            let is_over = known.as_ref().is_some_and(|known| {
                let age = now - known.started_at;
                age > KEPT || (known.given.is_none() && age > LOST)
            });
            if is_over {
                tx.idempotency().forget(user, key).await?;
            }
            if tx.idempotency().begin(user, key, fingerprint, now).await? {
                tx.commit().await?;
                return Ok(Begun::First);
            }
            // Either it was known, or somebody else has just begun.
            let known = match known {
                Some(known) => Some(known),
                None => tx.idempotency().find(user, key).await?,
            };
            Ok::<_, StoreError>(match known {
                Some(known) if known.fingerprint != fingerprint => Begun::Other,
                Some(KeyUse { given: Some(given), .. }) => Begun::Again(given),
                _ => Begun::InFlight,
            })
        })
        .await
}

/// Ends it: keeps the answer, or forgets the key when there is nothing worth repeating.
pub async fn end(
    school: &School,
    user: UserId,
    key: &str,
    given: Option<&Given>,
) -> StoreResult<()> {
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            match given {
                Some(given) => tx.idempotency().finish(user, key, given).await?,
                None => tx.idempotency().forget(user, key).await?,
            }
            tx.commit().await
        })
        .await
}
