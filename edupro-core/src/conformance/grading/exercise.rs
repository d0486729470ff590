use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    assessments::QuestionType,
    grading::{
        AcceptedNumber, AcceptedText, Blank, DecimalSign, GradeRequest, Ignore, Marking, Number,
        NumberRange, Response, Share,
    },
};

/// A question that the grader handles, and answers to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exercise {
    /// How it is answered.
    pub kind: QuestionType,
    /// What is asked.
    pub question_text: String,
    /// How it is marked.
    pub marking: Marking,
    /// The options that are right.
    pub right_options: Vec<Uuid>,
    /// The answers: the more different, the better.
    pub answers: Vec<Response>,
}

impl Exercise {
    /// A question without options.
    #[must_use]
    pub fn new(
        kind: QuestionType,
        question_text: impl Into<String>,
        marking: Marking,
        answers: Vec<Response>,
    ) -> Self {
        let right_options = Vec::new();
        Self { kind, question_text: question_text.into(), marking, right_options, answers }
    }

    pub(super) fn request<'a>(&'a self, answer: Uuid, response: &'a Response) -> GradeRequest<'a> {
        GradeRequest {
            answer,
            question_version: 1,
            kind: self.kind,
            question_text: &self.question_text,
            points: Decimal::TEN,
            marking: &self.marking,
            right_options: &self.right_options,
            response,
        }
    }
}

/// Exercises for every marking that is not for a grader of somebody's own.
#[must_use]
pub fn stock() -> Vec<Exercise> {
    let texts = |texts: &[&str]| -> Vec<Response> {
        texts.iter().map(|text| Response::Text((*text).to_owned())).collect()
    };
    let short = |marking, answers| {
        Exercise::new(QuestionType::ShortAnswer, "What is it?", marking, texts(answers))
    };
    let ignore = Ignore::default();
    let accept = vec![
        AcceptedText::new("the Nile"),
        AcceptedText::new("*Nile*").with_wildcards().worth(Share::new(1, 2)),
    ];
    let blank = |name: &str| Blank { name: name.to_owned(), accept: accept[..1].to_vec() };
    let filled = |name: &str| Response::Blanks([(name.to_owned(), "the nile".to_owned())].into());
    let range = NumberRange::Between { low: Number::ZERO, high: Number::ZERO };
    let number = AcceptedNumber { range, share: Share::FULL };
    let mut stock = vec![
        short(Marking::Text { accept: accept.clone(), ignore }, &["The Nile", "Nile", "Danube"]),
        short(
            Marking::Number { accept: vec![number], decimal: DecimalSign::Point },
            &["0", "0.00", "1", "none"],
        ),
        short(Marking::Manual {}, &["A river", "A very long river"]),
        Exercise::new(
            QuestionType::FillBlank,
            "___ flows into ___.",
            Marking::Blanks { blanks: vec![blank("1"), blank("2")], ignore, partial: true },
            vec![filled("1"), filled("3")],
        ),
    ];
    let options: [Uuid; 4] = [1, 2, 3, 4].map(Uuid::from_u128);
    let weights = [(options[0], 2), (options[1], 1), (options[2], -1)].into();
    for marking in [
        Marking::OneOption {},
        Marking::AllOptions {},
        Marking::RightMinusWrong {},
        Marking::WeightedOptions { weights, out_of: 3 },
    ] {
        let chosen = |chosen: &[Uuid]| Response::Options(chosen.to_vec());
        let answers = vec![chosen(&options[..1]), chosen(&options[..2]), chosen(&options)];
        stock.push(Exercise {
            right_options: options[..2].to_vec(),
            ..Exercise::new(QuestionType::MultipleChoice, "Which?", marking, answers)
        });
    }
    stock
}
