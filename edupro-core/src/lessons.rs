//! Lessons: what a student learns from (contract 8.1–8.5).

use std::mem;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    Change, School, StoreError, StoreResult, Transaction,
    access::{self, Access, LessonPlace, ModulePlace, Place},
    accounts::{Actor, User, UserId},
    assessments::LinkKind,
    audit::{self, Deed},
    files::{CheckedFile, FileError, FileKey, FileKind, Picture},
    jobs,
    modules::{self, CourseOf, Module, ModuleError},
    profiles, progress,
    video::{
        HostError, Video, VideoOf, VideosOf,
        uploads::{self, Incoming, NewVideo, UploadError},
    },
};

/// Longest title of a lesson, in characters (behaviour 8.2).
pub const LESSON_TITLE_LENGTH: usize = 200;

/// The module of a lesson, as far as it needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleOf {
    /// Which one.
    pub id: Uuid,
    /// What it is called.
    pub title: String,
    /// Whether students see it.
    pub is_published: bool,
    /// Its course.
    pub course: CourseOf,
}

impl ModuleOf {
    /// Where it stands, for whoever decides who may see it.
    #[must_use]
    pub const fn place(&self) -> Place {
        let module = ModulePlace { id: self.id, is_published: self.is_published };
        Place { module: Some(module), ..self.course.place() }
    }
}

impl From<&Module> for ModuleOf {
    fn from(module: &Module) -> Self {
        Self {
            id: module.id,
            title: module.title.clone(),
            is_published: module.is_published,
            course: module.course.clone(),
        }
    }
}

/// A part of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// Which one.
    pub id: Uuid,
    /// Of which module.
    pub module: ModuleOf,
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// Its place in the module, from 1; no other lesson has it.
    pub order: i64,
    /// Whether students see it.
    pub is_published: bool,
    /// A free preview: for every student whom the teacher lets in.
    pub is_free: bool,
    /// Its length, in seconds; 0 is unknown.
    pub duration: i64,
    /// What is watched in it.
    pub video: Option<VideoOf>,
    /// A paper, private.
    pub document: Option<FileKey>,
    /// Its picture.
    pub thumbnail: Option<FileKey>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Lesson {
    /// Where it stands, for whoever decides who may have it.
    #[must_use]
    pub const fn place(&self) -> Place {
        let lesson = LessonPlace { is_published: self.is_published, is_free: self.is_free };
        Place { lesson: Some(lesson), ..self.module.place() }
    }
}

/// Where lessons are kept.
#[async_trait]
pub trait LessonStore: Send {
    /// Adds a lesson.
    async fn add(&mut self, lesson: &Lesson) -> StoreResult<()>;

    /// The lesson with this id.
    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Lesson>>;

    /// The lesson whose video or document this is.
    async fn find_by_file(&mut self, file: &FileKey) -> StoreResult<Option<Lesson>>;

    /// A module's lessons in order.
    async fn list(&mut self, module: Uuid, published_only: bool) -> StoreResult<Vec<Lesson>>;

    /// A module's published lessons in order, and which of them a student has completed: one
    /// statement.
    async fn list_for(&mut self, module: Uuid, student: UserId)
    -> StoreResult<Vec<(Lesson, bool)>>;

    /// A course's lessons, in the order of their modules and then in their own.
    async fn of_course(&mut self, course: Uuid) -> StoreResult<Vec<Lesson>>;

    /// One more than the highest order in the module.
    async fn next_order(&mut self, module: Uuid) -> StoreResult<i64>;

    /// Whether another lesson of the module than `except` has this order.
    async fn order_is_taken(
        &mut self,
        module: Uuid,
        order: i64,
        except: Option<Uuid>,
    ) -> StoreResult<bool>;

    /// Keeps the lesson as it is here.
    async fn save(&mut self, lesson: &Lesson) -> StoreResult<()>;

    /// Deletes the lesson and all below it.
    async fn delete(&mut self, id: Uuid) -> StoreResult<()>;
}

