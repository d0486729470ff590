//! `docs/security.md` holds what it names, and what a student may be told is not told by accident.

#![cfg(test)]

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

/// Scripts that are run by hand, on a machine of their own.
const BY_HAND: &str = "scripts/reliability";
/// How many requirements there are.
const REQUIREMENTS: u32 = 58;
/// The cells of a row: number, what, where, checks, figure.
const CELLS: usize = 5;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Whether a file has a test of this name: a function with the attribute, or a story of a macro that
/// makes two of it.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let begins = |line: &str| {
        let rest = line.strip_prefix("async ").unwrap_or(line);
        rest.strip_prefix("fn ").and_then(|rest| rest.strip_prefix(name)).map(str::to_owned)
    };
    lines.iter().enumerate().any(|(number, line)| {
        let Some(rest) = begins(line).filter(|rest| rest.starts_with('(')) else { return false };
        let is_story = ["(school)", "(opened)"].iter().any(|argument| rest.starts_with(argument));
        let mut above =
            lines[..number].iter().rev().take_while(|line| line.starts_with(['#', '/']));
        let is_test =
            |line: &&str| line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        is_story || above.any(is_test)
    })
}

/// Whether a macro of that file makes a test of it: `mod sqlite`, `mod postgres`.
fn has_generated_test(text: &str, name: &str) -> bool {
    text.contains("macro_rules!") && text.contains(&format!("fn {name}("))
}

/// What is wrong with the page, as far as `read` knows files; each a line.
fn faults(page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut numbers = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with("| R")) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let number = cells[0].strip_prefix('R').and_then(|number| number.parse::<u32>().ok());
        let Some(number) = number else {
            faults.push(format!("{} is no number", cells[0]));
            continue;
        };
        if !numbers.insert(number) {
            faults.push(format!("R{number} is there twice"));
        }
        if cells.len() != CELLS {
            faults.push(format!("R{number} has {} cells", cells.len()));
            continue;
        }
        let is_told_below = cells[3] == "below" && page.contains(&format!("- **R{number}**"));
        if quoted(cells[3]).next().is_none() && !is_told_below {
            faults.push(format!("R{number} is checked by nothing"));
        }
        for place in quoted(cells[2]) {
            if read(place).is_none() {
                faults.push(format!("R{number}: there is no {place}"));
            }
        }
        for check in quoted(cells[3]) {
            let (file, test) = check.split_once('#').unwrap_or((check, ""));
            match read(file) {
                None => faults.push(format!("R{number}: there is no {file}")),
                Some(_) if test.is_empty() && file.starts_with("scripts/") => {}
                Some(_) if test.is_empty() => {
                    faults.push(format!("R{number}: {file} is no script, and no test is named"));
                }
                Some(source) if has_test(&source, test) || has_generated_test(&source, test) => {}
                Some(_) => faults.push(format!("R{number}: {file} has no test {test}")),
            }
        }
    }
    let missing = (1..=REQUIREMENTS).filter(|number| !numbers.contains(number));
    faults.extend(missing.map(|number| format!("R{number} is missing")));
    let beyond = numbers.iter().filter(|number| **number > REQUIREMENTS);
    faults.extend(beyond.map(|number| format!("there is no R{number}")));
    faults
}

fn page() -> String {
    fs::read_to_string(root().join("docs/security.md")).unwrap()
}

/// A file of the repository. As long as none of the scripts that are run by hand is here, they count
/// as there: whoever takes only the sources has none of them.
fn read(path: &str) -> Option<String> {
    if path.starts_with(BY_HAND) && !root().join(BY_HAND).exists() {
        return Some(String::new());
    }
    fs::read_to_string(root().join(path)).ok()
}

#[test]
fn the_table_names_only_what_is_there() {
    let faults = faults(&page(), read);
    assert!(faults.is_empty(), "docs/security.md:\n{}", faults.join("\n"));
}

#[test]
fn a_table_that_lies_is_noticed() {
    let page = page();
    for (was, lie, fault) in [
        ("| R17 |", "| R71 |", "R17 is missing"),
        ("| R17 |", "| R71 |", "there is no R71"),
        ("| R17 |", "| R18 |", "R18 is there twice"),
        ("#throttled_login`", "#throttled_logins`", "has no test throttled_logins"),
        // A helper is no test.
        ("#throttled_login`", "#credentials`", "has no test credentials"),
        (
            "`tests/redemption.rs#stress_sqlite`",
            "`tests/redemptions.rs#stress_sqlite`",
            "no tests/redemptions.rs",
        ),
        ("`scripts/sbom`", "`scripts/sboms`", "there is no scripts/sboms"),
        (
            "`edupro-core/src/page.rs` |",
            "`edupro-core/src/pages.rs` |",
            "no edupro-core/src/pages.rs",
        ),
        ("`scripts/reliability/t28-backup-under-load`", "by hand", "R55 is checked by nothing"),
    ] {
        assert!(page.contains(was), "{was}");
        let faults = faults(&page.replacen(was, lie, 1), read);
        assert!(faults.iter().any(|line| line.contains(fault)), "{lie}: {faults:?}");
    }
}

/// The keys of all objects in a schema, whatever it refers to.
fn keys(
    schema: &Value,
    schemas: &Value,
    seen: &mut BTreeSet<String>,
    found: &mut BTreeSet<String>,
) {
    match schema {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str) {
                let name = name.rsplit('/').next().unwrap().to_owned();
                if seen.insert(name.clone()) {
                    keys(&schemas[&name], schemas, seen, found);
                }
            }
            if let Some(properties) = map.get("properties").and_then(Value::as_object) {
                found.extend(properties.keys().cloned());
            }
            for value in map.values() {
                keys(value, schemas, seen, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, schemas, seen, found)),
        _ => {}
    }
}

/// Security R29. Every answer is held against the document by `tests/api/truth.rs`, keys included, so
/// what stands nowhere in it is told nobody. Who may ask below `/teacher/` is walked through by
/// `tests/api/permissions.rs`.
#[test]
fn only_teachers_are_told_what_is_right() {
    let document = edupro_http::openapi::document("");
    let schemas = &document["components"]["schemas"];
    let mut told = BTreeSet::new();
    let mut looked_at = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for operation in operations.as_object().unwrap().values() {
            let mut found = BTreeSet::new();
            keys(&operation["responses"], schemas, &mut BTreeSet::new(), &mut found);
            looked_at += 1;
            for key in ["is_correct", "correct_answer", "explanation", "marking", "accept"] {
                if found.contains(key) && !path.starts_with("/api/v1/teacher/") {
                    told.insert((path.replace("/api/v1", ""), key));
                }
            }
        }
    }
    assert!(looked_at > 100, "{looked_at}");
    // What may be seen there, and when, is told by `tests/api/results.rs`.
    let result = "/student/attempts/{attempt_id}/result/".to_owned();
    assert_eq!(told, [(result.clone(), "correct_answer"), (result, "is_correct")].into());
}
