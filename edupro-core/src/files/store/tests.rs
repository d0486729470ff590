//! One list of promises, kept by the store on disk and by the one in memory.

use std::{collections::HashSet, fs, path::PathBuf};

use bytes::Bytes;
use futures_util::TryStreamExt;
use image::{ImageFormat, Rgb, RgbImage};

use super::*;
use crate::{
    entropy::SeededEntropy,
    files::{Extension, PictureRules, Upload, check_picture},
};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

/// Sends `bytes` in pieces, as a request does.
async fn upload(store: &FileStore, bytes: &[u8]) -> Upload {
    let mut staging = store.stage(bytes.len() as u64).await.unwrap();
    for piece in bytes.chunks(10_000) {
        staging.write(piece).await.unwrap();
    }
    staging.finish(Some("a.png".to_owned())).await.unwrap()
}

/// A checked file with any content.
async fn checked(store: &FileStore, bytes: &[u8]) -> CheckedFile {
    CheckedFile { extension: Extension::Png, file: upload(store, bytes).await.file }
}

async fn read_all(download: Download) -> Vec<u8> {
    let pieces: Vec<Bytes> = download.stream.try_collect().await.unwrap();
    pieces.concat()
}

fn is_empty(store: &FileStore) -> bool {
    fs::read_dir(store.staging.path()).unwrap().next().is_none()
}

async fn put_get_range_delete(store: &FileStore, size: usize) {
    let content: Vec<u8> = (0..=250).cycle().take(size).collect();
    let entropy = SeededEntropy::new(size as u64);
    let mut keys = Vec::new();
    for kind in FileKind::ALL {
        let file = checked(store, &content).await;
        let key = store.put(kind, file, &entropy, now()).await.unwrap();
        assert_eq!(FileKey::parse(key.as_str()).as_ref(), Some(&key));
        assert_eq!(key.kind(), Some(kind));
        keys.push(key);
    }
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
    assert!(is_empty(store));

    let key = &keys[0];
    let whole = store.get(key, None).await.unwrap();
    assert_eq!((whole.size, whole.range.clone()), (size as u64, 0..size as u64));
    assert_eq!(whole.content_type, "image/png");
    let e_tag = whole.e_tag.clone().unwrap();
    assert!(e_tag.starts_with('"') && e_tag.ends_with('"'), "{e_tag}");
    assert_eq!(read_all(whole).await, content);

    let middle = size as u64 / 2;
    for range in [
        ByteRange::From(0),
        ByteRange::From(middle),
        ByteRange::FromTo(0, 0),
        ByteRange::FromTo(middle, size as u64 + 10),
        ByteRange::Last(1),
        ByteRange::Last(size as u64 + 10),
    ] {
        let part = store.get(key, Some(range)).await.unwrap();
        let expected = range.of(size as u64).unwrap();
        assert_eq!((part.size, &part.range), (size as u64, &expected), "{range:?}");
        let bounds =
            usize::try_from(expected.start).unwrap()..usize::try_from(expected.end).unwrap();
        assert_eq!(read_all(part).await, content[bounds], "{range:?}");
    }
    let behind = store.get(key, Some(ByteRange::From(size as u64))).await.unwrap_err();
    assert!(matches!(behind, FileError::RangeNotSatisfiable { size: told } if told == size as u64));

    store.delete(&keys).await.unwrap();
    for key in &keys {
        assert!(matches!(store.get(key, None).await, Err(FileError::NotFound)));
        assert!(matches!(store.get(key, Some(ByteRange::From(0))).await, Err(FileError::NotFound)));
    }
    store.delete(&keys).await.unwrap();
    store.delete(&[]).await.unwrap();
}

