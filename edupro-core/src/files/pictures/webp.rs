//! WebP: the picture's data is decoded to be checked, and goes into a new container, alone.
//!
//! The encoder at hand writes without loss only and would make a photograph several times as
//! large, so it is used for turned pictures only. Of an animated picture the first frame stays.

use std::{
    fs::File,
    io::{Cursor, Read, Write},
};

use image::{
    ImageDecoder,
    codecs::webp::{WebPDecoder, WebPEncoder},
    metadata::Orientation,
};

use super::{PictureError, PictureRules, whole};

/// The name of a chunk.
type Name = [u8; 4];
const LOSSY: Name = *b"VP8 ";
const LOSSLESS: Name = *b"VP8L";
const ALPHA: Name = *b"ALPH";

pub(super) fn rewrite(
    mut source: &File,
    rules: &PictureRules,
    target: &mut impl Write,
) -> Result<(u32, u32), PictureError> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    let chunks = chunks_of(&bytes).ok_or(PictureError::Invalid)?;
    let still = Still::read(chunks).ok_or(PictureError::Invalid)?;
    rules.check_dimensions(still.width, still.height)?;
    still.check(rules)?;

    let file = still.file();
    let orientation = find(chunks, *b"EXIF")
        .and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms);
    if orientation == Orientation::NoTransforms {
        target.write_all(&file)?;
        return Ok((still.width, still.height));
    }
    let picture = whole::decode(decoder(&file)?, rules)?;
    whole::encode_turned(picture, orientation, WebPEncoder::new_lossless(target))
}

/// The chunks of a whole file; what follows them is not a part of it.
fn chunks_of(file: &[u8]) -> Option<&[u8]> {
    let (size, rest) = file.strip_prefix(b"RIFF")?.split_first_chunk()?;
    rest.get(..usize::try_from(u32::from_le_bytes(*size)).ok()?)?.strip_prefix(b"WEBP")
}

/// The data of the first chunk that has the name.
fn find(mut chunks: &[u8], wanted: Name) -> Option<&[u8]> {
    loop {
        let (name, rest) = chunks.split_first_chunk()?;
        let (size, rest) = rest.split_first_chunk()?;
        let size = usize::try_from(u32::from_le_bytes(*size)).ok()?;
        let data = rest.get(..size)?;
        if *name == wanted {
            return Some(data);
        }
        // Chunks begin at even places.
        chunks = rest.get(size + size % 2..)?;
    }
}

/// A file of these chunks.
fn file_of(chunks: &[(Name, &[u8])]) -> Vec<u8> {
    let mut contents = b"WEBP".to_vec();
    for (name, data) in chunks {
        append(&mut contents, *name, data);
    }
    let mut file = Vec::with_capacity(contents.len() + 8);
    append(&mut file, *b"RIFF", &contents);
    file
}

/// Adds a chunk. Nothing here is longer than an upload may be, so its length fits.
fn append(chunks: &mut Vec<u8>, name: Name, data: &[u8]) {
    chunks.extend(name);
    chunks.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    chunks.extend(data);
    if data.len() % 2 == 1 {
        chunks.push(0);
    }
}

fn decoder(file: &[u8]) -> Result<WebPDecoder<Cursor<&[u8]>>, PictureError> {
    Ok(WebPDecoder::new(Cursor::new(file))?)
}

/// A picture that does not move.
#[derive(Clone, Copy)]
struct Still<'a> {
    width: u32,
    height: u32,
    /// Whether it is with loss or without.
    name: Name,
    data: &'a [u8],
    /// The alpha channel of a picture with loss. One without has it among its data.
    alpha: Option<&'a [u8]>,
}

impl<'a> Still<'a> {
    fn read(chunks: &'a [u8]) -> Option<Self> {
        /// Place, size and time of a frame stand before its chunks, in bytes.
        const FRAME_HEADER: usize = 16;
        let still = |chunks| Self::lossy(chunks).or_else(|| Self::lossless(chunks));
        still(chunks).or_else(|| still(find(chunks, *b"ANMF")?.get(FRAME_HEADER..)?))
    }

    fn lossy(chunks: &'a [u8]) -> Option<Self> {
        let data = find(chunks, LOSSY)?;
        let [width_low, width_high, height_low, height_high] = *data.get(6..)?.first_chunk()?;
        // The two upper bits of each say how to scale. Nobody does, some take them for a part of the
        // number, and no encoder sets them.
        let number = |low, high| {
            Some(u32::from(u16::from_le_bytes([low, high]))).filter(|number| *number <= 0x3FFF)
        };
        Some(Self {
            width: number(width_low, width_high)?,
            height: number(height_low, height_high)?,
            name: LOSSY,
            data,
            alpha: find(chunks, ALPHA),
        })
    }

