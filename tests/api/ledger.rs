//! Histories of a shop, whatever happens in them, compared with a model of it.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use chrono::TimeDelta;
use edupro_core::{
    jobs,
    payment::{
        Begin, Money, OrderRef, PaymentError, PaymentEvent, PaymentProvider, PaymentState, Terms,
        orders::{self, Order},
    },
};
use edupro_http::testkit::{Answer, Browser, TestApp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    histories,
    support::{coupon, course, on_postgres, on_sqlite, redeem},
};

const STUDENTS: usize = 3;
const COURSES: usize = 3;
/// Hours that an enrolment and a coupon last.
const LIFETIME: i64 = 30 * 24;

/// Something that happens. Numbers choose among what is there.
#[derive(Clone, Debug)]
enum Act {
    Print { dear: bool },
    Allow { coupon: usize, uses: i64 },
    Reprice { coupon: usize, dear: bool },
    SwitchOn { coupon: usize, on: bool },
    Limit { coupon: usize, limited: bool },
    Renew { coupon: usize },
    Withdraw { coupon: usize },
    Redeem { student: usize, course: usize, coupon: usize },
    Buy { student: usize, course: usize },
    Refund { order: usize },
    GiveUp { student: usize, course: usize },
    Block { student: usize },
    Remove { student: usize },
    Join { student: usize },
    Wait { hours: i64 },
}

fn act() -> impl Strategy<Value = Act> {
    let coupon = any::<usize>;
    let (student, course) = (|| 0..STUDENTS, || 0..COURSES);
    prop_oneof![
        3 => any::<bool>().prop_map(|dear| Act::Print { dear }),
        4 => (coupon(), 1..5_i64).prop_map(|(coupon, uses)| Act::Allow { coupon, uses }),
        1 => (coupon(), any::<bool>()).prop_map(|(coupon, dear)| Act::Reprice { coupon, dear }),
        1 => (coupon(), any::<bool>()).prop_map(|(coupon, on)| Act::SwitchOn { coupon, on }),
        1 => (coupon(), any::<bool>()).prop_map(|(coupon, limited)| Act::Limit { coupon, limited }),
        1 => coupon().prop_map(|coupon| Act::Renew { coupon }),
        1 => coupon().prop_map(|coupon| Act::Withdraw { coupon }),
        12 => (student(), course(), coupon())
            .prop_map(|(student, course, coupon)| Act::Redeem { student, course, coupon }),
        4 => (student(), course()).prop_map(|(student, course)| Act::Buy { student, course }),
        2 => any::<usize>().prop_map(|order| Act::Refund { order }),
        2 => (student(), course()).prop_map(|(student, course)| Act::GiveUp { student, course }),
        1 => student().prop_map(|student| Act::Block { student }),
        1 => student().prop_map(|student| Act::Remove { student }),
        2 => student().prop_map(|student| Act::Join { student }),
        2 => (1..LIFETIME).prop_map(|hours| Act::Wait { hours }),
    ]
}

#[derive(Clone, Debug)]
struct CouponModel {
    price: i64,
    max_uses: i64,
    used_by: HashSet<usize>,
    uses: i64,
    ends: i64,
    on: bool,
    limited: bool,
    withdrawn: bool,
}

/// Something that was paid, with a coupon or at the till.
#[derive(Clone, Debug)]
struct SaleModel {
    student: usize,
    course: usize,
    price: i64,
    at: i64,
    by_coupon: bool,
    went_back: bool,
}

/// What a shop is, in so many words.
#[derive(Debug, Default)]
struct Model {
    now: i64,
    coupons: Vec<CouponModel>,
    /// `Some(false)` is blocked.
    relations: [Option<bool>; STUDENTS],
    /// When each student's enrolment in each course ends.
    enrollments: [[Option<i64>; COURSES]; STUDENTS],
    sales: Vec<SaleModel>,
}

/// What each course costs.
const PRICES: [i64; COURSES] = [50, 80, 50];

