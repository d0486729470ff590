//! The configuration: defaults < `edupro.toml` < environment < flags.
//!
//! With nothing set, everything runs. What cannot work stops the start with the place and the name
//! of the key; so does a key that does not exist, because a misspelt `auth.throtle` that is passed
//! over in silence is a hole.

mod choice;
mod error;
mod keys;
mod mail;
mod payment;
mod period;
mod print;
mod secret;
mod sections;
mod source;
mod tables;
mod urls;
mod values;
mod video;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use figment::Figment;
use serde::{Deserialize, Serialize};

pub use self::{
    choice::{BuiltIn, Choice},
    error::ConfigError,
    mail::{Mail, MailProvider, Smtp},
    payment::{Payment, StripeKeys},
    period::{NotAPeriod, Period},
    secret::SecretError,
    sections::{
        Auth, Database, Enrollment, Files, FilesProvider, Grading, GradingProvider, Http, Log,
        LogFormat, MailTls, VideoKind,
    },
    source::Sources,
    urls::{DatabaseUrl, Origin, PublicUrl},
    values::{CookieSecure, LogLevel},
    video::{BunnyKeys, VdoCipherKeys, Video},
};
pub(crate) use self::{
    secret::check as weakness,
    sections::{MailKind, PaymentKind},
    tables::Tables,
};
use self::{
    sections::{MailKeys, PaymentKeys, VideoKeys},
    tables::ShownTable,
};

use crate::registry::{Prepared, Registry};

/// Everything that can be set, as it is written.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Sections {
    data_dir: DataDir,
    http: Http,
    database: Database,
    auth: Auth,
    enrollment: Enrollment,
    mail: MailKeys,
    video: VideoKeys,
    files: Files,
    payment: PaymentKeys,
    grading: Grading,
    log: Log,
}

/// The provider that each section names.
pub(crate) struct Choices<'s> {
    pub(crate) video: &'s Choice<VideoKind>,
    pub(crate) mail: &'s Choice<MailKind>,
    pub(crate) payment: &'s Choice<PaymentKind>,
    pub(crate) grading: &'s Choice<GradingProvider>,
    pub(crate) files: &'s Choice<FilesProvider>,
}

impl Sections {
    fn choices(&self) -> Choices<'_> {
        Choices {
            video: &self.video.provider,
            mail: &self.mail.provider,
            payment: &self.payment.provider,
            grading: &self.grading.provider,
            files: &self.files.provider,
        }
    }

    fn check_choices(&self, registry: &Registry) -> Result<(), Problem> {
        let Choices { video, mail, payment, grading, files } = self.choices();
        mail.check(&registry.mail.names())?;
        video.check(&registry.video.names())?;
        files.check(&registry.files.names())?;
        payment.check(&registry.payment.names())?;
        grading.check(&registry.grading.names())
    }
}

/// Whether there is such a key.
pub(crate) fn is_key(key: &str) -> bool {
    keys::kind(key).is_some()
}

/// Where everything is kept that has no other place.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
struct DataDir(PathBuf);

impl Default for DataDir {
    fn default() -> Self {
        Self(PathBuf::from("edupro-data"))
    }
}

/// A configuration in which everything fits together.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where everything is kept that has no other place.
    pub data_dir: PathBuf,
    /// Where to listen and whom to believe.
    pub http: Http,
    /// Where rows are kept.
    pub database: Database,
    /// Sessions and passwords.
    pub auth: Auth,
    /// Enrolments.
    pub enrollment: Enrollment,
    /// Who sends mail.
    pub mail: Mail,
    /// Who keeps and plays videos.
    pub video: Video,
    /// Where uploads are kept.
    pub files: Files,
    /// How courses are paid for.
    pub payment: Payment,
    /// Who grades answers.
    pub grading: Grading,
    /// What is logged.
    pub log: Log,
}

impl Config {
    /// Where rows are kept: as configured, else a file in the data directory.
    #[must_use]
    pub fn database_url(&self) -> DatabaseUrl {
        let file = || {
            // These two mean something in a URL.
            let path = self.data_path("edupro.db").display().to_string();
            let path = path.replace('%', "%25").replace('?', "%3F");
            DatabaseUrl::new(format!("sqlite://{path}"))
        };
        self.database.url.clone().unwrap_or_else(file)
    }

    /// Whether cookies are sent over https only.
    #[must_use]
    pub fn cookies_are_secure(&self) -> bool {
        match self.auth.cookie_secure {
            CookieSecure::Auto => self.http.public_url.as_ref().is_some_and(PublicUrl::is_https),
            CookieSecure::Always(secure) => secure,
        }
    }

    /// A file or directory in the data directory.
    #[must_use]
    pub fn data_path(&self, name: &str) -> PathBuf {
        self.data_dir.join(name)
    }
}

/// A configuration that remembers where each value came from.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    sections: Sections,
    origins: Origins,
    file: Option<PathBuf>,
    own_tables: Vec<ShownTable>,
    pub(crate) own: Prepared,
}

