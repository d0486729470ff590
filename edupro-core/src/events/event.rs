use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{accounts::UserId, coupons::CouponId};

/// Something that has happened. Money has two places; a title is what it was at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Somebody registered as a teacher (contract 1.9).
    #[non_exhaustive]
    TeacherRegistered {
        /// Who.
        teacher: UserId,
        /// What the teacher is called in links.
        username: String,
    },
    /// Somebody registered as a student (1.10). [`Event::StudentJoined`] comes too.
    #[non_exhaustive]
    StudentRegistered {
        /// Who.
        student: UserId,
        /// What the student is called.
        username: String,
        /// With whom.
        teacher: UserId,
    },
    /// A student is a teacher's now: by registering, or by joining (1.10, 1.11).
    #[non_exhaustive]
    StudentJoined {
        /// Whose.
        teacher: UserId,
        /// Who.
        student: UserId,
    },
    /// A teacher removed a student (1.17).
    #[non_exhaustive]
    StudentRemoved {
        /// Who removed.
        teacher: UserId,
        /// Whom.
        student: UserId,
    },
    /// A teacher blocked a student (1.18).
    #[non_exhaustive]
    StudentBlocked {
        /// Who blocked.
        teacher: UserId,
        /// Whom.
        student: UserId,
    },
    /// A teacher let a blocked student in again (1.18).
    #[non_exhaustive]
    StudentUnblocked {
        /// Who let in.
        teacher: UserId,
        /// Whom.
        student: UserId,
    },
    /// A student got a course: with a coupon, with an order, or for nothing (4.1).
    #[non_exhaustive]
    CourseEnrolled {
        /// The enrolment.
        enrollment: i64,
        /// Who learns.
        student: UserId,
        /// Who teaches.
        teacher: UserId,
        /// What.
        course: Uuid,
        /// Its title.
        course_title: String,
        /// What was paid for it.
        paid: Decimal,
        /// Whether an enrolment that had ended came back to life.
        is_renewal: bool,
        /// When it ends.
        ends_at: Option<DateTime<Utc>>,
    },
    /// A student got a module of a course (7.6).
    #[non_exhaustive]
    ModuleEnrolled {
        /// The enrolment.
        enrollment: i64,
        /// Who learns.
        student: UserId,
        /// Who teaches.
        teacher: UserId,
        /// Of which course.
        course: Uuid,
        /// Its title.
        course_title: String,
        /// What.
        module: Uuid,
        /// Its title.
        module_title: String,
        /// What was paid for it.
        paid: Decimal,
        /// Whether an enrolment that had ended came back to life.
        is_renewal: bool,
        /// When it ends.
        ends_at: Option<DateTime<Utc>>,
    },
    /// A teacher or the student deleted an enrolment in a course (4.3). Those that go with their
    /// course are not announced.
    #[non_exhaustive]
    EnrollmentDeleted {
        /// The enrolment.
        enrollment: i64,
        /// Who learned.
        student: UserId,
        /// What.
        course: Uuid,
        /// Who deleted it.
        deleted_by: UserId,
    },
    /// A coupon paid for something. What for is in the enrolment's own event.
    #[non_exhaustive]
    CouponRedeemed {
        /// Which coupon. Its code is a secret and is not here.
        coupon: CouponId,
        /// Who used it.
        student: UserId,
        /// Whose coupon.
        teacher: UserId,
        /// For which course, or for a module of which.
        course: Uuid,
        /// For which module, if it was for one.
        module: Option<Uuid>,
        /// What it was worth.
        price: Decimal,
    },
    /// A student completed a lesson (8.6) that was not completed before.
    #[non_exhaustive]
    LessonCompleted {
        /// Who learns.
        student: UserId,
        /// Who teaches.
        teacher: UserId,
        /// Of which course.
        course: Uuid,
        /// Of which module.
        module: Uuid,
        /// What.
        lesson: Uuid,
        /// Its title.
        lesson_title: String,
    },
    /// A student has completed every published lesson of a course, and had not before: because the
    /// student completed the last one, or because the teacher took it away. It may come again,
    /// when lessons were added since.
    #[non_exhaustive]
    CourseCompleted {
        /// Who learned.
        student: UserId,
        /// Who teaches.
        teacher: UserId,
        /// What.
        course: Uuid,
        /// Its title.
        course_title: String,
    },
    /// A student rated a course for the first time (6.2). What was written is not here.
    #[non_exhaustive]
    CourseRated {
        /// The rating.
        rating: i64,
        /// Who judged.
        student: UserId,
        /// Whom.
        teacher: UserId,
        /// What.
        course: Uuid,
        /// Its title.
        course_title: String,
        /// 1 to 5.
        stars: i64,
    },
    /// Somebody's password is another now (1.8, 1.23).
    #[non_exhaustive]
    PasswordChanged {
        /// Whose.
        user: UserId,
    },
    /// A video can be played.
    #[non_exhaustive]
    VideoReady {
        /// Which one.
        video: Uuid,
        /// Whose.
        teacher: UserId,
        /// The lesson that shows it, if one does yet.
        lesson: Option<Uuid>,
        /// The name of the provider that has it.
        provider: String,
        /// How long it lasts, in seconds; 0 is unknown.
        duration: i64,
    },
    /// An order was paid outside.
    #[non_exhaustive]
    OrderPaid {
        /// Which one.
        order: Uuid,
        /// With which provider.
        provider: String,
        /// Who paid.
        student: UserId,
        /// Who is to get it.
        teacher: UserId,
        /// For which course, or for a module of which.
        course: Uuid,
        /// For which module, if it was for one.
        module: Option<Uuid>,
        /// How much.
        amount: Decimal,
        /// In which currency: three letters.
        currency: String,
        /// Whether the student got something for it. If not, somebody has to give it back.
        is_needed: bool,
    },
    /// Money of an order went back.
    #[non_exhaustive]
    OrderRefunded {
        /// Which one.
        order: Uuid,
        /// With which provider.
        provider: String,
        /// Who had paid.
        student: UserId,
        /// Whose revenue it was.
        teacher: UserId,
        /// For which course, or for a module of which.
        course: Uuid,
        /// For which module, if it was for one.
        module: Option<Uuid>,
        /// How much, this time.
        amount: Decimal,
        /// How much so far, in all.
        total: Decimal,
        /// In which currency: three letters.
        currency: String,
        /// Whether the enrolment that the order gave has ended with it.
        enrollment_ended: bool,
    },
    /// A student started an attempt (10.8). Whoever goes on with one has not started it.
    #[non_exhaustive]
    AttemptStarted {
        /// Which one.
        attempt: Uuid,
        /// Who.
        student: UserId,
        /// Whose assessment.
        teacher: UserId,
        /// At what.
        assessment: Uuid,
        /// Its title.
        assessment_title: String,
        /// The student's how many-th attempt at it, from 1.
        number: i64,
        /// When it must be handed in, if its time is limited.
        deadline: Option<DateTime<Utc>>,
    },
    /// A student handed an attempt in (10.9). [`Event::AttemptGraded`] comes too, if nothing in it
    /// waits.
    #[non_exhaustive]
    AttemptSubmitted {
        /// Which one.
        attempt: Uuid,
        /// Who.
        student: UserId,
        /// Whose assessment.
        teacher: UserId,
        /// At what.
        assessment: Uuid,
        /// Its title.
        assessment_title: String,
        /// Whether something in it waits for a person, or for a grader that answers later.
        is_pending: bool,
    },
    /// The time of an attempt ran out and nothing was handed in: it has no points and is not passed.
    /// That is noted within a minute, or when the student starts again.
    #[non_exhaustive]
    AttemptExpired {
        /// Which one.
        attempt: Uuid,
        /// Who.
        student: UserId,
        /// Whose assessment.
        teacher: UserId,
        /// At what.
        assessment: Uuid,
        /// Its title.
        assessment_title: String,
        /// When it had to be handed in, and so when it ended.
        deadline: DateTime<Utc>,
    },
    /// All of an attempt has its points, whoever gave the last of them. It comes again when it has
    /// other points later (10.13, or a regrade), and not when a new grade came to the same.
    #[non_exhaustive]
    AttemptGraded {
        /// Which one.
        attempt: Uuid,
        /// Who.
        student: UserId,
        /// Whose assessment.
        teacher: UserId,
        /// At what.
        assessment: Uuid,
        /// Its title.
        assessment_title: String,
        /// The points for it.
        score: Decimal,
        /// What it gives at most.
        max_score: Decimal,
        /// The points in percent of the most, with two places.
        percentage: Decimal,
        /// Whether that is enough.
        is_passed: bool,
        /// The points it had before; none the first time.
        previous_score: Option<Decimal>,
    },
}

