//! What stands behind the two cookies.
//!
//! Both tokens name a row, the session. Every request looks it up together with its user, so that
//! a log-out, a block, a changed password or a closed account holds from the next request on.
//!
//! A refresh token carries the number of refreshes the session has had. The row keeps that number
//! and nothing of the token itself: a stolen database holds nothing one could log in with.

use std::net::IpAddr;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Actor, Client, User, UserId, keys::TokenType};
use crate::{
    School, StoreError, StoreResult, Transaction,
    audit::{self, By, Deed},
    roster::{self, Standing},
};

/// Sessions a user may have; with one more the oldest ends (security R11).
const SESSIONS_MAX: i64 = 10;
/// Longest user agent that is kept, in characters.
const USER_AGENT_LENGTH: usize = 200;

/// A log-in and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which one.
    pub id: Uuid,
    /// Whose.
    pub user: UserId,
    /// How many refreshes it has had.
    pub generation: i64,
    /// When the person logged in.
    pub created_at: DateTime<Utc>,
    /// The last refresh, or the log-in.
    pub rotated_at: DateTime<Utc>,
    /// When it ends unless it is refreshed.
    pub expires_at: DateTime<Utc>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Where the log-in came from; unknown of sessions that are older than this column.
    pub address: Option<IpAddr>,
}

impl Session {
    /// Whom links are for that this session is given: nobody else, so that one that is passed on is
    /// worth nothing.
    #[must_use]
    pub fn viewer(&self) -> String {
        self.id.to_string()
    }
}

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who, and from where this request came.
    pub user: Actor,
    /// Since when, and until when.
    pub session: Session,
}

/// What a client gets to keep: two cookies.
#[derive(Clone)]
pub struct Tokens {
    /// Shows who is asking; short-lived.
    pub access: String,
    /// Gets a new pair; works once.
    pub refresh: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Tokens")
    }
}

/// Where sessions are kept.
#[async_trait]
pub trait SessionStore: Send {
    /// Adds a session and ends the user's oldest, so that `most` are left: one statement.
    async fn add(&mut self, session: &Session, most: i64) -> StoreResult<()>;

