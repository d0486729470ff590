//! Stripe's HTTP API as far as EduPro uses it, on the loopback: sessions, refunds, idempotency with
//! replays, signed events, and whatever can go wrong on the way.

// Clippy then knows that the helpers here are tests too.
#![cfg(test)]

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use aws_lc_rs::hmac;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use edupro_core::entropy::hex;
use serde_json::{Value, json};

/// The key that the fake takes.
pub(crate) const KEY: &str = "sk_test_fake";
/// What it signs with.
pub(crate) const SECRET: &str = "whsec_test";

/// What happens to the next request instead of what should.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It fails, and the failure is kept with the key.
    Broken,
    /// It is not even looked at.
    Busy,
    /// It is refused, and the refusal is kept with the key.
    Refused,
    /// It is done, and the answer does not arrive in time.
    Silent,
}

/// What was answered to a key.
struct Kept {
    parameters: Vec<(String, String)>,
    status: StatusCode,
    body: Value,
}

#[derive(Default)]
struct Books {
    now: i64,
    made: u32,
    events: u32,
    faults: VecDeque<Fault>,
    kept: BTreeMap<String, Kept>,
    sessions: BTreeMap<String, Value>,
    /// By payment intent.
    charges: BTreeMap<String, Value>,
}

/// A Stripe of a test's own.
#[derive(Clone)]
pub(crate) struct FakeStripe {
    url: String,
    books: Arc<Mutex<Books>>,
}

type Shared = State<Arc<Mutex<Books>>>;

impl FakeStripe {
    /// A Stripe whose clock shows `now`.
    pub(crate) async fn start(now: i64) -> Self {
        let books = Arc::new(Mutex::new(Books { now, ..Books::default() }));
        let router = Router::new()
            .route("/v1/checkout/sessions", post(create))
            .route("/v1/checkout/sessions/{id}", get(show))
            .route("/v1/checkout/sessions/{id}/expire", post(expire))
            .route("/v1/refunds", post(refund))
            .layer(middleware::from_fn(authenticate))
            .with_state(Arc::clone(&books));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // It ends with the runtime of its test.
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, books }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// Moves the clock.
    pub(crate) fn set_time(&self, now: i64) {
        self.books().now = now;
    }

    /// Has the next request go wrong.
    pub(crate) fn fail(&self, fault: Fault) {
        self.books().faults.push_back(fault);
    }

    /// How many sessions there are.
    pub(crate) fn sessions(&self) -> usize {
        self.books().sessions.len()
    }

    /// The session of an order.
    pub(crate) fn session(&self, order: &str) -> Value {
        let books = self.books();
        let mut sessions = books.sessions.values();
        sessions.find(|session| session["client_reference_id"] == order).unwrap().clone()
    }

    /// Somebody pays on Stripe's page; nobody is told yet.
    pub(crate) fn pay(&self, order: &str) -> Value {
        let id = self.session(order)["id"].as_str().unwrap().to_owned();
        let mut books = self.books();
        let session = books.sessions.get_mut(&id).unwrap();
        assert_eq!(session["status"], "open");
        let intent = id.replace("cs_test_", "pi_");
        session["status"] = "complete".into();
        session["payment_status"] = "paid".into();
        session["payment_intent"] = intent.as_str().into();
        session["url"] = Value::Null;
        let session = session.clone();
        books.charges.insert(
            intent.clone(),
            json!({
                "id": id.replace("cs_test_", "ch_"), "object": "charge", "payment_intent": intent,
                "amount": session["amount_total"], "amount_refunded": 0, "refunded": false,
                "currency": session["currency"], "metadata": session["metadata"],
            }),
        );
        session
    }

    /// The charge of an order, as it is now.
    pub(crate) fn charge(&self, order: &str) -> Value {
        let intent = self.session(order)["payment_intent"].as_str().unwrap().to_owned();
        self.books().charges[&intent].clone()
    }

    /// Gives back so much of an order, as somebody does in the dashboard.
    pub(crate) fn give_back(&self, order: &str, amount: i64) -> Value {
        let intent = self.session(order)["payment_intent"].as_str().unwrap().to_owned();
        give_back(self.books().charges.get_mut(&intent).unwrap(), amount).unwrap();
        self.charge(order)
    }

    /// A new event about an object.
    pub(crate) fn event(&self, kind: &str, object: &Value) -> String {
        let mut books = self.books();
        books.events += 1;
        json!({
            "id": format!("evt_{}", books.events), "object": "event", "type": kind,
            "created": books.now, "livemode": false, "data": {"object": object},
        })
        .to_string()
    }

    /// The signature of a body at this moment.
    pub(crate) fn sign(&self, body: &str) -> String {
        sign(SECRET, self.books().now, body)
    }
}

/// A signature as Stripe writes it, with one of an older scheme beside it.
pub(crate) fn sign(secret: &str, time: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&key, format!("{time}.{body}").as_bytes());
    format!("t={time},v1={},v0=6ffbb59b2300aae63f272406069a9788", hex(signature.as_ref()))
}

fn refused(status: StatusCode, kind: &str, param: &str) -> (StatusCode, Value) {
    (status, json!({"error": {"type": kind, "param": param, "message": "Refused."}}))
}

