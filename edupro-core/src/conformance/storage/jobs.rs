//! What must happen after a commit.

use std::{collections::HashSet, slice::from_ref, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    super::{word, working},
    CROWD, commit, now, write,
};
use crate::{
    Storage, StoreError, SystemEntropy, Transaction,
    accounts::UserId,
    entropy::Entropy,
    jobs::{Job, Lane, NewJob, Task},
    storage::atomically,
};

/// How many jobs a crowd claims.
const JOBS: usize = 48;

fn job(task: Task, due_at: DateTime<Utc>) -> NewJob {
    let expires_at = Some(due_at + TimeDelta::days(1));
    NewJob { id: SystemEntropy.uuid(due_at), task, created_at: due_at, due_at, expires_at }
}

async fn claim(tx: &mut Box<dyn Transaction>, lane: Lane, at: DateTime<Utc>) -> Option<Job> {
    let until = at + TimeDelta::minutes(1);
    working("no job can be claimed", tx.jobs().claim(lane, at, until).await)
}

async fn next_due(tx: &mut Box<dyn Transaction>, lane: Lane) -> Option<DateTime<Utc>> {
    working("jobs cannot be read", tx.jobs().next_due(lane).await)
}

/// Takes jobs out of the way that somebody else left.
async fn clear(storage: &Arc<dyn Storage>) {
    let mut tx = write(storage).await;
    for lane in [Lane::Quick, Lane::Slow] {
        while let Some(due) = next_due(&mut tx, lane).await {
            let Some(job) = claim(&mut tx, lane, due).await else { break };
            working("a job cannot be forgotten", tx.jobs().finish(job.id).await);
        }
    }
    commit(tx).await;
}

/// A job is claimed by one, again when that one is silent, and by nobody when it is over.
pub(super) async fn are_done_once(storage: &Arc<dyn Storage>) {
    clear(storage).await;
    a_job(storage).await;
    lanes(storage).await;
    claims_that_were_not_kept(storage).await;
    a_crowd(storage).await;
}

async fn a_job(storage: &Arc<dyn Storage>) {
    let start = now();
    let minute = TimeDelta::minutes(1);
    let task = Task::SendResetCode { user: UserId(7), nonce: "منى \"'%".to_owned() };
    let new = job(task, start);
    let mut tx = write(storage).await;
    assert_eq!(next_due(&mut tx, Lane::Quick).await, None, "no job is due");
    working("no job can be added", tx.jobs().add(from_ref(&new)).await);
    assert_eq!(next_due(&mut tx, Lane::Quick).await, Some(start), "when a job is due");
    let early = claim(&mut tx, Lane::Quick, start - TimeDelta::microseconds(1)).await;
    assert!(early.is_none(), "a job is claimed before it is due");
    let claimed = claim(&mut tx, Lane::Quick, start).await;
    let claimed = claimed.unwrap_or_else(|| panic!("a job that is due cannot be claimed"));
    let found = (claimed.id, &claimed.task, claimed.tries, claimed.expires_at);
    assert_eq!(found, (new.id, &new.task, 1, new.expires_at), "a job that was claimed");
    assert!(claim(&mut tx, Lane::Quick, start).await.is_none(), "a job is claimed twice");
    assert_eq!(next_due(&mut tx, Lane::Quick).await, Some(start + minute), "a claim's end");

    working("a job cannot be held", tx.jobs().hold(new.id, start + minute * 2).await);
    assert!(claim(&mut tx, Lane::Quick, start + minute).await.is_none(), "a held job is claimed");
    let again = claim(&mut tx, Lane::Quick, start + minute * 2).await;
    assert_eq!(again.map(|job| job.tries), Some(2), "a job whose claim has ended");
    working("a job cannot wait", tx.jobs().retry(new.id, start + minute * 9, "busy").await);
    assert_eq!(next_due(&mut tx, Lane::Quick).await, Some(start + minute * 9), "a job that waits");
    let again = claim(&mut tx, Lane::Quick, start + minute * 9).await;
    assert_eq!(again.map(|job| job.tries), Some(3), "a job that has waited");
    working("a job cannot be given up", tx.jobs().give_up(new.id, start, "hopeless").await);
    assert_eq!(next_due(&mut tx, Lane::Quick).await, None, "a job that was given up is due");
    working("a job cannot be held", tx.jobs().hold(new.id, start).await);
    let late = claim(&mut tx, Lane::Quick, start + minute * 99).await;
    assert!(late.is_none(), "a job that was given up is claimed");
    for _ in 0..2 {
        working("a job cannot be forgotten", tx.jobs().finish(new.id).await);
    }
    commit(tx).await;
}

