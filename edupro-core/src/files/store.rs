//! Where uploaded files lie: on this machine's disk, or in any other object store.

use std::{
    fmt,
    fs::{DirBuilder, File},
    io,
    ops::Range,
    path::Path,
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{
    GetOptions, GetResultPayload, ObjectStore, ObjectStoreExt, RenameOptions, buffered::BufWriter,
    local::LocalFileSystem, memory::InMemory, path::Path as ObjectPath,
};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::{
    ByteRange, CheckedFile, FileError, FileKey, FileKind, Reserve, Staging, blocking,
    staging::StagingArea,
};
use crate::entropy::Entropy;

/// The staging directory of a store on disk: inside its root, so that it is on the same disk, and
/// outside every [`FileKey`].
const STAGING: &str = ".staging";

/// How much of a file is read at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// The parts in which a file is sent to a store elsewhere, in bytes: the smallest that S3 takes.
/// Two of them are in memory at once.
const PART: usize = 5 * 1024 * 1024;

/// The store of uploaded files. Cheap to clone; all clones are one store.
#[derive(Clone, Debug)]
pub struct FileStore {
    objects: Arc<dyn ObjectStore>,
    staging: Arc<StagingArea>,
    reserve: Reserve,
    placing: Placing,
}

/// How a staged file gets to its place.
#[derive(Clone, Copy, Debug)]
enum Placing {
    /// The staging directory is a part of the store: the file moves, in one step, and nothing is
    /// written twice.
    Move,
    /// The file is sent.
    Send,
}

/// A stored file on its way out.
pub struct Download {
    /// The size of the whole file, in bytes.
    pub size: u64,
    /// The bytes that [`stream`](Self::stream) gives: all of them, unless a range was asked for.
    pub range: Range<u64>,
    /// When it was put into the store.
    pub last_modified: DateTime<Utc>,
    /// The entity tag, quoted as the header wants it.
    pub e_tag: Option<String>,
    /// The content type, from the fixed list of [`FileKey::content_type`].
    pub content_type: &'static str,
    /// The bytes; from this machine's disk in pieces of at most 64 KiB.
    pub stream: BoxStream<'static, Result<Bytes, FileError>>,
}

impl fmt::Debug for Download {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Download")
            .field("size", &self.size)
            .field("range", &self.range)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

impl FileStore {
    /// A store in the directory `root`, which is made if there is none. It is readable for this
    /// user and its group alone, and nothing else may serve it (security R24).
    pub fn on_disk(root: &Path) -> Result<Self, FileError> {
        let staging = root.join(STAGING);
        private_directories().create(&staging)?;
        let objects = LocalFileSystem::new_with_prefix(root)?.with_fsync(true);
        Ok(Self { placing: Placing::Move, ..Self::new(Arc::new(objects), &staging) })
    }

    /// A store that is forgotten with its last clone, for tests and demonstrations. Uploads wait
    /// on the disk all the same, in a directory that goes with it.
    pub fn in_memory() -> Result<Self, FileError> {
        Ok(Self {
            objects: Arc::new(InMemory::new()),
            staging: Arc::new(StagingArea::Temporary(tempfile::tempdir()?)),
            reserve: Reserve::NONE,
            placing: Placing::Send,
        })
    }

    /// A store in `objects`, for instance a bucket. Uploads wait in the directory `staging`, which
    /// must exist.
    ///
    /// A process that dies while it sends leaves an unfinished upload behind: give the bucket a
    /// rule that removes those.
    #[must_use]
    pub fn new(objects: Arc<dyn ObjectStore>, staging: &Path) -> Self {
        Self {
            objects,
            staging: Arc::new(StagingArea::Given(staging.to_owned())),
            reserve: Reserve::default(),
            placing: Placing::Send,
        }
    }

    /// The same store with another reserve than [`Reserve::default`].
    #[must_use]
    pub fn with_reserve(self, reserve: Reserve) -> Self {
        Self { reserve, ..self }
    }

    /// Opens a place for an upload of up to `limit` bytes.
    ///
    /// It refuses with [`FileError::NoSpace`] while less than the reserve is free.
    pub async fn stage(&self, limit: u64) -> Result<Staging, FileError> {
        Arc::clone(&self.staging).stage(self.reserve, limit).await
    }

    /// Keeps a checked file under a new key. When this returns, the file is durably in its place,
    /// whole; until then it is nowhere (security R20).
    pub async fn put(
        &self,
        kind: FileKind,
        file: impl Into<CheckedFile>,
        entropy: &dyn Entropy,
        now: DateTime<Utc>,
    ) -> Result<FileKey, FileError> {
        let CheckedFile { extension, file } = file.into();
        let key = FileKey::new(kind, entropy.uuid(now), extension);
        let path = object_path(&key)?;
        match self.placing {
            Placing::Move => self.move_in(file, &path).await?,
            Placing::Send => self.send(file, path).await?,
        }
        Ok(key)
    }

    async fn move_in(&self, file: NamedTempFile, to: &ObjectPath) -> Result<(), FileError> {
        let mut file = blocking(move || {
            let_group_read(file.as_file())?;
            // What moves is only the name: the content has to be on the disk by then.
            file.as_file().sync_all()?;
            Ok(file.into_temp_path())
        })
        .await?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let from = ObjectPath::from(STAGING).join(name.as_ref());
        self.objects.rename_opts(&from, to, RenameOptions::default()).await?;
        file.disable_cleanup(true);
        Ok(())
    }

    async fn send(&self, file: NamedTempFile, to: ObjectPath) -> Result<(), FileError> {
        let source = blocking(move || Ok(file.reopen()?)).await?;
        let mut target =
            BufWriter::with_capacity(Arc::clone(&self.objects), to, PART).with_max_concurrency(1);
        if let Err(error) = copy(source, &mut target).await {
            // What has been sent goes by the bucket's rule if it cannot be withdrawn now.
            let _ = target.abort().await;
            return Err(error);
        }
        Ok(target.shutdown().await?)
    }

    /// Opens a file for reading, or the part of it that `range` means.
    pub async fn get(
        &self,
        key: &FileKey,
        range: Option<ByteRange>,
    ) -> Result<Download, FileError> {
        let path = object_path(key)?;
        let mut options = GetOptions::default();
        if let Some(range) = range {
            // Not every store refuses a range behind the end, so it is compared here.
            let size = self.objects.head(&path).await?.size;
            options.range = Some(range.of(size)?.into());
        }
        let found = self.objects.get_opts(&path, options).await?;
        let range = found.range;
        let stream = match found.payload {
            GetResultPayload::File(file, _) => read(file, range.clone()).await?,
            GetResultPayload::Stream(stream) => stream.map_err(FileError::from).boxed(),
        };
        Ok(Download {
            size: found.meta.size,
            range,
            last_modified: found.meta.last_modified,
            e_tag: found.meta.e_tag.map(quoted),
            content_type: key.content_type(),
            stream,
        })
    }

    /// Removes files. One that is not there is as good as removed; where one cannot be removed
    /// the others still are.
    pub async fn delete(&self, keys: &[FileKey]) -> Result<(), FileError> {
        let paths: Vec<_> = keys.iter().map(|key| Ok(ObjectPath::parse(key.as_str())?)).collect();
        let mut answers = self.objects.delete_stream(stream::iter(paths).boxed());
        let mut outcome = Ok(());
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => outcome = outcome.and(Err(error.into())),
            }
        }
        outcome
    }

    /// Removes what has waited in the staging directory for longer than `older_than`, and counts
    /// it. A process that was killed leaves such files; 24 hours are enough (security R20).
    pub async fn sweep(&self, now: DateTime<Utc>, older_than: TimeDelta) -> Result<u64, FileError> {
        let staging = Arc::clone(&self.staging);
        let before = now.checked_sub_signed(older_than).unwrap_or(DateTime::<Utc>::MIN_UTC);
        blocking(move || staging.sweep(before)).await
    }

    /// Whether the store could take a file: its staging directory can be written, and the store
    /// answers. A disk that is nearly full is not a reason to say no, since it can still be read.
    pub async fn check(&self) -> Result<(), FileError> {
        let staging = Arc::clone(&self.staging);
        blocking(move || staging.check()).await?;
        match self.objects.head(&ObjectPath::from("media/check")).await {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn object_path(key: &FileKey) -> Result<ObjectPath, FileError> {
    Ok(ObjectPath::parse(key.as_str()).map_err(object_store::Error::from)?)
}

/// Some stores quote their tags and some do not.
fn quoted(e_tag: String) -> String {
    if e_tag.contains('"') { e_tag } else { format!("\"{e_tag}\"") }
}

async fn copy(source: File, target: &mut BufWriter) -> Result<(), FileError> {
    let mut source = tokio::fs::File::from_std(source);
    loop {
        let mut piece = BytesMut::with_capacity(CHUNK);
        if source.read_buf(&mut piece).await? == 0 {
            return Ok(());
        }
        target.put(piece.freeze()).await?;
    }
}

/// Reads a part of a file. The store's own way takes a thread for every 8 KiB.
async fn read(
    file: File,
    range: Range<u64>,
) -> Result<BoxStream<'static, Result<Bytes, FileError>>, FileError> {
    let mut file = tokio::fs::File::from_std(file);
    file.seek(io::SeekFrom::Start(range.start)).await?;
    let pieces = stream::try_unfold(file.take(range.end - range.start), |mut rest| async move {
        if rest.limit() == 0 {
            return Ok(None);
        }
        let size = usize::try_from(rest.limit()).map_or(CHUNK, |limit| limit.min(CHUNK));
        let mut piece = BytesMut::with_capacity(size);
        if rest.read_buf(&mut piece).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(Some((piece.freeze(), rest)))
    });
    Ok(pieces.boxed())
}

/// Makes directories that other users of the machine cannot enter.
fn private_directories() -> DirBuilder {
    let mut directories = DirBuilder::new();
    directories.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut directories, 0o750);
    directories
}

/// Staged files are for this user alone; stored ones also for its group, which makes the backups
/// (security R24).
fn let_group_read(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o640))?;
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

#[cfg(test)]
mod tests;
