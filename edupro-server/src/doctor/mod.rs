//! `edupro doctor`: whether this school could work here, asked of everything it stands on.
//!
//! Every check is made, whatever the others say, and none of them makes or changes anything: what is
//! not there is reported and not made. What was found is a line with one of three words, and says
//! which key or command mends it.

mod address;
mod database;
mod places;
mod providers;
mod secrets;

use std::fmt::{self, Display, Write};

use edupro_core::Clock;
use serde::Serialize;

use crate::config::{ConfigError, Loaded};

/// How well a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// As it should be.
    Ok,
    /// It works, but somebody should look at it.
    Warning,
    /// It does not work, or gives something away.
    Failed,
}

impl Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        })
    }
}

/// What one check has found.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// What was looked at.
    part: &'static str,
    status: Status,
    /// What was found, without secrets.
    found: String,
    /// The keys of the configuration to look at.
    keys: Vec<String>,
    /// What to do; empty when there is nothing to do.
    remedy: String,
}

impl Finding {
    fn ok(part: &'static str, found: impl Into<String>) -> Self {
        Self {
            part,
            status: Status::Ok,
            found: found.into(),
            keys: Vec::new(),
            remedy: String::new(),
        }
    }

    fn bad(
        part: &'static str,
        status: Status,
        found: impl Into<String>,
        keys: &[&str],
        remedy: impl Into<String>,
    ) -> Self {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Self { part, status, found: found.into(), keys, remedy: remedy.into() }
    }

    fn warning(
        part: &'static str,
        found: impl Into<String>,
        keys: &[&str],
        remedy: impl Into<String>,
    ) -> Self {
        Self::bad(part, Status::Warning, found, keys, remedy)
    }

    fn failed(
        part: &'static str,
        found: impl Into<String>,
        keys: &[&str],
        remedy: impl Into<String>,
    ) -> Self {
        Self::bad(part, Status::Failed, found, keys, remedy)
    }

    /// A value that could not be used, which says itself which key it is.
    fn refused(part: &'static str, error: &ConfigError) -> Self {
        let key = error.key();
        Self::failed(part, error.to_string(), key.as_slice(), "")
    }
}

impl Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:8} {:14} {}", self.status, self.part, self.found)?;
        let keys: Vec<_> = self.keys.iter().map(|key| format!("`{key}`")).collect();
        match (keys.is_empty(), self.remedy.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => write!(formatter, " -> {}", self.remedy),
            (false, true) => write!(formatter, " -> {}", keys.join(", ")),
            (false, false) => write!(formatter, " -> {}: {}", keys.join(", "), self.remedy),
        }
    }
}

/// What all checks have found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The worst of them.
    status: Status,
    findings: Vec<Finding>,
}

impl Report {
    fn new(findings: Vec<Finding>) -> Self {
        let worst = findings.iter().map(|finding| finding.status).max();
        Self { status: worst.unwrap_or(Status::Ok), findings }
    }

    /// Whether nothing has failed.
    pub(crate) fn is_well(&self) -> bool {
        self.status < Status::Failed
    }

    /// For people: a line for each finding, and one that adds them up.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let _ = writeln!(text, "{finding}");
        }
        let count = |status| self.findings.iter().filter(|it| it.status == status).count();
        let (failed, warnings) = (count(Status::Failed), count(Status::Warning));
        let _ =
            write!(text, "{} checks: {failed} failed, {warnings} warnings", self.findings.len());
        text
    }

    /// For machines.
    pub(crate) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}

/// A configuration that cannot be read. Nothing else can be looked at: nobody knows where it is.
pub(crate) fn unreadable(error: &ConfigError) -> Report {
    Report::new(vec![Finding::refused("configuration", error)])
}

/// Looks at everything this configuration stands on.
pub(crate) async fn examine(loaded: &Loaded, clock: &dyn Clock) -> Report {
    let (database, mail, video, payment, others, url) = tokio::join!(
        database::look(loaded, clock),
        providers::mail(loaded),
        providers::video(loaded),
        providers::payment(loaded),
        providers::others(loaded),
        address::public_url(loaded),
    );
    let mut findings = vec![configuration(loaded)];
    findings.extend(places::directories(loaded));
    findings.extend(secrets::look(loaded, clock));
    findings.push(year(clock));
    for found in [database, mail, video, payment, others, url] {
        findings.extend(found);
    }
    findings.push(address::open_files(loaded));
    Report::new(findings)
}

fn configuration(loaded: &Loaded) -> Finding {
    let file = loaded.file().map_or_else(
        || "no file, so defaults and the environment".to_owned(),
        |file| format!("{} and the environment", file.display()),
    );
    Finding::ok("configuration", format!("{file} fit together"))
}

/// Tokens, codes and enrolments end by the clock, so one that was never set lets nobody in or
/// everybody.
fn year(clock: &dyn Clock) -> Finding {
    let now = clock.now();
    let year = now.format("%Y-%m-%d %H:%M UTC").to_string();
    match chrono::Datelike::year(&now) {
        2025..=2099 => Finding::ok("clock", format!("it is {year}")),
        _ => Finding::failed(
            "clock",
            format!("it says that it is {year}"),
            &[],
            "set this machine's clock, and let it follow a time server",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use edupro_core::{ManualClock, SystemClock, mail::MemoryMailer};
    use tempfile::TempDir;

    use super::*;
    use crate::{NoOptions, config::Sources, registry::Registry};

    /// What is found with a mailer of one's own, made or not.
    async fn with_pigeons(makes: bool, clock: &dyn Clock) -> Report {
        let mut registry = Registry::default();
        let make = move |NoOptions {}, _: &_| match makes {
            true => Ok(Arc::new(MemoryMailer::default()) as Arc<_>),
            false => Err("the loft is empty".into()),
        };
        registry.mail.add("pigeons", make, |_| None);
        let folder = TempDir::new().unwrap();
        let variable = |key: &str, value: &str| (key.to_owned().into(), value.to_owned().into());
        let variables = vec![
            variable("EDUPRO_MAIL__PROVIDER", "pigeons"),
            variable("EDUPRO_DATA_DIR", &folder.path().join("data").display().to_string()),
        ];
        let sources = Sources { variables, ..Sources::default() };
        examine(&Loaded::with(sources, &registry).unwrap(), clock).await
    }

    #[tokio::test]
    async fn providers_of_ones_own_are_asked_what_their_trait_offers() {
        let text = with_pigeons(true, &SystemClock).await.to_text();
        assert!(text.contains("pigeons answers and would take mail"), "{text}");
        let report = with_pigeons(false, &SystemClock).await;
        assert!(!report.is_well());
        assert!(report.to_text().contains("the loft is empty"), "{}", report.to_text());
    }

    #[tokio::test]
    async fn a_clock_that_was_never_set_is_found() {
        let report = with_pigeons(true, &ManualClock::new(chrono::DateTime::UNIX_EPOCH)).await;
        let text = report.to_text();
        assert!(text.contains("it says that it is 1970-01-01") && !report.is_well(), "{text}");
    }
}
