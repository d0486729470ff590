//! Which markings make sense.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{AcceptedNumber, AcceptedText, Blank, Ignore, Marking, texts::Pattern};

/// Most accepted answers of a question, those of its blanks together.
const ACCEPTED_MAX: usize = 100;
/// Most characters of an accepted text.
pub(super) const ACCEPTED_LENGTH: usize = 200;
/// Most blanks of a question.
const BLANKS_MAX: usize = 50;
/// Most options with a weight.
const WEIGHTS_MAX: usize = 100;
/// The greatest weight of an option, and the least below zero.
const WEIGHT_MAX: i32 = 10_000;
/// Most characters of the name of a blank or a grader.
const NAME_LENGTH: usize = 50;
/// Most bytes of the settings for a grader.
const SETTINGS_LENGTH: usize = 10_000;

/// Why something is no marking, in words for the teacher who sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarkingError {
    /// It has not the shape of one.
    #[error("This is not a marking: {0}.")]
    Unreadable(String),
    /// The question has options.
    #[error("A question with options is marked by its options or by a grader.")]
    NeedsOptions,
    /// The question has none.
    #[error("Only multiple choice and true/false questions are marked by their options.")]
    NoOptions,
    /// Nothing would be right.
    #[error("At least one accepted answer is required.")]
    NothingAccepted,
    /// Nothing would be worth everything.
    #[error("At least one accepted answer must be worth all points.")]
    NothingFull,
    /// It accepts too many.
    #[error("Ensure there are no more than {ACCEPTED_MAX} accepted answers.")]
    TooManyAccepted,
    /// An accepted text is too long.
    #[error("Ensure an accepted answer has no more than {ACCEPTED_LENGTH} characters.")]
    AcceptedTooLong,
    /// Nothing is left of an accepted text without the differences that do not count.
    #[error("An accepted answer may not be blank or only wildcards.")]
    BlankAccepted,
    /// A NUL in an accepted text or in settings: databases keep none.
    #[error("Null characters are not allowed.")]
    NullCharacter,
    /// There are no blanks, or too many.
    #[error("Ensure there are between 1 and {BLANKS_MAX} blanks.")]
    BlankCount,
    /// A blank's name is not one.
    #[error("A blank's name has 1 to {NAME_LENGTH} letters, digits, \"-\" and \"_\".")]
    BlankName,
    /// Two blanks are called the same.
    #[error("Two blanks may not have the same name.")]
    SameBlank,
    /// A blank's text has a share of its own.
    #[error("A blank is right or wrong: its accepted answers have no share.")]
    BlankShare,
    /// A range without a number in it.
    #[error("A tolerance may not be negative, and low may not be above high.")]
    EmptyRange,
    /// There are no weights, or too many.
    #[error("Ensure there are between 1 and {WEIGHTS_MAX} weights.")]
    WeightCount,
    /// A weight is too great or too small.
    #[error("Ensure each weight is between -{WEIGHT_MAX} and {WEIGHT_MAX}.")]
    Weight,
    /// Nobody could get everything, or nobody less.
    #[error("out_of must be at least 1 and no more than the positive weights together.")]
    OutOf,
    /// A grader's name is not one.
    #[error("A grader's name has 1 to {NAME_LENGTH} letters, digits, \"-\" and \"_\".")]
    GraderName,
    /// Nobody grades so.
    #[error("There is no grader called \"{0}\".")]
    UnknownGrader(String),
    /// The settings are too long.
    #[error("Ensure the settings have no more than {SETTINGS_LENGTH} bytes.")]
    SettingsTooLong,
    /// A grader cannot work with the settings, and says why.
    #[error("{0}")]
    Settings(String),
}

