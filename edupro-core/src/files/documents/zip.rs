//! The directory of a ZIP archive (APPNOTE.TXT 4.3), read within bounds. Nothing is unpacked.
//!
//! ```text
//! local header, data …    of each entry
//! directory               a record for each entry
//! end                     where the directory is; a comment
//! ```
//!
//! Archives are read from their end, so most readers overlook what stands in front of one or
//! behind it, and the two can be different files for different programs. Here an archive begins
//! with the file's first byte and ends with its last one.
//!
//! The larger numbers of ZIP64 stand outside the records read here, which then hold the largest
//! number there is: far beyond every bound.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::reading::{malformed, record, tail, u16_at, u32_at};

/// How many entries an archive may have (security R22).
const ENTRIES: u16 = 5_000;

/// How large all entries together may be once unpacked, as the directory says: 500 MiB (security
/// R22).
const UNPACKED: u64 = 500 * 1024 * 1024;

/// The largest directory, in bytes: 4 MiB. With the most entries that is 838 bytes for each.
const DIRECTORY: u32 = 4 * 1024 * 1024;

/// The longest name of an entry, in bytes.
const NAME: usize = 1024;

/// The pieces in which the directory is read, in bytes.
const CHUNK: usize = 64 * 1024;

/// The size of the end, in bytes, and of the longest comment it can have.
const END: usize = 22;
const COMMENT: u64 = 65_535;

/// Flags of entries that are encrypted, or whose sizes are.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;

/// The two methods that documents may use (ECMA-376 part 2, annex C).
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// Shows `visit` the name of each entry, in the directory's order.
pub(super) fn names<S: Read + Seek>(
    source: &mut S,
    mut visit: impl FnMut(&[u8]),
) -> io::Result<()> {
    let end = End::find(source)?.ok_or_else(malformed)?;
    if end.entries > ENTRIES || end.directory_size > DIRECTORY || !end.follows_directory() {
        return Err(malformed());
    }
    if record(source, 0)? != *b"PK\x03\x04" {
        return Err(malformed());
    }
    source.seek(SeekFrom::Start(end.directory_at.into()))?;
    let mut directory = BufReader::with_capacity(CHUNK, source).take(end.directory_size.into());
    let (mut packed, mut unpacked, mut first) = (0, 0, u32::MAX);
    for _ in 0..end.entries {
        let mut name = [0; NAME];
        let (entry, name) = Entry::read(&mut directory, &mut name)?;
        first = first.min(entry.at);
        packed += entry.packed;
        unpacked += entry.unpacked;
        if u64::from(entry.at) + entry.packed > end.directory_at.into() || unpacked > UNPACKED {
            return Err(malformed());
        }
        visit(name);
    }
    // Entries that together are larger than their place lie one upon another.
    if first != 0 || packed > end.directory_at.into() || directory.limit() != 0 {
        return Err(malformed());
    }
    Ok(())
}

/// Whether the file ends like an archive, and would be read as one by many programs.
pub(super) fn is_at_end<S: Read + Seek>(source: &mut S) -> io::Result<bool> {
    Ok(End::find(source)?.is_some())
}

/// The end of an archive.
struct End {
    at: u64,
    entries: u16,
    directory_at: u32,
    directory_size: u32,
}

impl End {
    /// The last record that ends, with its comment, where the file does.
    fn find<S: Read + Seek>(source: &mut S) -> io::Result<Option<Self>> {
        let tail = tail(source, END as u64 + COMMENT)?;
        let size = source.stream_position()?;
        let mut places = tail.windows(END).rev().zip(0..=u16::MAX);
        let Some((record, comment)) = places.find(|(record, comment)| {
            record.starts_with(b"PK\x05\x06") && u16_at(record, 20).is_ok_and(|it| it == *comment)
        }) else {
            return Ok(None);
        };
        // An archive may be split over disks: these are the number of this one, of the one where
        // the directory begins, and how many of its records are on this one.
        let split = u16_at(record, 4)? != 0
            || u16_at(record, 6)? != 0
            || u16_at(record, 8)? != u16_at(record, 10)?;
        if split {
            return Err(malformed());
        }
        Ok(Some(Self {
            at: size - END as u64 - u64::from(comment),
            entries: u16_at(record, 10)?,
            directory_size: u32_at(record, 12)?,
            directory_at: u32_at(record, 16)?,
        }))
    }

    fn follows_directory(&self) -> bool {
        u64::from(self.directory_at) + u64::from(self.directory_size) == self.at
    }
}

/// What the directory says of an entry.
struct Entry {
    /// Where its local header begins.
    at: u32,
    /// The sizes of its data, in bytes.
    packed: u64,
    unpacked: u64,
}

impl Entry {
    fn read<'a>(
        directory: &mut impl Read,
        name: &'a mut [u8; NAME],
    ) -> io::Result<(Self, &'a [u8])> {
        let mut record = [0; 46];
        directory.read_exact(&mut record)?;
        let encrypted = u16_at(&record, 8)? & ENCRYPTED != 0;
        let unpackable = matches!(u16_at(&record, 10)?, STORED | DEFLATED);
        let on_this_disk = u16_at(&record, 34)? == 0;
        let name = name.get_mut(..u16_at(&record, 28)?.into()).ok_or_else(malformed)?;
        directory.read_exact(name)?;
        let rest = u64::from(u16_at(&record, 30)?) + u64::from(u16_at(&record, 32)?);
        let skipped = io::copy(&mut directory.take(rest), &mut io::sink())?;
        if !record.starts_with(b"PK\x01\x02")
            || encrypted
            || !unpackable
            || !on_this_disk
            || !stays_inside(name)
            || skipped != rest
        {
            return Err(malformed());
        }
        let entry = Self {
            at: u32_at(&record, 42)?,
            packed: u32_at(&record, 20)?.into(),
            unpacked: u32_at(&record, 24)?.into(),
        };
        Ok((entry, name))
    }
}

/// Whether a name stays below the directory that an archive is unpacked into, on every system.
fn stays_inside(name: &[u8]) -> bool {
    let absolute = matches!(name, [] | [b'/' | b'\\', ..] | [_, b':', ..]);
    let mut parts = name.split(|byte| matches!(byte, b'/' | b'\\'));
    !absolute && !name.contains(&0) && parts.all(|part| part != b"..")
}
