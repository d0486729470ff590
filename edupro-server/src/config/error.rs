//! Why a configuration is not accepted. Every message says where to look and what to write.

use std::{io, path::PathBuf};

use figment::{
    Figment,
    error::{Actual, Kind as Cause},
};

use super::{
    keys::{self, Kind},
    tables::{Table, Tables},
};

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
    /// The key to look at, if it is about one.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::UnknownKey { key, .. } | Self::Invalid { key, .. } => Some(key),
            Self::Unreadable { .. } | Self::Syntax { .. } => None,
        }
    }

    /// Names the keys to choose from.
    pub(super) fn unknown(origin: String, key: String, tables: &Tables) -> Self {
        let choice = alternatives(&key, tables);
        Self::UnknownKey { origin, key, choice }
    }

    /// An unknown variable is mostly a known one with too few underscores.
    pub(super) fn unknown_variable(variable: &str, key: String, tables: &Tables) -> Self {
        let meant = keys::KEYS
            .iter()
            .map(|(key, _)| keys::variable(key))
            .find(|known| known.replace('_', "") == variable.replace('_', "").to_uppercase());
        let choice = meant.unwrap_or_else(|| alternatives(&key, tables));
        Self::UnknownKey { origin: variable.to_owned(), key, choice }
    }

    /// What figment says, in our words and without secrets.
    pub(super) fn from_figment(error: &figment::Error, tables: &Tables) -> Self {
        let origin = error
            .metadata
            .as_ref()
            .map_or_else(|| "the configuration".to_owned(), |origin| origin.name.to_string());
        let key = path(error);
        let kind = keys::kind(&key);
        let problem = match &error.kind {
            Cause::InvalidType(found, _) | Cause::InvalidValue(found, _) => wrong(kind, found),
            Cause::UnknownVariant(found, choice) => {
                format!("must be one of {}, not {found:?}", choice.join(", "))
            }
            Cause::UnknownField(field, _) => {
                return Self::unknown(origin, format!("{key}.{field}"), tables);
            }
            other => other.to_string(),
        };
        Self::Invalid { origin, key, problem }
    }

    /// What is wrong with an option of a provider of one's own. What was found there is not
    /// repeated: it may be a secret.
    pub(super) fn in_table(table: &Table, options: &Figment, error: &figment::Error) -> Self {
        let option = path(error);
        let found = options.find_metadata(&option).map(|found| found.name.to_string());
        let mut origin = found.unwrap_or_else(|| table.origin().to_owned());
        let mut key = [table.name(), &option].join(".").trim_end_matches('.').to_owned();
        let problem = match &error.kind {
            Cause::UnknownField(_, known) => {
                let choice = known.join(", ");
                return Self::UnknownKey { origin, key, choice };
            }
            Cause::MissingField(field) => {
                "the default".clone_into(&mut origin);
                key = format!("{key}.{field}");
                format!("is needed to use \"{}\"", table.provider())
            }
            Cause::InvalidType(_, wanted) | Cause::InvalidValue(_, wanted) => {
                format!("must be {}", in_our_words(wanted))
            }
            Cause::UnknownVariant(_, choice) => format!("must be one of {}", choice.join(", ")),
            other => other.to_string(),
        };
        Self::Invalid { origin, key, problem }
    }
}

/// The keys to choose from in place of an unknown one, and the tables beside them.
fn alternatives(key: &str, tables: &Tables) -> String {
    let section = key.split('.').next().unwrap_or_default();
    let keys = keys::alternatives(key);
    keys.into_iter().chain(tables.names(section)).collect::<Vec<_>>().join(", ")
}

/// Where it is, without places in lists.
fn path(error: &figment::Error) -> String {
    let is_name = |part: &&String| !part.bytes().all(|byte| byte.is_ascii_digit());
    let path: Vec<&str> = error.path.iter().take_while(is_name).map(String::as_str).collect();
    path.join(".")
}

/// What serde calls a type, for people who know TOML and not Rust.
fn in_our_words(wanted: &str) -> &str {
    let is_type = |first: char| {
        let bits = wanted.rsplit(' ').next().and_then(|word| word.strip_prefix(first));
        bits.is_some_and(|bits| bits == "size" || bits.parse::<u8>().is_ok())
    };
    match wanted {
        "a string" | "a borrowed string" | "a character" => "text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        _ if is_type('u') || is_type('i') => "a whole number in its range",
        _ if is_type('f') => "a number",
        _ if wanted.starts_with("struct ") || wanted == "a map" => "a table of keys",
        other => other,
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
