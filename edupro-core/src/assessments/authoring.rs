//! What a teacher does with assessments (contract 10.1, 10.2).

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    Assessment, AssessmentError, AssessmentFilter, AssessmentType, LinkChanges, Question, links,
};
use crate::{
    Change, School, Transaction,
    accounts::{Actor, UserId},
    audit::{self, Deed},
    courses::{self, CourseError},
    jobs,
};

/// How many percent one needs to pass, unless the teacher says otherwise.
pub const PASSING_GRADE: Decimal = Decimal::from_parts(60, 0, 0, false, 0);

/// An assessment that is about to be made.
#[derive(Debug)]
pub struct NewAssessment {
    /// [`Assessment::title`].
    pub title: String,
    /// [`Assessment::description`].
    pub description: Option<String>,
    /// [`Assessment::kind`].
    pub kind: AssessmentType,
    /// What it belongs to.
    pub link: LinkChanges,
    /// [`Assessment::is_published`].
    pub is_published: bool,
    /// Whether there is a time limit.
    pub is_timed: bool,
    /// The limit in minutes. It says nothing unless there is one.
    pub time_limit: Option<i64>,
    /// [`Assessment::max_attempts`].
    pub max_attempts: i64,
    /// [`Assessment::passing_grade`].
    pub passing_grade: Decimal,
    /// [`Assessment::available_from`]; `None` is now.
    pub available_from: Option<DateTime<Utc>>,
    /// [`Assessment::available_until`].
    pub available_until: Option<DateTime<Utc>>,
}

/// What becomes of an assessment.
#[derive(Debug, Default)]
pub struct AssessmentChanges {
    /// [`Assessment::title`].
    pub title: Option<String>,
    /// [`Assessment::description`].
    pub description: Change<String>,
    /// [`Assessment::kind`].
    pub kind: Option<AssessmentType>,
    /// What it belongs to.
    pub link: LinkChanges,
    /// [`Assessment::is_published`].
    pub is_published: Option<bool>,
    /// Whether there is a time limit.
    pub is_timed: Option<bool>,
    /// The limit in minutes. It says nothing unless there is one.
    pub time_limit: Change<i64>,
    /// [`Assessment::max_attempts`].
    pub max_attempts: Option<i64>,
    /// [`Assessment::passing_grade`].
    pub passing_grade: Option<Decimal>,
    /// [`Assessment::available_from`].
    pub available_from: Option<DateTime<Utc>>,
    /// [`Assessment::available_until`].
    pub available_until: Change<DateTime<Utc>>,
}

impl AssessmentChanges {
    /// All but what it is linked to.
    fn apply(&self, assessment: &mut Assessment) -> Result<(), AssessmentError> {
        if let Some(title) = &self.title {
            assessment.title.clone_from(title);
        }
        self.description.clone().apply(&mut assessment.description);
        assessment.kind = self.kind.unwrap_or(assessment.kind);
        assessment.is_published = self.is_published.unwrap_or(assessment.is_published);
        let is_timed = self.is_timed.unwrap_or(assessment.time_limit.is_some());
        let mut minutes = assessment.time_limit;
        self.time_limit.clone().apply(&mut minutes);
        assessment.time_limit = time_limit(is_timed, minutes)?;
        assessment.max_attempts = self.max_attempts.unwrap_or(assessment.max_attempts);
        assessment.passing_grade = self.passing_grade.unwrap_or(assessment.passing_grade);
        assessment.available_from = self.available_from.unwrap_or(assessment.available_from);
        self.available_until.clone().apply(&mut assessment.available_until);
        check_window(assessment)
    }
}

/// The limit of an assessment that is timed or is not.
fn time_limit(is_timed: bool, minutes: Option<i64>) -> Result<Option<i64>, AssessmentError> {
    match is_timed {
        true => minutes.filter(|it| *it > 0).map(Some).ok_or(AssessmentError::NoTimeLimit),
        false => Ok(None),
    }
}

fn check_window(assessment: &Assessment) -> Result<(), AssessmentError> {
    match assessment.available_until {
        Some(until) if until <= assessment.available_from => Err(AssessmentError::EndsTooEarly),
        _ => Ok(()),
    }
}

/// The assessment, if it is this teacher's.
pub async fn owned(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: Uuid,
) -> Result<Assessment, AssessmentError> {
    let assessment = tx.assessments().find(id).await?.ok_or(AssessmentError::Unknown)?;
    match assessment.teacher == teacher {
        true => Ok(assessment),
        false => Err(AssessmentError::NotYours),
    }
}

/// The same, held until the transaction ends: what changes an assessment or its questions begins
/// with this.
pub(crate) async fn lock_owned(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: Uuid,
) -> Result<Assessment, AssessmentError> {
    let assessment = tx.assessments().lock(id).await?.ok_or(AssessmentError::Unknown)?;
    match assessment.teacher == teacher {
        true => Ok(assessment),
        false => Err(AssessmentError::NotYours),
    }
}