async fn lanes(storage: &Arc<dyn Storage>) {
    let start = now();
    let slow = job(Task::UploadVideo { video: SystemEntropy.uuid(start) }, start);
    let second = TimeDelta::seconds(1);
    let files = job(Task::DeleteFiles { files: Vec::new() }, start + second);
    let sooner = job(Task::SendPasswordChanged { user: UserId(7) }, start);
    let mut tx = write(storage).await;
    for new in [&slow, &files, &sooner] {
        working("no job can be added", tx.jobs().add(from_ref(new)).await);
    }
    let mut order = Vec::new();
    for lane in [Lane::Quick, Lane::Quick, Lane::Quick, Lane::Slow, Lane::Slow] {
        order.push(claim(&mut tx, lane, start + second).await.map(|job| job.id));
    }
    let expected = [Some(sooner.id), Some(files.id), None, Some(slow.id), None];
    assert_eq!(order, expected, "each lane has its jobs, and the first that is due comes first");
    for new in [slow, files, sooner] {
        working("a job cannot be forgotten", tx.jobs().finish(new.id).await);
    }
    commit(tx).await;
}

async fn claims_that_were_not_kept(storage: &Arc<dyn Storage>) {
    let new = job(Task::SendPasswordChanged { user: UserId(7) }, now());
    let mut tx = write(storage).await;
    working("no job can be added", tx.jobs().add(from_ref(&new)).await);
    commit(tx).await;
    for _ in 0..2 {
        let mut tx = write(storage).await;
        let claimed = claim(&mut tx, Lane::Quick, new.due_at).await;
        let claimed = claimed.unwrap_or_else(|| panic!("a claim that was not kept holds"));
        assert_eq!(claimed.tries, 1, "a claim that was not kept is counted");
    }
    let mut tx = write(storage).await;
    working("a job cannot be forgotten", tx.jobs().finish(new.id).await);
    commit(tx).await;
}

/// Many workers in as many processes: every job is somebody's, and none is anybody else's.
async fn a_crowd(storage: &Arc<dyn Storage>) {
    let start = now();
    let mut tx = write(storage).await;
    let mut expected = HashSet::new();
    for _ in 0..JOBS {
        let task = Task::SendResetCode { user: UserId(7), nonce: word() };
        let new = job(task, start);
        working("no job can be added", tx.jobs().add(from_ref(&new)).await);
        expected.insert(new.id);
    }
    commit(tx).await;
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        crowd.spawn(work(Arc::clone(storage), start));
    }
    let done = crowd.join_all().await.into_iter();
    let done: Vec<_> =
        done.flat_map(|done| working("of many who claim jobs one fails", done)).collect();
    assert_eq!(done.len(), JOBS, "so many jobs are done of {JOBS}");
    assert_eq!(done.into_iter().collect::<HashSet<_>>(), expected, "a job is done twice");
    let mut tx = write(storage).await;
    assert_eq!(next_due(&mut tx, Lane::Quick).await, None, "a job is left");
}

/// Claims and does jobs until none is due, as the worker does.
async fn work(storage: Arc<dyn Storage>, at: DateTime<Utc>) -> Result<Vec<Uuid>, StoreError> {
    let mut done = Vec::new();
    loop {
        let claimed = atomically(&SystemEntropy, || async {
            let mut tx = storage.write().await?;
            let claimed = tx.jobs().claim(Lane::Quick, at, at + TimeDelta::minutes(1)).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(claimed)
        });
        if let Some(job) = claimed.await? {
            atomically(&SystemEntropy, || async {
                let mut tx = storage.write().await?;
                tx.jobs().finish(job.id).await?;
                tx.commit().await
            })
            .await?;
            done.push(job.id);
            continue;
        }
        // Who chose the same job as another gets nothing, and looks once more.
        let due = storage.read().await?.jobs().next_due(Lane::Quick).await?;
        if due.is_none_or(|due| due > at) {
            return Ok(done);
        }
    }
}
