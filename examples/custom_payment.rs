//! A payment provider of one's own: students pay at a desk, whose till sends signed webhooks.
//!
//! ```sh
//! cargo run -p edupro-suite --example custom_payment
//! ```

use std::{error::Error, io::Write, sync::Arc};

use async_trait::async_trait;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use axum::http::Method;
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use edupro_core::{
    WebhookRequest,
    payment::{
        Begin, Money, OrderRef, PaymentError, PaymentEvent, PaymentProvider, PaymentState, Terms,
        orders::Order,
    },
};
use edupro_http::testkit::TestApp;
use serde_json::{Value, json};

/// What the till and the school both know.
#[derive(Debug)]
pub(crate) struct Desk(pub(crate) Key);

impl Desk {
    /// What the till says: this order was paid, with so much. It goes along with a signature.
    pub(crate) fn report(&self, order: &str, minor: i64) -> (String, String) {
        let body = json!({"receipt": format!("r-{order}"), "order": order, "minor": minor});
        let body = body.to_string();
        let signature = BASE64_STANDARD.encode(sign(&self.0, body.as_bytes()));
        (body, signature)
    }
}

fn read(body: &[u8]) -> Option<PaymentEvent> {
    let said: Value = serde_json::from_slice(body).ok()?;
    let (receipt, order) = (said["receipt"].as_str()?.to_owned(), said["order"].as_str()?);
    let amount = Money { minor: said["minor"].as_i64()?, currency: "EGP".parse().ok()? };
    let state = PaymentState::Paid { amount, charge: receipt.clone() };
    Some(PaymentEvent::new(receipt, OrderRef::Order(order.parse().ok()?), state))
}

#[async_trait]
impl PaymentProvider for Desk {
    fn name(&self) -> &'static str {
        "desk"
    }

    fn terms(&self) -> Option<Terms> {
        let page = "https://school.example/courses".to_owned();
        let currency = "EGP".parse().ok()?;
        Some(Terms { currency, success_url: page.clone(), cancel_url: page })
    }

    async fn begin(&self, order: &Order) -> Result<Begin, PaymentError> {
        // A slip to show at the desk. The same order has the same one, so nothing is kept here.
        let session = order.id.to_string();
        let url = format!("https://school.example/slips/{session}");
        Ok(Begin::Redirect { session, url, expires_at: None })
    }

    async fn webhook(
        &self,
        request: &WebhookRequest<'_>,
        _: DateTime<Utc>,
    ) -> Result<Vec<PaymentEvent>, PaymentError> {
        let rejected = |reason: &str| PaymentError::Rejected { reason: reason.to_owned() };
        let signature = BASE64_STANDARD.decode(request.header("x-signature").unwrap_or_default());
        // Compared in constant time, and before anything is read.
        let genuine = signature.is_ok_and(|it| verify(&self.0, request.body, &it).is_ok());
        let body = genuine.then_some(request.body).ok_or_else(|| rejected("a wrong signature"))?;
        Ok(vec![read(body).ok_or_else(|| rejected("no receipt"))?])
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let desk = Arc::new(Desk(Key::new(HMAC_SHA256, b"what only the till knows")));
    // A school to try things with; in yours it is `EduPro::builder(…).payment(…)`.
    let app = TestApp::builder().start_with(|school| school.payment(desk.clone())).await;
    let (mona, omar) = (app.teacher("mona").await, app.student("omar", "mona").await);
    let course = json!({"title": "Sound", "description": "What we hear", "price": "50"});
    let course = mona.post("/course/create/", course).await.json()["id"].take();
    let order = omar.post("/payments/checkout/", json!({"course_id": course})).await.json();
    let order = order["order_id"].as_str().ok_or("no order")?;

    let (body, signature) = desk.report(order, 5_000);
    let till = app.visitor().with_header("x-signature", &signature);
    till.send(Method::POST, "/payments/webhook/desk/", None, body.into()).await;
    let order = omar.get(&format!("/payments/orders/{order}")).await.json();
    Ok(writeln!(std::io::stdout(), "{}: {}", order["title"], order["status"])?)
}
