//! What is handed in, and what becomes of it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::{Paper, PaperQuestion};
use crate::{
    School,
    assessments::QuestionType,
    grading::{GradeRequest, Marking, Plan, Response},
};

/// Longest text of an answer, and of each of its blanks, in characters (behaviour 10.9).
pub const ANSWER_LENGTH: usize = 20_000;

/// What a student hands in for one question. What does not fit the question's type says nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct SentAnswer {
    /// Which question.
    pub question: Uuid,
    /// The chosen options.
    pub options: Vec<Uuid>,
    /// A text.
    pub text: Option<String>,
    /// A text for each blank, by its name; says nothing beside a text.
    pub blanks: Option<BTreeMap<String, String>>,
}

impl fmt::Debug for SentAnswer {
    /// What a student wrote stays out of the log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SentAnswer")
            .field("question", &self.question)
            .finish_non_exhaustive()
    }
}

/// What is wrong with something that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerProblem {
    /// The paper has no such question.
    #[error("Invalid question ID.")]
    UnknownQuestion,
    /// The question was answered before.
    #[error("Duplicate answer for this question.")]
    Duplicate,
    /// There is no such option.
    #[error("Invalid option ID.")]
    UnknownOption(Uuid),
    /// It is an option of something else.
    #[error("Selected option does not belong to this question.")]
    ForeignOption,
}

/// How an answer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerState {
    /// It has its points.
    Graded,
    /// A person has to look at it.
    Pending,
    /// A grader has it and answers later.
    Deferred,
}

impl AnswerState {
    /// The word it is stored as.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Graded => "graded",
            Self::Pending => "pending",
            Self::Deferred => "deferred",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Graded, Self::Pending, Self::Deferred]
            .into_iter()
            .find(|known| known.as_str() == word)
    }
}

/// What was answered to one question of a paper, and what it was worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which one.
    pub id: Uuid,
    /// In which attempt.
    pub attempt: Uuid,
    /// To which question. It may be gone.
    pub question: Uuid,
    /// The version of the question that was asked.
    pub question_version: i64,
    /// The question's place in the paper.
    pub order: i64,
    /// What was asked.
    pub question_text: String,
    /// How it was to be answered.
    pub kind: QuestionType,
    /// What a right answer gives.
    pub points: Decimal,
    /// The chosen options.
    pub selected: Vec<Uuid>,
    /// The text that was written.
    pub text: Option<String>,
    /// What was written into each blank, by its name.
    pub blanks: Option<BTreeMap<String, String>>,
    /// What was answered, in words; empty when nothing was.
    pub student_answer: String,
    /// What is right, in words; empty when nobody has said so.
    pub correct_answer: String,
    /// How it stands.
    pub state: AnswerState,
    /// The grader that has it while it is deferred, or had it.
    pub grader: Option<String>,
    /// Since when.
    pub deferred_at: Option<DateTime<Utc>>,
    /// What it was worth, once it is graded.
    pub points_awarded: Option<Decimal>,
    /// Whether it was right.
    pub is_correct: Option<bool>,
    /// What the teacher says to it.
    pub teacher_feedback: Option<String>,
    /// The program graded it last.
    pub auto_graded: bool,
    /// A person did.
    pub manual_graded: bool,
    /// When it was graded last.
    pub graded_at: Option<DateTime<Utc>>,
}

impl Answer {
    /// What was answered, for whoever grades.
    #[must_use]
    pub fn response(&self) -> Response {
        match (&self.text, &self.blanks) {
            _ if !self.selected.is_empty() => Response::Options(self.selected.clone()),
            (Some(text), _) => Response::Text(text.clone()),
            (None, Some(blanks)) => Response::Blanks(blanks.clone()),
            (None, None) => Response::Blank,
        }
    }
}

impl PaperQuestion {
    /// How its answers are marked.
    #[must_use]
    pub fn marking(&self) -> Marking {
        self.marking.clone().unwrap_or_else(|| Marking::default_for(self.kind))
    }

    /// The options that are right.
    #[must_use]
    pub fn right_options(&self) -> Vec<Uuid> {
        let right = self.options.iter().filter(|option| option.is_correct);
        right.map(|option| option.id).collect()
    }

    /// What is right, in words: the right options, or why something else is right.
    #[must_use]
    pub fn correct_answer(&self) -> String {
        match self.kind.has_options() {
            true => self.words_of(&self.right_options()),
            false => self.explanation.clone().unwrap_or_default(),
        }
    }

    fn words_of(&self, options: &[Uuid]) -> String {
        let chosen = self.options.iter().filter(|option| options.contains(&option.id));
        let words: Vec<_> = chosen.map(|option| option.text.as_str()).collect();
        words.join(", ")
    }

