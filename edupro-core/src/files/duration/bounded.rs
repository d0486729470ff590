//! A stranger's file, read in small pieces, and not for ever.

use std::{
    io::{Read, Seek, SeekFrom},
    ops::Range,
};

/// How many boxes, elements or chunks are looked at in one file. Three hours of fragmented MP4
/// with a fragment every two seconds are 5,400 fragments of two or three boxes; every other file
/// needs a few dozen, or one for each of its clusters.
pub(super) const ELEMENTS: u32 = 16_384;

/// How much is read of one file while walking from element to element, in bytes. A header takes
/// 16 of them at most; the rest is for the times of the last fragments' samples.
pub(super) const BYTES: u64 = 1024 * 1024;

/// How much is searched from the end of a recording that does not tell its duration, in bytes;
/// with [`BYTES`] it makes 16 MiB. A cluster in milliseconds spans 33 seconds, so its beginning
/// is found up to 3.8 Mbit/s, and far beyond where each key frame begins one, as in browsers.
pub(super) const TAIL: u64 = 15 * 1024 * 1024;

/// A file of which only so much is read. After the first thing that could not be read, be it for
/// the bounds or for the disk, nothing is read any more.
pub(super) struct Bounded<'a, S> {
    source: &'a mut S,
    size: u64,
    elements: u32,
    bytes: u64,
    tail: u64,
    cut_short: bool,
}

impl<'a, S: Read + Seek> Bounded<'a, S> {
    pub(super) fn new(source: &'a mut S) -> Option<Self> {
        let size = source.seek(SeekFrom::End(0)).ok()?;
        Some(Self { source, size, elements: ELEMENTS, bytes: BYTES, tail: TAIL, cut_short: false })
    }

    /// The place of the whole file.
    pub(super) fn all(&self) -> Range<u64> {
        0..self.size
    }

    /// Whether there was more to read than may be or can be. What was found until then may be
    /// only a part.
    pub(super) fn is_cut_short(&self) -> bool {
        self.cut_short
    }

    /// Reads the header of the element that `place` begins with, as [`Self::read`] does.
    pub(super) fn element<'b>(
        &mut self,
        place: &Range<u64>,
        buffer: &'b mut [u8],
    ) -> Option<&'b [u8]> {
        if place.is_empty() {
            return None;
        }
        let left = self.elements.checked_sub(1);
        self.cut_short |= left.is_none();
        self.elements = left?;
        self.read(place, buffer)
    }

    /// Reads what `place` begins with: until the buffer is full or the place ends. `None` when
    /// there is nothing, or nothing more may be read.
    pub(super) fn read<'b>(
        &mut self,
        place: &Range<u64>,
        buffer: &'b mut [u8],
    ) -> Option<&'b [u8]> {
        let buffer = self.cut(place, buffer)?;
        let left = self.bytes.checked_sub(buffer.len() as u64);
        self.cut_short |= left.is_none();
        self.bytes = left?;
        self.fill(place.start, buffer)
    }

    /// [Reads](Self::read) on the account of [`TAIL`].
    pub(super) fn read_tail<'b>(
        &mut self,
        place: &Range<u64>,
        buffer: &'b mut [u8],
    ) -> Option<&'b [u8]> {
        let buffer = self.cut(place, buffer)?;
        let left = self.tail.checked_sub(buffer.len() as u64);
        self.cut_short |= left.is_none();
        self.tail = left?;
        self.fill(place.start, buffer)
    }

    /// The part of the buffer that `place` can fill, never nothing.
    fn cut<'b>(&self, place: &Range<u64>, buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
        let length = place.end.min(self.size).checked_sub(place.start)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(buffer.len());
        buffer.get_mut(..length).filter(|buffer| !buffer.is_empty())
    }

    fn fill<'b>(&mut self, at: u64, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        if self.cut_short {
            return None;
        }
        let read =
            self.source.seek(SeekFrom::Start(at)).and_then(|_| self.source.read_exact(buffer));
        self.cut_short |= read.is_err();
        read.ok()?;
        Some(buffer)
    }
}

/// The `N` bytes at a place of `bytes`, which a number is made of.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}
