use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    PageOf, StoreResult,
    accounts::UserId,
    audit::{Action, AuditStore, Details, Entry, LogQuery, NewEntry, StudentsQuery},
};
use sqlx::types::Json;

use crate::sql::{ROWS_AT_ONCE, Tx};

/// Values of an entry.
const COLUMNS: usize = 11;
/// Which of them is the student.
const STUDENT: usize = 5;

macro_rules! entry_columns {
    () => {
        "id, at, action, actor_id, actor_name, teacher_id, student_id, student_name, address,
         object_kind, object_id, value_before, value_after"
    };
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    id: i64,
    at: DateTime<Utc>,
    action: String,
    actor_id: Option<i64>,
    actor_name: Option<String>,
    teacher_id: Option<i64>,
    student_id: Option<i64>,
    student_name: Option<String>,
    address: Option<String>,
    object_kind: String,
    object_id: String,
    value_before: Option<Json<Details>>,
    value_after: Option<Json<Details>>,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        let person = |id: Option<i64>, name: Option<String>| {
            id.map(|id| (UserId(id), name.unwrap_or_default()))
        };
        Self {
            id: row.id,
            at: row.at,
            action: row.action,
            actor: person(row.actor_id, row.actor_name),
            teacher: row.teacher_id.map(UserId),
            student: person(row.student_id, row.student_name),
            address: row.address,
            object: (row.object_kind, row.object_id),
            before: row.value_before.map(|value| value.0),
            after: row.value_after.map(|value| value.0),
        }
    }
}

/// The placeholders of an entry. What a student is called is copied from the account.
fn places(row: usize) -> String {
    let mut places: Vec<_> =
        (1..=COLUMNS).map(|column| format!("${}", row * COLUMNS + column)).collect();
    let student = &places[STUDENT];
    places.insert(STUDENT + 1, format!("(SELECT username FROM users WHERE id = {student})"));
    format!("({})", places.join(", "))
}

#[async_trait]
impl AuditStore for Tx {
    async fn append(&mut self, entries: &[NewEntry]) -> StoreResult<()> {
        let json = |details: &Option<Details>| details.clone().map(Json);
        for entries in entries.chunks(ROWS_AT_ONCE) {
            let rows: Vec<_> = (0..entries.len()).map(places).collect();
            let mut statement = self.query_built(format!(
                "INSERT INTO audit_log (at, action, actor_id, actor_name, teacher_id, student_id,
                                        student_name, address, object_kind, object_id,
                                        value_before, value_after)
                 VALUES {}",
                rows.join(", ")
            ));
            for entry in entries {
                let (actor, name) = entry.actor.clone().unzip();
                statement = statement
                    .bind(entry.at)
                    .bind(entry.action.as_str())
                    .bind(actor.map(|actor| actor.0))
                    .bind(name)
                    .bind(entry.teacher.map(|teacher| teacher.0))
                    .bind(entry.student.map(|student| student.0))
                    .bind(entry.address.map(|address| address.to_string()))
                    .bind(entry.object.0)
                    .bind(entry.object.1.clone())
                    .bind(json(&entry.before))
                    .bind(json(&entry.after));
            }
            statement.execute().await?;
        }
        Ok(())
    }

    async fn log(&mut self, query: &LogQuery) -> StoreResult<Vec<Entry>> {
        let user = query.user.map(|user| user.0);
        let mut rows = self
            .query(concat!(
                "SELECT ",
                entry_columns!(),
                " FROM audit_log
                  WHERE ($1 IS NULL OR at >= $1) AND ($2 IS NULL OR at < $2)
                    AND ($3 IS NULL OR action = $3)
                    AND ($4 IS NULL OR actor_id = $4 OR student_id = $4 OR teacher_id = $4
                         OR (object_kind = 'user' AND object_id = $5))
                  ORDER BY at DESC, id DESC LIMIT $6"
            ))
            .bind(query.since)
            .bind(query.until)
            .bind(query.action.map(Action::as_str))
            .bind(user)
            .bind(user.map(|user| user.to_string()))
            .bind(query.limit)
            .all::<EntryRow>()
            .await?;
        rows.reverse();
        Ok(rows.into_iter().map(Entry::from).collect())
    }

    async fn of_students(
        &mut self,
        teacher: UserId,
        query: &StudentsQuery,
    ) -> StoreResult<Option<PageOf<Entry>>> {
        let (student, action) =
            (query.student.map(|student| student.0), query.action.map(Action::as_str));
        macro_rules! theirs {
            ($select:expr, $rest:literal) => {
                concat!(
                    "SELECT ",
                    $select,
                    " FROM audit_log
                      WHERE teacher_id = $1 AND student_id IS NOT NULL
                        AND ($2 IS NULL OR student_id = $2) AND ($3 IS NULL OR action = $3) ",
                    $rest
                )
            };
        }
        let (count,) = self
            .query(theirs!("COUNT(*)", ""))
            .bind(teacher.0)
            .bind(student)
            .bind(action)
            .one::<(i64,)>()
            .await?;
        let Some(window) = query.page.window(count) else { return Ok(None) };
        let rows = self
            .query(theirs!(entry_columns!(), "ORDER BY at DESC, id DESC LIMIT $4 OFFSET $5"))
            .bind(teacher.0)
            .bind(student)
            .bind(action)
            .bind(window.limit)
            .bind(window.offset)
            .all::<EntryRow>()
            .await?;
        let items = rows.into_iter().map(Entry::from).collect();
        Ok(Some(PageOf { items, count, number: window.number }))
    }

    async fn oldest(&mut self) -> StoreResult<Option<DateTime<Utc>>> {
        let row = self
            .query("SELECT at FROM audit_log ORDER BY at LIMIT 1")
            .optional::<(DateTime<Utc>,)>()
            .await?;
        Ok(row.map(|(at,)| at))
    }

    async fn purge(&mut self, then: DateTime<Utc>) -> StoreResult<u64> {
        self.query("DELETE FROM audit_log WHERE at < $1").bind(then).execute().await
    }
}
