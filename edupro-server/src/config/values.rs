//! Values that check themselves while they are read.

use std::{fmt::Debug, str::FromStr};

use axum::http::Uri;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use tracing_subscriber::filter::{LevelFilter, Targets};

/// What is shown in place of a secret.
pub(super) const HIDDEN: &str = "***";

/// Where the school is reached from outside: `https://school.example`, without a last slash.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The URL, without a last slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether browsers reach the school by https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let uri = http_uri(&text).filter(|uri| uri.query().is_none());
        uri.ok_or("must be a URL such as \"https://school.example\"")?;
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.0
    }
}

/// A browser's `Origin` header, word for word: scheme, host and, if it is not the usual one, port.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

impl Origin {
    /// The origin as browsers send it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // Cookies are sent along, so "any origin" would hand every session to every page.
        let exact = http_uri(&text).is_some_and(|uri| {
            let authority = uri.authority().map_or("", |authority| authority.as_str());
            let default_port = match uri.scheme_str() {
                Some("https") => ":443",
                _ => ":80",
            };
            let usual = authority.ends_with(default_port) || authority.contains('@');
            !usual && text == format!("{}://{authority}", uri.scheme_str().unwrap_or_default())
        });
        let lower_case = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if exact && lower_case {
            return Ok(Self(text));
        }
        Err(format!(
            "{text:?} must be an exact origin such as \"https://school.example\" or \
             \"http://localhost:5173\": lower case, no path, no last slash, no usual port"
        ))
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

fn http_uri(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    let host = uri.host().is_some_and(|host| !host.is_empty() && !host.contains('*'));
    (web && host).then_some(uri)
}

/// A database's URL. It may hold a password, so it does not show itself.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// A URL that holds no secret.
    pub(super) fn new(url: String) -> Self {
        Self(url)
    }

    /// The whole URL, with its password: for connecting, not for showing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is a password in it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.shown() != self.0
    }

    /// The URL with `***` in place of its password, whether that stands before the host or among
    /// the parameters.
    #[must_use]
    pub fn shown(&self) -> String {
        let (address, parameters) = match self.0.split_once('?') {
            Some((address, parameters)) => (address, Some(parameters)),
            None => (self.0.as_str(), None),
        };
        let mut shown = hide_password(address);
        for (index, parameter) in parameters.iter().flat_map(|all| all.split('&')).enumerate() {
            shown.push(if index == 0 { '?' } else { '&' });
            match parameter.split_once('=') {
                Some((name, _)) if name.contains("password") => {
                    shown.extend([name, "=", HIDDEN]);
                }
                _ => shown.push_str(parameter),
            }
        }
        shown
    }
}

fn hide_password(address: &str) -> String {
    let hidden = address.split_once("://").and_then(|(scheme, rest)| {
        // A password may hold an '@' that nobody has encoded: the host follows the last one.
        let (account, host) = rest.rsplit_once('@')?;
        let (user, _) = account.split_once(':')?;
        Some(format!("{scheme}://{user}:{HIDDEN}@{host}"))
    });
    hidden.unwrap_or_else(|| address.to_owned())
}

impl Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.shown())
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

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
    fn origins_are_exact() {
        for good in ["http://localhost:5173", "https://school.example", "http://127.0.0.1:8000"] {
            assert!(Origin::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "*",
            "null",
            "school.example",
            "https://school.example/",
            "https://School.example",
            "https://*.school.example",
            "https://school.example:443",
            "http://school.example:80",
            "https://user@school.example",
            "ftp://school.example",
        ] {
            assert!(Origin::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn public_urls_lose_their_last_slash() {
        let url = PublicUrl::try_from("https://school.example/".to_owned()).unwrap();
        assert_eq!(url.as_str(), "https://school.example");
        for bad in ["school.example", "https://", "https://school.example/?a=b", "mailto:a@b.c"] {
            assert!(PublicUrl::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn database_urls_hide_passwords() {
        for (url, shown) in [
            ("sqlite://edupro.db", "sqlite://edupro.db"),
            ("postgres://edupro@db/school", "postgres://edupro@db/school"),
            ("postgres://edupro:hunter2@db/school", "postgres://edupro:***@db/school"),
            ("postgres://edupro:hun@ter:2@db/school", "postgres://edupro:***@db/school"),
            ("postgres://db/school?user=a&password=b", "postgres://db/school?user=a&password=***"),
        ] {
            let url = DatabaseUrl(url.to_owned());
            assert_eq!(url.shown(), shown);
            assert_eq!(format!("{url:?}"), shown);
        }
    }

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
