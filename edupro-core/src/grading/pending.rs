//! What waits for a teacher (contract 10.12).

use uuid::Uuid;

use super::{GradingError, GradingItem, PendingOf};
use crate::{
    Transaction,
    accounts::UserId,
    assessments::{self, AssessmentType, QuestionType},
    courses,
};

/// Which answers are asked for: those for which all of this holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingFilter {
    /// They are of these courses, their modules and their lessons.
    pub courses: Vec<Uuid>,
    /// They are of these assessments.
    pub assessments: Vec<Uuid>,
    /// The assessment is of these types, in words.
    pub kinds: Vec<String>,
    /// The question is of these types, in words.
    pub question_kinds: Vec<String>,
}

impl PendingFilter {
    /// What that comes to; `None` when it holds for nothing, since a word is unknown or one thing
    /// would have to be two.
    fn of(&self, teacher: UserId) -> Option<PendingOf> {
        let kinds = known(&self.kinds, AssessmentType::from_word)?;
        let question_kinds = known(&self.question_kinds, QuestionType::from_word)?;
        Some(PendingOf {
            teacher,
            course: one(&self.courses, |course| *course)?,
            assessment: one(&self.assessments, |assessment| *assessment)?,
            kind: one(&kinds, |kind| kind.synonyms())?,
            question_kind: one(&question_kinds, |kind| *kind)?,
        })
    }
}

fn known<T>(words: &[String], from_word: fn(&str) -> Option<T>) -> Option<Vec<T>> {
    words.iter().map(|word| from_word(word)).collect()
}

/// The one thing that all of them are; `None` when they are several.
#[expect(clippy::option_option, reason = "nothing wanted and nothing possible are two things")]
fn one<T: Copy, K: PartialEq>(wanted: &[T], same: fn(&T) -> K) -> Option<Option<T>> {
    let Some(first) = wanted.first().copied() else { return Some(None) };
    wanted.iter().all(|other| same(other) == same(&first)).then_some(Some(first))
}

/// 10.12: the answers that wait for a teacher, those that wait longest first. Courses and
/// assessments that are asked for must be the teacher's.
pub async fn pending(
    tx: &mut dyn Transaction,
    teacher: UserId,
    filter: &PendingFilter,
) -> Result<Vec<GradingItem>, GradingError> {
    for course in &filter.courses {
        courses::owned(tx, teacher, *course).await?;
    }
    for assessment in &filter.assessments {
        assessments::owned(tx, teacher, *assessment).await?;
    }
    match filter.of(teacher) {
        Some(of) => Ok(tx.grading().pending(of).await?),
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_hold_all_together() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let of = |kinds: &[&str], question_kinds: &[&str]| {
            let filter = PendingFilter {
                kinds: words(kinds),
                question_kinds: words(question_kinds),
                ..PendingFilter::default()
            };
            filter.of(UserId(1)).map(|of| (of.kind, of.question_kind))
        };
        let (exam, essay) = (AssessmentType::Exam, QuestionType::Essay);
        assert_eq!(of(&[], &[]), Some((None, None)));
        assert_eq!(of(&["exam"], &["essay"]), Some((Some(exam), Some(essay))));
        assert_eq!(of(&["exam", "course_exam"], &[]), Some((Some(exam), None)));
        assert_eq!(of(&["exam", "quiz"], &[]), None);
        assert_eq!(of(&[], &["essay", "short_answer"]), None);
        assert_eq!(of(&["riddle"], &[]), None);
        assert_eq!(of(&[], &["essay", "riddle"]), None);
        let ids = [Uuid::nil(), Uuid::max()].to_vec();
        let filter = PendingFilter { courses: ids, ..PendingFilter::default() };
        assert_eq!(filter.of(UserId(1)), None);
    }
}
