//! The contract as we keep it, the table of routes and the OpenAPI document say the same. Each
//! disagreement is told with its place in both, all of them at once.

#![cfg(test)]

#[path = "contract/page.rs"]
mod page;
#[path = "contract/schema.rs"]
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use edupro_http::openapi::{self, Permission};
use page::{ADDITIONS, Answer, BESIDE, Of, Operation, Page};
use schema::{Schemas, accepts, is_word};
use serde_json::Value;

const PAGE: &str = include_str!("../docs/contract.md");

/// What is compared.
struct Contract<'a> {
    page: &'a Page,
    table: &'a [openapi::Operation],
    document: &'a Value,
    schemas: Schemas<'a>,
    disagreements: Vec<String>,
}

/// Where the page, the table and the document do not agree.
fn disagreements(page: &str, table: &[openapi::Operation], document: &Value) -> Vec<String> {
    let page = match Page::read(page) {
        Ok(page) => page,
        Err(error) => return vec![error],
    };
    let schemas = Schemas::new(&page, document);
    let mut contract =
        Contract { page: &page, table, document, schemas, disagreements: Vec::new() };
    contract.check_document();
    contract.check_numbers();
    contract.check_general();
    contract.check_operations();
    contract.disagreements
}

/// A path without the names of its parameters: they may be called differently.
fn places(path: &str) -> String {
    let parts = path.split('/');
    let parts = parts.map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Whether these are messages to a person, of which the page shows examples.
fn are_errors(schema: &Value) -> bool {
    schema.to_string().contains("/ErrorMessage\"")
}

/// Which parameter of a path this is.
fn position(path: &str, parameter: &str) -> Option<usize> {
    let mut parameters = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    parameters.position(|name| name == parameter)
}

impl<'a> Contract<'a> {
    fn disagree(&mut self, disagreement: String) {
        self.disagreements.push(disagreement);
    }

    /// The table and the document have the same operations.
    fn check_document(&mut self) {
        let mut described = BTreeMap::new();
        for (path, methods) in self.document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                described.insert((method.to_ascii_uppercase(), path.as_str()), operation);
            }
        }
        for row in self.table {
            let call = format!("{} {}", row.method, row.path);
            match described.remove(&(row.method.to_string(), row.path.as_str())) {
                None => self.disagree(format!("table: {call}; the document has no such operation")),
                Some(operation) => {
                    let title = format!("{} {}", row.number, row.title);
                    let summary = &operation["summary"];
                    if summary.as_str() != Some(title.trim_start()) {
                        self.disagree(format!("table: {call} is {title:?}; document: {summary}"));
                    }
                    let says = operation["description"].as_str().unwrap_or_default();
                    let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
                    let permission = row.permission;
                    if is_open != (permission == Permission::Anyone)
                        || !says.starts_with(&permission.to_string())
                    {
                        self.disagree(format!(
                            "table: {call}: {permission} Document: {says} {}",
                            operation["security"]
                        ));
                    }
                }
            }
        }
        for (method, path) in described.into_keys() {
            self.disagree(format!("document: {method} {path}; the table has no such operation"));
        }
    }

    /// No number is left out, and what has two numbers has one row.
    fn check_numbers(&mut self) {
        let mut known: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        let shown = self.page.operations.iter().map(|operation| operation.number.as_str());
        let shown: BTreeSet<_> = shown.filter(|number| !number.is_empty()).collect();
        let again = self.page.same.iter().map(|same| same.number.as_str());
        for number in shown.iter().copied().chain(again) {
            let (chapter, number) = number.split_once('.').unwrap_or_else(|| number.split_at(1));
            known.entry(chapter).or_default().extend(number.parse::<u32>());
        }
        for (chapter, numbers) in &known {
            let last = numbers.last().copied().unwrap_or_default();
            for missing in (1..=last).filter(|number| !numbers.contains(number)) {
                self.disagree(format!("docs/contract.md: section {chapter} has no {missing}"));
            }
        }
        for same in &self.page.same {
            let line = same.line;
            if shown.contains(same.number.as_str()) {
                self.disagree(format!("docs/contract.md:{line}: {} stands here, too", same.number));
            }
            if !same.is.is_empty() && !shown.contains(same.is.as_str()) {
                self.disagree(format!("docs/contract.md:{line}: there is no {}", same.is));
            }
        }
    }

    fn check_general(&mut self) {
        for general in &self.page.general {
            let is_message = general.body.as_object().is_some_and(|keys| keys.len() == 1);
            let schema = serde_json::json!({"anyOf": [
                {"$ref": "#/components/schemas/ErrorMessage"},
                {"$ref": "#/components/schemas/FieldErrors"},
            ]});
            if !is_message || !accepts(self.document, &general.body, &schema) {
                self.disagree(format!(
                    "docs/contract.md:{}: the document describes no such error as {}",
                    general.line, general.body
                ));
            }
        }
    }

    /// The page and the table have the same operations, and each is the same in all three.
    fn check_operations(&mut self) {
        let key = |method: &str, path: &str| (method.to_owned(), places(path));
        let mut rows: BTreeMap<_, &'a openapi::Operation> = BTreeMap::new();
        for row in self.table {
            rows.insert(key(row.method.as_str(), &row.path), row);
        }
        for operation in &self.page.operations {
            for (method, path) in &operation.calls {
                let Some(row) = rows.remove(&key(method, path)) else {
                    self.disagree(format!(
                        "docs/contract.md:{}: {method} {path}; the table has no such row, or the \
                         page has it twice",
                        operation.line
                    ));
                    continue;
                };
                self.check_row(operation, path, row);
                self.check_described(operation, row);
            }
        }
        for row in rows.into_values() {
            let place = match row.number {
                "" => ADDITIONS,
                number if number.starts_with('X') => BESIDE,
                number => number,
            };
            self.disagree(format!(
                "table: {} {} ({:?}); docs/contract.md has no such operation, which belongs to {place:?}",
                row.method, row.path, row.title
            ));
        }
    }

    fn check_row(&mut self, operation: &Operation, path: &str, row: &openapi::Operation) {
        let line = operation.line;
        let call = format!("{} {}", row.method, row.path);
        let mut differ = |what: &str, page: String, table: String| {
            if page != table {
                self.disagree(format!(
                    "docs/contract.md:{line}: {what} {page}; table: {call}: {table}"
                ));
            }
        };
        let named = |number: &str, title: &str| format!("{number} {title}");
        differ(
            "is called",
            named(&operation.number, &operation.title),
            named(row.number, row.title),
        );
        differ("says", operation.permission.clone(), row.permission.to_string());
        let said = operation.owned.as_deref();
        let owned = |path: &str, parameter: Option<&str>| match parameter {
            None => "nothing".to_owned(),
            Some(name) => position(path, name).map_or_else(
                || format!("{name}, which is no parameter"),
                |position| format!("parameter {position}"),
            ),
        };
        differ("wants to be theirs", owned(path, said), owned(&row.path, row.owned));
    }

    fn check_described(&mut self, operation: &Operation, row: &openapi::Operation) {
        let method = row.method.as_str().to_ascii_lowercase();
        let described = &self.document["paths"][&row.path][&method];
        if described.is_null() {
            return;
        }
        let call = format!("{} {}", row.method, row.path);
        self.check_parameters(operation, described, &call);
        self.check_fields(operation, described, &call);
        self.check_statuses(operation, row, described, &call);
        self.check_bodies(operation, described, &call);
    }

    fn check_parameters(&mut self, operation: &Operation, described: &Value, call: &str) {
        for (place, said) in [("query", &operation.query), ("header", &operation.headers)] {
            let parameters = described["parameters"].as_array().into_iter().flatten();
            let known: BTreeSet<_> = parameters
                .filter(|parameter| parameter["in"] == place)
                .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
                .collect();
            if *said != known {
                self.disagree(format!(
                    "docs/contract.md:{}: {place} {said:?}; document: {call}: {known:?}",
                    operation.line
                ));
            }
        }
    }

    fn check_fields(&mut self, operation: &Operation, described: &'a Value, call: &str) {
        let mut known = self.schemas.fields(&described["requestBody"]);
        for field in &operation.fields {
            let place = format!("docs/contract.md:{}", field.line);
            let name = &field.name;
            let Some((schemas, is_required)) = known.remove(name) else {
                self.disagree(format!("{place}: field {name}; document: {call} reads none"));
                continue;
            };
            if field.is_required != is_required {
                let [page, document] = [field.is_required, is_required]
                    .map(|is| if is { "required" } else { "optional" });
                self.disagree(format!(
                    "{place}: field {name} is {page}; document: {call}: {document}"
                ));
            }
            if !schemas.iter().any(|schema| is_word(&field.word, schema)) {
                let word = &field.word;
                self.disagree(format!(
                    "{place}: field {name} is {word}; document: {call}: {schemas:?}"
                ));
            }
        }
        for name in known.into_keys() {
            self.disagree(format!(
                "docs/contract.md:{}: no field {name}; document: {call} reads it",
                operation.line
            ));
        }
    }

    /// What an operation answers beside its own answers.
    fn general(&self, operation: &Operation, row: &openapi::Operation) -> BTreeMap<u16, Of> {
        let holds = |of: Of| match of {
            Of::Any => true,
            Of::WithFields => !operation.fields.is_empty(),
            Of::NotForEverybody => row.permission != Permission::Anyone,
            Of::WithParameterOrPages => row.path.contains('{') || operation.query.contains("page"),
            Of::WithIdempotencyKey => operation.headers.contains("Idempotency-Key"),
        };
        let general = self.page.general.iter().filter(|general| holds(general.of));
        general.map(|general| (general.status, general.of)).collect()
    }

    fn check_statuses(
        &mut self,
        operation: &Operation,
        row: &openapi::Operation,
        described: &Value,
        call: &str,
    ) {
        let line = operation.line;
        let responses = described["responses"].as_object().into_iter().flat_map(|map| map.keys());
        let known: BTreeSet<u16> = responses.filter_map(|status| status.parse().ok()).collect();
        let own: BTreeSet<u16> = operation.answers.iter().map(|answer| answer.status).collect();
        let general = self.general(operation, row);
        let expected = general.iter().filter(|(_, of)| **of != Of::Any).map(|(status, _)| status);
        for status in own.iter().chain(expected).collect::<BTreeSet<_>>() {
            // Whatever may break says so under `default`.
            let is_default = *status == 500;
            if !known.contains(status) && !is_default {
                self.disagree(format!(
                    "docs/contract.md:{line}: {status}; document: {call} has no such answer"
                ));
            }
        }
        for status in &known {
            if !own.contains(status) && !general.contains_key(status) {
                self.disagree(format!(
                    "document: {call} answers {status}; docs/contract.md:{line} does not, nor do \
                     its general answers"
                ));
            }
        }
    }

    fn check_bodies(&mut self, operation: &Operation, described: &'a Value, call: &str) {
        let is_success = |status: u16| status < 400;
        for answer in &operation.answers {
            let response = &described["responses"][answer.status.to_string()];
            let response =
                if answer.status == 500 { &described["responses"]["default"] } else { response };
            if response.is_null() {
                continue;
            }
            self.check_body(answer, response, call);
        }
        // And nothing that the document knows is left out.
        for (status, response) in described["responses"].as_object().into_iter().flatten() {
            let Ok(status) = status.parse::<u16>() else { continue };
            let schema = &response["content"]["application/json"]["schema"];
            if !is_success(status) || schema.is_null() || are_errors(schema) {
                continue;
            }
            for alternative in self.schemas.alternatives(schema) {
                let said = operation.answers.iter().filter(|answer| is_success(answer.status));
                let mut bodies = said.filter_map(|answer| answer.body.as_ref());
                let is_said = self.schemas.alternatives(schema).len() == 1
                    || bodies.any(|body| self.schemas.fits(body, alternative));
                if !is_said {
                    self.disagree(format!(
                        "document: {call} answers {status} with {alternative}; \
                         docs/contract.md:{} does not",
                        operation.line
                    ));
                }
            }
        }
    }

    fn check_body(&mut self, answer: &Answer, response: &'a Value, call: &str) {
        let place = format!("docs/contract.md:{}", answer.line);
        let status = answer.status;
        let schema = &response["content"]["application/json"]["schema"];
        let Some(body) = &answer.body else {
            if !schema.is_null() {
                self.disagree(format!("{place}: {status} has no body; document: {call}: {schema}"));
            }
            return;
        };
        if schema.is_null() {
            self.disagree(format!("{place}: {status} {body}; document: {call}: nothing"));
            return;
        }
        let alternatives = self.schemas.alternatives(schema);
        if are_errors(schema) {
            if !accepts(self.document, body, schema) {
                self.disagree(format!("{place}: {status} {body}; document: {call}: {schema}"));
            }
            return;
        }
        if alternatives.iter().any(|schema| self.schemas.fits(body, schema)) {
            return;
        }
        // A list is nearer to a list, whatever is in it.
        let nearest = alternatives.into_iter().min_by_key(|schema| {
            let differences = Schemas::new(self.page, self.document).differences(body, schema);
            (schema.get("items").is_some() != body.is_array(), differences.len())
        });
        let Some(nearest) = nearest else { return };
        for difference in self.schemas.differences(body, nearest) {
            self.disagree(format!("{place}: {status}; document: {call}: {difference}"));
        }
    }
}

