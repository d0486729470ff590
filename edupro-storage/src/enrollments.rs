use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    Page, PageOf, StoreError, StoreResult,
    accounts::UserId,
    coupons::Item,
    courses::Course,
    enrollments::{
        CourseEnrollment, EnrolledCourse, Enrollment, EnrollmentStatus, EnrollmentStore,
        EnrollmentsOf, Prospect,
    },
};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    access::holds_at,
    cents::{from_cents, to_cents},
    courses::{CourseRow, course_columns},
    progress::share_completed,
    roster::standing,
    sql::Tx,
    students::{StudentRow, profile_columns},
    users::user_columns,
};

/// The columns of [`EnrollmentRow`], from a table called `e`.
macro_rules! enrollment_columns {
    () => {
        "e.id AS enrollment_id, e.student_id, e.enrolled_at, e.ends_at, e.status, e.access_type,
         e.is_completed, e.is_active AS enrollment_is_active, e.progress,
         e.last_activity AS enrollment_activity"
    };
}

#[derive(sqlx::FromRow)]
struct EnrollmentRow {
    enrollment_id: i64,
    student_id: i64,
    enrolled_at: DateTime<Utc>,
    ends_at: Option<DateTime<Utc>>,
    status: String,
    access_type: String,
    is_completed: bool,
    enrollment_is_active: bool,
    progress: i64,
    enrollment_activity: Option<DateTime<Utc>>,
}

impl TryFrom<EnrollmentRow> for Enrollment {
    type Error = StoreError;

