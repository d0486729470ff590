//! What is no picture, or is made to do harm.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// The words for a refused upload.
fn refusal(file_name: &str, bytes: &[u8]) -> String {
    check(file_name, bytes).expect_err(file_name).to_string()
}

#[test]
fn what_is_no_picture_is_refused() {
    let png = encoded(8, 8, ImageFormat::Png);
    for (name, bytes) in [
        ("page.png", PAGE),
        ("drawing.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        ("drawing.png", b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        ("text.gif", b"GIF89a"),
        ("one.jpg", b"\xFF"),
        ("head.jpg", b"\xFF\xD8\xFF"),
        ("archive.png", b"PK\x03\x04"),
        ("renamed.jpg", &png),
        ("renamed.html", &png),
        ("double.png.html", &png),
        ("png", &png),
        ("", &png),
    ] {
        assert_eq!(refusal(name, bytes), INVALID, "{name}");
    }
}

#[test]
fn damaged_pictures_are_refused() {
    for (name, format) in [
        ("a.jpg", ImageFormat::Jpeg),
        ("a.png", ImageFormat::Png),
        ("a.gif", ImageFormat::Gif),
        ("a.webp", ImageFormat::WebP),
    ] {
        let bytes = encoded(64, 64, format);
        for length in [bytes.len() / 4, bytes.len() / 2, bytes.len() - 20] {
            assert_eq!(refusal(name, &bytes[..length]), INVALID, "{name} cut to {length}");
        }
    }
    for webp in [LOSSY_WEBP, ALPHA_WEBP, ANIMATED_WEBP] {
        let bytes = decoded(webp);
        assert_eq!(refusal("a.webp", &bytes[..bytes.len() - 2]), INVALID);
    }
}

/// What was kept of one was larger for whoever takes the scale for a part of the width, and was not
/// accepted again.
#[test]
fn a_picture_that_asks_to_be_scaled_is_refused() {
    for webp in [ALPHA_WEBP, ANIMATED_WEBP] {
        let bytes = decoded(webp);
        assert!(check("a.webp", &bytes).is_ok());
        let start = bytes.windows(3).position(|code| code == b"\x9D\x01\x2A").unwrap() + 3;
        for width_or_height in [start + 1, start + 3] {
            let mut scaled = bytes.clone();
            scaled[width_or_height] |= 0x80;
            assert_eq!(refusal("a.webp", &scaled), INVALID);
        }
    }
}

#[test]
fn sizes_are_limited() {
    assert_eq!(refusal("a.png", b""), "The submitted file is empty.");
    let mut bytes = encoded(8, 8, ImageFormat::Png);
    bytes.resize(5 * 1024 * 1024, 0);
    assert!(check("a.png", &bytes).is_ok());
    bytes.push(0);
    assert_eq!(refusal("a.png", &bytes), "Image size must be less than 5MB.");
    assert_eq!(PictureRules::PUBLIC.too_large().to_string(), "Image size must be less than 5MB.");
}

#[test]
fn dimensions_are_limited() {
    const WORDS: &str = "Image dimensions must not exceed 4096x4096 pixels.";
    for (name, format) in [
        ("a.jpg", ImageFormat::Jpeg),
        ("a.png", ImageFormat::Png),
        ("a.gif", ImageFormat::Gif),
        ("a.webp", ImageFormat::WebP),
    ] {
        let (picture, _) = check(name, &encoded(4096, 1, format)).expect(name);
        assert_eq!((picture.width, picture.height), (4096, 1), "{name}");
        assert_eq!(refusal(name, &encoded(4097, 1, format)), WORDS, "{name}");
        assert_eq!(refusal(name, &encoded(1, 4097, format)), WORDS, "{name}");
    }
}

/// 156 megapixels in 20 KB (security R23).
#[test]
fn a_bomb_is_refused_by_its_header() {
    let mut bomb = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bomb, 12_500, 12_500);
    encoder.set_color(::png::ColorType::Grayscale);
    encoder.set_depth(::png::BitDepth::One);
    encoder.set_compression(::png::Compression::Fastest);
    encoder.set_filter(::png::Filter::NoFilter);
    let mut writer = encoder.write_header().unwrap();
    let mut rows = writer.stream_writer().unwrap();
    for _ in 0..12_500 {
        rows.write_all(&[0; 12_500_usize.div_ceil(8)]).unwrap();
    }
    rows.finish().unwrap();
    writer.finish().unwrap();
    assert!(bomb.len() < 1_000_000, "{}", bomb.len());

    let bomb = upload("a.png", &bomb);
    let start = Instant::now();
    let refused = check_picture(&bomb, PictureRules::PUBLIC);
    assert!(matches!(refused, Err(PictureError::Dimensions { side: 4096 })));
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

/// The header that is looked at first is not the one that the decoder obeys.
#[test]
fn a_webp_frame_larger_than_its_canvas_is_refused() {
    let mut bytes = decoded(ALPHA_WEBP);
    let frame = bytes.windows(3).position(|bytes| bytes == [0x9D, 0x01, 0x2A]).unwrap() + 3;
    bytes[frame..frame + 4].copy_from_slice(&[0xFF, 0x3F, 0xFF, 0x3F]);
    assert!(matches!(check("a.webp", &bytes), Err(PictureError::Dimensions { .. })));
}

/// Bits in the order of a WebP without loss.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    fn push(&mut self, value: u32, count: usize) {
        for bit in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let value = u8::from(value >> bit & 1 == 1);
            *self.bytes.last_mut().unwrap() |= value << (self.used % 8);
            self.used += 1;
        }
    }

    /// A code table with one symbol.
    fn push_single(&mut self, symbol: u32) {
        self.push(0b101, 3);
        self.push(symbol, 8);
    }

    /// A code table with codes of 1, 2, … 9, 10 and 10 bits: 4 KiB in memory, 12 bytes here.
    fn push_table(&mut self) {
        self.push(0, 1);
        // The lengths of the codes for the lengths, in an order of the format's own.
        self.push(14 - 4, 4);
        for length in [0, 0, 0, 3, 3, 3, 3, 3, 0, 3, 4, 4, 4, 4] {
            self.push(length, 3);
        }
        // Eleven symbols have a code.
        self.push(0b0011, 4);
        self.push(11 - 2, 4);
        for length in (1..=10).chain([10]) {
            let (code, bits): (u32, usize) =
                if length <= 6 { (length - 1, 3) } else { (length + 5, 4) };
            // Codes are the only numbers whose first bit is the highest.
            self.push(code.reverse_bits() >> (32 - bits), bits);
        }
    }
}

