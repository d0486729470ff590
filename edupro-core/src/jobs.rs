//! What must happen after a commit: mails, events, films on their way to a video host, and what
//! nobody needs any more.
//!
//! A job is a row in the transaction of its cause, so neither exists without the other. The
//! [`Worker`] claims it for a minute, runs it, and forgets it; a process that dies in between
//! leaves a claim that runs out. So a job may run twice, and each is made to bear that.
//!
//! # One more job
//!
//! A variant of [`Task`] with ids, not contents, and an arm in `run`. Only an event says what things
//! were called at that moment: it is about the past.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::timeout,
};
use uuid::Uuid;

use crate::{
    School, StoreError, StoreResult, Transaction,
    accounts::{UserId, resets::CODE_TTL},
    attempts, audit,
    error::Source,
    events::{Announced, Event, EventError},
    files::{FileKey, orphans},
    grading,
    mail::{MailError, Message, Template},
    payment::orders,
    video::{
        HostError, status,
        uploads::{self, VideoJobError},
    },
};

/// How long a job may take.
const JOB_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a slow job may take: a gigabyte over a line of half a megabit a second.
const SLOW_TIMEOUT: Duration = Duration::from_hours(6);
/// How long a claim holds: longer than any quick job may take, and short enough that a job whose
/// process was killed is done by another within a minute (security T13).
const CLAIM: TimeDelta = TimeDelta::seconds(45);
/// How often the claim on a slow job is renewed.
const RENEWAL: Duration = Duration::from_secs(15);
/// Tries before a job is given up and left for a person to look at (security R44).
const TRIES_MAX: i64 = 10;
/// The same for a slow job: about a day. A video host may be down for an afternoon, and a teacher does
/// not upload an hour's film again for it.
const SLOW_TRIES_MAX: i64 = 32;
/// The pause after the first failure; it doubles with each next one (security R44).
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(5);
/// The longest pause.
const PAUSE_MAX: TimeDelta = TimeDelta::hours(1);
/// How many quick jobs run at the same time: one slow mail server must not hold up the rest.
const WORKERS: usize = 4;
/// How many slow jobs run at the same time.
const SLOW_WORKERS: usize = 2;
/// How often the worker looks for jobs that another process left.
const LOOK: Duration = Duration::from_secs(5);
/// How often what has ended is marked so. Access asks the clock itself (behaviour G17).
const EXPIRY: TimeDelta = TimeDelta::minutes(5);
/// How often attempts whose time ran out are marked so. Whoever reads one asks the clock itself
/// (behaviour G17).
const ATTEMPT_EXPIRY: TimeDelta = TimeDelta::minutes(1);
/// How often what no grader has graded in time is left to people.
const GRADING: TimeDelta = TimeDelta::minutes(1);
/// How often a provider is asked about payments of which it has said nothing.
const RECONCILIATION: TimeDelta = TimeDelta::minutes(10);
/// How often old sessions, codes, counters and staged files are swept out.
const HOUSEKEEPING: TimeDelta = TimeDelta::hours(24);
/// How often videos that nobody looks after are looked after.
const SWEEPING: TimeDelta = TimeDelta::hours(1);
/// How long an upload that was never finished is kept (security R20).
const STAGED: TimeDelta = TimeDelta::hours(24);
/// How long ended sessions and codes are kept before they are swept out.
const KEPT: TimeDelta = TimeDelta::days(30);

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Task {
    /// Mails the code of a request for a new password. Dropped when a newer one took its place.
    SendResetCode {
        /// To whom.
        user: UserId,
        /// Which request.
        nonce: String,
    },
    /// Tells a person that their password was changed (security R12).
    SendPasswordChanged {
        /// Whom.
        user: UserId,
    },
    /// Deletes files that no row names any more.
    DeleteFiles {
        /// Which.
        files: Vec<FileKey>,
    },
    /// Brings a film to its video host.
    UploadVideo {
        /// Which.
        video: Uuid,
    },
    /// Asks a video host how a video stands.
    CheckVideo {
        /// Which.
        video: Uuid,
        /// How often it was asked before; without it nobody asks again afterwards.
        round: Option<usize>,
    },
    /// Asks a grader about an answer that was deferred to it.
    GradeAnswer {
        /// Which.
        answer: Uuid,
        /// Under which version of its question.
        version: i64,
        /// How often it was asked before.
        round: usize,
    },
    /// Deletes a video that no lesson shows any more.
    DeleteVideo {
        /// Which.
        video: Uuid,
    },
    /// Tells the school's sink what has happened.
    Announce {
        /// The event's version.
        version: u16,
        /// When it happened.
        at: DateTime<Utc>,
        /// What happened.
        event: Event,
    },
}

