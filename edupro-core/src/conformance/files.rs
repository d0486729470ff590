//! Whatever the school asks of the store of its files: what comes in whole goes out whole, what
//! breaks off leaves nothing, and many at once do not get in each other's way.

use std::{
    collections::HashSet,
    io::Cursor,
    ops::Range,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::{TryStreamExt, future::join_all};
use image::{ImageFormat, Rgb, RgbImage};
use tokio::task::spawn_blocking;

use super::{given_up_after, working};
use crate::{
    Clock, SystemClock,
    entropy::{Entropy, SeededEntropy, SystemEntropy},
    files::{
        ByteRange, CheckedFile, Download, FileError, FileKey, FileKind, FileStore, PictureRules,
        Reserve, Staging, check_picture, check_video, video_limit,
    },
};

/// Sizes of files, in bytes: less than a piece, many pieces, and more than a bucket takes at once.
const SIZES: [usize; 3] = [40, 200_000, 5 * 1024 * 1024 + 300_000];
/// A file of some pieces.
const SIZE: usize = SIZES[1];
/// How many files are kept at once.
const CROWD: usize = 16;
/// How often an upload is polled at most before it is given up.
const POLLS: usize = 200;
/// How long what was given up may take to be tidied away.
const PATIENCE: Duration = Duration::from_secs(10);

/// Keys of no file of ours. Some would lead out of the store.
const STRANGERS: [&str; 6] = [
    "media/avatar/3f/01890a5d-ac96-774b-bcce-b302099a803f.png",
    "media/avatar",
    "../../etc/passwd",
    ".staging/../../etc/passwd",
    "media//x",
    "",
];

/// Everything that can be asked of a store of files, once. Nothing else may use it meanwhile, and
/// it is empty again afterwards.
///
/// # Panics
///
/// When a promise is not kept, or the store does not work at all.
pub async fn all(store: &FileStore) {
    let trial = Trial { store };
    working("the store is not ready", store.check().await);
    trial.leaves_nothing("somebody else uses the store: it").await;
    for size in SIZES {
        trial.keeps(size).await;
    }
    trial.keeps_pictures().await;
    trial.knows_no_strangers().await;
    trial.limits_uploads().await;
    trial.bears_to_be_given_up().await;
    trial.serves_a_crowd().await;
    trial.sweeps().await;
    trial.lists_what_is_old().await;
    trial.leaves_nothing("in the end, the store").await;
    working("the store is not ready any more", store.check().await);
}

/// A store that is looked at.
struct Trial<'a> {
    store: &'a FileStore,
}

/// The bytes of a film that differ from those of another `seed`.
fn film(size: usize, seed: u8) -> Vec<u8> {
    let head = b"\0\0\0\x18ftypisom\0\0\x02\0isommp41";
    let rest = size - head.len();
    let length = u32::try_from(rest).unwrap_or_default().to_be_bytes();
    let content = (0..=250).cycle().map(|byte: u8| byte.wrapping_add(seed));
    [&head[..], &length, b"mdat"].concat().into_iter().chain(content).take(size).collect()
}

async fn read(download: Download) -> Result<Vec<u8>, FileError> {
    let pieces: Vec<Bytes> = download.stream.try_collect().await?;
    Ok(pieces.concat())
}

