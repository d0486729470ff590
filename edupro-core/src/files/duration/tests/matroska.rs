use proptest::prelude::*;

use super::{
    super::{
        bounded::{ELEMENTS, TAIL},
        matroska::id,
    },
    Container::Matroska,
    Disk, LONGEST, milliseconds,
};

/// An identifier, as it is written.
pub(super) fn name(id: u32) -> Vec<u8> {
    id.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

pub(super) fn element(id: u32, content: &[u8]) -> Vec<u8> {
    let size = u16::try_from(content.len()).unwrap() | 0x4000;
    [&name(id), &size.to_be_bytes()[..], content].concat()
}

/// An element whose size is not known.
fn open(id: u32, content: &[u8]) -> Vec<u8> {
    [&name(id), &[0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF][..], content].concat()
}

pub(super) fn head(doc_type: &[u8]) -> Vec<u8> {
    let version = element(0x4286, &[1]);
    element(id::EBML, &[version, element(id::DOC_TYPE, doc_type)].concat())
}

fn info(duration: &[u8]) -> Vec<u8> {
    let scale = element(id::TIMESTAMP_SCALE, &1_000_000_u32.to_be_bytes()[1..]);
    let application = element(0x4D80, b"by hand");
    let duration = if duration.is_empty() { vec![] } else { element(id::DURATION, duration) };
    element(id::INFO, &[scale, application, duration].concat())
}

fn seconds(seconds: f64) -> [u8; 8] {
    (seconds * 1_000.0).to_be_bytes()
}

fn timestamp(ticks: u32) -> Vec<u8> {
    element(id::TIMESTAMP, &ticks.to_be_bytes())
}

/// A block of the first track.
fn block(id: u32, ticks: i16) -> Vec<u8> {
    element(id, &[&[0x81], &ticks.to_be_bytes()[..], &[0x80], &[3; 30]].concat())
}

fn simple(ticks: i16) -> Vec<u8> {
    block(id::SIMPLE_BLOCK, ticks)
}

/// A whole file with an open segment.
fn live(parts: &[Vec<u8>]) -> Vec<u8> {
    [head(b"webm"), open(id::SEGMENT, &parts.concat())].concat()
}

/// A file of 90.5 seconds.
pub(super) fn video() -> Vec<u8> {
    let cluster = element(id::CLUSTER, &[timestamp(0), simple(0), simple(40)].concat());
    let parts = [element(id::VOID, &[0; 40]), info(&seconds(90.5)), cluster];
    [head(b"matroska"), element(id::SEGMENT, &parts.concat())].concat()
}

/// A recording of 70 seconds, as a browser writes it.
pub(super) fn recording() -> Vec<u8> {
    let cluster =
        |at| open(id::CLUSTER, &[timestamp(at), simple(0), simple(20), simple(10_000)].concat());
    let clusters = (0..7).flat_map(|n| cluster(n * 10_000)).collect();
    live(&[info(&[]), element(id::TRACKS, &[1; 50]), clusters])
}

#[test]
fn the_information_tells() {
    assert_eq!(milliseconds(&video(), Matroska), Some(90_500));
    for (duration, expected) in [
        (&seconds(1.0)[..], Some(1_000)),
        (&1_500_f32.to_be_bytes(), Some(1_500)),
        (&f64::NAN.to_be_bytes(), None),
        (&f64::INFINITY.to_be_bytes(), None),
        (&f64::NEG_INFINITY.to_be_bytes(), None),
        (&f64::MAX.to_be_bytes(), None),
        (&f64::MIN_POSITIVE.to_be_bytes(), None),
        (&f32::NAN.to_be_bytes(), None),
        (&seconds(-1.0), None),
        (&seconds(0.0), None),
        (&seconds(30.0 * 86_400.0), Some(30 * 86_400_000)),
        (&seconds(30.0 * 86_400.0 + 1.0), None),
        (&[0x40, 0x59], None),
        (&[0; 9], None),
    ] {
        assert_eq!(milliseconds(&live(&[info(duration)]), Matroska), expected, "{duration:?}");
    }
}

#[test]
fn ticks_are_milliseconds_unless_told_otherwise() {
    let of = |scale: &[u8]| {
        let scale = if scale == b"none" { vec![] } else { element(id::TIMESTAMP_SCALE, scale) };
        let duration = element(id::DURATION, &seconds(2.0));
        milliseconds(&live(&[element(id::INFO, &[duration, scale].concat())]), Matroska)
    };
    assert_eq!(of(b"none"), Some(2_000));
    assert_eq!(of(&100_000_u32.to_be_bytes()), Some(200));
    assert_eq!(of(&[0]), None);
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[0xFF; 8]), None);
    assert_eq!(of(&[0, 0, 0, 0, 0, 0x0F, 0x42, 0x40]), Some(2_000));
    assert_eq!(of(&[0, 0, 0, 0, 0, 0, 0x0F, 0x42, 0x40]), None);
}

