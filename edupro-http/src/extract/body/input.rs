//! A body's values before they are read, whichever content type they came in.

use std::collections::HashMap;

use edupro_core::files::{FileError, Upload};
use serde_json::{Map, Value};

use super::fields::{Field, Wrong};
use crate::error::FieldErrors;

/// One value as it came.
#[derive(Debug)]
pub(crate) enum Raw {
    /// Of a JSON object.
    Json(Value),
    /// Of a form. Forms have nothing but text.
    Text(String),
    /// A file of a multipart form.
    File(Upload),
    /// A file that was cut off because it was larger than its field allows.
    LargeFile,
}

/// A body's values by name.
#[derive(Debug)]
pub(crate) struct Input {
    values: HashMap<String, Raw>,
    errors: FieldErrors,
    broken: Option<FileError>,
}

impl Input {
    pub(super) fn empty() -> Self {
        Self { values: HashMap::new(), errors: FieldErrors::default(), broken: None }
    }

    /// The fields of a JSON object.
    pub(super) fn of(map: Map<String, Value>) -> Self {
        let values = map.into_iter().map(|(key, value)| (key, Raw::Json(value))).collect();
        Self { values, ..Self::empty() }
    }

    /// Of several values with one name the last counts.
    pub(super) fn put(&mut self, name: String, value: Raw) {
        self.values.insert(name, value);
    }

    pub(super) fn has_files(&self) -> bool {
        self.values.values().any(|value| matches!(value, Raw::File(_)))
    }

    /// Reads a field, which may also have been sent under an older name; what is wrong with it is
    /// noted under the name that was sent. The first name wins (behaviour G18).
    pub(crate) fn read<F: Field>(
        &mut self,
        name: &'static str,
        older: Option<&'static str>,
        field: &F,
    ) -> Option<F::Output> {
        let older = older.and_then(|older| Some((older, self.values.remove(older)?)));
        let (name, raw) = match (self.values.remove(name), older) {
            (None | Some(Raw::Json(Value::Null)), Some((older, raw))) => (older, Some(raw)),
            (raw, _) => (name, raw),
        };
        match field.read(raw) {
            Ok(value) => return Some(value),
            Err(Wrong::Value(words)) => {
                for words in words {
                    self.errors.add(name, words);
                }
            }
            Err(Wrong::Elements(elements)) => self.errors.add_elements(name, elements),
            Err(Wrong::Store(error)) => self.broken = Some(error),
        }
        None
    }

    /// What was wrong with the fields that were read.
    pub(crate) fn into_errors(self) -> Result<FieldErrors, FileError> {
        self.broken.map_or(Ok(self.errors), Err)
    }
}
