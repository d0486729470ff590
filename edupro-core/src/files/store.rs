//! Where uploaded files lie: on this machine's disk, or in any other object store.

use std::{
    fs::{DirBuilder, File},
    io,
    path::Path,
    sync::Arc,
};

use bytes::BytesMut;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{
    GetOptions, ObjectStore, ObjectStoreExt, RenameOptions, buffered::BufWriter,
    local::LocalFileSystem, memory::InMemory, path::Path as ObjectPath,
};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    ByteRange, CHUNK, CheckedFile, Download, FileError, FileKey, FileKind, Reserve, Staging,
    blocking, staging::StagingArea,
};
use crate::entropy::Entropy;

/// The staging directory of a store on disk: inside its root, so that it is on the same disk, and
/// outside every [`FileKey`].
const STAGING: &str = ".staging";

/// The parts in which a file is sent to a store elsewhere, in bytes: the smallest that S3 takes.
/// Two of them are in memory at once.
const PART: usize = 5 * 1024 * 1024;

/// The store of uploaded files. Cheap to clone; all clones are one store.
///
/// It belongs to one school: what no row of that school names is deleted after a day
/// ([`orphans`](super::orphans)).
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
        let file = file.into();
        let key = file.key(kind, entropy, now);
        self.put_under(&key, file).await?;
        Ok(key)
    }

    /// [`FileStore::put`] under a key that [`CheckedFile::key`] has made.
    pub(crate) async fn put_under(
        &self,
        key: &FileKey,
        CheckedFile { file, .. }: CheckedFile,
    ) -> Result<(), FileError> {
        let path = object_path(key)?;
        match self.placing {
            Placing::Move => self.move_in(file, &path).await,
            Placing::Send => self.send(file, path).await,
        }
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
        Download::new(found, key.content_type()).await
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

    /// How many uploads are on their way, those included that a killed process has left.
    pub async fn waiting(&self) -> Result<u64, FileError> {
        let staging = Arc::clone(&self.staging);
        blocking(move || staging.count()).await
    }

    /// Removes what has waited in the staging directory for longer than `older_than`, and counts
    /// it. A process that was killed leaves such files; 24 hours are enough (security R20).
    pub async fn sweep(&self, now: DateTime<Utc>, older_than: TimeDelta) -> Result<u64, FileError> {
        let staging = Arc::clone(&self.staging);
        let before = now.checked_sub_signed(older_than).unwrap_or(DateTime::<Utc>::MIN_UTC);
        blocking(move || staging.sweep(before)).await
    }

    /// The files that were put into the store before a moment, in any order: by the store's word, and
    /// by the time that is in each name. What is no file of ours is left out.
    pub fn stored_before(
        &self,
        moment: DateTime<Utc>,
    ) -> BoxStream<'static, Result<FileKey, FileError>> {
        let listed = self.objects.list(Some(&ObjectPath::from(FileKey::ROOT)));
        let old = listed.map_err(FileError::from).try_filter_map(move |file| async move {
            let key = FileKey::parse(file.location.as_ref());
            let is_old = |key: &FileKey| key.made_at().is_some_and(|made| made < moment);
            Ok(key.filter(|key| file.last_modified < moment && is_old(key)))
        });
        old.boxed()
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
