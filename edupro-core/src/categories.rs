//! What courses are about (contract section 2). The school keeps them, not the teachers.

use std::mem;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    Change, School, StoreError, StoreResult, Transaction,
    files::{FileError, FileKey, FileKind, Picture},
    jobs, profiles,
};

/// Longest name of a category, in characters (behaviour 3.5).
pub const CATEGORY_NAME_LENGTH: usize = 30;

/// Which category: an integer, as the contract has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(transparent)]
pub struct CategoryId(pub i64);

/// What a course is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Which one.
    pub id: CategoryId,
    /// Unique whatever its case.
    pub name: String,
    /// A small picture.
    pub icon: Option<FileKey>,
}

/// Where categories are kept.
#[async_trait]
pub trait CategoryStore: Send {
    /// Adds a category, or returns `None` when the name is taken.
    async fn add(&mut self, name: &str, icon: Option<&FileKey>) -> StoreResult<Option<Category>>;

    /// The category with this id.
    async fn find(&mut self, id: CategoryId) -> StoreResult<Option<Category>>;

    /// Whether another category than `except` has this name, in any case.
    async fn name_is_taken(&mut self, name: &str, except: Option<CategoryId>) -> StoreResult<bool>;

    /// The category, which nobody else changes until this transaction ends.
    async fn lock(&mut self, id: CategoryId) -> StoreResult<Option<Category>>;

    /// Keeps the category as it is here.
    async fn save(&mut self, category: &Category) -> StoreResult<()>;

    /// All of them, by id.
    async fn list(&mut self) -> StoreResult<Vec<Category>>;
}

/// Why a category was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum CategoryError {
    /// There is no such category.
    #[error("Not found.")]
    Unknown,
    /// Another has the name.
    #[error("course category with this name already exists.")]
    NameTaken,
    /// The icon could not be stored.
    #[error("an icon could not be stored")]
    File(#[from] FileError),
    /// The storage.
    #[error("a category could not be saved")]
    Store(#[from] StoreError),
}

/// Whether a name is taken, before anything else is done with it.
pub async fn is_taken(
    tx: &mut dyn Transaction,
    name: &str,
    except: Option<CategoryId>,
) -> StoreResult<bool> {
    tx.categories().name_is_taken(name, except).await
}

/// 2.1: makes a category.
pub async fn create(
    school: &School,
    name: &str,
    icon: Option<Picture>,
) -> Result<Category, CategoryError> {
    let icon = match icon {
        Some(icon) => Some(school.store_file(None, FileKind::CategoryIcon, icon).await?),
        None => None,
    };
    school
        .keep_files(icon.iter().cloned().collect(), || async {
            let mut tx = school.storage.write().await?;
            let added = tx.categories().add(name, icon.as_ref()).await?;
            let category = added.ok_or(CategoryError::NameTaken)?;
            tx.commit().await?;
            Ok(category)
        })
        .await
}

/// 2.2: all categories.
pub async fn list(tx: &mut dyn Transaction) -> StoreResult<Vec<Category>> {
    tx.categories().list().await
}

/// The category with this id.
pub async fn find(tx: &mut dyn Transaction, id: CategoryId) -> Result<Category, CategoryError> {
    tx.categories().find(id).await?.ok_or(CategoryError::Unknown)
}

/// What becomes of a category.
#[derive(Debug, Default)]
pub struct CategoryChanges {
    /// [`Category::name`]; it cannot be cleared.
    pub name: Option<String>,
    /// [`Category::icon`].
    pub icon: Change<Picture>,
}

/// 2.3: changes what is sent and nothing else.
pub async fn update(
    school: &School,
    id: CategoryId,
    mut changes: CategoryChanges,
) -> Result<Category, CategoryError> {
    let icon = mem::take(&mut changes.icon);
    let icon = profiles::store_picture(school, None, FileKind::CategoryIcon, icon).await?;
    school
        .keep_files(icon.new_file(), || async {
            let mut tx = school.storage.write().await?;
            let mut category = tx.categories().lock(id).await?.ok_or(CategoryError::Unknown)?;
            if let Some(name) = &changes.name {
                if tx.categories().name_is_taken(name, Some(id)).await? {
                    return Err(CategoryError::NameTaken);
                }
                category.name.clone_from(name);
            }
            let mut old = Vec::new();
            profiles::replace_picture(&icon, &mut category.icon, None, &mut old);
            tx.categories().save(&category).await?;
            jobs::delete_files(&mut *tx, school, old).await?;
            tx.commit().await?;
            Ok(category)
        })
        .await
}
