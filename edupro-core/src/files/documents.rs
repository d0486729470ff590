//! Documents that strangers upload: what is accepted as which type.
//!
//! A document is kept as it came, so all that can be done is to look closely and refuse. Its
//! content must be what the ending of its name says, it must be whole, and it must not be
//! something else at the same time (behaviour G12, security R22).
//!
//! | type | recognised by |
//! |---|---|
//! | PDF | `%PDF-` at its beginning and `%%EOF` at its end |
//! | DOCX, PPTX | a ZIP archive, within [bounds](zip), with the parts that every such document has |
//! | DOC, PPT | a [compound file](compound) with the stream that every such document has |
//!
//! Nothing is unpacked and no number of the file decides how much memory is asked for: a check
//! takes less than 1 MiB. What a document does when it is opened, its macros and scripts, is not
//! judged: documents are served to be saved, never to be shown by the browser in our name.

mod compound;
mod reading;
mod zip;

use std::io::{self, Read, Seek};

use self::compound::Compound;
use super::{CheckedFile, Extension, FileError, Upload};

/// The largest size of a document, in MiB (behaviour G12).
pub const DOCUMENT_MEGABYTES: u64 = 50;

/// How a PDF begins.
const PDF: &[u8] = b"%PDF-";

/// How far into a file readers of PDF look for its beginning, in bytes (ISO 32000-1, annex H.3).
const PDF_HEAD: u64 = 1024;

/// How much of a PDF's end is looked at, in bytes.
const PDF_TAIL: u64 = 2048;

/// The largest size of a document, in bytes: the limit to stage it with.
#[must_use]
pub const fn document_limit() -> u64 {
    DOCUMENT_MEGABYTES * 1024 * 1024
}

/// Why an upload is not taken for a document, in the words of behaviour G12.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It has no bytes.
    #[error("The submitted file is empty.")]
    Empty,
    /// It has too many bytes. Also what is said of an upload that was cut off at
    /// [`document_limit`].
    #[error("The file must be smaller than {}MB.", DOCUMENT_MEGABYTES)]
    TooLarge,
    /// It is no document, is damaged, is of another type, or its name says another type.
    #[error("The file must be in PDF or Word or powerpoint format.")]
    WrongType,
    /// The document may be good; the disk is not.
    #[error("the document could not be read")]
    Store(#[from] FileError),
}

/// Only the operating system's own errors are about the disk; "unexpected end" and its like are
/// about the document.
impl From<io::Error> for DocumentError {
    fn from(error: io::Error) -> Self {
        if error.raw_os_error().is_some() { Self::Store(error.into()) } else { Self::WrongType }
    }
}

/// Checks that an upload is a PDF, Word or PowerPoint document, and gives the same file back.
///
/// This reads here and there in the file: run it on a thread that may block.
pub fn check_document(upload: Upload) -> Result<CheckedFile, DocumentError> {
    if upload.size == 0 {
        return Err(DocumentError::Empty);
    }
    if upload.size > document_limit() {
        return Err(DocumentError::TooLarge);
    }
    let claimed = upload.file_name.as_deref().and_then(Extension::claimed_by);
    let claimed = claimed.ok_or(DocumentError::WrongType)?;
    let mut source = upload.open().map_err(FileError::from)?;
    if is_document(claimed, &mut source)? {
        Ok(upload.checked(claimed))
    } else {
        Err(DocumentError::WrongType)
    }
}

/// Whether the content is a document of the claimed type, and of no other.
fn is_document<S: Read + Seek>(claimed: Extension, source: &mut S) -> io::Result<bool> {
    Ok(match claimed {
        Extension::Pdf => is_pdf(source)? && !zip::is_at_end(source)?,
        Extension::Doc | Extension::Ppt => {
            in_compound(source)? == Some(claimed)
                && !passes_for_pdf(source)?
                && !zip::is_at_end(source)?
        }
        Extension::Docx | Extension::Pptx => {
            in_package(source)? == Some(claimed) && !passes_for_pdf(source)?
        }
        _ => false,
    })
}

/// A PDF has its marks at the first byte and at the last, apart from white space.
fn is_pdf<S: Read + Seek>(source: &mut S) -> io::Result<bool> {
    let tail = reading::tail(source, PDF_TAIL)?;
    let end = tail.iter().rposition(|byte| !b"\0\t\n\x0C\r ".contains(byte));
    let whole = tail.get(..=end.unwrap_or(0)).is_some_and(|tail| tail.ends_with(b"%%EOF"));
    Ok(whole && reading::head(source, PDF.len() as u64)? == PDF)
}

/// Whether readers of PDF, which tolerate other bytes in front of it, would read this file too.
fn passes_for_pdf<S: Read + Seek>(source: &mut S) -> io::Result<bool> {
    let head = reading::head(source, PDF_HEAD)?;
    Ok(head.windows(PDF.len()).any(|bytes| bytes == PDF))
}

/// The type of a document since 2007: parts in a ZIP archive (ECMA-376).
fn in_package<S: Read + Seek>(source: &mut S) -> io::Result<Option<Extension>> {
    let (mut types, mut word, mut powerpoint) = (false, false, false);
    zip::names(source, |name| {
        types |= name == b"[Content_Types].xml";
        word |= is_word_part(name);
        powerpoint |= name == b"ppt/presentation.xml";
    })?;
    Ok(match (types, word, powerpoint) {
        (true, true, false) => Some(Extension::Docx),
        (true, false, true) => Some(Extension::Pptx),
        _ => None,
    })
}

/// `word/document.xml`; Word for the web also writes `word/document2.xml` and so on.
fn is_word_part(name: &[u8]) -> bool {
    name.strip_prefix(b"word/document")
        .and_then(|rest| rest.strip_suffix(b".xml"))
        .is_some_and(|number| number.iter().all(u8::is_ascii_digit))
}

/// The type of a document of before 2007: streams in a compound file (MS-DOC 2.1, MS-PPT 2.1).
fn in_compound<S: Read + Seek>(source: &mut S) -> io::Result<Option<Extension>> {
    let mut file = Compound::open(source)?;
    Ok(match (file.has_stream("WordDocument")?, file.has_stream("PowerPoint Document")?) {
        (true, false) => Some(Extension::Doc),
        (false, true) => Some(Extension::Ppt),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
