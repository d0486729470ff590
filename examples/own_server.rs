//! The whole `edupro` command with a mailer of one's own, which a configuration can name: this one
//! prints to the terminal.
//!
//! ```sh
//! export EDUPRO_MAIL__PROVIDER=terminal EDUPRO_MAIL__TERMINAL__HEADING='A mail for you.'
//! cargo run -p edupro-suite --example own_server -- config
//! cargo run -p edupro-suite --example own_server -- serve --demo
//! ```
//!
//! or in `edupro.toml`
//!
//! ```toml
//! [mail]
//! provider = "terminal"
//!
//! [mail.terminal]
//! heading = "A mail for you."
//! ```

use std::{io::Write, process::ExitCode, sync::Arc};

use async_trait::async_trait;
use edupro_core::mail::{MailError, Mailer, Message};
use edupro_server::Server;
use serde::Deserialize;

/// What can be set in `[mail.terminal]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TerminalOptions {
    heading: String,
}

/// Writes mails to the terminal.
#[derive(Debug)]
struct Terminal {
    options: TerminalOptions,
    from: String,
}

#[async_trait]
impl Mailer for Terminal {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let Message { to, subject, text, .. } = message;
        let (heading, from) = (&self.options.heading, &self.from);
        let mail = format!("{heading}\n\nFrom: {from}\nTo: {to}\nSubject: {subject}\n\n{text}\n");
        std::io::stdout().write_all(mail.as_bytes()).map_err(MailError::unavailable)
    }
}

fn main() -> ExitCode {
    Server::new()
        .mailer("terminal", |options: TerminalOptions, config| {
            if options.heading.trim().is_empty() {
                return Err("`heading` is empty".into());
            }
            Ok(Arc::new(Terminal { options, from: config.mail.from.clone() }))
        })
        .run()
}
