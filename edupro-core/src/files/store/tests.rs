//! What cannot be asked from outside; the promises are in the conformance suite.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use futures_util::TryStreamExt;

use super::*;
use crate::{
    entropy::SeededEntropy,
    files::{Extension, Upload},
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

fn disk() -> (tempfile::TempDir, PathBuf, FileStore) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("below").join("files");
    let store = FileStore::on_disk(&root).unwrap().with_reserve(Reserve::NONE);
    (directory, root, store)
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
    // The file that was left comes first: the other is not older, whatever the clock of the disk.
    fs::write(root.join(STAGING).join("upload-left"), b"left").unwrap();
    let written = fs::metadata(root.join(STAGING).join("upload-left")).unwrap();
    let written = DateTime::<Utc>::from(written.modified().unwrap());
    let waiting = upload(&store, b"still wanted").await;
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
