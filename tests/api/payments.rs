//! Checkout, orders and webhooks, which stand beside the contract: what is paid outside is in the
//! ledger once, whatever the network does.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use edupro_core::{
    accounts::User,
    enrollments::Prospect,
    payment::{PaymentError, Stripe, StripeOptions, Terms, orders},
    policies::{Policy, PolicyError},
};
use edupro_http::{
    Builder,
    testkit::{Answer, Browser, TestApp, TestBuilder},
};
use futures_util::future::join_all;
use insta::assert_snapshot;
use serde_json::{Value, json};

use self::stripe::{FakeStripe, Fault, KEY, SECRET, sign};
use crate::support::{UNKNOWN, course, module, on_both_engines};

#[path = "../support/stripe.rs"]
mod stripe;

const CHECKOUT: &str = "/payments/checkout/";
const COMPLETED: &str = "checkout.session.completed";
const EXPIRED: &str = "checkout.session.expired";
const REFUNDED: &str = "charge.refunded";

/// Lets nobody enrol once it is told so.
#[derive(Debug, Default)]
struct Closed(AtomicBool);

#[async_trait::async_trait]
impl Policy for Closed {
    async fn may_enroll(&self, _: &User, _: &Prospect) -> Result<(), PolicyError> {
        match self.0.load(Ordering::SeqCst) {
            true => Err(PolicyError::refused("The term is over.")),
            false => Ok(()),
        }
    }
}

/// A school that takes money, with a teacher, a student and a course of 50 pounds.
struct Shop {
    app: TestApp,
    stripe: FakeStripe,
    mona: Browser,
    omar: Browser,
    course: String,
}

async fn shop(school: TestBuilder) -> Shop {
    shop_with(school, Duration::from_secs(20)).await
}

async fn shop_with(school: TestBuilder, patience: Duration) -> Shop {
    open(school, patience, |builder| builder).await
}

async fn shop_under(school: TestBuilder, policy: Arc<dyn Policy>) -> Shop {
    open(school, Duration::from_secs(20), |builder| builder.policy(policy)).await
}

async fn open(
    school: TestBuilder,
    patience: Duration,
    change: impl FnOnce(Builder) -> Builder,
) -> Shop {
    let stripe = FakeStripe::start(0).await;
    let terms = Terms {
        currency: "EGP".parse().unwrap(),
        success_url: "https://school.example/paid?session={CHECKOUT_SESSION_ID}".to_owned(),
        cancel_url: "https://school.example/courses".to_owned(),
    };
    let mut options = StripeOptions::new(KEY.into(), "whsec_new".into(), terms);
    options.webhook_secrets.push(SECRET.into());
    options.base_url = stripe.url().to_owned();
    options.timeout = patience;
    let provider = Arc::new(Stripe::new(options).unwrap());
    let app = school.start_with(|builder| change(builder.payment(provider))).await;
    stripe.set_time(app.school().clock.now().timestamp());
    let mona = app.teacher("mona").await;
    let omar = app.student("omar", "mona").await;
    let course = course(&mona, json!({"price": "50"})).await;
    Shop { app, stripe, mona, omar, course }
}

impl Shop {
    async fn checkout(&self) -> Answer {
        self.omar.post(CHECKOUT, json!({"course_id": self.course})).await
    }

    /// Begins to pay for the course and returns the order.
    async fn order(&self) -> String {
        let answer = self.checkout().await;
        assert_eq!(answer.status(), 201, "{answer}");
        answer.json()["order_id"].as_str().unwrap().to_owned()
    }

    async fn show(&self, order: &str) -> Answer {
        self.omar.get(&format!("/payments/orders/{order}")).await
    }

    async fn status(&self, order: &str) -> Value {
        self.show(order).await.json()["status"].clone()
    }

    /// A webhook of these bytes with this signature.
    async fn send(&self, body: String, signature: &str) -> Answer {
        let browser = self.app.visitor().with_header("stripe-signature", signature);
        let content_type = Some("application/json; charset=utf-8");
        let path = "/payments/webhook/stripe/";
        browser.send(axum::http::Method::POST, path, content_type, body.into()).await
    }

    async fn deliver(&self, body: &str) {
        let answer = self.send(body.to_owned(), &self.stripe.sign(body)).await;
        assert_eq!(answer.status(), 200, "{answer}");
    }

