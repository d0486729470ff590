use std::{
    collections::BTreeMap,
    fmt::{self, Debug},
};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Marking;
use crate::assessments::QuestionType;

/// What a student answered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Response {
    /// Nothing.
    Blank,
    /// These options. One that was chosen twice was chosen once.
    Options(Vec<Uuid>),
    /// This text.
    Text(String),
    /// A text for each blank, by the blank's name.
    Blanks(BTreeMap<String, String>),
}

impl Response {
    /// Whether there is nothing in it: no option, or only space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Blank => true,
            Self::Options(options) => options.is_empty(),
            Self::Text(text) => text.trim().is_empty(),
            Self::Blanks(blanks) => blanks.values().all(|text| text.trim().is_empty()),
        }
    }
}

impl Debug for Response {
    /// What a student wrote stays out of the log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => formatter.write_str("Blank"),
            Self::Options(options) => write!(formatter, "Options({})", options.len()),
            Self::Text(text) => write!(formatter, "Text({} bytes)", text.len()),
            Self::Blanks(blanks) => write!(formatter, "Blanks({})", blanks.len()),
        }
    }
}

/// An answer that is to be graded, with its question as it was asked.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct GradeRequest<'a> {
    /// Which answer. With the version it is the key under which a grader recognises a question it
    /// was asked before. It tells nothing of the student.
    pub answer: Uuid,
    /// Which version of the question it answers.
    pub question_version: i64,
    /// How the question is answered.
    pub kind: QuestionType,
    /// What was asked.
    pub question_text: &'a str,
    /// What a right answer gives, with two places. A grader awards shares of it, so it needs this
    /// only to tell it to somebody.
    pub points: Decimal,
    /// How the answer is marked.
    pub marking: &'a Marking,
    /// The options that are right.
    pub right_options: &'a [Uuid],
    /// What was answered.
    pub response: &'a Response,
}

impl<'a> GradeRequest<'a> {
    /// An answer to the first version of a question of one point without text and options.
    #[must_use]
    pub const fn new(
        answer: Uuid,
        kind: QuestionType,
        marking: &'a Marking,
        response: &'a Response,
    ) -> Self {
        Self {
            answer,
            question_version: 1,
            kind,
            question_text: "",
            points: Decimal::ONE,
            marking,
            right_options: &[],
            response,
        }
    }
}

impl Debug for GradeRequest<'_> {
    /// Neither answers nor keys belong in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GradeRequest")
            .field("answer", &self.answer)
            .field("question_version", &self.question_version)
            .finish_non_exhaustive()
    }
}
