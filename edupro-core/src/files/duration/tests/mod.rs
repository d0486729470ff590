//! Videos built by hand: headers without a picture in them.

mod avi;
mod fragments;
mod hostile;
mod matroska;
mod mp4;

use std::io::{self, Read, Seek, SeekFrom};

use super::{
    bounded::{BYTES, ELEMENTS, TAIL},
    *,
};

/// A file that counts what is read of it. Between its pieces there are zeros.
struct Disk {
    pieces: Vec<(u64, Vec<u8>)>,
    size: u64,
    position: u64,
    /// How many bytes were read, and how many times.
    read: (u64, u32),
    /// How many times it can be read.
    lasts: u32,
}

impl Disk {
    fn new(file: &[u8]) -> Self {
        Self::sparse(vec![(0, file.to_vec())])
    }

    /// A file of pieces, each with its place.
    fn sparse(pieces: Vec<(u64, Vec<u8>)>) -> Self {
        let ends = pieces.iter().map(|(at, piece)| at + piece.len() as u64);
        let size = ends.max().unwrap_or_default();
        Self { pieces, size, position: 0, read: (0, 0), lasts: u32::MAX }
    }

    /// What the file tells, and that it is read within the bounds.
    fn duration(&mut self, container: Container) -> Option<Duration> {
        let duration = duration(self, container);
        let (bytes, times) = self.read;
        let tail = if container == Container::Matroska { TAIL } else { 0 };
        assert!(bytes <= BYTES + tail, "{bytes} bytes were read");
        assert!(times <= 2 * ELEMENTS + 2_000, "{times} times was read");
        if let Some(duration) = duration {
            assert!(!duration.is_zero() && duration <= LONGEST, "{duration:?}");
        }
        duration
    }
}

impl Read for Disk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read.1 >= self.lasts {
            return Err(io::ErrorKind::Other.into());
        }
        let left = usize::try_from(self.size.saturating_sub(self.position)).unwrap();
        let length = buffer.len().min(left);
        let buffer = &mut buffer[..length];
        buffer.fill(0);
        for (at, piece) in &self.pieces {
            let skip = usize::try_from(at.saturating_sub(self.position)).unwrap();
            let from = usize::try_from(self.position.saturating_sub(*at)).unwrap();
            if skip < length && from < piece.len() {
                let piece = &piece[from..];
                let copied = piece.len().min(length - skip);
                buffer[skip..skip + copied].copy_from_slice(&piece[..copied]);
            }
        }
        self.position += length as u64;
        self.read = (self.read.0 + length as u64, self.read.1 + 1);
        Ok(length)
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::End(0) => self.size,
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(self.position)
    }
}

/// The milliseconds that a file tells.
fn milliseconds(file: &[u8], container: Container) -> Option<u128> {
    Disk::new(file).duration(container).map(|duration| duration.as_millis())
}

#[test]
fn containers_are_recognised_by_the_beginning() {
    let mp4 = mp4::ftyp("isom", &["iso2", "avc1", "mp41"]);
    let others: [(&[u8], Option<Container>); 11] = [
        (&mp4, Some(Container::Mp4)),
        (&mp4::ftyp("qt  ", &[]), Some(Container::Mp4)),
        (&mp4::ftyp("ABCD", &["3gp5"]), Some(Container::Mp4)),
        (&mp4::ftyp("ABCD", &["EFGH"]), None),
        (&mp4::ftyp("heic", &["mif1", "heic"]), None),
        (&mp4::ftyp("ABCD", &["isom", "mif1"]), None),
        (&mp4::ftyp("avif", &["avif", "iso8"]), None),
        (&[], None),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", None),
        (b"<html><script>ftypisom moov</script></html>", None),
        (b"RIFF\x24\0\0\0WEBPVP8 ", None),
    ];
    for (head, expected) in others {
        assert_eq!(container(head), expected, "{}", head.escape_ascii());
    }
}

#[test]
fn mov_without_brands_is_recognised() {
    for (head, expected) in [
        (&b"\0\0\0\x08wide\0\x10\0\0mdat...."[..], true),
        (b"\0\0\x01\0moov\0\0\0\x6cmvhd", true),
        (b"\0\0\0\x0cfree1234\0\0\0\x08skip\0\0\0\x01mdat\0\0\0\0\0\x10\0\0", true),
        (b"\0\0\0\x08wide", false),
        (b"\0\0\0\x08wide\0\0\0\x08pict", false),
        (b"\0\0\0\x07mdat", false),
        (b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0f", false),
        (b"\0\0\0\x01mdat\0\0\0", false),
    ] {
        let recognised = container(head) == Some(Container::Mp4);
        assert_eq!(recognised, expected, "{}", head.escape_ascii());
    }
}

#[test]
fn matroska_is_recognised_by_its_doc_type() {
    for (doc_type, expected) in [
        (&b"matroska"[..], Some(Container::Matroska)),
        (b"webm", Some(Container::Matroska)),
        (b"webm\0\0", Some(Container::Matroska)),
        (b"webmatroska", None),
        (b"docuseal", None),
        (b"", None),
        (b"\0\0", None),
        (b"matroska and much more than anybody reads", None),
    ] {
        let head = matroska::head(doc_type);
        assert_eq!(container(&head), expected, "{}", doc_type.escape_ascii());
        // As much of it as there is.
        let begun = container(&head[..head.len() - 1]);
        assert!(begun.is_none() || begun == expected);
    }
}

#[test]
fn avi_is_recognised_by_its_form() {
    assert_eq!(container(b"RIFF\0\0\0\0AVI LIST"), Some(Container::Avi));
    assert_eq!(container(b"RIFF\0\0\0\0AVI "), Some(Container::Avi));
    assert_eq!(container(b"RIFF\0\0\0\0AVI"), None);
    assert_eq!(container(b"RIFF\0\0\0\0AVIX"), None);
    assert_eq!(container(b"RIFX\0\0\0\0AVI "), None);
}

#[test]
fn a_disk_that_fails_halfway_tells_the_truth_or_nothing() {
    for (kind, file) in hostile::files() {
        let mut disk = Disk::new(&file);
        let whole = disk.duration(kind);
        let times = disk.read.1;
        for lasts in 0..times {
            let mut disk = Disk { lasts, ..Disk::new(&file) };
            assert_eq!(disk.duration(kind), None, "{kind:?} after {lasts} of {times} times");
        }
        assert_eq!(Disk { lasts: times, ..Disk::new(&file) }.duration(kind), whole);
    }
}

#[test]
fn what_is_no_video_tells_nothing() {
    for kind in [Container::Mp4, Container::Matroska, Container::Avi] {
        assert_eq!(milliseconds(&[], kind), None);
        assert_eq!(milliseconds(&[0; 1_000], kind), None);
        assert_eq!(milliseconds(&[0xFF; 1_000], kind), None);
    }
}

#[test]
fn times_are_exact() {
    assert_eq!(time(1, 0), None);
    assert_eq!(time(0, 1), Some(Duration::ZERO));
    assert_eq!(time(1_001, 30_000), Some(Duration::from_nanos(33_366_666)));
    let most = time(u64::MAX, u32::MAX).unwrap();
    assert_eq!(most.as_secs(), u64::MAX / u64::from(u32::MAX));
    assert_eq!(time(u64::MAX, 1), Some(Duration::from_secs(u64::MAX)));
}
