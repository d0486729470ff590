//! Who is asking. An access token that is not valid, for whatever reason, is nobody (behaviour G4).

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use axum_extra::extract::CookieJar;
use edupro_core::{
    accounts::{self, Actor, User, UserId, sessions},
    limits,
};

use super::address;
use crate::{
    EduPro, cookies,
    error::ApiError,
    openapi::{Describe, Description, Permission},
};

/// Anybody: logged in or not.
#[derive(Clone, Debug)]
pub struct Visitor(pub Option<accounts::SignedIn>);

/// Somebody who is logged in; 401 otherwise.
#[derive(Clone, Debug)]
pub struct SignedIn(pub accounts::SignedIn);

/// A teacher; 403 for others.
#[derive(Clone, Debug)]
pub struct Teacher(pub Actor);

/// A student; 403 for others.
#[derive(Clone, Debug)]
pub struct Student(pub Actor);

/// Somebody who runs the school; 403 for others.
#[derive(Clone, Debug)]
pub struct Admin(pub Actor);

/// Who sends a body, for whoever reads it after one of these was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    edupro: EduPro,
    user: UserId,
}

impl Sender {
    /// Counts a request with files (security R7).
    pub(crate) async fn count_upload(self) -> Result<(), ApiError> {
        let user = self.user.to_string();
        Ok(limits::take(self.edupro.school(), &[(limits::UPLOAD, &user)]).await?)
    }
}

/// The access tokens of a request, the cookie's first.
pub(crate) fn access_token(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let cookie = CookieJar::from_headers(headers)
        .get(cookies::ACCESS)
        .map(|cookie| cookie.value().to_owned());
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim().to_owned());
    cookie.into_iter().chain(bearer)
}

impl<S> FromRequestParts<S> for Visitor
where
    EduPro: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let edupro = EduPro::from_ref(state);
        let address = address(&edupro, parts);
        for token in access_token(&parts.headers) {
            if let Some(found) = sessions::authenticate(edupro.school(), address, &token).await? {
                let user = found.user.id;
                parts.extensions.insert(Sender { edupro: edupro.clone(), user });
                return Ok(Self(Some(found)));
            }
        }
        Ok(Self(None))
    }
}

impl<S> FromRequestParts<S> for SignedIn
where
    EduPro: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Visitor(found) = Visitor::from_request_parts(parts, state).await?;
        found.map(Self).ok_or_else(ApiError::not_signed_in)
    }
}

impl SignedIn {
    /// The user, if they are a teacher; else 403 in words of the endpoint's own.
    pub(crate) fn teacher_or(self, refusal: ApiError) -> Result<Actor, ApiError> {
        Some(self.0.user).filter(|user| user.is_teacher()).ok_or(refusal)
    }

    /// The user, if they are a student; else 403 in words of the endpoint's own.
    pub(crate) fn student_or(self, refusal: ApiError) -> Result<Actor, ApiError> {
        Some(self.0.user).filter(|user| user.is_student()).ok_or(refusal)
    }
}

impl Describe for Visitor {
    fn describe(_: &mut Description<'_>) {}
}

impl Describe for SignedIn {
    fn describe(description: &mut Description<'_>) {
        description.allow(Permission::SignedIn);
    }
}

macro_rules! role {
    ($role:ident, $belongs:expr) => {
        impl Describe for $role {
            fn describe(description: &mut Description<'_>) {
                description.allow(Permission::$role);
            }
        }

        impl<S> FromRequestParts<S> for $role
        where
            EduPro: FromRef<S>,
            S: Send + Sync,
        {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
                let SignedIn(found) = SignedIn::from_request_parts(parts, state).await?;
                Some(found.user)
                    .filter(|user| $belongs(user))
                    .map(Self)
                    .ok_or_else(ApiError::forbidden)
            }
        }
    };
}
role!(Teacher, User::is_teacher);
role!(Student, User::is_student);
role!(Admin, |user: &User| user.is_staff);
