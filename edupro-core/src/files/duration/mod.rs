//! How long a video lasts, told by its container: MP4 and MOV, Matroska and `.webm`, AVI.
//!
//! Nothing is decoded. [`container`] recognises the container by the beginning of a file, and
//! [`duration`] walks from header to header until it meets the one that tells. A duration that
//! nobody tells, or that makes no sense, is `None`.
//!
//! | container | told by | otherwise |
//! |---|---|---|
//! | MP4, MOV | the movie's header | its longest track, or its last fragments |
//! | Matroska, `.webm` | the segment's information | the last cluster |
//! | AVI | the number of frames | the longest video stream |
//!
//! # Bounds
//!
//! A video is a stranger's bytes. Of each file at most 16,384 headers are visited and 16 MiB read,
//! 15 of them only in recordings that do not tell their duration. No number of the file decides
//! how much memory is asked for, how deep a call goes, or whether a walk comes to its end.
//!
//! This is our own because no crate promises that: `re_mp4` 0.5 did not come to an end with a
//! file of 702 bytes, and `matroska` 0.30 asked for petabytes of memory at one of 107.

mod avi;
mod bounded;
mod clusters;
mod fragments;
mod matroska;
mod mp4;

use std::{
    io::{Cursor, Read, Seek},
    time::Duration,
};

use self::bounded::Bounded;

/// The longest duration that is believed, 30 days. Larger numbers are damage, or malice.
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// How a video file is built, whatever is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Container {
    /// Boxes: MP4, and MOV, its elder (`.mp4`, `.mov`).
    Mp4,
    /// EBML: Matroska, and its part for browsers (`.mkv`, `.webm`).
    Matroska,
    /// RIFF: AVI (`.avi`).
    Avi,
}

/// The container of the file that begins with `head`. 64 bytes are enough for what programs
/// write, a few kilobytes for what is allowed.
#[must_use]
pub(super) fn container(head: &[u8]) -> Option<Container> {
    let mut head = Cursor::new(head);
    let mut head = Bounded::new(&mut head)?;
    if avi::recognises(&mut head) {
        Some(Container::Avi)
    } else if matroska::recognises(&mut head) {
        Some(Container::Matroska)
    } else if mp4::recognises(&mut head) {
        Some(Container::Mp4)
    } else {
        None
    }
}

/// How long the video lasts. It reads here and there, so the caller does this where a thread may
/// wait. `None` when the file does not tell, tells nonsense, or cannot be read.
#[must_use]
pub(super) fn duration<S: Read + Seek>(source: &mut S, container: Container) -> Option<Duration> {
    let mut source = Bounded::new(source)?;
    let duration = match container {
        Container::Mp4 => mp4::duration(&mut source),
        Container::Matroska => matroska::duration(&mut source),
        Container::Avi => avi::duration(&mut source),
    };
    // What a walk found that had to stop halfway is a guess.
    duration.filter(|_| !source.is_cut_short())
}

/// A number of units, of which so many make a second, as a time.
fn time(units: u64, per_second: u32) -> Option<Duration> {
    const NANOSECONDS: u64 = 1_000_000_000;
    let per_second = u64::from(per_second);
    let seconds = units.checked_div(per_second)?;
    let rest = units.checked_rem(per_second)?;
    // The rest has 32 bits, a thousand million has 30.
    let nanoseconds = rest.checked_mul(NANOSECONDS)?.checked_div(per_second)?;
    Some(Duration::new(seconds, u32::try_from(nanoseconds).ok()?))
}

/// A duration that a video can have. A file that says 0 does not know.
fn plausible(duration: Duration) -> Option<Duration> {
    (!duration.is_zero() && duration <= LONGEST).then_some(duration)
}

#[cfg(test)]
mod tests;
