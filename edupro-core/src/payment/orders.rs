//! Orders: what a student pays for outside, from asking for it until the money is in the ledger.
//!
//! The row is there before the provider is asked, with everything the question consists of: after
//! a time-out the same question is asked again and gets the same answer. No provider is asked
//! inside a transaction. What a provider says is settled in one: see [`settle`].

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Money, OrderRef, PaymentError, PaymentState, Terms, settle::settle_order};
pub use super::{
    checkout::{CheckoutError, checkout},
    settle::settle,
};
use crate::{
    School, StoreError, StoreResult,
    accounts::{User, UserId},
    coupons::Item,
    enrollments::Wanted,
};

/// How often a provider is asked about one order: pages ask again and again whether it is paid.
const PATIENCE: TimeDelta = TimeDelta::seconds(5);
/// After this long without a word from the provider, it is asked.
const SILENCE: TimeDelta = TimeDelta::minutes(15);
/// How many orders are asked about in one go.
const RECONCILED_AT_ONCE: i64 = 100;

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderStatus {
    /// Nobody knows yet where to pay.
    Created,
    /// The student is to pay.
    Open,
    /// The payment is under way.
    Pending,
    /// It was paid, and the student has what it was for.
    Paid,
    /// It was paid, and the student had it meanwhile, or it is gone: the money is to go back.
    PaidUnneeded,
    /// It was not paid.
    Failed,
    /// It was not paid in time.
    Expired,
    /// All the money went back.
    Refunded,
}

impl OrderStatus {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::PaidUnneeded => "paid_unneeded",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Refunded => "refunded",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        use OrderStatus::{Created, Expired, Failed, Open, Paid, PaidUnneeded, Pending, Refunded};
        [Created, Open, Pending, Paid, PaidUnneeded, Failed, Expired, Refunded]
            .into_iter()
            .find(|known| known.as_str() == word)
    }
}

/// A thing that a student pays for outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Which one: also what the provider calls it by.
    pub id: Uuid,
    /// With which provider.
    pub provider: String,
    /// Who pays.
    pub student: UserId,
    /// Where the provider's receipt goes.
    pub customer_email: String,
    /// For what, with title and price as they were.
    pub item: Item,
    /// The price as the provider counts it.
    pub amount: Money,
    /// Under which terms.
    pub terms: Terms,
    /// How it stands.
    pub status: OrderStatus,
    /// The provider's name for the session.
    pub session: Option<String>,
    /// Where to pay.
    pub url: Option<String>,
    /// The provider's name for the charge.
    pub charge: Option<String>,
    /// What went back, in all.
    pub refunded: Decimal,
    /// What a person should look at.
    pub problem: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends, if nobody pays.
    pub expires_at: DateTime<Utc>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
}

impl Order {
    /// The thing again, to enrol in.
    pub(super) fn wanted(&self) -> Wanted {
        match &self.item.module {
            Some((module, _)) => Wanted::Module(*module),
            None => Wanted::Course(self.item.course),
        }
    }

    fn awaits(&self) -> bool {
        matches!(self.status, OrderStatus::Open | OrderStatus::Pending)
    }
}

/// Where orders are kept.
#[async_trait]
pub trait OrderStore: Send {
    /// Adds an order; false when the student has one for the same thing that is not settled.
    async fn add(&mut self, order: &Order) -> StoreResult<bool>;

    /// The order with this id.
    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Order>>;

    /// The order, which nobody else changes until this transaction ends.
    async fn lock(&mut self, id: Uuid) -> StoreResult<Option<Order>>;

    /// The student's order for this thing that is not settled, locked.
    async fn lock_unsettled(&mut self, student: UserId, item: &Item) -> StoreResult<Option<Order>>;

    /// Which order a provider means.
    async fn resolve(&mut self, provider: &str, order: &OrderRef) -> StoreResult<Option<Uuid>>;

    /// Keeps what may change of an order as it is here.
    async fn save(&mut self, order: &Order, now: DateTime<Utc>) -> StoreResult<()>;

    /// Notes that the provider is asked now; false when it was since `then`.
    async fn ask(&mut self, id: Uuid, now: DateTime<Utc>, then: DateTime<Utc>)
    -> StoreResult<bool>;

