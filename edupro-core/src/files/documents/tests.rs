//! Documents built by hand: the least that each type needs, and what must not pass for one.

mod archives;
mod compounds;
mod hostile;

use std::io::Cursor;

use self::{archives::Archive, compounds::CompoundFile};
use super::*;
use crate::files::FileStore;

const PAGE: &[u8] = b"<!DOCTYPE html><html><script>alert(1)</script></html>";
const PROGRAM: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xFF\xFF\0\0\xB8\0\0\0PE\0\0";

fn pdf() -> Vec<u8> {
    b"%PDF-1.4\n\
      1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
      2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
      3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n\
      xref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n\
      0000000101 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n160\n%%EOF\n"
        .to_vec()
}

fn docx() -> Vec<u8> {
    Archive::with(&["[Content_Types].xml", "_rels/.rels", "word/document.xml"]).bytes()
}

fn pptx() -> Vec<u8> {
    Archive::with(&["[Content_Types].xml", "_rels/.rels", "ppt/presentation.xml"]).bytes()
}

fn doc() -> Vec<u8> {
    CompoundFile::with(&["1Table", "WordDocument", "Data"]).bytes()
}

fn ppt() -> Vec<u8> {
    CompoundFile::with(&["Current User", "PowerPoint Document", "Pictures"]).bytes()
}

fn samples() -> [(&'static str, Extension, Vec<u8>); 5] {
    [
        ("a.pdf", Extension::Pdf, pdf()),
        ("a.docx", Extension::Docx, docx()),
        ("a.pptx", Extension::Pptx, pptx()),
        ("a.doc", Extension::Doc, doc()),
        ("a.ppt", Extension::Ppt, ppt()),
    ]
}

fn upload(store: &FileStore, file_name: Option<&str>, bytes: &[u8]) -> Upload {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut staging = store.stage(u64::MAX).await.unwrap();
        staging.write(bytes).await.unwrap();
        staging.finish(file_name.map(ToOwned::to_owned)).await.unwrap()
    })
}

/// A file that counts how often, and how much, is read of it.
struct Disk<'a> {
    bytes: Cursor<&'a [u8]>,
    read: (usize, usize),
}

impl Read for Disk<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.bytes.read(buffer)?;
        self.read = (self.read.0 + 1, self.read.1 + length);
        Ok(length)
    }
}

impl Seek for Disk<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

/// What is said of the content, whatever the file is called. It is said soon, and of no file that
/// its disk is to blame.
fn is(claimed: Extension, bytes: &[u8]) -> bool {
    let mut disk = Disk { bytes: Cursor::new(bytes), read: (0, 0) };
    let answer = is_document(claimed, &mut disk).map_err(DocumentError::from);
    assert!(disk.read.0 <= 13_000, "read {} times", disk.read.0);
    assert!(disk.read.1 <= 5 << 20, "{} bytes were read", disk.read.1);
    assert!(!matches!(answer, Err(DocumentError::Store(_))), "the disk is not to blame");
    answer.is_ok_and(|answer| answer)
}

/// The types that a content passes for.
fn types(bytes: &[u8]) -> Vec<Extension> {
    Extension::ALL.into_iter().filter(|extension| is(*extension, bytes)).collect()
}

#[test]
fn every_type_is_kept_as_it_came() {
    let store = FileStore::in_memory().unwrap();
    for (name, extension, bytes) in samples() {
        let ending = extension.as_str();
        for name in [name, &name.to_uppercase(), &format!("مذكرة.exe.{ending}")] {
            let checked = check_document(upload(&store, Some(name), &bytes)).expect(name);
            assert_eq!(checked.extension, extension, "{name}");
            let mut kept = Vec::new();
            checked.file.reopen().unwrap().read_to_end(&mut kept).unwrap();
            assert_eq!(kept, bytes, "{name}");
        }
        assert_eq!(types(&bytes), [extension]);
    }
}

#[test]
fn the_name_has_to_agree_with_the_content() {
    let store = FileStore::in_memory().unwrap();
    for (_, extension, bytes) in samples() {
        for other in ["pdf", "doc", "docx", "ppt", "pptx", "docm", "zip", "html", "png", "mp4", ""]
        {
            if other != extension.as_str() {
                let error = check_document(upload(&store, Some(&format!("a.{other}")), &bytes));
                let error = error.expect_err(other).to_string();
                assert_eq!(error, "The file must be in PDF or Word or powerpoint format.");
            }
        }
        for name in [None, Some(""), Some(extension.as_str())] {
            let error = check_document(upload(&store, name, &bytes)).unwrap_err();
            assert!(matches!(error, DocumentError::WrongType), "{name:?}");
        }
    }
}

