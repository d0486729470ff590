//! The suite itself: it lets good graders pass, and catches those that break a promise.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;

use super::*;
use crate::grading::{AutoGrader, GraderCapabilities};

#[tokio::test(flavor = "multi_thread")]
async fn the_auto_grader_keeps_its_promises() {
    let grader: Arc<dyn AssessmentGrader> = Arc::new(AutoGrader);
    all(&grader, &(), &stock()).await;
}

/// Which promise is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    TakesEverything,
    PaysForNothing,
    TwoTickets,
    TicketOnce,
    TicketForTicket,
    TakesAnyTicket,
    LongTicket,
    HidesTickets,
    ForgetsWhenDropped,
    ForgetsLate,
    ChangesItsMind,
    IgnoresVersions,
    WorksTwice,
    WorksAgainWhenDropped,
    WorksTwiceInACrowd,
    PutsOffWhatIsStrange,
    ShowsWhatWasWritten,
    ShowsItsSecret,
    TakesAbsenceForRefusal,
    QuotesInItsErrors,
    LosesTickets,
}

const SECRET: &str = "the key to the archive";

/// Writes everything down and gives a ticket; what it says comes with the third question about it.
struct Clerk {
    fault: Fault,
    /// Whether the archive can be reached.
    is_away: bool,
    /// What was answered and how often the verdict was asked for; `None` while it is written down.
    tickets: Mutex<BTreeMap<String, Option<(Response, u32)>>>,
    /// How many answers were written down.
    begun: AtomicUsize,
    /// What was written last.
    last: Mutex<String>,
}

impl Clerk {
    fn new(fault: Fault, is_away: bool) -> Arc<Self> {
        Arc::new(Self {
            fault,
            is_away,
            tickets: Mutex::default(),
            begun: AtomicUsize::new(0),
            last: Mutex::default(),
        })
    }

    fn begin(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
    }
}

impl Debug for Clerk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Fault::ShowsWhatWasWritten => formatter.write_str(&self.last.lock().unwrap()),
            Fault::ShowsItsSecret => formatter.write_str(SECRET),
            _ => formatter.write_str("Clerk"),
        }
    }
}

/// Looks into the clerk's books.
#[derive(Debug)]
struct Books(Arc<Clerk>);

impl GraderProbe for Books {
    fn begun(&self) -> Option<usize> {
        Some(self.0.begun.load(Ordering::SeqCst))
    }

    fn unreachable(&self) -> Option<Arc<dyn AssessmentGrader>> {
        Some(Clerk::new(self.0.fault, true))
    }

    fn secrets(&self) -> Vec<String> {
        vec![SECRET.to_owned()]
    }
}

#[async_trait]
impl AssessmentGrader for Clerk {
    fn name(&self) -> &'static str {
        "clerk"
    }

    fn capabilities(&self) -> GraderCapabilities {
        match self.fault {
            Fault::HidesTickets => GraderCapabilities::new(),
            _ => GraderCapabilities::new().deterministic().deferred(),
        }
    }

    fn handles(&self, _: QuestionType, marking: &Marking) -> bool {
        marking.is_for("clerk") || self.fault == Fault::TakesEverything
    }

    async fn grade(&self, request: &GradeRequest<'_>) -> Result<Verdict, GradeError> {
        if let Response::Text(text) = request.response {
            text.clone_into(&mut self.last.lock().unwrap());
        }
        if self.is_away {
            return Err(match self.fault {
                Fault::TakesAbsenceForRefusal => GradeError::other("no way to the archive"),
                Fault::QuotesInItsErrors => {
                    GradeError::unavailable(self.last.lock().unwrap().clone())
                }
                _ => GradeError::unavailable("no way to the archive"),
            });
        }
        if matches!(request.response, Response::Blanks(_)) {
            return Err(match self.fault {
                Fault::PutsOffWhatIsStrange => GradeError::unavailable("what is this?"),
                _ => GradeError::Rejected { reason: "it is no essay".to_owned() },
            });
        }
        let ticket = match self.fault {
            Fault::TwoTickets => some_answer().to_string(),
            Fault::LongTicket => request.answer.to_string().repeat(8),
            Fault::IgnoresVersions => request.answer.to_string(),
            _ => format!("{}-{}", request.answer, request.question_version),
        };
        let is_known = self.tickets.lock().unwrap().contains_key(&ticket);
        if !is_known && self.fault == Fault::WorksAgainWhenDropped {
            self.begin();
        }
        for fault in [Fault::ForgetsWhenDropped, Fault::ForgetsLate] {
            if !is_known && self.fault == fault {
                self.tickets.lock().unwrap().insert(ticket.clone(), None);
            }
            tokio::task::yield_now().await;
        }
        let mut tickets = self.tickets.lock().unwrap();
        let entry = tickets.entry(ticket.clone()).or_default();
        let is_first = entry.is_none() && !is_known;
        if is_first {
            *entry = Some((request.response.clone(), 0));
        }
        match self.fault {
            Fault::WorksTwice => self.begin(),
            Fault::WorksTwiceInACrowd if !is_known => self.begin(),
            Fault::WorksTwiceInACrowd | Fault::WorksAgainWhenDropped => {}
            _ if is_first => self.begin(),
            _ => {}
        }
        drop(tickets);
        Ok(Verdict::Deferred { ticket })
    }

    async fn collect(&self, ticket: &str) -> Result<Option<Verdict>, GradeError> {
        if self.is_away {
            return match self.fault {
                Fault::LosesTickets => Err(GradeError::other("no way to the archive")),
                _ => Err(GradeError::unavailable("no way to the archive")),
            };
        }
        let mut tickets = self.tickets.lock().unwrap();
        let (length, asked) = match tickets.get_mut(ticket) {
            None if self.fault == Fault::TakesAnyTicket => return Ok(None),
            None => return Err(GradeError::Rejected { reason: "no such ticket".to_owned() }),
            Some(None) => return Err(GradeError::other("it was never written down")),
            Some(Some((response, asked))) => {
                *asked += 1;
                let Response::Text(text) = response else { return Ok(Some(self.says(0))) };
                (text.trim().len(), *asked)
            }
        };
        if asked < 3 {
            return Ok(None);
        }
        match self.fault {
            Fault::TicketOnce => drop(tickets.remove(ticket)),
            Fault::TicketForTicket => {
                return Ok(Some(Verdict::Deferred { ticket: format!("{ticket}-again") }));
            }
            _ => {}
        }
        Ok(Some(self.says(length)))
    }
}

