use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    PageOf, StoreError, StoreResult,
    accounts::UserId,
    roster::{Activity, Membership, RosterOrder, RosterQuery, RosterStore, Standing},
};

use crate::{
    access::holds_at,
    sql::{Query, Tx, containing},
    students::{StudentRow, profile_columns},
    users::user_columns,
};

#[derive(sqlx::FromRow)]
struct MembershipRow {
    relation_id: i64,
    teacher_id: i64,
    relation_is_active: bool,
    notes: Option<String>,
    joined_at: DateTime<Utc>,
    completed_lessons: i64,
    last_learnt: Option<DateTime<Utc>>,
    completed_courses: i64,
    current_courses: i64,
    last_enrolled: Option<DateTime<Utc>>,
    last_started: Option<DateTime<Utc>>,
    last_ended: Option<DateTime<Utc>>,
    #[sqlx(flatten)]
    student: StudentRow,
}

impl TryFrom<MembershipRow> for Membership {
    type Error = StoreError;

    fn try_from(row: MembershipRow) -> StoreResult<Self> {
        Ok(Self {
            id: row.relation_id,
            teacher: UserId(row.teacher_id),
            student: row.student.try_into()?,
            joined_at: row.joined_at,
            notes: row.notes,
            standing: standing(row.relation_is_active),
            activity: Activity {
                completed_lessons: row.completed_lessons,
                completed_courses: row.completed_courses,
                current_courses: row.current_courses,
                last_activity: [
                    row.last_learnt,
                    row.last_enrolled,
                    row.last_started,
                    row.last_ended,
                ]
                .into_iter()
                .flatten()
                .fold(row.joined_at, DateTime::max),
            },
        })
    }
}

pub(crate) const fn standing(is_active: bool) -> Standing {
    if is_active { Standing::Active } else { Standing::Blocked }
}

/// What the students of the relations `chosen` have done with their teacher, each counted once for
/// all of them; `$now` is the placeholder of the moment. SQLite begins a `CROSS JOIN` on its left,
/// with the few students of a page, and not with all that their teacher has.
macro_rules! done {
    ($now:literal) => {
        concat!(
            "learnt AS (
                 SELECT lp.student_id, COUNT(CASE WHEN lp.is_completed THEN 1 END) AS completed,
                        MAX(lp.updated_at) AS last_at
                 FROM chosen r CROSS JOIN lesson_progress lp
                 WHERE lp.student_id = r.student_id AND lp.teacher_id = r.teacher_id
                 GROUP BY lp.student_id
             ), enrolled AS (
                 SELECT e.student_id, COUNT(CASE WHEN e.is_completed THEN 1 END) AS completed,
                        COUNT(CASE WHEN ",
            holds_at!($now),
            " THEN 1 END) AS current, MAX(e.enrolled_at) AS last_at
                 FROM chosen r CROSS JOIN course_enrollments e CROSS JOIN courses c
                 WHERE e.student_id = r.student_id AND c.id = e.course_id
                   AND c.teacher_id = r.teacher_id
                 GROUP BY e.student_id
             ), attempted AS (
                 SELECT t.student_id, MAX(t.started_at) AS last_started,
                        MAX(t.ended_at) AS last_ended
                 FROM chosen r CROSS JOIN attempts t CROSS JOIN assessments a
                 WHERE t.student_id = r.student_id AND a.id = t.assessment_id
                   AND a.teacher_id = r.teacher_id
                 GROUP BY t.student_id
             )"
        )
    };
}

/// The memberships of the relations `chosen`, with what [`done`] says of them.
macro_rules! membership {
    () => {
        concat!(
            " SELECT r.id AS relation_id, r.teacher_id, r.is_active AS relation_is_active, r.notes,
                     r.created_at AS joined_at,
                     COALESCE(learnt.completed, 0) AS completed_lessons,
                     learnt.last_at AS last_learnt,
                     COALESCE(enrolled.completed, 0) AS completed_courses,
                     COALESCE(enrolled.current, 0) AS current_courses,
                     enrolled.last_at AS last_enrolled, attempted.last_started,
                     attempted.last_ended, ",
            user_columns!(),
            ", ",
            profile_columns!(),
            " FROM chosen r
              JOIN student_profiles p ON p.id = r.student_id
              JOIN users u ON u.id = r.student_id
              LEFT JOIN learnt ON learnt.student_id = r.student_id
              LEFT JOIN enrolled ON enrolled.student_id = r.student_id
              LEFT JOIN attempted ON attempted.student_id = r.student_id "
        )
    };
}

#[async_trait]
impl RosterStore for Tx {
    async fn standing(
        &mut self,
        teacher: UserId,
        student: UserId,
    ) -> StoreResult<Option<Standing>> {
        let row = self
            .query(
                "SELECT is_active FROM teacher_students WHERE teacher_id = $1 AND student_id = $2",
            )
            .bind(teacher.0)
            .bind(student.0)
            .optional::<(bool,)>()
            .await?;
        Ok(row.map(|(is_active,)| standing(is_active)))
    }

