use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use chrono::TimeDelta;
use edupro_core::video::{
    HostError, UploadHow, UploadTicket, Video,
    status::{self, VideoReport},
    uploads::{self, UploadError},
};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    EduPro, Links,
    answer::{Created, Heard},
    error::{Answer, ApiError},
    extract::{
        self, FILM_FIELD, FilmForm, Incoming, ListQuery, Path, SignedIn, Site, Teacher, Webhook,
        form, whole,
    },
    render::Moment,
};

/// For whom a link to upload is signed: for whoever has it, as with any other host.
const UPLOADER: &str = "upload";
/// How long an upload may begin that goes by this school, if its provider does not say.
const RELAY_LIFETIME: TimeDelta = TimeDelta::hours(1);

form! {
    /// 9.1: what is about to be uploaded.
    pub(crate) struct UploadForm / UploadDraft {
        title: Option<String> = optional(text().or_blank()),
    }
}

/// 9.1: leave to upload a video.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct IssuedView {
    status: &'static str,
    data: UploadView,
}

/// The contract's three keys, and how the upload is done. A page sends `fields` in their order and
/// then the file as `file_field`, or, where there are none, puts the file itself.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct UploadView {
    upload_url: String,
    upload_id: String,
    vdo_cipher_video_id: String,
    method: &'static str,
    fields: Vec<(String, String)>,
    file_field: String,
    headers: Vec<(String, String)>,
    metadata: Vec<(String, String)>,
    expires_at: Option<Moment>,
    provider: String,
    /// What an earlier answer had: the fields by name, and where they go.
    client_payload: BTreeMap<String, String>,
}

impl UploadView {
    fn new(edupro: &EduPro, links: &Links, video: &Video, ticket: UploadTicket) -> Self {
        let UploadTicket { upload, video: host_id, expires_at, how, .. } = ticket;
        let host_id = host_id.map(|id| id.0);
        let mut view = Self {
            upload_url: String::new(),
            vdo_cipher_video_id: host_id.unwrap_or_else(|| upload.0.clone()),
            upload_id: upload.0,
            method: "PUT",
            fields: Vec::new(),
            file_field: FILM_FIELD.to_owned(),
            headers: Vec::new(),
            metadata: Vec::new(),
            expires_at: expires_at.map(Moment),
            provider: video.provider.clone(),
            client_payload: BTreeMap::new(),
        };
        match how {
            UploadHow::Form { url, fields, file_field } => {
                view.method = "POST";
                (view.upload_url, view.fields, view.file_field) = (url, fields, file_field);
            }
            UploadHow::Put { url, headers } => (view.upload_url, view.headers) = (url, headers),
            UploadHow::Tus { url, headers, metadata } => {
                view.method = "TUS";
                (view.upload_url, view.headers, view.metadata) = (url, headers, metadata);
            }
            _ => {
                let path = upload_path(video.id);
                let expires =
                    expires_at.unwrap_or_else(|| edupro.school().clock.now() + RELAY_LIFETIME);
                view.expires_at = Some(Moment(expires));
                let signature = edupro.school().keys.links().sign(&path, UPLOADER, expires);
                view.upload_url = links.to(&format!("/{path}?{signature}"));
            }
        }
        view.client_payload = view.fields.iter().cloned().collect();
        view.client_payload.insert("uploadLink".to_owned(), view.upload_url.clone());
        view
    }
}

fn upload_path(id: Uuid) -> String {
    format!("media/uploads/{id}")
}

/// 8.7: how a video stands, in a sentence.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct ReportView {
    message: String,
}

/// What has become of an upload that came here.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct ReceivedView {
    video_id: String,
    video_status: &'static str,
    duration: i64,
}

