//! Logging in, and changing a password: the two places where a password is guessed.

use super::{
    Actor, Client, Email, HashError, PasswordProblem, SignedIn, Tokens, UserId, Verdict,
    password_problems, sessions,
};
use crate::{
    School, StoreError, StoreResult, Transaction,
    audit::{self, By, Deed, FailedLogin},
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
    user: Actor,
    guess: Option<Guess>,
    renewed_hash: Option<String>,
}

/// Why somebody is not let in, in the words of the audit log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusal {
    WrongPassword,
    StudentAtTeachersDoor,
    NotRegistered,
    Blocked,
}

impl Refusal {
    const fn as_str(self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong_password",
            Self::StudentAtTeachersDoor => "student_at_teachers_door",
            Self::NotRegistered => "not_registered",
            Self::Blocked => "blocked",
        }
    }
}

/// Notes that somebody is not let in. A wrong password counts against the limits; a right one was no
/// failure, whatever else speaks against it.
///
/// A teacher is told of those who are their students, and of nobody else's.
async fn refuse(
    school: &School,
    by: &By,
    guess: Option<&Guess>,
    login: FailedLogin<'_>,
    refusal: Refusal,
) -> StoreResult<()> {
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let locked = match (guess, refusal) {
                (None, _) => None,
                (Some(guess), Refusal::WrongPassword) => guess.wrong(&mut *tx, school).await?,
                (Some(guess), _) => {
                    guess.right(&mut *tx).await?;
                    None
                }
            };
            let teacher = match login.teacher {
                None => None,
                // Asked for strangers as well: who exists is not told by the time it takes.
                Some(teacher) => {
                    let student = login.user.map_or(UserId(0), |user| user.id);
                    let standing = tx.roster().standing(teacher, student).await?;
                    standing.map(|_| teacher)
                }
            };
            let login = FailedLogin { teacher, ..login };
            let failed = Deed::LoginFailed { login, reason: refusal.as_str() };
            let locked = locked.map(|limit| Deed::LoginLocked { login, limit: limit.name });
            let deeds = std::iter::once(failed).chain(locked);
            audit::note(&mut *tx, school, by.clone(), deeds).await?;
            tx.commit().await
        })
        .await
}

async fn guess(
    school: &School,
    client: &Client,
    by: &By,
    teacher: Option<UserId>,
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
            let user = Actor { user: known.user, address: Some(client.address) };
            Ok(Right { user, guess, renewed_hash })
        }
        known => {
            let user = known.as_ref().map(|known| &known.user);
            let login = FailedLogin { email, user, teacher };
            refuse(school, by, guess.as_ref(), login, Refusal::WrongPassword).await?;
            Err(LoginError::InvalidCredentials)
        }
    }
}

async fn open(
    school: &School,
    client: &Client,
    teacher: Option<UserId>,
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
            let (session, tokens) =
                sessions::open(&mut *tx, school, &mut user.user, client).await?;
            let deed = Deed::LoggedIn { user: &user, teacher, session: &session };
            audit::note(&mut *tx, school, &user, [deed]).await?;
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
    let by = By::from(client);
    let right = guess(school, client, &by, None, email, password).await?;
    if right.user.is_student() {
        let login = FailedLogin { email, user: Some(&right.user), teacher: None };
        let refusal = Refusal::StudentAtTeachersDoor;
        refuse(school, &by, right.guess.as_ref(), login, refusal).await?;
        return Err(LoginError::InvalidCredentials);
    }
    open(school, client, None, &right).await
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
    let (by, teacher) = (By::from(client), teacher.id);
    let right = guess(school, client, &by, Some(teacher), email, password).await?;
    let mut tx = school.storage.read().await?;
    let standing = match right.user.is_student() {
        true => tx.roster().standing(teacher, right.user.id).await?,
        false => None,
    };
    drop(tx);
    let (refusal, error) = match standing {
        Some(Standing::Active) => return open(school, client, Some(teacher), &right).await,
        Some(Standing::Blocked) => (Refusal::Blocked, LoginError::Blocked),
        None => (Refusal::NotRegistered, LoginError::NotRegistered),
    };
    let login = FailedLogin { email, user: Some(&right.user), teacher: Some(teacher) };
    refuse(school, &by, right.guess.as_ref(), login, refusal).await?;
    Err(error)
}

/// The password was right, so it was no failure, whatever became of the request.
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
    let right = match guess(school, client, &user.into(), None, &email, old).await {
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
            audit::note(&mut *tx, school, user, [Deed::PasswordChanged { user }]).await?;
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