/// Why a lesson was not shown, made or changed.
#[derive(Debug, thiserror::Error)]
pub enum LessonError {
    /// There is no such lesson or module, or the asker may not know of it.
    #[error("Not found.")]
    Unknown,
    /// It is another teacher's, or the student has no access to the module.
    #[error("You do not have permission to perform this action.")]
    NotYours,
    /// 8.3: the viewer has no access.
    #[error("You don't have permission to access this lesson.")]
    NoAccess,
    /// The teacher has blocked the student.
    #[error("You are blocked by the teacher.")]
    Blocked,
    /// Another lesson of the module has the order.
    #[error("there is already lesson in this order")]
    OrderTaken,
    /// 9.1 gave this teacher no such name, or another lesson shows the video.
    #[error("Unknown video id.")]
    UnknownVideo,
    /// The provider takes films only from the teacher's page.
    #[error("Upload the video with upload credentials first, and send its video_id.")]
    NoServerUpload,
    /// A file could not be stored.
    #[error("a file of a lesson could not be stored")]
    File(#[from] FileError),
    /// The storage.
    #[error("a lesson could not be read or saved")]
    Store(#[from] StoreError),
}

impl From<ModuleError> for LessonError {
    fn from(error: ModuleError) -> Self {
        match error {
            ModuleError::NotYours => Self::NotYours,
            ModuleError::File(error) => Self::File(error),
            ModuleError::Store(error) => Self::Store(error),
            // The rest is about what a module itself is given.
            ModuleError::Unknown
            | ModuleError::OrderTaken
            | ModuleError::OrderTakenByAnother
            | ModuleError::FreeWithPrice => Self::Unknown,
        }
    }
}

impl From<UploadError> for LessonError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Host(HostError::Unsupported(_)) => Self::NoServerUpload,
            UploadError::Host(error) => Self::File(FileError::Failed(error.into())),
            UploadError::File(error) => Self::File(error),
            UploadError::Store(error) => Self::Store(error),
            // The rest is about uploads that are no lesson's.
            UploadError::Unknown
            | UploadError::Complete
            | UploadError::Throttled(_)
            | UploadError::NoTitle
            | UploadError::LongTitle => Self::UnknownVideo,
        }
    }
}

/// A lesson that is about to be made.
#[derive(Debug)]
pub struct NewLesson {
    /// [`Lesson::title`].
    pub title: String,
    /// [`Lesson::description`].
    pub description: Option<String>,
    /// [`Lesson::order`]; `None` is the end.
    pub order: Option<i64>,
    /// [`Lesson::is_published`].
    pub is_published: bool,
    /// [`Lesson::is_free`].
    pub is_free: bool,
    /// [`Lesson::duration`]; `None` is what the video says.
    pub duration: Option<i64>,
    /// [`Lesson::video`].
    pub video: Option<NewVideo>,
    /// [`Lesson::document`].
    pub document: Option<CheckedFile>,
    /// [`Lesson::thumbnail`].
    pub thumbnail: Option<Picture>,
}

/// What becomes of a lesson.
#[derive(Debug, Default)]
pub struct LessonChanges {
    /// [`Lesson::title`].
    pub title: Option<String>,
    /// [`Lesson::description`].
    pub description: Change<String>,
    /// [`Lesson::order`].
    pub order: Option<i64>,
    /// [`Lesson::is_published`].
    pub is_published: Option<bool>,
    /// [`Lesson::is_free`].
    pub is_free: Option<bool>,
    /// [`Lesson::duration`].
    pub duration: Option<i64>,
    /// [`Lesson::video`].
    pub video: Change<NewVideo>,
    /// [`Lesson::document`].
    pub document: Change<CheckedFile>,
    /// [`Lesson::thumbnail`].
    pub thumbnail: Change<Picture>,
}

/// What of a change is stored already, before the transaction that will name it.
#[derive(Default)]
struct Stored {
    video: Change<Incoming>,
    document: Change<FileKey>,
    thumbnail: Change<FileKey>,
}

