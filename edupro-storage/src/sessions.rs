use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreResult,
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
    #[sqlx(flatten)]
    user: UserRow,
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
        };
        Ok((session, user))
    }
}

#[async_trait]
impl SessionStore for Tx {
    async fn add(&mut self, session: &Session) -> StoreResult<()> {
        self.query(
            "INSERT INTO sessions (id, user_id, generation, created_at, rotated_at, expires_at, user_agent)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(session.id)
        .bind(session.user.0)
        .bind(session.generation)
        .bind(session.created_at)
        .bind(session.rotated_at)
        .bind(session.expires_at)
        .bind(session.user_agent.clone())
        .execute()
        .await?;
        Ok(())
    }

    async fn find_live(
        &mut self,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<(Session, User)>> {
        let row = self
            .query(concat!(
                "SELECT s.id AS session_id, s.generation, s.created_at AS session_created_at,
                        s.rotated_at, s.expires_at, s.user_agent, ",
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

    async fn revoke(&mut self, id: Uuid, now: DateTime<Utc>) -> StoreResult<()> {
        self.query("UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
            .bind(id)
            .bind(now)
            .execute()
            .await?;
        Ok(())
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

    async fn revoke_oldest(
        &mut self,
        user: UserId,
        most: i64,
        now: DateTime<Utc>,
    ) -> StoreResult<()> {
        self.query(
            "UPDATE sessions SET revoked_at = $3
             WHERE id IN (
                 SELECT id FROM sessions
                 WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $3
                 ORDER BY created_at DESC, id DESC
                 LIMIT 1000 OFFSET $2
             )",
        )
        .bind(user.0)
        .bind(most)
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
