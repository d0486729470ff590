//! Files on their way in: between the request and the store.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use tempfile::{NamedTempFile, TempDir};
use tokio::io::{AsyncWriteExt, BufWriter};

use super::{
    CHUNK, FileError, FileKey, blocking,
    kind::{Extension, FileKind},
    space::Reserve,
};
use crate::entropy::Entropy;

/// The directory where files wait.
#[derive(Debug)]
pub(super) enum StagingArea {
    /// One that stays.
    Given(PathBuf),
    /// One that goes with its store.
    Temporary(TempDir),
}

impl StagingArea {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Temporary(directory) => directory.path(),
        }
    }

    /// Opens a file for an upload of up to `limit` bytes.
    pub(super) async fn stage(
        self: Arc<Self>,
        reserve: Reserve,
        limit: u64,
    ) -> Result<Staging, FileError> {
        let area = Arc::clone(&self);
        let (file, writer) = blocking(move || {
            reserve.check(area.path())?;
            let file = area.new_file()?;
            let writer = file.as_file().try_clone()?;
            Ok((file, writer))
        })
        .await?;
        let mut writer = tokio::fs::File::from_std(writer);
        // It collects 2 MiB if it may; R20 allows 1 MiB an upload.
        writer.set_max_buf_size(CHUNK);
        let writer = BufWriter::with_capacity(CHUNK, writer);
        Ok(Staging { writer, file, area: self, size: 0, limit })
    }

    /// Whether a file can be made here.
    pub(super) fn check(&self) -> Result<(), FileError> {
        self.new_file()?;
        Ok(())
    }

    /// A new file, gone again when it is dropped.
    fn new_file(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix("upload-").tempfile_in(self.path())
    }

    /// How many files there are.
    pub(super) fn count(&self) -> Result<u64, FileError> {
        let mut count = 0;
        for entry in self.path().read_dir()? {
            entry?;
            count += 1;
        }
        Ok(count)
    }

    /// Removes the files that nobody has written to since `before`, and counts them.
    pub(super) fn sweep(&self, before: DateTime<Utc>) -> Result<u64, FileError> {
        let mut removed = 0;
        for entry in self.path().read_dir()? {
            let entry = entry?;
            let written = entry.metadata().and_then(|metadata| metadata.modified());
            // A file may be gone by now: its upload has ended.
            if written.is_ok_and(|written| DateTime::<Utc>::from(written) < before)
                && std::fs::remove_file(entry.path()).is_ok()
            {
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// An upload that is arriving. Dropped before [`finish`](Self::finish), it leaves nothing behind.
#[derive(Debug)]
pub struct Staging {
    writer: BufWriter<tokio::fs::File>,
    file: NamedTempFile,
    area: Arc<StagingArea>,
    size: u64,
    limit: u64,
}

impl Staging {
    /// Adds what has arrived. Once the upload is too large it stays too large.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), FileError> {
        self.size = self.size.saturating_add(chunk.len() as u64);
        if self.size > self.limit {
            return Err(FileError::TooLarge { limit: self.limit });
        }
        Ok(self.writer.write_all(chunk).await?)
    }

    /// All has arrived. `file_name` is what the client calls it.
    pub async fn finish(mut self, file_name: Option<String>) -> Result<Upload, FileError> {
        if self.size > self.limit {
            return Err(FileError::TooLarge { limit: self.limit });
        }
        self.writer.flush().await?;
        Ok(Upload { file_name, size: self.size, file: self.file, area: self.area })
    }
}

/// A whole upload in the staging directory, not yet looked at. Dropped, it is gone.
#[derive(Debug)]
pub struct Upload {
    /// What the client calls it: a stranger's text, never part of a path (security R24).
    pub file_name: Option<String>,
    /// Its size, in bytes.
    pub size: u64,
    pub(super) file: NamedTempFile,
    area: Arc<StagingArea>,
}

impl Upload {
    /// Opens it at its beginning.
    pub(super) fn open(&self) -> io::Result<File> {
        self.file.reopen()
    }

    /// A new file beside it, for what is made from it.
    pub(super) fn new_file_beside(&self) -> io::Result<NamedTempFile> {
        self.area.new_file()
    }

    /// The file as it came, found to be what `extension` says.
    pub(super) fn checked(self, extension: Extension) -> CheckedFile {
        CheckedFile { extension, file: self.file }
    }
}

/// A file in the staging directory whose content is what its extension says: a check of this
/// module has made it, and only such a file can be [put](super::FileStore::put) into the store.
#[derive(Debug)]
pub struct CheckedFile {
    pub(super) extension: Extension,
    pub(super) file: NamedTempFile,
}

impl CheckedFile {
    /// A new key for it.
    pub(crate) fn key(&self, kind: FileKind, entropy: &dyn Entropy, now: DateTime<Utc>) -> FileKey {
        FileKey::new(kind, entropy.uuid(now), self.extension)
    }

    /// Its size, in bytes.
    pub(crate) fn size(&self) -> Result<u64, FileError> {
        Ok(self.file.as_file().metadata()?.len())
    }
}
