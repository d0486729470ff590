//! Courses (contract 3.1–3.9).

use std::mem;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    Change, Page, PageOf, School, StoreError, StoreResult, Transaction,
    access::{self, Place},
    accounts::{Actor, User, UserId},
    assessments::LinkKind,
    audit::{self, Deed},
    categories::{Category, CategoryId},
    files::{CheckedFile, FileError, FileKey, FileKind, Picture},
    jobs,
    lessons::Lesson,
    modules::Module,
    profiles, roster,
    video::{VideosOf, uploads},
};

/// Longest title of a course, in characters (behaviour 3.1).
pub const COURSE_TITLE_LENGTH: usize = 100;
/// Longest description, in characters (behaviour 3.1).
pub const DESCRIPTION_LENGTH: usize = 20_000;
/// Longest URL of a trailer, in characters (behaviour 3.1).
pub const TRAILER_URL_LENGTH: usize = 200;

/// A short film that advertises a course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trailer {
    /// Somewhere else. The server never fetches it (security R26).
    Url(String),
    /// A file of ours, which anybody may see.
    File(FileKey),
}

impl Trailer {
    /// The trailer that the database kept.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        match text.starts_with("http://") || text.starts_with("https://") {
            true => Self::Url(text),
            false => Self::File(FileKey::from_stored(text)),
        }
    }

    /// How the database keeps it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Url(url) => url,
            Self::File(key) => key.as_str(),
        }
    }

    fn file(&self) -> Option<&FileKey> {
        match self {
            Self::Url(_) => None,
            Self::File(key) => Some(key),
        }
    }
}

/// What is counted of a course: always what a recount gives (behaviour 3.20).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CourseTotals {
    /// Enrolments.
    pub enrollments: i64,
    /// Lessons, unpublished ones too.
    pub lessons: i64,
    /// Their length, in seconds.
    pub duration: i64,
    /// Ratings.
    pub reviews: i64,
    /// Their mean, with two places; 0 without any.
    pub average_rating: Decimal,
    /// What its coupons and those of its modules have brought in.
    pub revenue: Decimal,
}

/// A course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Which one.
    pub id: Uuid,
    /// Whose.
    pub teacher: UserId,
    /// What it is called.
    pub title: String,
    /// What it is about, in words.
    pub description: String,
    /// What it is about, in a word.
    pub category: Option<Category>,
    /// A film that advertises it.
    pub trailer: Option<Trailer>,
    /// What it costs; two places.
    pub price: Decimal,
    /// Enrolling needs no coupon. Then the price is 0.
    pub is_free: bool,
    /// Whether others see it.
    pub is_published: bool,
    /// Its picture.
    pub thumbnail: Option<FileKey>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// What is counted of it.
    pub totals: CourseTotals,
}

impl Course {
    /// Where it stands, for whoever decides who may see it.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place {
            course: self.id,
            owner: self.teacher,
            course_is_published: self.is_published,
            module: None,
            lesson: None,
        }
    }
}

/// A course with everything in it (3.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourseTree {
    /// The course.
    pub course: Course,
    /// Its modules in order, each with its lessons in order.
    pub modules: Vec<(Module, Vec<Lesson>)>,
}

/// What a list of courses is ordered by; ties are broken by the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CourseOrder {
    /// The day it was made.
    CreatedAt,
    /// What it costs.
    Price,
    /// How many are enrolled.
    Enrollments,
}

/// Which published courses are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourseQuery {
    /// Only those of this category, by its name in any case.
    pub category_name: Option<String>,
    /// Only those of teachers with this full name, in any case.
    pub teacher_name: Option<String>,
    /// Words, in lower case, each of which must occur in the title or the description.
    pub words: Vec<String>,
    /// In which order, and whether backwards; the first counts most.
    pub order: Vec<(CourseOrder, bool)>,
    /// Which part.
    pub page: Page,
}

impl CourseQuery {
    /// All published courses, the newest first.
    #[must_use]
    pub fn newest(page: Page) -> Self {
        Self {
            category_name: None,
            teacher_name: None,
            words: Vec::new(),
            order: vec![(CourseOrder::CreatedAt, true)],
            page,
        }
    }
}

