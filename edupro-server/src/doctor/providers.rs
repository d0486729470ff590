//! Who does something for the school elsewhere: asked what costs nothing and changes nothing.

use std::{sync::Arc, time::Duration};

use edupro_core::{
    SystemClock,
    payment::{PaymentError, PaymentProvider},
    video::{HostError, VideoProvider},
};
use tokio::time::timeout;

use super::Finding;
use crate::{
    compose,
    config::{BuiltIn, Choice, GradingProvider, Loaded, MailProvider, Payment, VideoKind},
};

/// How long a mail server may take from the call to the log-in (security R44).
const MAIL_TIME: Duration = Duration::from_secs(20);
/// How long anybody else may take (security R45).
const TIME: Duration = Duration::from_secs(5);
/// A name that no video and no payment has.
const NOBODY: &str = "edupro_doctor";

/// The mail server is called up to the point where it would take a mail.
pub(super) async fn mail(loaded: &Loaded) -> Vec<Finding> {
    const PART: &str = "mail";
    const PROVIDER: &[&str] = &["mail.provider"];

    let mailer = match compose::mailer(loaded, Arc::new(SystemClock)) {
        Ok(mailer) => mailer,
        Err(error) => return vec![Finding::refused(PART, &error)],
    };
    let mut findings = Vec::new();
    if let Err(error) = compose::templates(loaded) {
        findings.push(Finding::refused(PART, &error));
    }
    let provider = &loaded.config.mail.provider;
    let place = match provider {
        MailProvider::File => Some("becomes a file in the data directory"),
        MailProvider::Log => Some("becomes a line in the log"),
        MailProvider::Smtp(_) | MailProvider::Own(_) => None,
    };
    if let Some(place) = place {
        let found = format!("each mail {place}");
        let is_private = loaded.config.http.public_url.is_none();
        findings.push(if is_private {
            Finding::ok(PART, found)
        } else {
            let remedy = "nobody gets a code for a forgotten password: set \"smtp\"";
            Finding::warning(PART, found, PROVIDER, remedy)
        });
        return findings;
    }
    let (name, keys) = match provider {
        MailProvider::Smtp(smtp) => {
            (smtp.host.clone(), &["mail.host", "mail.port", "mail.tls"][..])
        }
        MailProvider::Own(name) => (name.clone(), PROVIDER),
        MailProvider::File | MailProvider::Log => return findings,
    };
    let error = match timeout(MAIL_TIME, mailer.check()).await {
        Ok(Ok(())) => {
            findings.push(Finding::ok(PART, format!("{name} answers and would take mail")));
            return findings;
        }
        Ok(Err(error)) => format!("{:#}", anyhow::Error::new(error)),
        Err(_) => format!("it does not answer within {MAIL_TIME:?}"),
    };
    let keys = match provider {
        // It was reached, and the account is not one.
        MailProvider::Smtp(smtp) if smtp.username.is_some() && error.contains("535") => {
            &["mail.username", "mail.password"]
        }
        _ => keys,
    };
    findings.push(Finding::failed(PART, format!("{name}: {error}"), keys, ""));
    findings
}

/// Everybody who keeps videos elsewhere is asked for videos of a title that none has.
pub(super) async fn video(loaded: &Loaded) -> Vec<Finding> {
    const PART: &str = "video";

    let mut findings = Vec::new();
    if loaded.config.video.provider == Choice::BuiltIn(VideoKind::Local) {
        findings.push(Finding::ok(PART, "new videos are kept with the files"));
    }
    for (choice, made) in compose::video::providers(loaded) {
        let name = choice.as_str().to_owned();
        let keys: &[&str] = match choice {
            Choice::BuiltIn(VideoKind::VdoCipher) => &["video.api_secret"],
            Choice::BuiltIn(VideoKind::Bunny) => &["video.bunny_library_id", "video.bunny_api_key"],
            Choice::BuiltIn(VideoKind::Local) | Choice::Own(_) => &["video.provider"],
        };
        findings.push(match made {
            Ok(provider) => ask_video(&name, &*provider, keys).await,
            Err(error) => Finding::refused(PART, &error),
        });
    }
    findings
}

async fn ask_video(name: &str, provider: &dyn VideoProvider, keys: &[&str]) -> Finding {
    ask("video", name, keys, async {
        match provider.search(NOBODY).await {
            Ok(_) => Ok(Asked::Answers),
            Err(HostError::Unsupported(_)) => Ok(Asked::Mute),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// Whoever takes money is asked for a payment that nobody has begun.
pub(super) async fn payment(loaded: &Loaded) -> Vec<Finding> {
    const PART: &str = "payment";

    let (name, keys) = match &loaded.config.payment {
        Payment::Coupon => return vec![Finding::ok(PART, "courses are paid for with coupons")],
        Payment::Stripe(_) => ("stripe", &["payment.secret_key"]),
        Payment::Own(name) => (name.as_str(), &["payment.provider"]),
    };
    vec![match compose::payment(loaded) {
        Ok(provider) => ask_payment(name, &*provider, keys).await,
        Err(error) => Finding::refused(PART, &error),
    }]
}

async fn ask_payment(name: &str, provider: &dyn PaymentProvider, keys: &[&str]) -> Finding {
    ask("payment", name, keys, async {
        match provider.fetch(NOBODY).await {
            Ok(_) | Err(PaymentError::NotFound) => Ok(Asked::Answers),
            Err(PaymentError::Unsupported(_)) => Ok(Asked::Mute),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// What came of a question to a provider.
enum Asked {
    /// It was answered.
    Answers,
    /// The provider knows no such question.
    Mute,
}

/// What a question to a provider says of it and of the school's key.
async fn ask(
    part: &'static str,
    name: &str,
    keys: &[&str],
    question: impl Future<Output = anyhow::Result<Asked>>,
) -> Finding {
    match timeout(TIME, question).await {
        Ok(Ok(Asked::Answers)) => {
            Finding::ok(part, format!("{name} answers and accepts the school's key"))
        }
        Ok(Ok(Asked::Mute)) => {
            Finding::ok(part, format!("{name} can be made; it cannot be asked more than that"))
        }
        Ok(Err(error)) => Finding::failed(part, format!("{name}: {error:#}"), keys, ""),
        Err(_) => {
            Finding::failed(part, format!("{name} does not answer within {TIME:?}"), keys, "")
        }
    }
}

/// Graders and stores of one's own: only that they can be made, and that the store could take a
/// file.
pub(super) async fn others(loaded: &Loaded) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Choice::Own(name) = &loaded.config.grading.provider {
        let made = compose::own::<GradingProvider, _>(loaded, &loaded.own.grading, name);
        findings.push(match made {
            Ok(_) => Finding::ok("grading", format!("{name} can be made")),
            Err(error) => Finding::refused("grading", &error),
        });
    }
    if let Choice::Own(name) = &loaded.config.files.provider {
        let keys = &[crate::config::FilesProvider::KEY];
        findings.push(match compose::files(loaded) {
            Ok(files) => match timeout(TIME, files.check()).await {
                Ok(Ok(())) => Finding::ok("files", format!("{name} could take a file")),
                Ok(Err(error)) => {
                    let found = format!("{name}: {:#}", anyhow::Error::new(error));
                    Finding::failed("files", found, keys, "")
                }
                Err(_) => Finding::failed(
                    "files",
                    format!("{name} does not answer within {TIME:?}"),
                    keys,
                    "",
                ),
            },
            Err(error) => Finding::failed("files", format!("{error:#}"), keys, ""),
        });
    }
    findings
}
