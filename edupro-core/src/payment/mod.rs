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

/// Takes money from students, somewhere outside the school.
///
/// An order is committed with everything that the provider is asked with, *before* it is asked. The
/// student pays on the provider's page, and a webhook says so, perhaps twice, in any order or days
/// late; where none comes, the core asks. What it hears is settled in one transaction: the order,
/// the enrolment, the ledger. So a provider keeps nothing, and decides nothing: it asks, and reads
/// answers.
///
/// Coupons work beside every provider. One that has no [`terms`](Self::terms) takes no money at all,
/// like [`CouponEngine`].
///
/// # What is promised
///
/// - **Never inside a transaction.** A provider may be slow; the core waits with no lock in hand.
/// - **All of it may be repeated.** Answers get lost. The same order begins the same payment, the
///   same key gives money back once. Whoever has to send an idempotency key takes it from the order,
///   with parameters that come from the order alone.
/// - **All of it may be given up.** A student goes away, a process stops: futures are dropped at any
///   `await`, and the same question comes again.
/// - **A person waits** for [`begin`](Self::begin) and [`fetch`](Self::fetch): five seconds, then
///   [`Unavailable`](PaymentError::Unavailable).
/// - **A webhook is believed only when it proves who sent it**, by a signature over the bytes as
///   they came, compared in constant time, and not older than a few minutes if it has a time. Nothing
///   is parsed before that. What proves nothing is [`Rejected`](PaymentError::Rejected).
/// - **What the log gets.** Names of orders, sessions, charges and events may be logged, and why a
///   payment failed. Keys, secrets, addresses to pay at and what is known of people may not, in
///   [`Debug`] and in errors neither.
/// - **Money is whole coins** of the smallest kind ([`Money`]), and the amount that was paid is
///   reported as it was: the core compares it.
///
/// # Write one
///
/// ```
/// use async_trait::async_trait;
/// use chrono::{DateTime, Utc};
/// use edupro_core::{
///     WebhookRequest,
///     payment::{
///         Begin, OrderRef, PaymentError, PaymentEvent, PaymentProvider, PaymentState, Terms,
///         orders::Order,
///     },
/// };
///
/// /// Students pay at a desk; the desk's till sends signed webhooks.
/// #[derive(Debug)]
/// struct Desk {
///     terms: Terms,
/// }
///
/// impl Desk {
///     /// Whether the till has signed these bytes.
///     fn is_genuine(&self, signature: Option<&str>, body: &[u8]) -> bool {
///         # let _ = (signature, body);
///         // An HMAC, compared in constant time.
///         false
///     }
/// }
///
/// #[async_trait]
/// impl PaymentProvider for Desk {
///     fn name(&self) -> &'static str {
///         "desk"
///     }
///
///     fn terms(&self) -> Option<Terms> {
///         Some(self.terms.clone())
///     }
///
///     async fn begin(&self, order: &Order) -> Result<Begin, PaymentError> {
///         let session = order.id.to_string();
///         let url = format!("https://school.example/desk/{session}");
///         Ok(Begin::Redirect { session, url, expires_at: None })
///     }
///
///     async fn webhook(
///         &self,
///         request: &WebhookRequest<'_>,
///         _: DateTime<Utc>,
///     ) -> Result<Vec<PaymentEvent>, PaymentError> {
///         if !self.is_genuine(request.header("x-signature"), request.body) {
///             return Err(PaymentError::Rejected { reason: "the signature is wrong".to_owned() });
///         }
///         // Read the body, and say which order was paid, with how much.
///         # let (id, order, state) = ("1".to_owned(), OrderRef::Session(String::new()), PaymentState::Open);
///         Ok(vec![PaymentEvent::new(id, order, state)])
///     }
/// }
/// ```
///
/// Give it to a school with `Builder::payment`; its webhook is then at
/// `/api/v1/payments/webhook/<name>/`. `examples/custom_payment.rs` is a whole one.
///
/// # Test it
///
/// The feature `conformance` checks every promise with one call, `conformance::payment::all`,
/// against the provider's test mode or a double of it.
#[async_trait]
pub trait PaymentProvider: Debug + Send + Sync + 'static {
    /// One word of `a-z` and `0-9`, which is in the path of its webhook and in each of its orders:
    /// never change it.
    fn name(&self) -> &'static str;

    /// What orders are made under, always the same; `None` when there is nothing to order, because
    /// everything is settled while enrolling.
    fn terms(&self) -> Option<Terms> {
        None
    }

    /// Begins the payment of an order. May be repeated: with the same order it answers the same
    /// again, and there is one payment. Two questions about one order may come at the same moment;
    /// the second may be told [`Unavailable`](PaymentError::Unavailable).
    async fn begin(&self, order: &Order) -> Result<Begin, PaymentError>;

    /// What a webhook says, if it is truly the provider's. Events that mean nothing for an order
    /// are left out. The same webhook has the same events with the same ids, whenever it comes; the
    /// core takes care that each is settled once.
    async fn webhook(
        &self,
        request: &WebhookRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<PaymentEvent>, PaymentError> {
        let _ = (request, now);
        Err(PaymentError::Unsupported("webhooks"))
    }

    /// How a payment stands, when no webhook has come. May be repeated, and changes nothing. A
    /// session that nobody knows, whatever its name looks like, is
    /// [`NotFound`](PaymentError::NotFound).
    async fn fetch(&self, session: &str) -> Result<PaymentState, PaymentError> {
        let _ = session;
        Err(PaymentError::Unsupported("questions"))
    }

    /// Gives money back and returns the provider's name for the refund. With the same key it is
    /// given back once, and the answer is the same; more than is left is
    /// [`Rejected`](PaymentError::Rejected).
    async fn refund(&self, charge: &str, amount: Money, key: &str) -> Result<String, PaymentError> {
        let _ = (charge, amount, key);
        Err(PaymentError::Unsupported("refunds"))
    }

    /// Closes the page of a payment that nobody is to make any more. May be repeated. A page on
    /// which somebody has paid is not closed: that is an error.
    async fn cancel(&self, session: &str) -> Result<(), PaymentError> {
        let _ = session;
        Err(PaymentError::Unsupported("cancelling"))
    }
}
