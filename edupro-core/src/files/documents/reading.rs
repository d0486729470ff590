//! Pieces of a stranger's file. Numbers are little-endian, as in all the formats here.

use std::io::{self, Read, Seek, SeekFrom};

/// The file is not what it should be. No operating system says so, which makes it the fault of
/// the file and not of the disk.
pub(super) fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// The first bytes of a file, at most so many.
pub(super) fn head<S: Read + Seek>(source: &mut S, most: u64) -> io::Result<Vec<u8>> {
    source.rewind()?;
    piece(source, most)
}

/// The last bytes of a file, at most so many.
pub(super) fn tail<S: Read + Seek>(source: &mut S, most: u64) -> io::Result<Vec<u8>> {
    let size = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(size.saturating_sub(most)))?;
    piece(source, most)
}

fn piece<S: Read>(source: &mut S, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The record of `N` bytes at a place of a file, which the caller knows to lie in it.
pub(super) fn record<const N: usize, S: Read + Seek>(
    source: &mut S,
    at: u64,
) -> io::Result<[u8; N]> {
    source.seek(SeekFrom::Start(at))?;
    let mut record = [0; N];
    source.read_exact(&mut record)?;
    Ok(record)
}

/// The number of 16 bits at a place of a record.
pub(super) fn u16_at(record: &[u8], at: usize) -> io::Result<u16> {
    array(record, at).map(u16::from_le_bytes)
}

/// The number of 32 bits at a place of a record.
pub(super) fn u32_at(record: &[u8], at: usize) -> io::Result<u32> {
    array(record, at).map(u32::from_le_bytes)
}

/// The number of 64 bits at a place of a record.
pub(super) fn u64_at(record: &[u8], at: usize) -> io::Result<u64> {
    array(record, at).map(u64::from_le_bytes)
}

fn array<const N: usize>(record: &[u8], at: usize) -> io::Result<[u8; N]> {
    record.get(at..).and_then(<[u8]>::first_chunk).copied().ok_or_else(malformed)
}