/// Jobs run in two lanes, so that those which may take hours do not hold up the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Done within half a minute.
    Quick,
    /// May take hours.
    Slow,
}

impl Task {
    /// Where it runs.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        match self {
            Self::UploadVideo { .. } => Lane::Slow,
            _ => Lane::Quick,
        }
    }

    const fn tries_max(&self) -> i64 {
        match self.lane() {
            Lane::Quick => TRIES_MAX,
            Lane::Slow => SLOW_TRIES_MAX,
        }
    }
}

/// A job that is about to be kept.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Also the mail's Message-ID and the event's id: a second try is the same mail or event.
    pub id: Uuid,
    /// What is to be done.
    pub task: Task,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// Not before this.
    pub due_at: DateTime<Utc>,
    /// After this it is pointless.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A job that this process has claimed.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which one.
    pub id: Uuid,
    /// What is to be done.
    pub task: Task,
    /// How often it was tried, this time included.
    pub tries: i64,
    /// After this it is pointless.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Where jobs are kept.
#[async_trait]
pub trait JobStore: Send {
    /// Adds jobs, however many, in one statement for every five hundred.
    async fn add(&mut self, jobs: &[NewJob]) -> StoreResult<()>;

    /// When the next job of a lane is due; `None` when there is none.
    async fn next_due(&mut self, lane: Lane) -> StoreResult<Option<DateTime<Utc>>>;

    /// Claims a job of a lane that is due until `until`. No other process gets it before.
    async fn claim(
        &mut self,
        lane: Lane,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> StoreResult<Option<Job>>;

    /// Holds a claimed job until `until`.
    async fn hold(&mut self, id: Uuid, until: DateTime<Utc>) -> StoreResult<()>;

    /// Forgets a job: it is done, or pointless.
    async fn finish(&mut self, id: Uuid) -> StoreResult<()>;

    /// Has a job tried again at `at`.
    async fn retry(&mut self, id: Uuid, at: DateTime<Utc>, error: &str) -> StoreResult<()>;

    /// Keeps a job for a person to look at, and tries it no more.
    async fn give_up(&mut self, id: Uuid, at: DateTime<Utc>, error: &str) -> StoreResult<()>;
}

/// Wakes workers, so that a job is done right after its commit and not when somebody looks.
#[derive(Debug, Default)]
pub struct Alarm {
    quick: Notify,
    slow: Notify,
    /// A slow job was added, in a transaction that may not be committed yet.
    has_slow: AtomicBool,
}

impl Alarm {
    fn note(&self, task: &Task) {
        if task.lane() == Lane::Slow {
            self.has_slow.store(true, Ordering::Relaxed);
        }
    }

    /// Something was committed.
    pub(crate) fn ring(&self) {
        self.quick.notify_one();
        if self.has_slow.swap(false, Ordering::Relaxed) {
            self.slow.notify_one();
        }
    }

    async fn rung(&self, lane: Lane) {
        match lane {
            Lane::Quick => self.quick.notified().await,
            Lane::Slow => self.slow.notified().await,
        }
    }
}

/// Adds a job to this transaction.
pub async fn later(tx: &mut dyn Transaction, school: &School, task: Task) -> StoreResult<()> {
    all_later(tx, school, vec![task]).await
}

/// Adds jobs, each to be done at once, to this transaction.
pub async fn all_later(
    tx: &mut dyn Transaction,
    school: &School,
    tasks: Vec<Task>,
) -> StoreResult<()> {
    let now = school.clock.now();
    let jobs: Vec<_> = tasks.into_iter().map(|task| new_job(school, task, now, None)).collect();
    tx.jobs().add(&jobs).await
}

/// Adds a job that is to be done at `due`, or soon after, to this transaction.
pub async fn at(
    tx: &mut dyn Transaction,
    school: &School,
    task: Task,
    due: DateTime<Utc>,
) -> StoreResult<()> {
    tx.jobs().add(&[new_job(school, task, due, None)]).await
}

/// The same in a transaction of its own.
pub(crate) async fn alone_at(school: &School, task: Task, due: DateTime<Utc>) -> StoreResult<()> {
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            at(&mut *tx, school, task.clone(), due).await?;
            tx.commit().await
        })
        .await
}

