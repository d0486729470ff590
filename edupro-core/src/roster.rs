//! Which students a teacher has: join, block, remove, list (contract 1.11, 1.17–1.21).
//!
//! absent → active (register, join) ⇄ blocked (toggle) → absent (remove). Joining changes nothing
//! for somebody who is there already, blocked or not.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Page, PageOf, School, StoreError, StoreResult, Transaction,
    accounts::{Actor, User, UserId},
    audit::{self, Deed},
    events::{Event, announce},
    policies::{PolicyError, within_patience},
    students::Student,
};

/// Whether a teacher lets a student in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Yes.
    Active,
    /// No, until the teacher changes it.
    Blocked,
}

/// A student as one teacher has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The relation's own number.
    pub id: i64,
    /// The teacher.
    pub teacher: UserId,
    /// The student.
    pub student: Student,
    /// When the student joined.
    pub joined_at: DateTime<Utc>,
    /// The teacher's note.
    pub notes: Option<String>,
    /// Whether the teacher lets the student in.
    pub standing: Standing,
    /// What the student has done under this teacher.
    pub activity: Activity,
}

/// What a student has done under a teacher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Lessons completed in this teacher's courses.
    pub completed_lessons: i64,
    /// Courses of this teacher completed.
    pub completed_courses: i64,
    /// Courses of this teacher the student is enrolled in now.
    pub current_courses: i64,
    /// The latest of joining, enrolling, learning and sitting an assessment.
    pub last_activity: DateTime<Utc>,
}

/// What a teacher's list is ordered by; ties are broken by the student's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RosterOrder {
    /// The day the student joined.
    JoinedAt,
    /// The student's full name.
    FullName,
}

/// Which students of a teacher are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterQuery {
    /// Only the active, or only the blocked.
    pub is_active: Option<bool>,
    /// Words, in lower case, each of which must occur in the username, e-mail address or full name.
    pub words: Vec<String>,
    /// In which order, and whether backwards; the first counts most.
    pub order: Vec<(RosterOrder, bool)>,
    /// Which part.
    pub page: Page,
}

/// Where the relations are kept.
#[async_trait]
pub trait RosterStore: Send {
    /// How a student stands with a teacher; `None` when they have nothing to do with each other.
    async fn standing(&mut self, teacher: UserId, student: UserId)
    -> StoreResult<Option<Standing>>;

    /// Makes a student the teacher's; returns false when they were already.
    async fn join(
        &mut self,
        teacher: UserId,
        student: UserId,
        now: DateTime<Utc>,
    ) -> StoreResult<bool>;

    /// Ends it; returns false when there was nothing to end.
    async fn remove(&mut self, teacher: UserId, student: UserId) -> StoreResult<bool>;

    /// Blocks an active student and the reverse, in one statement; returns how they stand now.
    async fn toggle_block(
        &mut self,
        teacher: UserId,
        student: UserId,
    ) -> StoreResult<Option<Standing>>;

    /// A student as this teacher has them at this moment.
    async fn find(
        &mut self,
        teacher: UserId,
        student: UserId,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<Membership>>;

    /// A page of a teacher's students; `None` when there is no such page.
    async fn list(
        &mut self,
        teacher: UserId,
        query: &RosterQuery,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<PageOf<Membership>>>;
}

/// Why a request about a teacher's students came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// There is no such teacher, or the account is closed.
    #[error("Teacher not found.")]
    UnknownTeacher,
    /// The student is not this teacher's.
    #[error("Not found.")]
    NotAStudentOfTheirs,
    /// The list has no such page.
    #[error("Invalid page.")]
    NoSuchPage,
    /// The school's policy says no, or cannot decide.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The storage.
    #[error("a teacher's students could not be read or changed")]
    Store(#[from] StoreError),
}

/// The teacher with this username, in any case, whose account is open.
pub async fn teacher(tx: &mut dyn Transaction, username: &str) -> StoreResult<Option<User>> {
    let found = tx.users().find_by_username(username).await?;
    Ok(found.filter(|user| user.is_teacher() && user.is_active))
}

/// What came of joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// The student is new here.
    Now,
    /// The student was here already, perhaps blocked, and still is.
    Before,
}

/// 1.11: a student joins a teacher.
pub async fn join(school: &School, student: &Actor, username: &str) -> Result<Joined, RosterError> {
    may_join(school, student, username).await?;
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let teacher = teacher(&mut *tx, username).await?.ok_or(RosterError::UnknownTeacher)?;
            let is_new = admit(&mut *tx, school, teacher.id, student.id, now).await?;
            let deed = Deed::StudentJoined { teacher: teacher.id, student: student.id };
            audit::note(&mut *tx, school, student, is_new.then_some(deed)).await?;
            tx.commit().await?;
            Ok(if is_new { Joined::Now } else { Joined::Before })
        })
        .await
}

