//! Policies: what a school forbids beyond its rules. Who may register, who may join, who may enrol.
//!
//! A [`Policy`] is given to the school by value (`Builder::policy`). It is asked **before** the
//! transaction, when everything that could be checked without one is in order, so a refusal
//! changes nothing: no row, no file, no use of a coupon. The rules themselves stay as they are; a
//! policy can forbid what they allow and never the reverse.
//!
//! | asked | before | not asked |
//! | --- | --- | --- |
//! | [`Policy::may_register`] | 1.9, 1.10 | for administrators, who are made on the command line |
//! | [`Policy::may_join`] | 1.11 | when the student is there already; at registration |
//! | [`Policy::may_enroll`] | 4.1, 7.6, and an order | when an order was paid: the student gets it |
//!
//! A refusal is answered with 403 and `{"detail": …}` in the policy's own words. A policy that
//! cannot decide, or does not within five seconds, forbids for now: 503 with `Retry-After`.
//!
//! A school without a policy asks the database nothing more.

use std::{borrow::Cow, fmt, fmt::Debug, time::Duration};

use async_trait::async_trait;
use tokio::time::timeout;

use crate::{
    School,
    accounts::{Email, Phone, User, UserType, Username},
    enrollments::Prospect,
    error::Source,
};

/// How long a policy may think.
const PATIENCE: Duration = Duration::from_secs(5);

/// Somebody who wants to register.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Newcomer<'a> {
    /// As what: a teacher or a student.
    pub user_type: UserType,
    /// With whom, if it is a student, who then joins that teacher as well.
    pub teacher: Option<&'a User>,
    /// First name.
    pub first_name: &'a str,
    /// Last name.
    pub last_name: &'a str,
    /// Well formed, and nobody else's so far.
    pub username: &'a Username,
    /// Well formed, and nobody else's so far; nobody has checked that the person reads it.
    pub email: &'a Email,
    /// Well formed, and nobody else's so far.
    pub phone: &'a Phone,
}

impl Debug for Newcomer<'_> {
    /// Without what could be used to reach the person.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Newcomer")
            .field("user_type", &self.user_type)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Why somebody may not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The policy says no. The client is told so in these words.
    #[error("{message}")]
    Refused {
        /// What the person is told.
        message: Cow<'static, str>,
    },
    /// The policy cannot decide now. Nobody is let through meanwhile.
    #[error("a policy could not decide")]
    Undecided {
        /// When it may be asked again.
        retry_after: Option<Duration>,
        /// What happened, for the log.
        #[source]
        source: Source,
    },
}

impl PolicyError {
    /// No, and the person is told this.
    pub fn refused(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused { message: message.into() }
    }

    /// Nobody knows, because of `source`.
    pub fn undecided(source: impl Into<Source>) -> Self {
        Self::Undecided { retry_after: None, source: source.into() }
    }
}

/// What a school forbids beyond its rules. Whatever is not overridden is allowed.
///
/// ```
/// use async_trait::async_trait;
/// use edupro_core::policies::{Newcomer, Policy, PolicyError};
///
/// /// Only who has an address of the university may register.
/// #[derive(Debug)]
/// struct MembersOnly;
///
/// #[async_trait]
/// impl Policy for MembersOnly {
///     async fn may_register(&self, newcomer: &Newcomer<'_>) -> Result<(), PolicyError> {
///         match newcomer.email.as_str().ends_with("@university.example") {
///             true => Ok(()),
///             false => Err(PolicyError::refused("Please use your university's address.")),
///         }
///     }
/// }
/// ```
///
/// Each method may be called again for the same wish, and the future may be dropped while it waits;
/// a policy only answers, so both change nothing. It may ask the database, through a
/// [`Storage`](crate::Storage) of its own, or somebody outside. It does not log the address or the
/// telephone number of a newcomer.
///
/// To test one, start a `TestApp` of `edupro_http::testkit` with it and try.
#[async_trait]
pub trait Policy: Debug + Send + Sync + 'static {
    /// Whether somebody may register. For a student it decides on joining the teacher too.
    async fn may_register(&self, newcomer: &Newcomer<'_>) -> Result<(), PolicyError> {
        let _ = newcomer;
        Ok(())
    }

    /// Whether a student may join a teacher.
    async fn may_join(&self, student: &User, teacher: &User) -> Result<(), PolicyError> {
        let _ = (student, teacher);
        Ok(())
    }

    /// Whether a student may enrol in a course or a module, or begin to pay for it. All but the
    /// coupon has been checked; a coupon that is wrong is told afterwards.
    async fn may_enroll(&self, student: &User, wanted: &Prospect) -> Result<(), PolicyError> {
        let _ = (student, wanted);
        Ok(())
    }
}

pub(crate) async fn may_register(
    school: &School,
    newcomer: &Newcomer<'_>,
) -> Result<(), PolicyError> {
    match &school.policy {
        Some(policy) => within_patience(policy.may_register(newcomer)).await,
        None => Ok(()),
    }
}

pub(crate) async fn within_patience(
    answer: impl Future<Output = Result<(), PolicyError>>,
) -> Result<(), PolicyError> {
    timeout(PATIENCE, answer).await.unwrap_or_else(|late| Err(PolicyError::undecided(late)))
}
