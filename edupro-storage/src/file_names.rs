use std::collections::HashSet;

use async_trait::async_trait;
use edupro_core::{
    StoreResult,
    files::{FileKey, FileNameStore},
};

use crate::sql::{Tx, value_rows};

/// Every place in which a row can name a stored file: table and column. A file that none of them
/// names is deleted after a day, so a column that is not here loses what it names; a test looks at
/// every column there is. `papers.images`, which names several, is asked beside these.
pub const FILE_COLUMNS: [(&str, &str); 14] = [
    ("categories", "icon"),
    ("courses", "thumbnail"),
    ("courses", "trailer"),
    ("lessons", "document"),
    ("lessons", "thumbnail"),
    ("modules", "image"),
    ("questions", "image"),
    ("student_profiles", "picture"),
    ("teacher_profiles", "logo"),
    ("teacher_profiles", "picture"),
    ("users", "avatar"),
    ("users", "logo"),
    ("videos", "file"),
    // What is kept here goes by its file's name.
    ("videos", "host_id"),
];

/// Most files that are looked for in lists of several, each of which is read to its end.
const IN_LISTS: usize = 100;

#[async_trait]
impl FileNameStore for Tx {
    async fn named(&mut self, files: &[FileKey]) -> StoreResult<Vec<FileKey>> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let columns: Vec<_> = FILE_COLUMNS
            .iter()
            .map(|(table, column)| {
                format!("SELECT {column} FROM {table} WHERE {column} IN (SELECT key FROM asked)")
            })
            .collect();
        let mut named = HashSet::new();
        let statement = format!("{} {}", asked(files), columns.join(" UNION "));
        named.extend(self.bound(statement, files).await?);
        let rest: Vec<_> =
            files.iter().filter(|file| !named.contains(file.as_str())).cloned().collect();
        for some in rest.chunks(IN_LISTS) {
            let statement = format!(
                "{} SELECT key FROM asked WHERE EXISTS
                     (SELECT 1 FROM papers WHERE images LIKE '%' || key || '%')",
                asked(some)
            );
            named.extend(self.bound(statement, some).await?);
        }
        Ok(named.into_iter().map(FileKey::from_stored).collect())
    }
}

/// The files as a table of one column. A key has no letter that `LIKE` takes for another.
fn asked(files: &[FileKey]) -> String {
    format!("WITH asked (key) AS (VALUES {})", value_rows(1, files.len(), 1))
}

impl Tx {
    async fn bound(&mut self, statement: String, files: &[FileKey]) -> StoreResult<Vec<String>> {
        let mut query = self.query_built(statement);
        for file in files {
            query = query.bind(file.as_str().to_owned());
        }
        let rows = query.all::<(String,)>().await?;
        Ok(rows.into_iter().map(|(key,)| key).collect())
    }
}
