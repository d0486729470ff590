//! AVI: chunks in lists (RIFF), with an addition for files over a gigabyte.
//!
//! ```text
//! RIFF 'AVI '
//!   LIST hdrl
//!     avih            microseconds in a frame, frames of the first gigabyte
//!     LIST strl
//!       strh          scale, rate and length of a stream
//!     LIST odml
//!       dmlh          frames of the whole file
//!   LIST movi         the data
//! ```

use std::{
    io::{Read, Seek},
    ops::Range,
    time::Duration,
};

use super::{
    bounded::{Bounded, array},
    plausible, time,
};

/// How many bytes of the file stand before its first chunk: `RIFF`, a size, `AVI `.
const HEADER: u64 = 12;

/// Whether the file begins like an AVI file.
pub(super) fn recognises<S: Read + Seek>(source: &mut Bounded<'_, S>) -> bool {
    let place = source.all();
    let mut buffer = [0; 12];
    source
        .read(&place, &mut buffer)
        .is_some_and(|head| head.starts_with(b"RIFF") && head.ends_with(b"AVI "))
}

pub(super) fn duration<S: Read + Seek>(source: &mut Bounded<'_, S>) -> Option<Duration> {
    let file = HEADER..source.all().end;
    let hdrl = list(source, &file, *b"hdrl")?;
    main_header(source, &hdrl).or_else(|| longest_stream(source, &hdrl))
}

/// The frames of the file, as long as the main header says that a frame lasts.
fn main_header<S: Read + Seek>(source: &mut Bounded<'_, S>, hdrl: &Range<u64>) -> Option<Duration> {
    let avih = chunk(source, hdrl, *b"avih")?;
    let mut buffer = [0; 20];
    let avih = source.read(&avih, &mut buffer)?;
    let microseconds = u32::from_le_bytes(array(avih, 0)?);
    let frames = u32::from_le_bytes(array(avih, 16)?);
    // The first gigabyte's frames are a part of the file's.
    let frames = frames.max(frames_of_the_file(source, hdrl).unwrap_or(0));
    plausible(Duration::from_micros(u64::from(microseconds).checked_mul(frames.into())?))
}

fn frames_of_the_file<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    hdrl: &Range<u64>,
) -> Option<u32> {
    let odml = list(source, hdrl, *b"odml")?;
    let dmlh = chunk(source, &odml, *b"dmlh")?;
    let mut buffer = [0; 4];
    array(source.read(&dmlh, &mut buffer)?, 0).map(u32::from_le_bytes)
}

/// The longest of the video streams, each with a clock of its own.
fn longest_stream<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    hdrl: &Range<u64>,
) -> Option<Duration> {
    let mut longest = None;
    let mut chunks = Chunks(hdrl.clone());
    while let Some(Chunk { list, content, .. }) = chunks.next(source) {
        if list == Some(*b"strl") {
            longest = longest.max(stream(source, &content));
        }
    }
    longest
}

fn stream<S: Read + Seek>(source: &mut Bounded<'_, S>, strl: &Range<u64>) -> Option<Duration> {
    let header = chunk(source, strl, *b"strh")?;
    let mut buffer = [0; 36];
    let header = source.read(&header, &mut buffer)?;
    if !header.starts_with(b"vids") {
        return None;
    }
    let scale = u32::from_le_bytes(array(header, 20)?);
    let rate = u32::from_le_bytes(array(header, 24)?);
    let length = u32::from_le_bytes(array(header, 32)?);
    plausible(time(u64::from(length).checked_mul(scale.into())?, rate)?)
}

/// The content of the first chunk of that name.
fn chunk<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    parent: &Range<u64>,
    wanted: [u8; 4],
) -> Option<Range<u64>> {
    let mut chunks = Chunks(parent.clone());
    loop {
        let Chunk { name, content, .. } = chunks.next(source)?;
        if name == wanted {
            return Some(content);
        }
    }
}

/// The chunks in the first list of that name.
fn list<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    parent: &Range<u64>,
    wanted: [u8; 4],
) -> Option<Range<u64>> {
    let mut chunks = Chunks(parent.clone());
    loop {
        let Chunk { list, content, .. } = chunks.next(source)?;
        if list == Some(wanted) {
            return Some(content);
        }
    }
}

struct Chunk {
    name: [u8; 4],
    /// The name of a list, which has chunks in it.
    list: Option<[u8; 4]>,
    content: Range<u64>,
}

/// The chunks of a place, one after the other. One that would be longer than the place is cut to
/// it.
struct Chunks(Range<u64>);

impl Chunks {
    fn next<S: Read + Seek>(&mut self, source: &mut Bounded<'_, S>) -> Option<Chunk> {
        let mut buffer = [0; 12];
        let header = source.element(&self.0, &mut buffer)?;
        let name = array(header, 0)?;
        let size = u64::from(u32::from_le_bytes(array(header, 4)?));
        let list = (name == *b"LIST" && size >= 4).then(|| array(header, 8)).flatten();
        let length = if list.is_some() { 12 } else { 8 };
        let Range { start, end } = self.0;
        let content = start.checked_add(length)?..start.saturating_add(8 + size).min(end);
        // Chunks begin at even places.
        self.0.start = content.end.saturating_add(size % 2).min(end);
        Some(Chunk { name, list, content })
    }
}