fn check(page: &str, table: &[openapi::Operation], document: &Value) -> String {
    disagreements(page, table, document).join("\n")
}

#[test]
fn the_contract_the_table_and_the_document_agree() {
    let found = check(PAGE, &openapi::operations(), &openapi::document(""));
    assert!(found.is_empty(), "\n{found}\n");
}

#[test]
fn a_change_of_the_page_is_noticed() {
    let (table, document) = (openapi::operations(), openapi::document(""));
    for (line, changed, complaint) in [
        (
            "`POST /api/v1/coupon/create/`",
            "`POST /api/v1/coupon/make/`",
            "POST /api/v1/coupon/make/",
        ),
        (
            "`POST /api/v1/coupon/create/`",
            "`PUT /api/v1/coupon/create/`",
            "PUT /api/v1/coupon/create/",
        ),
        ("#### 5.1 Create coupons", "#### 5.7 Create coupons", "section 5 has no 1"),
        ("#### 5.1 Create coupons", "#### 5.1 Print coupons", "is called 5.1 Print coupons"),
        ("- **205** `{\"message\": ", "- **200** `{\"message\": ", "answers 205"),
        ("- **205** `{\"message\": ", "- **205** `{\"words\": ", ".words: Message of the document"),
        ("\"used_count\": \"<integer>\",", "", "the page has no key used_count"),
        (
            "\"used_count\": \"<integer>\",",
            "\"used_count\": \"<text>\",",
            "Coupon (docs/contract.md:",
        ),
        ("- `number_of_coupons` integer, required", "- `number_of_coupons` integer", "is optional"),
        ("- `number_of_coupons` integer", "- `how_many` integer", "field how_many"),
        ("- `number_of_coupons` integer", "- `number_of_coupons` text", "is text"),
        ("Query: `student_username`, `page`", "Query: `page`", "query {"),
        ("| 409 | with Idempotency-Key |", "| 410 | with Idempotency-Key |", "answers 409"),
        ("| X16 | | ", "| X17 | | ", "section X has no 16"),
        ("| 11.1 | 9.1 |", "| 11.1 | 9.2 |", "there is no 9.2"),
    ] {
        assert!(PAGE.contains(line), "the page has {line}");
        let found = check(&PAGE.replacen(line, changed, 1), &table, &document);
        assert!(found.contains(complaint), "{line} -> {changed}: {found}");
    }
}

