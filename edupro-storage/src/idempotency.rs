use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreResult,
    accounts::UserId,
    idempotency::{Given, IdempotencyStore, KeyUse},
};

use crate::sql::Tx;

#[derive(sqlx::FromRow)]
struct KeyRow {
    fingerprint: String,
    started_at: DateTime<Utc>,
    status: Option<i64>,
    body: Option<String>,
}

impl From<KeyRow> for KeyUse {
    fn from(row: KeyRow) -> Self {
        let status = row.status.and_then(|status| u16::try_from(status).ok());
        Self {
            fingerprint: row.fingerprint,
            started_at: row.started_at,
            given: status.zip(row.body).map(|(status, body)| Given { status, body }),
        }
    }
}

#[async_trait]
impl IdempotencyStore for Tx {
    async fn begin(
        &mut self,
        user: UserId,
        key: &str,
        fingerprint: &str,
        now: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let begun = self
            .query(
                "INSERT INTO idempotency_keys (user_id, key, fingerprint, started_at)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT DO NOTHING",
            )
            .bind(user.0)
            .bind(key.to_owned())
            .bind(fingerprint.to_owned())
            .bind(now)
            .execute()
            .await?;
        Ok(begun == 1)
    }

    async fn find(&mut self, user: UserId, key: &str) -> StoreResult<Option<KeyUse>> {
        let row = self
            .query(
                "SELECT fingerprint, started_at, status, body FROM idempotency_keys
                 WHERE user_id = $1 AND key = $2",
            )
            .bind(user.0)
            .bind(key.to_owned())
            .optional::<KeyRow>()
            .await?;
        Ok(row.map(KeyUse::from))
    }

    async fn finish(&mut self, user: UserId, key: &str, given: &Given) -> StoreResult<()> {
        self.query(
            "UPDATE idempotency_keys SET status = $3, body = $4 WHERE user_id = $1 AND key = $2",
        )
        .bind(user.0)
        .bind(key.to_owned())
        .bind(i64::from(given.status))
        .bind(given.body.clone())
        .execute()
        .await?;
        Ok(())
    }

    async fn forget(&mut self, user: UserId, key: &str) -> StoreResult<()> {
        self.query("DELETE FROM idempotency_keys WHERE user_id = $1 AND key = $2")
            .bind(user.0)
            .bind(key.to_owned())
            .execute()
            .await?;
        Ok(())
    }

    async fn purge(&mut self, then: DateTime<Utc>) -> StoreResult<u64> {
        self.query("DELETE FROM idempotency_keys WHERE started_at < $1").bind(then).execute().await
    }
}
