//! 2.5: what is tried everywhere: other sites, keys that are not for the sender, texts and queries
//! that are none, a stolen database.

use std::collections::{BTreeMap, BTreeSet};

use axum::{body::Body, http::Method};
use chrono::TimeDelta;
use edupro_http::{
    openapi::{Operation, Permission, document, operations},
    testkit::{
        Answer, Browser, PASSWORD, PUBLIC_URL, TestApp, TestBuilder, email,
        permissions::{Route, Visitor, World},
    },
};
use insta::assert_snapshot;
use serde_json::{Map, Value, json};

use super::{Before, Told};
use crate::{
    permissions::School,
    support::{Witness, coupon, course, module, on_both_engines, on_postgres, on_sqlite},
};

/// What is sent by pages that are not ours.
const ELSEWHERE: [(&str, &str); 13] = [
    ("origin", "https://evil.example"),
    ("origin", "null"),
    ("origin", ""),
    // Below, above, beside, behind, and by another scheme or port.
    ("origin", "http://sub.school.example"),
    ("origin", "http://example"),
    ("origin", "http://school.example.evil.example"),
    ("origin", "http://evilschool.example"),
    ("origin", "http://school.example:8080"),
    ("origin", "https://school.example"),
    ("origin", "http://school.example@evil.example"),
    ("origin", "http://localhost:5174"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
];

fn is_unsafe(operation: &Operation) -> bool {
    operation.method != Method::GET
}

/// Who may do it, of those to whom everything in the school belongs.
fn rightful(school: &School, route: &Route) -> Visitor {
    match route.permission {
        _ if route.owned.is_some() => school.owners(route)[0],
        Permission::Student => Visitor::StudentA,
        _ if route.path.contains("/student/refresh/") => Visitor::StudentA,
        Permission::Admin => Visitor::Admin,
        _ => Visitor::TeacherA,
    }
}

/// The path with what is teacher A's in it.
fn path(school: &School, route: &Route) -> String {
    let mut path = route.path.clone();
    for name in route.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        let value = school.parameter(route, name).unwrap();
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    format!("{PUBLIC_URL}{path}")
}

/// Somebody who has just logged in: whatever was asked before has not ended the session.
async fn logged_in(school: &School, visitor: Visitor) -> Browser {
    let browser = school.app.visitor();
    // Of more than ten sessions the oldest ends.
    school.app.clock().advance(TimeDelta::seconds(1));
    match visitor {
        Visitor::StudentA => browser.log_in_student("student_a", "teacher_a").await,
        visitor => browser.log_in_teacher(&visitor.to_string()).await,
    }
    browser
}

/// What the document says that an operation reads: the names, and those of older clients.
struct Reads {
    fields: BTreeMap<String, Value>,
    older: BTreeSet<String>,
}

struct Document(Value);

impl Document {
    fn resolve<'d>(&'d self, schema: &'d Value) -> &'d Value {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap();
            return self.resolve(&self.0["components"]["schemas"][name]);
        }
        match schema["anyOf"].as_array() {
            Some(several) => self.resolve(&several[0]),
            None => schema,
        }
    }

    fn reads(&self, operation: &Operation) -> Reads {
        let method = operation.method.as_str().to_ascii_lowercase();
        let described = &self.0["paths"][&operation.path][method.as_str()];
        let mut reads = Reads { fields: BTreeMap::new(), older: BTreeSet::new() };
        let Some(content) = described["requestBody"]["content"].as_object() else { return reads };
        for body in content.values() {
            let schema = self.resolve(&body["schema"]);
            for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                let words = field.to_string();
                let older = words.split("Older clients call it `").nth(1);
                reads
                    .older
                    .extend(older.and_then(|rest| rest.split('`').next()).map(str::to_owned));
                reads.fields.insert(name.clone(), field.clone());
            }
        }
        reads
    }

    /// The names of everything that is read or answered anywhere.
    fn names(&self) -> BTreeSet<String> {
        fn collect(value: &Value, names: &mut BTreeSet<String>) {
            match value {
                Value::Object(map) => {
                    if let Some(properties) = map.get("properties").and_then(Value::as_object) {
                        names.extend(properties.keys().cloned());
                    }
                    map.values().for_each(|value| collect(value, names));
                }
                Value::Array(list) => list.iter().for_each(|value| collect(value, names)),
                _ => {}
            }
        }
        let mut names = BTreeSet::new();
        collect(&self.0, &mut names);
        names
    }
}

