use std::{
    cmp::Ordering,
    fmt::{self, Display},
    str::FromStr,
};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Most digits on either side of a written share's stroke.
const DIGITS_MAX: usize = 9;

/// How much of a question an answer is worth: a fraction from nothing to all of it, never a
/// rounded number. It is written `1/3`, `0` or `1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(try_from = "String", into = "String")]
pub struct Share {
    // In lowest terms, so that equal shares are equal.
    parts: u32,
    whole: u32,
}

/// A text is no share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a share is a fraction from 0 to 1, such as \"1/2\"")]
pub struct UnreadableShare;

impl Share {
    /// Nothing.
    pub const NONE: Self = Self { parts: 0, whole: 1 };
    /// All of it.
    pub const FULL: Self = Self { parts: 1, whole: 1 };

    /// So many parts of a whole: below nothing is nothing, and above the whole is all of it. Of a
    /// whole without parts there is nothing to have.
    #[must_use]
    pub fn new(parts: i64, whole: u32) -> Self {
        // Cannot fail: what is between 0 and `whole` fits where `whole` does.
        let parts = u32::try_from(parts.clamp(0, i64::from(whole))).unwrap_or_default();
        let whole = whole.max(1);
        let common = greatest_common_divisor(parts, whole);
        Self { parts: parts / common, whole: whole / common }
    }

    /// All of it, where serde wants a function.
    pub(super) const fn full() -> Self {
        Self::FULL
    }

    /// Whether it is all.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.parts == self.whole
    }

    /// That share of so many points, which have two places; half a hundredth is rounded up.
    ///
    /// ```
    /// use edupro_core::grading::Share;
    /// use rust_decimal::Decimal;
    ///
    /// assert_eq!(Share::new(2, 3).of(Decimal::ONE), Decimal::new(67, 2));
    /// ```
    #[must_use]
    pub fn of(self, points: Decimal) -> Decimal {
        let mut points = points;
        points.rescale(2);
        // No question gives more, and the product of an `i64` and a `u32` fits an `i128` twice.
        let hundredths = i128::from(i64::try_from(points.mantissa()).unwrap_or(i64::MAX).max(0));
        let (parts, whole) = (i128::from(self.parts), i128::from(self.whole));
        let rounded = (2 * hundredths * parts + whole) / (2 * whole);
        // Cannot fail: it is not above what was an `i64`.
        Decimal::new(i64::try_from(rounded).unwrap_or(i64::MAX), 2)
    }
}

fn greatest_common_divisor(one: u32, other: u32) -> u32 {
    match other {
        0 => one,
        _ => greatest_common_divisor(other, one % other),
    }
}

impl Ord for Share {
    fn cmp(&self, other: &Self) -> Ordering {
        let cross = |share: &Self, whole| u64::from(share.parts) * u64::from(whole);
        cross(self, other.whole).cmp(&cross(other, self.whole))
    }
}

impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.whole {
            1 => write!(formatter, "{}", self.parts),
            _ => write!(formatter, "{}/{}", self.parts, self.whole),
        }
    }
}

impl FromStr for Share {
    type Err = UnreadableShare;

    fn from_str(text: &str) -> Result<Self, UnreadableShare> {
        let number = |digits: &str| {
            let is_number =
                digits.len() <= DIGITS_MAX && digits.bytes().all(|c| c.is_ascii_digit());
            digits.parse::<u32>().ok().filter(|_| is_number).ok_or(UnreadableShare)
        };
        let (parts, whole) = text.split_once('/').unwrap_or((text, "1"));
        let (parts, whole) = (number(parts)?, number(whole)?);
        match whole > 0 && parts <= whole {
            true => Ok(Self::new(parts.into(), whole)),
            false => Err(UnreadableShare),
        }
    }
}

impl TryFrom<String> for Share {
    type Error = UnreadableShare;

    fn try_from(text: String) -> Result<Self, UnreadableShare> {
        text.parse()
    }
}

impl From<Share> for String {
    fn from(share: Share) -> Self {
        share.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_of_a_hundredth_are_rounded_up() {
        let of = |parts, whole, hundredths| {
            Share::new(parts, whole).of(Decimal::new(hundredths, 2)).mantissa()
        };
        assert_eq!(of(1, 3, 100), 33);
        assert_eq!(of(2, 3, 100), 67);
        assert_eq!(of(1, 2, 25), 13);
        assert_eq!(of(1, 2, 1), 1);
        assert_eq!(of(1, 3, 1), 0);
        assert_eq!(of(7, 7, 999_999), 999_999);
        // However the points are written.
        assert_eq!(Share::new(1, 4).of(Decimal::TEN), Decimal::new(250, 2));
        assert_eq!(Share::FULL.of(Decimal::NEGATIVE_ONE), Decimal::ZERO);
    }

    #[test]
    fn shares_are_from_nothing_to_all() {
        assert_eq!(Share::new(-3, 4), Share::NONE);
        assert_eq!(Share::new(9, 4), Share::FULL);
        assert_eq!(Share::new(5, 0), Share::NONE);
        assert_eq!(Share::new(2, 4), Share::new(1, 2));
        assert!(Share::new(1, 3) < Share::new(1, 2) && Share::new(i64::MAX, u32::MAX).is_full());
    }

    #[test]
    fn shares_are_written_as_fractions() {
        for text in ["0", "1", "1/3", "999999998/999999999"] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
        }
        assert_eq!("50/100".parse(), Ok(Share::new(1, 2)));
        for text in ["", "/", "1/", "/2", "3/2", "1/0", "-1/2", "+1/2", "0.5", "50%", "1/2/3", " 1"]
        {
            assert_eq!(text.parse::<Share>(), Err(UnreadableShare), "{text:?}");
        }
        assert_eq!("1/1234567890".parse::<Share>(), Err(UnreadableShare));
        assert!(serde_json::from_str::<Share>("0.5").is_err());
    }

    proptest! {
        #[test]
        fn points_are_never_above_the_question_and_grow_with_the_share(
            (parts, more, whole) in (any::<i64>(), any::<i64>(), any::<u32>()),
            hundredths in 0..=999_999_i64,
        ) {
            let points = Decimal::new(hundredths, 2);
            let one = Share::new(parts.min(more), whole);
            let other = Share::new(parts.max(more), whole);
            prop_assert!(Share::NONE <= one && one <= other && other <= Share::FULL);
            prop_assert!(Decimal::ZERO <= one.of(points) && one.of(points) <= other.of(points));
            prop_assert!(other.of(points) <= points);
            prop_assert_eq!(other.of(points).scale(), 2);
        }

        #[test]
        fn a_written_share_is_read_again(parts in 0..1_000_i64, whole in 1..1_000_u32) {
            let share = Share::new(parts, whole);
            prop_assert_eq!(share.to_string().parse(), Ok(share));
        }
    }
}
