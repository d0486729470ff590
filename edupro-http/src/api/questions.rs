use axum::{Json, extract::State};
use edupro_core::{
    Change,
    assessments::{
        self, NewOption, NewQuestion, OPTION_LENGTH, OPTIONS_MAX, OptionChanges, POINTS,
        QUESTION_LENGTH, Question, QuestionChanges, QuestionError, QuestionOption, QuestionType,
    },
    files::Picture,
    grading::Marking,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    EduPro, Links,
    answer::{Created, NoContent},
    error::{Answer, ApiError},
    extract::{Incoming, OneOrMany, Path, Site, Teacher, form},
    render::{Amount, Number},
};

/// What 10.3 and 10.4 say of an order below 1.
const ORDER_TOO_SMALL: &str = "Question order must be greater than 0.";

form! {
    /// 10.3: a new question.
    pub(crate) struct QuestionForm / QuestionDraft {
        question_text: String = required(text().of_lines().at_most(QUESTION_LENGTH)),
        question_type: QuestionType = required(choice(&QuestionType::ALL, QuestionType::as_str)),
        points | mark: Option<Decimal> = given(points()),
        order: Option<i64> = optional(whole().at_least(1, ORDER_TOO_SMALL)),
        explanation: Option<String> = optional(text().or_blank().of_lines().at_most(QUESTION_LENGTH)),
        image: Option<Picture> = optional(picture()),
        marking: Option<Value> = optional(object()),
        options: Option<Vec<OptionForm>> = optional(each::<OptionForm>().at_most(OPTIONS_MAX)),
    }
}

form! {
    /// 10.4: what becomes of a question.
    pub(crate) struct QuestionUpdate / QuestionUpdateDraft {
        question_text: Option<String> = given(text().of_lines().at_most(QUESTION_LENGTH)),
        question_type: Option<QuestionType> = given(choice(&QuestionType::ALL, QuestionType::as_str)),
        points | mark: Option<Decimal> = given(points()),
        order: Option<i64> = optional(whole().at_least(1, ORDER_TOO_SMALL)),
        explanation: Change<String> = changed(text().or_blank().of_lines().at_most(QUESTION_LENGTH)),
        image: Change<Picture> = changed(picture()),
        marking: Change<Value> = changed(object()),
        options: Option<Vec<OptionForm>> = optional(each::<OptionForm>().at_most(OPTIONS_MAX)),
    }
}

form! {
    /// 10.3, 10.5: a new option.
    pub(crate) struct OptionForm / OptionDraft {
        option_text: String = required(text().of_lines().at_most(OPTION_LENGTH)),
        is_correct: Option<bool> = given(flag()),
    }
}

form! {
    /// 10.6: what becomes of an option.
    pub(crate) struct OptionUpdate / OptionUpdateDraft {
        option_text: Option<String> = given(text().of_lines().at_most(OPTION_LENGTH)),
        is_correct: Option<bool> = given(flag()),
    }
}

impl From<QuestionForm> for NewQuestion {
    fn from(form: QuestionForm) -> Self {
        Self {
            text: form.question_text,
            kind: form.question_type,
            points: form.points.unwrap_or(POINTS),
            order: form.order,
            explanation: form.explanation,
            image: form.image,
            marking: form.marking,
            options: form.options.unwrap_or_default().into_iter().map(NewOption::from).collect(),
        }
    }
}

impl From<QuestionUpdate> for QuestionChanges {
    fn from(form: QuestionUpdate) -> Self {
        let options = |forms: Vec<OptionForm>| forms.into_iter().map(NewOption::from).collect();
        Self {
            text: form.question_text,
            kind: form.question_type,
            points: form.points,
            order: form.order,
            explanation: form.explanation,
            image: form.image,
            marking: form.marking,
            options: form.options.map(options),
        }
    }
}

impl From<OptionForm> for NewOption {
    fn from(form: OptionForm) -> Self {
        Self { text: form.option_text, is_correct: form.is_correct.unwrap_or_default() }
    }
}

impl From<OptionUpdate> for OptionChanges {
    fn from(form: OptionUpdate) -> Self {
        Self { text: form.option_text, is_correct: form.is_correct }
    }
}

/// 10.2–10.4: a question with its key, for its teacher and for nobody else.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct QuestionView {
    id: Uuid,
    assessment: Uuid,
    question_text: String,
    question_type: &'static str,
    points: Number,
    /// An older name (behaviour G18).
    mark: Amount,
    order: i64,
    explanation: Option<String>,
    image: Option<String>,
    /// Beside the contract: how answers are marked, where the teacher has said so.
    marking: Option<Marking>,
    options: Vec<OptionView>,
}

impl QuestionView {
    fn new(links: &Links, question: Question) -> Self {
        Self {
            id: question.id,
            assessment: question.assessment,
            question_text: question.text,
            question_type: question.kind.as_str(),
            points: Number(question.points),
            mark: Amount(question.points),
            order: question.order,
            explanation: question.explanation,
            image: links.file(question.image.as_ref()),
            marking: question.marking,
            options: OptionView::all(question.options),
        }
    }

    pub(crate) fn all(links: &Links, questions: Vec<Question>) -> Vec<Self> {
        questions.into_iter().map(|question| Self::new(links, question)).collect()
    }
}

/// 10.3–10.6: an option, for its teacher and for nobody else.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct OptionView {
    id: Uuid,
    question: Uuid,
    option_text: String,
    is_correct: bool,
    order: i64,
}

