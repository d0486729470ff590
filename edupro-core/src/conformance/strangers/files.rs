//! Uploaded files (security R22, R23).

use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::runtime::Builder;

use super::now;
use crate::{
    conformance::working,
    entropy::SeededEntropy,
    files::{
        CheckedFile, DocumentError, Extension, FileKind, FileStore, PictureError, PictureRules,
        Upload, VideoError, check_document, check_picture, check_video,
    },
};

/// The largest width and height of pictures here, in pixels. It is less than strangers may send, so
/// that a fuzzer gets to see many pictures and not a few large ones; those have tests of their own.
const SIDE: u32 = 512;
/// The longest duration that is believed (see `files::duration`).
const LONGEST: Duration = Duration::from_hours(30 * 24);
/// What follows the end of a picture.
const BEHIND: &[u8] = b"<html><script>alert(1)</script></html>";

/// What a file claims to be, and how it is looked at.
#[derive(Clone, Copy, Debug)]
struct Claim {
    /// The name it comes with.
    file_name: Option<&'static str>,
    check: Check,
}

#[derive(Clone, Copy, Debug)]
enum Check {
    Picture(PictureRules),
    Document,
    Video,
}

const fn claim(file_name: &'static str, check: Check) -> Claim {
    Claim { file_name: Some(file_name), check }
}

const fn picture(file_name: &'static str, rules: PictureRules) -> Claim {
    claim(file_name, Check::Picture(PictureRules { side: SIDE, ..rules }))
}

/// Every claim that [`file`] knows, by the number in its first byte.
const CLAIMS: [Claim; 19] = [
    picture("a.jpg", PictureRules::PUBLIC),
    picture("a.png", PictureRules::PUBLIC),
    picture("a.gif", PictureRules::PUBLIC),
    picture("a.webp", PictureRules::PUBLIC),
    picture("a.jpg", PictureRules::MODULE_IMAGE),
    picture("a.png", PictureRules::MODULE_IMAGE),
    picture("a.jpg", PictureRules::LESSON_THUMBNAIL),
    picture("a.png", PictureRules::LESSON_THUMBNAIL),
    claim("a.pdf", Check::Document),
    claim("a.doc", Check::Document),
    claim("a.docx", Check::Document),
    claim("a.ppt", Check::Document),
    claim("a.pptx", Check::Document),
    claim("a.mp4", Check::Video),
    claim("a.mov", Check::Video),
    claim("a.avi", Check::Video),
    claim("a.mkv", Check::Video),
    claim("a.webm", Check::Video),
    Claim { file_name: None, check: Check::Video },
];

/// What became of a file that was accepted.
#[derive(Debug, PartialEq, Eq)]
struct Accepted {
    content_type: &'static str,
    size: Option<(u32, u32)>,
    duration: Option<Duration>,
    kept: Vec<u8>,
}

/// A file is refused in words for whoever sent it, or is what it claims to be and nothing else: a
/// picture within its limits, rewritten without what follows it, that is accepted again as it was
/// kept; a document or a video as it came. The first byte chooses the claim, the rest is the file.
/// Answers whether it was accepted.
///
/// # Panics
///
/// When one of that is not so.
pub fn file(bytes: &[u8]) -> bool {
    let Some((number, content)) = bytes.split_first() else { return false };
    let claim = CLAIMS[usize::from(*number) % CLAIMS.len()];
    let runtime = Builder::new_current_thread().build();
    let store = working("there is no place for files", FileStore::in_memory());
    let trial = Trial { store, claim };
    working("no runtime can be made", runtime).block_on(trial.run(content))
}

struct Trial {
    store: FileStore,
    claim: Claim,
}

