//! Who may take an assessment, and what a student sees of it (contract 10.7).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Assessment, AssessmentError, Link};
use crate::{
    Transaction,
    access::{self, Access, Ties},
    accounts::{User, UserId},
    roster::{self, Standing},
};

/// Why a student may not take an assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEntry {
    /// The teacher has blocked the student.
    #[error("You are blocked by the teacher.")]
    Blocked,
    /// The student is not the teacher's.
    #[error("You do not have permission to perform this action.")]
    NotAttached,
    /// The student has not what the assessment belongs to.
    #[error("You are not enrolled in the related course/module.")]
    NotEnrolled,
}

/// Whether a student may take the assessment, as far as it is up to the student: at the start, and
/// again when it is handed in.
pub fn may_take(assessment: &Assessment, student: UserId, ties: Ties) -> Result<(), NoEntry> {
    let place = assessment.link.as_ref().map(Link::place);
    match access::decide_assessment(place.as_ref(), assessment.teacher, student, ties) {
        Access::Owner | Access::Granted => Ok(()),
        Access::Blocked => Err(NoEntry::Blocked),
        Access::Refused if ties.standing.is_none() => Err(NoEntry::NotAttached),
        Access::Refused => Err(NoEntry::NotEnrolled),
    }
}

/// An assessment for a student who may take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAssessment {
    /// The assessment.
    pub assessment: Assessment,
    /// How often the student has started it.
    pub attempts_used: i64,
}

/// A published assessment with what ties one student to it.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The assessment.
    pub open: OpenAssessment,
    /// What ties the student to the course or module it belongs to.
    pub ties: Ties,
}

/// 10.7: a teacher's published assessments that the student may take, the newest first. Those that
/// open later or are over are among them.
pub async fn list_open(
    tx: &mut dyn Transaction,
    student: &User,
    username: &str,
    course: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Vec<OpenAssessment>, AssessmentError> {
    let teacher = roster::teacher(tx, username).await?.ok_or(AssessmentError::Unknown)?;
    match tx.roster().standing(teacher.id, student.id).await? {
        Some(Standing::Active) => {}
        Some(Standing::Blocked) => return Err(AssessmentError::Blocked),
        None => return Err(AssessmentError::NotYours),
    }
    let offers = tx.assessments().offers(teacher.id, student.id, course, now).await?;
    let is_open = |offer: &Offer| may_take(&offer.open.assessment, student.id, offer.ties).is_ok();
    Ok(offers.into_iter().filter(is_open).map(|offer| offer.open).collect())
}
