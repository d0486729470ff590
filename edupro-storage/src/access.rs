use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreResult,
    access::{AccessStore, Ties},
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
                "SELECT
                     (SELECT r.is_active FROM teacher_students r
                      WHERE r.teacher_id = c.teacher_id AND r.student_id = $1) AS is_active,
                     EXISTS (SELECT 1 FROM course_enrollments e
                             WHERE e.student_id = $1 AND e.course_id = c.id
                               AND e.access_type = 'full_access' AND ",
                holds_at!("$4"),
                ") AS course,
                     EXISTS (SELECT 1 FROM module_enrollments e
                             JOIN modules m ON m.id = e.module_id
                             WHERE e.student_id = $1 AND e.module_id = $3 AND m.course_id = c.id
                               AND ",
                holds_at!("$4"),
                ") AS module
                 FROM courses c WHERE c.id = $2"
            ))
            .bind(student.0)
            .bind(course)
            .bind(module)
            .bind(now)
            .optional::<TiesRow>()
            .await?;
        let ties = row.map(|row| Ties {
            standing: row.is_active.map(standing),
            course: row.course,
            module: row.module,
        });
        Ok(ties.unwrap_or_default())
    }
}
