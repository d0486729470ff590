use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use edupro_core::accounts::{
    Email, PasswordProblem, User, UserId,
    login::{self, ChangeError, LoginError},
    resets::{self, CODE_LENGTH, ResetError},
    sessions::{self, LogoutError, RefreshError},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    EduPro,
    answer::{Ready, Reset},
    cookies::{self, Cookies},
    error::{Answer, ApiError, FieldErrors},
    extract::{
        Asker, Body, Incoming, Path, SignedIn, Visitor, body::fields::new_password_words, form,
    },
};

form! {
    /// 1.1, 1.2: who logs in.
    pub(crate) struct Login / LoginDraft {
        email: Email = required(email()),
        password: String = required(password()),
    }
}

form! {
    /// 1.6: who forgot their password.
    pub(crate) struct ResetRequest / ResetRequestDraft {
        email: Email = required(email()),
    }
}

form! {
    /// 1.7: the code from the mail.
    pub(crate) struct ResetCode / ResetCodeDraft {
        email: Email = required(email()),
        otp: String = required(text().at_most(CODE_LENGTH)),
    }
}

form! {
    /// 1.8: the code from the mail and a new password.
    pub(crate) struct ResetPassword / ResetPasswordDraft {
        email: Email = required(email()),
        otp: String = required(text().at_most(CODE_LENGTH)),
        new_password: String = required(new_password()),
    }
}

form! {
    /// 1.23: the old password and a new one.
    pub(crate) struct ChangePassword / ChangePasswordDraft {
        old_password: String = required(password()),
        new_password: String = required(password()),
    }
}

/// 1.1, 1.2, 1.14: a user as they see themselves after logging in.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct OwnUserView<'a> {
    id: UserId,
    first_name: &'a str,
    last_name: &'a str,
    email: &'a str,
    phone: Option<&'a str>,
    user_type: &'static str,
    username: &'a str,
    slug: &'a str,
}

impl<'a> From<&'a User> for OwnUserView<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id,
            first_name: &user.first_name,
            last_name: &user.last_name,
            email: &user.email,
            phone: user.phone.as_deref(),
            user_type: user.user_type.as_str(),
            username: &user.username,
            slug: &user.slug,
        }
    }
}

/// `{"message": …}`
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Message {
    message: &'static str,
}

pub(crate) const fn message(message: &'static str) -> Json<Message> {
    Json(Message { message })
}

/// 1.1 Log a teacher or an administrator in.
pub(crate) async fn login_teacher(
    State(edupro): State<EduPro>,
    Asker(client): Asker,
    cookies: Cookies,
    Body(form): Body<Login>,
) -> Answer<(HeaderMap, Ready<Json<OwnUserView<'static>>>)> {
    let found = login::teacher(edupro.school(), &client, &form.email, &form.password).await;
    let (signed_in, tokens) = found.map_err(|error| match error {
        LoginError::InvalidCredentials => {
            ApiError::error(StatusCode::UNAUTHORIZED, "Invalid credentials")
        }
        error => error.into(),
    })?;
    let view = OwnUserView::from(&*signed_in.user);
    Ok((cookies.set(&tokens), Ready::new(Json(view).into_response())))
}

/// 1.2 Log a student in at a teacher's school.
pub(crate) async fn login_student(
    State(edupro): State<EduPro>,
    Path(teacher): Path<String>,
    Asker(client): Asker,
    cookies: Cookies,
    Body(form): Body<Login>,
) -> Answer<(HeaderMap, Ready<Json<OwnUserView<'static>>>)> {
    let Login { email, password } = &form;
    let (signed_in, tokens) =
        login::student(edupro.school(), &client, &teacher, email, password).await?;
    let view = OwnUserView::from(&*signed_in.user);
    Ok((cookies.set(&tokens), Ready::new(Json(view).into_response())))
}

/// 1.3 Log out. The contract wants 205 with a body.
pub(crate) async fn logout(
    State(edupro): State<EduPro>,
    Asker(client): Asker,
    Visitor(signed_in): Visitor,
    cookies: Cookies,
    headers: HeaderMap,
) -> Answer<(HeaderMap, Answer<Reset<Message>>)> {
    let refresh = cookies::refresh_token(&headers);
    let done =
        sessions::logout(edupro.school(), &client, signed_in.as_ref(), refresh.as_deref()).await;
    let answer = match done {
        Ok(()) => Ok(Reset(Message { message: "Logged out successfully" })),
        Err(error @ LogoutError::NoRefreshToken) => {
            Err(ApiError::keyed(StatusCode::BAD_REQUEST, "message", error.to_string()))
        }
        Err(error @ LogoutError::InvalidToken) => {
            Err(ApiError::error(StatusCode::BAD_REQUEST, error.to_string()))
        }
        Err(LogoutError::NotSignedIn) => return Err(ApiError::not_signed_in()),
        Err(error @ LogoutError::Store(_)) => return Err(logout_failed(&error)),
    };
    Ok((cookies.clear(), answer))
}

