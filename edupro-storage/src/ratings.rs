use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    accounts::UserId,
    ratings::{Rating, RatingName, RatingStore},
};
use uuid::Uuid;

use crate::{
    access::holds_at,
    sql::Tx,
    students::{StudentRow, profile_columns},
    users::user_columns,
};

#[derive(sqlx::FromRow)]
struct RatingRow {
    rating_id: i64,
    uuid: Uuid,
    course_id: Uuid,
    course_title: String,
    rating: i64,
    comment: String,
    rated_at: DateTime<Utc>,
    #[sqlx(flatten)]
    student: StudentRow,
}

impl TryFrom<RatingRow> for Rating {
    type Error = StoreError;

    fn try_from(row: RatingRow) -> StoreResult<Self> {
        Ok(Self {
            id: row.rating_id,
            uuid: row.uuid,
            course: row.course_id,
            course_title: row.course_title,
            student: row.student.try_into()?,
            rating: row.rating,
            comment: row.comment,
            created_at: row.rated_at,
        })
    }
}

/// A rating, its course's title and its student.
macro_rules! rating {
    ($rest:literal) => {
        concat!(
            "SELECT x.id AS rating_id, x.uuid, x.course_id, c.title AS course_title, x.rating,
                    x.comment, x.created_at AS rated_at, ",
            user_columns!(),
            ", ",
            profile_columns!(),
            " FROM ratings x
              JOIN courses c ON c.id = x.course_id
              JOIN users u ON u.id = x.student_id
              JOIN student_profiles p ON p.id = x.student_id ",
            $rest
        )
    };
}

#[async_trait]
impl RatingStore for Tx {
    async fn may_rate(
        &mut self,
        student: UserId,
        course: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let (may,) = self
            .query(concat!(
                "SELECT EXISTS (SELECT 1 FROM teacher_students r JOIN courses c ON c.teacher_id = r.teacher_id
                                WHERE c.id = $2 AND r.student_id = $1 AND r.is_active)
                    AND (EXISTS (SELECT 1 FROM course_enrollments e
                                 WHERE e.student_id = $1 AND e.course_id = $2
                                   AND e.access_type = 'full_access' AND ",
                holds_at!("$3"),
                ") OR EXISTS (SELECT 1 FROM module_enrollments e JOIN modules m ON m.id = e.module_id
                              WHERE e.student_id = $1 AND m.course_id = $2 AND ",
                holds_at!("$3"),
                "))"
            ))
            .bind(student.0)
            .bind(course)
            .bind(now)
            .one::<(bool,)>()
            .await?;
        Ok(may)
    }

    async fn add(&mut self, rating: &Rating) -> StoreResult<bool> {
        let added = self
            .query(
                "INSERT INTO ratings (uuid, course_id, student_id, rating, comment, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $6)
                 ON CONFLICT (course_id, student_id) DO NOTHING",
            )
            .bind(rating.uuid)
            .bind(rating.course)
            .bind(rating.student.user.id.0)
            .bind(rating.rating)
            .bind(rating.comment.clone())
            .bind(rating.created_at)
            .execute()
            .await?;
        Ok(added == 1)
    }

    async fn find(&mut self, name: RatingName) -> StoreResult<Option<Rating>> {
        let statement = match name {
            RatingName::Id(id) => self.query(rating!("WHERE x.id = $1")).bind(id),
            RatingName::Uuid(uuid) => self.query(rating!("WHERE x.uuid = $1")).bind(uuid),
        };
        statement.optional::<RatingRow>().await?.map(Rating::try_from).transpose()
    }

    async fn save(&mut self, rating: &Rating, now: DateTime<Utc>) -> StoreResult<()> {
        self.query("UPDATE ratings SET rating = $2, comment = $3, updated_at = $4 WHERE uuid = $1")
            .bind(rating.uuid)
            .bind(rating.rating)
            .bind(rating.comment.clone())
            .bind(now)
            .execute()
            .await?;
        Ok(())
    }

    async fn delete(&mut self, uuid: Uuid) -> StoreResult<()> {
        self.query("DELETE FROM ratings WHERE uuid = $1").bind(uuid).execute().await?;
        Ok(())
    }

    async fn list(&mut self, course: Uuid) -> StoreResult<Vec<Rating>> {
        let rows = self
            .query(rating!("WHERE x.course_id = $1 ORDER BY x.created_at DESC, x.id DESC"))
            .bind(course)
            .all::<RatingRow>()
            .await?;
        rows.into_iter().map(Rating::try_from).collect()
    }

    async fn recount(&mut self, course: Uuid, teacher: UserId) -> StoreResult<()> {
        // Hundredths, rounded half up.
        self.query(
            "UPDATE courses
             SET total_reviews = (SELECT COUNT(*) FROM ratings x WHERE x.course_id = $1),
                 average_rating = (SELECT CAST(COALESCE((CAST(SUM(x.rating) AS BIGINT) * 200 + COUNT(*)) / NULLIF(COUNT(*) * 2, 0), 0) AS BIGINT)
                                   FROM ratings x WHERE x.course_id = $1)
             WHERE id = $1",
        )
        .bind(course)
        .execute()
        .await?;
        self.recount_teacher(teacher).await
    }
}

impl Tx {
    /// The mean of the averages of a teacher's rated courses, in hundredths.
    pub(crate) async fn recount_teacher(&mut self, teacher: UserId) -> StoreResult<()> {
        self.query(
            "UPDATE teacher_profiles
             SET rating = (SELECT CAST(COALESCE((CAST(SUM(c.average_rating) AS BIGINT) * 2 + COUNT(*)) / NULLIF(COUNT(*) * 2, 0), 0) AS BIGINT)
                           FROM courses c WHERE c.teacher_id = $1 AND c.total_reviews > 0)
             WHERE id = $1",
        )
        .bind(teacher.0)
        .execute()
        .await?;
        Ok(())
    }
}
