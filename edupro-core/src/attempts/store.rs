use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Answer, Attempt, Expired, Paper};
use crate::{
    Page, PageOf, StoreResult,
    access::Ties,
    accounts::UserId,
    assessments::{Assessment, AssessmentType},
};

/// What is known of a student and an assessment before a start, read in one statement.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The assessment.
    pub assessment: Assessment,
    /// What ties the student to what it belongs to, and to its teacher.
    pub ties: Ties,
    /// How often the student has started it.
    pub attempts_used: i64,
    /// The attempt that the student is in, as far as anybody has noted.
    pub running: Option<Uuid>,
    /// The paper of the assessment's present revision, if somebody has started that.
    pub paper: Option<Paper>,
}

/// An attempt with all that it is about, read in one statement.
#[derive(Clone, Debug)]
pub struct Sitting {
    /// The attempt.
    pub attempt: Attempt,
    /// The assessment as it is now.
    pub assessment: Assessment,
    /// The questions as they were at the start.
    pub paper: Paper,
    /// What ties the student to what the assessment belongs to, and to its teacher.
    pub ties: Ties,
}

/// Who takes an assessment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taker {
    /// The student's number.
    pub id: UserId,
    /// The name of the account.
    pub username: String,
    /// The name of the profile.
    pub full_name: String,
}

/// An attempt in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptSummary {
    /// The attempt.
    pub attempt: Attempt,
    /// What it is an attempt at.
    pub assessment: Assessment,
    /// Whose it is.
    pub student: Taker,
}

/// Which attempts at a teacher's assessments are asked for. What is not given filters nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptsOf {
    /// Whose assessments.
    pub teacher: UserId,
    /// Only those at this one.
    pub assessment: Option<Uuid>,
    /// Only those at assessments of this course, its modules and its lessons.
    pub course: Option<Uuid>,
    /// Only those at assessments of this type or its synonym.
    pub kind: Option<AssessmentType>,
    /// Only those of this student.
    pub student: Option<UserId>,
    /// Only those of the student with this username, in any case.
    pub username: Option<String>,
}

impl AttemptsOf {
    /// All attempts at a teacher's assessments.
    #[must_use]
    pub const fn teacher(teacher: UserId) -> Self {
        Self { teacher, assessment: None, course: None, kind: None, student: None, username: None }
    }
}

/// Where attempts, their papers and their answers are kept.
#[async_trait]
pub trait AttemptStore: Send {
    /// A student and an assessment whose teacher has this username, in any case, and an open
    /// account.
    async fn candidate(
        &mut self,
        student: UserId,
        assessment: Uuid,
        teacher: &str,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<Candidate>>;

    /// The paper of a revision.
    async fn paper(&mut self, assessment: Uuid, revision: i64) -> StoreResult<Option<Paper>>;

    /// Keeps a paper, unless its revision has one already, or is not the assessment's present one
    /// any more: then false.
    async fn add_paper(&mut self, paper: &Paper) -> StoreResult<bool>;

    /// Keeps a new attempt under the student's next number, which is returned. `None` when the
    /// student is in an attempt, has had `most` of them, or somebody is in the way; when the
    /// assessment has just gone, that is `Contended`.
    async fn start(&mut self, attempt: &Attempt, most: i64) -> StoreResult<Option<i64>>;

    /// An attempt with all that it is about. `now` is the moment of the ties.
    async fn sitting(&mut self, attempt: Uuid, now: DateTime<Utc>) -> StoreResult<Option<Sitting>>;

    /// Keeps how an attempt has ended, if it is in progress; false when it is not.
    async fn hand_in(&mut self, attempt: &Attempt) -> StoreResult<bool>;

    /// Keeps answers, however many, in one statement for every five hundred.
    async fn add_answers(&mut self, answers: &[Answer]) -> StoreResult<()>;

    /// The answers of an attempt, in the order of its paper.
    async fn answers(&mut self, attempt: Uuid) -> StoreResult<Vec<Answer>>;

    /// Which of these are options of any question at all.
    async fn known_options(&mut self, options: &[Uuid]) -> StoreResult<Vec<Uuid>>;

    /// Expires the attempts in progress whose deadline was before `then`, however many, in one
    /// statement, and returns them in the order of their ids. Nobody else gets one of them, now or
    /// later.
    async fn expire(&mut self, then: DateTime<Utc>) -> StoreResult<Vec<Expired>>;

    /// The same for one attempt; `None` when it has ended already, or is not that late.
    async fn expire_one(
        &mut self,
        attempt: Uuid,
        then: DateTime<Utc>,
    ) -> StoreResult<Option<Expired>>;

    /// All attempts, the newest first.
    async fn list(&mut self, of: &AttemptsOf) -> StoreResult<Vec<AttemptSummary>>;

    /// A page of them; `None` when there is no such page.
    async fn page(
        &mut self,
        of: &AttemptsOf,
        page: Page,
    ) -> StoreResult<Option<PageOf<AttemptSummary>>>;
}
