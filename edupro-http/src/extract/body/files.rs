//! Files in a body (behaviour G12). They are looked at here, on a thread that may take its time.

use edupro_core::{
    courses::NewTrailer,
    files::{
        CheckedFile, CheckedVideo, DocumentError, Picture, PictureError, PictureRules, Upload,
        VideoError, check_document, check_picture, check_video, document_limit, video_limit,
    },
};
use serde_json::{Value, json};

use super::{
    Raw,
    fields::{Description, Empty, Kind, Reading, Wrong, one},
    numbers::link,
};
use crate::openapi;

/// A file in a form.
fn file() -> Value {
    json!({"type": "string", "format": "binary"})
}

/// What is said of a value that is no file.
const NOT_A_FILE: &str = "The submitted data was not a file. Check the encoding type on the form.";

/// A picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PictureOf(PictureRules);

/// A picture that anybody may see: an avatar, a logo, an icon, a thumbnail of a course.
pub(crate) const fn picture() -> PictureOf {
    PictureOf(PictureRules::PUBLIC)
}

/// The image of a module.
pub(crate) const fn module_image() -> PictureOf {
    PictureOf(PictureRules::MODULE_IMAGE)
}

/// The thumbnail of a lesson.
pub(crate) const fn lesson_thumbnail() -> PictureOf {
    PictureOf(PictureRules::LESSON_THUMBNAIL)
}

impl Kind for PictureOf {
    type Value = Picture;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        file()
    }

    fn parse(&self, raw: Raw) -> Reading<Picture> {
        match raw {
            Raw::File(upload) => check_picture(&upload, self.0).or_else(|error| match error {
                PictureError::Store(error) => Err(Wrong::Store(error)),
                error => one(error.to_string()),
            }),
            Raw::LargeFile => one(self.0.too_large().to_string()),
            Raw::Json(_) | Raw::Text(_) => one(NOT_A_FILE),
        }
    }

    fn empty(&self) -> Empty {
        Empty::Absent
    }

    fn describe(&self) -> Description {
        Description { file_limit: Some(self.0.bytes()) }
    }
}

/// What is read in a lesson: PDF, Word, PowerPoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document;

/// What is read in a lesson.
pub(crate) const fn document() -> Document {
    Document
}

impl Kind for Document {
    type Value = CheckedFile;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        file()
    }

    fn parse(&self, raw: Raw) -> Reading<CheckedFile> {
        match raw {
            Raw::File(upload) => check_document(upload).or_else(|error| match error {
                DocumentError::Store(error) => Err(Wrong::Store(error)),
                error => one(error.to_string()),
            }),
            Raw::LargeFile => one(DocumentError::TooLarge.to_string()),
            Raw::Json(_) | Raw::Text(_) => one(NOT_A_FILE),
        }
    }

    fn empty(&self) -> Empty {
        Empty::Absent
    }

    fn describe(&self) -> Description {
        Description { file_limit: Some(document_limit()) }
    }
}

/// A film.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Film;

/// What is watched in a lesson.
pub(crate) const fn video() -> Film {
    Film
}

fn film(upload: Upload) -> Reading<CheckedVideo> {
    check_video(upload).or_else(|error| match error {
        VideoError::Store(error) => Err(Wrong::Store(error)),
        error => one(error.to_string()),
    })
}

impl Kind for Film {
    type Value = CheckedVideo;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        file()
    }

    fn parse(&self, raw: Raw) -> Reading<CheckedVideo> {
        match raw {
            Raw::File(upload) => film(upload),
            Raw::LargeFile => one(VideoError::TooLarge.to_string()),
            Raw::Json(_) | Raw::Text(_) => one(NOT_A_FILE),
        }
    }

    fn empty(&self) -> Empty {
        Empty::Absent
    }

    fn describe(&self) -> Description {
        Description { file_limit: Some(video_limit()) }
    }
}

/// What advertises a course: a film, or the address of one (contract 3.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrailerOf;

/// What advertises a course.
pub(crate) const fn trailer() -> TrailerOf {
    TrailerOf
}

impl Kind for TrailerOf {
    type Value = NewTrailer;

    fn schema(&self, description: &mut openapi::Description<'_>) -> Value {
        link().schema(description)
    }

    fn is_text_too(&self) -> bool {
        true
    }

    fn parse(&self, raw: Raw) -> Reading<NewTrailer> {
        match raw {
            Raw::File(upload) => film(upload).map(|film| NewTrailer::File(film.into())),
            Raw::LargeFile => one(VideoError::TooLarge.to_string()),
            Raw::Json(Value::String(_)) | Raw::Text(_) => link().parse(raw).map(NewTrailer::Url),
            Raw::Json(_) => one(NOT_A_FILE),
        }
    }

    fn empty(&self) -> Empty {
        Empty::Absent
    }

    fn describe(&self) -> Description {
        Description { file_limit: Some(video_limit()) }
    }
}

#[cfg(test)]
mod tests {
    use edupro_core::Change;

    use super::*;
    use crate::extract::body::fields::{Field, Wrong, changed};

    #[test]
    fn an_untouched_file_input_changes_nothing() {
        let field = changed(picture());
        assert!(matches!(field.read(Some(Raw::Text(String::new()))), Ok(Change::Keep)));
        assert!(matches!(field.read(Some(Raw::Json(json!("")))), Ok(Change::Keep)));
        assert!(matches!(field.read(Some(Raw::Json(json!(null)))), Ok(Change::Clear)));
        let Err(Wrong::Value(words)) =
            field.read(Some(Raw::Json(json!("https://example.com/a.png"))))
        else {
            panic!("an address is no file")
        };
        assert_eq!(
            words,
            ["The submitted data was not a file. Check the encoding type on the form."]
        );
    }
}
