use std::net::IpAddr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    accounts::{Session, SessionStore, User, UserId},
};
use uuid::Uuid;

use crate::{
    sql::Tx,
    users::{UserRow, user_columns},
};

#[derive(sqlx::FromRow)]
struct SessionRow {
    session_id: Uuid,
    generation: i64,
    session_created_at: DateTime<Utc>,
    rotated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    user_agent: Option<String>,
    session_address: Option<String>,
    #[sqlx(flatten)]
    user: UserRow,
}

/// A session without its user.
#[derive(sqlx::FromRow)]
struct OwnSessionRow {
    id: Uuid,
    user_id: i64,
    generation: i64,
    created_at: DateTime<Utc>,
    rotated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    user_agent: Option<String>,
    address: Option<String>,
}

impl TryFrom<OwnSessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: OwnSessionRow) -> StoreResult<Self> {
        Ok(Self {
            id: row.id,
            user: UserId(row.user_id),
            generation: row.generation,
            created_at: row.created_at,
            rotated_at: row.rotated_at,
            expires_at: row.expires_at,
            user_agent: row.user_agent,
            address: address(row.address)?,
        })
    }
}

fn address(stored: Option<String>) -> StoreResult<Option<IpAddr>> {
    let parse = |text: String| {
        text.parse().map_err(|_| StoreError::Corrupt { column: "sessions.address", value: text })
    };
    stored.map(parse).transpose()
}

impl SessionRow {
    fn split(self) -> StoreResult<(Session, User)> {
        let user: User = self.user.try_into()?;
        let session = Session {
            id: self.session_id,
            user: user.id,
            generation: self.generation,
            created_at: self.session_created_at,
            rotated_at: self.rotated_at,
            expires_at: self.expires_at,
            user_agent: self.user_agent,
            address: address(self.session_address)?,
        };
        Ok((session, user))
    }
}

#[async_trait]
impl SessionStore for Tx {
    async fn add(&mut self, session: &Session, most: i64) -> StoreResult<()> {
        // Those that are too many are there already, and so are changed and not added. Without the
        // WHERE, SQLite would take ON for a join's.
        let changed = self
            .query(
                "INSERT INTO sessions (id, user_id, generation, created_at, rotated_at, expires_at,
                                   user_agent, address)
             SELECT id, user_id, generation, created_at, rotated_at, expires_at, user_agent, address
             FROM (SELECT * FROM sessions
                   WHERE user_id = $2 AND revoked_at IS NULL AND expires_at > $4
                   ORDER BY created_at DESC, id DESC
                   LIMIT 1000 OFFSET $9) AS oldest
             UNION ALL
             SELECT $1, $2, $3, $4, $5, $6, $7, $8
             WHERE TRUE
             ON CONFLICT (id) DO UPDATE SET revoked_at = $4 WHERE sessions.id <> $1
             RETURNING id",
            )
            .bind(session.id)
            .bind(session.user.0)
            .bind(session.generation)
            .bind(session.created_at)
            .bind(session.rotated_at)
            .bind(session.expires_at)
            .bind(session.user_agent.clone())
            .bind(session.address.map(|address| address.to_string()))
            .bind(most - 1)
            .all::<(Uuid,)>()
            .await?;
        match changed.contains(&(session.id,)) {
            true => Ok(()),
            false => Err(StoreError::Conflict),
        }
    }

    async fn find_live(
        &mut self,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<(Session, User)>> {
        let row = self
            .query(concat!(
                "SELECT s.id AS session_id, s.generation, s.created_at AS session_created_at,
                        s.rotated_at, s.expires_at, s.user_agent,
                        s.address AS session_address, ",
                user_columns!(),
                " FROM sessions s
                 JOIN users u ON u.id = s.user_id
                 WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 AND u.is_active"
            ))
            .bind(id)
            .bind(now)
            .optional::<SessionRow>()
            .await?;
        row.map(SessionRow::split).transpose()
    }

    async fn rotate(
        &mut self,
        session: &Session,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let rotated = self
            .query(
                "UPDATE sessions SET generation = generation + 1, rotated_at = $3, expires_at = $4
                 WHERE id = $1 AND generation = $2 AND revoked_at IS NULL",
            )
            .bind(session.id)
            .bind(session.generation)
            .bind(now)
            .bind(expires_at)
            .execute()
            .await?;
        Ok(rotated == 1)
    }

    async fn live(&mut self, user: UserId, now: DateTime<Utc>) -> StoreResult<Vec<Session>> {
        let rows = self
            .query(
                "SELECT id, user_id, generation, created_at, rotated_at, expires_at, user_agent,
                        address
                 FROM sessions
                 WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2
                 ORDER BY created_at DESC, id DESC",
            )
            .bind(user.0)
            .bind(now)
            .all::<OwnSessionRow>()
            .await?;
        rows.into_iter().map(Session::try_from).collect()
    }

    async fn revoke(&mut self, user: UserId, id: Uuid, now: DateTime<Utc>) -> StoreResult<bool> {
        let revoked = self
            .query(
                "UPDATE sessions SET revoked_at = $3
                 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3",
            )
            .bind(id)
            .bind(user.0)
            .bind(now)
            .execute()
            .await?;
        Ok(revoked == 1)
    }

    async fn revoke_others(
        &mut self,
        user: UserId,
        keep: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> StoreResult<()> {
        // No session has the nil UUID, so without one to keep all of them end.
        self.query(
            "UPDATE sessions SET revoked_at = $3
             WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL",
        )
        .bind(user.0)
        .bind(keep.unwrap_or(Uuid::nil()))
        .bind(now)
        .execute()
        .await?;
        Ok(())
    }

    async fn purge(&mut self, then: DateTime<Utc>) -> StoreResult<u64> {
        self.query("DELETE FROM sessions WHERE expires_at < $1 OR revoked_at < $1")
            .bind(then)
            .execute()
            .await
    }
}
