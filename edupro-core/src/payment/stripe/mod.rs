//! Stripe Checkout: the student pays on Stripe's page, and a signed webhook says so.

mod events;
mod signature;

use std::{
    fmt::{self, Debug},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reqwest::{Client, Method, Response, StatusCode, header::HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};

use self::events::Session;
use super::{
    Begin, Money, PaymentError, PaymentEvent, PaymentProvider, PaymentState, Terms, orders::Order,
};
use crate::{WebhookRequest, https};

/// The version of the API that this file was written for. Without it Stripe takes the account's,
/// which somebody may change in the dashboard.
const VERSION: &str = "2025-03-31.basil";

/// How to use Stripe.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StripeOptions {
    /// `sk_live_…` or `sk_test_…`.
    pub secret_key: SecretString,
    /// `whsec_…`: each of them is accepted, so that one can be replaced while events come in.
    pub webhook_secrets: Vec<SecretString>,
    /// What orders are made under.
    pub terms: Terms,
    /// Where Stripe is.
    pub base_url: String,
    /// How long the way to Stripe may take.
    pub connect_timeout: Duration,
    /// How long an answer may take in all: a student is waiting for it.
    pub timeout: Duration,
}

impl StripeOptions {
    /// Stripe itself, with this key and the secret of its webhook.
    #[must_use]
    pub fn new(secret_key: SecretString, webhook_secret: SecretString, terms: Terms) -> Self {
        Self {
            secret_key,
            webhook_secrets: vec![webhook_secret],
            terms,
            base_url: "https://api.stripe.com".to_owned(),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
        }
    }
}

/// Stripe cannot be used like this.
#[derive(Debug, thiserror::Error)]
#[error("no HTTPS client can be made")]
pub struct StripeConfigError(#[source] reqwest::Error);

/// Takes money by Stripe Checkout.
pub struct Stripe {
    client: Client,
    options: StripeOptions,
}

impl Debug for Stripe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client: _, options } = self;
        formatter
            .debug_struct("Stripe")
            .field("base_url", &options.base_url)
            .finish_non_exhaustive()
    }
}

