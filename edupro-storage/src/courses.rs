use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    PageOf, StoreResult,
    accounts::UserId,
    categories::{Category, CategoryId},
    courses::{Course, CourseOrder, CourseQuery, CourseStore, CourseTotals, Trailer},
    files::FileKey,
};
use uuid::Uuid;

use crate::{
    cents::{from_cents, to_cents},
    sql::{Query, Search, Tx},
};

#[derive(sqlx::FromRow)]
pub(crate) struct CourseRow {
    id: Uuid,
    teacher_id: i64,
    title: String,
    description: String,
    trailer: Option<String>,
    price: i64,
    is_free: bool,
    is_published: bool,
    thumbnail: Option<String>,
    created_at: DateTime<Utc>,
    total_enrollments: i64,
    total_lessons: i64,
    total_duration: i64,
    total_reviews: i64,
    average_rating: i64,
    total_revenue: i64,
    category_id: Option<i64>,
    category_name: Option<String>,
    category_icon: Option<String>,
}

impl From<CourseRow> for Course {
    fn from(row: CourseRow) -> Self {
        let category = row.category_id.zip(row.category_name).map(|(id, name)| Category {
            id: CategoryId(id),
            name,
            icon: row.category_icon.map(FileKey::from_stored),
        });
        Self {
            id: row.id,
            teacher: UserId(row.teacher_id),
            title: row.title,
            description: row.description,
            category,
            trailer: row.trailer.map(Trailer::from_stored),
            price: from_cents(row.price),
            is_free: row.is_free,
            is_published: row.is_published,
            thumbnail: row.thumbnail.map(FileKey::from_stored),
            created_at: row.created_at,
            totals: CourseTotals {
                enrollments: row.total_enrollments,
                lessons: row.total_lessons,
                duration: row.total_duration,
                reviews: row.total_reviews,
                average_rating: from_cents(row.average_rating),
                revenue: from_cents(row.total_revenue),
            },
        }
    }
}

/// The columns of [`CourseRow`], from a course called `c` and its category called `g`.
macro_rules! course_columns {
    () => {
        "c.id, c.teacher_id, c.title, c.description, c.trailer, c.price, c.is_free, c.is_published,
         c.thumbnail, c.created_at, c.total_enrollments, c.total_lessons, c.total_duration,
         c.total_reviews, c.average_rating, c.total_revenue, g.id AS category_id,
         g.name AS category_name, g.icon AS category_icon"
    };
}
pub(crate) use course_columns;

/// A course and its category.
macro_rules! course {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            course_columns!(),
            " FROM courses c LEFT JOIN categories g ON g.id = c.category_id ",
            $rest
        )
    };
}

/// What is searched: a line each, so that no word can match across both.
fn search_text(course: &Course) -> String {
    format!("{}\n{}", course.title, course.description).to_lowercase()
}

