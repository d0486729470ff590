//! Pictures that strangers upload: what is accepted, and the new picture that is made of it.
//!
//! Nothing of the upload is stored as it came. A new file is written from what the decoder
//! understood, so that what it did not understand stays behind: EXIF data with the place where the
//! picture was taken, text, colour profiles, whatever follows the end of the picture (security
//! R23).
//!
//! | type | how it is rewritten | memory at 4096×4096 |
//! |---|---|---|
//! | JPEG | decoded, turned as its EXIF data says, encoded with quality 88 | 55 MiB, progressive 180 MiB |
//! | PNG | row by row in its own colours; as a whole if interlaced or turned | 1 MiB, 65 MiB, 130 MiB |
//! | GIF | its first frame, in its own colours | 20 MiB |
//! | WebP | its data as they are, once decoded; encoded without loss if turned | 110 MiB, turned 195 MiB |
//!
//! Files made to break the decoders do not take more. The caller decides how many pictures are
//! checked at a time.

mod gif;
mod jpeg;
mod png;
mod shrink;
mod webp;
mod whole;

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
};

use image::{ImageError, Limits};
use tempfile::NamedTempFile;

use super::{CheckedFile, Extension, FileError, Upload};

/// The largest buffer of pixels that a decoder may fill: 64 MiB (security R23).
const DECODER_MEMORY: u64 = 64 * 1024 * 1024;

/// How many times the largest upload the new picture may be. A turned WebP, which gets an encoding
/// without loss, can become more; one that is smaller from the start does not.
const GROWTH: u64 = 4;

/// How much of a file shows its type, in bytes.
const HEAD: u64 = 512;

/// What a picture of some kind may be.
#[derive(Clone, Copy, Debug)]
pub struct PictureRules {
    /// The types that are accepted.
    pub extensions: &'static [Extension],
    /// The largest size of the upload, in MiB.
    pub megabytes: u64,
    /// The largest width and the largest height, in pixels.
    pub side: u32,
    /// The width and height that it is shrunk to fit into, in pixels.
    pub fit: Option<(u32, u32)>,
    /// What is said of another type.
    pub wrong_type: &'static str,
    /// What is said of too many bytes.
    pub too_large: &'static str,
}

/// What is said of a file that is no picture, or a damaged one (behaviour G7).
const INVALID: &str =
    "Upload a valid image. The file you uploaded was either not an image or a corrupted image.";

impl PictureRules {
    /// Avatars, logos, profile pictures, icons and thumbnails of courses: JPEG, PNG, GIF or WebP up
    /// to 5 MiB and 4096×4096, which is 16.8 megapixels (behaviour G12, security R23).
    pub const PUBLIC: Self = Self {
        extensions: &Extension::PICTURES,
        megabytes: 5,
        side: 4096,
        fit: None,
        wrong_type: INVALID,
        too_large: "Image size must be less than 5MB.",
    };

    /// Images of modules (contract 7.2, behaviour G12).
    pub const MODULE_IMAGE: Self = Self {
        extensions: &[Extension::Jpg, Extension::Png],
        megabytes: 2,
        wrong_type: "The image must be JPG or PNG.",
        too_large: "Image size must be less than 2MB.",
        ..Self::PUBLIC
    };

    /// Thumbnails of lessons (contract 8.2, behaviour G12).
    pub const LESSON_THUMBNAIL: Self = Self {
        fit: Some((400, 300)),
        wrong_type: "The image must be JPG or PNG or jpeg.",
        too_large: "Image larger than 2 MB",
        ..Self::MODULE_IMAGE
    };

    /// The largest size of the upload, in bytes: the limit to stage it with.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.megabytes * 1024 * 1024
    }

    /// What is said of an upload that was cut off at [`bytes`](Self::bytes).
    #[must_use]
    pub const fn too_large(&self) -> PictureError {
        PictureError::TooLarge(self.too_large)
    }

    fn check_dimensions(&self, width: u32, height: u32) -> Result<(), PictureError> {
        if width == 0 || height == 0 {
            return Err(PictureError::Invalid);
        }
        if width > self.side || height > self.side { Err(self.too_wide()) } else { Ok(()) }
    }

    const fn too_wide(&self) -> PictureError {
        PictureError::Dimensions { side: self.side }
    }

    /// What the decoders are told.
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.max_image_width = Some(self.side);
        limits.max_image_height = Some(self.side);
        limits.max_alloc = Some(DECODER_MEMORY);
        limits
    }
}