#[test]
fn sizes_are_read_as_they_are_written() {
    let parts = [element(id::VOID, &[0; 300]), info(&seconds(4.0))].concat();
    let of = |parts: &[&[u8]]| {
        milliseconds(&[&name(id::SEGMENT), &parts.concat()[..]].concat(), Matroska)
    };
    // Not known, in one byte and in four.
    assert_eq!(of(&[&[0xFF], &parts]), Some(4_000));
    assert_eq!(of(&[&[0x1F, 0xFF, 0xFF, 0xFF], &parts]), Some(4_000));
    // Too small, too large, and none.
    assert_eq!(of(&[&[0x40, 0xFF], &parts]), None);
    assert_eq!(of(&[&[0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE], &parts]), Some(4_000));
    assert_eq!(of(&[&[0xFF], &name(id::VOID), &[0; 9], &parts]), None);
}

#[test]
fn the_information_may_be_behind_the_clusters() {
    let cluster = element(id::CLUSTER, &[timestamp(0), simple(0)].concat());
    let file = live(&[cluster.repeat(20), info(&seconds(4.0))]);
    assert_eq!(milliseconds(&file, Matroska), Some(4_000));
    // Where an open cluster ends is not known before its blocks are read.
    let cluster = open(id::CLUSTER, &[timestamp(0), simple(0)].concat());
    assert_eq!(milliseconds(&live(&[cluster, info(&seconds(4.0))]), Matroska), None);
}

#[test]
fn the_last_cluster_of_a_recording_tells() {
    assert_eq!(milliseconds(&recording(), Matroska), Some(70_000));
    // With known sizes, and something behind the clusters.
    let cluster = |at| element(id::CLUSTER, &[timestamp(at), simple(0), simple(900)].concat());
    let cues = element(id::CUES, &[0xBB; 60]);
    let file = live(&[info(&[]), cluster(0), cluster(5_000), cues.clone()]);
    assert_eq!(milliseconds(&file, Matroska), Some(5_900));
    // The segment's next element ends an open cluster.
    let file = live(&[info(&[]), recording_of(&[simple(700), cues])]);
    assert_eq!(milliseconds(&file, Matroska), Some(700));
}

/// An open cluster that begins at 0.
fn recording_of(parts: &[Vec<u8>]) -> Vec<u8> {
    open(id::CLUSTER, &[timestamp(0), parts.concat()].concat())
}

#[test]
fn blocks_are_read_in_both_forms() {
    let group = |parts: &[Vec<u8>]| element(id::BLOCK_GROUP, &parts.concat());
    let lasting = element(id::BLOCK_DURATION, &[0x01, 0xF4]);
    for (block, expected) in [
        (group(&[block(id::BLOCK, 300), lasting.clone()]), Some(800)),
        (group(&[lasting.clone(), block(id::BLOCK, 300)]), Some(800)),
        (group(&[block(id::BLOCK, 300)]), Some(300)),
        (group(&[lasting]), None),
        (simple(-5), None),
        // The track's number may have up to 8 bytes.
        (element(id::SIMPLE_BLOCK, &[0x40, 9, 1, 0, 0]), Some(256)),
        (element(id::SIMPLE_BLOCK, &[1, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0]), Some(256)),
        (element(id::SIMPLE_BLOCK, &[0, 9, 1, 0, 0]), None),
        (element(id::SIMPLE_BLOCK, &[0x81, 1]), None),
        (element(id::SIMPLE_BLOCK, &[]), None),
    ] {
        let file = live(&[info(&[]), recording_of(std::slice::from_ref(&block))]);
        assert_eq!(milliseconds(&file, Matroska), expected, "{block:?}");
    }
    // Before blocks of lower times, too.
    let file = live(&[info(&[]), recording_of(&[simple(900), simple(860)])]);
    assert_eq!(milliseconds(&file, Matroska), Some(900));
}

#[test]
fn a_part_of_a_broadcast_begins_late() {
    let cluster = |at| open(id::CLUSTER, &[timestamp(at), simple(500)].concat());
    let file = live(&[info(&[]), cluster(4_000_000_000), cluster(4_000_002_000)]);
    assert_eq!(milliseconds(&file, Matroska), Some(2_500));
    let file = live(&[info(&[]), cluster(4_000_000_000), cluster(1)]);
    assert_eq!(milliseconds(&file, Matroska), None);
    let file = live(&[info(&[]), cluster(0), cluster(4_000_000_000)]);
    assert_eq!(milliseconds(&file, Matroska), None);
}

