//! A student starts an assessment, or goes on with it (contract 10.8).

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Attempt, AttemptStatus, Candidate, GRACE, Paper, PaperQuestion, Sitting, subject};
use crate::{
    School, StoreError, Transaction,
    accounts::User,
    assessments::{self, Assessment, NoEntry},
    events::{Event, announce_all},
};

/// Why an assessment was not started. The words are those of behaviour 10.8.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such assessment of this teacher, or it is a draft.
    #[error("Not found.")]
    Unknown,
    /// The student may not take it.
    #[error(transparent)]
    NoEntry(#[from] NoEntry),
    /// It opens later.
    #[error("Assessment has not started yet.")]
    NotYet,
    /// It is over.
    #[error("Assessment has ended.")]
    Over,
    /// The student has had all attempts there are.
    #[error("You have reached the maximum number of attempts ({0}).")]
    TooManyAttempts(i64),
    /// The storage.
    #[error("an attempt could not be started")]
    Store(#[from] StoreError),
}

/// An attempt that the student is in.
#[derive(Clone, Debug)]
pub struct Started {
    /// The attempt.
    pub attempt: Attempt,
    /// What it is an attempt at.
    pub assessment: Assessment,
    /// What is asked.
    pub paper: Paper,
    /// Whether it was started now and not before.
    pub is_new: bool,
}

/// 10.8: starts an assessment of the teacher with this username. Whoever is in an attempt goes on
/// with that one, and it counts once.
pub async fn start(
    school: &School,
    student: &User,
    assessment: Uuid,
    teacher: &str,
) -> Result<Started, StartError> {
    let now = school.clock.now();
    let (attempt, paper) = (school.entropy.uuid(now), school.entropy.uuid(now));
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let found = tx.attempts().candidate(student.id, assessment, teacher, now).await?;
            let candidate = found.ok_or(StartError::Unknown)?;
            candidate.check(student, now)?;
            let mut events = Vec::new();
            if let Some(running) = candidate.running {
                let sitting = tx.attempts().sitting(running, now).await?;
                if let Some(sitting) = sitting.filter(|it| !it.attempt.is_overdue(now)) {
                    return Ok(sitting.into());
                }
                let expired = tx.attempts().expire_one(running, now - GRACE).await?;
                events.extend(expired.map(Event::from));
            }
            let most = candidate.assessment.max_attempts;
            if candidate.attempts_used >= most {
                announce_all(&mut *tx, school, events).await?;
                tx.commit().await?;
                return Err(StartError::TooManyAttempts(most));
            }
            let Candidate { assessment, paper: made, .. } = candidate;
            let paper = match made {
                Some(paper) => paper,
                None => make_paper(&mut *tx, paper, &assessment).await?,
            };
            let mut attempt = begun(attempt, student, &assessment, &paper, now);
            // Somebody was faster: what there is now is to be looked at again.
            let in_the_way = || StoreError::Contended("another start was faster".into());
            attempt.number = tx.attempts().start(&attempt, most).await?.ok_or_else(in_the_way)?;
            events.push(subject::started(&attempt, &assessment));
            announce_all(&mut *tx, school, events).await?;
            tx.commit().await?;
            Ok(Started { attempt, assessment, paper, is_new: true })
        })
        .await
}

impl Candidate {
    /// Whatever speaks against a start before attempts are counted, in the ruled order.
    fn check(&self, student: &User, now: DateTime<Utc>) -> Result<(), StartError> {
        let assessment = &self.assessment;
        if !assessment.is_published {
            return Err(StartError::Unknown);
        }
        assessments::may_take(assessment, student.id, self.ties)?;
        match assessment.available_until {
            _ if now < assessment.available_from => Err(StartError::NotYet),
            Some(until) if until < now => Err(StartError::Over),
            _ => Ok(()),
        }
    }
}

/// The questions of an assessment on a new paper, or on the one that somebody has just made.
async fn make_paper(
    tx: &mut dyn Transaction,
    id: Uuid,
    assessment: &Assessment,
) -> Result<Paper, StoreError> {
    let questions = tx.questions().list(assessment.id).await?;
    let paper = Paper {
        id,
        assessment: assessment.id,
        revision: assessment.revision,
        questions: questions.into_iter().map(PaperQuestion::from).collect(),
    };
    if tx.attempts().add_paper(&paper).await? {
        return Ok(paper);
    }
    let made = tx.attempts().paper(assessment.id, assessment.revision).await?;
    // Or else the questions have changed while they were read.
    made.ok_or_else(|| StoreError::Contended("an assessment was changed meanwhile".into()))
}

fn begun(
    id: Uuid,
    student: &User,
    assessment: &Assessment,
    paper: &Paper,
    now: DateTime<Utc>,
) -> Attempt {
    let limit = assessment.time_limit.map(|minutes| now + TimeDelta::minutes(minutes));
    Attempt {
        id,
        student: student.id,
        assessment: assessment.id,
        paper: paper.id,
        number: 0,
        status: AttemptStatus::InProgress,
        started_at: now,
        deadline: limit.into_iter().chain(assessment.available_until).min(),
        ended_at: None,
        score: None,
        max_score: paper.max_score(),
        passing_grade: assessment.passing_grade,
        percentage: None,
        is_passed: None,
        auto_graded: true,
        graded_at: None,
        graded_by: None,
        teacher_feedback: None,
    }
}

impl From<Sitting> for Started {
    fn from(sitting: Sitting) -> Self {
        let Sitting { attempt, assessment, paper, .. } = sitting;
        Self { attempt, assessment, paper, is_new: false }
    }
}
