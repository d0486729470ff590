//! People who are kept elsewhere: a [`UserStore`] of one's own over any [`Storage`].

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Storage, Transaction};
use crate::{
    StoreResult,
    access::AccessStore,
    accounts::{
        Credentials, Email, NewUser, Phone, ResetStore, SessionStore, Taken, User, UserId,
        UserStore, Username,
    },
    assessments::{AssessmentStore, QuestionStore},
    attempts::AttemptStore,
    audit::AuditStore,
    categories::CategoryStore,
    coupons::CouponStore,
    courses::CourseStore,
    enrollments::EnrollmentStore,
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

/// Where people are kept instead of in the school's own table: a table of another service, another
/// database. `Builder::users` takes one; below it stands [`WithUsers`].
///
/// # What stays in the school's own table
///
/// **Every person still has a row there, under the same id.** Sessions, profiles, enrolments and
/// the ledger refer to it, and lists read names, addresses and [`User::is_active`] from it in one
/// statement with everything else. So the row is the school's copy, and the directory keeps it
/// right: [`UserOverlay::add`] makes it, and whoever changes a name or closes an account
/// elsewhere changes it there as well. What the school itself never reads there is the password.
///
/// What can be elsewhere alone is what decides: who may log in and with which password, and which
/// usernames and addresses are taken.
///
/// # What holds a transaction together
///
/// Two databases have no common commit. The overlay commits first, then the school: a process that
/// dies in between, or a school whose commit fails, leaves a person elsewhere without a row here.
/// [`UserOverlay::add`] therefore takes such a person over instead of calling the name taken. And
/// since the id of a row that was undone is given to the next person, nobody is found by the id
/// that is noted elsewhere: the rows say who has an e-mail address.
///
/// The methods are called inside transactions, on SQLite while nobody else can write. So people
/// belong into a database nearby; a directory behind the internet is better copied into a table. A
/// SQLite file has one writer: the table must be in another file than the school's.
pub trait UserDirectory: Debug + Send + Sync + 'static {
    /// What answers for people in one transaction that begins. It asks nobody anything yet.
    fn open(&self) -> Box<dyn UserOverlay>;
}

/// A user store for one transaction, which lies over the school's own `rows`: what is not
/// overridden is answered by them. The methods are those of [`UserStore`], with its promises.
///
/// Dropping it undoes what it has done.
///
/// ```
/// use async_trait::async_trait;
/// use edupro_core::{
///     StoreResult,
///     accounts::{Credentials, Email, UserStore},
///     storage::UserOverlay,
/// };
///
/// /// Passwords are somewhere else; all other things about people are the school's.
/// struct Passwords(/* a connection */);
///
/// impl Passwords {
///     async fn hash_of(&self, email: &Email) -> StoreResult<Option<String>> {
///         # let _ = email;
///         Ok(None) // SELECT hash FROM …
///     }
/// }
///
/// #[async_trait]
/// impl UserOverlay for Passwords {
///     async fn find_credentials(
///         &mut self,
///         rows: &mut dyn UserStore,
///         email: &Email,
///     ) -> StoreResult<Option<Credentials>> {
///         let Some(password_hash) = self.hash_of(email).await? else { return Ok(None) };
///         Ok(rows.find_credentials(email).await?.map(|row| Credentials { password_hash, ..row }))
///     }
///
///     // … and `add` and `set_password`.
/// }
/// ```
///
/// To test one, start a `TestApp` of `edupro_http::testkit` with it: registering, logging in,
/// changing and resetting a password go through every method. `examples/custom_users.rs` keeps
/// people in another database in this way.
#[async_trait]
pub trait UserOverlay: Send {
    /// [`UserStore::find`].
    async fn find(&mut self, rows: &mut dyn UserStore, id: UserId) -> StoreResult<Option<User>> {
        rows.find(id).await
    }

    /// [`UserStore::find_by_username`].
    async fn find_by_username(
        &mut self,
        rows: &mut dyn UserStore,
        username: &str,
    ) -> StoreResult<Option<User>> {
        rows.find_by_username(username).await
    }

    /// [`UserStore::find_credentials`]. A hash that the school cannot read fails the log-in and is
    /// logged, without the hash.
    async fn find_credentials(
        &mut self,
        rows: &mut dyn UserStore,
        email: &Email,
    ) -> StoreResult<Option<Credentials>> {
        rows.find_credentials(email).await
    }

    /// [`UserStore::taken`].
    async fn taken(
        &mut self,
        rows: &mut dyn UserStore,
        username: Option<&Username>,
        email: Option<&Email>,
        phone: Option<&Phone>,
    ) -> StoreResult<Taken> {
        rows.taken(username, email, phone).await
    }

    /// [`UserStore::slug_is_taken`].
    async fn slug_is_taken(&mut self, rows: &mut dyn UserStore, slug: &str) -> StoreResult<bool> {
        rows.slug_is_taken(slug).await
    }

    /// [`UserStore::add`]. The row must be made too: it gives the person the id.
    async fn add(&mut self, rows: &mut dyn UserStore, user: &NewUser) -> StoreResult<Option<User>> {
        rows.add(user).await
    }

    /// [`UserStore::set_password`].
    async fn set_password(
        &mut self,
        rows: &mut dyn UserStore,
        id: UserId,
        hash: &str,
        at: DateTime<Utc>,
    ) -> StoreResult<()> {
        rows.set_password(id, hash, at).await
    }

