//! How to use VdoCipher, and why it cannot be used like that.

use std::time::Duration;

use secrecy::SecretString;

/// How to use VdoCipher.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VdoCipherOptions {
    /// The key of its dashboard. It must be allowed to upload, to delete and to make tickets.
    pub api_secret: SecretString,
    /// What stands in the webhook's address as `?token=`. Without it there is no webhook.
    pub webhook_token: Option<SecretString>,
    /// Where its API is. The default is the one for production, whatever its name says.
    pub base_url: String,
    /// Where its player is. A query it has is kept.
    pub player_url: String,
    /// How long the way to it may take.
    pub connect_timeout: Duration,
    /// How long an answer may take in all, a second attempt included: a person is waiting for it.
    pub timeout: Duration,
    /// How long a ticket to watch is good, in whole seconds. Below five minutes a player that
    /// starts slowly comes too late.
    pub ticket_life: Duration,
}

impl VdoCipherOptions {
    /// VdoCipher itself, with this key and without a webhook.
    #[must_use]
    pub fn new(api_secret: SecretString) -> Self {
        Self {
            api_secret,
            webhook_token: None,
            base_url: "https://dev.vdocipher.com/api".to_owned(),
            player_url: "https://player.vdocipher.com/v2/".to_owned(),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
            ticket_life: Duration::from_mins(5),
        }
    }
}

/// VdoCipher cannot be used like this.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VdoCipherConfigError {
    /// An option holds what cannot be used. What it holds is not repeated.
    #[error("the option `{0}` holds what VdoCipher cannot be used with")]
    Option(&'static str),
    /// There are no certificates, for instance.
    #[error("no HTTPS client can be made")]
    Client(#[source] reqwest::Error),
}
