//! Compound files, and what is refused of them.

use super::*;

const FREE: u32 = 0xFFFF_FFFF;
const END: u32 = 0xFFFF_FFFE;
const TABLE: u32 = 0xFFFF_FFFD;
const LIST: u32 = 0xFFFF_FFFC;

/// A compound file to be built: the sectors of the table come first, then those of the list of
/// them that has no place in the header, the directory, and the streams.
#[derive(Clone)]
pub(super) struct CompoundFile {
    pub(super) streams: Vec<Stream>,
    /// 512 or 4096.
    sector: usize,
    /// Entries in a storage of their own, as what is embedded in a document has.
    inside: Vec<Stream>,
    /// What the table has behind the last sector.
    filling: u32,
}

#[derive(Clone)]
pub(super) struct Stream {
    name: String,
    pub(super) data: Vec<u8>,
}

impl CompoundFile {
    /// Each stream has 5,000 bytes.
    pub(super) fn with(names: &[&str]) -> Self {
        Self { streams: streams(names), sector: 512, inside: Vec::new(), filling: FREE }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let in_sector = |size: usize| size.div_ceil(self.sector);
        let per_sector = self.sector / 4;
        let all: Vec<_> = self.streams.iter().chain(&self.inside).collect();
        let data: usize = all.iter().map(|stream| in_sector(stream.data.len())).sum();
        let entries = 1 + all.len() + usize::from(!self.inside.is_empty());
        let directory = in_sector(entries * 128);
        let (mut tables, mut lists) = (0, 0);
        while tables * per_sector < tables + lists + directory + data {
            tables += 1;
            lists = tables.saturating_sub(109).div_ceil(per_sector - 1);
        }

        let mut next = vec![TABLE; tables];
        next.extend(vec![LIST; lists]);
        let first = next.len();
        chain(&mut next, directory);
        let mut starts = Vec::new();
        for stream in &all {
            starts.push(number(next.len()));
            chain(&mut next, in_sector(stream.data.len()));
        }
        next.resize(tables * per_sector, self.filling);

        let mut bytes = self.header(tables, lists, first);
        bytes.extend(longs(&next));
        let mut listed = (109..tables).map(number);
        for list in 1..=lists {
            let mut part: Vec<_> = listed.by_ref().take(per_sector - 1).collect();
            part.resize(per_sector - 1, FREE);
            part.push(if list == lists { END } else { number(tables + list) });
            bytes.extend(longs(&part));
        }
        bytes.extend(self.directory(&starts));
        for stream in &all {
            bytes.extend(&stream.data);
            bytes.resize(bytes.len().next_multiple_of(self.sector), 0);
        }
        bytes
    }

    fn header(&self, tables: usize, lists: usize, directory: usize) -> Vec<u8> {
        let (version, shift) = if self.sector == 512 { (3, 9) } else { (4, 12) };
        let mut bytes = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
        bytes.extend([0; 16]);
        bytes.extend([0x3E, 0, version, 0, 0xFE, 0xFF, shift, 0, 6, 0, 0, 0, 0, 0, 0, 0]);
        let list = if lists == 0 { END } else { number(tables) };
        let numbers = [0, number(tables), number(directory), 0, 4096, END, 0, list, number(lists)];
        bytes.extend(longs(&numbers));
        bytes.extend(longs(
            &(0..109).map(|at| if at < tables { number(at) } else { FREE }).collect::<Vec<_>>(),
        ));
        bytes.resize(self.sector, 0);
        bytes
    }

