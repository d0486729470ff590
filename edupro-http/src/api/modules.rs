use axum::{Json, extract::State};
use edupro_core::{
    Change,
    courses::{self, DESCRIPTION_LENGTH},
    files::Picture,
    lessons::Lesson,
    modules::{self, Module, ModuleChanges, ModuleError, NewModule},
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::lessons::LessonSummary;
use crate::{
    EduPro, Links,
    answer::{Created, Deleted},
    error::{Answer, ApiError},
    extract::{Incoming, Path, SignedIn, Site, Teacher, form},
    render::Amount,
};

/// What 7.2 and 7.4 say of an order below 1.
const ORDER_TOO_SMALL: &str = "Module order must be greater than 0";

form! {
    /// 7.2: a new module.
    pub(crate) struct ModuleForm / ModuleDraft {
        title: String = required(module_title()),
        description: Option<String> = optional(text().or_blank().of_lines().at_most(DESCRIPTION_LENGTH)),
        order: Option<i64> = optional(whole().at_least(1, ORDER_TOO_SMALL)),
        image: Option<Picture> = optional(module_image()),
        price: Option<Decimal> = given(amount()),
        is_free: Option<bool> = given(flag()),
        is_published: Option<bool> = given(flag()),
    }
}

form! {
    /// 7.4: what becomes of a module.
    pub(crate) struct ModuleUpdate / ModuleUpdateDraft {
        title: Option<String> = given(module_title()),
        description: Change<String> = changed(text().or_blank().of_lines().at_most(DESCRIPTION_LENGTH)),
        order: Option<i64> = optional(whole().at_least(1, ORDER_TOO_SMALL)),
        image: Change<Picture> = changed(module_image()),
        price: Option<Decimal> = given(amount()),
        is_free: Option<bool> = given(flag()),
        is_published: Option<bool> = given(flag()),
    }
}

impl From<ModuleForm> for NewModule {
    fn from(form: ModuleForm) -> Self {
        Self {
            title: form.title,
            description: form.description,
            order: form.order,
            price: form.price.unwrap_or_default(),
            is_free: form.is_free.unwrap_or_default(),
            is_published: form.is_published.unwrap_or(true),
            image: form.image,
        }
    }
}

impl From<ModuleUpdate> for ModuleChanges {
    fn from(form: ModuleUpdate) -> Self {
        Self {
            title: form.title,
            description: form.description,
            order: form.order,
            price: form.price,
            is_free: form.is_free,
            is_published: form.is_published,
            image: form.image,
        }
    }
}

/// 7.1, 7.2, 3.9: a module.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct ModuleView {
    id: Uuid,
    title: String,
    course: String,
    description: Option<String>,
    order: i64,
    total_lessons: i64,
    total_duration: i64,
    image_url: Option<String>,
    is_published: bool,
    is_free: bool,
    price: Amount,
}

impl ModuleView {
    pub(crate) fn new(links: &Links, module: Module) -> Self {
        Self {
            id: module.id,
            title: module.title,
            course: module.course.title,
            description: module.description,
            order: module.order,
            total_lessons: module.total_lessons,
            total_duration: module.total_duration,
            image_url: links.file(module.image.as_ref()),
            is_published: module.is_published,
            is_free: module.is_free,
            price: Amount(module.price),
        }
    }
}

/// 7.3, 7.4: a module with its lessons.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct ModuleDetailView {
    #[serde(flatten)]
    module: ModuleView,
    lessons: Vec<LessonSummary>,
}

impl ModuleDetailView {
    fn new(links: &Links, (module, lessons): (Module, Vec<Lesson>)) -> Self {
        Self { module: ModuleView::new(links, module), lessons: LessonSummary::all(links, lessons) }
    }
}

/// 7.1 List the modules of a course.
pub(crate) async fn list(
    State(edupro): State<EduPro>,
    SignedIn(viewer): SignedIn,
    Path(course): Path<Uuid>,
    Site(links): Site,
) -> Answer<Json<Vec<ModuleView>>> {
    let school = edupro.school();
    let mut tx = school.storage.read().await?;
    let modules = modules::list(&mut *tx, &viewer.user, course, school.clock.now()).await?;
    Ok(Json(modules.into_iter().map(|module| ModuleView::new(&links, module)).collect()))
}

/// 7.2 Create a module.
pub(crate) async fn create(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(course): Path<Uuid>,
    Site(links): Site,
    incoming: Incoming<ModuleForm>,
) -> Answer<Created<ModuleView>> {
    courses::owned(&mut *edupro.school().storage.read().await?, teacher.id, course).await?;
    let form = incoming.read(&edupro).await?;
    let module = modules::create(edupro.school(), teacher.id, course, form.into()).await?;
    Ok(Created(ModuleView::new(&links, module)))
}

/// 7.3 Show a module with its lessons.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    SignedIn(viewer): SignedIn,
    Path(id): Path<Uuid>,
    Site(links): Site,
) -> Answer<Json<ModuleDetailView>> {
    let school = edupro.school();
    let mut tx = school.storage.read().await?;
    let found = modules::show(&mut *tx, &viewer.user, id, school.clock.now()).await?;
    Ok(Json(ModuleDetailView::new(&links, found)))
}

/// 7.4 Update a module.
pub(crate) async fn update(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
    Site(links): Site,
    incoming: Incoming<ModuleUpdate>,
) -> Answer<Json<ModuleDetailView>> {
    modules::owned(&mut *edupro.school().storage.read().await?, teacher.id, id).await?;
    let form = incoming.read(&edupro).await?;
    let found = modules::update(edupro.school(), &teacher, id, form.into()).await?;
    Ok(Json(ModuleDetailView::new(&links, found)))
}

/// 7.5 Delete a module. The contract wants 200 and a word.
pub(crate) async fn delete(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
) -> Answer<Json<Deleted>> {
    modules::delete(edupro.school(), &teacher, id).await?;
    Ok(Json(Deleted { detail: "Module deleted successfully." }))
}

impl From<ModuleError> for ApiError {
    fn from(error: ModuleError) -> Self {
        match error {
            ModuleError::Unknown => Self::not_found(),
            ModuleError::NotYours => Self::forbidden(),
            ModuleError::OrderTaken | ModuleError::OrderTakenByAnother => {
                Self::field("non_field_errors", error.to_string())
            }
            ModuleError::FreeWithPrice => Self::field("price", error.to_string()),
            ModuleError::File(error) => error.into(),
            ModuleError::Store(error) => error.into(),
        }
    }
}
