//! Enrolling: how a student gets a course or a module (contract 4, 7.6, 3.10, 3.11).
//!
//! Everything that enrolling does happens in one transaction: the coupon is used, the enrolment is
//! made or renewed, the ledger gets its row, the totals grow, the progress begins. Or nothing does.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    Page, PageOf, School, StoreError, StoreResult, Transaction,
    accounts::{Actor, User, UserId},
    audit::{self, Deed},
    coupons::{self, CouponRefusal, Item, Sale},
    courses::{self, Course, CourseError},
    events::{self, Event, announce},
    limits::{self, LimitError, Throttled},
    policies::{PolicyError, within_patience},
    roster::{self, Standing},
    students::Student,
};

/// How an enrolment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrollmentStatus {
    /// Reserved.
    Pending,
    /// The student learns.
    Active,
    /// The student has completed every published lesson.
    Completed,
    /// It was taken back.
    Cancelled,
    /// Its time is over; enrolling again renews it.
    Expired,
}

impl EnrollmentStatus {
    /// The word the contract has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Active, Self::Completed, Self::Cancelled, Self::Expired]
            .into_iter()
            .find(|known| known.as_str() == word)
    }
}

/// An enrolment in a course or in a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrollment {
    /// Its number.
    pub id: i64,
    /// Who learns.
    pub student: UserId,
    /// When it was made or renewed.
    pub enrolled_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: Option<DateTime<Utc>>,
    /// How it stands.
    pub status: EnrollmentStatus,
    /// `full_access` or `no_access`.
    pub access_type: String,
    /// Every published lesson is completed.
    pub is_completed: bool,
    /// Whether it counts.
    pub is_active: bool,
    /// Completed of published lessons, in percent with two places, 100 at most.
    pub progress: Decimal,
    /// The last lesson that was completed, or taken back.
    pub last_activity: Option<DateTime<Utc>>,
}

impl Enrollment {
    /// The enrolment as it stands at `now`: one whose time is over is expired from that moment,
    /// also when the hour's job has not been there yet.
    #[must_use]
    fn at(mut self, now: DateTime<Utc>) -> Self {
        if self.ends_at.is_some_and(|ends_at| ends_at <= now) {
            self.status = EnrollmentStatus::Expired;
            self.is_active = false;
        }
        self
    }
}

/// An enrolment with who and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourseEnrollment {
    /// The enrolment.
    pub enrollment: Enrollment,
    /// Who learns.
    pub student: Student,
    /// Which course.
    pub course: Uuid,
    /// Its title.
    pub course_title: String,
    /// First and last name of the teacher's account.
    pub teacher_name: String,
}

impl CourseEnrollment {
    fn at(mut self, now: DateTime<Utc>) -> Self {
        self.enrollment = self.enrollment.at(now);
        self
    }
}

/// A course with the student's own enrolment in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolledCourse {
    /// The course.
    pub course: Course,
    /// The enrolment.
    pub enrollment: Enrollment,
}

/// What is known of a student and a thing to enrol in, read in one statement.
#[derive(Clone, Debug)]
pub struct Prospect {
    /// The thing.
    pub item: Item,
    /// Whether it is published; a module only in a published course.
    pub is_published: bool,
    /// Whether it needs no coupon.
    pub is_free: bool,
    /// How the student stands with the teacher.
    pub standing: Option<Standing>,
    /// Whether the student has it now.
    pub has_access: bool,
    /// Whether there is an enrolment, dead or alive.
    pub has_row: bool,
}

/// Whom a teacher's list of enrolments is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrollmentsOf {
    /// Everybody in a course.
    Course(Uuid),
    /// One student in a course.
    StudentInCourse(UserId, Uuid),
    /// One student in all courses of this teacher.
    StudentOfTeacher(UserId, UserId),
}

