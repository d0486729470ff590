//! From a configuration to a school: the only place that knows which provider is behind a name.

pub(crate) mod video;

use std::{num::NonZeroU16, sync::Arc};

use anyhow::Context;
use edupro_core::{
    Clock, Entropy, School, Settings, SystemClock, SystemEntropy,
    files::{FileStore, Quota},
    mail::{
        FileMailer, LogMailer, Mailer, SmtpConfigError, SmtpMailer, SmtpOptions, SmtpTls, Templates,
    },
    payment::{CouponEngine, PaymentProvider},
};
use edupro_http::EduPro;
use edupro_storage::{ConnectError, Database, DatabaseOptions};
use secrecy::ExposeSecret;

use crate::config::{
    BuiltIn, Choice, Config, ConfigError, Files, FilesProvider, GradingProvider, Loaded, MailKind,
    MailProvider, MailTls, Origin, Payment, PaymentKind, Smtp, StripeKeys,
};
use crate::registry::Ready;

/// The school of a configuration, for a command that does not listen.
pub(crate) async fn school(loaded: &Loaded) -> anyhow::Result<Arc<School>> {
    let database = database(loaded).await?;
    migrate(&database).await?;
    let edupro = edupro(loaded, database)?;
    Ok(Arc::clone(edupro.school()))
}

/// The database, open.
pub(crate) async fn database(loaded: &Loaded) -> anyhow::Result<Database> {
    let config = &loaded.config;
    // The default database is in there.
    config.make_data_dir()?;
    let url = config.database_url();
    let mut options = DatabaseOptions::new(url.expose());
    options.read_url = config.database.read_url.as_ref().map(|url| url.expose().to_owned());
    options.max_connections = config.database.max_connections.get();
    let refused = |key, error: &ConnectError| loaded.invalid(key, format!("is refused: {error}"));
    Database::connect(&options).await.map_err(|error| match &error {
        ConnectError::Scheme | ConnectError::InMemory => refused("database.url", &error).into(),
        ConnectError::ReadUrl => refused("database.read_url", &error).into(),
        ConnectError::Database(_) => anyhow::Error::new(error).context(format!(
            "cannot use {}; is it there, and is `database.url` right?",
            url.shown()
        )),
    })
}

/// Brings the schema up to date; of several processes one does it and the others wait (R47).
pub(crate) async fn migrate(database: &Database) -> anyhow::Result<()> {
    database.migrate().await.context("cannot bring the database's schema up to date")
}

/// Everything behind the router.
pub(crate) fn edupro(loaded: &Loaded, database: Database) -> anyhow::Result<EduPro> {
    let config = &loaded.config;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let mut builder = EduPro::builder(Arc::new(database))
        .secret(config.secret(&*entropy)?.expose_secret())
        .settings(settings(config))
        .hash_threads(config.auth.hash_threads.get().into())
        .mailer(mailer(loaded, Arc::clone(&clock))?)
        .templates(templates(loaded)?)
        .files(files(loaded)?)
        .payment(payment(loaded)?)
        .cors_origins(config.http.cors_origins.iter().map(Origin::as_str))
        .trusted_proxies(config.http.trusted_proxies.iter().copied())
        .cookie_secure(config.cookies_are_secure())
        .clock(clock)
        .entropy(entropy);
    match &config.grading.provider {
        // The school itself, which is always asked last.
        Choice::BuiltIn(GradingProvider::Auto) => {}
        Choice::Own(name) => {
            builder = builder.grader(own::<GradingProvider, _>(loaded, &loaded.own.grading, name)?);
        }
    }
    if let Some(previous) = &config.auth.previous_secret {
        builder = builder.previous_secret(previous.expose_secret());
    }
    if let Some(url) = &config.http.public_url {
        builder = builder.public_url(url.as_str());
    }
    Ok(video::add(loaded, builder)?.build()?)
}

/// The provider that somebody added under this name.
pub(crate) fn own<K: BuiltIn, T>(
    loaded: &Loaded,
    ready: &[Ready<T>],
    name: &str,
) -> Result<T, ConfigError> {
    match ready.iter().find(|ready| ready.name == name) {
        Some(ready) => ready.make(&loaded.config),
        None => Err(loaded.invalid(K::KEY, format!("{name:?} is not in this server"))),
    }
}

fn settings(config: &Config) -> Settings {
    let mut settings = Settings::default();
    settings.access_ttl = config.auth.access_ttl.duration();
    settings.refresh_ttl = config.auth.refresh_ttl.duration();
    settings.enrollment_days = config.enrollment.days.into();
    settings.single_session = config.auth.single_session;
    settings.throttle = config.auth.throttle;
    settings.uniform_reset_response = config.auth.uniform_reset_response;
    settings.quota = quota(&config.files);
    settings
}

/// 0 limits nothing.
fn quota(files: &Files) -> Quota {
    let limit = |value: u32, unit: u64| match value {
        0 => u64::MAX,
        value => u64::from(value) * unit,
    };
    Quota { bytes: limit(files.quota_gigabytes, 1 << 30), files: limit(files.quota_files, 1) }
}

