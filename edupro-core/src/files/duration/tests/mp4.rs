use proptest::prelude::*;

use super::{super::bounded::ELEMENTS, Container::Mp4, Disk, LONGEST, milliseconds};

pub(super) fn boxed(name: &str, content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes(), name.as_bytes(), content].concat()
}

/// A box of boxes.
pub(super) fn nest(name: &str, boxes: &[Vec<u8>]) -> Vec<u8> {
    boxed(name, &boxes.concat())
}

pub(super) fn ftyp(major: &str, compatible: &[&str]) -> Vec<u8> {
    boxed("ftyp", &[major, "\0\0\x02\0", &compatible.concat()].concat().into_bytes())
}

/// A box of numbers of 32 bits, the first of which are its version and flags.
pub(super) fn numbers(name: &str, numbers: &[u32]) -> Vec<u8> {
    let content: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    boxed(name, &content)
}

/// The header of a movie or of media, with the shorter numbers of version 0.
pub(super) fn header(name: &str, per_second: u32, ticks: u32) -> Vec<u8> {
    numbers(name, &[0, 1, 2, per_second, ticks, 0x10000, 0])
}

/// The same, with the longer numbers of version 1.
fn long_header(name: &str, per_second: u32, ticks: u64) -> Vec<u8> {
    let [a, b, c, d, rest @ ..] = ticks.to_be_bytes();
    let ticks = [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes(rest)];
    numbers(name, &[0x0100_0000, 0, 1, 0, 2, per_second, ticks[0], ticks[1], 0x10000])
}

/// A track with nothing but what tells its times.
pub(super) fn trak(track: u32, mdhd: Vec<u8>) -> Vec<u8> {
    let tkhd = numbers("tkhd", &[7, 1, 2, track, 0, 0]);
    nest("trak", &[tkhd, nest("mdia", &[boxed("hdlr", b"vide"), mdhd])])
}

fn brands() -> Vec<u8> {
    ftyp("isom", &["mp41"])
}

/// A video of 90.5 seconds with an endless edge for what is being tested.
pub(super) fn video() -> Vec<u8> {
    let moov = nest(
        "moov",
        &[
            header("mvhd", 600, 54_300),
            trak(1, header("mdhd", 30_000, 2_715_000)),
            trak(2, long_header("mdhd", 48_000, 4_344_000)),
        ],
    );
    [brands(), boxed("free", b""), boxed("mdat", &[7; 200]), moov].concat()
}

#[test]
fn the_movie_tells_before_and_behind_its_data() {
    assert_eq!(milliseconds(&video(), Mp4), Some(90_500));
    let moov = nest("moov", &[header("mvhd", 600, 54_300)]);
    let data = boxed("mdat", &[7; 200]);
    assert_eq!(milliseconds(&[brands(), moov.clone(), data].concat(), Mp4), Some(90_500));
    assert_eq!(milliseconds(&moov, Mp4), Some(90_500));
}

#[test]
fn both_versions_of_the_header_are_read() {
    for (mvhd, expected) in [
        (header("mvhd", 1_000, 1), Some(1)),
        (header("mvhd", 1_000, 0), None),
        (header("mvhd", 48_000, u32::MAX), None),
        (header("mvhd", 48_000, u32::MAX - 1), Some(89_478_485)),
        (header("mvhd", 0, 1_000), None),
        (long_header("mvhd", 1_000, 5_000_000_000 / 2), Some(2_500_000_000)),
        (long_header("mvhd", 1_000, 5_000_000_000), None),
        (long_header("mvhd", u32::MAX, u64::from(u32::MAX) * 3_600), Some(3_600_000)),
        (long_header("mvhd", 1_000, u64::MAX), None),
        (long_header("mvhd", 1_000, u64::MAX - 1), None),
        (long_header("mvhd", 0, 7), None),
        (numbers("mvhd", &[0x0200_0000, 1, 2, 1_000, 1_000, 0, 0, 0]), None),
        (numbers("mvhd", &[0, 1, 2, 1_000]), None),
        (numbers("mvhd", &[0x0100_0000, 0, 1, 0, 2, 1_000, 0]), None),
        (boxed("mvhd", b""), None),
    ] {
        let file = [brands(), nest("moov", std::slice::from_ref(&mvhd))].concat();
        assert_eq!(milliseconds(&file, Mp4), expected, "{mvhd:?}");
    }
}

