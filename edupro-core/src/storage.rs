//! The doors to all stores.
//!
//! What [`Storage`] opens **is** the transaction: dropping it undoes everything, only
//! [`Transaction::commit`] keeps it. Every noun's store is reached through it, so a rule can put
//! any of them into one unit.
//!
//! # One more noun
//!
//! 1. `src/<noun>.rs` here: its types, `trait <Noun>Store`, its rules.
//! 2. A line in [`Transaction`], and one in `storage/with_users.rs`.
//! 3. `edupro-storage/src/<noun>.rs`: the row, `From<Row>`, `impl <Noun>Store for Tx`.
//! 4. `edupro-http/src/api/<noun>.rs` and its lines in `routes.rs`.

mod with_users;

use std::{error::Error, fmt::Debug, time::Duration};

use async_trait::async_trait;

pub use self::with_users::{UserDirectory, UserOverlay, WithUsers};
use crate::{
    Entropy,
    access::AccessStore,
    accounts::{ResetStore, SessionStore, UserStore},
    assessments::{AssessmentStore, QuestionStore},
    attempts::AttemptStore,
    audit::AuditStore,
    categories::CategoryStore,
    coupons::CouponStore,
    courses::CourseStore,
    enrollments::EnrollmentStore,
    error::{StoreError, StoreResult, store_error},
    files::{FileNameStore, QuotaStore},
    grading::GradingStore,
    idempotency::IdempotencyStore,
    jobs::JobStore,
    lessons::LessonStore,
    limits::LimitStore,
    modules::ModuleStore,
    payment::orders::OrderStore,
    progress::ProgressStore,
    ratings::RatingStore,
    roster::RosterStore,
    students::StudentStore,
    teachers::TeacherStore,
    video::VideoStore,
};

/// How often a write runs again because another was in the way (security R36).
const RETRIES: u32 = 3;

/// Where a school keeps everything but its files: opens transactions.
///
/// `edupro_storage::Database` is the one in the box, for PostgreSQL and SQLite. Wrap it to count, to
/// trace or to fail on purpose; [`WithUsers`] wraps it to keep people elsewhere. A new one from the
/// ground up is a store for each noun: a [`Transaction`] has them all.
///
/// # What is promised
///
/// - **All or nothing.** What [`write`](Self::write) opens keeps nothing until
///   [`commit`](Transaction::commit) has returned, and then all of it, durably. Dropped, at whatever
///   point, it has done nothing.
/// - **It may be given up.** Requests are cut off and processes stop, so every future may be dropped
///   at any `await`, that of `commit` too: then all of it was kept or nothing. A connection goes back
///   to others clean, or not at all.
/// - **Nobody sees halves.** A reader sees what was committed when its statement started, and
///   nothing else. What [`read`](Self::read) opens cannot write.
/// - **Writers at the same moment** get in each other's way only by being told so:
///   [`Contended`](StoreError::Contended) means that doing all of it again helps, which
///   [`atomically`] does. Rules rely on what one statement promises by itself (a counter counts each
///   step, a job is claimed once, a unique value is somebody's alone) and not on an isolation level.
/// - **Errors say what the caller can do**: see [`StoreError`]. After an error a transaction is only
///   good for being dropped. That something is taken or gone is no error where the method's answer
///   can say so.
/// - **Waiting has an end**: some seconds, then [`Unavailable`](StoreError::Unavailable).
/// - **What the log gets.** Statements, not the values in them: they hold hashes, addresses and
///   what people wrote. Never the password in a database's URL.
///
/// # Use it
///
/// ```
/// # use edupro_core::{Entropy, Storage, StoreError, accounts::UserId, storage::atomically};
/// # async fn example(storage: &dyn Storage, entropy: &dyn Entropy, id: UserId) -> Result<(), StoreError> {
/// # let now = chrono::DateTime::UNIX_EPOCH;
/// // Of these two rows both are changed, or none.
/// atomically(entropy, || async {
///     let mut tx = storage.write().await?;
///     tx.users().set_active(id, false, now).await?;
///     tx.sessions().revoke_others(id, None, now).await?;
///     tx.commit().await
/// })
/// .await?;
///
/// // One statement needs no transaction.
/// let user = storage.read().await?.users().find(id).await?;
/// # let _ = user; Ok(()) }
/// ```
///
/// # Wrap it
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
///
/// use async_trait::async_trait;
/// use edupro_core::{Storage, StoreResult, Transaction};
///
/// /// Counts what is written.
/// #[derive(Debug)]
/// struct Counted {
///     inner: Arc<dyn Storage>,
///     writes: AtomicU64,
/// }
///
/// #[async_trait]
/// impl Storage for Counted {
///     async fn read(&self) -> StoreResult<Box<dyn Transaction>> {
///         self.inner.read().await
///     }
///
///     async fn write(&self) -> StoreResult<Box<dyn Transaction>> {
///         self.writes.fetch_add(1, Ordering::Relaxed);
///         self.inner.write().await
///     }
///
///     async fn check(&self) -> StoreResult<()> {
///         self.inner.check().await
///     }
/// }
/// ```
///
/// # Test it
///
/// The feature `conformance` checks these promises with one call, `conformance::storage::all`, and
/// `conformance::redemption::all` lets a crowd of students at a few coupons.
#[async_trait]
pub trait Storage: Debug + Send + Sync + 'static {
    /// For reading. Each statement sees what is committed when it starts, perhaps on a replica and
    /// a little late: whoever must see what was just written asks the transaction that wrote it.
    async fn read(&self) -> StoreResult<Box<dyn Transaction>>;

    /// For writing: all or nothing. Hold it for statements only, never while something outside is
    /// asked, a password hashed or a picture decoded: on SQLite nobody else writes meanwhile.
    async fn write(&self) -> StoreResult<Box<dyn Transaction>>;

    /// Whether the storage answers and has the schema this version needs. Changes nothing, and may
    /// be asked often.
    async fn check(&self) -> StoreResult<()>;
}

