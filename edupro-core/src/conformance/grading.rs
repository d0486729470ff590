//! What a school relies on when it asks an [`AssessmentGrader`]: shares that are shares, the same
//! answer to the same question, many questions at once, and nothing lost when a call is dropped.

mod exercise;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;

use chrono::DateTime;
use tokio::{task::JoinSet, time};
use uuid::Uuid;

pub use self::exercise::{Exercise, stock};
use super::working;
use crate::{
    Entropy, SystemEntropy,
    assessments::QuestionType,
    grading::{
        AssessmentGrader, GradeError, GradeRequest, Marking, Response, Share, TICKET_LENGTH,
        Verdict, is_name,
    },
};

/// How long work behind a ticket may take here.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long between two questions about a ticket.
const PAUSE: Duration = Duration::from_millis(10);
/// How many ask at the same moment.
const CROWD: usize = 16;

/// Everything that can be asked of a grader, once. [`stock`] has exercises for one that replaces
/// [`AutoGrader`](crate::grading::AutoGrader); one with questions of its own brings those.
///
/// # Panics
///
/// When a promise is not kept, or the grader cannot be asked at all.
pub async fn all(grader: &Arc<dyn AssessmentGrader>, exercises: &[Exercise]) {
    assert!(!exercises.is_empty(), "nothing is asked");
    introduces_itself(grader, exercises);
    for exercise in exercises {
        assert!(!exercise.answers.is_empty(), "nothing is answered");
        for response in &exercise.answers {
            says_it_again(grader, exercise, response).await;
            forgets_nothing(grader, exercise, response).await;
        }
        gives_nothing_for_nothing(grader, exercise).await;
    }
    stands_a_crowd(grader, exercises).await;
    knows_its_tickets(grader).await;
}

/// It has a name that can stand in a marking, and stands by what it handles.
///
/// # Panics
///
/// When it does not.
pub fn introduces_itself(grader: &Arc<dyn AssessmentGrader>, exercises: &[Exercise]) {
    assert!(is_name(grader.name()), "{:?} is no name", grader.name());
    assert_eq!(grader.name(), grader.name(), "it has two names");
    assert_eq!(grader.capabilities(), grader.capabilities(), "it changes its mind");
    for Exercise { kind, marking, .. } in exercises {
        working("a marking makes no sense", marking.suits(*kind).and_then(|()| marking.check()));
        assert!(grader.handles(*kind, marking), "it does not handle {marking:?}");
        assert!(grader.handles(*kind, marking), "it handles {marking:?} only once");
        working("it cannot work with a marking it handles", grader.check(marking));
    }
    let other = Marking::External {
        grader: "somebody-else".to_owned(),
        settings: [].into_iter().collect(),
    };
    for kind in QuestionType::ALL {
        assert!(!grader.handles(kind, &other), "it handles what is for another grader");
    }
}

/// The same question gets the same ticket, and the same verdict where it is deterministic; another
/// answer with the same words does, too.
///
/// # Panics
///
/// When it does not.
pub async fn says_it_again(
    grader: &Arc<dyn AssessmentGrader>,
    exercise: &Exercise,
    response: &Response,
) {
    let answer = some_answer();
    let first = ask(grader, &exercise.request(answer, response)).await;
    let again = ask(grader, &exercise.request(answer, response)).await;
    if let (Verdict::Deferred { ticket }, Verdict::Deferred { ticket: other }) = (&first, &again) {
        assert_eq!(ticket, other, "one answer got two tickets");
    }
    let first = settled(grader, first).await;
    let again = settled(grader, again).await;
    let another = settle(grader, &exercise.request(some_answer(), response)).await;
    if grader.capabilities().deterministic {
        assert_eq!(first, again, "the same answer got two verdicts");
        assert_eq!(first, another, "two answers with the same words got two verdicts");
    }
}

/// A call that is dropped as soon as it waits for something does no harm: the next one is
/// answered.
///
/// # Panics
///
/// When it is not.
pub async fn forgets_nothing(
    grader: &Arc<dyn AssessmentGrader>,
    exercise: &Exercise,
    response: &Response,
) {
    let request = exercise.request(some_answer(), response);
    // Polled once, and dropped unless that was enough.
    let dropped = grader.grade(&request).now_or_never();
    let verdict = ask(grader, &request).await;
    if let Verdict::Deferred { ticket } = &verdict {
        let _ = grader.collect(ticket).now_or_never();
    }
    let verdict = settled(grader, verdict).await;
    if let (Some(Ok(first)), true) = (dropped, grader.capabilities().deterministic) {
        assert_eq!(settled(grader, first).await, verdict, "a dropped call had another verdict");
    }
}

