//! A key was wrong: answers that were graded by it are graded again, when their teacher says so.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    DeferredAgain, Grade, Graders, GradingEntry, GradingError, GradingReason, OutdatedCount, Plan,
    Regrade, RegradePolicy, Remark, asked::Asked, deferred::first_task, settle::settle,
};
use crate::{
    School, StoreResult, Transaction,
    accounts::{Actor, UserId},
    assessments::{self, Question},
    attempts::{Answer, AnswerState, PaperQuestion},
    audit::{self, Deed},
    jobs,
};

/// Which answers are graded again, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegradeOf {
    /// What becomes of them.
    pub policy: RegradePolicy,
    /// All answers to this question; without it those that were graded under an older version of
    /// theirs.
    pub question: Option<Uuid>,
    /// Only to see what would become of them.
    pub dry_run: bool,
}

/// What a regrade has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegradeReport {
    /// How many answers were looked at.
    pub affected_answers: usize,
    /// How many have other points now.
    pub changed_answers: usize,
    /// In how many attempts those that were looked at are.
    pub affected_attempts: usize,
    /// How many attempts have an answer with other points now.
    pub changed_attempts: usize,
}

/// A question that is newer than answers to it.
#[derive(Clone, Debug)]
pub struct OutdatedQuestion {
    /// The question as it is now.
    pub question: Question,
    /// Of its answers.
    pub count: OutdatedCount,
    /// Whether they can be graded by its present key.
    pub is_comparable: bool,
}

/// What there is to grade again: the questions of an assessment, in order, that are newer than
/// answers to them.
pub async fn outdated(
    tx: &mut dyn Transaction,
    teacher: UserId,
    assessment: Uuid,
) -> Result<Vec<OutdatedQuestion>, GradingError> {
    assessments::owned(tx, teacher, assessment).await?;
    let counts = tx.grading().outdated(assessment).await?;
    if counts.is_empty() {
        return Ok(Vec::new());
    }
    let old = OldQuestions::read(tx, assessment).await?;
    let questions = tx.questions().list(assessment).await?.into_iter();
    let outdated = questions.filter_map(|question| {
        let count = counts.iter().copied().find(|count| count.question == question.id)?;
        let is_comparable = old.are_like(&Asked::from(question.clone()));
        Some(OutdatedQuestion { question, count, is_comparable })
    });
    Ok(outdated.collect())
}

/// Grades answers again. What a person has graded stays, and so does what no rule can decide.
///
/// Attempts are added up anew, by what they could get at most and what they needed to pass when
/// they were started.
pub async fn regrade(
    school: &School,
    by: &Actor,
    assessment: Uuid,
    of: RegradeOf,
) -> Result<RegradeReport, GradingError> {
    let teacher = by.id;
    if of.dry_run {
        let mut tx = school.storage.read().await?;
        assessments::owned(&mut *tx, teacher, assessment).await?;
        return Ok(Work::plan(&mut *tx, &school.graders, assessment, of).await?.report());
    }
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            // Nobody changes a question or grades meanwhile.
            assessments::lock_owned(&mut *tx, teacher, assessment).await?;
            let work = Work::plan(&mut *tx, &school.graders, assessment, of).await?;
            work.keep(&mut *tx, school, teacher, now).await?;
            let deed = Deed::Regraded {
                teacher,
                assessment,
                policy: of.policy.as_str(),
                changed_answers: work.report().changed_answers,
            };
            audit::note(&mut *tx, school, by, [deed]).await?;
            tx.commit().await?;
            Ok(work.report())
        })
        .await
}

/// The questions of an assessment on all papers on which something was handed in.
struct OldQuestions {
    questions: Vec<PaperQuestion>,
}

impl OldQuestions {
    async fn read(tx: &mut dyn Transaction, assessment: Uuid) -> StoreResult<Self> {
        let papers = tx.grading().papers(assessment).await?;
        Ok(Self { questions: papers.into_iter().flat_map(|paper| paper.questions).collect() })
    }

    /// Whether the question could always be answered as it can be now.
    fn are_like(&self, asked: &Asked) -> bool {
        let mut old = self.questions.iter().filter(|old| old.id == asked.question.id);
        old.all(|old| asked.can_be_answered_like(old))
    }
}

/// The answers to a question that are looked at.
struct LookedAt {
    /// The question as it is now.
    asked: Asked,
    /// Those to which this version holds from now on.
    answers: Vec<Uuid>,
}

/// What is to be done.
struct Work {
    /// All that is looked at, by the question.
    looked_at: BTreeMap<Uuid, LookedAt>,
    /// How many answers, and in which attempts.
    answers: usize,
    attempts: HashSet<Uuid>,
    /// What answers are worth now, and what they were worth.
    grades: Vec<(Grade, Option<Decimal>)>,
    /// The attempts of these, in an order that is always the same.
    changed: BTreeSet<Uuid>,
    /// Answers that another grader gets, or the same with the new key.
    again: Vec<DeferredAgain>,
    /// Answers that no grader marks any more, with the version that it was asked with.
    left: Vec<(Uuid, i64)>,
}

