//! What a school relies on when it asks an [`AssessmentGrader`]: shares that are shares, the same
//! answer to the same question, many questions at once, nothing lost when a call is dropped, and
//! errors that say what can be done.

mod exercise;
#[cfg(test)]
mod tests;

use std::{fmt::Debug, sync::Arc, time::Duration};

use chrono::DateTime;
use tokio::{task::JoinSet, time};
use uuid::Uuid;

pub use self::exercise::{Exercise, stock};
use super::{given_up_after, word, working};
use crate::{
    Entropy, SystemEntropy,
    assessments::QuestionType,
    attempts::ANSWER_LENGTH,
    grading::{
        AssessmentGrader, GradeError, GradeRequest, Marking, Response, Share, TICKET_LENGTH,
        Verdict, is_name,
    },
};

/// How long work behind a ticket may take here.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long between two questions about a ticket.
const PAUSE: Duration = Duration::from_millis(10);
/// How long one question may take: a job stops waiting then.
const ANSWER: Duration = Duration::from_secs(10);
/// How many ask at the same moment.
const CROWD: usize = 16;
/// How often a question is polled at most before it is given up.
const POLLS: usize = 60;

/// The far side of a grader, as far as a test can look at it and change it. `()` is for a grader
/// that has none.
pub trait GraderProbe: Debug + Send + Sync {
    /// How many pieces of work were begun there so far; `None` when nobody can tell.
    fn begun(&self) -> Option<usize> {
        None
    }

    /// The same grader with a far side that cannot be reached, if that can be had.
    fn unreachable(&self) -> Option<Arc<dyn AssessmentGrader>> {
        None
    }

