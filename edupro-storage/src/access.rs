use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreResult,
    access::{AccessStore, ModulePlace, Place, Ties},
    accounts::UserId,
};
use uuid::Uuid;

use crate::{roster::standing, sql::Tx};

/// An enrolment called `e` that holds at the moment of a placeholder.
macro_rules! holds_at {
    ($moment:literal) => {
        concat!(
            "e.is_active AND e.status IN ('active', 'completed')
             AND (e.ends_at IS NULL OR e.ends_at > ",
            $moment,
            ")"
        )
    };
}
pub(crate) use holds_at;

#[derive(sqlx::FromRow)]
struct TiesRow {
    is_active: Option<bool>,
    course: bool,
    module: bool,
}

impl From<TiesRow> for Ties {
    fn from(row: TiesRow) -> Self {
        Self { standing: row.is_active.map(standing), course: row.course, module: row.module }
    }
}

#[derive(sqlx::FromRow)]
struct ModuleRow {
    course_id: Uuid,
    teacher_id: i64,
    course_is_published: bool,
    module_id: Uuid,
    module_is_published: bool,
    #[sqlx(flatten)]
    ties: TiesRow,
}

impl From<ModuleRow> for (Place, Ties) {
    fn from(row: ModuleRow) -> Self {
        let place = Place {
            course: row.course_id,
            owner: UserId(row.teacher_id),
            course_is_published: row.course_is_published,
            module: Some(ModulePlace { id: row.module_id, is_published: row.module_is_published }),
            lesson: None,
        };
        (place, row.ties.into())
    }
}

/// What ties the student `$1` to the course `c` at a moment, and to a module of it: `$module` says
/// which, of enrolments `e` in modules `m`.
macro_rules! ties {
    ($moment:literal, $module:literal) => {
        concat!(
            "(SELECT r.is_active FROM teacher_students r
              WHERE r.teacher_id = c.teacher_id AND r.student_id = $1) AS is_active,
             EXISTS (SELECT 1 FROM course_enrollments e
                     WHERE e.student_id = $1 AND e.course_id = c.id
                       AND e.access_type = 'full_access' AND ",
            holds_at!($moment),
            ") AS course,
             EXISTS (SELECT 1 FROM module_enrollments e ",
            $module,
            " AND e.student_id = $1 AND ",
            holds_at!($moment),
            ") AS module"
        )
    };
}

#[async_trait]
impl AccessStore for Tx {
    async fn ties(
        &mut self,
        student: UserId,
        course: Uuid,
        module: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> StoreResult<Ties> {
        // Without a module there is none whose id is NULL.
        let row = self
            .query(concat!(
                "SELECT ",
                ties!(
                    "$4",
                    "JOIN modules m ON m.id = e.module_id
                     WHERE e.module_id = $3 AND m.course_id = c.id"
                ),
                " FROM courses c WHERE c.id = $2"
            ))
            .bind(student.0)
            .bind(course)
            .bind(module)
            .bind(now)
            .optional::<TiesRow>()
            .await?;
        Ok(row.map(Ties::from).unwrap_or_default())
    }

    async fn module(
        &mut self,
        student: UserId,
        module: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<(Place, Ties)>> {
        let row = self
            .query(concat!(
                "SELECT c.id AS course_id, c.teacher_id, c.is_published AS course_is_published,
                        m.id AS module_id, m.is_published AS module_is_published, ",
                ties!("$3", "WHERE e.module_id = m.id"),
                " FROM modules m JOIN courses c ON c.id = m.course_id WHERE m.id = $2"
            ))
            .bind(student.0)
            .bind(module)
            .bind(now)
            .optional::<ModuleRow>()
            .await?;
        Ok(row.map(Into::into))
    }
}
