use super::{
    Container::Mp4,
    milliseconds,
    mp4::{boxed, ftyp, header, nest, numbers, trak},
};

/// Which numbers a run tells of itself and of each sample.
const OFFSET: u32 = 0x1;
const TIME: u32 = 0x100;
const SIZE: u32 = 0x200;
const FLAGS: u32 = 0x400;
const SHIFT: u32 = 0x800;

/// The beginning of a recording: no samples, two tracks.
fn beginning(movie_ticks: u32, mehd: Option<Vec<u8>>) -> Vec<u8> {
    let trex = |track, each| numbers("trex", &[0, track, 1, each, 0, 0]);
    let mvex = nest("mvex", &[mehd.unwrap_or_default(), trex(1, 3_000), trex(2, 1_024)]);
    let tracks = [trak(1, header("mdhd", 90_000, 0)), trak(2, header("mdhd", 48_000, 0))].concat();
    let moov = nest("moov", &[header("mvhd", 1_000, movie_ticks), tracks, mvex]);
    [ftyp("iso5", &["mp41"]), moov].concat()
}

/// A track's part of a fragment that begins at `start`, with samples as usual.
fn traf(track: u32, start: u32, samples: u32) -> Vec<u8> {
    let tfhd = numbers("tfhd", &[0x0002_0000, track]);
    let tfdt = numbers("tfdt", &[0, start]);
    let trun = numbers("trun", &[OFFSET, samples, 100]);
    nest("traf", &[tfhd, tfdt, trun])
}

fn moof(parts: &[Vec<u8>]) -> Vec<u8> {
    let mfhd = numbers("mfhd", &[0, 1]);
    [nest("moof", &[mfhd, parts.concat()]), boxed("mdat", &[5; 20])].concat()
}

/// A recording of 20 seconds in ten fragments.
pub(super) fn recording() -> Vec<u8> {
    let fragment = |n: u32| moof(&[traf(1, n * 180_000, 60), traf(2, n * 96_000, 93)]);
    let fragments: Vec<u8> = (0..10).flat_map(fragment).collect();
    [beginning(0, None), fragments].concat()
}

#[test]
fn the_last_fragment_tells_when_the_movie_does_not() {
    assert_eq!(milliseconds(&recording(), Mp4), Some(20_000));
    // One fragment is first and last.
    let file = [beginning(0, None), moof(&[traf(1, 0, 60)])].concat();
    assert_eq!(milliseconds(&file, Mp4), Some(2_000));
}

#[test]
fn the_movie_tells_how_long_its_fragments_last() {
    let of =
        |mehd| milliseconds(&[beginning(0, Some(mehd)), moof(&[traf(1, 0, 60)])].concat(), Mp4);
    assert_eq!(of(numbers("mehd", &[0, 7_000])), Some(7_000));
    assert_eq!(of(numbers("mehd", &[0x0100_0000, 0, 7_000])), Some(7_000));
    // 0, and what is more than 30 days or broken, is not known.
    assert_eq!(of(numbers("mehd", &[0, 0])), Some(2_000));
    assert_eq!(of(numbers("mehd", &[0x0100_0000, u32::MAX, u32::MAX])), Some(2_000));
    assert_eq!(of(numbers("mehd", &[0x0100_0000, 0])), Some(2_000));
    assert_eq!(of(numbers("mehd", &[0x0200_0000, 0, 7_000])), Some(2_000));
}

#[test]
fn a_movie_may_have_samples_before_its_fragments() {
    let file = [beginning(3_000, None), moof(&[traf(1, 270_000, 60)])].concat();
    assert_eq!(milliseconds(&file, Mp4), Some(5_000));
    // It may have been meant to have fragments.
    assert_eq!(milliseconds(&beginning(3_000, None), Mp4), Some(3_000));
    assert_eq!(milliseconds(&beginning(0, None), Mp4), None);
}

#[test]
fn a_part_of_a_broadcast_begins_late() {
    let day = 24 * 60 * 60 * 48_000_u64;
    let traf = |start: u64, samples| {
        let tfhd = numbers("tfhd", &[0, 2]);
        let tfdt = boxed("tfdt", &[&[1, 0, 0, 0], &start.to_be_bytes()[..]].concat());
        nest("traf", &[tfhd, tfdt, numbers("trun", &[0, samples])])
    };
    let of = |start, end| {
        let fragments = [moof(&[traf(start, 1)]), moof(&[traf(end, 375)])];
        milliseconds(&[beginning(0, None), fragments.concat()].concat(), Mp4)
    };
    assert_eq!(of(20_000 * day, 20_000 * day + 480_000), Some(18_000));
    assert_eq!(of(0, 31 * day), None);
    assert_eq!(of(u64::MAX - 1, u64::MAX), None);
    // The first of the tracks tells when the first fragment begins, the last when the last ends.
    for order in [[0, 1], [1, 0]] {
        let first = [traf(48_000, 1), traf(96_000, 1)];
        let last = [traf(480_000, 375), traf(480_000, 1)];
        let fragments = [first, last].map(|parts| moof(&order.map(|n: usize| parts[n].clone())));
        let file = [beginning(0, None), fragments.concat()].concat();
        assert_eq!(milliseconds(&file, Mp4), Some(17_000));
    }
}