/// Why an upload is not taken for a picture, in the words of behaviour G7 and G12.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// It has no bytes.
    #[error("The submitted file is empty.")]
    Empty,
    /// It has too many bytes, or would get them.
    #[error("{0}")]
    TooLarge(&'static str),
    /// It is of another type, or its name says another type.
    #[error("{0}")]
    WrongType(&'static str),
    /// It has too many pixels.
    #[error("Image dimensions must not exceed {side}x{side} pixels.")]
    Dimensions {
        /// The largest width and height, in pixels.
        side: u32,
    },
    /// It is damaged.
    #[error("{INVALID}")]
    Invalid,
    /// The picture may be good; the disk is not.
    #[error("the picture could not be rewritten")]
    Store(#[from] FileError),
}

/// The decoders and encoders give back what reading and writing gave them. Only the operating
/// system's own errors are about the disk; "unexpected end" and its like are about the picture.
impl From<io::Error> for PictureError {
    fn from(error: io::Error) -> Self {
        if error.raw_os_error().is_some() { Self::Store(error.into()) } else { Self::Invalid }
    }
}

impl From<ImageError> for PictureError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::IoError(error) => error.into(),
            _ => Self::Invalid,
        }
    }
}

/// A picture that has been checked and rewritten, in the staging directory.
#[derive(Debug)]
pub struct Picture {
    /// Its type.
    pub extension: Extension,
    /// Its width, in pixels, the right way up.
    pub width: u32,
    /// Its height, in pixels.
    pub height: u32,
    file: NamedTempFile,
}

impl From<Picture> for CheckedFile {
    fn from(picture: Picture) -> Self {
        Self { extension: picture.extension, file: picture.file }
    }
}

/// Checks an upload and writes a new picture from it.
///
/// This computes for up to two seconds: run it on a thread that may block, and few at a time
/// (security R23). The checks go from cheap to dear, and no pixel is decoded before the
/// header's dimensions are known to be good.
pub fn check_picture(upload: &Upload, rules: PictureRules) -> Result<Picture, PictureError> {
    if upload.size == 0 {
        return Err(PictureError::Empty);
    }
    if upload.size > rules.bytes() {
        return Err(rules.too_large());
    }
    let open = || upload.open().map_err(FileError::from);
    let mut head = Vec::new();
    open()?.take(HEAD).read_to_end(&mut head)?;
    let extension = Extension::of_picture(&head)
        .filter(|found| rules.extensions.contains(found))
        .filter(|found| upload.file_name.as_deref().and_then(Extension::claimed_by) == Some(*found))
        .ok_or(PictureError::WrongType(rules.wrong_type))?;

    let size =
        imagesize::reader_size(BufReader::new(open()?)).map_err(|_| PictureError::Invalid)?;
    let pixels = |side| u32::try_from(side).unwrap_or(u32::MAX);
    rules.check_dimensions(pixels(size.width), pixels(size.height))?;

    let mut file = upload.new_file_beside().map_err(FileError::from)?;
    let mut target = BufWriter::new(file.as_file());
    let (mut width, mut height) = rewrite(extension, &open()?, &rules, &mut target)?;
    target.flush()?;
    drop(target);
    if let Some(fit) = rules.fit.filter(|fit| width > fit.0 || height > fit.1) {
        let small = upload.new_file_beside().map_err(FileError::from)?;
        (width, height) = shrink::shrink(extension, &file.reopen()?, &rules, fit, small.as_file())?;
        file = small;
    }
    if file.as_file().metadata()?.len() > GROWTH * rules.bytes() {
        return Err(rules.too_large());
    }
    Ok(Picture { extension, width, height, file })
}

/// Writes `source` anew to `target`, and answers the dimensions of what was written.
fn rewrite(
    extension: Extension,
    source: &File,
    rules: &PictureRules,
    target: &mut impl Write,
) -> Result<(u32, u32), PictureError> {
    match extension {
        Extension::Jpg => jpeg::rewrite(source, rules, target),
        Extension::Png => png::rewrite(source, rules, target),
        Extension::Gif => gif::rewrite(source, rules, target),
        Extension::Webp => webp::rewrite(source, rules, target),
        _ => Err(PictureError::WrongType(rules.wrong_type)),
    }
}

#[cfg(test)]
mod tests;
