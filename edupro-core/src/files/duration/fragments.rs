//! The fragments of an MP4 that was written while it was recorded, as browsers do.
//!
//! ```text
//! moof
//!   traf      one for each track
//!     tfhd    which track
//!     tfdt    when the fragment begins
//!     trun    its samples, and how long they last
//! ```

use std::{
    io::{Read, Seek},
    ops::Range,
    time::Duration,
};

use super::{
    bounded::{Bounded, array},
    mp4::{Boxes, child, media, versioned},
    plausible, time,
};

/// How many fragments at the end are looked at: where each track has fragments of its own, they
/// take turns.
const LAST: usize = 8;

/// The places of the fragments that tell when the movie begins and ends.
pub(super) struct Fragments {
    first: Range<u64>,
    last: [Range<u64>; LAST],
}

/// Finds the fragments of a file, if it has any.
pub(super) fn find<S: Read + Seek>(source: &mut Bounded<'_, S>) -> Option<Fragments> {
    let mut first = None;
    let mut last = [const { 0..0 }; LAST];
    let mut boxes = Boxes(source.all());
    while let Some((name, moof)) = boxes.next(source) {
        if name == *b"moof" {
            first.get_or_insert_with(|| moof.clone());
            last.rotate_left(1);
            if let Some(newest) = last.last_mut() {
                *newest = moof;
            }
        }
    }
    Some(Fragments { first: first?, last })
}

impl Fragments {
    /// From the beginning of the first fragment to the end of the last one. A movie that has
    /// samples before its fragments begins at 0.
    pub(super) fn duration<S: Read + Seek>(
        &self,
        source: &mut Bounded<'_, S>,
        movie: &Movie,
        has_samples_before: bool,
    ) -> Option<Duration> {
        let begin = if has_samples_before {
            Duration::ZERO
        } else {
            movie.span(source, &self.first)?.start
        };
        let mut end = begin;
        for moof in &self.last {
            if let Some(span) = movie.span(source, moof) {
                end = end.max(span.end);
            }
        }
        plausible(end.checked_sub(begin)?)
    }
}

/// The places of what holds for all fragments.
pub(super) struct Movie {
    /// The movie, with its tracks.
    pub(super) moov: Range<u64>,
    /// What its fragments need not repeat.
    pub(super) mvex: Range<u64>,
}

impl Movie {
    /// When a fragment begins and ends, over all tracks that tell.
    fn span<S: Read + Seek>(
        &self,
        source: &mut Bounded<'_, S>,
        moof: &Range<u64>,
    ) -> Option<Range<Duration>> {
        let mut span: Option<Range<Duration>> = None;
        let mut boxes = Boxes(moof.clone());
        while let Some((name, traf)) = boxes.next(source) {
            if name == *b"traf"
                && let Some(track) = self.track_span(source, &traf)
            {
                span = Some(match span {
                    None => track,
                    Some(span) => span.start.min(track.start)..span.end.max(track.end),
                });
            }
        }
        span
    }

    fn track_span<S: Read + Seek>(
        &self,
        source: &mut Bounded<'_, S>,
        traf: &Range<u64>,
    ) -> Option<Range<Duration>> {
        let header = Header::read(source, traf)?;
        let tfdt = child(source, traf, *b"tfdt")?;
        let start = versioned(source, &tfdt)?;
        let each = match header.each {
            Some(each) => each,
            None => self.usual_time(source, header.track).unwrap_or(0),
        };
        let mut end = start;
        let mut boxes = Boxes(traf.clone());
        while let Some((name, trun)) = boxes.next(source) {
            if name == *b"trun" {
                end = end.checked_add(run(source, &trun, each)?)?;
            }
        }
        let per_second = self.per_second(source, header.track)?;
        Some(time(start, per_second)?..time(end, per_second)?)
    }

    /// How many ticks of a track a second has.
    fn per_second<S: Read + Seek>(&self, source: &mut Bounded<'_, S>, wanted: u32) -> Option<u32> {
        let mut boxes = Boxes(self.moov.clone());
        loop {
            let (name, content) = boxes.next(source)?;
            if name == *b"trak" && track(source, &content) == Some(wanted) {
                return Some(media(source, &content)?.per_second);
            }
        }
    }