impl Event {
    /// What it is called: the tag in its JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.kind().0
    }

    /// Its version.
    #[must_use]
    pub const fn version(&self) -> u16 {
        self.kind().1
    }

    const fn kind(&self) -> (&'static str, u16) {
        match self {
            Self::TeacherRegistered { .. } => ("teacher_registered", 1),
            Self::StudentRegistered { .. } => ("student_registered", 1),
            Self::StudentJoined { .. } => ("student_joined", 1),
            Self::StudentRemoved { .. } => ("student_removed", 1),
            Self::StudentBlocked { .. } => ("student_blocked", 1),
            Self::StudentUnblocked { .. } => ("student_unblocked", 1),
            Self::CourseEnrolled { .. } => ("course_enrolled", 1),
            Self::ModuleEnrolled { .. } => ("module_enrolled", 1),
            Self::EnrollmentDeleted { .. } => ("enrollment_deleted", 1),
            Self::CouponRedeemed { .. } => ("coupon_redeemed", 1),
            Self::LessonCompleted { .. } => ("lesson_completed", 1),
            Self::CourseCompleted { .. } => ("course_completed", 1),
            Self::CourseRated { .. } => ("course_rated", 1),
            Self::PasswordChanged { .. } => ("password_changed", 1),
            Self::VideoReady { .. } => ("video_ready", 1),
            Self::OrderPaid { .. } => ("order_paid", 1),
            Self::OrderRefunded { .. } => ("order_refunded", 1),
            Self::AttemptStarted { .. } => ("attempt_started", 1),
            Self::AttemptSubmitted { .. } => ("attempt_submitted", 1),
            Self::AttemptExpired { .. } => ("attempt_expired", 1),
            Self::AttemptGraded { .. } => ("attempt_graded", 1),
        }
    }
}
