//! How often something may be tried (security R4–R7, behaviour G13).
//!
//! The counters stand in the database, so that two servers share them, and they are counted
//! **before** the thing is tried: forty guesses at once get as few answers as forty in a row.
//! `auth.throttle = false` switches all of them off.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{School, StoreError, StoreResult, Transaction};

/// So many in such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is counted; part of the counter's key.
    pub name: &'static str,
    /// How many are allowed.
    pub most: i64,
    /// The time in which they are counted. It starts with the first.
    pub window: TimeDelta,
}

impl Limit {
    const fn new(name: &'static str, most: i64, window: TimeDelta) -> Self {
        Self { name, most, window }
    }

    fn key(&self, subject: &str) -> String {
        format!("{} {subject}", self.name)
    }
}

/// Failed log-ins of one account from one address (R4).
pub const LOGIN: Limit = Limit::new("login", 5, TimeDelta::minutes(15));
/// Failed log-ins from one address (R4).
pub const LOGIN_ADDRESS: Limit = Limit::new("login-address", 100, TimeDelta::minutes(15));
/// Failed log-ins of one account from anywhere; beyond it each next guess waits longer (R4).
pub const LOGIN_ACCOUNT: Limit = Limit::new("login-account", 50, TimeDelta::hours(1));
/// Codes asked for by one account in an hour (R5).
pub const RESET: Limit = Limit::new("reset", 3, TimeDelta::hours(1));
/// Codes asked for by one account in a day (R6).
pub const RESET_DAY: Limit = Limit::new("reset-day", 10, TimeDelta::days(1));
/// Codes asked for from one address (R5).
pub const RESET_ADDRESS: Limit = Limit::new("reset-address", 20, TimeDelta::hours(1));
/// Mails of the whole school (R5).
pub const RESET_SCHOOL: Limit = Limit::new("reset-school", 100, TimeDelta::minutes(1));
/// Registrations from one address (R7).
pub const REGISTRATION: Limit = Limit::new("registration", 60, TimeDelta::hours(1));
/// Wrong coupon codes of one student (R7).
pub const COUPON: Limit = Limit::new("coupon", 10, TimeDelta::hours(1));
/// Wrong coupon codes from one address (R7).
pub const COUPON_ADDRESS: Limit = Limit::new("coupon-address", 50, TimeDelta::hours(1));
/// Requests with files by one user (R7).
pub const UPLOAD: Limit = Limit::new("upload", 60, TimeDelta::hours(1));
/// Leaves to upload a video that one teacher gets: each costs something at its host (R7).
pub const UPLOAD_LEAVE: Limit = Limit::new("upload-leave", 20, TimeDelta::hours(1));

/// Longest pause that [`LOGIN_ACCOUNT`] asks for: an account is never locked for good.
const PAUSE_MAX: TimeDelta = TimeDelta::seconds(60);

/// Too many. It may be tried again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Request was throttled. Expected available in {} seconds.", self.seconds())]
pub struct Throttled {
    /// How long to wait.
    pub retry_after: TimeDelta,
}

impl Throttled {
    /// How long to wait, in whole seconds, at least one.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        (self.retry_after + TimeDelta::milliseconds(999)).num_seconds().max(1)
    }
}

/// How a counter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// How many in the current window.
    pub count: i64,
    /// When the window ends.
    pub window_ends: DateTime<Utc>,
    /// The last one.
    pub last: DateTime<Utc>,
}

/// Where counters are kept.
#[async_trait]
pub trait LimitStore: Send {
    /// Counts one, in a new window ending at `window_ends` when the old one is over.
    async fn count(
        &mut self,
        key: &str,
        now: DateTime<Utc>,
        window_ends: DateTime<Utc>,
    ) -> StoreResult<Tally>;

    /// How a counter stands; `None` when its window is over or never began.
    async fn tally(&mut self, key: &str, now: DateTime<Utc>) -> StoreResult<Option<Tally>>;

    /// Takes one back: it was no failure after all.
    async fn give_back(&mut self, key: &str) -> StoreResult<()>;

    /// Forgets counters whose window is over.
    async fn purge(&mut self, now: DateTime<Utc>) -> StoreResult<u64>;
}

/// Why something may not be tried now.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// Too many.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The storage.
    #[error("a limit could not be checked")]
    Store(#[from] StoreError),
}

/// Counts one against each of these limits in turn, in a transaction of its own, and refuses at the
/// first that is passed. What is refused counts against that one too, but does not lengthen its
/// window, and uses up nothing of those behind it: what one visitor may not do is not taken from all.
pub async fn take(school: &School, limits: &[(Limit, &str)]) -> Result<(), LimitError> {
    if !school.settings.throttle {
        return Ok(());
    }
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let mut refused = None;
            for (limit, subject) in limits {
                let tally = count(&mut *tx, *limit, subject, now).await?;
                if tally.count > limit.most {
                    refused = Some(Throttled { retry_after: tally.window_ends - now });
                    break;
                }
            }
            tx.commit().await?;
            refused.map_or(Ok(()), |throttled| Err(throttled.into()))
        })
        .await
}