/// `{"error": …}`. Its message is for people and may repeat what was sent, so it is not read.
#[derive(Deserialize)]
struct Refusal {
    error: RefusalDetail,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RefusalDetail {
    #[serde(rename = "type")]
    kind: String,
    code: Option<String>,
    param: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Stripe {
    /// Prepares to use Stripe; asks nobody yet.
    pub fn new(options: StripeOptions) -> Result<Self, StripeConfigError> {
        let client =
            https::client(options.connect_timeout, options.timeout).map_err(StripeConfigError)?;
        Ok(Self { client, options })
    }

    /// Whether real money moves: the key says so, and events have to agree.
    fn is_live(&self) -> bool {
        let key = self.options.secret_key.expose_secret();
        key.starts_with("sk_live_") || key.starts_with("rk_live_")
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        form: &[(&str, String)],
        key: Option<&str>,
    ) -> Result<T, PaymentError> {
        let url = format!("{}{path}", self.options.base_url.trim_end_matches('/'));
        let mut request = self
            .client
            .request(method, url)
            .bearer_auth(self.options.secret_key.expose_secret())
            .header("stripe-version", VERSION);
        if !form.is_empty() {
            request = request.form(form);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        response.json().await.map_err(|error| match error.is_decode() {
            true => PaymentError::Other(error.without_url().into()),
            false => unreachable(error),
        })
    }
}

/// Nobody can tell whether the request arrived: the same one is sent again.
fn unreachable(error: reqwest::Error) -> PaymentError {
    PaymentError::Unavailable { retry_after: None, source: error.without_url().into() }
}

fn says(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers.get(name).is_some_and(|header| header == value)
}

async fn refusal(response: Response) -> PaymentError {
    let status = response.status();
    let headers = response.headers();
    let retry_after = https::retry_after(headers);
    let replayed = says(headers, "idempotent-replayed", "true");
    let told_to = says(headers, "stripe-should-retry", "true");
    let told_not_to = says(headers, "stripe-should-retry", "false");
    let error =
        response.json().await.map_or_else(|_| RefusalDetail::default(), |it: Refusal| it.error);
    let reason = format!(
        "{} {} {} {}",
        status.as_u16(),
        error.kind,
        error.code.unwrap_or_default(),
        error.param.unwrap_or_default()
    );
    let is_passing = status.is_server_error() || matches!(status.as_u16(), 409 | 424 | 429);
    // A failure that is kept with its key comes back whatever is done: only a new order helps.
    if (is_passing || told_to) && !told_not_to && !replayed {
        return PaymentError::Unavailable { retry_after, source: reason.into() };
    }
    match status {
        StatusCode::NOT_FOUND => PaymentError::NotFound,
        // Ours are the key's faults, and the same key with other parameters.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => PaymentError::Other(reason.into()),
        status if status.is_client_error() && error.kind != "idempotency_error" => {
            PaymentError::Rejected { reason }
        }
        _ => PaymentError::Other(reason.into()),
    }
}

/// A name of Stripe's that is safe in a path.
fn path_part(name: &str) -> Result<&str, PaymentError> {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && !name.is_empty()).then_some(name).ok_or(PaymentError::NotFound)
}

#[async_trait]
impl PaymentProvider for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn terms(&self) -> Option<Terms> {
        Some(self.options.terms.clone())
    }

    async fn begin(&self, order: &Order) -> Result<Begin, PaymentError> {
        let id = order.id.to_string();
        let title = match &order.item.module {
            Some((_, title)) => title,
            None => &order.item.course_title,
        };
        // Everything comes from the order: with the same key Stripe wants the same parameters.
        let form = [
            ("mode", "payment".to_owned()),
            ("client_reference_id", id.clone()),
            ("line_items[0][quantity]", "1".to_owned()),
            (
                "line_items[0][price_data][currency]",
                order.amount.currency.to_string().to_lowercase(),
            ),
            ("line_items[0][price_data][unit_amount]", order.amount.minor.to_string()),
            ("line_items[0][price_data][product_data][name]", title.clone()),
            ("customer_email", order.customer_email.clone()),
            ("success_url", order.terms.success_url.clone()),
            ("cancel_url", order.terms.cancel_url.clone()),
            ("expires_at", order.expires_at.timestamp().to_string()),
            ("metadata[order]", id.clone()),
            // So that what happens to the charge finds the order too.
            ("payment_intent_data[metadata][order]", id.clone()),
        ];
        let key = format!("order-{id}-checkout");
        let made: Session =
            self.call(Method::POST, "/v1/checkout/sessions", &form, Some(&key)).await?;
        let expires_at = made.expires_at.and_then(|at| DateTime::from_timestamp(at, 0));
        match made.url {
            Some(url) => Ok(Begin::Redirect { session: made.id, url, expires_at }),
            None => Err(PaymentError::Other("a session without a page".into())),
        }
    }

    async fn webhook(
        &self,
        request: &WebhookRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<PaymentEvent>, PaymentError> {
        let header = request.header("stripe-signature").unwrap_or_default();
        let secrets = &self.options.webhook_secrets;
        signature::verify(header, request.body, secrets, now.timestamp())
            .map_err(|error| PaymentError::Rejected { reason: error.to_string() })?;
        let event = events::read(request.body, self.is_live())
            .map_err(|error| PaymentError::Rejected { reason: error.to_string() })?;
        Ok(event.into_iter().collect())
    }

    async fn fetch(&self, session: &str) -> Result<PaymentState, PaymentError> {
        let path = format!("/v1/checkout/sessions/{}", path_part(session)?);
        let session: Session = self.call(Method::GET, &path, &[], None).await?;
        session.state().map_err(|error| PaymentError::Other(error.into()))
    }

    async fn refund(&self, charge: &str, amount: Money, key: &str) -> Result<String, PaymentError> {
        let form = [
            ("payment_intent", charge.to_owned()),
            ("amount", amount.minor.to_string()),
            ("reason", "requested_by_customer".to_owned()),
        ];
        let made: Named = self.call(Method::POST, "/v1/refunds", &form, Some(key)).await?;
        Ok(made.id)
    }

    async fn cancel(&self, session: &str) -> Result<(), PaymentError> {
        let path = format!("/v1/checkout/sessions/{}/expire", path_part(session)?);
        self.call::<Named>(Method::POST, &path, &[], None).await.map(drop)
    }
}
