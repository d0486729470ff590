//! Payment: the [`PaymentProvider`] behind which the money comes from, and its stock providers.
//!
//! A coupon pays at once and inside the enrolment's transaction, so [`CouponEngine`] asks nobody.
//! A provider outside answers with a page to pay on; what happened there comes back as a signed
//! webhook, perhaps twice, in any order or days late. [`orders`] holds the rules for that, and
//! coupons go on working beside every provider.

mod checkout;
mod coupon;
mod money;
pub mod orders;
mod settle;
#[cfg(feature = "stripe")]
mod stripe;

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::orders::Order;
#[cfg(feature = "stripe")]
pub use self::stripe::{Stripe, StripeConfigError, StripeOptions};
pub use self::{
    coupon::CouponEngine,
    money::{Currency, Money, UnknownCurrency},
};
use crate::{error::Source, webhook::WebhookRequest};

/// What an order is made under. It is frozen in the order: what a student was asked for does not
/// change when the configuration does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What prices are in.
    pub currency: Currency,
    /// Where a student lands who has paid.
    pub success_url: String,
    /// Where a student lands who has not.
    pub cancel_url: String,
}

/// How a payment begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Begin {
    /// There is nothing to ask of anybody outside: the core settles it while it enrols.
    Local,
    /// The student pays there first.
    Redirect {
        /// The provider's name for it.
        session: String,
        /// Where to pay.
        url: String,
        /// When that page ends; `None` is when the order does.
        expires_at: Option<DateTime<Utc>>,
    },
}

/// How a payment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaymentState {
    /// Nobody has paid yet.
    Open,
    /// It is under way, with a method that takes days.
    Pending,
    /// It was paid.
    Paid {
        /// What was paid in all.
        amount: Money,
        /// The provider's name for the charge: what a refund needs.
        charge: String,
    },
    /// It will not be paid.
    Failed {
        /// Why, for the log.
        reason: String,
    },
    /// Nobody paid in time.
    Expired,
    /// It was paid, and some or all of it went back.
    Refunded {
        /// What was paid in all.
        amount: Money,
        /// What went back so far, in all.
        total: Money,
        /// The provider's name for the charge.
        charge: String,
    },
    /// Money was to go back and did not. A person has to look at it.
    RefundFailed {
        /// Why, for the log.
        reason: String,
    },
}

/// Which order an event is about, by the best name the provider gives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderRef {
    /// Ours.
    Order(Uuid),
    /// The provider's for the session.
    Session(String),
    /// The provider's for the charge.
    Charge(String),
}

/// Something that happened to a payment, as a verified webhook says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaymentEvent {
    /// The provider's name for the event: the same one may come again.
    pub id: String,
    /// Which order.
    pub order: OrderRef,
    /// How it stands now.
    pub state: PaymentState,
}

impl PaymentEvent {
    /// An event.
    #[must_use]
    pub const fn new(id: String, order: OrderRef, state: PaymentState) -> Self {
        Self { id, order, state }
    }
}

/// Why a provider did not do what it was asked, named by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// It will never do this: a wrong amount, a bad signature. Trying again is useless.
    #[error("the payment provider refused: {reason}")]
    Rejected {
        /// Why, for the log.
        reason: String,
    },
    /// It knows no such session or charge.
    #[error("the payment provider knows no such thing")]
    NotFound,
    /// It cannot be reached or is busy. The very same request helps later, and does nothing twice.
    #[error("the payment provider is not available")]
    Unavailable {
        /// How long it asked us to wait.
        retry_after: Option<Duration>,
        /// What happened.
        #[source]
        source: Source,
    },
    /// This provider has no such thing.
    #[error("the payment provider does not support {0}")]
    Unsupported(&'static str),
    /// Anything else. The same request fails again; a new one may not.
    #[error("the payment provider failed")]
    Other(#[source] Source),
}

/// Where money comes from. Nothing here is called inside a transaction.
#[async_trait]
pub trait PaymentProvider: Debug + Send + Sync + 'static {
    /// One word, which is in the path of its webhook and in each of its orders.
    fn name(&self) -> &'static str;

    /// What orders are made under; `None` when there is nothing to order, because everything is
    /// settled while enrolling.
    fn terms(&self) -> Option<Terms> {
        None
    }

    /// Begins the payment of an order. With the same order it answers the same again.
    async fn begin(&self, order: &Order) -> Result<Begin, PaymentError>;

    /// What a webhook says, if it is truly the provider's. Events that mean nothing for an order
    /// are left out.
    async fn webhook(
        &self,
        request: &WebhookRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<PaymentEvent>, PaymentError> {
        let _ = (request, now);
        Err(PaymentError::Unsupported("webhooks"))
    }

    /// How a payment stands, when no webhook has come.
    async fn fetch(&self, session: &str) -> Result<PaymentState, PaymentError> {
        let _ = session;
        Err(PaymentError::Unsupported("questions"))
    }

    /// Gives money back and returns the provider's name for the refund. With the same key it is
    /// given back once.
    async fn refund(&self, charge: &str, amount: Money, key: &str) -> Result<String, PaymentError> {
        let _ = (charge, amount, key);
        Err(PaymentError::Unsupported("refunds"))
    }

    /// Closes the page of a payment that nobody is to make any more.
    async fn cancel(&self, session: &str) -> Result<(), PaymentError> {
        let _ = session;
        Err(PaymentError::Unsupported("cancelling"))
    }
}