fn logout_failed(error: &LogoutError) -> ApiError {
    tracing::error!(error = error as &dyn std::error::Error, "a log-out failed");
    ApiError::error(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

/// 1.4 Refresh the tokens of a teacher or an administrator.
pub(crate) async fn refresh(
    State(edupro): State<EduPro>,
    Asker(client): Asker,
    cookies: Cookies,
    headers: HeaderMap,
) -> Answer<(HeaderMap, Answer<Json<Message>>)> {
    let token = presented(&headers)?;
    let tokens = sessions::refresh(edupro.school(), &client, &token).await;
    answer_refresh(&cookies, tokens)
}

/// 1.5 Refresh the tokens of a student, at a teacher's school.
pub(crate) async fn refresh_student(
    State(edupro): State<EduPro>,
    Asker(client): Asker,
    Path(teacher): Path<String>,
    cookies: Cookies,
    headers: HeaderMap,
) -> Answer<(HeaderMap, Answer<Json<Message>>)> {
    let token = presented(&headers)?;
    let tokens = sessions::refresh_student(edupro.school(), &client, &token, &teacher).await;
    answer_refresh(&cookies, tokens)
}

fn presented(headers: &HeaderMap) -> Answer<String> {
    cookies::refresh_token(headers)
        .ok_or_else(|| ApiError::error(StatusCode::UNAUTHORIZED, "Refresh token not found"))
}

fn answer_refresh(
    cookies: &Cookies,
    tokens: Result<edupro_core::accounts::Tokens, RefreshError>,
) -> Answer<(HeaderMap, Answer<Json<Message>>)> {
    match tokens {
        Ok(tokens) => Ok((cookies.set(&tokens), Ok(message("Token refreshed successfully")))),
        // A token that will never be good again is taken away.
        Err(error @ RefreshError::Invalid) => Ok((cookies.clear(), Err(error.into()))),
        Err(error) => Err(error.into()),
    }
}

/// 1.6 Send a code for a new password.
pub(crate) async fn request_reset(
    State(edupro): State<EduPro>,
    Asker(client): Asker,
    Body(form): Body<ResetRequest>,
) -> Answer<Json<Message>> {
    resets::request(edupro.school(), &client, &form.email).await?;
    Ok(message("OTP sent to your email."))
}

/// 1.7 Check a code without using it up.
pub(crate) async fn verify_reset(
    State(edupro): State<EduPro>,
    Body(form): Body<ResetCode>,
) -> Answer<Json<Message>> {
    resets::verify(edupro.school(), &form.email, &form.otp).await?;
    Ok(message("OTP verified successfully"))
}

/// 1.8 Set a new password with a code.
pub(crate) async fn confirm_reset(
    State(edupro): State<EduPro>,
    Asker(client): Asker,
    Body(form): Body<ResetPassword>,
) -> Answer<Json<Message>> {
    let ResetPassword { email, otp, new_password } = &form;
    resets::confirm(edupro.school(), &client, email, otp, new_password).await?;
    Ok(message("Password reset successfully"))
}

/// 1.23 Change the password.
pub(crate) async fn change_password(
    State(edupro): State<EduPro>,
    SignedIn(signed_in): SignedIn,
    Asker(client): Asker,
    incoming: Incoming<ChangePassword>,
) -> Answer<Json<Message>> {
    let form = incoming.read(&edupro).await?;
    let ChangePassword { old_password, new_password } = &form;
    login::change_password(edupro.school(), &client, &signed_in, old_password, new_password)
        .await?;
    Ok(message("Password changed successfully"))
}

/// What is wrong with a new password, under the key of 1.8 and 1.23.
fn weak(problems: &[PasswordProblem]) -> ApiError {
    let mut errors = FieldErrors::default();
    for problem in problems {
        errors.add("new_password", new_password_words(*problem));
    }
    ApiError::fields(errors)
}

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        let status = match error {
            LoginError::InvalidCredentials => StatusCode::UNAUTHORIZED,
            LoginError::UnknownTeacher => StatusCode::NOT_FOUND,
            LoginError::NotRegistered | LoginError::Blocked => StatusCode::FORBIDDEN,
            LoginError::Throttled(throttled) => return throttled.into(),
            LoginError::Hash(error) => return error.into(),
            LoginError::Store(error) => return error.into(),
        };
        Self::error(status, error.to_string())
    }
}

impl From<RefreshError> for ApiError {
    fn from(error: RefreshError) -> Self {
        let status = match error {
            RefreshError::Invalid => StatusCode::UNAUTHORIZED,
            RefreshError::NotAStudent => StatusCode::BAD_REQUEST,
            RefreshError::UnknownTeacher => StatusCode::NOT_FOUND,
            RefreshError::Student | RefreshError::NotRegistered | RefreshError::Blocked => {
                StatusCode::FORBIDDEN
            }
            RefreshError::Store(error) => return error.into(),
        };
        Self::error(status, error.to_string())
    }
}

impl From<ResetError> for ApiError {
    fn from(error: ResetError) -> Self {
        let field = match error {
            ResetError::UnknownEmail | ResetError::InvalidEmail => "email",
            ResetError::InvalidCode | ResetError::Expired => "otp",
            ResetError::Weak(problems) => return weak(&problems),
            ResetError::Throttled(throttled) => return throttled.into(),
            ResetError::Hash(error) => return error.into(),
            ResetError::Store(error) => return error.into(),
        };
        Self::field(field, error.to_string())
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::WrongPassword => Self::error(StatusCode::BAD_REQUEST, error.to_string()),
            ChangeError::Weak(problems) => weak(&problems),
            ChangeError::Login(error) => error.into(),
        }
    }
}
