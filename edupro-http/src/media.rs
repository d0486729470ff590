//! Files: public ones by their name, private ones by a signed link (security R25).

use axum::{
    body::Body,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
            CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LAST_MODIFIED, RANGE,
        },
    },
    response::{IntoResponse, Response},
};
use edupro_core::{
    accounts::SignedIn,
    files::{ByteRange, Download, FileError, FileKey, FileKind},
    lessons,
};

use crate::{
    EduPro,
    error::{Answer, ApiError},
    extract::{self, ListQuery, Path, Visitor},
};

/// A stored file never changes; another one has another name.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// `GET /media/…`: a file, or a range of it.
pub(crate) async fn download(
    State(edupro): State<EduPro>,
    Visitor(visitor): Visitor,
    Path(path): Path<String>,
    query: ListQuery,
    headers: HeaderMap,
) -> Answer<Response> {
    let key = FileKey::parse(&format!("media/{path}")).ok_or_else(ApiError::not_found)?;
    let is_public = key.kind().is_some_and(FileKind::is_public);
    if !is_public {
        admit(&edupro, visitor.as_ref(), &key, &query).await?;
    }
    let range = headers.get(RANGE).and_then(|value| value.to_str().ok()).and_then(ByteRange::parse);
    let file = match edupro.school().files.get(&key, range).await {
        Ok(file) => file,
        Err(FileError::RangeNotSatisfiable { size }) => return Ok(unsatisfiable(size)),
        Err(error) => return Err(error.into()),
    };
    let mut response = answer(file, range.is_some(), &headers);
    if !is_public {
        make_private(&key, response.headers_mut());
    }
    Ok(response)
}

/// Lets somebody have a private file: with a link of theirs that has not expired, and while they
/// have access to its lesson, which is asked again now (security R25).
async fn admit(
    edupro: &EduPro,
    visitor: Option<&SignedIn>,
    key: &FileKey,
    query: &ListQuery,
) -> Answer<()> {
    let school = edupro.school();
    let now = school.clock.now();
    let visitor = visitor.ok_or_else(ApiError::forbidden)?;
    let viewer = visitor.session.viewer();
    extract::admit(school.keys.links(), (key.as_str(), &viewer), query, now)?;
    let mut tx = school.storage.read().await?;
    Ok(lessons::may_have_file(&mut *tx, &visitor.user, key, now).await?)
}

/// Nobody between us and the viewer keeps a private file; a document is for saving.
fn make_private(key: &FileKey, headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    if key.kind() == Some(FileKind::LessonDocument) {
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
}

fn unsatisfiable(size: u64) -> Response {
    let mut response =
        ApiError::detail(StatusCode::RANGE_NOT_SATISFIABLE, "The range lies outside the file.")
            .into_response();
    if let Ok(value) = HeaderValue::try_from(format!("bytes */{size}")) {
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
    response
}

fn answer(file: Download, is_part: bool, request: &HeaderMap) -> Response {
    let tag = file.e_tag.and_then(|tag| HeaderValue::try_from(tag).ok());
    let is_known = tag.is_some() && request.get(IF_NONE_MATCH) == tag.as_ref();
    let status = match (is_known, is_part) {
        (true, _) => StatusCode::NOT_MODIFIED,
        (false, true) => StatusCode::PARTIAL_CONTENT,
        (false, false) => StatusCode::OK,
    };
    let length = file.range.end - file.range.start;
    let mut response = match is_known {
        true => status.into_response(),
        false => (status, Body::from_stream(file.stream)).into_response(),
    };
    let headers = response.headers_mut();
    if !is_known {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.content_type));
        headers.insert(CONTENT_LENGTH, length.into());
        if is_part {
            let last = file.range.end.saturating_sub(1);
            let range = format!("bytes {}-{last}/{}", file.range.start, file.size);
            headers.extend(HeaderValue::try_from(range).ok().map(|value| (CONTENT_RANGE, value)));
        }
    }
    let modified = file.last_modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    headers.extend(HeaderValue::try_from(modified).ok().map(|value| (LAST_MODIFIED, value)));
    headers.extend(tag.map(|tag| (ETAG, tag)));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, FOREVER);
    headers
        .insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    response
}
