use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreResult,
    accounts::UserId,
    files::{FileKey, QuotaStore, Usage},
};

use crate::sql::{Tx, value_rows};

#[derive(sqlx::FromRow)]
struct UsageRow {
    files: i64,
    bytes: i64,
}

impl From<UsageRow> for Usage {
    fn from(row: UsageRow) -> Self {
        Self { files: row.files.unsigned_abs(), bytes: row.bytes.unsigned_abs() }
    }
}

#[async_trait]
impl QuotaStore for Tx {
    async fn lock(&mut self, teacher: UserId) -> StoreResult<Usage> {
        self.query("UPDATE teacher_profiles SET updated_at = updated_at WHERE id = $1")
            .bind(teacher.0)
            .execute()
            .await?;
        let row = self
            .query(
                "SELECT COUNT(*) AS files, CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes
                 FROM stored_files WHERE teacher_id = $1",
            )
            .bind(teacher.0)
            .one::<UsageRow>()
            .await?;
        Ok(row.into())
    }

    async fn add(
        &mut self,
        teacher: UserId,
        file: &FileKey,
        bytes: u64,
        now: DateTime<Utc>,
    ) -> StoreResult<()> {
        self.query(
            "INSERT INTO stored_files (key, teacher_id, bytes, created_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(file.as_str().to_owned())
        .bind(teacher.0)
        .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
        .bind(now)
        .execute()
        .await?;
        Ok(())
    }

    async fn remove(&mut self, files: &[FileKey]) -> StoreResult<()> {
        for some in files.chunks(1_000) {
            let keys = value_rows(1, some.len(), 1);
            let mut query = self.query_built(format!(
                "DELETE FROM stored_files WHERE key IN (SELECT * FROM (VALUES {keys}) AS asked)"
            ));
            for file in some {
                query = query.bind(file.as_str().to_owned());
            }
            query.execute().await?;
        }
        Ok(())
    }

    async fn list(
        &mut self,
        before: DateTime<Utc>,
        after: Option<&FileKey>,
        most: i64,
    ) -> StoreResult<Vec<FileKey>> {
        let rows = self
            .query(
                "SELECT key FROM stored_files WHERE key > $1 AND created_at < $2
                 ORDER BY key LIMIT $3",
            )
            .bind(after.map_or_else(String::new, |file| file.as_str().to_owned()))
            .bind(before)
            .bind(most)
            .all::<(String,)>()
            .await?;
        Ok(rows.into_iter().map(|(key,)| FileKey::from_stored(key)).collect())
    }
}
