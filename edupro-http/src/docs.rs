//! The API in a browser: a page that reads the OpenAPI document, logs people in and sends what they
//! try. All of it is in the binary, and it asks no other host for anything.
//!
//! It says where nothing is but beside itself, so it works below any path: `page.js` finds the API
//! at `../api`, seen from its own address.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::{
    Router,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;

use crate::EduPro;

/// Where the page is.
const PATH: &str = "/docs";
/// The page. `{folder}` is where its files are, seen from its own address.
const PAGE: &str = include_str!("../assets/docs/index.html");
const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// What the page loads: names, types, contents.
const FILES: [(&str, &str, &str); 5] = [
    ("call.js", SCRIPT, include_str!("../assets/docs/call.js")),
    ("dom.js", SCRIPT, include_str!("../assets/docs/dom.js")),
    ("page.css", "text/css; charset=utf-8", include_str!("../assets/docs/page.css")),
    ("page.js", SCRIPT, include_str!("../assets/docs/page.js")),
    ("schema.js", SCRIPT, include_str!("../assets/docs/schema.js")),
];

/// Its own files and this API, and nothing that stands in an attribute or between tags
/// (security R16). The icon is a `data:` URL.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; \
     require-trusted-types-for 'script'",
);
/// A new server may have another page: browsers keep it, and ask whether it is still this one.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// The page, with its last slash and without, and what it loads.
pub(crate) fn router() -> Router<EduPro> {
    let folder = format!("{PATH}/");
    let short = (PATH.to_owned(), File::new(HTML, PAGE.replace("{folder}", "docs/")));
    let long = (folder.clone(), File::new(HTML, PAGE.replace("{folder}", "")));
    let files = FILES.map(|(name, kind, text)| (format!("{folder}{name}"), File::new(kind, text)));
    [short, long].into_iter().chain(files).fold(Router::new(), |router, (path, file)| {
        router.route(&path, get(async move |headers: HeaderMap| file.answer(&headers)))
    })
}

/// Something that is as long as the process.
#[derive(Clone, Debug)]
struct File {
    kind: HeaderValue,
    content: Bytes,
    tag: String,
}

impl File {
    fn new(kind: &'static str, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        // The same in all processes of one build, which is as far as it has to be.
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let tag = format!("\"{:016x}\"", hasher.finish());
        Self { kind: HeaderValue::from_static(kind), content, tag }
    }

    fn answer(self, request: &HeaderMap) -> Response {
        let known = request.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
        // A proxy that compresses what goes by makes a weak tag of ours, `W/"…"`.
        let is_known = known.is_some_and(|known| known.contains(&self.tag));
        let headers = [
            (CACHE_CONTROL, ASK_AGAIN),
            (CONTENT_SECURITY_POLICY, POLICY),
            (CONTENT_TYPE, self.kind),
        ];
        let tag = [(ETAG, self.tag)];
        match is_known {
            true => (StatusCode::NOT_MODIFIED, headers, tag).into_response(),
            false => (headers, tag, self.content).into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_file_that_it_names_and_nothing_between_its_tags() {
        let texts = FILES.iter().map(|(_, _, text)| *text).chain([PAGE]);
        let all: String = texts.collect();
        for (name, ..) in FILES {
            let names = ["\"./", "\"{folder}"].map(|before| format!("{before}{name}\""));
            assert!(names.iter().any(|name| all.contains(name)), "nobody loads {name}");
        }
        for loaded in all.split("from \"./").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(FILES.iter().any(|(name, ..)| *name == loaded), "{loaded} is not there");
        }
        for forbidden in ["<style", " style=", " onclick=", "innerHTML", "https://cdn", "<script>"]
        {
            assert!(!all.contains(forbidden), "{forbidden}");
        }
    }
}
