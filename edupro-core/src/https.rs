//! What providers that are asked over HTTPS have in common.

use std::time::Duration;

use reqwest::{
    Client,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};

/// A client for one provider, which goes nowhere else.
pub(crate) fn client(connect: Duration, total: Duration) -> Result<Client, reqwest::Error> {
    Client::builder()
        .connect_timeout(connect)
        .timeout(total)
        .redirect(Policy::none())
        // The environment is no place for settings, and a proxy would be one.
        .no_proxy()
        .user_agent(concat!("edupro/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// How long the provider asks us to wait, if it says so in seconds.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
