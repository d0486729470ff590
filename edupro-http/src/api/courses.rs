use axum::{Json, extract::State};
use edupro_core::{
    Change,
    accounts::UserId,
    categories::{self, CategoryError, CategoryId},
    courses::{
        self, COURSE_TITLE_LENGTH, Course, CourseChanges, CourseError, CourseOrder, CourseQuery,
        CourseTree, DESCRIPTION_LENGTH, NewCourse, NewTrailer, Trailer,
    },
    files::Picture,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{categories::CategoryView, lessons::LessonSummary, modules::ModuleView};
use crate::{
    EduPro, Links,
    answer::{Created, NoContent},
    error::{Answer, ApiError, FieldErrors},
    extract::{
        Incoming, ListQuery, Paginated, Path, Site, Teacher, Visitor, form, invalid_page, whole,
    },
    render::{Amount, Moment, Number},
};

/// Courses on a page (behaviour G9).
const PAGE_SIZE: i64 = 5;

form! {
    /// 3.1: a new course.
    pub(crate) struct CourseForm / CourseDraft {
        title: String = required(text().at_most(COURSE_TITLE_LENGTH)),
        description: String = required(text().of_lines().at_most(DESCRIPTION_LENGTH)),
        trailer_video: Option<NewTrailer> = optional(trailer()),
        price: Option<Decimal> = given(amount()),
        is_free: Option<bool> = given(flag()),
        is_published: Option<bool> = given(flag()),
        category: Option<i64> = optional(reference()),
        thumbnail: Option<Picture> = optional(picture()),
    }
}

form! {
    /// 3.4: what becomes of a course.
    pub(crate) struct CourseUpdate / CourseUpdateDraft {
        title: Option<String> = given(text().at_most(COURSE_TITLE_LENGTH)),
        description: Option<String> = given(text().of_lines().at_most(DESCRIPTION_LENGTH)),
        trailer_video: Change<NewTrailer> = changed(trailer()),
        price: Option<Decimal> = given(amount()),
        is_free: Option<bool> = given(flag()),
        is_published: Option<bool> = given(flag()),
        category: Change<i64> = changed(reference()),
        thumbnail: Change<Picture> = changed(picture()),
    }
}

impl From<CourseForm> for NewCourse {
    fn from(form: CourseForm) -> Self {
        Self {
            title: form.title,
            description: form.description,
            category: form.category.map(CategoryId),
            trailer: form.trailer_video,
            price: form.price.unwrap_or_default(),
            is_free: form.is_free.unwrap_or_default(),
            is_published: form.is_published.unwrap_or(true),
            thumbnail: form.thumbnail,
        }
    }
}

impl From<CourseUpdate> for CourseChanges {
    fn from(form: CourseUpdate) -> Self {
        Self {
            title: form.title,
            description: form.description,
            category: form.category.map(CategoryId),
            trailer: form.trailer_video,
            price: form.price,
            is_free: form.is_free,
            is_published: form.is_published,
            thumbnail: form.thumbnail,
        }
    }
}

/// A course, as everybody sees it who may know of it.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct CourseView {
    id: Uuid,
    title: String,
    description: String,
    trailer_video: Option<String>,
    price: Amount,
    is_published: bool,
    is_free: bool,
    category: Option<CategoryView>,
    thumbnail: Option<String>,
    created_at: Moment,
    total_enrollments: i64,
    total_lessons: i64,
    total_reviews: i64,
    average_rating: Number,
    total_durations: i64,
}

impl CourseView {
    pub(crate) fn new(links: &Links, course: Course) -> Self {
        let trailer_video = course.trailer.map(|trailer| match trailer {
            Trailer::Url(url) => url,
            Trailer::File(key) => links.to(&format!("/{key}")),
        });
        Self {
            id: course.id,
            title: course.title,
            description: course.description,
            trailer_video,
            price: Amount(course.price),
            is_published: course.is_published,
            is_free: course.is_free,
            category: course.category.map(|category| CategoryView::new(links, category)),
            thumbnail: links.file(course.thumbnail.as_ref()),
            created_at: Moment(course.created_at),
            total_enrollments: course.totals.enrollments,
            total_lessons: course.totals.lessons,
            total_reviews: course.totals.reviews,
            average_rating: Number(course.totals.average_rating),
            total_durations: course.totals.duration,
        }
    }

