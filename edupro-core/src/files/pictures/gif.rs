//! GIF: its first frame, rewritten in its own colours.

use std::{
    fs::File,
    io::{BufReader, Write},
    num::NonZeroU64,
};

use gif::{DecodeOptions, DecodingError, Encoder, EncodingError, MemoryLimit};

use super::{DECODER_MEMORY, PictureError, PictureRules};

impl From<DecodingError> for PictureError {
    fn from(error: DecodingError) -> Self {
        match error {
            DecodingError::Io(error) => error.into(),
            _ => Self::Invalid,
        }
    }
}

impl From<EncodingError> for PictureError {
    fn from(error: EncodingError) -> Self {
        match error {
            EncodingError::Io(error) => error.into(),
            _ => Self::Invalid,
        }
    }
}

pub(super) fn rewrite(
    source: &File,
    rules: &PictureRules,
    target: &mut impl Write,
) -> Result<(u32, u32), PictureError> {
    let mut options = DecodeOptions::new();
    if let Some(memory) = NonZeroU64::new(DECODER_MEMORY) {
        options.set_memory_limit(MemoryLimit::Bytes(memory));
    }
    options.check_frame_consistency(true);
    let mut decoder = options.read_info(BufReader::new(source))?;
    let (width, height) = (decoder.width(), decoder.height());
    rules.check_dimensions(width.into(), height.into())?;
    let palette = decoder.global_palette().unwrap_or_default().to_vec();

    let frame = decoder.read_next_frame()?.ok_or(PictureError::Invalid)?;
    // A frame may be smaller than the picture, not larger, and not nothing.
    rules.check_dimensions(frame.width.into(), frame.height.into())?;
    let mut encoder = Encoder::new(target, width, height, &palette)?;
    encoder.write_frame(frame)?;
    encoder.into_inner()?;
    Ok((width.into(), height.into()))
}