/// Who sends mail.
pub(crate) fn mailer(
    loaded: &Loaded,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Mailer>, ConfigError> {
    let config = &loaded.config;
    let from = &config.mail.from;
    let refused =
        |key, error: &dyn std::error::Error| loaded.invalid(key, format!("is refused: {error}"));
    Ok(match &config.mail.provider {
        MailProvider::File => Arc::new(
            FileMailer::new(config.data_path("mail"), from, clock)
                .map_err(|error| refused("mail.from", &error))?,
        ),
        MailProvider::Log => Arc::new(LogMailer),
        MailProvider::Smtp(smtp) => Arc::new(
            SmtpMailer::new(smtp_options(smtp, from), clock)
                .map_err(|error| refused(smtp_key(&error), &error))?,
        ),
        MailProvider::Own(name) => own::<MailKind, _>(loaded, &loaded.own.mail, name)?,
    })
}

fn smtp_options(smtp: &Smtp, from: &str) -> SmtpOptions {
    let tls = match smtp.tls {
        MailTls::Implicit => SmtpTls::Implicit,
        MailTls::StartTls => SmtpTls::StartTls,
        MailTls::None => SmtpTls::None,
    };
    let mut options = SmtpOptions::new(smtp.host.clone(), tls, from.to_owned());
    options.port = smtp.port.map(NonZeroU16::get);
    options.username.clone_from(&smtp.username);
    options.password.clone_from(&smtp.password);
    options
}

/// The key to look at.
fn smtp_key(error: &SmtpConfigError) -> &'static str {
    match error {
        SmtpConfigError::HalfAnAccount => "mail.password",
        SmtpConfigError::Sender(_) => "mail.from",
        _ => "mail.tls",
    }
}

/// What mails say.
pub(crate) fn templates(loaded: &Loaded) -> Result<Templates, ConfigError> {
    let Some(directory) = &loaded.config.mail.templates else { return Ok(Templates::new()) };
    Templates::with_directory(directory)
        .map_err(|error| loaded.invalid("mail.templates", format!("is refused: {error}")))
}

/// Who takes money.
pub(crate) fn payment(loaded: &Loaded) -> Result<Arc<dyn PaymentProvider>, ConfigError> {
    match &loaded.config.payment {
        Payment::Coupon => Ok(Arc::new(CouponEngine)),
        Payment::Stripe(keys) => stripe(loaded, keys),
        Payment::Own(name) => own::<PaymentKind, _>(loaded, &loaded.own.payment, name),
    }
}

#[cfg(feature = "stripe")]
fn stripe(loaded: &Loaded, keys: &StripeKeys) -> Result<Arc<dyn PaymentProvider>, ConfigError> {
    use edupro_core::payment::{Stripe, StripeOptions};

    let (key, secret) = (keys.secret_key.clone(), keys.webhook_secret.clone());
    let mut options = StripeOptions::new(key, secret, keys.terms.clone());
    options.webhook_secrets.extend(keys.webhook_secret_previous.clone());
    if let Some(url) = &keys.base_url {
        url.as_str().clone_into(&mut options.base_url);
    }
    match Stripe::new(options) {
        Ok(stripe) => Ok(Arc::new(stripe)),
        Err(error) => Err(loaded.invalid("payment.provider", format!("cannot be used: {error}"))),
    }
}

#[cfg(not(feature = "stripe"))]
fn stripe(loaded: &Loaded, _: &StripeKeys) -> Result<Arc<dyn PaymentProvider>, ConfigError> {
    let problem = "\"stripe\" is not in this server: build it with `--features stripe`";
    Err(loaded.invalid("payment.provider", problem.to_owned()))
}

/// Where uploads are kept.
pub(crate) fn files(loaded: &Loaded) -> anyhow::Result<FileStore> {
    match &loaded.config.files.provider {
        Choice::BuiltIn(FilesProvider::Disk) => {
            let directory = loaded.config.data_path("files");
            let used = FileStore::on_disk(&directory);
            used.with_context(|| format!("cannot keep files in {}", directory.display()))
        }
        Choice::Own(name) => Ok(own::<FilesProvider, _>(loaded, &loaded.own.files, name)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    /// The provider of a configuration that asks for Stripe, in a server with or without it.
    #[test]
    fn stripe_is_there_or_its_absence_is_told_with_the_remedy() {
        let variables = [
            ("PROVIDER", "stripe"),
            ("SECRET_KEY", "sk_test_123"),
            ("WEBHOOK_SECRET", "whsec_123"),
            ("CURRENCY", "EGP"),
            ("SUCCESS_URL", "https://school.example/paid"),
            ("CANCEL_URL", "https://school.example/courses"),
        ];
        let variables = variables
            .map(|(key, value)| (format!("EDUPRO_PAYMENT__{key}").into(), value.into()))
            .into();
        let loaded = Loaded::new(Sources { variables, ..Sources::default() }).unwrap();
        let found = payment(&loaded).map(|payment| payment.name()).map_err(|e| e.to_string());
        match cfg!(feature = "stripe") {
            true => assert_eq!(found.unwrap(), "stripe"),
            false => assert_eq!(
                found.unwrap_err(),
                "EDUPRO_PAYMENT__PROVIDER: `payment.provider` \"stripe\" is not in this server: \
                 build it with `--features stripe`"
            ),
        }
    }
}
