//! Secrets: whether others can read them, and whether they are any (security R9, R51).

use std::{fs, path::Path};

use chrono::{DateTime, TimeDelta, Utc};
use edupro_core::Clock;
use secrecy::SecretString;

use super::{
    Finding,
    places::{is_ours, mode},
};
use crate::config::{Loaded, weakness};

const PART: &str = "secrets";

pub(super) fn look(loaded: &Loaded, clock: &dyn Clock) -> Vec<Finding> {
    let mut findings = vec![match &loaded.config.auth.secret {
        // A weak one has stopped the reading of the configuration.
        Some(_) => Finding::ok(PART, "`auth.secret` is long enough"),
        None => kept(&loaded.config.secret_path()),
    }];
    findings.extend(loaded.file_with_secrets().map(configuration));
    findings.extend(previous(loaded, clock));
    findings
}

/// The file that the server has made itself.
fn kept(path: &Path) -> Finding {
    let shown = path.display();
    if !path.exists() {
        let remedy = "the first start makes it";
        return Finding::warning(PART, format!("{shown} is not there yet"), &[], remedy);
    }
    if mode(path) & 0o077 != 0 {
        let found = format!("others can read {shown}, whose mode is {:o}", mode(path));
        return Finding::failed(PART, found, &[], format!("run `chmod 600 {shown}`"));
    }
    if !is_ours(path) {
        let found = format!("{shown} belongs to another user");
        return Finding::failed(PART, found, &[], "give it to the user that runs the server");
    }
    match fs::read_to_string(path) {
        Ok(text) => match weakness(Some(&SecretString::from(text.trim()))) {
            Ok(()) => Finding::ok(PART, format!("{shown} is long enough, and closed to others")),
            Err(problem) => Finding::failed(
                PART,
                format!("{shown} {problem}"),
                &["auth.secret"],
                "set one, or delete the file to get a new secret and end all sessions",
            ),
        },
        Err(error) => Finding::failed(
            PART,
            format!("{shown} cannot be read: {error}"),
            &[],
            "give it to the user that runs the server",
        ),
    }
}

fn configuration(path: &Path) -> Finding {
    let shown = path.display();
    let [group, others] = [0o070, 0o007].map(|bits| mode(path) & bits != 0);
    let found = format!("{shown} holds a secret, and its mode is {:o}", mode(path));
    let remedy = format!("run `chmod 600 {shown}`");
    if !is_ours(path) {
        let found = format!("{shown} holds a secret and belongs to another user");
        return Finding::failed(PART, found, &[], "give it to the user that runs the server");
    }
    match (group, others) {
        (false, false) => Finding::ok(PART, format!("{found}: closed to others")),
        // A group may be one that was made for it.
        (true, false) => Finding::warning(PART, found, &[], remedy),
        (_, true) => Finding::failed(PART, found, &[], remedy),
    }
}

/// The secret before this one is of use as long as something that it signed is valid.
fn previous(loaded: &Loaded, clock: &dyn Clock) -> Option<Finding> {
    const KEY: &[&str] = &["auth.previous_secret"];

    loaded.config.auth.previous_secret.as_ref()?;
    let life = loaded.config.auth.refresh_ttl;
    let set = loaded.file().filter(|file| {
        loaded.origin("auth.previous_secret") == Some(file.display().to_string().as_str())
    });
    let changed = set.and_then(|file| file.metadata().ok()?.modified().ok());
    let age = changed.map(|changed| clock.now() - DateTime::<Utc>::from(changed));
    let most = TimeDelta::from_std(life.duration()).unwrap_or(TimeDelta::MAX);
    Some(match age {
        Some(age) if age > most => Finding::warning(
            PART,
            format!("the secret before this one was set {} days ago", age.num_days()),
            KEY,
            format!("nothing that it signed is valid after {life}: leave it out"),
        ),
        _ => Finding::ok(
            PART,
            format!("the secret before this one is still accepted: leave it out after {life}"),
        ),
    })
}
