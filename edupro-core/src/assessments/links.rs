//! What an assessment belongs to.

use uuid::Uuid;

use crate::{
    access::{LessonPlace, Place},
    accounts::UserId,
    lessons::{Lesson, ModuleOf},
    modules::CourseOf,
};

/// The lesson of an assessment, as far as it needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LessonOf {
    /// Which one.
    pub id: Uuid,
    /// What it is called.
    pub title: String,
    /// Whether students see it.
    pub is_published: bool,
    /// A free preview.
    pub is_free: bool,
    /// Its module.
    pub module: ModuleOf,
}

impl From<Lesson> for LessonOf {
    fn from(lesson: Lesson) -> Self {
        Self {
            id: lesson.id,
            title: lesson.title,
            is_published: lesson.is_published,
            is_free: lesson.is_free,
            module: lesson.module,
        }
    }
}

/// What an assessment belongs to: whoever has that may take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// A course.
    Course(CourseOf),
    /// A module of one.
    Module(ModuleOf),
    /// A lesson in one.
    Lesson(LessonOf),
}

impl Link {
    /// The id of the thing.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        match self {
            Self::Course(course) => course.id,
            Self::Module(module) => module.id,
            Self::Lesson(lesson) => lesson.id,
        }
    }

    /// What the thing is called.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Course(course) => &course.title,
            Self::Module(module) => &module.title,
            Self::Lesson(lesson) => &lesson.title,
        }
    }

    /// The course that the thing is, or stands in.
    #[must_use]
    pub const fn course(&self) -> &CourseOf {
        match self {
            Self::Course(course) => course,
            Self::Module(module) => &module.course,
            Self::Lesson(lesson) => &lesson.module.course,
        }
    }

    /// Whose the thing is.
    #[must_use]
    pub const fn teacher(&self) -> UserId {
        self.course().teacher
    }

    /// Where the thing stands, for whoever decides who may have it.
    #[must_use]
    pub const fn place(&self) -> Place {
        match self {
            Self::Course(course) => course.place(),
            Self::Module(module) => module.place(),
            Self::Lesson(lesson) => {
                let LessonOf { is_published, is_free, module, .. } = lesson;
                let lesson = LessonPlace { is_published: *is_published, is_free: *is_free };
                Place { lesson: Some(lesson), ..module.place() }
            }
        }
    }
}
