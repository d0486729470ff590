//! Links to private files (security R25).

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, Uri},
    routing::get,
};
use chrono::{DateTime, TimeDelta, Utc};
use edupro_core::{
    Entropy, SeededEntropy,
    conformance::strangers,
    files::{FileKey, LinkSigner},
};
use tower::ServiceExt;

use crate::{
    error::{Answer, ApiError},
    extract::{ListQuery, Path, admit},
};

/// For whom the links are.
const VIEWER: &str = "session 7";
/// The files that there are links to.
const FILES: [&str; 2] = ["lesson-document pdf", "lesson-video mp4"];

fn signer() -> LinkSigner {
    LinkSigner::new(b"a secret of thirty-two bytes ...")
}

/// Genuine links to private files, good for five minutes from [`strangers::now`].
#[must_use]
pub fn links() -> Vec<String> {
    let id = SeededEntropy::new(1).uuid(strangers::now());
    let folder = &id.simple().to_string()[30..];
    let key = |file: &str| {
        let (kind, ending) = file.split_once(' ')?;
        FileKey::parse(&format!("media/{kind}/{folder}/{id}.{ending}"))
    };
    let keys = FILES.iter().map(|file| key(file).expect("the path of a stored file"));
    keys.map(|key| signer().link(&key, VIEWER, strangers::now())).collect()
}

/// As the route of the school's files is mounted, without a file behind it.
async fn open(Path(path): Path<String>, query: ListQuery) -> Answer<()> {
    let path = format!("media/{path}");
    let key = FileKey::parse(&path).ok_or_else(ApiError::not_found)?;
    assert_eq!(key.as_str(), path, "a path names another file");
    admit(&signer(), (key.as_str(), VIEWER), &query, strangers::now())?;
    let exp = query.value("exp").unwrap_or_default();
    let expires = exp.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let expires: DateTime<Utc> = expires.expect("a link that opens has a time");
    assert!(expires > strangers::now(), "a link opens that has expired");
    let genuine = signer().sign(key.as_str(), VIEWER, expires);
    let sent = format!("exp={exp}&sig={}", query.value("sig").unwrap_or_default());
    assert_eq!(sent, genuine, "a link opens that nobody signed");
    for other in ["session 8", "upload", ""] {
        let foreign = admit(&signer(), (key.as_str(), other), &query, strangers::now());
        assert!(foreign.is_err(), "a link opens for {other:?}");
    }
    let later = strangers::now() + TimeDelta::days(1);
    assert!(admit(&signer(), (key.as_str(), VIEWER), &query, later).is_err(), "a link never ends");
    Ok(())
}

/// A link opens for one viewer and one time, and only if it was signed letter for letter as it is
/// read; whoever has no such link gets 403 or 404. Answers whether it opens.
///
/// # Panics
///
/// When one of that is not so.
pub fn link(bytes: &[u8]) -> bool {
    let Ok(uri) = Uri::try_from(bytes) else { return false };
    let request = Request::get(uri).body(Body::empty());
    let request = request.expect("an address is all that a request needs");
    let router = Router::new().route("/media/{*key}", get(open));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime can be made");
    let answer = runtime.block_on(router.oneshot(request)).expect("a route answers");
    let status = answer.status();
    let refusals = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
    assert!(status == StatusCode::OK || refusals.contains(&status), "{status}");
    status == StatusCode::OK
}

/// No letter of a genuine link can be another one. Places go on from one of the [`links`] to the
/// next.
///
/// # Panics
///
/// When the link still opens.
pub fn altered_link(place: usize, letter: u8) {
    let links = links();
    let genuine = links[place % links.len()].as_bytes();
    let mut altered = genuine.to_vec();
    altered[place / links.len() % genuine.len()] = letter;
    if altered != genuine {
        assert!(!link(&altered), "an altered link opens: {}", altered.escape_ascii());
    }
}