impl OptionView {
    fn all(options: Vec<QuestionOption>) -> Vec<Self> {
        options.into_iter().map(Self::from).collect()
    }
}

impl From<QuestionOption> for OptionView {
    fn from(option: QuestionOption) -> Self {
        Self {
            id: option.id,
            question: option.question,
            option_text: option.text,
            is_correct: option.is_correct,
            order: option.order,
        }
    }
}

/// 10.5: one option, or several where several were sent.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(untagged)]
pub(crate) enum CreatedOptions {
    One(OptionView),
    Many(Vec<OptionView>),
}

/// 10.3 List the questions of an assessment.
pub(crate) async fn list(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(assessment): Path<Uuid>,
    Site(links): Site,
) -> Answer<Json<Vec<QuestionView>>> {
    let mut tx = edupro.school().storage.read().await?;
    let questions = assessments::list_questions(&mut *tx, teacher.id, assessment).await?;
    Ok(Json(QuestionView::all(&links, questions)))
}

/// 10.3 Create a question.
pub(crate) async fn create(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(assessment): Path<Uuid>,
    Site(links): Site,
    incoming: Incoming<QuestionForm>,
) -> Answer<Created<QuestionView>> {
    let school = edupro.school();
    assessments::owned(&mut *school.storage.read().await?, teacher.id, assessment).await?;
    let form = incoming.read(&edupro).await?;
    let made = assessments::create_question(school, teacher.id, assessment, form.into()).await?;
    Ok(Created(QuestionView::new(&links, made)))
}

/// 10.4 Show a question.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
    Site(links): Site,
) -> Answer<Json<QuestionView>> {
    let mut tx = edupro.school().storage.read().await?;
    let question = assessments::owned_question(&mut *tx, teacher.id, id).await?;
    Ok(Json(QuestionView::new(&links, question)))
}

/// 10.4 Update a question.
pub(crate) async fn update(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
    Site(links): Site,
    incoming: Incoming<QuestionUpdate>,
) -> Answer<Json<QuestionView>> {
    let school = edupro.school();
    assessments::owned_question(&mut *school.storage.read().await?, teacher.id, id).await?;
    let form = incoming.read(&edupro).await?;
    let question = assessments::update_question(school, teacher.id, id, form.into()).await?;
    Ok(Json(QuestionView::new(&links, question)))
}

/// 10.4 Delete a question.
pub(crate) async fn delete(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
) -> Answer<NoContent> {
    assessments::delete_question(edupro.school(), &teacher, id).await?;
    Ok(NoContent)
}

/// 10.5 List the options of a question.
pub(crate) async fn list_options(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(question): Path<Uuid>,
) -> Answer<Json<Vec<OptionView>>> {
    let mut tx = edupro.school().storage.read().await?;
    let question = assessments::owned_question(&mut *tx, teacher.id, question).await?;
    Ok(Json(OptionView::all(question.options)))
}

/// 10.5 Create an option, or several.
pub(crate) async fn create_options(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(question): Path<Uuid>,
    incoming: Incoming<OneOrMany<OptionForm>>,
) -> Answer<Created<CreatedOptions>> {
    let school = edupro.school();
    assessments::owned_question(&mut *school.storage.read().await?, teacher.id, question).await?;
    let form = incoming.read(&edupro, "options", OPTIONS_MAX).await?;
    let create = async |new: Vec<NewOption>| {
        assessments::create_options(school, teacher.id, question, &new).await
    };
    let created = match form {
        OneOrMany::One(form) => {
            let mut made = create(vec![form.into()]).await?;
            CreatedOptions::One(made.remove(0).into())
        }
        OneOrMany::Many(forms) => {
            let made = create(forms.into_iter().map(NewOption::from).collect()).await?;
            CreatedOptions::Many(OptionView::all(made))
        }
    };
    Ok(Created(created))
}

/// 10.6 Show an option.
pub(crate) async fn show_option(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
) -> Answer<Json<OptionView>> {
    let mut tx = edupro.school().storage.read().await?;
    Ok(Json(assessments::owned_option(&mut *tx, teacher.id, id).await?.into()))
}

/// 10.6 Update an option.
pub(crate) async fn update_option(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
    incoming: Incoming<OptionUpdate>,
) -> Answer<Json<OptionView>> {
    let school = edupro.school();
    assessments::owned_option(&mut *school.storage.read().await?, teacher.id, id).await?;
    let form = incoming.read(&edupro).await?;
    Ok(Json(assessments::update_option(school, teacher.id, id, form.into()).await?.into()))
}

/// 10.6 Delete an option.
pub(crate) async fn delete_option(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<Uuid>,
) -> Answer<NoContent> {
    assessments::delete_option(edupro.school(), &teacher, id).await?;
    Ok(NoContent)
}

impl From<QuestionError> for ApiError {
    fn from(error: QuestionError) -> Self {
        let words = error.to_string();
        match error {
            QuestionError::Unknown => Self::not_found(),
            QuestionError::NotYours => Self::forbidden(),
            QuestionError::TextWithOptions
            | QuestionError::TooManyOptions
            | QuestionError::OptionsFrozen => Self::field("options", words),
            QuestionError::OptionsInTheWay => Self::field("question_type", words),
            QuestionError::NoOptionsHere => Self::field("non_field_errors", words),
            QuestionError::Marking(_) | QuestionError::WeightOfNothing(_) => {
                Self::field("marking", words)
            }
            QuestionError::File(error) => error.into(),
            QuestionError::Store(error) => error.into(),
        }
    }
}
