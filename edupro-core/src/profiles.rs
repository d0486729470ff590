//! What a student and a teacher both say of themselves (behaviour 3.2, 3.3).

use chrono::{DateTime, NaiveDate, Utc};

use crate::{
    Change, School,
    accounts::{User, UserId},
    files::{FileError, FileKey, FileKind, Picture},
};

/// Longest full name, country and city, in characters (behaviour 1.13).
pub const NAME_LENGTH: usize = 100;
/// Longest biography, in characters (behaviour 1.13).
pub const BIO_LENGTH: usize = 5_000;
/// Longest address, in characters (behaviour 1.13).
pub const ADDRESS_LENGTH: usize = 255;
/// Longest word for a gender, in characters (behaviour 1.13).
pub const GENDER_LENGTH: usize = 10;

/// What a person says of themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// First and last name until the person says otherwise, and again when it is emptied.
    pub full_name: String,
    /// Free text.
    pub bio: Option<String>,
    /// The avatar of the registration until the person sends another picture.
    pub picture: Option<FileKey>,
    /// Not in the future.
    pub date_of_birth: Option<NaiveDate>,
    /// Free text.
    pub address: Option<String>,
    /// Free text.
    pub country: Option<String>,
    /// Free text.
    pub city: Option<String>,
    /// Free text.
    pub gender: Option<String>,
}

impl Profile {
    /// The profile of somebody who has just registered.
    #[must_use]
    pub fn of(user: &User) -> Self {
        Self {
            full_name: user.name(),
            bio: None,
            picture: user.avatar.clone(),
            date_of_birth: None,
            address: None,
            country: None,
            city: None,
            gender: None,
        }
    }
}

/// What somebody changes in their profile. The picture has been stored already.
#[derive(Debug, Default)]
pub struct ProfileChanges {
    /// [`Profile::full_name`].
    pub full_name: Change<String>,
    /// [`Profile::bio`].
    pub bio: Change<String>,
    /// [`Profile::picture`].
    pub picture: Change<Picture>,
    /// [`Profile::date_of_birth`].
    pub date_of_birth: Change<NaiveDate>,
    /// [`Profile::address`].
    pub address: Change<String>,
    /// [`Profile::country`].
    pub country: Change<String>,
    /// [`Profile::city`].
    pub city: Change<String>,
    /// [`Profile::gender`].
    pub gender: Change<String>,
}

impl ProfileChanges {
    /// Carries the changes out, all but the picture's.
    pub(crate) fn apply(&self, profile: &mut Profile, user: &User) {
        if let Change::Set(name) = &self.full_name
            && !name.is_empty()
        {
            profile.full_name.clone_from(name);
        } else if self.full_name != Change::Keep {
            profile.full_name = user.name();
        }
        self.bio.clone().apply(&mut profile.bio);
        self.date_of_birth.clone().apply(&mut profile.date_of_birth);
        self.address.clone().apply(&mut profile.address);
        self.country.clone().apply(&mut profile.country);
        self.city.clone().apply(&mut profile.city);
        self.gender.clone().apply(&mut profile.gender);
    }
}

/// Whether somebody can have been born on that day.
pub(crate) fn is_possible_birthday(day: &Change<NaiveDate>, now: DateTime<Utc>) -> bool {
    !matches!(day, Change::Set(day) if *day > now.date_naive())
}

/// Stores the new picture of a change, before the transaction that will name it. What is a
/// teacher's counts against the teacher's quota.
pub(crate) async fn store_picture(
    school: &School,
    teacher: Option<UserId>,
    kind: FileKind,
    change: Change<Picture>,
) -> Result<Change<FileKey>, FileError> {
    Ok(match change {
        Change::Keep => Change::Keep,
        Change::Clear => Change::Clear,
        Change::Set(picture) => Change::Set(school.store_file(teacher, kind, picture).await?),
    })
}

/// Puts a stored picture in the place of an old one, and notes the old one for deletion unless
/// somebody else still shows it.
pub(crate) fn replace_picture(
    change: &Change<FileKey>,
    place: &mut Option<FileKey>,
    shared: Option<&FileKey>,
    old: &mut Vec<FileKey>,
) {
    let before = place.clone();
    change.clone().apply(place);
    if before != *place {
        old.extend(before.filter(|before| Some(before) != shared));
    }
}
