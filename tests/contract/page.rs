//! `docs/contract.md`, read strictly: what is not understood is an error with its line.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// Where the operations stand that have no number of the contract's.
pub(crate) const BESIDE: &str = "What clients ask beside it";
pub(crate) const ADDITIONS: &str = "Additions of ours";

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const WORDS: [&str; 11] = [
    "integer", "number", "boolean", "object", "list", "text", "url", "decimal", "uuid", "datetime",
    "date",
];
const FIELD_WORDS: [&str; 11] = [
    "integer", "number", "boolean", "object", "list", "text", "decimal", "uuid", "datetime",
    "date", "file",
];

/// All that the page says.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) operations: Vec<Operation>,
    pub(crate) shapes: BTreeMap<String, Shape>,
    pub(crate) general: Vec<General>,
    pub(crate) same: Vec<Same>,
}

/// What JSON looks like that several answers have: values in angle brackets stand for others.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) line: usize,
    pub(crate) template: Value,
}

#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) line: usize,
    pub(crate) number: String,
    pub(crate) title: String,
    /// Methods with paths.
    pub(crate) calls: Vec<(String, String)>,
    /// `Teachers may.`
    pub(crate) permission: String,
    pub(crate) owned: Option<String>,
    pub(crate) query: BTreeSet<String>,
    pub(crate) headers: BTreeSet<String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) answers: Vec<Answer>,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) line: usize,
    /// `answers[].question_id` for one of a list's.
    pub(crate) name: String,
    pub(crate) word: String,
    pub(crate) is_required: bool,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) line: usize,
    pub(crate) status: u16,
    /// None when nothing is sent.
    pub(crate) body: Option<Value>,
}

/// A status that operations answer beside their own.
#[derive(Debug)]
pub(crate) struct General {
    pub(crate) line: usize,
    pub(crate) status: u16,
    pub(crate) of: Of,
    pub(crate) body: Value,
}

/// Which operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Any,
    WithFields,
    NotForEverybody,
    WithParameterOrPages,
    WithIdempotencyKey,
}

/// Something that has two numbers.
#[derive(Debug)]
pub(crate) struct Same {
    pub(crate) line: usize,
    pub(crate) number: String,
    /// Empty when nothing else is it.
    pub(crate) is: String,
}

/// An error with the line it is in.
type Read<T> = Result<T, String>;

fn at<T>(line: usize, problem: impl AsRef<str>) -> Read<T> {
    Err(format!("docs/contract.md:{line}: {}", problem.as_ref()))
}

/// Which list the dashes of an operation belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    None,
    Fields,
    Answers,
}

impl Page {
    pub(crate) fn read(text: &str) -> Read<Self> {
        let mut page = Self::default();
        let mut section = String::new();
        let mut part = String::new();
        let mut list = List::None;
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line)).peekable();
        while let Some((number, line)) = lines.next() {
            if let Some(name) = line.strip_prefix("## ") {
                name.clone_into(&mut section);
                part.clear();
            } else if let Some(name) = line.strip_prefix("### ") {
                name.clone_into(&mut part);
            } else if let Some(name) = line.strip_prefix("##### ") {
                let Some(name) = name.strip_prefix("Shape ") else {
                    return at(number, "expected `##### Shape Name`");
                };
                let inner = lines.by_ref().skip_while(|(_, line)| line.is_empty());
                let mut inner = inner.map_while(|(_, line)| (line != "```").then_some(line));
                if inner.next() != Some("```json") {
                    return at(number, "expected a block of JSON below the name of a shape");
                }
                let json: String = inner.collect::<Vec<_>>().join("\n");
                let template = json_of(number, &json)?;
                let shape = Shape { line: number, template };
                if page.shapes.insert(name.to_owned(), shape).is_some() {
                    return at(number, format!("there is a shape {name} already"));
                }
                list = List::None;
                part = "shapes".to_owned();
            } else if let Some(title) = line.strip_prefix("#### ") {
                let operation = heading(number, &section, title)?;
                page.operations.push(operation);
                list = List::None;
                part = "operation".to_owned();
            } else if part == "operation" {
                let Some(operation) = page.operations.last_mut() else { continue };
                operation.read_line(number, line, &mut list)?;
            } else if part == "General answers" && line.starts_with("| ") {
                page.general.extend(general(number, line)?);
            } else if part == "The same under another number" && line.starts_with("| ") {
                page.same.extend(same(number, line)?);
            } else if part == "shapes" && !line.is_empty() {
                return at(number, "expected another shape, operation or section");
            }
        }
        page.check()?;
        Ok(page)
    }

    /// What can only be seen at the end.
    fn check(&self) -> Read<()> {
        for operation in &self.operations {
            if operation.calls.is_empty() {
                return at(operation.line, "no method and path: expected `POST /api/v1/…`");
            }
            if operation.permission.is_empty() {
                return at(operation.line, "nobody may: expected `Teachers may.` or the like");
            }
            if operation.answers.is_empty() {
                return at(operation.line, "no answers");
            }
        }
        let mut used = BTreeSet::new();
        for operation in &self.operations {
            for answer in &operation.answers {
                let body = answer.body.as_ref().unwrap_or(&Value::Null);
                self.check_words(answer.line, body, &mut used)?;
            }
        }
        for shape in self.shapes.values() {
            self.check_words(shape.line, &shape.template, &mut used)?;
        }
        for (name, shape) in &self.shapes {
            if !used.contains(name.as_str()) {
                return at(shape.line, format!("nothing has the shape {name}"));
            }
        }
        if self.general.is_empty() {
            return at(1, "no table below `### General answers`");
        }
        Ok(())
    }

    /// Whether everything in angle brackets is known.
    fn check_words<'a>(
        &self,
        line: usize,
        template: &'a Value,
        used: &mut BTreeSet<&'a str>,
    ) -> Read<()> {
        match template {
            Value::String(text) => {
                let Some((word, _)) = placeholder(text) else { return Ok(()) };
                if self.shapes.contains_key(word) {
                    used.insert(word);
                } else if !WORDS.contains(&word) {
                    return at(line, format!("`<{word}>` is neither a word nor a shape"));
                }
                Ok(())
            }
            Value::Array(items) => {
                items.iter().try_for_each(|item| self.check_words(line, item, used))
            }
            Value::Object(keys) => {
                keys.values().try_for_each(|value| self.check_words(line, value, used))
            }
            _ => Ok(()),
        }
    }
}

