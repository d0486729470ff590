//! Every answer that a story gets is held against the document of the API: it has the operation,
//! the status, and exactly the keys.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{LazyLock, Mutex, PoisonError},
};

use edupro_http::testkit::Exchange;
use jsonschema::Validator;
use serde_json::{Value, json};

/// Answers that the guards give, whatever the operation.
const OF_THE_GUARDS: [u16; 8] = [405, 408, 413, 415, 429, 500, 503, 507];
/// Where answers are noted, for the examples of the document.
const NOTED: &str = "EDUPRO_TEST_NOTE_ANSWERS";

/// What the document says, ready to be compared.
struct Document {
    /// Paths in pieces, those without parameters first.
    paths: Vec<(Vec<String>, String)>,
    answers: BTreeMap<(String, String, String), Option<Validator>>,
    summaries: BTreeMap<(String, String), String>,
}

static DOCUMENT: LazyLock<Document> = LazyLock::new(Document::read);
static NOTES: Mutex<()> = Mutex::new(());

impl Document {
    fn read() -> Self {
        let mut document = edupro_http::openapi::document("");
        let mut components = document["components"].take();
        close(&mut components);
        let mut answers = BTreeMap::new();
        let (mut paths, mut summaries) = (Vec::new(), BTreeMap::new());
        for (path, methods) in document["paths"].as_object().unwrap() {
            paths.push((pieces(path), path.clone()));
            for (method, operation) in methods.as_object().unwrap() {
                let key = (method.to_ascii_uppercase(), path.clone());
                summaries.insert(key, operation["summary"].as_str().unwrap().to_owned());
                for (status, answer) in operation["responses"].as_object().unwrap() {
                    let schema = &answer["content"]["application/json"]["schema"];
                    let validator = (!schema.is_null()).then(|| {
                        let mut schema = schema.clone();
                        close(&mut schema);
                        let schema = json!({"components": components, "allOf": [schema]});
                        jsonschema::validator_for(&schema).unwrap()
                    });
                    let method = method.to_ascii_uppercase();
                    answers.insert((method, path.clone(), status.clone()), validator);
                }
            }
        }
        paths.sort_by_key(|(pieces, _)| {
            pieces.iter().map(|piece| piece.starts_with('{')).collect::<Vec<_>>()
        });
        Self { paths, answers, summaries }
    }

    /// The path of the document that this one is.
    fn template(&self, path: &str) -> Option<&str> {
        let asked = pieces(path);
        let fits = |known: &[String]| {
            known.len() == asked.len()
                && known
                    .iter()
                    .zip(&asked)
                    .all(|(known, asked)| known.starts_with('{') || known == asked)
        };
        let found = self.paths.iter().find(|(known, _)| fits(known));
        found.map(|(_, path)| path.as_str())
    }
}

fn pieces(path: &str) -> Vec<String> {
    path.trim_matches('/').split('/').map(str::to_owned).collect()
}

/// Objects have the keys that are said, and no others.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.contains_key("properties") && !map.contains_key("additionalProperties") {
                map.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

/// Holds an answer against the document.
pub(crate) fn check(exchange: &Exchange<'_>) {
    let path = exchange.path.split('?').next().unwrap_or_default();
    let Some(template) = DOCUMENT.template(path) else { return };
    let (method, status) = (exchange.method.as_str(), exchange.answer.status());
    let key = |status: String| (method.to_owned(), template.to_owned(), status);
    if matches!(method, "OPTIONS" | "HEAD") || OF_THE_GUARDS.contains(&status) {
        return;
    }
    let body = serde_json::from_slice::<Value>(exchange.answer.bytes()).ok();
    // Any change may be refused because of where it comes from (security R11).
    let is_foreign = |body: &Value| {
        body["detail"].as_str().is_some_and(|words| words.starts_with("CSRF Failed"))
    };
    if status == 403 && body.as_ref().is_some_and(is_foreign) {
        return;
    }
    #[expect(clippy::disallowed_methods, reason = "no configuration reaches a test")]
    let noted = std::env::var(NOTED);
    if let Ok(file) = noted {
        let summary = DOCUMENT.summaries.get(&(method.to_owned(), template.to_owned()));
        note(&file, &json!([summary, status, body]));
    }
    let Some(known) = DOCUMENT.answers.get(&key(status.to_string())) else {
        panic!("the document has no {status} for {method} {template}: {}", exchange.answer);
    };
    match (known, body) {
        (None, None) => {}
        (Some(validator), Some(body)) => {
            let wrong: Vec<_> = validator
                .iter_errors(&body)
                .map(|error| format!("{} at {}", error, error.instance_path()))
                .collect();
            assert!(
                wrong.is_empty(),
                "{method} {template} answers other than the document says: {wrong:#?}\n{body:#}"
            );
        }
        (None, Some(body)) => {
            panic!("the document has no body for {status} of {method} {template}: {body}")
        }
        (Some(_), None) => panic!("the document has a body for {status} of {method} {template}"),
    }
}

fn note(file: &str, noted: &Value) {
    let _turn = NOTES.lock().unwrap_or_else(PoisonError::into_inner);
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    writeln!(file, "{noted}").unwrap();
}