/// The columns of all tables.
fn columns() -> BTreeSet<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("edupro-storage/migrations");
    let mut columns = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let words = text.lines().filter_map(|line| line.trim_start().split([' ', ',']).next());
        let is_name = |word: &&str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        };
        columns.extend(words.filter(is_name).map(str::to_owned));
    }
    assert!(
        ["is_staff", "used_count", "password_hash", "teacher_id"]
            .iter()
            .all(|it| columns.contains(*it)),
        "{columns:?}"
    );
    columns
}

/// What somebody would like to be written there: by the name, something that could be meant.
fn wish(name: &str, other_teacher: i64) -> Value {
    match name {
        "user_type" | "role" | "type" => "admin".into(),
        "status" => "graded".into(),
        "code" | "slug" | "username" | "password" | "password_hash" => "poison".into(),
        "email" => "poison@example.com".into(),
        _ if name.starts_with("is_") || name.starts_with("has_") => true.into(),
        _ if name.ends_with("_at")
            || name.contains("date")
            || name.ends_with("_until")
            || name.ends_with("_from") =>
        {
            "2031-01-02T03:04:05Z".into()
        }
        _ if ["teacher", "student", "user", "owner", "author", "created_by"]
            .iter()
            .any(|it| name.starts_with(it)) =>
        {
            other_teacher.into()
        }
        _ => 77.into(),
    }
}

/// What is sent to an operation so that it is carried out, of what the document says that it reads.
fn body(
    school: &School,
    operation: &Operation,
    route: &Route,
    reads: &Reads,
    extra: &Extra,
) -> Value {
    let path = operation.path.as_str();
    let number = operation.number;
    let mut body = school.body(route);
    let person = json!({
        "first_name": "Nour", "last_name": "Adel", "username": format!("nour{}", number.replace('.', "")),
        "email": format!("nour{}@example.com", number.replace('.', "")), "phone": format!("0123{}", number.len() + usize::from(number.ends_with('0'))),
        "parent_phone": "0129", "password1": PASSWORD, "password2": PASSWORD,
    });
    let more = match number {
        "1.1" => json!({"email": email("teacher_a"), "password": PASSWORD}),
        "1.2" => json!({"email": email("student_a"), "password": PASSWORD}),
        "1.6" => json!({"email": email("teacher_b")}),
        "1.7" | "1.8" => {
            json!({"email": email("teacher_a"), "otp": extra.code, "new_password": "An0ther-Pass!"})
        }
        "1.9" | "1.10" => person,
        "1.23" => json!({"old_password": PASSWORD, "new_password": "An0ther-Pass!"}),
        "1.13" | "1.16" => json!({"city": "Cairo", "bio": "Words"}),
        "2.3" => json!({"name": "Other"}),
        "4.1" => json!({"course_id": extra.course, "coupon_code": extra.code_of_course}),
        "7.6" => json!({"module_id": extra.module, "coupon_code": extra.code_of_module}),
        "7.4" | "8.4" => json!({"order": 40, "price": "5"}),
        "10.5" => json!({"option_text": "New", "is_correct": false}),
        "10.13" => json!({"points_awarded": 1, "teacher_feedback": "Well"}),
        "9.1" => json!({"title": "Film"}),
        _ => json!({}),
    };
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    // A course or a module that is known already, and links to one of several things.
    for unwanted in ["assessment_type", "module_id", "course", "coupon_code"] {
        let is_wanted = match unwanted {
            "assessment_type" => operation.method == Method::POST,
            "module_id" | "coupon_code" => more.get(unwanted).is_some(),
            _ => false,
        };
        if !is_wanted {
            body.as_object_mut().unwrap().remove(unwanted);
        }
    }
    if path.ends_with("/questions/") {
        body["question_type"] = "multiple_choice".into();
        body["options"] = json!([{"option_text": "A", "is_correct": true}, {"option_text": "B"}]);
    }
    if path.ends_with("/regrade/") {
        body["policy"] = "full_credit".into();
    }
    if path.ends_with("/ratings/create/") {
        body["rating"] = 4.into();
    }
    let is_read = |(name, _): &(String, Value)| reads.fields.contains_key(name);
    let Value::Object(fields) = body else { panic!("an object") };
    Value::Object(fields.into_iter().filter(is_read).collect::<Map<_, _>>())
}

