//! Modules: what a course consists of (contract 7.1–7.5).

use std::mem;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    Change, School, StoreError, StoreResult, Transaction,
    access::{self, ModulePlace, Place},
    accounts::{Actor, User, UserId},
    assessments::LinkKind,
    audit::{self, Deed},
    courses::{self, Course, CourseError},
    files::{FileError, FileKey, FileKind, Picture},
    jobs,
    lessons::Lesson,
    profiles, progress,
    video::{VideosOf, uploads},
};

/// Shortest and longest title of a module, in characters (behaviour 7.2).
pub const MODULE_TITLE_LENGTHS: (usize, usize) = (3, 200);

/// The course of a module or of a lesson, as far as they need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourseOf {
    /// Which one.
    pub id: Uuid,
    /// Whose.
    pub teacher: UserId,
    /// What it is called.
    pub title: String,
    /// Whether others see it.
    pub is_published: bool,
}

impl CourseOf {
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

impl From<&Course> for CourseOf {
    fn from(course: &Course) -> Self {
        Self {
            id: course.id,
            teacher: course.teacher,
            title: course.title.clone(),
            is_published: course.is_published,
        }
    }
}

/// A part of a course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Which one.
    pub id: Uuid,
    /// Of which course.
    pub course: CourseOf,
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// Its place in the course, from 1; no other module has it.
    pub order: i64,
    /// What it costs by itself; 0 means that it is not sold by itself.
    pub price: Decimal,
    /// Enrolling needs no coupon. Then the price is 0.
    pub is_free: bool,
    /// Whether students see it.
    pub is_published: bool,
    /// Its picture.
    pub image: Option<FileKey>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its lessons, unpublished ones too.
    pub total_lessons: i64,
    /// Their length, in seconds.
    pub total_duration: i64,
}

impl Module {
    /// Where it stands, for whoever decides who may see it.
    #[must_use]
    pub const fn place(&self) -> Place {
        let module = ModulePlace { id: self.id, is_published: self.is_published };
        Place { module: Some(module), ..self.course.place() }
    }
}

/// Where modules are kept.
#[async_trait]
pub trait ModuleStore: Send {
    /// Adds a module.
    async fn add(&mut self, module: &Module) -> StoreResult<()>;

    /// The module with this id.
    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Module>>;

    /// A course's modules in order.
    async fn list(&mut self, course: Uuid, published_only: bool) -> StoreResult<Vec<Module>>;

    /// One more than the highest order in the course.
    async fn next_order(&mut self, course: Uuid) -> StoreResult<i64>;

    /// Whether another module of the course than `except` has this order.
    async fn order_is_taken(
        &mut self,
        course: Uuid,
        order: i64,
        except: Option<Uuid>,
    ) -> StoreResult<bool>;

    /// Keeps the module as it is here, but for what is counted.
    async fn save(&mut self, module: &Module) -> StoreResult<()>;

    /// Deletes the module and all below it.
    async fn delete(&mut self, id: Uuid) -> StoreResult<()>;

    /// Every file of the module and of its lessons.
    async fn files(&mut self, id: Uuid) -> StoreResult<Vec<FileKey>>;
}

