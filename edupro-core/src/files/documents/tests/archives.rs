//! ZIP archives, and what is refused of them.

use super::*;

/// An archive to be built.
#[derive(Clone, Default)]
pub(super) struct Archive {
    /// What stands in front, with the places in the directory counting it.
    pub(super) front: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    pub(super) comment: Vec<u8>,
}

/// An entry, stored.
#[derive(Clone, Default)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) data: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) disk: u16,
    /// What the directory says of its size, when it is not the truth.
    pub(super) claimed: Option<u32>,
    /// Of the directory's record.
    pub(super) extra: Vec<u8>,
    pub(super) comment: Vec<u8>,
}

impl Archive {
    pub(super) fn with(names: &[&str]) -> Self {
        let entry = |name: &&str| Entry {
            name: name.as_bytes().to_vec(),
            data: b"<?xml version=\"1.0\"?><x/>".to_vec(),
            ..Entry::default()
        };
        Self { entries: names.iter().map(entry).collect(), ..Self::default() }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.front.clone();
        let mut directory = Vec::new();
        for entry in &self.entries {
            let at = long(bytes.len());
            bytes.extend(entry.local_header());
            bytes.extend(&entry.data);
            directory.extend(entry.record(at));
        }
        let at = long(bytes.len());
        bytes.extend(&directory);
        bytes.extend(end(self.entries.len(), directory.len(), at, &self.comment));
        bytes
    }
}

impl Entry {
    fn local_header(&self) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.extend(shorts([20, self.flags, self.method, 0, 0]));
        bytes.extend(longs([0, long(self.data.len()), long(self.data.len())]));
        bytes.extend(shorts([short(self.name.len()), 0]));
        bytes.extend(&self.name);
        bytes
    }

    pub(super) fn record(&self, at: u32) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02".to_vec();
        let size = long(self.data.len());
        bytes.extend(shorts([20, 20, self.flags, self.method, 0, 0]));
        bytes.extend(longs([0, size, self.claimed.unwrap_or(size)]));
        bytes.extend(shorts([&self.name, &self.extra, &self.comment].map(|it| short(it.len()))));
        bytes.extend(shorts([self.disk, 0]));
        bytes.extend(longs([0, at]));
        [bytes, self.name.clone(), self.extra.clone(), self.comment.clone()].concat()
    }
}

pub(super) fn end(entries: usize, directory: usize, at: u32, comment: &[u8]) -> Vec<u8> {
    let mut bytes = b"PK\x05\x06".to_vec();
    bytes.extend(shorts([0, 0, short(entries), short(entries)]));
    bytes.extend(longs([long(directory), at]));
    bytes.extend(shorts([short(comment.len())]));
    bytes.extend(comment);
    bytes
}

fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap()
}

fn long(number: usize) -> u32 {
    u32::try_from(number).unwrap()
}

fn shorts<const N: usize>(numbers: [u16; N]) -> Vec<u8> {
    numbers.map(u16::to_le_bytes).concat()
}

fn longs<const N: usize>(numbers: [u32; N]) -> Vec<u8> {
    numbers.map(u32::to_le_bytes).concat()
}

fn is_word(change: impl FnOnce(&mut Archive)) -> bool {
    let mut archive = word();
    change(&mut archive);
    is(Extension::Docx, &archive.bytes())
}

#[test]
fn the_parts_tell_the_type() {
    for (names, expected) in [
        (vec!["[Content_Types].xml", "word/document.xml"], Some(Extension::Docx)),
        (vec!["[Content_Types].xml", "word/document2.xml"], Some(Extension::Docx)),
        (vec!["[Content_Types].xml", "word/documents.xml"], None),
        (vec!["[Content_Types].xml", "word/documents/document.xml"], None),
        (vec!["[Content_Types].xml", "ppt/presentation.xml"], Some(Extension::Pptx)),
        (vec!["[Content_Types].xml", "xl/workbook.xml"], None),
        (vec!["[Content_Types].xml", "word/document.xml", "ppt/presentation.xml"], None),
        (vec!["[Content_Types].xml"], None),
        (vec!["word/document.xml"], None),
        (vec!["META-INF/MANIFEST.MF", "ppt/presentation.xml"], None),
        (vec![], None),
    ] {
        assert_eq!(types(&Archive::with(&names).bytes()), Vec::from_iter(expected), "{names:?}");
    }
}

#[test]
fn what_programs_write_is_accepted() {
    assert!(is_word(|archive| archive.comment = b"made by a program".to_vec()));
    assert!(is_word(|archive| archive.comment = vec![b'.'; 65_535]));
    assert!(is_word(|archive| archive.entries[0].extra = vec![0; 65_535]));
    assert!(is_word(|archive| archive.entries[1].comment = vec![b'.'; 65_535]));
    assert!(is_word(|archive| archive.entries[1].method = 8));
    // Sizes behind the data, names in UTF-8.
    assert!(is_word(|archive| archive.entries[1].flags = 1 << 3 | 1 << 11));
    assert!(is_word(|archive| archive.entries[1].claimed = Some(400_000_000)));
    // An end inside the comment that does not reach the end of the file.
    assert!(is_word(|archive| archive.comment = [end(0, 0, 0, b""), vec![0]].concat()));
}