impl Marking {
    /// Whether it makes sense, and is not so large that marking takes long.
    pub fn check(&self) -> Result<(), MarkingError> {
        match self {
            Self::OneOption {}
            | Self::AllOptions {}
            | Self::RightMinusWrong {}
            | Self::Manual {} => Ok(()),
            Self::WeightedOptions { weights, out_of } => check_weights(weights, *out_of),
            Self::Text { accept, ignore } => {
                check_count(accept.len())?;
                accept.iter().try_for_each(|text| check_text(text, *ignore))?;
                check_full(accept.iter().any(|text| text.share.is_full()))
            }
            Self::Blanks { blanks, ignore, partial: _ } => check_blanks(blanks, *ignore),
            Self::Number { accept, decimal: _ } => {
                check_count(accept.len())?;
                let is_empty = |number: &AcceptedNumber| {
                    let (low, high) = number.range.ends();
                    low > high
                };
                match accept.iter().any(is_empty) {
                    true => Err(MarkingError::EmptyRange),
                    false => check_full(accept.iter().any(|number| number.share.is_full())),
                }
            }
            Self::External { grader, settings } => check_external(grader, settings),
        }
    }
}

/// Whether it is a word that may stand in a path: the name of a blank or a grader.
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=NAME_LENGTH).contains(&text.len()) && text.bytes().all(is_plain)
}

const fn check_count(accepted: usize) -> Result<(), MarkingError> {
    match accepted {
        0 => Err(MarkingError::NothingAccepted),
        1..=ACCEPTED_MAX => Ok(()),
        _ => Err(MarkingError::TooManyAccepted),
    }
}

const fn check_full(has_full: bool) -> Result<(), MarkingError> {
    match has_full {
        true => Ok(()),
        false => Err(MarkingError::NothingFull),
    }
}

fn check_text(accepted: &AcceptedText, ignore: Ignore) -> Result<(), MarkingError> {
    if accepted.text.contains('\0') {
        return Err(MarkingError::NullCharacter);
    }
    if accepted.text.chars().count() > ACCEPTED_LENGTH {
        return Err(MarkingError::AcceptedTooLong);
    }
    match Pattern::new(accepted, ignore).is_empty() {
        true => Err(MarkingError::BlankAccepted),
        false => Ok(()),
    }
}

fn check_blanks(blanks: &[Blank], ignore: Ignore) -> Result<(), MarkingError> {
    if !(1..=BLANKS_MAX).contains(&blanks.len()) {
        return Err(MarkingError::BlankCount);
    }
    let mut names = BTreeSet::new();
    for blank in blanks {
        if !is_name(&blank.name) {
            return Err(MarkingError::BlankName);
        }
        if !names.insert(&blank.name) {
            return Err(MarkingError::SameBlank);
        }
        check_count(blank.accept.len())?;
        blank.accept.iter().try_for_each(|text| check_text(text, ignore))?;
        if blank.accept.iter().any(|text| !text.share.is_full()) {
            return Err(MarkingError::BlankShare);
        }
    }
    check_count(blanks.iter().map(|blank| blank.accept.len()).sum())
}

fn check_weights(weights: &BTreeMap<Uuid, i32>, out_of: u32) -> Result<(), MarkingError> {
    if !(1..=WEIGHTS_MAX).contains(&weights.len()) {
        return Err(MarkingError::WeightCount);
    }
    if weights.values().any(|weight| !(-WEIGHT_MAX..=WEIGHT_MAX).contains(weight)) {
        return Err(MarkingError::Weight);
    }
    let most: i64 = weights.values().map(|weight| i64::from(*weight).max(0)).sum();
    match (1..=most).contains(&i64::from(out_of)) {
        true => Ok(()),
        false => Err(MarkingError::OutOf),
    }
}

fn check_external(grader: &str, settings: &Map<String, Value>) -> Result<(), MarkingError> {
    if !is_name(grader) {
        return Err(MarkingError::GraderName);
    }
    if settings.iter().any(|(key, value)| key.contains('\0') || has_null(value)) {
        return Err(MarkingError::NullCharacter);
    }
    // What came as JSON can be written as JSON.
    match serde_json::to_string(settings).is_ok_and(|text| text.len() <= SETTINGS_LENGTH) {
        true => Ok(()),
        false => Err(MarkingError::SettingsTooLong),
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_null),
        Value::Object(values) => {
            values.iter().any(|(key, value)| key.contains('\0') || has_null(value))
        }
    }
}
