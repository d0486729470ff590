//! Links to files that not everybody may have (security R25).

use chrono::{DateTime, Utc};
use edupro_core::{
    accounts::Session,
    files::{FileKey, LinkSigner},
};

use super::ListQuery;
use crate::{EduPro, Links, error::ApiError};

/// Lets in whoever comes by a link to `path` that was signed for `viewer` and has not expired; 403
/// for others.
pub(crate) fn admit(
    links: &LinkSigner,
    (path, viewer): (&str, &str),
    query: &ListQuery,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let (Some(exp), Some(sig)) = (query.value("exp"), query.value("sig")) else {
        return Err(ApiError::forbidden());
    };
    links.verify(path, viewer, exp, sig, now).map_err(|_| ApiError::forbidden())
}

/// Links to private files, each good for this viewer's session and for five minutes.
#[derive(Debug)]
pub(crate) struct PrivateLinks {
    edupro: EduPro,
    links: Links,
    viewer: String,
}

impl PrivateLinks {
    pub(crate) fn new(edupro: &EduPro, links: Links, session: &Session) -> Self {
        Self { edupro: edupro.clone(), links, viewer: session.viewer() }
    }

    /// The link to a private file.
    pub(crate) fn file(&self, key: Option<&FileKey>) -> Option<String> {
        let school = self.edupro.school();
        let link = |key| school.keys.links().link(key, &self.viewer, school.clock.now());
        key.map(|key| self.links.to(&link(key)))
    }

    /// Where a video is played; what begins with a slash is on this school's own server.
    pub(crate) fn playback(&self, url: Option<String>) -> Option<String> {
        url.map(|url| match url.starts_with('/') {
            true => self.links.to(&url),
            false => url,
        })
    }

    /// The keys with which the school's video hosts are played.
    pub(crate) fn ticket_keys(&self) -> impl Iterator<Item = &'static str> {
        self.edupro.school().video.ticket_keys()
    }

    /// Links to files that anybody may see.
    pub(crate) fn public(&self) -> &Links {
        &self.links
    }
}
