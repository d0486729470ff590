use proptest::prelude::*;

use super::{super::bounded::ELEMENTS, Container::Avi, Disk, milliseconds};

pub(super) fn chunk(name: &str, content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap();
    let padding = &[0][..content.len() % 2];
    [name.as_bytes(), &size.to_le_bytes(), content, padding].concat()
}

fn list(name: &str, chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk("LIST", &[name.as_bytes(), &chunks.concat()].concat())
}

fn numbers(name: &str, numbers: &[u32]) -> Vec<u8> {
    let content: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    chunk(name, &content)
}

fn avih(microseconds: u32, frames: u32) -> Vec<u8> {
    numbers("avih", &[microseconds, 9, 0, 16, frames, 0, 2, 9, 320, 240, 0, 0, 0, 0])
}

fn stream(kind: &str, scale: u32, rate: u32, length: u32) -> Vec<u8> {
    let kind = u32::from_le_bytes(kind.as_bytes().try_into().unwrap());
    let strh = numbers("strh", &[kind, 0, 0, 0, 0, scale, rate, 0, length, 9, 9, 0, 0, 0]);
    list("strl", &[strh, chunk("strf", &[1; 40])])
}

fn odml(frames: u32) -> Vec<u8> {
    list("odml", &[numbers("dmlh", &[frames, 0, 0])])
}

fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    let movi = list("movi", &[chunk("00dc", &[4; 99])]);
    let content = [&b"AVI "[..], &chunks.concat(), &movi].concat();
    chunk("RIFF", &content)
}

fn of(chunks: &[Vec<u8>]) -> Option<u128> {
    milliseconds(&file(&[list("hdrl", chunks)]), Avi)
}

/// A file of 90 seconds.
pub(super) fn video() -> Vec<u8> {
    let header = list(
        "hdrl",
        &[
            avih(40_000, 1_000),
            stream("vids", 1, 25, 2_250),
            stream("auds", 1, 44_100, 9_999_999),
            odml(2_250),
        ],
    );
    file(&[chunk("JUNK", &[0; 33]), header])
}

/// A file of 20 seconds whose frames were not counted.
pub(super) fn capture() -> Vec<u8> {
    file(&[list("hdrl", &[avih(40_000, 0), stream("vids", 1, 25, 500)])])
}

#[test]
fn frames_make_a_duration() {
    assert_eq!(of(&[avih(40_000, 250)]), Some(10_000));
    assert_eq!(of(&[chunk("JUNK", &[1; 7]), avih(33_367, 1_800)]), Some(60_060));
    assert_eq!(of(&[avih(u32::MAX, 600)]), Some(2_576_980_377));
    // More than 30 days.
    assert_eq!(of(&[avih(u32::MAX, 604)]), None);
    assert_eq!(of(&[avih(u32::MAX, u32::MAX)]), None);
    assert_eq!(of(&[avih(0, 250)]), None);
    assert_eq!(of(&[avih(40_000, 0)]), None);
    assert_eq!(of(&[numbers("avih", &[40_000, 9, 0, 16])]), None);
    assert_eq!(of(&[]), None);
}

#[test]
fn a_file_over_a_gigabyte_counts_all_its_frames() {
    assert_eq!(milliseconds(&video(), Avi), Some(90_000));
    assert_eq!(of(&[avih(40_000, 250), odml(2_500)]), Some(100_000));
    // It was not filled in.
    assert_eq!(of(&[avih(40_000, 250), odml(0)]), Some(10_000));
    assert_eq!(of(&[avih(40_000, 250), list("odml", &[chunk("dmlh", &[1])])]), Some(10_000));
}

#[test]
fn the_longest_video_stream_tells_when_the_frames_do_not() {
    let streams = [
        stream("vids", 1_001, 30_000, 300),
        stream("vids", 1, 25, 500),
        stream("vids", 1, 0, 500),
        stream("vids", u32::MAX, 1, u32::MAX),
        stream("auds", 1, 1, 999),
        list("strl", &[chunk("strh", b"vids")]),
    ];
    let streams = streams.concat();
    assert_eq!(milliseconds(&capture(), Avi), Some(20_000));
    assert_eq!(of(&[avih(0, 250), streams.clone()]), Some(20_000));
    assert_eq!(of(&[avih(40_000, 0), streams.clone()]), Some(20_000));
    assert_eq!(of(std::slice::from_ref(&streams)), Some(20_000));
    assert_eq!(of(&[avih(40_000, 250), streams]), Some(10_000));
}

#[test]
fn sizes_that_are_too_large_end_with_the_file() {
    let mut bytes = file(&[list("hdrl", &[avih(40_000, 250)])]);
    bytes[16..20].fill(0xFF);
    assert_eq!(milliseconds(&bytes, Avi), Some(10_000));
    // The whole is not asked for its size: a program that was stopped leaves 0 there.
    bytes[4..8].fill(0);
    assert_eq!(milliseconds(&bytes, Avi), Some(10_000));
    // The list is too short for its own name.
    bytes[16..20].copy_from_slice(&[3, 0, 0, 0]);
    assert_eq!(milliseconds(&bytes, Avi), None);
}

#[test]
fn data_is_passed_over_unread() {
    let size = u32::MAX - 1;
    let data = [&b"RIFF\0\0\0\0AVI JUNK"[..], &size.to_le_bytes()].concat();
    let header = list("hdrl", &[avih(40_000, 250)]);
    let mut disk = Disk::sparse(vec![(0, data), (20 + u64::from(size), header)]);
    assert_eq!(disk.duration(Avi).unwrap().as_secs(), 10);
    assert!(disk.read.0 < 200, "{} bytes were read", disk.read.0);
}

#[test]
fn a_file_that_did_not_arrive_whole_tells_the_truth_or_nothing() {
    let file = file(&[list("hdrl", &[avih(40_000, 2_250), odml(2_250)])]);
    for length in 0..file.len() {
        let told = milliseconds(&file[..length], Avi);
        assert!(told.is_none() || told == Some(90_000), "the first {length} bytes");
    }
}

#[test]
fn only_so_many_chunks_are_visited() {
    let of = |count: u32| {
        let junk = chunk("JUNK", b"").repeat(count as usize);
        milliseconds(&file(&[junk, list("hdrl", &[avih(40_000, 250)])]), Avi)
    };
    // The list, its header, and the list again.
    assert_eq!(of(ELEMENTS - 3), Some(10_000));
    assert_eq!(of(ELEMENTS), None);
    assert_eq!(of(3 * ELEMENTS), None);
}

proptest! {
    #[test]
    fn any_duration_is_told(microseconds in 1..=1_000_000_u32, frames in 1..=2_592_000_u32) {
        let told = Disk::new(&file(&[list("hdrl", &[avih(microseconds, frames)])])).duration(Avi);
        let expected = u128::from(microseconds) * u128::from(frames);
        prop_assert_eq!(told.unwrap().as_micros(), expected);
    }
}
