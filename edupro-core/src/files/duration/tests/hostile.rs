//! Files that nobody would write who means well. That each walk ends, within its bounds and
//! without a panic, is what [`Disk::duration`] asserts.

use proptest::{collection::vec, prelude::*, sample};

use super::{
    super::matroska::id,
    Container::{self, Avi, Matroska, Mp4},
    Disk, avi, container, fragments, matroska, mp4,
};

/// Whole files of each container: one that tells its duration, and one that shows it otherwise.
pub(super) fn files() -> [(Container, Vec<u8>); 6] {
    [
        (Mp4, mp4::video()),
        (Mp4, fragments::recording()),
        (Matroska, matroska::video()),
        (Matroska, matroska::recording()),
        (Avi, avi::video()),
        (Avi, avi::capture()),
    ]
}

/// What the walks look for.
fn words(container: Container) -> Vec<Vec<u8>> {
    const BOXES: [&[u8; 4]; 17] = [
        b"moov", b"mvhd", b"trak", b"tkhd", b"mdia", b"mdhd", b"mvex", b"mehd", b"trex", b"moof",
        b"traf", b"tfhd", b"tfdt", b"trun", b"mdat", b"free", b"ftyp",
    ];
    const CHUNKS: [&[u8; 4]; 10] =
        [b"LIST", b"hdrl", b"avih", b"strl", b"strh", b"vids", b"odml", b"dmlh", b"JUNK", b"movi"];
    const ELEMENTS: [u32; 14] = [
        id::EBML,
        id::SEGMENT,
        id::INFO,
        id::CLUSTER,
        id::CUES,
        id::TIMESTAMP_SCALE,
        id::DURATION,
        id::TIMESTAMP,
        id::SIMPLE_BLOCK,
        id::BLOCK_GROUP,
        id::BLOCK,
        id::BLOCK_DURATION,
        id::VOID,
        id::DOC_TYPE,
    ];
    match container {
        Mp4 => BOXES.map(|name| name.to_vec()).to_vec(),
        Avi => CHUNKS.map(|name| name.to_vec()).to_vec(),
        Matroska => ELEMENTS.map(matroska::name).to_vec(),
    }
}

/// Numbers at the edges, which sizes, counts and times may be.
const EDGES: [u64; 12] = [
    0,
    1,
    7,
    8,
    16,
    0xFF,
    0xFFFF,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    0x1_0000_0000,
    0x7FFF_FFFF_FFFF_FFFF,
    u64::MAX,
];

/// Words, sizes, and noise, one after the other.
fn soup(container: Container) -> impl Strategy<Value = Vec<u8>> {
    let size = prop_oneof![0..80_u32, any::<u32>()];
    let part = prop_oneof![
        (size, sample::select(words(container))).prop_map(move |(size, word)| match container {
            Mp4 => [&size.to_be_bytes()[..], &word].concat(),
            Avi => [&word, &size.to_le_bytes()[..]].concat(),
            Matroska => [&word[..], &(size | 0x1000_0000).to_be_bytes()].concat(),
        }),
        sample::select(EDGES.to_vec()).prop_map(|number| number.to_be_bytes().to_vec()),
        vec(any::<u8>(), 0..24),
    ];
    vec(part, 0..60).prop_map(|parts| parts.concat())
}

/// Numbers that look like chance and are the same every time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }
}

/// Damages a file in one to four places.
fn mutate(file: &mut Vec<u8>, words: &[Vec<u8>], numbers: &mut Numbers) {
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(file.len());
        let end = at + numbers.below((file.len() - at).min(64));
        match numbers.below(7) {
            0 => {
                if let Some(byte) = file.get_mut(at) {
                    *byte ^= 1 << numbers.below(8);
                }
            }
            1 => {
                // A number at the edge, of one byte to eight, in either order.
                let mut edge = EDGES[numbers.below(EDGES.len())].to_be_bytes();
                if numbers.below(2) == 0 {
                    edge.reverse();
                }
                let edge = &edge[numbers.below(8)..];
                let end = file.len().min(at + edge.len());
                file[at..end].copy_from_slice(&edge[..end - at]);
            }
            2 => {
                let word = &words[numbers.below(words.len())];
                let end = file.len().min(at + word.len());
                file[at..end].copy_from_slice(&word[..end - at]);
            }
            3 => file.truncate(at),
            4 => drop(file.drain(at..end)),
            5 => {
                let part = file[at..end].repeat(1 + numbers.below(4));
                let to = numbers.below(file.len());
                file.splice(to..to, part);
            }
            _ => file[at..end].fill(numbers.next().to_be_bytes()[0]),
        }
    }
}