/// All stores, inside one transaction. Dropping it undoes everything.
///
/// The stores share the transaction: what one has written the next one reads. One statement runs at
/// a time, which is what `&mut` says. What a [`Storage`] promises holds for each of them.
#[async_trait]
pub trait Transaction: Send {
    /// People who can log in.
    fn users(&mut self) -> &mut dyn UserStore;
    /// Their sessions.
    fn sessions(&mut self) -> &mut dyn SessionStore;
    /// Codes for forgotten passwords.
    fn resets(&mut self) -> &mut dyn ResetStore;
    /// Students' profiles.
    fn students(&mut self) -> &mut dyn StudentStore;
    /// Teachers' profiles.
    fn teachers(&mut self) -> &mut dyn TeacherStore;
    /// Which students a teacher has.
    fn roster(&mut self) -> &mut dyn RosterStore;
    /// What courses are about.
    fn categories(&mut self) -> &mut dyn CategoryStore;
    /// Courses.
    fn courses(&mut self) -> &mut dyn CourseStore;
    /// Their modules.
    fn modules(&mut self) -> &mut dyn ModuleStore;
    /// Their lessons.
    fn lessons(&mut self) -> &mut dyn LessonStore;
    /// Their videos.
    fn videos(&mut self) -> &mut dyn VideoStore;
    /// What ties students to courses.
    fn access(&mut self) -> &mut dyn AccessStore;
    /// Coupons and the ledger.
    fn coupons(&mut self) -> &mut dyn CouponStore;
    /// Who has what.
    fn enrollments(&mut self) -> &mut dyn EnrollmentStore;
    /// What students pay for outside.
    fn orders(&mut self) -> &mut dyn OrderStore;
    /// How far students have come.
    fn progress(&mut self) -> &mut dyn ProgressStore;
    /// What students think.
    fn ratings(&mut self) -> &mut dyn RatingStore;
    /// Assessments.
    fn assessments(&mut self) -> &mut dyn AssessmentStore;
    /// Their questions.
    fn questions(&mut self) -> &mut dyn QuestionStore;
    /// Who takes them.
    fn attempts(&mut self) -> &mut dyn AttemptStore;
    /// What their answers are worth.
    fn grading(&mut self) -> &mut dyn GradingStore;
    /// What was answered to requests that carried a key.
    fn idempotency(&mut self) -> &mut dyn IdempotencyStore;
    /// Counters behind the limits.
    fn limits(&mut self) -> &mut dyn LimitStore;
    /// Which stored files rows name.
    fn file_names(&mut self) -> &mut dyn FileNameStore;
    /// Which teacher has which files.
    fn quotas(&mut self) -> &mut dyn QuotaStore;
    /// What must happen after the commit.
    fn jobs(&mut self) -> &mut dyn JobStore;
    /// Who did what.
    fn audit(&mut self) -> &mut dyn AuditStore;

    /// Keeps everything that was done in it. When this has returned, a power cut takes nothing of
    /// it away. After an error nobody can tell whether it was kept, unless the error is
    /// [`Contended`](StoreError::Contended) or [`Conflict`](StoreError::Conflict): then it was not.
    async fn commit(self: Box<Self>) -> StoreResult<()>;
}

/// Runs `work`, which opens a writing transaction and commits it. When another transaction was in
/// the way, it waits 10 to 100 milliseconds and runs it again, three times at most: so `work`
/// changes nothing but the storage.
pub async fn atomically<T, E, F>(entropy: &dyn Entropy, work: impl Fn() -> F) -> Result<T, E>
where
    E: Error + 'static,
    F: Future<Output = Result<T, E>>,
{
    let mut retries = 0;
    loop {
        let done = work().await;
        let contended = matches!(&done, Err(error) if matches!(store_error(error), Some(StoreError::Contended(_))));
        if !contended || retries == RETRIES {
            return done;
        }
        retries += 1;
        let pause = 10 + u64::from(entropy.below(91));
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}
