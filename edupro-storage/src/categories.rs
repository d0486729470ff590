use async_trait::async_trait;
use edupro_core::{
    StoreResult,
    categories::{Category, CategoryId, CategoryStore},
    files::FileKey,
};

use crate::sql::Tx;

#[derive(sqlx::FromRow)]
struct CategoryRow {
    id: i64,
    name: String,
    icon: Option<String>,
}

impl From<CategoryRow> for Category {
    fn from(row: CategoryRow) -> Self {
        Self { id: CategoryId(row.id), name: row.name, icon: row.icon.map(FileKey::from_stored) }
    }
}

#[async_trait]
impl CategoryStore for Tx {
    async fn add(&mut self, name: &str, icon: Option<&FileKey>) -> StoreResult<Option<Category>> {
        let row = self
            .query(
                "INSERT INTO categories (name, name_key, icon) VALUES ($1, $2, $3)
                 ON CONFLICT DO NOTHING
                 RETURNING id, name, icon",
            )
            .bind(name.to_owned())
            .bind(name.to_lowercase())
            .bind(icon.map(ToString::to_string))
            .optional::<CategoryRow>()
            .await?;
        Ok(row.map(Category::from))
    }

    async fn find(&mut self, id: CategoryId) -> StoreResult<Option<Category>> {
        let row = self
            .query("SELECT id, name, icon FROM categories WHERE id = $1")
            .bind(id.0)
            .optional::<CategoryRow>()
            .await?;
        Ok(row.map(Category::from))
    }

    async fn name_is_taken(&mut self, name: &str, except: Option<CategoryId>) -> StoreResult<bool> {
        // No category has the number 0.
        let (taken,) = self
            .query("SELECT EXISTS (SELECT 1 FROM categories WHERE name_key = $1 AND id <> $2)")
            .bind(name.to_lowercase())
            .bind(except.map_or(0, |category| category.0))
            .one::<(bool,)>()
            .await?;
        Ok(taken)
    }

    async fn lock(&mut self, id: CategoryId) -> StoreResult<Option<Category>> {
        let row = self
            .query("UPDATE categories SET name = name WHERE id = $1 RETURNING id, name, icon")
            .bind(id.0)
            .optional::<CategoryRow>()
            .await?;
        Ok(row.map(Category::from))
    }

    async fn save(&mut self, category: &Category) -> StoreResult<()> {
        self.query("UPDATE categories SET name = $2, name_key = $3, icon = $4 WHERE id = $1")
            .bind(category.id.0)
            .bind(category.name.clone())
            .bind(category.name.to_lowercase())
            .bind(category.icon.as_ref().map(ToString::to_string))
            .execute()
            .await?;
        Ok(())
    }

    async fn list(&mut self) -> StoreResult<Vec<Category>> {
        let rows = self
            .query("SELECT id, name, icon FROM categories ORDER BY id")
            .all::<CategoryRow>()
            .await?;
        Ok(rows.into_iter().map(Category::from).collect())
    }
}
