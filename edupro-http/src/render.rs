//! How the contract writes times, numbers and links (behaviour G11).

use chrono::{DateTime, SecondsFormat, Timelike, Utc};
use edupro_core::files::FileKey;
use rust_decimal::{Decimal, prelude::ToPrimitive};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// A moment: RFC 3339, UTC with `Z`, microseconds when there are any.
#[derive(Clone, Copy, Debug, JsonSchema)]
#[schemars(inline, transparent)]
pub(crate) struct Moment(pub(crate) DateTime<Utc>);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let precision = match self.0.nanosecond() {
            0 => SecondsFormat::Secs,
            _ => SecondsFormat::Micros,
        };
        serializer.serialize_str(&self.0.to_rfc3339_opts(precision, true))
    }
}

/// A number that the contract writes as a number: `50`, `10.5`.
#[derive(Clone, Copy, Debug, JsonSchema)]
#[schemars(inline, transparent)]
pub(crate) struct Number(#[schemars(with = "f64")] pub(crate) Decimal);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.normalize() {
            whole if whole.scale() == 0 => {
                serializer.serialize_i64(whole.to_i64().unwrap_or_default())
            }
            number => serializer.serialize_f64(number.to_f64().unwrap_or_default()),
        }
    }
}

/// An amount that the contract writes as a text with two places: `"50.00"`.
#[derive(Clone, Copy, Debug, JsonSchema)]
#[schemars(inline, transparent)]
pub(crate) struct Amount(
    #[schemars(with = "String", regex(pattern = r"^-?\d+\.\d\d$"))] pub(crate) Decimal,
);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.2}", self.0))
    }
}

/// Where this school is reached: the base of every absolute URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    base: String,
}

impl Links {
    /// Links below `base`, which has no slash at its end.
    #[must_use]
    pub fn new(base: impl Into<String>) -> Self {
        let mut base = base.into();
        base.truncate(base.trim_end_matches('/').len());
        Self { base }
    }

    /// The URL of a path that begins with a slash.
    #[must_use]
    pub fn to(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The URL of a public file.
    pub(crate) fn file(&self, key: Option<&FileKey>) -> Option<String> {
        key.map(|key| self.to(&format!("/{key}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: impl Serialize) -> String {
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn moments_have_microseconds_or_none() {
        let at = |nanoseconds| {
            json(Moment(DateTime::from_timestamp(1_795_509_636, nanoseconds).unwrap()))
        };
        assert_eq!(at(176_358_000), r#""2026-11-24T08:40:36.176358Z""#);
        assert_eq!(at(500_000_000), r#""2026-11-24T08:40:36.500000Z""#);
        assert_eq!(at(0), r#""2026-11-24T08:40:36Z""#);
    }

    #[test]
    fn amounts_have_two_places() {
        assert_eq!(json(Amount(Decimal::ZERO)), r#""0.00""#);
        assert_eq!(json(Amount(Decimal::new(1_050, 2))), r#""10.50""#);
    }

    #[test]
    fn numbers_are_whole_when_they_can_be() {
        assert_eq!(json(Number(Decimal::new(5_000, 2))), "50");
        assert_eq!(json(Number(Decimal::new(1_050, 2))), "10.5");
        assert_eq!(json(Number(Decimal::ZERO)), "0");
    }
}