    /// How many ticks a sample of the track lasts unless its fragment says otherwise.
    fn usual_time<S: Read + Seek>(&self, source: &mut Bounded<'_, S>, wanted: u32) -> Option<u32> {
        let mut boxes = Boxes(self.mvex.clone());
        loop {
            let (name, content) = boxes.next(source)?;
            // Version and flags, track, description, time.
            let mut buffer = [0; 16];
            if name == *b"trex"
                && let Some(usual) = source.read(&content, &mut buffer)
                && array(usual, 4).map(u32::from_be_bytes) == Some(wanted)
            {
                return array(usual, 12).map(u32::from_be_bytes);
            }
        }
    }
}

/// The number of a track.
fn track<S: Read + Seek>(source: &mut Bounded<'_, S>, trak: &Range<u64>) -> Option<u32> {
    let tkhd = child(source, trak, *b"tkhd")?;
    let mut buffer = [0; 24];
    let tkhd = source.read(&tkhd, &mut buffer)?;
    // Version and flags, two dates, the number.
    let at = if *tkhd.first()? == 0 { 12 } else { 20 };
    array(tkhd, at).map(u32::from_be_bytes)
}

/// The header of a track's part of a fragment.
struct Header {
    track: u32,
    /// How many ticks each of its samples lasts, if all last the same.
    each: Option<u32>,
}

impl Header {
    fn read<S: Read + Seek>(source: &mut Bounded<'_, S>, traf: &Range<u64>) -> Option<Self> {
        const HAS_OFFSET: u32 = 0x1;
        const HAS_DESCRIPTION: u32 = 0x2;
        const HAS_TIME: u32 = 0x8;
        let tfhd = child(source, traf, *b"tfhd")?;
        let mut buffer = [0; 24];
        let tfhd = source.read(&tfhd, &mut buffer)?;
        let flags = u32::from_be_bytes(array(tfhd, 0)?);
        let track = u32::from_be_bytes(array(tfhd, 4)?);
        let offset = if flags & HAS_OFFSET == 0 { 0 } else { 8 };
        let description = if flags & HAS_DESCRIPTION == 0 { 0 } else { 4 };
        let each = if flags & HAS_TIME == 0 {
            None
        } else {
            Some(u32::from_be_bytes(array(tfhd, 8 + offset + description)?))
        };
        Some(Self { track, each })
    }
}

/// How many ticks a run of samples lasts, where a sample that does not tell lasts `each`.
fn run<S: Read + Seek>(source: &mut Bounded<'_, S>, trun: &Range<u64>, each: u32) -> Option<u64> {
    const HAS_OFFSET: u32 = 0x1;
    const HAS_FIRST_FLAGS: u32 = 0x4;
    const HAS_TIME: u32 = 0x100;
    /// A number each: time, size, flags, and what lies between decoding and showing.
    const OF_A_SAMPLE: u32 = 0xF00;
    /// A whole number of samples, of whatever size.
    const PIECE: usize = 960;
    let mut buffer = [0; 8];
    let header = source.read(trun, &mut buffer)?;
    let flags = u32::from_be_bytes(array(header, 0)?);
    let samples = u64::from(u32::from_be_bytes(array(header, 4)?));
    if flags & HAS_TIME == 0 {
        return samples.checked_mul(each.into());
    }

    let optional = (flags & (HAS_OFFSET | HAS_FIRST_FLAGS)).count_ones();
    let numbers = (flags & OF_A_SAMPLE).count_ones();
    let start = trun.start.checked_add(8)?.checked_add(u64::from(optional) * 4)?;
    let end = start.checked_add(samples.checked_mul(u64::from(numbers) * 4)?)?;
    if end > trun.end {
        return None;
    }
    let mut ticks = 0_u64;
    let mut rest = start..end;
    let mut buffer = [0; PIECE];
    while !rest.is_empty() {
        let piece = source.read(&rest, &mut buffer)?;
        for sample in piece.chunks_exact(numbers as usize * 4) {
            ticks = ticks.checked_add(u32::from_be_bytes(array(sample, 0)?).into())?;
        }
        rest.start = rest.start.checked_add(PIECE as u64)?;
    }
    Some(ticks)
}