    async fn join(
        &mut self,
        teacher: UserId,
        student: UserId,
        now: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let joined = self
            .query(
                "INSERT INTO teacher_students (teacher_id, student_id, is_active, created_at)
                 VALUES ($1, $2, TRUE, $3)
                 ON CONFLICT (teacher_id, student_id) DO NOTHING",
            )
            .bind(teacher.0)
            .bind(student.0)
            .bind(now)
            .execute()
            .await?;
        Ok(joined == 1)
    }

    async fn remove(&mut self, teacher: UserId, student: UserId) -> StoreResult<bool> {
        let removed = self
            .query("DELETE FROM teacher_students WHERE teacher_id = $1 AND student_id = $2")
            .bind(teacher.0)
            .bind(student.0)
            .execute()
            .await?;
        Ok(removed == 1)
    }

    async fn toggle_block(
        &mut self,
        teacher: UserId,
        student: UserId,
    ) -> StoreResult<Option<Standing>> {
        let row = self
            .query(
                "UPDATE teacher_students SET is_active = NOT is_active
                 WHERE teacher_id = $1 AND student_id = $2
                 RETURNING is_active",
            )
            .bind(teacher.0)
            .bind(student.0)
            .optional::<(bool,)>()
            .await?;
        Ok(row.map(|(is_active,)| standing(is_active)))
    }

    async fn find(
        &mut self,
        teacher: UserId,
        student: UserId,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<Membership>> {
        let row = self
            .query(concat!(
                "WITH chosen AS (
                     SELECT * FROM teacher_students WHERE teacher_id = $1 AND student_id = $2
                 ), ",
                done!("$3"),
                membership!()
            ))
            .bind(teacher.0)
            .bind(student.0)
            .bind(now)
            .optional::<MembershipRow>()
            .await?;
        row.map(Membership::try_from).transpose()
    }

    async fn list(
        &mut self,
        teacher: UserId,
        query: &RosterQuery,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<PageOf<Membership>>> {
        let count = if query.words.is_empty() {
            self.count_students(teacher, query.is_active).await?
        } else {
            let filter = filter_from(query, 1);
            let text = format!("SELECT COUNT(*) FROM teacher_students r WHERE {filter}");
            bind(self.query_built(text), teacher, query).one::<(i64,)>().await?.0
        };
        let Some(window) = query.page.window(count) else { return Ok(None) };
        // The page's relations are chosen first, so that nobody counts what the students before the
        // page have done. `$1` is the moment, the filter's placeholders come after it.
        let (limit, offset) = (4 + query.words.len(), 5 + query.words.len());
        let text = format!(
            "WITH chosen AS (
                 SELECT r.* FROM teacher_students r WHERE {}
                 ORDER BY {order} LIMIT ${limit} OFFSET ${offset}
             ), {} {} ORDER BY {order}",
            filter_from(query, 2),
            done!("$1"),
            membership!(),
            order = order(query),
        );
        let rows = bind(self.query_built(text).bind(now), teacher, query)
            .bind(window.limit)
            .bind(window.offset)
            .all::<MembershipRow>()
            .await?;
        let items = rows.into_iter().map(Membership::try_from).collect::<StoreResult<_>>()?;
        Ok(Some(PageOf { items, count, number: window.number }))
    }
}

impl Tx {
    /// How many students a teacher has, or how many of one standing; a trigger counts them.
    async fn count_students(
        &mut self,
        teacher: UserId,
        is_active: Option<bool>,
    ) -> StoreResult<i64> {
        let (count,) = self
            .query(
                "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM row_counts
                 WHERE part = $1
                   AND (list = 'active_students' AND ($2 IS NULL OR $2)
                        OR list = 'blocked_students' AND ($2 IS NULL OR NOT $2))",
            )
            .bind(teacher.0)
            .bind(is_active)
            .one::<(i64,)>()
            .await?;
        Ok(count)
    }
}

/// The conditions of a list. The teacher has the placeholder `first`, then comes the standing or
/// NULL for both, then a word each.
fn filter_from(query: &RosterQuery, first: usize) -> String {
    let standing = first + 1;
    let mut filter =
        format!("r.teacher_id = ${first} AND (${standing} IS NULL OR r.is_active = ${standing})");
    let words = (first + 2..first + 2 + query.words.len())
        .map(|number| format!(" AND r.search_text LIKE ${number} ESCAPE '\\'"));
    filter.extend(words);
    filter
}

fn bind<'c>(mut statement: Query<'c>, teacher: UserId, query: &RosterQuery) -> Query<'c> {
    statement = statement.bind(teacher.0).bind(query.is_active);
    for word in &query.words {
        statement = statement.bind(containing(word));
    }
    statement
}

fn order(query: &RosterQuery) -> String {
    let mut order = String::new();
    for (by, backwards) in &query.order {
        order.push_str(match by {
            RosterOrder::JoinedAt => "r.created_at",
            RosterOrder::FullName => "r.name_key",
        });
        order.push_str(if *backwards { " DESC, " } else { ", " });
    }
    order.push_str("r.student_id");
    order
}