#[test]
fn a_change_of_the_table_is_noticed() {
    let document = openapi::document("");
    let change = |change: &dyn Fn(&mut Vec<openapi::Operation>, usize)| {
        let mut table = openapi::operations();
        let at = table.iter().position(|row| row.number == "5.1").unwrap();
        change(&mut table, at);
        check(PAGE, &table, &document)
    };
    let found = change(&|table, at| table[at].permission = Permission::Student);
    assert!(
        found.contains("says Teachers may.; table: POST /api/v1/coupon/create/: Students may.")
    );
    let found = change(&|table, at| table[at].path = "/api/v1/coupon/make/".to_owned());
    assert!(found.contains("table: POST /api/v1/coupon/make/; the document has no such operation"));
    assert!(found.contains("document: POST /api/v1/coupon/create/; the table has no such"));
    let found = change(&|table, at| table[at].number = "");
    assert!(found.contains("is called 5.1 Create coupons; table: "));
    let found = change(&|table, at| table[at].owned = Some("coupon_id"));
    assert!(found.contains("wants to be theirs nothing; table: "));
    let found = change(&|table, at| drop(table.remove(at)));
    assert!(found.contains("POST /api/v1/coupon/create/; the table has no such row"));
    let found = change(&|table, at| {
        let mut more = table[at].clone();
        (more.path, more.number) = ("/api/v1/coupon/gift/".to_owned(), "");
        table.push(more);
    });
    assert!(found.contains("which belongs to \"Additions of ours\""));
}