impl Trial<'_> {
    /// Nothing waits to be put into the store; a thread may take a moment to tidy up.
    async fn leaves_nothing(&self, what: &str) {
        let begun = Instant::now();
        loop {
            let waiting = self.store.waiting().await;
            let waiting = working("nobody can tell which uploads are on their way", waiting);
            if waiting == 0 {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{what} leaves {waiting} uploads behind");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn write(&self, staging: &mut Staging, content: &[u8]) -> Result<(), FileError> {
        for piece in content.chunks(60_000) {
            staging.write(piece).await?;
        }
        Ok(())
    }

    async fn upload(&self, content: &[u8]) -> Result<CheckedFile, FileError> {
        let mut staging = self.store.stage(video_limit()).await?;
        self.write(&mut staging, content).await?;
        let upload = staging.finish(Some("waves.mp4".to_owned())).await?;
        let checked = spawn_blocking(move || check_video(upload)).await;
        Ok(working("no film", working("no film", checked)).into())
    }

    /// Brings a film into the store, all the way.
    async fn try_put(
        &self,
        kind: FileKind,
        content: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<FileKey, FileError> {
        let file = self.upload(content).await?;
        self.store.put(kind, file, entropy, SystemClock.now()).await
    }

    async fn put(&self, content: &[u8]) -> FileKey {
        let kept = self.try_put(FileKind::LessonVideo, content, &SystemEntropy).await;
        working("a file is not kept", kept)
    }

    async fn get(&self, key: &FileKey, range: Option<ByteRange>) -> Download {
        working("a file is not there", self.store.get(key, range).await)
    }

    async fn is_gone(&self, key: &FileKey) {
        for range in [None, Some(ByteRange::From(0)), Some(ByteRange::Last(1))] {
            let found = self.store.get(key, range).await;
            assert!(matches!(found, Err(FileError::NotFound)), "{key} is there: {found:?}");
        }
    }

    async fn delete(&self, keys: &[FileKey]) {
        working("files cannot be deleted", self.store.delete(keys).await);
    }

    async fn keeps(&self, size: usize) {
        let content = film(size, 1);
        let key = self.put(&content).await;
        assert_eq!(FileKey::parse(key.as_str()).as_ref(), Some(&key), "a key that nobody can read");
        let whole = self.get(&key, None).await;
        assert_eq!((whole.size, &whole.range), (size as u64, &(0..size as u64)), "a whole file");
        assert_eq!(whole.content_type, key.content_type(), "the type of a file");
        let tag = whole.e_tag.clone();
        let is_quoted = |tag: &String| tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"');
        assert!(tag.as_ref().is_none_or(is_quoted), "a tag without its quotes: {tag:?}");
        assert!(
            working("a file breaks off", read(whole).await) == content,
            "a file is not what was put"
        );
        let last = size as u64 - 1;
        for range in [
            ByteRange::From(0),
            ByteRange::From(last),
            ByteRange::FromTo(0, 0),
            ByteRange::FromTo(7, last / 2),
            ByteRange::FromTo(last / 2, last + 10),
            ByteRange::Last(1),
            ByteRange::Last(size as u64 + 10),
        ] {
            let part = self.get(&key, Some(range)).await;
            let expected = working("a range", range.of(size as u64));
            assert_eq!((part.size, &part.range), (size as u64, &expected), "{range:?} of a file");
            assert_eq!(part.e_tag, tag, "a part has another tag than the whole");
            let bytes = working("a part of a file breaks off", read(part).await);
            assert!(bytes == content[place(&expected)], "{range:?} are other bytes of a file");
        }
        for range in [ByteRange::From(size as u64), ByteRange::FromTo(last + 5, last + 9)] {
            let found = self.store.get(&key, Some(range)).await;
            let is_told = matches!(
                found,
                Err(FileError::RangeNotSatisfiable { size: told }) if told == size as u64
            );
            assert!(is_told, "{range:?} lies behind the end of a file: {found:?}");
        }
        self.delete(std::slice::from_ref(&key)).await;
        self.is_gone(&key).await;
        self.delete(&[key]).await;
    }

    async fn keeps_pictures(&self) {
        let mut bytes = Cursor::new(Vec::new());
        let picture = RgbImage::from_pixel(9, 5, Rgb([1, 2, 3]));
        working("a picture", picture.write_to(&mut bytes, ImageFormat::Png));
        let mut staging = working("no upload is taken", self.store.stage(10_000).await);
        working("no upload is taken", staging.write(bytes.get_ref()).await);
        let upload = staging.finish(Some("a.png".to_owned())).await;
        let upload = working("no upload is taken", upload);
        let picture = spawn_blocking(move || check_picture(&upload, PictureRules::PUBLIC)).await;
        let picture = working("no picture", working("no picture", picture));
        let put = self.store.put(FileKind::Logo, picture, &SystemEntropy, SystemClock.now()).await;
        let key = working("a picture is not kept", put);
        let stored = self.get(&key, None).await;
        let stored = working("a picture breaks off", read(stored).await);
        let stored = working("a picture is none any more", image::load_from_memory(&stored));
        assert_eq!((stored.width(), stored.height()), (9, 5), "a picture");
        self.delete(&[key]).await;
    }

    async fn knows_no_strangers(&self) {
        let (one, other) = (self.put(&film(SIZE, 1)).await, self.put(&film(SIZE, 2)).await);
        for stranger in STRANGERS {
            let key = FileKey::from_stored(stranger.to_owned());
            let found = self.store.get(&key, None).await;
            assert!(found.is_err(), "a key from elsewhere, {stranger:?}, opens {found:?}");
        }
        let stranger = FileKey::from_stored(STRANGERS[0].to_owned());
        self.delete(&[stranger.clone(), stranger.clone()]).await;
        self.delete(&[]).await;
        // One after the other, then both, of which one is gone already.
        self.delete(&[stranger, one.clone()]).await;
        self.is_gone(&one).await;
        let bytes = working("a file breaks off", read(self.get(&other, None).await).await);
        assert!(bytes == film(SIZE, 2), "a file is another when its neighbour was deleted");
        // What cannot be removed keeps nobody from removing the others.
        let impossible = FileKey::from_stored(STRANGERS[2].to_owned());
        let _ = self.store.delete(&[impossible, one, other.clone()]).await;
        self.is_gone(&other).await;
    }

    async fn limits_uploads(&self) {
        let mut staging = working("no upload is taken", self.store.stage(10).await);
        working("an upload within its limit", staging.write(&[0; 10]).await);
        for piece in [&[0][..], &[]] {
            let more = staging.write(piece).await;
            let is_told = matches!(more, Err(FileError::TooLarge { limit: 10 }));
            assert!(is_told, "an upload beyond its limit: {more:?}");
        }
        let finished = staging.finish(None).await;
        let is_told = matches!(finished, Err(FileError::TooLarge { limit: 10 }));
        assert!(is_told, "an upload beyond its limit is finished: {finished:?}");
        let empty = working("no upload is taken", self.store.stage(10).await).finish(None).await;
        let empty = working("an upload without a byte", empty);
        assert_eq!((empty.size, &empty.file_name), (0, &None), "an upload without a byte");
        drop(empty);
        if cfg!(unix) {
            let reserve = Reserve { bytes: u64::MAX, percent: 0 };
            let full = self.store.clone().with_reserve(reserve);
            let staged = full.stage(10).await;
            let is_told = matches!(staged, Err(FileError::NoSpace));
            assert!(is_told, "an upload fills the disk: {staged:?}");
            working("a full disk cannot be read", full.check().await);
        }
        self.leaves_nothing("an upload that was refused").await;
    }

    /// Whoever uploads goes away, or the process ends, at any moment.
    async fn bears_to_be_given_up(&self) {
        let content = film(SIZE, 3);
        // The same chance at the same time gives the same key.
        let now = SystemClock.now();
        let put = async || {
            let file = self.upload(&content).await?;
            self.store.put(FileKind::LessonVideo, file, &SeededEntropy::new(7), now).await
        };
        let key = working("a file is not kept", put().await);
        self.delete(std::slice::from_ref(&key)).await;
        for polls in 1..=POLLS {
            let is_done = given_up_after(polls, put()).await.is_some();
            match self.store.get(&key, None).await {
                Ok(found) => {
                    let bytes = working("a file breaks off", read(found).await);
                    assert!(bytes == content, "half a file is in its place");
                }
                Err(FileError::NotFound) => {
                    assert!(!is_done, "a file is not in its place when it was put");
                }
                Err(error) => panic!("a file that was given up: {error:?}"),
            }
            // What was sent by then may still arrive.
            self.leaves_nothing("an upload that was given up").await;
            self.delete(std::slice::from_ref(&key)).await;
            if is_done {
                break;
            }
        }
        for polls in 1..20 {
            let key = self.put(&content).await;
            let found = self.get(&key, None).await;
            let _ = given_up_after(polls, read(found)).await;
            let _ = given_up_after(polls, self.store.delete(std::slice::from_ref(&key))).await;
            self.delete(std::slice::from_ref(&key)).await;
            self.is_gone(&key).await;
        }
    }

    async fn serves_a_crowd(&self) {
        let seeds: Vec<u8> = (0..).take(CROWD).collect();
        let contents: Vec<_> = seeds.iter().map(|seed| film(SIZE, *seed)).collect();
        let keys = join_all(contents.iter().map(|content| self.put(content))).await;
        let names: HashSet<_> = keys.iter().collect();
        assert_eq!(names.len(), CROWD, "files share a key");
        let found = join_all(keys.iter().map(async |key| read(self.get(key, None).await).await));
        for (found, content) in found.await.into_iter().zip(&contents) {
            let bytes = working("of many files at once one breaks off", found);
            assert!(bytes == *content, "of many files at once one is another");
        }
        // Two delete the same while others read it: they get all of it, or are told.
        let readers = join_all(keys.iter().map(async |key| {
            let found = self.store.get(key, None).await?;
            read(found).await
        }));
        let ((), (), read) = futures_util::join!(self.delete(&keys), self.delete(&keys), readers);
        for (read, content) in read.into_iter().zip(&contents) {
            assert!(read.is_err() || read.is_ok_and(|it| it == *content), "half a file is read");
        }
        for key in &keys {
            self.is_gone(key).await;
        }
    }

    async fn lists_what_is_old(&self) {
        let key = self.put(&film(SIZE, 5)).await;
        let (now, hour) = (SystemClock.now(), TimeDelta::hours(1));
        let before = async |moment| {
            let listed: Result<Vec<_>, _> = self.store.stored_before(moment).try_collect().await;
            working("nobody can tell which files there are", listed)
        };
        assert_eq!(
            before(now + hour).await,
            std::slice::from_ref(&key),
            "a file is not in the list"
        );
        assert_eq!(before(now - hour).await, [], "a new file is in the list of old ones");
        self.delete(std::slice::from_ref(&key)).await;
        assert_eq!(before(now + hour).await, [], "a deleted file is in the list");
    }

    async fn sweeps(&self) {
        let wanted = working("no upload is taken", self.upload(&film(SIZE, 4)).await);
        let mut left = working("no upload is taken", self.store.stage(10).await);
        working("no upload is taken", left.write(b"left").await);
        // A process that is killed tidies nothing up.
        std::mem::forget(left);
        let (now, day) = (SystemClock.now(), TimeDelta::days(1));
        let swept = working("nothing can be swept out", self.store.sweep(now, day).await);
        assert_eq!(swept, 0, "what is on its way is swept out");
        let kept = self.store.put(FileKind::LessonVideo, wanted, &SystemEntropy, now).await;
        let key = working("what was on its way is not kept", kept);
        let swept = working("nothing can be swept out", self.store.sweep(now + day * 2, day).await);
        assert_eq!(swept, 1, "what a killed process left is not swept out");
        let bytes = working("a file breaks off", read(self.get(&key, None).await).await);
        assert!(bytes == film(SIZE, 4), "a file is another when the store was swept");
        self.delete(&[key]).await;
    }
}

/// A range as Rust counts.
fn place(range: &Range<u64>) -> Range<usize> {
    let place = |at| usize::try_from(at).unwrap_or(usize::MAX);
    place(range.start)..place(range.end)
}
