use axum::{extract::State, http::StatusCode};
use edupro_core::{
    accounts::{Email, Phone, User, UserId, Username},
    audit::By,
    files::Picture,
    registration::{self, Draft, Problem, Registration, RegistrationError},
    roster::{self, Joined, RosterError},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    EduPro, Links,
    answer::{Begun, Created},
    error::{Answer, ApiError, FieldErrors},
    extract::{Asker, Form, Incoming, Path, Site, Student, form, whole},
};

form! {
    /// 1.9: a new teacher.
    pub(crate) struct NewTeacher / NewTeacherDraft {
        first_name: String = required(person_name()),
        last_name: String = required(person_name()),
        username: Username = required(username()),
        email: Email = required(email()),
        phone: Phone = required(phone()),
        password1: String = required(password()),
        password2: String = required(password()),
        avatar: Option<Picture> = optional(picture()),
        logo: Option<Picture> = optional(picture()),
    }
}

form! {
    /// 1.10: a new student.
    pub(crate) struct NewStudent / NewStudentDraft {
        first_name: String = required(person_name()),
        last_name: String = required(person_name()),
        email: Email = required(email()),
        username: Username = required(username()),
        phone: Phone = required(phone()),
        parent_phone: Phone = required(phone()),
        password1: String = required(password()),
        password2: String = required(password()),
        avatar: Option<Picture> = optional(picture()),
    }
}

/// 1.9: a teacher who has just registered.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct RegisteredTeacher {
    id: UserId,
    email: String,
    phone: Option<String>,
    username: String,
    user_type: &'static str,
    slug: String,
    avatar: Option<String>,
    logo: Option<String>,
}

/// 1.10: a student who has just registered.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct RegisteredStudent {
    id: UserId,
    email: String,
    phone: Option<String>,
    parent_phone: Option<String>,
    username: String,
    user_type: &'static str,
    slug: String,
    avatar: Option<String>,
}

/// `{"message": …, "user": …}`
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Registered_{U}")]
pub(crate) struct Registered<U> {
    message: &'static str,
    user: U,
}

impl RegisteredTeacher {
    fn new(links: &Links, user: User) -> Self {
        Self {
            id: user.id,
            avatar: links.file(user.avatar.as_ref()),
            logo: links.file(user.logo.as_ref()),
            email: user.email,
            phone: user.phone,
            username: user.username,
            user_type: user.user_type.as_str(),
            slug: user.slug,
        }
    }
}

impl RegisteredStudent {
    fn new(links: &Links, user: User) -> Self {
        Self {
            id: user.id,
            avatar: links.file(user.avatar.as_ref()),
            email: user.email,
            phone: user.phone,
            parent_phone: user.parent_phone,
            username: user.username,
            user_type: user.user_type.as_str(),
            slug: user.slug,
        }
    }
}

/// 1.9 Register a teacher.
pub(crate) async fn register_teacher(
    State(edupro): State<EduPro>,
    Asker(client): Asker,
    Site(links): Site,
    incoming: Incoming<NewTeacher>,
) -> Answer<Created<Registered<RegisteredTeacher>>> {
    let refused = |error| refused(error, "phone already exists");
    registration::admit(edupro.school(), &client).await.map_err(refused)?;
    let (draft, errors) = incoming.draft(&edupro).await?;
    let form = checked::<NewTeacher>(&edupro, draft, errors, "phone already exists").await?;
    let new = registration::register_teacher(edupro.school(), By::from(&client), form.into());
    let user = RegisteredTeacher::new(&links, new.await.map_err(refused)?);
    Ok(Created(Registered { message: "User created successfully", user }))
}

/// 1.10 Register a student with a teacher.
pub(crate) async fn register_student(
    State(edupro): State<EduPro>,
    Path(teacher): Path<String>,
    Asker(client): Asker,
    Site(links): Site,
    incoming: Incoming<NewStudent>,
) -> Answer<Created<Registered<RegisteredStudent>>> {
    let refused = |error| refused(error, "Phone already exists");
    registration::admit(edupro.school(), &client).await.map_err(refused)?;
    let teacher = registration::teacher(edupro.school(), &teacher).await.map_err(refused)?;
    let (draft, errors) = incoming.draft(&edupro).await?;
    let form = checked::<NewStudent>(&edupro, draft, errors, "Phone already exists").await?;
    let new =
        registration::register_student(edupro.school(), By::from(&client), &teacher, form.into());
    let user = RegisteredStudent::new(&links, new.await.map_err(refused)?);
    Ok(Created(Registered { message: "Student created successfully", user }))
}

