use std::collections::BTreeMap;

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    Description, Operation, Permission,
    examples::{Examples, reason},
};

/// What is said of the whole API.
const ABOUT: &str = "An online school for teachers and their students. Each path works with and \
without its last slash. Bodies may be JSON or forms, and what a form would write as a text may be \
a text in JSON, too. Additional keys are ignored. Whoever logs in gets two cookies; the value of \
`access_token` is accepted as a bearer token as well.";

/// What an operation may answer whatever it does.
const ANY_ERROR: &str = "Any operation may answer 405, 408, 413, 415, 429 and 503 with a message; \
429 and 503 say in `Retry-After` when to come back.";

/// The OpenAPI 3.1 document of some operations.
#[derive(Debug)]
pub(super) struct Document {
    generator: SchemaGenerator,
    paths: BTreeMap<String, Map<String, Value>>,
    sections: Vec<&'static str>,
    names: BTreeMap<String, usize>,
    examples: Examples,
}

impl Document {
    /// The document.
    pub(super) fn of(operations: &[Operation]) -> Value {
        let mut settings = SchemaSettings::draft2020_12().for_serialize();
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        let mut document = Self {
            generator: settings.into_generator(),
            paths: BTreeMap::new(),
            sections: Vec::new(),
            names: BTreeMap::new(),
            examples: Examples::read(),
        };
        for operation in operations {
            document.add(operation);
        }
        document.finish()
    }

    fn add(&mut self, operation: &Operation) {
        let section = operation.details.section;
        if !self.sections.contains(&section) {
            self.sections.push(section);
        }
        let mut description = Description::new(&mut self.generator);
        operation.describe(&mut description);
        let described = described(operation, &description, &mut self.names, &self.examples);
        let methods = self.paths.entry(operation.path.clone()).or_default();
        methods.insert(operation.method.as_str().to_ascii_lowercase(), described);
    }

    fn finish(mut self) -> Value {
        let schemas = self.generator.take_definitions(true);
        let tags: Vec<_> = self.sections.iter().map(|name| json!({"name": name})).collect();
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "EduPro",
                "version": env!("CARGO_PKG_VERSION"),
                "description": ABOUT,
                "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
            },
            "tags": tags,
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "cookie": {"type": "apiKey", "in": "cookie", "name": crate::cookies::ACCESS},
                    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                },
            },
        })
    }
}

/// The parameters of a path, in their order.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

fn described(
    operation: &Operation,
    description: &Description<'_>,
    known: &mut BTreeMap<String, usize>,
    examples: &Examples,
) -> Value {
    let mut about = operation.permission.to_string();
    if let Some(owned) = operation.owned {
        about = format!("{about} What `{owned}` names has to be theirs.");
    }
    let mut described = json!({
        "operationId": operation_id(operation, known),
        "summary": operation.summary(),
        "description": about,
        "tags": [operation.details.section],
        "security": security(operation.permission),
        "parameters": parameters(operation, description),
        "responses": responses(operation, description, examples),
    });
    if !description.body.is_empty() {
        let content = description
            .body
            .iter()
            .map(|(media_type, schema)| ((*media_type).to_owned(), json!({"schema": schema})));
        described["requestBody"] = json!({
            "required": description.is_body_required,
            "content": content.collect::<Map<_, _>>(),
        });
    }
    described
}

/// `coupons_create`: what the handler is called here, and the method where it has several.
fn operation_id(operation: &Operation, known: &mut BTreeMap<String, usize>) -> String {
    let handler = operation.details.handler.rsplit("::").take(2).collect::<Vec<_>>();
    let mut id = handler.into_iter().rev().collect::<Vec<_>>().join("_");
    if operation.details.is_shared {
        id = format!("{id}_{}", operation.method.as_str().to_ascii_lowercase());
    }
    let count = known.entry(id.clone()).or_default();
    *count += 1;
    match *count {
        1 => id,
        count => format!("{id}_{count}"),
    }
}

fn security(permission: Permission) -> Value {
    match permission {
        Permission::Anyone => json!([]),
        _ => json!([{"cookie": []}, {"bearer": []}]),
    }
}

fn parameters(operation: &Operation, description: &Description<'_>) -> Vec<Value> {
    let path = names(&operation.path).zip(&description.path).map(
        |(name, schema)| json!({"name": name, "in": "path", "required": true, "schema": schema}),
    );
    let text = json!({"type": "string"});
    let asked = operation.details.query.iter().map(|(name, about)| (*name, &text, *about));
    let query = description.query.iter().map(|(name, schema, about)| (*name, schema, *about));
    let query = asked.chain(query).map(|(name, schema, about)| {
        json!({"name": name, "in": "query", "required": false, "schema": schema, "description": about})
    });
    let headers = description.headers.iter().map(|(name, about)| {
        json!({"name": name, "in": "header", "required": false, "schema": {"type": "string"}, "description": about})
    });
    path.chain(query).chain(headers).collect()
}

fn responses(operation: &Operation, description: &Description<'_>, examples: &Examples) -> Value {
    let mut responses = Map::new();
    for (status, schemas) in &description.answers {
        let mut response = json!({"description": reason(*status)});
        if let Some(schema) = any_of(schemas) {
            let mut content = json!({"schema": schema});
            let examples = examples.of(&operation.summary(), *status);
            if !examples.is_empty() {
                content["examples"] = examples.into();
            }
            response["content"] = json!({"application/json": content});
        }
        responses.insert(status.to_string(), response);
    }
    responses.insert(
        "default".to_owned(),
        json!({
            "description": ANY_ERROR,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorMessage"}}},
        }),
    );
    responses.into()
}

fn any_of(schemas: &[Value]) -> Option<Value> {
    match schemas {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(json!({"anyOf": several})),
    }
}
