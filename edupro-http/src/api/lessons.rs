use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use edupro_core::{
    Change,
    courses::DESCRIPTION_LENGTH,
    files::{CheckedFile, CheckedVideo, Picture},
    lessons::{self, LESSON_TITLE_LENGTH, Lesson, LessonChanges, LessonError, NewLesson},
    modules, progress,
    video::{Playback, VIDEO_ID_LENGTH, VideoStatus, playback, uploads::NewVideo},
};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    EduPro, Links,
    answer::{Created, Deleted},
    error::{Answer, ApiError},
    extract::{Incoming, Path, PrivateLinks, SignedIn, Site, Teacher, form},
    render::Moment,
};

/// What 8.2 and 8.4 say of an order and of a duration below 1.
const ORDER_TOO_SMALL: &str = "lesson order must be greater than 0";
const DURATION_TOO_SMALL: &str = "lesson duration must be greater than 0";

form! {
    /// 8.2: a new lesson.
    pub(crate) struct LessonForm / LessonDraft {
        title: String = required(text().at_most(LESSON_TITLE_LENGTH)),
        description: Option<String> = optional(text().or_blank().of_lines().at_most(DESCRIPTION_LENGTH)),
        order: Option<i64> = optional(whole().at_least(1, ORDER_TOO_SMALL)),
        is_published: Option<bool> = given(flag()),
        is_free: Option<bool> = given(flag()),
        duration: Option<i64> = optional(whole().at_least(1, DURATION_TOO_SMALL)),
        video: Option<CheckedVideo> = optional(video()),
        video_id: Option<String> = optional(text().or_blank().at_most(VIDEO_ID_LENGTH)),
        document: Option<CheckedFile> = optional(document()),
        thumbnail: Option<Picture> = optional(lesson_thumbnail()),
    }
}

form! {
    /// 8.4: what becomes of a lesson.
    pub(crate) struct LessonUpdate / LessonUpdateDraft {
        title: Option<String> = given(text().at_most(LESSON_TITLE_LENGTH)),
        description: Change<String> = changed(text().or_blank().of_lines().at_most(DESCRIPTION_LENGTH)),
        order: Option<i64> = optional(whole().at_least(1, ORDER_TOO_SMALL)),
        is_published: Option<bool> = given(flag()),
        is_free: Option<bool> = given(flag()),
        duration: Option<i64> = optional(whole().at_least(1, DURATION_TOO_SMALL)),
        video: Change<CheckedVideo> = changed(video()),
        video_id: Change<String> = changed(text().or_blank().at_most(VIDEO_ID_LENGTH)),
        document: Change<CheckedFile> = changed(document()),
        thumbnail: Change<Picture> = changed(lesson_thumbnail()),
    }
}

/// A film that comes along, or one that was uploaded before; not both.
fn new_video(
    film: Change<CheckedVideo>,
    uploaded: Change<String>,
) -> Result<Change<NewVideo>, ApiError> {
    let uploaded = match uploaded {
        // An input that nobody filled in.
        Change::Set(id) if id.trim().is_empty() => Change::Keep,
        other => other,
    };
    match (film, uploaded) {
        (Change::Set(_), Change::Set(_)) => {
            Err(ApiError::field("non_field_errors", "Send either a video or a video_id."))
        }
        (Change::Set(film), _) => Ok(Change::Set(NewVideo::File(film))),
        (_, Change::Set(id)) => Ok(Change::Set(NewVideo::Issued(id.trim().to_owned()))),
        (Change::Clear, _) | (_, Change::Clear) => Ok(Change::Clear),
        (Change::Keep, Change::Keep) => Ok(Change::Keep),
    }
}

impl TryFrom<LessonForm> for NewLesson {
    type Error = ApiError;

    fn try_from(form: LessonForm) -> Result<Self, ApiError> {
        let film = form.video.map_or(Change::Keep, Change::Set);
        let video = new_video(film, form.video_id.map_or(Change::Keep, Change::Set))?;
        Ok(Self {
            title: form.title,
            description: form.description,
            order: form.order,
            is_published: form.is_published.unwrap_or(true),
            is_free: form.is_free.unwrap_or_default(),
            duration: form.duration,
            video: match video {
                Change::Set(video) => Some(video),
                Change::Keep | Change::Clear => None,
            },
            document: form.document,
            thumbnail: form.thumbnail,
        })
    }
}