#[async_trait]
impl CourseStore for Tx {
    async fn add(&mut self, course: &Course) -> StoreResult<()> {
        self.query(
            "INSERT INTO courses (id, teacher_id, category_id, title, description, search_text,
                                  trailer, price, is_free, is_published, thumbnail, created_at,
                                  updated_at, total_enrollments, total_lessons, total_duration,
                                  total_reviews, average_rating, total_revenue)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, 0, 0, 0, 0, 0, 0)",
        )
        .bind(course.id)
        .bind(course.teacher.0)
        .bind(course.category.as_ref().map(|category| category.id.0))
        .bind(course.title.clone())
        .bind(course.description.clone())
        .bind(search_text(course))
        .bind(course.trailer.as_ref().map(|trailer| trailer.as_str().to_owned()))
        .bind(to_cents(course.price))
        .bind(course.is_free)
        .bind(course.is_published)
        .bind(course.thumbnail.as_ref().map(ToString::to_string))
        .bind(course.created_at)
        .execute()
        .await?;
        Ok(())
    }

    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Course>> {
        let row = self.query(course!("WHERE c.id = $1")).bind(id).optional::<CourseRow>().await?;
        Ok(row.map(Course::from))
    }

    async fn lock(&mut self, id: Uuid, now: DateTime<Utc>) -> StoreResult<Option<Course>> {
        self.query("UPDATE courses SET updated_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute()
            .await?;
        CourseStore::find(self, id).await
    }

    async fn save(&mut self, course: &Course) -> StoreResult<()> {
        self.query(
            "UPDATE courses
             SET category_id = $2, title = $3, description = $4, search_text = $5, trailer = $6,
                 price = $7, is_free = $8, is_published = $9, thumbnail = $10
             WHERE id = $1",
        )
        .bind(course.id)
        .bind(course.category.as_ref().map(|category| category.id.0))
        .bind(course.title.clone())
        .bind(course.description.clone())
        .bind(search_text(course))
        .bind(course.trailer.as_ref().map(|trailer| trailer.as_str().to_owned()))
        .bind(to_cents(course.price))
        .bind(course.is_free)
        .bind(course.is_published)
        .bind(course.thumbnail.as_ref().map(ToString::to_string))
        .execute()
        .await?;
        Ok(())
    }

    async fn delete(&mut self, id: Uuid) -> StoreResult<()> {
        self.query("DELETE FROM courses WHERE id = $1").bind(id).execute().await?;
        Ok(())
    }

    async fn files(&mut self, id: Uuid) -> StoreResult<Vec<FileKey>> {
        // A trailer may be an URL of somebody else's; only ours begin with `media/`.
        let rows = self
            .query(
                "SELECT thumbnail AS file FROM courses WHERE id = $1 AND thumbnail IS NOT NULL
                 UNION ALL
                 SELECT trailer FROM courses WHERE id = $1 AND trailer LIKE 'media/%'
                 UNION ALL
                 SELECT image FROM modules WHERE course_id = $1 AND image IS NOT NULL
                 UNION ALL
                 SELECT f.file FROM (
                     SELECT l.module_id, l.document AS file FROM lessons l
                     UNION ALL SELECT l.module_id, l.thumbnail FROM lessons l
                 ) f JOIN modules m ON m.id = f.module_id
                 WHERE m.course_id = $1 AND f.file IS NOT NULL",
            )
            .bind(id)
            .all::<(String,)>()
            .await?;
        Ok(rows.into_iter().map(|(file,)| FileKey::from_stored(file)).collect())
    }

    async fn recount(&mut self, id: Uuid) -> StoreResult<()> {
        self.query(
            "UPDATE modules
             SET total_lessons = (SELECT COUNT(*) FROM lessons l WHERE l.module_id = modules.id),
                 total_duration = (SELECT CAST(COALESCE(SUM(l.duration), 0) AS BIGINT)
                                   FROM lessons l WHERE l.module_id = modules.id)
             WHERE course_id = $1",
        )
        .bind(id)
        .execute()
        .await?;
        self.query(
            "UPDATE courses
             SET total_lessons = (SELECT CAST(COALESCE(SUM(m.total_lessons), 0) AS BIGINT)
                                  FROM modules m WHERE m.course_id = $1),
                 total_duration = (SELECT CAST(COALESCE(SUM(m.total_duration), 0) AS BIGINT)
                                   FROM modules m WHERE m.course_id = $1)
             WHERE id = $1",
        )
        .bind(id)
        .execute()
        .await?;
        Ok(())
    }

    async fn list(&mut self, query: &CourseQuery) -> StoreResult<Option<PageOf<Course>>> {
        let mut filter = Filter::new(query);
        let searches: Vec<Search> = query
            .words
            .iter()
            .map(|word| self.search("c", "courses", filter.next(), word))
            .collect();
        filter.add_searches(&searches);
        let count = if filter.is_everything() {
            self.count_published().await?
        } else {
            let text =
                format!("SELECT COUNT(*) FROM courses c {} WHERE {}", filter.joins, filter.text);
            filter.bind(self.query_built(text), &searches).one::<(i64,)>().await?.0
        };
        let Some(window) = query.page.window(count) else { return Ok(None) };
        let (limit, offset) = (filter.next(), filter.next());
        // The page is chosen by an index alone; only its rows are read.
        let text = format!(
            "WITH chosen AS (
                 SELECT c.id FROM courses c {} WHERE {} ORDER BY {order} LIMIT ${limit} OFFSET ${offset}
             )
             {} JOIN chosen ON chosen.id = c.id ORDER BY {order}",
            filter.joins,
            filter.text,
            course!(""),
            order = order(query),
        );
        let rows = filter
            .bind(self.query_built(text), &searches)
            .bind(window.limit)
            .bind(window.offset)
            .all::<CourseRow>()
            .await?;
        let items = rows.into_iter().map(Course::from).collect();
        Ok(Some(PageOf { items, count, number: window.number }))
    }

    async fn of_teacher(
        &mut self,
        teacher: UserId,
        published_only: bool,
    ) -> StoreResult<Vec<Course>> {
        let rows = self
            .query(course!(
                "WHERE c.teacher_id = $1 AND (c.is_published OR NOT $2)
                 ORDER BY c.created_at DESC, c.id"
            ))
            .bind(teacher.0)
            .bind(published_only)
            .all::<CourseRow>()
            .await?;
        Ok(rows.into_iter().map(Course::from).collect())
    }
}

