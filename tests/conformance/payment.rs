use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    Clock, Entropy, ManualClock, SystemEntropy, WebhookRequest,
    conformance::payment::{self, Hook, PaymentProbe},
    payment::{
        Begin, CouponEngine, Money, PaymentError, PaymentEvent, PaymentProvider, PaymentState,
        Stripe, StripeOptions, Terms, orders::Order,
    },
};

use crate::complaint;

#[path = "../support/stripe.rs"]
#[expect(dead_code, reason = "the stories of the API use the rest")]
mod stripe;

use stripe::{FakeStripe, KEY, SECRET};

fn clock() -> ManualClock {
    ManualClock::new(DateTime::from_timestamp(1_767_427_200, 0).unwrap())
}

fn stripe(url: &str) -> Stripe {
    let terms = Terms {
        currency: "EGP".parse().unwrap(),
        success_url: "https://school.example/paid".to_owned(),
        cancel_url: "https://school.example/courses".to_owned(),
    };
    let mut options = StripeOptions::new(KEY.into(), SECRET.into(), terms);
    url.clone_into(&mut options.base_url);
    // A crowd may keep a machine with two cores busy for a while.
    options.timeout = Duration::from_secs(10);
    Stripe::new(options).unwrap()
}

#[derive(Debug)]
struct Nobody;

impl PaymentProbe for Nobody {}

#[tokio::test]
async fn coupons() {
    payment::all(&CouponEngine, &Nobody, &clock()).await;
}

struct Dashboard(FakeStripe);

impl std::fmt::Debug for Dashboard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Dashboard")
    }
}

#[async_trait]
impl PaymentProbe for Dashboard {
    async fn pay(&self, order: &Order, _: &str) -> Option<Hook> {
        let session = self.0.pay(&order.id.to_string());
        let body = self.0.event("checkout.session.completed", &session);
        let headers = vec![("stripe-signature".to_owned(), self.0.sign(&body))];
        Some(Hook { headers, query: Vec::new(), body: body.into_bytes() })
    }

    fn unreachable(&self) -> Option<Arc<dyn PaymentProvider>> {
        Some(Arc::new(stripe("http://127.0.0.1:9")))
    }

    fn secrets(&self) -> Vec<String> {
        vec![KEY.to_owned(), SECRET.to_owned()]
    }
}

#[tokio::test]
async fn stripe_checkout() {
    let clock = clock();
    let fake = FakeStripe::start(clock.now().timestamp()).await;
    payment::all(&stripe(fake.url()), &Dashboard(fake.clone()), &clock).await;
}

/// A promise that is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    Name,
    Terms,
    Local,
    Forgets,
    Strangers,
    BelievesAll,
    BelievesSome,
    OtherAmount,
    NewEvents,
    PaidAtOnce,
    StaysOpen,
    Unpays,
    PaysTwice,
    PaysTooMuch,
    RejectsAbroad,
    Tells,
}

/// Stripe, but for one promise.
struct Liar(Stripe, Lie, AtomicUsize);

impl Liar {
    fn next(&self) -> usize {
        self.2.fetch_add(1, Ordering::SeqCst)
    }
}

impl std::fmt::Debug for Liar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.1 == Lie::Tells { KEY } else { "Liar" })
    }
}