    /// The session and its user, unless it was revoked, has expired, or the account is closed:
    /// one statement.
    async fn find_live(
        &mut self,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<(Session, User)>>;

    /// Counts one more refresh, unless somebody else has counted it already.
    async fn rotate(
        &mut self,
        session: &Session,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> StoreResult<bool>;

    /// A user's sessions that have not ended, the newest first.
    async fn live(&mut self, user: UserId, now: DateTime<Utc>) -> StoreResult<Vec<Session>>;

    /// Ends a session of this user; false when there is none that has not ended.
    async fn revoke(&mut self, user: UserId, id: Uuid, now: DateTime<Utc>) -> StoreResult<bool>;

    /// Ends a user's sessions, all but `keep`.
    async fn revoke_others(
        &mut self,
        user: UserId,
        keep: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> StoreResult<()>;

    /// Forgets sessions that ended before `then`.
    async fn purge(&mut self, then: DateTime<Utc>) -> StoreResult<u64>;
}

/// Opens a session for somebody who has just proved who they are.
pub(super) async fn open(
    tx: &mut dyn Transaction,
    school: &School,
    user: &mut User,
    client: &Client,
) -> Result<(Session, Tokens), StoreError> {
    let now = school.clock.now();
    let user_agent =
        client.user_agent.as_ref().map(|agent| agent.chars().take(USER_AGENT_LENGTH).collect());
    let session = Session {
        id: school.entropy.uuid(now),
        user: user.id,
        generation: 0,
        created_at: now,
        rotated_at: now,
        expires_at: now + school.settings.refresh_ttl,
        user_agent,
        address: Some(client.address),
    };
    let is_only_one = school.settings.single_session && user.is_student();
    tx.sessions().add(&session, if is_only_one { 1 } else { SESSIONS_MAX }).await?;
    tx.users().set_last_login(user.id, now).await?;
    user.last_login = Some(now);
    let tokens = issue(school, &session)?;
    Ok((session, tokens))
}

fn issue(school: &School, session: &Session) -> Result<Tokens, StoreError> {
    let now = school.clock.now();
    let sign = |typ, expires| {
        let token = school.entropy.uuid(now);
        let subject = (session.id, session.generation);
        school.keys.sign(typ, session.user, subject, token, (now, expires))
    };
    let pair = sign(TokenType::Access, now + school.settings.access_ttl)
        .and_then(|access| Ok((access, sign(TokenType::Refresh, session.expires_at)?)));
    let (access, refresh) = pair.map_err(|error| StoreError::Other(Box::new(error)))?;
    Ok(Tokens { access, refresh })
}

/// The session that an access token of ours names, whether or not it still lives.
#[must_use]
pub fn named_by(school: &School, access: &str) -> Option<Uuid> {
    school.keys.read(TokenType::Access, access, school.clock.now()).map(|claims| claims.sid)
}

/// Who holds this access token, shown from `address`; `None` when it is not valid, for whatever
/// reason.
pub async fn authenticate(
    school: &School,
    address: IpAddr,
    access: &str,
) -> StoreResult<Option<SignedIn>> {
    let now = school.clock.now();
    let Some(claims) = school.keys.read(TokenType::Access, access, now) else {
        return Ok(None);
    };
    let mut tx = school.storage.read().await?;
    let found = tx.sessions().find_live(claims.sid, now).await?;
    let user = |user| Actor { user, address: Some(address) };
    Ok(found.map(|(session, found)| SignedIn { user: user(found), session }))
}

/// Why there are no new tokens. The words are the contract's (1.4, 1.5).
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Forged, expired, used up, revoked, an access token, or of a closed account.
    #[error("Invalid or expired refresh token")]
    Invalid,
    /// 1.4 is not for students.
    #[error("Students must use the student refresh endpoint.")]
    Student,
    /// 1.5 is for students only.
    #[error("User is not a student or does not have a student profile.")]
    NotAStudent,
    /// 1.5: there is no such teacher.
    #[error("Teacher not found.")]
    UnknownTeacher,
    /// 1.5: the student is not this teacher's.
    #[error("You are not registered as a student for this teacher.")]
    NotRegistered,
    /// 1.5: the teacher has blocked the student.
    #[error("You are blocked by the teacher.")]
    Blocked,
    /// The storage.
    #[error("a session could not be refreshed")]
    Store(#[from] StoreError),
}

/// A live session that a refresh token names, and how old the token is.
struct Presented {
    session: Session,
    user: User,
    age: Age,
}

/// How a refresh token's number compares with its session's.
#[derive(PartialEq, Eq)]
enum Age {
    /// It is the newest.
    Current,
    /// It was the newest a moment ago: another tab was faster.
    JustReplaced,
    /// It was used long ago. Whoever has it now should not.
    Stale,
}

async fn present(school: &School, refresh: &str) -> StoreResult<Option<Presented>> {
    let now = school.clock.now();
    let Some(claims) = school.keys.read(TokenType::Refresh, refresh, now) else {
        return Ok(None);
    };
    let mut tx = school.storage.read().await?;
    let Some((session, user)) = tx.sessions().find_live(claims.sid, now).await? else {
        return Ok(None);
    };
    let grace = TimeDelta::from_std(school.settings.refresh_grace).unwrap_or_default();
    let age = match session.generation - claims.generation {
        0 => Age::Current,
        1 if now - session.rotated_at <= grace => Age::JustReplaced,
        _ => Age::Stale,
    };
    Ok(Some(Presented { session, user, age }))
}

/// 1.4: new tokens for a teacher or an administrator.
pub async fn refresh(
    school: &School,
    client: &Client,
    token: &str,
) -> Result<Tokens, RefreshError> {
    let presented = valid(school, client, token).await?;
    if presented.user.is_student() {
        return Err(RefreshError::Student);
    }
    rotate(school, presented).await
}

/// 1.5: new tokens for a student under a teacher.
pub async fn refresh_student(
    school: &School,
    client: &Client,
    token: &str,
    teacher: &str,
) -> Result<Tokens, RefreshError> {
    let presented = valid(school, client, token).await?;
    if !presented.user.is_student() {
        return Err(RefreshError::NotAStudent);
    }
    let mut tx = school.storage.read().await?;
    let teacher = roster::teacher(&mut *tx, teacher).await?.ok_or(RefreshError::UnknownTeacher)?;
    match tx.roster().standing(teacher.id, presented.user.id).await? {
        None => return Err(RefreshError::NotRegistered),
        Some(Standing::Blocked) => return Err(RefreshError::Blocked),
        Some(Standing::Active) => {}
    }
    drop(tx);
    rotate(school, presented).await
}

/// A refresh token that may be used; a stale one ends its session (behaviour, top, 1).
async fn valid(school: &School, client: &Client, token: &str) -> Result<Presented, RefreshError> {
    let presented = present(school, token).await?.ok_or(RefreshError::Invalid)?;
    if presented.age == Age::Stale {
        tracing::warn!(
            user = presented.user.id.0,
            "an old refresh token was used; its session ends"
        );
        let Presented { session, user, .. } = &presented;
        let reused = Deed::RefreshTokenReused { user, session: session.id };
        end(school, user.id, &[session.id], client, reused).await?;
        return Err(RefreshError::Invalid);
    }
    Ok(presented)
}

async fn rotate(school: &School, presented: Presented) -> Result<Tokens, RefreshError> {
    let Presented { mut session, age, .. } = presented;
    if age == Age::Current {
        let now = school.clock.now();
        let expires_at = now + school.settings.refresh_ttl;
        school
            .atomically(|| async {
                let mut tx = school.storage.write().await?;
                // When it is not ours to count, another tab has just done so: the same number.
                tx.sessions().rotate(&session, now, expires_at).await?;
                tx.commit().await
            })
            .await?;
        session.generation += 1;
        session.expires_at = expires_at;
    }
    Ok(issue(school, &session)?)
}

/// Ends sessions of a user; returns whether one of them had not ended yet, and notes it then.
async fn end(
    school: &School,
    user: UserId,
    sessions: &[Uuid],
    by: impl Into<By>,
    deed: Deed<'_>,
) -> StoreResult<bool> {
    let (now, by) = (school.clock.now(), by.into());
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let mut has_ended = false;
            for session in sessions {
                has_ended |= tx.sessions().revoke(user, *session, now).await?;
            }
            if has_ended {
                audit::note(&mut *tx, school, by.clone(), [deed]).await?;
            }
            tx.commit().await?;
            Ok(has_ended)
        })
        .await
}

/// One's own sessions that have not ended, the newest first.
pub async fn list(school: &School, user: &User) -> StoreResult<Vec<Session>> {
    let now = school.clock.now();
    school.storage.read().await?.sessions().live(user.id, now).await
}

/// Why a session was not ended.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// One has no such session, or it has ended.
    #[error("Not found.")]
    Unknown,
    /// The storage.
    #[error("a session could not be ended")]
    Store(#[from] StoreError),
}

/// Ends one of one's own sessions: both its tokens are worth nothing from the next request on.
pub async fn end_own(school: &School, actor: &Actor, session: Uuid) -> Result<(), EndError> {
    let deed = Deed::SessionEnded { user: actor, session };
    match end(school, actor.id, &[session], actor, deed).await? {
        true => Ok(()),
        false => Err(EndError::Unknown),
    }
}

/// Why a log-out was not a proper one. The words are the contract's (1.3).
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// Nobody is logged in.
    #[error("Authentication credentials were not provided.")]
    NotSignedIn,
    /// There is an access token only. Its session has ended all the same.
    #[error("No refresh token found")]
    NoRefreshToken,
    /// The refresh token is not valid, or somebody else's. The access token's session has ended.
    #[error("Invalid token")]
    InvalidToken,
    /// The storage.
    #[error("An unexpected error occurred during logout.")]
    Store(#[from] StoreError),
}

/// 1.3: ends the sessions that the two tokens name.
pub async fn logout(
    school: &School,
    client: &Client,
    signed_in: Option<&SignedIn>,
    refresh: Option<&str>,
) -> Result<(), LogoutError> {
    let presented = match refresh {
        Some(token) => {
            present(school, token).await?.filter(|presented| presented.age != Age::Stale)
        }
        None => None,
    };
    let Some(signed_in) = signed_in else {
        let Presented { session, user, .. } = presented.ok_or(LogoutError::NotSignedIn)?;
        let by = Actor { user, address: Some(client.address) };
        let deed = Deed::LoggedOut { user: &by, session: session.id };
        end(school, by.id, &[session.id], &by, deed).await?;
        return Ok(());
    };
    let own = presented.filter(|presented| presented.user.id == signed_in.user.id);
    let mut sessions = vec![signed_in.session.id];
    sessions.extend(own.as_ref().map(|own| own.session.id));
    let user = &signed_in.user;
    let deed = Deed::LoggedOut { user, session: signed_in.session.id };
    end(school, user.id, &sessions, user, deed).await?;
    match (own, refresh) {
        (Some(_), _) => Ok(()),
        (None, None) => Err(LogoutError::NoRefreshToken),
        (None, Some(_)) => Err(LogoutError::InvalidToken),
    }
}