    /// The root has all streams in a row, each the right neighbour of the one before, and the
    /// storage at the end of the row.
    fn directory(&self, starts: &[u32]) -> Vec<u8> {
        let storage = number(self.streams.len() + self.inside.len() + 1);
        let mut bytes =
            entry("Root Entry", 5, [FREE, FREE, if starts.is_empty() { FREE } else { 1 }], 0, 0);
        for (at, stream) in self.streams.iter().chain(&self.inside).enumerate() {
            let is_last = at + 1 == self.streams.len() + self.inside.len();
            let right = match at + 1 == self.streams.len() {
                true if self.inside.is_empty() => FREE,
                true => storage,
                false if is_last => FREE,
                false => number(at + 2),
            };
            bytes.extend(entry(
                &stream.name,
                2,
                [FREE, right, FREE],
                starts[at],
                stream.data.len(),
            ));
        }
        if !self.inside.is_empty() {
            let first = number(self.streams.len() + 1);
            bytes.extend(entry("ObjectPool", 1, [FREE, FREE, first], 0, 0));
        }
        bytes.resize(bytes.len().next_multiple_of(self.sector), 0);
        bytes
    }
}

fn streams(names: &[&str]) -> Vec<Stream> {
    let stream = |name: &&str| Stream { name: (*name).to_owned(), data: vec![7; 5_000] };
    names.iter().map(stream).collect()
}

fn chain(next: &mut Vec<u32>, length: usize) {
    let first = next.len();
    next.extend((1..length).map(|at| number(first + at)));
    next.extend((length > 0).then_some(END));
}

fn entry(name: &str, kind: u8, links: [u32; 3], start: u32, size: usize) -> Vec<u8> {
    let mut bytes: Vec<_> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    let length = u8::try_from(bytes.len()).unwrap();
    bytes.resize(64, 0);
    bytes.extend([length, 0, kind, 1]);
    bytes.extend(longs(&links));
    bytes.resize(116, 0);
    bytes.extend(longs(&[start, number(size), 0]));
    bytes
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap()
}

fn longs(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().copied().flat_map(u32::to_le_bytes).collect()
}

