//! What an assessment belongs to.

use uuid::Uuid;

use super::AssessmentError;
use crate::{
    Change, School, Transaction,
    access::{LessonPlace, Place},
    accounts::UserId,
    courses::{self, CourseError},
    lessons::{self, Lesson, LessonError, ModuleOf},
    modules::{self, CourseOf, ModuleError},
};

/// What kind of thing an assessment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// A course.
    Course,
    /// A module.
    Module,
    /// A lesson.
    Lesson,
}

impl LinkKind {
    /// The word the contract has for it, and the field's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Course => "course",
            Self::Module => "module",
            Self::Lesson => "lesson",
        }
    }
}

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
    /// What kind of thing it is.
    #[must_use]
    pub const fn kind(&self) -> LinkKind {
        match self {
            Self::Course(_) => LinkKind::Course,
            Self::Module(_) => LinkKind::Module,
            Self::Lesson(_) => LinkKind::Lesson,
        }
    }

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

/// What becomes of what an assessment belongs to. It can belong to one thing only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkChanges {
    /// To a course.
    pub course: Change<Uuid>,
    /// To a module.
    pub module: Change<Uuid>,
    /// To a lesson.
    pub lesson: Change<Uuid>,
}

impl LinkChanges {
    const fn of(&self, kind: LinkKind) -> &Change<Uuid> {
        match kind {
            LinkKind::Course => &self.course,
            LinkKind::Module => &self.module,
            LinkKind::Lesson => &self.lesson,
        }
    }

    /// The same, but to this course when there is no other new link.
    pub(super) fn or_to_course(self, course: Uuid) -> Self {
        match [&self.course, &self.module, &self.lesson]
            .iter()
            .any(|it| matches!(it, Change::Set(_)))
        {
            true => self,
            false => Self { course: Change::Set(course), ..self },
        }
    }

    /// The one thing that it is to belong to from now on, if there is one.
    fn new_link(&self) -> Result<Option<(LinkKind, Uuid)>, AssessmentError> {
        let kinds = [LinkKind::Course, LinkKind::Module, LinkKind::Lesson];
        let mut set = kinds.into_iter().filter_map(|kind| match self.of(kind) {
            Change::Set(id) => Some((kind, *id)),
            Change::Keep | Change::Clear => None,
        });
        match (set.next(), set.next()) {
            (_, Some(_)) => Err(AssessmentError::TooManyLinks),
            (link, None) => Ok(link),
        }
    }

    /// What it belongs to afterwards: `new`, or what it belonged to unless that is cleared.
    pub(super) fn merge(
        &self,
        before: Option<&Link>,
        new: Option<Link>,
    ) -> Result<Option<Link>, AssessmentError> {
        let kept = before.filter(|link| *self.of(link.kind()) == Change::Keep);
        match (kept, new) {
            (Some(_), Some(_)) => Err(AssessmentError::TooManyLinks),
            (kept, new) => Ok(new.or_else(|| kept.cloned())),
        }
    }
}

/// What an assessment is to belong to from now on, if that is something new and the teacher's. Its
/// course is held until the transaction ends, so that nobody deletes it meanwhile.
pub(super) async fn lock_new(
    tx: &mut dyn Transaction,
    school: &School,
    teacher: UserId,
    changes: &LinkChanges,
) -> Result<Option<Link>, AssessmentError> {
    match changes.new_link()? {
        Some((kind, id)) => lock_owned(tx, school, teacher, kind, id).await.map(Some),
        None => Ok(None),
    }
}

async fn lock_owned(
    tx: &mut dyn Transaction,
    school: &School,
    teacher: UserId,
    kind: LinkKind,
    id: Uuid,
) -> Result<Link, AssessmentError> {
    let unknown = AssessmentError::UnknownLink(kind, id);
    let foreign = AssessmentError::LinkNotYours(kind);
    match kind {
        LinkKind::Course => match courses::lock_owned(tx, school, teacher, id).await {
            Ok(course) => Ok(Link::Course(CourseOf::from(&course))),
            Err(CourseError::NotYours) => Err(foreign),
            Err(CourseError::Store(error)) => Err(error.into()),
            Err(_) => Err(unknown),
        },
        LinkKind::Module => match modules::lock_owned(tx, school, teacher, id).await {
            Ok(module) => Ok(Link::Module(ModuleOf::from(&module))),
            Err(ModuleError::NotYours) => Err(foreign),
            Err(ModuleError::Store(error)) => Err(error.into()),
            Err(_) => Err(unknown),
        },
        LinkKind::Lesson => match lessons::lock_owned(tx, school, teacher, id).await {
            Ok(lesson) => Ok(Link::Lesson(LessonOf::from(lesson))),
            Err(LessonError::NotYours) => Err(foreign),
            Err(LessonError::Store(error)) => Err(error.into()),
            Err(_) => Err(unknown),
        },
    }
}
