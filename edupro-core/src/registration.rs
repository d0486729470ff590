//! Registering (contract 1.9, 1.10).
//!
//! What is wrong with a registration is reported together, so the checks come in two parts: the
//! fields by themselves, where they are read, and here what concerns several of them or the people
//! who are there already.

use crate::{
    School, StoreError, StoreResult,
    accounts::{
        Client, Email, HashError, NewUser, PasswordProblem, Phone, Taken, User, UserType, Username,
        free_slug, password_problems,
    },
    audit::{self, By, Deed},
    events::{Event, announce},
    files::{FileError, FileKey, FileKind, Picture},
    limits::{self, LimitError, Throttled},
    policies::{self, Newcomer, PolicyError},
    profiles::Profile,
    roster,
    students::Student,
    teachers::Teacher,
};

/// What somebody sends to register, as far as it could be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Draft<'a> {
    /// Unique.
    pub username: Option<&'a Username>,
    /// Unique.
    pub email: Option<&'a Email>,
    /// Unique.
    pub phone: Option<&'a Phone>,
    /// The password.
    pub password1: Option<&'a str>,
    /// The same again.
    pub password2: Option<&'a str>,
}

/// One thing that is wrong with a registration. The words are the contract's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Somebody has it.
    #[error("Username already exists")]
    UsernameTaken,
    /// Somebody has it.
    #[error("Email already exists")]
    EmailTaken,
    /// Somebody has it. A teacher's registration spells it in lower case.
    #[error("Phone already exists")]
    PhoneTaken,
    /// The two are not the same.
    #[error("Passwords don't match")]
    PasswordsDiffer,
    /// The password is not good enough.
    #[error(transparent)]
    Password(PasswordProblem),
}

/// A registration whose fields are all well formed.
#[derive(Debug)]
pub struct Registration {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Unique.
    pub username: Username,
    /// Unique.
    pub email: Email,
    /// Unique.
    pub phone: Phone,
    /// A student's parent.
    pub parent_phone: Option<Phone>,
    /// The password.
    pub password1: String,
    /// The same again.
    pub password2: String,
    /// A picture of the person.
    pub avatar: Option<Picture>,
    /// A teacher's logo.
    pub logo: Option<Picture>,
}

/// Why nobody was registered.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// 1.10: there is no such teacher.
    #[error("Teacher with this username does not exist.")]
    UnknownTeacher,
    /// What is wrong with it.
    #[error("the registration was refused")]
    Refused(Vec<Problem>),
    /// Too many registrations from one address.
    #[error(transparent)]
    Throttled(Throttled),
    /// The school's policy says no, or cannot decide.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Too many hashes at once.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A picture could not be stored.
    #[error("a picture could not be stored")]
    File(#[from] FileError),
    /// The storage.
    #[error("a registration could not be saved")]
    Store(#[from] StoreError),
}

impl From<LimitError> for RegistrationError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Throttled(throttled) => Self::Throttled(throttled),
            LimitError::Store(error) => Self::Store(error),
        }
    }
}

/// Counts a registration from this address (security R7).
pub async fn admit(school: &School, client: &Client) -> Result<(), RegistrationError> {
    let address = client.address.to_string();
    Ok(limits::take(school, &[(limits::REGISTRATION, &address)]).await?)
}

/// 1.10: the teacher a student wants to register with.
pub async fn teacher(school: &School, username: &str) -> Result<User, RegistrationError> {
    let mut tx = school.storage.read().await?;
    roster::teacher(&mut *tx, username).await?.ok_or(RegistrationError::UnknownTeacher)
}

/// Everything that is wrong with what could be read.
pub async fn problems(school: &School, draft: Draft<'_>) -> StoreResult<Vec<Problem>> {
    let mut problems = Vec::new();
    if let Some(password) = draft.password1 {
        let names = [draft.username.map(Username::as_str), draft.email.map(Email::as_str)];
        let names: Vec<&str> = names.into_iter().flatten().collect();
        problems.extend(password_problems(password, &names).into_iter().map(Problem::Password));
    }
    if let (Some(one), Some(two)) = (draft.password1, draft.password2)
        && one != two
    {
        problems.push(Problem::PasswordsDiffer);
    }
    let mut tx = school.storage.read().await?;
    let taken = tx.users().taken(draft.username, draft.email, draft.phone).await?;
    problems.extend(taken_problems(taken));
    Ok(problems)
}

