use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreResult,
    accounts::{Reset, ResetStore, UserId},
};

use crate::sql::Tx;

#[derive(sqlx::FromRow)]
struct ResetRow {
    user_id: i64,
    nonce: String,
    expires_at: DateTime<Utc>,
}

impl From<ResetRow> for Reset {
    fn from(row: ResetRow) -> Self {
        Self { user: UserId(row.user_id), nonce: row.nonce, expires_at: row.expires_at }
    }
}

#[async_trait]
impl ResetStore for Tx {
    async fn replace(&mut self, reset: &Reset) -> StoreResult<()> {
        self.query(
            "INSERT INTO password_resets (user_id, nonce, tries, expires_at)
             VALUES ($1, $2, 0, $3)
             ON CONFLICT (user_id) DO UPDATE
             SET nonce = excluded.nonce, tries = 0, expires_at = excluded.expires_at, used_at = NULL",
        )
        .bind(reset.user.0)
        .bind(reset.nonce.clone())
        .bind(reset.expires_at)
        .execute()
        .await?;
        Ok(())
    }

    async fn find(&mut self, user: UserId) -> StoreResult<Option<Reset>> {
        let row = self
            .query(
                "SELECT user_id, nonce, expires_at FROM password_resets
                 WHERE user_id = $1 AND used_at IS NULL",
            )
            .bind(user.0)
            .optional::<ResetRow>()
            .await?;
        Ok(row.map(Reset::from))
    }

    async fn take_try(&mut self, user: UserId, most: i64) -> StoreResult<Option<Reset>> {
        let row = self
            .query(
                "UPDATE password_resets SET tries = tries + 1
                 WHERE user_id = $1 AND used_at IS NULL AND tries < $2
                 RETURNING user_id, nonce, expires_at",
            )
            .bind(user.0)
            .bind(most)
            .optional::<ResetRow>()
            .await?;
        Ok(row.map(Reset::from))
    }

    async fn give_back_try(&mut self, reset: &Reset) -> StoreResult<()> {
        self.query(
            "UPDATE password_resets SET tries = tries - 1
             WHERE user_id = $1 AND nonce = $2 AND tries > 0",
        )
        .bind(reset.user.0)
        .bind(reset.nonce.clone())
        .execute()
        .await?;
        Ok(())
    }

    async fn consume(&mut self, reset: &Reset, now: DateTime<Utc>) -> StoreResult<bool> {
        let consumed = self
            .query(
                "UPDATE password_resets SET used_at = $3
                 WHERE user_id = $1 AND nonce = $2 AND used_at IS NULL",
            )
            .bind(reset.user.0)
            .bind(reset.nonce.clone())
            .bind(now)
            .execute()
            .await?;
        Ok(consumed == 1)
    }

    async fn purge(&mut self, then: DateTime<Utc>) -> StoreResult<u64> {
        self.query("DELETE FROM password_resets WHERE expires_at < $1").bind(then).execute().await
    }
}
