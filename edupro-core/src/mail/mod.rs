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

/// Sends mail. Only the worker calls it, so it may take its time, up to 20 seconds.
#[async_trait]
pub trait Mailer: Debug + Send + Sync + 'static {
    /// Returns once somebody else has taken the responsibility for the mail.
    async fn send(&self, message: &Message) -> Result<(), MailError>;

    /// Whether mail could be sent now; sends nothing.
    async fn check(&self) -> Result<(), MailError> {
        Ok(())
    }
}
