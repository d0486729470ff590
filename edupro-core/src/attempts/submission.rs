//! A student hands an attempt in (contract 10.9).

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    Answer, AnswerProblem, AnswerState, Attempt, AttemptStatus, Outcome, Paper, SentAnswer,
    Sitting, subject,
};
use crate::{
    School, StoreError, Transaction,
    accounts::User,
    assessments::{self, NoEntry},
    events::announce_all,
    grading,
};

/// Why an attempt was not handed in. The words are those of behaviour 10.9.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The student has no such attempt.
    #[error("Not found.")]
    Unknown,
    /// It has ended.
    #[error("This attempt is not in progress.")]
    NotInProgress,
    /// Its time has run out.
    #[error("Time limit exceeded. Attempt expired.")]
    TooLate,
    /// The student may not take the assessment any more.
    #[error(transparent)]
    NoEntry(#[from] NoEntry),
    /// Answers are wrong: of each, what is wrong with it.
    #[error("some of the answers are not valid")]
    Answers(Vec<Option<AnswerProblem>>),
    /// The storage.
    #[error("an attempt could not be handed in")]
    Store(#[from] StoreError),
}

/// Whether the student may hand the attempt in now, whatever is in it.
pub async fn check_open(
    tx: &mut dyn Transaction,
    student: &User,
    attempt: Uuid,
    now: DateTime<Utc>,
) -> Result<(), SubmitError> {
    open(tx, student, attempt, now).await.map(drop)
}

async fn open(
    tx: &mut dyn Transaction,
    student: &User,
    attempt: Uuid,
    now: DateTime<Utc>,
) -> Result<Sitting, SubmitError> {
    let found = tx.attempts().sitting(attempt, now).await?;
    let sitting = found
        .filter(|sitting| sitting.attempt.student == student.id)
        .ok_or(SubmitError::Unknown)?;
    if sitting.attempt.status != AttemptStatus::InProgress {
        return Err(SubmitError::NotInProgress);
    }
    if sitting.attempt.is_overdue(now) {
        return Err(SubmitError::TooLate);
    }
    assessments::may_take(&sitting.assessment, student.id, sitting.ties)?;
    Ok(sitting)
}

/// 10.9: hands an attempt in, with an answer to each question or to some of them. Whoever does so
/// first has done so. Answers that a rule decides on are graded at once.
pub async fn submit(
    school: &School,
    student: &User,
    attempt: Uuid,
    sent: &[SentAnswer],
) -> Result<Attempt, SubmitError> {
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let sitting = open(&mut *tx, student, attempt, now).await?;
            let Sitting { attempt, assessment, paper, .. } = sitting;
            if let Some(problems) = problems(&mut *tx, &paper, sent).await? {
                return Err(SubmitError::Answers(problems));
            }
            let answers = paper.marked(school, attempt.id, sent, now);
            let attempt = ended(attempt, &answers, now);
            if !tx.attempts().hand_in(&attempt).await? {
                // Somebody was faster: they handed it in, or deleted the assessment.
                let refused = open(&mut *tx, student, attempt.id, now).await.err();
                return Err(refused.unwrap_or(SubmitError::NotInProgress));
            }
            tx.attempts().add_answers(&answers).await?;
            grading::handed_in(&mut *tx, school, &answers).await?;
            announce_all(&mut *tx, school, subject::handed_in(&attempt, &assessment)).await?;
            tx.commit().await?;
            Ok(attempt)
        })
        .await
}

/// What is wrong with each of the answers; `None` when they are all good.
async fn problems(
    tx: &mut dyn Transaction,
    paper: &Paper,
    sent: &[SentAnswer],
) -> Result<Option<Vec<Option<AnswerProblem>>>, StoreError> {
    let Some(mut problems) = paper.problems(sent) else { return Ok(None) };
    let strange: Vec<_> =
        problems.iter().filter_map(|problem| problem.and_then(strange_option)).collect();
    if !strange.is_empty() {
        let known = tx.attempts().known_options(&strange).await?;
        for problem in problems.iter_mut().flatten() {
            if strange_option(*problem).is_some_and(|option| known.contains(&option)) {
                *problem = AnswerProblem::ForeignOption;
            }
        }
    }
    Ok(Some(problems))
}

/// An option that is not on the paper: it may be one of something else.
const fn strange_option(problem: AnswerProblem) -> Option<Uuid> {
    match problem {
        AnswerProblem::UnknownOption(option) => Some(option),
        AnswerProblem::UnknownQuestion
        | AnswerProblem::Duplicate
        | AnswerProblem::ForeignOption => None,
    }
}

/// The attempt as it is handed in with these answers.
fn ended(attempt: Attempt, answers: &[Answer], now: DateTime<Utc>) -> Attempt {
    let ended = Attempt { ended_at: Some(now), status: AttemptStatus::Submitted, ..attempt };
    if answers.iter().any(|answer| answer.state != AnswerState::Graded) {
        return ended;
    }
    let score: Decimal = answers.iter().filter_map(|answer| answer.points_awarded).sum();
    let Outcome { score, percentage, is_passed } = ended.outcome(score);
    Attempt {
        status: AttemptStatus::Graded,
        score: Some(score),
        percentage: Some(percentage),
        is_passed: Some(is_passed),
        graded_at: Some(now),
        ..ended
    }
}
