use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    access::Ties,
    accounts::UserId,
    assessments::{
        Assessment, AssessmentFilter, AssessmentStore, AssessmentType, LessonOf, Link, LinkKind,
        Offer, OpenAssessment,
    },
    files::FileKey,
    lessons::ModuleOf,
    modules::CourseOf,
    roster::Standing,
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

/// What a student has of what an assessment belongs to, at a moment: from [`assessment_tables`], with
/// the placeholders of both.
macro_rules! holdings {
    ($student:literal, $moment:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM course_enrollments e
                     WHERE e.student_id = ",
            $student,
            " AND e.course_id = c.id AND e.access_type = 'full_access' AND ",
            $crate::access::holds_at!($moment),
            ") AS has_course,
             EXISTS (SELECT 1 FROM module_enrollments e
                     WHERE e.student_id = ",
            $student,
            " AND e.module_id = m.id AND ",
            $crate::access::holds_at!($moment),
            ") AS has_module"
        )
    };
}
pub(crate) use holdings;

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

/// An assessment with what ties a student to it, who is the teacher's.
#[derive(sqlx::FromRow)]
struct OfferRow {
    #[sqlx(flatten)]
    assessment: AssessmentRow,
    has_course: bool,
    has_module: bool,
    attempts_used: i64,
}

impl TryFrom<OfferRow> for Offer {
    type Error = StoreError;

    fn try_from(row: OfferRow) -> StoreResult<Self> {
        let ties = Ties {
            standing: Some(Standing::Active),
            course: row.has_course,
            module: row.has_module,
        };
        let assessment = row.assessment.try_into()?;
        Ok(Self { open: OpenAssessment { assessment, attempts_used: row.attempts_used }, ties })
    }
}

/// Assessments called `a` that go when a course, a module or a lesson goes: of each the condition.
macro_rules! below {
    (course) => {
        "(a.course_id = $1
          OR a.module_id IN (SELECT id FROM modules WHERE course_id = $1)
          OR a.lesson_id IN (SELECT n.id FROM lessons n JOIN modules o ON o.id = n.module_id
                             WHERE o.course_id = $1))"
    };
    (module) => {
        "(a.module_id = $1 OR a.lesson_id IN (SELECT id FROM lessons WHERE module_id = $1))"
    };
    (lesson) => {
        "a.lesson_id = $1"
    };
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

    async fn lock(&mut self, id: Uuid) -> StoreResult<Option<Assessment>> {
        // An update locks, also one that changes nothing.
        self.query("UPDATE assessments SET revision = revision WHERE id = $1")
            .bind(id)
            .execute()
            .await?;
        AssessmentStore::find(self, id).await
    }

    async fn of_teacher(
        &mut self,
        teacher: UserId,
        filter: AssessmentFilter,
    ) -> StoreResult<Vec<Assessment>> {
        let [kind, synonym] =
            filter.kind.map_or(["", ""], |kind| kind.synonyms().map(AssessmentType::as_str));
        let rows = self
            .query(assessment!(
                "WHERE a.teacher_id = $1 AND ($2 OR c.id = $3)
                   AND ($4 = '' OR a.assessment_type IN ($4, $5))
                 ORDER BY a.created_at DESC, a.id DESC"
            ))
            .bind(teacher.0)
            .bind(filter.course.is_none())
            .bind(filter.course)
            .bind(kind)
            .bind(synonym)
            .all::<AssessmentRow>()
            .await?;
        rows.into_iter().map(Assessment::try_from).collect()
    }

    async fn offers(
        &mut self,
        teacher: UserId,
        student: UserId,
        course: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> StoreResult<Vec<Offer>> {
        let rows = self
            .query(concat!(
                "SELECT ",
                assessment_columns!(),
                ", ",
                holdings!("$2", "$3"),
                ",
                   (SELECT COUNT(*) FROM attempts t
                    WHERE t.student_id = $2 AND t.assessment_id = a.id) AS attempts_used
                 FROM ",
                assessment_tables!(),
                " WHERE a.teacher_id = $1 AND a.is_published AND ($4 OR c.id = $5)
                  ORDER BY a.created_at DESC, a.id DESC"
            ))
            .bind(teacher.0)
            .bind(student.0)
            .bind(now)
            .bind(course.is_none())
            .bind(course)
            .all::<OfferRow>()
            .await?;
        rows.into_iter().map(Offer::try_from).collect()
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

    async fn recount(&mut self, id: Uuid, now: DateTime<Utc>) -> StoreResult<()> {
        self.query(
            "UPDATE assessments
             SET total_questions = (SELECT COUNT(*) FROM questions q
                                    WHERE q.assessment_id = assessments.id),
                 total_points = (SELECT CAST(COALESCE(SUM(q.points), 0) AS BIGINT)
                                 FROM questions q WHERE q.assessment_id = assessments.id),
                 revision = revision + 1, updated_at = $2
             WHERE id = $1",
        )
        .bind(id)
        .bind(now)
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
        Ok(file_lines(&rows))
    }

    async fn files_below(&mut self, kind: LinkKind, id: Uuid) -> StoreResult<Vec<FileKey>> {
        macro_rules! statements {
            ($kind:ident) => {
                (
                    concat!(
                        "UPDATE assessments SET revision = revision
                         WHERE id IN (SELECT a.id FROM assessments a WHERE ",
                        below!($kind),
                        ")"
                    ),
                    concat!(
                        "SELECT q.image FROM questions q JOIN assessments a ON a.id = q.assessment_id
                         WHERE q.image IS NOT NULL AND ",
                        below!($kind),
                        " UNION
                         SELECT p.images FROM papers p JOIN assessments a ON a.id = p.assessment_id
                         WHERE p.images <> '' AND ",
                        below!($kind)
                    ),
                )
            };
        }
        let (hold, read) = match kind {
            LinkKind::Course => statements!(course),
            LinkKind::Module => statements!(module),
            LinkKind::Lesson => statements!(lesson),
        };
        self.query(hold).bind(id).execute().await?;
        let rows = self.query(read).bind(id).all::<(String,)>().await?;
        Ok(file_lines(&rows))
    }

    async fn is_on_paper(&mut self, id: Uuid, image: &FileKey) -> StoreResult<bool> {
        // Keys are made of letters, digits, slashes, points and hyphens: nothing that LIKE knows.
        let (is,) = self
            .query(
                "SELECT EXISTS (SELECT 1 FROM papers WHERE assessment_id = $1 AND images LIKE $2)",
            )
            .bind(id)
            .bind(format!("%{image}%"))
            .one::<(bool,)>()
            .await?;
        Ok(is)
    }
}

/// The files of rows that hold one a line, each once.
fn file_lines(rows: &[(String,)]) -> Vec<FileKey> {
    let files: BTreeSet<_> = rows.iter().flat_map(|(files,)| files.lines()).collect();
    files.into_iter().map(|file| FileKey::from_stored(file.to_owned())).collect()
}