impl Model {
    /// What speaks against enrolling, whoever pays.
    fn refusal(&self, student: usize, course: usize) -> &'static str {
        match self.relations[student] {
            None => "You are not a student of this teacher.",
            Some(false) => "You are blocked by the teacher.",
            Some(true) if self.has(student, course) => {
                "Student already has full access to this course"
            }
            Some(true) => "",
        }
    }

    fn has(&self, student: usize, course: usize) -> bool {
        self.enrollments[student][course].is_some_and(|ends| ends > self.now)
    }

    /// The whole of the rule: who is let in for which coupon, and what is said to the others.
    fn redeem(&mut self, student: usize, course: usize, coupon: usize) -> &'static str {
        let refusal = self.refusal(student, course);
        let now = self.now;
        let coupon = &mut self.coupons[coupon];
        match () {
            () if !refusal.is_empty() => refusal,
            () if coupon.withdrawn => "Invalid coupon code",
            () if coupon.ends <= now => "Coupon has expired",
            () if coupon.uses >= coupon.max_uses => "Coupon has reached its maximum uses",
            () if !coupon.on => "Coupon is not active",
            () if coupon.limited => "Coupon status does not allow enrollment",
            () if coupon.price != PRICES[course] => "Coupon is not valid for this course",
            () if !coupon.used_by.insert(student) => "You have already used this coupon",
            () => {
                coupon.uses += 1;
                coupon.on = coupon.uses < coupon.max_uses;
                self.sell(student, course, true);
                ""
            }
        }
    }

    fn sell(&mut self, student: usize, course: usize, by_coupon: bool) {
        let at = self.now;
        self.enrollments[student][course] = Some(at + LIFETIME);
        let price = PRICES[course];
        self.sales.push(SaleModel { student, course, price, at, by_coupon, went_back: false });
    }

    /// Money goes back, and what it gave ends, unless another payment gave the same.
    fn refund(&mut self, sale: usize) {
        self.sales[sale].went_back = true;
        let SaleModel { student, course, .. } = self.sales[sale];
        let is_covered = self.sales.iter().any(|other| {
            let is_alike = other.student == student && other.course == course;
            is_alike && !other.went_back && other.at > self.now - LIFETIME
        });
        if let Some(ends) = &mut self.enrollments[student][course]
            && !is_covered
        {
            *ends = self.now.min(*ends);
        }
    }

    fn revenue(&self) -> i64 {
        self.sales.iter().filter(|sale| !sale.went_back).map(|sale| sale.price).sum()
    }
}

/// A provider outside, at which everybody pays at once.
#[derive(Debug)]
struct Till;

#[async_trait]
impl PaymentProvider for Till {
    fn name(&self) -> &'static str {
        "till"
    }

    fn terms(&self) -> Option<Terms> {
        let (success_url, cancel_url) =
            ("https://paid.example".into(), "https://left.example".into());
        Some(Terms { currency: "EGP".parse().unwrap(), success_url, cancel_url })
    }

    async fn begin(&self, order: &Order) -> Result<Begin, PaymentError> {
        let session = order.id.to_string();
        Ok(Begin::Redirect { session, url: "https://till.example".into(), expires_at: None })
    }
}

/// The school itself, with what a model does not need.
struct Shop<'a> {
    app: &'a TestApp,
    mona: Browser,
    students: Vec<Browser>,
    courses: Vec<String>,
    coupons: Vec<(i64, String)>,
    /// Orders at the till, and which sale each was.
    orders: Vec<(Value, usize)>,
    model: Model,
}

impl<'a> Shop<'a> {
    /// Another shop of the same school: a new teacher with the same students.
    async fn open(app: &'a TestApp, number: usize) -> Self {
        let mona = app.teacher(&format!("mona{number}")).await;
        let mut courses = Vec::new();
        for price in PRICES {
            courses.push(course(&mona, json!({"price": price})).await);
        }
        let mut students = Vec::new();
        for student in 0..STUDENTS {
            let name = format!("student{number}x{student}");
            let browser = app.student(&name, "open").await;
            let joined = browser.post(&format!("/join-teacher/mona{number}/"), json!({})).await;
            assert_eq!(joined.status(), 201, "{joined}");
            students.push(browser);
        }
        let model = Model { relations: [Some(true); STUDENTS], ..Model::default() };
        Self { app, mona, students, courses, coupons: Vec::new(), orders: Vec::new(), model }
    }

    async fn update(&self, coupon: usize, body: Value) -> Answer {
        self.mona.patch(&format!("/coupon/update/{}", self.coupons[coupon].0), body).await
    }