impl Loaded {
    /// Reads and checks a configuration of this server's own providers.
    pub fn new(sources: Sources) -> Result<Self, ConfigError> {
        Self::with(sources, &Registry::default())
    }

    /// Reads and checks a configuration.
    pub(crate) fn with(sources: Sources, registry: &Registry) -> Result<Self, ConfigError> {
        let mut tables = registry.tables();
        let (values, file) = sources.read(&mut tables)?;
        let sections: Sections =
            values.extract().map_err(|error| ConfigError::from_figment(&error, &tables))?;
        let origins = Origins::of(&values);
        let checked = sections.check_choices(registry).and_then(|()| check(&sections));
        let config = checked.map_err(|(key, problem)| origins.invalid(key, problem))?;
        let own = registry.read(&sections.choices(), &mut tables)?;
        Ok(Self { config, sections, origins, file, own_tables: tables.shown(), own })
    }

    /// The error for a value that turned out to be wrong only when it was used.
    #[must_use]
    pub fn invalid(&self, key: &str, problem: String) -> ConfigError {
        self.origins.invalid(key, problem)
    }

    /// The configuration file, if there is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Where a key was set; `None` for the defaults.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&str> {
        self.origins.get(key)
    }

    /// The configuration file, if everybody on this machine can read secrets in it (security R51).
    #[must_use]
    pub fn exposed_file(&self) -> Option<&Path> {
        self.file_with_secrets().filter(|file| secret::everybody_reads(file))
    }

    /// The configuration file, if there are secrets in it.
    #[must_use]
    pub fn file_with_secrets(&self) -> Option<&Path> {
        let file = self.file()?;
        let name = file.display().to_string();
        let from_file = |key: &str| self.origins.get(key) == Some(name.as_str());
        let mut keys = keys::KEYS.iter();
        let secret = keys.any(|(key, kind)| *kind == keys::Kind::Secret && from_file(key));
        let Database { url, read_url, .. } = &self.config.database;
        let password = [("database.url", url), ("database.read_url", read_url)].into_iter().any(
            |(key, url)| from_file(key) && url.as_ref().is_some_and(DatabaseUrl::has_password),
        );
        // Every text there is taken for a secret.
        let mut options = self.own_tables.iter().flat_map(|table| &table.options);
        let own = options.any(|option| option.is_hidden && option.origin == name);
        (secret || password || own).then_some(file)
    }
}

/// The place each key was set in. Figment knows as well, but also keeps every secret in clear.
#[derive(Debug)]
struct Origins(BTreeMap<&'static str, String>);

impl Origins {
    fn of(values: &Figment) -> Self {
        let origin = |key| Some((key, values.find_metadata(key)?.name.to_string()));
        Self(keys::KEYS.iter().filter_map(|(key, _)| origin(*key)).collect())
    }

    /// Where a key was set; `None` for the defaults.
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn invalid(&self, key: &str, problem: String) -> ConfigError {
        let origin = self.get(key).unwrap_or("the default").to_owned();
        ConfigError::Invalid { origin, key: key.to_owned(), problem }
    }
}

/// A key, and what is wrong with its value.
type Problem = (&'static str, String);

/// Refuses keys that are set without what they belong to: somebody who set one wants it to work.
fn refuse(set: &[(&'static str, bool)], owner: &str) -> Result<(), Problem> {
    match set.iter().find(|(_, is_set)| *is_set) {
        Some((key, _)) => Err((key, belongs_to(owner))),
        None => Ok(()),
    }
}

fn belongs_to(owner: &str) -> String {
    format!("belongs to `{owner}`: set that, or leave this out")
}

/// What one key alone does not show.
fn check(sections: &Sections) -> Result<Config, Problem> {
    let Sections { data_dir, http, auth, .. } = sections;
    if data_dir.0.as_os_str().is_empty() {
        return Err(("data_dir", "must name a directory".to_owned()));
    }
    if auth.refresh_ttl < auth.access_ttl {
        let access = auth.access_ttl;
        let problem = format!("must be at least `auth.access_ttl`, which is {access}");
        return Err(("auth.refresh_ttl", problem));
    }
    let https = http.public_url.as_ref().is_some_and(PublicUrl::is_https);
    if https && auth.cookie_secure == CookieSecure::Always(false) {
        let problem = "must be true or \"auto\" where `http.public_url` is https: \
                       without it the first http link gives every session away";
        return Err(("auth.cookie_secure", problem.to_owned()));
    }
    for (key, secret) in
        [("auth.secret", &auth.secret), ("auth.previous_secret", &auth.previous_secret)]
    {
        secret::check(secret.as_ref()).map_err(|problem| (key, problem))?;
    }
    Ok(Config {
        data_dir: data_dir.0.clone(),
        http: http.clone(),
        database: sections.database.clone(),
        auth: auth.clone(),
        enrollment: sections.enrollment.clone(),
        mail: Mail::new(&sections.mail)?,
        video: Video::new(&sections.video)?,
        files: sections.files.clone(),
        payment: Payment::new(&sections.payment)?,
        grading: sections.grading.clone(),
        log: sections.log.clone(),
    })
}
