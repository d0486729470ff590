//! The engine against tables of answers, and its promises against answers by chance.

mod chain;
mod markings;
mod numbers;
mod options;
mod promises;
mod texts;

use serde_json::Value;
use uuid::Uuid;

use super::{Marking, Response, Share, grade_local};
use crate::assessments::QuestionType;

/// The option of a letter.
fn option(letter: char) -> Uuid {
    Uuid::from_u128(u128::from(u32::from(letter)))
}

fn options(letters: &str) -> Vec<Uuid> {
    letters.chars().map(option).collect()
}

fn text(said: &str) -> Response {
    Response::Text(said.to_owned())
}

/// A marking for a text, as a teacher sends it.
fn marking(sent: Value) -> Marking {
    Marking::parse(QuestionType::ShortAnswer, sent).unwrap()
}

/// What a text is worth.
fn worth(marking: &Marking, said: &str) -> Share {
    grade_local(marking, &[], &text(said)).unwrap()
}

/// Whether a text is worth everything; in these tables it is worth nothing otherwise.
fn accepts(marking: &Marking, said: &str) -> bool {
    match worth(marking, said) {
        Share::FULL => true,
        Share::NONE => false,
        other => panic!("{said:?} is worth {other}"),
    }
}