    /// Does it in the school and in the model, which have to answer alike.
    #[expect(clippy::too_many_lines, reason = "one arm for each thing that can happen")]
    async fn carry_out(&mut self, number: usize, act: &Act) {
        let some = |which: usize| which.checked_rem(self.coupons.len());
        match *act {
            Act::Print { dear } => {
                let price = PRICES[usize::from(dear)];
                self.coupons.push(coupon(&self.mona, &price.to_string()).await);
                self.model.coupons.push(CouponModel {
                    price,
                    max_uses: 1,
                    used_by: HashSet::new(),
                    uses: 0,
                    ends: self.model.now + LIFETIME,
                    on: true,
                    limited: false,
                    withdrawn: false,
                });
            }
            Act::Allow { coupon, uses } => {
                let Some(coupon) = some(coupon) else { return };
                let answer = self.update(coupon, json!({"max_uses": uses})).await;
                let model = &mut self.model.coupons[coupon];
                let expected = match () {
                    () if model.withdrawn => 404,
                    () if uses < model.uses => 400,
                    () => 200,
                };
                assert_eq!(answer.status(), expected, "{answer}");
                if expected == 200 {
                    model.max_uses = uses;
                }
            }
            Act::Reprice { coupon, dear } => {
                let Some(coupon) = some(coupon) else { return };
                let price = PRICES[usize::from(dear)];
                if self.update(coupon, json!({"price": price})).await.status() == 200 {
                    self.model.coupons[coupon].price = price;
                }
            }
            Act::SwitchOn { coupon, on } => {
                let Some(coupon) = some(coupon) else { return };
                if self.update(coupon, json!({"is_active": on})).await.status() == 200 {
                    self.model.coupons[coupon].on = on;
                }
            }
            Act::Limit { coupon, limited } => {
                let Some(coupon) = some(coupon) else { return };
                let status = if limited { "limited_access" } else { "full_accessed" };
                if self.update(coupon, json!({"status": status})).await.status() == 200 {
                    self.model.coupons[coupon].limited = limited;
                }
            }
            Act::Renew { coupon } => {
                let Some(coupon) = some(coupon) else { return };
                if self.update(coupon, json!({"expiration_date": null})).await.status() == 200 {
                    self.model.coupons[coupon].ends = self.model.now + LIFETIME;
                }
            }
            Act::Withdraw { coupon } => {
                let Some(coupon) = some(coupon) else { return };
                let path = format!("/coupon/delete/{}", self.coupons[coupon].0);
                let model = &mut self.model.coupons[coupon];
                let expected = if model.withdrawn { 404 } else { 204 };
                assert_eq!(self.mona.delete(&path).await.status(), expected);
                model.withdrawn = true;
            }
            Act::Redeem { student, course, coupon } => {
                let Some(coupon) = some(coupon) else { return };
                let code = &self.coupons[coupon].1;
                let answer = redeem(&self.students[student], &self.courses[course], code).await;
                let expected = self.model.redeem(student, course, coupon);
                assert_eq!(answer.status() == 201, expected.is_empty(), "{expected}: {answer}");
                assert!(answer.to_string().contains(expected), "{expected}: {answer}");
            }
            Act::Buy { student, course } => {
                let body = json!({"course_id": self.courses[course]});
                let answer = self.students[student].post("/payments/checkout/", body).await;
                let expected = self.model.refusal(student, course);
                assert_eq!(answer.status() == 201, expected.is_empty(), "{expected}: {answer}");
                assert!(answer.to_string().contains(expected), "{expected}: {answer}");
                if answer.status() == 201 {
                    let order = answer.json()["order_id"].clone();
                    let amount = money(PRICES[course]);
                    let paid = PaymentState::Paid { amount, charge: order.to_string() };
                    self.happens(&order, paid).await;
                    self.orders.push((order, self.model.sales.len()));
                    self.model.sell(student, course, false);
                }
            }
            Act::Refund { order } => {
                let Some(which) = order.checked_rem(self.orders.len()) else { return };
                let (order, sale) = self.orders[which].clone();
                let amount = money(self.model.sales[sale].price);
                let state =
                    PaymentState::Refunded { amount, total: amount, charge: order.to_string() };
                self.happens(&order, state).await;
                if !self.model.sales[sale].went_back {
                    self.model.refund(sale);
                }
            }
            Act::GiveUp { student, course } => {
                let path = format!("/course/course-enrollment-delete/{}/", self.courses[course]);
                let answer = self.students[student].delete(&path).await;
                let had = self.model.enrollments[student][course].take();
                assert_eq!(answer.status(), if had.is_some() { 204 } else { 404 });
            }
            Act::Block { student } => {
                let path = format!("/teacher/students/toggle-block/{}/", self.id(student).await);
                let answer = self.mona.patch(&path, json!({})).await;
                let relation = &mut self.model.relations[student];
                assert_eq!(answer.status() == 200, relation.is_some(), "{answer}");
                *relation = relation.map(|is_active| !is_active);
            }
            Act::Remove { student } => {
                let path = format!("/teacher/students/remove/{}/", self.id(student).await);
                let answer = self.mona.delete(&path).await;
                let had = self.model.relations[student].take();
                assert_eq!(answer.status() == 204, had.is_some(), "{answer}");
            }
            Act::Join { student } => {
                let path = format!("/join-teacher/mona{number}/");
                self.students[student].post(&path, json!({})).await;
                self.model.relations[student].get_or_insert(true);
            }
            Act::Wait { hours } => {
                self.app.clock().advance(TimeDelta::hours(hours));
                self.model.now += hours;
                jobs::expire(self.app.school()).await.unwrap();
                for coupon in &mut self.model.coupons {
                    coupon.on &= coupon.ends > self.model.now;
                }
                self.mona.log_in_teacher(&format!("mona{number}")).await;
                for (student, browser) in self.students.iter().enumerate() {
                    // By a teacher who blocks nobody: what is tried here is enrolment, not log-in.
                    browser.log_in_student(&format!("student{number}x{student}"), "open").await;
                }
            }
        }
    }