impl TryFrom<LessonUpdate> for LessonChanges {
    type Error = ApiError;

    fn try_from(form: LessonUpdate) -> Result<Self, ApiError> {
        Ok(Self {
            title: form.title,
            description: form.description,
            order: form.order,
            is_published: form.is_published,
            is_free: form.is_free,
            duration: form.duration,
            video: new_video(form.video, form.video_id)?,
            document: form.document,
            thumbnail: form.thumbnail,
        })
    }
}

/// 7.3, 7.4, 3.9: a lesson in a module: no content.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct LessonSummary {
    id: Uuid,
    title: String,
    duration: i64,
    thumbnail: Option<String>,
    order: i64,
    is_published: bool,
    is_free: bool,
}

impl LessonSummary {
    pub(crate) fn all(links: &Links, lessons: Vec<Lesson>) -> Vec<Self> {
        let summaries = lessons.into_iter().map(|lesson| Self {
            id: lesson.id,
            title: lesson.title,
            duration: lesson.duration,
            thumbnail: links.file(lesson.thumbnail.as_ref()),
            order: lesson.order,
            is_published: lesson.is_published,
            is_free: lesson.is_free,
        });
        summaries.collect()
    }
}

/// A lesson, as those see it who may have it. Its links to video and document are this viewer's
/// and last five minutes. `tickets` are the keys with which the school's video hosts are played:
/// `otp` and `playback_info`, for instance; none where the school plays its videos itself.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct LessonView {
    id: Uuid,
    title: String,
    module: String,
    description: Option<String>,
    order: i64,
    is_published: bool,
    is_free: bool,
    duration: i64,
    created_at: Moment,
    video_url: Option<String>,
    document_url: Option<String>,
    thumbnail_url: Option<String>,
    video_status: &'static str,
    /// For students.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_completed: Option<bool>,
    #[serde(flatten)]
    tickets: BTreeMap<&'static str, Option<String>>,
}

impl LessonView {
    fn new(links: &PrivateLinks, lesson: Lesson, playback: Option<Playback>) -> Self {
        let mut tickets: BTreeMap<_, _> = links.ticket_keys().map(|key| (key, None)).collect();
        let (url, given) = playback.map(|Playback { url, tickets, .. }| (url, tickets)).unzip();
        let given = given.into_iter().flatten();
        tickets.extend(given.map(|(key, ticket)| (key, Some(ticket))));
        let status = lesson.video.map_or(VideoStatus::PreUpload, |video| video.status);
        Self {
            id: lesson.id,
            title: lesson.title,
            module: lesson.module.title,
            description: lesson.description,
            order: lesson.order,
            is_published: lesson.is_published,
            is_free: lesson.is_free,
            duration: lesson.duration,
            created_at: Moment(lesson.created_at),
            video_status: status.as_str(),
            video_url: links.playback(url),
            document_url: links.file(lesson.document.as_ref()),
            thumbnail_url: links.public().file(lesson.thumbnail.as_ref()),
            is_completed: None,
            tickets,
        }
    }

    /// The same with what a student has come to.
    fn completed(self, is_completed: Option<bool>) -> Self {
        Self { is_completed, ..self }
    }

    /// What its teacher gets to see of a lesson that was written: nobody is asked to play it.
    async fn written(edupro: &EduPro, links: Links, viewer: &SignedIn, lesson: Lesson) -> Self {
        let playback = playback::list(edupro.school(), &viewer.0, &lesson).await;
        let links = PrivateLinks::new(edupro, links, &viewer.0.session);
        Self::new(&links, lesson, playback)
    }
}

/// 8.2: the new lesson, with the keys of an earlier answer beside it (behaviour G18).
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct CreatedLesson {
    #[serde(flatten)]
    lesson: LessonView,
    lesson_id: Uuid,
    message: &'static str,
}

