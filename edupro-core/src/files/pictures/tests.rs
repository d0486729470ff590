//! Pictures of every sort, made by the encoders of the same crates. The few that those cannot make
//! stand here in base 64.

mod refused;

use super::*;
use crate::files::FileStore;
use base64::{Engine, prelude::BASE64_STANDARD};
use image::{
    DynamicImage, ImageEncoder, ImageFormat, Rgb, RgbImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
};

/// What follows the end of a picture that is also a page.
const PAGE: &[u8] = b"<html><script>alert(1)</script></html>";

/// 16×8, with loss.
const LOSSY_WEBP: &str = "UklGRkgAAABXRUJQVlA4IDwAAACwAQCdASoQAAgAAoBCJbACdAEOtW9oAP73yVawRuyA1UUbiGJbrywbr8quwuPe4zv/tdYaP/E17fJAAAA=";
/// 16×8, with loss and an alpha channel.
const ALPHA_WEBP: &str = "UklGRooAAABXRUJQVlA4WAoAAAAQAAAADwAABwAAQUxQSCcAAAABP0CQbRtSuMH6iIh1CKYhWUkhhRRSSCGFFPL/WIeI/meQFM2wHA8AVlA4IDwAAACwAQCdASoQAAgAAoBCJbACdAEOtXEwAP73yVawRuyA1UUbiGJbrywQR3HE6B+dpsS/Oo5af9sGb9/AAAA=";
/// 16×8, two frames.
const ANIMATED_WEBP: &str = "UklGRhIBAABXRUJQVlA4WAoAAAACAAAADwAABwAAQU5JTQYAAAAAAAAAAABBTk1GbgAAAAAAAAAAAA8AAAcAAGQAAAJWUDggVgAAAFABAJ0BKhAACAACgEIlsAAFjAAA/rpf/v//cD//Omb/cev/85//39CS+tz/qa36Pp+d/+pa/Ry/nhQxSoV+RyDYDyD1/8fZ/+dpzR/L3zU/8yct8+AAQU5NRnAAAAAAAAAAAAAPAAAHAABkAAAAVlA4IFgAAABUAQCdASoQAAgAAABCJbAABHQAAP7vOH/1H/7bT/5v7f7W1//m8fSfdFXyar8SK+9l/tgvxBP3oD7aMhAZnf+bPurv6TC8Ynv/9ogNj17XEP/9LAHFPAAA";
/// 9×9, interlaced, the pixel at (x, y) is 20 x + y.
const INTERLACED_PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAkAAAAJCAAAAAGy/WlaAAAAbUlEQVR42mNgWMDAsYIhgCGCgSVkCYNGBYNODYNBAwOTVlDVIgY2vbC6ZQwiNik9DGJ2aX0MEg4ZExiknLImMci45ExhYBTVtA1MrexdyMAsrm0fnF7dv5iBVVLXMTSzduJSBnZpfefw7PrJywHABBqVAk/FMgAAAABJRU5ErkJggg==";

fn decoded(base64: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(base64).unwrap()
}

/// A gradient: nothing in it looks the same turned.
fn gradient(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let shade = |at: u32, of: u32| u8::try_from(at * 255 / of).unwrap();
        Rgb([shade(x, width), shade(y, height), 90])
    })
}

fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = io::Cursor::new(Vec::new());
    gradient(width, height).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// EXIF data: the orientation, and a text in place of the coordinates.
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    exif.extend(b"30.0444 N 31.2357 E");
    exif
}

fn encode_with_exif(mut encoder: impl ImageEncoder, orientation: u8, picture: &RgbImage) {
    encoder.set_exif_metadata(exif(orientation)).unwrap();
    picture.write_with_encoder(encoder).unwrap();
}

fn upload(file_name: &str, bytes: &[u8]) -> Upload {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut staging = FileStore::in_memory().unwrap().stage(u64::MAX).await.unwrap();
        staging.write(bytes).await.unwrap();
        staging.finish(Some(file_name.to_owned())).await.unwrap()
    })
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn check(file_name: &str, bytes: &[u8]) -> Result<(Picture, Vec<u8>), PictureError> {
    let upload = upload(file_name, bytes);
    let picture = check_picture(&upload, PictureRules::PUBLIC)?;
    let mut rewritten = Vec::new();
    picture.file.reopen().unwrap().read_to_end(&mut rewritten).unwrap();
    Ok((picture, rewritten))
}