/// 9.1 Get leave to upload a video.
pub(crate) async fn issue(
    State(edupro): State<EduPro>,
    signed_in: SignedIn,
    Site(links): Site,
    incoming: Incoming<UploadForm>,
) -> Answer<Json<IssuedView>> {
    let refusal = ApiError::detail(StatusCode::FORBIDDEN, "You are not a Teacher.");
    let teacher = signed_in.teacher_or(refusal)?;
    let (draft, errors) = incoming.draft(&edupro).await?;
    if let Some(words) = errors.first() {
        return Err(ApiError::error(StatusCode::BAD_REQUEST, words.clone()));
    }
    let title = whole::<UploadForm>(draft, errors)?.title.unwrap_or_default();
    let issued = uploads::issue(edupro.school(), teacher.id, &title).await;
    let (video, ticket) = issued.map_err(refuse_upload)?;
    let data = UploadView::new(&edupro, &links, &video, ticket);
    Ok(Json(IssuedView { status: "success", data }))
}

/// Take the film of an upload that goes by this school: the body itself, or a form's file.
pub(crate) async fn receive(
    State(edupro): State<EduPro>,
    Path(id): Path<Uuid>,
    query: ListQuery,
    incoming: Incoming<FilmForm>,
) -> Answer<Created<ReceivedView>> {
    let school = edupro.school();
    let link = (&*upload_path(id), UPLOADER);
    extract::admit(school.keys.links(), link, &query, school.clock.now())?;
    let upload = uploads::open_relay(school, id).await?.upload;
    let film = incoming.film(&edupro).await?;
    let video = uploads::receive(school, id, film).await?;
    let received = ReceivedView {
        video_id: upload.map(|id| id.0).unwrap_or_default(),
        video_status: video.status.as_str(),
        duration: video.duration,
    };
    Ok(Created(received))
}

/// 8.7 Check how a lesson's video stands.
pub(crate) async fn check(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(lesson): Path<Uuid>,
) -> Answer<Json<ReportView>> {
    let message = match status::check(edupro.school(), teacher.id, lesson).await? {
        VideoReport::Ready => "video is ready".to_owned(),
        VideoReport::Uploading => "video is uploading".to_owned(),
        VideoReport::Word(word) => format!("Video status: {word}"),
        VideoReport::Failed => {
            let words = "Video processing failed. Please try uploading again.";
            return Err(ApiError::keyed(StatusCode::BAD_REQUEST, "message", words));
        }
    };
    Ok(Json(ReportView { message }))
}

/// Hear from a provider. What it says is looked at by a job, after it was noted.
pub(crate) async fn webhook(
    State(edupro): State<EduPro>,
    Path(provider): Path<String>,
    webhook: Webhook,
) -> Answer<Heard> {
    let school = edupro.school();
    let host = school.video.by_name(&provider).ok_or_else(ApiError::not_found)?;
    let videos = host.webhook(&webhook.request(), school.clock.now()).await;
    status::hear(school, &provider, &videos.map_err(refuse_webhook)?).await?;
    Ok(Heard)
}

fn refuse_webhook(error: HostError) -> ApiError {
    match error {
        HostError::Unsupported(_) | HostError::NotFound => ApiError::not_found(),
        error => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a webhook was refused");
            ApiError::detail(StatusCode::BAD_REQUEST, "This is not a webhook of this provider.")
        }
    }
}

/// 9.1 has its errors under `error`, and of its own no others than 400.
fn refuse_upload(error: UploadError) -> ApiError {
    let words = match error {
        UploadError::NoTitle | UploadError::LongTitle => error.to_string(),
        UploadError::Host(HostError::Rejected { public } | HostError::Quota { public }) => public,
        UploadError::Host(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the video host allows no upload"
            );
            "The video service is not available. Please try again.".to_owned()
        }
        error => return error.into(),
    };
    ApiError::error(StatusCode::BAD_REQUEST, words)
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Unknown => Self::not_found(),
            UploadError::Complete => Self::detail(StatusCode::CONFLICT, error.to_string()),
            UploadError::Throttled(throttled) => Self::throttled(throttled),
            UploadError::NoTitle | UploadError::LongTitle => {
                Self::field("title", error.to_string())
            }
            UploadError::Host(error) => {
                Self::bad_gateway(&error, "The video service is not available. Please try again.")
            }
            UploadError::File(error) => error.into(),
            UploadError::Store(error) => error.into(),
        }
    }
}