impl Tx {
    /// How many courses are published; a trigger counts them.
    async fn count_published(&mut self) -> StoreResult<i64> {
        let (count,) = self
            .query(
                "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM row_counts
                 WHERE list = 'published_courses'",
            )
            .one::<(i64,)>()
            .await?;
        Ok(count)
    }
}

/// The conditions of a list, and the placeholders they use.
struct Filter<'q> {
    query: &'q CourseQuery,
    joins: &'static str,
    text: String,
    placeholders: usize,
}

impl<'q> Filter<'q> {
    fn new(query: &'q CourseQuery) -> Self {
        let mut filter =
            Self { query, joins: "", text: "c.is_published".to_owned(), placeholders: 0 };
        if query.category_name.is_some() {
            let condition = format!(
                " AND c.category_id = (SELECT k.id FROM categories k WHERE k.name_key = ${})",
                filter.next()
            );
            filter.text.push_str(&condition);
        }
        if query.teacher_name.is_some() {
            filter.joins = "JOIN teacher_profiles t ON t.id = c.teacher_id";
            let condition = format!(" AND t.full_name_key = ${}", filter.next());
            filter.text.push_str(&condition);
        }
        filter
    }

    /// Whether it is the list of all that is published.
    const fn is_everything(&self) -> bool {
        self.placeholders == 0
    }

    /// The number of the next placeholder.
    fn next(&mut self) -> usize {
        self.placeholders += 1;
        self.placeholders
    }

    fn add_searches(&mut self, searches: &[Search]) {
        for search in searches {
            self.text.push_str(" AND ");
            self.text.push_str(&search.condition);
        }
    }

    fn bind<'c>(&self, mut statement: Query<'c>, searches: &[Search]) -> Query<'c> {
        for name in [&self.query.category_name, &self.query.teacher_name].into_iter().flatten() {
            statement = statement.bind(name.to_lowercase());
        }
        for search in searches {
            statement = statement.bind(search.value.clone());
        }
        statement
    }
}

fn order(query: &CourseQuery) -> String {
    let mut order = String::new();
    for (by, backwards) in &query.order {
        order.push_str(match by {
            CourseOrder::CreatedAt => "c.created_at",
            CourseOrder::Price => "c.price",
            CourseOrder::Enrollments => "c.total_enrollments",
        });
        order.push_str(if *backwards { " DESC, " } else { ", " });
    }
    order.push_str("c.id");
    order
}
