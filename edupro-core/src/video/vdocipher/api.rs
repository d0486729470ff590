//! How VdoCipher's API is asked, and when it is asked again.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    Client, Method, Request, RequestBuilder, Url,
    header::{ACCEPT, AUTHORIZATION, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};

use super::{VdoCipherConfigError, VdoCipherOptions, address};
use crate::{
    https,
    video::{HostError, http},
};

/// How long to wait before asking a second time.
const PAUSE: Duration = Duration::from_millis(200);

/// The API, and the key to it.
pub(super) struct Api {
    client: Client,
    base: Url,
    authorization: HeaderValue,
    secrets: Vec<SecretString>,
    timeout: Duration,
}

impl Api {
    pub(super) fn new(options: &VdoCipherOptions) -> Result<Self, VdoCipherConfigError> {
        let secret = options.api_secret.expose_secret();
        let mut authorization = HeaderValue::try_from(format!("Apisecret {secret}"))
            .ok()
            .filter(|_| !secret.trim().is_empty())
            .ok_or(VdoCipherConfigError::Option("api_secret"))?;
        authorization.set_sensitive(true);
        let client = https::client(options.connect_timeout, options.timeout)
            .map_err(VdoCipherConfigError::Client)?;
        let secrets = [&options.api_secret].into_iter().chain(&options.webhook_token);
        Ok(Self {
            client,
            base: address("base_url", &options.base_url)?,
            authorization,
            secrets: secrets.cloned().collect(),
            timeout: options.timeout,
        })
    }

    /// The client without the key, for whoever else has to be reached.
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// A question to what stands at this path.
    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        // Only an address that is not of the web has no segments, and `address` refuses those.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        self.client
            .request(method, url)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, HeaderValue::from_static("application/json"))
    }

    /// Asks what must not be asked twice.
    pub(super) async fn ask_once<T: DeserializeOwned>(
        &self,
        question: RequestBuilder,
    ) -> Result<T, HostError> {
        let question = question.build().map_err(http::unreachable)?;
        read(&self.answer(question, Instant::now() + self.timeout).await?)
    }

    /// Asks, and once more when that may help. Both together take no longer than one may.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        question: RequestBuilder,
    ) -> Result<T, HostError> {
        let question = question.build().map_err(http::unreachable)?;
        let again = question.try_clone();
        let deadline = Instant::now() + self.timeout;
        let mut answer = self.answer(question, deadline).await;
        if let Err(HostError::Unavailable { retry_after: None, source, .. }) = &answer
            && let Some(again) = again
            && Instant::now() + PAUSE < deadline
        {
            tracing::debug!(%source, "VdoCipher is asked once more");
            sleep(PAUSE).await;
            answer = self.answer(again, deadline).await;
        }
        read(&answer?)
    }

    /// The content of an answer that says yes.
    async fn answer(&self, question: Request, deadline: Instant) -> Result<Bytes, HostError> {
        let answer = async {
            let answer = self.client.execute(question).await.map_err(http::unreachable)?;
            if answer.status().is_success() {
                return http::read_bounded(answer, http::ANSWER_LIMIT).await;
            }
            let secrets: Vec<_> = self.secrets.iter().collect();
            Err(http::refusal(answer, &secrets).await)
        };
        timeout_at(deadline, answer).await.unwrap_or_else(|late| Err(HostError::unavailable(late)))
    }
}

fn read<T: DeserializeOwned>(content: &[u8]) -> Result<T, HostError> {
    // The error itself would quote what it could not read, which may be a ticket.
    serde_json::from_slice(content)
        .map_err(|_| HostError::Other("an answer that cannot be read".into()))
}
