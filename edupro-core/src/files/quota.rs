//! How much of the store one teacher may fill (security R21).
//!
//! What a teacher's courses, lessons and profile bring is written down before it is stored, and
//! struck out after it was deleted: what a process that was killed between the two has left makes a
//! teacher seem to have more for a day, never less.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{FileError, FileKey};
use crate::{School, StoreResult, accounts::UserId};

/// Most rows that one question is about.
const BATCH: i64 = 1_000;

/// What one teacher may have in the store at most. What goes to a video provider directly does not
/// count, nor do pictures of students.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

impl Default for Quota {
    /// 20 GiB and 10,000 files (security R21).
    fn default() -> Self {
        Self { bytes: 20 << 30, files: 10_000 }
    }
}

impl Quota {
    /// Nothing is limited but by the disk.
    pub const NONE: Self = Self { bytes: u64::MAX, files: u64::MAX };

    /// Whether one more file of so many bytes is within it.
    const fn has_room(self, usage: Usage, bytes: u64) -> bool {
        usage.files < self.files && usage.bytes.saturating_add(bytes) <= self.bytes
    }
}

/// What a teacher has in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

/// Which teacher has which files in the store.
#[async_trait]
pub trait QuotaStore: Send {
    /// What the teacher has. Nobody else adds a file of theirs until this transaction ends.
    async fn lock(&mut self, teacher: UserId) -> StoreResult<Usage>;

    /// Writes down that the teacher has one more.
    async fn add(
        &mut self,
        teacher: UserId,
        file: &FileKey,
        bytes: u64,
        now: DateTime<Utc>,
    ) -> StoreResult<()>;

    /// Strikes files out. One that is not written down is as good as struck out.
    async fn remove(&mut self, files: &[FileKey]) -> StoreResult<()>;

    /// Files that were written down before, by their keys, from the first behind `after`.
    async fn list(
        &mut self,
        before: DateTime<Utc>,
        after: Option<&FileKey>,
        most: i64,
    ) -> StoreResult<Vec<FileKey>>;
}

/// Writes a file of a teacher down if there is room for it.
pub(crate) async fn take(
    school: &School,
    teacher: UserId,
    file: &FileKey,
    bytes: u64,
) -> Result<(), FileError> {
    let quota = school.settings.quota;
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let usage = tx.quotas().lock(teacher).await?;
            if !quota.has_room(usage, bytes) {
                return Err(FileError::QuotaExceeded(quota));
            }
            tx.quotas().add(teacher, file, bytes, school.clock.now()).await?;
            Ok(tx.commit().await?)
        })
        .await
}

/// Strikes out files that are deleted.
pub(crate) async fn give_back(school: &School, files: &[FileKey]) -> StoreResult<()> {
    if files.is_empty() {
        return Ok(());
    }
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            tx.quotas().remove(files).await?;
            tx.commit().await
        })
        .await
}

/// Strikes out what was written down before and what no row names.
pub(crate) async fn strike_out(school: &School, before: DateTime<Utc>) -> StoreResult<()> {
    let mut last = None;
    loop {
        let mut tx = school.storage.write().await?;
        let mut files = tx.quotas().list(before, last.as_ref(), BATCH).await?;
        let named = tx.file_names().named(&files).await?;
        drop(tx);
        last = files.last().cloned();
        if last.is_none() {
            return Ok(());
        }
        files.retain(|file| !named.contains(file));
        give_back(school, &files).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_byte_and_the_last_file_are_within_it() {
        let quota = Quota { bytes: 10, files: 3 };
        let has_room = |files, bytes, more| quota.has_room(Usage { bytes, files }, more);
        assert!(has_room(2, 6, 4));
        assert!(!has_room(2, 6, 5));
        assert!(!has_room(3, 6, 1));
        assert!(!has_room(0, 0, u64::MAX));
        assert!(Quota::NONE.has_room(Usage { bytes: u64::MAX, files: 7 }, u64::MAX));
    }
}