/// All rows, but for when the schema was made.
async fn state(school: &School) -> String {
    let state = school.state().await;
    let rows = state.lines().filter(|row| !row.starts_with("_sqlx_migrations "));
    rows.collect::<Vec<_>>().join("\n")
}

/// What a school has beside what a walk needs, so that a second enrolment is carried out.
struct Extra {
    course: String,
    module: String,
    code_of_course: String,
    code_of_module: String,
    code: String,
    other_teacher: i64,
}

impl Extra {
    async fn of(school: &School) -> Self {
        let teacher = &school.cast().teacher_a;
        let other = course(teacher, json!({"title": "Heat", "price": "61"})).await;
        let third = course(teacher, json!({"title": "Cold", "price": "62"})).await;
        let module = module(teacher, &third, json!({"price": "31"})).await;
        let (_, code_of_course) = coupon(teacher, "61").await;
        let (_, code_of_module) = coupon(teacher, "31").await;
        let request = json!({"email": email("teacher_a")});
        assert_eq!(
            school.app.visitor().post("/password-reset/request/", request).await.status(),
            200
        );
        let mails = school.app.mails().await;
        let code = mails.last().unwrap().text["Your OTP code is: ".len()..][..6].to_owned();
        let profile = school.cast().teacher_b.get("/teacher/teacher-profile/").await.json();
        let other_teacher = profile["id"].as_i64().or(profile["user"]["id"].as_i64()).unwrap();
        Self { course: other, module, code_of_course, code_of_module, code, other_teacher }
    }
}

/// The operations that write something, those that end what the others need at the end.
fn writes() -> Vec<Operation> {
    let mut writes: Vec<_> = operations()
        .into_iter()
        .filter(|it| is_unsafe(it) && it.method != Method::DELETE)
        .collect();
    writes.retain(|operation| !operation.path.contains("/webhook/"));
    writes.sort_by_key(|operation| match operation.number {
        "1.18" => 1,
        "1.23" => 2,
        "1.8" => 3,
        _ => 0,
    });
    writes
}

async fn send(who: &Browser, operation: &Operation, path: &str, body: &Value) -> Answer {
    who.send(operation.method.clone(), path, Some("application/json"), body.to_string().into())
        .await
}

