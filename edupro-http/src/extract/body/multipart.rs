//! Multipart bodies: text into memory, files into the staging directory, piece by piece.

use std::sync::Arc;

use axum::{
    extract::{
        DefaultBodyLimit, FromRequest, Multipart, Request,
        multipart::{Field as Part, MultipartError},
    },
    http::StatusCode,
};
use edupro_core::files::{FileError, FileStore, Staging};

use super::{
    Input, Pace, Raw, TEXT_LENGTH, check_length, fields::Description, flow::Flow, too_large,
};
use crate::{error::ApiError, extract::who::Sender};

/// Most parts of a form (security R17).
pub(super) const PARTS: usize = 64;
/// Most of them that are files (security R17).
const FILES: usize = 10;
/// How much more than its fields allow a form may bring, in bytes: a picture that is too large is
/// then told so, beside everything else that is wrong, instead of being cut off.
const TOLERANCE: u64 = 64 * 1024 * 1024;

pub(super) async fn read(
    mut request: Request,
    files: &FileStore,
    fields: &[(&'static str, Description)],
) -> Result<Input, ApiError> {
    let limits: u64 = fields.iter().filter_map(|(_, field)| field.file_limit).sum();
    let most = limits + TOLERANCE;
    check_length(request.headers(), most)?;
    let sender = request.extensions().get::<Sender>().cloned();
    // The limit of axum is lifted here, since the pieces are counted below.
    DefaultBodyLimit::disable().apply(&mut request);
    let flow = Arc::<Flow>::default();
    let request = request.map(|body| flow.guard(body));
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|rejection| not_a_form(&rejection.body_text()))?;
    let mut reader = Reader { pace: Pace::begin(), flow, left: most, text: 0, files: 0, sender };
    let mut input = Input::empty();
    let mut parts = 0;
    while let Some(part) = reader.next(&mut form).await? {
        parts += 1;
        if parts > PARTS {
            return Err(not_a_form("too many fields"));
        }
        let name = part.name().unwrap_or_default().to_owned();
        let limit = fields.iter().find(|(known, _)| *known == name);
        let limit = limit.and_then(|(_, field)| field.file_limit);
        let value = match (part.file_name().is_some(), limit) {
            (true, Some(limit)) => {
                reader.admit(&part).await?;
                reader.file(part, files, limit).await?
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

struct Reader {
    pace: Pace,
    flow: Arc<Flow>,
    left: u64,
    text: usize,
    files: usize,
    /// Who has not been counted yet.
    sender: Option<Sender>,
}

impl Reader {
    /// What the parser brings, if it gets that far.
    fn came_out<T>(&self, got: Result<Option<T>, MultipartError>) -> Result<Option<T>, ApiError> {
        if got.is_ok() {
            self.flow.moved();
        }
        got.map_err(|error| match self.flow.is_stuck() {
            true => not_a_form("the head of a part is too long"),
            false => not_a_form(&error.body_text()),
        })
    }

    /// The next part.
    async fn next<'a>(&self, form: &'a mut Multipart) -> Result<Option<Part<'a>>, ApiError> {
        self.came_out(self.pace.wait(form.next_field()).await?)
    }

    /// The next piece of a part.
    async fn piece(&mut self, part: &mut Part<'_>) -> Result<Option<bytes::Bytes>, ApiError> {
        let Some(piece) = self.came_out(self.pace.wait(part.chunk()).await?)? else {
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
    async fn admit(&mut self, part: &Part<'_>) -> Result<(), ApiError> {
        match self.sender.take_if(|_| part.file_name() != Some("")) {
            Some(sender) => sender.count_upload().await,
            None => Ok(()),
        }
    }

    async fn file(
        &mut self,
        mut part: Part<'_>,
        files: &FileStore,
        limit: u64,
    ) -> Result<Raw, ApiError> {
        self.count_file()?;
        let file_name = part.file_name().map(ToOwned::to_owned);
        let mut staging: Option<Staging> = Some(files.stage(limit).await?);
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

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use axum::{body::Body, http::header};
    use futures_util::{StreamExt, stream};

    use super::*;
    use crate::extract::body::flow::HEAD;

    const PIECE: &[u8] = &[b'a'; 16 * 1024];
    const FILE: (&str, Description) = ("file", Description { file_limit: Some(100) });

    /// What is said of a form with this beginning that goes on for 64 MiB, and how much of it was
    /// read.
    async fn endless(beginning: &'static [u8]) -> (Result<(), ApiError>, usize) {
        let read_so_far = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&read_so_far);
        let pieces = std::iter::once(beginning).chain(std::iter::repeat_n(PIECE, 4096));
        let pieces = stream::iter(pieces).map(move |piece| {
            count.fetch_add(piece.len(), Ordering::Relaxed);
            Ok::<_, Infallible>(piece)
        });
        let request =
            Request::post("/").header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
        let request = request.body(Body::from_stream(pieces)).unwrap();
        let files = FileStore::in_memory().unwrap();
        let said = read(request, &files, &[FILE]).await;
        (said.map(|_| ()), read_so_far.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_head_without_an_end_is_not_kept() {
        for beginning in [
            "before the first part",
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"",
            "--x\r\nX-Long: ",
            "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x\r\nX-Long: ",
        ] {
            let (said, read) = endless(beginning.as_bytes()).await;
            let words = "Multipart form parse error - the head of a part is too long";
            assert_eq!(said.unwrap_err(), ApiError::detail(StatusCode::BAD_REQUEST, words));
            assert!(read <= HEAD + 2 * PIECE.len(), "{read} bytes of {beginning:?}");
        }
    }

    #[tokio::test]
    async fn a_text_without_an_end_is_not_kept() {
        let (said, read) = endless(b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n").await;
        assert_eq!(said.unwrap_err(), too_large());
        assert!(read <= TEXT_LENGTH + 2 * PIECE.len(), "{read} bytes");
    }
}
