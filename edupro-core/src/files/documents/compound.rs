//! Compound files, the small file systems of documents before 2007 (MS-CFB), read within bounds.
//!
//! ```text
//! header      the size of a sector, where the table and the directory are
//! sectors     of the table: which sector follows which
//!             of the directory: entries, linked into a tree for each storage
//!             of streams
//! ```
//!
//! In memory are the table, 4 bytes for each sector that the file really has, which is 400 KiB
//! for the largest document, and where the directory is. This is our own because the crate for it
//! keeps the whole directory: 96 MiB for a hostile document of 50.

use std::{
    io::{self, Read, Seek, SeekFrom},
    iter,
};

use super::reading::{head, malformed, record, u16_at, u32_at, u64_at};

/// The size of the header, in bytes, whatever the sectors have.
const HEADER: u64 = 512;

/// The largest directory, in bytes: 4 MiB, which is 32,768 entries.
const DIRECTORY: u32 = 4 * 1024 * 1024;

/// How many entries of the root are looked at. Word and PowerPoint write a dozen: what is
/// embedded in a document is in storages of its own.
const ROOT_ENTRIES: u32 = 4_096;

/// The size of an entry, in bytes.
const ENTRY: u64 = 128;

/// Streams smaller than this are kept together, in sectors of another kind, in bytes.
const SMALL: u64 = 4_096;

/// Numbers that stand in place of a sector or an entry.
const END_OF_CHAIN: u32 = 0xFFFF_FFFE;
const NONE: u32 = 0xFFFF_FFFF;

/// What an entry is.
const STREAM: u8 = 2;
const ROOT: u8 = 5;

/// A compound file.
pub(super) struct Compound<'a, S> {
    source: &'a mut S,
    /// The size of a sector, in bytes.
    sector: u64,
    /// How many sectors there are; the last may be incomplete.
    sectors: u32,
    /// The sector that follows each sector.
    table: Vec<u32>,
    /// The sectors of the directory.
    directory: Vec<u32>,
    /// Only the low half of a stream's size counts in version 3.
    short_sizes: bool,
}

