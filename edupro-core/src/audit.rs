//! Who did what (security R52): a log that is only ever added to.
//!
//! An entry is written in the transaction of its cause, so neither is there without the other, and
//! costs one statement. It copies names, because it is about the past, and refers to nothing that
//! could take it along. It never holds a password, a token, a code for a password or the whole of a
//! coupon's code.
//!
//! # One more thing that is noted
//!
//! A word in [`Action`], a variant of `Deed` with what is known where it happens, and an arm in
//! `Deed::entry`, which is the only place that decides what an entry says. The place where it
//! happens gets one line, `audit::note`.

use std::{collections::BTreeMap, net::IpAddr};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Page, PageOf, School, StoreError, StoreResult, Transaction,
    accounts::{Actor, Client, Email, Session, User, UserId},
    assessments::Assessment,
    coupons::{Coupon, Item},
    courses::Course,
    events::money,
    lessons::Lesson,
    modules::Module,
};

/// How long an entry is kept (security R52). The storage refuses to delete younger ones, so a shorter
/// time needs a migration.
pub const KEPT: TimeDelta = TimeDelta::days(400);
/// Characters of a coupon's code that an entry shows (security R50).
const CODE_SHOWN: usize = 3;

macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident = $word:literal,)*) => {
        /// What was done. Its word is what is stored, shown and asked for, and never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Action {
            $($(#[$doc])* $action,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$action,)*];

            /// The word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$action => $word,)*
                }
            }
        }
    };
}

actions! {
    /// Somebody logged in.
    LoggedIn = "logged_in",
    /// Somebody tried to and was not let in.
    LoginFailed = "login_failed",
    /// That was one failure too many: a limit refuses the next ones for a while.
    LoginLocked = "login_locked",
    /// Somebody logged out.
    LoggedOut = "logged_out",
    /// Somebody ended one of their own sessions.
    SessionEnded = "session_ended",
    /// A refresh token was used that had been replaced long ago; its session has ended.
    RefreshTokenReused = "refresh_token_reused",
    /// A code for a forgotten password was asked for.
    PasswordResetRequested = "password_reset_requested",
    /// A new password was set with such a code.
    PasswordReset = "password_reset",
    /// Somebody changed their password.
    PasswordChanged = "password_changed",
    /// Somebody registered.
    Registered = "registered",
    /// An administrator was made.
    AdminCreated = "admin_created",
    /// An account was opened again.
    AccountOpened = "account_opened",
    /// An account was closed.
    AccountClosed = "account_closed",
    /// A student joined a teacher, perhaps again.
    StudentJoined = "student_joined",
    /// A teacher blocked a student.
    StudentBlocked = "student_blocked",
    /// A teacher let a student in again.
    StudentUnblocked = "student_unblocked",
    /// A teacher removed a student.
    StudentRemoved = "student_removed",
    /// Coupons were made.
    CouponsCreated = "coupons_created",
    /// A coupon was changed.
    CouponChanged = "coupon_changed",
    /// A student enrolled with a coupon.
    CouponRedeemed = "coupon_redeemed",
    /// Something costs something else now.
    PriceChanged = "price_changed",
    /// Something was published.
    Published = "published",
    /// Something was taken back.
    Unpublished = "unpublished",
    /// A person gave points to an answer that had none.
    Graded = "graded",
    /// A person gave an answer other points than it had.
    GradeChanged = "grade_changed",
    /// Answers were marked again by another key.
    Regraded = "regraded",
    /// Something was deleted; the object says what.
    Deleted = "deleted",
    /// Entries that were old enough were deleted from the log.
    Purged = "purged",
}

impl Action {
    /// The action of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == word)
    }
}

/// By whom something is done, as far as the log cares. Nobody without an address is the command
/// line, or the program by itself.
#[derive(Clone, Debug, Default)]
pub struct By {
    actor: Option<(UserId, String)>,
    address: Option<IpAddr>,
}

impl By {
    /// The command line, or the program by itself.
    #[must_use]
    pub fn nobody() -> Self {
        Self::default()
    }
}

impl From<&Actor> for By {
    fn from(actor: &Actor) -> Self {
        Self { actor: Some((actor.id, actor.username.clone())), address: actor.address }
    }
}

/// Somebody who has not shown who they are.
impl From<&Client> for By {
    fn from(client: &Client) -> Self {
        Self { actor: None, address: Some(client.address) }
    }
}

/// Names and values, in the order of their names on every database.
pub type Details = BTreeMap<String, Value>;

