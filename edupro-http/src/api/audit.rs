use axum::extract::State;
use edupro_core::{
    accounts::UserId,
    audit::{self, Action, AuditError, Details, Entry, StudentsQuery},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    EduPro,
    error::{Answer, ApiError},
    extract::{ListQuery, Paginated, Site, Teacher, invalid_page},
    render::Moment,
};

/// Entries on a page.
const PAGE_SIZE: i64 = 20;

/// Somebody, and what they were called then.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct PersonThen {
    id: UserId,
    username: String,
}

/// To what something was done.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct AuditObject {
    kind: String,
    id: String,
}

/// An entry of the audit log.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct AuditEntryView {
    id: i64,
    at: Moment,
    action: String,
    actor: Option<PersonThen>,
    student: Option<PersonThen>,
    address: Option<String>,
    object: AuditObject,
    before: Option<Details>,
    after: Option<Details>,
}

impl From<Entry> for AuditEntryView {
    fn from(entry: Entry) -> Self {
        let person = |(id, username)| PersonThen { id, username };
        let (kind, id) = entry.object;
        Self {
            id: entry.id,
            at: Moment(entry.at),
            action: entry.action,
            actor: entry.actor.map(person),
            student: entry.student.map(person),
            address: entry.address,
            object: AuditObject { kind, id },
            before: entry.before,
            after: entry.after,
        }
    }
}

/// List what was done by and to the teacher's students.
pub(crate) async fn list(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Site(links): Site,
    query: ListQuery,
) -> Answer<Paginated<AuditEntryView>> {
    let page = query.page(PAGE_SIZE)?;
    let student = query.filter("student", |id| id.parse().map(UserId).ok());
    let found = match (student, query.filter("action", Action::from_word)) {
        (Some(student), Some(action)) => {
            let asked = StudentsQuery { student, action, page };
            let mut tx = edupro.school().storage.read().await?;
            audit::of_students(&mut *tx, teacher.id, &asked).await?
        }
        _ => ListQuery::nothing(page)?,
    };
    Ok(query.paginate(&links, page.size, found.map(AuditEntryView::from)))
}

impl From<AuditError> for ApiError {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::NoSuchPage => invalid_page(),
            AuditError::Store(error) => error.into(),
        }
    }
}
