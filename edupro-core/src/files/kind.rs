//! What uploaded files are for, and of which types they may be.

/// What an uploaded file is for. It is a part of the file's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// The picture of a user.
    Avatar,
    /// The mark of a teacher's school.
    Logo,
    /// The picture of a teacher's or student's profile.
    ProfilePicture,
    /// The icon of a category of courses.
    CategoryIcon,
    /// The picture of a course.
    CourseThumbnail,
    /// The film that advertises a course.
    CourseTrailer,
    /// The picture of a module.
    ModuleImage,
    /// The picture of a lesson.
    LessonThumbnail,
    /// What is read in a lesson. Not public.
    LessonDocument,
    /// What is watched in a lesson. Not public.
    LessonVideo,
    /// The picture to a question.
    QuestionImage,
}

impl FileKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Avatar,
        Self::Logo,
        Self::ProfilePicture,
        Self::CategoryIcon,
        Self::CourseThumbnail,
        Self::CourseTrailer,
        Self::ModuleImage,
        Self::LessonThumbnail,
        Self::LessonDocument,
        Self::LessonVideo,
        Self::QuestionImage,
    ];

    /// The word that stands for the kind in a path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Avatar => "avatar",
            Self::Logo => "logo",
            Self::ProfilePicture => "profile-picture",
            Self::CategoryIcon => "category-icon",
            Self::CourseThumbnail => "course-thumbnail",
            Self::CourseTrailer => "course-trailer",
            Self::ModuleImage => "module-image",
            Self::LessonThumbnail => "lesson-thumbnail",
            Self::LessonDocument => "lesson-document",
            Self::LessonVideo => "lesson-video",
            Self::QuestionImage => "question-image",
        }
    }

    /// Whether everybody who knows the path may have the file; if not, it takes a signed link
    /// (behaviour G12, security R25).
    #[must_use]
    pub const fn is_public(self) -> bool {
        match self {
            Self::Avatar
            | Self::Logo
            | Self::ProfilePicture
            | Self::CategoryIcon
            | Self::CourseThumbnail
            | Self::CourseTrailer
            | Self::ModuleImage
            | Self::LessonThumbnail
            | Self::QuestionImage => true,
            Self::LessonDocument | Self::LessonVideo => false,
        }
    }

    /// The kind of the word in a path.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// The types of stored files, written as the ending of the path. They come from the content,
/// never from the client (security R22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extension {
    /// A JPEG picture.
    Jpg,
    /// A PNG picture.
    Png,
    /// A GIF picture.
    Gif,
    /// A WebP picture.
    Webp,
    /// A PDF document.
    Pdf,
    /// A Word document of before 2007.
    Doc,
    /// A Word document.
    Docx,
    /// A PowerPoint presentation of before 2007.
    Ppt,
    /// A PowerPoint presentation.
    Pptx,
    /// An MPEG-4 film.
    Mp4,
    /// A QuickTime film.
    Mov,
    /// An AVI film.
    Avi,
    /// A Matroska film.
    Mkv,
    /// A WebM film.
    Webm,
}

impl Extension {
    /// Every type.
    pub const ALL: [Self; 14] = [
        Self::Jpg,
        Self::Png,
        Self::Gif,
        Self::Webp,
        Self::Pdf,
        Self::Doc,
        Self::Docx,
        Self::Ppt,
        Self::Pptx,
        Self::Mp4,
        Self::Mov,
        Self::Avi,
        Self::Mkv,
        Self::Webm,
    ];

    /// The types of pictures.
    pub const PICTURES: [Self; 4] = [Self::Jpg, Self::Png, Self::Gif, Self::Webp];

    /// The ending, without its dot.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Pdf => "pdf",
            Self::Doc => "doc",
            Self::Docx => "docx",
            Self::Ppt => "ppt",
            Self::Pptx => "pptx",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Avi => "avi",
            Self::Mkv => "mkv",
            Self::Webm => "webm",
        }
    }

    /// The content type it is served with.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
            Self::Doc => "application/msword",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Ppt => "application/vnd.ms-powerpoint",
            Self::Pptx => {
                "application/vnd.openxmlformats-officedocument.presentationml.presentation"
            }
            Self::Mp4 => "video/mp4",
            Self::Mov => "video/quicktime",
            Self::Avi => "video/x-msvideo",
            Self::Mkv => "video/x-matroska",
            Self::Webm => "video/webm",
        }
    }

    /// The type of a stored path's ending.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| extension.as_str() == word)
    }

    /// The type that a client's file name claims, in any case: `Portrait.JPEG` is a [`Self::Jpg`].
    pub(super) fn claimed_by(file_name: &str) -> Option<Self> {
        let (_, ending) = file_name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "jpeg" => Some(Self::Jpg),
            ending => Self::from_word(ending),
        }
    }

    /// The type of a picture that begins with `head`.
    pub(super) fn of_picture(head: &[u8]) -> Option<Self> {
        let mime = infer::get(head)?.mime_type();
        Self::PICTURES.into_iter().find(|extension| extension.content_type() == mime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_kinds_belong_together() {
        for kind in FileKind::ALL {
            assert_eq!(FileKind::from_word(kind.as_str()), Some(kind));
        }
        assert_eq!(FileKind::from_word("Avatar"), None);
    }

    #[test]
    fn file_names_claim_a_type() {
        assert_eq!(Extension::claimed_by("me.JPEG"), Some(Extension::Jpg));
        assert_eq!(Extension::claimed_by("صورة.png"), Some(Extension::Png));
        assert_eq!(Extension::claimed_by("page.png.html"), None);
        assert_eq!(Extension::claimed_by("png"), None);
        assert_eq!(Extension::claimed_by(""), None);
    }
}