const INVALID: &str =
    "Upload a valid image. The file you uploaded was either not an image or a corrupted image.";

#[test]
fn every_type_is_rewritten_as_itself_without_what_follows() {
    for (name, format, extension) in [
        ("a.jpg", ImageFormat::Jpeg, Extension::Jpg),
        ("a.JPEG", ImageFormat::Jpeg, Extension::Jpg),
        ("a.png", ImageFormat::Png, Extension::Png),
        ("a.Gif", ImageFormat::Gif, Extension::Gif),
        ("a.webp", ImageFormat::WebP, Extension::Webp),
    ] {
        let original = encoded(30, 20, format);
        let (picture, bytes) = check(name, &[&original, PAGE].concat()).expect(name);
        assert_eq!(
            (picture.extension, picture.width, picture.height),
            (extension, 30, 20),
            "{name}"
        );
        assert!(!contains(&bytes, b"html"), "{name}");
        assert_eq!(image::guess_format(&bytes).unwrap(), format, "{name}");
        let (before, after) = (
            image::load_from_memory(&original).unwrap().into_rgb8(),
            image::load_from_memory(&bytes).unwrap().into_rgb8(),
        );
        let difference = before.iter().zip(after.iter()).map(|(a, b)| a.abs_diff(*b)).max();
        let allowed = if format == ImageFormat::Jpeg { 24 } else { 0 };
        assert!(difference.unwrap() <= allowed, "{name}: {difference:?}");
    }
}