#[test]
fn what_only_looks_like_a_cluster_is_data() {
    let false_cluster = element(id::CLUSTER, &[timestamp(3_000_000), vec![0x55; 90]].concat());
    for data in [
        name(id::CLUSTER),
        false_cluster,
        element(id::CLUSTER, &[timestamp(3_000_000), vec![0; 90]].concat()),
        element(id::CLUSTER, &simple(9)),
        open(id::CLUSTER, &[]),
        [name(id::CLUSTER), vec![0]].concat(),
    ] {
        let data = element(id::SIMPLE_BLOCK, &[&[0x81, 1, 0, 0][..], &data, &[0x55; 20]].concat());
        let file = live(&[info(&[]), recording_of(&[data, simple(400)])]);
        assert_eq!(milliseconds(&file, Matroska), Some(400));
    }
}

#[test]
fn a_recording_that_broke_off_tells_of_what_is_there() {
    let file = recording();
    let mut before = 0;
    for length in 0..=file.len() {
        let told = milliseconds(&file[..length], Matroska).unwrap_or_default();
        assert!(told >= before, "the first {length} bytes");
        before = told;
    }
    assert_eq!(before, 70_000);
}

#[test]
fn a_file_that_did_not_arrive_whole_tells_the_truth_or_nothing() {
    let file = video();
    for length in 0..file.len() {
        let told = milliseconds(&file[..length], Matroska);
        assert!(told.is_none() || told == Some(90_500), "the first {length} bytes");
    }
}

#[test]
fn the_last_cluster_is_searched_within_the_bounds() {
    /// The size of the blocks that follow it, in bytes: a header, and 2 MiB.
    const BLOCK: u64 = (2 << 20) + 5;
    let beginning = live(&[info(&[]), recording_of(&[simple(0)])]);
    let cluster = recording_of(&[simple(700)]);
    let block = [&name(id::SIMPLE_BLOCK), &[0x10, 0x20, 0, 0, 0x81, 0x02, 0][..]].concat();
    let of = |blocks: u64| {
        let at = 40 << 20;
        let after = at + cluster.len() as u64;
        let mut pieces = vec![(0, beginning.clone()), (at, cluster.clone())];
        pieces.extend((0..blocks).map(|n| (after + n * BLOCK, block.clone())));
        pieces.push((after + blocks * BLOCK, vec![]));
        let mut disk = Disk::sparse(pieces);
        let duration = disk.duration(Matroska);
        assert!(disk.read.0 < TAIL + 500, "{} bytes were read", disk.read.0);
        duration.map(|duration| duration.as_millis())
    };
    assert_eq!(of(0), Some(700));
    assert_eq!(of(7), Some(700));
    assert_eq!(of(8), None);
}

#[test]
fn a_cluster_may_begin_in_one_piece_of_the_search_and_end_in_the_next() {
    let piece = 64 * 1024;
    let cluster = recording_of(&[simple(700)]);
    for before in 0..6 {
        let header = name(id::VOID).len() + 4;
        let void = u32::try_from(piece + before - cluster.len() - header).unwrap();
        let size = (0x1000_0000 | void).to_be_bytes();
        let void = [&name(id::VOID), &size[..], &vec![0; void as usize]].concat();
        let file = live(&[info(&[]), cluster.clone(), void]);
        assert_eq!(milliseconds(&file, Matroska), Some(700), "{before} bytes before");
    }
}

#[test]
fn only_so_many_elements_are_visited() {
    let of = |count: u32| {
        let void = element(id::VOID, &[]).repeat(count as usize);
        milliseconds(&live(&[void, info(&seconds(4.0))]), Matroska)
    };
    // The head and the segment, the information, and three of its own, twice.
    assert_eq!(of(ELEMENTS - 8), Some(4_000));
    assert_eq!(of(2 * ELEMENTS), None);
}

proptest! {
    #[test]
    fn any_duration_is_told(scale in 1_u32..=1_000_000_000, time in 1.0..LONGEST.as_secs_f64()) {
        let ticks = time * 1e9 / f64::from(scale);
        let scale = element(id::TIMESTAMP_SCALE, &scale.to_be_bytes());
        let duration = element(id::DURATION, &ticks.to_be_bytes());
        let told = Disk::new(&live(&[element(id::INFO, &[scale, duration].concat())]))
            .duration(Matroska);
        prop_assert!((told.unwrap().as_secs_f64() - time).abs() < 1e-6);
    }
}
