use axum::{Json, extract::State};
use edupro_core::{
    Change,
    categories::{
        self, CATEGORY_NAME_LENGTH, Category, CategoryChanges, CategoryError, CategoryId,
    },
    files::Picture,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    EduPro, Links,
    answer::Created,
    error::{Answer, ApiError, FieldErrors},
    extract::{Admin, Incoming, Path, SignedIn, Site, form, whole},
};

form! {
    /// 2.1: a new category.
    pub(crate) struct NewCategory / NewCategoryDraft {
        name: String = required(text().at_most(CATEGORY_NAME_LENGTH)),
        icon: Option<Picture> = optional(picture()),
    }
}

form! {
    /// 2.3: what becomes of a category.
    pub(crate) struct CategoryUpdate / CategoryUpdateDraft {
        name: Option<String> = given(text().at_most(CATEGORY_NAME_LENGTH)),
        icon: Change<Picture> = changed(picture()),
    }
}

/// A category.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct CategoryView {
    id: CategoryId,
    name: String,
    icon: Option<String>,
}

impl CategoryView {
    pub(crate) fn new(links: &Links, category: Category) -> Self {
        Self { id: category.id, icon: links.file(category.icon.as_ref()), name: category.name }
    }
}

/// 2.1: those who are not teachers either hear that too.
fn refusal(signed_in: &SignedIn) -> ApiError {
    match signed_in.0.user.is_teacher() {
        true => ApiError::forbidden(),
        false => ApiError::forbidden().and("user", "User is not a teacher"),
    }
}

/// 2.1 Create a category.
pub(crate) async fn create(
    State(edupro): State<EduPro>,
    signed_in: SignedIn,
    Site(links): Site,
    incoming: Incoming<NewCategory>,
) -> Answer<Created<CategoryView>> {
    if !signed_in.0.user.is_staff {
        return Err(refusal(&signed_in));
    }
    let (draft, errors) = incoming.draft(&edupro).await?;
    let errors = with_taken(&edupro, errors, draft.name.as_deref(), None).await?;
    let form: NewCategory = whole(draft, errors)?;
    let category = categories::create(edupro.school(), &form.name, form.icon).await?;
    Ok(Created(CategoryView::new(&links, category)))
}

/// 2.2 List all categories.
pub(crate) async fn list(
    State(edupro): State<EduPro>,
    Site(links): Site,
) -> Answer<Json<Vec<CategoryView>>> {
    let mut tx = edupro.school().storage.read().await?;
    let categories = categories::list(&mut *tx).await?;
    let views = categories.into_iter().map(|category| CategoryView::new(&links, category));
    Ok(Json(views.collect()))
}

/// 2.3 Update a category.
pub(crate) async fn update(
    State(edupro): State<EduPro>,
    _: Admin,
    Path(id): Path<CategoryId>,
    Site(links): Site,
    incoming: Incoming<CategoryUpdate>,
) -> Answer<Json<CategoryView>> {
    categories::find(&mut *edupro.school().storage.read().await?, id).await?;
    let (draft, errors) = incoming.draft(&edupro).await?;
    let name = draft.name.as_ref().and_then(Option::as_deref);
    let errors = with_taken(&edupro, errors, name, Some(id)).await?;
    let form: CategoryUpdate = whole(draft, errors)?;
    let changes = CategoryChanges { name: form.name, icon: form.icon };
    let category = categories::update(edupro.school(), id, changes).await?;
    Ok(Json(CategoryView::new(&links, category)))
}

/// What is wrong with the fields, and that the name is taken if it is.
async fn with_taken(
    edupro: &EduPro,
    mut errors: FieldErrors,
    name: Option<&str>,
    except: Option<CategoryId>,
) -> Answer<FieldErrors> {
    let Some(name) = name else { return Ok(errors) };
    let mut tx = edupro.school().storage.read().await?;
    if categories::is_taken(&mut *tx, name, except).await? {
        errors.add("name", CategoryError::NameTaken.to_string());
    }
    Ok(errors)
}

impl From<CategoryError> for ApiError {
    fn from(error: CategoryError) -> Self {
        match error {
            CategoryError::Unknown => Self::not_found(),
            CategoryError::NameTaken => Self::field("name", error.to_string()),
            CategoryError::File(error) => error.into(),
            CategoryError::Store(error) => error.into(),
        }
    }
}