#[test]
fn other_files_are_refused_under_every_name() {
    let rich_text = b"{\\rtf1\\ansi Not a Word document, though Word opens it.}";
    let png = b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0";
    for content in [PAGE, PROGRAM, rich_text, png, b"x", b"%", b"PK\x03\x04", b"%%EOF", b"%PDF-"] {
        assert_eq!(types(content), []);
    }
}

#[test]
fn sizes_are_judged_first() {
    let store = FileStore::in_memory().unwrap();
    let error = check_document(upload(&store, Some("a.html"), b"")).unwrap_err();
    assert_eq!(error.to_string(), "The submitted file is empty.");
    let mut large = upload(&store, Some("a.html"), PAGE);
    large.size = document_limit() + 1;
    let error = check_document(large).unwrap_err();
    assert_eq!(error.to_string(), "The file must be smaller than 50MB.");
    let mut largest = upload(&store, Some("a.pdf"), &pdf());
    largest.size = document_limit();
    assert!(check_document(largest).is_ok());
}

#[test]
fn the_disk_is_not_the_document() {
    let error = io::Error::from_raw_os_error(5);
    assert!(matches!(DocumentError::from(error), DocumentError::Store(_)));
}

#[test]
fn a_pdf_ends_with_its_mark_and_white_space() {
    for end in [&b""[..], b"\n", b"\r\n", b" \t\x0C\0\r\n", &[b'\n'; 1000]] {
        assert_eq!(types(&[&pdf(), end].concat()), [Extension::Pdf]);
    }
    for end in [PAGE, PROGRAM, b"x", b"\n%", &[b'\n'; 3000]] {
        assert_eq!(types(&[&pdf(), end].concat()), []);
    }
    for start in [&b"\n"[..], b"\xEF\xBB\xBF", PAGE] {
        assert_eq!(types(&[start, &pdf()].concat()), []);
    }
    assert_eq!(types(b"%PDF-%%EOF"), [Extension::Pdf]);
    assert_eq!(types(b"%PDF-%EOF"), []);
}

/// Files that are two things at once are neither.
#[test]
fn a_document_is_nothing_else_besides() {
    for (_, _, archive) in [&samples()[1], &samples()[2]] {
        assert_eq!(types(&[b"%PDF-1.4\n", &archive[..]].concat()), []);
        assert_eq!(types(&[&pdf(), &archive[..]].concat()), []);
        assert_eq!(types(&[&archive[..], &pdf()].concat()), []);
        assert_eq!(types(&[&doc(), &archive[..]].concat()), []);
        assert_eq!(types(&[&archive[..], PAGE].concat()), []);
        assert_eq!(types(&[PROGRAM, &archive[..]].concat()), []);
    }
    // The archive's own comment brings the end of a PDF; its directory knows of the front.
    for front in [&b"%PDF-1.4\n"[..], PROGRAM] {
        let both = Archive { front: front.to_vec(), comment: b"\n%%EOF\n".to_vec(), ..word() };
        assert_eq!(types(&both.bytes()), []);
    }
    // Readers of PDF look for its beginning further on, too.
    let mut first = word();
    first.entries[0].data = pdf();
    assert_eq!(types(&first.bytes()), []);
    first.entries[0].data = [&[0; 1024], &pdf()[..]].concat();
    assert_eq!(types(&first.bytes()), [Extension::Docx]);
    let mut old = doc();
    old[8..17].copy_from_slice(b"%PDF-1.4\n");
    assert_eq!(types(&old), []);
    // A compound file may have an archive in a stream; it may not end like one.
    let mut old = CompoundFile::with(&["WordDocument"]);
    old.streams[0].data = docx();
    old.streams[0].data.resize(8192, 0);
    assert_eq!(types(&old.bytes()), [Extension::Doc]);
    let both = [old.bytes(), docx()].concat();
    assert_eq!(types(&both), []);
}

fn word() -> Archive {
    Archive::with(&["[Content_Types].xml", "word/document.xml"])
}

#[test]
fn what_did_not_arrive_whole_is_refused() {
    for (name, extension, bytes) in samples() {
        // Of the last sector of a compound file it cannot be told; a PDF may lose white space.
        let spared = match extension {
            Extension::Doc | Extension::Ppt => 512,
            Extension::Pdf => 2,
            _ => 1,
        };
        for length in 0..=bytes.len() - spared {
            assert!(!is(extension, &bytes[..length]), "{name}: {length} of {}", bytes.len());
        }
    }
}
