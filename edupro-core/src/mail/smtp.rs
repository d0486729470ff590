use std::{
    fmt::{self, Debug, Formatter},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, Certificate, TlsParameters},
    extension::{ClientId, Extension},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    InvalidSender, MailError, Mailer, Message,
    compose::{Alphabet, Sender},
};
use crate::Clock;

/// How long a server may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(1);

/// How the way to the mail server is protected. There is no 'TLS if it can be had': whoever sits
/// on the way would choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// TLS from the first byte, by default on port 465.
    Implicit,
    /// TLS after the greeting, or no mail at all; by default on port 587.
    StartTls,
    /// None, by default on port 25; only for a server on this machine.
    None,
}

/// Which mail server to use, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SmtpOptions {
    /// The server's name, as its certificate has it.
    pub host: String,
    /// Its port, if it is not the usual one.
    pub port: Option<u16>,
    /// How the way to it is protected.
    pub tls: SmtpTls,
    /// The account, on servers that want one.
    pub username: Option<String>,
    /// The account's password.
    pub password: Option<SecretString>,
    /// Who the mails are from: `mail@school.example` or `School <mail@school.example>`.
    pub from: String,
    /// Certificates (PEM) to trust besides the system's, for schools with an authority of their own.
    pub ca_pem: Option<Vec<u8>>,
    /// How long one address of the server may take to answer the call (security R44).
    pub connect_timeout: Duration,
    /// How long a mail may take in all (security R44).
    pub timeout: Duration,
}

impl SmtpOptions {
    /// The usual port and time limits, no account.
    #[must_use]
    pub fn new(host: String, tls: SmtpTls, from: String) -> Self {
        Self {
            host,
            port: None,
            tls,
            username: None,
            password: None,
            from,
            ca_pem: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
        }
    }
}

/// Why a mail server cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpConfigError {
    /// Codes and passwords would cross a network in clear.
    #[error("mail to `{host}` needs TLS: only a server on this machine may do without")]
    TlsNeeded {
        /// The server.
        host: String,
    },
    /// A username without a password, or a password without a username.
    #[error("a mail server's account needs a username and a password")]
    HalfAnAccount,
    /// The mails would have no sender.
    #[error(transparent)]
    Sender(#[from] InvalidSender),
    /// The certificates to trust cannot be read.
    #[error("the certificates to trust for mail are not PEM")]
    Certificates,
    /// TLS cannot be set up.
    #[error("TLS for mail cannot be set up")]
    Tls(#[source] Error),
}

/// Sends mails through a mail server.
///
/// It calls the server anew for each mail. lettre's pool takes a connection back even after a mail
/// that was given up half-way, and reads the answers to the old mail as those to the next: a
/// refused mail would count as sent.
pub struct SmtpMailer {
    host: String,
    port: u16,
    implicit_tls: Option<TlsParameters>,
    start_tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    sender: Sender,
    connect_timeout: Duration,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl SmtpMailer {
    /// Refuses what could not work or would not be safe; does not call the server.
    pub fn new(options: SmtpOptions, clock: Arc<dyn Clock>) -> Result<Self, SmtpConfigError> {
        let host = options.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let ca_pem = options.ca_pem.as_deref();
        let (port, implicit_tls, start_tls) = match options.tls {
            SmtpTls::Implicit => (465, Some(parameters(&host, ca_pem)?), None),
            SmtpTls::StartTls => (587, None, Some(parameters(&host, ca_pem)?)),
            SmtpTls::None if is_loopback(&host) => (25, None, None),
            SmtpTls::None => return Err(SmtpConfigError::TlsNeeded { host }),
        };
        let credentials = match (options.username, options.password) {
            (None, None) => None,
            (Some(username), Some(password)) => {
                Some(Credentials::new(username, password.expose_secret().to_owned()))
            }
            _ => return Err(SmtpConfigError::HalfAnAccount),
        };
        Ok(Self {
            host,
            port: options.port.unwrap_or(port),
            implicit_tls,
            start_tls,
            credentials,
            sender: options.from.parse()?,
            connect_timeout: options.connect_timeout,
            timeout: options.timeout,
            clock,
        })
    }

    /// Calls the server, up to the point where it would take a mail.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let name = ClientId::Domain(self.sender.domain().to_owned());
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            (self.host.as_str(), self.port),
            Some(self.connect_timeout),
            &name,
            self.implicit_tls.clone(),
            None,
        )
        .await?;
        if let Some(parameters) = &self.start_tls {
            connection.starttls(parameters.clone(), &name).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    /// Calls the server, does the work and hangs up, all within the time limit: lettre's own does
    /// not cover the waiting for answers.
    async fn call(
        &self,
        work: impl AsyncFnOnce(&mut AsyncSmtpConnection) -> Result<(), MailError>,
    ) -> Result<(), MailError> {
        let deadline = Instant::now() + self.timeout;
        let session = async {
            let mut connection = self.connect().await.map_err(MailError::unavailable)?;
            work(&mut connection).await?;
            Ok(connection)
        };
        let mut connection = timeout_at(deadline, session).await.unwrap_or_else(|_| {
            Err(MailError::unavailable(format!("it took longer than {:?}", self.timeout)))
        })?;
        // A mail is the server's by now, however it parts from us. We hardly wait for that: who is
        // killed meanwhile would send the mail again.
        let _ = timeout(FAREWELL, connection.quit()).await;
        Ok(())
    }
}

/// Without the credentials.
impl Debug for SmtpMailer {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SmtpMailer")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let mail = self.sender.compose(message, self.clock.now(), Alphabet::Ascii)?;
        let bytes = mail.formatted();
        self.call(async |connection| {
            let international = connection.server_info().supports_feature(Extension::SmtpUtfEight);
            if !message.to.is_ascii() && !international {
                let reason = "the mail server takes no addresses beyond ASCII".to_owned();
                return Err(MailError::Rejected { reason });
            }
            connection.send(mail.envelope(), &bytes).await.map_err(refusal)?;
            Ok(())
        })
        .await
    }

    async fn check(&self) -> Result<(), MailError> {
        self.call(async |connection| {
            if connection.test_connected().await {
                return Ok(());
            }
            Err(MailError::unavailable("the mail server does not answer"))
        })
        .await
    }
}

/// What the server's answer to a mail means.
fn refusal(error: Error) -> MailError {
    match error.status().map(u16::from) {
        // About us or the connection (commands, the host, accounts, encryption), not about this
        // mail: somebody has to look at the configuration.
        Some(500 | 502..=504 | 521 | 530..=539) => MailError::unavailable(error),
        Some(500..) => MailError::Rejected { reason: error.to_string() },
        _ => MailError::unavailable(error),
    }
}

fn parameters(host: &str, ca_pem: Option<&[u8]>) -> Result<TlsParameters, SmtpConfigError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = ca_pem {
        // lettre takes a file without any certificate for a list of none.
        if !String::from_utf8_lossy(pem).contains("-----BEGIN CERTIFICATE-----") {
            return Err(SmtpConfigError::Certificates);
        }
        let certificates = Certificate::from_pem(pem).map_err(|_| SmtpConfigError::Certificates)?;
        builder = builder.add_root_certificate(certificates);
    }
    builder.build().map_err(SmtpConfigError::Tls)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