/// Where courses are kept.
#[async_trait]
pub trait CourseStore: Send {
    /// Adds a course.
    async fn add(&mut self, course: &Course) -> StoreResult<()>;

    /// The course with this id.
    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Course>>;

    /// The course. Until this transaction ends nobody else changes it, its modules or its lessons.
    async fn lock(&mut self, id: Uuid, now: DateTime<Utc>) -> StoreResult<Option<Course>>;

    /// Keeps the course as it is here, but for what is counted.
    async fn save(&mut self, course: &Course) -> StoreResult<()>;

    /// Deletes the course and all below it.
    async fn delete(&mut self, id: Uuid) -> StoreResult<()>;

    /// Every file of the course and of all below it.
    async fn files(&mut self, id: Uuid) -> StoreResult<Vec<FileKey>>;

    /// Counts the lessons of the course and of its modules again.
    async fn recount(&mut self, id: Uuid) -> StoreResult<()>;

    /// A page of the published courses; `None` when there is no such page.
    async fn list(&mut self, query: &CourseQuery) -> StoreResult<Option<PageOf<Course>>>;

    /// A teacher's courses, the newest first.
    async fn of_teacher(
        &mut self,
        teacher: UserId,
        published_only: bool,
    ) -> StoreResult<Vec<Course>>;
}