/// Where enrolments are kept.
#[async_trait]
pub trait EnrollmentStore: Send {
    /// A student and a course.
    async fn course_prospect(
        &mut self,
        student: UserId,
        course: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<Prospect>>;

    /// A student and a module.
    async fn module_prospect(
        &mut self,
        student: UserId,
        module: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<Prospect>>;

    /// Makes an enrolment, or `None` when there is one.
    async fn add(
        &mut self,
        student: UserId,
        item: &Item,
        now: DateTime<Utc>,
        ends_at: Option<DateTime<Utc>>,
    ) -> StoreResult<Option<Enrollment>>;

    /// Brings an enrolment that has ended back to life, or `None` when there is none, or it lives.
    async fn renew(
        &mut self,
        student: UserId,
        item: &Item,
        now: DateTime<Utc>,
        ends_at: Option<DateTime<Utc>>,
    ) -> StoreResult<Option<Enrollment>>;

    /// Takes back the enrolment that was made or renewed at this very moment, if it lives.
    async fn cancel(
        &mut self,
        student: UserId,
        item: &Item,
        enrolled_at: DateTime<Utc>,
    ) -> StoreResult<bool>;

    /// Adds an enrolment and what was paid to the totals of a course.
    async fn count(&mut self, course: Uuid, enrollments: i64, revenue: Decimal) -> StoreResult<()>;

    /// The enrolment with this number in this course.
    async fn find(&mut self, course: Uuid, id: i64) -> StoreResult<Option<Enrollment>>;

    /// A student's enrolment in this course.
    async fn find_of(&mut self, course: Uuid, student: UserId) -> StoreResult<Option<Enrollment>>;

    /// Deletes an enrolment; false when somebody else just has.
    async fn delete(&mut self, id: i64) -> StoreResult<bool>;

    /// Everybody in a course, the newest first.
    async fn of_course(&mut self, course: Uuid) -> StoreResult<Vec<CourseEnrollment>>;

    /// A page of enrolments, the newest first; `None` when there is no such page.
    async fn page(
        &mut self,
        of: EnrollmentsOf,
        page: Page,
    ) -> StoreResult<Option<PageOf<CourseEnrollment>>>;

    /// A page of the courses that a student has now, of one teacher or of all, the newest first.
    async fn courses(
        &mut self,
        student: UserId,
        teacher: Option<UserId>,
        now: DateTime<Utc>,
        page: Page,
    ) -> StoreResult<Option<PageOf<EnrolledCourse>>>;

    /// Every enrolment of a student in a course, ended ones too, the newest first.
    async fn all_courses(&mut self, student: UserId) -> StoreResult<Vec<EnrolledCourse>>;

    /// Ends enrolments whose time is over; returns how many.
    async fn expire(&mut self, now: DateTime<Utc>) -> StoreResult<u64>;
}

/// Why nobody was enrolled. The words are the contract's (4.1, 7.6).
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// There is no such course.
    #[error("Course not found")]
    UnknownCourse,
    /// There is no such module.
    #[error("Module not found")]
    UnknownModule,
    /// It is a draft.
    #[error("{} is not published", capital(.0))]
    NotPublished(&'static str),
    /// The student is not this teacher's.
    #[error("You are not a student of this teacher.")]
    NotAStudent,
    /// The teacher has blocked the student.
    #[error("You are blocked by the teacher.")]
    Blocked,
    /// The student has the course.
    #[error("Student already has full access to this course")]
    HasCourse,
    /// The student has the module.
    #[error("Student already enrolled in this module")]
    HasModule,
    /// There is no code.
    #[error("Coupon code is required for paid {0}s.")]
    CodeRequired(&'static str),
    /// The coupon does not pay for it.
    #[error(transparent)]
    Coupon(CouponRefusal),
    /// Too many wrong codes.
    #[error(transparent)]
    Throttled(Throttled),
    /// The school's policy says no, or cannot decide.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The storage.
    #[error("an enrolment could not be saved")]
    Store(#[from] StoreError),
}

impl From<LimitError> for EnrollError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Throttled(throttled) => Self::Throttled(throttled),
            LimitError::Store(error) => Self::Store(error),
        }
    }
}

fn capital(thing: &str) -> &'static str {
    if thing == "module" { "Module" } else { "Course" }
}

/// What somebody wants to enrol in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A course.
    Course(Uuid),
    /// A module.
    Module(Uuid),
}