/// How many damaged files each whole file makes, which is 20,000 for each container.
const MUTATIONS: u32 = 10_000;

#[test]
fn damaged_files_are_harmless() {
    for (seed, (kind, whole)) in (0..).zip(files()) {
        let mut numbers = Numbers(seed);
        let words = words(kind);
        for _ in 0..MUTATIONS {
            let mut file = whole.clone();
            mutate(&mut file, &words, &mut numbers);
            let _ = container(&file);
            Disk::new(&file).duration(kind);
        }
    }
}

#[test]
fn floods_are_harmless() {
    // Far more of the smallest element than may be visited, and what each container repeats.
    let cluster = [&matroska::video()[..], &[0x1F, 0x43, 0xB6, 0x75].repeat(5_000_000)].concat();
    let segment = [0x18, 0x53, 0x80, 0x67, 0xFF];
    let recording = matroska::recording();
    let floods = [
        (Mp4, b"\0\0\0\x08moof".repeat(100_000)),
        (Mp4, [mp4::video(), b"\0\0\0\x08moof".repeat(100_000)].concat()),
        (Mp4, [fragments::recording(), b"\0\0\0\0moof\0\0\0\0traf".repeat(50_000)].concat()),
        (Mp4, [&b"\0\0\0\0moov"[..], &b"\0\0\0\x08trak".repeat(100_000)].concat()),
        (Matroska, [&segment[..], &[0xEC, 0x80].repeat(100_000)].concat()),
        (Matroska, segment.repeat(100_000)),
        (Matroska, cluster),
        (
            Matroska,
            [&recording[..], &[0x1F, 0x43, 0xB6, 0x75, 0xFF, 0xE7, 0x81, 0].repeat(2_500_000)]
                .concat(),
        ),
        (Avi, [&b"RIFF\0\0\0\0AVI "[..], &[0].repeat(1_000_000)].concat()),
        (Avi, [&b"RIFF\0\0\0\0AVI "[..], &b"LIST\xFF\xFF\xFF\xFFhdrl".repeat(50_000)].concat()),
    ];
    for (kind, file) in floods {
        let _ = container(&file);
        Disk::new(&file).duration(kind);
    }
}

proptest! {
    #[test]
    fn soups_of_boxes_are_harmless(file in soup(Mp4)) {
        let _ = container(&file);
        Disk::new(&file).duration(Mp4);
        let moov = [mp4::video(), file.clone()].concat();
        Disk::new(&moov).duration(Mp4);
        let fragments = [fragments::recording(), file].concat();
        Disk::new(&fragments).duration(Mp4);
    }

    #[test]
    fn soups_of_elements_are_harmless(file in soup(Matroska)) {
        let _ = container(&file);
        Disk::new(&file).duration(Matroska);
        let recording = [matroska::recording(), file].concat();
        Disk::new(&recording).duration(Matroska);
    }

    #[test]
    fn soups_of_chunks_are_harmless(file in soup(Avi)) {
        let file = [&b"RIFF\0\0\0\0AVI "[..], &file].concat();
        let _ = container(&file);
        Disk::new(&file).duration(Avi);
    }

    #[test]
    fn any_bytes_are_harmless(file in vec(any::<u8>(), 0..400)) {
        let _ = container(&file);
        for kind in [Mp4, Matroska, Avi] {
            Disk::new(&file).duration(kind);
        }
    }
}
