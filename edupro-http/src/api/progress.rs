use axum::{Json, extract::State, http::StatusCode};
use edupro_core::{
    accounts::{Actor, User},
    progress::{self, LessonProgress, ProgressError},
};
use uuid::Uuid;

use crate::{
    EduPro,
    error::{Answer, ApiError},
    extract::{Incoming, Path, SignedIn, form},
};

form! {
    /// 8.6: whether a lesson is completed.
    pub(crate) struct ProgressForm / ProgressDraft {
        is_completed: bool = required(flag()),
    }
}

form! {
    /// 8.6 by PATCH, which may say nothing.
    pub(crate) struct ProgressUpdate / ProgressUpdateDraft {
        is_completed: Option<bool> = given(flag()),
    }
}

/// Whoever is no student has no progress, and is told what a student without access is told.
fn student(signed_in: SignedIn) -> Answer<Actor> {
    signed_in.student_or(ProgressError::NoAccess.into())
}

/// The body is looked at only by who may have the lesson (behaviour G3).
async fn admit(edupro: &EduPro, student: &User, lesson: Uuid) -> Answer<()> {
    let school = edupro.school();
    let mut tx = school.storage.read().await?;
    progress::admit(&mut *tx, student, lesson, school.clock.now()).await?;
    Ok(())
}

/// 8.6, X14 Show a student's progress in a lesson.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    signed_in: SignedIn,
    Path(lesson): Path<Uuid>,
) -> Answer<Json<LessonProgress>> {
    let student = student(signed_in)?;
    let school = edupro.school();
    let mut tx = school.storage.read().await?;
    Ok(Json(progress::show(&mut *tx, &student, lesson, school.clock.now()).await?))
}

/// 8.6 by PUT: the flag has to be there.
pub(crate) async fn put(
    State(edupro): State<EduPro>,
    signed_in: SignedIn,
    Path(lesson): Path<Uuid>,
    incoming: Incoming<ProgressForm>,
) -> Answer<Json<LessonProgress>> {
    let student = student(signed_in)?;
    admit(&edupro, &student, lesson).await?;
    let form = incoming.read(&edupro).await?;
    let noted = progress::update(edupro.school(), &student, lesson, Some(form.is_completed));
    Ok(Json(noted.await?))
}

/// 8.6 by PATCH: without the flag nothing changes.
pub(crate) async fn patch(
    State(edupro): State<EduPro>,
    signed_in: SignedIn,
    Path(lesson): Path<Uuid>,
    incoming: Incoming<ProgressUpdate>,
) -> Answer<Json<LessonProgress>> {
    let student = student(signed_in)?;
    admit(&edupro, &student, lesson).await?;
    let form = incoming.read(&edupro).await?;
    let noted = progress::update(edupro.school(), &student, lesson, form.is_completed);
    Ok(Json(noted.await?))
}

impl From<ProgressError> for ApiError {
    fn from(error: ProgressError) -> Self {
        match error {
            ProgressError::Unknown => Self::not_found(),
            ProgressError::NoAccess | ProgressError::Blocked => {
                Self::detail(StatusCode::FORBIDDEN, error.to_string())
            }
            ProgressError::Store(error) => error.into(),
        }
    }
}
