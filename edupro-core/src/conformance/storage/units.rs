//! Units of work.

use std::{slice::from_ref, sync::Arc, time::Duration};

use tokio::{sync::Barrier, task::JoinSet, time::timeout};

use super::{
    super::{given_up_after, word, working},
    CROWD, Opened, add, an_hour, becomes, commit, count, now, person, read, write,
};
use crate::{
    Storage, StoreError, StoreResult, SystemEntropy,
    accounts::UserId,
    entropy::Entropy,
    jobs::{Lane, NewJob, Task},
    storage::atomically,
};

/// How often a transaction is polled at most before it is given up.
const POLLS: usize = 100;
/// More transactions than a pool has connections.
const ABANDONED: usize = 40;

async fn counts(tx: &mut Opened, key: &str) -> StoreResult<i64> {
    tx.limits().count(key, now(), now() + an_hour()).await.map(|tally| tally.count)
}

fn job(task: Task) -> NewJob {
    let now = now();
    // Nobody claims it before it is gone again.
    NewJob {
        id: SystemEntropy.uuid(now),
        task,
        created_at: now,
        due_at: now + an_hour(),
        expires_at: None,
    }
}

async fn next_due(storage: &Arc<dyn Storage>) -> Option<chrono::DateTime<chrono::Utc>> {
    working("jobs cannot be read", read(storage).await.jobs().next_due(Lane::Slow).await)
}

/// Only a commit keeps anything, and then all of it, whichever nouns it was.
pub(super) async fn dropping_undoes(storage: &Arc<dyn Storage>) {
    let key = word();
    let (person, job) = (person(), job(Task::UploadVideo { video: SystemEntropy.uuid(now()) }));
    let due = next_due(storage).await;
    for is_kept in [false, true] {
        let mut tx = write(storage).await;
        working("nothing can be counted", counts(&mut tx, &key).await);
        let added = working("nobody can be added", tx.users().add(&person).await);
        assert!(added.is_some(), "what was never kept is in the way");
        working("no job can be added", tx.jobs().add(from_ref(&job)).await);
        match is_kept {
            true => commit(tx).await,
            false => drop(tx),
        }
        let expected = i64::from(is_kept);
        becomes(storage, &key, expected, "a counter, kept or not").await;
        let found = read(storage).await.users().find_credentials(&person.email).await;
        let found = working("nobody can be looked for", found);
        assert_eq!(found.is_some(), is_kept, "somebody who was kept or not");
        let expected = if is_kept { due.or(Some(job.due_at)).min(Some(job.due_at)) } else { due };
        assert_eq!(next_due(storage).await, expected, "a job that was kept or not");
    }
    let mut tx = write(storage).await;
    working("a job cannot be forgotten", tx.jobs().finish(job.id).await);
    commit(tx).await;
    // To keep nothing is to have done nothing.
    commit(write(storage).await).await;
    commit(read(storage).await).await;
}

/// Nobody sees what was not kept yet, and whoever reads cannot write.
pub(super) async fn readers_see_what_was_kept(storage: &Arc<dyn Storage>) {
    let key = word();
    let mut reader = read(storage).await;
    let mut tx = write(storage).await;
    working("nothing can be counted", counts(&mut tx, &key).await);
    let own = working("a writer cannot read", tx.limits().tally(&key, now()).await);
    assert_eq!(own.map(|tally| tally.count), Some(1), "what a writer has just written");
    let early = working("a counter cannot be read", reader.limits().tally(&key, now()).await);
    assert_eq!(early, None, "what was not kept yet is seen by who was there before");
    assert_eq!(count(storage, &key).await, 0, "what was not kept yet is seen");
    commit(tx).await;
    becomes(storage, &key, 1, "what was kept is not seen").await;
    let late = working("a counter cannot be read", reader.limits().tally(&key, now()).await);
    assert_eq!(late.map(|tally| tally.count), Some(1), "a reader does not see what is kept now");
    drop(reader);
    let mut reader = read(storage).await;
    let written = counts(&mut reader, &key).await;
    assert!(written.is_err(), "what was opened for reading writes");
    drop(reader);
    becomes(storage, &key, 1, "what a reader wrote is there").await;
}