    /// What was handed in for it, without what says nothing.
    fn response(&self, sent: Option<&SentAnswer>) -> Response {
        let Some(sent) = sent else { return Response::Blank };
        let response = match (self.kind.has_options(), &sent.text, &sent.blanks) {
            (true, _, _) => Response::Options(sent.options.clone()),
            (false, Some(text), _) if !text.trim().is_empty() => Response::Text(text.clone()),
            (false, _, Some(blanks)) => Response::Blanks(blanks.clone()),
            (false, _, None) => Response::Blank,
        };
        match response.is_blank() {
            true => Response::Blank,
            false => response,
        }
    }

    /// A response in words.
    fn student_answer(&self, response: &Response) -> String {
        match response {
            Response::Blank => String::new(),
            Response::Options(options) => self.words_of(options),
            Response::Text(text) => text.clone(),
            Response::Blanks(blanks) => {
                let in_order = match &self.marking {
                    Some(Marking::Blanks { blanks: asked, .. }) => asked
                        .iter()
                        .map(|blank| blanks.get(&blank.name).map_or("", String::as_str))
                        .collect(),
                    _ => blanks.values().map(String::as_str).collect::<Vec<_>>(),
                };
                in_order.join(", ")
            }
        }
    }
}

impl Paper {
    /// What is wrong with each of the answers, and `None` when they are all good. Of an option that
    /// is not on the paper nobody can tell here whether there is one.
    pub(super) fn problems(&self, sent: &[SentAnswer]) -> Option<Vec<Option<AnswerProblem>>> {
        let questions: HashMap<_, _> = self.questions.iter().map(|it| (it.id, it)).collect();
        let options: HashMap<_, _> = self
            .questions
            .iter()
            .flat_map(|question| question.options.iter().map(|option| (option.id, question.id)))
            .collect();
        let mut answered = HashSet::new();
        let mut problem = |sent: &SentAnswer| {
            let Some(question) = questions.get(&sent.question) else {
                return Some(AnswerProblem::UnknownQuestion);
            };
            if !answered.insert(sent.question) {
                return Some(AnswerProblem::Duplicate);
            }
            let chosen = sent.options.iter().filter(|_| question.kind.has_options());
            chosen.into_iter().find_map(|option| match options.get(option) {
                Some(of) if *of == question.id => None,
                Some(_) => Some(AnswerProblem::ForeignOption),
                None => Some(AnswerProblem::UnknownOption(*option)),
            })
        };
        let problems: Vec<_> = sent.iter().map(&mut problem).collect();
        problems.iter().any(Option::is_some).then_some(problems)
    }

    /// An answer to each question, graded as far as nobody has to be asked.
    pub(super) fn marked(
        &self,
        school: &School,
        attempt: Uuid,
        sent: &[SentAnswer],
        now: DateTime<Utc>,
    ) -> Vec<Answer> {
        let sent: HashMap<_, _> = sent.iter().map(|sent| (sent.question, sent)).collect();
        let marked = self.questions.iter().map(|question| {
            let response = question.response(sent.get(&question.id).copied());
            let mut answer =
                unmarked(school.entropy.uuid(now), attempt, question, response.clone());
            answer.mark(school, question, &response, now);
            answer
        });
        marked.collect()
    }
}

/// An answer that nobody has looked at.
fn unmarked(id: Uuid, attempt: Uuid, question: &PaperQuestion, response: Response) -> Answer {
    let student_answer = question.student_answer(&response);
    let mut answer = Answer {
        id,
        attempt,
        question: question.id,
        question_version: question.version,
        order: question.order,
        question_text: question.text.clone(),
        kind: question.kind,
        points: question.points,
        selected: Vec::new(),
        text: None,
        blanks: None,
        student_answer,
        correct_answer: question.correct_answer(),
        state: AnswerState::Pending,
        grader: None,
        deferred_at: None,
        points_awarded: None,
        is_correct: None,
        teacher_feedback: None,
        auto_graded: false,
        manual_graded: false,
        graded_at: None,
    };
    match response {
        Response::Blank => {}
        Response::Options(options) => answer.selected = options,
        Response::Text(text) => answer.text = Some(text),
        Response::Blanks(blanks) => answer.blanks = Some(blanks),
    }
    answer
}

impl Answer {
    fn mark(
        &mut self,
        school: &School,
        question: &PaperQuestion,
        response: &Response,
        now: DateTime<Utc>,
    ) {
        let request = GradeRequest {
            answer: self.id,
            question_version: question.version,
            kind: question.kind,
            question_text: &question.text,
            points: question.points,
            marking: &question.marking(),
            right_options: &question.right_options(),
            response,
        };
        match school.graders.plan(&request) {
            Plan::Graded(share) => {
                self.state = AnswerState::Graded;
                self.points_awarded = Some(share.of(self.points));
                self.is_correct = Some(share.is_full());
                self.auto_graded = true;
                self.graded_at = Some(now);
            }
            Plan::Human => {}
            Plan::Deferred { grader } => {
                self.state = AnswerState::Deferred;
                self.grader = Some(grader.to_owned());
                self.deferred_at = Some(now);
            }
        }
    }
}
