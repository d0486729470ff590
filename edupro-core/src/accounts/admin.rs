//! What only the command line may do: there is no HTTP path to any of it (security R53).

use super::{
    Email, HashError, NewUser, PasswordProblem, User, UserType, Username, free_slug,
    password_problems,
};
use crate::{
    School, StoreError, Transaction,
    audit::{self, By, Deed, Entry, LogQuery},
};

/// Why an administrator was not made, or an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Somebody has the e-mail address or the username.
    #[error("an account with this email or username exists already")]
    Taken,
    /// The password is not good enough.
    #[error("the password is not good enough: {}", words(.0))]
    Weak(Vec<PasswordProblem>),
    /// Nobody has this username or e-mail address.
    #[error("there is no user {0}; `edupro user list` shows who there is")]
    Unknown(String),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The storage.
    #[error("the account could not be saved")]
    Store(#[from] StoreError),
}

fn words(problems: &[PasswordProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Makes an administrator: an account that is neither a teacher's nor a student's.
pub async fn create(
    school: &School,
    email: &Email,
    username: &Username,
    password: &str,
) -> Result<User, AdminError> {
    let problems = password_problems(password, &[username.as_str(), email.as_str()]);
    if !problems.is_empty() {
        return Err(AdminError::Weak(problems));
    }
    let admin = NewUser {
        email: email.clone(),
        username: username.clone(),
        // Found anew with each try.
        slug: None,
        first_name: username.to_string(),
        last_name: String::new(),
        phone: None,
        parent_phone: None,
        password_hash: school.passwords.hash(password).await?,
        user_type: UserType::Admin,
        is_staff: true,
        avatar: None,
        logo: None,
        created_at: school.clock.now(),
    };
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let slug = free_slug(&mut *tx, username).await?;
            let admin = NewUser { slug, ..admin.clone() };
            let user = tx.users().add(&admin).await?.ok_or(AdminError::Taken)?;
            let deed = Deed::AdminCreated { user: &user };
            audit::note(&mut *tx, school, By::nobody(), [deed]).await?;
            tx.commit().await?;
            Ok(user)
        })
        .await
}

/// Everybody, by id.
pub async fn list(school: &School) -> Result<Vec<User>, AdminError> {
    Ok(school.storage.read().await?.users().all().await?)
}

/// Whoever has this username or e-mail address.
async fn find(tx: &mut dyn Transaction, name: &str) -> Result<User, AdminError> {
    let mut user = tx.users().find_by_username(name).await?;
    if let (None, Ok(email)) = (&user, name.parse()) {
        user = tx.users().find_credentials(&email).await?.map(|known| known.user);
    }
    user.ok_or_else(|| AdminError::Unknown(name.to_owned()))
}

/// The latest entries of the audit log, the oldest of them first; with a username or an e-mail address,
/// what that person did and what was done to them.
pub async fn audit(
    school: &School,
    user: Option<&str>,
    query: LogQuery,
) -> Result<Vec<Entry>, AdminError> {
    let mut tx = school.storage.read().await?;
    let user = match user {
        None => query.user,
        Some(name) => Some(find(&mut *tx, name).await?.id),
    };
    Ok(tx.audit().log(&LogQuery { user, ..query }).await?)
}

/// Closes an account, which ends its sessions, or opens it again.
pub async fn set_active(school: &School, name: &str, active: bool) -> Result<User, AdminError> {
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let mut user = find(&mut *tx, name).await?;
            tx.users().set_active(user.id, active, now).await?;
            if !active {
                tx.sessions().revoke_others(user.id, None, now).await?;
            }
            let deed = Deed::AccountSet { user: &user, is_active: active };
            audit::note(&mut *tx, school, By::nobody(), [deed]).await?;
            tx.commit().await?;
            user.is_active = active;
            Ok(user)
        })
        .await
}
