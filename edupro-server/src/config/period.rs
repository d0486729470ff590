//! Periods of time as people write them.

use std::{
    fmt::{self, Display, Formatter},
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// A period such as `30s`, `15m`, `12h` or `7d`: a whole number above zero and one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(Duration);

/// The text is not a [`Period`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a period such as \"30s\", \"15m\", \"12h\" or \"7d\"")]
pub struct NotAPeriod;

/// The units and their seconds, the largest first.
const UNITS: [(char, u64); 4] = [('d', 24 * 60 * 60), ('h', 60 * 60), ('m', 60), ('s', 1)];

impl Period {
    /// A period of whole seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The same for a timer.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Period {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Self, NotAPeriod> {
        let seconds = UNITS.iter().find_map(|(unit, seconds)| {
            let count = text.strip_suffix(*unit)?;
            // `parse` would take a sign.
            let digits = count.bytes().all(|byte| byte.is_ascii_digit());
            let count: u64 = digits.then(|| count.parse().ok())??;
            count.checked_mul(*seconds).filter(|seconds| *seconds > 0)
        });
        seconds.map(Self::seconds).ok_or(NotAPeriod)
    }
}

impl Display for Period {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (unit, size) =
            UNITS.into_iter().find(|(_, size)| seconds.is_multiple_of(*size)).unwrap_or(('s', 1));
        write!(formatter, "{}{unit}", seconds / size)
    }
}

impl TryFrom<String> for Period {
    type Error = NotAPeriod;

    fn try_from(text: String) -> Result<Self, NotAPeriod> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_and_written() {
        for (text, seconds) in
            [("30s", 30), ("15m", 900), ("12h", 43_200), ("7d", 604_800), ("90s", 90)]
        {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.duration(), Duration::from_secs(seconds));
            assert_eq!(period.to_string(), text);
        }
        assert_eq!("60s".parse::<Period>().unwrap().to_string(), "1m");
        assert_eq!("48h".parse::<Period>().unwrap().to_string(), "2d");
    }

    #[test]
    fn nonsense_is_no_period() {
        for text in [
            "",
            "15",
            "m",
            "0s",
            "-1s",
            "+1s",
            "1.5h",
            "15 m",
            "15min",
            "1h30m",
            "99999999999999999d",
        ] {
            assert_eq!(text.parse::<Period>(), Err(NotAPeriod), "{text}");
        }
    }
}
