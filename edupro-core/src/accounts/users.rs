//! People who can log in.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Email, Phone, Username};
use crate::{StoreResult, Transaction, files::FileKey};

/// Which user: an integer, as the contract has it. A student's and a teacher's profile have the
/// same number (behaviour G11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(transparent)]
pub struct UserId(pub i64);

impl fmt::Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What an account is for. The endpoint decides it, never the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserType {
    /// Learns.
    Student,
    /// Makes courses and has students.
    Teacher,
    /// Neither: runs the school.
    Admin,
}

impl UserType {
    /// The word the contract has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Teacher => "teacher",
            Self::Admin => "admin",
        }
    }

    /// The type of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Student, Self::Teacher, Self::Admin].into_iter().find(|known| known.as_str() == word)
    }
}

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Which one.
    pub id: UserId,
    /// In lower case, unique.
    pub email: String,
    /// Unique whatever its case.
    pub username: String,
    /// The readable part of links, unique.
    pub slug: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Unique; an administrator may have none.
    pub phone: Option<String>,
    /// A student's parent.
    pub parent_phone: Option<String>,
    /// What the account is for.
    pub user_type: UserType,
    /// Runs the school; given on the command line only.
    pub is_staff: bool,
    /// When false: no log-in, and every session is void.
    pub is_active: bool,
    /// The picture given at registration.
    pub avatar: Option<FileKey>,
    /// The logo given at registration.
    pub logo: Option<FileKey>,
    /// The last successful log-in.
    pub last_login: Option<DateTime<Utc>>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

impl User {
    /// First and last name: what a profile is called until it says otherwise.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    /// Whether the account is a teacher's.
    #[must_use]
    pub fn is_teacher(&self) -> bool {
        self.user_type == UserType::Teacher
    }

    /// Whether the account is a student's.
    #[must_use]
    pub fn is_student(&self) -> bool {
        self.user_type == UserType::Student
    }
}

/// A user together with what proves who they are.
#[derive(Clone)]
pub struct Credentials {
    /// Who.
    pub user: User,
    /// A PHC string, or Django's `pbkdf2_sha256$…` of a school that moved in.
    pub password_hash: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// An account that is about to be made.
#[derive(Clone)]
pub struct NewUser {
    /// Unique.
    pub email: Email,
    /// Unique.
    pub username: Username,
    /// Unique; `None` becomes `user-<id>`.
    pub slug: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Unique.
    pub phone: Option<Phone>,
    /// A student's parent.
    pub parent_phone: Option<Phone>,
    /// A PHC string.
    pub password_hash: String,
    /// What the account is for.
    pub user_type: UserType,
    /// Runs the school.
    pub is_staff: bool,
    /// The stored picture.
    pub avatar: Option<FileKey>,
    /// The stored logo.
    pub logo: Option<FileKey>,
    /// Now.
    pub created_at: DateTime<Utc>,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NewUser").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Which of the unique values somebody already has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The username, in any case.
    pub username: bool,
    /// The e-mail address, in any case.
    pub email: bool,
    /// The telephone number.
    pub phone: bool,
}

/// Where people are kept, inside one transaction.
///
/// A school that has its people in another table or service replaces this store alone: a
/// [`UserDirectory`](crate::storage::UserDirectory), given to `Builder::users`, lies over the
/// school's own rows and answers what it knows better.
///
/// # What is promised
///
/// - **Part of a transaction.** What was written is kept by its commit and undone when it is
///   dropped, together with everything else in it.
/// - **Each unique value is one person's**: the e-mail address, the username in whatever case, the
///   telephone number, the slug; also when several want it at the same moment.
/// - **Not there is `None`**, and a change to somebody who is gone changes nothing. Neither is an
///   error.
/// - **Whoever registers reads after a refusal**: when [`add`](Self::add) says `None`, the
///   transaction is still good, and [`taken`](Self::taken) says why.
/// - **All of it may be dropped** at any `await`; the transaction is dropped with it.
/// - **What the log gets.** Ids. Never a hash, an address or a telephone number.
/// - **People wait**: each method is asked while somebody logs in or registers, and on SQLite while
///   nobody else can write. So it asks a database nearby, not a service far away.
///
/// # Use it
///
/// ```
/// # use edupro_core::{Storage, StoreResult, accounts::Email};
/// # async fn example(storage: &dyn Storage, email: &Email) -> StoreResult<bool> {
/// let mut tx = storage.read().await?;
/// let found = tx.users().find_credentials(email).await?;
/// Ok(found.is_some_and(|found| found.user.is_active))
/// # }
/// ```
///
/// # Test it
///
/// With the feature `conformance`, `conformance::storage::users` asks whatever these promises say of
/// a [`Storage`](crate::Storage) with the store in it. `examples/custom_users.rs` is a whole one.
#[async_trait]
pub trait UserStore: Send {
    /// The user with this id.
    async fn find(&mut self, id: UserId) -> StoreResult<Option<User>>;

    /// The user with this username, in any case. Any text may be asked for.
    async fn find_by_username(&mut self, username: &str) -> StoreResult<Option<User>>;

    /// The user with this e-mail address, and what proves who they are: also one whose account is
    /// closed, which is the rule's to say.
    async fn find_credentials(&mut self, email: &Email) -> StoreResult<Option<Credentials>>;

    /// Which of these values somebody has; a value that is not given is not taken.
    async fn taken(
        &mut self,
        username: Option<&Username>,
        email: Option<&Email>,
        phone: Option<&Phone>,
    ) -> StoreResult<Taken>;

    /// Whether somebody's links have this slug.
    async fn slug_is_taken(&mut self, slug: &str) -> StoreResult<bool>;

    /// Adds the user, who is active and has never logged in, or returns `None` when one of the
    /// unique values is taken.
    async fn add(&mut self, user: &NewUser) -> StoreResult<Option<User>>;

    /// Replaces the password. The sessions that it opened are ended by the rule.
    async fn set_password(&mut self, id: UserId, hash: &str, at: DateTime<Utc>) -> StoreResult<()>;

    /// Notes a successful log-in.
    async fn set_last_login(&mut self, id: UserId, at: DateTime<Utc>) -> StoreResult<()>;

    /// Lets a user in or keeps them out: from the next request on, every session is void.
    async fn set_active(&mut self, id: UserId, active: bool, at: DateTime<Utc>) -> StoreResult<()>;

    /// Everybody, by id: for the command line.
    async fn all(&mut self) -> StoreResult<Vec<User>>;
}

/// The username's slug, with a number behind it when somebody has it; `None` when it is empty.
pub(crate) async fn free_slug(
    tx: &mut dyn Transaction,
    username: &Username,
) -> StoreResult<Option<String>> {
    let slug = username.slug();
    if slug.is_empty() {
        return Ok(None);
    }
    let mut candidate = slug.clone();
    let mut number = 1;
    while tx.users().slug_is_taken(&candidate).await? {
        number += 1;
        candidate = format!("{slug}-{number}");
    }
    Ok(Some(candidate))
}
