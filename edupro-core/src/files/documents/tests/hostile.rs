//! Whatever arrives, the answer comes soon and without a panic.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;

/// Where a document is overwritten, and with what. Most numbers of the formats have four bytes,
/// and the most telling ones are at the edges.
fn mutations() -> impl Strategy<Value = Vec<(Index, Vec<u8>)>> {
    let edges = [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFC, 0xFFFF_FFFE, 0xFFFF_FFFF_u32];
    let edge = proptest::sample::select(edges.map(|edge| edge.to_le_bytes().to_vec()).to_vec());
    let small = (0..64_u32).prop_map(|number| number.to_le_bytes().to_vec());
    vec((any::<Index>(), prop_oneof![vec(any::<u8>(), 1..8), edge, small]), 1..12)
}

fn overwrite(bytes: &mut [u8], mutations: &[(Index, Vec<u8>)]) {
    for (at, new) in mutations {
        let at = at.index(bytes.len());
        for (byte, new) in bytes[at..].iter_mut().zip(new) {
            *byte = *new;
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_are_no_document(bytes in vec(any::<u8>(), 0..4096)) {
        prop_assert_eq!(types(&bytes), []);
    }

    #[test]
    fn random_bytes_between_good_ends_do_no_harm(
        bytes in vec(any::<u8>(), 0..4096),
        sample in 0..5_usize,
        head in 0..1024_usize,
        tail in 0..1024_usize,
    ) {
        let (_, _, good) = &samples()[sample];
        let (head, tail) = (head.min(good.len()), good.len().saturating_sub(tail));
        types(&[&good[..head], &bytes, &good[tail..]].concat());
    }

    #[test]
    fn a_mutated_document_is_of_its_type_or_of_none(
        sample in 0..5_usize,
        mutations in mutations(),
        length in any::<Index>(),
        cut: bool,
    ) {
        let (_, extension, mut bytes) = samples()[sample].clone();
        overwrite(&mut bytes, &mutations);
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        let types = types(&bytes);
        prop_assert!(types.is_empty() || types == [extension]);
    }

    /// The heart of each format, where a change does more: the last records of an archive, the
    /// header, the table and the directory of a compound file.
    #[test]
    fn the_heart_of_a_document_may_be_anything(
        sample in 1..5_usize,
        mutations in mutations(),
    ) {
        let (_, extension, mut bytes) = samples()[sample].clone();
        let heart = match extension {
            Extension::Docx | Extension::Pptx => bytes.len() - 240..bytes.len(),
            _ => 0..1536,
        };
        overwrite(&mut bytes[heart], &mutations);
        types(&bytes);
    }
}
