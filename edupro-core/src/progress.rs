//! How far a student has come (contract 8.6, behaviour 3.13 and 3.20).
//!
//! Progress is the share of a course's published lessons, in published modules, that the student
//! has completed. It is worked out again whenever one of these changes, and is never above 100.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    School, StoreError, StoreResult, Transaction,
    access::{self, Access},
    accounts::{User, UserId},
    coupons::Item,
    events::{Event, announce, announce_all},
    lessons::Lesson,
};

/// A student and a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LessonProgress {
    /// The row's number.
    pub id: i64,
    /// Whether the student has completed the lesson.
    pub is_completed: bool,
}

/// Where progress is kept.
#[async_trait]
pub trait ProgressStore: Send {
    /// A row for each lesson of what the student has just enrolled in, where there is none.
    async fn begin(&mut self, student: UserId, item: &Item, now: DateTime<Utc>) -> StoreResult<()>;

    /// A row of a new lesson for each student who has it now.
    async fn add_lesson(&mut self, lesson: Uuid, now: DateTime<Utc>) -> StoreResult<()>;

    /// Forgets a student's rows in a course, but for modules that the student still has.
    async fn end(&mut self, student: UserId, course: Uuid, now: DateTime<Utc>) -> StoreResult<()>;

    /// The row of a student and a lesson.
    async fn find(&mut self, student: UserId, lesson: Uuid) -> StoreResult<Option<LessonProgress>>;

    /// The same, held until the transaction ends.
    async fn lock(&mut self, student: UserId, lesson: Uuid) -> StoreResult<Option<LessonProgress>>;

    /// Notes whether the lesson is completed; `None` when there is no row.
    async fn set(
        &mut self,
        student: UserId,
        lesson: Uuid,
        is_completed: bool,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<LessonProgress>>;

    /// Works out the progress in a course and its modules again: of one student, or of everybody.
    async fn recount(&mut self, course: Uuid, student: Option<UserId>) -> StoreResult<()>;

    /// Marks enrolments in a course as completed in which every lesson is by now, and returns whose
    /// were not before, by id. Only [`ProgressStore::recount`] after it makes the rest right.
    async fn complete(&mut self, course: Uuid, student: Option<UserId>)
    -> StoreResult<Vec<UserId>>;
}

/// Whether a student has completed one lesson; `None` for whoever is no student.
pub async fn is_completed(
    tx: &mut dyn Transaction,
    viewer: &User,
    lesson: Uuid,
) -> StoreResult<Option<bool>> {
    if !viewer.is_student() {
        return Ok(None);
    }
    let row = tx.progress().find(viewer.id, lesson).await?;
    Ok(Some(row.is_some_and(|row| row.is_completed)))
}

/// Why progress was not shown or noted.
#[derive(Debug, thiserror::Error)]
pub enum ProgressError {
    /// There is no such lesson, or no row: a preview is not part of what one has.
    #[error("Not found.")]
    Unknown,
    /// The asker has no access, or is no student.
    #[error("You don't have permission to access this lesson.")]
    NoAccess,
    /// The teacher has blocked the student.
    #[error("You are blocked by the teacher.")]
    Blocked,
    /// The storage.
    #[error("progress could not be read or saved")]
    Store(#[from] StoreError),
}

/// The lesson, if this student may have it.
pub async fn admit(
    tx: &mut dyn Transaction,
    student: &User,
    lesson: Uuid,
    now: DateTime<Utc>,
) -> Result<Lesson, ProgressError> {
    let lesson = tx.lessons().find(lesson).await?.ok_or(ProgressError::Unknown)?;
    let access = access::content(tx, &lesson.place(), student, now).await?;
    match access {
        Access::Granted => Ok(lesson),
        Access::Blocked => Err(ProgressError::Blocked),
        Access::Owner | Access::Refused => Err(ProgressError::NoAccess),
    }
}

/// 8.6: how it stands.
pub async fn show(
    tx: &mut dyn Transaction,
    student: &User,
    lesson: Uuid,
    now: DateTime<Utc>,
) -> Result<LessonProgress, ProgressError> {
    admit(tx, student, lesson, now).await?;
    tx.progress().find(student.id, lesson).await?.ok_or(ProgressError::Unknown)
}

/// 8.6: a student completes a lesson, or takes that back. `None` changes nothing.
pub async fn update(
    school: &School,
    student: &User,
    lesson: Uuid,
    is_completed: Option<bool>,
) -> Result<LessonProgress, ProgressError> {
    let now = school.clock.now();
    let Some(is_completed) = is_completed else {
        return show(&mut *school.storage.read().await?, student, lesson, now).await;
    };
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let lesson = admit(&mut *tx, student, lesson, now).await?;
            let is_news = is_completed && is_first(&mut *tx, school, student.id, lesson.id).await?;
            let noted = tx.progress().set(student.id, lesson.id, is_completed, now).await?;
            let noted = noted.ok_or(ProgressError::Unknown)?;
            let course = lesson.module.course.id;
            if is_news {
                announce(&mut *tx, school, completed_event(student.id, lesson)).await?;
            }
            recount(&mut *tx, school, course, Some(student.id)).await?;
            tx.commit().await?;
            Ok(noted)
        })
        .await
}

/// Whether the lesson is not completed yet, if anybody wants to know.
async fn is_first(
    tx: &mut dyn Transaction,
    school: &School,
    student: UserId,
    lesson: Uuid,
) -> StoreResult<bool> {
    if school.events.is_none() {
        return Ok(false);
    }
    // Held: of two that complete it at the same time, one is first.
    let before = tx.progress().lock(student, lesson).await?;
    Ok(before.is_some_and(|before| !before.is_completed))
}

fn completed_event(student: UserId, lesson: Lesson) -> Event {
    Event::LessonCompleted {
        student,
        teacher: lesson.module.course.teacher,
        course: lesson.module.course.id,
        module: lesson.module.id,
        lesson: lesson.id,
        lesson_title: lesson.title,
    }
}

/// Works out the progress in a course and its modules again, of one student or of everybody, and
/// announces who has completed the course by that.
pub(crate) async fn recount(
    tx: &mut dyn Transaction,
    school: &School,
    course: Uuid,
    student: Option<UserId>,
) -> StoreResult<()> {
    if school.events.is_none() {
        return tx.progress().recount(course, student).await;
    }
    let news = tx.progress().complete(course, student).await?;
    tx.progress().recount(course, student).await?;
    if news.is_empty() {
        return Ok(());
    }
    let Some(course) = tx.courses().find(course).await? else { return Ok(()) };
    let completed = |student: UserId| Event::CourseCompleted {
        student,
        teacher: course.teacher,
        course: course.id,
        course_title: course.title.clone(),
    };
    announce_all(tx, school, news.into_iter().map(completed)).await
}