/// 10.1: a teacher's assessments, the newest first. A course that is asked for must be theirs.
pub async fn list(
    tx: &mut dyn Transaction,
    teacher: UserId,
    filter: AssessmentFilter,
) -> Result<Vec<Assessment>, AssessmentError> {
    if let Some(course) = filter.course {
        courses::owned(tx, teacher, course).await?;
    }
    Ok(tx.assessments().of_teacher(teacher, filter).await?)
}

/// 10.1: makes an assessment, without questions.
pub async fn create(
    school: &School,
    teacher: UserId,
    new: NewAssessment,
) -> Result<Assessment, AssessmentError> {
    let now = school.clock.now();
    let id = school.entropy.uuid(now);
    let time_limit = time_limit(new.is_timed, new.time_limit)?;
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let link = links::lock_new(&mut *tx, school, teacher, &new.link).await?;
            let assessment = Assessment {
                id,
                teacher,
                title: new.title.clone(),
                description: new.description.clone(),
                kind: new.kind,
                link,
                is_published: new.is_published,
                time_limit,
                max_attempts: new.max_attempts,
                passing_grade: new.passing_grade,
                available_from: new.available_from.unwrap_or(now),
                available_until: new.available_until,
                total_questions: 0,
                total_points: Decimal::ZERO,
                revision: 0,
                created_at: now,
                updated_at: now,
            };
            check_window(&assessment)?;
            tx.assessments().add(&assessment).await?;
            tx.commit().await?;
            Ok(assessment)
        })
        .await
}

/// X4: the same in a course, unless it is to belong to something else.
pub async fn create_in_course(
    school: &School,
    teacher: UserId,
    course: Uuid,
    new: NewAssessment,
) -> Result<Assessment, AssessmentError> {
    let link = new.link.or_to_course(course);
    create(school, teacher, NewAssessment { link, ..new }).await
}

/// 10.2: an assessment with its questions.
pub async fn show(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: Uuid,
) -> Result<(Assessment, Vec<Question>), AssessmentError> {
    let assessment = owned(tx, teacher, id).await?;
    let questions = tx.questions().list(id).await?;
    Ok((assessment, questions))
}

/// 10.2: changes what is sent and nothing else; answers the assessment with its questions.
pub async fn update(
    school: &School,
    by: &Actor,
    id: Uuid,
    changes: AssessmentChanges,
) -> Result<(Assessment, Vec<Question>), AssessmentError> {
    let teacher = by.id;
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            // Whoever deletes a course holds it before its assessments, and so do we.
            let new_link = links::lock_new(&mut *tx, school, teacher, &changes.link).await?;
            let before = lock_owned(&mut *tx, teacher, id).await?;
            let mut assessment = before.clone();
            assessment.link = changes.link.merge(before.link.as_ref(), new_link)?;
            changes.apply(&mut assessment)?;
            if let Some(error) = frozen(&before, &assessment)
                && tx.assessments().has_attempts(id).await?
            {
                return Err(error);
            }
            if assessment != before {
                assessment.updated_at = now;
                tx.assessments().save(&assessment).await?;
                let deeds = before.offer().changes(assessment.offer(), teacher, ("assessment", id));
                audit::note(&mut *tx, school, by, deeds).await?;
            }
            let questions = tx.questions().list(id).await?;
            tx.commit().await?;
            Ok((assessment, questions))
        })
        .await
}

/// What must not change once somebody has started, and does.
fn frozen(before: &Assessment, after: &Assessment) -> Option<AssessmentError> {
    let link =
        |assessment: &Assessment| assessment.link.as_ref().map(|link| (link.kind(), link.id()));
    if before.kind != after.kind {
        return Some(AssessmentError::TypeFrozen);
    }
    let (old, new) = (link(before), link(after));
    match new.or(old) {
        Some((kind, _)) if old != new => Some(AssessmentError::LinkFrozen(kind)),
        _ => None,
    }
}

/// 10.2: deletes an assessment, its questions, and all attempts at it.
pub async fn delete(school: &School, by: &Actor, id: Uuid) -> Result<(), AssessmentError> {
    let teacher = by.id;
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let assessment = lock_owned(&mut *tx, teacher, id).await?;
            let files = tx.assessments().files(id).await?;
            tx.assessments().delete(id).await?;
            jobs::delete_files(&mut *tx, school, files).await?;
            let object = ("assessment", id);
            let deed = Deed::Deleted { teacher, object, title: &assessment.title };
            audit::note(&mut *tx, school, by, [deed]).await?;
            Ok(tx.commit().await?)
        })
        .await
}

impl From<CourseError> for AssessmentError {
    fn from(error: CourseError) -> Self {
        match error {
            CourseError::NotYours => Self::NotYours,
            CourseError::Store(error) => Self::Store(error),
            // The rest is about what a course itself is given.
            CourseError::Unknown
            | CourseError::FreeWithPrice
            | CourseError::UnknownCategory(_)
            | CourseError::NoSuchPage
            | CourseError::File(_) => Self::Unknown,
        }
    }
}