/// An entry that is about to be added.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// What was done.
    pub action: Action,
    /// Who did it, and what they were called. `None` is nobody who is known, or the command line.
    pub actor: Option<(UserId, String)>,
    /// From where, if a request caused it.
    pub address: Option<IpAddr>,
    /// Whose school it concerns.
    pub teacher: Option<UserId>,
    /// Which student it concerns. The store copies the username.
    pub student: Option<UserId>,
    /// To what it was done: its kind and its id.
    pub object: (&'static str, String),
    /// What there was before.
    pub before: Option<Details>,
    /// What there was afterwards.
    pub after: Option<Details>,
}

/// An entry as it stands in the log. Words are shown as they were written, also those that this
/// version of the program no longer has.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The word of the [`Action`].
    pub action: String,
    /// Who did it, and what they were called.
    pub actor: Option<(UserId, String)>,
    /// Whose school it concerns.
    pub teacher: Option<UserId>,
    /// Which student it concerns, and what they were called.
    pub student: Option<(UserId, String)>,
    /// From where.
    pub address: Option<String>,
    /// To what it was done: its kind and its id.
    pub object: (String, String),
    /// What there was before.
    pub before: Option<Details>,
    /// What there was afterwards.
    pub after: Option<Details>,
}

/// Which entries of the whole log are asked for. What is not given filters nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogQuery {
    /// From this moment on.
    pub since: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
    /// What this person did, or what was done to them.
    pub user: Option<UserId>,
    /// Only this.
    pub action: Option<Action>,
    /// How many at most: the latest of them.
    pub limit: i64,
}

/// Which entries a teacher asks for.
#[derive(Clone, Copy, Debug)]
pub struct StudentsQuery {
    /// Only those that concern this student.
    pub student: Option<UserId>,
    /// Only this.
    pub action: Option<Action>,
    /// Which part.
    pub page: Page,
}

/// Where the log is kept. There is no way to change an entry, and the storage itself refuses it.
#[async_trait]
pub trait AuditStore: Send {
    /// Adds entries in this order, in one statement.
    async fn append(&mut self, entries: &[NewEntry]) -> StoreResult<()>;

    /// The latest entries, the oldest of them first.
    async fn log(&mut self, query: &LogQuery) -> StoreResult<Vec<Entry>>;

    /// A page of the entries that concern a teacher and a student, the newest first; `None` when
    /// there is no such page.
    async fn of_students(
        &mut self,
        teacher: UserId,
        query: &StudentsQuery,
    ) -> StoreResult<Option<PageOf<Entry>>>;

    /// When the oldest entry was made.
    async fn oldest(&mut self) -> StoreResult<Option<DateTime<Utc>>>;

    /// Deletes entries from before `then`; returns how many. An error when one of them is not older
    /// than the newest of all by [`KEPT`].
    async fn purge(&mut self, then: DateTime<Utc>) -> StoreResult<u64>;
}

/// Adds to the log what has just been done in this transaction.
pub(crate) async fn note<'a>(
    tx: &mut dyn Transaction,
    school: &School,
    by: impl Into<By>,
    deeds: impl IntoIterator<Item = Deed<'a>>,
) -> StoreResult<()> {
    let (at, by) = (school.clock.now(), by.into());
    let entries: Vec<_> = deeds.into_iter().map(|deed| deed.entry(at, &by)).collect();
    match entries.is_empty() {
        true => Ok(()),
        false => tx.audit().append(&entries).await,
    }
}

/// Deletes what is old enough, and says so in the log: that entry is also what shows the storage how
/// late it is.
pub(crate) async fn purge(tx: &mut dyn Transaction, school: &School) -> StoreResult<()> {
    let then = school.clock.now() - KEPT;
    if tx.audit().oldest().await?.is_none_or(|oldest| oldest >= then) {
        return Ok(());
    }
    note(tx, school, By::nobody(), [Deed::Purged { until: then }]).await?;
    tx.audit().purge(then).await?;
    Ok(())
}

/// Why a list was not shown.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The list has no such page.
    #[error("Invalid page.")]
    NoSuchPage,
    /// The storage.
    #[error("the audit log could not be read")]
    Store(#[from] StoreError),
}

/// A page of what concerns a teacher's students, the newest first.
pub async fn of_students(
    tx: &mut dyn Transaction,
    teacher: UserId,
    query: &StudentsQuery,
) -> Result<PageOf<Entry>, AuditError> {
    tx.audit().of_students(teacher, query).await?.ok_or(AuditError::NoSuchPage)
}

/// What a course, a module, a lesson or an assessment shows and costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// `None` for what has no price of its own.
    pub(crate) price: Option<Decimal>,
    pub(crate) is_free: bool,
    pub(crate) is_published: bool,
}

