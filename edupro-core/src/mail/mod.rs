//! Mail: what is sent, the [`Mailer`] that sends it, and its stock providers.
//!
//! Rules never send: they put a job beside their rows, in the same transaction, and the worker
//! sends when that is committed. A mail server that is down changes no answer and loses no mail.

mod compose;
mod file;
mod log;
mod memory;
#[cfg(feature = "smtp")]
mod smtp;
mod templates;

use std::{
    fmt::{self, Debug},
    time::Duration,
};

use async_trait::async_trait;

#[cfg(feature = "smtp")]
pub use self::smtp::{SmtpConfigError, SmtpMailer, SmtpOptions, SmtpTls};
pub use self::{
    compose::InvalidSender,
    file::FileMailer,
    log::LogMailer,
    memory::MemoryMailer,
    templates::{Rendered, Template, TemplateError, Templates},
};
use crate::error::Source;

/// A mail, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The job that sends it: the Message-ID's local part and an idempotency key, so that a
    /// second try is the same mail.
    pub id: String,
    /// To whom: a bare address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The text for readers without HTML.
    pub text: String,
    /// The same for readers with it.
    pub html: Option<String>,
}

impl Debug for Message {
    /// The text holds codes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Message")
            .field("id", &self.id)
            .field("to", &self.to)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl Message {
    /// A mail without HTML.
    #[must_use]
    pub fn new(id: String, to: String, subject: String, text: String) -> Self {
        Self { id, to, subject, text, html: None }
    }

    /// The same mail with HTML, or without if there is none.
    #[must_use]
    pub fn with_html(self, html: impl Into<Option<String>>) -> Self {
        Self { html: html.into(), ..self }
    }
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// This mail will never be taken: a bad address, a refused recipient. Trying again is useless.
    #[error("the mail was refused: {reason}")]
    Rejected {
        /// What the server said.
        reason: String,
    },
    /// The server cannot be reached, is busy, or does not know us. Trying again later helps, once
    /// somebody has looked at the configuration if need be.
    #[error("the mail server is not available")]
    Unavailable {
        /// How long it asked us to wait.
        retry_after: Option<Duration>,
        /// What happened.
        #[source]
        source: Source,
    },
}

impl MailError {
    /// The server did not take the mail because of `source`, and did not say when to come back.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable { retry_after: None, source: source.into() }
    }
}

/// Sends mail.
///
/// Only the worker calls it, never a request: a rule puts a job beside its rows, and when that is
/// committed the worker renders the mail and sends it. So a mailer needs no queue of its own, and
/// no retries: what is [`Unavailable`](MailError::Unavailable) comes again, ten times within some
/// hours, and what is [`Rejected`](MailError::Rejected) is kept for a person to look at.
///
/// # What is promised
///
/// - **It may be repeated.** A process can die between sending a mail and noting that. The same
///   mail has the same [`Message::id`]: a service that knows idempotency keys gets it as one, mail
///   itself has it as its Message-ID.
/// - **It may be given up.** The worker drops the future after 30 seconds, and when the process
///   stops. Nothing of a mail that was given up may get into the next one, and a connection in the
///   middle of something is not used again.
/// - **Many at once.** Four mails are sent at the same time, by each process.
/// - **What the log gets.** Ids, addresses and subjects may be logged. Texts may not, since they
///   hold codes; nor may passwords and keys, in [`Debug`] and in errors neither.
/// - **The recipient is one bare address.** What is none is rejected, and nobody is smuggled in by a
///   line break in an address or a subject.
///
/// # Write one
///
/// ```
/// use async_trait::async_trait;
/// use edupro_core::mail::{MailError, Mailer, Message};
///
/// /// What a mail service says.
/// enum Said { Accepted, NoSuchAddress, Busy }
///
/// /// A client of a mail service.
/// #[derive(Debug)]
/// struct Service;
///
/// impl Service {
///     async fn post(&self, key: &str, to: &str, body: &str) -> Result<Said, std::io::Error> {
///         # let _ = (key, to, body);
///         // An HTTPS request with a time limit.
///         Ok(Said::Accepted)
///     }
/// }
///
/// #[async_trait]
/// impl Mailer for Service {
///     async fn send(&self, message: &Message) -> Result<(), MailError> {
///         match self.post(&message.id, &message.to, &message.text).await {
///             Ok(Said::Accepted) => Ok(()),
///             Ok(Said::NoSuchAddress) => {
///                 Err(MailError::Rejected { reason: "there is no such address".to_owned() })
///             }
///             Ok(Said::Busy) => Err(MailError::unavailable("the service is busy")),
///             Err(error) => Err(MailError::unavailable(error)),
///         }
///     }
/// }
/// ```
///
/// Give it to a school with `Builder::mailer`; `examples/custom_mailer.rs` does so.
///
/// # Test it
///
/// The feature `conformance` checks every promise with one call, `conformance::mailer::all`, against
/// the service's sandbox or a double of it.
#[async_trait]
pub trait Mailer: Debug + Send + Sync + 'static {
    /// Returns once somebody else has taken the responsibility for the mail: a server that has
    /// answered, a file that is on the disk. Within 20 seconds, or with
    /// [`Unavailable`](MailError::Unavailable).
    ///
    /// May be repeated with the same message, and dropped at any `await`.
    async fn send(&self, message: &Message) -> Result<(), MailError>;

    /// Whether mail could be sent now. Sends nothing, and may be asked often.
    async fn check(&self) -> Result<(), MailError> {
        Ok(())
    }
}