#[test]
fn a_change_of_the_document_is_noticed() {
    let table = openapi::operations();
    let change = |change: &dyn Fn(&mut Value)| {
        let mut document = openapi::document("");
        change(&mut document);
        check(PAGE, &table, &document)
    };
    let coupon = "/components/schemas/CouponView/properties";
    let create = "/paths/~1api~1v1~1coupon~1create~1/post";
    let found = change(&|document| {
        document.pointer_mut(coupon).unwrap().as_object_mut().unwrap().remove("used_count");
    });
    assert!(found.contains(".used_count: CouponView of the document has no such key"), "{found}");
    let found = change(&|document| {
        document.pointer_mut(coupon).unwrap()["colour"] = serde_json::json!({"type": "string"});
    });
    assert!(found.contains("the page has no key colour, which CouponView has"), "{found}");
    let found = change(&|document| {
        document.pointer_mut(coupon).unwrap()["code"] = serde_json::json!({"type": "integer"});
    });
    assert!(found.contains(".code: <text> in the page"), "{found}");
    let found = change(&|document| {
        document.pointer_mut(create).unwrap()["responses"]["418"] = serde_json::json!({});
    });
    assert!(found.contains("POST /api/v1/coupon/create/ answers 418"), "{found}");
    let found = change(&|document| {
        document.pointer_mut(create).unwrap()["security"] = serde_json::json!([]);
    });
    assert!(
        found.contains("POST /api/v1/coupon/create/: Teachers may. Document: Teachers may. []"),
        "{found}"
    );
    let found = change(&|document| {
        document.pointer_mut("/components/schemas/ErrorMessage").unwrap()["additionalProperties"] =
            Value::Bool(false);
    });
    assert!(found.contains("\"user\":\"User is not a teacher\""), "{found}");
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_line() {
    for (line, broken, complaint) in [
        ("Teachers may.", "Teachers may", "its full stop is missing"),
        ("`POST /api/v1/coupon/create/`", "`MAKE /api/v1/coupon/create/`", "\"MAKE\" is no method"),
        ("`POST /api/v1/coupon/create/`", "", "no method and path"),
        ("- **201** `[Coupon]`", "- 201 `[Coupon]`", "expected `**status** `body``"),
        ("- **201** `[Coupon]`", "- **201** `[Coupn]`", "`<Coupn>` is neither a word nor a shape"),
        ("- **205** `{\"message\"", "- **205** `{message", "this is not JSON"),
        ("- `number_of_coupons` integer", "- `number_of_coupons` whole", "\"whole\" is no type"),
        ("> Newest first", "Newest first", "a remark begins with `> `"),
        ("#### 5.1 Create", "#### 6.9 Create", "numbered \"6.9\" stands below \"5. Coupon"),
        ("| 403 | not for everybody |", "| 403 | for few |", "which operations are \"for few\"?"),
    ] {
        assert!(PAGE.contains(line), "the page has {line}");
        let page = PAGE.replacen(line, broken, 1);
        let error = Page::read(&page).unwrap_err();
        assert!(error.contains(complaint), "{line} -> {broken}: {error}");
        let place = error.strip_prefix("docs/contract.md:").unwrap();
        assert!(place.starts_with(|character: char| character.is_ascii_digit()), "{error}");
    }
}
