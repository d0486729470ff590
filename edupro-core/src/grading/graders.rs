use std::{
    collections::HashMap,
    fmt::{self, Debug},
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};

use super::{
    AssessmentGrader, AutoGrader, GradeError, GradeRequest, Marking, MarkingError, Share, Verdict,
    grade_local,
};
use crate::assessments::QuestionType;

/// The graders of a school, in the order in which they are asked: the first that handles a
/// question has it. The last is [`AutoGrader`], and what even that does not handle is for a person,
/// so no answer is left without anybody.
///
/// What comes back is fit to be kept: see [`Graders::grade`].
#[derive(Clone, Default)]
pub struct Graders {
    own: Vec<Arc<dyn AssessmentGrader>>,
    /// Who could not be reached, and until when nobody tries again.
    resting: Arc<Mutex<HashMap<String, DateTime<Utc>>>>,
}

/// What becomes of an answer that was just handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// It is graded: it is worth this.
    Graded(Share),
    /// A person has to read it.
    Human,
    /// This grader is asked by a job, after the commit.
    Deferred {
        /// [`AssessmentGrader::name`].
        grader: &'static str,
    },
}

impl Graders {
    /// Only [`AutoGrader`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same graders and this one after them, but before [`AutoGrader`]. One of the same name
    /// is replaced.
    #[must_use]
    pub fn with(mut self, grader: Arc<dyn AssessmentGrader>) -> Self {
        match self.own.iter_mut().find(|known| known.name() == grader.name()) {
            Some(known) => *known = grader,
            None => self.own.push(grader),
        }
        self
    }

    /// Whether questions of this type can be marked so here. To be asked when a teacher says how:
    /// later, a question without its grader is for a person.
    pub fn check(&self, kind: QuestionType, marking: &Marking) -> Result<(), MarkingError> {
        marking.suits(kind)?;
        marking.check()?;
        match (self.own(kind, marking), marking) {
            (Some(grader), _) => grader.check(marking),
            (None, Marking::External { grader, .. }) => {
                Err(MarkingError::UnknownGrader(grader.clone()))
            }
            (None, _) => Ok(()),
        }
    }

    /// What becomes of an answer. Nobody outside is asked, so this may be called inside a
    /// transaction.
    #[must_use]
    pub fn plan(&self, request: &GradeRequest<'_>) -> Plan {
        let own = self.own(request.kind, request.marking);
        match grade_local(request.marking, request.right_options, request.response) {
            // Whoever would mark it: there is nothing in it.
            Some(share) if own.is_none() || request.response.is_blank() => Plan::Graded(share),
            _ => own.map_or(Plan::Human, |grader| Plan::Deferred { grader: grader.name() }),
        }
    }

    /// The verdict of the first grader that handles the question. Not to be called inside a
    /// transaction.
    ///
    /// Words that are too long are cut, a ticket that cannot be kept is an error, and what a
    /// grader [needs reviewed](super::GraderCapabilities::needs_review) is only suggested.
    pub async fn grade(&self, request: &GradeRequest<'_>) -> Result<Verdict, GradeError> {
        if request.response.is_blank() {
            return Ok(Verdict::graded(Share::NONE));
        }
        match (self.own(request.kind, request.marking), request.marking) {
            (Some(grader), _) => fit(grader, grader.grade(request).await?),
            (None, Marking::External { grader, .. }) => {
                Verdict::needs_human(format!("There is no grader called \"{grader}\".")).kept()
            }
            (None, _) => AutoGrader.grade(request).await,
        }
    }

    /// What became of a ticket that the grader of this name gave; `None` is nothing yet. Not to be
    /// called inside a transaction.
    pub async fn collect(&self, name: &str, ticket: &str) -> Result<Option<Verdict>, GradeError> {
        let Some(grader) = self.own.iter().find(|known| known.name() == name) else {
            return Err(GradeError::Rejected { reason: format!("there is no grader {name}") });
        };
        match grader.collect(ticket).await? {
            None => Ok(None),
            Some(Verdict::Deferred { .. }) => {
                Err(GradeError::other("a ticket was collected and another one given"))
            }
            Some(verdict) => fit(grader, verdict).map(Some),
        }
    }

    /// Until when the grader of this name is left alone, if it is.
    pub(super) fn rests(&self, name: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.get(name).copied().filter(|until| now < *until)
    }

    /// Leaves a grader alone that could not be reached: others wait behind it.
    pub(super) fn rest(&self, name: &str, until: DateTime<Utc>) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.insert(name.to_owned(), until);
    }

    fn own(&self, kind: QuestionType, marking: &Marking) -> Option<&Arc<dyn AssessmentGrader>> {
        self.own.iter().find(|grader| grader.handles(kind, marking))
    }
}

fn fit(grader: &Arc<dyn AssessmentGrader>, verdict: Verdict) -> Result<Verdict, GradeError> {
    match grader.capabilities().needs_review {
        true => verdict.for_review().kept(),
        false => verdict.kept(),
    }
}

impl Debug for Graders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.own.iter().map(|grader| grader.name());
        formatter.debug_list().entries(names).entry(&AutoGrader.name()).finish()
    }
}