/// Three schools go the same way: in one the body is as documented, in the others everything is
/// added that is known by name anywhere, columns of the database included. They stay the same, row
/// for row: what is not documented is not read (the class of Frappe's `progress=100`).
async fn additional_keys(school: impl AsyncFn() -> TestBuilder) {
    let document = Document(document(""));
    let mut schools = Vec::new();
    let mut extras = Vec::new();
    for _ in 0..3 {
        let school = School::open(school().await).await;
        extras.push(Extra::of(&school).await);
        schools.push(school);
    }
    let mut names = document.names();
    names.extend(columns());
    names.extend(
        [
            "role",
            "is_superuser",
            "is_admin",
            "permissions",
            "groups",
            "author",
            "owner",
            "created_by",
            "_method",
            "__proto__",
            "$set",
        ]
        .map(str::to_owned),
    );
    assert!(names.len() > 200, "{}", names.len());
    let mut carried_out = Vec::new();
    let mut states = Vec::new();
    for school in &schools {
        states.push(state(school).await);
    }
    assert!(states.iter().all(|state| *state == states[0]), "the schools begin alike");
    for operation in writes() {
        let route = Route::from(operation.clone());
        let reads = document.reads(&operation);
        let mut answers = Vec::new();
        for (number, (school, extra)) in schools.iter().zip(&extras).enumerate() {
            let mut sent = body(school, &operation, &route, &reads, extra);
            for name in &names {
                if reads.fields.contains_key(name) || reads.older.contains(name) {
                    continue;
                }
                let value = match (number, wish(name, extra.other_teacher)) {
                    (0, _) => continue,
                    (1, value) => value,
                    (_, Value::Bool(_)) => false.into(),
                    _ => Value::Null,
                };
                sent.as_object_mut().unwrap().insert(name.clone(), value);
            }
            if let Some(options) =
                sent.get_mut("options").and_then(Value::as_array_mut).filter(|_| number > 0)
            {
                for option in options {
                    option["id"] = school.parameter(&route, "option_id").into();
                    option["question"] = school.parameter(&route, "question_id").into();
                }
            }
            let visitor = rightful(school, &route);
            let mut place = path(school, &route);
            if operation.number == "6.2" {
                // The first course is rated already.
                place =
                    place.replace(&school.parameter(&route, "course_id").unwrap(), &extra.course);
            }
            let who = match operation.number {
                "1.8" => school.app.visitor(),
                _ => logged_in(school, visitor).await,
            };
            answers.push(send(&who, &operation, &place, &sent).await);
        }
        let name = format!("{} {}", operation.method, operation.path);
        for answer in &answers[1..] {
            assert_eq!(answer.to_string(), answers[0].to_string(), "{name}");
        }
        carried_out.push(format!("{name}: {}", answers[0].status()));
        let first = state(&schools[0]).await;
        for school in &schools[1..] {
            let state = state(school).await;
            if state != first {
                let known: BTreeSet<_> = first.lines().collect();
                let new: Vec<_> = state.lines().filter(|line| !known.contains(line)).collect();
                panic!("{name} has read what is not documented: {new:#?}");
            }
        }
    }
    assert_snapshot!("carried_out", carried_out.join("\n"));
}

#[tokio::test]
async fn additional_keys_on_sqlite() {
    additional_keys(async || on_sqlite()).await;
}

#[tokio::test]
async fn additional_keys_on_postgres() {
    additional_keys(async || on_postgres().await).await;
}

