//! Many students and few coupons at the same moment: nobody may get in unpaid, no use may be sold
//! twice, and the books have to agree with each other afterwards (security R28–R31).

use std::{net::Ipv4Addr, sync::Arc};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use super::working;
use crate::{
    School,
    accounts::{Actor, NewUser, User, UserType},
    coupons::{self, Coupon, CouponChanges, CouponError, CouponRefusal},
    courses::{self, Course, NewCourse},
    enrollments::{self, EnrollError, Wanted},
    entropy,
    profiles::Profile,
    students::Student,
    teachers::Teacher,
};

/// What came of a crowd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many asked.
    pub asked: usize,
    /// How many were let in.
    pub let_in: usize,
    /// How many were told what is wrong with their coupon, or that they have the course.
    pub refused: usize,
    /// Lines of the ledger.
    pub sales: usize,
}

/// Everything that can be asked of a school's redemption, once. Its `throttle` has to be off.
///
/// # Panics
///
/// When a promise is not kept, or the school does not work at all.
pub async fn all(school: &Arc<School>) {
    one_use(school, 50).await;
    few_uses(school, 500, 7).await;
    one_student(school).await;
    changed_meanwhile(school).await;
}

/// Many students and a coupon for one: exactly one is let in.
///
/// # Panics
///
/// When a promise is not kept, or the school does not work at all.
pub async fn one_use(school: &Arc<School>, students: usize) -> Tally {
    few_uses(school, students, 1).await
}

/// Many students and a coupon for a few: exactly so many are let in.
///
/// # Panics
///
/// When a promise is not kept, or the school does not work at all.
pub async fn few_uses(school: &Arc<School>, students: usize, uses: i64) -> Tally {
    let shop = Shop::open(school, students).await;
    let coupon = shop.coupons(1).await.remove(0);
    shop.change(&coupon, CouponChanges { max_uses: Some(uses), ..CouponChanges::default() }).await;
    let wishes = shop.students.iter().map(|student| (student.clone(), coupon.code.clone()));
    let tally = shop.crowd(wishes.collect()).await;
    let expected = usize::try_from(uses).unwrap_or(usize::MAX).min(students);
    assert_eq!(tally.let_in, expected, "a coupon for {uses} let so many in");
    tally
}

/// One student asks sixteen times with four coupons: let in once, and one coupon is used.
///
/// # Panics
///
/// When a promise is not kept, or the school does not work at all.
pub async fn one_student(school: &Arc<School>) -> Tally {
    let shop = Shop::open(school, 1).await;
    let coupons = shop.coupons(4).await;
    let wishes = (0..16).map(|number| (shop.students[0].clone(), coupons[number % 4].code.clone()));
    let tally = shop.crowd(wishes.collect()).await;
    assert_eq!(tally.let_in, 1, "one student was let in so often");
    tally
}

/// A coupon becomes dearer and is withdrawn while twelve redeem it: who was let in paid what it
/// cost at that moment, and nobody is let in afterwards.
///
/// # Panics
///
/// When a promise is not kept, or the school does not work at all.
pub async fn changed_meanwhile(school: &Arc<School>) -> Tally {
    let shop = Shop::open(school, 13).await;
    let coupon = shop.coupons(1).await.remove(0);
    shop.change(&coupon, CouponChanges { max_uses: Some(100), ..CouponChanges::default() }).await;
    let dearer = CouponChanges { price: Some(PRICE + Decimal::TEN), ..CouponChanges::default() };
    let (early, late) = shop.students.split_at(12);
    let wishes = early.iter().map(|student| (student.clone(), coupon.code.clone())).collect();
    let (tally, (), withdrawn) = futures_util::join!(
        shop.crowd(wishes),
        shop.change(&coupon, dearer),
        coupons::delete(school, &shop.teacher, coupon.id)
    );
    working("a coupon could not be withdrawn", withdrawn);
    let refusal = shop.redeem(&late[0], &coupon.code).await;
    let is_refused = matches!(refusal, Err(EnrollError::Coupon(CouponRefusal::Unknown)));
    assert!(is_refused, "a coupon that was withdrawn let somebody in: {refusal:?}");
    tally
}

/// What the course of a [`Shop`] costs.
const PRICE: Decimal = Decimal::from_parts(5_000, 0, 0, false, 2);

/// A teacher with a course that costs [`PRICE`], and students without it.
struct Shop {
    school: Arc<School>,
    teacher: Actor,
    course: Course,
    students: Vec<Actor>,
}

/// Somebody whose requests come from this machine.
fn here(user: User) -> Actor {
    Actor { user, address: Some(Ipv4Addr::LOCALHOST.into()) }
}

