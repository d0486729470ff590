use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    accounts::UserId,
    assessments::{Assessment, AssessmentStore, AssessmentType, LessonOf, Link},
    files::FileKey,
    lessons::ModuleOf,
    modules::CourseOf,
};
use uuid::Uuid;

use crate::{
    cents::{from_cents, to_cents},
    sql::Tx,
};

/// The columns of [`AssessmentRow`], from the tables of [`assessment_tables`].
macro_rules! assessment_columns {
    () => {
        "a.id AS assessment_id, a.teacher_id, a.title, a.description, a.assessment_type,
         a.is_published, a.time_limit, a.max_attempts, a.passing_grade, a.available_from,
         a.available_until, a.total_questions, a.total_points, a.revision, a.created_at,
         a.updated_at, a.module_id AS link_module_id, a.lesson_id AS link_lesson_id,
         c.id AS course_id, c.teacher_id AS course_teacher_id, c.title AS course_title,
         c.is_published AS course_is_published, m.id AS module_id, m.title AS module_title,
         m.is_published AS module_is_published, l.title AS lesson_title,
         l.is_published AS lesson_is_published, l.is_free AS lesson_is_free"
    };
}
pub(crate) use assessment_columns;

/// Assessments called `a`, with the lesson, the module and the course they belong to, called `l`,
/// `m` and `c`.
macro_rules! assessment_tables {
    () => {
        "assessments a
         LEFT JOIN lessons l ON l.id = a.lesson_id
         LEFT JOIN modules m ON m.id = COALESCE(a.module_id, l.module_id)
         LEFT JOIN courses c ON c.id = COALESCE(a.course_id, m.course_id)"
    };
}
pub(crate) use assessment_tables;

/// An assessment and what it belongs to.
macro_rules! assessment {
    ($rest:literal) => {
        concat!("SELECT ", assessment_columns!(), " FROM ", assessment_tables!(), " ", $rest)
    };
}

#[derive(sqlx::FromRow)]
pub(crate) struct AssessmentRow {
    assessment_id: Uuid,
    teacher_id: i64,
    title: String,
    description: Option<String>,
    assessment_type: String,
    is_published: bool,
    time_limit: Option<i64>,
    max_attempts: i64,
    passing_grade: i64,
    available_from: DateTime<Utc>,
    available_until: Option<DateTime<Utc>>,
    total_questions: i64,
    total_points: i64,
    revision: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[sqlx(flatten)]
    link: LinkRow,
}

#[derive(sqlx::FromRow)]
struct LinkRow {
    link_module_id: Option<Uuid>,
    link_lesson_id: Option<Uuid>,
    course_id: Option<Uuid>,
    course_teacher_id: Option<i64>,
    course_title: Option<String>,
    course_is_published: Option<bool>,
    module_id: Option<Uuid>,
    module_title: Option<String>,
    module_is_published: Option<bool>,
    lesson_title: Option<String>,
    lesson_is_published: Option<bool>,
    lesson_is_free: Option<bool>,
}

impl LinkRow {
    fn course(&mut self) -> Option<CourseOf> {
        Some(CourseOf {
            id: self.course_id?,
            teacher: UserId(self.course_teacher_id?),
            title: self.course_title.take()?,
            is_published: self.course_is_published?,
        })
    }

    fn module(&mut self) -> Option<ModuleOf> {
        Some(ModuleOf {
            id: self.module_id?,
            title: self.module_title.take()?,
            is_published: self.module_is_published?,
            course: self.course()?,
        })
    }

    fn lesson(&mut self, id: Uuid) -> Option<LessonOf> {
        Some(LessonOf {
            id,
            title: self.lesson_title.take()?,
            is_published: self.lesson_is_published?,
            is_free: self.lesson_is_free?,
            module: self.module()?,
        })
    }

    fn link(mut self) -> Option<Link> {
        match (self.link_lesson_id, self.link_module_id) {
            (Some(lesson), _) => self.lesson(lesson).map(Link::Lesson),
            (None, Some(_)) => self.module().map(Link::Module),
            (None, None) => self.course().map(Link::Course),
        }
    }
}

impl TryFrom<AssessmentRow> for Assessment {
    type Error = StoreError;

