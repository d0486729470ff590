//! Matroska and `.webm`: elements in elements (RFC 8794, RFC 9559).
//!
//! ```text
//! EBML
//!   DocType           matroska or webm
//! Segment             of unknown size in what was recorded
//!   Info
//!     TimestampScale  nanoseconds in a tick
//!     Duration        in ticks
//!   Cluster …         the data; of unknown size, too
//! ```

use std::{
    io::{Read, Seek},
    ops::Range,
    time::Duration,
};

use super::{
    bounded::{Bounded, array},
    clusters, plausible,
};

/// What elements are called. The first bits of an identifier tell its length.
pub(super) mod id {
    pub(in super::super) const EBML: u32 = 0x1A45_DFA3;
    pub(in super::super) const DOC_TYPE: u32 = 0x4282;
    pub(in super::super) const VOID: u32 = 0xEC;
    pub(in super::super) const CRC_32: u32 = 0xBF;

    pub(in super::super) const SEGMENT: u32 = 0x1853_8067;
    pub(in super::super) const SEEK_HEAD: u32 = 0x114D_9B74;
    pub(in super::super) const INFO: u32 = 0x1549_A966;
    pub(in super::super) const TRACKS: u32 = 0x1654_AE6B;
    pub(in super::super) const CHAPTERS: u32 = 0x1043_A770;
    pub(in super::super) const CLUSTER: u32 = 0x1F43_B675;
    pub(in super::super) const CUES: u32 = 0x1C53_BB6B;
    pub(in super::super) const ATTACHMENTS: u32 = 0x1941_A469;
    pub(in super::super) const TAGS: u32 = 0x1254_C367;

    pub(in super::super) const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
    pub(in super::super) const DURATION: u32 = 0x4489;

    pub(in super::super) const TIMESTAMP: u32 = 0xE7;
    pub(in super::super) const POSITION: u32 = 0xA7;
    pub(in super::super) const PREVIOUS_SIZE: u32 = 0xAB;
    pub(in super::super) const SILENT_TRACKS: u32 = 0x5854;
    pub(in super::super) const ENCRYPTED_BLOCK: u32 = 0xAF;
    pub(in super::super) const SIMPLE_BLOCK: u32 = 0xA3;
    pub(in super::super) const BLOCK_GROUP: u32 = 0xA0;
    pub(in super::super) const BLOCK: u32 = 0xA1;
    pub(in super::super) const BLOCK_DURATION: u32 = 0x9B;
}

/// Whether the file begins with the head of a Matroska or `.webm` file.
pub(super) fn recognises<S: Read + Seek>(source: &mut Bounded<'_, S>) -> bool {
    let mut elements = Elements::of(source.all());
    let Some((id::EBML, head)) = elements.next(source) else { return false };
    let mut buffer = [0; 16];
    let doc_type = value(source, &head, id::DOC_TYPE)
        .and_then(|doc_type| source.read(&doc_type, &mut buffer))
        .unwrap_or_default();
    // A string may end in zeros.
    let length = doc_type.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    matches!(doc_type.get(..length), Some(b"matroska" | b"webm"))
}

pub(super) fn duration<S: Read + Seek>(source: &mut Bounded<'_, S>) -> Option<Duration> {
    let file = source.all();
    let segment = child(source, &file, id::SEGMENT)?;
    let info = child(source, &segment, id::INFO)?;
    let scale = scale(source, &info)?;
    told(source, &info, scale).or_else(|| {
        let ticks = clusters::duration(source, &segment)?;
        plausible(Duration::from_nanos(ticks.checked_mul(scale.into())?))
    })
}

/// How many nanoseconds a tick has. A tick of more than four seconds is nonsense.
fn scale<S: Read + Seek>(source: &mut Bounded<'_, S>, info: &Range<u64>) -> Option<u32> {
    const USUAL: u32 = 1_000_000;
    if child(source, info, id::TIMESTAMP_SCALE).is_none() {
        return Some(USUAL);
    }
    let scale = value(source, info, id::TIMESTAMP_SCALE)?;
    u32::try_from(number(source, &scale)?).ok()
}

