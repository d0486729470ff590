//! Lists of attempts, whoever asks for them.

use edupro_core::{
    Page, PageOf, StoreError, StoreResult,
    accounts::username_key,
    assessments::AssessmentType,
    attempts::{Attempt, AttemptSummary, AttemptsOf, Taker},
};
use uuid::Uuid;

use crate::{
    assessments::{AssessmentRow, assessment_columns, assessment_tables},
    attempts::{AttemptRow, attempt_columns},
    sql::{Query, Tx},
};

#[derive(sqlx::FromRow)]
struct SummaryRow {
    #[sqlx(flatten)]
    attempt: AttemptRow,
    #[sqlx(flatten)]
    assessment: AssessmentRow,
    username: String,
    full_name: String,
}

impl TryFrom<SummaryRow> for AttemptSummary {
    type Error = StoreError;

    fn try_from(row: SummaryRow) -> StoreResult<Self> {
        let attempt = Attempt::try_from(row.attempt)?;
        let SummaryRow { username, full_name, .. } = row;
        let student = Taker { id: attempt.student, username, full_name };
        Ok(Self { attempt, assessment: row.assessment.try_into()?, student })
    }
}

/// A value for a placeholder.
enum Value {
    Id(Uuid),
    Number(i64),
    Word(String),
}

/// Which attempts are asked for. Only what is becomes a condition, so that each list finds its
/// index.
struct Filter {
    /// Attempts with what has to be known of them to choose: whatever else they are about neither
    /// adds a row nor takes one away.
    tables: &'static str,
    conditions: String,
    values: Vec<Value>,
}

impl Filter {
    fn new(of: &AttemptsOf) -> Self {
        let tables = match of.username {
            Some(_) => ATTEMPTS_WITH_USERS,
            None => ATTEMPTS,
        };
        let mut filter = Self { tables, conditions: "TRUE".to_owned(), values: Vec::new() };
        filter.add("a.teacher_id =", [Value::Number(of.teacher.0)]);
        filter.add("t.assessment_id =", of.assessment.map(Value::Id));
        filter.add("c.id =", of.course.map(Value::Id));
        filter.add("t.student_id =", of.student.map(|student| Value::Number(student.0)));
        let username = of.username.as_deref().map(username_key);
        filter.add("u.username_key =", username.map(Value::Word));
        let kinds = of.kind.map(AssessmentType::synonyms).into_iter().flatten();
        filter.add("a.assessment_type =", kinds.map(|kind| Value::Word(kind.as_str().to_owned())));
        filter
    }

    /// What holds for one of the values, if there are any.
    fn add(&mut self, what: &str, values: impl IntoIterator<Item = Value>) {
        let mut one_of = Vec::new();
        for value in values {
            self.values.push(value);
            one_of.push(format!("{what} ${}", self.values.len()));
        }
        if !one_of.is_empty() {
            self.conditions.push_str(" AND (");
            self.conditions.push_str(&one_of.join(" OR "));
            self.conditions.push(')');
        }
    }

    fn bind<'c>(&self, mut statement: Query<'c>) -> Query<'c> {
        for value in &self.values {
            statement = match value {
                Value::Id(id) => statement.bind(*id),
                Value::Number(number) => statement.bind(*number),
                Value::Word(word) => statement.bind(word.clone()),
            };
        }
        statement
    }

    /// The statement for how many there are.
    fn count(&self) -> String {
        format!("SELECT COUNT(*) FROM {} WHERE {}", self.tables, self.conditions)
    }

    /// The statement for all of them.
    fn summaries(&self) -> String {
        format!("{SUMMARY} WHERE {} {ORDER}", self.conditions)
    }

    /// The statement for a page of them, which is chosen before anything else is read.
    fn page(&self) -> String {
        let (limit, offset) = (self.values.len() + 1, self.values.len() + 2);
        format!(
            "WITH chosen AS (
                 SELECT t.id FROM {} WHERE {} {ORDER} LIMIT ${limit} OFFSET ${offset}
             )
             {SUMMARY} JOIN chosen ON chosen.id = t.id {ORDER}",
            self.tables, self.conditions,
        )
    }
}

const ATTEMPTS: &str = concat!(assessment_tables!(), " JOIN attempts t ON t.assessment_id = a.id");
const ATTEMPTS_WITH_USERS: &str = concat!(
    assessment_tables!(),
    " JOIN attempts t ON t.assessment_id = a.id JOIN users u ON u.id = t.student_id"
);
/// Attempts with what they are about and who has made them.
const SUMMARY: &str = concat!(
    "SELECT ",
    attempt_columns!(),
    ", ",
    assessment_columns!(),
    ", u.username, p.full_name FROM ",
    assessment_tables!(),
    " JOIN attempts t ON t.assessment_id = a.id
      JOIN users u ON u.id = t.student_id
      JOIN student_profiles p ON p.id = t.student_id"
);
const ORDER: &str = "ORDER BY t.started_at DESC, t.id DESC";

pub(crate) async fn list(tx: &mut Tx, of: &AttemptsOf) -> StoreResult<Vec<AttemptSummary>> {
    let filter = Filter::new(of);
    let rows = filter.bind(tx.query_built(filter.summaries())).all::<SummaryRow>().await?;
    rows.into_iter().map(AttemptSummary::try_from).collect()
}

pub(crate) async fn page(
    tx: &mut Tx,
    of: &AttemptsOf,
    page: Page,
) -> StoreResult<Option<PageOf<AttemptSummary>>> {
    let filter = Filter::new(of);
    let (count,) = filter.bind(tx.query_built(filter.count())).one::<(i64,)>().await?;
    let Some(window) = page.window(count) else { return Ok(None) };
    let rows = filter
        .bind(tx.query_built(filter.page()))
        .bind(window.limit)
        .bind(window.offset)
        .all::<SummaryRow>()
        .await?;
    let items = rows.into_iter().map(AttemptSummary::try_from).collect::<StoreResult<_>>()?;
    Ok(Some(PageOf { items, count, number: window.number }))
}
