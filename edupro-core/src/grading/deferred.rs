//! Graders that answer later.
//!
//! Each answer has a job, whose key is the answer with the version of its question: it asks the
//! grader, and then for what became of the ticket. Handing in waits for none of it. What is not
//! graded in time, or cannot be, is left to a person; whatever comes too late then, or for another
//! version, changes nothing.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    Deferred, Grade, GradeError, GradingEntry, GradingReason, Remark, Share, Verdict, asked::Asked,
    settle::settle,
};
use crate::{
    School, StoreResult, Transaction,
    attempts::{Answer, AnswerState},
    jobs::{self, Task},
    storage,
};

/// How long a grader has before a person gets the answer.
pub const DEADLINE: TimeDelta = TimeDelta::minutes(10);
/// What a teacher is told then.
const TOO_LATE: &str = "It was not graded in time.";
/// How long one question to a grader may take: mails wait behind it.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pauses between questions about a ticket; the last one repeats.
const PAUSES: [TimeDelta; 4] =
    [TimeDelta::seconds(5), TimeDelta::seconds(15), TimeDelta::seconds(30), TimeDelta::minutes(1)];
/// How long a grader that could not be reached is left alone, unless it asked for longer.
const REST: TimeDelta = TimeDelta::seconds(30);

/// What grading does in the transaction in which answers are handed in: those that are deferred to
/// a grader are given to it by jobs, after the commit.
pub(crate) async fn handed_in(
    tx: &mut dyn Transaction,
    school: &School,
    answers: &[Answer],
) -> StoreResult<()> {
    let deferred = answers.iter().filter(|answer| answer.state == AnswerState::Deferred);
    let tasks = deferred.map(|answer| first_task(answer.id, answer.question_version)).collect();
    jobs::all_later(tx, school, tasks).await
}

/// The job of an answer that was just deferred.
pub(super) const fn first_task(answer: Uuid, version: i64) -> Task {
    Task::GradeAnswer { answer, version, round: 0 }
}