/// 1.10 without a teacher's name.
pub(crate) async fn register_student_with_nobody() -> ApiError {
    ApiError::field("teacher", "Teacher username is required.")
}

/// 1.11: `{"success": …}` or `{"info": …}`
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) enum JoinView {
    #[serde(rename = "success")]
    Success(&'static str),
    #[serde(rename = "info")]
    Info(&'static str),
}

/// 1.11 Join a teacher.
pub(crate) async fn join(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Path(teacher): Path<String>,
) -> Answer<Begun<JoinView>> {
    let joined = roster::join(edupro.school(), &student, &teacher).await;
    let joined = joined.map_err(|error| match error {
        RosterError::UnknownTeacher => ApiError::error(StatusCode::NOT_FOUND, error.to_string()),
        error => error.into(),
    });
    Ok(match joined? {
        Joined::Now => {
            Begun { is_new: true, what: JoinView::Success("Student joined successfully.") }
        }
        Joined::Before => Begun {
            is_new: false,
            what: JoinView::Info("Student is already associated with this teacher."),
        },
    })
}

/// 1.11 without a teacher's name.
pub(crate) async fn join_nobody(_: Student) -> ApiError {
    ApiError::error(StatusCode::BAD_REQUEST, "Teacher username is required in the URL.")
}

/// A registration's draft, as the core looks at it.
trait Drafted: Form {
    fn draft(draft: &Self::Draft) -> Draft<'_>;
}

macro_rules! drafted {
    ($form:ident, $draft:ident) => {
        impl Drafted for $form {
            fn draft(draft: &$draft) -> Draft<'_> {
                Draft {
                    username: draft.username.as_ref(),
                    email: draft.email.as_ref(),
                    phone: draft.phone.as_ref(),
                    password1: draft.password1.as_deref(),
                    password2: draft.password2.as_deref(),
                }
            }
        }
    };
}
drafted!(NewTeacher, NewTeacherDraft);
drafted!(NewStudent, NewStudentDraft);

/// The form, or everything that is wrong with it: its fields, and what the core sees across them
/// and beside those who are there already.
async fn checked<F: Drafted>(
    edupro: &EduPro,
    draft: F::Draft,
    mut errors: FieldErrors,
    phone_taken: &'static str,
) -> Answer<F>
where
    F::Draft: Sync,
{
    let problems = registration::problems(edupro.school(), F::draft(&draft)).await?;
    add(&mut errors, &problems, phone_taken);
    whole(draft, errors)
}

fn add(errors: &mut FieldErrors, problems: &[Problem], phone_taken: &'static str) {
    for problem in problems {
        let words = problem.to_string();
        match problem {
            Problem::UsernameTaken => errors.add("username", words),
            Problem::EmailTaken => errors.add("email", words),
            Problem::PhoneTaken => errors.add("phone", phone_taken),
            Problem::PasswordsDiffer => errors.add("password", words),
            Problem::Password(_) => errors.add("password1", words),
        }
    }
}

fn refused(error: RegistrationError, phone_taken: &'static str) -> ApiError {
    match error {
        RegistrationError::UnknownTeacher => {
            ApiError::field("teacher", error.to_string()).with_status(StatusCode::NOT_FOUND)
        }
        RegistrationError::Refused(problems) => {
            let mut errors = FieldErrors::default();
            add(&mut errors, &problems, phone_taken);
            ApiError::fields(errors)
        }
        RegistrationError::Throttled(throttled) => throttled.into(),
        RegistrationError::Policy(error) => error.into(),
        RegistrationError::Hash(error) => error.into(),
        RegistrationError::File(error) => error.into(),
        RegistrationError::Store(error) => error.into(),
    }
}

impl From<NewTeacher> for Registration {
    fn from(form: NewTeacher) -> Self {
        Self {
            first_name: form.first_name,
            last_name: form.last_name,
            username: form.username,
            email: form.email,
            phone: form.phone,
            parent_phone: None,
            password1: form.password1,
            password2: form.password2,
            avatar: form.avatar,
            logo: form.logo,
        }
    }
}

impl From<NewStudent> for Registration {
    fn from(form: NewStudent) -> Self {
        Self {
            first_name: form.first_name,
            last_name: form.last_name,
            username: form.username,
            email: form.email,
            phone: form.phone,
            parent_phone: Some(form.parent_phone),
            password1: form.password1,
            password2: form.password2,
            avatar: form.avatar,
            logo: None,
        }
    }
}