impl Shop {
    async fn open(school: &Arc<School>, students: usize) -> Self {
        let mut chance = [0; 10];
        school.entropy.fill(&mut chance);
        let name = entropy::code(&chance).to_lowercase();
        let now = school.clock.now();
        let mut tx = working("no transaction", school.storage.write().await);
        let new = person(&format!("{name}t"), UserType::Teacher, now);
        let teacher = working("no teacher", tx.users().add(&new).await);
        let teacher = teacher.unwrap_or_else(|| panic!("a name drawn by chance is taken"));
        working("no teacher", tx.teachers().add(&Teacher::new(teacher.clone())).await);
        let mut joined = Vec::with_capacity(students);
        for number in 0..students {
            let new = person(&format!("{name}s{number}"), UserType::Student, now);
            let user = working("no student", tx.users().add(&new).await);
            let user = user.unwrap_or_else(|| panic!("a name drawn by chance is taken"));
            let student = Student { profile: Profile::of(&user), user: user.clone() };
            working("no student", tx.students().add(&student).await);
            working("no relation", tx.roster().join(teacher.id, user.id, now).await);
            joined.push(here(user));
        }
        working("nothing was committed", tx.commit().await);
        let course = courses::create(school, teacher.id, course()).await;
        let course = working("no course", course);
        Self { school: Arc::clone(school), teacher: here(teacher), course, students: joined }
    }

    async fn coupons(&self, count: usize) -> Vec<Coupon> {
        let made = coupons::create(&self.school, &self.teacher, count, PRICE).await;
        working("no coupons", made)
    }

    /// Changes a coupon; that it was withdrawn meanwhile is no fault.
    async fn change(&self, coupon: &Coupon, changes: CouponChanges) {
        match coupons::update(&self.school, &self.teacher, coupon.id, &changes).await {
            Ok(_) | Err(CouponError::Unknown) => {}
            Err(error) => panic!("a coupon could not be changed: {error:?}"),
        }
    }

    async fn redeem(&self, student: &Actor, code: &str) -> Result<(), EnrollError> {
        let wanted = Wanted::Course(self.course.id);
        let done = enrollments::enroll(&self.school, student, wanted, Some(code));
        done.await.map(drop)
    }

    /// Lets all of them redeem at the same moment, and looks at the books afterwards.
    async fn crowd(&self, wishes: Vec<(Actor, String)>) -> Tally {
        let mut crowd = JoinSet::new();
        let mut tally = Tally { asked: wishes.len(), ..Tally::default() };
        for (student, code) in wishes {
            let (school, wanted) = (Arc::clone(&self.school), Wanted::Course(self.course.id));
            crowd.spawn(async move {
                enrollments::enroll(&school, &student, wanted, Some(&code)).await
            });
        }
        while let Some(done) = crowd.join_next().await {
            match working("a request panicked", done) {
                Ok(_) => tally.let_in += 1,
                Err(EnrollError::Coupon(_) | EnrollError::HasCourse) => tally.refused += 1,
                Err(error) => panic!("somebody was neither let in nor refused: {error:?}"),
            }
        }
        self.audit(&mut tally).await;
        tally
    }

    /// Ledger, coupons, enrolments and totals tell the same.
    async fn audit(&self, tally: &mut Tally) {
        let mut tx = working("no transaction", self.school.storage.read().await);
        let ledger = working("no ledger", coupons::uses(&mut *tx, self.teacher.id).await);
        tally.sales = ledger.len();
        assert_eq!(tally.sales, tally.let_in, "lines in the ledger");
        let paid = ledger.iter().all(|line| line.coupon.price == PRICE);
        assert!(paid, "somebody paid what the course does not cost");
        for line in &ledger {
            let uses = ledger.iter().filter(|other| other.coupon.id == line.coupon.id).count();
            assert_eq!(i64::try_from(uses), Ok(line.coupon.used_count), "uses of a coupon");
        }
        let revenue = working("no revenue", coupons::revenue(&mut *tx, self.teacher.id).await);
        assert_eq!(revenue, PRICE * Decimal::from(tally.let_in), "revenue");
        let (teacher, now) = (self.teacher.id, self.school.clock.now());
        let rows = enrollments::of_course(&mut *tx, teacher, self.course.id, now).await;
        assert_eq!(working("no enrolments", rows).len(), tally.let_in, "enrolments");
        let course = working("no course", courses::owned(&mut *tx, teacher, self.course.id).await);
        let total = usize::try_from(course.totals.enrollments);
        assert_eq!(total, Ok(tally.let_in), "enrolments that the course counts");
    }
}

fn person(name: &str, user_type: UserType, now: DateTime<Utc>) -> NewUser {
    NewUser {
        email: working("a bad address", format!("{name}@example.com").parse()),
        username: working("a bad name", name.parse()),
        slug: Some(name.to_owned()),
        first_name: "Somebody".to_owned(),
        last_name: "Else".to_owned(),
        phone: None,
        parent_phone: None,
        // Nobody logs in with it.
        password_hash: "*".to_owned(),
        user_type,
        is_staff: false,
        avatar: None,
        logo: None,
        created_at: now,
    }
}

fn course() -> NewCourse {
    NewCourse {
        title: "Waves".to_owned(),
        description: "Sound and light".to_owned(),
        category: None,
        trailer: None,
        price: PRICE,
        is_free: false,
        is_published: true,
        thumbnail: None,
    }
}