/// What the file says of its duration.
fn told<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    info: &Range<u64>,
    scale: u32,
) -> Option<Duration> {
    let place = value(source, info, id::DURATION)?;
    let mut buffer = [0; 9];
    let bytes = source.read(&place, &mut buffer)?;
    let ticks = match bytes.len() {
        4 => f32::from_be_bytes(array(bytes, 0)?).into(),
        8 => f64::from_be_bytes(array(bytes, 0)?),
        _ => return None,
    };
    // Not a number, less than nothing, and more than can be are errors here.
    plausible(Duration::try_from_secs_f64(ticks * f64::from(scale) / 1e9).ok()?)
}

/// A number of up to 8 bytes.
pub(super) fn number<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    content: &Range<u64>,
) -> Option<u64> {
    let mut buffer = [0; 9];
    let bytes = source.read(content, &mut buffer)?;
    (bytes.len() <= 8).then(|| join(bytes))
}

/// The content of the first element of that name.
pub(super) fn child<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    parent: &Range<u64>,
    wanted: u32,
) -> Option<Range<u64>> {
    find(source, parent, wanted).map(|(content, _)| content)
}

/// The content of the first element of that name, if it is all there: half a number is another
/// number.
pub(super) fn value<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    parent: &Range<u64>,
    wanted: u32,
) -> Option<Range<u64>> {
    find(source, parent, wanted).filter(|(_, is_cut)| !is_cut).map(|(content, _)| content)
}

/// The content of the first element of that name, and whether it is cut.
fn find<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    parent: &Range<u64>,
    wanted: u32,
) -> Option<(Range<u64>, bool)> {
    let mut elements = Elements::of(parent.clone());
    loop {
        let (name, content) = elements.next(source)?;
        if name == wanted {
            return Some((content, elements.is_cut));
        }
    }
}

/// The elements of a place, one after the other. One of unknown size takes the rest of the place,
/// and one that would be longer is cut to it.
pub(super) struct Elements {
    /// What is left of the place.
    pub(super) rest: Range<u64>,
    /// Whether the last element was cut.
    pub(super) is_cut: bool,
}

impl Elements {
    /// The longest header, in bytes: 4 of the identifier, 8 of the size.
    pub(super) const HEADER: usize = 12;

    pub(super) const fn of(place: Range<u64>) -> Self {
        Self { rest: place, is_cut: false }
    }

    /// The identifier and the content of the next element.
    pub(super) fn next<S: Read + Seek>(
        &mut self,
        source: &mut Bounded<'_, S>,
    ) -> Option<(u32, Range<u64>)> {
        let mut buffer = [0; Self::HEADER];
        let header = source.element(&self.rest, &mut buffer)?;
        let name = variable(header, 4)?;
        let size = variable(header.get(name.len()..)?, 8)?;
        let Range { start, end } = self.rest;
        let content = start.checked_add((name.len() + size.len()) as u64)?;
        let told = without_length(size).map_or(end, |size| content.saturating_add(size));
        self.is_cut = told > end;
        self.rest.start = told.min(end);
        Some((u32::try_from(join(name)).ok()?, content..self.rest.start))
    }
}

/// The bytes of the number of variable length that `bytes` begins with: as many as its first byte
/// has zeros in front, and one.
pub(super) fn variable(bytes: &[u8], longest: usize) -> Option<&[u8]> {
    let length = bytes.first()?.leading_zeros() as usize + 1;
    bytes.get(..length).filter(|_| length <= longest)
}

/// The value of a size: without the bit that told its length. All ones mean that it is not known.
fn without_length(size: &[u8]) -> Option<u64> {
    let ones = size.iter().fold(0, |ones, _| ones << 7 | 0x7F);
    Some(join(size) & ones).filter(|value| *value != ones)
}

/// The number that up to 8 bytes are.
fn join(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
