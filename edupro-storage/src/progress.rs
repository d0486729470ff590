use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreResult,
    accounts::UserId,
    coupons::Item,
    progress::{LessonProgress, ProgressStore},
};
use uuid::Uuid;

use crate::{access::holds_at, sql::Tx};

#[derive(sqlx::FromRow)]
struct ProgressRow {
    id: i64,
    is_completed: bool,
}

impl From<ProgressRow> for LessonProgress {
    fn from(row: ProgressRow) -> Self {
        Self { id: row.id, is_completed: row.is_completed }
    }
}

/// How much of the lessons `l` is completed in the rows `lp`: hundredths of a percent, rounded.
macro_rules! share_completed {
    () => {
        "COALESCE((COUNT(CASE WHEN lp.is_completed THEN 1 END) * 10000 + COUNT(l.id) / 2)
                      / NULLIF(COUNT(l.id), 0), 0)"
    };
}
pub(crate) use share_completed;

/// The share `n` of each enrolment of the table, of everybody or of the student `$2`. `$scope` says
/// which lessons `l` in modules `m` belong to the enrolment `e`.
macro_rules! shares {
    ($table:literal, $scope:literal, $which:literal) => {
        concat!(
            "(
                  SELECT e.id, ",
            share_completed!(),
            " AS progress
                  FROM ",
            $table,
            " e
                  LEFT JOIN modules m ON ",
            $scope,
            " AND m.is_published
                  LEFT JOIN lessons l ON l.module_id = m.id AND l.is_published
                  LEFT JOIN lesson_progress lp ON lp.lesson_id = l.id AND lp.student_id = e.student_id
                  WHERE ",
            $which,
            " AND ($2 IS NULL OR e.student_id = $2)
                  GROUP BY e.id
              ) n"
        )
    };
}

/// Sets progress and what follows from it.
macro_rules! recount {
    ($table:literal, $scope:literal, $which:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET progress = n.progress,
                  is_completed = (n.progress = 10000),
                  status = CASE WHEN ",
            $table,
            ".status NOT IN ('active', 'completed') THEN ",
            $table,
            ".status WHEN n.progress = 10000 THEN 'completed' ELSE 'active' END
              FROM ",
            shares!($table, $scope, $which),
            " WHERE n.id = ",
            $table,
            ".id"
        )
    };
}

#[async_trait]
impl ProgressStore for Tx {
    async fn begin(&mut self, student: UserId, item: &Item, now: DateTime<Utc>) -> StoreResult<()> {
        self.query(
            "INSERT INTO lesson_progress (student_id, lesson_id, is_completed, updated_at, teacher_id)
             SELECT $1, l.id, FALSE, $4, c.teacher_id
             FROM lessons l JOIN modules m ON m.id = l.module_id JOIN courses c ON c.id = m.course_id
             WHERE m.course_id = $2 AND ($3 IS NULL OR m.id = $3)
             ON CONFLICT (student_id, lesson_id) DO NOTHING",
        )
        .bind(student.0)
        .bind(item.course)
        .bind(item.module.as_ref().map(|(module, _)| *module))
        .bind(now)
        .execute()
        .await?;
        Ok(())
    }

