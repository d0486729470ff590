//! What Stripe's objects mean for an order.

use serde::Deserialize;
use serde_json::Value;

use crate::payment::{Money, OrderRef, PaymentEvent, PaymentState};

/// An event, or an object of Stripe's, is not as Stripe describes it.
#[derive(Debug, thiserror::Error)]
pub(super) enum EventError {
    #[error("it is not the JSON that it should be")]
    Json(#[from] serde_json::Error),
    #[error("it has no amount that can be read")]
    Amount,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    livemode: bool,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: Value,
}

/// Ours has the order. What other software puts on the same account is no business of ours.
#[derive(Deserialize)]
struct Metadata {
    order: Option<String>,
}

/// A Checkout session.
#[derive(Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    payment_status: Option<String>,
    pub(super) url: Option<String>,
    client_reference_id: Option<String>,
    amount_total: Option<i64>,
    currency: Option<String>,
    payment_intent: Option<String>,
    pub(super) expires_at: Option<i64>,
}

/// A charge, with all that went back of it.
#[derive(Deserialize)]
struct Charge {
    id: String,
    amount: i64,
    amount_refunded: i64,
    currency: String,
    payment_intent: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

/// One refund.
#[derive(Deserialize)]
struct Refund {
    id: String,
    payment_intent: Option<String>,
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

fn money(minor: Option<i64>, currency: Option<&str>) -> Result<Money, EventError> {
    let currency = currency.and_then(|currency| currency.parse().ok());
    let money = minor.zip(currency).map(|(minor, currency)| Money { minor, currency });
    money.ok_or(EventError::Amount)
}

fn of_charge(metadata: Option<Metadata>, intent: String) -> OrderRef {
    let order = metadata.and_then(|metadata| metadata.order).and_then(|id| id.parse().ok());
    order.map_or(OrderRef::Charge(intent), OrderRef::Order)
}

impl Session {
    /// How its payment stands.
    pub(super) fn state(&self) -> Result<PaymentState, EventError> {
        Ok(match (self.status.as_deref(), self.payment_status.as_deref()) {
            (Some("complete"), Some("unpaid")) => PaymentState::Pending,
            (Some("complete"), _) => self.paid()?,
            (Some("expired"), _) => PaymentState::Expired,
            _ => PaymentState::Open,
        })
    }

    fn paid(&self) -> Result<PaymentState, EventError> {
        let amount = money(self.amount_total, self.currency.as_deref())?;
        let charge = self.payment_intent.as_ref().unwrap_or(&self.id).clone();
        Ok(PaymentState::Paid { amount, charge })
    }

    fn order(self) -> OrderRef {
        let ours = self.client_reference_id.and_then(|id| id.parse().ok());
        ours.map_or(OrderRef::Session(self.id), OrderRef::Order)
    }
}

/// The event in a body whose signature was checked; `None` when it means nothing for an order.
pub(super) fn read(body: &[u8], is_live: bool) -> Result<Option<PaymentEvent>, EventError> {
    let Event { id, kind, livemode, data } = serde_json::from_slice(body)?;
    if livemode != is_live {
        tracing::warn!(event = %id, livemode, "an event of Stripe's other mode was ignored");
        return Ok(None);
    }
    let (order, state) = match kind.as_str() {
        "checkout.session.completed"
        | "checkout.session.async_payment_succeeded"
        | "checkout.session.async_payment_failed"
        | "checkout.session.expired" => {
            let session: Session = serde_json::from_value(data.object)?;
            let state = match kind.as_str() {
                // A method that takes days: another event tells how it went.
                "checkout.session.completed"
                    if session.payment_status.as_deref() == Some("unpaid") =>
                {
                    PaymentState::Pending
                }
                "checkout.session.async_payment_failed" => {
                    PaymentState::Failed { reason: "the payment failed afterwards".to_owned() }
                }
                "checkout.session.expired" => PaymentState::Expired,
                _ => session.paid()?,
            };
            (session.order(), state)
        }
        "charge.refunded" => {
            let charge: Charge = serde_json::from_value(data.object)?;
            let amount = money(Some(charge.amount), Some(&charge.currency))?;
            let total = Money { minor: charge.amount_refunded, ..amount };
            let intent = charge.payment_intent.unwrap_or(charge.id);
            let state = PaymentState::Refunded { amount, total, charge: intent.clone() };
            (of_charge(charge.metadata, intent), state)
        }
        "refund.failed" => {
            let refund: Refund = serde_json::from_value(data.object)?;
            let reason = refund.failure_reason.unwrap_or_else(|| "no reason given".to_owned());
            let intent = refund.payment_intent.unwrap_or(refund.id);
            (of_charge(refund.metadata, intent), PaymentState::RefundFailed { reason })
        }
        _ => return Ok(None),
    };
    Ok(Some(PaymentEvent::new(id, order, state)))
}
