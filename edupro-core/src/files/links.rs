//! Links to files that are not public: signed, for one viewer, for a few minutes.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};

use super::FileKey;

/// How long a link is good for: 300 seconds (security R25). The page that shows it fetches a new
/// one; nobody passes it on for long.
pub const LINK_LIFETIME: TimeDelta = TimeDelta::seconds(300);

/// What is signed and how, so that no signature made for anything else, now or later, is a link.
const PURPOSE: &[u8] = b"edupro file link 1";

/// Why a link does not open a file. Clients are told nothing of the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It was not signed here for this file, this viewer and this time.
    #[error("the link is not genuine")]
    Forged,
    /// It was good once.
    #[error("the link has expired")]
    Expired,
}

/// Signs links to files and verifies them.
///
/// A link says that its maker wanted the viewer to have the file then; whether the viewer may have
/// it *now* is asked again at the download (security R25).
#[derive(Clone)]
pub struct LinkSigner(hmac::Key);

impl LinkSigner {
    /// A signer with a secret of 32 bytes. Links of another secret are forged.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The query of a link that lets `viewer` have the file at `path` until `expires`, in whole seconds:
    /// `exp=1767225600&sig=…`.
    #[must_use]
    pub fn sign(&self, path: &str, viewer: &str, expires: DateTime<Utc>) -> String {
        let exp = expires.timestamp().to_string();
        let tag = hmac::sign(&self.0, &message(path, viewer, &exp));
        format!("exp={exp}&sig={}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    }

    /// The path and query of a link that lets `viewer` have a stored file for [`LINK_LIFETIME`].
    #[must_use]
    pub fn link(&self, key: &FileKey, viewer: &str, now: DateTime<Utc>) -> String {
        format!("/{key}?{}", self.sign(key.as_str(), viewer, now + LINK_LIFETIME))
    }

    /// Whether `exp` and `sig` let `viewer` have the file at `path`.
    ///
    /// The signature is looked at first, in constant time, and covers `exp` as it came: a time
    /// that nobody signed is never read.
    pub fn verify(
        &self,
        path: &str,
        viewer: &str,
        exp: &str,
        sig: &str,
        now: DateTime<Utc>,
    ) -> Result<(), LinkError> {
        let tag = BASE64_URL_SAFE_NO_PAD.decode(sig).map_err(|_| LinkError::Forged)?;
        hmac::verify(&self.0, &message(path, viewer, exp), &tag).map_err(|_| LinkError::Forged)?;
        let expires: i64 = exp.parse().map_err(|_| LinkError::Forged)?;
        if now.timestamp() < expires { Ok(()) } else { Err(LinkError::Expired) }
    }
}

/// The secret stays out of the log.
impl fmt::Debug for LinkSigner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LinkSigner").finish_non_exhaustive()
    }
}

/// What is signed. Each field is led by its length, so that no two lists of fields look the same.
fn message(path: &str, viewer: &str, exp: &str) -> Vec<u8> {
    let mut message = Vec::new();
    for field in [PURPOSE, path.as_bytes(), viewer.as_bytes(), exp.as_bytes()] {
        message.extend((field.len() as u64).to_be_bytes());
        message.extend(field);
    }
    message
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(last: char) -> String {
        format!("media/logo/3f/{last}.png")
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_225_600 + seconds, 0).unwrap()
    }

    /// A signer, and the two parts of a link for `session 7` that is made at 0.
    fn link() -> (LinkSigner, String, String) {
        let signer = LinkSigner::new(&[7; 32]);
        let query = signer.sign(&path('a'), "session 7", at(0) + LINK_LIFETIME);
        let (exp, sig) = query.split_once('&').unwrap();
        let (exp, sig) = (exp.strip_prefix("exp=").unwrap(), sig.strip_prefix("sig=").unwrap());
        assert_eq!(exp, "1767225900");
        assert_eq!(sig.len(), 43);
        (signer, exp.to_owned(), sig.to_owned())
    }

    #[test]
    fn a_link_opens_its_file_for_its_viewer_until_it_expires() {
        let (signer, exp, sig) = link();
        let verify = |now| signer.verify(&path('a'), "session 7", &exp, &sig, now);
        assert_eq!(verify(at(0)), Ok(()));
        assert_eq!(verify(at(299)), Ok(()));
        assert_eq!(verify(at(300)), Err(LinkError::Expired));
        assert_eq!(verify(at(86_400)), Err(LinkError::Expired));
    }

    #[test]
    fn an_altered_link_is_forged() {
        let (signer, exp, sig) = link();
        let later = "1767229500";
        let cases = [
            ("another file", path('b'), "session 7", exp.as_str(), sig.as_str()),
            ("another viewer", path('a'), "session 8", &exp, &sig),
            ("extended", path('a'), "session 7", later, &sig),
            ("the same time written otherwise", path('a'), "session 7", "+1767225900", &sig),
            ("no time", path('a'), "session 7", "", &sig),
            ("truncated", path('a'), "session 7", &exp, &sig[..42]),
            ("truncated to whole bytes", path('a'), "session 7", &exp, &sig[..40]),
            ("no signature", path('a'), "session 7", &exp, ""),
            ("not base 64", path('a'), "session 7", &exp, "é"),
            ("a field moved over", path('a'), "session ", "71767225900", &sig),
        ];
        for (what, path, viewer, exp, sig) in cases {
            // Long after its time: being forged comes before being expired.
            let answer = signer.verify(&path, viewer, exp, sig, at(1_000_000));
            assert_eq!(answer, Err(LinkError::Forged), "{what}");
        }
        let other = LinkSigner::new(&[8; 32]);
        assert_eq!(
            other.verify(&path('a'), "session 7", &exp, &sig, at(0)),
            Err(LinkError::Forged)
        );
    }

    #[test]
    fn the_secret_is_not_printed() {
        assert_eq!(format!("{:?}", link().0), "LinkSigner { .. }");
    }

    proptest! {
        #[test]
        fn nothing_but_the_signature_is_a_signature(guess in "[A-Za-z0-9_-]{0,50}", exp in "\\PC{0,12}") {
            let (signer, genuine_exp, genuine) = link();
            prop_assume!((&exp, &guess) != (&genuine_exp, &genuine));
            let answer = signer.verify(&path('a'), "session 7", &exp, &guess, at(0));
            prop_assert_eq!(answer, Err(LinkError::Forged));
        }
    }
}