#[test]
fn the_longest_track_tells_when_the_movie_does_not() {
    let of = |mvhd, tracks: &[Vec<u8>]| {
        let moov = nest("moov", &[mvhd, tracks.concat()]);
        milliseconds(&[brands(), moov].concat(), Mp4)
    };
    let tracks = [
        trak(1, header("mdhd", 1_000, 2_000)),
        nest("trak", &[boxed("mdia", b"")]),
        trak(2, header("mdhd", 48_000, 480_000)),
        trak(3, header("mdhd", 0, 9_999)),
        trak(4, header("mdhd", 1, u32::MAX)),
        trak(5, header("mdhd", 1, u32::MAX - 1)),
    ];
    assert_eq!(of(header("mvhd", 600, u32::MAX), &tracks), Some(10_000));
    assert_eq!(of(header("mvhd", 600, 0), &tracks), Some(10_000));
    // More than 30 days.
    assert_eq!(of(header("mvhd", 1, u32::MAX - 1), &tracks), Some(10_000));
    assert_eq!(of(header("mvhd", 600, 600), &tracks), Some(1_000));
    assert_eq!(of(header("mvhd", 0, 600), &tracks), None);
    assert_eq!(of(header("mvhd", 600, 0), &tracks[3..]), None);
    assert_eq!(of(boxed("udta", b""), &tracks), None);
    // A track's media is not looked for behind the movie.
    let mut trak = nest("trak", &[]);
    trak[3] = 0xFF;
    let moov = nest("moov", &[header("mvhd", 600, 0), trak]);
    let media = nest("mdia", &[header("mdhd", 1_000, 2_000)]);
    assert_eq!(milliseconds(&[moov, media].concat(), Mp4), None);
}

#[test]
fn sizes_are_read_as_they_are_written() {
    let mvhd = header("mvhd", 600, 54_300);
    // 64 bits.
    let large = [&[0, 0, 0, 1], &b"mdat"[..], &24_u64.to_be_bytes(), &[9; 8]].concat();
    let moov = nest("moov", std::slice::from_ref(&mvhd));
    assert_eq!(milliseconds(&[large, moov].concat(), Mp4), Some(90_500));
    // To the end.
    let open = [&[0, 0, 0, 0], &b"moov"[..], &boxed("udta", &[0; 4]), &mvhd].concat();
    assert_eq!(milliseconds(&[brands(), open].concat(), Mp4), Some(90_500));
    let open = [&[0, 0, 0, 0], &b"mdat"[..], &nest("moov", &[mvhd])].concat();
    assert_eq!(milliseconds(&open, Mp4), None);
    // Nonsense.
    for size in [2_u32, 7] {
        let file = [&size.to_be_bytes(), &b"free"[..], &video()].concat();
        assert_eq!(milliseconds(&file, Mp4), None);
    }
    for size in [0_u64, 15] {
        let file = [&[0, 0, 0, 1], &b"free"[..], &size.to_be_bytes(), &video()].concat();
        assert_eq!(milliseconds(&file, Mp4), None);
    }
    let file = [&[0, 0, 0, 1], &b"free"[..], &u64::MAX.to_be_bytes(), &video()].concat();
    assert_eq!(milliseconds(&file, Mp4), None);
}

#[test]
fn data_is_passed_over_unread() {
    const GIGABYTES: u64 = 5 << 30;
    let moov = nest("moov", &[header("mvhd", 600, 54_300)]);
    let data = [&[0, 0, 0, 1], &b"mdat"[..], &GIGABYTES.to_be_bytes()].concat();
    let mut disk = Disk::sparse(vec![(0, data), (GIGABYTES, moov)]);
    assert_eq!(disk.duration(Mp4).unwrap().as_millis(), 90_500);
    assert!(disk.read.0 < 200, "{} bytes were read", disk.read.0);
}

#[test]
fn a_file_that_did_not_arrive_whole_tells_the_truth_or_nothing() {
    let file = video();
    let whole = milliseconds(&file, Mp4);
    for length in 0..file.len() {
        let told = milliseconds(&file[..length], Mp4);
        assert!(told.is_none() || told == whole, "the first {length} bytes");
    }
    // It is cut in its data, and its movie is before that.
    let moov = nest("moov", &[header("mvhd", 600, 54_300)]);
    let file = [brands(), moov, boxed("mdat", &[7; 200])].concat();
    assert_eq!(milliseconds(&file[..file.len() - 100], Mp4), Some(90_500));
}

#[test]
fn only_so_many_boxes_are_visited() {
    let of = |count: u32| {
        let free = boxed("free", b"").repeat(count as usize);
        milliseconds(&[free, nest("moov", &[header("mvhd", 600, 54_300)])].concat(), Mp4)
    };
    // The movie is visited, and its header twice: it may tell of fragments.
    assert_eq!(of(ELEMENTS - 3), Some(90_500));
    assert_eq!(of(ELEMENTS - 2), None);
    assert_eq!(of(3 * ELEMENTS), None);
}

proptest! {
    #[test]
    fn any_duration_is_told(per_second in 1..=u32::MAX, seconds in 1..=LONGEST.as_secs()) {
        let mvhd = long_header("mvhd", per_second, seconds * u64::from(per_second));
        let told = milliseconds(&nest("moov", &[mvhd]), Mp4);
        prop_assert_eq!(told, Some(u128::from(seconds) * 1_000));
    }
}
