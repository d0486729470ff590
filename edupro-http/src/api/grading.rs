use axum::{Json, extract::State, http::StatusCode};
use edupro_core::{
    Change,
    accounts::UserId,
    assessments,
    grading::{
        self, FEEDBACK_LENGTH, GradingError, GradingItem, GradingLine, NewGrade, OutdatedQuestion,
        PendingFilter, RegradeOf, RegradePolicy, RegradeReport, Remark,
    },
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::results::TakerView;
use crate::{
    EduPro,
    error::{Answer, ApiError},
    extract::{Incoming, ListQuery, Path, Teacher, form},
    render::{Amount, Moment, Number},
};

/// What a teacher may have done to answers whose key was wrong.
const POLICIES: [RegradePolicy; 3] =
    [RegradePolicy::NewKeyOnly, RegradePolicy::NewOrOldKey, RegradePolicy::FullCredit];

form! {
    /// 10.13: what a teacher gives for an answer.
    pub(crate) struct GradeForm / GradeDraft {
        points_awarded | marks_awarded: Decimal = required(awarded_points()),
        teacher_feedback: Change<String> = changed(text().or_blank().of_lines().at_most(FEEDBACK_LENGTH)),
        is_correct: Option<bool> = optional(flag()),
    }
}

form! {
    /// Beside the contract: which answers are graded again, and how.
    pub(crate) struct RegradeForm / RegradeDraft {
        policy: RegradePolicy = required(choice(&POLICIES, RegradePolicy::as_str)),
        question_id: Option<Uuid> = optional(id()),
        dry_run: Option<bool> = optional(flag()),
    }
}

/// Beside the contract: what a grader said that left an answer to a person.
#[derive(Debug, JsonSchema, Serialize)]
struct SuggestionView {
    grader: Option<String>,
    why: String,
    points_awarded: Option<Number>,
    reason: Option<String>,
}

impl SuggestionView {
    fn new(remark: Remark, grader: Option<String>, points: Decimal) -> Self {
        let share = remark.suggestion.as_ref().map(|suggestion| suggestion.share);
        Self {
            grader,
            why: remark.why,
            points_awarded: share.map(|share| Number(share.of(points))),
            reason: remark.suggestion.map(|suggestion| suggestion.reason),
        }
    }
}

/// 10.12: an answer, for its teacher. Several keys are older names for others (behaviour G18).
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct GradingItemView {
    id: Uuid,
    answer_id: Uuid,
    attempt_id: Uuid,
    assessment_id: Uuid,
    assessment_title: String,
    course_id: Option<Uuid>,
    student: TakerView,
    student_name: String,
    question_text: String,
    question_type: &'static str,
    points: Number,
    question_mark: Amount,
    text_answer: String,
    points_awarded: Option<Number>,
    marks_awarded: Option<Amount>,
    is_correct: Option<bool>,
    teacher_feedback: Option<String>,
    submitted_at: Option<Moment>,
    suggestion: Option<SuggestionView>,
}

impl From<GradingItem> for GradingItemView {
    fn from(item: GradingItem) -> Self {
        let GradingItem { answer, attempt, assessment, student, remark } = item;
        let course = assessment.link.as_ref().map(|link| link.course().id);
        let suggestion =
            remark.map(|remark| SuggestionView::new(remark, answer.grader, answer.points));
        Self {
            id: answer.id,
            answer_id: answer.id,
            attempt_id: attempt.id,
            assessment_id: assessment.id,
            assessment_title: assessment.title,
            course_id: course,
            student_name: student.username.clone(),
            student: student.into(),
            question_text: answer.question_text,
            question_type: answer.kind.as_str(),
            points: Number(answer.points),
            question_mark: Amount(answer.points),
            text_answer: answer.student_answer,
            points_awarded: answer.points_awarded.map(Number),
            marks_awarded: answer.points_awarded.map(Amount),
            is_correct: answer.is_correct,
            teacher_feedback: answer.teacher_feedback,
            submitted_at: attempt.ended_at.map(Moment),
            suggestion,
        }
    }
}

/// 10.13: the answer that was graded.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct GradedView {
    message: &'static str,
    #[serde(flatten)]
    item: GradingItemView,
    attempt_status: &'static str,
}