/// Adds a job that is pointless after `end` to this transaction.
pub async fn until(
    tx: &mut dyn Transaction,
    school: &School,
    task: Task,
    end: DateTime<Utc>,
) -> StoreResult<()> {
    tx.jobs().add(&[new_job(school, task, school.clock.now(), Some(end))]).await
}

fn new_job(
    school: &School,
    task: Task,
    due_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
) -> NewJob {
    school.work.note(&task);
    let now = school.clock.now();
    NewJob { id: school.entropy.uuid(now), task, created_at: now, due_at, expires_at }
}

/// Adds a job that deletes these files, if there are any, to this transaction.
pub(crate) async fn delete_files(
    tx: &mut dyn Transaction,
    school: &School,
    files: Vec<FileKey>,
) -> StoreResult<()> {
    match files.is_empty() {
        true => Ok(()),
        false => later(tx, school, Task::DeleteFiles { files }).await,
    }
}

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error("the mail was not sent")]
    Mail(#[from] MailError),
    #[error("the video host did not do it")]
    Video(#[from] VideoJobError),
    #[error("an event was not delivered")]
    Event(#[from] EventError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Other(#[source] Source),
}

/// Runs the jobs of a school.
#[derive(Debug)]
pub struct Worker {
    school: Arc<School>,
}

impl Worker {
    /// A worker for this school. It does nothing until it is run.
    #[must_use]
    pub const fn new(school: Arc<School>) -> Self {
        Self { school }
    }

    /// Runs jobs until `stop` turns true; the jobs at hand are finished first.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        let mut workers = JoinSet::new();
        for (lane, count) in [(Lane::Quick, WORKERS), (Lane::Slow, SLOW_WORKERS)] {
            for _ in 0..count {
                workers.spawn(serve(lane, Arc::clone(&self.school), stop.clone()));
            }
        }
        workers.spawn(every(SWEEPING, uploads::sweep, Arc::clone(&self.school), stop.clone()));
        workers.spawn(every(HOUSEKEEPING, sweep, Arc::clone(&self.school), stop.clone()));
        let orphans = orphans::sweep_daily;
        workers.spawn(every(HOUSEKEEPING, orphans, Arc::clone(&self.school), stop.clone()));
        workers.spawn(every(EXPIRY, expire, Arc::clone(&self.school), stop.clone()));
        let school = Arc::clone(&self.school);
        workers.spawn(every(ATTEMPT_EXPIRY, attempts::expire, school, stop.clone()));
        workers.spawn(every(GRADING, grading::leave_late, Arc::clone(&self.school), stop.clone()));
        let reconcile = orders::reconcile;
        workers.spawn(every(RECONCILIATION, reconcile, Arc::clone(&self.school), stop));
        workers.join_all().await;
    }

    /// Runs every job that is due now, one after another, and returns how many there were.
    pub async fn run_due(&self) -> StoreResult<usize> {
        let mut done = 0;
        while run_next(&self.school, Lane::Quick).await?
            || run_next(&self.school, Lane::Slow).await?
        {
            done += 1;
        }
        Ok(done)
    }
}

async fn serve(lane: Lane, school: Arc<School>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match run_next(&school, lane).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "jobs cannot be read");
            }
        }
        tokio::select! {
            () = school.work.rung(lane) => {}
            () = tokio::time::sleep(wait(&school, lane).await) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Until the next job is due, [`LOOK`] at most.
async fn wait(school: &School, lane: Lane) -> Duration {
    let due = async { school.storage.read().await?.jobs().next_due(lane).await };
    let Ok(Some(due)) = due.await else { return LOOK };
    // A job that is due already is another worker's at this moment: look again shortly.
    (due - school.clock.now()).to_std().unwrap_or_default().clamp(Duration::from_millis(200), LOOK)
}

async fn run_next(school: &School, lane: Lane) -> StoreResult<bool> {
    let now = school.clock.now();
    let due = school.storage.read().await?.jobs().next_due(lane).await?;
    if due.is_none_or(|due| due > now) {
        return Ok(false);
    }
    let claimed = crate::storage::atomically(&*school.entropy, || async {
        let mut tx = school.storage.write().await?;
        let claimed = tx.jobs().claim(lane, now, now + CLAIM).await?;
        tx.commit().await?;
        Ok::<_, StoreError>(claimed)
    });
    let Some(job) = claimed.await? else { return Ok(false) };
    let done = match job.expires_at {
        Some(end) if end <= now => Ok(()),
        _ => run_in_time(school, &job).await,
    };
    let is_lost = done.is_err() && job.tries >= job.task.tries_max();
    settle(school, &job, done).await?;
    if let (true, Task::UploadVideo { video }) = (is_lost, &job.task) {
        status::fail(school, *video).await?;
    }
    Ok(true)
}

/// Runs a job until it is done or has had its time. A slow one is held meanwhile, so that nobody
/// else takes it for lost.
async fn run_in_time(school: &School, job: &Job) -> Result<(), JobError> {
    let limit = match job.task.lane() {
        Lane::Quick => JOB_TIMEOUT,
        Lane::Slow => SLOW_TIMEOUT,
    };
    let held = hold_on(school, job);
    let work = async {
        tokio::select! {
            done = run(school, job) => done,
            never = held => match never {},
        }
    };
    match timeout(limit, work).await {
        Ok(done) => done,
        Err(late) => Err(JobError::Other(late.into())),
    }
}

/// Renews the claim on a slow job again and again.
async fn hold_on(school: &School, job: &Job) -> Infallible {
    if job.task.lane() == Lane::Quick {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(RENEWAL).await;
        if let Err(error) = hold(school, job).await {
            tracing::warn!(
                job = %job.id,
                error = &error as &dyn std::error::Error,
                "the claim on a job could not be renewed"
            );
        }
    }
}

async fn hold(school: &School, job: &Job) -> StoreResult<()> {
    let until = school.clock.now() + CLAIM;
    crate::storage::atomically(&*school.entropy, || async {
        let mut tx = school.storage.write().await?;
        tx.jobs().hold(job.id, until).await?;
        tx.commit().await
    })
    .await
}

async fn settle(school: &School, job: &Job, done: Result<(), JobError>) -> StoreResult<()> {
    let now = school.clock.now();
    crate::storage::atomically(&*school.entropy, || async {
        let mut tx = school.storage.write().await?;
        match &done {
            Ok(()) => tx.jobs().finish(job.id).await?,
            Err(error) => {
                let words = chain(error);
                let hopeless = matches!(
                    error,
                    JobError::Mail(MailError::Rejected { .. })
                        | JobError::Event(EventError::Rejected { .. })
                );
                if hopeless || job.tries >= job.task.tries_max() {
                    tracing::error!(job = %job.id, tries = job.tries, error = %words, "a job was given up");
                    tx.jobs().give_up(job.id, now, &words).await?;
                } else {
                    tracing::warn!(job = %job.id, tries = job.tries, error = %words, "a job failed and is tried again");
                    tx.jobs().retry(job.id, now + pause(school, job, error), &words).await?;
                }
            }
        }
        tx.commit().await
    })
    .await
}

/// 5 s · 2ⁿ, an hour at most, a fifth more or less so that not all come back at once; longer when
/// whoever was asked wants that.
fn pause(school: &School, job: &Job, error: &JobError) -> TimeDelta {
    let doublings = u32::try_from(job.tries - 1).unwrap_or_default().min(20);
    let pause = (FIRST_PAUSE * 2_i32.pow(doublings)).min(PAUSE_MAX);
    let percent = i32::try_from(80 + school.entropy.below(41)).unwrap_or(100);
    let asked = match error {
        JobError::Mail(MailError::Unavailable { retry_after: Some(asked), .. })
        | JobError::Event(EventError::Unavailable { retry_after: Some(asked), .. })
        | JobError::Video(VideoJobError::Host(HostError::Unavailable {
            retry_after: Some(asked),
            ..
        })) => TimeDelta::from_std(*asked).unwrap_or(PAUSE_MAX),
        _ => TimeDelta::zero(),
    };
    (pause * percent / 100).max(asked)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        words.push_str(": ");
        words.push_str(&source.to_string());
        next = source.source();
    }
    words
}

