//! What a teacher does with questions (contract 10.3, 10.4).

use std::mem;

use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Assessment, AssessmentError, NewOption, Question, QuestionOption, QuestionType, authoring,
    options,
};
use crate::{
    Change, School, StoreError, Transaction,
    accounts::{Actor, UserId},
    audit::{self, Deed},
    files::{FileError, FileKey, FileKind, Picture},
    grading::{Marking, MarkingError},
    jobs, profiles,
};

/// Longest question and longest explanation, in characters.
pub const QUESTION_LENGTH: usize = 20_000;
/// Longest option, in characters (behaviour 3.17).
pub const OPTION_LENGTH: usize = 500;
/// Most options of a question.
pub const OPTIONS_MAX: usize = 100;
/// What a right answer gives, unless the teacher says otherwise.
pub const POINTS: Decimal = Decimal::ONE;

/// Why a question or an option was not shown, made or changed.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// There is no such assessment, question or option.
    #[error("Not found.")]
    Unknown,
    /// It is another teacher's.
    #[error("You do not have permission to perform this action.")]
    NotYours,
    /// Options were sent for a question that is answered with text.
    #[error("Only multiple choice and true/false questions can have options")]
    TextWithOptions,
    /// A question with options would be answered with text.
    #[error("Only multiple choice and true/false questions can have options")]
    OptionsInTheWay,
    /// An option was sent to a question that is answered with text.
    #[error("Only multiple choice and true/false questions can have options")]
    NoOptionsHere,
    /// The question would have too many options.
    #[error("Ensure this field has no more than {OPTIONS_MAX} elements.")]
    TooManyOptions,
    /// Somebody has started the assessment.
    #[error("Options cannot be replaced after attempts exist.")]
    OptionsFrozen,
    /// Answers cannot be marked so.
    #[error(transparent)]
    Marking(#[from] MarkingError),
    /// What is weighed are options of the question.
    #[error("Option \"{0}\" has a weight and is not an option of this question.")]
    WeightOfNothing(Uuid),
    /// The image could not be stored.
    #[error("the image of a question could not be stored")]
    File(#[from] FileError),
    /// The storage.
    #[error("a question could not be read or saved")]
    Store(#[from] StoreError),
}

impl From<AssessmentError> for QuestionError {
    fn from(error: AssessmentError) -> Self {
        match error {
            AssessmentError::NotYours => Self::NotYours,
            AssessmentError::Store(error) => Self::Store(error),
            // The rest is about what an assessment itself is given.
            _ => Self::Unknown,
        }
    }
}

/// A question that is about to be made.
#[derive(Debug)]
pub struct NewQuestion {
    /// [`Question::text`].
    pub text: String,
    /// [`Question::kind`].
    pub kind: QuestionType,
    /// [`Question::points`].
    pub points: Decimal,
    /// [`Question::order`]; `None` is the end. Whoever has it moves up, and so on until there is a
    /// gap.
    pub order: Option<i64>,
    /// [`Question::explanation`].
    pub explanation: Option<String>,
    /// [`Question::image`].
    pub image: Option<Picture>,
    /// [`Question::marking`], as the teacher sent it.
    pub marking: Option<Value>,
    /// [`Question::options`].
    pub options: Vec<NewOption>,
}

/// What becomes of a question.
#[derive(Debug, Default)]
pub struct QuestionChanges {
    /// [`Question::text`].
    pub text: Option<String>,
    /// [`Question::kind`].
    pub kind: Option<QuestionType>,
    /// [`Question::points`].
    pub points: Option<Decimal>,
    /// [`Question::order`]; see [`NewQuestion::order`].
    pub order: Option<i64>,
    /// [`Question::explanation`].
    pub explanation: Change<String>,
    /// [`Question::image`].
    pub image: Change<Picture>,
    /// [`Question::marking`], as the teacher sent it.
    pub marking: Change<Value>,
    /// [`Question::options`]: these take the place of those.
    pub options: Option<Vec<NewOption>>,
}

impl QuestionChanges {
    /// All but the order, the image and the options.
    fn apply(&self, school: &School, question: &mut Question) -> Result<(), QuestionError> {
        if let Some(text) = &self.text {
            question.text.clone_from(text);
        }
        question.kind = self.kind.unwrap_or(question.kind);
        question.points = self.points.unwrap_or(question.points);
        self.explanation.clone().apply(&mut question.explanation);
        match &self.marking {
            Change::Keep => {}
            Change::Clear => question.marking = None,
            Change::Set(sent) => question.marking = Some(marking(school, question.kind, sent)?),
        }
        // What was right for the old type may be wrong for the new one.
        Ok(question.marking.iter().try_for_each(|marking| marking.suits(question.kind))?)
    }

    /// Whether the question can have the options that it will have.
    fn check_options(&self, question: &Question) -> Result<(), QuestionError> {
        let has_some = !question.options.is_empty();
        match (&self.options, question.kind.has_options()) {
            (Some(options), true) if options.len() > OPTIONS_MAX => {
                Err(QuestionError::TooManyOptions)
            }
            (Some(options), false) if !options.is_empty() => Err(QuestionError::TextWithOptions),
            (None, false) if has_some => Err(QuestionError::OptionsInTheWay),
            _ => Ok(()),
        }
    }
}

/// What a teacher sent, if answers can be marked so in this school.
fn marking(school: &School, kind: QuestionType, sent: &Value) -> Result<Marking, MarkingError> {
    let marking = Marking::parse(kind, sent.clone())?;
    school.graders.check(kind, &marking)?;
    Ok(marking)
}

/// Whether all options that have a weight are options of the question.
fn check_weights(
    marking: Option<&Marking>,
    options: &[QuestionOption],
) -> Result<(), QuestionError> {
    let Some(Marking::WeightedOptions { weights, .. }) = marking else { return Ok(()) };
    let is_known = |id: &Uuid| options.iter().any(|option| option.id == *id);
    match weights.keys().find(|id| !is_known(id)) {
        Some(id) => Err(QuestionError::WeightOfNothing(*id)),
        None => Ok(()),
    }
}

/// The question, if it is this teacher's.
pub async fn owned_question(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: Uuid,
) -> Result<Question, QuestionError> {
    let question = tx.questions().find(id).await?.ok_or(QuestionError::Unknown)?;
    authoring::owned(tx, teacher, question.assessment).await?;
    Ok(question)
}

/// The same, with its assessment held until the transaction ends.
pub(super) async fn lock_owned_question(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: Uuid,
) -> Result<(Assessment, Question), QuestionError> {
    let assessment = tx.questions().assessment_of(id).await?.ok_or(QuestionError::Unknown)?;
    let assessment = authoring::lock_owned(tx, teacher, assessment).await?;
    // It may have changed or gone while we waited for the assessment.
    let question = tx.questions().find(id).await?.ok_or(QuestionError::Unknown)?;
    Ok((assessment, question))
}

/// 10.3: an assessment's questions in order.
pub async fn list_questions(
    tx: &mut dyn Transaction,
    teacher: UserId,
    assessment: Uuid,
) -> Result<Vec<Question>, QuestionError> {
    authoring::owned(tx, teacher, assessment).await?;
    Ok(tx.questions().list(assessment).await?)
}

/// 10.3: makes a question with its options.
pub async fn create_question(
    school: &School,
    teacher: UserId,
    assessment: Uuid,
    new: NewQuestion,
) -> Result<Question, QuestionError> {
    if !new.options.is_empty() && !new.kind.has_options() {
        return Err(QuestionError::TextWithOptions);
    }
    if new.options.len() > OPTIONS_MAX {
        return Err(QuestionError::TooManyOptions);
    }
    let marking = new.marking.as_ref().map(|sent| marking(school, new.kind, sent)).transpose()?;
    // The options get their ids now, so none can have been weighed.
    check_weights(marking.as_ref(), &[])?;
    let image = new.image.map_or(Change::Keep, Change::Set);
    let image =
        profiles::store_picture(school, Some(teacher), FileKind::QuestionImage, image).await?;
    let now = school.clock.now();
    let id = school.entropy.uuid(now);
    let options = options::made(school, id, &new.options, 1);
    school
        .keep_files(image.new_file(), || async {
            let mut tx = school.storage.write().await?;
            authoring::lock_owned(&mut *tx, teacher, assessment).await?;
            let order = match new.order {
                None => tx.questions().next_order(assessment).await?,
                Some(order) => {
                    make_room(&mut *tx, assessment, order, id).await?;
                    order
                }
            };
            let mut question = Question {
                id,
                assessment,
                text: new.text.clone(),
                kind: new.kind,
                points: new.points,
                order,
                explanation: new.explanation.clone(),
                image: None,
                marking: marking.clone(),
                version: 1,
                options: options.clone(),
            };
            image.clone().apply(&mut question.image);
            tx.questions().add(&question).await?;
            tx.questions().add_options(&options).await?;
            tx.assessments().recount(assessment, now).await?;
            tx.commit().await?;
            Ok(question)
        })
        .await
}

/// Moves the others out of the way of a question that is about to take its place.
async fn make_room(
    tx: &mut dyn Transaction,
    assessment: Uuid,
    order: i64,
    question: Uuid,
) -> Result<(), StoreError> {
    match tx.questions().order_is_taken(assessment, order, question).await? {
        true => tx.questions().make_room(assessment, order, question).await,
        false => Ok(()),
    }
}

/// 10.4: changes what is sent and nothing else.
pub async fn update_question(
    school: &School,
    teacher: UserId,
    id: Uuid,
    mut changes: QuestionChanges,
) -> Result<Question, QuestionError> {
    let image = mem::take(&mut changes.image);
    let image =
        profiles::store_picture(school, Some(teacher), FileKind::QuestionImage, image).await?;
    let now = school.clock.now();
    let options = changes.options.as_ref().map(|new| options::made(school, id, new, 1));
    school
        .keep_files(image.new_file(), || async {
            let mut tx = school.storage.write().await?;
            let (assessment, before) = lock_owned_question(&mut *tx, teacher, id).await?;
            let mut question = before.clone();
            changes.apply(school, &mut question)?;
            changes.check_options(&question)?;
            if let Some(options) = &options {
                if tx.assessments().has_attempts(assessment.id).await? {
                    return Err(QuestionError::OptionsFrozen);
                }
                question.options.clone_from(options);
            }
            check_weights(question.marking.as_ref(), &question.options)?;
            let mut old = Vec::new();
            profiles::replace_picture(&image, &mut question.image, None, &mut old);
            if question != before {
                question.version += 1;
            }
            if let Some(order) = changes.order {
                make_room(&mut *tx, assessment.id, order, id).await?;
                question.order = order;
            }
            if question != before {
                tx.questions().save(&question).await?;
                if let Some(options) = &options {
                    tx.questions().delete_options(id).await?;
                    tx.questions().add_options(options).await?;
                }
                tx.assessments().recount(assessment.id, now).await?;
                delete_images(&mut *tx, school, assessment.id, old).await?;
            }
            tx.commit().await?;
            Ok(question)
        })
        .await
}

/// Has images deleted that no paper shows either.
async fn delete_images(
    tx: &mut dyn Transaction,
    school: &School,
    assessment: Uuid,
    images: Vec<FileKey>,
) -> Result<(), StoreError> {
    let mut unseen = Vec::new();
    for image in images {
        if !tx.assessments().is_on_paper(assessment, &image).await? {
            unseen.push(image);
        }
    }
    jobs::delete_files(tx, school, unseen).await
}

/// 10.4: deletes a question and its options. Attempts at it stay as they are, and so do the orders
/// of the others.
pub async fn delete_question(school: &School, by: &Actor, id: Uuid) -> Result<(), QuestionError> {
    let teacher = by.id;
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let (assessment, question) = lock_owned_question(&mut *tx, teacher, id).await?;
            tx.questions().delete(id).await?;
            tx.assessments().recount(assessment.id, now).await?;
            let images = question.image.into_iter().collect();
            delete_images(&mut *tx, school, assessment.id, images).await?;
            let deed = Deed::Deleted { teacher, object: ("question", id), title: &question.text };
            audit::note(&mut *tx, school, by, [deed]).await?;
            Ok(tx.commit().await?)
        })
        .await
}
