//! Several values in one field: ids in a list, and texts with names.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::{
    Raw,
    fields::{Empty, Kind, Reading, Text, one, text},
    json,
    lists::json_of,
    numbers::{Id, id},
};
use crate::openapi;

/// Most texts of a field, and the longest name of one, in characters.
const TEXTS_MAX: usize = 100;

/// A list of UUIDs: in JSON an array, in a form of a browser the text of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids(Id);

/// A list of UUIDs.
pub(crate) const fn ids() -> Ids {
    Ids(id())
}

impl Kind for Ids {
    type Value = Vec<Uuid>;

    fn schema(&self, description: &mut openapi::Description<'_>) -> Value {
        serde_json::json!({"type": "array", "items": self.0.schema(description)})
    }

    fn parse(&self, raw: Raw) -> Reading<Vec<Uuid>> {
        match json_of(raw) {
            Value::Array(ids) => ids.into_iter().map(|id| self.0.parse(Raw::Json(id))).collect(),
            other => one(json::not_a_list(&other)),
        }
    }

    fn empty(&self) -> Empty {
        Empty::Null
    }
}

/// Texts by name: a JSON object, in a form of a browser the text of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts(Text);

/// Texts by name, of which each obeys this rule.
pub(crate) const fn texts(each: Text) -> Texts {
    Texts(each)
}

impl Kind for Texts {
    type Value = BTreeMap<String, String>;

    fn schema(&self, description: &mut openapi::Description<'_>) -> Value {
        serde_json::json!({"type": "object", "additionalProperties": self.0.schema(description), "maxProperties": TEXTS_MAX})
    }

    fn parse(&self, raw: Raw) -> Reading<BTreeMap<String, String>> {
        match json_of(raw) {
            Value::Object(texts) if texts.len() > TEXTS_MAX => one(json::too_many(TEXTS_MAX)),
            Value::Object(texts) => {
                let name = text().at_most(TEXTS_MAX);
                let read = |(key, value)| {
                    Ok((name.parse(Raw::Text(key))?, self.0.parse(Raw::Json(value))?))
                };
                texts.into_iter().map(read).collect()
            }
            other => one(json::not_a_dictionary(&other)),
        }
    }

    fn empty(&self) -> Empty {
        Empty::Null
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::{error::Words, extract::body::fields::Wrong};

    fn read<K: Kind>(kind: &K, raw: Raw) -> Result<K::Value, Vec<Words>> {
        kind.parse(raw).map_err(|wrong| match wrong {
            Wrong::Value(words) => words,
            wrong => panic!("{wrong:?}"),
        })
    }

    #[test]
    fn ids_are_a_list_of_good_ones() {
        let one = "00000000-0000-7000-8000-000000000000";
        let good = vec![one.parse::<Uuid>().unwrap(); 2];
        assert_eq!(read(&ids(), Raw::Json(json!([one, one]))), Ok(good.clone()));
        assert_eq!(read(&ids(), Raw::Text(format!("[\"{one}\", \"{one}\"]"))), Ok(good));
        assert_eq!(read(&ids(), Raw::Json(json!([]))), Ok(Vec::new()));
        let words = |value| read(&ids(), Raw::Json(value)).unwrap_err();
        assert_eq!(words(json!([one, "zzz"])), ["Must be a valid UUID."]);
        assert_eq!(words(json!([null])), ["Must be a valid UUID."]);
        assert_eq!(words(json!(one)), ["Expected a list of items but got type \"str\"."]);
    }

    #[test]
    fn texts_have_names_and_a_rule() {
        let kind = texts(text().or_blank().at_most(3));
        let words = |value| read(&kind, Raw::Json(value)).unwrap_err();
        let good = read(&kind, Raw::Json(json!({"b1": " abc ", "b2": 5, "b3": ""})));
        let good = good.unwrap().into_values().collect::<Vec<_>>();
        assert_eq!(good, ["abc", "5", ""]);
        assert_eq!(
            words(json!({"b1": "long"})),
            ["Ensure this field has no more than 3 characters."]
        );
        assert_eq!(words(json!({"b1": null})), ["Not a valid string."]);
        assert_eq!(words(json!({"b\0": "a"})), ["Null characters are not allowed."]);
        assert_eq!(words(json!(["a"])), ["Expected a dictionary of items but got type \"list\"."]);
        let many: serde_json::Map<_, _> =
            (0..101).map(|number| (number.to_string(), serde_json::json!("a"))).collect();
        assert_eq!(words(many.into()), ["Ensure this field has no more than 100 elements."]);
    }
}
