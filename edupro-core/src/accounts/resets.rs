//! The code for a forgotten password (1.6–1.8, security R5 and R6).
//!
//! A request is a random nonce with ten minutes to live. Its code is computed from the nonce with
//! the school's secret whenever it is needed, for the mail and for the comparison, and is stored
//! nowhere.

use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Client, Email, HashError, PasswordProblem, User, UserId, login, password_problems};
use crate::{
    School, StoreError, StoreResult,
    audit::{self, Deed},
    entropy,
    jobs::{self, Task},
    limits::{self, LimitError, Throttled},
};

/// How long a code is good.
pub const CODE_TTL: TimeDelta = TimeDelta::minutes(10);
/// Characters of a code.
pub const CODE_LENGTH: usize = 6;
/// Wrong tries after which a code is void, whether or not limits are on (behaviour G13).
pub const TRIES_MAX: i64 = 5;

/// A request for a new password. A user has one at most: the next replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    /// Who forgot it.
    pub user: UserId,
    /// What the code is computed from.
    pub nonce: String,
    /// When the code ends.
    pub expires_at: DateTime<Utc>,
}

/// Where requests are kept.
#[async_trait]
pub trait ResetStore: Send {
    /// Keeps this request instead of the user's previous one.
    async fn replace(&mut self, reset: &Reset) -> StoreResult<()>;

    /// The user's request, unless its code was used.
    async fn find(&mut self, user: UserId) -> StoreResult<Option<Reset>>;

    /// Counts a try, and returns the request if it had one left and its code was not used.
    async fn take_try(&mut self, user: UserId, most: i64) -> StoreResult<Option<Reset>>;

    /// Gives a try back: it was right.
    async fn give_back_try(&mut self, reset: &Reset) -> StoreResult<()>;

    /// Uses the code up; returns false when somebody else just has.
    async fn consume(&mut self, reset: &Reset, now: DateTime<Utc>) -> StoreResult<bool>;

    /// Forgets requests that ended before `then`.
    async fn purge(&mut self, then: DateTime<Utc>) -> StoreResult<u64>;
}

/// Why a password was not reset. The words are the contract's.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// 1.6: nobody has this address. An inactive account is nobody.
    #[error("User with this email does not exist.")]
    UnknownEmail,
    /// 1.7, 1.8: the same.
    #[error("Invalid email")]
    InvalidEmail,
    /// Wrong, used, replaced, or tried too often.
    #[error("Invalid OTP")]
    InvalidCode,
    /// Right, but too late.
    #[error("OTP expired")]
    Expired,
    /// The new password is not good enough. No try was spent.
    #[error("the new password is not good enough")]
    Weak(Vec<PasswordProblem>),
    /// Too many requests.
    #[error(transparent)]
    Throttled(Throttled),
    /// Too many hashes at once.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The storage.
    #[error("a password reset failed")]
    Store(#[from] StoreError),
}

impl From<LimitError> for ResetError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Throttled(throttled) => Self::Throttled(throttled),
            LimitError::Store(error) => Self::Store(error),
        }
    }
}

async fn active_user(school: &School, email: &Email) -> StoreResult<Option<User>> {
    let mut tx = school.storage.read().await?;
    let known = tx.users().find_credentials(email).await?;
    Ok(known.map(|known| known.user).filter(|user| user.is_active))
}

/// 1.6: sends a code. The answer does not wait for the mail server.
pub async fn request(school: &School, client: &Client, email: &Email) -> Result<(), ResetError> {
    let address = client.address.to_string();
    // Unknown addresses are counted as known ones are: a limit tells nobody who exists.
    limits::take(
        school,
        &[
            (limits::RESET_ADDRESS, &address),
            (limits::RESET, email.as_str()),
            (limits::RESET_DAY, email.as_str()),
            (limits::RESET_SCHOOL, ""),
        ],
    )
    .await?;
    let Some(user) = active_user(school, email).await? else {
        return match school.settings.uniform_reset_response {
            true => Ok(()),
            false => Err(ResetError::UnknownEmail),
        };
    };
    let now = school.clock.now();
    let mut nonce = [0; 32];
    school.entropy.fill(&mut nonce);
    let nonce = entropy::hex(&nonce);
    let reset = Reset { user: user.id, nonce, expires_at: now + CODE_TTL };
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            tx.resets().replace(&reset).await?;
            let task = Task::SendResetCode { user: user.id, nonce: reset.nonce.clone() };
            jobs::until(&mut *tx, school, task, reset.expires_at).await?;
            let deed = Deed::PasswordResetRequested { user: &user };
            audit::note(&mut *tx, school, client, [deed]).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
}

/// 1.7: whether the code is right. Asking does not use it up.
pub async fn verify(school: &School, email: &Email, code: &str) -> Result<(), ResetError> {
    let user = active_user(school, email).await?.ok_or(ResetError::InvalidEmail)?;
    check(school, &user, code).await?;
    Ok(())
}

/// 1.8: sets a new password, uses the code up and ends all sessions of the user.
pub async fn confirm(
    school: &School,
    client: &Client,
    email: &Email,
    code: &str,
    password: &str,
) -> Result<(), ResetError> {
    // What can be said of the password alone is said before anything else.
    let user = active_user(school, email).await?;
    let personal = user.as_ref().map(|user| [user.username.as_str(), user.email.as_str()]);
    let problems = password_problems(password, personal.as_ref().map_or(&[], |names| names));
    if !problems.is_empty() {
        return Err(ResetError::Weak(problems));
    }
    let user = user.ok_or(ResetError::InvalidEmail)?;
    let reset = check(school, &user, code).await?;
    let hash = school.passwords.hash(password).await?;
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            if !tx.resets().consume(&reset, now).await? {
                return Err(ResetError::InvalidCode);
            }
            tx.users().set_password(user.id, &hash, now).await?;
            tx.sessions().revoke_others(user.id, None, now).await?;
            login::tell_password_changed(&mut *tx, school, user.id).await?;
            let deed = Deed::PasswordReset { user: &user };
            audit::note(&mut *tx, school, client, [deed]).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
}

/// Counts the try before it compares, so that parallel guesses get no more than five answers.
async fn check(school: &School, user: &User, code: &str) -> Result<Reset, ResetError> {
    let reset = school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let reset = tx.resets().take_try(user.id, TRIES_MAX).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(reset)
        })
        .await?
        .ok_or(ResetError::InvalidCode)?;
    let right = school.keys.reset_code(user.id, &reset.nonce);
    let guess = entropy::read_code(code);
    if verify_slices_are_equal(guess.as_bytes(), right.as_bytes()).is_err() {
        return Err(ResetError::InvalidCode);
    }
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            tx.resets().give_back_try(&reset).await?;
            tx.commit().await
        })
        .await?;
    match school.clock.now() < reset.expires_at {
        true => Ok(reset),
        false => Err(ResetError::Expired),
    }
}