/// Writes numbers over the bytes of a good document.
fn is_doc_with(places: &[(usize, u32)]) -> bool {
    let mut bytes = doc();
    for (at, number) in places {
        bytes[*at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    is(Extension::Doc, &bytes)
}

#[test]
fn the_streams_tell_the_type() {
    for (names, expected) in [
        (vec!["WordDocument"], Some(Extension::Doc)),
        (vec!["a", "b", "c", "d", "e", "f", "WordDocument"], Some(Extension::Doc)),
        (vec!["PowerPoint Document"], Some(Extension::Ppt)),
        (vec!["PowerPoint Document", "WordDocument"], None),
        (vec!["Workbook"], None),
        (vec!["WordDocument2"], None),
        (vec!["WordDocumen"], None),
        (vec!["EncryptedPackage", "EncryptionInfo"], None),
        (vec![], None),
    ] {
        let mut file = CompoundFile::with(&names);
        assert_eq!(types(&file.bytes()), Vec::from_iter(expected), "{names:?}");
        file.sector = 4096;
        assert_eq!(types(&file.bytes()), Vec::from_iter(expected), "{names:?}, large sectors");
    }
}

#[test]
fn what_is_embedded_does_not_count() {
    let inside = |names, inside| {
        types(&CompoundFile { inside: streams(inside), ..CompoundFile::with(names) }.bytes())
    };
    assert_eq!(inside(&["Workbook"], &["WordDocument"]), []);
    assert_eq!(inside(&["WordDocument"], &["PowerPoint Document"]), [Extension::Doc]);
    assert_eq!(inside(&["PowerPoint Document"], &["WordDocument"]), [Extension::Ppt]);
}

#[test]
fn a_stream_has_to_have_something_in_it() {
    let mut file = CompoundFile::with(&["WordDocument"]);
    file.streams[0].data.clear();
    assert!(!is(Extension::Doc, &file.bytes()));
    file.streams[0].data.resize(1, 0);
    assert!(is(Extension::Doc, &file.bytes()));
}

#[test]
fn what_programs_leave_behind_the_last_sector_is_accepted() {
    for (filling, expected) in
        [(FREE, true), (0, true), (TABLE, true), (LIST, true), (END, false), (1, false)]
    {
        let file = CompoundFile { filling, ..CompoundFile::with(&["WordDocument"]) };
        assert_eq!(is(Extension::Doc, &file.bytes()), expected, "{filling:X}");
    }
    // The last sector is not filled up.
    let bytes = doc();
    assert!(is(Extension::Doc, &bytes[..bytes.len() - 100]));
}

#[test]
fn damaged_headers_are_refused() {
    assert!(is_doc_with(&[]));
    for (at, number) in [
        (0, 0),
        (4, 0),
        (24, 0x0005_003E),
        (24, 0x0004_003E),
        (28, 0x0009_FEFF),
        (28, 0x000C_FFFE),
        (28, 0x00FF_FFFE),
        (48, 1_000),
        (48, END),
        (48, FREE),
        (76, FREE),
        (76, END),
        (76, 1_000),
    ] {
        assert!(!is_doc_with(&[(at, number)]), "{number:X} at {at}");
    }
}

#[test]
fn rings_come_to_an_end() {
    // Sectors: the table, the directory, three streams of ten.
    let (table, directory) = (512, 1024);
    let (word, sibling) = (directory + 2 * 128, directory + 128 + 72);
    assert!(!is_doc_with(&[(table + 4, 1)]), "the directory follows itself");
    assert!(!is_doc_with(&[(table + 4 * 20, 12)]), "the stream follows itself");
    assert!(!is_doc_with(&[(table + 4 * 15, END)]), "the stream is cut off");
    assert!(!is_doc_with(&[(table + 4 * 15, FREE)]), "the stream is torn");
    assert!(!is_doc_with(&[(table + 4 * 15, 1_000)]), "the stream leads outside");
    assert!(!is_doc_with(&[(word + 116, 1_000)]), "the stream begins outside");
    assert!(!is_doc_with(&[(word + 120, 6_000)]), "the stream is longer than its sectors");
    assert!(!is_doc_with(&[(sibling, 1)]), "an entry beside itself");
    assert!(!is_doc_with(&[(sibling, 0), (directory + 72, 1)]), "an entry beside its root");
    assert!(!is_doc_with(&[(sibling, 4_000)]), "an entry outside the directory");
    assert!(!is_doc_with(&[(directory + 64, 0x0001_0016)]), "the root is not one");
    assert!(!is_doc_with(&[(word + 64, 0x0001_001A)]), "a storage is no stream");
    assert!(!is_doc_with(&[(word + 64, 0x0102_0018)]), "a name without its end");
    // The order of the tree does not matter, nor where a small stream is.
    assert!(is_doc_with(&[(sibling, FREE), (sibling - 4, 2)]));
    assert!(is_doc_with(&[(word + 116, 1_000), (word + 120, 100)]));
    // The high half of a size is nothing in version 3.
    assert!(is_doc_with(&[(word + 124, u32::MAX)]));
}

#[test]
fn the_entries_of_the_root_are_bounded() {
    for (count, expected) in [(4_096, true), (4_097, false)] {
        let mut file = CompoundFile::with(&["WordDocument"]);
        let other = Stream { name: "a".to_owned(), data: Vec::new() };
        file.streams.splice(0..0, vec![other; count - 1]);
        assert_eq!(is(Extension::Doc, &file.bytes()), expected, "{count}");
    }
}

#[test]
fn a_large_document_has_its_table_listed_outside_the_header() {
    let mut file = CompoundFile::with(&["WordDocument"]);
    file.streams[0].data = vec![0; 20 << 20];
    let mut bytes = file.bytes();
    assert_eq!(u32::from_le_bytes(*bytes[72..].first_chunk().unwrap()), 2, "sectors of the list");
    assert!(is(Extension::Doc, &bytes));
    let list = u32::from_le_bytes(*bytes[68..].first_chunk().unwrap());
    let place = 512 * (usize::try_from(list).unwrap() + 1);
    // A list that begins anew, over and over; then one that leads nowhere.
    bytes[place + 508..place + 512].copy_from_slice(&list.to_le_bytes());
    bytes[place + 127..place + 508].fill(0xFF);
    assert!(!is(Extension::Doc, &bytes));
    bytes[68..72].copy_from_slice(&1_000_000_u32.to_le_bytes());
    assert!(!is(Extension::Doc, &bytes));
}
