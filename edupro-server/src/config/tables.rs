//! `[video.mine]`: tables for providers that this server does not know. Which options there are
//! and which of them are secret only the type knows that they are read into, so every text is taken
//! for a secret.

use std::collections::BTreeMap;

use figment::{
    Figment,
    error::{Actual, Kind},
    value::{Dict, Value},
};

use super::{error::ConfigError, source::Source, values::HIDDEN};

/// The tables that there may be, by their names such as `video.mine`.
pub(crate) struct Tables(BTreeMap<String, Table>);

impl Tables {
    pub(crate) fn new(names: impl Iterator<Item = String>) -> Self {
        let table =
            |name: String| (name.clone(), Table { name, file: None, variables: Vec::new() });
        Self(names.map(table).collect())
    }

    pub(crate) fn get(&mut self, name: &str) -> Option<&mut Table> {
        self.0.get_mut(name)
    }

    /// The table of an option such as `video.mine.token`, and the option's name in it.
    pub(super) fn of_option<'k>(&mut self, key: &'k str) -> Option<(&mut Table, &'k str)> {
        let (section, rest) = key.split_once('.')?;
        let (name, option) = rest.split_once('.')?;
        let is_option = option.split('.').all(|part| !part.is_empty());
        let table = self.0.get_mut(&format!("{section}.{name}")).filter(|_| is_option)?;
        Some((table, option))
    }

    /// The names of a section's tables.
    pub(super) fn names(&self, section: &str) -> impl Iterator<Item = &str> {
        self.0.keys().filter_map(move |name| name.strip_prefix(section)?.strip_prefix('.'))
    }

    /// What is set in the tables that there are, to be shown.
    pub(super) fn shown(&self) -> Vec<ShownTable> {
        self.0.values().filter(|table| table.is_there()).map(Table::shown).collect()
    }
}

/// What is written in one table.
pub(crate) struct Table {
    name: String,
    file: Option<Source>,
    variables: Vec<Variable>,
}

/// An option from the environment, where every value is text.
struct Variable {
    name: String,
    option: String,
    value: Value,
}

impl Table {
    pub(super) fn set_file(&mut self, file: &str, options: Dict) {
        self.file = Some(Source { name: file.to_owned(), values: options });
    }

    pub(super) fn set_variable(&mut self, variable: &str, option: &str, text: String) {
        let (name, option) = (variable.to_owned(), option.to_owned());
        self.variables.push(Variable { name, option, value: text.into() });
    }

    /// Such as `video.mine`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whose it is, such as `mine`.
    pub(super) fn provider(&self) -> &str {
        self.name.split_once('.').map_or(&self.name, |(_, provider)| provider)
    }

    /// Whether it is written anywhere, be it empty.
    pub(crate) fn is_there(&self) -> bool {
        self.file.is_some() || !self.variables.is_empty()
    }

    /// Where it begins.
    pub(crate) fn origin(&self) -> &str {
        let file = self.file.as_ref().map(|file| &file.name);
        let origin = file.or_else(|| Some(&self.variables.first()?.name));
        origin.map_or("the default", String::as_str)
    }

    /// The error for a table whose provider is not chosen.
    pub(crate) fn belongs_to(&self, owner: &str) -> ConfigError {
        let problem = super::belongs_to(owner);
        let (origin, key) = (self.origin().to_owned(), self.name.clone());
        ConfigError::Invalid { origin, key, problem }
    }

    /// Reads the options. A variable stays text where text is wanted; where it is not, it is
    /// whatever it would be without quotes in a file.
    pub(crate) fn read<T>(
        &mut self,
        read: impl Fn(&Figment) -> Result<T, Box<figment::Error>>,
    ) -> Result<T, ConfigError> {
        loop {
            let options = self.options();
            match read(&options) {
                Ok(made) => return Ok(made),
                Err(error) if self.unquote(&error) => {}
                Err(error) => return Err(ConfigError::in_table(self, &options, &error)),
            }
        }
    }

    fn options(&self) -> Figment {
        let variables = self.variables.iter();
        let variables = variables.map(|it| Source::new(&it.name, &it.option, it.value.clone()));
        let file = self.file.clone();
        file.into_iter().chain(variables).fold(Figment::new(), Figment::merge)
    }

    /// Whether this is about a variable's text where no text is wanted, and the text can also be
    /// something else; it is afterwards.
    fn unquote(&mut self, error: &figment::Error) -> bool {
        let Kind::InvalidType(Actual::Str(_), _) = &error.kind else { return false };
        let option = error.path.join(".");
        let variable = self.variables.iter_mut().rfind(|variable| variable.option == option);
        let Some(variable) = variable else { return false };
        let Value::String(_, text) = &variable.value else { return false };
        match text.parse() {
            Ok(value @ (Value::Bool(..) | Value::Num(..) | Value::Array(..) | Value::Dict(..))) => {
                variable.value = value;
                true
            }
            _ => false,
        }
    }

    fn shown(&self) -> ShownTable {
        let options = self.options();
        let mut shown = ShownTable { name: self.name.clone(), options: Vec::new() };
        let values: Dict = options.extract().unwrap_or_default();
        let mut left: Vec<(String, String, &Value)> =
            values.iter().rev().map(|(name, value)| (name.clone(), quoted(name), value)).collect();
        while let Some((path, name, value)) = left.pop() {
            if let Value::Dict(_, inner) = value {
                left.extend(inner.iter().rev().map(|(inner, value)| {
                    (format!("{path}.{inner}"), format!("{name}.{}", quoted(inner)), value)
                }));
                continue;
            }
            let value = match value {
                Value::Bool(..) | Value::Num(..) => serde_json::to_string(value).ok(),
                _ => None,
            };
            let origin = options.find_metadata(&path).map(|found| found.name.to_string());
            shown.options.push(ShownOption {
                name,
                is_hidden: value.is_none(),
                value: value.unwrap_or_else(|| format!("\"{HIDDEN}\"")),
                origin: origin.unwrap_or_else(|| self.origin().to_owned()),
            });
        }
        shown
    }
}

/// A name as TOML has it.
fn quoted(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match !name.is_empty() && name.bytes().all(is_bare) {
        true => name.to_owned(),
        false => format!("{name:?}"),
    }
}

/// A table without its secrets.
#[derive(Debug)]
pub(super) struct ShownTable {
    pub(super) name: String,
    pub(super) options: Vec<ShownOption>,
}

/// An option without its secret.
#[derive(Debug)]
pub(super) struct ShownOption {
    pub(super) name: String,
    /// In the words of TOML.
    pub(super) value: String,
    pub(super) is_hidden: bool,
    pub(super) origin: String,
}
