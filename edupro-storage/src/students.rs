use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use edupro_core::{
    StoreError, StoreResult,
    accounts::UserId,
    files::FileKey,
    profiles::Profile,
    students::{Student, StudentStore},
};

use crate::{
    sql::Tx,
    users::{UserRow, user_columns},
};

/// The columns of [`ProfileRow`], from a profile table called `p`.
macro_rules! profile_columns {
    () => {
        "p.full_name, p.bio, p.picture, p.date_of_birth, p.address, p.country, p.city, p.gender"
    };
}
pub(crate) use profile_columns;

/// What students' and teachers' profiles have in common.
#[derive(sqlx::FromRow)]
pub(crate) struct ProfileRow {
    full_name: String,
    bio: Option<String>,
    picture: Option<String>,
    date_of_birth: Option<NaiveDate>,
    address: Option<String>,
    country: Option<String>,
    city: Option<String>,
    gender: Option<String>,
}

impl From<ProfileRow> for Profile {
    fn from(row: ProfileRow) -> Self {
        Self {
            full_name: row.full_name,
            bio: row.bio,
            picture: row.picture.map(FileKey::from_stored),
            date_of_birth: row.date_of_birth,
            address: row.address,
            country: row.country,
            city: row.city,
            gender: row.gender,
        }
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct StudentRow {
    #[sqlx(flatten)]
    user: UserRow,
    #[sqlx(flatten)]
    profile: ProfileRow,
}

impl TryFrom<StudentRow> for Student {
    type Error = StoreError;

    fn try_from(row: StudentRow) -> StoreResult<Self> {
        Ok(Self { user: row.user.try_into()?, profile: row.profile.into() })
    }
}

/// What a teacher searches: a line each, so that no word can match across two of them.
fn search_text(student: &Student) -> String {
    let Student { user, profile } = student;
    format!("{}\n{}\n{}", user.username, user.email, profile.full_name).to_lowercase()
}

#[async_trait]
impl StudentStore for Tx {
    async fn add(&mut self, student: &Student) -> StoreResult<()> {
        let profile = &student.profile;
        self.query(
            "INSERT INTO student_profiles (id, full_name, full_name_key, search_text, picture, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(student.user.id.0)
        .bind(profile.full_name.clone())
        .bind(profile.full_name.to_lowercase())
        .bind(search_text(student))
        .bind(profile.picture.as_ref().map(ToString::to_string))
        .bind(student.user.created_at)
        .execute()
        .await?;
        Ok(())
    }

    async fn find(&mut self, id: UserId) -> StoreResult<Option<Student>> {
        let row = self
            .query(concat!(
                "SELECT ",
                user_columns!(),
                ", ",
                profile_columns!(),
                " FROM student_profiles p JOIN users u ON u.id = p.id WHERE p.id = $1"
            ))
            .bind(id.0)
            .optional::<StudentRow>()
            .await?;
        row.map(Student::try_from).transpose()
    }

    async fn lock(&mut self, id: UserId, now: DateTime<Utc>) -> StoreResult<Option<Student>> {
        self.query("UPDATE student_profiles SET updated_at = $2 WHERE id = $1")
            .bind(id.0)
            .bind(now)
            .execute()
            .await?;
        StudentStore::find(self, id).await
    }

    async fn save(&mut self, student: &Student) -> StoreResult<()> {
        let profile = &student.profile;
        self.query(
            "UPDATE student_profiles
             SET full_name = $2, full_name_key = $3, search_text = $4, bio = $5, picture = $6,
                 date_of_birth = $7, address = $8, country = $9, city = $10, gender = $11
             WHERE id = $1",
        )
        .bind(student.user.id.0)
        .bind(profile.full_name.clone())
        .bind(profile.full_name.to_lowercase())
        .bind(search_text(student))
        .bind(profile.bio.clone())
        .bind(profile.picture.as_ref().map(ToString::to_string))
        .bind(profile.date_of_birth)
        .bind(profile.address.clone())
        .bind(profile.country.clone())
        .bind(profile.city.clone())
        .bind(profile.gender.clone())
        .execute()
        .await?;
        Ok(())
    }
}
