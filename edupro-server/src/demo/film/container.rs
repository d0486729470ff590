//! The MP4 file around the pictures: boxes in boxes (ISO/IEC 14496-12 and, for H.264, -15).
//!
//! ```text
//! ftyp                        which kinds of player this is for
//! moov                        the movie
//!   mvhd                      how long it is
//!   trak                      its only track
//!     tkhd                    how large it is shown
//!     mdia
//!       mdhd hdlr             how long it is; that it is to be seen
//!       minf
//!         vmhd dinf/dref      that it is to be seen; that the data are in this file
//!         stbl                its samples, which are our pictures:
//!           stsd/avc1/avcC    what decodes them
//!           stts stsc         how long each is shown; all are in one piece
//!           stsz stco         how large each is; where the piece begins
//! mdat                        the pictures
//! ```
//!
//! The movie stands before its data, so that a player knows all once it has read the beginning.

use super::{HEIGHT, WIDTH, stream};

/// Ticks in a second.
const TIMESCALE: u32 = 1_000;
/// 1 as a number with 16 bits behind the point.
const ONE: u32 = 1 << 16;
/// The matrix that turns nothing.
const MATRIX: [u32; 9] = [ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30];
/// The language "undetermined", three letters of five bits.
const LANGUAGE: u32 = 0x55C4;
/// Which kinds of player: the ISO's files, and such with H.264 in them.
const BRANDS: &[u8; 20] = b"isom\0\0\x02\0isomavc1mp41";

/// The file, with one second for each picture.
pub(super) fn mp4(pictures: &[Vec<u8>]) -> Vec<u8> {
    let samples: Vec<_> =
        pictures.iter().map(|picture| [&number(picture.len())[..], picture].concat()).collect();
    let sizes: Vec<_> = samples.iter().map(Vec::len).collect();
    let ftyp = boxed("ftyp", &[BRANDS]);
    let mdat = boxed("mdat", &[&samples.concat()]);
    // Where the data begin depends on the size of what says so, and that only on how much it says.
    let start = ftyp.len() + movie(&sizes, 0).len() + HEADER;
    [ftyp, movie(&sizes, start), mdat].concat()
}

/// The size of a box's own header, in bytes.
const HEADER: usize = 8;

fn movie(sizes: &[usize], start: usize) -> Vec<u8> {
    let ticks = u32_of(sizes.len()) * TIMESCALE;
    let mvhd = full(
        "mvhd",
        0,
        &[
            &numbers(&[0, 0, TIMESCALE, ticks, ONE]), // made, changed, duration, speed
            &[1, 0],                                  // volume
            &[0; 10],
            &numbers(&MATRIX),
            &[0; 24],
            &number(2), // the next track's number
        ],
    );
    boxed("moov", &[&mvhd, &track(sizes, start, ticks)])
}

fn track(sizes: &[usize], start: usize, ticks: u32) -> Vec<u8> {
    let tkhd = full(
        "tkhd",
        0b11,
        &[
            &numbers(&[0, 0, 1, 0, ticks]), // made, changed, track 1, duration
            &[0; 16],                       // layer, group and volume
            &numbers(&MATRIX),
            &numbers(&[u32::from(WIDTH) * ONE, u32::from(HEIGHT) * ONE]),
        ],
    );
    let mdhd = full("mdhd", 0, &[&numbers(&[0, 0, TIMESCALE, ticks, LANGUAGE * ONE])]);
    let hdlr = full("hdlr", 0, &[&[0; 4], b"vide", &[0; 12], b"\0"]);
    let vmhd = full("vmhd", 1, &[&[0; 8]]);
    let here = full("url ", 1, &[]);
    let dinf = boxed("dinf", &[&full("dref", 0, &[&number(1), &here])]);
    let minf = boxed("minf", &[&vmhd, &dinf, &sample_table(sizes, start)]);
    let mdia = boxed("mdia", &[&mdhd, &hdlr, &minf]);
    boxed("trak", &[&tkhd, &mdia])
}

fn sample_table(sizes: &[usize], start: usize) -> Vec<u8> {
    let count = u32_of(sizes.len());
    let all_sizes: Vec<u8> = sizes.iter().flat_map(|size| number(*size)).collect();
    boxed(
        "stbl",
        &[
            &full("stsd", 0, &[&number(1), &decoder()]),
            &full("stts", 0, &[&numbers(&[1, count, TIMESCALE])]),
            &full("stsc", 0, &[&numbers(&[1, 1, count, 1])]),
            &full("stsz", 0, &[&numbers(&[0, count]), &all_sizes]),
            &full("stco", 0, &[&number(1), &number(start)]),
        ],
    )
}

/// What decodes the samples.
fn decoder() -> Vec<u8> {
    let [sequence, picture] = [stream::sequence_parameters(), stream::picture_parameters()];
    let configuration = boxed(
        "avcC",
        &[
            &[1],
            &stream::PROFILE,
            &[0xFF], // each unit has its length before it, in four bytes
            &[0xE1], // one set of parameters for the sequence
            &number(sequence.len())[2..],
            &sequence,
            &[1], // and one for its pictures
            &number(picture.len())[2..],
            &picture,
        ],
    );
    boxed(
        "avc1",
        &[
            &[0, 0, 0, 0, 0, 0, 0, 1], // the data are where the first entry of `dref` says
            &[0; 16],
            &WIDTH.to_be_bytes(),
            &HEIGHT.to_be_bytes(),
            &numbers(&[72 * ONE, 72 * ONE, 0]), // dots in an inch
            &[0, 1],                            // a picture in a sample
            &[0; 32],                           // the name of the encoder
            &[0, 24, 0xFF, 0xFF],               // bits of colour, and no table of colours
            &configuration,
        ],
    )
}

/// A box: its size, its kind, what is in it.
fn boxed(kind: &str, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&number(HEADER + content.len())[..], kind.as_bytes(), &content].concat()
}

/// A box of version 0 with flags.
fn full(kind: &str, flags: u32, parts: &[&[u8]]) -> Vec<u8> {
    boxed(kind, &[&flags.to_be_bytes(), &parts.concat()])
}

/// A number in four bytes.
fn number(number: usize) -> [u8; 4] {
    u32_of(number).to_be_bytes()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Nothing in this film is larger.
fn u32_of(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
