//! Why a configuration is not accepted. Every message says where to look and what to write.

use std::{io, path::PathBuf};

use figment::error::{Actual, Kind as Cause};

use super::keys::{self, Kind};

/// Why a configuration is not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file of `--config` cannot be read.
    #[error("{}: cannot read the configuration", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is not TOML. Its words are not repeated: the line may hold a password.
    #[error("{}, line {line}: {problem}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What the reader expected.
        problem: String,
    },
    /// There is no such key.
    #[error("{origin}: there is no key `{key}`; choose from {choice}")]
    UnknownKey {
        /// The file, environment variable or flag.
        origin: String,
        /// The key.
        key: String,
        /// The keys to choose from.
        choice: String,
    },
    /// The key's value cannot be used.
    #[error("{origin}: `{key}` {problem}")]
    Invalid {
        /// The file, environment variable or flag.
        origin: String,
        /// The key.
        key: String,
        /// What is wrong with it: a sentence that begins with `must`, mostly.
        problem: String,
    },
}

impl ConfigError {
    /// Names the keys to choose from.
    pub(super) fn unknown(origin: String, key: String) -> Self {
        let choice = keys::alternatives(&key).join(", ");
        Self::UnknownKey { origin, key, choice }
    }

    /// An unknown variable is mostly a known one with too few underscores.
    pub(super) fn unknown_variable(variable: &str, key: String) -> Self {
        let meant = keys::KEYS
            .iter()
            .map(|(key, _)| keys::variable(key))
            .find(|known| known.replace('_', "") == variable.replace('_', "").to_uppercase());
        let choice = meant.unwrap_or_else(|| keys::alternatives(&key).join(", "));
        Self::UnknownKey { origin: variable.to_owned(), key, choice }
    }

    /// What figment says, in our words and without secrets.
    pub(super) fn from_figment(error: &figment::Error) -> Self {
        let origin = error
            .metadata
            .as_ref()
            .map_or_else(|| "the configuration".to_owned(), |origin| origin.name.to_string());
        let is_name = |part: &&String| !part.bytes().all(|byte| byte.is_ascii_digit());
        let path: Vec<&str> = error.path.iter().take_while(is_name).map(String::as_str).collect();
        let key = path.join(".");
        let kind = keys::kind(&key);
        let problem = match &error.kind {
            Cause::InvalidType(found, _) | Cause::InvalidValue(found, _) => wrong(kind, found),
            Cause::UnknownVariant(found, choice) => {
                format!("must be one of {}, not {found:?}", choice.join(", "))
            }
            Cause::UnknownField(field, _) => {
                return Self::unknown(origin, format!("{key}.{field}"));
            }
            other => other.to_string(),
        };
        Self::Invalid { origin, key, problem }
    }
}

/// What a key of this kind must be instead of what was found.
fn wrong(kind: Option<Kind>, found: &Actual) -> String {
    let wanted = match kind {
        Some(Kind::Text) => "text in quotes",
        Some(Kind::Secret) => return "must be text in quotes".to_owned(),
        Some(Kind::Number) => "a whole number in its range",
        Some(Kind::Switch) => "true or false",
        Some(Kind::List) => "a list such as [\"a\", \"b\"]",
        None => "a table of keys",
    };
    let found = match found {
        Actual::Bool(value) => value.to_string(),
        Actual::Unsigned(value) => value.to_string(),
        Actual::Signed(value) => value.to_string(),
        Actual::Float(value) => value.to_string(),
        Actual::Str(text) => format!("{text:?}"),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a table".to_owned(),
        other => other.to_string(),
    };
    format!("must be {wanted}, not {found}")
}