/// The promises.
async fn conforms(store: &FileStore) {
    store.check().await.unwrap();
    // Less than a piece, many pieces, and more than a part.
    for size in [1, 200_000, PART + 300_000] {
        put_get_range_delete(store, size).await;
    }

    // A picture goes all the way.
    let mut bytes = io::Cursor::new(Vec::new());
    let picture = RgbImage::from_pixel(9, 5, Rgb([1, 2, 3]));
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    let staged = upload(store, bytes.get_ref()).await;
    let picture = check_picture(&staged, PictureRules::PUBLIC).unwrap();
    drop(staged);
    let key = store.put(FileKind::Logo, picture, &SeededEntropy::new(1), now()).await.unwrap();
    let stored = read_all(store.get(&key, None).await.unwrap()).await;
    assert_eq!(image::load_from_memory(&stored).unwrap().width(), 9);
    store.delete(&[key]).await.unwrap();
    assert!(is_empty(store));

    // What is too large, or ends early, leaves nothing.
    let mut staging = store.stage(10).await.unwrap();
    staging.write(&[0; 10]).await.unwrap();
    assert!(matches!(staging.write(&[0]).await, Err(FileError::TooLarge { limit: 10 })));
    assert!(matches!(staging.write(&[]).await, Err(FileError::TooLarge { limit: 10 })));
    assert!(matches!(staging.finish(None).await, Err(FileError::TooLarge { limit: 10 })));
    let mut staging = store.stage(1_000_000).await.unwrap();
    staging.write(&vec![7; 500_000]).await.unwrap();
    drop(staging);
    assert!(is_empty(store));
    let empty = store.stage(10).await.unwrap().finish(None).await.unwrap();
    assert_eq!((empty.size, empty.file_name.clone()), (0, None));
    drop(empty);

    // A key from elsewhere opens nothing.
    for path in ["../../etc/passwd", ".staging/../../etc/passwd", "media//x", ""] {
        let key = FileKey::from_stored(path.to_owned());
        assert!(store.get(&key, None).await.is_err(), "{path}");
    }

    // A nearly full disk takes nothing, but still answers.
    if cfg!(unix) {
        let full = store.clone().with_reserve(Reserve { bytes: u64::MAX, percent: 0 });
        assert!(matches!(full.stage(10).await, Err(FileError::NoSpace)));
        full.check().await.unwrap();
    }
}

fn disk() -> (tempfile::TempDir, PathBuf, FileStore) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("below").join("files");
    let store = FileStore::on_disk(&root).unwrap().with_reserve(Reserve::NONE);
    (directory, root, store)
}

#[tokio::test]
async fn the_disk_conforms() {
    conforms(&disk().2).await;
}

#[tokio::test]
async fn the_memory_conforms() {
    conforms(&FileStore::in_memory().unwrap()).await;
}

/// What is sent to a bucket goes the same way as this.
#[tokio::test]
async fn another_disk_conforms() {
    let (staging, objects) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let objects = LocalFileSystem::new_with_prefix(objects.path()).unwrap();
    let store = FileStore::new(Arc::new(objects), staging.path()).with_reserve(Reserve::NONE);
    conforms(&store).await;
}

#[tokio::test]
async fn a_store_on_disk_is_still_there_when_it_is_opened_again() {
    let (_directory, root, store) = disk();
    let file = checked(&store, b"content").await;
    let key = store.put(FileKind::Avatar, file, &SeededEntropy::new(2), now()).await.unwrap();
    drop(store);
    let again = FileStore::on_disk(&root).unwrap();
    assert_eq!(read_all(again.get(&key, None).await.unwrap()).await, b"content");
    assert!(root.join(key.as_str()).is_file());
}

#[cfg(unix)]
#[tokio::test]
async fn stored_files_are_private() {
    use std::os::unix::fs::PermissionsExt;

    let (_directory, root, store) = disk();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = checked(&store, b"content").await;
    assert_eq!(mode(file.file.path()), 0o600);
    let key = store.put(FileKind::Avatar, file, &SeededEntropy::new(2), now()).await.unwrap();
    assert_eq!(mode(&root.join(key.as_str())), 0o640);
    assert_eq!(mode(&root) & 0o027, 0);
}

#[tokio::test]
async fn what_a_killed_process_left_is_swept() {
    let (_directory, root, store) = disk();
    let waiting = upload(&store, b"still wanted").await;
    fs::write(root.join(STAGING).join("upload-left"), b"left").unwrap();
    let written = fs::metadata(root.join(STAGING).join("upload-left")).unwrap();
    let written = DateTime::<Utc>::from(written.modified().unwrap());
    let day = TimeDelta::hours(24);
    assert_eq!(store.sweep(written + day, day).await.unwrap(), 0);
    assert_eq!(store.sweep(written, TimeDelta::MAX).await.unwrap(), 0);
    drop(waiting);
    assert_eq!(store.sweep(written + day + TimeDelta::seconds(1), day).await.unwrap(), 1);
    assert!(is_empty(&store));
}

#[tokio::test]
async fn a_store_whose_directory_is_gone_is_not_ready() {
    let (directory, _root, store) = disk();
    drop(directory);
    assert!(matches!(store.check().await, Err(FileError::Failed(_))));
    assert!(matches!(store.stage(1).await, Err(FileError::Failed(_))));
}

#[tokio::test]
async fn the_temporary_directory_goes_with_the_last_clone() {
    let store = FileStore::in_memory().unwrap();
    let path = store.staging.path().to_owned();
    let clone = store.clone().with_reserve(Reserve::default());
    drop(store);
    assert!(path.is_dir());
    drop(clone);
    assert!(!path.exists());
}