impl Trial {
    async fn run(&self, content: &[u8]) -> bool {
        let Some(accepted) = self.accept(self.claim, content).await else { return false };
        if let Some(name) = self.claim.file_name {
            let claimed = Extension::ALL.into_iter().find(|it| name.ends_with(it.as_str()));
            let claimed = claimed.map(Extension::content_type);
            assert_eq!(claimed, Some(accepted.content_type), "{name} is kept as something else");
        }
        match self.claim.check {
            Check::Picture(rules) => self.looks_at_picture(rules, content, &accepted).await,
            Check::Document => {
                assert!(accepted.kept == content, "a document is not kept as it came");
                self.is_nothing_else(content, &accepted).await;
            }
            Check::Video => {
                assert!(accepted.kept == content, "a video is not kept as it came");
                let lasts = accepted.duration;
                assert!(lasts.is_none_or(|it| !it.is_zero() && it <= LONGEST), "{lasts:?}");
                let nameless = Claim { file_name: None, ..self.claim };
                let again = self.accept(nameless, content).await;
                assert_eq!(again.map(|it| it.duration), Some(lasts), "a video needs its name");
            }
        }
        true
    }

    async fn looks_at_picture(&self, rules: PictureRules, content: &[u8], accepted: &Accepted) {
        let (width, height) = working("a picture has no size", accepted.size.ok_or(()));
        let (widest, highest) = rules.fit.unwrap_or((rules.side, rules.side));
        assert!((1..=widest).contains(&width), "{width} pixels wide");
        assert!((1..=highest).contains(&height), "{height} pixels high");

        if accepted.kept.len() as u64 <= rules.bytes() {
            let again = self.accept(self.claim, &accepted.kept).await;
            let again = again.map(|again| (again.content_type, again.size));
            let once = (accepted.content_type, accepted.size);
            assert_eq!(again, Some(once), "what was kept of a picture is none");
        }
        let followed = self.accept(self.claim, &[content, BEHIND].concat()).await;
        // It may well be refused; if it is not, nothing has changed.
        assert!(followed.is_none_or(|it| it == *accepted), "what follows a picture is kept");
    }

    /// A file that is two documents could be looked at as the one and opened as the other.
    async fn is_nothing_else(&self, content: &[u8], accepted: &Accepted) {
        for claim in CLAIMS {
            let other = self.accept(claim, content).await;
            let other = other.map_or(accepted.content_type, |other| other.content_type);
            assert_eq!(other, accepted.content_type, "a document is something else, too");
        }
    }

    async fn upload(&self, file_name: Option<&str>, content: &[u8]) -> Upload {
        let mut staging = working("no file can be staged", self.store.stage(u64::MAX).await);
        working("a staged file cannot be written", staging.write(content).await);
        let finished = staging.finish(file_name.map(ToOwned::to_owned)).await;
        working("a staged file cannot be finished", finished)
    }

    /// What becomes of a file, or `None` when it is refused. That the disk is broken is no answer
    /// to any file.
    async fn accept(&self, claim: Claim, content: &[u8]) -> Option<Accepted> {
        let upload = self.upload(claim.file_name, content).await;
        let (file, size, duration) = match claim.check {
            Check::Picture(rules) => match check_picture(&upload, rules) {
                Ok(picture) => {
                    let size = (picture.width, picture.height);
                    (CheckedFile::from(picture), Some(size), None)
                }
                Err(error) => {
                    assert!(!matches!(error, PictureError::Store(_)), "{error:?}");
                    return None;
                }
            },
            Check::Document => match check_document(upload) {
                Ok(document) => (document, None, None),
                Err(error) => {
                    assert!(!matches!(error, DocumentError::Store(_)), "{error:?}");
                    return None;
                }
            },
            Check::Video => match check_video(upload) {
                Ok(video) => {
                    let duration = video.duration;
                    (video.into(), None, duration)
                }
                Err(error) => {
                    assert!(!matches!(error, VideoError::Store(_)), "{error:?}");
                    return None;
                }
            },
        };
        let (kind, chance) = (FileKind::Avatar, SeededEntropy::new(1));
        let key = working("no file is kept", self.store.put(kind, file, &chance, now()).await);
        let download = working("a kept file is gone", self.store.get(&key, None).await);
        let pieces = download.stream.try_collect::<Vec<_>>().await;
        let kept = working("a kept file cannot be read", pieces).concat();
        working("a kept file stays", self.store.delete(std::slice::from_ref(&key)).await);
        Some(Accepted { content_type: key.content_type(), size, duration, kept })
    }
}
