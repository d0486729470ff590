//! Lists of forms in a body, and JSON as it is (behaviour G6).

use std::marker::PhantomData;

use serde_json::Value;

use super::{
    Form, Input, Raw,
    fields::{Empty, Kind, Reading, Wrong, one},
    json,
};
use crate::{
    error::{ApiError, FieldErrors},
    openapi,
};

/// A list of forms: in JSON an array, in a form of a browser the text of one.
#[derive(Debug)]
pub(crate) struct Each<F> {
    most: usize,
    form: PhantomData<fn() -> F>,
}

/// A list of forms.
pub(crate) const fn each<F: Form>() -> Each<F> {
    Each { most: usize::MAX, form: PhantomData }
}

impl<F> Each<F> {
    /// No more than so many.
    pub(crate) const fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }
}

impl<F: Form> Kind for Each<F> {
    type Value = Vec<F>;

    fn schema(&self, description: &mut openapi::Description<'_>) -> Value {
        let mut schema = serde_json::json!({"type": "array", "items": F::document(description)});
        if self.most < usize::MAX {
            schema["maxItems"] = self.most.into();
        }
        schema
    }

    fn parse(&self, raw: Raw) -> Reading<Vec<F>> {
        let elements = match json_of(raw) {
            Value::Array(elements) => elements,
            other => return one(json::not_a_list(&other)),
        };
        if elements.len() > self.most {
            return one(json::too_many(self.most));
        }
        let mut forms = Vec::with_capacity(elements.len());
        let mut errors = Vec::with_capacity(elements.len());
        for element in elements {
            let (form, wrong) = read(element)?;
            forms.extend(form);
            errors.push(wrong);
        }
        match errors.iter().all(FieldErrors::is_empty) {
            true => Ok(forms),
            false => Err(Wrong::Elements(errors)),
        }
    }

    fn empty(&self) -> Empty {
        Empty::Absent
    }
}

/// One form of a list, and what is wrong with it.
fn read<F: Form>(element: Value) -> Result<(Option<F>, FieldErrors), Wrong> {
    let Value::Object(map) = element else {
        let mut errors = FieldErrors::default();
        errors.add("non_field_errors", json::not_an_object(&element));
        return Ok((None, errors));
    };
    let mut input = Input::of(map);
    let draft = F::read(&mut input);
    let errors = input.into_errors().map_err(Wrong::Store)?;
    Ok((F::complete(draft), errors))
}

/// The JSON that a value is. A text that is none stays a text.
pub(super) fn json_of(raw: Raw) -> Value {
    match raw {
        Raw::Json(Value::String(text)) | Raw::Text(text) => {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        Raw::Json(value) => value,
        Raw::File(_) | Raw::LargeFile => Value::String(String::new()),
    }
}

/// What a body is that may be a form or a list of them.
#[derive(Debug)]
pub(crate) enum OneOrMany<F> {
    /// A form.
    One(F),
    /// A list.
    Many(Vec<F>),
}

/// A body that is a list; what is wrong with it stands below `field`.
pub(super) fn read_many<F: Form>(
    sent: Value,
    field: &'static str,
    most: usize,
) -> Result<Vec<F>, ApiError> {
    let mut errors = FieldErrors::default();
    match each().at_most(most).parse(Raw::Json(sent)) {
        Ok(forms) if !forms.is_empty() => return Ok(forms),
        Ok(_) => errors.add(field, "This list may not be empty."),
        Err(Wrong::Value(words)) => words.into_iter().for_each(|words| errors.add(field, words)),
        Err(Wrong::Elements(elements)) => errors.add_elements(field, elements),
        Err(Wrong::Store(error)) => return Err(error.into()),
    }
    Err(ApiError::fields(errors))
}

/// A JSON object: in a form of a browser the text of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object;

/// A JSON object.
pub(crate) const fn object() -> Object {
    Object
}

impl Kind for Object {
    type Value = Value;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        serde_json::json!({"type": "object"})
    }

    fn parse(&self, raw: Raw) -> Reading<Value> {
        match json_of(raw) {
            // PostgreSQL keeps no NUL in JSON either.
            object @ Value::Object(_) if has_nul(&object) => {
                one("Null characters are not allowed.")
            }
            object @ Value::Object(_) => Ok(object),
            other => one(json::not_a_dictionary(&other)),
        }
    }

    fn empty(&self) -> Empty {
        Empty::Null
    }
}

/// `serde_json` reads no more than 128 levels, so this cannot run away.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::extract::{
        body::fields::{Field, optional},
        form,
    };

    form! {
        struct Point / PointDraft {
            x: i64 = required(whole()),
            name: Option<String> = optional(text().at_most(3)),
        }
    }

    fn points(raw: Raw) -> Result<Option<Value>, Value> {
        let read = optional(each::<Point>().at_most(3)).read(Some(raw));
        let shown = |points: Vec<Point>| {
            points.iter().map(|it| serde_json::json!([it.x, it.name])).collect()
        };
        read.map(|points| points.map(shown)).map_err(|wrong| match wrong {
            Wrong::Value(words) => serde_json::json!(words),
            Wrong::Elements(elements) => serde_json::json!(elements),
            wrong @ Wrong::Store(_) => panic!("{wrong:?}"),
        })
    }

    #[test]
    fn lists_are_read_from_json_and_from_its_text() {
        assert_eq!(
            points(Raw::Json(json!([{"x": 1}, {"x": "2", "name": "b", "z": 0}]))),
            Ok(Some(json!([[1, null], [2, "b"]])))
        );
        let text = r#"[{"x": 1, "name": "a"}]"#.to_owned();
        assert_eq!(points(Raw::Text(text)), Ok(Some(json!([[1, "a"]]))));
        assert_eq!(points(Raw::Json(json!([]))), Ok(Some(json!([]))));
        assert_eq!(points(Raw::Json(json!(null))), Ok(None));
        assert_eq!(points(Raw::Text(String::new())), Ok(None));
    }

    #[test]
    fn good_elements_have_no_errors_and_bad_ones_all_of_theirs() {
        let sent = serde_json::json!([{"x": 1}, {"x": "a", "name": "long"}, 5]);
        let errors = serde_json::json!([
            {},
            {
                "x": ["A valid integer is required."],
                "name": ["Ensure this field has no more than 3 characters."],
            },
            {"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]},
        ]);
        assert_eq!(points(Raw::Json(sent)), Err(errors));
    }

    #[test]
    fn other_things_are_no_lists() {
        for (sent, got) in [(json!("[1"), "str"), (json!({"x": 1}), "dict"), (json!(1), "int")] {
            let words = format!("Expected a list of items but got type \"{got}\".");
            assert_eq!(points(Raw::Json(sent)), Err(json!([words])));
        }
        assert_eq!(
            points(Raw::Json(json!([{}, {}, {}, {}]))),
            Err(json!(["Ensure this field has no more than 3 elements."]))
        );
    }

    #[test]
    fn objects_have_no_null_characters_at_any_depth() {
        let read = |value| Object.parse(Raw::Json(value)).map_err(|_| ());
        assert_eq!(read(json!({"a": [{"b": "c"}]})), Ok(json!({"a": [{"b": "c"}]})));
        assert_eq!(read(json!("{\"a\": 1}")), Ok(json!({"a": 1})));
        for bad in [
            json!([]),
            serde_json::json!("x"),
            serde_json::json!({"a": [{"b": "\0"}]}),
            serde_json::json!({"a": {"\0": 1}}),
        ] {
            assert_eq!(read(bad.clone()), Err(()), "{bad}");
        }
    }
}
