//! Money, points and ratings: whole hundredths in both databases, exact on both.

use rust_decimal::{Decimal, prelude::ToPrimitive};

/// The hundredths of an amount. Amounts have two places and fit by the rules of the core.
pub(crate) fn to_cents(amount: Decimal) -> i64 {
    (amount * Decimal::ONE_HUNDRED).round().to_i64().unwrap_or(i64::MAX)
}

/// The amount of so many hundredths.
pub(crate) fn from_cents(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}
