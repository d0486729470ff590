//! Logging in, and changing a password: the two places where a password is guessed.

use super::{
    Client, Email, HashError, PasswordProblem, SignedIn, Tokens, User, UserId, Verdict,
    password_problems, sessions,
};
use crate::{
    School, StoreError, StoreResult, Transaction,
    events::{Event, announce},
    jobs::{self, Task},
    limits::{Guess, LimitError, Throttled},
    roster::{self, Standing},
};

/// Why somebody is not let in. The words are the contract's (1.2; 1.1 and 1.23 have their own).
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Unknown address, wrong password, closed account: one answer, after one hash.
    #[error("Invalid credentials. Please check your email and password.")]
    InvalidCredentials,
    /// There is no such teacher.
    #[error("Teacher not found.")]
    UnknownTeacher,
    /// The password is right, but not for this teacher's school.
    #[error("You are not registered as a student for this teacher.")]
    NotRegistered,
    /// The teacher has blocked the student.
    #[error("You are blocked by the teacher.")]
    Blocked,
    /// Too many failures.
    #[error(transparent)]
    Throttled(Throttled),
    /// Too many log-ins at once, or a hash that cannot be read.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The storage.
    #[error("a log-in could not be checked")]
    Store(#[from] StoreError),
}

impl From<LimitError> for LoginError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Throttled(throttled) => Self::Throttled(throttled),
            LimitError::Store(error) => Self::Store(error),
        }
    }
}

/// A right guess: who made it, what it costs to take it back, and whether to hash anew.
struct Right {
    user: User,
    guess: Option<Guess>,
    renewed_hash: Option<String>,
}

async fn guess(
    school: &School,
    client: &Client,
    email: &Email,
    password: &str,
) -> Result<Right, LoginError> {
    let guess = Guess::begin(school, email.as_str(), &client.address.to_string()).await?;
    let mut tx = school.storage.read().await?;
    let known = tx.users().find_credentials(email).await?.filter(|known| known.user.is_active);
    drop(tx);
    let stored = known.as_ref().map(|known| known.password_hash.as_str());
    let verdict = school.passwords.verify(password, stored).await?;
    match known {
        Some(known) if verdict != Verdict::Wrong => {
            let renewed_hash = match verdict {
                Verdict::RightButWeak => Some(school.passwords.hash(password).await?),
                Verdict::Right | Verdict::Wrong => None,
            };
            Ok(Right { user: known.user, guess, renewed_hash })
        }
        _ => {
            if let Some(guess) = guess {
                guess.wrong(school).await?;
            }
            Err(LoginError::InvalidCredentials)
        }
    }
}

async fn open(
    school: &School,
    client: &Client,
    right: &Right,
) -> Result<(SignedIn, Tokens), LoginError> {
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut user = right.user.clone();
            let mut tx = school.storage.write().await?;
            if let Some(guess) = &right.guess {
                guess.right(&mut *tx).await?;
            }
            if let Some(hash) = &right.renewed_hash {
                tx.users().set_password(user.id, hash, now).await?;
            }
            let (session, tokens) = sessions::open(&mut *tx, school, &mut user, client).await?;
            tx.commit().await?;
            Ok((SignedIn { user, session }, tokens))
        })
        .await
}

/// 1.1: a teacher or an administrator logs in. A student is told what a stranger is told.
pub async fn teacher(
    school: &School,
    client: &Client,
    email: &Email,
    password: &str,
) -> Result<(SignedIn, Tokens), LoginError> {
    let right = guess(school, client, email, password).await?;
    if right.user.is_student() {
        give_back(school, &right).await?;
        return Err(LoginError::InvalidCredentials);
    }
    open(school, client, &right).await
}

/// 1.2: a student logs in at a teacher's school.
pub async fn student(
    school: &School,
    client: &Client,
    teacher: &str,
    email: &Email,
    password: &str,
) -> Result<(SignedIn, Tokens), LoginError> {
    let mut tx = school.storage.read().await?;
    let teacher = roster::teacher(&mut *tx, teacher).await?.ok_or(LoginError::UnknownTeacher)?;
    drop(tx);
    let right = guess(school, client, email, password).await?;
    let mut tx = school.storage.read().await?;
    let standing = match right.user.is_student() {
        true => tx.roster().standing(teacher.id, right.user.id).await?,
        false => None,
    };
    drop(tx);
    let refusal = match standing {
        Some(Standing::Active) => return open(school, client, &right).await,
        Some(Standing::Blocked) => LoginError::Blocked,
        None => LoginError::NotRegistered,
    };
    give_back(school, &right).await?;
    Err(refusal)
}

/// The password was right, so it was no failure, even if nobody is let in.
async fn give_back(school: &School, right: &Right) -> Result<(), StoreError> {
    let Some(guess) = &right.guess else { return Ok(()) };
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            guess.right(&mut *tx).await?;
            tx.commit().await
        })
        .await
}

/// Why a password stays as it is (1.23).
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The old one is not right.
    #[error("Old password is incorrect")]
    WrongPassword,
    /// The new one is not good enough.
    #[error("the new password is not good enough")]
    Weak(Vec<PasswordProblem>),
    /// Too many failures, too many at once, or the storage.
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        Self::Login(error.into())
    }
}

/// 1.23: changes the password and ends every other session. A wrong old password counts as a
/// failed log-in.
pub async fn change_password(
    school: &School,
    client: &Client,
    signed_in: &SignedIn,
    old: &str,
    new: &str,
) -> Result<(), ChangeError> {
    let SignedIn { user, session } = signed_in;
    let email = user
        .email
        .parse()
        .map_err(|_| StoreError::Corrupt { column: "users.email", value: user.email.clone() })?;
    let right = match guess(school, client, &email, old).await {
        Err(LoginError::InvalidCredentials) => return Err(ChangeError::WrongPassword),
        other => other?,
    };
    let problems = password_problems(new, &[&user.username, &user.email]);
    if !problems.is_empty() {
        give_back(school, &right).await?;
        return Err(ChangeError::Weak(problems));
    }
    let hash = school.passwords.hash(new).await.map_err(LoginError::from)?;
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            if let Some(guess) = &right.guess {
                guess.right(&mut *tx).await?;
            }
            tx.users().set_password(user.id, &hash, now).await?;
            tx.sessions().revoke_others(user.id, Some(session.id), now).await?;
            tell_password_changed(&mut *tx, school, user.id).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
}

/// Tells the person, and whoever hears of events, that a password is another now (security R12).
pub(super) async fn tell_password_changed(
    tx: &mut dyn Transaction,
    school: &School,
    user: UserId,
) -> StoreResult<()> {
    jobs::later(tx, school, Task::SendPasswordChanged { user }).await?;
    announce(tx, school, Event::PasswordChanged { user }).await
}
