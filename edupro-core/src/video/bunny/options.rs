//! How to use Bunny Stream, and why it cannot be used like that.

use std::time::Duration;

use secrecy::SecretString;

/// How to use Bunny Stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BunnyStreamOptions {
    /// The number of the library.
    pub library_id: u64,
    /// The library's own API key, not the account's.
    pub api_key: SecretString,
    /// The library's read-only API key, with which Bunny signs webhooks. Without it there are none.
    pub read_only_key: Option<SecretString>,
    /// The key of the library's "embed view token authentication". When that is turned off there,
    /// everybody who knows a video's name can watch it, whatever this school decides.
    pub token_key: SecretString,
    /// Where the API is.
    pub base_url: String,
    /// Where browsers upload to.
    pub tus_url: String,
    /// Where the player is.
    pub embed_url: String,
    /// How long a link to the player can be opened. Who has opened it may watch to the end.
    pub ticket_life: Duration,
    /// How long the way to Bunny may take.
    pub connect_timeout: Duration,
    /// How long an answer may take in all: a person is waiting for it.
    pub timeout: Duration,
}

impl BunnyStreamOptions {
    /// Bunny itself, with a library, its API key, and the key of its player's tokens.
    #[must_use]
    pub fn new(library_id: u64, api_key: SecretString, token_key: SecretString) -> Self {
        Self {
            library_id,
            api_key,
            read_only_key: None,
            token_key,
            base_url: "https://video.bunnycdn.com".to_owned(),
            tus_url: "https://video.bunnycdn.com/tusupload".to_owned(),
            embed_url: "https://iframe.mediadelivery.net/embed".to_owned(),
            ticket_life: Duration::from_mins(5),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
        }
    }
}

/// Bunny Stream cannot be used like this.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BunnyStreamConfigError {
    /// With an empty key everybody can sign.
    #[error("{0} is empty")]
    EmptyKey(&'static str),
    /// The API key cannot be sent.
    #[error("api_key holds what no header can")]
    ApiKey,
    /// There is nothing to ask with.
    #[error("no HTTPS client can be made")]
    Client(#[source] reqwest::Error),
}