    fn lossless(chunks: &'a [u8]) -> Option<Self> {
        let data = find(chunks, LOSSLESS)?;
        let (header, _) = data.split_first_chunk::<LOSSLESS_HEADER>()?;
        let [LOSSLESS_SIGNATURE, numbers @ ..] = *header else { return None };
        let numbers = u32::from_le_bytes(numbers);
        Some(Self {
            width: (numbers & 0x3FFF) + 1,
            height: (numbers >> 14 & 0x3FFF) + 1,
            name: LOSSLESS,
            data,
            alpha: None,
        })
        // What stands above them is the version, and there is but one.
        .filter(|_| numbers >> 29 == 0)
    }

    /// Decodes what there is, one part after the other to have only one in memory.
    fn check(&self, rules: &PictureRules) -> Result<(), PictureError> {
        if self.name == LOSSLESS {
            let data = self.data.get(LOSSLESS_HEADER..).unwrap_or_default();
            return check_lossless(self.width, self.height, data);
        }
        whole::decode(decoder(&file_of(&[(LOSSY, self.data)]))?, rules)?;
        let Some(alpha) = self.alpha else { return Ok(()) };
        let (how, data) = alpha.split_first().ok_or(PictureError::Invalid)?;
        // Whether levels were reduced before: yes or no, and no third.
        if how >> 4 & 0b11 > 1 {
            return Err(PictureError::Invalid);
        }
        match how & 0b11 {
            // A byte for each pixel, as it is.
            0 if data.len() as u64 >= u64::from(self.width * self.height) => Ok(()),
            1 => check_lossless(self.width, self.height, data),
            _ => Err(PictureError::Invalid),
        }
    }

    /// A file with this picture and nothing else.
    fn file(&self) -> Vec<u8> {
        /// The flag of an extended header that announces an alpha channel.
        const HAS_ALPHA: u8 = 0x10;
        let Some(alpha) = self.alpha else { return file_of(&[(self.name, self.data)]) };
        let mut extended = vec![HAS_ALPHA, 0, 0, 0];
        extended.extend(&(self.width - 1).to_le_bytes()[..3]);
        extended.extend(&(self.height - 1).to_le_bytes()[..3]);
        file_of(&[(*b"VP8X", &extended), (ALPHA, alpha), (self.name, self.data)])
    }
}

/// The first byte of data without loss.
const LOSSLESS_SIGNATURE: u8 = 0x2F;
/// The bytes before the data proper: the signature, and the dimensions.
const LOSSLESS_HEADER: usize = 5;

/// Decodes data without loss, which begin with the code tables for the rest.
///
/// A file may bring 327 680 tables, and twelve bytes of it make one of 4 KiB: 4 MB become 1.3 GB,
/// which no limit of the decoder prevents. The tables of real pictures end within 30 KB, so those
/// whose tables do not end in time are refused before the whole is decoded.
fn check_lossless(width: u32, height: u32, data: &[u8]) -> Result<(), PictureError> {
    /// The tables must end in so many bytes; 45 MiB in memory then.
    const TABLES: usize = 128 * 1024;
    const UNTOUCHED: u8 = 0xA5;
    let mut pixels = vec![UNTOUCHED; width as usize * height as usize * 4];
    if let Some(beginning) = data.get(..TABLES)
        && decode_lossless(width, height, beginning, &mut pixels).is_err()
        && pixels.iter().all(|byte| *byte == UNTOUCHED)
    {
        return Err(PictureError::Invalid);
    }
    decode_lossless(width, height, data, &mut pixels)
}

/// Decodes into four bytes a pixel whether there is an alpha channel or not: without it the
/// decoder would make a buffer of its own, and fill ours only at the end.
fn decode_lossless(
    width: u32,
    height: u32,
    data: &[u8],
    pixels: &mut [u8],
) -> Result<(), PictureError> {
    const HAS_ALPHA: u32 = 1 << 28;
    let mut with_header = vec![LOSSLESS_SIGNATURE];
    with_header.extend(((width - 1) | (height - 1) << 14 | HAS_ALPHA).to_le_bytes());
    with_header.extend(data);
    Ok(decoder(&file_of(&[(LOSSLESS, &with_header)]))?.read_image(pixels)?)
}
