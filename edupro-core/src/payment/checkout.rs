//! From wanting something to the page on which it is paid.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    Begin, Currency, Money, PaymentError, PaymentState, Terms,
    orders::{Order, OrderStatus},
    settle::settle_order,
};
use crate::{
    School, StoreError, StoreResult,
    accounts::User,
    enrollments::{EnrollError, Wanted},
};

/// How long a student may take to pay. The price holds as long.
const LIFETIME: TimeDelta = TimeDelta::hours(2);

/// Why there is no page to pay on.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// Nothing is paid outside.
    #[error("This school takes coupons only.")]
    NoCheckout,
    /// What speaks against enrolling speaks against paying for it.
    #[error(transparent)]
    Enroll(#[from] EnrollError),
    /// Nobody has to pay for it.
    #[error("This {0} is free: enrol without paying.")]
    Free(&'static str),
    /// There are no coins for its price.
    #[error("This price cannot be paid in {0}.")]
    Price(Currency),
    /// It is paid for already, with a method that takes days.
    #[error("A payment for this {0} is under way.")]
    Underway(&'static str),
    /// The provider did not begin it.
    #[error("the payment could not begin")]
    Provider(#[from] PaymentError),
    /// The storage.
    #[error("an order could not be saved")]
    Store(#[from] StoreError),
}

/// A student wants to pay for a course or a module: the order, and in it where to do so.
pub async fn checkout(
    school: &School,
    student: &User,
    wanted: Wanted,
) -> Result<Order, CheckoutError> {
    let terms = school.payment.terms().ok_or(CheckoutError::NoCheckout)?;
    wanted.allowed(school, student, false).await?;
    let (order, is_new) = prepare(school, student, wanted, &terms).await?;
    match begin(school, order).await {
        // The provider holds an old failure against the order, or finds that its time is too
        // short by now: a new one has neither.
        Err(CheckoutError::Provider(PaymentError::Rejected { .. } | PaymentError::Other(_)))
            if !is_new =>
        {
            let (order, _) = prepare(school, student, wanted, &terms).await?;
            begin(school, order).await
        }
        done => done,
    }
}

/// The student's order for it, and whether it was made just now.
async fn prepare(
    school: &School,
    student: &User,
    wanted: Wanted,
    terms: &Terms,
) -> Result<(Order, bool), CheckoutError> {
    let now = school.clock.now();
    let id = school.entropy.uuid(now);
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let prospect = wanted.prospect(&mut *tx, student.id, now).await?;
            if let Some(refusal) = wanted.refusal(&prospect) {
                return Err(refusal.into());
            }
            let item = prospect.item;
            if prospect.is_free || item.price <= Decimal::ZERO {
                return Err(CheckoutError::Free(wanted.word()));
            }
            if let Some(mut order) = tx.orders().lock_unsettled(student.id, &item).await? {
                if order.status == OrderStatus::Pending {
                    return Err(CheckoutError::Underway(wanted.word()));
                }
                if order.expires_at > now && order.provider == school.payment.name() {
                    return Ok((order, false));
                }
                // If it is paid after all, it is settled all the same.
                order.status = OrderStatus::Expired;
                tx.orders().save(&order, now).await?;
            }
            let amount = Money::of(item.price, terms.currency);
            let order = Order {
                id,
                provider: school.payment.name().to_owned(),
                student: student.id,
                customer_email: student.email.clone(),
                amount: amount.ok_or(CheckoutError::Price(terms.currency))?,
                item,
                terms: terms.clone(),
                status: OrderStatus::Created,
                session: None,
                url: None,
                charge: None,
                refunded: Decimal::ZERO,
                problem: None,
                created_at: now,
                expires_at: now + LIFETIME,
                paid_at: None,
            };
            if !tx.orders().add(&order).await? {
                let words = "the same order was made meanwhile";
                return Err(StoreError::Contended(words.into()).into());
            }
            tx.commit().await?;
            Ok((order, true))
        })
        .await
}

/// Asks the provider where to pay, unless that is known.
async fn begin(school: &School, order: Order) -> Result<Order, CheckoutError> {
    if order.status == OrderStatus::Open {
        return Ok(order);
    }
    let (error, problem) = match school.payment.begin(&order).await {
        Ok(Begin::Redirect { session, url, expires_at }) => {
            return Ok(open(school, order.id, &session, &url, expires_at).await?);
        }
        Ok(Begin::Local) => {
            (CheckoutError::NoCheckout, "the provider settles nothing outside".to_owned())
        }
        // It may have begun, or begin yet: the order stays, and the next try is the same.
        Err(error @ PaymentError::Unavailable { .. }) => return Err(error.into()),
        Err(error) => {
            let words = match &error {
                PaymentError::Other(source) => format!("{error}: {source}"),
                _ => error.to_string(),
            };
            (error.into(), words)
        }
    };
    let state = PaymentState::Failed { reason: problem };
    settle_order(school, order.id, &state).await?;
    Err(error)
}

/// Notes where to pay. A webhook may have been faster, so only what is missing is filled in.
async fn open(
    school: &School,
    id: Uuid,
    session: &str,
    url: &str,
    expires_at: Option<DateTime<Utc>>,
) -> StoreResult<Order> {
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let order = tx.orders().lock(id).await?;
            let mut order = order.ok_or_else(|| StoreError::Other("an order is gone".into()))?;
            order.session = Some(session.to_owned());
            order.url = Some(url.to_owned());
            order.expires_at = expires_at.unwrap_or(order.expires_at);
            if order.status == OrderStatus::Created {
                order.status = OrderStatus::Open;
            }
            tx.orders().save(&order, now).await?;
            tx.commit().await?;
            Ok(order)
        })
        .await
}