    fn try_from(row: EnrollmentRow) -> StoreResult<Self> {
        let status = EnrollmentStatus::from_word(&row.status)
            .ok_or(StoreError::Corrupt { column: "enrollments.status", value: row.status })?;
        Ok(Self {
            id: row.enrollment_id,
            student: UserId(row.student_id),
            enrolled_at: row.enrolled_at,
            ends_at: row.ends_at,
            status,
            access_type: row.access_type,
            is_completed: row.is_completed,
            is_active: row.enrollment_is_active,
            progress: from_cents(row.progress),
            last_activity: row.enrollment_activity,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ProspectRow {
    teacher_id: i64,
    course_id: Uuid,
    course_title: String,
    module_id: Option<Uuid>,
    module_title: Option<String>,
    price: i64,
    is_published: bool,
    is_free: bool,
    relation_is_active: Option<bool>,
    has_access: bool,
    has_row: bool,
}

impl From<ProspectRow> for Prospect {
    fn from(row: ProspectRow) -> Self {
        Self {
            item: Item {
                teacher: UserId(row.teacher_id),
                course: row.course_id,
                course_title: row.course_title,
                module: row.module_id.zip(row.module_title),
                price: from_cents(row.price),
            },
            is_published: row.is_published,
            is_free: row.is_free,
            standing: row.relation_is_active.map(standing),
            has_access: row.has_access,
            has_row: row.has_row,
        }
    }
}

#[derive(sqlx::FromRow)]
struct CourseEnrollmentRow {
    #[sqlx(flatten)]
    enrollment: EnrollmentRow,
    #[sqlx(flatten)]
    student: StudentRow,
    course_id: Uuid,
    course_title: String,
    teacher_name: String,
}

impl TryFrom<CourseEnrollmentRow> for CourseEnrollment {
    type Error = StoreError;

    fn try_from(row: CourseEnrollmentRow) -> StoreResult<Self> {
        Ok(Self {
            enrollment: row.enrollment.try_into()?,
            student: row.student.try_into()?,
            course: row.course_id,
            course_title: row.course_title,
            teacher_name: row.teacher_name,
        })
    }
}

/// An enrolment in a course with the student and the names.
macro_rules! course_enrollment {
    () => {
        concat!(
            "SELECT ",
            enrollment_columns!(),
            ", ",
            user_columns!(),
            ", ",
            profile_columns!(),
            ", c.id AS course_id, c.title AS course_title,
               t.first_name || ' ' || t.last_name AS teacher_name
             FROM course_enrollments e
             JOIN courses c ON c.id = e.course_id
             JOIN users t ON t.id = c.teacher_id
             JOIN users u ON u.id = e.student_id
             JOIN student_profiles p ON p.id = e.student_id "
        )
    };
}

#[derive(sqlx::FromRow)]
struct EnrolledCourseRow {
    #[sqlx(flatten)]
    enrollment: EnrollmentRow,
    #[sqlx(flatten)]
    course: CourseRow,
}

impl TryFrom<EnrolledCourseRow> for EnrolledCourse {
    type Error = StoreError;

    fn try_from(row: EnrolledCourseRow) -> StoreResult<Self> {
        Ok(Self { enrollment: row.enrollment.try_into()?, course: Course::from(row.course) })
    }
}

/// An enrolment with its course.
macro_rules! enrolled_course {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            enrollment_columns!(),
            ", ",
            course_columns!(),
            " FROM course_enrollments e
              JOIN courses c ON c.id = e.course_id
              LEFT JOIN categories g ON g.id = c.category_id ",
            $rest
        )
    };
}

/// What the student `$1` has completed before enrolling: lessons of modules that were bought alone.
macro_rules! progress_so_far {
    ($scope:literal) => {
        concat!(
            "(SELECT ",
            share_completed!(),
            " AS progress
              FROM modules m
              JOIN lessons l ON l.module_id = m.id AND l.is_published
              LEFT JOIN lesson_progress lp ON lp.lesson_id = l.id AND lp.student_id = $1
              WHERE m.is_published AND ",
            $scope,
            ") n"
        )
    };
}

/// What a student has now: live, and let in by the teacher. `$3` is the moment, `$2` a teacher
/// or NULL for all.
macro_rules! has_now {
    () => {
        concat!(
            "WHERE e.student_id = $1 AND ($2 IS NULL OR c.teacher_id = $2)
               AND e.access_type = 'full_access' AND ",
            holds_at!("$3"),
            " AND EXISTS (SELECT 1 FROM teacher_students r
                          WHERE r.teacher_id = c.teacher_id AND r.student_id = $1 AND r.is_active)"
        )
    };
}

#[async_trait]
impl EnrollmentStore for Tx {
    async fn course_prospect(
        &mut self,
        student: UserId,
        course: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<Prospect>> {
        let row = self
            .query(concat!(
                "SELECT c.teacher_id, c.id AS course_id, c.title AS course_title,
                        CAST(NULL AS UUID) AS module_id, CAST(NULL AS TEXT) AS module_title,
                        c.price, c.is_published, (c.is_free OR c.price = 0) AS is_free,
                        (SELECT r.is_active FROM teacher_students r
                         WHERE r.teacher_id = c.teacher_id AND r.student_id = $1) AS relation_is_active,
                        EXISTS (SELECT 1 FROM course_enrollments e
                                WHERE e.student_id = $1 AND e.course_id = c.id
                                  AND e.access_type = 'full_access' AND ",
                holds_at!("$3"),
                ") AS has_access,
                        EXISTS (SELECT 1 FROM course_enrollments e
                                WHERE e.student_id = $1 AND e.course_id = c.id) AS has_row
                 FROM courses c WHERE c.id = $2"
            ))
            .bind(student.0)
            .bind(course)
            .bind(now)
            .optional::<ProspectRow>()
            .await?;
        Ok(row.map(Prospect::from))
    }

    async fn module_prospect(
        &mut self,
        student: UserId,
        module: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<Prospect>> {
        let row = self
            .query(concat!(
                "SELECT c.teacher_id, c.id AS course_id, c.title AS course_title,
                        m.id AS module_id, m.title AS module_title, m.price,
                        (m.is_published AND c.is_published) AS is_published,
                        (m.is_free OR c.is_free OR c.price = 0) AS is_free,
                        (SELECT r.is_active FROM teacher_students r
                         WHERE r.teacher_id = c.teacher_id AND r.student_id = $1) AS relation_is_active,
                        (EXISTS (SELECT 1 FROM course_enrollments e
                                 WHERE e.student_id = $1 AND e.course_id = c.id
                                   AND e.access_type = 'full_access' AND ",
                holds_at!("$3"),
                ") OR EXISTS (SELECT 1 FROM module_enrollments e
                              WHERE e.student_id = $1 AND e.module_id = m.id AND ",
                holds_at!("$3"),
                ")) AS has_access,
                        EXISTS (SELECT 1 FROM module_enrollments e
                                WHERE e.student_id = $1 AND e.module_id = m.id) AS has_row
                 FROM modules m JOIN courses c ON c.id = m.course_id WHERE m.id = $2"
            ))
            .bind(student.0)
            .bind(module)
            .bind(now)
            .optional::<ProspectRow>()
            .await?;
        Ok(row.map(Prospect::from))
    }

    async fn add(
        &mut self,
        student: UserId,
        item: &Item,
        now: DateTime<Utc>,
        ends_at: Option<DateTime<Utc>>,
    ) -> StoreResult<Option<Enrollment>> {
        let statement = match &item.module {
            None => self
                .query(concat!(
                    "INSERT INTO course_enrollments (student_id, course_id, enrolled_at, ends_at,
                                                     status, access_type, is_completed, is_active,
                                                     progress)
                     SELECT $1, $2, $3, $4, 'active', 'full_access', n.progress = 10000, TRUE, n.progress
                     FROM ",
                    progress_so_far!("m.course_id = $2"),
                    " WHERE TRUE
                     ON CONFLICT (student_id, course_id) DO NOTHING
                     RETURNING id AS enrollment_id, student_id, enrolled_at, ends_at, status,
                               access_type, is_completed, is_active AS enrollment_is_active,
                               progress, last_activity AS enrollment_activity",
                ))
                .bind(student.0)
                .bind(item.course),
            Some((module, _)) => self
                .query(concat!(
                    "INSERT INTO module_enrollments (student_id, module_id, enrolled_at, ends_at,
                                                     status, is_completed, is_active, progress)
                     SELECT $1, $2, $3, $4, 'active', n.progress = 10000, TRUE, n.progress
                     FROM ",
                    progress_so_far!("m.id = $2"),
                    " WHERE TRUE
                     ON CONFLICT (student_id, module_id) DO NOTHING
                     RETURNING id AS enrollment_id, student_id, enrolled_at, ends_at, status,
                               'full_access' AS access_type, is_completed,
                               is_active AS enrollment_is_active, progress,
                               CAST(NULL AS TIMESTAMPTZ) AS enrollment_activity",
                ))
                .bind(student.0)
                .bind(*module),
        };
        let row = statement.bind(now).bind(ends_at).optional::<EnrollmentRow>().await?;
        row.map(Enrollment::try_from).transpose()
    }

    async fn renew(
        &mut self,
        student: UserId,
        item: &Item,
        now: DateTime<Utc>,
        ends_at: Option<DateTime<Utc>>,
    ) -> StoreResult<Option<Enrollment>> {
        let statement = match &item.module {
            None => self
                .query(
                    "UPDATE course_enrollments
                     SET status = 'active',
                         access_type = 'full_access', is_active = TRUE, enrolled_at = $3, ends_at = $4
                     WHERE student_id = $1 AND course_id = $2
                       AND NOT (access_type = 'full_access' AND is_active
                                AND status IN ('active', 'completed')
                                AND (ends_at IS NULL OR ends_at > $3))
                     RETURNING id AS enrollment_id, student_id, enrolled_at, ends_at, status,
                               access_type, is_completed, is_active AS enrollment_is_active,
                               progress, last_activity AS enrollment_activity",
                )
                .bind(student.0)
                .bind(item.course),
            Some((module, _)) => self
                .query(
                    "UPDATE module_enrollments
                     SET status = 'active',
                         is_active = TRUE, enrolled_at = $3, ends_at = $4
                     WHERE student_id = $1 AND module_id = $2
                       AND NOT (is_active AND status IN ('active', 'completed')
                                AND (ends_at IS NULL OR ends_at > $3))
                     RETURNING id AS enrollment_id, student_id, enrolled_at, ends_at, status,
                               'full_access' AS access_type, is_completed,
                               is_active AS enrollment_is_active, progress,
                               CAST(NULL AS TIMESTAMPTZ) AS enrollment_activity",
                )
                .bind(student.0)
                .bind(*module),
        };
        let row = statement.bind(now).bind(ends_at).optional::<EnrollmentRow>().await?;
        row.map(Enrollment::try_from).transpose()
    }

    async fn cancel(
        &mut self,
        student: UserId,
        item: &Item,
        enrolled_at: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let statement = match &item.module {
            None => self
                .query(
                    "UPDATE course_enrollments
                     SET status = 'cancelled', access_type = 'no_access', is_active = FALSE
                     WHERE student_id = $1 AND course_id = $2 AND enrolled_at = $3
                       AND status IN ('active', 'completed')",
                )
                .bind(student.0)
                .bind(item.course),
            Some((module, _)) => self
                .query(
                    "UPDATE module_enrollments SET status = 'cancelled', is_active = FALSE
                     WHERE student_id = $1 AND module_id = $2 AND enrolled_at = $3
                       AND status IN ('active', 'completed')",
                )
                .bind(student.0)
                .bind(*module),
        };
        Ok(statement.bind(enrolled_at).execute().await? == 1)
    }

    async fn count(&mut self, course: Uuid, enrollments: i64, revenue: Decimal) -> StoreResult<()> {
        self.query(
            "UPDATE courses
             SET total_enrollments = total_enrollments + $2, total_revenue = total_revenue + $3
             WHERE id = $1",
        )
        .bind(course)
        .bind(enrollments)
        .bind(to_cents(revenue))
        .execute()
        .await?;
        Ok(())
    }

    async fn find(&mut self, course: Uuid, id: i64) -> StoreResult<Option<Enrollment>> {
        let row = self
            .query(concat!(
                "SELECT ",
                enrollment_columns!(),
                " FROM course_enrollments e WHERE e.course_id = $1 AND e.id = $2"
            ))
            .bind(course)
            .bind(id)
            .optional::<EnrollmentRow>()
            .await?;
        row.map(Enrollment::try_from).transpose()
    }

    async fn find_of(&mut self, course: Uuid, student: UserId) -> StoreResult<Option<Enrollment>> {
        let row = self
            .query(concat!(
                "SELECT ",
                enrollment_columns!(),
                " FROM course_enrollments e WHERE e.course_id = $1 AND e.student_id = $2"
            ))
            .bind(course)
            .bind(student.0)
            .optional::<EnrollmentRow>()
            .await?;
        row.map(Enrollment::try_from).transpose()
    }

    async fn delete(&mut self, id: i64) -> StoreResult<bool> {
        let deleted =
            self.query("DELETE FROM course_enrollments WHERE id = $1").bind(id).execute().await?;
        Ok(deleted == 1)
    }

    async fn of_course(&mut self, course: Uuid) -> StoreResult<Vec<CourseEnrollment>> {
        let rows = self
            .query(concat!(
                course_enrollment!(),
                "WHERE e.course_id = $1 ORDER BY e.enrolled_at DESC, e.id DESC"
            ))
            .bind(course)
            .all::<CourseEnrollmentRow>()
            .await?;
        rows.into_iter().map(CourseEnrollment::try_from).collect()
    }

    async fn page(
        &mut self,
        of: EnrollmentsOf,
        page: Page,
    ) -> StoreResult<Option<PageOf<CourseEnrollment>>> {
        // What is not asked for is NULL and filters nothing.
        let (course, student, teacher) = match of {
            EnrollmentsOf::Course(course) => (Some(course), None, None),
            EnrollmentsOf::StudentInCourse(student, course) => (Some(course), Some(student), None),
            EnrollmentsOf::StudentOfTeacher(student, teacher) => {
                (None, Some(student), Some(teacher))
            }
        };
        let filter = "WHERE ($1 IS NULL OR e.course_id = $1) AND ($2 IS NULL OR e.student_id = $2)
                        AND ($3 IS NULL OR c.teacher_id = $3)";
        let text = format!(
            "SELECT COUNT(*) FROM course_enrollments e JOIN courses c ON c.id = e.course_id {filter}"
        );
        let (count,) = self
            .query_built(text)
            .bind(course)
            .bind(student.map(|student| student.0))
            .bind(teacher.map(|teacher| teacher.0))
            .one::<(i64,)>()
            .await?;
        let Some(window) = page.window(count) else { return Ok(None) };
        let text = format!(
            "{} {filter} ORDER BY e.enrolled_at DESC, e.id DESC LIMIT $4 OFFSET $5",
            course_enrollment!()
        );
        let rows = self
            .query_built(text)
            .bind(course)
            .bind(student.map(|student| student.0))
            .bind(teacher.map(|teacher| teacher.0))
            .bind(window.limit)
            .bind(window.offset)
            .all::<CourseEnrollmentRow>()
            .await?;
        let items = rows.into_iter().map(CourseEnrollment::try_from).collect::<StoreResult<_>>()?;
        Ok(Some(PageOf { items, count, number: window.number }))
    }

    async fn courses(
        &mut self,
        student: UserId,
        teacher: Option<UserId>,
        now: DateTime<Utc>,
        page: Page,
    ) -> StoreResult<Option<PageOf<EnrolledCourse>>> {
        let (count,) = self
            .query(concat!(
                "SELECT COUNT(*) FROM course_enrollments e JOIN courses c ON c.id = e.course_id ",
                has_now!()
            ))
            .bind(student.0)
            .bind(teacher.map(|teacher| teacher.0))
            .bind(now)
            .one::<(i64,)>()
            .await?;
        let Some(window) = page.window(count) else { return Ok(None) };
        let rows = self
            .query(concat!(
                enrolled_course!(""),
                has_now!(),
                " ORDER BY c.created_at DESC, c.id LIMIT $4 OFFSET $5"
            ))
            .bind(student.0)
            .bind(teacher.map(|teacher| teacher.0))
            .bind(now)
            .bind(window.limit)
            .bind(window.offset)
            .all::<EnrolledCourseRow>()
            .await?;
        let items = rows.into_iter().map(EnrolledCourse::try_from).collect::<StoreResult<_>>()?;
        Ok(Some(PageOf { items, count, number: window.number }))
    }

    async fn all_courses(&mut self, student: UserId) -> StoreResult<Vec<EnrolledCourse>> {
        let rows = self
            .query(enrolled_course!(
                "WHERE e.student_id = $1 ORDER BY e.enrolled_at DESC, e.id DESC"
            ))
            .bind(student.0)
            .all::<EnrolledCourseRow>()
            .await?;
        rows.into_iter().map(EnrolledCourse::try_from).collect()
    }

    async fn expire(&mut self, now: DateTime<Utc>) -> StoreResult<u64> {
        let mut expired = 0;
        for statement in [
            "UPDATE course_enrollments SET status = 'expired', is_active = FALSE
             WHERE is_active AND ends_at <= $1 AND status IN ('active', 'completed')",
            "UPDATE module_enrollments SET status = 'expired', is_active = FALSE
             WHERE is_active AND ends_at <= $1 AND status IN ('active', 'completed')",
        ] {
            expired += self.query(statement).bind(now).execute().await?;
        }
        Ok(expired)
    }
}
