//! What providers that are asked over HTTPS have in common.

use std::time::Duration;

use reqwest::{
    Client,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};

use crate::error::Source;

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

/// The status with which a URL answers, within five seconds: for whoever wants to know whether
/// something is there. It is asked once, and followed nowhere.
pub async fn status_of(url: &str) -> Result<u16, Source> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let answer = client(PATIENCE, PATIENCE)?.get(url).send().await;
    Ok(answer.map_err(reqwest::Error::without_url)?.status().as_u16())
}
