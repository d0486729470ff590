use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use edupro_core::{
    assessments::NoEntry,
    attempts::{
        self, ANSWER_LENGTH, AnswerProblem, PaperOption, PaperQuestion, SentAnswer, StartError,
        Started, SubmitError,
    },
    grading::Marking,
};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::assessments::AssessmentView;
use crate::{
    EduPro, Links,
    answer::{Begun, Ready},
    error::{Answer, ApiError, FieldErrors},
    extract::{Incoming, Once, Path, Site, Student, form},
    render::{Amount, Moment, Number},
};

form! {
    /// 10.9: what is handed in.
    pub(crate) struct SubmissionForm / SubmissionDraft {
        answers: Vec<AnswerForm> = required(each::<AnswerForm>()),
    }
}

form! {
    /// 10.9: what is handed in for one question. `selected_option_ids` and `blanks` are beside the
    /// contract, for questions that have several right options or several blanks.
    pub(crate) struct AnswerForm / AnswerDraft {
        question_id: Uuid = required(id()),
        selected_option_id | selected_option: Option<Uuid> = optional(id()),
        selected_option_ids: Option<Vec<Uuid>> = optional(ids()),
        short_answer_text | text_answer: Option<String> = optional(text().or_blank().of_lines().at_most(ANSWER_LENGTH)),
        blanks: Option<BTreeMap<String, String>> = optional(texts(text().or_blank().of_lines().at_most(ANSWER_LENGTH))),
    }
}

impl From<AnswerForm> for SentAnswer {
    fn from(form: AnswerForm) -> Self {
        let several = form.selected_option_ids.unwrap_or_default();
        Self {
            question: form.question_id,
            options: form.selected_option_id.map_or(several, |one| vec![one]),
            text: form.short_answer_text,
            blanks: form.blanks,
        }
    }
}

/// 10.8: an attempt that the student is in, and what is asked. Nothing in it says what is right.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct StartedView {
    attempt_id: Uuid,
    assessment_title: String,
    questions: Vec<AskedView>,
    attempt_number: i64,
    started_at: Moment,
    expires_at: Option<Moment>,
    time_limit: Option<i64>,
    total_questions: usize,
    message: &'static str,
    available_from: Moment,
    available_until: Option<Moment>,
    /// The same in older names (behaviour G18).
    assessment: TakenAssessmentView,
}

/// 10.8: a question, for whoever has to answer it.
#[derive(Debug, JsonSchema, Serialize)]
struct AskedView {
    question_id: Uuid,
    question_text: String,
    question_type: &'static str,
    points: Number,
    order: i64,
    image: Option<String>,
    /// Beside the contract: whether more than one option may be chosen.
    is_multiple: bool,
    /// Beside the contract: what the blanks are called.
    blanks: Vec<String>,
    options: Vec<ChoiceView>,
}

/// 10.8: an option, for whoever has to choose.
#[derive(Debug, JsonSchema, Serialize)]
struct ChoiceView {
    option_id: Uuid,
    option_text: String,
}

/// 10.8: the assessment and its questions in older names.
#[derive(Debug, JsonSchema, Serialize)]
struct TakenAssessmentView {
    #[serde(flatten)]
    assessment: AssessmentView<String>,
    questions: Vec<TakenQuestionView>,
}

/// 10.8: a question in older names.
#[derive(Debug, JsonSchema, Serialize)]
struct TakenQuestionView {
    id: Uuid,
    question_text: String,
    question_type: &'static str,
    mark: Amount,
    order: i64,
    image: Option<String>,
    options: Vec<TakenOptionView>,
}

/// 10.8: an option in older names.
#[derive(Debug, JsonSchema, Serialize)]
struct TakenOptionView {
    id: Uuid,
    option_text: String,
    order: i64,
}

impl AskedView {
    fn new(links: &Links, question: &PaperQuestion) -> Self {
        let (is_multiple, blanks) = match &question.marking {
            Some(
                Marking::AllOptions {}
                | Marking::RightMinusWrong {}
                | Marking::WeightedOptions { .. },
            ) => (true, Vec::new()),
            Some(Marking::Blanks { blanks, .. }) => {
                (false, blanks.iter().map(|blank| blank.name.clone()).collect())
            }
            _ => (false, Vec::new()),
        };
        Self {
            question_id: question.id,
            question_text: question.text.clone(),
            question_type: question.kind.as_str(),
            points: Number(question.points),
            order: question.order,
            image: links.file(question.image.as_ref()),
            is_multiple,
            blanks,
            options: question.options.iter().map(ChoiceView::from).collect(),
        }
    }
}

impl From<&PaperOption> for ChoiceView {
    fn from(option: &PaperOption) -> Self {
        Self { option_id: option.id, option_text: option.text.clone() }
    }
}

