//! What the beginning of a video says about its type, beyond its container.

use super::{Extension, duration::Container};

/// Whether a video in that container, which begins with `head`, may be called by that type.
pub(super) fn is_video(claimed: Extension, container: Container, head: &[u8]) -> bool {
    match (claimed, container) {
        (Extension::Avi, Container::Avi) => true,
        (Extension::Mkv, Container::Matroska) => doc_type(head) == Some(b"matroska"),
        (Extension::Webm, Container::Matroska) => doc_type(head) == Some(b"webm"),
        (Extension::Mp4, Container::Mp4) => brands(head)
            .is_some_and(|brands| brands.first().is_some_and(|brand| brand != QUICKTIME)),
        (Extension::Mov, Container::Mp4) => {
            brands(head).is_some_and(|brands| brands.is_empty() || brands.contains(QUICKTIME))
        }
        _ => false,
    }
}

/// The brand of MOV.
const QUICKTIME: &[u8; 4] = b"qt  ";

/// The brands of an MP4 or MOV file, the most important one first (ISO/IEC 14496-12, 4.3). MOV
/// had none before they were invented. `None` when neither can be told.
fn brands(head: &[u8]) -> Option<Vec<[u8; 4]>> {
    let mut rest = head;
    loop {
        let [size, name] = rest.as_chunks::<4>().0.first_chunk()?;
        let size = usize::try_from(u32::from_be_bytes(*size)).ok()?;
        match name {
            b"ftyp" => {
                let content = rest.get(8..size.min(rest.len()))?;
                let [major, _version, others @ ..] = content.as_chunks().0 else { return None };
                return Some([&[*major], others].concat());
            }
            b"moov" | b"mdat" => return Some(Vec::new()),
            // What does not hold its own header would not bring this any further.
            b"wide" | b"free" | b"skip" if size >= 8 => rest = rest.get(size..)?,
            _ => return None,
        }
    }
}

/// The type that a Matroska file's header gives (RFC 8794, 11.2.4).
fn doc_type(head: &[u8]) -> Option<&[u8]> {
    let mut rest = head.strip_prefix(b"\x1A\x45\xDF\xA3")?;
    let header;
    (header, _) = content(rest)?;
    rest = header;
    loop {
        let (name, behind) = number(rest)?;
        let (value, behind) = content(behind)?;
        if name == b"\x42\x82" {
            let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
            return value.get(..end);
        }
        rest = behind;
    }
}

/// The content of an element whose name has been read, and what follows it.
fn content(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, rest) = number(bytes)?;
    let mask = (1_u64 << (7 * size.len())) - 1;
    let size = size.iter().fold(0, |size, byte| size << 8 | u64::from(*byte)) & mask;
    Some(rest.split_at(usize::try_from(size).unwrap_or(usize::MAX).min(rest.len())))
}

/// The bytes of a number, or of a name: the zeros that they begin with tell how many. And what
/// follows.
fn number(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = bytes.first()?.leading_zeros() + 1;
    if length > 8 { None } else { bytes.split_at_checked(usize::try_from(length).ok()?) }
}
