//! `[payment]`: the keys of one provider, and none of another's.

use edupro_core::payment::{Currency, Terms};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Problem,
    choice::Choice,
    refuse,
    sections::{PaymentKeys, PaymentKind},
    urls::PublicUrl,
};

/// Who takes money. Coupons work with all of them.
#[derive(Clone, Debug)]
pub enum Payment {
    /// Nobody: teachers hand out coupons.
    Coupon,
    /// Stripe Checkout.
    Stripe(StripeKeys),
    /// Who was added to [`Server`](crate::Server) under this name.
    Own(String),
}

/// What Stripe is used with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StripeKeys {
    /// The key of its API.
    pub secret_key: SecretString,
    /// What its webhooks are signed with.
    pub webhook_secret: SecretString,
    /// What they were signed with before.
    pub webhook_secret_previous: Option<SecretString>,
    /// What orders are made under.
    pub terms: Terms,
    /// Where it is, if it is not Stripe itself.
    pub base_url: Option<PublicUrl>,
}

impl Payment {
    pub(super) fn new(keys: &PaymentKeys) -> Result<Self, Problem> {
        match &keys.provider {
            Choice::BuiltIn(PaymentKind::Coupon) => refuse_stripe_keys(keys).map(|()| Self::Coupon),
            Choice::BuiltIn(PaymentKind::Stripe) => StripeKeys::new(keys).map(Self::Stripe),
            Choice::Own(name) => refuse_stripe_keys(keys).map(|()| Self::Own(name.clone())),
        }
    }
}

impl StripeKeys {
    fn new(keys: &PaymentKeys) -> Result<Self, Problem> {
        let previous = keys.webhook_secret_previous.as_ref();
        let previous =
            previous.map(|it| secret("payment.webhook_secret_previous", Some(it), &["whsec_"]));
        Ok(Self {
            // A restricted key is as good: it only may less.
            secret_key: secret(
                "payment.secret_key",
                keys.secret_key.as_ref(),
                &["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
            )?,
            webhook_secret: secret(
                "payment.webhook_secret",
                keys.webhook_secret.as_ref(),
                &["whsec_"],
            )?,
            webhook_secret_previous: previous.transpose()?,
            terms: Terms {
                currency: currency(keys.currency.as_deref())?,
                success_url: page("payment.success_url", keys.success_url.as_deref())?,
                cancel_url: page("payment.cancel_url", keys.cancel_url.as_deref())?,
            },
            base_url: keys.base_url.clone(),
        })
    }
}

fn needed<T>(key: &'static str, value: Option<T>) -> Result<T, Problem> {
    let problem = "is needed when `payment.provider` is \"stripe\"";
    value.ok_or_else(|| (key, problem.to_owned()))
}

/// A secret that begins as Stripe's do: whoever mixes two of them up hears it at the start.
fn secret(
    key: &'static str,
    value: Option<&SecretString>,
    beginnings: &[&str],
) -> Result<SecretString, Problem> {
    let value = needed(key, value)?;
    match beginnings.iter().any(|beginning| value.expose_secret().starts_with(beginning)) {
        true => Ok(value.clone()),
        false => Err((key, format!("must begin with {}", beginnings.join(" or ")))),
    }
}

fn currency(value: Option<&str>) -> Result<Currency, Problem> {
    let key = "payment.currency";
    let problem = "must be three letters, such as \"EGP\"";
    needed(key, value)?.parse().map_err(|_| (key, problem.to_owned()))
}

/// A page of the school's; Stripe puts the session in the place of one word of it.
fn page(key: &'static str, value: Option<&str>) -> Result<String, Problem> {
    let url = needed(key, value)?;
    let plain = url.split('?').next().unwrap_or_default().to_owned();
    let is_url = PublicUrl::try_from(plain).is_ok() && !url.contains([' ', '"']);
    let problem = "must be a URL such as \"https://school.example/paid\"";
    is_url.then(|| url.to_owned()).ok_or_else(|| (key, problem.to_owned()))
}

/// Somebody who set a key of Stripe's wants to be paid.
fn refuse_stripe_keys(keys: &PaymentKeys) -> Result<(), Problem> {
    let set = [
        ("payment.secret_key", keys.secret_key.is_some()),
        ("payment.webhook_secret", keys.webhook_secret.is_some()),
        ("payment.webhook_secret_previous", keys.webhook_secret_previous.is_some()),
        ("payment.currency", keys.currency.is_some()),
        ("payment.success_url", keys.success_url.is_some()),
        ("payment.cancel_url", keys.cancel_url.is_some()),
        ("payment.base_url", keys.base_url.is_some()),
    ];
    refuse(&set, "payment.provider = \"stripe\"")
}