fn taken_problems(taken: Taken) -> impl Iterator<Item = Problem> {
    [
        (taken.username, Problem::UsernameTaken),
        (taken.email, Problem::EmailTaken),
        (taken.phone, Problem::PhoneTaken),
    ]
    .into_iter()
    .filter_map(|(taken, problem)| taken.then_some(problem))
}

/// 1.9: makes a teacher. Nobody is logged in.
pub async fn register_teacher(
    school: &School,
    by: By,
    registration: Registration,
) -> Result<User, RegistrationError> {
    register(school, by, registration, UserType::Teacher, None).await
}

/// 1.10: makes a student of this teacher. Nobody is logged in.
pub async fn register_student(
    school: &School,
    by: By,
    teacher: &User,
    registration: Registration,
) -> Result<User, RegistrationError> {
    register(school, by, registration, UserType::Student, Some(teacher)).await
}

async fn register(
    school: &School,
    by: By,
    registration: Registration,
    user_type: UserType,
    teacher: Option<&User>,
) -> Result<User, RegistrationError> {
    let draft = Draft {
        username: Some(&registration.username),
        email: Some(&registration.email),
        phone: Some(&registration.phone),
        password1: Some(&registration.password1),
        password2: Some(&registration.password2),
    };
    let problems = problems(school, draft).await?;
    if !problems.is_empty() {
        return Err(RegistrationError::Refused(problems));
    }
    let newcomer = Newcomer {
        user_type,
        teacher,
        first_name: &registration.first_name,
        last_name: &registration.last_name,
        username: &registration.username,
        email: &registration.email,
        phone: &registration.phone,
    };
    policies::may_register(school, &newcomer).await?;
    let password_hash = school.passwords.hash(&registration.password1).await?;
    let avatar = store(school, FileKind::Avatar, registration.avatar).await?;
    let logo = match store(school, FileKind::Logo, registration.logo).await {
        Ok(logo) => logo,
        Err(error) => {
            school.discard(avatar.as_slice()).await;
            return Err(error.into());
        }
    };
    let files = avatar.iter().chain(&logo).cloned().collect();
    let new = NewUser {
        email: registration.email,
        username: registration.username,
        // Found anew with each try.
        slug: None,
        first_name: registration.first_name,
        last_name: registration.last_name,
        phone: Some(registration.phone),
        parent_phone: registration.parent_phone,
        password_hash,
        user_type,
        is_staff: false,
        avatar,
        logo,
        created_at: school.clock.now(),
    };
    school
        .keep_files(files, || async {
            let mut tx = school.storage.write().await?;
            let slug = free_slug(&mut *tx, &new.username).await?;
            let Some(user) = tx.users().add(&NewUser { slug, ..new.clone() }).await? else {
                let taken =
                    tx.users().taken(Some(&new.username), Some(&new.email), new.phone.as_ref());
                return Err(refusal(taken.await?));
            };
            let username = user.username.clone();
            match teacher {
                None => {
                    tx.teachers().add(&Teacher::new(user.clone())).await?;
                    let event = Event::TeacherRegistered { teacher: user.id, username };
                    announce(&mut *tx, school, event).await?;
                }
                Some(teacher) => {
                    let profile = Profile::of(&user);
                    tx.students().add(&Student { user: user.clone(), profile }).await?;
                    let (student, teacher) = (user.id, teacher.id);
                    let event = Event::StudentRegistered { student, username, teacher };
                    announce(&mut *tx, school, event).await?;
                    roster::admit(&mut *tx, school, teacher, student, new.created_at).await?;
                }
            }
            let deed = Deed::Registered { user: &user, teacher: teacher.map(|teacher| teacher.id) };
            audit::note(&mut *tx, school, by.clone(), [deed]).await?;
            tx.commit().await?;
            Ok(user)
        })
        .await
}

/// Somebody was faster. If it was not for one of these, it was for the slug, and another try will
/// find a free one.
fn refusal(taken: Taken) -> RegistrationError {
    let problems: Vec<Problem> = taken_problems(taken).collect();
    match problems.is_empty() {
        true => StoreError::Contended("a slug was taken meanwhile".into()).into(),
        false => RegistrationError::Refused(problems),
    }
}

async fn store(
    school: &School,
    kind: FileKind,
    picture: Option<Picture>,
) -> Result<Option<FileKey>, FileError> {
    match picture {
        Some(picture) => school.store_file(None, kind, picture).await.map(Some),
        None => Ok(None),
    }
}