impl Stored {
    async fn new(
        school: &School,
        teacher: UserId,
        title: &str,
        video: Change<NewVideo>,
        document: Change<CheckedFile>,
        thumbnail: Change<Picture>,
    ) -> Result<Self, LessonError> {
        let mut stored = Self::default();
        match stored.fill(school, teacher, title, video, document, thumbnail).await {
            Ok(()) => Ok(stored),
            Err(error) => {
                school.discard(&stored.files()).await;
                Err(error)
            }
        }
    }

    async fn fill(
        &mut self,
        school: &School,
        teacher: UserId,
        title: &str,
        video: Change<NewVideo>,
        document: Change<CheckedFile>,
        thumbnail: Change<Picture>,
    ) -> Result<(), LessonError> {
        let kind = FileKind::LessonThumbnail;
        self.thumbnail = profiles::store_picture(school, Some(teacher), kind, thumbnail).await?;
        self.document = match document {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            Change::Set(document) => Change::Set(
                school.store_file(Some(teacher), FileKind::LessonDocument, document).await?,
            ),
        };
        self.video = match video {
            Change::Keep => Change::Keep,
            Change::Clear => Change::Clear,
            Change::Set(video) => Change::Set(Incoming::new(school, teacher, title, video).await?),
        };
        Ok(())
    }

    fn files(&self) -> Vec<FileKey> {
        let film = match &self.video {
            Change::Set(video) => video.file().cloned(),
            Change::Keep | Change::Clear => None,
        };
        let others = [&self.document, &self.thumbnail].into_iter().flat_map(Change::new_file);
        film.into_iter().chain(others).collect()
    }

    /// Puts the files into their places and returns those that were there before.
    fn apply(&self, lesson: &mut Lesson) -> Vec<FileKey> {
        let mut old = Vec::new();
        for (change, place) in
            [(&self.document, &mut lesson.document), (&self.thumbnail, &mut lesson.thumbnail)]
        {
            profiles::replace_picture(change, place, None, &mut old);
        }
        old
    }

    /// The new video with its row, if there is to be one.
    async fn video(
        &self,
        tx: &mut dyn Transaction,
        school: &School,
        teacher: UserId,
        title: &str,
    ) -> Result<Option<(&Incoming, Video)>, LessonError> {
        let Change::Set(incoming) = &self.video else { return Ok(None) };
        let video = incoming.video(tx, school, teacher, title).await?;
        Ok(Some((incoming, video.ok_or(LessonError::UnknownVideo)?)))
    }
}

/// Lets a lesson that is written show its new video.
async fn attach(
    tx: &mut dyn Transaction,
    school: &School,
    lesson: &mut Lesson,
    (incoming, video): (&Incoming, Video),
) -> Result<(), LessonError> {
    if !incoming.attach(tx, school, &video, lesson.id).await? {
        return Err(LessonError::UnknownVideo);
    }
    let Video { id, provider, host_id, status, .. } = video;
    lesson.video = Some(VideoOf { id, provider, host_id, status });
    Ok(())
}