    fn all(links: &Links, courses: Vec<Course>) -> Json<Vec<Self>> {
        Json(courses.into_iter().map(|course| Self::new(links, course)).collect())
    }
}

/// 3.7: a course, as its owner sees it in a list.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct OwnCourseView {
    #[serde(flatten)]
    course: CourseView,
    total_revenue: Amount,
}

impl OwnCourseView {
    fn new(links: &Links, course: Course) -> Self {
        let total_revenue = Amount(course.totals.revenue);
        Self { course: CourseView::new(links, course), total_revenue }
    }
}

/// 3.9: a course with everything in it.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct CourseTreeView {
    #[serde(flatten)]
    course: CourseView,
    teacher: UserId,
    total_revenue: Amount,
    modules: Vec<ModuleTreeView>,
}

/// 3.9: a module with its lessons.
#[derive(Debug, JsonSchema, Serialize)]
struct ModuleTreeView {
    #[serde(flatten)]
    module: ModuleView,
    lessons: Vec<LessonSummary>,
}

impl CourseTreeView {
    fn new(links: &Links, tree: CourseTree) -> Self {
        let CourseTree { course, modules } = tree;
        let modules = modules.into_iter().map(|(module, lessons)| ModuleTreeView {
            module: ModuleView::new(links, module),
            lessons: LessonSummary::all(links, lessons),
        });
        Self {
            teacher: course.teacher,
            total_revenue: Amount(course.totals.revenue),
            modules: modules.collect(),
            course: CourseView::new(links, course),
        }
    }
}

/// 3.1 Create a course.
pub(crate) async fn create(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Site(links): Site,
    incoming: Incoming<CourseForm>,
) -> Answer<Created<CourseView>> {
    let (draft, errors) = incoming.draft(&edupro).await?;
    let errors = with_category(&edupro, errors, draft.category.flatten()).await?;
    let form: CourseForm = whole(draft, errors)?;
    let course = courses::create(edupro.school(), teacher.id, form.into()).await?;
    Ok(Created(CourseView::new(&links, course)))
}

/// 3.2 List published courses.
pub(crate) async fn list(
    State(edupro): State<EduPro>,
    Site(links): Site,
    query: ListQuery,
) -> Answer<Paginated<CourseView>> {
    let asked = CourseQuery::newest(query.page(PAGE_SIZE)?);
    answer_list(&edupro, &links, &query, &asked).await
}

/// 3.3 Show a course.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    Visitor(visitor): Visitor,
    Path(id): Path<Uuid>,
    Site(links): Site,
) -> Answer<Json<CourseView>> {
    let school = edupro.school();
    let viewer = visitor.as_ref().map(|signed_in| &*signed_in.user);
    let mut tx = school.storage.read().await?;
    let course = courses::show(&mut *tx, viewer, id, school.clock.now()).await?;
    Ok(Json(CourseView::new(&links, course)))
}

/// 3.4 Update a course.
pub(crate) async fn update(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
    Site(links): Site,
    incoming: Incoming<CourseUpdate>,
) -> Answer<Json<CourseView>> {
    courses::owned(&mut *edupro.school().storage.read().await?, teacher.id, id).await?;
    let (draft, errors) = incoming.draft(&edupro).await?;
    let category = match draft.category {
        Some(Change::Set(id)) => Some(id),
        _ => None,
    };
    let errors = with_category(&edupro, errors, category).await?;
    let form: CourseUpdate = whole(draft, errors)?;
    let course = courses::update(edupro.school(), &teacher, id, form.into()).await?;
    Ok(Json(CourseView::new(&links, course)))
}

