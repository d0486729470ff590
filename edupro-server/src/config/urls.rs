//! URLs that check themselves while they are read.

use std::fmt::{self, Debug, Formatter};

use axum::http::Uri;
use serde::{Deserialize, Serialize, Serializer};

use super::values::HIDDEN;

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
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown())
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
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
}
