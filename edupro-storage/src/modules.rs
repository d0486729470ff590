use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreResult,
    accounts::UserId,
    files::FileKey,
    modules::{CourseOf, Module, ModuleStore},
};
use uuid::Uuid;

use crate::{
    cents::{from_cents, to_cents},
    sql::Tx,
};

#[derive(sqlx::FromRow)]
struct ModuleRow {
    id: Uuid,
    title: String,
    description: Option<String>,
    position: i64,
    price: i64,
    is_free: bool,
    is_published: bool,
    image: Option<String>,
    created_at: DateTime<Utc>,
    total_lessons: i64,
    total_duration: i64,
    #[sqlx(flatten)]
    course: CourseOfRow,
}

/// The columns of [`CourseOfRow`], from a table called `c`.
macro_rules! course_of_columns {
    () => {
        "c.id AS course_id, c.teacher_id, c.title AS course_title,
         c.is_published AS course_is_published"
    };
}
pub(crate) use course_of_columns;

#[derive(sqlx::FromRow)]
pub(crate) struct CourseOfRow {
    course_id: Uuid,
    teacher_id: i64,
    course_title: String,
    course_is_published: bool,
}

impl From<CourseOfRow> for CourseOf {
    fn from(row: CourseOfRow) -> Self {
        Self {
            id: row.course_id,
            teacher: UserId(row.teacher_id),
            title: row.course_title,
            is_published: row.course_is_published,
        }
    }
}

impl From<ModuleRow> for Module {
    fn from(row: ModuleRow) -> Self {
        Self {
            id: row.id,
            course: row.course.into(),
            title: row.title,
            description: row.description,
            order: row.position,
            price: from_cents(row.price),
            is_free: row.is_free,
            is_published: row.is_published,
            image: row.image.map(FileKey::from_stored),
            created_at: row.created_at,
            total_lessons: row.total_lessons,
            total_duration: row.total_duration,
        }
    }
}

/// A module and its course.
macro_rules! module {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.title, m.description, m.position, m.price, m.is_free, m.is_published,
                    m.image, m.created_at, m.total_lessons, m.total_duration, ",
            course_of_columns!(),
            " FROM modules m JOIN courses c ON c.id = m.course_id ",
            $rest
        )
    };
}

#[async_trait]
impl ModuleStore for Tx {
    async fn add(&mut self, module: &Module) -> StoreResult<()> {
        self.query(
            "INSERT INTO modules (id, course_id, title, description, position, price, is_free,
                                  is_published, image, created_at, total_lessons, total_duration)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0)",
        )
        .bind(module.id)
        .bind(module.course.id)
        .bind(module.title.clone())
        .bind(module.description.clone())
        .bind(module.order)
        .bind(to_cents(module.price))
        .bind(module.is_free)
        .bind(module.is_published)
        .bind(module.image.as_ref().map(ToString::to_string))
        .bind(module.created_at)
        .execute()
        .await?;
        Ok(())
    }

    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Module>> {
        let row = self.query(module!("WHERE m.id = $1")).bind(id).optional::<ModuleRow>().await?;
        Ok(row.map(Module::from))
    }

    async fn list(&mut self, course: Uuid, published_only: bool) -> StoreResult<Vec<Module>> {
        let rows = self
            .query(module!(
                "WHERE m.course_id = $1 AND (m.is_published OR NOT $2) ORDER BY m.position"
            ))
            .bind(course)
            .bind(published_only)
            .all::<ModuleRow>()
            .await?;
        Ok(rows.into_iter().map(Module::from).collect())
    }

    async fn next_order(&mut self, course: Uuid) -> StoreResult<i64> {
        let (next,) = self
            .query("SELECT COALESCE(MAX(position), 0) + 1 FROM modules WHERE course_id = $1")
            .bind(course)
            .one::<(i64,)>()
            .await?;
        Ok(next)
    }

    async fn order_is_taken(
        &mut self,
        course: Uuid,
        order: i64,
        except: Option<Uuid>,
    ) -> StoreResult<bool> {
        // No module has the nil UUID.
        let (taken,) = self
            .query(
                "SELECT EXISTS (SELECT 1 FROM modules
                                WHERE course_id = $1 AND position = $2 AND id <> $3)",
            )
            .bind(course)
            .bind(order)
            .bind(except.unwrap_or(Uuid::nil()))
            .one::<(bool,)>()
            .await?;
        Ok(taken)
    }

    async fn save(&mut self, module: &Module) -> StoreResult<()> {
        self.query(
            "UPDATE modules
             SET title = $2, description = $3, position = $4, price = $5, is_free = $6,
                 is_published = $7, image = $8
             WHERE id = $1",
        )
        .bind(module.id)
        .bind(module.title.clone())
        .bind(module.description.clone())
        .bind(module.order)
        .bind(to_cents(module.price))
        .bind(module.is_free)
        .bind(module.is_published)
        .bind(module.image.as_ref().map(ToString::to_string))
        .execute()
        .await?;
        Ok(())
    }

    async fn delete(&mut self, id: Uuid) -> StoreResult<()> {
        self.query("DELETE FROM modules WHERE id = $1").bind(id).execute().await?;
        Ok(())
    }

    async fn files(&mut self, id: Uuid) -> StoreResult<Vec<FileKey>> {
        let rows = self
            .query(
                "SELECT image AS file FROM modules WHERE id = $1 AND image IS NOT NULL
                 UNION ALL
                 SELECT document FROM lessons WHERE module_id = $1 AND document IS NOT NULL
                 UNION ALL
                 SELECT thumbnail FROM lessons WHERE module_id = $1 AND thumbnail IS NOT NULL",
            )
            .bind(id)
            .all::<(String,)>()
            .await?;
        Ok(rows.into_iter().map(|(file,)| FileKey::from_stored(file)).collect())
    }
}
