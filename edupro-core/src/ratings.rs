//! What students think of a course (contract section 6).

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    School, StoreError, StoreResult, Transaction,
    accounts::{Actor, User, UserId},
    audit::{self, Deed},
    courses::{self, Course, CourseError},
    events::{Event, announce},
    students::Student,
};

/// Longest comment, in characters (behaviour 6.2).
pub const COMMENT_LENGTH: usize = 500;
/// The best and the worst.
pub const RATINGS: std::ops::RangeInclusive<i64> = 1..=5;

/// What a student thinks of a course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    /// Its number.
    pub id: i64,
    /// Its other name: the contract wants one in a path.
    pub uuid: Uuid,
    /// Of which course.
    pub course: Uuid,
    /// Its title.
    pub course_title: String,
    /// Whose.
    pub student: Student,
    /// 1 to 5.
    pub rating: i64,
    /// In words, perhaps none.
    pub comment: String,
    /// When it was given.
    pub created_at: DateTime<Utc>,
}

/// How a rating is named in a path: by its number or its other name (behaviour 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatingName {
    /// The number.
    Id(i64),
    /// The other name.
    Uuid(Uuid),
}

/// Where ratings are kept.
#[async_trait]
pub trait RatingStore: Send {
    /// Whether a student has a course or one of its modules now, and is let in.
    async fn may_rate(
        &mut self,
        student: UserId,
        course: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<bool>;

    /// Adds a rating; false when the student has rated the course.
    async fn add(&mut self, rating: &Rating) -> StoreResult<bool>;

    /// The rating of this name.
    async fn find(&mut self, name: RatingName) -> StoreResult<Option<Rating>>;

    /// Keeps rating and comment as they are here.
    async fn save(&mut self, rating: &Rating, now: DateTime<Utc>) -> StoreResult<()>;

    /// Deletes a rating.
    async fn delete(&mut self, uuid: Uuid) -> StoreResult<()>;

    /// A course's ratings, the newest first.
    async fn list(&mut self, course: Uuid) -> StoreResult<Vec<Rating>>;

    /// Works out the averages of a course and of its teacher again.
    async fn recount(&mut self, course: Uuid, teacher: UserId) -> StoreResult<()>;
}

/// Why a rating was not shown, given or changed.
#[derive(Debug, thiserror::Error)]
pub enum RatingError {
    /// There is no such course or rating.
    #[error("Not found.")]
    Unknown,
    /// It is somebody else's.
    #[error("You do not have permission to perform this action.")]
    NotYours,
    /// Only who learns may judge.
    #[error("You are not enrolled in this course.")]
    NotEnrolled,
    /// Once.
    #[error("You have already rated this course.")]
    RatedBefore,
    /// The storage.
    #[error("ratings could not be read or saved")]
    Store(#[from] StoreError),
}

impl From<CourseError> for RatingError {
    fn from(error: CourseError) -> Self {
        match error {
            CourseError::Store(error) => Self::Store(error),
            _ => Self::Unknown,
        }
    }
}

/// 6.1: a course's ratings, for whoever may know of the course.
pub async fn list(
    tx: &mut dyn Transaction,
    viewer: Option<&User>,
    course: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Rating>, RatingError> {
    courses::show(tx, viewer, course, now).await?;
    Ok(tx.ratings().list(course).await?)
}

/// The course, if this student may rate it.
pub async fn admit(
    tx: &mut dyn Transaction,
    student: &User,
    course: Uuid,
    now: DateTime<Utc>,
) -> Result<Course, RatingError> {
    let course = courses::show(tx, Some(student), course, now).await?;
    match tx.ratings().may_rate(student.id, course.id, now).await? {
        true => Ok(course),
        false => Err(RatingError::NotEnrolled),
    }
}

/// 6.2: a student rates a course, once.
pub async fn create(
    school: &School,
    student: &User,
    course: Uuid,
    stars: i64,
    comment: &str,
) -> Result<Rating, RatingError> {
    let now = school.clock.now();
    let uuid = school.entropy.uuid(now);
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            // Held, so that averages are worked out one after another.
            let course = tx.courses().lock(course, now).await?.ok_or(RatingError::Unknown)?;
            let course = admit(&mut *tx, student, course.id, now).await?;
            let student = tx.students().find(student.id).await?.ok_or(RatingError::Unknown)?;
            let new = Rating {
                id: 0,
                uuid,
                course: course.id,
                course_title: course.title,
                student,
                rating: stars,
                comment: comment.to_owned(),
                created_at: now,
            };
            if !tx.ratings().add(&new).await? {
                return Err(RatingError::RatedBefore);
            }
            tx.ratings().recount(course.id, course.teacher).await?;
            let added = tx.ratings().find(RatingName::Uuid(uuid)).await?;
            let added = added.ok_or(RatingError::Unknown)?;
            let event = Event::CourseRated {
                rating: added.id,
                student: added.student.user.id,
                teacher: course.teacher,
                course: added.course,
                course_title: added.course_title.clone(),
                stars,
            };
            announce(&mut *tx, school, event).await?;
            tx.commit().await?;
            Ok(added)
        })
        .await
}

/// 6.3: one's own rating.
pub async fn own(
    tx: &mut dyn Transaction,
    user: &User,
    name: RatingName,
) -> Result<Rating, RatingError> {
    let rating = tx.ratings().find(name).await?.ok_or(RatingError::Unknown)?;
    match rating.student.user.id == user.id {
        true => Ok(rating),
        false => Err(RatingError::NotYours),
    }
}

/// What becomes of a rating: `None` leaves a value as it is.
#[derive(Clone, Debug, Default)]
pub struct RatingChanges {
    /// [`Rating::rating`].
    pub rating: Option<i64>,
    /// [`Rating::comment`].
    pub comment: Option<String>,
}

/// 6.3: changes what is sent and nothing else. Who is no longer enrolled may still do so.
pub async fn update(
    school: &School,
    user: &User,
    name: RatingName,
    changes: &RatingChanges,
) -> Result<Rating, RatingError> {
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let (mut rating, course) = lock(&mut *tx, user, name, now).await?;
            rating.rating = changes.rating.unwrap_or(rating.rating);
            if let Some(comment) = &changes.comment {
                rating.comment.clone_from(comment);
            }
            tx.ratings().save(&rating, now).await?;
            tx.ratings().recount(course.id, course.teacher).await?;
            tx.commit().await?;
            Ok(rating)
        })
        .await
}

/// 6.3: takes a rating back.
pub async fn delete(school: &School, user: &Actor, name: RatingName) -> Result<(), RatingError> {
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let (rating, course) = lock(&mut *tx, user, name, now).await?;
            tx.ratings().delete(rating.uuid).await?;
            tx.ratings().recount(course.id, course.teacher).await?;
            let deed = Deed::RatingDeleted {
                teacher: course.teacher,
                student: user.id,
                rating: rating.id,
                course: course.id,
                stars: rating.rating,
            };
            audit::note(&mut *tx, school, user, [deed]).await?;
            Ok(tx.commit().await?)
        })
        .await
}

/// One's own rating, with its course held until the transaction ends.
async fn lock(
    tx: &mut dyn Transaction,
    user: &User,
    name: RatingName,
    now: DateTime<Utc>,
) -> Result<(Rating, Course), RatingError> {
    let course = own(tx, user, name).await?.course;
    let course = tx.courses().lock(course, now).await?.ok_or(RatingError::Unknown)?;
    // It may have changed while we waited for the course.
    Ok((own(tx, user, name).await?, course))
}
