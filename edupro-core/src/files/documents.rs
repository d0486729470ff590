//! stub
use super::{CheckedFile, Extension, FileError, Upload};
/// stub
pub const DOCUMENT_MEGABYTES: u64 = 50;
/// stub
pub const fn document_limit() -> u64 {
    DOCUMENT_MEGABYTES * 1024 * 1024
}
/// stub
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// x
    #[error("The submitted file is empty.")]
    Empty,
    /// x
    #[error("The file must be smaller than 50MB.")]
    TooLarge,
    /// x
    #[error("The file must be in PDF or Word or powerpoint format.")]
    WrongType,
    /// x
    #[error("x")]
    Store(#[from] FileError),
}
/// stub
pub fn check_document(upload: Upload) -> Result<CheckedFile, DocumentError> {
    Ok(upload.checked(Extension::Pdf))
}
