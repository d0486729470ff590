use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreResult,
    limits::{LimitStore, Tally},
};

use crate::sql::Tx;

#[derive(sqlx::FromRow)]
struct TallyRow {
    count: i64,
    window_ends: DateTime<Utc>,
    last_at: DateTime<Utc>,
}

impl From<TallyRow> for Tally {
    fn from(row: TallyRow) -> Self {
        Self { count: row.count, window_ends: row.window_ends, last: row.last_at }
    }
}

#[async_trait]
impl LimitStore for Tx {
    async fn count(
        &mut self,
        key: &str,
        now: DateTime<Utc>,
        window_ends: DateTime<Utc>,
    ) -> StoreResult<Tally> {
        let row = self
            .query(
                "INSERT INTO limits (key, count, window_ends, last_at) VALUES ($1, 1, $3, $2)
                 ON CONFLICT (key) DO UPDATE SET
                     count = CASE WHEN limits.window_ends <= $2 THEN 1 ELSE limits.count + 1 END,
                     window_ends = CASE WHEN limits.window_ends <= $2 THEN $3 ELSE limits.window_ends END,
                     last_at = $2
                 RETURNING count, window_ends, last_at",
            )
            .bind(key.to_owned())
            .bind(now)
            .bind(window_ends)
            .one::<TallyRow>()
            .await?;
        Ok(row.into())
    }

    async fn tally(&mut self, key: &str, now: DateTime<Utc>) -> StoreResult<Option<Tally>> {
        let row = self
            .query("SELECT count, window_ends, last_at FROM limits WHERE key = $1 AND window_ends > $2")
            .bind(key.to_owned())
            .bind(now)
            .optional::<TallyRow>()
            .await?;
        Ok(row.map(Tally::from))
    }

    async fn give_back(&mut self, key: &str) -> StoreResult<()> {
        self.query("UPDATE limits SET count = count - 1 WHERE key = $1 AND count > 0")
            .bind(key.to_owned())
            .execute()
            .await?;
        Ok(())
    }

    async fn purge(&mut self, now: DateTime<Utc>) -> StoreResult<u64> {
        self.query("DELETE FROM limits WHERE window_ends <= $1").bind(now).execute().await
    }
}