    /// Orders made before `then` that are not settled, the oldest question first.
    async fn unsettled(&mut self, then: DateTime<Utc>, most: i64) -> StoreResult<Vec<Order>>;

    /// Notes that an event came; false when it came before.
    async fn note_event(
        &mut self,
        provider: &str,
        event: &str,
        order: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<bool>;

    /// Forgets events that came before `then`: no provider repeats them so late.
    async fn purge_events(&mut self, then: DateTime<Utc>) -> StoreResult<u64>;

    /// Writes what an order brought, or took back if it is negative, into the ledger.
    async fn record(
        &mut self,
        order: &Order,
        amount: Decimal,
        now: DateTime<Utc>,
    ) -> StoreResult<()>;

    /// Whether the student has paid for the same thing otherwise since `then`, by coupon or with
    /// another order whose money did not go back.
    async fn is_covered(&mut self, order: &Order, then: DateTime<Utc>) -> StoreResult<bool>;
}

/// Why an order was not shown, or its money not given back.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// There is no such order, or it is somebody else's.
    #[error("Not found.")]
    Unknown,
    /// There is nothing to give back.
    #[error("This order was not paid.")]
    NotPaid,
    /// The provider did not do it.
    #[error(transparent)]
    Provider(#[from] PaymentError),
    /// The storage.
    #[error("an order could not be read")]
    Store(#[from] StoreError),
}

/// One of a student's orders. While it waits, the provider is asked how it stands: the student
/// may be back before the webhook is here.
pub async fn show(school: &School, student: &User, id: Uuid) -> Result<Order, OrderError> {
    let found = school.storage.read().await?.orders().find(id).await?;
    let order = found.filter(|order| order.student == student.id).ok_or(OrderError::Unknown)?;
    if !order.awaits() {
        return Ok(order);
    }
    look(school, &order).await?;
    let found = school.storage.read().await?.orders().find(id).await?;
    found.ok_or(OrderError::Unknown)
}

/// Asks the provider about an order, if nobody just has. That it does not answer is no failure:
/// the order stays as it was.
async fn look(school: &School, order: &Order) -> StoreResult<()> {
    let ours = order.session.as_deref().filter(|_| order.provider == school.payment.name());
    let Some(session) = ours else { return Ok(()) };
    let now = school.clock.now();
    let may_ask = school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let may_ask = tx.orders().ask(order.id, now, now - PATIENCE).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(may_ask)
        })
        .await?;
    if !may_ask {
        return Ok(());
    }
    match school.payment.fetch(session).await {
        Ok(PaymentState::Open) => Ok(()),
        Ok(state) => settle_order(school, order.id, &state).await,
        Err(PaymentError::NotFound) if order.expires_at <= now => {
            settle_order(school, order.id, &PaymentState::Expired).await
        }
        Err(error) => {
            tracing::warn!(order = %order.id, %error, "a provider was asked about an order in vain");
            Ok(())
        }
    }
}

/// Asks about orders that have been waiting for long, and ends those that nobody can pay.
pub async fn reconcile(school: &School) -> StoreResult<()> {
    let now = school.clock.now();
    let mut tx = school.storage.read().await?;
    let waiting = tx.orders().unsettled(now - SILENCE, RECONCILED_AT_ONCE).await?;
    drop(tx);
    for order in waiting {
        if order.awaits() && order.provider == school.payment.name() {
            look(school, &order).await?;
        } else if order.expires_at <= now {
            settle_order(school, order.id, &PaymentState::Expired).await?;
        }
    }
    Ok(())
}

/// Gives back what is left of an order and returns the provider's name for the refund. The books
/// follow when the provider says that it is done.
pub async fn refund(school: &School, id: Uuid) -> Result<String, OrderError> {
    let order = school.storage.read().await?.orders().find(id).await?;
    let order = order.ok_or(OrderError::Unknown)?;
    let left = Money::of(order.item.price - order.refunded, order.amount.currency);
    let left = left.filter(|money| money.minor > 0).ok_or(OrderError::NotPaid)?;
    let charge = order.charge.as_deref().ok_or(OrderError::NotPaid)?;
    // Once for each amount that is left: pressing twice gives back once.
    let key = format!("order-{id}-refund-{}", left.minor);
    Ok(school.payment.refund(charge, left, &key).await?)
}
