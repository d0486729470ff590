//! Students' own profiles (contract 1.13).

use std::mem;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    School, StoreError, StoreResult,
    accounts::{User, UserId},
    files::{FileError, FileKind},
    jobs,
    profiles::{self, Profile, ProfileChanges},
};

/// A student: the account and the profile, which have the same number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Student {
    /// The account.
    pub user: User,
    /// What the student says of themselves.
    pub profile: Profile,
}

/// Where students' profiles are kept.
#[async_trait]
pub trait StudentStore: Send {
    /// Adds the profile of a new student.
    async fn add(&mut self, student: &Student) -> StoreResult<()>;

    /// The student.
    async fn find(&mut self, id: UserId) -> StoreResult<Option<Student>>;

    /// The student, whose row nobody else changes until this transaction ends.
    async fn lock(&mut self, id: UserId, now: DateTime<Utc>) -> StoreResult<Option<Student>>;

    /// Keeps the profile as it is here.
    async fn save(&mut self, student: &Student) -> StoreResult<()>;
}

/// Why a profile stays as it is. Teachers' profiles have the same reasons.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Nobody has been born then yet.
    #[error("Date of birth cannot be in the future.")]
    BornInTheFuture,
    /// The account has no such profile.
    #[error("Not found.")]
    NoProfile,
    /// A picture could not be stored.
    #[error("a picture could not be stored")]
    File(#[from] FileError),
    /// The storage.
    #[error("a profile could not be saved")]
    Store(#[from] StoreError),
}

/// 1.13: changes what is sent and nothing else.
pub async fn update(
    school: &School,
    student: UserId,
    mut changes: ProfileChanges,
) -> Result<Student, ProfileError> {
    let now = school.clock.now();
    if !profiles::is_possible_birthday(&changes.date_of_birth, now) {
        return Err(ProfileError::BornInTheFuture);
    }
    let picture = mem::take(&mut changes.picture);
    let picture = profiles::store_picture(school, None, FileKind::ProfilePicture, picture).await?;
    school
        .keep_files(picture.new_file(), || async {
            let mut tx = school.storage.write().await?;
            let mut student =
                tx.students().lock(student, now).await?.ok_or(ProfileError::NoProfile)?;
            let mut old = Vec::new();
            changes.apply(&mut student.profile, &student.user);
            profiles::replace_picture(
                &picture,
                &mut student.profile.picture,
                student.user.avatar.as_ref(),
                &mut old,
            );
            tx.students().save(&student).await?;
            jobs::delete_files(&mut *tx, school, old).await?;
            tx.commit().await?;
            Ok(student)
        })
        .await
}
