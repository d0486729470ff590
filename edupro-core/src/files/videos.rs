//! stub
use super::{CheckedFile, Extension, FileError, Upload};
/// stub
pub const VIDEO_MEGABYTES: u64 = 1024;
/// stub
#[must_use]
pub const fn video_limit() -> u64 {
    VIDEO_MEGABYTES * 1024 * 1024
}
/// stub
#[derive(Debug)]
pub struct Video {
    /// x
    pub duration: Option<std::time::Duration>,
    file: CheckedFile,
}
impl From<Video> for CheckedFile {
    fn from(v: Video) -> Self {
        v.file
    }
}
/// stub
#[derive(Debug, thiserror::Error)]
pub enum VideoError {
    /// x
    #[error("The submitted file is empty.")]
    Empty,
    /// x
    #[error("Video file size cannot exceed 1 GB.")]
    TooLarge,
    /// x
    #[error("Unsupported extensions")]
    WrongType,
    /// x
    #[error("x")]
    Store(#[from] FileError),
}
/// stub
pub fn check_video(upload: Upload) -> Result<Video, VideoError> {
    Ok(Video { duration: None, file: upload.checked(Extension::Mp4) })
}