/// Whatever is asked: an answer with nothing in it is worth nothing.
///
/// # Panics
///
/// When it is worth something.
pub async fn gives_nothing_for_nothing(grader: &Arc<dyn AssessmentGrader>, exercise: &Exercise) {
    let spaces = Response::Text(" \n".to_owned());
    for response in [Response::Blank, spaces, Response::Options(Vec::new())] {
        match settle(grader, &exercise.request(some_answer(), &response)).await {
            Verdict::Graded { share, .. } => {
                assert_eq!(share, Share::NONE, "{response:?} is worth something");
            }
            Verdict::NeedsHuman { suggestion, .. } => {
                let share = suggestion.map_or(Share::NONE, |suggestion| suggestion.share);
                assert_eq!(share, Share::NONE, "{response:?} is said to be worth something");
            }
            Verdict::Deferred { .. } => panic!("a ticket is still a ticket"),
        }
    }
}

/// Many answers are handed in at once, and each gets the verdict that it gets alone.
///
/// # Panics
///
/// When it gets another one.
pub async fn stands_a_crowd(grader: &Arc<dyn AssessmentGrader>, exercises: &[Exercise]) {
    let mut crowd = JoinSet::new();
    for number in 0..CROWD.max(exercises.len()) {
        let exercise = exercises[number % exercises.len()].clone();
        let response = exercise.answers[number % exercise.answers.len()].clone();
        let grader = Arc::clone(grader);
        // Two by two for the same answer.
        let answer = some_answer();
        for _ in 0..2 {
            let (grader, exercise) = (Arc::clone(&grader), exercise.clone());
            let response = response.clone();
            crowd.spawn(async move {
                let verdict = settle(&grader, &exercise.request(answer, &response)).await;
                (exercise, response, verdict)
            });
        }
    }
    while let Some(done) = crowd.join_next().await {
        let (exercise, response, verdict) = working("a grader panicked", done);
        if grader.capabilities().deterministic {
            let alone = settle(grader, &exercise.request(some_answer(), &response)).await;
            assert_eq!(alone, verdict, "a crowd changed a verdict");
        }
    }
}

/// A ticket that it never gave is refused for good: who asked would otherwise wait for ever.
///
/// # Panics
///
/// When it is not.
pub async fn knows_its_tickets(grader: &Arc<dyn AssessmentGrader>) {
    let collected = grader.collect(&format!("never-given-{}", some_answer())).await;
    let is_refused = matches!(
        collected,
        Err(GradeError::Rejected { .. } | GradeError::Unsupported(_) | GradeError::Other(_))
    );
    assert!(is_refused, "a ticket that nobody gave was taken: {collected:?}");
}

/// An answer that nobody was asked about before.
fn some_answer() -> Uuid {
    SystemEntropy.uuid(DateTime::UNIX_EPOCH)
}

/// Asks once, and looks at what comes back.
async fn ask(grader: &Arc<dyn AssessmentGrader>, request: &GradeRequest<'_>) -> Verdict {
    let verdict = working("it did not grade", grader.grade(request).await);
    if let Verdict::Deferred { ticket } = &verdict {
        let is_kept = (1..=TICKET_LENGTH).contains(&ticket.len()) && !ticket.contains('\0');
        assert!(is_kept, "{ticket:?} cannot be kept");
        assert!(grader.capabilities().deferred, "a ticket from one that gives none");
    }
    verdict
}

/// Asks once, and collects if need be.
async fn settle(grader: &Arc<dyn AssessmentGrader>, request: &GradeRequest<'_>) -> Verdict {
    let verdict = ask(grader, request).await;
    settled(grader, verdict).await
}

/// The verdict itself, or what its ticket is exchanged for; twice.
async fn settled(grader: &Arc<dyn AssessmentGrader>, verdict: Verdict) -> Verdict {
    let Verdict::Deferred { ticket } = verdict else {
        return verdict;
    };
    let waiting = async {
        loop {
            match working("a ticket was not collected", grader.collect(&ticket).await) {
                Some(verdict) => return verdict,
                None => time::sleep(PAUSE).await,
            }
        }
    };
    let verdict = working("a ticket led to nothing", time::timeout(PATIENCE, waiting).await);
    let is_settled = !matches!(verdict, Verdict::Deferred { .. });
    assert!(is_settled, "a ticket was exchanged for another one");
    let again = working("a ticket was good only once", grader.collect(&ticket).await);
    assert_eq!(again.as_ref(), Some(&verdict), "a ticket was exchanged for two verdicts");
    verdict
}
