use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreResult,
    jobs::{Job, JobStore, Lane, NewJob, Task},
};
use sqlx::types::Json;
use uuid::Uuid;

use crate::sql::{ROWS_AT_ONCE, Tx, value_rows};

#[derive(sqlx::FromRow)]
struct JobRow {
    id: Uuid,
    task: Json<Task>,
    tries: i64,
    expires_at: Option<DateTime<Utc>>,
}

impl From<JobRow> for Job {
    fn from(row: JobRow) -> Self {
        Self { id: row.id, task: row.task.0, tries: row.tries, expires_at: row.expires_at }
    }
}

#[async_trait]
impl JobStore for Tx {
    async fn add(&mut self, jobs: &[NewJob]) -> StoreResult<()> {
        for jobs in jobs.chunks(ROWS_AT_ONCE) {
            let mut statement = self.query_built(format!(
                "INSERT INTO jobs (id, task, is_slow, created_at, due_at, expires_at, tries)
                 VALUES {}",
                value_rows(1, jobs.len(), 7)
            ));
            for job in jobs {
                statement = statement
                    .bind(job.id)
                    .bind(Json(job.task.clone()))
                    .bind(job.task.lane() == Lane::Slow)
                    .bind(job.created_at)
                    .bind(job.due_at)
                    .bind(job.expires_at)
                    .bind(0_i64);
            }
            statement.execute().await?;
        }
        Ok(())
    }

    async fn next_due(&mut self, lane: Lane) -> StoreResult<Option<DateTime<Utc>>> {
        let row = self
            .query(
                "SELECT due_at FROM jobs WHERE is_slow = $1 AND due_at IS NOT NULL
                 ORDER BY due_at LIMIT 1",
            )
            .bind(lane == Lane::Slow)
            .optional::<(DateTime<Utc>,)>()
            .await?;
        Ok(row.map(|(due,)| due))
    }

    async fn claim(
        &mut self,
        lane: Lane,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> StoreResult<Option<Job>> {
        // Two workers may choose the same job; the guard outside is read again by the slower one,
        // which then gets nothing and looks once more.
        let row = self
            .query(
                "UPDATE jobs SET due_at = $3, tries = tries + 1
                 WHERE id = (SELECT id FROM jobs WHERE is_slow = $1 AND due_at <= $2
                             ORDER BY due_at, id LIMIT 1)
                   AND due_at <= $2
                 RETURNING id, task, tries, expires_at",
            )
            .bind(lane == Lane::Slow)
            .bind(now)
            .bind(until)
            .optional::<JobRow>()
            .await?;
        Ok(row.map(Job::from))
    }

    async fn hold(&mut self, id: Uuid, until: DateTime<Utc>) -> StoreResult<()> {
        self.query("UPDATE jobs SET due_at = $2 WHERE id = $1 AND due_at IS NOT NULL")
            .bind(id)
            .bind(until)
            .execute()
            .await?;
        Ok(())
    }

    async fn finish(&mut self, id: Uuid) -> StoreResult<()> {
        self.query("DELETE FROM jobs WHERE id = $1").bind(id).execute().await?;
        Ok(())
    }

    async fn retry(&mut self, id: Uuid, at: DateTime<Utc>, error: &str) -> StoreResult<()> {
        self.query("UPDATE jobs SET due_at = $2, last_error = $3 WHERE id = $1")
            .bind(id)
            .bind(at)
            .bind(error.to_owned())
            .execute()
            .await?;
        Ok(())
    }

    async fn give_up(&mut self, id: Uuid, at: DateTime<Utc>, error: &str) -> StoreResult<()> {
        self.query("UPDATE jobs SET due_at = NULL, failed_at = $2, last_error = $3 WHERE id = $1")
            .bind(id)
            .bind(at)
            .bind(error.to_owned())
            .execute()
            .await?;
        Ok(())
    }
}