    async fn add_lesson(&mut self, lesson: Uuid, now: DateTime<Utc>) -> StoreResult<()> {
        self.query(concat!(
            "INSERT INTO lesson_progress (student_id, lesson_id, is_completed, updated_at, teacher_id)
             SELECT h.student_id, $1, FALSE, $2,
                    (SELECT c.teacher_id FROM lessons l JOIN modules m ON m.id = l.module_id
                     JOIN courses c ON c.id = m.course_id WHERE l.id = $1)
             FROM (
                 SELECT e.student_id FROM lessons l
                 JOIN modules m ON m.id = l.module_id
                 JOIN course_enrollments e ON e.course_id = m.course_id
                 WHERE l.id = $1 AND e.access_type = 'full_access' AND ",
            holds_at!("$2"),
            " UNION
                 SELECT e.student_id FROM lessons l
                 JOIN module_enrollments e ON e.module_id = l.module_id
                 WHERE l.id = $1 AND ",
            holds_at!("$2"),
            ") h
             WHERE TRUE
             ON CONFLICT (student_id, lesson_id) DO NOTHING"
        ))
        .bind(lesson)
        .bind(now)
        .execute()
        .await?;
        Ok(())
    }

    async fn end(&mut self, student: UserId, course: Uuid, now: DateTime<Utc>) -> StoreResult<()> {
        self.query(concat!(
            "DELETE FROM lesson_progress
             WHERE student_id = $1
               AND lesson_id IN (SELECT l.id FROM lessons l JOIN modules m ON m.id = l.module_id
                                 WHERE m.course_id = $3)
               AND lesson_id NOT IN (SELECT l.id FROM lessons l
                                     JOIN module_enrollments e ON e.module_id = l.module_id
                                     WHERE e.student_id = $1 AND ",
            holds_at!("$2"),
            ")"
        ))
        .bind(student.0)
        .bind(now)
        .bind(course)
        .execute()
        .await?;
        Ok(())
    }

    async fn find(&mut self, student: UserId, lesson: Uuid) -> StoreResult<Option<LessonProgress>> {
        let row = self
            .query(
                "SELECT id, is_completed FROM lesson_progress
                 WHERE student_id = $1 AND lesson_id = $2",
            )
            .bind(student.0)
            .bind(lesson)
            .optional::<ProgressRow>()
            .await?;
        Ok(row.map(LessonProgress::from))
    }

    async fn lock(&mut self, student: UserId, lesson: Uuid) -> StoreResult<Option<LessonProgress>> {
        let row = self
            .query(
                "UPDATE lesson_progress SET is_completed = is_completed
                 WHERE student_id = $1 AND lesson_id = $2
                 RETURNING id, is_completed",
            )
            .bind(student.0)
            .bind(lesson)
            .optional::<ProgressRow>()
            .await?;
        Ok(row.map(LessonProgress::from))
    }

    async fn set(
        &mut self,
        student: UserId,
        lesson: Uuid,
        is_completed: bool,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<LessonProgress>> {
        let row = self
            .query(
                "UPDATE lesson_progress SET is_completed = $3, updated_at = $4
                 WHERE student_id = $1 AND lesson_id = $2
                 RETURNING id, is_completed",
            )
            .bind(student.0)
            .bind(lesson)
            .bind(is_completed)
            .bind(now)
            .optional::<ProgressRow>()
            .await?;
        if row.is_some() {
            self.query(
                "UPDATE course_enrollments SET last_activity = $3
                 WHERE student_id = $1
                   AND course_id = (SELECT m.course_id FROM lessons l
                                    JOIN modules m ON m.id = l.module_id WHERE l.id = $2)",
            )
            .bind(student.0)
            .bind(lesson)
            .bind(now)
            .execute()
            .await?;
        }
        Ok(row.map(LessonProgress::from))
    }

    async fn recount(&mut self, course: Uuid, student: Option<UserId>) -> StoreResult<()> {
        for statement in [
            recount!("course_enrollments", "m.course_id = e.course_id", "e.course_id = $1"),
            recount!(
                "module_enrollments",
                "m.id = e.module_id",
                "e.module_id IN (SELECT x.id FROM modules x WHERE x.course_id = $1)"
            ),
        ] {
            self.query(statement)
                .bind(course)
                .bind(student.map(|student| student.0))
                .execute()
                .await?;
        }
        Ok(())
    }

    async fn complete(
        &mut self,
        course: Uuid,
        student: Option<UserId>,
    ) -> StoreResult<Vec<UserId>> {
        let rows = self
            .query(concat!(
                "UPDATE course_enrollments SET is_completed = TRUE FROM ",
                shares!("course_enrollments", "m.course_id = e.course_id", "e.course_id = $1"),
                " WHERE n.id = course_enrollments.id AND n.progress = 10000
                    AND NOT course_enrollments.is_completed
                  RETURNING student_id"
            ))
            .bind(course)
            .bind(student.map(|student| student.0))
            .all::<(i64,)>()
            .await?;
        let mut students: Vec<_> = rows.into_iter().map(|(student,)| UserId(student)).collect();
        students.sort_unstable();
        Ok(students)
    }
}
