//! The same promises with bytes that proptest makes up.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

#[test]
fn genuine_tokens_read() {
    for genuine in tokens() {
        assert!(token(&genuine), "{genuine}");
    }
}

/// Genuine tokens in pieces, and what else stands in tokens.
fn parts_of_tokens() -> impl Strategy<Value = String> {
    let genuine: Vec<String> =
        tokens().iter().flat_map(|token| token.split('.').map(ToOwned::to_owned)).collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0".to_owned();
    let part = prop_oneof![
        4 => select([genuine, vec![none, String::new()]].concat()),
        1 => "[A-Za-z0-9_-]{0,60}",
        1 => "\\PC{0,8}",
    ];
    vec(part, 0..5).prop_map(|parts| parts.join("."))
}

/// A file that is what it claims to be, but for a few bytes, and its claim before it.
fn nearly_files() -> impl Strategy<Value = Vec<u8>> {
    let picture = |format| {
        let picture =
            RgbImage::from_fn(20, 10, |x, y| Rgb([x, x * y, y].map(|it| it.to_le_bytes()[0])));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let zip = |part: &[u8]| [b"PK\x03\x04[Content_Types].xml", part, b"PK\x05\x06"].concat();
    let kinds = [
        (vec![0, 4, 6], picture(ImageFormat::Jpeg)),
        (vec![1, 5, 7], picture(ImageFormat::Png)),
        (vec![2], picture(ImageFormat::Gif)),
        (vec![3], picture(ImageFormat::WebP)),
        (vec![8], b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF\n".to_vec()),
        (vec![9, 11], [&b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"[..], &[0; 1_000]].concat()),
        (vec![10], zip(b"word/document.xml")),
        (vec![12], zip(b"ppt/presentation.xml")),
        (vec![13, 14, 18], b"\0\0\0\x14ftypisom\0\0\x02\0isom\0\0\0\x08moov".to_vec()),
        (vec![15, 18], b"RIFF\x20\0\0\0AVI LIST\x14\0\0\0hdrlavih\x08\0\0\0\x35\x82\0\0".to_vec()),
        (vec![16, 17, 18], b"\x1A\x45\xDF\xA3\x87\x42\x82\x84webm\x18\x53\x80\x67\xFF".to_vec()),
    ];
    let changes = vec((any::<u16>(), any::<u8>()), 0..4);
    (select(kinds.to_vec()), any::<u8>(), changes, 0..40_usize).prop_map(
        |((claims, mut content), claim, changes, cut)| {
            for (place, byte) in changes {
                let place = usize::from(place) % content.len();
                content[place] = byte;
            }
            content.truncate(content.len() - if cut < 10 { cut } else { 0 });
            content.insert(0, claims[usize::from(claim) % claims.len()]);
            content
        },
    )
}

#[test]
fn whole_files_are_accepted() {
    let pdf = [&[8], &b"%PDF-1.7\n%%EOF"[..]].concat();
    assert!(file(&pdf));
    assert!(!file(&pdf[..10]));
    let mov = [&[14], &b"\0\0\0\x10wide\0\0\0\0\0\0\0\0\0\0\0\x08moov"[..]].concat();
    assert!(file(&mov));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn files_are_what_they_claim_to_be(bytes in nearly_files()) {
        file(&bytes);
    }

    #[test]
    fn only_what_was_signed_reads_as_a_token(text in parts_of_tokens()) {
        token(&text);
    }

    #[test]
    fn no_letter_of_a_token_can_be_another(place: u16, letter in 0x20_u8..0x7f) {
        altered_token(place.into(), letter);
    }
}
