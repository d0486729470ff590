//! Whatever the rules ask of a storage beneath any noun: units of work that are kept whole or not
//! at all, readers who see only what was kept, many who write at the same moment, transactions that
//! nobody waits for any more, and the counters, jobs and keys on which the rest stands.
//!
//! What a store answers to each question of a noun is told by the stories of the API.
//! [`redemption`](super::redemption) asks the dearest of them of a crowd.

mod accounts;
mod audit;
mod jobs;
mod keys;
mod units;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{word, working};
use crate::{
    Clock, Storage, StoreResult, SystemClock, Transaction,
    accounts::{NewUser, User, UserType},
};

/// How long a statement may take: the requests behind it wait.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many do something at the same moment.
const CROWD: usize = 16;

/// Everything that can be asked of a storage, once. Its schema has to be there. It may be in use
/// already, but nothing else may work in it meanwhile: the jobs of others would be done.
///
/// # Panics
///
/// When a promise is not kept, or the storage does not work at all.
pub async fn all(storage: &Arc<dyn Storage>) {
    working("the storage is not ready", storage.check().await);
    units(storage).await;
    users(storage).await;
    accounts::sessions(storage).await;
    accounts::resets(storage).await;
    jobs::are_done_once(storage).await;
    keys::counters(storage).await;
    keys::idempotency(storage).await;
    audit::log(storage).await;
    working("the storage is not ready any more", storage.check().await);
}

/// What is done in one transaction is kept whole or not at all, whoever comes in between.
///
/// # Panics
///
/// When a promise is not kept, or the storage does not work at all.
pub async fn units(storage: &Arc<dyn Storage>) {
    units::dropping_undoes(storage).await;
    units::readers_see_what_was_kept(storage).await;
    units::conflicts_are_told(storage).await;
    units::a_crowd_writes(storage).await;
    units::crossing_writers_are_both_done(storage).await;
    units::transactions_bear_to_be_given_up(storage).await;
}

/// People who can log in: what a [`UserStore`](crate::accounts::UserStore) has to promise, wherever
/// it keeps them.
///
/// # Panics
///
/// When a promise is not kept, or the storage does not work at all.
pub async fn users(storage: &Arc<dyn Storage>) {
    accounts::users(storage).await;
    accounts::names_are_taken_once(storage).await;
}

type Opened = Box<dyn Transaction>;

async fn write(storage: &Arc<dyn Storage>) -> Opened {
    in_time("no transaction can be opened", storage.write()).await
}

async fn read(storage: &Arc<dyn Storage>) -> Opened {
    in_time("nothing can be read", storage.read()).await
}

async fn commit(tx: Opened) {
    in_time("nothing can be kept", tx.commit()).await;
}

async fn in_time<T>(otherwise: &str, asked: impl Future<Output = StoreResult<T>>) -> T {
    let late = format!("{otherwise} within {PATIENCE:?}");
    working(otherwise, working(&late, tokio::time::timeout(PATIENCE, asked).await))
}

fn now() -> DateTime<Utc> {
    SystemClock.now()
}

fn an_hour() -> TimeDelta {
    TimeDelta::hours(1)
}

/// How a counter stands for a reader.
async fn count(storage: &Arc<dyn Storage>, key: &str) -> i64 {
    let tally = read(storage).await.limits().tally(key, now()).await;
    working("a counter cannot be read", tally).map_or(0, |tally| tally.count)
}

/// Waits until a counter stands so for readers. What was kept may reach a replica a little later.
async fn becomes(storage: &Arc<dyn Storage>, key: &str, expected: i64, what: &str) {
    for _ in 0..500 {
        if count(storage, key).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(count(storage, key).await, expected, "{what}");
}

/// Somebody with names that nobody has.
fn person() -> NewUser {
    let name = word();
    NewUser {
        email: working("an address", format!("{name}@pupils.example").parse()),
        username: working("a name", format!("Mona-{name}").parse()),
        slug: Some(format!("mona-{}", name.to_lowercase())),
        first_name: "منى O'Neil 100%_\\".to_owned(),
        last_name: "🎓 \"Adel\"; --".to_owned(),
        phone: Some(working("a telephone", number(&name).parse())),
        parent_phone: Some(working("a telephone", "+201000000000".parse())),
        password_hash: format!("$argon2id$v=19$m=8,t=1,p=1${name}"),
        user_type: UserType::Student,
        is_staff: false,
        avatar: None,
        logo: None,
        created_at: now(),
    }
}

/// The telephone number that belongs to a word.
fn number(word: &str) -> String {
    let digits =
        word.bytes().fold(7, |sum: u64, byte| (sum * 131 + u64::from(byte)) % 100_000_000_000);
    format!("+20{digits:011}")
}

async fn add(storage: &Arc<dyn Storage>, person: &NewUser) -> User {
    let mut tx = write(storage).await;
    let added = working("nobody can be added", tx.users().add(person).await);
    let added = added.unwrap_or_else(|| panic!("somebody has a name that was drawn by chance"));
    commit(tx).await;
    added
}
