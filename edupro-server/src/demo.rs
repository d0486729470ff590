//! `edupro serve --demo`: a small, believable school to try things out with.
//!
//! It is made by the rules that everybody goes through, so it can only be what a school can be.

use edupro_core::{
    School,
    accounts::User,
    registration::{self, Registration, RegistrationError},
};

/// Everybody's password. It is written here for all to read, which is why there is no such school
/// unless it is asked for.
const PASSWORD: &str = "palm-tree-42";

/// Username, first name, last name, telephone number.
type Person = (&'static str, &'static str, &'static str, &'static str);

const TEACHER: Person = ("mona", "Mona", "Adel", "+201000000001");

const STUDENTS: [Person; 3] = [
    ("omar", "Omar", "Hassan", "+201000000011"),
    ("salma", "Salma", "Nabil", "+201000000012"),
    ("karim", "Karim", "Fouad", "+201000000013"),
];

/// Puts the demo's people into the school, those who are not there yet, and says how to log in.
pub(crate) async fn fill(school: &School, url: &str) -> anyhow::Result<String> {
    let (name, ..) = TEACHER;
    let teacher = match registration::teacher(school, name).await {
        Err(RegistrationError::UnknownTeacher) => {
            registration::register_teacher(school, form(TEACHER)?).await?
        }
        known => known?,
    };
    for student in STUDENTS {
        join(school, &teacher, student).await?;
    }
    let students: Vec<String> = STUDENTS.iter().map(|student| email(*student)).collect();
    Ok(format!(
        "Demo: {} teaches {}; everybody's password is {PASSWORD}\n\
         curl -i {url}/api/v1/teacher/login/ -H 'Content-Type: application/json' \
         -d '{{\"email\": \"{}\", \"password\": \"{PASSWORD}\"}}'",
        email(TEACHER),
        students.join(", "),
        email(TEACHER),
    ))
}

async fn join(school: &School, teacher: &User, student: Person) -> anyhow::Result<()> {
    match registration::register_student(school, teacher, form(student)?).await {
        // Registered on an earlier start.
        Ok(_) | Err(RegistrationError::Refused(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn email((username, ..): Person) -> String {
    format!("{username}@example.com")
}

fn form(person: Person) -> anyhow::Result<Registration> {
    let (username, first_name, last_name, phone) = person;
    Ok(Registration {
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        username: username.parse()?,
        email: email(person).parse()?,
        phone: phone.parse()?,
        parent_phone: None,
        password1: PASSWORD.to_owned(),
        password2: PASSWORD.to_owned(),
        avatar: None,
        logo: None,
    })
}