on_both_engines! {
    /// Whatever changes something is refused when another page sends it: before anybody is asked who
    /// they are, and before the body is read (security R14).
    async fn other_sites(school) {
        let school = School::open(school).await;
        let before = school.state().await;
        let mut asked = 0;
        for operation in operations().iter().filter(|it| is_unsafe(it)) {
            let route = Route::from(operation.clone());
            let url = path(&school, &route);
            for visitor in [rightful(&school, &route), Visitor::Nobody] {
                for (name, value) in ELSEWHERE {
                    let who = school.cast().browser(visitor).fork().with_header(name, value);
                    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded"] {
                        let answer = who.send(operation.method.clone(), &url, Some(kind), "{".into()).await;
                        assert_eq!(answer.status(), 403, "{name} {value} {kind}: {} {}: {answer}", operation.method, operation.path);
                        assert_eq!(answer.json(), json!({"detail": "CSRF Failed: Origin checking failed."}));
                        assert_eq!(answer.cookies().count(), 0);
                        asked += 1;
                    }
                }
            }
        }
        assert!(asked > 5_000, "{asked}");
        assert!(school.state().await == before, "another site has changed something");
    }

    /// No origin is reflected: not on success, not on errors, not beforehand (security R15).
    async fn foreign_origins(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        for (name, origin) in ELSEWHERE {
            if name != "origin" {
                continue;
            }
            let who = mona.with_header("origin", origin);
            let preflight = who.with_header("access-control-request-method", "PUT").with_header("access-control-request-headers", "x-evil");
            for answer in [
                who.get("/teacher/revenue/").await,
                who.get("/no/such/path/").await,
                who.get("/teacher/login/").await,
                who.get("/course/list/?page=9").await,
                who.post("/teacher/login/", json!({})).await,
                app.visitor().with_header("origin", origin).get("/teacher/revenue/").await,
                preflight.send(Method::OPTIONS, "/change-password/", None, Body::empty()).await,
                preflight.send(Method::OPTIONS, "/no/such/path/", None, Body::empty()).await,
            ] {
                assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}: {answer}");
                assert!(!answer.headers().values().any(|value| value.as_bytes() == origin.as_bytes() && !origin.is_empty()));
                let vary: Vec<_> = answer.headers().get_all("vary").iter().filter_map(|value| value.to_str().ok()).collect();
                assert!(vary.join(",").to_ascii_lowercase().contains("origin"), "{origin}: {vary:?}");
            }
        }
        let known = mona.with_header("origin", "http://localhost:5173");
        for path in ["/teacher/revenue/", "/no/such/path/"] {
            assert_eq!(known.get(path).await.header("access-control-allow-origin"), Some("http://localhost:5173"));
        }
    }

    /// A text with a NUL, with an escape, half a character, or far too long is refused wherever a text
    /// is read, and nothing is kept of it (security R39).
    async fn hostile_texts(school) {
        let school = School::open(school).await;
        let extra = Extra::of(&school).await;
        let document = Document(document(""));
        let mut people = BTreeMap::new();
        for visitor in [Visitor::TeacherA, Visitor::StudentA, Visitor::Admin] {
            people.insert(visitor.to_string(), logged_in(&school, visitor).await);
        }
        let before = school.state().await;
        let mut taken = Told::default();
        let mut asked = 0;
        for operation in writes() {
            let route = Route::from(operation.clone());
            let reads = document.reads(&operation);
            let who = &people[&rightful(&school, &route).to_string()];
            let sent = body(&school, &operation, &route, &reads, &extra);
            let texts = reads.fields.iter().filter(|(_, field)| {
                let field = document.resolve(field);
                field["type"] == "string" && field["format"] != "binary"
            });
            for (name, _) in texts {
                for (what, value) in [("NUL", "\"a\\u0000b\""), ("ESC", "\"a\\u001b[31mb\""), ("surrogate", "\"a\\ud800b\""), ("long", "")] {
                    let long = format!("\"{}\"", "x".repeat(900_000));
                    let mut body = sent.clone();
                    body[name] = "HERE".into();
                    let body = body.to_string().replace("\"HERE\"", if value.is_empty() { &long } else { value });
                    let answer = who.send(operation.method.clone(), &path(&school, &route), Some("application/json"), body.into()).await;
                    asked += 1;
                    if !(400..500).contains(&answer.status()) {
                        taken.note(&format!("{what} in {name} of {} {}", operation.method, operation.path), &answer);
                    }
                    assert!(answer.bytes().len() < 10_000, "{name}: what was sent is not sent back");
                }
            }
        }
        assert!(asked > 400, "{asked}");
        assert_eq!(taken.text(), "");
        let after = school.state().await;
        let known: BTreeSet<_> = before.lines().collect();
        let new: Vec<_> = after.lines().filter(|line| !known.contains(line) && !line.starts_with("password_resets ")).collect();
        assert_eq!(new, Vec::<&str>::new());
    }

    /// A query is words to look for and numbers of pages: whatever else stands there changes nothing,
    /// breaks nothing and brings no more than a page (security R38, R40).
    async fn hostile_queries(school) {
        let school = School::open(school).await;
        let document = Document(document(""));
        let before = school.state().await;
        let long = "a".repeat(5_000);
        let values = [
            "%00", "%ff", "%F0%9F", "%27%20OR%201=1%20--", "%22", "%25", "_", "%5C", "%5C%27", "%27%3B%20DROP%20TABLE%20users%3B--",
            "1e9", "-1", "0", "NaN", "99999999999999999999", "18446744073709551616", "last", "..%2f..", "%7B%7B7*7%7D%7D", "%0d%0aset-cookie:a=b", "*", "%22*%22%20NEAR", &long,
        ];
        // The document has no query, and takes its time.
        for operation in operations().into_iter().filter(|it| !is_unsafe(it) && !it.path.contains("/openapi.")) {
            let route = Route::from(operation.clone());
            let who = school.cast().browser(rightful(&school, &route));
            let url = path(&school, &route);
            let name = operation.path.clone();
            let plain = who.get(&url).await;
            let parameters = document.0["paths"][&name]["get"]["parameters"].as_array().cloned().unwrap_or_default();
            let described = parameters.iter().filter(|it| it["in"] == "query").map(|it| it["name"].as_str().unwrap().to_owned());
            let mut parameters: BTreeSet<String> = described.collect();
            parameters.extend(["page", "page_size", "search", "ordering", "limit", "offset", "format", "fields"].map(str::to_owned));
            // All at once, but for pages that are not there: nothing else would be looked at then.
            let (paging, filters): (Vec<_>, Vec<_>) = parameters.iter().partition(|name| name.starts_with("page"));
            for names in [paging, filters] {
                for value in values {
                    let query: Vec<_> = names.iter().map(|name| format!("{name}={value}")).collect();
                    let answer = who.get(&format!("{url}?{}", query.join("&"))).await;
                    assert!(matches!(answer.status(), 200 | 202 | 400 | 403 | 404 | 414), "{name}?{query:?}: {answer}");
                    assert_eq!(answer.header("set-cookie"), None);
                }
            }
            // Twice, as a list, as an object, with nothing.
            for shape in ["=1&{}=2", "[]=1", "[$ne]=1", "", "="] {
                let query: Vec<_> =
                    parameters.iter().map(|name| format!("{name}{}", shape.replace("{}", name))).collect();
                let answer = who.get(&format!("{url}?{}", query.join("&"))).await;
                assert!(answer.status() < 500, "{name}?{query:?}: {answer}");
            }
            for ordering in ["user__password", "-password_hash", "id%3B%20DROP%20TABLE%20users", "(SELECT%201)", "student__user__email"] {
                let answer = who.get(&format!("{url}?ordering={ordering}")).await;
                assert_eq!(answer.to_string(), plain.to_string().replace("?page", &format!("?ordering={ordering}&page")), "{name}?ordering={ordering}");
            }
            for size in ["1000000000", "101", "99999999999999999999"] {
                let answer = who.get(&format!("{url}?page=1&page_size={size}")).await;
                if let Some(results) = answer.json().get("results").and_then(Value::as_array) {
                    assert!(results.len() <= 100);
                }
            }
        }
        let after = school.state().await;
        let known: BTreeSet<_> = before.lines().collect();
        // Whoever looks at an order has its provider asked, and that is noted.
        let new: Vec<_> = after.lines().filter(|line| !known.contains(line) && !line.starts_with("orders ")).collect();
        assert_eq!(new, Vec::<&str>::new(), "a question has changed something");
    }

    /// What stands in a path is the name of something, or of nothing.
    async fn hostile_paths(school) {
        let school = School::open(school).await;
        let mut people = BTreeMap::new();
        for visitor in [Visitor::TeacherA, Visitor::StudentA, Visitor::Admin] {
            people.insert(visitor.to_string(), logged_in(&school, visitor).await);
        }
        let before = school.state().await;
        let long = "a".repeat(5_000);
        let values = [
            "%00", "teacher_a%00", "%ff", "%27%20OR%201=1%20--", "%25", "_", "..", "%2e%2e", "..%2f..", "%2f", "%5C", "-1", "0", "NaN", "1e9",
            "99999999999999999999", "9223372036854775808", "00000000-0000-0000-0000-000000000000", "%7B%7D", "%0d%0aset-cookie:a=b", "null", "undefined",
            "teacher_a%20", "%E2%80%8B", "%F0%9F", "*", "1;DROP%20TABLE%20users", &long,
        ];
        for operation in operations() {
            let route = Route::from(operation.clone());
            let who = &people[&rightful(&school, &route).to_string()];
            for name in route.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                for value in values {
                    let mut url = format!("{PUBLIC_URL}{}", route.path.replace(&format!("{{{name}}}"), value));
                    for other in route.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                        url = url.replace(&format!("{{{other}}}"), &school.parameter(&route, other).unwrap());
                    }
                    let answer = who.send(operation.method.clone(), &url, Some("application/json"), "{}".into()).await;
                    let most = if is_unsafe(&operation) { 400 } else { 200 };
                    assert!((most..500).contains(&answer.status()), "{} {url}: {answer}", operation.method);
                    assert_eq!(answer.header("set-cookie"), None);
                }
            }
        }
        assert_eq!(school.state().await, before);
    }

    /// A page holds a hundred at most, however many there are and are asked for.
    async fn pages(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        crate::support::coupons(&mona, 130, "5").await;
        for size in ["1000000000", "101", "100"] {
            let page = mona.get(&format!("/coupon/list/?page_size={size}")).await.json();
            assert_eq!((page["results"].as_array().unwrap().len(), &page["count"]), (100, &json!(130)), "{size}");
        }
        let mut told = Told::default();
        for page in ["3", "1000000", "9223372036854775807", "9223372036854775808", "99999999999999999999999", "-1", "0", "1.5", "1e2", "٢", "1;2"] {
            told.note(page, &mona.get(&format!("/coupon/list/?page_size=100&page={page}")).await);
        }
        assert_snapshot!("told", told.text());
    }

    /// A search is compared letter by letter: what means something to a database means itself.
    async fn searches(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        for (number, title) in ["100% sure", "snake_case", "back\\slash", "quote'd", "double\"quote", "NEAR OR AND NOT", "a*b"].into_iter().enumerate() {
            course(&mona, json!({"title": title, "description": "Nothing"})).await;
            let student = app.student(&format!("student{number}"), "mona").await;
            student.patch("/student/update-profile/", json!({"full_name": title})).await;
        }
        let mut found = Vec::new();
        for (shown, word) in [
            ("%", "%25"), ("_", "_"), ("\\", "%5C"), ("'", "%27"), ("\"", "%22"), ("*", "*"), ("% sure", "%25%20sure"), ("e_c", "e_c"), ("k\\s", "k%5Cs"),
            ("e'd", "e%27d"), ("exact \"", "e%22q"), ("a*b", "a*b"), ("a%b", "a%25b"), ("s_a", "s_a"), ("%%", "%25%25"), ("NEAR", "NEAR"), ("OR 1=1", "%27%20OR%201=1"), ("\\%", "%5C%25"),
        ] {
            let courses = app.visitor().get(&format!("/course/course-search-filter/?search={word}&page_size=100")).await.json();
            let students = mona.get(&format!("/teacher/get_students/?search={word}&page_size=100")).await.json();
            let titles: Vec<_> = courses["results"].as_array().unwrap().iter().map(|course| course["title"].as_str().unwrap().to_owned()).collect();
            found.push(format!("{shown}: {titles:?}, {} students", students["count"]));
        }
        assert_snapshot!("found", found.join("\n"));
    }

    /// Who has stolen the database has no password, no session and no code (security 2.5).
    async fn stolen_database(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        mona.post("/token/refresh/", json!({})).await;
        app.visitor().post("/password-reset/request/", json!({"email": email("mona")})).await;
        let mut witness = Witness::of(&app).await;
        let waiting = witness.rows().await.join("\n");
        let mails = app.mails().await;
        let code = mails[0].text["Your OTP code is: ".len()..][..6].to_owned();
        let sent = witness.rows().await.join("\n");
        let mut secrets = vec![PASSWORD.to_owned(), code, "the secret of a test".to_owned()];
        for who in [&mona, &omar] {
            for name in ["access_token", "refresh_token"] {
                let token = who.cookie(name).unwrap();
                secrets.extend(token.split('.').skip(1).map(str::to_owned));
                secrets.push(token);
            }
        }
        for rows in [&waiting, &sent] {
            for secret in &secrets {
                assert!(!rows.contains(secret.as_str()), "{secret}");
            }
            assert_eq!(rows.matches("$argon2id$v=19$").count(), 2);
        }
    }
}