/// Why a module was not shown, made or changed.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// There is no such module, or the asker may not know of it.
    #[error("Not found.")]
    Unknown,
    /// It is another teacher's.
    #[error("You do not have permission to perform this action.")]
    NotYours,
    /// 7.2: another module of the course has the order.
    #[error("there is already course in this order")]
    OrderTaken,
    /// 7.4: the same.
    #[error("There is already a module with this order in the course.")]
    OrderTakenByAnother,
    /// A free module has no price.
    #[error("Price must be 0 for free modules")]
    FreeWithPrice,
    /// The image could not be stored.
    #[error("the image of a module could not be stored")]
    File(#[from] FileError),
    /// The storage.
    #[error("a module could not be read or saved")]
    Store(#[from] StoreError),
}

impl From<CourseError> for ModuleError {
    fn from(error: CourseError) -> Self {
        match error {
            CourseError::NotYours => Self::NotYours,
            CourseError::File(error) => Self::File(error),
            CourseError::Store(error) => Self::Store(error),
            // The rest is about what a course itself is given.
            CourseError::Unknown
            | CourseError::FreeWithPrice
            | CourseError::UnknownCategory(_)
            | CourseError::NoSuchPage => Self::Unknown,
        }
    }
}

/// A module that is about to be made.
#[derive(Debug)]
pub struct NewModule {
    /// [`Module::title`].
    pub title: String,
    /// [`Module::description`].
    pub description: Option<String>,
    /// [`Module::order`]; `None` is the end.
    pub order: Option<i64>,
    /// [`Module::price`].
    pub price: Decimal,
    /// [`Module::is_free`].
    pub is_free: bool,
    /// [`Module::is_published`].
    pub is_published: bool,
    /// [`Module::image`].
    pub image: Option<Picture>,
}

/// The module, if it is this teacher's.
pub async fn owned(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: Uuid,
) -> Result<Module, ModuleError> {
    let module = tx.modules().find(id).await?.ok_or(ModuleError::Unknown)?;
    match module.course.teacher == teacher {
        true => Ok(module),
        false => Err(ModuleError::NotYours),
    }
}

/// The same, with its course held until the transaction ends.
pub(crate) async fn lock_owned(
    tx: &mut dyn Transaction,
    school: &School,
    teacher: UserId,
    id: Uuid,
) -> Result<Module, ModuleError> {
    let course = owned(tx, teacher, id).await?.course.id;
    courses::lock_owned(tx, school, teacher, course).await?;
    // It may have changed or gone while we waited for the course.
    owned(tx, teacher, id).await
}

/// 7.1: the modules of a course that the viewer may know of: all for those who see drafts,
/// published ones for others.
pub async fn list(
    tx: &mut dyn Transaction,
    viewer: &User,
    course: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Module>, ModuleError> {
    let course = courses::show(tx, Some(viewer), course, now).await?;
    let published_only = !access::sees_drafts(course.teacher, Some(viewer));
    Ok(tx.modules().list(course.id, published_only).await?)
}

/// 7.2: makes a module.
pub async fn create(
    school: &School,
    teacher: UserId,
    course: Uuid,
    new: NewModule,
) -> Result<Module, ModuleError> {
    if new.is_free && !new.price.is_zero() {
        return Err(ModuleError::FreeWithPrice);
    }
    let image = new.image.map_or(Change::Keep, Change::Set);
    let image =
        profiles::store_picture(school, Some(teacher), FileKind::ModuleImage, image).await?;
    let now = school.clock.now();
    let id = school.entropy.uuid(now);
    school
        .keep_files(image.new_file(), || async {
            let mut tx = school.storage.write().await?;
            let course = courses::lock_owned(&mut *tx, school, teacher, course).await?;
            let order = match new.order {
                None => tx.modules().next_order(course.id).await?,
                Some(order) if tx.modules().order_is_taken(course.id, order, None).await? => {
                    return Err(ModuleError::OrderTaken);
                }
                Some(order) => order,
            };
            let mut module = Module {
                id,
                course: CourseOf::from(&course),
                title: new.title.clone(),
                description: new.description.clone(),
                order,
                price: new.price,
                is_free: new.is_free,
                is_published: new.is_published,
                image: None,
                created_at: now,
                total_lessons: 0,
                total_duration: 0,
            };
            image.clone().apply(&mut module.image);
            tx.modules().add(&module).await?;
            tx.commit().await?;
            Ok(module)
        })
        .await
}

/// 7.3: a module with its lessons, as far as the viewer may know of them.
pub async fn show(
    tx: &mut dyn Transaction,
    viewer: &User,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(Module, Vec<Lesson>), ModuleError> {
    let module = tx.modules().find(id).await?.ok_or(ModuleError::Unknown)?;
    let sees_drafts = access::sees_drafts(module.course.teacher, Some(viewer));
    let is_visible = sees_drafts
        || (module.is_published
            && access::course_is_visible(tx, &module.place(), Some(viewer), now).await?);
    if !is_visible {
        return Err(ModuleError::Unknown);
    }
    let lessons = tx.lessons().list(id, !sees_drafts).await?;
    Ok((module, lessons))
}

/// What becomes of a module.
#[derive(Debug, Default)]
pub struct ModuleChanges {
    /// [`Module::title`].
    pub title: Option<String>,
    /// [`Module::description`].
    pub description: Change<String>,
    /// [`Module::order`].
    pub order: Option<i64>,
    /// [`Module::price`].
    pub price: Option<Decimal>,
    /// [`Module::is_free`].
    pub is_free: Option<bool>,
    /// [`Module::is_published`].
    pub is_published: Option<bool>,
    /// [`Module::image`].
    pub image: Change<Picture>,
}

impl ModuleChanges {
    /// All but the image.
    fn apply(&self, module: &mut Module) -> Result<(), ModuleError> {
        if let Some(title) = &self.title {
            module.title.clone_from(title);
        }
        self.description.clone().apply(&mut module.description);
        module.order = self.order.unwrap_or(module.order);
        module.price = self.price.unwrap_or(module.price);
        module.is_free = self.is_free.unwrap_or(module.is_free);
        module.is_published = self.is_published.unwrap_or(module.is_published);
        match module.is_free && !module.price.is_zero() {
            true => Err(ModuleError::FreeWithPrice),
            false => Ok(()),
        }
    }
}

/// 7.4: changes what is sent and nothing else; answers the module with its lessons.
pub async fn update(
    school: &School,
    by: &Actor,
    id: Uuid,
    mut changes: ModuleChanges,
) -> Result<(Module, Vec<Lesson>), ModuleError> {
    let teacher = by.id;
    let image = mem::take(&mut changes.image);
    let image =
        profiles::store_picture(school, Some(teacher), FileKind::ModuleImage, image).await?;
    school
        .keep_files(image.new_file(), || async {
            let mut tx = school.storage.write().await?;
            let mut module = lock_owned(&mut *tx, school, teacher, id).await?;
            let before = module.offer();
            changes.apply(&mut module)?;
            let deeds = before.changes(module.offer(), teacher, ("module", id));
            let (course, order) = (module.course.id, module.order);
            if tx.modules().order_is_taken(course, order, Some(id)).await? {
                return Err(ModuleError::OrderTakenByAnother);
            }
            let mut old = Vec::new();
            profiles::replace_picture(&image, &mut module.image, None, &mut old);
            tx.modules().save(&module).await?;
            progress::recount(&mut *tx, school, course, None).await?;
            jobs::delete_files(&mut *tx, school, old).await?;
            let lessons = tx.lessons().list(id, false).await?;
            audit::note(&mut *tx, school, by, deeds).await?;
            tx.commit().await?;
            Ok((module, lessons))
        })
        .await
}

/// 7.5: deletes a module and its lessons; the orders of the others stay as they are.
pub async fn delete(school: &School, by: &Actor, id: Uuid) -> Result<(), ModuleError> {
    let teacher = by.id;
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let module = lock_owned(&mut *tx, school, teacher, id).await?;
            let mut files = tx.modules().files(id).await?;
            files.extend(tx.assessments().files_below(LinkKind::Module, id).await?);
            uploads::discard(&mut *tx, school, VideosOf::Module(id)).await?;
            tx.modules().delete(id).await?;
            tx.courses().recount(module.course.id).await?;
            progress::recount(&mut *tx, school, module.course.id, None).await?;
            jobs::delete_files(&mut *tx, school, files).await?;
            let deed = Deed::Deleted { teacher, object: ("module", id), title: &module.title };
            audit::note(&mut *tx, school, by, [deed]).await?;
            Ok(tx.commit().await?)
        })
        .await
}