    /// [`UserStore::set_last_login`].
    async fn set_last_login(
        &mut self,
        rows: &mut dyn UserStore,
        id: UserId,
        at: DateTime<Utc>,
    ) -> StoreResult<()> {
        rows.set_last_login(id, at).await
    }

    /// [`UserStore::set_active`]. The row must be changed too: sessions look there.
    async fn set_active(
        &mut self,
        rows: &mut dyn UserStore,
        id: UserId,
        active: bool,
        at: DateTime<Utc>,
    ) -> StoreResult<()> {
        rows.set_active(id, active, at).await
    }

    /// [`UserStore::all`].
    async fn all(&mut self, rows: &mut dyn UserStore) -> StoreResult<Vec<User>> {
        rows.all().await
    }

    /// Keeps what it has done, right before the school keeps what it has done.
    #[expect(clippy::must_use_candidate, reason = "a future that nobody awaits is told of anyway")]
    async fn commit(self: Box<Self>) -> StoreResult<()> {
        Ok(())
    }
}

/// A storage whose people are kept elsewhere.
#[derive(Clone, Debug)]
pub struct WithUsers {
    inner: Arc<dyn Storage>,
    users: Arc<dyn UserDirectory>,
}

impl WithUsers {
    /// This storage, with people who are kept there.
    #[must_use]
    pub const fn new(inner: Arc<dyn Storage>, users: Arc<dyn UserDirectory>) -> Self {
        Self { inner, users }
    }

    fn over(&self, inner: Box<dyn Transaction>) -> Box<dyn Transaction> {
        Box::new(Overlaid { users: self.users.open(), inner })
    }
}

#[async_trait]
impl Storage for WithUsers {
    async fn read(&self) -> StoreResult<Box<dyn Transaction>> {
        Ok(self.over(self.inner.read().await?))
    }

    async fn write(&self) -> StoreResult<Box<dyn Transaction>> {
        Ok(self.over(self.inner.write().await?))
    }

    async fn check(&self) -> StoreResult<()> {
        self.inner.check().await
    }
}

struct Overlaid {
    users: Box<dyn UserOverlay>,
    inner: Box<dyn Transaction>,
}

#[async_trait]
impl UserStore for Overlaid {
    async fn find(&mut self, id: UserId) -> StoreResult<Option<User>> {
        self.users.find(self.inner.users(), id).await
    }

    async fn find_by_username(&mut self, username: &str) -> StoreResult<Option<User>> {
        self.users.find_by_username(self.inner.users(), username).await
    }

    async fn find_credentials(&mut self, email: &Email) -> StoreResult<Option<Credentials>> {
        self.users.find_credentials(self.inner.users(), email).await
    }

    async fn taken(
        &mut self,
        username: Option<&Username>,
        email: Option<&Email>,
        phone: Option<&Phone>,
    ) -> StoreResult<Taken> {
        self.users.taken(self.inner.users(), username, email, phone).await
    }

    async fn slug_is_taken(&mut self, slug: &str) -> StoreResult<bool> {
        self.users.slug_is_taken(self.inner.users(), slug).await
    }

    async fn add(&mut self, user: &NewUser) -> StoreResult<Option<User>> {
        self.users.add(self.inner.users(), user).await
    }

    async fn set_password(&mut self, id: UserId, hash: &str, at: DateTime<Utc>) -> StoreResult<()> {
        self.users.set_password(self.inner.users(), id, hash, at).await
    }

    async fn set_last_login(&mut self, id: UserId, at: DateTime<Utc>) -> StoreResult<()> {
        self.users.set_last_login(self.inner.users(), id, at).await
    }

    async fn set_active(&mut self, id: UserId, active: bool, at: DateTime<Utc>) -> StoreResult<()> {
        self.users.set_active(self.inner.users(), id, active, at).await
    }

    async fn all(&mut self) -> StoreResult<Vec<User>> {
        self.users.all(self.inner.users()).await
    }
}

macro_rules! others {
    ($($noun:ident: $store:ident),*) => {$(
        fn $noun(&mut self) -> &mut dyn $store {
            self.inner.$noun()
        }
    )*};
}

#[async_trait]
impl Transaction for Overlaid {
    fn users(&mut self) -> &mut dyn UserStore {
        self
    }

    others! {
        sessions: SessionStore,
        resets: ResetStore,
        students: StudentStore,
        teachers: TeacherStore,
        roster: RosterStore,
        categories: CategoryStore,
        courses: CourseStore,
        modules: ModuleStore,
        lessons: LessonStore,
        videos: VideoStore,
        access: AccessStore,
        coupons: CouponStore,
        enrollments: EnrollmentStore,
        orders: OrderStore,
        progress: ProgressStore,
        ratings: RatingStore,
        assessments: AssessmentStore,
        questions: QuestionStore,
        attempts: AttemptStore,
        grading: GradingStore,
        idempotency: IdempotencyStore,
        limits: LimitStore,
        file_names: FileNameStore,
        quotas: QuotaStore,
        jobs: JobStore,
        audit: AuditStore
    }

    async fn commit(self: Box<Self>) -> StoreResult<()> {
        let Self { users, inner } = *self;
        users.commit().await?;
        inner.commit().await
    }
}
