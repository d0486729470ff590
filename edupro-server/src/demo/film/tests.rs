//! The file read back by hand, box by box.

use super::*;

const COLOURS: Colours = Colours { dark: [20, 30, 80], light: [120, 200, 255] };

/// The content of the box at this path.
fn find<'a>(mut bytes: &'a [u8], path: &[&[u8; 4]]) -> &'a [u8] {
    for kind in path {
        loop {
            let (size, rest) = bytes.split_first_chunk::<4>().unwrap();
            let size = u32::from_be_bytes(*size) as usize;
            if rest.starts_with(*kind) {
                bytes = &bytes[8..size];
                break;
            }
            bytes = &bytes[size..];
        }
    }
    bytes
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    let (numbers, rest) = bytes.as_chunks();
    assert_eq!(rest, b"");
    numbers.iter().map(|number| u32::from_be_bytes(*number)).collect()
}

/// The kinds of the boxes that follow each other.
fn kinds(mut bytes: &[u8]) -> Vec<&str> {
    let mut kinds = Vec::new();
    while let Some((size, rest)) = bytes.split_first_chunk::<4>() {
        kinds.push(std::str::from_utf8(&rest[..4]).unwrap());
        bytes = &bytes[u32::from_be_bytes(*size) as usize..];
    }
    kinds
}

#[test]
fn the_boxes_are_those_a_player_looks_for() {
    let film = film(COLOURS);
    assert!(film.len() < 30_000, "{}", film.len());
    assert_eq!(kinds(&film), ["ftyp", "moov", "mdat"]);
    let moov = find(&film, &[b"moov"]);
    assert_eq!(kinds(moov), ["mvhd", "trak"]);
    assert_eq!(kinds(find(moov, &[b"trak"])), ["tkhd", "mdia"]);
    assert_eq!(kinds(find(moov, &[b"trak", b"mdia"])), ["mdhd", "hdlr", "minf"]);
    let minf = find(moov, &[b"trak", b"mdia", b"minf"]);
    assert_eq!(kinds(minf), ["vmhd", "dinf", "stbl"]);
    assert_eq!(kinds(find(minf, &[b"stbl"])), ["stsd", "stts", "stsc", "stsz", "stco"]);
    // The sizes that the standard gives.
    for (path, size) in [
        (&[b"mvhd"][..], 100),
        (&[b"trak", b"tkhd"], 84),
        (&[b"trak", b"mdia", b"mdhd"], 24),
        (&[b"trak", b"mdia", b"hdlr"], 25),
        (&[b"trak", b"mdia", b"minf", b"vmhd"], 12),
    ] {
        assert_eq!(find(moov, path).len(), size, "{path:?}");
    }
}

#[test]
fn it_lasts_five_seconds() {
    let film = film(COLOURS);
    let seconds = u32::from(SECONDS);
    let moov = find(&film, &[b"moov"]);
    assert_eq!(numbers(find(moov, &[b"mvhd"]))[3..5], [1_000, seconds * 1_000]);
    assert_eq!(numbers(find(moov, &[b"trak", b"mdia", b"mdhd"]))[3..5], [1_000, seconds * 1_000]);
    let stbl = find(moov, &[b"trak", b"mdia", b"minf", b"stbl"]);
    assert_eq!(numbers(find(stbl, &[b"stts"])), [0, 1, seconds, 1_000]);
}

#[test]
fn the_table_finds_each_picture() {
    let film = film(COLOURS);
    let stbl = find(&film, &[b"moov", b"trak", b"mdia", b"minf", b"stbl"]);
    let sizes = numbers(find(stbl, &[b"stsz"]));
    assert_eq!(sizes[..3], [0, 0, SECONDS.into()]);
    let [_, 1, start] = numbers(find(stbl, &[b"stco"]))[..] else { panic!("one piece") };
    let mut rest = &film[start as usize..];
    assert_eq!(rest, find(&film, &[b"mdat"]));
    let mut pictures = Vec::new();
    for size in &sizes[3..] {
        let (sample, after) = rest.split_at(*size as usize);
        let (length, unit) = sample.split_first_chunk::<4>().unwrap();
        assert_eq!(u32::from_be_bytes(*length) as usize, unit.len());
        assert_eq!(unit[0] & 0b1_1111, 5, "a whole picture");
        pictures.push(unit);
        rest = after;
    }
    assert_eq!(rest, b"");
    pictures.dedup();
    assert_eq!(pictures.len(), usize::from(SECONDS), "each shows something else");
}

#[test]
fn the_decoder_gets_both_sets_of_parameters() {
    let film = film(COLOURS);
    let stsd = find(&film, &[b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"]);
    let avc1 = find(&stsd[8..], &[b"avc1"]);
    assert_eq!(avc1[24..28], [0, 64, 0, 48]);
    let configuration = find(&avc1[78..], &[b"avcC"]);
    let expected = [
        &[1, 66, 0xC0, 10, 0xFF, 0xE1, 0, 7][..],
        &stream::sequence_parameters(),
        &[1, 0, 4],
        &stream::picture_parameters(),
    ];
    assert_eq!(configuration, expected.concat());
}