    /// A new event arrives.
    async fn happens(&self, kind: &str, object: &Value) {
        self.deliver(&self.stripe.event(kind, object)).await;
    }

    /// Begins to pay, pays, and the event arrives.
    async fn buy(&self) -> String {
        let order = self.order().await;
        self.happens(COMPLETED, &self.stripe.pay(&order)).await;
        order
    }

    async fn coupon(&self, price: &str) -> String {
        let body = json!({"number_of_coupons": 1, "price": price});
        let made = self.mona.post("/coupon/create/", body).await;
        assert_eq!(made.status(), 201, "{made}");
        let coupons = made.json();
        let coupon = coupons.as_array().map_or(&coupons, |coupons| &coupons[0]);
        coupon["code"].as_str().unwrap().to_owned()
    }

    async fn redeem(&self) {
        let body = json!({"course_id": self.course, "coupon_code": self.coupon("50").await});
        let answer = self.omar.post("/course/course-enrollment/", body).await;
        assert_eq!(answer.status(), 201, "{answer}");
    }

    /// What the student's enrolment, the teacher's ledger and the course's totals say.
    async fn books(&self) -> (String, Value, Value, Value) {
        let mine = self.omar.get("/my-courses/").await.json();
        let status = mine.as_array().unwrap().first().map(|mine| mine["status"].to_string());
        let revenue = self.mona.get("/teacher/revenue/").await.json()["revenue"].clone();
        let path = format!("/course/private-deatils/{}", self.course);
        let course = self.mona.get(&path).await.json();
        let status = status.unwrap_or_default().trim_matches('"').to_owned();
        (status, revenue, course["total_revenue"].clone(), course["total_enrollments"].clone())
    }

    async fn assert_books(&self, status: &str, revenue: i64, enrollments: i64) {
        let total = json!(format!("{revenue}.00"));
        let expected = (status.to_owned(), json!(revenue), total, json!(enrollments));
        assert_eq!(self.books().await, expected);
    }

    /// Whether the student has the course now.
    async fn has_course(&self) -> bool {
        self.omar.get("/course/course-enrollment-list/").await.json()["count"] == 1
    }

    /// Time passes, and with it the sessions of those who are logged in.
    async fn pass(&self, time: TimeDelta) {
        self.app.clock().advance(time);
        self.stripe.set_time(self.app.school().clock.now().timestamp());
        self.omar.log_in_student("omar", "mona").await;
        self.mona.log_in_teacher("mona").await;
    }
}

