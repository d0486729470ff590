//! A teacher grades an answer (contract 10.13).

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Grade, GradingEntry, GradingItem, GradingReason, settle::settle};
use crate::{
    Change, School, StoreError, Transaction,
    accounts::{Actor, UserId},
    assessments::{self, AssessmentError},
    attempts::{AnswerState, AttemptStatus},
    audit::{self, Deed},
    courses::CourseError,
};

/// Longest feedback to an answer, in characters (behaviour 10.13).
pub const FEEDBACK_LENGTH: usize = 5_000;

/// What a teacher gives for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGrade {
    /// The points.
    pub points: Decimal,
    /// Whether it is right; unless the teacher says so, when it gets all points.
    pub is_correct: Option<bool>,
    /// What the teacher says to it.
    pub feedback: Change<String>,
}

/// Why an answer was not shown or graded, or answers not graded again.
#[derive(Debug, thiserror::Error)]
pub enum GradingError {
    /// There is no such answer, course or assessment.
    #[error("Not found.")]
    Unknown,
    /// It is another teacher's.
    #[error("You do not have permission to perform this action.")]
    NotYours,
    /// The program marks questions of this type.
    #[error("This question type doesn't require manual grading.")]
    NotByHand,
    /// The student is still at it, or has never handed it in.
    #[error("This attempt has not been submitted.")]
    NotSubmitted,
    /// Fewer points than none.
    #[error("Points cannot be negative.")]
    Negative,
    /// More points than there are.
    #[error("Points cannot exceed question maximum ({}).", .0.normalize())]
    TooMuch(Decimal),
    /// The assessment has no such question.
    #[error("Invalid pk \"{0}\" - object does not exist.")]
    UnknownQuestion(Uuid),
    /// What can be answered to a question is not what it was.
    #[error(
        "The options, the blanks or the type of question {0} have changed since it was answered, \
         so its key cannot be compared."
    )]
    NotComparable(Uuid),
    /// The storage.
    #[error("an answer could not be graded")]
    Store(#[from] StoreError),
}

/// The answer, if it was given to this teacher.
pub async fn owned_answer(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: Uuid,
) -> Result<GradingItem, GradingError> {
    let item = tx.grading().find(id).await?.ok_or(GradingError::Unknown)?;
    match item.assessment.teacher == teacher {
        true => Ok(item),
        false => Err(GradingError::NotYours),
    }
}

/// 10.13: gives points to an answer, whatever it had before. With the last one that waits its
/// attempt is graded.
pub async fn grade(
    school: &School,
    by: &Actor,
    id: Uuid,
    new: &NewGrade,
) -> Result<GradingItem, GradingError> {
    let teacher = by.id;
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let assessment = owned_answer(&mut *tx, teacher, id).await?.assessment.id;
            // Whoever grades another answer of the attempt adds it up, too: one after the other.
            assessments::lock_owned(&mut *tx, teacher, assessment).await?;
            let mut item = owned_answer(&mut *tx, teacher, id).await?;
            let attempt = item.attempt.id;
            let (grade, entry) = item.grade(teacher, new, now)?;
            tx.grading().save(&[grade], now).await?;
            let deed = Deed::Graded {
                teacher,
                student: item.student.id,
                answer: id,
                before: entry.before,
                after: entry.after,
            };
            audit::note(&mut *tx, school, by, [deed]).await?;
            tx.grading().note(&[entry]).await?;
            if let [status] = settle(&mut *tx, school, &[attempt], Some(teacher), now).await?[..] {
                item.attempt.status = status;
            }
            tx.commit().await?;
            Ok(item)
        })
        .await
}

impl GradingItem {
    /// Gives points to the answer, and says what is to be kept of that.
    fn grade(
        &mut self,
        teacher: UserId,
        new: &NewGrade,
        now: DateTime<Utc>,
    ) -> Result<(Grade, GradingEntry), GradingError> {
        let answer = &mut self.answer;
        match self.attempt.status {
            AttemptStatus::Submitted | AttemptStatus::Graded => {}
            AttemptStatus::InProgress | AttemptStatus::Expired => {
                return Err(GradingError::NotSubmitted);
            }
        }
        // A grader may leave even a choice to a person, who alone can end the matter then.
        let is_for_a_person = !answer.kind.has_options()
            || answer.manual_graded
            || answer.state != AnswerState::Graded;
        if !is_for_a_person {
            return Err(GradingError::NotByHand);
        }
        if new.points < Decimal::ZERO {
            return Err(GradingError::Negative);
        }
        if new.points > answer.points {
            return Err(GradingError::TooMuch(answer.points));
        }
        let before = answer.points_awarded.replace(new.points);
        let is_correct = new.is_correct.unwrap_or(new.points == answer.points);
        new.feedback.clone().apply(&mut answer.teacher_feedback);
        answer.is_correct = Some(is_correct);
        (answer.auto_graded, answer.manual_graded) = (false, true);
        answer.state = AnswerState::Graded;
        answer.graded_at = Some(now);
        let grade = Grade {
            answer: answer.id,
            points: new.points,
            is_correct,
            feedback: answer.teacher_feedback.clone(),
            by_hand: true,
        };
        let entry = GradingEntry {
            answer: answer.id,
            graded_by: Some(teacher),
            reason: GradingReason::Manual,
            before,
            after: new.points,
            feedback: answer.teacher_feedback.clone(),
            at: now,
        };
        Ok((grade, entry))
    }
}

impl From<AssessmentError> for GradingError {
    fn from(error: AssessmentError) -> Self {
        match error {
            AssessmentError::NotYours => Self::NotYours,
            AssessmentError::Store(error) => Self::Store(error),
            // The rest is about what an assessment itself is given.
            _ => Self::Unknown,
        }
    }
}

impl From<CourseError> for GradingError {
    fn from(error: CourseError) -> Self {
        AssessmentError::from(error).into()
    }
}
