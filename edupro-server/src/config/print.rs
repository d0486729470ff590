//! `edupro config`: what is in force, and where each value came from.

use std::fmt::Write;

use serde_json::Value;

use super::{Loaded, keys::KEYS, values::HIDDEN};

/// From here on a line's comment begins, where there is room.
const COMMENT_COLUMN: usize = 56;

/// A key that is set.
fn set(name: &str, value: &str, origin: &str) -> String {
    let line = format!("{name} = {value}");
    format!("{line:COMMENT_COLUMN$} # {origin}")
}

impl Loaded {
    /// The effective configuration as TOML, secrets hidden, each key with its origin.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let values = self.shown_values();
        let mut toml = String::new();
        let mut section = "";
        for (key, _) in KEYS {
            let name = match key.split_once('.') {
                Some((of, name)) => {
                    if of != section {
                        let _ = write!(toml, "\n[{of}]\n");
                        section = of;
                    }
                    name
                }
                None => key,
            };
            let pointer = format!("/{}", key.replace('.', "/"));
            let origin = self.origins.get(key);
            let line = match values.pointer(&pointer) {
                Some(value) if !value.is_null() => {
                    set(name, &value.to_string(), origin.unwrap_or("default"))
                }
                _ => format!("# {name} is not set"),
            };
            let _ = writeln!(toml, "{line}");
        }
        for table in &self.own_tables {
            let _ = write!(toml, "\n[{}]\n", table.name);
            for option in &table.options {
                let _ = writeln!(toml, "{}", set(&option.name, &option.value, &option.origin));
            }
        }
        toml
    }

    /// The sections, with what is worked out from other keys in its place. JSON's texts, numbers
    /// and lists of texts are TOML's.
    fn shown_values(&self) -> Value {
        let mut values = serde_json::to_value(&self.sections).unwrap_or_default();
        let config = &self.config;
        let worked_out = [
            ("/database/url", config.database_url().shown()),
            ("/auth/secret", HIDDEN.to_owned()),
            ("/mail/from", config.mail.from.clone()),
        ];
        for (pointer, value) in worked_out {
            if let Some(place) = values.pointer_mut(pointer) {
                *place = value.into();
            }
        }
        values
    }
}