impl Clerk {
    fn says(&self, length: usize) -> Verdict {
        let parts = match self.fault {
            Fault::PaysForNothing => 10,
            Fault::ChangesItsMind => i64::from(some_answer().as_bytes()[15]),
            _ => i64::try_from(length).unwrap(),
        };
        Verdict::graded(Share::new(parts, 256))
    }
}

/// What the suite says to a clerk with that fault.
async fn complaint(fault: Fault) -> Option<String> {
    let clerk = Clerk::new(fault, false);
    let grader: Arc<dyn AssessmentGrader> = Arc::<Clerk>::clone(&clerk);
    let marking =
        Marking::External { grader: "clerk".to_owned(), settings: serde_json::Map::new() };
    let answers = ["one", "another one"].map(|text| Response::Text(text.to_owned())).to_vec();
    let exercise = Exercise::new(QuestionType::Essay, "Write.", marking, answers);
    let done = tokio::spawn(async move { all(&grader, &Books(clerk), &[exercise]).await }).await;
    done.err().map(|panicked| panicked.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_with_tickets_keeps_its_promises() {
    assert_eq!(complaint(Fault::None).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_promise_is_named() {
    for (fault, expected) in [
        (Fault::TakesEverything, "it handles what is for another grader"),
        (Fault::PaysForNothing, "Blank is worth something"),
        (Fault::TwoTickets, "one answer got two tickets"),
        (Fault::TicketOnce, "a ticket was good only once"),
        (Fault::TicketForTicket, "a ticket was exchanged for another one"),
        (Fault::TakesAnyTicket, "a ticket that nobody gave was taken"),
        (Fault::LongTicket, "cannot be kept"),
        (Fault::HidesTickets, "a ticket from one that gives none"),
        (Fault::ForgetsWhenDropped, "a ticket was not collected"),
        (Fault::ForgetsLate, "a ticket was not collected"),
        (Fault::ChangesItsMind, "a ticket was exchanged for two verdicts"),
        (Fault::IgnoresVersions, "another version of a question got an old verdict"),
        (Fault::WorksTwice, "the same work was begun twice"),
        (Fault::WorksAgainWhenDropped, "work that was given up was begun again"),
        (Fault::WorksTwiceInACrowd, "a crowd had work begun twice"),
        (Fault::PutsOffWhatIsStrange, "would be asked again and again"),
        (Fault::ShowsWhatWasWritten, "a log would show what a student wrote"),
        (Fault::ShowsItsSecret, "a log would show a secret of the grader"),
        (Fault::TakesAbsenceForRefusal, "would not be asked about again"),
        (Fault::QuotesInItsErrors, "a log would show what a student wrote"),
        (Fault::LosesTickets, "a ticket that reaches nobody would be lost"),
    ] {
        let complaint = complaint(fault).await.unwrap_or_default();
        assert!(complaint.contains(expected), "{fault:?}: {complaint:?}");
    }
}
