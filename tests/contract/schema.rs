//! What the page says a body looks like, against the schemas of the document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::page::{Page, placeholder};

/// A comparison of bodies, and what was found.
#[derive(Debug)]
pub(crate) struct Schemas<'a> {
    page: &'a Page,
    document: &'a Value,
    /// Which shape is compared with which schema already.
    compared: BTreeSet<(String, String)>,
}

/// Places in both, and what is different there.
type Differences = Vec<String>;

impl<'a> Schemas<'a> {
    pub(crate) fn new(page: &'a Page, document: &'a Value) -> Self {
        Self { page, document, compared: BTreeSet::new() }
    }

    /// The schemas that this one is one of.
    pub(crate) fn alternatives(&self, schema: &'a Value) -> Vec<&'a Value> {
        let target = self.resolve(schema);
        let several = ["anyOf", "oneOf"].iter().find_map(|key| target.get(key)?.as_array());
        several.map_or_else(
            || vec![schema],
            |several| several.iter().flat_map(|schema| self.alternatives(schema)).collect(),
        )
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let Some(name) = reference(schema) else { return schema };
        let target = &self.document["components"]["schemas"][name];
        self.resolve(target)
    }

    /// How an answer of the page differs from what the document has.
    pub(crate) fn differences(&mut self, template: &Value, schema: &'a Value) -> Differences {
        let mut found = Vec::new();
        self.compare(template, schema, "the body", &mut found);
        found
    }

    /// The same, all over again: for choosing between several.
    pub(crate) fn fits(&self, template: &Value, schema: &'a Value) -> bool {
        Self::new(self.page, self.document).differences(template, schema).is_empty()
    }

    fn compare(
        &mut self,
        template: &Value,
        schema: &'a Value,
        place: &str,
        found: &mut Differences,
    ) {
        let variants = self.alternatives(schema);
        let is_null = |schema: &&Value| schema["type"] == "null";
        let (nulls, variants): (Vec<_>, Vec<_>) = variants.into_iter().partition(is_null);
        let may_be_null = !nulls.is_empty()
            || variants.iter().any(|schema| types(self.resolve(schema)).any(|name| name == "null"));
        let (word, says_null) = template.as_str().and_then(placeholder).unzip();
        let says_null = says_null.unwrap_or_default();
        if may_be_null != says_null {
            let [page, document] = [says_null, may_be_null].map(|is| if is { "" } else { "not " });
            found.push(format!("{place}: {page}null in the page, {document}null in the document"));
        }
        if let Some((name, shape)) = word.and_then(|name| self.page.shapes.get_key_value(name)) {
            let place = format!("{name} (docs/contract.md:{})", shape.line);
            if let ([one], Value::Object(_)) = (&variants[..], &shape.template) {
                let schema_name = reference(one).unwrap_or_default().to_owned();
                if schema_name.is_empty() || self.compared.insert((name.clone(), schema_name)) {
                    self.compare(&shape.template, one, &place, found);
                }
            } else {
                self.compare_one(&shape.template, &variants, &place, found);
            }
            return;
        }
        self.compare_one(template, &variants, place, found);
    }

    fn compare_one(
        &mut self,
        template: &Value,
        variants: &[&'a Value],
        place: &str,
        found: &mut Differences,
    ) {
        if template.as_str() == Some("<object>") {
            let are_objects = variants
                .iter()
                .all(|schema| types(self.resolve(schema)).any(|name| name == "object"));
            if !are_objects || variants.is_empty() {
                found.push(format!("{place}: no object in the document"));
            }
            return;
        }
        let &[schema] = variants else {
            found.push(format!("{place}: one of {} things in the document", variants.len()));
            return;
        };
        let name = reference(schema).unwrap_or("this");
        let target = self.resolve(schema);
        match template {
            Value::Object(keys) => self.compare_keys(keys, target, name, place, found),
            Value::Array(items) => {
                let Some(schema) = target.get("items") else {
                    found.push(format!("{place}: a list in the page, none in the document"));
                    return;
                };
                for item in items {
                    self.compare(item, schema, &format!("{place}[]"), found);
                }
            }
            Value::String(text) => {
                let fits = match placeholder(text) {
                    Some((word, _)) => is_word(word, target),
                    None => accepts(self.document, template, target),
                };
                if !fits {
                    found.push(format!("{place}: {text} in the page, {target} in the document"));
                }
            }
            value => {
                if !accepts(self.document, value, target) {
                    found.push(format!("{place}: {value} in the page, {target} in the document"));
                }
            }
        }
    }

    fn compare_keys(
        &mut self,
        keys: &Map<String, Value>,
        schema: &'a Value,
        name: &str,
        place: &str,
        found: &mut Differences,
    ) {
        let mut known = BTreeMap::new();
        let mut required = BTreeSet::new();
        let mut others = None;
        self.collect(schema, &mut known, &mut required, &mut others);
        let mut said = BTreeSet::new();
        for (key, template) in keys {
            if key == "*" {
                match others {
                    Some(schema) => self.compare(template, schema, &format!("{place}.*"), found),
                    None => found.push(format!("{place}: other keys, which {name} has not")),
                }
                continue;
            }
            let (key, is_optional) =
                key.strip_suffix('?').map_or((key.as_str(), false), |key| (key, true));
            said.insert(key);
            let Some(schema) = known.get(key) else {
                found.push(format!("{place}.{key}: {name} of the document has no such key"));
                continue;
            };
            if is_optional == required.contains(key) {
                found.push(format!("{place}.{key}: whether it may be missing is not agreed"));
            }
            self.compare(template, schema, &format!("{place}.{key}"), found);
        }
        for key in known.keys().filter(|key| !said.contains(*key)) {
            found.push(format!("{place}: the page has no key {key}, which {name} has"));
        }
        if others.is_some() && !keys.contains_key("*") {
            found.push(format!("{place}: the page has no other keys, which {name} has"));
        }
    }

    /// All keys of an object, those of what it is made of, too.
    fn collect(
        &self,
        schema: &'a Value,
        known: &mut BTreeMap<&'a str, &'a Value>,
        required: &mut BTreeSet<&'a str>,
        others: &mut Option<&'a Value>,
    ) {
        let schema = self.resolve(schema);
        if let Some(properties) = schema["properties"].as_object() {
            known.extend(properties.iter().map(|(key, schema)| (key.as_str(), schema)));
        }
        required
            .extend(schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str));
        *others = others.or(schema.get("additionalProperties").filter(|others| others.is_object()));
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.collect(part, known, required, others);
        }
    }