impl Work {
    async fn plan(
        tx: &mut dyn Transaction,
        graders: &Graders,
        assessment: Uuid,
        of: RegradeOf,
    ) -> Result<Self, GradingError> {
        let questions = tx.questions().list(assessment).await?;
        if let Some(wanted) = of.question
            && !questions.iter().any(|question| question.id == wanted)
        {
            return Err(GradingError::UnknownQuestion(wanted));
        }
        let regradable = tx.grading().regradable(assessment, of.question).await?;
        let affected: HashSet<_> = regradable.iter().map(|answer| answer.question).collect();
        let asked: Vec<_> = questions
            .into_iter()
            .filter(|question| affected.contains(&question.id))
            .map(Asked::from)
            .collect();
        // All points are all points, whatever there was to choose from.
        if of.policy != RegradePolicy::FullCredit && !asked.is_empty() {
            let old = OldQuestions::read(tx, assessment).await?;
            if let Some(other) = asked.iter().find(|asked| !old.are_like(asked)) {
                return Err(GradingError::NotComparable(other.question.id));
            }
        }
        let looked_at = |asked: Asked| (asked.question.id, LookedAt { asked, answers: Vec::new() });
        let mut work = Self {
            looked_at: asked.into_iter().map(looked_at).collect(),
            answers: regradable.len(),
            attempts: regradable.iter().map(|answer| answer.attempt).collect(),
            grades: Vec::new(),
            changed: BTreeSet::new(),
            again: Vec::new(),
            left: Vec::new(),
        };
        for answer in &regradable {
            work.look_at(graders, of.policy, answer);
        }
        Ok(work)
    }

    fn look_at(&mut self, graders: &Graders, policy: RegradePolicy, answer: &Answer) {
        let Some(LookedAt { asked, answers }) = self.looked_at.get_mut(&answer.question) else {
            return;
        };
        let plan = asked.plan(graders, answer);
        let share = match plan {
            Plan::Graded(share) => Some(share),
            Plan::Human | Plan::Deferred { .. } => None,
        };
        let now = Regrade {
            points: answer.points_awarded,
            by_hand: answer.manual_graded,
            share,
            maximum: answer.points,
        };
        if let Some(points) = policy.apply(&now) {
            let grade = Grade {
                answer: answer.id,
                points,
                is_correct: points == answer.points,
                feedback: answer.teacher_feedback.clone(),
                by_hand: false,
            };
            self.grades.push((grade, answer.points_awarded));
            self.changed.insert(answer.attempt);
            answers.push(answer.id);
            return;
        }
        let is_new = answer.question_version != asked.question.version;
        match (answer.state, plan) {
            (AnswerState::Pending | AnswerState::Deferred, Plan::Deferred { grader }) if is_new => {
                let (version, grader) = (asked.question.version, grader.to_owned());
                self.again.push(DeferredAgain { answer: answer.id, version, grader });
                answers.push(answer.id);
            }
            (AnswerState::Deferred, Plan::Human) => {
                self.left.push((answer.id, answer.question_version));
                answers.push(answer.id);
            }
            // Its grader is at it.
            (AnswerState::Deferred, _) => {}
            // It keeps what it has.
            _ => answers.push(answer.id),
        }
    }

    async fn keep(
        &self,
        tx: &mut dyn Transaction,
        school: &School,
        teacher: UserId,
        now: DateTime<Utc>,
    ) -> StoreResult<()> {
        let grades: Vec<_> = self.grades.iter().map(|(grade, _)| grade.clone()).collect();
        let entries: Vec<_> = self.grades.iter().map(|it| entry(it, teacher, now)).collect();
        tx.grading().save(&grades, now).await?;
        tx.grading().note(&entries).await?;
        let remark = Remark { why: "It has another key now.".to_owned(), suggestion: None };
        tx.grading().leave(&self.left, &remark).await?;
        tx.grading().defer_again(&self.again, now).await?;
        let tasks = self.again.iter().map(|it| first_task(it.answer, it.version)).collect();
        jobs::all_later(tx, school, tasks).await?;
        for LookedAt { asked: Asked { question, .. }, answers } in self.looked_at.values() {
            let correct_answer = question.correct_answer();
            tx.grading().looked_at(answers, question.version, &correct_answer).await?;
        }
        let changed: Vec<_> = self.changed.iter().copied().collect();
        settle(tx, school, &changed, None, now).await?;
        Ok(())
    }

    fn report(&self) -> RegradeReport {
        RegradeReport {
            affected_answers: self.answers,
            changed_answers: self.grades.len(),
            affected_attempts: self.attempts.len(),
            changed_attempts: self.changed.len(),
        }
    }
}

fn entry(
    (grade, before): &(Grade, Option<Decimal>),
    teacher: UserId,
    now: DateTime<Utc>,
) -> GradingEntry {
    GradingEntry {
        answer: grade.answer,
        graded_by: Some(teacher),
        reason: GradingReason::Regrade,
        before: *before,
        after: grade.points,
        feedback: grade.feedback.clone(),
        at: now,
    }
}
