//! Uploaded files: what may come in, where it lies, and how it goes out again.
//!
//! | kind | accepted | checked by | served |
//! |---|---|---|---|
//! | avatar, logo, profile picture, category icon, course thumbnail | JPEG, PNG, GIF, WebP up to 5 MiB | [`check_picture`] | to everybody |
//!
//! (behaviour G12). SVG and HTML are never accepted.
//!
//! # The way of a file
//!
//! 1. [`FileStore::stage`] opens a [`Staging`]: the parts of the request go to a nameless file in
//!    the staging directory as they arrive. Whatever ends the request, that file ends with it.
//! 2. [`Staging::finish`] makes it an [`Upload`], still a stranger's bytes.
//! 3. [`check_picture`] writes a new picture from it: only a [`CheckedFile`] can go further.
//! 4. [`FileStore::put`] gives it a [`FileKey`] and returns when it is durably in its place; then
//!    the row that names the key may commit (security R20). When the row fails, the caller deletes
//!    the file.
//!
//! The client's own name for the file decides nothing but whether its ending agrees with the
//! content. It never becomes a part of a path (security R24).
//!
//! # Adding a kind
//!
//! 1. Add a variant to [`FileKind`]; the compiler names the places that have to know it. Add it to
//!    [`FileKind::ALL`] too.
//! 2. When it brings new types, add them to [`Extension`] with their content types.
//! 3. Pictures: write their [`PictureRules`]. Anything else: a check beside [`check_picture`] that
//!    ends in a [`CheckedFile`].
//! 4. Files that are not public are served by links of a [`LinkSigner`] (security R25).

mod documents;
mod download;
mod duration;
mod key;
mod kind;
mod links;
pub mod orphans;
mod pictures;
pub(crate) mod quota;
mod range;
mod space;
mod staging;
mod store;
mod videos;

use std::{error::Error, io};

pub use self::{
    documents::{DOCUMENT_MEGABYTES, DocumentError, check_document, document_limit},
    download::Download,
    key::FileKey,
    kind::{Extension, FileKind},
    links::{LINK_LIFETIME, LinkError, LinkSigner},
    orphans::FileNameStore,
    pictures::{Picture, PictureError, PictureRules, check_picture},
    quota::{Quota, QuotaStore, Usage},
    range::ByteRange,
    space::{Reserve, Space},
    staging::{CheckedFile, Staging, Upload},
    store::FileStore,
    videos::{CheckedVideo, VIDEO_MEGABYTES, VideoError, check_video, video_limit},
};
use crate::{StoreError, error::Source};

/// The pieces in which files go to the disk and come from it, in bytes (security R20).
const CHUNK: usize = 64 * 1024;

/// Why a file could not be kept or handed out, named by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// There is no such file.
    #[error("no such file")]
    NotFound,
    /// The upload is larger than its kind may be. A smaller one helps.
    #[error("the upload is larger than {limit} bytes")]
    TooLarge {
        /// The largest size, in bytes.
        limit: u64,
    },
    /// The disk is, or would soon be, full. Waiting helps, or deleting (security R21).
    #[error("no space is left for uploads")]
    NoSpace,
    /// The teacher has as much in the store as one teacher may have. Deleting helps (security R21).
    #[error("the teacher has {} files or {} bytes in the store", .0.files, .0.bytes)]
    QuotaExceeded(Quota),
    /// Nobody can tell how much the teacher has in the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No byte of the file lies in the range that was asked for.
    #[error("the range lies outside the file's {size} bytes")]
    RangeNotSatisfiable {
        /// The size of the file, in bytes.
        size: u64,
    },
    /// Anything else. Somebody has to look at it.
    #[error("the file store failed")]
    Failed(#[source] Source),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        if is_full(&error) { Self::NoSpace } else { Self::Failed(error.into()) }
    }
}

impl From<object_store::Error> for FileError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            other if is_full(&other) => Self::NoSpace,
            other => Self::Failed(other.into()),
        }
    }
}

/// Whether a full disk, or a full quota, stands somewhere behind `error`.
fn is_full(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>()
            && matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        {
            return true;
        }
        next = error.source();
    }
    false
}

/// Does what would hold up the runtime on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| FileError::Failed(error.into()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_recognised_behind_other_errors() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        assert!(matches!(FileError::from(full()), FileError::NoSpace));
        let wrapped = object_store::Error::Generic { store: "disk", source: Box::new(full()) };
        assert!(matches!(FileError::from(wrapped), FileError::NoSpace));
        let other = io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(matches!(FileError::from(other), FileError::Failed(_)));
    }
}
