//! Teachers' profiles (contract 1.14–1.16).

use std::mem;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    Change, School, StoreResult, Transaction,
    accounts::{User, UserId},
    files::{FileKey, FileKind, Picture},
    jobs,
    profiles::{self, Profile, ProfileChanges},
    roster,
    students::ProfileError,
};

/// Longest text of a colour, in characters: `#RRGGBB` (behaviour 3.3).
pub const COLOR_LENGTH: usize = 7;

/// The colours of a teacher's pages, as CSS has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    /// Buttons and links.
    pub primary: Option<String>,
    /// A lighter one.
    pub primary_light: Option<String>,
    /// A darker one.
    pub primary_dark: Option<String>,
    /// What stands beside it.
    pub secondary: Option<String>,
    /// What should be seen first.
    pub accent: Option<String>,
    /// What everything stands on.
    pub background: Option<String>,
}

/// A teacher: the account and the profile, which have the same number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Teacher {
    /// The account.
    pub user: User,
    /// What the teacher says of themselves.
    pub profile: Profile,
    /// What the teacher teaches.
    pub specialization: Option<String>,
    /// Where.
    pub institution: Option<String>,
    /// What the teacher has done before. The contract spells it so.
    pub experiance: Option<String>,
    /// The logo of the registration until the teacher sends another.
    pub logo: Option<FileKey>,
    /// The colours of the teacher's pages.
    pub palette: Palette,
    /// Mean rating of the teacher's rated courses, 0 without any.
    pub rating: Decimal,
    /// When the profile was made.
    pub created_at: DateTime<Utc>,
}

impl Teacher {
    /// The profile of somebody who has just registered.
    #[must_use]
    pub fn new(user: User) -> Self {
        Self {
            profile: Profile::of(&user),
            specialization: None,
            institution: None,
            experiance: None,
            logo: user.logo.clone(),
            palette: Palette::default(),
            rating: Decimal::ZERO,
            created_at: user.created_at,
            user,
        }
    }
}

/// A teacher with what is counted at the moment of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeacherWithCounts {
    /// The teacher.
    pub teacher: Teacher,
    /// Courses, unpublished ones too.
    pub courses: i64,
    /// Courses that anybody sees.
    pub published_courses: i64,
    /// Students, the blocked ones too.
    pub students: i64,
}

/// Where teachers' profiles are kept.
#[async_trait]
pub trait TeacherStore: Send {
    /// Adds the profile of a new teacher.
    async fn add(&mut self, teacher: &Teacher) -> StoreResult<()>;

    /// The teacher and the counts.
    async fn find(&mut self, id: UserId) -> StoreResult<Option<TeacherWithCounts>>;

    /// The teacher, whose row nobody else changes until this transaction ends.
    async fn lock(&mut self, id: UserId, now: DateTime<Utc>) -> StoreResult<Option<Teacher>>;

    /// Keeps the profile as it is here; the rating is not the teacher's to change.
    async fn save(&mut self, teacher: &Teacher) -> StoreResult<()>;
}

/// 1.14: a teacher's own profile.
pub async fn own(
    tx: &mut dyn Transaction,
    teacher: UserId,
) -> Result<TeacherWithCounts, ProfileError> {
    tx.teachers().find(teacher).await?.ok_or(ProfileError::NoProfile)
}

/// 1.15: a teacher's profile as anybody sees it.
pub async fn public(
    tx: &mut dyn Transaction,
    username: &str,
) -> Result<TeacherWithCounts, ProfileError> {
    let teacher = roster::teacher(tx, username).await?.ok_or(ProfileError::NoProfile)?;
    own(tx, teacher.id).await
}

/// What a teacher changes in their profile.
#[derive(Debug, Default)]
pub struct TeacherChanges {
    /// What students have too.
    pub profile: ProfileChanges,
    /// [`Teacher::specialization`].
    pub specialization: Change<String>,
    /// [`Teacher::institution`].
    pub institution: Change<String>,
    /// [`Teacher::experiance`].
    pub experiance: Change<String>,
    /// [`Teacher::logo`].
    pub logo: Change<Picture>,
    /// [`Palette::primary`].
    pub primary_color: Change<String>,
    /// [`Palette::primary_light`].
    pub primary_color_light: Change<String>,
    /// [`Palette::primary_dark`].
    pub primary_color_dark: Change<String>,
    /// [`Palette::secondary`].
    pub secondary_color: Change<String>,
    /// [`Palette::accent`].
    pub accent_color: Change<String>,
    /// [`Palette::background`].
    pub background_color: Change<String>,
}

impl TeacherChanges {
    fn apply(&self, teacher: &mut Teacher) {
        self.profile.apply(&mut teacher.profile, &teacher.user);
        let palette = &mut teacher.palette;
        for (change, place) in [
            (&self.specialization, &mut teacher.specialization),
            (&self.institution, &mut teacher.institution),
            (&self.experiance, &mut teacher.experiance),
            (&self.primary_color, &mut palette.primary),
            (&self.primary_color_light, &mut palette.primary_light),
            (&self.primary_color_dark, &mut palette.primary_dark),
            (&self.secondary_color, &mut palette.secondary),
            (&self.accent_color, &mut palette.accent),
            (&self.background_color, &mut palette.background),
        ] {
            change.clone().apply(place);
        }
    }
}

/// 1.16: changes what is sent and nothing else.
pub async fn update(
    school: &School,
    id: UserId,
    mut changes: TeacherChanges,
) -> Result<TeacherWithCounts, ProfileError> {
    let now = school.clock.now();
    if !profiles::is_possible_birthday(&changes.profile.date_of_birth, now) {
        return Err(ProfileError::BornInTheFuture);
    }
    let picture = mem::take(&mut changes.profile.picture);
    let picture =
        profiles::store_picture(school, Some(id), FileKind::ProfilePicture, picture).await?;
    let mut new = picture.new_file();
    let logo = mem::take(&mut changes.logo);
    let logo = match profiles::store_picture(school, Some(id), FileKind::Logo, logo).await {
        Ok(logo) => logo,
        Err(error) => {
            school.discard(&new).await;
            return Err(error.into());
        }
    };
    new.extend(logo.new_file());
    school
        .keep_files(new, || async {
            let mut tx = school.storage.write().await?;
            let mut teacher = tx.teachers().lock(id, now).await?.ok_or(ProfileError::NoProfile)?;
            let mut old = Vec::new();
            changes.apply(&mut teacher);
            let Teacher { user, profile, logo: place, .. } = &mut teacher;
            let avatar = user.avatar.as_ref();
            profiles::replace_picture(&picture, &mut profile.picture, avatar, &mut old);
            profiles::replace_picture(&logo, place, user.logo.as_ref(), &mut old);
            tx.teachers().save(&teacher).await?;
            jobs::delete_files(&mut *tx, school, old).await?;
            let teacher = tx.teachers().find(id).await?.ok_or(ProfileError::NoProfile)?;
            tx.commit().await?;
            Ok(teacher)
        })
        .await
}