    fn try_from(row: AssessmentRow) -> StoreResult<Self> {
        let kind = AssessmentType::from_word(&row.assessment_type).ok_or(StoreError::Corrupt {
            column: "assessments.assessment_type",
            value: row.assessment_type,
        })?;
        Ok(Self {
            id: row.assessment_id,
            teacher: UserId(row.teacher_id),
            title: row.title,
            description: row.description,
            kind,
            link: row.link.link(),
            is_published: row.is_published,
            time_limit: row.time_limit,
            max_attempts: row.max_attempts,
            passing_grade: from_cents(row.passing_grade),
            available_from: row.available_from,
            available_until: row.available_until,
            total_questions: row.total_questions,
            total_points: from_cents(row.total_points),
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The ids of a link, for the columns of course, module and lesson.
fn link_ids(link: Option<&Link>) -> [Option<Uuid>; 3] {
    match link {
        None => [None, None, None],
        Some(Link::Course(course)) => [Some(course.id), None, None],
        Some(Link::Module(module)) => [None, Some(module.id), None],
        Some(Link::Lesson(lesson)) => [None, None, Some(lesson.id)],
    }
}

#[async_trait]
impl AssessmentStore for Tx {
    async fn add(&mut self, assessment: &Assessment) -> StoreResult<()> {
        let [course, module, lesson] = link_ids(assessment.link.as_ref());
        self.query(
            "INSERT INTO assessments (id, teacher_id, title, description, assessment_type,
                                      course_id, module_id, lesson_id, is_published, time_limit,
                                      max_attempts, passing_grade, available_from,
                                      available_until, created_at, updated_at, total_questions,
                                      total_points, revision)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, 0, 0)",
        )
        .bind(assessment.id)
        .bind(assessment.teacher.0)
        .bind(assessment.title.clone())
        .bind(assessment.description.clone())
        .bind(assessment.kind.as_str())
        .bind(course)
        .bind(module)
        .bind(lesson)
        .bind(assessment.is_published)
        .bind(assessment.time_limit)
        .bind(assessment.max_attempts)
        .bind(to_cents(assessment.passing_grade))
        .bind(assessment.available_from)
        .bind(assessment.available_until)
        .bind(assessment.created_at)
        .bind(assessment.updated_at)
        .execute()
        .await?;
        Ok(())
    }

    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Assessment>> {
        let row = self.query(assessment!("WHERE a.id = $1")).bind(id);
        row.optional::<AssessmentRow>().await?.map(Assessment::try_from).transpose()
    }

    async fn lock(&mut self, id: Uuid, now: DateTime<Utc>) -> StoreResult<Option<Assessment>> {
        self.query("UPDATE assessments SET updated_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute()
            .await?;
        AssessmentStore::find(self, id).await
    }

    async fn save(&mut self, assessment: &Assessment) -> StoreResult<()> {
        let [course, module, lesson] = link_ids(assessment.link.as_ref());
        self.query(
            "UPDATE assessments
             SET title = $2, description = $3, assessment_type = $4, course_id = $5,
                 module_id = $6, lesson_id = $7, is_published = $8, time_limit = $9,
                 max_attempts = $10, passing_grade = $11, available_from = $12,
                 available_until = $13, updated_at = $14
             WHERE id = $1",
        )
        .bind(assessment.id)
        .bind(assessment.title.clone())
        .bind(assessment.description.clone())
        .bind(assessment.kind.as_str())
        .bind(course)
        .bind(module)
        .bind(lesson)
        .bind(assessment.is_published)
        .bind(assessment.time_limit)
        .bind(assessment.max_attempts)
        .bind(to_cents(assessment.passing_grade))
        .bind(assessment.available_from)
        .bind(assessment.available_until)
        .bind(assessment.updated_at)
        .execute()
        .await?;
        Ok(())
    }

    async fn delete(&mut self, id: Uuid) -> StoreResult<()> {
        self.query("DELETE FROM assessments WHERE id = $1").bind(id).execute().await?;
        Ok(())
    }

    async fn recount(&mut self, id: Uuid) -> StoreResult<()> {
        self.query(
            "UPDATE assessments
             SET total_questions = (SELECT COUNT(*) FROM questions q
                                    WHERE q.assessment_id = assessments.id),
                 total_points = (SELECT CAST(COALESCE(SUM(q.points), 0) AS BIGINT)
                                 FROM questions q WHERE q.assessment_id = assessments.id),
                 revision = revision + 1
             WHERE id = $1",
        )
        .bind(id)
        .execute()
        .await?;
        Ok(())
    }

    async fn has_attempts(&mut self, id: Uuid) -> StoreResult<bool> {
        let (has,) = self
            .query("SELECT EXISTS (SELECT 1 FROM attempts WHERE assessment_id = $1)")
            .bind(id)
            .one::<(bool,)>()
            .await?;
        Ok(has)
    }

    async fn files(&mut self, id: Uuid) -> StoreResult<Vec<FileKey>> {
        let rows = self
            .query(
                "SELECT image AS files FROM questions WHERE assessment_id = $1 AND image IS NOT NULL
                 UNION
                 SELECT images FROM papers WHERE assessment_id = $1",
            )
            .bind(id)
            .all::<(String,)>()
            .await?;
        Ok(file_lines(rows))
    }
}

/// The files of rows that hold one a line, each once.
pub(crate) fn file_lines(rows: Vec<(String,)>) -> Vec<FileKey> {
    let mut files: Vec<_> =
        rows.iter().flat_map(|(files,)| files.lines()).map(ToOwned::to_owned).collect();
    files.sort_unstable();
    files.dedup();
    files.into_iter().map(FileKey::from_stored).collect()
}