#[test]
fn pictures_are_turned_and_lose_their_exif_data() {
    let picture = gradient(32, 16);
    let mut jpeg = Vec::new();
    encode_with_exif(JpegEncoder::new_with_quality(&mut jpeg, 100), 6, &picture);
    let mut png = Vec::new();
    encode_with_exif(PngEncoder::new(&mut png), 6, &picture);
    let mut webp = Vec::new();
    encode_with_exif(WebPEncoder::new_lossless(&mut webp), 6, &picture);
    let mut expected = DynamicImage::ImageRgb8(picture);
    expected.apply_orientation(image::metadata::Orientation::Rotate90);
    let expected = expected.into_rgb8();
    for (name, original) in [("a.jpg", jpeg), ("a.png", png), ("a.webp", webp)] {
        assert!(contains(&original, b"30.0444 N"), "{name}");
        let (picture, bytes) = check(name, &original).expect(name);
        assert_eq!((picture.width, picture.height), (16, 32), "{name}");
        for trace in [&b"30.0444 N"[..], b"Exif", b"EXIF", b"eXIf"] {
            assert!(!contains(&bytes, trace), "{name}");
        }
        let got = image::load_from_memory(&bytes).unwrap().into_rgb8();
        assert_eq!(got.dimensions(), (16, 32), "{name}");
        let difference = expected.iter().zip(got.iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(difference.unwrap() <= 24, "{name}: {difference:?}");
    }
}

#[test]
fn a_png_keeps_its_colours() {
    use ::png::{BitDepth, ColorType, Encoder};
    for (colour, depth, palette, transparency, data) in [
        (ColorType::Indexed, BitDepth::Two, Some(vec![9; 12]), Some(vec![1, 2]), vec![0x1B; 4]),
        (ColorType::Indexed, BitDepth::Eight, Some(vec![200; 30]), None, vec![7; 16]),
        (ColorType::Grayscale, BitDepth::One, None, Some(vec![0, 1]), vec![0xA0; 4]),
        (ColorType::Grayscale, BitDepth::Eight, None, Some(vec![0, 77]), vec![77; 16]),
        (ColorType::Grayscale, BitDepth::Sixteen, None, Some(vec![1, 2]), vec![3; 32]),
        (ColorType::GrayscaleAlpha, BitDepth::Eight, None, None, vec![3; 32]),
        (ColorType::Rgb, BitDepth::Eight, None, Some(vec![0, 1, 0, 2, 0, 3]), vec![1; 48]),
        (ColorType::Rgb, BitDepth::Sixteen, None, Some(vec![1, 2, 3, 4, 5, 6]), vec![1; 96]),
        (ColorType::Rgba, BitDepth::Eight, None, None, (0..64).collect()),
    ] {
        let mut original = Vec::new();
        let mut encoder = Encoder::new(&mut original, 4, 4);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if let Some(palette) = palette {
            encoder.set_palette(palette);
        }
        if let Some(transparency) = transparency {
            encoder.set_trns(transparency);
        }
        encoder.add_text_chunk("Author".to_owned(), "a stranger".to_owned()).unwrap();
        encoder.write_header().unwrap().write_image_data(&data).unwrap();

        let (_, bytes) = check("a.png", &original).unwrap();
        assert!(!contains(&bytes, b"stranger"));
        let read = |bytes| {
            let mut reader = ::png::Decoder::new(io::Cursor::new(bytes)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            let info = reader.info();
            (info.color_type, info.bit_depth, info.palette.clone(), info.trns.clone(), pixels)
        };
        assert_eq!(read(original), read(bytes), "{colour:?} {depth:?}");
    }
}

#[test]
fn an_interlaced_png_is_put_in_order() {
    let (picture, bytes) = check("a.png", &decoded(INTERLACED_PNG)).unwrap();
    assert_eq!((picture.width, picture.height), (9, 9));
    for (x, y, pixel) in image::load_from_memory(&bytes).unwrap().into_luma8().enumerate_pixels() {
        assert_eq!(u32::from(pixel.0[0]), 20 * x + y);
    }
}

#[test]
fn a_webp_with_loss_stays_as_small_as_it_is() {
    for (original, alpha) in [(LOSSY_WEBP, false), (ALPHA_WEBP, true)] {
        let original = decoded(original);
        let (picture, bytes) = check("a.webp", &[&original, PAGE].concat()).unwrap();
        assert_eq!((picture.width, picture.height), (16, 8));
        assert_eq!(bytes.len(), original.len());
        let picture = image::load_from_memory(&bytes).unwrap();
        assert_eq!(picture.color().has_alpha(), alpha);
        assert_eq!(picture, image::load_from_memory(&original).unwrap());
    }
}

#[test]
fn of_what_moves_the_first_frame_stays() {
    let (picture, bytes) = check("a.webp", &decoded(ANIMATED_WEBP)).unwrap();
    assert_eq!((picture.width, picture.height), (16, 8));
    assert!(!contains(&bytes, b"ANM"));
    let first = image::load_from_memory(&decoded(ANIMATED_WEBP)).unwrap();
    assert_eq!(image::load_from_memory(&bytes).unwrap(), first);

    let mut original = Vec::new();
    let mut encoder = ::gif::Encoder::new(&mut original, 4, 4, &[0, 0, 0, 9, 9, 9]).unwrap();
    for shade in [1, 0] {
        let frame = ::gif::Frame::from_indexed_pixels(4, 4, vec![shade; 16], Some(0));
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    let (_, bytes) = check("a.gif", &original).unwrap();
    let mut decoder = ::gif::DecodeOptions::new().read_info(&bytes[..]).unwrap();
    let frame = decoder.read_next_frame().unwrap().unwrap();
    assert_eq!((&frame.buffer[..], frame.transparent), (&[1; 16][..], Some(0)));
    assert!(decoder.read_next_frame().unwrap().is_none());
}

#[test]
fn a_smaller_kind_has_its_own_rules() {
    let rules = PictureRules {
        extensions: &[Extension::Png],
        megabytes: 2,
        side: 16,
        too_large: "Too much.",
        ..PictureRules::PUBLIC
    };
    let ask = |name, bytes: &[u8]| {
        check_picture(&upload(name, bytes), rules).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(ask("a.png", &encoded(16, 16, ImageFormat::Png)), Ok(()));
    assert_eq!(ask("a.gif", &encoded(16, 16, ImageFormat::Gif)), Err(INVALID.to_owned()));
    let words = "Image dimensions must not exceed 16x16 pixels.".to_owned();
    assert_eq!(ask("a.png", &encoded(16, 17, ImageFormat::Png)), Err(words));
    assert_eq!(ask("a.png", &vec![0; 2 * 1024 * 1024 + 1]), Err("Too much.".to_owned()));
}
