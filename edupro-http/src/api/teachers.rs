use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use chrono::NaiveDate;
use edupro_core::{
    Change,
    accounts::{User, UserId},
    coupons,
    files::Picture,
    profiles::{ADDRESS_LENGTH, BIO_LENGTH, GENDER_LENGTH, NAME_LENGTH, ProfileChanges},
    teachers::{self, TeacherChanges, TeacherWithCounts},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::accounts::OwnUserView;
use crate::{
    EduPro, Links,
    answer::Ready,
    error::{Answer, ApiError},
    extract::{Incoming, Path, SignedIn, Site, form},
    render::{Moment, Number},
};

form! {
    /// 1.16: what a teacher changes in their profile.
    pub(crate) struct TeacherUpdate / TeacherUpdateDraft {
        full_name: Change<String> = changed(text().or_blank().at_most(NAME_LENGTH)),
        bio: Change<String> = changed(text().or_blank().of_lines().at_most(BIO_LENGTH)),
        profile_picture: Change<Picture> = changed(picture()),
        date_of_birth: Change<NaiveDate> = changed(day()),
        address: Change<String> = changed(text().or_blank().of_lines().at_most(ADDRESS_LENGTH)),
        country: Change<String> = changed(text().or_blank().at_most(NAME_LENGTH)),
        city: Change<String> = changed(text().or_blank().at_most(NAME_LENGTH)),
        specialization: Change<String> = changed(text().or_blank().at_most(NAME_LENGTH)),
        institution: Change<String> = changed(text().or_blank().at_most(NAME_LENGTH)),
        experiance: Change<String> = changed(text().or_blank().of_lines().at_most(BIO_LENGTH)),
        gender: Change<String> = changed(text().or_blank().at_most(GENDER_LENGTH)),
        logo: Change<Picture> = changed(picture()),
        primary_color: Change<String> = changed(color()),
        primary_color_light: Change<String> = changed(color()),
        primary_color_dark: Change<String> = changed(color()),
        secondary_color: Change<String> = changed(color()),
        accent_color: Change<String> = changed(color()),
        background_color: Change<String> = changed(color()),
    }
}

impl From<TeacherUpdate> for TeacherChanges {
    fn from(form: TeacherUpdate) -> Self {
        Self {
            profile: ProfileChanges {
                full_name: form.full_name,
                bio: form.bio,
                picture: form.profile_picture,
                date_of_birth: form.date_of_birth,
                address: form.address,
                country: form.country,
                city: form.city,
                gender: form.gender,
            },
            specialization: form.specialization,
            institution: form.institution,
            experiance: form.experiance,
            logo: form.logo,
            primary_color: form.primary_color,
            primary_color_light: form.primary_color_light,
            primary_color_dark: form.primary_color_dark,
            secondary_color: form.secondary_color,
            accent_color: form.accent_color,
            background_color: form.background_color,
        }
    }
}

/// 1.15: a teacher's account as anybody sees it: neither telephone nor type.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct PublicUserView<'a> {
    id: UserId,
    first_name: &'a str,
    last_name: &'a str,
    email: &'a str,
    username: &'a str,
    slug: &'a str,
}

impl<'a> From<&'a User> for PublicUserView<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id,
            first_name: &user.first_name,
            last_name: &user.last_name,
            email: &user.email,
            username: &user.username,
            slug: &user.slug,
        }
    }
}

/// 1.14–1.16: a teacher, with the account as the asker may see it.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "TeacherView_{U}")]
pub(crate) struct TeacherView<'a, U> {
    user: U,
    id: UserId,
    full_name: &'a str,
    bio: Option<&'a str>,
    profile_picture: Option<String>,
    date_of_birth: Option<NaiveDate>,
    address: Option<&'a str>,
    country: Option<&'a str>,
    city: Option<&'a str>,
    number_of_courses: i64,
    specialization: Option<&'a str>,
    institution: Option<&'a str>,
    experiance: Option<&'a str>,
    number_of_students: i64,
    rating: Number,
    gender: Option<&'a str>,
    created_at: Moment,
    logo: Option<String>,
    primary_color: Option<&'a str>,
    primary_color_light: Option<&'a str>,
    primary_color_dark: Option<&'a str>,
    secondary_color: Option<&'a str>,
    accent_color: Option<&'a str>,
    background_color: Option<&'a str>,
}