/// Beside the contract: a line of an answer's history.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct GradingLineView {
    graded_by: Option<GraderView>,
    reason: &'static str,
    points_before: Option<Number>,
    points_after: Number,
    teacher_feedback: Option<String>,
    graded_at: Moment,
}

/// Who graded.
#[derive(Debug, JsonSchema, Serialize)]
struct GraderView {
    id: UserId,
    username: Option<String>,
}

impl From<GradingLine> for GradingLineView {
    fn from(GradingLine { entry, username }: GradingLine) -> Self {
        Self {
            graded_by: entry.graded_by.map(|id| GraderView { id, username }),
            reason: entry.reason.as_str(),
            points_before: entry.before.map(Number),
            points_after: Number(entry.after),
            teacher_feedback: entry.feedback,
            graded_at: Moment(entry.at),
        }
    }
}

/// Beside the contract: what there is to grade again.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct OutdatedView {
    policies: [&'static str; 3],
    questions: Vec<OutdatedQuestionView>,
}

/// A question that is newer than answers to it.
#[derive(Debug, JsonSchema, Serialize)]
struct OutdatedQuestionView {
    question_id: Uuid,
    question_text: String,
    question_type: &'static str,
    /// How many answers would be looked at.
    answers: i64,
    /// How many others a person has graded.
    graded_by_hand: i64,
    is_comparable: bool,
}

impl From<OutdatedQuestion> for OutdatedQuestionView {
    fn from(outdated: OutdatedQuestion) -> Self {
        let OutdatedQuestion { question, count, is_comparable } = outdated;
        Self {
            question_id: question.id,
            question_text: question.text,
            question_type: question.kind.as_str(),
            answers: count.answers,
            graded_by_hand: count.by_hand,
            is_comparable,
        }
    }
}

/// Beside the contract: what a regrade has done, or would do.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct RegradedView {
    message: &'static str,
    policy: &'static str,
    dry_run: bool,
    affected_answers: usize,
    changed_answers: usize,
    affected_attempts: usize,
    changed_attempts: usize,
}

impl RegradedView {
    fn new(of: RegradeOf, report: RegradeReport) -> Self {
        Self {
            message: match of.dry_run {
                true => "Nothing was changed.",
                false => "Answers regraded successfully",
            },
            policy: of.policy.as_str(),
            dry_run: of.dry_run,
            affected_answers: report.affected_answers,
            changed_answers: report.changed_answers,
            affected_attempts: report.affected_attempts,
            changed_attempts: report.changed_attempts,
        }
    }
}

/// Adds the filters of the query to those of the path. An id that is none, like a word that is
/// unknown, holds for nothing (behaviour G10): `None`.
fn filtered(mut filter: PendingFilter, query: &ListQuery) -> Option<PendingFilter> {
    let word = |name| query.value(name).map(str::to_owned);
    filter.courses.extend(query.id("course_id")?);
    filter.assessments.extend(query.id("assessment_id")?);
    filter.kinds.extend(word("assessment_type"));
    filter.question_kinds.extend(word("question_type"));
    Some(filter)
}

async fn list_filtered(
    edupro: &EduPro,
    teacher: UserId,
    filter: PendingFilter,
    query: &ListQuery,
) -> Answer<Json<Vec<GradingItemView>>> {
    let Some(filter) = filtered(filter, query) else { return Ok(Json(Vec::new())) };
    let mut tx = edupro.school().storage.read().await?;
    let items = grading::pending(&mut *tx, teacher, &filter).await?;
    Ok(Json(items.into_iter().map(GradingItemView::from).collect()))
}

/// 10.12 List the answers that wait for the teacher.
pub(crate) async fn list(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    query: ListQuery,
) -> Answer<Json<Vec<GradingItemView>>> {
    list_filtered(&edupro, teacher.id, PendingFilter::default(), &query).await
}