/// What came of asking a grader.
enum Heard {
    /// It has said something.
    Verdict(Verdict),
    /// It is at it.
    Nothing,
    /// It cannot be reached before this.
    Away(DateTime<Utc>),
    /// A person has to read the answer, and this is why.
    Useless(&'static str),
}

/// Asks about an answer that was deferred under this version of its question. May be interrupted
/// anywhere and done again.
pub(crate) async fn ask(
    school: &School,
    answer: Uuid,
    version: i64,
    round: usize,
) -> StoreResult<()> {
    let found = school.storage.read().await?.grading().deferred(answer).await?;
    let Some(deferred) = found.filter(|it| it.answer.question_version == version) else {
        return Ok(());
    };
    let now = school.clock.now();
    let end = deferred.answer.deferred_at.unwrap_or(now) + DEADLINE;
    let heard = match now < end {
        true => listen(school, &deferred, now).await?,
        false => Heard::Useless(TOO_LATE),
    };
    let pause = PAUSES.get(round).or(PAUSES.last()).copied().unwrap_or(REST);
    // The last time is at the end itself.
    let next = Task::GradeAnswer { answer, version, round: round.saturating_add(1) };
    let until = |due: DateTime<Utc>| due.min(end);
    match heard {
        Heard::Verdict(Verdict::Graded { share, feedback, matched: _ }) => {
            take(school, &deferred, share, feedback).await
        }
        Heard::Verdict(Verdict::NeedsHuman { why, suggestion }) => {
            leave(school, &deferred.answer, &Remark { why, suggestion }).await
        }
        Heard::Verdict(Verdict::Deferred { ticket }) => {
            keep_ticket(school, &deferred.answer, &ticket, next, until(now + pause)).await
        }
        Heard::Nothing => jobs::alone_at(school, next, until(now + pause)).await,
        Heard::Away(back) => jobs::alone_at(school, next, until(back)).await,
        Heard::Useless(why) => {
            leave(school, &deferred.answer, &Remark { why: why.to_owned(), suggestion: None }).await
        }
    }
}

/// Asks the grader for its verdict, or for what became of its ticket.
async fn listen(school: &School, deferred: &Deferred, now: DateTime<Utc>) -> StoreResult<Heard> {
    let answer = &deferred.answer;
    let name = answer.grader.as_deref().unwrap_or_default();
    if let Some(until) = school.graders.rests(name, now) {
        return Ok(Heard::Away(until));
    }
    let Some(asked) = asked(school, deferred).await? else {
        return Ok(Heard::Useless("The question is gone."));
    };
    let response = answer.response();
    let question = async {
        match &deferred.ticket {
            Some(ticket) => school.graders.collect(name, ticket).await,
            None => school.graders.grade(&asked.request(answer, &response)).await.map(Some),
        }
    };
    let verdict = match timeout(PATIENCE, question).await {
        Ok(verdict) => verdict,
        Err(late) => Err(GradeError::unavailable(late)),
    };
    let error = match verdict {
        Ok(Some(verdict)) => return Ok(Heard::Verdict(verdict)),
        Ok(None) => return Ok(Heard::Nothing),
        Err(error) => error,
    };
    tracing::warn!(
        answer = %answer.id,
        grader = name,
        error = &error as &dyn std::error::Error,
        "an answer was not graded"
    );
    Ok(match error {
        GradeError::Unavailable { retry_after, .. } => {
            let asked_for = retry_after.and_then(|it| TimeDelta::from_std(it).ok());
            // Longer than the deadline is never.
            let until = now + asked_for.unwrap_or(REST).clamp(REST, DEADLINE);
            school.graders.rest(name, until);
            Heard::Away(until)
        }
        GradeError::Rejected { .. } | GradeError::Unsupported(_) | GradeError::Other(_) => {
            Heard::Useless("The grader could not grade it.")
        }
    })
}

/// The question of the version that the grader is asked with: as it was asked, or as it is since a
/// teacher has had its answers graded again.
async fn asked(school: &School, deferred: &Deferred) -> StoreResult<Option<Asked>> {
    let Answer { question, question_version, .. } = deferred.answer;
    let on_paper = deferred.paper.questions.iter().find(|it| it.id == question).cloned();
    if let Some(found) = on_paper.filter(|it| it.version == question_version) {
        return Ok(Some(Asked::new(found)));
    }
    let present = school.storage.read().await?.questions().find(question).await?;
    Ok(present.filter(|it| it.version == question_version).map(Asked::from))
}

/// Gives a deferred answer what its grader says it is worth.
async fn take(
    school: &School,
    Deferred { answer, paper, .. }: &Deferred,
    share: Share,
    feedback: Option<String>,
) -> StoreResult<()> {
    let now = school.clock.now();
    let points = share.of(answer.points);
    let grade = Grade {
        answer: answer.id,
        points,
        is_correct: share.is_full(),
        feedback: feedback.clone(),
        by_hand: false,
    };
    let entry = GradingEntry {
        answer: answer.id,
        graded_by: None,
        reason: GradingReason::Auto,
        before: None,
        after: points,
        feedback,
        at: now,
    };
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            tx.assessments().lock(paper.assessment).await?;
            let found = tx.grading().deferred(answer.id).await?;
            // A person was faster, or it is to be graded by another key.
            if found.is_none_or(|it| it.answer.question_version != answer.question_version) {
                return Ok(());
            }
            tx.grading().save(std::slice::from_ref(&grade), now).await?;
            tx.grading().note(std::slice::from_ref(&entry)).await?;
            settle(&mut *tx, school, &[answer.attempt], None, now).await?;
            tx.commit().await
        })
        .await
}

async fn leave(school: &School, answer: &Answer, remark: &Remark) -> StoreResult<()> {
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            tx.grading().leave(&[(answer.id, answer.question_version)], remark).await?;
            tx.commit().await
        })
        .await
}

async fn keep_ticket(
    school: &School,
    answer: &Answer,
    ticket: &str,
    task: Task,
    due: DateTime<Utc>,
) -> StoreResult<()> {
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            if tx.grading().keep_ticket(answer.id, answer.question_version, ticket).await? {
                jobs::at(&mut *tx, school, task.clone(), due).await?;
            }
            tx.commit().await
        })
        .await
}

/// Leaves to people what no grader has graded in time, also when its job was lost. Running it
/// twice, or in two processes, does nothing more.
pub async fn leave_late(school: &School) -> StoreResult<()> {
    let before = school.clock.now() - DEADLINE;
    let remark = Remark { why: TOO_LATE.to_owned(), suggestion: None };
    storage::atomically(&*school.entropy, || async {
        let mut tx = school.storage.write().await?;
        tx.grading().leave_late(before, &remark).await?;
        tx.commit().await
    })
    .await
}