impl TakenQuestionView {
    fn new(links: &Links, question: &PaperQuestion) -> Self {
        let option = |option: &PaperOption| TakenOptionView {
            id: option.id,
            option_text: option.text.clone(),
            order: option.order,
        };
        Self {
            id: question.id,
            question_text: question.text.clone(),
            question_type: question.kind.as_str(),
            mark: Amount(question.points),
            order: question.order,
            image: links.file(question.image.as_ref()),
            options: question.options.iter().map(option).collect(),
        }
    }
}

impl StartedView {
    fn new(links: &Links, started: Started, now: DateTime<Utc>) -> Self {
        let Started { attempt, assessment, paper, is_new: _ } = started;
        let asked = |question| AskedView::new(links, question);
        let taken = |question| TakenQuestionView::new(links, question);
        Self {
            attempt_id: attempt.id,
            assessment_title: assessment.title.clone(),
            questions: paper.questions.iter().map(asked).collect(),
            attempt_number: attempt.number,
            started_at: Moment(attempt.started_at),
            expires_at: attempt.deadline.map(Moment),
            time_limit: assessment.time_limit,
            total_questions: paper.questions.len(),
            message: "Assessment started successfully.",
            available_from: Moment(assessment.available_from),
            available_until: assessment.available_until.map(Moment),
            assessment: TakenAssessmentView {
                assessment: AssessmentView::listed(assessment, now),
                questions: paper.questions.iter().map(taken).collect(),
            },
        }
    }
}

/// 10.9: what was handed in.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct SubmittedView {
    message: &'static str,
    attempt_id: Uuid,
    status: &'static str,
}

/// 10.8 Start an assessment, or go on with it.
pub(crate) async fn start(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Path((assessment, username)): Path<(Uuid, String)>,
    Site(links): Site,
) -> Answer<Begun<StartedView>> {
    let school = edupro.school();
    let started = attempts::start(school, &student, assessment, &username).await?;
    let is_new = started.is_new;
    Ok(Begun { is_new, what: StartedView::new(&links, started, school.clock.now()) })
}

/// 10.9, X15 Hand an attempt in.
pub(crate) async fn submit(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Path(id): Path<Uuid>,
    once: Once,
    incoming: Incoming<SubmissionForm>,
) -> Answer<Ready<Json<SubmittedView>>> {
    let school = edupro.school();
    let form = match incoming.read(&edupro).await {
        Ok(form) => form,
        // What speaks against it whatever is in it comes first (behaviour G3).
        Err(error) => {
            let (mut tx, now) = (school.storage.read().await?, school.clock.now());
            attempts::check_open(&mut *tx, &student, id, now).await?;
            return Err(error);
        }
    };
    let sent: Vec<SentAnswer> = form.answers.into_iter().map(SentAnswer::from).collect();
    let asked = serde_json::to_string(&sent).map_err(|error| ApiError::internal(&error))?;
    let work = async {
        let attempt = attempts::submit(school, &student, id, &sent).await?;
        let view = SubmittedView {
            message: "Assessment submitted successfully. Results will be available shortly.",
            attempt_id: attempt.id,
            status: attempt.status.as_str(),
        };
        Ok(Json(view))
    };
    once.answer(&edupro, student.id, &asked, work).await
}

impl From<NoEntry> for ApiError {
    fn from(error: NoEntry) -> Self {
        Self::detail(StatusCode::FORBIDDEN, error.to_string())
    }
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        let words = error.to_string();
        match error {
            StartError::Unknown => Self::not_found(),
            StartError::NoEntry(error) => error.into(),
            StartError::NotYet | StartError::Over => Self::detail(StatusCode::FORBIDDEN, words),
            StartError::TooManyAttempts(_) => Self::field("assessment", words),
            StartError::Store(error) => error.into(),
        }
    }
}

impl From<SubmitError> for ApiError {
    fn from(error: SubmitError) -> Self {
        let words = error.to_string();
        match error {
            SubmitError::Unknown => Self::not_found(),
            SubmitError::NotInProgress | SubmitError::TooLate => {
                Self::detail(StatusCode::FORBIDDEN, words)
            }
            SubmitError::NoEntry(error) => error.into(),
            SubmitError::Answers(problems) => {
                let mut errors = FieldErrors::default();
                errors.add_elements("answers", problems.into_iter().map(wrong_answer).collect());
                Self::fields(errors)
            }
            SubmitError::Store(error) => error.into(),
        }
    }
}

/// What is wrong with one of the answers.
fn wrong_answer(problem: Option<AnswerProblem>) -> FieldErrors {
    let mut errors = FieldErrors::default();
    if let Some(problem) = problem {
        let field = match problem {
            AnswerProblem::UnknownQuestion | AnswerProblem::Duplicate => "question_id",
            AnswerProblem::UnknownOption(_) | AnswerProblem::ForeignOption => "selected_option_id",
        };
        errors.add(field, problem.to_string());
    }
    errors
}