    /// The fields of a body, those of a list's things as `options[].is_correct`, and whether each
    /// has to be there.
    pub(crate) fn fields(&self, body: &'a Value) -> BTreeMap<String, (Vec<&'a Value>, bool)> {
        let mut fields = BTreeMap::new();
        for content in body["content"].as_object().into_iter().flat_map(Map::values) {
            for schema in self.alternatives(&content["schema"]) {
                self.collect_fields(schema, "", &mut fields);
            }
        }
        fields
    }

    fn collect_fields(
        &self,
        schema: &'a Value,
        before: &str,
        fields: &mut BTreeMap<String, (Vec<&'a Value>, bool)>,
    ) {
        let mut known = BTreeMap::new();
        let mut required = BTreeSet::new();
        self.collect(schema, &mut known, &mut required, &mut None);
        for (key, schema) in known {
            let name = format!("{before}{key}");
            for schema in self.alternatives(schema) {
                let target = self.resolve(schema);
                if target["type"] == "null" {
                    continue;
                }
                let field = fields.entry(name.clone()).or_default();
                field.0.push(target);
                field.1 |= required.contains(key);
                if let Some(items) = target.get("items") {
                    self.collect_fields(items, &format!("{name}[]."), fields);
                }
            }
        }
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// The names of types that a schema has.
fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let several = schema["type"].as_array().into_iter().flatten();
    std::iter::once(&schema["type"]).chain(several).filter_map(Value::as_str)
}

/// Whether a word of the page is what a schema says.
pub(crate) fn is_word(word: &str, schema: &Value) -> bool {
    let has = |name| types(schema).any(|known| known == name);
    let format = schema["format"].as_str().unwrap_or_default();
    let is_decimal = schema["pattern"].as_str().is_some_and(|pattern| pattern.contains(r"\.\d\d"));
    match word {
        "list" => has("array"),
        "decimal" => (has("string") && is_decimal) || (has("number") && has("string")),
        "uuid" => has("string") && format == "uuid",
        "datetime" => has("string") && format == "date-time",
        "date" => has("string") && format == "date",
        "file" => has("string") && matches!(format, "binary" | "uri"),
        "text" | "url" => {
            has("string") && !is_decimal && matches!(format, "" | "uri" | "password" | "email")
        }
        word => has(word) && !(word == "number" && has("string")),
    }
}

/// Whether a schema of the document accepts this value.
pub(crate) fn accepts(document: &Value, value: &Value, schema: &Value) -> bool {
    if let Some(name) = reference(schema) {
        return accepts(document, value, &document["components"]["schemas"][name]);
    }
    let any = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)?.as_array());
    if let Some(any) = any {
        return any.iter().any(|schema| accepts(document, value, schema));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return false;
    }
    if schema["enum"].as_array().is_some_and(|known| !known.contains(value)) {
        return false;
    }
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_type =
        types(schema).any(|known| known == name || (known == "number" && name == "integer"));
    if !is_type && schema.get("type").is_some() {
        return false;
    }
    match value {
        Value::Array(items) => {
            let item = &schema["items"];
            item.is_null() || items.iter().all(|value| accepts(document, value, item))
        }
        Value::Object(keys) => {
            let least = schema["minProperties"].as_u64().unwrap_or_default();
            let required = schema["required"].as_array().into_iter().flatten();
            let mut required = required.filter_map(Value::as_str);
            keys.len() as u64 >= least
                && required.all(|key| keys.contains_key(key))
                && keys.iter().all(|(key, value)| {
                    let known = schema["properties"].get(key);
                    match known.or_else(|| schema.get("additionalProperties")) {
                        Some(Value::Bool(others)) => *others,
                        Some(schema) => accepts(document, value, schema),
                        None => true,
                    }
                })
        }
        _ => true,
    }
}
