//! Values that check themselves while they are read.

use std::str::FromStr;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use tracing_subscriber::filter::{LevelFilter, Targets};

/// What is shown in place of a secret.
pub(super) const HIDDEN: &str = "***";

/// Whether cookies are sent over https only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CookieSecure {
    /// When the public URL is https.
    #[default]
    Auto,
    /// As it says here.
    Always(bool),
}

impl<'de> Deserialize<'de> for CookieSecure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Switch(bool),
            Text(String),
        }
        match Written::deserialize(deserializer) {
            Ok(Written::Switch(switch)) => Ok(Self::Always(switch)),
            Ok(Written::Text(text)) if text == "auto" => Ok(Self::Auto),
            Ok(Written::Text(text)) if text == "true" => Ok(Self::Always(true)),
            Ok(Written::Text(text)) if text == "false" => Ok(Self::Always(false)),
            Ok(Written::Text(_)) | Err(_) => {
                Err(D::Error::custom("must be \"auto\", true or false"))
            }
        }
    }
}

impl Serialize for CookieSecure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Always(switch) => serializer.serialize_bool(*switch),
        }
    }
}

/// What is logged: `info`, or `info,sqlx=warn` to set some parts apart.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogLevel(String);

impl LogLevel {
    /// The filter that the text stands for.
    #[must_use]
    pub fn targets(&self) -> Targets {
        // It was read once already, so nothing is lost here.
        Targets::from_str(&self.0).unwrap_or_default()
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl TryFrom<String> for LogLevel {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let message =
            "must be error, warn, info, debug, trace or off, or such as \"info,sqlx=warn\"";
        // `Targets` takes a word that is no level for a target of which all is logged.
        let mut defaults = text.split(',').filter(|part| !part.contains('=') && !part.is_empty());
        let one = defaults.next().is_some_and(|level| level.parse::<LevelFilter>().is_ok());
        let good = one && defaults.next().is_none() && Targets::from_str(&text).is_ok();
        good.then_some(Self(text)).ok_or(message)
    }
}

impl From<LogLevel> for String {
    fn from(level: LogLevel) -> Self {
        level.0
    }
}

/// Reads a value by its `FromStr`, with `message` for what cannot be read.
pub(super) fn parsed<'de, T: FromStr, D: Deserializer<'de>>(
    deserializer: D,
    message: &'static str,
) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(|_| D::Error::custom(message))
}

/// Shows that there is a secret, not which.
#[expect(clippy::ref_option, reason = "`serialize_with` gives a reference to the field")]
pub(super) fn hidden<S: Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| HIDDEN).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_levels_name_a_default() {
        for good in ["info", "off", "info,sqlx=warn", "sqlx=warn,debug"] {
            assert!(LogLevel::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "loud", "sqlx=warn", "info,sqlx=loud"] {
            assert!(LogLevel::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