/// Asks the school's policy, if there is one and it makes a difference.
async fn may_join(school: &School, student: &User, username: &str) -> Result<(), RosterError> {
    let Some(policy) = &school.policy else { return Ok(()) };
    let mut tx = school.storage.read().await?;
    let teacher = teacher(&mut *tx, username).await?.ok_or(RosterError::UnknownTeacher)?;
    let standing = tx.roster().standing(teacher.id, student.id).await?;
    drop(tx);
    match standing {
        Some(_) => Ok(()),
        None => Ok(within_patience(policy.may_join(student, &teacher)).await?),
    }
}

/// Makes a student the teacher's; returns false when they were already.
pub(crate) async fn admit(
    tx: &mut dyn Transaction,
    school: &School,
    teacher: UserId,
    student: UserId,
    now: DateTime<Utc>,
) -> StoreResult<bool> {
    let is_new = tx.roster().join(teacher, student, now).await?;
    if is_new {
        announce(tx, school, Event::StudentJoined { teacher, student }).await?;
    }
    Ok(is_new)
}

/// 1.12: a student's profile as one teacher has it. The blocked see theirs.
pub async fn own(
    tx: &mut dyn Transaction,
    student: &User,
    username: &str,
    now: DateTime<Utc>,
) -> Result<Membership, RosterError> {
    let teacher = teacher(tx, username).await?.ok_or(RosterError::NotAStudentOfTheirs)?;
    find(tx, teacher.id, student.id, now).await
}

/// 1.21: the profile of one of a teacher's students.
pub async fn find(
    tx: &mut dyn Transaction,
    teacher: UserId,
    student: UserId,
    now: DateTime<Utc>,
) -> Result<Membership, RosterError> {
    tx.roster().find(teacher, student, now).await?.ok_or(RosterError::NotAStudentOfTheirs)
}

/// 1.17: a teacher removes a student. Enrolments stay, and come back to life on re-joining.
pub async fn remove(school: &School, by: &Actor, student: UserId) -> Result<(), RosterError> {
    let teacher = by.id;
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            if !tx.roster().remove(teacher, student).await? {
                return Err(RosterError::NotAStudentOfTheirs);
            }
            announce(&mut *tx, school, Event::StudentRemoved { teacher, student }).await?;
            let deed = Deed::StudentRemoved { teacher, student };
            audit::note(&mut *tx, school, by, [deed]).await?;
            Ok(tx.commit().await?)
        })
        .await
}

/// 1.18: a teacher blocks a student, or lets them in again.
pub async fn toggle_block(
    school: &School,
    by: &Actor,
    student: UserId,
) -> Result<Standing, RosterError> {
    let teacher = by.id;
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let standing = tx.roster().toggle_block(teacher, student).await?;
            let standing = standing.ok_or(RosterError::NotAStudentOfTheirs)?;
            let (event, deed) = match standing {
                Standing::Blocked => (
                    Event::StudentBlocked { teacher, student },
                    Deed::StudentBlocked { teacher, student },
                ),
                Standing::Active => (
                    Event::StudentUnblocked { teacher, student },
                    Deed::StudentUnblocked { teacher, student },
                ),
            };
            announce(&mut *tx, school, event).await?;
            audit::note(&mut *tx, school, by, [deed]).await?;
            tx.commit().await?;
            Ok(standing)
        })
        .await
}

/// 1.19, 1.20: a page of a teacher's students.
pub async fn list(
    tx: &mut dyn Transaction,
    teacher: UserId,
    query: &RosterQuery,
    now: DateTime<Utc>,
) -> Result<PageOf<Membership>, RosterError> {
    tx.roster().list(teacher, query, now).await?.ok_or(RosterError::NoSuchPage)
}
