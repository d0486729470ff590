//! Multipart forms (behaviour G2, G12, security R17, R20).

use std::{collections::BTreeMap, convert::Infallible};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{StatusCode, header},
    response::IntoResponse,
};
use edupro_core::{
    SeededEntropy,
    conformance::strangers,
    courses::NewTrailer,
    files::{CheckedFile, FileKind, FileStore, Picture},
};
use futures_util::{TryStreamExt, stream};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::{
    error::ApiError,
    extract::{Form, body, form},
};

form! {
    #[expect(dead_code, reason = "what could be read of it is looked at, not the whole")]
    /// A field of every sort that comes in parts of forms.
    struct Sheet / SheetDraft {
        title: String = required(text().at_most(40)),
        notes | comment: Option<String> = optional(text().or_blank()),
        points: Option<i64> = optional(whole()),
        document: Option<CheckedFile> = optional(document()),
        picture: Option<Picture> = optional(picture()),
        trailer: Option<NewTrailer> = optional(trailer()),
    }
}

/// What came of a form: fields, contents of files, and what is wrong; or the status and the body of
/// a refusal.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    said: Result<Value, (StatusCode, String)>,
    files: BTreeMap<&'static str, Vec<u8>>,
}

/// Somebody who sends forms.
struct Sender {
    runtime: Runtime,
    files: FileStore,
}

impl Sender {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build();
        Self {
            runtime: runtime.expect("a runtime can be made"),
            files: FileStore::in_memory().expect("files can be kept in memory"),
        }
    }

    /// What comes of a body that arrives in pieces of `size` bytes.
    fn send(&self, content_type: &[u8], content: &Bytes, size: usize) -> Option<Outcome> {
        let pieces: Vec<_> = (0..content.len())
            .step_by(size.max(1))
            .map(|at| Ok::<_, Infallible>(content.slice(at..content.len().min(at + size))))
            .collect();
        let body = Body::from_stream(stream::iter(pieces));
        let request = Request::post("/").header(header::CONTENT_TYPE, content_type).body(body);
        Some(self.runtime.block_on(self.read(request.ok()?)))
    }

    async fn read(&self, request: Request) -> Outcome {
        let mut files = BTreeMap::new();
        let said = match body::input::<Sheet>(request, &self.files).await {
            Ok(mut input) => {
                let draft = Sheet::read(&mut input);
                let trailer = draft.trailer.flatten();
                let (film, address) = match trailer {
                    Some(NewTrailer::File(film)) => (Some(film), None),
                    Some(NewTrailer::Url(url)) => (None, Some(url)),
                    None => (None, None),
                };
                let picture = draft.picture.flatten().map(CheckedFile::from);
                let kept =
                    [("document", draft.document.flatten()), ("picture", picture), ("film", film)];
                for (field, file) in kept {
                    if let Some(file) = file {
                        files.insert(field, self.content(file).await);
                    }
                }
                match input.into_errors() {
                    Ok(errors) => Ok(json!({
                        "title": draft.title, "notes": draft.notes, "points": draft.points,
                        "trailer": address, "errors": errors,
                    })),
                    Err(error) => Err(refusal(error.into()).await),
                }
            }
            Err(error) => Err(refusal(error).await),
        };
        Outcome { said, files }
    }

    async fn content(&self, file: CheckedFile) -> Vec<u8> {
        let (chance, now) = (SeededEntropy::new(1), strangers::now());
        let key = self.files.put(FileKind::Avatar, file, &chance, now).await;
        let key = key.expect("a file is kept");
        let file = self.files.get(&key, None).await.expect("a kept file is there");
        let content = file.stream.try_collect::<Vec<_>>().await.expect("a kept file is read");
        self.files.delete(&[key]).await.expect("a kept file is deleted");
        content.concat()
    }

    /// Nothing waits any more once a form has been read.
    fn has_tidied_up(&self) {
        let waiting = self.runtime.block_on(self.files.waiting());
        assert_eq!(waiting.expect("the staging directory can be read"), 0, "files stay behind");
    }
}

async fn refusal(error: ApiError) -> (StatusCode, String) {
    let response = error.into_response();
    let status = response.status();
    let body = response.into_body().collect().await.expect("the body of a refusal is there");
    (status, String::from_utf8_lossy(&body.to_bytes()).into_owned())
}

/// A form is the same in whatever pieces it arrives, is refused with 400, 413 or 415 and never with 500,
/// and leaves no file behind. The first line is the boundary, the rest is the body. Answers whether
/// it was read as a form.
///
/// # Panics
///
/// When one of that is not so.
pub fn form(bytes: &[u8]) -> bool {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let content_type = [b"multipart/form-data; boundary=", &bytes[..end]].concat();
    let content = Bytes::copy_from_slice(bytes.get(end + 1..).unwrap_or_default());
    let sender = Sender::new();
    let Some(whole) = sender.send(&content_type, &content, content.len()) else { return false };
    if let Err((status, words)) = &whole.said {
        let refusals = [
            StatusCode::BAD_REQUEST,
            StatusCode::PAYLOAD_TOO_LARGE,
            // A type that is no text is none.
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ];
        assert!(refusals.contains(status), "{status}: {words}");
    }
    for size in [1, 7] {
        let pieces = sender.send(&content_type, &content, size);
        assert_eq!(pieces.as_ref(), Some(&whole), "in pieces of {size} bytes it is another form");
    }
    sender.has_tidied_up();
    whole.said.is_ok()
}

/// A document that a browser sends beside other fields arrives as it is, whatever is in it.
///
/// # Panics
///
/// When it does not.
pub fn sent_document(content: &[u8], size: usize) {
    const BOUNDARY: &[u8] = b"----of-a-browser";
    if content.windows(BOUNDARY.len()).any(|window| window == BOUNDARY) {
        return;
    }
    let document = [b"%PDF-1.7\n", content, b"\n%%EOF"].concat();
    let field = |head: &str, content: &[u8]| {
        let head = format!("\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        [b"--", BOUNDARY, head.as_bytes(), content, b"\r\n"].concat()
    };
    let form = [
        field("name=\"notes\"", "ملاحظات".as_bytes()),
        field("name=\"document\"; filename=\"a.pdf\"", &document),
        field("name=\"title\"", b"A title"),
        [b"--", BOUNDARY, b"--\r\n"].concat(),
    ];
    let content_type = [b"multipart/form-data; boundary=", BOUNDARY].concat();
    let sender = Sender::new();
    let outcome = sender.send(&content_type, &form.concat().into(), size.max(1));
    let outcome = outcome.expect("a browser's form is a request");
    let said = outcome.said.expect("a browser's form is read");
    assert_eq!((&said["title"], &said["notes"]), (&json!("A title"), &json!("ملاحظات")));
    // It may be refused: for what else it is.
    if said["errors"] == json!({}) {
        assert!(outcome.files.get("document") == Some(&document), "a document is another one");
    }
    sender.has_tidied_up();
}