/// 8.1 List the lessons of a module.
pub(crate) async fn list(
    State(edupro): State<EduPro>,
    SignedIn(viewer): SignedIn,
    Path(module): Path<Uuid>,
    Site(links): Site,
) -> Answer<Json<Vec<LessonView>>> {
    let school = edupro.school();
    let mut tx = school.storage.read().await?;
    let lessons = lessons::list(&mut *tx, &viewer.user, module, school.clock.now()).await?;
    drop(tx);
    let links = PrivateLinks::new(&edupro, links, &viewer.session);
    let mut views = Vec::with_capacity(lessons.len());
    for (lesson, is_completed) in lessons {
        let playback = playback::list(school, &viewer, &lesson).await;
        views.push(LessonView::new(&links, lesson, playback).completed(is_completed));
    }
    Ok(Json(views))
}

/// 8.2 Create a lesson.
pub(crate) async fn create(
    State(edupro): State<EduPro>,
    signed_in: SignedIn,
    Path(module): Path<Uuid>,
    Site(links): Site,
    incoming: Incoming<LessonForm>,
) -> Answer<Created<CreatedLesson>> {
    let teacher = signed_in.clone().teacher_or(ApiError::forbidden())?;
    modules::owned(&mut *edupro.school().storage.read().await?, teacher.id, module).await?;
    let form = incoming.read(&edupro).await?;
    let lesson = lessons::create(edupro.school(), teacher.id, module, form.try_into()?).await?;
    let created = CreatedLesson {
        lesson_id: lesson.id,
        lesson: LessonView::written(&edupro, links, &signed_in, lesson).await,
        message: "Lesson created successfully.",
    };
    Ok(Created(created))
}

/// 8.3 Show a lesson.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    viewer: SignedIn,
    Path(id): Path<Uuid>,
    Site(links): Site,
) -> Answer<Json<LessonView>> {
    let school = edupro.school();
    let mut tx = school.storage.read().await?;
    let lesson = lessons::show(&mut *tx, &viewer.0.user, id, school.clock.now()).await?;
    let is_completed = progress::is_completed(&mut *tx, &viewer.0.user, id).await?;
    drop(tx);
    let playback = playback::show(school, &viewer.0, &lesson).await;
    let links = PrivateLinks::new(&edupro, links, &viewer.0.session);
    Ok(Json(LessonView::new(&links, lesson, playback).completed(is_completed)))
}

/// 8.4 Update a lesson.
pub(crate) async fn update(
    State(edupro): State<EduPro>,
    signed_in: SignedIn,
    Path(id): Path<Uuid>,
    Site(links): Site,
    incoming: Incoming<LessonUpdate>,
) -> Answer<Json<LessonView>> {
    let teacher = signed_in.clone().teacher_or(ApiError::forbidden())?;
    lessons::owned(&mut *edupro.school().storage.read().await?, teacher.id, id).await?;
    let form = incoming.read(&edupro).await?;
    let lesson = lessons::update(edupro.school(), &teacher, id, form.try_into()?).await?;
    Ok(Json(LessonView::written(&edupro, links, &signed_in, lesson).await))
}

/// 8.5 Delete a lesson. The contract wants 200 and a word.
pub(crate) async fn delete(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
) -> Answer<Json<Deleted>> {
    lessons::delete(edupro.school(), &teacher, id).await?;
    Ok(Json(Deleted { detail: "Lesson deleted successfully." }))
}

impl From<LessonError> for ApiError {
    fn from(error: LessonError) -> Self {
        match error {
            LessonError::Unknown => Self::not_found(),
            LessonError::NotYours => Self::forbidden(),
            LessonError::NoAccess | LessonError::Blocked => {
                Self::detail(StatusCode::FORBIDDEN, error.to_string())
            }
            LessonError::OrderTaken => Self::field("order", error.to_string()),
            LessonError::UnknownVideo => Self::field("video_id", error.to_string()),
            LessonError::NoServerUpload => Self::field("video", error.to_string()),
            LessonError::File(error) => error.into(),
            LessonError::Store(error) => error.into(),
        }
    }
}