/// 3.5 Delete a course.
pub(crate) async fn delete(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
) -> Answer<NoContent> {
    courses::delete(edupro.school(), &teacher, id).await?;
    Ok(NoContent)
}

/// 3.6 Search and filter published courses.
pub(crate) async fn search(
    State(edupro): State<EduPro>,
    Site(links): Site,
    query: ListQuery,
) -> Answer<Paginated<CourseView>> {
    let mut asked = CourseQuery::newest(query.page(PAGE_SIZE)?);
    let order = query.ordering(|name| match name {
        "created_at" => Some(CourseOrder::CreatedAt),
        "price" => Some(CourseOrder::Price),
        "total_enrollments" => Some(CourseOrder::Enrollments),
        _ => None,
    });
    if !order.is_empty() {
        asked.order = order;
    }
    asked.category_name = query.text("category__name");
    asked.teacher_name = query.text("teacher__full_name");
    asked.words = query.words();
    // Whoever asks for drafts here finds none.
    if query.flag("is_published") == Some(false) {
        return Ok(query.paginate(&links, asked.page.size, ListQuery::nothing(asked.page)?));
    }
    answer_list(&edupro, &links, &query, &asked).await
}

async fn answer_list(
    edupro: &EduPro,
    links: &Links,
    query: &ListQuery,
    asked: &CourseQuery,
) -> Answer<Paginated<CourseView>> {
    let mut tx = edupro.school().storage.read().await?;
    let page = courses::list(&mut *tx, asked).await?;
    let page = page.map(|course| CourseView::new(links, course));
    Ok(query.paginate(links, asked.page.size, page))
}

/// 3.7 List a teacher's own courses.
pub(crate) async fn list_own(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Site(links): Site,
) -> Answer<Json<Vec<OwnCourseView>>> {
    let mut tx = edupro.school().storage.read().await?;
    let courses = courses::own(&mut *tx, teacher.id).await?;
    Ok(Json(courses.into_iter().map(|course| OwnCourseView::new(&links, course)).collect()))
}

/// 3.8 List a teacher's published courses.
pub(crate) async fn list_of_teacher(
    State(edupro): State<EduPro>,
    Path(username): Path<String>,
    Site(links): Site,
) -> Answer<Json<Vec<CourseView>>> {
    let mut tx = edupro.school().storage.read().await?;
    let courses = courses::of_teacher(&mut *tx, &username).await?;
    Ok(CourseView::all(&links, courses))
}

/// 3.9 Show a course with everything in it to its owner.
pub(crate) async fn show_private(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
    Site(links): Site,
) -> Answer<Json<CourseTreeView>> {
    let mut tx = edupro.school().storage.read().await?;
    let tree = courses::tree(&mut *tx, teacher.id, id).await?;
    Ok(Json(CourseTreeView::new(&links, tree)))
}

/// What is wrong with the fields, and that the category does not exist if it does not.
async fn with_category(
    edupro: &EduPro,
    mut errors: FieldErrors,
    category: Option<i64>,
) -> Answer<FieldErrors> {
    let Some(id) = category.map(CategoryId) else { return Ok(errors) };
    let mut tx = edupro.school().storage.read().await?;
    match categories::find(&mut *tx, id).await {
        Ok(_) => {}
        Err(CategoryError::Unknown) => {
            errors.add("category", CourseError::UnknownCategory(id).to_string());
        }
        Err(error) => return Err(error.into()),
    }
    Ok(errors)
}

impl From<CourseError> for ApiError {
    fn from(error: CourseError) -> Self {
        match error {
            CourseError::Unknown => Self::not_found(),
            CourseError::NotYours => Self::forbidden(),
            CourseError::FreeWithPrice => Self::field("price", error.to_string()),
            CourseError::UnknownCategory(_) => Self::field("category", error.to_string()),
            CourseError::NoSuchPage => invalid_page(),
            CourseError::File(error) => error.into(),
            CourseError::Store(error) => error.into(),
        }
    }
}
