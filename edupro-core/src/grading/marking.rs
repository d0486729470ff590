use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{AcceptedNumber, AcceptedText, DecimalSign, Ignore, MarkingError};
use crate::assessments::QuestionType;

/// How the answers to a question are marked. It is kept with the question as JSON and frozen in
/// papers, so kinds and fields are only added.
///
/// An answer is worth either all or nothing, unless its teacher has chosen a kind or a share that
/// gives something in between.
///
/// ```
/// use edupro_core::{assessments::QuestionType, grading::Marking};
/// use serde_json::json;
///
/// let sent = json!({"by": "number", "accept": [{"value": "-11.7", "tolerance": "0.02"}]});
/// let marking = Marking::parse(QuestionType::ShortAnswer, sent)?;
/// assert!(matches!(marking, Marking::Number { .. }));
///
/// let refused = Marking::parse(QuestionType::ShortAnswer, json!({"by": "text", "accept": []}));
/// assert_eq!(refused.unwrap_err().to_string(), "At least one accepted answer is required.");
/// # Ok::<(), edupro_core::grading::MarkingError>(())
/// ```
// Kinds without fields have braces because serde lets unknown fields pass at those without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Marking {
    /// One option is to be chosen. If several are right, any of them will do.
    OneOption {},
    /// All right options are to be chosen, and no other.
    AllOptions {},
    /// Each right option is worth as much as every other, and each wrong one takes as much away.
    RightMinusWrong {},
    /// What the chosen options weigh together. Those without a weight weigh nothing.
    WeightedOptions {
        /// What each option weighs; below zero, it takes away.
        weights: BTreeMap<Uuid, i32>,
        /// Which weight is worth everything.
        out_of: u32,
    },
    /// The first accepted text that an answer is, says what it is worth.
    Text {
        /// The accepted texts.
        accept: Vec<AcceptedText>,
        /// In what an answer may differ from them.
        #[serde(default)]
        ignore: Ignore,
    },
    /// All blanks are to be filled.
    Blanks {
        /// What they accept.
        blanks: Vec<Blank>,
        /// In what a text may differ from them.
        #[serde(default)]
        ignore: Ignore,
        /// Whether each blank is worth as much as every other, and not only all of them
        /// everything.
        #[serde(default)]
        partial: bool,
    },
    /// The first accepted number or range that an answer is in, says what it is worth.
    Number {
        /// The accepted numbers.
        accept: Vec<AcceptedNumber>,
        /// Which sign stands before decimals.
        #[serde(default)]
        decimal: DecimalSign,
    },
    /// A person reads it.
    Manual {},
    /// The grader of this name marks it: this is how a new type of question comes in.
    External {
        /// [`AssessmentGrader::name`](super::AssessmentGrader::name).
        grader: String,
        /// What it has to know of the question.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        settings: Map<String, Value>,
    },
}

/// A gap in a text, and what belongs there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Blank {
    /// What the blank is called; no other blank of the question is called so.
    pub name: String,
    /// The accepted texts.
    pub accept: Vec<AcceptedText>,
}

impl Marking {
    /// How a question is marked whose teacher has said nothing: one choice is right or wrong, and
    /// a person reads the rest.
    #[must_use]
    pub const fn default_for(kind: QuestionType) -> Self {
        match kind.has_options() {
            true => Self::OneOption {},
            false => Self::Manual {},
        }
    }

    /// What a teacher sent for a question of this type, if it makes sense.
    pub fn parse(kind: QuestionType, sent: Value) -> Result<Self, MarkingError> {
        let marking: Self = serde_json::from_value(sent)
            .map_err(|error| MarkingError::Unreadable(error.to_string()))?;
        marking.suits(kind)?;
        marking.check()?;
        Ok(marking)
    }

    /// Whether it is about options.
    #[must_use]
    pub const fn is_by_options(&self) -> bool {
        match self {
            Self::OneOption {}
            | Self::AllOptions {}
            | Self::RightMinusWrong {}
            | Self::WeightedOptions { .. } => true,
            Self::Text { .. }
            | Self::Blanks { .. }
            | Self::Number { .. }
            | Self::Manual {}
            | Self::External { .. } => false,
        }
    }

    /// Whether it is for the grader of this name.
    #[must_use]
    pub fn is_for(&self, name: &str) -> bool {
        matches!(self, Self::External { grader, .. } if grader == name)
    }

    /// Whether questions of this type can be marked so.
    pub const fn suits(&self, kind: QuestionType) -> Result<(), MarkingError> {
        match (kind.has_options(), self.is_by_options()) {
            (true, true) | (false, false) => Ok(()),
            (true, false) if matches!(self, Self::External { .. }) => Ok(()),
            (true, false) => Err(MarkingError::NeedsOptions),
            (false, true) => Err(MarkingError::NoOptions),
        }
    }
}
