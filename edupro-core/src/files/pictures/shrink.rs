//! Pictures that are shown small are kept small.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Write},
};

use image::{ImageFormat, ImageReader};

use super::{Extension, PictureError, PictureRules};

/// Writes `source`, which has been rewritten already, to `target` so small that it fits; answers
/// its new dimensions. Its proportions stay.
pub(super) fn shrink(
    extension: Extension,
    source: &File,
    rules: &PictureRules,
    (width, height): (u32, u32),
    target: &File,
) -> Result<(u32, u32), PictureError> {
    let format = match extension {
        Extension::Jpg => ImageFormat::Jpeg,
        Extension::Png => ImageFormat::Png,
        _ => return Err(PictureError::WrongType(rules.wrong_type)),
    };
    let mut reader = ImageReader::with_format(BufReader::new(source), format);
    reader.limits(rules.limits());
    let small = reader.decode()?.thumbnail(width, height);
    let mut target = BufWriter::new(target);
    let mut encoded = Vec::new();
    // The encoder wants to seek; a picture this small fits into memory.
    small.write_to(&mut std::io::Cursor::new(&mut encoded), format)?;
    target.write_all(&encoded)?;
    target.flush()?;
    Ok((small.width(), small.height()))
}
