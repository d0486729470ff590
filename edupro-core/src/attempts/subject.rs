use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Attempt, AttemptStatus, Outcome};
use crate::{
    accounts::UserId,
    assessments::Assessment,
    events::{Event, money},
};

/// Whose attempt at whose assessment: what each event of an attempt begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Which attempt.
    pub attempt: Uuid,
    /// Who tries.
    pub student: UserId,
    /// Whose assessment.
    pub teacher: UserId,
    /// What is tried.
    pub assessment: Uuid,
    /// Its title.
    pub assessment_title: String,
}

impl Subject {
    /// An attempt at this assessment.
    #[must_use]
    pub fn new(attempt: &Attempt, assessment: &Assessment) -> Self {
        Self {
            attempt: attempt.id,
            student: attempt.student,
            teacher: assessment.teacher,
            assessment: assessment.id,
            assessment_title: assessment.title.clone(),
        }
    }

    /// All of it has its points, in place of those that it had `before`.
    pub(crate) fn graded(self, max_score: Decimal, now: Outcome, before: Option<Decimal>) -> Event {
        let Self { attempt, student, teacher, assessment, assessment_title } = self;
        Event::AttemptGraded {
            attempt,
            student,
            teacher,
            assessment,
            assessment_title,
            score: money(now.score),
            max_score: money(max_score),
            percentage: now.percentage,
            is_passed: now.is_passed,
            previous_score: before.map(money),
        }
    }
}

/// The event of an attempt that was just started.
pub(super) fn started(attempt: &Attempt, assessment: &Assessment) -> Event {
    let &Attempt { number, deadline, .. } = attempt;
    let Subject { attempt, student, teacher, assessment, assessment_title } =
        Subject::new(attempt, assessment);
    Event::AttemptStarted {
        attempt,
        student,
        teacher,
        assessment,
        assessment_title,
        number,
        deadline,
    }
}

/// The events of an attempt that was just handed in: also that it is graded, if it is.
pub(super) fn handed_in(attempt: &Attempt, assessment: &Assessment) -> Vec<Event> {
    let subject = Subject::new(attempt, assessment);
    let outcome = attempt.score.map(|score| attempt.outcome(score));
    let graded = outcome.map(|outcome| subject.clone().graded(attempt.max_score, outcome, None));
    let is_pending = attempt.status != AttemptStatus::Graded;
    let Subject { attempt, student, teacher, assessment, assessment_title } = subject;
    let submitted = Event::AttemptSubmitted {
        attempt,
        student,
        teacher,
        assessment,
        assessment_title,
        is_pending,
    };
    [Some(submitted), graded].into_iter().flatten().collect()
}
