use uuid::Uuid;

use super::{GradeRequest, Graders, Marking, Plan, Response};
use crate::{
    assessments::Question,
    attempts::{Answer, PaperQuestion},
};

/// A question with all that whoever grades an answer to it has to know.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) question: PaperQuestion,
    marking: Marking,
    right_options: Vec<Uuid>,
}

impl Asked {
    pub(super) fn new(question: PaperQuestion) -> Self {
        let (marking, right_options) = (question.marking(), question.right_options());
        Self { question, marking, right_options }
    }

    /// The request to grade an answer. It gives what it gave when it was answered.
    pub(super) fn request<'a>(
        &'a self,
        answer: &'a Answer,
        response: &'a Response,
    ) -> GradeRequest<'a> {
        GradeRequest {
            answer: answer.id,
            question_version: self.question.version,
            kind: self.question.kind,
            question_text: &self.question.text,
            points: answer.points,
            marking: &self.marking,
            right_options: &self.right_options,
            response,
        }
    }

    /// What would become of an answer that was handed in now.
    pub(super) fn plan(&self, graders: &Graders, answer: &Answer) -> Plan {
        graders.plan(&self.request(answer, &answer.response()))
    }

    /// Whether an answer to the other can be an answer to this: there is the same to choose from,
    /// and the same to fill in.
    pub(super) fn can_be_answered_like(&self, other: &PaperQuestion) -> bool {
        self.question.kind == other.kind
            && ids(&self.question) == ids(other)
            && blanks(&self.marking) == blanks(&other.marking())
    }
}

impl From<Question> for Asked {
    fn from(question: Question) -> Self {
        Self::new(question.into())
    }
}

fn ids(question: &PaperQuestion) -> Vec<Uuid> {
    let mut ids: Vec<_> = question.options.iter().map(|option| option.id).collect();
    ids.sort_unstable();
    ids
}

/// The names of blanks in a text. One alone needs no name: it is like any text.
fn blanks(marking: &Marking) -> Vec<&str> {
    let mut names: Vec<_> = match marking {
        Marking::Blanks { blanks, .. } if blanks.len() > 1 => {
            blanks.iter().map(|blank| blank.name.as_str()).collect()
        }
        _ => Vec::new(),
    };
    names.sort_unstable();
    names
}