impl<'a, S: Read + Seek> Compound<'a, S> {
    pub(super) fn open(source: &'a mut S) -> io::Result<Self> {
        let size = source.seek(SeekFrom::End(0))?;
        let header = head(source, HEADER)?;
        let little_endian = u16_at(&header, 28)? == 0xFFFE;
        if !header.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") || !little_endian {
            return Err(malformed());
        }
        let (sector, short_sizes) = match (u16_at(&header, 26)?, u16_at(&header, 30)?) {
            (3, 9) => (512, true),
            (4, 12) => (4096, false),
            _ => return Err(malformed()),
        };
        // The header takes the place of a sector.
        let sectors = size.div_ceil(sector).saturating_sub(1);
        let sectors = u32::try_from(sectors).map_err(|_| malformed())?;
        let (table, directory) = (Vec::new(), Vec::new());
        let mut file = Self { source, sector, sectors, table, directory, short_sizes };
        file.read_table(&header)?;
        let most = DIRECTORY / u32::try_from(sector).map_err(|_| malformed())?;
        file.directory = file.chain(u32_at(&header, 48)?, most).collect::<io::Result<_>>()?;
        Ok(file)
    }

    /// Reads the table, sector by sector. The header lists the first 109 of these, and tells where
    /// the list goes on.
    fn read_table(&mut self, header: &[u8]) -> io::Result<()> {
        let size = usize::try_from(self.sectors).map_err(|_| malformed())?;
        self.table.reserve_exact(size);
        let mut list = numbers(header.get(76..).unwrap_or_default());
        let mut next = u32_at(header, 68)?;
        // Each round has to make the table larger.
        while list.first().is_some_and(|sector| *sector != NONE) {
            for sector in list {
                if sector == NONE {
                    break;
                }
                let mut piece = numbers(&self.read_sector(sector)?);
                let behind = piece.split_off(piece.len().min(size - self.table.len()));
                self.table.extend(piece);
                if self.table.len() == size {
                    return if behind.into_iter().all(is_unused) {
                        Ok(())
                    } else {
                        Err(malformed())
                    };
                }
            }
            if matches!(next, NONE | END_OF_CHAIN) {
                break;
            }
            list = numbers(&self.read_sector(next)?);
            next = list.pop().unwrap_or(NONE);
        }
        Ok(())
    }

    /// Whether the root has a stream of that name, with something in it. It is an error if that
    /// stream is not there as a whole.
    pub(super) fn has_stream(&mut self, name: &str) -> io::Result<bool> {
        let root = self.entry(0)?;
        if root.kind != ROOT {
            return Err(malformed());
        }
        // The tree is not trusted to be in order, nor to be a tree.
        let mut waiting = vec![root.child];
        let mut left = ROOT_ENTRIES;
        while let Some(number) = waiting.pop() {
            if number == NONE {
                continue;
            }
            left = left.checked_sub(1).ok_or_else(malformed)?;
            let entry = self.entry(number)?;
            if entry.kind == STREAM && entry.is_called(name) {
                self.check_whole(&entry)?;
                return Ok(entry.size > 0);
            }
            waiting.extend([entry.left, entry.right]);
        }
        Ok(false)
    }

    fn check_whole(&self, stream: &Entry) -> io::Result<()> {
        if stream.size < SMALL {
            return Ok(());
        }
        let mut sectors = 0;
        for sector in self.chain(stream.start, self.sectors) {
            sector?;
            sectors += 1;
        }
        if sectors < stream.size.div_ceil(self.sector) { Err(malformed()) } else { Ok(()) }
    }

    /// The sectors that follow one another from `start`, no more than `most`: a longer chain may
    /// well be a ring. Nothing follows an error.
    fn chain(&self, start: u32, most: u32) -> impl Iterator<Item = io::Result<u32>> {
        let mut next = Some(start).filter(|start| *start != END_OF_CHAIN);
        let mut left = most;
        iter::from_fn(move || {
            let sector = next.take()?;
            let behind = usize::try_from(sector).ok().and_then(|sector| self.table.get(sector));
            let (Some(behind), Some(rest)) = (behind, left.checked_sub(1)) else {
                return Some(Err(malformed()));
            };
            next = Some(*behind).filter(|behind| *behind != END_OF_CHAIN);
            left = rest;
            Some(Ok(sector))
        })
    }

    /// Reads an entry of the directory.
    fn entry(&mut self, number: u32) -> io::Result<Entry> {
        let at = u64::from(number) * ENTRY;
        let sector = usize::try_from(at / self.sector).ok().and_then(|at| self.directory.get(at));
        let sector = self.place(*sector.ok_or_else(malformed)?)?;
        let record = record::<128, S>(self.source, sector + at % self.sector)?;
        Entry::read(&record, self.short_sizes)
    }

    fn read_sector(&mut self, sector: u32) -> io::Result<Vec<u8>> {
        let at = self.place(sector)?;
        self.source.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        self.source.take(self.sector).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < self.sector { Err(malformed()) } else { Ok(bytes) }
    }

    /// Where a sector begins.
    fn place(&self, sector: u32) -> io::Result<u64> {
        if sector >= self.sectors {
            return Err(malformed());
        }
        Ok((u64::from(sector) + 1) * self.sector)
    }
}

/// An entry of the directory.
struct Entry {
    /// In UTF-16, with its end.
    name: [u8; 64],
    name_size: u16,
    kind: u8,
    left: u32,
    right: u32,
    child: u32,
    start: u32,
    size: u64,
}

impl Entry {
    fn read(record: &[u8; 128], short_sizes: bool) -> io::Result<Self> {
        let size = u64_at(record, 120)?;
        Ok(Self {
            name: *record.first_chunk().ok_or_else(malformed)?,
            name_size: u16_at(record, 64)?,
            kind: record[66],
            left: u32_at(record, 68)?,
            right: u32_at(record, 72)?,
            child: u32_at(record, 76)?,
            start: u32_at(record, 116)?,
            size: if short_sizes { size & u64::from(u32::MAX) } else { size },
        })
    }

    fn is_called(&self, name: &str) -> bool {
        let mut wanted = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes);
        let found = self.name.get(..self.name_size.into()).unwrap_or_default();
        found.iter().all(|byte| wanted.next() == Some(*byte)) && wanted.next().is_none()
    }
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().copied().map(u32::from_le_bytes).collect()
}

/// Whether an entry of the table stands for no sector. Behind the last sector it should be
/// [`NONE`], but there are programs that leave zeros there, or marks of the table's own sectors.
fn is_unused(next: u32) -> bool {
    matches!(next, NONE | 0 | 0xFFFF_FFFC | 0xFFFF_FFFD)
}
