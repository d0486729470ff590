use axum::{Json, extract::State, http::StatusCode};
use chrono::NaiveDate;
use edupro_core::{
    Change,
    accounts::{User, UserId},
    files::Picture,
    profiles::{ADDRESS_LENGTH, BIO_LENGTH, GENDER_LENGTH, NAME_LENGTH, ProfileChanges},
    roster,
    students::{self, ProfileError, Student as StudentProfile},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::roster::MembershipView;
use crate::{
    EduPro, Links,
    error::{Answer, ApiError},
    extract::{Incoming, Path, SignedIn, Site, Student, form},
    render::Moment,
};

form! {
    /// 1.13: what a student changes in their profile.
    pub(crate) struct StudentUpdate / StudentUpdateDraft {
        full_name: Change<String> = changed(text().or_blank().at_most(NAME_LENGTH)),
        bio: Change<String> = changed(text().or_blank().of_lines().at_most(BIO_LENGTH)),
        profile_picture: Change<Picture> = changed(picture()),
        date_of_birth: Change<NaiveDate> = changed(day()),
        address: Change<String> = changed(text().or_blank().of_lines().at_most(ADDRESS_LENGTH)),
        country: Change<String> = changed(text().or_blank().at_most(NAME_LENGTH)),
        city: Change<String> = changed(text().or_blank().at_most(NAME_LENGTH)),
        gender: Change<String> = changed(text().or_blank().at_most(GENDER_LENGTH)),
    }
}

impl From<StudentUpdate> for ProfileChanges {
    fn from(form: StudentUpdate) -> Self {
        Self {
            full_name: form.full_name,
            bio: form.bio,
            picture: form.profile_picture,
            date_of_birth: form.date_of_birth,
            address: form.address,
            country: form.country,
            city: form.city,
            gender: form.gender,
        }
    }
}

/// A student's account, as the student and their teachers see it.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct StudentUserView {
    id: UserId,
    first_name: String,
    last_name: String,
    email: String,
    username: String,
    slug: String,
    phone: Option<String>,
    parent_phone: Option<String>,
    user_type: &'static str,
    avatar: Option<String>,
    logo: Option<String>,
    is_active: bool,
    created_at: Moment,
    last_login: Option<Moment>,
}

impl StudentUserView {
    fn new(links: &Links, user: User) -> Self {
        Self {
            id: user.id,
            avatar: links.file(user.avatar.as_ref()),
            logo: links.file(user.logo.as_ref()),
            first_name: user.first_name,
            last_name: user.last_name,
            email: user.email,
            username: user.username,
            slug: user.slug,
            phone: user.phone,
            parent_phone: user.parent_phone,
            user_type: user.user_type.as_str(),
            is_active: user.is_active,
            created_at: Moment(user.created_at),
            last_login: user.last_login.map(Moment),
        }
    }
}

/// A student's account and profile.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct StudentView {
    user: StudentUserView,
    id: UserId,
    full_name: String,
    bio: Option<String>,
    profile_picture: Option<String>,
    date_of_birth: Option<NaiveDate>,
    address: Option<String>,
    country: Option<String>,
    city: Option<String>,
    gender: Option<String>,
}

impl StudentView {
    pub(crate) fn new(links: &Links, student: StudentProfile) -> Self {
        let StudentProfile { user, profile } = student;
        Self {
            id: user.id,
            user: StudentUserView::new(links, user),
            full_name: profile.full_name,
            bio: profile.bio,
            profile_picture: links.file(profile.picture.as_ref()),
            date_of_birth: profile.date_of_birth,
            address: profile.address,
            country: profile.country,
            city: profile.city,
            gender: profile.gender,
        }
    }
}

/// 1.12 Show a student's profile as one teacher has it.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Path(teacher): Path<String>,
    Site(links): Site,
) -> Answer<Json<MembershipView>> {
    let mut tx = edupro.school().storage.read().await?;
    let membership = roster::own(&mut *tx, &student, &teacher, edupro.school().clock.now()).await?;
    Ok(Json(MembershipView::new(&links, membership)))
}

/// 1.12 without a teacher's name.
pub(crate) async fn show_with_nobody(_: Student) -> ApiError {
    ApiError::keyed(StatusCode::BAD_REQUEST, "teacher_id", "teacher username is required")
}

/// 1.13 Update a student's own profile.
pub(crate) async fn update(
    State(edupro): State<EduPro>,
    signed_in: SignedIn,
    Site(links): Site,
    incoming: Incoming<StudentUpdate>,
) -> Answer<Json<StudentView>> {
    let refusal = ApiError::detail(StatusCode::FORBIDDEN, "You are not a Student.");
    let student = signed_in.student_or(refusal)?;
    let form = incoming.read(&edupro).await?;
    let student = students::update(edupro.school(), student.id, form.into()).await?;
    Ok(Json(StudentView::new(&links, student)))
}

impl From<ProfileError> for ApiError {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::BornInTheFuture => Self::field("date_of_birth", error.to_string()),
            ProfileError::NoProfile => Self::not_found(),
            ProfileError::File(error) => error.into(),
            ProfileError::Store(error) => error.into(),
        }
    }
}
