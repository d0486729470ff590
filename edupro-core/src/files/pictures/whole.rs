//! Pictures that have to be in memory as a whole.

use image::{DynamicImage, ImageDecoder, ImageEncoder, metadata::Orientation};

use super::{DECODER_MEMORY, PictureError, PictureRules};

/// Decodes a picture, but first makes sure that the decoder sees dimensions that are good, too,
/// and has the memory for them.
pub(super) fn decode(
    mut decoder: impl ImageDecoder,
    rules: &PictureRules,
) -> Result<DynamicImage, PictureError> {
    let (width, height) = decoder.dimensions();
    rules.check_dimensions(width, height)?;
    // Sixteen bits a colour can be too much at dimensions at which eight are not.
    if decoder.total_bytes() > DECODER_MEMORY {
        return Err(rules.too_wide());
    }
    decoder.set_limits(rules.limits())?;
    Ok(DynamicImage::from_decoder(decoder)?)
}

/// Writes a picture the right way up, and answers its dimensions then.
pub(super) fn encode_turned(
    mut picture: DynamicImage,
    orientation: Orientation,
    encoder: impl ImageEncoder,
) -> Result<(u32, u32), PictureError> {
    picture.apply_orientation(orientation);
    picture.write_with_encoder(encoder)?;
    Ok((picture.width(), picture.height()))
}