impl Course {
    pub(crate) const fn offer(&self) -> Offer {
        let Self { price, is_free, is_published, .. } = self;
        Offer { price: Some(*price), is_free: *is_free, is_published: *is_published }
    }
}

impl Module {
    pub(crate) const fn offer(&self) -> Offer {
        let Self { price, is_free, is_published, .. } = self;
        Offer { price: Some(*price), is_free: *is_free, is_published: *is_published }
    }
}

impl Lesson {
    pub(crate) const fn offer(&self) -> Offer {
        Offer { price: None, is_free: self.is_free, is_published: self.is_published }
    }
}

impl Assessment {
    pub(crate) const fn offer(&self) -> Offer {
        Offer { price: None, is_free: false, is_published: self.is_published }
    }
}

impl Offer {
    /// What is noted when this has become `after`.
    pub(crate) fn changes(
        self,
        after: Self,
        teacher: UserId,
        object: (&'static str, Uuid),
    ) -> impl Iterator<Item = Deed<'static>> {
        let is_dearer = (self.price, self.is_free) != (after.price, after.is_free);
        let price =
            is_dearer.then_some(Deed::PriceChanged { teacher, object, before: self, after });
        let published =
            (self.is_published != after.is_published).then_some(Deed::PublicationChanged {
                teacher,
                object,
                is_published: after.is_published,
            });
        price.into_iter().chain(published)
    }
}