/// The data of one pixel, and before it 327 680 code tables that nothing uses.
fn many_tables() -> Vec<u8> {
    let mut bits = Bits::default();
    // No transformation, no cache, but several groups of tables, which one pixel names…
    bits.push(0b100, 3);
    bits.push(0, 3);
    bits.push(0, 1);
    for symbol in [0xFF, 0xFF, 0, 0, 0] {
        bits.push_single(symbol);
    }
    // …and it names the last of 65 536.
    for _ in 0..5 * 65_536 {
        bits.push_table();
    }
    bits.push(0, 32);
    bits.bytes
}

/// 4 MB that would take 1.3 GB to decode (security R23).
#[test]
fn a_webp_with_too_many_code_tables_is_refused() {
    let tables = many_tables();
    assert!(tables.len() < 5_000_000, "{}", tables.len());
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let length = u32::try_from(data.len()).unwrap().to_le_bytes();
        [name, &length[..], data, &[0][..data.len() % 2]].concat()
    };
    let lossless = [&[0x2F, 0, 0, 0, 0][..], &tables].concat();
    let lossless = chunk(b"RIFF", &[b"WEBP", &chunk(b"VP8L", &lossless)[..]].concat());
    let alpha = {
        let file = decoded(ALPHA_WEBP);
        let (head, rest) = file[12..].split_at(18);
        let picture = rest.windows(4).position(|name| name == b"VP8 ").unwrap();
        let alpha = chunk(b"ALPH", &[&[1][..], &tables].concat());
        chunk(b"RIFF", &[b"WEBP", head, &alpha, &rest[picture..]].concat())
    };
    for bomb in [lossless, alpha] {
        assert_eq!(refusal("a.webp", &bomb), INVALID);
    }
}

/// One good picture of every sort that is rewritten in a way of its own.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut turned = Vec::new();
    encode_with_exif(JpegEncoder::new(&mut turned), 6, &gradient(20, 12));
    vec![
        ("a.jpg", turned),
        ("a.png", encoded(20, 12, ImageFormat::Png)),
        ("a.png", decoded(INTERLACED_PNG)),
        ("a.gif", encoded(20, 12, ImageFormat::Gif)),
        ("a.webp", encoded(20, 12, ImageFormat::WebP)),
        ("a.webp", decoded(LOSSY_WEBP)),
        ("a.webp", decoded(ALPHA_WEBP)),
        ("a.webp", decoded(ANIMATED_WEBP)),
    ]
}

#[test]
fn a_webp_whose_alpha_was_made_in_no_known_way_is_refused() {
    let with_alpha = |(_, bytes): &(_, Vec<u8>)| bytes.windows(4).any(|name| name == b"ALPH");
    let (name, mut bytes) = samples().into_iter().find(with_alpha).unwrap();
    assert!(check(name, &bytes).is_ok());
    let chunk = bytes.windows(4).position(|name| name == b"ALPH").unwrap();
    bytes[chunk + 8] |= 0b10 << 4;
    assert!(check(name, &bytes).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_do_no_harm(
        sample in 0..8_usize,
        head in 0..40_usize,
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let (name, bytes) = samples().swap_remove(sample);
        let _ = check(name, &[&bytes[..head], &noise].concat());
    }

    #[test]
    fn damaged_pictures_do_no_harm(
        sample in 0..8_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (name, mut bytes) = samples().swap_remove(sample);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok((picture, rewritten)) = check(name, &bytes) {
            // What is let through can be read, and is what was said of it.
            let read = image::load_from_memory(&rewritten).unwrap();
            prop_assert_eq!((read.width(), read.height()), (picture.width, picture.height));
        }
    }
}