/// 8.1: a module's lessons: all for its owner, published ones for a student who has the module, and
/// whether the student has completed them.
pub async fn list(
    tx: &mut dyn Transaction,
    viewer: &User,
    module: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<(Lesson, Option<bool>)>, LessonError> {
    let found = access::module(tx, module, viewer, now).await?;
    let (place, access) = found.ok_or(LessonError::Unknown)?;
    if access != Access::Owner {
        let is_known = place.module.is_some_and(|module| module.is_published)
            && access::course_is_visible(tx, &place, Some(viewer), now).await?;
        match access {
            Access::Granted | Access::Owner => {}
            Access::Blocked if is_known => return Err(LessonError::Blocked),
            Access::Refused if is_known => return Err(LessonError::NotYours),
            Access::Blocked | Access::Refused => return Err(LessonError::Unknown),
        }
    }
    if viewer.is_student() {
        let lessons = tx.lessons().list_for(module, viewer.id).await?;
        return Ok(lessons.into_iter().map(|(lesson, done)| (lesson, Some(done))).collect());
    }
    let lessons = tx.lessons().list(module, access != Access::Owner).await?;
    Ok(lessons.into_iter().map(|lesson| (lesson, None)).collect())
}

/// 8.2: makes a lesson.
pub async fn create(
    school: &School,
    teacher: UserId,
    module: Uuid,
    new: NewLesson,
) -> Result<Lesson, LessonError> {
    let stored = Stored::new(
        school,
        teacher,
        &new.title,
        new.video.map_or(Change::Keep, Change::Set),
        new.document.map_or(Change::Keep, Change::Set),
        new.thumbnail.map_or(Change::Keep, Change::Set),
    )
    .await?;
    let now = school.clock.now();
    let id = school.entropy.uuid(now);
    school
        .keep_files(stored.files(), || async {
            let mut tx = school.storage.write().await?;
            let module = modules::lock_owned(&mut *tx, school, teacher, module).await?;
            let order = match new.order {
                None => tx.lessons().next_order(module.id).await?,
                Some(order) if tx.lessons().order_is_taken(module.id, order, None).await? => {
                    return Err(LessonError::OrderTaken);
                }
                Some(order) => order,
            };
            let video = stored.video(&mut *tx, school, teacher, &new.title).await?;
            let length = video.as_ref().map(|(_, video)| video.duration);
            let mut lesson = Lesson {
                id,
                module: ModuleOf::from(&module),
                title: new.title.clone(),
                description: new.description.clone(),
                order,
                is_published: new.is_published,
                is_free: new.is_free,
                duration: new.duration.or(length).unwrap_or_default(),
                video: None,
                document: None,
                thumbnail: None,
                created_at: now,
            };
            stored.apply(&mut lesson);
            tx.lessons().add(&lesson).await?;
            if let Some(video) = video {
                attach(&mut *tx, school, &mut lesson, video).await?;
            }
            tx.courses().recount(module.course.id).await?;
            tx.progress().add_lesson(id, now).await?;
            progress::recount(&mut *tx, school, module.course.id, None).await?;
            tx.commit().await?;
            Ok(lesson)
        })
        .await
}

/// 8.3: a lesson, for whoever may have it.
pub async fn show(
    tx: &mut dyn Transaction,
    viewer: &User,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Lesson, LessonError> {
    let lesson = tx.lessons().find(id).await?.ok_or(LessonError::Unknown)?;
    match access::content(tx, &lesson.place(), viewer, now).await? {
        Access::Owner | Access::Granted => Ok(lesson),
        Access::Blocked => Err(LessonError::Blocked),
        Access::Refused => Err(LessonError::NoAccess),
    }
}

/// The lesson, if it is this teacher's.
pub async fn owned(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: Uuid,
) -> Result<Lesson, LessonError> {
    let lesson = tx.lessons().find(id).await?.ok_or(LessonError::Unknown)?;
    match lesson.module.course.teacher == teacher {
        true => Ok(lesson),
        false => Err(LessonError::NotYours),
    }
}

/// The same, with its course held until the transaction ends.
pub(crate) async fn lock_owned(
    tx: &mut dyn Transaction,
    school: &School,
    teacher: UserId,
    id: Uuid,
) -> Result<Lesson, LessonError> {
    let module = owned(tx, teacher, id).await?.module.id;
    modules::lock_owned(tx, school, teacher, module).await?;
    // It may have changed or gone while we waited for the course.
    owned(tx, teacher, id).await
}

/// 8.4: changes what is sent and nothing else. A new video brings its own length.
pub async fn update(
    school: &School,
    by: &Actor,
    id: Uuid,
    mut changes: LessonChanges,
) -> Result<Lesson, LessonError> {
    let teacher = by.id;
    let title = match (&changes.title, &changes.video) {
        (Some(title), _) => title.clone(),
        (None, Change::Set(_)) => {
            owned(&mut *school.storage.read().await?, teacher, id).await?.title
        }
        (None, _) => String::new(),
    };
    let stored = Stored::new(
        school,
        teacher,
        &title,
        mem::take(&mut changes.video),
        mem::take(&mut changes.document),
        mem::take(&mut changes.thumbnail),
    )
    .await?;
    school
        .keep_files(stored.files(), || async {
            let mut tx = school.storage.write().await?;
            let mut lesson = lock_owned(&mut *tx, school, teacher, id).await?;
            let before = lesson.offer();
            if let Some(title) = &changes.title {
                lesson.title.clone_from(title);
            }
            changes.description.clone().apply(&mut lesson.description);
            lesson.order = changes.order.unwrap_or(lesson.order);
            lesson.is_published = changes.is_published.unwrap_or(lesson.is_published);
            lesson.is_free = changes.is_free.unwrap_or(lesson.is_free);
            let deeds = before.changes(lesson.offer(), teacher, ("lesson", id));
            let video = stored.video(&mut *tx, school, teacher, &title).await?;
            let length = match &stored.video {
                Change::Keep => lesson.duration,
                Change::Clear | Change::Set(_) => {
                    video.as_ref().map_or(0, |(_, video)| video.duration)
                }
            };
            lesson.duration = changes.duration.unwrap_or(length);
            let (module, order) = (lesson.module.id, lesson.order);
            if tx.lessons().order_is_taken(module, order, Some(id)).await? {
                return Err(LessonError::OrderTaken);
            }
            let old = stored.apply(&mut lesson);
            tx.lessons().save(&lesson).await?;
            if !matches!(stored.video, Change::Keep) {
                uploads::discard(&mut *tx, school, VideosOf::Lesson(id)).await?;
                lesson.video = None;
            }
            if let Some(video) = video {
                attach(&mut *tx, school, &mut lesson, video).await?;
            }
            tx.courses().recount(lesson.module.course.id).await?;
            progress::recount(&mut *tx, school, lesson.module.course.id, None).await?;
            jobs::delete_files(&mut *tx, school, old).await?;
            audit::note(&mut *tx, school, by, deeds).await?;
            tx.commit().await?;
            Ok(lesson)
        })
        .await
}

/// 8.5: deletes a lesson; the orders of the others stay as they are.
pub async fn delete(school: &School, by: &Actor, id: Uuid) -> Result<(), LessonError> {
    let teacher = by.id;
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let lesson = lock_owned(&mut *tx, school, teacher, id).await?;
            let mut files = tx.assessments().files_below(LinkKind::Lesson, id).await?;
            files.extend([lesson.document, lesson.thumbnail].into_iter().flatten());
            uploads::discard(&mut *tx, school, VideosOf::Lesson(id)).await?;
            tx.lessons().delete(id).await?;
            tx.courses().recount(lesson.module.course.id).await?;
            progress::recount(&mut *tx, school, lesson.module.course.id, None).await?;
            jobs::delete_files(&mut *tx, school, files).await?;
            let deed = Deed::Deleted { teacher, object: ("lesson", id), title: &lesson.title };
            audit::note(&mut *tx, school, by, [deed]).await?;
            Ok(tx.commit().await?)
        })
        .await
}

/// Whether `viewer` may have this private file at this moment (security R25): it is asked again at
/// each download.
pub async fn may_have_file(
    tx: &mut dyn Transaction,
    viewer: &User,
    file: &FileKey,
    now: DateTime<Utc>,
) -> Result<(), LessonError> {
    let lesson = tx.lessons().find_by_file(file).await?.ok_or(LessonError::Unknown)?;
    match access::content(tx, &lesson.place(), viewer, now).await? {
        Access::Owner | Access::Granted => Ok(()),
        Access::Blocked => Err(LessonError::Blocked),
        Access::Refused => Err(LessonError::NoAccess),
    }
}