/// What stands in angle brackets, and whether it may be null.
pub(crate) fn placeholder(text: &str) -> Option<(&str, bool)> {
    let inner = text.strip_prefix('<')?.strip_suffix('>')?;
    Some(inner.strip_suffix(" or null").map_or((inner, false), |word| (word, true)))
}

fn heading(line: usize, section: &str, title: &str) -> Read<Operation> {
    let (number, title) = match title.split_once(' ') {
        Some((number, rest)) if number.contains(|character: char| character.is_ascii_digit()) => {
            (number, rest)
        }
        _ => ("", title),
    };
    let kept = match section {
        BESIDE => number.starts_with('X'),
        ADDITIONS => number.is_empty(),
        section => {
            let chapter = section.split_once(". ").map(|(chapter, _)| chapter);
            chapter.is_some() && number.split_once('.').map(|(chapter, _)| chapter) == chapter
        }
    };
    if !kept {
        return at(line, format!("an operation numbered {number:?} stands below {section:?}"));
    }
    Ok(Operation {
        line,
        number: number.to_owned(),
        title: title.to_owned(),
        calls: Vec::new(),
        permission: String::new(),
        owned: None,
        query: BTreeSet::new(),
        headers: BTreeSet::new(),
        fields: Vec::new(),
        answers: Vec::new(),
    })
}

impl Operation {
    fn read_line(&mut self, number: usize, line: &str, list: &mut List) -> Read<()> {
        if line.is_empty() || line.starts_with("> ") {
            return Ok(());
        }
        if let Some(call) = line.strip_prefix('`') {
            return self.read_call(number, call);
        }
        if let Some(names) = line.strip_prefix("Query: ") {
            self.query = quoted_names(number, names)?;
        } else if let Some(names) = line.strip_prefix("Header: ") {
            self.headers = quoted_names(number, names)?;
        } else if line == "Fields:" {
            *list = List::Fields;
        } else if line == "Answers:" {
            *list = List::Answers;
        } else if let Some(item) = line.strip_prefix("- ") {
            match list {
                List::Fields => self.fields.push(field(number, item)?),
                List::Answers => self.answers.push(answer(number, item)?),
                List::None => return at(number, "a list of neither fields nor answers"),
            }
        } else if self.permission.is_empty() && line.contains(" may") {
            self.read_permission(number, line)?;
        } else {
            return at(number, format!("not understood: {line:?}; a remark begins with `> `"));
        }
        Ok(())
    }

    /// `PUT, PATCH /api/v1/coupon/update/{coupon_id}` in backquotes.
    fn read_call(&mut self, number: usize, call: &str) -> Read<()> {
        let Some(call) = call.trim_end_matches('\\').strip_suffix('`') else {
            return at(number, "a method and a path have to stand in one pair of backquotes");
        };
        let Some((methods, path)) = call.rsplit_once(' ') else {
            return at(number, "expected a method and a path");
        };
        if !path.starts_with('/') {
            return at(number, format!("{path:?} is no path"));
        }
        for method in methods.split(", ") {
            if !METHODS.contains(&method) {
                return at(number, format!("{method:?} is no method"));
            }
            self.calls.push((method.to_owned(), path.to_owned()));
        }
        Ok(())
    }

    /// `Teachers may.`, or what has to be theirs after a semicolon.
    fn read_permission(&mut self, number: usize, line: &str) -> Read<()> {
        let Some(line) = line.strip_suffix('.') else {
            return at(number, "who may is a sentence: its full stop is missing");
        };
        let (permission, owned) = match line.split_once("; ") {
            Some((permission, owned)) => (permission, Some(owned)),
            None => (line, None),
        };
        if let Some(owned) = owned {
            let name =
                owned.strip_prefix('`').and_then(|rest| rest.strip_suffix("` has to be theirs"));
            let Some(name) = name else {
                return at(number, "expected `…; `parameter` has to be theirs.`");
            };
            self.owned = Some(name.to_owned());
        }
        self.permission = format!("{permission}.");
        Ok(())
    }
}

