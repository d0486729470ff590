//! PNG: rewritten row by row in its own colours.

use std::{
    fs::File,
    io::{BufRead, BufReader, Seek, Write},
};

use image::{
    codecs::png::{PngDecoder, PngEncoder},
    metadata::Orientation,
};
use png::{
    BitDepth, ColorType, Decoder, DecodingError, Encoder, EncodingError, Filter, Info, Limits,
    Reader, Transformations,
};

use super::{DECODER_MEMORY, PictureError, PictureRules, whole};

impl From<DecodingError> for PictureError {
    fn from(error: DecodingError) -> Self {
        match error {
            DecodingError::IoError(error) => error.into(),
            _ => Self::Invalid,
        }
    }
}

impl From<EncodingError> for PictureError {
    fn from(error: EncodingError) -> Self {
        match error {
            EncodingError::IoError(error) => error.into(),
            _ => Self::Invalid,
        }
    }
}

pub(super) fn rewrite(
    mut source: &File,
    rules: &PictureRules,
    target: &mut impl Write,
) -> Result<(u32, u32), PictureError> {
    let mut reader = open(source)?;
    let (width, height) = reader.info().size();
    rules.check_dimensions(width, height)?;
    let orientation = orientation_of(reader.info());
    if orientation != Orientation::NoTransforms {
        source.rewind()?;
        let decoder = PngDecoder::with_limits(BufReader::new(source), rules.limits())?;
        let picture = whole::decode(decoder, rules)?;
        return whole::encode_turned(picture, orientation, PngEncoder::new(target));
    }

    let mut writer = encoder(reader.info(), target).write_header()?;
    let mut rows = writer.stream_writer()?;
    if reader.info().interlaced {
        // Its rows come in seven passes over the picture.
        let size = reader.output_buffer_size().filter(|size| *size as u64 <= DECODER_MEMORY);
        let mut pixels = vec![0; size.ok_or_else(|| rules.too_wide())?];
        reader.next_frame(&mut pixels)?;
        rows.write_all(&pixels)?;
    } else {
        while let Some(row) = reader.next_row()? {
            rows.write_all(row.data())?;
        }
    }
    rows.finish()?;
    writer.finish()?;
    Ok((width, height))
}

fn open(source: &File) -> Result<Reader<impl BufRead + Seek>, PictureError> {
    let memory = usize::try_from(DECODER_MEMORY).unwrap_or(usize::MAX);
    let mut decoder = Decoder::new_with_limits(BufReader::new(source), Limits { bytes: memory });
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    Ok(decoder.read_info()?)
}

fn orientation_of(info: &Info<'_>) -> Orientation {
    info.exif_metadata
        .as_deref()
        .and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms)
}

/// An encoder for the same colours, and for nothing else that the file says of itself.
fn encoder<'info, W: Write>(info: &Info<'info>, target: W) -> Encoder<'info, W> {
    let mut encoder = Encoder::new(target, info.width, info.height);
    encoder.set_color(info.color_type);
    encoder.set_depth(info.bit_depth);
    if let Some(palette) = info.palette.clone() {
        encoder.set_palette(palette);
    }
    if let Some(transparency) = &info.trns {
        encoder.set_trns(transparency_of(info, transparency));
    }
    if info.color_type == ColorType::Indexed || (info.bit_depth as u8) < 8 {
        // Neighbouring numbers of a palette are not neighbouring colours.
        encoder.set_filter(Filter::NoFilter);
    }
    encoder
}

/// The transparent colour as the file has it: two bytes for each of its numbers. The decoder cuts
/// those to one unless they are of 16 bits; a palette has one byte for each colour anyway.
fn transparency_of(info: &Info<'_>, transparency: &[u8]) -> Vec<u8> {
    if info.color_type == ColorType::Indexed || info.bit_depth == BitDepth::Sixteen {
        transparency.to_vec()
    } else {
        transparency.iter().flat_map(|number| [0, *number]).collect()
    }
}
