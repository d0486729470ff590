//! The database: whether it can be reached, what it has, and what a crash would take from it.

use std::error::Error;

use chrono::TimeDelta;
use edupro_core::Clock;
use edupro_storage::{Examination, ExaminationError, Schema, examine};

use super::{Finding, Status};
use crate::config::{DatabaseUrl, Loaded};

const PART: &str = "database";
const REPLICA: &str = "replica";
const URL: &str = "database.url";
const READ_URL: &str = "database.read_url";
/// From here on the clocks of this machine and of the database are worth a look.
const SKEW_NOTED: TimeDelta = TimeDelta::seconds(1);
/// From here on they are not the same time: the leeway of tokens (security R9).
const SKEW_MAX: TimeDelta = TimeDelta::seconds(5);
/// Connections that are left to whoever looks after the database.
const CONNECTIONS_LEFT: u64 = 3;

pub(super) async fn look(loaded: &Loaded, clock: &dyn Clock) -> Vec<Finding> {
    let config = &loaded.config;
    let url = config.database_url();
    let mut findings = match examine(url.expose(), clock).await {
        Ok(found) => primary(loaded, &url, &found),
        Err(error) => vec![unreachable(PART, URL, &url, &error)],
    };
    if let Some(url) = &config.database.read_url {
        findings.push(match examine(url.expose(), clock).await {
            Ok(found) => replica(url, &found),
            Err(error) => unreachable(REPLICA, READ_URL, url, &error),
        });
    }
    findings
}

fn unreachable(
    part: &'static str,
    key: &str,
    url: &DatabaseUrl,
    error: &ExaminationError,
) -> Finding {
    if let ExaminationError::Absent(file) = error {
        let found = format!("{} is not there yet", file.display());
        return Finding::warning(part, found, &[key], "the first start makes it");
    }
    let found = format!("{} cannot be used: {}", url.shown(), in_full(error));
    Finding::failed(part, found, &[key], "is it there, and is the URL right?")
}

/// An error and what caused it. Neither our errors nor the driver's have a password in them.
fn in_full(error: &ExaminationError) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        // A transparent error says the same again.
        if !words.ends_with(&more) {
            words = format!("{words}: {more}");
        }
        next = cause.source();
    }
    words
}

fn primary(loaded: &Loaded, url: &DatabaseUrl, found: &Examination) -> Vec<Finding> {
    let mut findings =
        vec![Finding::ok(PART, format!("{} answers at {}", found.engine, url.shown()))];
    findings.push(match &found.refuses_writes {
        None => Finding::ok(PART, "it can be written"),
        Some(why) => Finding::failed(PART, why, &[URL], "name the one that is written to"),
    });
    findings.push(schema(found.schema));
    findings.extend(found.clock_ahead.map(skew));
    findings.extend(durability(found));
    findings.extend(connections(loaded, found));
    findings.push(match found.damage.as_deref() {
        Some([]) => Finding::ok(PART, "nothing in it is broken, as far as it can tell"),
        Some(damage) => Finding::failed(
            PART,
            format!("it is damaged: {}", damage.join("; ")),
            &[],
            "stop the server, keep a copy, and restore the last backup",
        ),
        None => Finding::warning(
            PART,
            "it is too large to be looked through in a minute",
            &[],
            "run `PRAGMA quick_check` on a backup",
        ),
    });
    findings
}

fn schema(schema: Schema) -> Finding {
    match schema {
        Schema::Current(number) => {
            Finding::ok(PART, format!("its schema is this version's, number {number}"))
        }
        Schema::Absent => Finding::warning(
            PART,
            "it has no schema yet",
            &[],
            "`edupro migrate` or the first start makes it",
        ),
        Schema::Older { found, wanted } => Finding::warning(
            PART,
            format!("its schema is number {found}, and this version has {wanted}"),
            &[],
            "make a backup; `edupro migrate` or the next start brings it up to date",
        ),
        Schema::Newer(number) => Finding::failed(
            PART,
            format!("its schema is number {number}, which this version does not know"),
            &[],
            "run the newer version of EduPro that made it",
        ),
        Schema::Broken(number) => Finding::failed(
            PART,
            format!("migration {number} of its schema was not finished, or was another one"),
            &[],
            "restore the last backup, or ask whoever changed the schema by hand",
        ),
    }
}

fn skew(ahead: TimeDelta) -> Finding {
    let seconds = ahead.as_seconds_f64();
    let found = format!("the database's clock is {seconds:+.3} s from this machine's");
    let status = match ahead.abs() {
        skew if skew > SKEW_MAX => Status::Failed,
        skew if skew > SKEW_NOTED => Status::Warning,
        _ => return Finding::ok("clock", found),
    };
    Finding::bad("clock", status, found, &[], "let both machines follow a time server")
}

/// What was acknowledged must be on a disk (security 1.4, R43).
fn durability(found: &Examination) -> Vec<Finding> {
    let must_be = [
        ("fsync", &["on"][..]),
        ("full_page_writes", &["on"]),
        ("synchronous_commit", &["on", "remote_apply", "remote_write"]),
        ("journal_mode", &["wal"]),
    ];
    let mut findings = Vec::new();
    let mut good = Vec::new();
    for (name, values) in must_be {
        match found.setting(name) {
            None => {}
            Some(value) if values.contains(&value) => good.push(format!("{name} is {value}")),
            // The server turns it on when it opens the file.
            Some(value) if name == "journal_mode" => findings.push(Finding::warning(
                PART,
                format!("{name} is {value}"),
                &[],
                "the next start sets it to wal",
            )),
            Some(value) => findings.push(Finding::failed(
                PART,
                format!("{name} is {value}: a crash takes back what was acknowledged"),
                &[],
                format!("set {name} = on in postgresql.conf, and for the database and its user"),
            )),
        }
    }
    if !good.is_empty() {
        findings.push(Finding::ok(PART, good.join(", ")));
    }
    findings
}

/// Each process has a pool to read and one to write.
fn connections(loaded: &Loaded, found: &Examination) -> Option<Finding> {
    let most: u64 = found.setting("max_connections")?.parse().ok()?;
    let read_elsewhere = loaded.config.database.read_url.is_some();
    let pools = if read_elsewhere { 1 } else { 2 };
    let wanted = pools * u64::from(loaded.config.database.max_connections.get());
    let found = format!("it allows {most} connections, and this process may use {wanted}");
    Some(match wanted + CONNECTIONS_LEFT <= most {
        true => Finding::ok(PART, found),
        false => Finding::failed(
            PART,
            found,
            &["database.max_connections"],
            "lower it, or raise max_connections in postgresql.conf",
        ),
    })
}

fn replica(url: &DatabaseUrl, found: &Examination) -> Finding {
    match found.schema {
        Schema::Current(number) => {
            Finding::ok(REPLICA, format!("{} answers, with schema {number}", url.shown()))
        }
        other => Finding::failed(
            REPLICA,
            format!("{} answers, but {}", url.shown(), schema(other).found),
            &[READ_URL],
            "does it follow the database at `database.url`?",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_are_told_by_how_much() {
        for (milliseconds, status) in [
            (0, Status::Ok),
            (-900, Status::Ok),
            (1_100, Status::Warning),
            (-4_900, Status::Warning),
            (5_100, Status::Failed),
            (-300_000, Status::Failed),
        ] {
            let finding = skew(TimeDelta::milliseconds(milliseconds));
            assert_eq!(finding.status, status, "{finding}");
        }
        assert!(skew(TimeDelta::seconds(-300)).found.contains("-300.000 s"));
    }
}
