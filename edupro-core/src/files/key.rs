//! The name of a stored file.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::kind::{Extension, FileKind};

/// The name of a stored file, and its path below the public address:
/// `media/avatar/3f/01890a5d-ac96-774b-bcce-b302099a803f.png` (security R24).
///
/// The two digits spread the files over 256 folders; they are the last of the UUID, whose first
/// ones are the time. A key cannot be guessed, and what it names never changes: a new picture gets
/// a new key, so the answer may be cached for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileKey(String);

impl FileKey {
    /// The first part of every key.
    pub(super) const ROOT: &str = "media";

    /// The key of a new file.
    pub(super) fn new(kind: FileKind, id: Uuid, extension: Extension) -> Self {
        let id = id.hyphenated().to_string();
        let folder = &id[id.len() - 2..];
        Self(format!("{}/{}/{folder}/{id}.{}", Self::ROOT, kind.as_str(), extension.as_str()))
    }

    /// A key that the database kept. It is not looked at again.
    #[must_use]
    pub const fn from_stored(key: String) -> Self {
        Self(key)
    }

    /// The key that a path of a URL names, without the slash it begins with.
    ///
    /// Only what [`FileStore::put`](super::FileStore::put) can have written passes, letter for
    /// letter, so no path leads out of the store.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let mut parts = path.split('/');
        if parts.next()? != Self::ROOT {
            return None;
        }
        let kind = FileKind::from_word(parts.next()?)?;
        let _folder = parts.next()?;
        let (id, ending) = parts.next()?.split_once('.')?;
        let key = Self::new(kind, Uuid::try_parse(id).ok()?, Extension::from_word(ending)?);
        (key.0 == path).then_some(key)
    }

    /// When the file was put into the store, to the millisecond, as its name has it.
    #[must_use]
    pub fn made_at(&self) -> Option<DateTime<Utc>> {
        let id = self.0.rsplit('/').next()?.split('.').next()?;
        let (seconds, nanoseconds) = Uuid::try_parse(id).ok()?.get_timestamp()?.to_unix();
        DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
    }

    /// The key as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the file is for, unless the key is none of ours.
    #[must_use]
    pub fn kind(&self) -> Option<FileKind> {
        FileKind::from_word(self.0.split('/').nth(1)?)
    }

    /// The content type the file is served with; what is not on the list is only bytes.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.0
            .rsplit_once('.')
            .and_then(|(_, ending)| Extension::from_word(ending))
            .map_or("application/octet-stream", Extension::content_type)
    }
}

impl fmt::Display for FileKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "media/profile-picture/3f/01890a5d-ac96-774b-bcce-b302099a803f.webp";

    #[test]
    fn a_key_is_read_from_a_path() {
        let key = FileKey::parse(KEY).unwrap();
        assert_eq!(key.as_str(), KEY);
        assert_eq!(key.to_string(), KEY);
        assert_eq!(key.kind(), Some(FileKind::ProfilePicture));
        assert_eq!(key.content_type(), "image/webp");
        assert_eq!(key.made_at().unwrap().to_rfc3339(), "2023-06-30T03:34:18.518+00:00");
        assert_eq!(serde_json::to_string(&key).unwrap(), format!("\"{KEY}\""));
        assert_eq!(FileKey::from_stored(KEY.to_owned()), key);
    }

    #[test]
    fn other_paths_are_refused() {
        for path in [
            "",
            "media",
            "/media/logo/3f/01890a5d-ac96-774b-bcce-b302099a803f.png",
            "media/logo/3f/01890a5d-ac96-774b-bcce-b302099a803f.png/",
            "media/logo/3f/01890a5d-ac96-774b-bcce-b302099a803f.svg",
            "media/logo/3f/01890a5d-ac96-774b-bcce-b302099a803f.PNG",
            "media/logo/3f/01890a5d-ac96-774b-bcce-b302099a803f.png.html",
            "media/logo/3e/01890a5d-ac96-774b-bcce-b302099a803f.png",
            "media/logo/3F/01890A5D-AC96-774B-BCCE-B302099A803F.png",
            "media/logo/3f/01890a5dac96774bbcceb302099a803f.png",
            "media/logo/3f/{01890a5d-ac96-774b-bcce-b302099a803f}.png",
            "media/logos/3f/01890a5d-ac96-774b-bcce-b302099a803f.png",
            "media/../3f/01890a5d-ac96-774b-bcce-b302099a803f.png",
            "media/logo/../01890a5d-ac96-774b-bcce-b302099a803f.png",
            ".staging/logo/3f/01890a5d-ac96-774b-bcce-b302099a803f.png",
        ] {
            assert_eq!(FileKey::parse(path), None, "{path}");
        }
    }

    #[test]
    fn an_unknown_stored_key_is_only_bytes() {
        let key = FileKey::from_stored("media/page.html".to_owned());
        assert_eq!(key.content_type(), "application/octet-stream");
        assert_eq!(key.kind(), None);
    }

    proptest! {
        #[test]
        fn new_keys_are_read_back(id: u128, kind in 0..5_usize, extension in 0..4_usize) {
            let id = Uuid::from_u128(id);
            let key = FileKey::new(FileKind::ALL[kind], id, Extension::ALL[extension]);
            prop_assert_eq!(FileKey::parse(key.as_str()), Some(key));
        }

        #[test]
        fn any_text_is_read_without_harm(path in "(media/|avatar|/|[0-9a-f]{2}|-|\\.|png|\\PC){0,20}") {
            if let Some(key) = FileKey::parse(&path) {
                prop_assert_eq!(key.as_str(), path);
            }
        }
    }
}