impl<'a> TeacherView<'a, OwnUserView<'a>> {
    fn own(links: &Links, found: &'a TeacherWithCounts) -> Self {
        Self::new(links, found, found.courses)
    }
}

impl<'a> TeacherView<'a, PublicUserView<'a>> {
    fn public(links: &Links, found: &'a TeacherWithCounts) -> Self {
        Self::new(links, found, found.published_courses)
    }
}

impl<'a, U: From<&'a User>> TeacherView<'a, U> {
    fn new(links: &Links, found: &'a TeacherWithCounts, courses: i64) -> Self {
        let TeacherWithCounts { teacher, students, .. } = found;
        let (profile, palette) = (&teacher.profile, &teacher.palette);
        Self {
            user: U::from(&teacher.user),
            id: teacher.user.id,
            full_name: &profile.full_name,
            bio: profile.bio.as_deref(),
            profile_picture: links.file(profile.picture.as_ref()),
            date_of_birth: profile.date_of_birth,
            address: profile.address.as_deref(),
            country: profile.country.as_deref(),
            city: profile.city.as_deref(),
            number_of_courses: courses,
            specialization: teacher.specialization.as_deref(),
            institution: teacher.institution.as_deref(),
            experiance: teacher.experiance.as_deref(),
            number_of_students: *students,
            rating: Number(teacher.rating),
            gender: profile.gender.as_deref(),
            created_at: Moment(teacher.created_at),
            logo: links.file(teacher.logo.as_ref()),
            primary_color: palette.primary.as_deref(),
            primary_color_light: palette.primary_light.as_deref(),
            primary_color_dark: palette.primary_dark.as_deref(),
            secondary_color: palette.secondary.as_deref(),
            accent_color: palette.accent.as_deref(),
            background_color: palette.background.as_deref(),
        }
    }
}

/// 1.22: `{"revenue": …}`
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct RevenueView {
    revenue: Number,
}

fn not_a_teacher() -> ApiError {
    ApiError::detail(StatusCode::FORBIDDEN, "You are not a Teacher.")
}

/// 1.14 Show a teacher's own profile.
pub(crate) async fn show_own(
    State(edupro): State<EduPro>,
    signed_in: SignedIn,
    Site(links): Site,
) -> Answer<Ready<Json<TeacherView<'static, OwnUserView<'static>>>>> {
    let teacher = signed_in.teacher_or(not_a_teacher())?;
    let mut tx = edupro.school().storage.read().await?;
    let found = teachers::own(&mut *tx, teacher.id).await?;
    Ok(Ready::new(Json(TeacherView::own(&links, &found)).into_response()))
}

/// 1.15 Show a teacher to anybody.
pub(crate) async fn show_public(
    State(edupro): State<EduPro>,
    Path(username): Path<String>,
    Site(links): Site,
) -> Answer<Ready<Json<TeacherView<'static, PublicUserView<'static>>>>> {
    let mut tx = edupro.school().storage.read().await?;
    let found = teachers::public(&mut *tx, &username).await?;
    Ok(Ready::new(Json(TeacherView::public(&links, &found)).into_response()))
}

/// 1.16 Update a teacher's own profile.
pub(crate) async fn update(
    State(edupro): State<EduPro>,
    signed_in: SignedIn,
    Site(links): Site,
    incoming: Incoming<TeacherUpdate>,
) -> Answer<Ready<Json<TeacherView<'static, OwnUserView<'static>>>>> {
    let teacher = signed_in.teacher_or(not_a_teacher())?;
    let form = incoming.read(&edupro).await?;
    let found = teachers::update(edupro.school(), teacher.id, form.into()).await?;
    Ok(Ready::new(Json(TeacherView::own(&links, &found)).into_response()))
}

/// 1.22 Show what a teacher has earned.
pub(crate) async fn revenue(
    State(edupro): State<EduPro>,
    signed_in: SignedIn,
) -> Answer<Json<RevenueView>> {
    let refusal = ApiError::error(StatusCode::FORBIDDEN, "You are not a teacher.");
    let teacher = signed_in.teacher_or(refusal)?;
    let mut tx = edupro.school().storage.read().await?;
    let revenue = Number(coupons::revenue(&mut *tx, teacher.id).await?);
    Ok(Json(RevenueView { revenue }))
}