#[test]
fn entries_out_of_bounds_are_refused() {
    for flag in [0, 6, 13] {
        assert!(!is_word(|archive| archive.entries[1].flags = 1 << flag), "encrypted");
    }
    for method in [1, 9, 12, 14, 93, 99] {
        assert!(!is_word(|archive| archive.entries[1].method = method), "{method}");
    }
    assert!(!is_word(|archive| archive.entries[0].disk = 1));
    // As many bytes as ZIP64 says elsewhere.
    assert!(!is_word(|archive| archive.entries[0].claimed = Some(u32::MAX)));
    for claimed in [300_000_000, 250_000_000] {
        let refused = claimed == 300_000_000;
        let both = |archive: &mut Archive| {
            archive.entries.iter_mut().for_each(|entry| entry.claimed = Some(claimed));
        };
        assert_eq!(is_word(both), !refused, "{claimed} twice");
    }
}

#[test]
fn names_that_lead_outside_are_refused() {
    let named = |name: &[u8]| {
        is_word(|archive| {
            archive.entries.push(Entry { name: name.to_vec(), ..Entry::default() });
        })
    };
    for name in [
        &b"../a"[..],
        b"a/../../b",
        b"a/..",
        b"..",
        b"..\\a",
        b"a\\..\\b",
        b"/etc/passwd",
        b"\\\\server\\a",
        b"C:\\a",
        b"c:a",
        b"a\0b",
        b"",
        &[b'a'; 1025],
    ] {
        assert!(!named(name), "{}", name.escape_ascii());
    }
    for name in
        [&b"word/media/a..b.png"[..], b"..a", b"word/...", "صورة.png".as_bytes(), &[b'a'; 1024]]
    {
        assert!(named(name), "{}", name.escape_ascii());
    }
}

#[test]
fn the_number_of_entries_is_bounded() {
    let many = |count: usize| {
        let mut archive = word();
        archive.entries.resize_with(count, || Entry { name: b"a".to_vec(), ..Entry::default() });
        is(Extension::Docx, &archive.bytes())
    };
    assert!(many(5_000));
    assert!(!many(5_001));
    assert!(!many(6_000));
    // The largest directory has 4 MiB.
    let large = |count: usize| {
        is_word(|archive| {
            let entry = Entry { name: b"a".to_vec(), comment: vec![0; 60_000], ..Entry::default() };
            archive.entries.resize(count, entry);
        })
    };
    assert!(large(71));
    assert!(!large(72));
}

#[test]
fn an_archive_begins_and_ends_with_its_file() {
    assert!(!is_word(|archive| archive.front = b"x".to_vec()));
    assert!(!is_word(|archive| archive.front = PROGRAM.to_vec()));
    // What stands in front looks like an archive, too.
    assert!(!is_word(|archive| archive.front = docx()));
    let bytes = docx();
    for (before, after) in [(PROGRAM, &b""[..]), (b"", PAGE), (b"", b"\0"), (b"\0", b"")] {
        assert!(!is(Extension::Docx, &[before, &bytes, after].concat()));
    }
    // A part of it is said to be on another disk.
    for at in [4, 6, 8] {
        let mut split = bytes.clone();
        split[bytes.len() - 22 + at] += 1;
        assert!(!is(Extension::Docx, &split));
    }
    // The first header is damaged.
    assert!(!is(Extension::Docx, &[b"PK\x03\x05", &bytes[4..]].concat()));
}

#[test]
fn the_end_has_to_agree_with_the_directory() {
    let good = word();
    let entries: Vec<_> =
        [0, 74].iter().zip(&good.entries).map(|(at, it)| it.record(*at)).collect();
    let data = &good.bytes()[..146];
    let build = |entries: &[Vec<u8>], count, size, at| {
        is(Extension::Docx, &[data, &entries.concat(), &end(count, size, at, b"")].concat())
    };
    let size = entries.concat().len();
    assert!(build(&entries, 2, size, 146));
    assert!(!build(&entries, 1, size, 146), "too few entries");
    assert!(!build(&entries, 3, size, 146), "too many entries");
    assert!(!build(&entries, 2, size - 1, 146), "a short directory");
    assert!(!build(&entries, 2, size - 1, 147), "a late directory");
    assert!(!build(&entries, 2, size, 145), "an early directory");
    assert!(!build(&entries, 2, size + 146, 0), "the data as directory");
    assert!(!build(&entries, 0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF), "ZIP64");
    let longer = [entries.clone(), vec![b"...".to_vec()]].concat();
    assert!(!build(&longer, 2, size, 146), "something between the directory and the end");
    assert!(!build(&longer, 2, size + 3, 146), "something behind the last record");
    let shorter = |length: usize| entries.concat()[..length].to_vec();
    assert!(!build(&[shorter(size - 1)], 2, size - 1, 146), "half a record");
    assert!(!build(&[b"PK\x01\x03".to_vec(), entries.concat()[4..].to_vec()], 2, size, 146));
    // Records that point behind the data, or nowhere to the first byte.
    let record = |entry: usize, at| good.entries[entry].record(at);
    assert!(!build(&[record(0, 0), record(1, 130)], 2, size, 146));
    assert!(!build(&[record(0, 0), record(1, u32::MAX)], 2, size, 146));
    assert!(!build(&[record(0, 1), record(1, 74)], 2, size, 146));
    let mut last = record(1, 74);
    last[32] = 1;
    assert!(!build(&[record(0, 0), last], 2, size, 146), "half a comment");
    // Entries that all lie on the same data.
    let same = vec![record(0, 0); 10];
    assert!(!build(&same, 10, same.concat().len(), 146));
}