impl Wanted {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Course(_) => "course",
            Self::Module(_) => "module",
        }
    }

    pub(crate) async fn prospect(
        self,
        tx: &mut dyn Transaction,
        student: UserId,
        now: DateTime<Utc>,
    ) -> Result<Prospect, EnrollError> {
        match self {
            Self::Course(id) => {
                let found = tx.enrollments().course_prospect(student, id, now).await?;
                found.ok_or(EnrollError::UnknownCourse)
            }
            Self::Module(id) => {
                let found = tx.enrollments().module_prospect(student, id, now).await?;
                found.ok_or(EnrollError::UnknownModule)
            }
        }
    }

    /// Everything that speaks against enrolling before anything is paid, in the ruled order.
    pub(crate) fn refusal(self, prospect: &Prospect) -> Option<EnrollError> {
        if !prospect.is_published {
            return Some(EnrollError::NotPublished(self.word()));
        }
        match prospect.standing {
            None => return Some(EnrollError::NotAStudent),
            Some(Standing::Blocked) => return Some(EnrollError::Blocked),
            Some(Standing::Active) => {}
        }
        prospect.has_access.then(|| self.has_it())
    }

    /// Asks the school's policy, if there is one and nothing else speaks against it.
    pub(crate) async fn allowed(
        self,
        school: &School,
        student: &User,
        needs_code: bool,
    ) -> Result<(), EnrollError> {
        let Some(policy) = &school.policy else { return Ok(()) };
        let mut tx = school.storage.read().await?;
        let prospect = self.prospect(&mut *tx, student.id, school.clock.now()).await?;
        drop(tx);
        if let Some(refusal) = self.refusal(&prospect) {
            return Err(refusal);
        }
        if needs_code && !prospect.is_free {
            return Err(EnrollError::CodeRequired(self.word()));
        }
        Ok(within_patience(policy.may_enroll(student, &prospect)).await?)
    }

    const fn has_it(self) -> EnrollError {
        match self {
            Self::Course(_) => EnrollError::HasCourse,
            Self::Module(_) => EnrollError::HasModule,
        }
    }
}

/// Gives a student what was paid for, with totals and progress: a new enrolment, or the old one
/// (`has_row`) brought back to life. `None` when the student has it by now.
pub(crate) async fn grant(
    school: &School,
    tx: &mut dyn Transaction,
    student: UserId,
    item: &Item,
    has_row: bool,
    paid: Decimal,
    now: DateTime<Utc>,
) -> StoreResult<Option<Enrollment>> {
    let ends_at = match school.settings.enrollment_days {
        0 => None,
        days => Some(now + TimeDelta::days(days)),
    };
    let enrolled = match has_row {
        false => tx.enrollments().add(student, item, now, ends_at).await?,
        true => tx.enrollments().renew(student, item, now, ends_at).await?,
    };
    let Some(enrollment) = enrolled else { return Ok(None) };
    let is_new_in_course = item.module.is_none() && !has_row;
    if is_new_in_course || !paid.is_zero() {
        tx.enrollments().count(item.course, i64::from(is_new_in_course), paid).await?;
    }
    tx.progress().begin(student, item, now).await?;
    announce(tx, school, enrolled_event(&enrollment, item, has_row, paid)).await?;
    // Its lessons may all have been completed in modules that were bought alone.
    if is_new_in_course && enrollment.is_completed {
        let event = Event::CourseCompleted {
            student,
            teacher: item.teacher,
            course: item.course,
            course_title: item.course_title.clone(),
        };
        announce(tx, school, event).await?;
    }
    Ok(Some(enrollment))
}

fn enrolled_event(enrollment: &Enrollment, item: &Item, is_renewal: bool, paid: Decimal) -> Event {
    let Item { teacher, course, course_title, module, .. } = item.clone();
    let &Enrollment { id: enrollment, student, ends_at, .. } = enrollment;
    let paid = events::money(paid);
    match module {
        None => Event::CourseEnrolled {
            enrollment,
            student,
            teacher,
            course,
            course_title,
            paid,
            is_renewal,
            ends_at,
        },
        Some((module, module_title)) => Event::ModuleEnrolled {
            enrollment,
            student,
            teacher,
            course,
            course_title,
            module,
            module_title,
            paid,
            is_renewal,
            ends_at,
        },
    }
}

