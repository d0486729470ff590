//! What a provider says about an order becomes an enrolment and a row in the ledger, once.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    Money, PaymentEvent, PaymentState,
    orders::{Order, OrderStatus},
};
use crate::{
    School, StoreError, StoreResult, Transaction,
    enrollments::{self, EnrollError, Prospect},
    events::{self, Event, announce},
};

/// Settles a verified event in one transaction: dedupe, order, enrolment, ledger, totals, progress.
/// A repeated event, one of an order that is not ours, and one that comes too late change nothing.
pub async fn settle(school: &School, provider: &str, event: &PaymentEvent) -> StoreResult<()> {
    let now = school.clock.now();
    let settled = school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let Some(id) = tx.orders().resolve(provider, &event.order).await? else {
                return Ok(None);
            };
            if !tx.orders().note_event(provider, &event.id, id, now).await? {
                return Ok(Some(id));
            }
            apply(school, &mut *tx, id, &event.state, now).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(Some(id))
        })
        .await?;
    if settled.is_none() {
        // Other software may use the same account.
        tracing::warn!(event = %event.id, order = ?event.order, "an event is about no order of ours");
    }
    Ok(())
}

/// The same for what a provider answered when it was asked.
pub(super) async fn settle_order(
    school: &School,
    id: Uuid,
    state: &PaymentState,
) -> StoreResult<()> {
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            apply(school, &mut *tx, id, state, now).await?;
            tx.commit().await
        })
        .await
}

/// Every transition asks where the order stands, so events may come twice and in any order.
async fn apply(
    school: &School,
    tx: &mut dyn Transaction,
    id: Uuid,
    state: &PaymentState,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    use OrderStatus::{Created, Expired, Failed, Open, Pending};

    let Some(mut order) = tx.orders().lock(id).await? else { return Ok(()) };
    match state {
        PaymentState::Open => {}
        PaymentState::Pending => {
            if matches!(order.status, Created | Open) {
                order.status = Pending;
            }
        }
        PaymentState::Failed { reason } => {
            if matches!(order.status, Created | Open | Pending) {
                order.status = Failed;
                order.problem = Some(reason.clone());
            }
        }
        PaymentState::Expired => {
            if matches!(order.status, Created | Open) {
                order.status = Expired;
            }
        }
        PaymentState::Paid { amount, charge } => {
            pay(school, tx, &mut order, *amount, charge, now).await?;
        }
        PaymentState::Refunded { amount, total, charge } => {
            // What went back was paid before, even if nobody has said so yet.
            pay(school, tx, &mut order, *amount, charge, now).await?;
            give_back(school, tx, &mut order, *total, now).await?;
        }
        PaymentState::RefundFailed { reason } => {
            note(&mut order, format!("a refund failed: {reason}"));
        }
    }
    tx.orders().save(&order, now).await
}

/// Leaves something for a person to look at.
fn note(order: &mut Order, problem: String) {
    tracing::error!(order = %order.id, %problem, "somebody has to look at an order");
    order.problem = Some(problem);
}

fn said(money: Money) -> String {
    format!("{} {}", money.amount(), money.currency)
}

async fn pay(
    school: &School,
    tx: &mut dyn Transaction,
    order: &mut Order,
    amount: Money,
    charge: &str,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    use OrderStatus::{Failed, Paid, PaidUnneeded, Refunded};

    if matches!(order.status, Paid | PaidUnneeded | Refunded) {
        return Ok(());
    }
    order.charge = Some(charge.to_owned());
    if amount != order.amount {
        order.status = Failed;
        note(order, format!("{} came in and not {}", said(amount), said(order.amount)));
        return Ok(());
    }
    order.paid_at = Some(now);
    let Some(prospect) = needs(tx, order, now).await? else {
        order.status = PaidUnneeded;
        note(order, "it was paid and is not needed: give the money back".to_owned());
        return announce(tx, school, paid_event(order)).await;
    };
    let (item, has_row) = (&order.item, prospect.has_row);
    let granted =
        enrollments::grant(school, tx, order.student, item, has_row, item.price, now).await?;
    // Somebody was faster with the same: seen again, it is not needed.
    granted.ok_or_else(|| StoreError::Contended("somebody enrolled meanwhile".into()))?;
    tx.orders().record(order, item.price, now).await?;
    order.status = Paid;
    order.problem = None;
    announce(tx, school, paid_event(order)).await
}

fn paid_event(order: &Order) -> Event {
    Event::OrderPaid {
        order: order.id,
        provider: order.provider.clone(),
        student: order.student,
        teacher: order.item.teacher,
        course: order.item.course,
        module: order.item.module.as_ref().map(|(module, _)| *module),
        amount: events::money(order.item.price),
        currency: order.amount.currency.to_string(),
        is_needed: order.status == OrderStatus::Paid,
    }
}

fn refunded_event(order: &Order, amount: Decimal, enrollment_ended: bool) -> Event {
    Event::OrderRefunded {
        order: order.id,
        provider: order.provider.clone(),
        student: order.student,
        teacher: order.item.teacher,
        course: order.item.course,
        module: order.item.module.as_ref().map(|(module, _)| *module),
        amount: events::money(amount),
        total: events::money(order.refunded),
        currency: order.amount.currency.to_string(),
        enrollment_ended,
    }
}

/// What the student gets for it; `None` when the student has it by now, or it or the student is
/// gone. That it was unpublished or the student blocked meanwhile keeps nobody from what was paid.
async fn needs(
    tx: &mut dyn Transaction,
    order: &Order,
    now: DateTime<Utc>,
) -> StoreResult<Option<Prospect>> {
    if tx.users().find(order.student).await?.is_none() {
        return Ok(None);
    }
    match order.wanted().prospect(tx, order.student, now).await {
        Ok(prospect) => Ok(Some(prospect).filter(|prospect| !prospect.has_access)),
        Err(EnrollError::Store(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

/// `total` is all that went back so far: events that come late say less and change nothing.
async fn give_back(
    school: &School,
    tx: &mut dyn Transaction,
    order: &mut Order,
    total: Money,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    use OrderStatus::{Paid, PaidUnneeded, Refunded};

    let was_given = order.status == Paid;
    if !was_given && order.status != PaidUnneeded {
        return Ok(());
    }
    if total.currency != order.amount.currency {
        note(order, format!("{} went back and not {}", said(total), order.amount.currency));
        return Ok(());
    }
    let total = total.amount().min(order.item.price);
    let more = total - order.refunded;
    if more <= Decimal::ZERO {
        return Ok(());
    }
    order.refunded = total;
    if was_given {
        tx.orders().record(order, -more, now).await?;
        tx.enrollments().count(order.item.course, 0, -more).await?;
    }
    let is_whole = total >= order.item.price;
    if is_whole {
        order.status = Refunded;
        order.problem = None;
    }
    let ended = is_whole && was_given && take_back(school, tx, order, now).await?;
    announce(tx, school, refunded_event(order, more, ended)).await
}

/// Ends the enrolment that this order gave, and says whether it has: one that was renewed since has
/// another reason.
async fn take_back(
    school: &School,
    tx: &mut dyn Transaction,
    order: &Order,
    now: DateTime<Utc>,
) -> StoreResult<bool> {
    let Some(paid_at) = order.paid_at else { return Ok(false) };
    let then = match school.settings.enrollment_days {
        0 => DateTime::UNIX_EPOCH,
        days => now - TimeDelta::days(days),
    };
    match tx.orders().is_covered(order, then).await? {
        true => Ok(false),
        false => tx.enrollments().cancel(order.student, &order.item, paid_at).await,
    }
}
