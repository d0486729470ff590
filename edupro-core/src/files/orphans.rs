//! Files that no row names: what a process that was killed between storing a file and committing its
//! row has left behind (security R20).
//!
//! Deleting one that is wanted would be worse than keeping a thousand that are not. So a file goes
//! only when the store and its own name both say that it is a day old, when no row names it on the
//! primary either, and when what no row names is the smaller part: a store beside the wrong database
//! looks like nothing but orphans.

use std::{collections::HashSet, error::Error};

use async_trait::async_trait;
use chrono::TimeDelta;
use futures_util::TryStreamExt;

use super::{FileError, FileKey, quota};
use crate::{School, StoreError, StoreResult};

/// How old a file is before anybody asks whether it is wanted: older than any transaction.
const AGE: TimeDelta = TimeDelta::hours(24);
/// Most files that one question is about.
const BATCH: usize = 1_000;
/// Most files that are deleted at once; the others wait for the next day.
const MOST: usize = 10_000;
/// So many orphans may be more than what is wanted: a small school has deleted its first course.
const FEW: usize = 100;

/// Which stored files rows name, wherever a row can name one.
#[async_trait]
pub trait FileNameStore: Send {
    /// Those of these files that a row names, in any order. In few statements, however many there
    /// are.
    async fn named(&mut self, files: &[FileKey]) -> StoreResult<Vec<FileKey>>;
}

/// Why orphans were not swept out.
#[derive(Debug, thiserror::Error)]
pub enum OrphanError {
    /// The store of files.
    #[error(transparent)]
    File(#[from] FileError),
    /// The storage.
    #[error("nobody can tell which files are wanted")]
    Store(#[from] StoreError),
}

/// What a sweep came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// So many files were deleted.
    Deleted(usize),
    /// More files than not are named by no row, so nothing was deleted: somebody has to look whether
    /// this is the right database for these files.
    Suspicious {
        /// How many files rows name.
        named: usize,
        /// How many files no row names, as far as they were counted.
        orphans: usize,
    },
}

/// Deletes stored files of a day and more that no row names. Running it twice, or in two processes,
/// does nothing more.
pub async fn sweep(school: &School) -> Result<Swept, OrphanError> {
    let before = school.clock.now() - AGE;
    let mut stored = school.files.stored_before(before).try_chunks(BATCH);
    let (mut orphans, mut named) = (Vec::new(), 0);
    while let Some(files) = stored.try_next().await.map_err(|error| error.1)? {
        let wanted: HashSet<_> =
            school.storage.read().await?.file_names().named(&files).await?.into_iter().collect();
        named += wanted.len();
        orphans.extend(files.into_iter().filter(|file| !wanted.contains(file)));
        if orphans.len() >= MOST {
            orphans.truncate(MOST);
            break;
        }
    }
    if orphans.len() > named.max(FEW) {
        return Ok(Swept::Suspicious { named, orphans: orphans.len() });
    }
    let mut deleted = 0;
    for files in orphans.chunks(BATCH) {
        // Reads may come from a replica that is late; who writes sees everything.
        let mut tx = school.storage.write().await?;
        let wanted: HashSet<_> = tx.file_names().named(files).await?.into_iter().collect();
        drop(tx);
        let unwanted: Vec<_> =
            files.iter().filter(|file| !wanted.contains(*file)).cloned().collect();
        school.delete_files(&unwanted).await?;
        deleted += unwanted.len();
    }
    quota::strike_out(school, before).await?;
    Ok(Swept::Deleted(deleted))
}

/// The same as a chore: what it came to is a line in the log.
pub(crate) async fn sweep_daily(school: &School) -> StoreResult<()> {
    match sweep(school).await {
        Ok(Swept::Deleted(0)) => {}
        Ok(Swept::Deleted(files)) => tracing::info!(files, "files that no row names were deleted"),
        Ok(Swept::Suspicious { named, orphans }) => tracing::error!(
            named,
            orphans,
            "most stored files are named by no row, and none was deleted: is this their database?"
        ),
        Err(OrphanError::Store(error)) => return Err(error),
        Err(error) => {
            let error = &error as &dyn Error;
            tracing::warn!(error, "files that no row names could not be swept out");
        }
    }
    Ok(())
}
