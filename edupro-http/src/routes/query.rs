//! Parameters of queries, and what each is for. What is unknown or makes no sense filters nothing,
//! or matches nothing (behaviour G10).

type Parameter = (&'static str, &'static str);

pub(super) const SEARCH: Parameter = ("search", "Words that all have to be there.");
pub(super) const COURSE_ORDER: Parameter = (
    "ordering",
    "`created_at`, `price` or `total_enrollments`, with a minus for the other way round; several \
     with commas.",
);
pub(super) const ROSTER_ORDER: Parameter = (
    "ordering",
    "`enrollment_date` or `student__full_name`, with a minus for the other way round; several with \
     commas.",
);
pub(super) const CATEGORY_NAME: Parameter = ("category__name", "Only of this category.");
pub(super) const TEACHER_NAME: Parameter = ("teacher__full_name", "Only of this teacher.");
pub(super) const IS_PUBLISHED: Parameter = ("is_published", "`false` finds nothing here.");
pub(super) const IS_ACTIVE: Parameter =
    ("is_active", "`true` for students who are not blocked, `false` for those who are.");
pub(super) const PAGE: Parameter = ("page", "Which page, from 1; `last` is the last.");
pub(super) const PAGE_SIZE: Parameter = ("page_size", "How many stand on a page, 100 at most.");
pub(super) const STUDENT: Parameter = ("student_id", "Only this student.");
pub(super) const STUDENT_USERNAME: Parameter = ("student_username", "Only of this student.");
pub(super) const COURSE: Parameter =
    ("course_id", "Only of this course, its modules and its lessons.");
pub(super) const ASSESSMENT: Parameter = ("assessment_id", "Only of this assessment.");
pub(super) const ASSESSMENT_TYPE: Parameter =
    ("assessment_type", "Only of `quiz`, `exam` or `assignment`.");
pub(super) const QUESTION_TYPE: Parameter = ("question_type", "Only answers to such questions.");
pub(super) const AUDITED_STUDENT: Parameter = ("student", "Only what concerns this student.");
pub(super) const AUDITED_ACTION: Parameter =
    ("action", "Only this, as `action` says it: `logged_in`, `student_blocked` …");
