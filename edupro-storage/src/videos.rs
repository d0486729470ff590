use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    accounts::UserId,
    files::FileKey,
    video::{UploadId, UploadTicket, Video, VideoId, VideoOf, VideoStatus, VideoStore, VideosOf},
};
use sqlx::types::Json;
use uuid::Uuid;

use crate::sql::Tx;

#[derive(sqlx::FromRow)]
struct VideoRow {
    id: Uuid,
    teacher_id: i64,
    lesson_id: Option<Uuid>,
    title: String,
    provider: String,
    upload_id: Option<String>,
    host_id: Option<String>,
    status: String,
    word: Option<String>,
    duration: i64,
    file: Option<String>,
    ticket: Option<Json<UploadTicket>>,
    begun_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    discarded_at: Option<DateTime<Utc>>,
}

fn status(word: String) -> StoreResult<VideoStatus> {
    VideoStatus::from_word(&word)
        .ok_or(StoreError::Corrupt { column: "videos.status", value: word })
}

impl TryFrom<VideoRow> for Video {
    type Error = StoreError;

    fn try_from(row: VideoRow) -> StoreResult<Self> {
        Ok(Self {
            id: row.id,
            teacher: UserId(row.teacher_id),
            lesson: row.lesson_id,
            title: row.title,
            provider: row.provider,
            upload: row.upload_id.map(UploadId),
            host_id: row.host_id.map(VideoId),
            status: status(row.status)?,
            word: row.word,
            duration: row.duration,
            file: row.file.map(FileKey::from_stored),
            ticket: row.ticket.map(|ticket| ticket.0),
            begun_at: row.begun_at,
            created_at: row.created_at,
            changed_at: row.changed_at,
            discarded_at: row.discarded_at,
        })
    }
}

/// The video beside a lesson, joined to it as `v`.
#[derive(sqlx::FromRow)]
pub(crate) struct VideoOfRow {
    #[sqlx(rename = "video_id")]
    id: Option<Uuid>,
    #[sqlx(rename = "video_provider")]
    provider: Option<String>,
    #[sqlx(rename = "video_host_id")]
    host_id: Option<String>,
    #[sqlx(rename = "video_status")]
    status: Option<String>,
}

impl VideoOfRow {
    pub(crate) fn video(self) -> StoreResult<Option<VideoOf>> {
        let (Some(id), Some(provider), Some(word)) = (self.id, self.provider, self.status) else {
            return Ok(None);
        };
        let host_id = self.host_id.map(VideoId);
        Ok(Some(VideoOf { id, provider, host_id, status: status(word)? }))
    }
}

/// The columns of a [`VideoOfRow`].
macro_rules! video_of_columns {
    () => {
        "v.id AS video_id, v.provider AS video_provider, v.host_id AS video_host_id,
         v.status AS video_status"
    };
}
pub(crate) use video_of_columns;

/// The columns of a [`VideoRow`].
macro_rules! video_columns {
    () => {
        "id, teacher_id, lesson_id, title, provider, upload_id, host_id, status, word, duration,
         file, ticket, begun_at, created_at, changed_at, discarded_at"
    };
}

macro_rules! video {
    ($rest:literal) => {
        concat!("SELECT ", video_columns!(), " FROM videos ", $rest)
    };
}

/// A row that is read by changing nothing in it: so both engines hold it.
macro_rules! lock {
    ($condition:literal) => {
        concat!("UPDATE videos SET title = title ", $condition, " RETURNING ", video_columns!())
    };
}

fn one(row: Option<VideoRow>) -> StoreResult<Option<Video>> {
    row.map(Video::try_from).transpose()
}

#[async_trait]
impl VideoStore for Tx {
    async fn add(&mut self, video: &Video) -> StoreResult<()> {
        self.query(
            "INSERT INTO videos (id, teacher_id, lesson_id, title, provider, upload_id, host_id,
                                 status, word, duration, file, ticket, begun_at, created_at,
                                 changed_at, discarded_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind(video.id)
        .bind(video.teacher.0)
        .bind(video.lesson)
        .bind(video.title.clone())
        .bind(video.provider.clone())
        .bind(video.upload.clone().map(|id| id.0))
        .bind(video.host_id.clone().map(|id| id.0))
        .bind(video.status.as_str().to_owned())
        .bind(video.word.clone())
        .bind(video.duration)
        .bind(video.file.as_ref().map(ToString::to_string))
        .bind(video.ticket.clone().map(Json))
        .bind(video.begun_at)
        .bind(video.created_at)
        .bind(video.changed_at)
        .bind(video.discarded_at)
        .execute()
        .await?;
        Ok(())
    }

    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Video>> {
        one(self.query(video!("WHERE id = $1")).bind(id).optional().await?)
    }

    async fn lock(&mut self, id: Uuid) -> StoreResult<Option<Video>> {
        one(self.query(lock!("WHERE id = $1 AND discarded_at IS NULL")).bind(id).optional().await?)
    }

    async fn lock_unused(&mut self, teacher: UserId, name: &str) -> StoreResult<Option<Video>> {
        one(self
            .query(lock!(
                "WHERE id = (SELECT id FROM videos
                             WHERE teacher_id = $1 AND (host_id = $2 OR upload_id = $2)
                               AND lesson_id IS NULL AND discarded_at IS NULL
                             ORDER BY created_at DESC LIMIT 1)
                   AND lesson_id IS NULL AND discarded_at IS NULL"
            ))
            .bind(teacher.0)
            .bind(name.to_owned())
            .optional()
            .await?)
    }

