//! Accepted numbers: exact decimals, so that -11.7 ± 0.02 has -11.72 in it.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Ignore, Share};

/// Most digits of a [`Number`] before the point, and after it. The sum of two such numbers is
/// exact.
const PLACES_MAX: usize = 12;
/// Most digits of an answer, but for zeros that mean nothing: what a [`Decimal`] holds exactly.
const DIGITS_MAX: usize = 28;
/// How numbers are cleaned before they are read.
const CLEAN: Ignore =
    Ignore { case: false, space: true, unicode: true, marks: false, arabic: true };

/// A number that a teacher wrote. In JSON it is a text, since many readers of JSON round numbers;
/// whole ones may be numbers too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline, transparent))]
pub struct Number(#[cfg_attr(feature = "schema", schemars(with = "String"))] Decimal);

/// A text is no number, or one with too many digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a number is written like \"-11.7\", with up to 12 digits before the point and after it")]
pub struct UnreadableNumber;

impl Number {
    /// Zero.
    pub const ZERO: Self = Self(Decimal::ZERO);
}

impl FromStr for Number {
    type Err = UnreadableNumber;

    fn from_str(text: &str) -> Result<Self, UnreadableNumber> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let fits = |digits: &str| (1..=PLACES_MAX).contains(&digits.len());
        match fits(whole) && fits(fraction) {
            true => decimal(sign, whole, fraction).map(Self).ok_or(UnreadableNumber),
            false => Err(UnreadableNumber),
        }
    }
}

impl Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Number;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number as a text, such as \"11.7\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                self.visit_str(&number.to_string())
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// A number, or a range of numbers, that is accepted as an answer. In JSON it has either `value`
/// and perhaps `tolerance`, or `low` and `high`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Form", into = "Form")]
pub struct AcceptedNumber {
    /// Which numbers.
    pub range: NumberRange,
    /// What they are worth.
    pub share: Share,
}

/// Which numbers are accepted. The ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberRange {
    /// Those that are not further from a value than the tolerance.
    Near {
        /// The value.
        value: Number,
        /// How far they may be away, from 0.
        tolerance: Number,
    },
    /// Those from the low one to the high one.
    Between {
        /// The least.
        low: Number,
        /// The greatest.
        high: Number,
    },
}

impl NumberRange {
    /// The least and the greatest: exact, since both have few digits.
    pub(super) fn ends(self) -> (Decimal, Decimal) {
        match self {
            Self::Near { value, tolerance } => (value.0 - tolerance.0, value.0 + tolerance.0),
            Self::Between { low, high } => (low.0, high.0),
        }
    }

    pub(super) fn contains(self, number: Decimal) -> bool {
        let (low, high) = self.ends();
        low <= number && number <= high
    }
}

impl Display for NumberRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Near { value, tolerance } if *tolerance == Number::ZERO => value.fmt(formatter),
            Self::Near { value, tolerance } => write!(formatter, "{value} ± {tolerance}"),
            Self::Between { low, high } => write!(formatter, "{low} – {high}"),
        }
    }
}

/// What an [`AcceptedNumber`] is in JSON.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tolerance: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    low: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    high: Option<Number>,
    #[serde(default = "Share::full", skip_serializing_if = "Share::is_full")]
    share: Share,
}

impl TryFrom<Form> for AcceptedNumber {
    type Error = &'static str;

    fn try_from(form: Form) -> Result<Self, &'static str> {
        let range = match form {
            Form { value: Some(value), tolerance, low: None, high: None, .. } => {
                NumberRange::Near { value, tolerance: tolerance.unwrap_or(Number::ZERO) }
            }
            Form { value: None, tolerance: None, low: Some(low), high: Some(high), .. } => {
                NumberRange::Between { low, high }
            }
            _ => return Err("an accepted number has either a value or both low and high"),
        };
        Ok(Self { range, share: form.share })
    }
}

impl From<AcceptedNumber> for Form {
    fn from(accepted: AcceptedNumber) -> Self {
        let share = accepted.share;
        match accepted.range {
            NumberRange::Near { value, tolerance } => {
                let tolerance = Some(tolerance).filter(|tolerance| *tolerance != Number::ZERO);
                Self { value: Some(value), tolerance, low: None, high: None, share }
            }
            NumberRange::Between { low, high } => {
                Self { value: None, tolerance: None, low: Some(low), high: Some(high), share }
            }
        }
    }
}

/// Which sign stands before the decimals of an answer: `1,000` is a thousand to some and one to
/// others. The Arabic sign `٫` is always read, and thousands may be set apart by the other sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DecimalSign {
    /// A point: `1,000.5`.
    #[default]
    Point,
    /// A comma: `1.000,5`.
    Comma,
    /// Either, so that neither sets thousands apart: `1,000` is one.
    Either,
}

impl DecimalSign {
    /// The number that an answer is, if it is one and nothing else. It is never rounded: one with
    /// more digits than can be kept is none.
    pub(super) fn read(self, answer: &str) -> Option<Decimal> {
        let answer = CLEAN.normalise(answer);
        let (sign, digits) = match answer.strip_prefix(['-', '\u{2212}']) {
            Some(digits) => (-1, digits),
            None => (1, answer.strip_prefix('+').unwrap_or(&answer)),
        };
        let (decimals, thousands): (&[char], &[char]) = match self {
            Self::Point => (&['.', '٫'], &[',', '٬']),
            Self::Comma => (&[',', '٫'], &['.', '٬']),
            Self::Either => (&['.', ',', '٫'], &['٬']),
        };
        let (whole, fraction) = digits.split_once(decimals).unwrap_or((digits, ""));
        let groups: Vec<&str> = whole.split(thousands).collect();
        match groups.as_slice() {
            [""] if fraction.is_empty() => None,
            [whole] => decimal(sign, whole, fraction),
            [first, rest @ ..] => {
                let is_grouped =
                    (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3);
                decimal(sign, &groups.concat(), fraction).filter(|_| is_grouped)
            }
            [] => None,
        }
    }
}

/// The number of these digits, exactly; `None` if they are not ASCII digits, or too many.
fn decimal(sign: i128, whole: &str, fraction: &str) -> Option<Decimal> {
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if whole.len() + fraction.len() > DIGITS_MAX {
        return None;
    }
    let digits = format!("0{whole}{fraction}");
    let number: i128 =
        digits.parse().ok().filter(|_| digits.bytes().all(|c| c.is_ascii_digit()))?;
    Decimal::try_from_i128_with_scale(sign * number, u32::try_from(fraction.len()).ok()?).ok()
}
