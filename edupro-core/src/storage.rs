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
    categories::CategoryStore,
    coupons::CouponStore,
    courses::CourseStore,
    enrollments::EnrollmentStore,
    error::{StoreError, StoreResult, store_error},
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

/// Opens transactions.
#[async_trait]
pub trait Storage: Debug + Send + Sync + 'static {
    /// For reading. Each statement sees what is committed when it starts, perhaps on a replica.
    async fn read(&self) -> StoreResult<Box<dyn Transaction>>;

    /// For writing: all or nothing.
    async fn write(&self) -> StoreResult<Box<dyn Transaction>>;

    /// Whether the storage answers and has the schema this version needs.
    async fn check(&self) -> StoreResult<()>;
}

/// All stores, inside one transaction. Dropping it undoes everything.
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
    /// What must happen after the commit.
    fn jobs(&mut self) -> &mut dyn JobStore;

    /// Keeps everything that was done in it.
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
