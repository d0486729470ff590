use rust_decimal::{Decimal, RoundingStrategy};

/// What an attempt comes to, once all of it is graded. The only place where that is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The points.
    pub score: Decimal,
    /// The points in percent of the most, with two places; half a hundredth is rounded up.
    pub percentage: Decimal,
    /// Whether that is enough.
    pub is_passed: bool,
}

impl Outcome {
    /// So many points of so many, where that many percent pass. Of nothing one has nothing.
    #[must_use]
    pub fn new(score: Decimal, max_score: Decimal, passing_grade: Decimal) -> Self {
        let share = score.checked_div(max_score).unwrap_or_default();
        let mut percentage = (share * Decimal::ONE_HUNDRED)
            .round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        percentage.rescale(2);
        Self { score, percentage, is_passed: percentage >= passing_grade }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outcome(score: i64, most: i64, passing: i64) -> (String, bool) {
        let [score, most, passing] = [score, most, passing].map(|number| Decimal::new(number, 2));
        let outcome = Outcome::new(score, most, passing);
        (outcome.percentage.to_string(), outcome.is_passed)
    }

    #[test]
    fn percentages_have_two_places_and_are_what_passes() {
        assert_eq!(outcome(600, 2150, 6000), ("27.91".to_owned(), false));
        assert_eq!(outcome(200, 300, 6667), ("66.67".to_owned(), true));
        assert_eq!(outcome(1, 800, 0), ("0.13".to_owned(), true));
        assert_eq!(outcome(300, 300, 10_000), ("100.00".to_owned(), true));
        assert_eq!(outcome(0, 0, 1), ("0.00".to_owned(), false));
    }

    proptest! {
        #[test]
        fn percentages_are_between_nothing_and_all(most in 1..=i64::from(u32::MAX), part in 0.0..=1.0) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any number will do")]
            let score = (most as f64 * part) as i64;
            let Outcome { percentage, .. } =
                Outcome::new(Decimal::new(score.min(most), 2), Decimal::new(most, 2), Decimal::ONE);
            prop_assert!(Decimal::ZERO <= percentage && percentage <= Decimal::ONE_HUNDRED);
            prop_assert_eq!(percentage.scale(), 2);
        }
    }
}
