//! Videos that strangers upload: what is accepted as which type, and how long they last.
//!
//! A video is kept as it came: nothing of it is decoded. Its content must be what the ending of
//! its name says (behaviour G12, security R22); without a name it is what it shows.
//!
//! | type | content |
//! |---|---|
//! | MP4 | boxes, with another brand of videos than QuickTime's in the first place |
//! | MOV | boxes, with QuickTime's brand among them, or from before there were brands |
//! | MKV, `.webm` | Matroska that calls itself so |
//! | AVI | AVI |

mod types;

use std::{io::Read, time::Duration};

use super::{CheckedFile, Extension, FileError, Upload, duration};

/// The largest size of a video, in MiB (behaviour G12).
pub const VIDEO_MEGABYTES: u64 = 1024;

/// How much of a file shows its type, in bytes.
const HEAD: u64 = 4096;

/// The largest size of a video, in bytes: the limit to stage it with.
#[must_use]
pub const fn video_limit() -> u64 {
    VIDEO_MEGABYTES * 1024 * 1024
}

/// Why an upload is not taken for a video, in the words of behaviour G12.
#[derive(Debug, thiserror::Error)]
pub enum VideoError {
    /// It has no bytes.
    #[error("The submitted file is empty.")]
    Empty,
    /// It has too many bytes. Also what is said of an upload that was cut off at [`video_limit`].
    #[error("Video file size cannot exceed 1 GB.")]
    TooLarge,
    /// It is no video, is of another type, or its name says another type.
    #[error("Unsupported extensions")]
    WrongType,
    /// The video may be good; the disk is not.
    #[error("the video could not be read")]
    Store(#[from] FileError),
}

/// A video that has been checked, in the staging directory.
#[derive(Debug)]
pub struct CheckedVideo {
    /// How long it lasts, if it tells.
    pub duration: Option<Duration>,
    file: CheckedFile,
}

impl From<CheckedVideo> for CheckedFile {
    fn from(video: CheckedVideo) -> Self {
        video.file
    }
}

/// Checks that an upload is a video, and finds out how long it lasts.
///
/// This reads up to 16 MiB here and there in the file: run it on a thread that may block.
pub fn check_video(upload: Upload) -> Result<CheckedVideo, VideoError> {
    if upload.size == 0 {
        return Err(VideoError::Empty);
    }
    if upload.size > video_limit() {
        return Err(VideoError::TooLarge);
    }
    let mut source = upload.open().map_err(FileError::from)?;
    let mut head = Vec::new();
    source.by_ref().take(HEAD).read_to_end(&mut head).map_err(FileError::from)?;
    let container = duration::container(&head).ok_or(VideoError::WrongType)?;
    let fits = |extension: &Extension| types::is_video(*extension, container, &head);
    let extension = match &upload.file_name {
        Some(name) => Extension::claimed_by(name).filter(fits),
        // What came without a name is what it shows.
        None => Extension::ALL.into_iter().find(fits),
    };
    let extension = extension.ok_or(VideoError::WrongType)?;
    let duration = duration::duration(&mut source, container);
    Ok(CheckedVideo { duration, file: upload.checked(extension) })
}

#[cfg(test)]
mod tests;
