use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    accounts::UserId,
    files::FileKey,
    lessons::{Lesson, LessonStore, ModuleOf},
};
use uuid::Uuid;

use crate::{
    modules::{CourseOfRow, course_of_columns},
    sql::Tx,
    videos::{VideoOfRow, video_of_columns},
};

#[derive(sqlx::FromRow)]
struct LessonRow {
    id: Uuid,
    title: String,
    description: Option<String>,
    position: i64,
    is_published: bool,
    is_free: bool,
    duration: i64,
    document: Option<String>,
    thumbnail: Option<String>,
    created_at: DateTime<Utc>,
    module_id: Uuid,
    module_title: String,
    module_is_published: bool,
    #[sqlx(flatten)]
    course: CourseOfRow,
    #[sqlx(flatten)]
    video: VideoOfRow,
}

impl TryFrom<LessonRow> for Lesson {
    type Error = StoreError;

    fn try_from(row: LessonRow) -> StoreResult<Self> {
        Ok(Self {
            id: row.id,
            module: ModuleOf {
                id: row.module_id,
                title: row.module_title,
                is_published: row.module_is_published,
                course: row.course.into(),
            },
            title: row.title,
            description: row.description,
            order: row.position,
            is_published: row.is_published,
            is_free: row.is_free,
            duration: row.duration,
            video: row.video.video()?,
            document: row.document.map(FileKey::from_stored),
            thumbnail: row.thumbnail.map(FileKey::from_stored),
            created_at: row.created_at,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    is_completed: bool,
    #[sqlx(flatten)]
    lesson: LessonRow,
}

/// A lesson, its module and its course, and what else is asked for.
macro_rules! lesson {
    ($rest:literal) => {
        lesson!("", $rest)
    };
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $more,
            "l.id, l.title, l.description, l.position, l.is_published, l.is_free,
                    l.duration, l.document, l.thumbnail, l.created_at,
                    m.id AS module_id, m.title AS module_title,
                    m.is_published AS module_is_published, ",
            course_of_columns!(),
            ", ",
            video_of_columns!(),
            " FROM lessons l
              JOIN modules m ON m.id = l.module_id
              JOIN courses c ON c.id = m.course_id
              LEFT JOIN videos v ON v.lesson_id = l.id ",
            $rest
        )
    };
}

#[async_trait]
impl LessonStore for Tx {
    async fn add(&mut self, lesson: &Lesson) -> StoreResult<()> {
        self.query(
            "INSERT INTO lessons (id, module_id, title, description, position, is_published,
                                  is_free, duration, document, thumbnail, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(lesson.id)
        .bind(lesson.module.id)
        .bind(lesson.title.clone())
        .bind(lesson.description.clone())
        .bind(lesson.order)
        .bind(lesson.is_published)
        .bind(lesson.is_free)
        .bind(lesson.duration)
        .bind(lesson.document.as_ref().map(ToString::to_string))
        .bind(lesson.thumbnail.as_ref().map(ToString::to_string))
        .bind(lesson.created_at)
        .execute()
        .await?;
        Ok(())
    }

    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Lesson>> {
        let row = self.query(lesson!("WHERE l.id = $1")).bind(id).optional::<LessonRow>().await?;
        row.map(Lesson::try_from).transpose()
    }

    async fn find_by_file(&mut self, file: &FileKey) -> StoreResult<Option<Lesson>> {
        let row = self
            .query(lesson!("WHERE v.file = $1 OR l.document = $1"))
            .bind(file.to_string())
            .optional::<LessonRow>()
            .await?;
        row.map(Lesson::try_from).transpose()
    }

    async fn list(&mut self, module: Uuid, published_only: bool) -> StoreResult<Vec<Lesson>> {
        let rows = self
            .query(lesson!(
                "WHERE l.module_id = $1 AND (l.is_published OR NOT $2) ORDER BY l.position"
            ))
            .bind(module)
            .bind(published_only)
            .all::<LessonRow>()
            .await?;
        rows.into_iter().map(Lesson::try_from).collect()
    }

    async fn list_for(
        &mut self,
        module: Uuid,
        student: UserId,
    ) -> StoreResult<Vec<(Lesson, bool)>> {
        let rows = self
            .query(lesson!(
                "COALESCE(lp.is_completed, FALSE) AS is_completed, ",
                "LEFT JOIN lesson_progress lp ON lp.lesson_id = l.id AND lp.student_id = $2
                 WHERE l.module_id = $1 AND l.is_published ORDER BY l.position"
            ))
            .bind(module)
            .bind(student.0)
            .all::<ListedRow>()
            .await?;
        rows.into_iter().map(|row| Ok((row.lesson.try_into()?, row.is_completed))).collect()
    }

    async fn of_course(&mut self, course: Uuid) -> StoreResult<Vec<Lesson>> {
        let rows = self
            .query(lesson!("WHERE m.course_id = $1 ORDER BY m.position, l.position"))
            .bind(course)
            .all::<LessonRow>()
            .await?;
        rows.into_iter().map(Lesson::try_from).collect()
    }

    async fn next_order(&mut self, module: Uuid) -> StoreResult<i64> {
        let (next,) = self
            .query("SELECT COALESCE(MAX(position), 0) + 1 FROM lessons WHERE module_id = $1")
            .bind(module)
            .one::<(i64,)>()
            .await?;
        Ok(next)
    }

    async fn order_is_taken(
        &mut self,
        module: Uuid,
        order: i64,
        except: Option<Uuid>,
    ) -> StoreResult<bool> {
        // No lesson has the nil UUID.
        let (taken,) = self
            .query(
                "SELECT EXISTS (SELECT 1 FROM lessons
                                WHERE module_id = $1 AND position = $2 AND id <> $3)",
            )
            .bind(module)
            .bind(order)
            .bind(except.unwrap_or(Uuid::nil()))
            .one::<(bool,)>()
            .await?;
        Ok(taken)
    }

    async fn save(&mut self, lesson: &Lesson) -> StoreResult<()> {
        self.query(
            "UPDATE lessons
             SET title = $2, description = $3, position = $4, is_published = $5, is_free = $6,
                 duration = $7, document = $8, thumbnail = $9
             WHERE id = $1",
        )
        .bind(lesson.id)
        .bind(lesson.title.clone())
        .bind(lesson.description.clone())
        .bind(lesson.order)
        .bind(lesson.is_published)
        .bind(lesson.is_free)
        .bind(lesson.duration)
        .bind(lesson.document.as_ref().map(ToString::to_string))
        .bind(lesson.thumbnail.as_ref().map(ToString::to_string))
        .execute()
        .await?;
        Ok(())
    }

    async fn delete(&mut self, id: Uuid) -> StoreResult<()> {
        self.query("DELETE FROM lessons WHERE id = $1").bind(id).execute().await?;
        Ok(())
    }
}