async fn run(school: &School, job: &Job) -> Result<(), JobError> {
    match &job.task {
        Task::SendResetCode { user, nonce } => {
            let mut tx = school.storage.read().await?;
            let reset = tx.resets().find(*user).await?;
            drop(tx);
            if reset.is_none_or(|reset| reset.nonce != *nonce) {
                return Ok(());
            }
            let code = school.keys.reset_code(*user, nonce);
            let minutes = CODE_TTL.num_minutes().unsigned_abs();
            send(school, job, *user, |first_name| Template::PasswordReset {
                code,
                minutes,
                first_name,
            })
            .await
        }
        Task::SendPasswordChanged { user } => {
            send(school, job, *user, |first_name| Template::PasswordChanged { first_name }).await
        }
        Task::DeleteFiles { files } => {
            school.delete_files(files).await.map_err(|error| JobError::Other(error.into()))
        }
        Task::UploadVideo { video } => Ok(uploads::push(school, *video).await?),
        Task::CheckVideo { video, round } => Ok(status::look(school, *video, *round).await?),
        Task::DeleteVideo { video } => Ok(uploads::delete(school, *video).await?),
        Task::GradeAnswer { answer, version, round } => {
            Ok(grading::ask(school, *answer, *version, *round).await?)
        }
        Task::Announce { version, at, event } => {
            // Nobody listens any more.
            let Some(sink) = &school.events else { return Ok(()) };
            Ok(sink.receive(&Announced::new(job.id, *version, *at, event.clone())).await?)
        }
    }
}

