use std::{
    fmt::{self, Display},
    sync::Arc,
};

use async_trait::async_trait;
use edupro_core::{
    conformance::files,
    files::{FileStore, Reserve},
};
use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::{
    CopyOptions, Extensions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    local::LocalFileSystem, memory::InMemory, path::Path,
};

use crate::complaint;

#[tokio::test]
async fn on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("files");
    let store = FileStore::on_disk(&root).unwrap().with_reserve(Reserve::NONE);
    files::all(&store).await;
}

#[tokio::test]
async fn in_memory() {
    files::all(&FileStore::in_memory().unwrap()).await;
}

/// What is sent to a bucket goes the same way as this.
#[tokio::test]
async fn elsewhere() {
    let (staging, objects) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let objects = LocalFileSystem::new_with_prefix(objects.path()).unwrap();
    let store = FileStore::new(Arc::new(objects), staging.path()).with_reserve(Reserve::NONE);
    files::all(&store).await;
}

/// A promise that is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    Forgets,
    IgnoresRanges,
    KeepsDeleted,
    CannotDelete,
    Breaks,
    Hides,
}

/// A store in memory that keeps all promises but one.
#[derive(Debug)]
struct Liar(InMemory, Lie);

impl Display for Liar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Liar")
    }
}

#[async_trait]
impl ObjectStore for Liar {
    async fn put_opts(
        &self,
        to: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        match self.1 {
            Lie::Forgets => {
                Ok(PutResult { e_tag: None, version: None, extensions: Extensions::new() })
            }
            _ => self.0.put_opts(to, payload, options).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        to: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(to, options).await
    }

    async fn get_opts(&self, from: &Path, mut options: GetOptions) -> Result<GetResult> {
        if self.1 == Lie::IgnoresRanges {
            options.range = None;
        }
        let mut found = self.0.get_opts(from, options).await?;
        if self.1 == Lie::Breaks {
            found.payload = GetResultPayload::Stream(stream::empty().boxed());
        }
        Ok(found)
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.1 {
            Lie::KeepsDeleted => paths,
            Lie::CannotDelete => {
                let refused = |path: Path| object_store::Error::Precondition {
                    path: path.to_string(),
                    source: "it is in the way".into(),
                };
                paths.map(move |path| path.and_then(|path| Err(refused(path)))).boxed()
            }
            _ => self.0.delete_stream(paths),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.1 {
            Lie::Hides => stream::empty().boxed(),
            _ => self.0.list(prefix),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn a_promise_that_is_not_kept_is_noticed() {
    for (lie, expected) in [
        (Lie::Forgets, "a file is not there"),
        (Lie::IgnoresRanges, "of a file"),
        (Lie::KeepsDeleted, "is there"),
        (Lie::CannotDelete, "files cannot be deleted"),
        (Lie::Breaks, "a file is not what was put"),
        (Lie::Hides, "a file is not in the list"),
    ] {
        let staging = tempfile::tempdir().unwrap();
        let objects = Arc::new(Liar(InMemory::new(), lie));
        let store = FileStore::new(objects, staging.path()).with_reserve(Reserve::NONE);
        let words = complaint(async move { files::all(&store).await }).await;
        assert!(words.contains(expected), "{lie:?}: {words}");
    }
}
