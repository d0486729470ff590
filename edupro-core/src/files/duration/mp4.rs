//! MP4 and MOV: boxes in boxes (ISO/IEC 14496-12).
//!
//! ```text
//! ftyp
//! moov                    the movie, before or behind its data
//!   mvhd                  ticks in a second, duration
//!   trak / mdia / mdhd    the same of a track
//!   mvex / mehd           there are fragments; how long they last
//! moof mdat moof mdat …   the fragments
//! ```

use std::{
    io::{Read, Seek},
    ops::Range,
    time::Duration,
};

use super::{
    bounded::{Bounded, array},
    fragments::{self, Movie},
    plausible, time,
};

/// Whether the file begins like a video: with a brand of videos, or, as MOV before there
/// were brands, with its movie or its data.
pub(super) fn recognises<S: Read + Seek>(source: &mut Bounded<'_, S>) -> bool {
    let mut boxes = Boxes(source.all());
    while let Some((name, content)) = boxes.next(source) {
        match &name {
            b"ftyp" => return is_video(source, &content),
            b"moov" | b"mdat" => return true,
            b"wide" | b"free" | b"skip" => {}
            _ => return false,
        }
    }
    false
}

/// Whether one of the brands is a video's, and none a picture's: HEIF, AVIF, and raw pictures of
/// cameras are boxes too.
fn is_video<S: Read + Seek>(source: &mut Bounded<'_, S>, brands: &Range<u64>) -> bool {
    let mut buffer = [0; 128];
    let Some(([major, _version, others @ ..], _)) =
        source.read(brands, &mut buffer).map(|brands| brands.as_chunks::<4>())
    else {
        return false;
    };
    let mut known = false;
    for brand in others.iter().chain([major]) {
        match brand {
            b"heic" | b"heix" | b"mif1" | b"mif2" | b"msf1" | b"avif" | b"avis" | b"crx " => {
                return false;
            }
            b"qt  "
            | b"mp41"
            | b"mp42"
            | b"avc1"
            | b"dash"
            | b"cmfc"
            | b"isml"
            | b"piff"
            | b"mmp4"
            | b"MSNV"
            | b"XAVC"
            | b"f4v "
            | b"F4V "
            | [b'i', b's', b'o', _]
            | [b'3', b'g', ..]
            | [b'M', b'4', b'V', _] => known = true,
            _ => {}
        }
    }
    known
}

pub(super) fn duration<S: Read + Seek>(source: &mut Bounded<'_, S>) -> Option<Duration> {
    let file = source.all();
    let moov = child(source, &file, *b"moov")?;
    let mvhd = child(source, &moov, *b"mvhd")?;
    let movie = Times::read(source, &mvhd)?;
    if let Some(mvex) = child(source, &moov, *b"mvex")
        && let Some(fragments) = fragments::find(source)
    {
        // The movie's own duration ends where the fragments begin.
        return fragments_told(source, &mvex, movie.per_second).or_else(|| {
            let has_samples_before = movie.duration.is_some();
            fragments.duration(source, &Movie { moov, mvex }, has_samples_before)
        });
    }
    movie.duration.or_else(|| longest_track(source, &moov))
}

/// What the movie says of its fragments.
fn fragments_told<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    mvex: &Range<u64>,
    per_second: u32,
) -> Option<Duration> {
    let mehd = child(source, mvex, *b"mehd")?;
    plausible(time(versioned(source, &mehd)?, per_second)?)
}

fn longest_track<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    moov: &Range<u64>,
) -> Option<Duration> {
    let mut longest = None;
    let mut boxes = Boxes(moov.clone());
    while let Some((name, trak)) = boxes.next(source) {
        if name == *b"trak" {
            longest = longest.max(media(source, &trak).and_then(|media| media.duration));
        }
    }
    longest
}

/// The times of a track's media.
pub(super) fn media<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    trak: &Range<u64>,
) -> Option<Times> {
    let mdia = child(source, trak, *b"mdia")?;
    let mdhd = child(source, &mdia, *b"mdhd")?;
    Times::read(source, &mdhd)
}

/// What the header of a movie and that of a track's media have in common.
pub(super) struct Times {
    /// How many ticks a second has, never none.
    pub(super) per_second: u32,
    duration: Option<Duration>,
}

impl Times {
    fn read<S: Read + Seek>(source: &mut Bounded<'_, S>, content: &Range<u64>) -> Option<Self> {
        let mut buffer = [0; 32];
        let header = source.read(content, &mut buffer)?;
        // Version and flags, two dates, the ticks, the duration. All ones mean that it is not
        // known; of 64 bits they are more than can be.
        let (per_second, ticks) = match header.first()? {
            0 => {
                let ticks = u32::from_be_bytes(array(header, 16)?);
                (array(header, 12)?, (ticks != u32::MAX).then_some(ticks.into()))
            }
            1 => {
                let ticks = u64::from_be_bytes(array(header, 24)?);
                (array(header, 20)?, Some(ticks))
            }
            _ => return None,
        };
        let per_second = u32::from_be_bytes(per_second);
        if per_second == 0 {
            return None;
        }
        let duration = ticks.and_then(|ticks| time(ticks, per_second)).and_then(plausible);
        Some(Self { per_second, duration })
    }
}

/// The number after version and flags, of 32 bits in version 0 and of 64 in version 1.
pub(super) fn versioned<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    content: &Range<u64>,
) -> Option<u64> {
    let mut buffer = [0; 12];
    let content = source.read(content, &mut buffer)?;
    match content.first()? {
        0 => array(content, 4).map(u32::from_be_bytes).map(u64::from),
        1 => array(content, 4).map(u64::from_be_bytes),
        _ => None,
    }
}

/// The content of the first box of that name.
pub(super) fn child<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    parent: &Range<u64>,
    wanted: [u8; 4],
) -> Option<Range<u64>> {
    let mut boxes = Boxes(parent.clone());
    loop {
        let (name, content) = boxes.next(source)?;
        if name == wanted {
            return Some(content);
        }
    }
}

/// The boxes of a place, one after the other. A box that would be longer than the place is cut
/// to it, as in a file that did not arrive whole.
pub(super) struct Boxes(pub(super) Range<u64>);

impl Boxes {
    /// The name and the content of the next box.
    pub(super) fn next<S: Read + Seek>(
        &mut self,
        source: &mut Bounded<'_, S>,
    ) -> Option<([u8; 4], Range<u64>)> {
        let mut buffer = [0; 16];
        let header = source.element(&self.0, &mut buffer)?;
        let name = array(header, 4)?;
        let Range { start, end } = self.0;
        let (length, size) = match u32::from_be_bytes(array(header, 0)?) {
            0 => (8, end.checked_sub(start)?),
            1 => (16, u64::from_be_bytes(array(header, 8)?)),
            size => (8, size.into()),
        };
        // A box that does not hold its own header would not bring the walk any further.
        size.checked_sub(length)?;
        self.0.start = start.saturating_add(size).min(end);
        Some((name, start.checked_add(length)?..self.0.start))
    }
}
