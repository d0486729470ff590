//! What attackers try, by the sections of `docs/threats.md`: accounts, courses, lessons, exams, and
//! what crosses all of them. What other tests prove already is named there and not repeated here.
//!
//! Each attack gets its answer, and the whole database is compared: nobody has lost or won a row.

mod accounts;
mod courses;
mod crossing;
mod exams;
mod lessons;

use std::{collections::HashSet, fs, path::Path};

use edupro_http::testkit::{Answer, TestApp};

use crate::support::Witness;

/// The page that says which test proves what.
const PAGE: &str = include_str!("../../../docs/threats.md");

/// All that a school keeps, as it was before an attack. What the guards count and the audit log notes is
/// not part of it.
pub(crate) struct Before {
    witness: Witness,
    rows: Vec<String>,
}

impl Before {
    pub(crate) async fn of(app: &TestApp) -> Self {
        let mut before = Self { witness: Witness::of(app).await, rows: Vec::new() };
        before.rows = before.present().await;
        before
    }

    async fn present(&mut self) -> Vec<String> {
        let mut rows = self.witness.rows().await;
        // That it was tried is counted and noted.
        let is_noted = |row: &String| row.starts_with("limits ") || row.starts_with("audit_log ");
        rows.retain(|row| !is_noted(row));
        rows
    }

    /// The lines that came and went since.
    async fn difference(&mut self) -> Vec<String> {
        let now = self.present().await;
        let (was, is): (HashSet<_>, HashSet<_>) =
            (self.rows.iter().collect(), now.iter().collect());
        let gone = self.rows.iter().filter(|row| !is.contains(row)).map(|row| format!("- {row}"));
        let new = now.iter().filter(|row| !was.contains(row)).map(|row| format!("+ {row}"));
        gone.chain(new).collect()
    }

    /// That the attack has changed nothing.
    pub(crate) async fn assert_same(&mut self, attack: &str) {
        assert_eq!(self.difference().await, Vec::<String>::new(), "changed by {attack}");
    }

    /// That rows of these tables have changed, and no others.
    pub(crate) async fn assert_only(&mut self, tables: &[&str]) {
        let difference = self.difference().await;
        let is_allowed = |line: &&String| {
            let table = line[2..].split(' ').next().unwrap_or_default();
            !tables.contains(&table)
        };
        assert_eq!(difference.iter().find(is_allowed), None, "{difference:#?}");
        self.rows = self.present().await;
    }
}

/// What somebody who tries several things is answered, a line each: for a snapshot.
#[derive(Default)]
pub(crate) struct Told(Vec<String>);

impl Told {
    /// Notes an answer, by its status and what it says when it refuses.
    pub(crate) fn note(&mut self, attack: &str, answer: &Answer) {
        let words = match answer.status() {
            400.. => String::from_utf8_lossy(answer.bytes()).into_owned(),
            _ => String::new(),
        };
        let is_cleared = |cookie: &str| cookie.contains("=;");
        assert!(answer.status() < 400 || answer.cookies().all(is_cleared), "{attack}: {answer}");
        self.0.push(format!("{attack}: {} {words}", answer.status()).trim_end().to_owned());
    }

    pub(crate) fn text(&self) -> String {
        self.0.join("\n")
    }
}

/// Where a test is that the page names: `accounts::twins` is in `tests/api/accounts.rs`, what is
/// elsewhere begins with its file.
fn file_and_function(name: &str) -> Option<(String, &str)> {
    let (place, function) = name.rsplit_once("::")?;
    let file = match place.contains('/') {
        true => place.to_owned(),
        false => format!("tests/api/{}.rs", place.replace("::", "/")),
    };
    Some((file, function))
}

/// The names in the last column of the page's tables.
fn named() -> Vec<&'static str> {
    let lines = PAGE.lines().filter(|line| line.starts_with('|'));
    let cells = lines.filter_map(|line| line.trim_end_matches('|').rsplit('|').next());
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names.filter(|name| name.contains("::")).collect()
}

/// A line of the threat model is worth what its test is: each test that the page names is there.
#[test]
fn every_named_test_is_there() {
    let names = named();
    assert!(names.len() > 100, "the page has only {} names", names.len());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_there = |name: &&str| {
        let (file, function) = file_and_function(name).expect("a name has a place");
        let text = fs::read_to_string(root.join(file)).unwrap_or_default();
        text.contains(&format!("fn {function}("))
    };
    let missing: Vec<_> = names.into_iter().filter(|name| !is_there(name)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "the page names tests that are not there");
}

/// And the reverse: each test here stands in the page.
#[test]
fn every_test_here_is_named() {
    let named: HashSet<&str> = named().into_iter().collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/threats");
    for part in ["accounts", "courses", "crossing", "exams", "lessons"] {
        let text = fs::read_to_string(folder.join(format!("{part}.rs"))).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let line = line.trim();
            let is_story = line.starts_with("async fn ") && line.contains("(school)");
            let is_test = at > 0 && lines[at - 1].trim().ends_with("test]");
            if !is_story && !is_test {
                continue;
            }
            let function = line.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
            let name = format!("threats::{part}::{}", function.unwrap_or_default());
            assert!(named.contains(name.as_str()), "docs/threats.md does not name {name}");
        }
    }
}