/// X10 The same of a course, its modules and its lessons.
pub(crate) async fn list_of_course(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(course): Path<Uuid>,
    query: ListQuery,
) -> Answer<Json<Vec<GradingItemView>>> {
    let filter = PendingFilter { courses: vec![course], ..PendingFilter::default() };
    list_filtered(&edupro, teacher.id, filter, &query).await
}

/// X11, X12 The same of an assessment, or of a type of assessments.
pub(crate) async fn list_of_assessments(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(which): Path<String>,
    query: ListQuery,
) -> Answer<Json<Vec<GradingItemView>>> {
    let filter = match which.parse() {
        Ok(id) => PendingFilter { assessments: vec![id], ..PendingFilter::default() },
        Err(_) => PendingFilter { kinds: vec![which], ..PendingFilter::default() },
    };
    list_filtered(&edupro, teacher.id, filter, &query).await
}

/// X13 The same of a type of questions.
pub(crate) async fn list_of_questions(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(kind): Path<String>,
    query: ListQuery,
) -> Answer<Json<Vec<GradingItemView>>> {
    let filter = PendingFilter { question_kinds: vec![kind], ..PendingFilter::default() };
    list_filtered(&edupro, teacher.id, filter, &query).await
}

/// 10.13 Grade an answer.
pub(crate) async fn grade(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(answer): Path<Uuid>,
    incoming: Incoming<GradeForm>,
) -> Answer<Json<GradedView>> {
    let school = edupro.school();
    grading::owned_answer(&mut *school.storage.read().await?, teacher.id, answer).await?;
    let form = incoming.read(&edupro).await?;
    let new = NewGrade {
        points: form.points_awarded,
        is_correct: form.is_correct,
        feedback: form.teacher_feedback,
    };
    let item = grading::grade(school, &teacher, answer, &new).await?;
    Ok(Json(GradedView {
        message: "Answer graded successfully",
        attempt_status: item.attempt.status.as_str(),
        item: item.into(),
    }))
}

/// Beside the contract: who graded an answer.
pub(crate) async fn history(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(answer): Path<Uuid>,
) -> Answer<Json<Vec<GradingLineView>>> {
    let mut tx = edupro.school().storage.read().await?;
    let lines = grading::history(&mut *tx, teacher.id, answer).await?;
    Ok(Json(lines.into_iter().map(GradingLineView::from).collect()))
}

/// Beside the contract: what there is to grade again.
pub(crate) async fn outdated(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(assessment): Path<Uuid>,
) -> Answer<Json<OutdatedView>> {
    let mut tx = edupro.school().storage.read().await?;
    let questions = grading::outdated(&mut *tx, teacher.id, assessment).await?;
    Ok(Json(OutdatedView {
        policies: POLICIES.map(RegradePolicy::as_str),
        questions: questions.into_iter().map(OutdatedQuestionView::from).collect(),
    }))
}

/// Beside the contract: grade answers again whose key was wrong.
pub(crate) async fn regrade(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(assessment): Path<Uuid>,
    incoming: Incoming<RegradeForm>,
) -> Answer<Json<RegradedView>> {
    let school = edupro.school();
    assessments::owned(&mut *school.storage.read().await?, teacher.id, assessment).await?;
    let form = incoming.read(&edupro).await?;
    let of = RegradeOf {
        policy: form.policy,
        question: form.question_id,
        dry_run: form.dry_run.unwrap_or_default(),
    };
    let report = grading::regrade(school, &teacher, assessment, of).await?;
    Ok(Json(RegradedView::new(of, report)))
}

impl From<GradingError> for ApiError {
    fn from(error: GradingError) -> Self {
        let words = error.to_string();
        match error {
            GradingError::Unknown => Self::not_found(),
            GradingError::NotYours => Self::forbidden(),
            GradingError::NotByHand | GradingError::NotSubmitted => {
                Self::detail(StatusCode::BAD_REQUEST, words)
            }
            GradingError::Negative | GradingError::TooMuch(_) => {
                Self::field("points_awarded", words)
            }
            GradingError::UnknownQuestion(_) => Self::field("question_id", words),
            GradingError::NotComparable(_) => Self::field("policy", words),
            GradingError::Store(error) => error.into(),
        }
    }
}
