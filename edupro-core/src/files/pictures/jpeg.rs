//! JPEG: decoded, turned, and encoded again.

use std::{
    fs::File,
    io::{BufReader, Read, Seek, Write},
};

use image::{
    DynamicImage, GenericImageView, ImageBuffer, ImageDecoder, Pixel,
    codecs::jpeg::{JpegDecoder, JpegEncoder},
    metadata::Orientation,
};

use super::{PictureError, PictureRules, whole};

/// The quality of the new picture: no difference that one sees, at a fair size.
const QUALITY: u8 = 88;

pub(super) fn rewrite(
    mut source: &File,
    rules: &PictureRules,
    target: &mut impl Write,
) -> Result<(u32, u32), PictureError> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    if !is_complete(&bytes) {
        return Err(PictureError::Invalid);
    }
    drop(bytes);

    source.rewind()?;
    let mut decoder = JpegDecoder::new(BufReader::new(source))?;
    let orientation = decoder.orientation()?;
    let mut encoder = JpegEncoder::new_with_quality(target, QUALITY);
    match whole::decode(decoder, rules)? {
        DynamicImage::ImageLuma8(picture) => encode(&mut encoder, &Turned { picture, orientation }),
        DynamicImage::ImageRgb8(picture) => encode(&mut encoder, &Turned { picture, orientation }),
        _ => Err(PictureError::Invalid),
    }
}

fn encode<P>(
    encoder: &mut JpegEncoder<impl Write>,
    picture: &Turned<P>,
) -> Result<(u32, u32), PictureError>
where
    P: image::PixelWithColorType<Subpixel = u8>,
{
    encoder.encode_image(picture)?;
    Ok(picture.dimensions())
}

/// Whether the picture is there to its end marker. The decoder paints what is missing grey.
fn is_complete(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xDA;
    const END_OF_IMAGE: u8 = 0xD9;
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut scanned = false;
    // Between two markers lie a segment of known length or, after the start of a scan, the
    // scan's data, in which 0xFF is followed by 0 or by the number of a restart.
    while let Some(at) = rest.iter().position(|byte| *byte == 0xFF) {
        rest = &rest[at + 1..];
        match rest {
            [0xFF, ..] => {}
            [0x00 | 0x01 | 0xD0..=0xD7, ..] => rest = &rest[1..],
            [END_OF_IMAGE, ..] => return scanned,
            [marker, high, low, ..] => {
                scanned |= *marker == START_OF_SCAN;
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest = rest.get(1 + length..).unwrap_or_default();
            }
            _ => return false,
        }
    }
    false
}

/// A picture as it looks after turning, without a second copy of it in memory.
struct Turned<P: Pixel> {
    picture: ImageBuffer<P, Vec<P::Subpixel>>,
    orientation: Orientation,
}

impl<P: Pixel> GenericImageView for Turned<P> {
    type Pixel = P;

    fn dimensions(&self) -> (u32, u32) {
        let (width, height) = self.picture.dimensions();
        match self.orientation {
            Orientation::NoTransforms
            | Orientation::Rotate180
            | Orientation::FlipHorizontal
            | Orientation::FlipVertical => (width, height),
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (height, width),
        }
    }

    fn get_pixel(&self, x: u32, y: u32) -> P {
        let (width, height) = self.picture.dimensions();
        let (right, bottom) = (width - 1, height - 1);
        let (x, y) = match self.orientation {
            Orientation::NoTransforms => (x, y),
            Orientation::FlipHorizontal => (right - x, y),
            Orientation::FlipVertical => (x, bottom - y),
            Orientation::Rotate180 => (right - x, bottom - y),
            Orientation::Rotate90 => (y, bottom - x),
            Orientation::Rotate270 => (right - y, x),
            Orientation::Rotate90FlipH => (y, x),
            Orientation::Rotate270FlipH => (right - y, bottom - x),
        };
        *self.picture.get_pixel(x, y)
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    #[test]
    fn turning_agrees_with_the_image_crate() {
        let picture = RgbImage::from_fn(5, 3, |x, y| {
            Rgb([u8::try_from(x).unwrap(), u8::try_from(y).unwrap(), 7])
        });
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let turned = Turned { picture: picture.clone(), orientation };
            let mut expected = DynamicImage::ImageRgb8(picture.clone());
            expected.apply_orientation(orientation);
            let expected = expected.into_rgb8();
            assert_eq!(turned.dimensions(), expected.dimensions(), "{exif}");
            for (x, y, pixel) in expected.enumerate_pixels() {
                assert_eq!(turned.get_pixel(x, y), *pixel, "{exif} at {x}, {y}");
            }
        }
    }

    #[test]
    fn a_picture_without_its_end_is_not_complete() {
        let mut bytes = Vec::new();
        let picture = RgbImage::from_fn(40, 40, |x, y| Rgb([(x * y % 251) as u8, 9, 200]));
        JpegEncoder::new(&mut bytes).encode_image(&picture).unwrap();
        assert!(is_complete(&bytes));
        for length in 0..bytes.len() {
            assert!(!is_complete(&bytes[..length]), "the first {length} bytes");
        }
        bytes.extend(b"<html>");
        assert!(is_complete(&bytes));
    }
}
