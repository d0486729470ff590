//! `[mail]`: the keys of one provider, and none of another's.

use std::{num::NonZeroU16, path::PathBuf};

use secrecy::SecretString;

use super::{
    Problem,
    choice::Choice,
    refuse,
    sections::{MailKeys, MailKind, MailTls},
};

/// Whom mails are from that a school did not have to say it of.
const NOBODY: &str = "EduPro <edupro@localhost>";

/// Who sends mail, and what it says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Mail {
    /// Whom mails are from.
    pub from: String,
    /// Templates that replace the built-in ones of the same name.
    pub templates: Option<PathBuf>,
    /// Who sends.
    pub provider: MailProvider,
}

/// Who sends mail.
#[derive(Clone, Debug)]
pub enum MailProvider {
    /// Nobody: each mail becomes a file in `mail` in the data directory.
    File,
    /// A mail server.
    Smtp(Smtp),
    /// Nobody: each mail becomes a line in the log.
    Log,
    /// Who was added to [`Server`](crate::Server) under this name.
    Own(String),
}

/// A mail server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Smtp {
    /// Its name, as its certificate has it.
    pub host: String,
    /// Its port, if it is not the usual one.
    pub port: Option<NonZeroU16>,
    /// How the way to it is protected.
    pub tls: MailTls,
    /// The account, on servers that want one.
    pub username: Option<String>,
    /// The account's password.
    pub password: Option<SecretString>,
}

impl Mail {
    pub(super) fn new(keys: &MailKeys) -> Result<Self, Problem> {
        let (provider, default_from) = match &keys.provider {
            Choice::BuiltIn(MailKind::File) => (MailProvider::File, Some(NOBODY)),
            Choice::BuiltIn(MailKind::Log) => (MailProvider::Log, Some(NOBODY)),
            Choice::BuiltIn(MailKind::Smtp) => (MailProvider::Smtp(Smtp::new(keys)?), None),
            Choice::Own(name) => (MailProvider::Own(name.clone()), Some(NOBODY)),
        };
        if !matches!(provider, MailProvider::Smtp(_)) {
            refuse_smtp_keys(keys)?;
        }
        let from =
            keys.from.clone().or_else(|| default_from.map(str::to_owned)).ok_or_else(|| {
                let problem =
                    "must say whom mails are from, such as \"School <mail@school.example>\"";
                ("mail.from", problem.to_owned())
            })?;
        Ok(Self { from, templates: keys.templates.clone(), provider })
    }
}

impl Smtp {
    fn new(keys: &MailKeys) -> Result<Self, Problem> {
        let host = keys.host.clone().filter(|host| !host.is_empty());
        Ok(Self {
            host: host.ok_or_else(|| {
                let problem = "must name the mail server when `mail.provider` is \"smtp\"";
                ("mail.host", problem.to_owned())
            })?,
            port: keys.port,
            tls: keys.tls.unwrap_or_default(),
            username: keys.username.clone(),
            password: keys.password.clone(),
        })
    }
}

/// Somebody who set a mail server wants mail to be sent.
fn refuse_smtp_keys(keys: &MailKeys) -> Result<(), Problem> {
    let set = [
        ("mail.host", keys.host.is_some()),
        ("mail.port", keys.port.is_some()),
        ("mail.tls", keys.tls.is_some()),
        ("mail.username", keys.username.is_some()),
        ("mail.password", keys.password.is_some()),
    ];
    refuse(&set, "mail.provider = \"smtp\"")
}