/// 4.1, 7.6: a student enrols. Free things need no code and use none up.
pub async fn enroll(
    school: &School,
    student: &Actor,
    wanted: Wanted,
    code: Option<&str>,
) -> Result<(Item, Enrollment), EnrollError> {
    let now = school.clock.now();
    let code = code.map(|code| code.trim().to_uppercase()).filter(|code| !code.is_empty());
    let student_id = student.id.to_string();
    let address = student.address.map(|address| address.to_string());
    let mut wrong_codes = vec![(limits::COUPON, student_id.as_str())];
    wrong_codes.extend(address.as_deref().map(|address| (limits::COUPON_ADDRESS, address)));
    if code.is_some() {
        limits::look(school, &wrong_codes).await?;
    }
    wanted.allowed(school, student, code.is_none()).await?;
    let done = school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let prospect = wanted.prospect(&mut *tx, student.id, now).await?;
            if let Some(refusal) = wanted.refusal(&prospect) {
                return Err(refusal);
            }
            let item = prospect.item;
            let coupon = match (prospect.is_free, &code) {
                (true, _) => None,
                (false, None) => return Err(EnrollError::CodeRequired(wanted.word())),
                (false, Some(code)) => Some(redeem(&mut *tx, code, &item, student.id, now).await?),
            };
            let paid = coupon.as_ref().map_or(Decimal::ZERO, |coupon| coupon.price);
            let granted =
                grant(school, &mut *tx, student.id, &item, prospect.has_row, paid, now).await?;
            // Somebody was faster with the same: nothing of this is kept, the coupon neither.
            let enrollment = granted.ok_or_else(|| wanted.has_it())?;
            if let Some(coupon) = &coupon {
                let sale = Sale { item: &item, student, coupon, sold_at: now };
                if !tx.coupons().record(&sale).await? {
                    return Err(EnrollError::Coupon(CouponRefusal::UsedBefore));
                }
                let event = Event::CouponRedeemed {
                    coupon: coupon.id,
                    student: student.id,
                    teacher: item.teacher,
                    course: item.course,
                    module: item.module.as_ref().map(|(module, _)| *module),
                    price: events::money(coupon.price),
                };
                announce(&mut *tx, school, event).await?;
                let deed = Deed::CouponRedeemed { coupon, student: student.id, item: &item };
                audit::note(&mut *tx, school, student, [deed]).await?;
            }
            tx.commit().await?;
            Ok((item, enrollment))
        })
        .await;
    // A wrong code counts against the student and the address (security R7); a right one never.
    if matches!(done, Err(EnrollError::Coupon(CouponRefusal::Unknown))) {
        limits::take(school, &wrong_codes).await?;
    }
    done
}

/// Uses the coupon up once, or says why not.
async fn redeem(
    tx: &mut dyn Transaction,
    code: &str,
    item: &Item,
    student: UserId,
    now: DateTime<Utc>,
) -> Result<coupons::Coupon, EnrollError> {
    if let Some(coupon) = tx.coupons().redeem(code, item, student, now).await? {
        return Ok(coupon);
    }
    let coupon = tx.coupons().find_by_code(code).await?;
    let used_before = match &coupon {
        Some(coupon) => tx.coupons().was_used_by(coupon.id, student).await?,
        None => false,
    };
    let refusal = coupons::refusal(coupon.as_ref(), item, used_before, now);
    // It could not be used a moment ago; that nothing speaks against it now means that the last
    // use was given back or the coupon was changed in between. Trying again is honest.
    Err(refusal.map_or_else(
        || StoreError::Contended("a coupon was changed meanwhile".into()).into(),
        EnrollError::Coupon,
    ))
}