/// Two rows with one key are a conflict, which spoils nothing but its own transaction.
pub(super) async fn conflicts_are_told(storage: &Arc<dyn Storage>) {
    let key = word();
    let job = job(Task::SendPasswordChanged { user: UserId(0) });
    let mut tx = write(storage).await;
    working("no job can be added", tx.jobs().add(from_ref(&job)).await);
    commit(tx).await;
    let mut tx = write(storage).await;
    working("nothing can be counted", counts(&mut tx, &key).await);
    let again = tx.jobs().add(from_ref(&job)).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "a job that is there already: {again:?}");
    drop(tx);
    becomes(storage, &key, 0, "what stood beside a conflict is kept").await;
    let mut tx = write(storage).await;
    working("a job cannot be forgotten", tx.jobs().finish(job.id).await);
    working("after a conflict nothing can be counted", counts(&mut tx, &key).await);
    commit(tx).await;
    becomes(storage, &key, 1, "what was kept after a conflict").await;
}

/// Nobody's step is lost or done twice.
pub(super) async fn a_crowd_writes(storage: &Arc<dyn Storage>) {
    let (key, mut crowd) = (word(), JoinSet::new());
    let each = 4;
    for _ in 0..CROWD {
        let (storage, key) = (Arc::clone(storage), key.clone());
        crowd.spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..each {
                let counted = atomically(&SystemEntropy, || async {
                    let mut tx = storage.write().await?;
                    let counted = counts(&mut tx, &key).await?;
                    tx.commit().await?;
                    Ok::<_, StoreError>(counted)
                });
                seen.push(counted.await);
            }
            seen
        });
    }
    let seen = crowd.join_all().await.into_iter().flatten();
    let seen = seen.map(|counted| working("of many who write at once one fails", counted));
    let mut seen: Vec<_> = seen.collect();
    seen.sort_unstable();
    let all: Vec<_> = (1..).take(CROWD * each).collect();
    assert_eq!(seen, all, "of many who count at once each counts once");
}

/// Two that want each other's rows are both done, perhaps after one was told to try again.
pub(super) async fn crossing_writers_are_both_done(storage: &Arc<dyn Storage>) {
    let (one, other) = (add(storage, &person()).await.id, add(storage, &person()).await.id);
    let at = now();
    let barrier = Barrier::new(2);
    let both = async |first: UserId, second: UserId| {
        atomically(&SystemEntropy, || async {
            let mut tx = storage.write().await?;
            tx.users().set_last_login(first, at).await?;
            // Where writers come one after another they cannot meet here.
            let _ = timeout(Duration::from_millis(300), barrier.wait()).await;
            tx.users().set_last_login(second, at).await?;
            tx.commit().await
        })
        .await
    };
    let (left, right) = futures_util::join!(both(one, other), both(other, one));
    working("of two that want each other's rows one fails", left);
    working("of two that want each other's rows one fails", right);
    for id in [one, other] {
        let found = working("nobody can be looked for", read(storage).await.users().find(id).await);
        let login = found.and_then(|user| user.last_login);
        assert_eq!(login, Some(at), "two that want each other's rows leave half of it");
    }
}

/// Whoever waits for an answer goes away at any moment: nothing is kept by halves, nothing that was
/// not kept is found later, and no connection is lost or left in the middle of something.
pub(super) async fn transactions_bear_to_be_given_up(storage: &Arc<dyn Storage>) {
    for polls in 1..=POLLS {
        let (one, other) = (word(), word());
        let unit = async {
            let mut tx = storage.write().await?;
            counts(&mut tx, &one).await?;
            counts(&mut tx, &other).await?;
            tx.commit().await
        };
        let is_done = given_up_after(polls, unit).await;
        let mut tx = write(storage).await;
        let mut tally = async |key: &str| {
            let tally = tx.limits().tally(key, now()).await;
            working("after a transaction was given up nothing can be read", tally)
        };
        let (one, other) = (tally(&one).await, tally(&other).await);
        assert_eq!(one.is_some(), other.is_some(), "half of a transaction is kept");
        drop(tx);
        if let Some(done) = is_done {
            working("a transaction fails", done);
            assert!(one.is_some(), "what was kept is gone");
            break;
        }
    }
    let key = word();
    for number in 0..ABANDONED {
        let abandoned = async {
            let mut tx = storage.write().await?;
            counts(&mut tx, &key).await?;
            std::future::pending::<StoreResult<()>>().await
        };
        // Some are dropped in the middle of a statement, some between two.
        let _ = timeout(Duration::from_micros(100 << (number % 8)), abandoned).await;
        let looking = async { storage.read().await?.limits().tally(&key, now()).await };
        let _ = given_up_after(number % 4 + 1, looking).await;
    }
    for _ in 0..ABANDONED {
        assert_eq!(count(storage, &key).await, 0, "what nobody kept is found");
        let mut tx = write(storage).await;
        let counted =
            working("after transactions were given up none works", counts(&mut tx, &key).await);
        assert_eq!(counted, 1, "a connection still has what nobody kept");
    }
}