on_both_engines! {
    /// Where to pay, and what speaks against it.
    async fn checkout(school) {
        let shop = shop(school).await;
        let Shop { app, mona, omar, .. } = &shop;
        assert_snapshot!("ok", shop.checkout().await);
        let again = shop.checkout().await;
        assert_eq!((again.json()["order_id"].clone(), shop.stripe.sessions()), (json!(shop.order().await), 1));
        let part = module(mona, &shop.course, json!({"price": "10"})).await;
        assert_snapshot!("module", omar.post(CHECKOUT, json!({"module_id": part})).await);
        assert_snapshot!("nothing", omar.post(CHECKOUT, json!({})).await);
        let both = json!({"course_id": shop.course, "module_id": part});
        assert_eq!(omar.post(CHECKOUT, both).await.status(), 400);
        assert_snapshot!("unknown", omar.post(CHECKOUT, json!({"course_id": UNKNOWN})).await);
        let free = course(mona, json!({"is_free": true})).await;
        assert_snapshot!("free", omar.post(CHECKOUT, json!({"course_id": free})).await);
        let draft = course(mona, json!({"price": "5", "is_published": false})).await;
        assert_snapshot!("draft", omar.post(CHECKOUT, json!({"course_id": draft})).await);
        let hana = app.teacher("hana").await;
        let hers = course(&hana, json!({"price": "5"})).await;
        assert_snapshot!("not_joined", omar.post(CHECKOUT, json!({"course_id": hers})).await);
        assert_snapshot!("a_teacher", mona.post(CHECKOUT, json!({"course_id": shop.course})).await);
        assert_snapshot!("nobody", app.visitor().post(CHECKOUT, json!({"course_id": shop.course})).await);
        shop.redeem().await;
        assert_snapshot!("has_it", shop.checkout().await);
    }

    /// With coupons alone there is nothing to check out and nobody to hear from.
    async fn coupons_only(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({"price": "50"})).await;
        assert_snapshot!("checkout", omar.post(CHECKOUT, json!({"course_id": id})).await);
        assert_eq!(app.visitor().post("/payments/webhook/stripe/", json!({})).await.status(), 404);
        assert_eq!(app.visitor().post("/payments/webhook/coupon/", json!({})).await.status(), 404);
        let path = format!("/payments/orders/{UNKNOWN}");
        assert_snapshot!("unknown_order", omar.get(&path).await);
    }

    /// From asking to learning; the same said again changes nothing.
    async fn paid(school) {
        let shop = shop(school).await;
        let order = shop.order().await;
        assert_snapshot!("open", shop.show(&order).await);
        shop.assert_books("", 0, 0).await;
        let session = shop.stripe.pay(&order);
        let event = shop.stripe.event(COMPLETED, &session);
        shop.deliver(&event).await;
        assert_snapshot!("paid", shop.show(&order).await);
        shop.assert_books("active", 50, 1).await;
        assert!(shop.has_course().await);
        shop.deliver(&event).await;
        shop.happens(COMPLETED, &session).await;
        shop.happens("checkout.session.async_payment_succeeded", &session).await;
        shop.happens(EXPIRED, &session).await;
        shop.assert_books("active", 50, 1).await;
        assert_eq!(shop.status(&order).await, "paid");
        let lina = shop.app.student("lina", "mona").await;
        assert_eq!(lina.get(&format!("/payments/orders/{order}")).await.status(), 404);
        assert_eq!(shop.mona.get("/coupon/used-coupons/").await.json(), json!([]));
    }

    /// A module is paid for by itself.
    async fn module_paid(school) {
        let shop = shop(school).await;
        let part = module(&shop.mona, &shop.course, json!({"price": "10"})).await;
        let begun = shop.omar.post(CHECKOUT, json!({"module_id": part})).await.json();
        let order = begun["order_id"].as_str().unwrap();
        shop.happens(COMPLETED, &shop.stripe.pay(order)).await;
        shop.assert_books("", 10, 0).await;
        let lessons = async || shop.omar.get(&format!("/modules/{part}/lessons/")).await.status();
        assert_eq!(lessons().await, 200);
        let again = shop.omar.post(CHECKOUT, json!({"module_id": part})).await;
        assert_eq!(again.json(), json!({"student": ["Student already enrolled in this module"]}));
        shop.happens(REFUNDED, &shop.stripe.give_back(order, 1_000)).await;
        shop.assert_books("", 0, 0).await;
        assert_eq!(lessons().await, 403);
    }

    /// A method that takes days, and one that fails in the end.
    async fn delayed(school) {
        let shop = shop(school).await;
        let order = shop.order().await;
        let paid = shop.stripe.pay(&order);
        let mut unpaid = paid.clone();
        unpaid["payment_status"] = "unpaid".into();
        let other = shop.stripe.session(&order);
        shop.happens(COMPLETED, &unpaid).await;
        assert_snapshot!("underway", shop.checkout().await);
        shop.happens("checkout.session.async_payment_failed", &unpaid).await;
        assert_eq!(shop.status(&order).await, "failed");
        assert_ne!(shop.order().await, order);
        // It was paid after all.
        shop.happens("checkout.session.async_payment_succeeded", &other).await;
        assert_eq!(shop.status(&order).await, "paid");
        shop.assert_books("active", 50, 1).await;
    }

    /// Events in an order that never was.
    async fn out_of_order(school) {
        let shop = shop(school).await;
        let order = shop.order().await;
        let session = shop.stripe.pay(&order);
        let part = shop.stripe.give_back(&order, 2_000);
        let all = shop.stripe.give_back(&order, 3_000);
        shop.happens(EXPIRED, &session).await;
        assert_eq!(shop.status(&order).await, "expired");
        shop.happens(REFUNDED, &all).await;
        shop.assert_books("cancelled", 0, 1).await;
        shop.happens(COMPLETED, &session).await;
        shop.happens(REFUNDED, &part).await;
        shop.assert_books("cancelled", 0, 1).await;
        assert_eq!(shop.status(&order).await, "refunded");
        assert!(!shop.has_course().await);
        // The student may buy it again, and gets the same enrolment back.
        shop.buy().await;
        shop.assert_books("active", 50, 1).await;
    }

    /// What is not Stripe's, not ours, or not what was asked for.
    async fn forged(school) {
        let shop = shop(school).await;
        let order = shop.order().await;
        let session = shop.stripe.pay(&order);
        let body = shop.stripe.event(COMPLETED, &session);
        let now = shop.app.school().clock.now().timestamp();
        assert_snapshot!("wrong_signature", shop.send(body.clone(), &sign("whsec_other", now, &body)).await);
        assert_eq!(shop.send(body.clone(), "").await.status(), 400);
        for time in [now - 301, now + 301] {
            assert_eq!(shop.send(body.clone(), &sign(SECRET, time, &body)).await.status(), 400);
        }
        let changed = body.replace("5000", "5001");
        assert_eq!(shop.send(changed, &shop.stripe.sign(&body)).await.status(), 400);
        let no_json = "{\"id\":";
        assert_eq!(shop.send(no_json.to_owned(), &shop.stripe.sign(no_json)).await.status(), 400);
        shop.deliver(&body.replace("\"livemode\":false", "\"livemode\":true")).await;
        shop.happens("customer.created", &json!({"id": "cus_1"})).await;
        for (field, value) in [("client_reference_id", json!(UNKNOWN)), ("client_reference_id", json!("else"))] {
            let mut other = session.clone();
            (other[field], other["id"]) = (value, "cs_test_unknown".into());
            shop.happens(COMPLETED, &other).await;
        }
        shop.happens(REFUNDED, &json!({
            "id": "ch_1", "amount": 1, "amount_refunded": 1, "currency": "egp", "metadata": {"order": "else"},
        })).await;
        assert_eq!(shop.status(&order).await, "paid", "the provider was asked");
        shop.assert_books("active", 50, 1).await;
    }

    /// Another amount or currency enrols nobody.
    async fn another_amount(school) {
        let shop = shop(school).await;
        let order = shop.order().await;
        let session = shop.stripe.pay(&order);
        for (field, value) in [("amount_total", json!(4_999)), ("currency", json!("usd"))] {
            let mut other = session.clone();
            other[field] = value;
            shop.happens(COMPLETED, &other).await;
            assert_eq!(shop.status(&order).await, "failed");
            shop.assert_books("", 0, 0).await;
        }
        shop.happens(COMPLETED, &session).await;
        shop.assert_books("active", 50, 1).await;
    }

    /// What was paid and what went back is announced, once.
    async fn announced(school) {
        let shop = shop(school.hear_events()).await;
        let told = async || {
            let events: Vec<Value> = shop.app.events().await.iter().map(|told| json!(told)).collect();
            serde_json::to_string_pretty(&events).unwrap()
        };
        shop.app.events().await;
        let order = shop.buy().await;
        assert_snapshot!("told_paid", told().await);
        shop.happens(COMPLETED, &shop.stripe.session(&order)).await;
        let part = shop.stripe.give_back(&order, 2_000);
        shop.happens(REFUNDED, &part).await;
        assert_snapshot!("told_part", told().await);
        shop.happens(REFUNDED, &part).await;
        assert_eq!(told().await, "[]");
        shop.happens(REFUNDED, &shop.stripe.give_back(&order, 3_000)).await;
        assert_snapshot!("told_all", told().await);
        // What is paid twice has to go back.
        let order = shop.order().await;
        shop.redeem().await;
        shop.app.events().await;
        shop.happens(COMPLETED, &shop.stripe.pay(&order)).await;
        assert_snapshot!("told_unneeded", told().await);
    }

    /// A policy is asked before there is an order, and not when it was paid.
    async fn forbidden(school) {
        let policy = Arc::new(Closed::default());
        let given = Arc::<Closed>::clone(&policy);
        let shop = shop_under(school, given).await;
        let order = shop.order().await;
        policy.0.store(true, Ordering::SeqCst);
        assert_snapshot!("forbidden", shop.checkout().await);
        assert_eq!(shop.stripe.sessions(), 1);
        shop.happens(COMPLETED, &shop.stripe.pay(&order)).await;
        shop.assert_books("active", 50, 1).await;
    }

    /// What is given back is taken from the ledger; when all of it is, access goes too.
    async fn refunds(school) {
        let shop = shop(school).await;
        let order = shop.buy().await;
        let part = shop.stripe.give_back(&order, 2_000);
        shop.happens(REFUNDED, &part).await;
        shop.happens(REFUNDED, &part).await;
        shop.assert_books("active", 30, 1).await;
        assert!(shop.has_course().await);
        let refund = json!({"id": "re_9", "payment_intent": part["payment_intent"], "failure_reason": "lost_or_stolen_card"});
        shop.happens("refund.failed", &refund).await;
        shop.assert_books("active", 30, 1).await;
        // The operator gives the rest back, once however often it is asked for.
        let id = order.parse().unwrap();
        let first = orders::refund(shop.app.school(), id).await.unwrap();
        assert_eq!(orders::refund(shop.app.school(), id).await.unwrap(), first);
        shop.assert_books("active", 30, 1).await;
        shop.happens(REFUNDED, &shop.stripe.charge(&order)).await;
        shop.assert_books("cancelled", 0, 1).await;
        assert!(!shop.has_course().await);
        assert_snapshot!("order", shop.show(&order).await);
        assert!(matches!(orders::refund(shop.app.school(), id).await, Err(orders::OrderError::NotPaid)));
    }

    /// A coupon that was redeemed while the payment was on its way gives the access; the payment is
    /// not needed, earns nothing, and takes nothing along when it goes back.
    async fn coupon_meanwhile(school) {
        let shop = shop(school).await;
        let order = shop.order().await;
        shop.redeem().await;
        shop.happens(COMPLETED, &shop.stripe.pay(&order)).await;
        assert_eq!(shop.status(&order).await, "paid_unneeded");
        shop.assert_books("active", 50, 1).await;
        shop.happens(REFUNDED, &shop.stripe.give_back(&order, 5_000)).await;
        assert_eq!(shop.status(&order).await, "refunded");
        shop.assert_books("active", 50, 1).await;
        assert!(shop.has_course().await);
    }

    /// A refund leaves an enrolment that a coupon has given since.
    async fn coupon_afterwards(school) {
        let shop = shop(school).await;
        let order = shop.buy().await;
        let left = shop.omar.delete(&format!("/course/course-enrollment-delete/{}/", shop.course)).await;
        assert_eq!(left.status(), 204);
        shop.pass(TimeDelta::minutes(1)).await;
        shop.redeem().await;
        shop.assert_books("active", 100, 1).await;
        shop.happens(REFUNDED, &shop.stripe.give_back(&order, 5_000)).await;
        shop.assert_books("active", 50, 1).await;
        assert!(shop.has_course().await);
    }

    /// An enrolment that has ended is paid for again, and an old refund does not touch it.
    async fn renewal(school) {
        let shop = shop(school).await;
        let first = shop.buy().await;
        shop.pass(TimeDelta::days(31)).await;
        assert!(!shop.has_course().await);
        shop.buy().await;
        shop.assert_books("active", 100, 1).await;
        shop.happens(REFUNDED, &shop.stripe.give_back(&first, 5_000)).await;
        shop.assert_books("active", 50, 1).await;
        assert!(shop.has_course().await);
    }

    /// An answer that is lost was given all the same: the next try gets it.
    async fn timeout(school) {
        let shop = shop_with(school, Duration::from_secs(2)).await;
        shop.stripe.fail(Fault::Silent);
        assert_snapshot!("late", shop.checkout().await);
        assert_eq!(shop.stripe.sessions(), 1);
        shop.pass(TimeDelta::minutes(10)).await;
        let order = shop.order().await;
        assert_eq!(shop.stripe.sessions(), 1);
        shop.happens(COMPLETED, &shop.stripe.pay(&order)).await;
        shop.assert_books("active", 50, 1).await;
    }

    /// A failure that Stripe keeps with the key is left behind with the order.
    async fn broken(school) {
        let shop = shop(school).await;
        shop.stripe.fail(Fault::Busy);
        assert_snapshot!("busy", shop.checkout().await);
        shop.stripe.fail(Fault::Broken);
        assert_snapshot!("broken", shop.checkout().await);
        assert_eq!(shop.stripe.sessions(), 0);
        shop.order().await;
        assert_eq!(shop.stripe.sessions(), 1);
    }

    /// A refusal ends the order, and nobody is told what Stripe said.
    async fn refused(school) {
        let shop = shop(school).await;
        shop.stripe.fail(Fault::Refused);
        assert_snapshot!("refused", shop.checkout().await);
        shop.order().await;
        assert_eq!(shop.stripe.sessions(), 1);
    }

    /// A page that was closed is paid on by nobody.
    async fn cancelled(school) {
        let shop = shop(school).await;
        let order = shop.order().await;
        let payment = &shop.app.school().payment;
        payment.cancel("cs_test_1").await.unwrap();
        assert!(matches!(payment.cancel("cs_test_1").await, Err(PaymentError::Rejected { .. })));
        assert!(matches!(payment.cancel("cs_test_2").await, Err(PaymentError::NotFound)));
        assert!(matches!(payment.cancel("../refunds").await, Err(PaymentError::NotFound)));
        assert_eq!(shop.status(&order).await, "expired");
        assert_ne!(shop.order().await, order);
    }

    /// What nobody pays in time ends, and the next order has the price of its day.
    async fn in_time(school) {
        let shop = shop(school).await;
        let first = shop.order().await;
        let changed = shop.mona.patch(&format!("/course/update/{}", shop.course), json!({"price": "60"})).await;
        assert_eq!(changed.status(), 200, "{changed}");
        assert_eq!(shop.order().await, first, "the price holds as long as the order");
        shop.pass(TimeDelta::hours(2)).await;
        let second = shop.order().await;
        assert_eq!(shop.status(&first).await, "expired");
        assert_eq!(shop.stripe.session(&second)["amount_total"], 6_000);
    }

    /// No webhook comes: the student who is back, or the clock, has Stripe asked.
    async fn asked(school) {
        let shop = shop(school).await;
        let order = shop.order().await;
        assert_eq!(shop.status(&order).await, "open");
        let session = shop.stripe.pay(&order);
        assert_eq!(shop.status(&order).await, "open", "it was asked a moment ago");
        shop.pass(TimeDelta::seconds(5)).await;
        assert_eq!(shop.status(&order).await, "paid");
        shop.happens(COMPLETED, &session).await;
        shop.assert_books("active", 50, 1).await;
        let part = module(&shop.mona, &course(&shop.mona, json!({"price": "9"})).await, json!({"price": "4"})).await;
        let begun = shop.omar.post(CHECKOUT, json!({"module_id": part})).await.json();
        shop.stripe.pay(begun["order_id"].as_str().unwrap());
        shop.pass(TimeDelta::minutes(14)).await;
        orders::reconcile(shop.app.school()).await.unwrap();
        assert_eq!(shop.books().await.1, 50);
        shop.pass(TimeDelta::minutes(1)).await;
        orders::reconcile(shop.app.school()).await.unwrap();
        assert_eq!(shop.books().await.1, 54);
    }

    /// Eight clicks at once make one order and one session.
    async fn clicks_at_once(school) {
        let shop = Arc::new(shop(school).await);
        let clicks = (0..8).map(|_| {
            let shop = Arc::clone(&shop);
            tokio::spawn(async move { shop.order().await })
        });
        let orders: HashSet<_> = join_all(clicks).await.into_iter().map(Result::unwrap).collect();
        assert_eq!((orders.len(), shop.stripe.sessions()), (1, 1));
    }

    /// A coupon and a webhook at once: one of them gives the access, and the ledger has it once.
    async fn coupon_at_once(school) {
        let shop = shop(school).await;
        let code = shop.coupon("50").await;
        let order = shop.order().await;
        let event = shop.stripe.event(COMPLETED, &shop.stripe.pay(&order));
        let body = json!({"course_id": shop.course, "coupon_code": code});
        let redeem = shop.omar.post("/course/course-enrollment/", body);
        let (redeemed, ()) = futures_util::join!(redeem, shop.deliver(&event));
        let status = shop.status(&order).await;
        match redeemed.status() {
            201 => assert_eq!(status, "paid_unneeded"),
            other => assert_eq!((other, status), (400, json!("paid")), "{redeemed}"),
        }
        shop.assert_books("active", 50, 1).await;
    }

    /// Sixteen webhooks at once, half of them the same one, settle once.
    async fn at_once(school) {
        let shop = Arc::new(shop(school).await);
        let order = shop.order().await;
        let session = shop.stripe.pay(&order);
        let same = shop.stripe.event(COMPLETED, &session);
        let tasks = (0..16).map(|number| {
            let shop = Arc::clone(&shop);
            let event = if number % 2 == 0 { same.clone() } else { shop.stripe.event(COMPLETED, &session) };
            tokio::spawn(async move { shop.deliver(&event).await })
        });
        for done in join_all(tasks).await {
            done.unwrap();
        }
        shop.assert_books("active", 50, 1).await;
        assert_eq!(shop.status(&order).await, "paid");
    }
}
