//! What a teacher does with options (contract 10.5, 10.6).

use uuid::Uuid;

use super::{
    QuestionError, QuestionOption, authoring,
    writing::{OPTIONS_MAX, lock_owned_question},
};
use crate::{
    School, StoreError, Transaction,
    accounts::{Actor, UserId},
    audit::{self, Deed},
};

/// An option that is about to be made.
#[derive(Clone, Debug)]
pub struct NewOption {
    /// [`QuestionOption::text`].
    pub text: String,
    /// [`QuestionOption::is_correct`].
    pub is_correct: bool,
}

/// What becomes of an option.
#[derive(Clone, Debug, Default)]
pub struct OptionChanges {
    /// [`QuestionOption::text`].
    pub text: Option<String>,
    /// [`QuestionOption::is_correct`].
    pub is_correct: Option<bool>,
}

/// Options of a question, the first with the order `from`.
pub(super) fn made(
    school: &School,
    question: Uuid,
    new: &[NewOption],
    from: i64,
) -> Vec<QuestionOption> {
    let now = school.clock.now();
    let made = new.iter().zip(from..).map(|(new, order)| QuestionOption {
        id: school.entropy.uuid(now),
        question,
        text: new.text.clone(),
        is_correct: new.is_correct,
        order,
    });
    made.collect()
}

/// 10.5: makes options of a question, behind those it has.
pub async fn create_options(
    school: &School,
    teacher: UserId,
    question: Uuid,
    new: &[NewOption],
) -> Result<Vec<QuestionOption>, QuestionError> {
    let now = school.clock.now();
    let new = made(school, question, new, 1);
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let (assessment, question) = lock_owned_question(&mut *tx, teacher, question).await?;
            if !question.kind.has_options() {
                return Err(QuestionError::NoOptionsHere);
            }
            if question.options.len() + new.len() > OPTIONS_MAX {
                return Err(QuestionError::TooManyOptions);
            }
            let last = question.options.last().map_or(0, |option| option.order);
            let mut options = new.clone();
            for option in &mut options {
                option.order += last;
            }
            tx.questions().add_options(&options).await?;
            changed(&mut *tx, question.id, assessment.id, now).await?;
            tx.commit().await?;
            Ok(options)
        })
        .await
}

/// Notes that a question has another key.
async fn changed(
    tx: &mut dyn Transaction,
    question: Uuid,
    assessment: Uuid,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), StoreError> {
    tx.questions().touch(question).await?;
    tx.assessments().recount(assessment, now).await
}

/// 10.6: the option, if it is this teacher's.
pub async fn owned_option(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: Uuid,
) -> Result<QuestionOption, QuestionError> {
    let option = tx.questions().find_option(id).await?.ok_or(QuestionError::Unknown)?;
    let assessment = tx.questions().assessment_of(option.question).await?;
    authoring::owned(tx, teacher, assessment.ok_or(QuestionError::Unknown)?).await?;
    Ok(option)
}

/// 10.6: changes what is sent and nothing else.
pub async fn update_option(
    school: &School,
    teacher: UserId,
    id: Uuid,
    changes: OptionChanges,
) -> Result<QuestionOption, QuestionError> {
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let (assessment, before) = lock_owned(&mut *tx, teacher, id).await?;
            let mut option = before.clone();
            if let Some(text) = &changes.text {
                option.text.clone_from(text);
            }
            option.is_correct = changes.is_correct.unwrap_or(option.is_correct);
            if option != before {
                tx.questions().save_option(&option).await?;
                changed(&mut *tx, option.question, assessment, now).await?;
            }
            tx.commit().await?;
            Ok(option)
        })
        .await
}

/// The option and the id of its assessment, which is held until the transaction ends.
async fn lock_owned(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: Uuid,
) -> Result<(Uuid, QuestionOption), QuestionError> {
    let option = tx.questions().find_option(id).await?.ok_or(QuestionError::Unknown)?;
    let assessment = tx.questions().assessment_of(option.question).await?;
    let assessment = assessment.ok_or(QuestionError::Unknown)?;
    authoring::lock_owned(tx, teacher, assessment).await?;
    // It may have changed or gone while we waited for the assessment.
    let option = tx.questions().find_option(id).await?.ok_or(QuestionError::Unknown)?;
    Ok((assessment, option))
}

/// 10.6: deletes an option. Answers that chose it stay as they are, and so do the orders of the
/// others.
pub async fn delete_option(school: &School, by: &Actor, id: Uuid) -> Result<(), QuestionError> {
    let teacher = by.id;
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let (assessment, option) = lock_owned(&mut *tx, teacher, id).await?;
            tx.questions().delete_option(id).await?;
            changed(&mut *tx, option.question, assessment, now).await?;
            let deed = Deed::Deleted { teacher, object: ("option", id), title: &option.text };
            audit::note(&mut *tx, school, by, [deed]).await?;
            Ok(tx.commit().await?)
        })
        .await
}