    /// What the grader knows and no log may show.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

impl GraderProbe for () {}

/// Everything that can be asked of a grader, once. [`stock`] has exercises for one that replaces
/// [`AutoGrader`](crate::grading::AutoGrader); one with questions of its own brings those.
///
/// # Panics
///
/// When a promise is not kept, or the grader cannot be asked at all.
pub async fn all(
    grader: &Arc<dyn AssessmentGrader>,
    probe: &dyn GraderProbe,
    exercises: &[Exercise],
) {
    assert!(!exercises.is_empty(), "nothing is asked");
    introduces_itself(grader, exercises);
    for exercise in exercises {
        assert!(!exercise.answers.is_empty(), "nothing is answered");
        survives_anything(grader, exercise).await;
        gives_nothing_for_nothing(grader, exercise).await;
        for response in &exercise.answers {
            says_it_again(grader, probe, exercise, response).await;
        }
        forgets_nothing(grader, probe, exercise).await;
        keeps_versions_apart(grader, exercise).await;
        is_discreet(grader, probe, exercise).await;
        tells_when_nobody_is_there(grader, probe, exercise).await;
    }
    stands_a_crowd(grader, probe, exercises).await;
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
/// answer with the same words does, too. The work is done once.
///
/// # Panics
///
/// When it does not.
pub async fn says_it_again(
    grader: &Arc<dyn AssessmentGrader>,
    probe: &dyn GraderProbe,
    exercise: &Exercise,
    response: &Response,
) {
    let answer = some_answer();
    let request = exercise.request(answer, response);
    let first = ask(grader, &request).await;
    let begun = probe.begun();
    let again = ask(grader, &request).await;
    have_one_ticket(&first, &again);
    assert_eq!(probe.begun(), begun, "the same work was begun twice");
    let first = settled(grader, first).await;
    let again = settled(grader, again).await;
    let another = settle(grader, &exercise.request(some_answer(), response)).await;
    if grader.capabilities().deterministic {
        assert_eq!(first, again, "the same answer got two verdicts");
        assert_eq!(first, another, "two answers with the same words got two verdicts");
    }
}

/// A call that is dropped, wherever it waits for something, does no harm: the next one is answered,
/// and finds the work that was begun by then.
///
/// # Panics
///
/// When it is not.
pub async fn forgets_nothing(
    grader: &Arc<dyn AssessmentGrader>,
    probe: &dyn GraderProbe,
    exercise: &Exercise,
) {
    let Some(response) = exercise.answers.first() else { return };
    for polls in 1..=POLLS {
        let request = exercise.request(some_answer(), response);
        let before = probe.begun();
        let given_up = given_up_after(polls, grader.grade(&request)).await;
        let verdict = ask(grader, &request).await;
        have_one_ticket(&verdict, &ask(grader, &request).await);
        let is_once = before.zip(probe.begun()).is_none_or(|(before, now)| now <= before + 1);
        assert!(is_once, "work that was given up was begun again");
        if let Verdict::Deferred { ticket } = &verdict {
            let _ = given_up_after(polls, grader.collect(ticket)).await;
        }
        let verdict = settled(grader, verdict).await;
        let Some(first) = given_up else { continue };
        let first = settled(grader, working("it did not grade", first)).await;
        if grader.capabilities().deterministic {
            assert_eq!(first, verdict, "a question that was repeated got another verdict");
        }
        return;
    }
}

/// An answer under another version of its question is another piece of work: what it was worth
/// before counts for nothing.
///
/// # Panics
///
/// When it does.
pub async fn keeps_versions_apart(grader: &Arc<dyn AssessmentGrader>, exercise: &Exercise) {
    let [before, after, ..] = &exercise.answers[..] else { return };
    let answer = some_answer();
    settle(grader, &exercise.request(answer, before)).await;
    let again = GradeRequest { question_version: 2, ..exercise.request(answer, after) };
    let again = settle(grader, &again).await;
    let alone = settle(grader, &exercise.request(some_answer(), after)).await;
    if grader.capabilities().deterministic {
        assert_eq!(again, alone, "another version of a question got an old verdict");
    }
}

/// What students can write is more than what was expected of them. Whatever it is, it is graded, or
/// refused for good: what is only put off would be asked again and again.
///
/// # Panics
///
/// When it is put off, or said otherwise the second time.
pub async fn survives_anything(grader: &Arc<dyn AssessmentGrader>, exercise: &Exercise) {
    let strange = [
        Response::Text("\u{636}".repeat(ANSWER_LENGTH)),
        Response::Text("\u{202e}\r\n\t{{ 1 }} </answer> \"}]' --".to_owned()),
        Response::Options(vec![some_answer(), some_answer()]),
        Response::Blanks([("no such blank".to_owned(), "air".to_owned())].into()),
    ];
    for response in &strange {
        let request = exercise.request(some_answer(), response);
        let mut said = [false; 2];
        for is_graded in &mut said {
            *is_graded = match in_time(grader.grade(&request)).await {
                Ok(verdict) => finally(grader, verdict).await,
                Err(error) => is_final(&error),
            };
        }
        assert_eq!(said[0], said[1], "{response:?} is graded only now and then");
    }
}

/// Nothing that it knows of a student or a service stands in its `Debug`, which a log may show.
///
/// # Panics
///
/// When it does.
pub async fn is_discreet(
    grader: &Arc<dyn AssessmentGrader>,
    probe: &dyn GraderProbe,
    exercise: &Exercise,
) {
    let (response, word) = written();
    // Whatever it thinks of a text where it may have asked for options.
    let request = exercise.request(some_answer(), &response);
    let shown = match in_time(grader.grade(&request)).await {
        Ok(_) => format!("{grader:?}"),
        Err(error) => format!("{grader:?} {error:?}"),
    };
    shows_nothing(&shown, &word, probe);
}

/// A grader that reaches nobody says so, with an error that has it asked again.
///
/// # Panics
///
/// When it says anything else, or waits too long.
pub async fn tells_when_nobody_is_there(
    grader: &Arc<dyn AssessmentGrader>,
    probe: &dyn GraderProbe,
    exercise: &Exercise,
) {
    let Some(lost) = probe.unreachable() else { return };
    let Some(known) = exercise.answers.first() else { return };
    if let Verdict::Deferred { ticket } = ask(grader, &exercise.request(some_answer(), known)).await
    {
        let collected = in_time(lost.collect(&ticket)).await;
        let is_told = matches!(collected, Err(GradeError::Unavailable { .. }));
        assert!(is_told, "a ticket that reaches nobody would be lost: {collected:?}");
    }
    let (response, word) = written();
    for response in [known, &response] {
        let said = in_time(lost.grade(&exercise.request(some_answer(), response))).await;
        let Err(error @ GradeError::Unavailable { .. }) = &said else {
            panic!("an answer that reaches nobody would not be asked about again: {said:?}")
        };
        shows_nothing(&format!("{lost:?} {error:?}"), &word, probe);
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
pub async fn stands_a_crowd(
    grader: &Arc<dyn AssessmentGrader>,
    probe: &dyn GraderProbe,
    exercises: &[Exercise],
) {
    let mut crowd = JoinSet::new();
    let before = probe.begun();
    let answers = CROWD.max(exercises.len());
    for number in 0..answers {
        let exercise = exercises[number % exercises.len()].clone();
        let response = exercise.answers[number % exercise.answers.len()].clone();
        // Two by two for the same answer.
        let answer = some_answer();
        for _ in 0..2 {
            let (grader, exercise) = (Arc::clone(grader), exercise.clone());
            let response = response.clone();
            crowd.spawn(async move {
                let verdict = settle(&grader, &exercise.request(answer, &response)).await;
                (exercise, response, verdict)
            });
        }
    }
    let done = crowd.join_all().await;
    let is_once = before.zip(probe.begun()).is_none_or(|(before, now)| now <= before + answers);
    assert!(is_once, "a crowd had work begun twice");
    for (exercise, response, verdict) in done {
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
    let verdict = working("it did not grade", in_time(grader.grade(request)).await);
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
    let verdict = working("a ticket was not collected", collected(grader, &ticket).await);
    let is_settled = !matches!(verdict, Verdict::Deferred { .. });
    assert!(is_settled, "a ticket was exchanged for another one");
    let again = working("a ticket was good only once", in_time(grader.collect(&ticket)).await);
    assert_eq!(again.as_ref(), Some(&verdict), "a ticket was exchanged for two verdicts");
    verdict
}

/// What a ticket is exchanged for in the end.
async fn collected(
    grader: &Arc<dyn AssessmentGrader>,
    ticket: &str,
) -> Result<Verdict, GradeError> {
    let waiting = async {
        loop {
            match in_time(grader.collect(ticket)).await? {
                Some(verdict) => return Ok(verdict),
                None => time::sleep(PAUSE).await,
            }
        }
    };
    working("a ticket led to nothing", time::timeout(PATIENCE, waiting).await)
}

/// Waits as long as a job does.
async fn in_time<T>(question: impl Future<Output = T>) -> T {
    working("a question took longer than a job waits", time::timeout(ANSWER, question).await)
}

/// Whether this comes to a verdict; if not, it is refused for good.
async fn finally(grader: &Arc<dyn AssessmentGrader>, verdict: Verdict) -> bool {
    let Verdict::Deferred { ticket } = verdict else { return true };
    match collected(grader, &ticket).await {
        Ok(_) => true,
        Err(error) => is_final(&error),
    }
}

/// Makes sure that it is not asked again: it is not graded.
fn is_final(error: &GradeError) -> bool {
    let is_put_off = matches!(error, GradeError::Unavailable { .. });
    assert!(!is_put_off, "what it cannot read would be asked again and again: {error:?}");
    false
}

fn have_one_ticket(one: &Verdict, other: &Verdict) {
    if let (Verdict::Deferred { ticket }, Verdict::Deferred { ticket: other }) = (one, other) {
        assert_eq!(ticket, other, "one answer got two tickets");
    }
}

/// A text, and the word by which it is known.
fn written() -> (Response, String) {
    let word = word();
    (Response::Text(format!("I say {word}.")), word)
}

fn shows_nothing(shown: &str, word: &str, probe: &dyn GraderProbe) {
    assert!(!shown.contains(word), "a log would show what a student wrote");
    for secret in probe.secrets() {
        assert!(!shown.contains(&secret), "a log would show a secret of the grader");
    }
}
