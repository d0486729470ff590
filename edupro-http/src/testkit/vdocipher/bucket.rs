//! The form that a film comes in: S3, as far as a browser that uploads meets it.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Path, Request, State, multipart::Field},
    http::{HeaderMap, Method, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::any,
};
use edupro_core::entropy::hex;

use super::{
    failures::drain,
    policy::{self, Form, Refusal},
    state::Shared,
};

/// The routes below `/s3`.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/{bucket}", any(take))
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::map_response(allow_browsers))
        .with_state(Arc::clone(shared))
}

/// Browsers post from a page of another origin.
async fn allow_browsers(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, Location"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    answer
}

/// A refusal's content.
pub(super) fn error_text(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>{message}</Message><RequestId>FAKE</RequestId><HostId>FAKE</HostId></Error>"
    )
}

fn refused((status, code, message): Refusal) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let content_type = [(header::CONTENT_TYPE, "application/xml")];
    (status, content_type, error_text(code, &message)).into_response()
}

/// What is refused for the sake of its headers.
fn look_at(method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    let refuse = |status, code, message: &str| Err((status, code, message.to_owned()));
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|value| value.starts_with("multipart/form-data"));
    if !headers.contains_key(header::CONTENT_LENGTH) {
        return refuse(
            411,
            "MissingContentLength",
            "You must provide the Content-Length HTTP header.",
        );
    }
    if headers.contains_key(header::AUTHORIZATION) {
        return refuse(400, "InvalidArgument", "Only one auth mechanism allowed");
    }
    if *method != Method::POST || !is_form {
        let message = "At least one of the pre-conditions you specified did not hold";
        return refuse(412, "PreconditionFailed", message);
    }
    Ok(())
}

async fn take(
    State(shared): State<Arc<Shared>>,
    Path(bucket): Path<String>,
    request: Request<Body>,
) -> Response {
    if request.method() == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    if let Err(refusal) = look_at(request.method(), request.headers()) {
        drain(request.into_body()).await;
        return refused(refusal);
    }
    let taken = read(bucket, request).await;
    let taken =
        taken.and_then(|(form, tag)| policy::check(&form, shared.now()).map(|()| (form, tag)));
    let (form, tag) = match taken {
        Ok(taken) => taken,
        Err(refusal) => return refused(refusal),
    };
    let (bucket, key) = (&form.bucket, &form.fields["key"]);
    shared.take_film(key, form.size);
    let link = format!("{}/{}", shared.bucket_url(), key.replace('/', "%2F"));
    let headers = [(header::ETAG, format!("\"{tag}\"")), (header::LOCATION, link.clone())];
    match form.fields.get("success_action_status").map(String::as_str) {
        Some("201") => {
            let content_type = [(header::CONTENT_TYPE, "application/xml")];
            let content = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{link}\
                 </Location><Bucket>{bucket}</Bucket><Key>{key}</Key><ETag>&quot;{tag}&quot;\
                 </ETag></PostResponse>"
            );
            (StatusCode::CREATED, headers, content_type, content).into_response()
        }
        Some("200") => (StatusCode::OK, headers).into_response(),
        _ => (StatusCode::NO_CONTENT, headers).into_response(),
    }
}

/// Reads a form to its end, and keeps of the film its size and a tag. What comes after the film
/// is not looked at.
async fn read(bucket: String, request: Request) -> Result<(Form, String), Refusal> {
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| malformed())?;
    let mut form = Form { bucket, ..Form::default() };
    let mut tag = None;
    while let Some(part) = parts.next_field().await.map_err(|_| malformed())? {
        let name = part.name().unwrap_or_default().to_lowercase();
        if name == "file" && tag.is_none() {
            let (size, found) = measure(part).await.ok_or_else(malformed)?;
            form.size = size;
            tag = Some(found);
        } else {
            let text = part.text().await.map_err(|_| malformed())?;
            if tag.is_none() {
                form.fields.insert(name, text);
            }
        }
    }
    let missing = "POST requires exactly one file upload per request.";
    tag.map(|tag| (form, tag)).ok_or_else(|| (400, "InvalidArgument", missing.to_owned()))
}

fn malformed() -> Refusal {
    let message = "The body of your POST request is not well-formed multipart/form-data.";
    (400, "MalformedPOSTRequest", message.to_owned())
}

/// How large a film is, and something that differs from film to film.
async fn measure(mut film: Field<'_>) -> Option<(u64, String)> {
    let mut size = 0;
    let mut content = digest::Context::new(&digest::SHA256);
    while let Some(piece) = film.chunk().await.ok()? {
        size += piece.len() as u64;
        content.update(&piece);
    }
    Some((size, hex(&content.finish().as_ref()[..16])))
}
