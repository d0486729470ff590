//! The audit log on the command line (security R52).

use std::fmt::Write;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use edupro_core::{
    School,
    accounts::{UserId, admin},
    audit::{Action, Details, Entry, LogQuery},
};
use serde_json::json;

use crate::config::Period;

/// Entries that are shown unless somebody asks for another number.
const LIMIT: u32 = 100;

/// Which entries are asked for.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct AuditArgs {
    /// From then on: a day, a moment, or so long ago: 2026-01-31, 2026-01-31T12:00:00Z, 7d
    #[arg(long, value_name = "WHEN", value_parser = when)]
    since: Option<When>,
    /// Before then
    #[arg(long, value_name = "WHEN", value_parser = when)]
    until: Option<When>,
    /// Only what this person did, and what was done to them
    #[arg(long, value_name = "USERNAME OR EMAIL")]
    user: Option<String>,
    /// Only this, for instance `coupon_redeemed`
    #[arg(long, value_name = "WORD", value_parser = action)]
    action: Option<Action>,
    /// How many at most: the latest
    #[arg(long, default_value_t = LIMIT)]
    limit: u32,
    /// Write a JSON object a line
    #[arg(long)]
    json: bool,
}

/// A moment as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    At(DateTime<Utc>),
    Ago(TimeDelta),
}

impl When {
    fn before(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Ago(period) => now.checked_sub_signed(period).unwrap_or(DateTime::UNIX_EPOCH),
        }
    }
}

fn when(text: &str) -> Result<When, String> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(When::At(day.and_time(NaiveTime::MIN).and_utc()));
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(When::At(at.to_utc()));
    }
    let ago = text.parse::<Period>().ok();
    let ago = ago.and_then(|period| TimeDelta::from_std(period.duration()).ok());
    ago.map(When::Ago).ok_or_else(|| {
        "write a day as 2026-01-31, a moment as 2026-01-31T12:00:00Z, or a period as 7d".to_owned()
    })
}

fn action(word: &str) -> Result<Action, String> {
    Action::from_word(word).ok_or_else(|| {
        let words: Vec<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
        format!("the words are {}", words.join(", "))
    })
}

/// What is asked for: a table, or a JSON object a line.
pub(crate) async fn show(school: &School, args: &AuditArgs) -> anyhow::Result<String> {
    let now = school.clock.now();
    let query = LogQuery {
        since: args.since.map(|when| when.before(now)),
        until: args.until.map(|when| when.before(now)),
        user: None,
        action: args.action,
        limit: args.limit.into(),
    };
    let entries = admin::audit(school, args.user.as_deref(), query).await?;
    Ok(if args.json { lines(&entries) } else { table(&entries) })
}

fn time(at: DateTime<Utc>, precision: SecondsFormat) -> String {
    at.to_rfc3339_opts(precision, true)
}

fn lines(entries: &[Entry]) -> String {
    let person = |(id, username): &(UserId, String)| json!({"id": id, "username": username});
    let line = |entry: &Entry| {
        json!({
            "id": entry.id,
            "at": time(entry.at, SecondsFormat::Micros),
            "action": entry.action,
            "actor": entry.actor.as_ref().map(person),
            "teacher": entry.teacher,
            "student": entry.student.as_ref().map(person),
            "address": entry.address,
            "object": {"kind": entry.object.0, "id": entry.object.1},
            "before": entry.before,
            "after": entry.after,
        })
        .to_string()
    };
    entries.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Names and values on one line. JSON writes control characters as escapes, so nothing that people
/// wrote can move the cursor.
fn values(details: Option<&Details>) -> String {
    let pairs = details.into_iter().flatten().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join(" ")
}

fn table(entries: &[Entry]) -> String {
    const TITLES: [&str; 6] = ["TIME", "ACTION", "BY", "FROM", "STUDENT", "OBJECT"];
    let name = |person: Option<&(UserId, String)>| {
        person.map_or_else(|| "-".to_owned(), |(_, username)| username.clone())
    };
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| {
            let columns = [
                time(entry.at, SecondsFormat::Secs),
                entry.action.clone(),
                name(entry.actor.as_ref()),
                entry.address.clone().unwrap_or_else(|| "-".to_owned()),
                name(entry.student.as_ref()),
                format!("{} {}", entry.object.0, entry.object.1).trim_end().to_owned(),
            ];
            let change = match (values(entry.before.as_ref()), values(entry.after.as_ref())) {
                (before, after) if before.is_empty() => after,
                (before, after) => format!("{before} -> {after}"),
            };
            (columns, change)
        })
        .collect();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        let widest = rows.iter().map(|(columns, _)| columns[column].chars().count()).max();
        widest.unwrap_or(0).max(TITLES[column].len())
    });
    let mut text = String::new();
    let titles = (TITLES.map(ToOwned::to_owned), "CHANGE".to_owned());
    for (columns, change) in std::iter::once(&titles).chain(&rows) {
        for (column, width) in columns.iter().zip(widths) {
            let _ = write!(text, "{column:width$}  ");
        }
        let _ = writeln!(text, "{change}");
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_three_ways() {
        let now = DateTime::from_timestamp(1_767_427_200, 0).unwrap();
        let at = |text: &str| when(text).map(|when| time(when.before(now), SecondsFormat::Secs));
        assert_eq!(at("2026-01-01").unwrap(), "2026-01-01T00:00:00Z");
        assert_eq!(at("2026-01-01T02:00:00+02:00").unwrap(), "2026-01-01T00:00:00Z");
        assert_eq!(at("7d").unwrap(), "2025-12-27T08:00:00Z");
        for text in ["", "yesterday", "2026-13-01", "-7d", "7"] {
            assert!(at(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_table_is_one_line_for_each_entry_whatever_people_wrote() {
        let title = ("title".to_owned(), json!("two\nlines \u{1b}[2J"));
        let entry = Entry {
            id: 1,
            at: DateTime::UNIX_EPOCH,
            action: "deleted".to_owned(),
            actor: Some((UserId(1), "mona".to_owned())),
            teacher: Some(UserId(1)),
            student: None,
            address: None,
            object: ("course".to_owned(), "7".to_owned()),
            before: Some([title].into()),
            after: None,
        };
        let table = table(std::slice::from_ref(&entry));
        assert_eq!(
            table,
            "TIME                  ACTION   BY    FROM  STUDENT  OBJECT    CHANGE\n\
             1970-01-01T00:00:00Z  deleted  mona  -     -        course 7  \
             title=\"two\\nlines \\u001b[2J\" ->"
        );
        let lines = lines(&[entry.clone(), entry]);
        assert_eq!(lines.lines().count(), 2);
        assert!(lines.starts_with("{\"action\":\"deleted\","), "{lines}");
    }
}