/// Refuses when one of these limits has been reached, and counts nothing: for what only failures
/// count against.
pub async fn look(school: &School, limits: &[(Limit, &str)]) -> Result<(), LimitError> {
    if !school.settings.throttle {
        return Ok(());
    }
    let now = school.clock.now();
    let mut tx = school.storage.read().await?;
    for (limit, subject) in limits {
        let tally = tx.limits().tally(&limit.key(subject), now).await?;
        if let Some(tally) = tally.filter(|tally| tally.count >= limit.most) {
            return Err(Throttled { retry_after: tally.window_ends - now }.into());
        }
    }
    Ok(())
}

async fn count(
    tx: &mut dyn Transaction,
    limit: Limit,
    subject: &str,
    now: DateTime<Utc>,
) -> StoreResult<Tally> {
    tx.limits().count(&limit.key(subject), now, now + limit.window).await
}

/// A guess at the password of `account` from `address`, counted before it is compared.
///
/// The pair is counted at once, so that parallel guesses cannot pass. Account and address are only
/// looked at here and counted when the guess was wrong: a classroom that logs in behind one
/// address at nine o'clock does not lock itself out.
#[derive(Debug)]
pub(crate) struct Guess {
    account: String,
    address: String,
    pair: String,
    /// How many guesses the pair has had, this one included.
    tries: i64,
}

impl Guess {
    pub(crate) async fn begin(
        school: &School,
        account: &str,
        address: &str,
    ) -> Result<Option<Self>, LimitError> {
        if !school.settings.throttle {
            return Ok(None);
        }
        let now = school.clock.now();
        let guess = Self {
            account: account.to_owned(),
            address: address.to_owned(),
            pair: format!("{account} {address}"),
            tries: 0,
        };
        let (tries, refusal) = school
            .atomically(|| async {
                let mut tx = school.storage.write().await?;
                let counted = guess.count(&mut *tx, now).await?;
                tx.commit().await?;
                Ok::<_, StoreError>(counted)
            })
            .await?;
        refusal.map_or(Ok(Some(Self { tries, ..guess })), |refused| Err(refused.into()))
    }

    /// Counts the guess: which of its pair's it is, and whether it may be made.
    async fn count(
        &self,
        tx: &mut dyn Transaction,
        now: DateTime<Utc>,
    ) -> StoreResult<(i64, Option<Throttled>)> {
        let pair = count(tx, LOGIN, &self.pair, now).await?;
        let address = tx.limits().tally(&LOGIN_ADDRESS.key(&self.address), now).await?;
        let account = tx.limits().tally(&LOGIN_ACCOUNT.key(&self.account), now).await?;
        let waits = [
            (pair.count > LOGIN.most).then(|| pair.window_ends - now),
            address
                .filter(|tally| tally.count >= LOGIN_ADDRESS.most)
                .map(|tally| tally.window_ends - now),
            account.and_then(|tally| pause(tally, now)),
        ];
        let longest = waits.into_iter().flatten().max();
        Ok((pair.count, longest.map(|retry_after| Throttled { retry_after })))
    }

    /// The password was right.
    pub(crate) async fn right(&self, tx: &mut dyn Transaction) -> StoreResult<()> {
        tx.limits().give_back(&LOGIN.key(&self.pair)).await
    }

    /// The password was wrong. Returns a limit that has been reached with this failure, so that the
    /// next guess is refused.
    pub(crate) async fn wrong(
        &self,
        tx: &mut dyn Transaction,
        school: &School,
    ) -> StoreResult<Option<Limit>> {
        let now = school.clock.now();
        let account = count(tx, LOGIN_ACCOUNT, &self.account, now).await?.count;
        let address = count(tx, LOGIN_ADDRESS, &self.address, now).await?.count;
        let counts = [(LOGIN, self.tries), (LOGIN_ACCOUNT, account), (LOGIN_ADDRESS, address)];
        let reached = counts.into_iter().find(|(limit, count)| *count == limit.most);
        Ok(reached.map(|(limit, _)| limit))
    }
}

/// What is left of the pause after the last failure: 1 s, 2 s, 4 s … [`PAUSE_MAX`].
fn pause(tally: Tally, now: DateTime<Utc>) -> Option<TimeDelta> {
    let beyond = u32::try_from(tally.count - LOGIN_ACCOUNT.most).ok()?;
    let pause = TimeDelta::seconds(1_i64 << beyond.min(6)).min(PAUSE_MAX);
    let left = tally.last + pause - now;
    (left > TimeDelta::zero()).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_of_an_account_grows_to_a_minute_and_no_further() {
        let last = DateTime::UNIX_EPOCH;
        let pause = |count| pause(Tally { count, window_ends: last, last }, last);
        let seconds = |count| pause(count).map(|pause| pause.num_seconds());
        assert_eq!(seconds(49), None);
        assert_eq!(seconds(50), Some(1));
        assert_eq!(seconds(53), Some(8));
        assert_eq!(seconds(56), Some(60));
        assert_eq!(seconds(1_000_000), Some(60));
    }

    #[test]
    fn seconds_are_rounded_up() {
        let seconds = |milliseconds| {
            Throttled { retry_after: TimeDelta::milliseconds(milliseconds) }.seconds()
        };
        assert_eq!(seconds(1), 1);
        assert_eq!(seconds(1_001), 2);
        assert_eq!(seconds(900_000), 900);
        assert_eq!(seconds(-5), 1);
    }
}