    /// The till says so: twice, as outside providers do.
    async fn happens(&self, order: &Value, state: PaymentState) {
        let name = format!("{order} {state:?}");
        let order = OrderRef::Order(order.as_str().unwrap().parse().unwrap());
        let event = PaymentEvent::new(name, order, state);
        for _ in 0..2 {
            orders::settle(self.app.school(), "till", &event).await.unwrap();
        }
    }

    async fn id(&self, student: usize) -> Value {
        let profile = self.students[student].get("/student/student-profile/open").await.json();
        profile["student"]["user"]["id"].clone()
    }

    /// Everything that can be read of the shop is what the model says.
    async fn compare(&self) {
        let model = &self.model;
        for (known, (id, _)) in model.coupons.iter().zip(&self.coupons) {
            let coupon = self.mona.get(&format!("/coupon/detail/{id}")).await.json();
            if !known.withdrawn {
                assert_eq!(
                    (&coupon["used_count"], &coupon["is_active"]),
                    (&json!(known.uses), &json!(known.on))
                );
            }
        }
        let revenue = self.mona.get("/teacher/revenue/").await.json()["revenue"].clone();
        assert_eq!(revenue, json!(model.revenue()));
        let used = self.mona.get("/coupon/used-coupons/").await.json();
        let lines = used.as_array().unwrap().iter().rev();
        let paid: Vec<i64> = lines.map(|used| used["coupon"]["price"].as_i64().unwrap()).collect();
        let by_coupon = model.sales.iter().filter(|sale| sale.by_coupon);
        assert_eq!(paid, by_coupon.map(|sale| sale.price).collect::<Vec<_>>());
        for (course, id) in self.courses.iter().enumerate() {
            let rows = model.enrollments.iter().filter(|student| student[course].is_some()).count();
            let shown = self.mona.get(&format!("/course/course-detail/{id}")).await.json();
            assert_eq!(shown["total_enrollments"], rows);
        }
        for (student, browser) in self.students.iter().enumerate() {
            let live = (0..COURSES).filter(|&course| model.has(student, course)).count();
            let has = if model.relations[student] == Some(true) { live } else { 0 };
            assert_eq!(browser.get("/course/course-enrollment-list/").await.json()["count"], has);
        }
    }
}

fn money(amount: i64) -> Money {
    Money::of(amount.into(), "EGP".parse().unwrap()).unwrap()
}

fn histories(start: impl Future<Output = TestApp>) {
    let start = histories::with_open_teacher(start);
    histories::tell(40, act(), 10..60, start, async |app, number, acts| {
        let mut shop = Shop::open(app, number).await;
        for act in acts {
            shop.carry_out(number, act).await;
        }
        shop.compare().await;
    });
}

#[test]
fn sqlite() {
    histories(async { on_sqlite().start_with(|builder| builder.payment(Arc::new(Till))).await });
}

#[test]
fn postgres() {
    histories(async {
        on_postgres().await.start_with(|builder| builder.payment(Arc::new(Till))).await
    });
}
