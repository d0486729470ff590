//! Where values come from: file < environment < flags, each remembered by name.

use std::{ffi::OsString, fs, io, net::SocketAddr, path::PathBuf};

use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Format, Toml},
    util::nest,
    value::{Dict, Map, Value},
};

use super::{
    error::ConfigError,
    keys::{self, Kind},
    tables::Tables,
};

/// The file that is read when no other is named, if it is there.
const DEFAULT_FILE: &str = "edupro.toml";

/// Where a configuration is read from.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file of `--config`, which must exist; else `edupro.toml` in the working directory, which
    /// need not.
    pub file: Option<PathBuf>,
    /// Environment variables; those that do not begin with `EDUPRO_` are passed over.
    pub variables: Vec<(OsString, OsString)>,
    /// The flag `--addr`.
    pub addr: Option<SocketAddr>,
}

impl Sources {
    /// What this process was started with.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, addr: Option<SocketAddr>) -> Self {
        Self { file, variables: std::env::vars_os().collect(), addr }
    }

    /// Everything that is set, the later source over the earlier one; and the file, if one was
    /// read. What belongs to one of the tables goes there.
    pub(super) fn read(
        self,
        tables: &mut Tables,
    ) -> Result<(Figment, Option<PathBuf>), ConfigError> {
        let mut figment = Figment::new();
        let (file, path) = read_file(self.file, tables)?.unzip();
        if let Some(file) = file {
            figment = figment.merge(file);
        }
        for (variable, value) in self.variables {
            if let Some(variable) = read_variable(&variable, value, tables)? {
                figment = figment.merge(variable);
            }
        }
        if let Some(addr) = self.addr {
            figment = figment.merge(Source::new("--addr", "http.addr", addr.to_string().into()));
        }
        Ok((figment, path))
    }
}

/// Values that come from one place.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) values: Dict,
}

impl Source {
    pub(super) fn new(name: &str, key: &str, value: Value) -> Self {
        let values = nest(key, value).into_dict().unwrap_or_default();
        Self { name: name.to_owned(), values }
    }
}

impl Provider for Source {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

fn read_file(
    named: Option<PathBuf>,
    tables: &mut Tables,
) -> Result<Option<(Source, PathBuf)>, ConfigError> {
    let must_exist = named.is_some();
    let path = named.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => return Ok(None),
        Err(source) => return Err(ConfigError::Unreadable { path, source }),
    };
    let mut values: Dict = Toml::from_str(&text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
        ConfigError::Syntax { path: path.clone(), line, problem: error.message().to_owned() }
    })?;
    let name = path.display().to_string();
    take_tables(&name, &mut values, tables)?;
    check_keys(&name, &values, tables)?;
    Ok(Some((Source { name, values }, path)))
}

/// Moves the tables of providers of one's own to where they are read.
fn take_tables(file: &str, values: &mut Dict, tables: &mut Tables) -> Result<(), ConfigError> {
    for (section, value) in values {
        let Value::Dict(_, keys) = value else { continue };
        for name in tables.names(section).map(str::to_owned).collect::<Vec<_>>() {
            let key = format!("{section}.{name}");
            match (keys.remove(&name), tables.get(&key)) {
                (Some(Value::Dict(_, options)), Some(table)) => table.set_file(file, options),
                (Some(_), _) => {
                    let (origin, problem) = (file.to_owned(), "must be a table of keys".to_owned());
                    return Err(ConfigError::Invalid { origin, key, problem });
                }
                (None, _) => {}
            }
        }
    }
    Ok(())
}

/// Refuses what no section knows. Serde would as well, but would not name the key's whole path.
fn check_keys(file: &str, values: &Dict, tables: &Tables) -> Result<(), ConfigError> {
    for (name, value) in values {
        let unknown = match value {
            Value::Dict(_, section) if keys::is_section(name) => section
                .keys()
                .map(|key| format!("{name}.{key}"))
                .find(|key| keys::kind(key).is_none()),
            _ => Some(name.clone())
                .filter(|name| keys::kind(name).is_none() && !keys::is_section(name)),
        };
        if let Some(key) = unknown {
            return Err(ConfigError::unknown(file.to_owned(), key, tables));
        }
    }
    Ok(())
}

/// The variable's value, in the type of its key.
fn read_variable(
    variable: &OsString,
    value: OsString,
    tables: &mut Tables,
) -> Result<Option<Source>, ConfigError> {
    // A name that is not text is not one of ours.
    let Some(variable) = variable.to_str() else { return Ok(None) };
    let Some(key) = keys::key_of(variable) else { return Ok(None) };
    let kind = keys::kind(&key);
    if kind.is_none() && tables.of_option(&key).is_none() {
        return Err(ConfigError::unknown_variable(variable, key, tables));
    }
    let Ok(text) = value.into_string() else {
        let (origin, problem) = (variable.to_owned(), "must be valid UTF-8".to_owned());
        return Err(ConfigError::Invalid { origin, key, problem });
    };
    let Some(kind) = kind else {
        if let Some((table, option)) = tables.of_option(&key) {
            table.set_variable(variable, option, text);
        }
        return Ok(None);
    };
    // What cannot be read stays text, and is refused with the key's other wrong values.
    let value = match kind {
        Kind::Text | Kind::Secret => Value::from(text),
        Kind::Number => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
        Kind::Switch => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
        Kind::List => match text.parse() {
            Ok(list @ Value::Array(..)) => list,
            _ => Value::from(text),
        },
    };
    Ok(Some(Source::new(variable, &key, value)))
}
