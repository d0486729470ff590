use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    accounts::UserId,
    files::FileKey,
    teachers::{Palette, Teacher, TeacherStore, TeacherWithCounts},
};
use rust_decimal::Decimal;

use crate::{
    sql::Tx,
    students::{ProfileRow, profile_columns},
    users::{UserRow, user_columns},
};

#[derive(sqlx::FromRow)]
struct TeacherRow {
    #[sqlx(flatten)]
    user: UserRow,
    #[sqlx(flatten)]
    profile: ProfileRow,
    specialization: Option<String>,
    institution: Option<String>,
    experiance: Option<String>,
    profile_logo: Option<String>,
    primary_color: Option<String>,
    primary_color_light: Option<String>,
    primary_color_dark: Option<String>,
    secondary_color: Option<String>,
    accent_color: Option<String>,
    background_color: Option<String>,
    rating: i64,
    profile_created_at: DateTime<Utc>,
    courses: i64,
    published_courses: i64,
    students: i64,
}

impl TryFrom<TeacherRow> for TeacherWithCounts {
    type Error = StoreError;

    fn try_from(row: TeacherRow) -> StoreResult<Self> {
        let teacher = Teacher {
            user: row.user.try_into()?,
            profile: row.profile.into(),
            specialization: row.specialization,
            institution: row.institution,
            experiance: row.experiance,
            logo: row.profile_logo.map(FileKey::from_stored),
            palette: Palette {
                primary: row.primary_color,
                primary_light: row.primary_color_light,
                primary_dark: row.primary_color_dark,
                secondary: row.secondary_color,
                accent: row.accent_color,
                background: row.background_color,
            },
            rating: Decimal::new(row.rating, 2),
            created_at: row.profile_created_at,
        };
        Ok(Self {
            teacher,
            courses: row.courses,
            published_courses: row.published_courses,
            students: row.students,
        })
    }
}

#[async_trait]
impl TeacherStore for Tx {
    async fn add(&mut self, teacher: &Teacher) -> StoreResult<()> {
        self.query(
            "INSERT INTO teacher_profiles (id, full_name, full_name_key, picture, logo, rating,
                                           created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, 0, $6, $6)",
        )
        .bind(teacher.user.id.0)
        .bind(teacher.profile.full_name.clone())
        .bind(teacher.profile.full_name.to_lowercase())
        .bind(teacher.profile.picture.as_ref().map(ToString::to_string))
        .bind(teacher.logo.as_ref().map(ToString::to_string))
        .bind(teacher.created_at)
        .execute()
        .await?;
        Ok(())
    }

    async fn find(&mut self, id: UserId) -> StoreResult<Option<TeacherWithCounts>> {
        let row = self
            .query(concat!(
                "SELECT ",
                user_columns!(),
                ", ",
                profile_columns!(),
                ", p.specialization, p.institution, p.experiance, p.logo AS profile_logo,
                   p.primary_color, p.primary_color_light, p.primary_color_dark, p.secondary_color,
                   p.accent_color, p.background_color, p.rating, p.created_at AS profile_created_at,
                   (SELECT COUNT(*) FROM courses c WHERE c.teacher_id = p.id) AS courses,
                   (SELECT COUNT(*) FROM courses c
                    WHERE c.teacher_id = p.id AND c.is_published) AS published_courses,
                   (SELECT COUNT(*) FROM teacher_students r WHERE r.teacher_id = p.id) AS students
                 FROM teacher_profiles p JOIN users u ON u.id = p.id WHERE p.id = $1"
            ))
            .bind(id.0)
            .optional::<TeacherRow>()
            .await?;
        row.map(TeacherWithCounts::try_from).transpose()
    }

    async fn lock(&mut self, id: UserId, now: DateTime<Utc>) -> StoreResult<Option<Teacher>> {
        self.query("UPDATE teacher_profiles SET updated_at = $2 WHERE id = $1")
            .bind(id.0)
            .bind(now)
            .execute()
            .await?;
        Ok(TeacherStore::find(self, id).await?.map(|found| found.teacher))
    }

    async fn save(&mut self, teacher: &Teacher) -> StoreResult<()> {
        let Teacher { profile, palette, .. } = teacher;
        self.query(
            "UPDATE teacher_profiles
             SET full_name = $2, bio = $3, picture = $4, date_of_birth = $5, address = $6,
                 country = $7, city = $8, gender = $9, specialization = $10, institution = $11,
                 experiance = $12, logo = $13, primary_color = $14, primary_color_light = $15,
                 primary_color_dark = $16, secondary_color = $17, accent_color = $18,
                 background_color = $19, full_name_key = $20
             WHERE id = $1",
        )
        .bind(teacher.user.id.0)
        .bind(profile.full_name.clone())
        .bind(profile.bio.clone())
        .bind(profile.picture.as_ref().map(ToString::to_string))
        .bind(profile.date_of_birth)
        .bind(profile.address.clone())
        .bind(profile.country.clone())
        .bind(profile.city.clone())
        .bind(profile.gender.clone())
        .bind(teacher.specialization.clone())
        .bind(teacher.institution.clone())
        .bind(teacher.experiance.clone())
        .bind(teacher.logo.as_ref().map(ToString::to_string))
        .bind(palette.primary.clone())
        .bind(palette.primary_light.clone())
        .bind(palette.primary_dark.clone())
        .bind(palette.secondary.clone())
        .bind(palette.accent.clone())
        .bind(palette.background.clone())
        .bind(profile.full_name.to_lowercase())
        .execute()
        .await?;
        Ok(())
    }
}