/// Names in backquotes, with commas.
fn quoted_names(line: usize, names: &str) -> Read<BTreeSet<String>> {
    let bare = |name: &str| Some(name.strip_prefix('`')?.strip_suffix('`')?.to_owned());
    let read: Option<BTreeSet<_>> = names.split(", ").map(bare).collect();
    read.map_or_else(|| at(line, "expected names in backquotes, with commas between"), Ok)
}

/// A text in backquotes, and what comes after a colon.
fn quoted(text: &str) -> Option<&str> {
    let (inner, rest) = text.strip_prefix('`')?.rsplit_once('`').and_then(|(inner, rest)| {
        // A remark may have backquotes of its own.
        inner.split_once("`: ").map(|(inner, _)| (inner, "")).or(Some((inner, rest)))
    })?;
    (rest.is_empty() || rest.starts_with(": ")).then_some(inner)
}

/// The name in backquotes, then `integer, required: 1 to 1000`.
fn field(line: usize, item: &str) -> Read<Field> {
    let parts = item.strip_prefix('`').and_then(|rest| rest.split_once("` "));
    let Some((name, rest)) = parts else {
        return at(line, "expected the name of a field in backquotes, and its type");
    };
    let kind = rest.split_once(": ").map_or(rest, |(kind, _)| kind);
    let (word, is_required) =
        kind.strip_suffix(", required").map_or((kind, false), |word| (word, true));
    if !FIELD_WORDS.contains(&word) {
        return at(line, format!("{word:?} is no type of a field"));
    }
    Ok(Field { line, name: name.to_owned(), word: word.to_owned(), is_required })
}

/// A status in bold, then a body in backquotes, then a remark.
fn answer(line: usize, item: &str) -> Read<Answer> {
    let parts = item.strip_prefix("**").and_then(|rest| rest.split_once("** "));
    let parts = parts.and_then(|(status, rest)| Some((status.parse().ok()?, rest)));
    let Some((status, rest)) = parts else {
        return at(line, "expected `**status** `body``");
    };
    if rest == "nothing" || rest.starts_with("nothing: ") {
        return Ok(Answer { line, status, body: None });
    }
    let Some(body) = quoted(rest) else {
        return at(line, "expected a body in backquotes, or `nothing`");
    };
    Ok(Answer { line, status, body: Some(template(line, body)?) })
}

/// JSON, the name of a shape, a list or a page of it.
fn template(line: usize, body: &str) -> Read<Value> {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.chars().all(|character| character.is_ascii_alphanumeric())
    };
    if is_name(body) {
        return Ok(json!(format!("<{body}>")));
    }
    if let Some(name) = body.strip_prefix("page of ") {
        return Ok(json!({
            "count": "<integer>",
            "next": "<url or null>",
            "previous": "<url or null>",
            "results": [format!("<{name}>")],
        }));
    }
    let inner = body.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(name) if is_name(name) => Ok(json!([format!("<{name}>")])),
        _ if body.starts_with('<') => Ok(json!(body)),
        _ => json_of(line, body),
    }
}

fn json_of(line: usize, json: &str) -> Read<Value> {
    serde_json::from_str(json).or_else(|error| at(line, format!("this is not JSON: {error}")))
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split(" |").map(str::trim).collect()
}

/// A row of the table of general answers; nothing for its head.
fn general(line: usize, row: &str) -> Read<Option<General>> {
    let cells = cells(row);
    if cells == ["status", "of an operation", "body"] || cells[0].starts_with("---") {
        return Ok(None);
    }
    let [status, of, body] = cells[..] else {
        return at(line, "expected a status, which operations, and a body");
    };
    let Ok(status) = status.parse() else { return at(line, "expected a status") };
    let of = match of {
        "any" => Of::Any,
        "with fields" => Of::WithFields,
        "not for everybody" => Of::NotForEverybody,
        "with a parameter or pages" => Of::WithParameterOrPages,
        "with Idempotency-Key" => Of::WithIdempotencyKey,
        of => return at(line, format!("which operations are {of:?}?")),
    };
    let Some(body) = quoted(body) else { return at(line, "expected a body in backquotes") };
    Ok(Some(General { line, status, of, body: json_of(line, body)? }))
}

/// A row of the table of second numbers; nothing for its head.
fn same(line: usize, row: &str) -> Read<Option<Same>> {
    let cells = cells(row);
    if cells == ["number", "is", "why"] || cells[0].starts_with("---") {
        return Ok(None);
    }
    let [number, is, _] = cells[..] else {
        return at(line, "expected a number, what it is, and why");
    };
    Ok(Some(Same { line, number: number.to_owned(), is: is.to_owned() }))
}
