//! WebP: the picture's data goes into a new container, alone, and is decoded there to be checked.
//!
//! The encoder at hand writes without loss only and would make a photograph several times as
//! large, so it is used for turned pictures only. Of an animated picture the first frame stays.

use std::{
    fs::File,
    io::{Cursor, Read, Write},
};

use image::{
    codecs::webp::{WebPDecoder, WebPEncoder},
    metadata::Orientation,
};

use super::{PictureError, PictureRules, whole};

pub(super) fn rewrite(
    mut source: File,
    rules: &PictureRules,
    target: &mut impl Write,
) -> Result<(u32, u32), PictureError> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    let chunks = chunks_of(&bytes).ok_or(PictureError::Invalid)?;
    let orientation = find(chunks, *b"EXIF")
        .and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms);
    let still = Still::read(chunks).ok_or(PictureError::Invalid)?;
    rules.check_dimensions(still.width, still.height)?;

    let container = still.container();
    let picture = whole::decode(WebPDecoder::new(Cursor::new(&container))?, rules)?;
    if orientation == Orientation::NoTransforms {
        target.write_all(&container)?;
        return Ok((still.width, still.height));
    }
    whole::encode_turned(picture, orientation, WebPEncoder::new_lossless(target))
}

/// The chunks of a whole file; what follows them is not a part of it.
fn chunks_of(file: &[u8]) -> Option<&[u8]> {
    let (size, rest) = file.strip_prefix(b"RIFF")?.split_first_chunk()?;
    rest.get(..usize::try_from(u32::from_le_bytes(*size)).ok()?)?.strip_prefix(b"WEBP")
}

/// The data of the first chunk that has the name.
fn find(mut chunks: &[u8], wanted: [u8; 4]) -> Option<&[u8]> {
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

/// A picture that does not move.
struct Still<'a> {
    width: u32,
    height: u32,
    /// The alpha channel of a picture with loss. One without loss has it among its data.
    alpha: Option<&'a [u8]>,
    /// The name of the chunk, which says how the data is to be read.
    name: [u8; 4],
    data: &'a [u8],
}

impl<'a> Still<'a> {
    fn read(chunks: &'a [u8]) -> Option<Self> {
        /// Place, size and time of a frame stand before its chunks, in bytes.
        const FRAME_HEADER: usize = 16;
        let still = |chunks| Self::lossy(chunks).or_else(|| Self::lossless(chunks));
        still(chunks).or_else(|| still(find(chunks, *b"ANMF")?.get(FRAME_HEADER..)?))
    }

    fn lossy(chunks: &'a [u8]) -> Option<Self> {
        let name = *b"VP8 ";
        let data = find(chunks, name)?;
        let [width_low, width_high, height_low, height_high] = data.get(6..10)?.try_into().ok()?;
        // The two upper bits of each say how to scale, which nobody does.
        let number = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
        Some(Self {
            width: number(width_low, width_high),
            height: number(height_low, height_high),
            alpha: find(chunks, *b"ALPH"),
            name,
            data,
        })
    }

    fn lossless(chunks: &'a [u8]) -> Option<Self> {
        let name = *b"VP8L";
        let data = find(chunks, name)?;
        let numbers = u32::from_le_bytes(data.get(1..5)?.try_into().ok()?);
        Some(Self {
            width: (numbers & 0x3FFF) + 1,
            height: (numbers >> 14 & 0x3FFF) + 1,
            alpha: None,
            name,
            data,
        })
    }

    /// A file with this picture and nothing else.
    fn container(&self) -> Vec<u8> {
        /// The flag of an extended header that announces an alpha channel.
        const ALPHA: u8 = 0x10;
        let mut chunks = b"WEBP".to_vec();
        if let Some(alpha) = self.alpha {
            let mut extended = vec![ALPHA, 0, 0, 0];
            extended.extend(&(self.width - 1).to_le_bytes()[..3]);
            extended.extend(&(self.height - 1).to_le_bytes()[..3]);
            append(&mut chunks, *b"VP8X", &extended);
            append(&mut chunks, *b"ALPH", alpha);
        }
        append(&mut chunks, self.name, self.data);
        let mut file = Vec::with_capacity(chunks.len() + 8);
        append(&mut file, *b"RIFF", &chunks);
        file
    }
}

/// Adds a chunk. Nothing here is longer than an upload may be, so its length fits.
fn append(chunks: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
    chunks.extend(name);
    chunks.extend(size.to_le_bytes());
    chunks.extend(data);
    if data.len() % 2 == 1 {
        chunks.push(0);
    }
}
