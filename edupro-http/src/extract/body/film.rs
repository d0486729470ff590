//! A film as the whole of a body, or as the one file of a form.

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use edupro_core::files::{CheckedVideo, FileError, VideoError, check_video, video_limit};
use futures_util::StreamExt;

use super::{Incoming, check_length, form, media_type, pace::Pace};
use crate::{EduPro, error::ApiError};

/// The name of the file in a form that uploads a film.
pub(crate) const FILM_FIELD: &str = "file";

form! {
    /// A film in a form.
    pub(crate) struct FilmForm / FilmDraft {
        file: CheckedVideo = required(video()),
    }
}

impl Incoming<FilmForm> {
    /// The film, however it was sent.
    pub(crate) async fn film(self, edupro: &EduPro) -> Result<CheckedVideo, ApiError> {
        if media_type(self.request.headers()) == "multipart/form-data" {
            return Ok(self.read(edupro).await?.file);
        }
        let (parts, body) = self.request.into_parts();
        raw(edupro, &parts.headers, body).await
    }
}

/// Bytes without a name: their type is what they show.
async fn raw(edupro: &EduPro, headers: &HeaderMap, body: Body) -> Result<CheckedVideo, ApiError> {
    let limit = video_limit();
    if headers.contains_key(header::CONTENT_LENGTH) {
        check_length(headers, limit).map_err(|_| refuse(VideoError::TooLarge))?;
    }
    let mut pace = Pace::begin();
    let mut staging = edupro.school().files.stage(limit).await?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pace.wait(pieces.next()).await? {
        let piece = piece.map_err(|_| ApiError::cut_off())?;
        pace.count(piece.len())?;
        match staging.write(&piece).await {
            Err(FileError::TooLarge { .. }) => return Err(refuse(VideoError::TooLarge)),
            written => written?,
        }
    }
    let upload = staging.finish(None).await?;
    let checked = tokio::task::spawn_blocking(move || check_video(upload)).await;
    checked.map_err(|error| ApiError::internal(&error))?.map_err(refuse)
}

fn refuse(error: VideoError) -> ApiError {
    match error {
        VideoError::Store(error) => error.into(),
        error => ApiError::field(FILM_FIELD, error.to_string()),
    }
}