#[test]
fn samples_last_as_long_as_they_say() {
    let of = |tfhd: &[u32], trun: &[u32]| {
        let parts = [numbers("tfhd", tfhd), numbers("tfdt", &[0, 0]), numbers("trun", trun)];
        milliseconds(&[beginning(0, None), moof(&[nest("traf", &parts)])].concat(), Mp4)
    };
    // The fragment says it for all, after a place and a description that it may tell, too.
    assert_eq!(of(&[0x8, 1, 9_000], &[0, 10]), Some(1_000));
    assert_eq!(of(&[0xB, 1, 7, 7, 7, 9_000], &[0, 10]), Some(1_000));
    assert_eq!(of(&[0xB, 1, 7, 7, 7], &[0, 10]), None);
    // Each sample says it.
    assert_eq!(of(&[0, 1], &[TIME, 2, 45_000, 90_000]), Some(1_500));
    assert_eq!(of(&[0, 1], &[TIME | SIZE | OFFSET, 2, 9, 45_000, 9, 90_000, 9]), Some(1_500));
    for (what, sample) in [
        (TIME, &[90][..]),
        (TIME | FLAGS, &[90, 7]),
        (TIME | SIZE | SHIFT, &[90, 7, 7]),
        (TIME | SIZE | FLAGS | SHIFT, &[90, 7, 7, 7]),
    ] {
        let many = [&[what, 3_000], &sample.repeat(3_000)[..]].concat();
        assert_eq!(of(&[0, 1], &many), Some(3_000));
    }
    // So many that they are not all read.
    let many = [&[TIME | SIZE, 150_000], &[90, 7].repeat(150_000)[..]].concat();
    assert_eq!(of(&[0, 1], &many), None);
    // There are fewer than it says.
    assert_eq!(of(&[0, 1], &[TIME, 3, 45_000, 90_000]), None);
    assert_eq!(of(&[0, 1], &[TIME, u32::MAX, 45_000]), None);
    assert_eq!(of(&[0, 1], &[0]), None);
    // The track is none of the movie's.
    assert_eq!(of(&[0, 3], &[TIME, 1, 45_000]), None);
    assert_eq!(of(&[0x8, 1, u32::MAX], &[0, u32::MAX]), None);
}

#[test]
fn a_sample_of_which_nobody_says_how_long_it_lasts_does_not_last() {
    let mut file = recording();
    while let Some(at) = file.windows(4).position(|name| name == b"trex") {
        file[at..at + 4].copy_from_slice(b"free");
    }
    assert_eq!(milliseconds(&file, Mp4), Some(18_000));
}

#[test]
fn the_number_of_a_track_may_be_behind_longer_dates() {
    let track = numbers("tkhd", &[0x0100_0007, 0, 1, 0, 2, 5, 0]);
    let media = nest("mdia", &[header("mdhd", 1_000, 0)]);
    let tracks = [nest("trak", &[track, media]), nest("mvex", &[])].concat();
    let moov = nest("moov", &[header("mvhd", 1_000, 0), tracks]);
    let part = [numbers("tfhd", &[0x8, 5, 40]), numbers("tfdt", &[0, 0])].concat();
    let part = nest("traf", &[part, numbers("trun", &[0, 25])]);
    assert_eq!(milliseconds(&[moov, moof(&[part])].concat(), Mp4), Some(1_000));
}

#[test]
fn tracks_may_have_fragments_of_their_own() {
    let fragments: Vec<u8> = (0..20)
        .flat_map(|n: u32| [moof(&[traf(1, n * 180_000, 60)]), moof(&[traf(2, n * 96_000, 94)])])
        .flatten()
        .collect();
    // The sound is a little longer.
    let told = milliseconds(&[beginning(0, None), fragments].concat(), Mp4);
    assert_eq!(told, Some(19 * 2_000 + 94 * 1_024 / 48));
}

#[test]
fn a_part_without_a_time_is_passed_over() {
    let timeless = nest("traf", &[numbers("tfhd", &[0, 2]), numbers("trun", &[0, 500])]);
    let file = [beginning(0, None), moof(&[timeless.clone(), traf(1, 0, 60)])].concat();
    assert_eq!(milliseconds(&file, Mp4), Some(2_000));
    let file = [beginning(0, None), moof(&[timeless])].concat();
    assert_eq!(milliseconds(&file, Mp4), None);
}

#[test]
fn a_recording_that_broke_off_tells_of_what_is_there() {
    let file = recording();
    let mut before = 0;
    for length in 0..=file.len() {
        let told = milliseconds(&file[..length], Mp4).unwrap_or_default();
        assert!(told >= before, "the first {length} bytes");
        before = told;
    }
    assert_eq!(before, 20_000);
}

#[test]
fn more_fragments_than_are_visited_tell_nothing() {
    let of = |count| {
        let fragment = [boxed("moof", b""), boxed("mdat", b"")].concat().repeat(count);
        let file = [beginning(0, None), moof(&[traf(1, 0, 60)]), fragment];
        milliseconds(&[file.concat(), moof(&[traf(1, 0, 600)])].concat(), Mp4)
    };
    assert_eq!(of(8_000), Some(20_000));
    assert_eq!(of(8_200), None);
}
