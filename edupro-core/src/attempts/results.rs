//! What came of attempts: for the student (contract 10.10, 10.11) and for the teacher.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Answer, AttemptStatus, AttemptSummary, AttemptsOf, PaperQuestion, Sitting};
use crate::{
    Page, PageOf, StoreError, Transaction,
    accounts::{User, UserId},
    assessments::{self, AssessmentError, QuestionType},
    courses::{self, CourseError},
    roster,
};

/// Why attempts, or what came of one, were not shown.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// There is no such attempt, assessment, course, teacher or student.
    #[error("Not found.")]
    Unknown,
    /// It is another teacher's.
    #[error("You do not have permission to perform this action.")]
    NotYours,
    /// The student is at it.
    #[error("Cannot view details of an in-progress attempt.")]
    InProgress,
    /// Something in it waits to be graded.
    #[error("Please wait until all questions are graded.")]
    Waiting,
    /// The list has no such page.
    #[error("Invalid page.")]
    NoSuchPage,
    /// The storage.
    #[error("attempts could not be read")]
    Store(#[from] StoreError),
}

impl From<AssessmentError> for AttemptError {
    fn from(error: AssessmentError) -> Self {
        match error {
            AssessmentError::NotYours => Self::NotYours,
            AssessmentError::Store(error) => Self::Store(error),
            // The rest is about what an assessment itself is given.
            _ => Self::Unknown,
        }
    }
}

impl From<CourseError> for AttemptError {
    fn from(error: CourseError) -> Self {
        match error {
            CourseError::NotYours => Self::NotYours,
            CourseError::Store(error) => Self::Store(error),
            // The rest is about what a course itself is given.
            _ => Self::Unknown,
        }
    }
}

/// 10.10: all attempts of a student at the assessments of a teacher, the newest first.
pub async fn list_own(
    tx: &mut dyn Transaction,
    student: &User,
    username: &str,
    course: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Vec<AttemptSummary>, AttemptError> {
    let teacher = roster::teacher(tx, username).await?.ok_or(AttemptError::Unknown)?;
    let student = Some(student.id);
    let of = AttemptsOf { course, student, ..AttemptsOf::teacher(teacher.id) };
    let found = tx.attempts().list(&of).await?;
    Ok(found.into_iter().map(|summary| summary.at(now)).collect())
}

impl AttemptSummary {
    fn at(self, now: DateTime<Utc>) -> Self {
        Self { attempt: self.attempt.at(now), ..self }
    }
}

/// X6–X9: the student with this username, in any case.
pub async fn student(tx: &mut dyn Transaction, username: &str) -> Result<User, AttemptError> {
    let found = tx.users().find_by_username(username).await?;
    found.filter(User::is_student).ok_or(AttemptError::Unknown)
}

/// Whether the assessment and the course that are asked for are the teacher's.
async fn check(tx: &mut dyn Transaction, of: &AttemptsOf) -> Result<(), AttemptError> {
    if let Some(assessment) = of.assessment {
        assessments::owned(tx, of.teacher, assessment).await?;
    }
    if let Some(course) = of.course {
        courses::owned(tx, of.teacher, course).await?;
    }
    Ok(())
}

/// X5: attempts at a teacher's assessments, the newest first.
pub async fn list(
    tx: &mut dyn Transaction,
    of: &AttemptsOf,
    now: DateTime<Utc>,
) -> Result<Vec<AttemptSummary>, AttemptError> {
    check(tx, of).await?;
    let found = tx.attempts().list(of).await?;
    Ok(found.into_iter().map(|summary| summary.at(now)).collect())
}

/// X5–X9: a page of them.
pub async fn page(
    tx: &mut dyn Transaction,
    of: &AttemptsOf,
    now: DateTime<Utc>,
    page: Page,
) -> Result<PageOf<AttemptSummary>, AttemptError> {
    check(tx, of).await?;
    let found = tx.attempts().page(of, page).await?.ok_or(AttemptError::NoSuchPage)?;
    Ok(found.map(|summary| summary.at(now)))
}

/// What came of an attempt that is closed.
#[derive(Clone, Debug)]
pub struct AttemptResult {
    /// The attempt, with what it is about.
    pub sitting: Sitting,
    /// What came of each question, in the order of the paper.
    pub answers: Vec<AnswerResult>,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerResult {
    /// Which answer; an attempt that expired has none.
    pub id: Option<Uuid>,
    /// To which question. It may be gone.
    pub question: Uuid,
    /// What was asked.
    pub question_text: String,
    /// How it was to be answered.
    pub kind: QuestionType,
    /// What a right answer gives.
    pub points: Decimal,
    /// What this one was worth.
    pub points_awarded: Decimal,
    /// What is right, in words.
    pub correct_answer: String,
    /// What was answered, in words.
    pub student_answer: String,
    /// The text that was written.
    pub text: Option<String>,
    /// Whether it was right.
    pub is_correct: bool,
    /// What the teacher says to it.
    pub teacher_feedback: Option<String>,
    /// The program graded it.
    pub auto_graded: bool,
}

/// 10.11: what came of a student's own attempt, with what is right: so not before it is closed.
pub async fn result(
    tx: &mut dyn Transaction,
    student: UserId,
    attempt: Uuid,
    now: DateTime<Utc>,
) -> Result<AttemptResult, AttemptError> {
    let found = tx.attempts().sitting(attempt, now).await?;
    let mut sitting =
        found.filter(|sitting| sitting.attempt.student == student).ok_or(AttemptError::Unknown)?;
    sitting.attempt = sitting.attempt.at(now);
    let answers = match sitting.attempt.status {
        AttemptStatus::InProgress => return Err(AttemptError::InProgress),
        AttemptStatus::Submitted => return Err(AttemptError::Waiting),
        AttemptStatus::Expired => sitting.paper.questions.iter().map(AnswerResult::none).collect(),
        AttemptStatus::Graded => {
            let answers = tx.attempts().answers(attempt).await?;
            answers.into_iter().map(AnswerResult::from).collect()
        }
    };
    Ok(AttemptResult { sitting, answers })
}

impl AnswerResult {
    /// Nothing was handed in.
    fn none(question: &PaperQuestion) -> Self {
        Self {
            id: None,
            question: question.id,
            question_text: question.text.clone(),
            kind: question.kind,
            points: question.points,
            points_awarded: Decimal::ZERO,
            correct_answer: question.correct_answer(),
            student_answer: String::new(),
            text: None,
            is_correct: false,
            teacher_feedback: None,
            auto_graded: true,
        }
    }
}

impl From<Answer> for AnswerResult {
    fn from(answer: Answer) -> Self {
        Self {
            id: Some(answer.id),
            question: answer.question,
            question_text: answer.question_text,
            kind: answer.kind,
            points: answer.points,
            // Those of a graded attempt all have points.
            points_awarded: answer.points_awarded.unwrap_or_default(),
            correct_answer: answer.correct_answer,
            student_answer: answer.student_answer,
            text: answer.text,
            is_correct: answer.is_correct.unwrap_or_default(),
            teacher_feedback: answer.teacher_feedback,
            auto_graded: answer.auto_graded,
        }
    }
}