/// Why a course was not shown, made or changed.
#[derive(Debug, thiserror::Error)]
pub enum CourseError {
    /// There is no such course, or the asker may not know of it.
    #[error("Not found.")]
    Unknown,
    /// It is another teacher's.
    #[error("You do not have permission to perform this action.")]
    NotYours,
    /// A free course has no price.
    #[error("Price must be 0 for free courses")]
    FreeWithPrice,
    /// There is no such category.
    #[error("Invalid pk \"{}\" - object does not exist.", .0.0)]
    UnknownCategory(CategoryId),
    /// The list has no such page.
    #[error("Invalid page.")]
    NoSuchPage,
    /// A file could not be stored.
    #[error("a file of a course could not be stored")]
    File(#[from] FileError),
    /// The storage.
    #[error("a course could not be read or saved")]
    Store(#[from] StoreError),
}

/// A trailer as it is sent.
#[derive(Debug)]
pub enum NewTrailer {
    /// Somewhere else.
    Url(String),
    /// A film that was uploaded.
    File(CheckedFile),
}

/// A course that is about to be made.
#[derive(Debug)]
pub struct NewCourse {
    /// [`Course::title`].
    pub title: String,
    /// [`Course::description`].
    pub description: String,
    /// [`Course::category`].
    pub category: Option<CategoryId>,
    /// [`Course::trailer`].
    pub trailer: Option<NewTrailer>,
    /// [`Course::price`].
    pub price: Decimal,
    /// [`Course::is_free`].
    pub is_free: bool,
    /// [`Course::is_published`].
    pub is_published: bool,
    /// [`Course::thumbnail`].
    pub thumbnail: Option<Picture>,
}

/// The course, if it is this teacher's.
pub async fn owned(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: Uuid,
) -> Result<Course, CourseError> {
    let course = tx.courses().find(id).await?.ok_or(CourseError::Unknown)?;
    match course.teacher == teacher {
        true => Ok(course),
        false => Err(CourseError::NotYours),
    }
}

/// The same, held until the transaction ends: what changes a course, its modules or its lessons
/// begins with this, so two changes never meet further down.
pub(crate) async fn lock_owned(
    tx: &mut dyn Transaction,
    school: &School,
    teacher: UserId,
    id: Uuid,
) -> Result<Course, CourseError> {
    let now = school.clock.now();
    let course = tx.courses().lock(id, now).await?.ok_or(CourseError::Unknown)?;
    match course.teacher == teacher {
        true => Ok(course),
        false => Err(CourseError::NotYours),
    }
}

async fn category(
    tx: &mut dyn Transaction,
    id: Option<CategoryId>,
) -> Result<Option<Category>, CourseError> {
    let Some(id) = id else { return Ok(None) };
    let found = tx.categories().find(id).await?;
    found.map(Some).ok_or(CourseError::UnknownCategory(id))
}

/// Files of a change that are stored already, before the transaction that will name them.
struct Stored {
    thumbnail: Change<FileKey>,
    trailer: Change<Trailer>,
}

impl Stored {
    async fn new(
        school: &School,
        teacher: UserId,
        thumbnail: Change<Picture>,
        trailer: Change<NewTrailer>,
    ) -> Result<Self, FileError> {
        let kind = FileKind::CourseThumbnail;
        let thumbnail = profiles::store_picture(school, Some(teacher), kind, thumbnail).await?;
        let trailer = match trailer {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            Change::Set(NewTrailer::Url(url)) => Change::Set(Trailer::Url(url)),
            Change::Set(NewTrailer::File(file)) => {
                match school.store_file(Some(teacher), FileKind::CourseTrailer, file).await {
                    Ok(key) => Change::Set(Trailer::File(key)),
                    Err(error) => {
                        school.discard(&thumbnail.new_file()).await;
                        return Err(error);
                    }
                }
            }
        };
        Ok(Self { thumbnail, trailer })
    }

    fn files(&self) -> Vec<FileKey> {
        let mut files = self.thumbnail.new_file();
        if let Change::Set(Trailer::File(key)) = &self.trailer {
            files.push(key.clone());
        }
        files
    }
}

/// 3.1: makes a course.
pub async fn create(
    school: &School,
    teacher: UserId,
    new: NewCourse,
) -> Result<Course, CourseError> {
    if new.is_free && !new.price.is_zero() {
        return Err(CourseError::FreeWithPrice);
    }
    // What can be refused is refused before a file is stored.
    category(&mut *school.storage.read().await?, new.category).await?;
    let thumbnail = new.thumbnail.map_or(Change::Keep, Change::Set);
    let trailer = new.trailer.map_or(Change::Keep, Change::Set);
    let stored = Stored::new(school, teacher, thumbnail, trailer).await?;
    let now = school.clock.now();
    let mut course = Course {
        id: school.entropy.uuid(now),
        teacher,
        title: new.title,
        description: new.description,
        category: None,
        trailer: None,
        price: new.price,
        is_free: new.is_free,
        is_published: new.is_published,
        thumbnail: None,
        created_at: now,
        totals: CourseTotals::default(),
    };
    stored.thumbnail.clone().apply(&mut course.thumbnail);
    stored.trailer.clone().apply(&mut course.trailer);
    school
        .keep_files(stored.files(), || async {
            let mut tx = school.storage.write().await?;
            let category = category(&mut *tx, new.category).await?;
            let course = Course { category, ..course.clone() };
            tx.courses().add(&course).await?;
            tx.commit().await?;
            Ok(course)
        })
        .await
}

/// 3.3: a course, for whoever may know of it.
pub async fn show(
    tx: &mut dyn Transaction,
    viewer: Option<&User>,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Course, CourseError> {
    let course = tx.courses().find(id).await?.ok_or(CourseError::Unknown)?;
    match access::course_is_visible(tx, &course.place(), viewer, now).await? {
        true => Ok(course),
        false => Err(CourseError::Unknown),
    }
}

/// What becomes of a course.
#[derive(Debug, Default)]
pub struct CourseChanges {
    /// [`Course::title`].
    pub title: Option<String>,
    /// [`Course::description`].
    pub description: Option<String>,
    /// [`Course::category`].
    pub category: Change<CategoryId>,
    /// [`Course::trailer`].
    pub trailer: Change<NewTrailer>,
    /// [`Course::price`].
    pub price: Option<Decimal>,
    /// [`Course::is_free`].
    pub is_free: Option<bool>,
    /// [`Course::is_published`].
    pub is_published: Option<bool>,
    /// [`Course::thumbnail`].
    pub thumbnail: Change<Picture>,
}

impl CourseChanges {
    /// All but the files and the category.
    fn apply(&self, course: &mut Course) -> Result<(), CourseError> {
        if let Some(title) = &self.title {
            course.title.clone_from(title);
        }
        if let Some(description) = &self.description {
            course.description.clone_from(description);
        }
        course.price = self.price.unwrap_or(course.price);
        course.is_free = self.is_free.unwrap_or(course.is_free);
        course.is_published = self.is_published.unwrap_or(course.is_published);
        match course.is_free && !course.price.is_zero() {
            true => Err(CourseError::FreeWithPrice),
            false => Ok(()),
        }
    }
}

/// 3.4: changes what is sent and nothing else. Whoever is enrolled stays so.
pub async fn update(
    school: &School,
    by: &Actor,
    id: Uuid,
    mut changes: CourseChanges,
) -> Result<Course, CourseError> {
    let teacher = by.id;
    let thumbnail = mem::take(&mut changes.thumbnail);
    let trailer = mem::take(&mut changes.trailer);
    let stored = Stored::new(school, teacher, thumbnail, trailer).await?;
    school
        .keep_files(stored.files(), || async {
            let mut tx = school.storage.write().await?;
            let mut course = lock_owned(&mut *tx, school, teacher, id).await?;
            let before = course.offer();
            changes.apply(&mut course)?;
            let deeds = before.changes(course.offer(), teacher, ("course", id));
            match changes.category {
                Change::Keep => {}
                Change::Clear => course.category = None,
                Change::Set(id) => course.category = category(&mut *tx, Some(id)).await?,
            }
            let mut old = Vec::new();
            profiles::replace_picture(&stored.thumbnail, &mut course.thumbnail, None, &mut old);
            let before = course.trailer.clone();
            stored.trailer.clone().apply(&mut course.trailer);
            if before != course.trailer {
                old.extend(before.as_ref().and_then(Trailer::file).cloned());
            }
            tx.courses().save(&course).await?;
            jobs::delete_files(&mut *tx, school, old).await?;
            audit::note(&mut *tx, school, by, deeds).await?;
            tx.commit().await?;
            Ok(course)
        })
        .await
}

/// 3.5: deletes a course and all below it; its files disappear after the commit.
pub async fn delete(school: &School, by: &Actor, id: Uuid) -> Result<(), CourseError> {
    let teacher = by.id;
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let course = lock_owned(&mut *tx, school, teacher, id).await?;
            let mut files = tx.courses().files(id).await?;
            files.extend(tx.assessments().files_below(LinkKind::Course, id).await?);
            uploads::discard(&mut *tx, school, VideosOf::Course(id)).await?;
            tx.courses().delete(id).await?;
            tx.ratings().recount(id, teacher).await?;
            jobs::delete_files(&mut *tx, school, files).await?;
            let deed = Deed::Deleted { teacher, object: ("course", id), title: &course.title };
            audit::note(&mut *tx, school, by, [deed]).await?;
            Ok(tx.commit().await?)
        })
        .await
}

/// 3.2, 3.6: a page of published courses.
pub async fn list(
    tx: &mut dyn Transaction,
    query: &CourseQuery,
) -> Result<PageOf<Course>, CourseError> {
    tx.courses().list(query).await?.ok_or(CourseError::NoSuchPage)
}

/// 3.7: a teacher's own courses, the newest first.
pub async fn own(tx: &mut dyn Transaction, teacher: UserId) -> StoreResult<Vec<Course>> {
    tx.courses().of_teacher(teacher, false).await
}

/// 3.8: a teacher's published courses, the newest first.
pub async fn of_teacher(
    tx: &mut dyn Transaction,
    username: &str,
) -> Result<Vec<Course>, CourseError> {
    let teacher = roster::teacher(tx, username).await?.ok_or(CourseError::Unknown)?;
    Ok(tx.courses().of_teacher(teacher.id, true).await?)
}

/// 3.9: a course with everything in it, for its owner.
pub async fn tree(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: Uuid,
) -> Result<CourseTree, CourseError> {
    let course = owned(tx, teacher, id).await?;
    let modules = tx.modules().list(id, false).await?;
    let mut lessons = tx.lessons().of_course(id).await?.into_iter().peekable();
    // Lessons come in the order of their modules.
    let modules = modules.into_iter().map(|module| {
        let mut own = Vec::new();
        while let Some(lesson) = lessons.next_if(|lesson| lesson.module.id == module.id) {
            own.push(lesson);
        }
        (module, own)
    });
    Ok(CourseTree { course, modules: modules.collect() })
}