/// Why a list of enrolments was not shown, or an enrolment not deleted.
#[derive(Debug, thiserror::Error)]
pub enum EnrollmentError {
    /// There is no such course, student or enrolment.
    #[error("Not found.")]
    Unknown,
    /// It is another teacher's.
    #[error("You do not have permission to perform this action.")]
    NotYours,
    /// The list has no such page.
    #[error("Invalid page.")]
    NoSuchPage,
    /// 4.3: a teacher has to say which enrolment.
    #[error("student id is required")]
    WhichStudent,
    /// The storage.
    #[error("enrolments could not be read or changed")]
    Store(#[from] StoreError),
}

impl From<CourseError> for EnrollmentError {
    fn from(error: CourseError) -> Self {
        match error {
            CourseError::NotYours => Self::NotYours,
            CourseError::Store(error) => Self::Store(error),
            CourseError::Unknown
            | CourseError::FreeWithPrice
            | CourseError::UnknownCategory(_)
            | CourseError::NoSuchPage
            | CourseError::File(_) => Self::Unknown,
        }
    }
}

/// 3.10: everybody in a course, for its owner.
pub async fn of_course(
    tx: &mut dyn Transaction,
    teacher: UserId,
    course: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<CourseEnrollment>, EnrollmentError> {
    courses::owned(tx, teacher, course).await?;
    let found = tx.enrollments().of_course(course).await?;
    Ok(found.into_iter().map(|found| found.at(now)).collect())
}

/// 3.11, X2: a page of the enrolments in a course, of everybody or of one student.
pub async fn page_of_course(
    tx: &mut dyn Transaction,
    teacher: UserId,
    course: Uuid,
    student: Option<UserId>,
    now: DateTime<Utc>,
    page: Page,
) -> Result<PageOf<CourseEnrollment>, EnrollmentError> {
    courses::owned(tx, teacher, course).await?;
    let of = match student {
        None => EnrollmentsOf::Course(course),
        Some(student) => EnrollmentsOf::StudentInCourse(student, course),
    };
    let found = tx.enrollments().page(of, page).await?.ok_or(EnrollmentError::NoSuchPage)?;
    Ok(found.map(|found| found.at(now)))
}

/// X3: a page of one student's enrolments with this teacher. Somebody who is neither the teacher's
/// student nor enrolled with them is unknown.
pub async fn page_of_student(
    tx: &mut dyn Transaction,
    teacher: UserId,
    student: UserId,
    now: DateTime<Utc>,
    page: Page,
) -> Result<PageOf<CourseEnrollment>, EnrollmentError> {
    let of = EnrollmentsOf::StudentOfTeacher(student, teacher);
    let found = tx.enrollments().page(of, page).await?.ok_or(EnrollmentError::NoSuchPage)?;
    if found.count == 0 && tx.roster().standing(teacher, student).await?.is_none() {
        return Err(EnrollmentError::Unknown);
    }
    Ok(found.map(|found| found.at(now)))
}

/// 4.2: the courses that a student has now, of one teacher or of all. An unknown teacher has none.
pub async fn courses(
    tx: &mut dyn Transaction,
    student: UserId,
    username: Option<&str>,
    now: DateTime<Utc>,
    page: Page,
) -> Result<PageOf<EnrolledCourse>, EnrollmentError> {
    let teacher = match username {
        None => None,
        // No user has the number 0.
        Some(username) => {
            let teacher = roster::teacher(tx, username).await?;
            Some(teacher.map_or(UserId(0), |teacher| teacher.id))
        }
    };
    let found = tx.enrollments().courses(student, teacher, now, page).await?;
    found.ok_or(EnrollmentError::NoSuchPage)
}

/// X1: every enrolment of a student in a course.
pub async fn all_courses(
    tx: &mut dyn Transaction,
    student: UserId,
    now: DateTime<Utc>,
) -> StoreResult<Vec<EnrolledCourse>> {
    let mut found = tx.enrollments().all_courses(student).await?;
    for found in &mut found {
        found.enrollment = found.enrollment.clone().at(now);
    }
    Ok(found)
}

/// 4.3: a teacher or the student ends an enrolment. What was paid stays paid.
pub async fn delete(
    school: &School,
    user: &Actor,
    course: Uuid,
    enrollment: Option<i64>,
) -> Result<(), EnrollmentError> {
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let (teacher, found) = if user.is_student() {
                let found = tx.courses().find(course).await?.ok_or(EnrollmentError::Unknown)?;
                (found.teacher, tx.enrollments().find_of(course, user.id).await?)
            } else {
                courses::owned(&mut *tx, user.id, course).await?;
                let id = enrollment.ok_or(EnrollmentError::WhichStudent)?;
                (user.id, tx.enrollments().find(course, id).await?)
            };
            let found = found
                .filter(|found| enrollment.is_none_or(|id| id == found.id))
                .ok_or(EnrollmentError::Unknown)?;
            if !tx.enrollments().delete(found.id).await? {
                return Err(EnrollmentError::Unknown);
            }
            tx.enrollments().count(course, -1, Decimal::ZERO).await?;
            tx.progress().end(found.student, course, now).await?;
            let event = Event::EnrollmentDeleted {
                enrollment: found.id,
                student: found.student,
                course,
                deleted_by: user.id,
            };
            announce(&mut *tx, school, event).await?;
            let deed = Deed::EnrollmentDeleted {
                teacher,
                student: found.student,
                enrollment: found.id,
                course,
            };
            audit::note(&mut *tx, school, user, [deed]).await?;
            Ok(tx.commit().await?)
        })
        .await
}