async fn authenticate(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let has = |name: &str, value: &str| headers.get(name).is_some_and(|header| header == value);
    if !has("authorization", &format!("Bearer {KEY}")) {
        let (status, body) = refused(StatusCode::UNAUTHORIZED, "invalid_request_error", "");
        return (status, Json(body)).into_response();
    }
    assert!(headers.contains_key("stripe-version"), "the version is pinned");
    assert!(headers["user-agent"].to_str().unwrap().starts_with("edupro/"));
    next.run(request).await
}

/// Does a piece of work once for each key, as Stripe does.
async fn once(
    books: &Mutex<Books>,
    headers: &HeaderMap,
    body: &[u8],
    work: impl FnOnce(&mut Books, &BTreeMap<String, String>) -> (StatusCode, Value),
) -> Response {
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    let parameters: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    assert!(key.len() <= 255, "{key}");
    let (response, fault) = {
        let mut books = books.lock().unwrap();
        let fault = books.faults.pop_front();
        if matches!(fault, Some(Fault::Busy)) {
            let (status, body) = refused(StatusCode::TOO_MANY_REQUESTS, "api_error", "");
            return (status, [("retry-after", "7")], Json(body)).into_response();
        }
        let response = if let Some(kept) = books.kept.get(&key) {
            if kept.parameters != parameters {
                let (status, body) = refused(StatusCode::BAD_REQUEST, "idempotency_error", "");
                return (status, Json(body)).into_response();
            }
            let body = Json(kept.body.clone());
            (kept.status, [("idempotent-replayed", "true")], body).into_response()
        } else {
            let (status, body) = match fault {
                Some(Fault::Broken) => refused(StatusCode::INTERNAL_SERVER_ERROR, "api_error", ""),
                Some(Fault::Refused) => {
                    refused(StatusCode::BAD_REQUEST, "invalid_request_error", "customer_email")
                }
                _ => work(&mut books, &parameters.iter().cloned().collect()),
            };
            books.kept.insert(key, Kept { parameters, status, body: body.clone() });
            (status, Json(body)).into_response()
        };
        (response, fault)
    };
    if matches!(fault, Some(Fault::Silent)) {
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    response
}

async fn create(State(books): Shared, headers: HeaderMap, body: Bytes) -> Response {
    once(&books, &headers, &body, |books, form| {
        let missing = [
            "success_url",
            "line_items[0][quantity]",
            "line_items[0][price_data][product_data][name]",
            "payment_intent_data[metadata][order]",
        ];
        let missing = missing.into_iter().find(|name| form.get(*name).is_none_or(String::is_empty));
        if let Some(name) = missing {
            return refused(StatusCode::BAD_REQUEST, "invalid_request_error", name);
        }
        let number = |name: &str| form[name].parse::<i64>().unwrap();
        let lasts = number("expires_at") - books.now;
        if !(1_800..=86_400).contains(&lasts) || form["mode"] != "payment" {
            return refused(StatusCode::BAD_REQUEST, "invalid_request_error", "expires_at");
        }
        books.made += 1;
        let id = format!("cs_test_{}", books.made);
        let session = json!({
            "id": id, "object": "checkout.session", "mode": "payment", "status": "open",
            "payment_status": "unpaid", "livemode": false, "payment_intent": null,
            "url": format!("https://checkout.stripe.example/c/pay/{id}#fid"),
            "client_reference_id": form["client_reference_id"],
            "amount_total": number("line_items[0][price_data][unit_amount]"),
            "currency": form["line_items[0][price_data][currency]"],
            "customer_email": form["customer_email"],
            "expires_at": number("expires_at"),
            "metadata": {"order": form["metadata[order]"]},
        });
        books.sessions.insert(id, session.clone());
        (StatusCode::OK, session)
    })
    .await
}

async fn show(State(books): Shared, Path(id): Path<String>) -> Response {
    match books.lock().unwrap().sessions.get(&id) {
        Some(session) => Json(session.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn expire(State(books): Shared, Path(id): Path<String>) -> Response {
    let mut books = books.lock().unwrap();
    let Some(session) = books.sessions.get_mut(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if session["status"] != "open" {
        let (status, body) = refused(StatusCode::BAD_REQUEST, "invalid_request_error", "session");
        return (status, Json(body)).into_response();
    }
    session["status"] = "expired".into();
    session["url"] = Value::Null;
    Json(session.clone()).into_response()
}

/// Raises what went back of a charge, but not above what was paid.
fn give_back(charge: &mut Value, amount: i64) -> Option<()> {
    let total = charge["amount_refunded"].as_i64()? + amount;
    let paid = charge["amount"].as_i64()?;
    (total <= paid).then(|| {
        charge["amount_refunded"] = total.into();
        charge["refunded"] = (total == paid).into();
    })
}

async fn refund(State(books): Shared, headers: HeaderMap, body: Bytes) -> Response {
    once(&books, &headers, &body, |books, form| {
        let intent = &form["payment_intent"];
        let Some(charge) = books.charges.get_mut(intent) else {
            return refused(StatusCode::NOT_FOUND, "invalid_request_error", "payment_intent");
        };
        let amount: i64 = form["amount"].parse().unwrap();
        if give_back(charge, amount).is_none() {
            return refused(StatusCode::BAD_REQUEST, "invalid_request_error", "amount");
        }
        books.made += 1;
        let refund = json!({
            "id": format!("re_{}", books.made), "object": "refund", "status": "succeeded",
            "amount": amount, "payment_intent": intent,
        });
        (StatusCode::OK, refund)
    })
    .await
}