    async fn of_lesson(&mut self, lesson: Uuid) -> StoreResult<Option<Video>> {
        one(self.query(video!("WHERE lesson_id = $1")).bind(lesson).optional().await?)
    }

    async fn find_at(&mut self, provider: &str, id: &VideoId) -> StoreResult<Option<Video>> {
        one(self
            .query(video!("WHERE provider = $1 AND host_id = $2"))
            .bind(provider.to_owned())
            .bind(id.0.clone())
            .optional()
            .await?)
    }

    async fn save(&mut self, video: &Video) -> StoreResult<()> {
        self.query(
            "UPDATE videos
             SET upload_id = $2, host_id = $3, status = $4, word = $5, duration = $6, file = $7,
                 ticket = $8, begun_at = $9, changed_at = $10
             WHERE id = $1",
        )
        .bind(video.id)
        .bind(video.upload.clone().map(|id| id.0))
        .bind(video.host_id.clone().map(|id| id.0))
        .bind(video.status.as_str().to_owned())
        .bind(video.word.clone())
        .bind(video.duration)
        .bind(video.file.as_ref().map(ToString::to_string))
        .bind(video.ticket.clone().map(Json))
        .bind(video.begun_at)
        .bind(video.changed_at)
        .execute()
        .await?;
        Ok(())
    }

    async fn attach(&mut self, id: Uuid, lesson: Uuid) -> StoreResult<bool> {
        let attached = self
            .query(
                "UPDATE videos SET lesson_id = $2
                 WHERE id = $1 AND lesson_id IS NULL AND discarded_at IS NULL",
            )
            .bind(id)
            .bind(lesson)
            .execute()
            .await?;
        Ok(attached == 1)
    }

    async fn discard(&mut self, of: VideosOf, now: DateTime<Utc>) -> StoreResult<Vec<Uuid>> {
        let (statement, id) = match of {
            VideosOf::Lesson(id) => (
                "UPDATE videos SET lesson_id = NULL, discarded_at = $2
                 WHERE lesson_id = $1 RETURNING id",
                id,
            ),
            VideosOf::Module(id) => (
                "UPDATE videos SET lesson_id = NULL, discarded_at = $2
                 WHERE lesson_id IN (SELECT id FROM lessons WHERE module_id = $1) RETURNING id",
                id,
            ),
            VideosOf::Course(id) => (
                "UPDATE videos SET lesson_id = NULL, discarded_at = $2
                 WHERE lesson_id IN (SELECT l.id FROM lessons l
                                     JOIN modules m ON m.id = l.module_id
                                     WHERE m.course_id = $1) RETURNING id",
                id,
            ),
        };
        let rows = self.query(statement).bind(id).bind(now).all::<(Uuid,)>().await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    async fn discard_one(&mut self, id: Uuid, now: DateTime<Utc>) -> StoreResult<()> {
        self.query("UPDATE videos SET lesson_id = NULL, discarded_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute()
            .await?;
        Ok(())
    }

    async fn remove(&mut self, id: Uuid) -> StoreResult<()> {
        self.query("DELETE FROM videos WHERE id = $1").bind(id).execute().await?;
        Ok(())
    }

    async fn forgotten(&mut self, before: DateTime<Utc>) -> StoreResult<Vec<Video>> {
        let rows = self
            .query(video!(
                "WHERE discarded_at < $1
                    OR (status = 'pre-upload' AND changed_at < $1 AND discarded_at IS NULL)
                    OR (status = 'queued' AND changed_at < $1 AND discarded_at IS NULL
                        AND lesson_id IS NOT NULL)
                 ORDER BY changed_at LIMIT 100"
            ))
            .bind(before)
            .all::<VideoRow>()
            .await?;
        rows.into_iter().map(Video::try_from).collect()
    }
}