/// What was done, with what is known where it happens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed<'a> {
    LoggedIn {
        user: &'a User,
        teacher: Option<UserId>,
        session: &'a Session,
    },
    LoginFailed {
        login: FailedLogin<'a>,
        reason: &'static str,
    },
    LoginLocked {
        login: FailedLogin<'a>,
        limit: &'static str,
    },
    LoggedOut {
        user: &'a User,
        session: Uuid,
    },
    SessionEnded {
        user: &'a User,
        session: Uuid,
    },
    RefreshTokenReused {
        user: &'a User,
        session: Uuid,
    },
    PasswordResetRequested {
        user: &'a User,
    },
    PasswordReset {
        user: &'a User,
    },
    PasswordChanged {
        user: &'a User,
    },
    Registered {
        user: &'a User,
        teacher: Option<UserId>,
    },
    AdminCreated {
        user: &'a User,
    },
    AccountSet {
        user: &'a User,
        is_active: bool,
    },
    StudentJoined {
        teacher: UserId,
        student: UserId,
    },
    StudentBlocked {
        teacher: UserId,
        student: UserId,
    },
    StudentUnblocked {
        teacher: UserId,
        student: UserId,
    },
    StudentRemoved {
        teacher: UserId,
        student: UserId,
    },
    CouponsCreated {
        teacher: UserId,
        coupons: &'a [Coupon],
    },
    CouponChanged {
        before: &'a Coupon,
        after: &'a Coupon,
    },
    CouponDeleted {
        coupon: &'a Coupon,
    },
    CouponRedeemed {
        coupon: &'a Coupon,
        student: UserId,
        item: &'a Item,
    },
    PriceChanged {
        teacher: UserId,
        object: (&'static str, Uuid),
        before: Offer,
        after: Offer,
    },
    PublicationChanged {
        teacher: UserId,
        object: (&'static str, Uuid),
        is_published: bool,
    },
    Graded {
        teacher: UserId,
        student: UserId,
        answer: Uuid,
        before: Option<Decimal>,
        after: Decimal,
    },
    Regraded {
        teacher: UserId,
        assessment: Uuid,
        policy: &'static str,
        changed_answers: usize,
    },
    Deleted {
        teacher: UserId,
        object: (&'static str, Uuid),
        title: &'a str,
    },
    EnrollmentDeleted {
        teacher: UserId,
        student: UserId,
        enrollment: i64,
        course: Uuid,
    },
    RatingDeleted {
        teacher: UserId,
        student: UserId,
        rating: i64,
        course: Uuid,
        stars: i64,
    },
    Purged {
        until: DateTime<Utc>,
    },
}

/// A log-in that came to nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FailedLogin<'a> {
    /// The address that was given.
    pub(crate) email: &'a Email,
    /// Whose it is, if it is that of an open account.
    pub(crate) user: Option<&'a User>,
    /// At whose school, if that is whose student it is.
    pub(crate) teacher: Option<UserId>,
}

/// The student that a user is.
fn student(user: &User) -> Option<UserId> {
    user.is_student().then_some(user.id)
}

fn details<const N: usize>(pairs: [(&str, Value); N]) -> Details {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The end of a code: enough to find the coupon among a teacher's, too little to use it.
fn shown(code: &str) -> String {
    let hidden = code.chars().count().saturating_sub(CODE_SHOWN);
    format!("…{}", code.chars().skip(hidden).collect::<String>())
}

/// What a teacher may change of a coupon.
fn terms(coupon: &Coupon) -> [(&'static str, Value); 5] {
    [
        ("expires_at", json!(coupon.expires_at)),
        ("is_active", json!(coupon.is_active)),
        ("max_uses", json!(coupon.max_uses)),
        ("price", json!(money(coupon.price))),
        ("status", json!(coupon.status.as_str())),
    ]
}

/// Of two lists of the same names the values that differ, before and after.
fn differences<const N: usize>(
    before: [(&'static str, Value); N],
    after: [(&'static str, Value); N],
) -> (Option<Details>, Option<Details>) {
    let pairs = before.into_iter().zip(after).filter(|(before, after)| before != after);
    let own = |(name, value): (&str, Value)| (name.to_owned(), value);
    let (before, after) = pairs.map(|(before, after)| (own(before), own(after))).unzip();
    (Some(before), Some(after))
}

impl Deed<'_> {
    /// What the log says of it.
    #[expect(clippy::too_many_lines, reason = "one arm for each thing that is noted")]
    fn entry(self, at: DateTime<Utc>, by: &By) -> NewEntry {
        let entry = |action, kind, id: &dyn ToString| NewEntry {
            at,
            action,
            actor: by.actor.clone(),
            address: by.address,
            teacher: None,
            student: None,
            object: (kind, id.to_string()),
            before: None,
            after: None,
        };
        let of_user = |action, user: &User| NewEntry {
            student: student(user),
            ..entry(action, "user", &user.id)
        };
        let of_session = |action, user: &User, session: Uuid| NewEntry {
            student: student(user),
            after: Some(details([("user", json!(user.username))])),
            ..entry(action, "session", &session)
        };
        let of_roster = |action, teacher, student: UserId| NewEntry {
            teacher: Some(teacher),
            student: Some(student),
            ..entry(action, "user", &student)
        };
        let of_login = |action, login: FailedLogin<'_>, after| NewEntry {
            teacher: login.teacher,
            after,
            ..match login.user {
                Some(user) => of_user(action, user),
                None => entry(action, "email", login.email),
            }
        };
        let of_coupon = |action, coupon: &Coupon| NewEntry {
            teacher: Some(coupon.teacher),
            ..entry(action, "coupon", &coupon.id.0)
        };
        let of_content = |action, teacher, (kind, id): (_, Uuid)| NewEntry {
            teacher: Some(teacher),
            ..entry(action, kind, &id)
        };
        match self {
            Self::LoggedIn { user, teacher, session } => NewEntry {
                teacher,
                after: Some(details([("user_agent", json!(session.user_agent))])),
                ..of_session(Action::LoggedIn, user, session.id)
            },
            Self::LoginFailed { login, reason } => {
                of_login(Action::LoginFailed, login, Some(details([("reason", json!(reason))])))
            }
            Self::LoginLocked { login, limit } => {
                of_login(Action::LoginLocked, login, Some(details([("limit", json!(limit))])))
            }
            Self::LoggedOut { user, session } => of_session(Action::LoggedOut, user, session),
            Self::SessionEnded { user, session } => of_session(Action::SessionEnded, user, session),
            Self::RefreshTokenReused { user, session } => {
                of_session(Action::RefreshTokenReused, user, session)
            }
            Self::PasswordResetRequested { user } => of_user(Action::PasswordResetRequested, user),
            Self::PasswordReset { user } => of_user(Action::PasswordReset, user),
            Self::PasswordChanged { user } => of_user(Action::PasswordChanged, user),
            Self::Registered { user, teacher } => NewEntry {
                teacher,
                after: Some(details([
                    ("user_type", json!(user.user_type.as_str())),
                    ("username", json!(user.username)),
                ])),
                ..of_user(Action::Registered, user)
            },
            Self::AdminCreated { user } => NewEntry {
                after: Some(details([("username", json!(user.username))])),
                ..of_user(Action::AdminCreated, user)
            },
            Self::AccountSet { user, is_active } => {
                let action = if is_active { Action::AccountOpened } else { Action::AccountClosed };
                NewEntry {
                    before: Some(details([("is_active", json!(user.is_active))])),
                    after: Some(details([
                        ("is_active", json!(is_active)),
                        ("username", json!(user.username)),
                    ])),
                    ..of_user(action, user)
                }
            }
            Self::StudentJoined { teacher, student } => {
                of_roster(Action::StudentJoined, teacher, student)
            }
            Self::StudentBlocked { teacher, student } => {
                of_roster(Action::StudentBlocked, teacher, student)
            }
            Self::StudentUnblocked { teacher, student } => {
                of_roster(Action::StudentUnblocked, teacher, student)
            }
            Self::StudentRemoved { teacher, student } => {
                of_roster(Action::StudentRemoved, teacher, student)
            }
            Self::CouponsCreated { teacher, coupons } => {
                let id = |coupon: Option<&Coupon>| coupon.map_or(0, |coupon| coupon.id.0);
                let first = coupons.first();
                NewEntry {
                    teacher: Some(teacher),
                    after: Some(details([
                        ("count", json!(coupons.len())),
                        ("last_id", json!(id(coupons.last()))),
                        ("price", json!(first.map(|coupon| money(coupon.price)))),
                    ])),
                    ..entry(Action::CouponsCreated, "coupon", &id(first))
                }
            }
            Self::CouponChanged { before, after } => {
                let entry = of_coupon(Action::CouponChanged, after);
                let (before, after) = differences(terms(before), terms(after));
                NewEntry { before, after, ..entry }
            }
            Self::CouponDeleted { coupon } => NewEntry {
                before: Some(details([
                    ("code", json!(shown(&coupon.code))),
                    ("price", json!(money(coupon.price))),
                    ("used_count", json!(coupon.used_count)),
                ])),
                ..of_coupon(Action::Deleted, coupon)
            },
            Self::CouponRedeemed { coupon, student, item } => NewEntry {
                student: Some(student),
                after: Some(details([
                    ("code", json!(shown(&coupon.code))),
                    ("course", json!(item.course)),
                    ("course_title", json!(item.course_title)),
                    ("module", json!(item.module.as_ref().map(|(id, _)| id))),
                    ("price", json!(money(coupon.price))),
                ])),
                ..of_coupon(Action::CouponRedeemed, coupon)
            },
            Self::PriceChanged { teacher, object, before, after } => {
                let pairs = |offer: Offer| {
                    [("is_free", json!(offer.is_free)), ("price", json!(offer.price.map(money)))]
                };
                let (before, after) = differences(pairs(before), pairs(after));
                NewEntry { before, after, ..of_content(Action::PriceChanged, teacher, object) }
            }
            Self::PublicationChanged { teacher, object, is_published } => {
                let action = if is_published { Action::Published } else { Action::Unpublished };
                of_content(action, teacher, object)
            }
            Self::Graded { teacher, student, answer, before, after } => {
                let action = if before.is_some() { Action::GradeChanged } else { Action::Graded };
                let points =
                    |points: Decimal| Some(details([("points_awarded", json!(money(points)))]));
                NewEntry {
                    student: Some(student),
                    before: before.and_then(points),
                    after: points(after),
                    ..of_content(action, teacher, ("answer", answer))
                }
            }
            Self::Regraded { teacher, assessment, policy, changed_answers } => NewEntry {
                after: Some(details([
                    ("changed_answers", json!(changed_answers)),
                    ("policy", json!(policy)),
                ])),
                ..of_content(Action::Regraded, teacher, ("assessment", assessment))
            },
            Self::Deleted { teacher, object, title } => NewEntry {
                before: Some(details([("title", json!(title))])),
                ..of_content(Action::Deleted, teacher, object)
            },
            Self::EnrollmentDeleted { teacher, student, enrollment, course } => NewEntry {
                teacher: Some(teacher),
                student: Some(student),
                before: Some(details([("course", json!(course))])),
                ..entry(Action::Deleted, "enrollment", &enrollment)
            },
            Self::RatingDeleted { teacher, student, rating, course, stars } => NewEntry {
                teacher: Some(teacher),
                student: Some(student),
                before: Some(details([("course", json!(course)), ("rating", json!(stars))])),
                ..entry(Action::Deleted, "rating", &rating)
            },
            Self::Purged { until } => NewEntry {
                after: Some(details([("until", json!(until))])),
                ..entry(Action::Purged, "audit_log", &"")
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_snake_case_and_lead_back() {
        for action in Action::ALL {
            let word = action.as_str();
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{word}");
            assert_eq!(Action::from_word(word), Some(*action));
        }
        assert_eq!(Action::from_word("LOGGED_IN"), None);
    }

    #[test]
    fn a_code_shows_three_characters_at_most() {
        assert_eq!(shown("ABCDEFGH"), "…FGH");
        assert_eq!(shown("AB"), "…AB");
        assert_eq!(shown(""), "…");
    }
}
