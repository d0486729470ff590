use std::{
    fmt::{self, Display},
    str::FromStr,
};

use rust_decimal::{Decimal, prelude::ToPrimitive};

/// Currencies without small coins, and those whose small coin is a thousandth (ISO 4217).
const WHOLE: [&[u8; 3]; 14] = [
    b"BIF", b"CLP", b"DJF", b"GNF", b"JPY", b"KMF", b"KRW", b"MGA", b"PYG", b"RWF", b"VND", b"VUV",
    b"XAF", b"XOF",
];
const THOUSANDTHS: [&[u8; 3]; 5] = [b"BHD", b"JOD", b"KWD", b"OMR", b"TND"];

/// A currency: three capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

/// A text names no currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three letters, such as EGP")]
pub struct UnknownCurrency;

impl Currency {
    /// How many decimal places its smallest coin has.
    #[must_use]
    pub fn places(self) -> u32 {
        match &self.0 {
            code if WHOLE.contains(&code) => 0,
            code if THOUSANDTHS.contains(&code) => 3,
            _ => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let letters: [u8; 3] = text.as_bytes().try_into().map_err(|_| UnknownCurrency)?;
        match letters.iter().all(u8::is_ascii_alphabetic) {
            true => Ok(Self(letters.map(|letter| letter.to_ascii_uppercase()))),
            false => Err(UnknownCurrency),
        }
    }
}

impl Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(formatter, "{}", char::from(*letter)))
    }
}

/// An amount as providers count it: whole coins of the smallest kind, never a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// How many of the smallest coin.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

impl Money {
    /// A price in this currency; `None` when there are no coins for it, such as half a yen.
    #[must_use]
    pub fn of(amount: Decimal, currency: Currency) -> Option<Self> {
        let minor = amount.checked_mul(Decimal::from(10_i64.pow(currency.places())))?;
        let is_whole = minor.fract().is_zero();
        minor.to_i64().filter(|_| is_whole).map(|minor| Self { minor, currency })
    }

    /// The same as a number with decimal places.
    #[must_use]
    pub fn amount(self) -> Decimal {
        Decimal::new(self.minor, self.currency.places())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_counted_in_the_smallest_coin() {
        let minor = |amount, currency: &str| {
            Money::of(Decimal::new(amount, 2), currency.parse().unwrap()).map(|money| money.minor)
        };
        assert_eq!(minor(25_050, "egp"), Some(25_050));
        assert_eq!(minor(25_000, "JPY"), Some(250));
        assert_eq!(minor(25_050, "JPY"), None);
        assert_eq!(minor(1_050, "KWD"), Some(10_500));
        let dinars = Money::of(Decimal::new(1_050, 2), "KWD".parse().unwrap()).unwrap();
        assert_eq!(dinars.amount(), Decimal::new(1_050, 2));
        assert!("E1P".parse::<Currency>().is_err() && "EURO".parse::<Currency>().is_err());
    }
}
