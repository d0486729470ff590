use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use uuid::Uuid;

use super::{
    AcceptedText, AssessmentGrader, Blank, GradeError, GradeRequest, GraderCapabilities, Ignore,
    Marking, Response, Share, Verdict, texts::Pattern,
};
use crate::assessments::QuestionType;

/// Marks by the rules of [`Marking`], and leaves to a person what those leave to a person. It asks
/// nobody, so its verdicts are there at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct AutoGrader;

#[async_trait]
impl AssessmentGrader for AutoGrader {
    fn name(&self) -> &'static str {
        "auto"
    }

    fn capabilities(&self) -> GraderCapabilities {
        GraderCapabilities::new().deterministic()
    }

    fn handles(&self, _: QuestionType, marking: &Marking) -> bool {
        !matches!(marking, Marking::External { .. })
    }

    async fn grade(&self, request: &GradeRequest<'_>) -> Result<Verdict, GradeError> {
        Ok(match mark(request.marking, request.right_options, request.response) {
            Some(Mark { share, matched }) => Verdict::Graded { share, feedback: None, matched },
            None => Verdict::needs_human("This question is graded by a person."),
        })
    }
}

/// What an answer is worth by the rules of [`Marking`], without asking anybody: so it may be
/// called inside a transaction. `None` is for what no rule decides. An answer with nothing in it is
/// worth nothing, whoever would mark it.
///
/// It takes time in proportion to the answer's length, whatever was written.
#[must_use]
pub fn grade_local(
    marking: &Marking,
    right_options: &[Uuid],
    response: &Response,
) -> Option<Share> {
    mark(marking, right_options, response).map(|mark| mark.share)
}

struct Mark {
    share: Share,
    /// The accepted answer that it is.
    matched: Option<String>,
}

impl From<Share> for Mark {
    fn from(share: Share) -> Self {
        Self { share, matched: None }
    }
}

fn mark(marking: &Marking, right: &[Uuid], response: &Response) -> Option<Mark> {
    if response.is_blank() {
        return Some(Share::NONE.into());
    }
    let mark = match (marking, response) {
        (Marking::Manual {} | Marking::External { .. }, _) => return None,
        (Marking::OneOption {}, Response::Options(chosen)) => {
            let chosen = Chosen::new(chosen, right);
            all_or_nothing(chosen.hits == 1 && chosen.misses == 0)
        }
        (Marking::AllOptions {}, Response::Options(chosen)) => {
            let chosen = Chosen::new(chosen, right);
            all_or_nothing(chosen.hits == chosen.right && chosen.misses == 0)
        }
        (Marking::RightMinusWrong {}, Response::Options(chosen)) => {
            let Chosen { hits, misses, right } = Chosen::new(chosen, right);
            Share::new(i64::from(hits) - i64::from(misses), right).into()
        }
        (Marking::WeightedOptions { weights, out_of }, Response::Options(chosen)) => {
            let chosen: BTreeSet<_> = chosen.iter().collect();
            let weight = chosen.iter().filter_map(|id| weights.get(id)).copied().map(i64::from);
            Share::new(weight.sum(), *out_of).into()
        }
        (Marking::Text { accept, ignore }, Response::Text(text)) => {
            let matched = first_accepted(accept, *ignore, text);
            matched.map_or(Share::NONE.into(), |accepted| Mark {
                share: accepted.share,
                matched: Some(accepted.text.clone()),
            })
        }
        (Marking::Blanks { blanks, ignore, partial }, Response::Blanks(texts)) => {
            mark_blanks(blanks, *ignore, *partial, texts)
        }
        // One blank needs no name.
        (Marking::Blanks { blanks, ignore, .. }, Response::Text(text)) => match blanks.as_slice() {
            [blank] => all_or_nothing(first_accepted(&blank.accept, *ignore, text).is_some()),
            _ => Share::NONE.into(),
        },
        (Marking::Number { accept, decimal }, Response::Text(text)) => {
            let number = decimal.read(text);
            let is_in = |number| accept.iter().find(|accepted| accepted.range.contains(number));
            number.and_then(is_in).map_or(Share::NONE.into(), |accepted| Mark {
                share: accepted.share,
                matched: Some(accepted.range.to_string()),
            })
        }
        // Options where a text was asked for, or the other way round.
        _ => Share::NONE.into(),
    };
    Some(mark)
}

fn all_or_nothing(is_right: bool) -> Mark {
    match is_right {
        true => Share::FULL.into(),
        false => Share::NONE.into(),
    }
}

/// The options that were chosen, counted: each once, and one that the question does not have is
/// wrong.
struct Chosen {
    hits: u32,
    misses: u32,
    right: u32,
}

impl Chosen {
    fn new(chosen: &[Uuid], right: &[Uuid]) -> Self {
        let (chosen, right): (BTreeSet<_>, BTreeSet<_>) =
            (chosen.iter().collect(), right.iter().collect());
        let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            hits: count(chosen.intersection(&right).count()),
            misses: count(chosen.difference(&right).count()),
            right: count(right.len()),
        }
    }
}

fn first_accepted<'a>(
    accept: &'a [AcceptedText],
    ignore: Ignore,
    text: &str,
) -> Option<&'a AcceptedText> {
    let said = ignore.normalise(text);
    accept.iter().find(|accepted| Pattern::new(accepted, ignore).matches(&said))
}

fn mark_blanks(
    blanks: &[Blank],
    ignore: Ignore,
    partial: bool,
    texts: &BTreeMap<String, String>,
) -> Mark {
    let is_filled = |blank: &&Blank| {
        let text = texts.get(&blank.name);
        text.is_some_and(|text| first_accepted(&blank.accept, ignore, text).is_some())
    };
    let filled = blanks.iter().filter(is_filled).count();
    match partial {
        true => {
            let all = u32::try_from(blanks.len()).unwrap_or(u32::MAX);
            Share::new(i64::try_from(filled).unwrap_or(i64::MAX), all).into()
        }
        false => all_or_nothing(filled == blanks.len()),
    }
}