/// A public file and a document cannot be framed, sniffed or run, and neither can an error.
#[tokio::test]
async fn frames() {
    let app = TestApp::new().await;
    let mona = app.teacher("mona").await;
    let logo = crate::support::picture(image::ImageFormat::Png);
    let parts = [edupro_http::testkit::Part::File("logo", "l.png", &logo)];
    let made = mona.multipart(Method::PATCH, "/teacher/update-profile/", &parts).await.json();
    let url = made["logo"].as_str().unwrap();
    for path in [
        url,
        "http://school.example/media/no/such/file",
        "http://school.example/",
        "/no/such",
        "",
        "http://school.example/healthz",
    ] {
        let answer = app.visitor().get(path).await;
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-site"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert_eq!(answer.header("server"), None);
    }
}

/// A panic is told in the log and not to whoever caused it, and the next request is answered
/// (security R19, R49).
#[tokio::test]
async fn panics() {
    use axum::{Router, routing::get};
    let app = TestApp::new().await.inside(|edupro| {
        let own = Router::new()
            .route("/panic", get(async || -> &'static str { panic!("hunter2 in {}", file!()) }));
        edupro.guard(own).merge(edupro.router()).with_state(edupro.clone())
    });
    let visitor = app.visitor();
    for _ in 0..3 {
        let answer = visitor.get("http://school.example/panic").await;
        assert_eq!(
            (answer.status(), answer.json()),
            (500, json!({"detail": "Internal server error."}))
        );
        assert!(answer.header("x-request-id").is_some());
        assert_eq!(visitor.get("").await.status(), 200);
    }
}

/// One address is one visitor, whatever it says in `X-Forwarded-For` (security R8): the limit on all
/// requests and the one on codes are not begun anew.
#[tokio::test]
async fn spoofed_addresses() {
    let app = TestApp::builder().settings(|settings| settings.throttle = true).start().await;
    app.teacher("mona").await;
    let from = |number: usize| {
        let address = format!("198.51.{}.{}", number / 256, number % 256);
        app.visitor()
            .with_header("x-forwarded-for", &address)
            .with_header("x-real-ip", &address)
            .with_header("forwarded", &format!("for={address}"))
    };
    let mut before = Before::of(&app).await;
    // Twenty codes an hour from one address, for whomever.
    let mut statuses = Vec::new();
    for number in 0..21 {
        let body = json!({"email": format!("nobody{number}@example.com")});
        statuses.push(from(number).post("/password-reset/request/", body).await.status());
    }
    assert_eq!((&statuses[..20], statuses[20]), (&[400; 20][..], 429));
    before.assert_same("requests for codes").await;
    let mut refused = 0;
    for number in 0..400 {
        refused += usize::from(from(number).get("/course/list/").await.status() == 429);
    }
    assert!(refused >= 100, "{refused}");
}