/// Mails a template to a user; a user who is gone gets none.
async fn send(
    school: &School,
    job: &Job,
    user: UserId,
    template: impl FnOnce(String) -> Template,
) -> Result<(), JobError> {
    let mut tx = school.storage.read().await?;
    let Some(user) = tx.users().find(user).await? else { return Ok(()) };
    drop(tx);
    let rendered = school
        .templates
        .render(&template(user.first_name))
        .map_err(|error| JobError::Other(error.into()))?;
    let message = Message::new(job.id.to_string(), user.email, rendered.subject, rendered.text)
        .with_html(rendered.html);
    Ok(school.mailer.send(&message).await?)
}

/// Does a chore once at the start and then again and again.
async fn every(
    interval: TimeDelta,
    chore: impl AsyncFn(&School) -> StoreResult<()>,
    school: Arc<School>,
    mut stop: watch::Receiver<bool>,
) {
    while !*stop.borrow() {
        if let Err(error) = chore(&school).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a chore was not done");
        }
        tokio::select! {
            () = tokio::time::sleep(interval.to_std().unwrap_or_default()) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Marks enrolments and coupons that have ended. Running it twice, or in two processes, does
/// nothing more.
pub async fn expire(school: &School) -> StoreResult<()> {
    let now = school.clock.now();
    crate::storage::atomically(&*school.entropy, || async {
        let mut tx = school.storage.write().await?;
        tx.enrollments().expire(now).await?;
        tx.coupons().switch_off_ended(now).await?;
        tx.commit().await
    })
    .await
}

/// Sweeps out what nobody needs any more: once a day, and harmless at any other time.
pub async fn sweep(school: &School) -> StoreResult<()> {
    let now = school.clock.now();
    crate::storage::atomically(&*school.entropy, || async {
        let mut tx = school.storage.write().await?;
        tx.sessions().purge(now - KEPT).await?;
        tx.resets().purge(now - KEPT).await?;
        tx.limits().purge(now).await?;
        tx.idempotency().purge(now - HOUSEKEEPING).await?;
        tx.orders().purge_events(now - KEPT).await?;
        audit::purge(&mut *tx, school).await?;
        tx.commit().await
    })
    .await?;
    if let Err(error) = school.files.sweep(now, STAGED).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "old uploads could not be swept out"
        );
    }
    Ok(())
}
