//! The suite itself: it lets good graders pass, and catches those that break a promise.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;

use super::*;
use crate::grading::{AutoGrader, GraderCapabilities};

#[tokio::test(flavor = "multi_thread")]
async fn the_auto_grader_keeps_its_promises() {
    let grader: Arc<dyn AssessmentGrader> = Arc::new(AutoGrader);
    all(&grader, &stock()).await;
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
    ChangesItsMind,
}

/// Writes everything down and gives a ticket; what it says comes with the third question about it.
#[derive(Debug)]
struct Clerk {
    fault: Fault,
    /// What was answered and how often the verdict was asked for; `None` while it is written down.
    tickets: Mutex<BTreeMap<String, Option<(Response, u32)>>>,
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
        let ticket = match self.fault {
            Fault::TwoTickets => some_answer().to_string(),
            Fault::LongTicket => request.answer.to_string().repeat(8),
            _ => request.answer.to_string(),
        };
        let is_known = self.tickets.lock().unwrap().contains_key(&ticket);
        if !is_known && self.fault == Fault::ForgetsWhenDropped {
            self.tickets.lock().unwrap().insert(ticket.clone(), None);
        }
        tokio::task::yield_now().await;
        if !is_known {
            let entry = Some((request.response.clone(), 0));
            self.tickets.lock().unwrap().insert(ticket.clone(), entry);
        }
        Ok(Verdict::Deferred { ticket })
    }

    async fn collect(&self, ticket: &str) -> Result<Option<Verdict>, GradeError> {
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
    let grader: Arc<dyn AssessmentGrader> = Arc::new(Clerk { fault, tickets: Mutex::default() });
    let marking =
        Marking::External { grader: "clerk".to_owned(), settings: serde_json::Map::new() };
    let answers = ["one", "another one"].map(|text| Response::Text(text.to_owned())).to_vec();
    let exercise = Exercise::new(QuestionType::Essay, "Write.", marking, answers);
    let done = tokio::spawn(async move { all(&grader, &[exercise]).await }).await;
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
        (Fault::ChangesItsMind, "a ticket was exchanged for two verdicts"),
    ] {
        let complaint = complaint(fault).await.unwrap_or_default();
        assert!(complaint.contains(expected), "{fault:?}: {complaint:?}");
    }
}
