//! Multipart bodies: text into memory, files into the staging directory, piece by piece.

use axum::{
    extract::{
        DefaultBodyLimit, FromRequest, Multipart, Request,
        multipart::{Field as Part, MultipartError},
    },
    http::StatusCode,
};
use edupro_core::{
    files::{FileError, Staging},
    limits,
};

use super::{Input, Pace, Raw, TEXT_LENGTH, check_length, fields::Description, too_large};
use crate::{EduPro, error::ApiError, extract::who::Sender};

/// Most parts of a form (security R17).
pub(super) const PARTS: usize = 64;
/// Most of them that are files (security R17).
const FILES: usize = 10;
/// How much more than its fields allow a form may bring, in bytes: a picture that is too large is
/// then told so, beside everything else that is wrong, instead of being cut off.
const TOLERANCE: u64 = 64 * 1024 * 1024;

pub(super) async fn read(
    mut request: Request,
    edupro: &EduPro,
    fields: &[(&'static str, Description)],
) -> Result<Input, ApiError> {
    let files: u64 = fields.iter().filter_map(|(_, field)| field.file_limit).sum();
    let most = files + TOLERANCE;
    check_length(request.headers(), most)?;
    let sender = request.extensions().get::<Sender>().copied();
    // The limit of axum is lifted here, since the pieces are counted below.
    DefaultBodyLimit::disable().apply(&mut request);
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|rejection| not_a_form(&rejection.body_text()))?;
    let mut reader = Reader { pace: Pace::begin(), left: most, text: 0, files: 0, sender };
    let mut input = Input::empty();
    let mut parts = 0;
    while let Some(part) = reader.pace.wait(form.next_field()).await?.map_err(not_a_part)? {
        parts += 1;
        if parts > PARTS {
            return Err(not_a_form("too many fields"));
        }
        let name = part.name().unwrap_or_default().to_owned();
        let limit = fields.iter().find(|(known, _)| *known == name);
        let limit = limit.and_then(|(_, field)| field.file_limit);
        let value = match (part.file_name().is_some(), limit) {
            (true, Some(limit)) => {
                reader.admit(&part, edupro).await?;
                reader.file(part, edupro, limit).await?
            }
            // Nobody asked for this file. It is read past, and counted.
            (true, None) => {
                reader.discard(part).await?;
                continue;
            }
            (false, _) => Raw::Text(reader.text(part).await?),
        };
        input.put(name, value);
    }
    Ok(input)
}

fn not_a_form(reason: &str) -> ApiError {
    ApiError::detail(StatusCode::BAD_REQUEST, format!("Multipart form parse error - {reason}"))
}

#[expect(clippy::needless_pass_by_value, reason = "map_err gives it by value")]
fn not_a_part(error: MultipartError) -> ApiError {
    not_a_form(&error.body_text())
}

struct Reader {
    pace: Pace,
    left: u64,
    text: usize,
    files: usize,
    /// Who has not been counted yet.
    sender: Option<Sender>,
}

impl Reader {
    /// The next piece of a part.
    async fn piece(&mut self, part: &mut Part<'_>) -> Result<Option<bytes::Bytes>, ApiError> {
        let Some(piece) = self.pace.wait(part.chunk()).await?.map_err(not_a_part)? else {
            return Ok(None);
        };
        self.pace.count(piece.len())?;
        self.left = self.left.checked_sub(piece.len() as u64).ok_or_else(too_large)?;
        Ok(Some(piece))
    }

    async fn text(&mut self, mut part: Part<'_>) -> Result<String, ApiError> {
        let mut text = Vec::new();
        while let Some(piece) = self.piece(&mut part).await? {
            self.text += piece.len();
            if self.text > TEXT_LENGTH {
                return Err(too_large());
            }
            text.extend_from_slice(&piece);
        }
        String::from_utf8(text).map_err(|_| not_a_form("a field is not UTF-8"))
    }

    async fn discard(&mut self, mut part: Part<'_>) -> Result<(), ApiError> {
        self.count_file()?;
        while self.piece(&mut part).await?.is_some() {}
        Ok(())
    }

    fn count_file(&mut self) -> Result<(), ApiError> {
        self.files += 1;
        match self.files > FILES {
            true => Err(not_a_form("too many files")),
            false => Ok(()),
        }
    }

    /// Counts a request with files before the first of them is written (security R7). Registrations
    /// are counted by their address, and a browser's untouched file input is no file.
    async fn admit(&mut self, part: &Part<'_>, edupro: &EduPro) -> Result<(), ApiError> {
        if part.file_name() == Some("") {
            return Ok(());
        }
        let Some(Sender(sender)) = self.sender.take() else { return Ok(()) };
        Ok(limits::take(edupro.school(), &[(limits::UPLOAD, &sender.to_string())]).await?)
    }

    async fn file(
        &mut self,
        mut part: Part<'_>,
        edupro: &EduPro,
        limit: u64,
    ) -> Result<Raw, ApiError> {
        self.count_file()?;
        let file_name = part.file_name().map(ToOwned::to_owned);
        let mut staging: Option<Staging> = Some(edupro.school().files.stage(limit).await?);
        while let Some(piece) = self.piece(&mut part).await? {
            // What is too large is read to its end, so that the other fields are seen too.
            let Some(open) = &mut staging else { continue };
            match open.write(&piece).await {
                Ok(()) => {}
                Err(FileError::TooLarge { .. }) => staging = None,
                Err(error) => return Err(error.into()),
            }
        }
        match staging {
            None => Ok(Raw::LargeFile),
            Some(staging) => match staging.finish(file_name).await {
                Ok(upload) if upload.size == 0 && upload.file_name.as_deref() == Some("") => {
                    // A browser's file input that nobody touched.
                    Ok(Raw::Text(String::new()))
                }
                Ok(upload) => Ok(Raw::File(upload)),
                Err(error) => Err(error.into()),
            },
        }
    }
}