#[async_trait]
impl PaymentProvider for Liar {
    fn name(&self) -> &'static str {
        if self.1 == Lie::Name { "Pay here" } else { self.0.name() }
    }

    fn terms(&self) -> Option<Terms> {
        self.0.terms().filter(|_| self.1 != Lie::Terms)
    }

    async fn begin(&self, order: &Order) -> Result<Begin, PaymentError> {
        match self.1 {
            Lie::Local => Ok(Begin::Local),
            Lie::Forgets => {
                let mut order = order.clone();
                order.id = SystemEntropy.uuid(order.created_at);
                self.0.begin(&order).await
            }
            _ => self.0.begin(order).await,
        }
    }

    async fn webhook(
        &self,
        request: &WebhookRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<PaymentEvent>, PaymentError> {
        let heard = self.0.webhook(request, now).await;
        match self.1 {
            Lie::BelievesAll => Ok(Vec::new()),
            // Somebody looked at the header, and not at what it proves.
            Lie::BelievesSome if heard.is_err() => {
                match !request.body.is_empty()
                    && request.header("stripe-signature").is_some_and(|it| it.len() > 80)
                {
                    true => Ok(Vec::new()),
                    false => heard,
                }
            }
            _ => heard.map(|events| events.into_iter().map(|event| self.bend(event)).collect()),
        }
    }

    async fn fetch(&self, session: &str) -> Result<PaymentState, PaymentError> {
        let state = self.0.fetch(session).await;
        match (self.1, state) {
            (Lie::PaidAtOnce, Ok(PaymentState::Open)) => Ok(PaymentState::Pending),
            (Lie::Strangers, Err(PaymentError::NotFound))
            | (Lie::StaysOpen, Ok(PaymentState::Expired))
            | (Lie::Unpays, Ok(PaymentState::Paid { .. })) => Ok(PaymentState::Open),
            (_, state) => state,
        }
    }

    async fn refund(&self, charge: &str, amount: Money, key: &str) -> Result<String, PaymentError> {
        match self.1 {
            Lie::PaysTwice => {
                let key = format!("{key}{}", self.next());
                self.0.refund(charge, amount, &key).await
            }
            Lie::PaysTooMuch => match self.0.refund(charge, amount, key).await {
                Err(PaymentError::Rejected { .. }) => Ok("re_0".to_owned()),
                done => done,
            },
            _ => self.0.refund(charge, amount, key).await,
        }
    }

    async fn cancel(&self, session: &str) -> Result<(), PaymentError> {
        self.0.cancel(session).await
    }
}

impl Liar {
    fn bend(&self, mut event: PaymentEvent) -> PaymentEvent {
        match (self.1, &mut event.state) {
            (Lie::OtherAmount, PaymentState::Paid { amount, .. }) => amount.minor += 1,
            (Lie::NewEvents, _) => event.id = format!("evt_{}", self.next()),
            _ => {}
        }
        event
    }
}

/// Stripe's dashboard, with whoever answers when Stripe cannot be reached.
#[derive(Debug)]
struct Behind(Dashboard, Lie);

#[async_trait]
impl PaymentProbe for Behind {
    async fn pay(&self, order: &Order, session: &str) -> Option<Hook> {
        self.0.pay(order, session).await
    }

    fn unreachable(&self) -> Option<Arc<dyn PaymentProvider>> {
        match self.1 {
            Lie::RejectsAbroad => Some(Arc::new(Abroad)),
            _ => self.0.unreachable(),
        }
    }

    fn secrets(&self) -> Vec<String> {
        self.0.secrets()
    }
}

/// Somebody who takes a broken line for a refusal.
#[derive(Debug)]
struct Abroad;

#[async_trait]
impl PaymentProvider for Abroad {
    fn name(&self) -> &'static str {
        "stripe"
    }

    async fn begin(&self, _: &Order) -> Result<Begin, PaymentError> {
        Err(PaymentError::Rejected { reason: "nobody is there".to_owned() })
    }
}

#[tokio::test]
async fn a_promise_that_is_not_kept_is_noticed() {
    for (lie, expected) in [
        (Lie::Name, "is no word"),
        (Lie::Terms, "there are no terms"),
        (Lie::Local, "there are terms"),
        (Lie::Forgets, "an order has two pages to pay on"),
        (Lie::Strangers, "is there"),
        (Lie::BelievesAll, "a webhook that proves nothing"),
        (Lie::BelievesSome, "is believed"),
        (Lie::OtherAmount, "another amount was paid"),
        (Lie::NewEvents, "a webhook that comes twice says something else"),
        (Lie::PaidAtOnce, "nobody has paid, and yet"),
        (Lie::StaysOpen, "a page that was closed"),
        (Lie::Unpays, "somebody has paid, and yet"),
        (Lie::PaysTwice, "the same key gives money back twice"),
        (Lie::PaysTooMuch, "more goes back than is left"),
        (Lie::RejectsAbroad, "would not be tried again"),
        (Lie::Tells, "a log would show a secret"),
    ] {
        let clock = clock();
        let fake = FakeStripe::start(clock.now().timestamp()).await;
        let liar = Liar(stripe(fake.url()), lie, AtomicUsize::new(1));
        let probe = Behind(Dashboard(fake), lie);
        let words = complaint(async move { payment::all(&liar, &probe, &clock).await }).await;
        assert!(words.contains(expected), "{lie:?}: {words}");
    }
}
