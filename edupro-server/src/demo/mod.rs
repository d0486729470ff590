//! `edupro serve --demo`: a small, believable school to try things out with.
//!
//! It is made by the rules that everybody goes through, so it can only be what a school can be.
//! Each start makes what is missing and leaves alone what is there, whoever has changed it since:
//! a demo that was stopped half-way is completed by the next start.
//!
//! | where | what |
//! | --- | --- |
//! | [`outline`] | what there is to say of a teacher, a course, a module, a lesson |
//! | [`physics`], [`mathematics`], [`programming`] | a teacher each, with all that they teach |
//! | [`people`], [`teaching`] | making a school of it |
//! | [`uploads`] | files on their way into it |
//! | [`painting`], [`paper`], [`film`] | the files: PNG, PDF and MP4, in [`colours`] |

mod colours;
mod film;
mod mathematics;
mod outline;
mod painting;
mod paper;
mod people;
mod physics;
mod programming;
mod teaching;
mod uploads;

#[cfg(test)]
mod tests;

use anyhow::Context;
use edupro_core::School;

use self::{
    mathematics::TAREK,
    outline::{PASSWORD, Teacher},
    people::STUDENTS,
    physics::MONA,
    programming::LAILA,
    teaching::Author,
};

static TEACHERS: [Teacher; 3] = [MONA, TAREK, LAILA];

/// Makes what is missing of the demo, and says how to log in.
pub(crate) async fn fill(school: &School, url: &str) -> anyhow::Result<String> {
    make(school).await.context("cannot make the demo")?;
    Ok(how_to_log_in(url))
}

async fn make(school: &School) -> anyhow::Result<()> {
    let mut teachers = Vec::new();
    for outline in &TEACHERS {
        if let Some(user) = people::teacher(school, outline).await? {
            teachers.push((outline, user));
        }
    }
    for person in &STUDENTS {
        let theirs =
            teachers.iter().filter(|(outline, _)| outline.students.contains(&person.username));
        let theirs: Vec<_> = theirs.map(|(_, user)| user).collect();
        people::student(school, person, &theirs).await?;
    }
    let categories = teaching::categories(school).await?;
    for (outline, user) in &teachers {
        Author::new(school, user, outline, &categories).complete(outline.courses).await?;
    }
    Ok(())
}

fn how_to_log_in(url: &str) -> String {
    let teachers: Vec<_> = TEACHERS
        .iter()
        .map(|teacher| format!("{} ({})", teacher.person.email(), teacher.specialization))
        .collect();
    let students: Vec<_> = STUDENTS.iter().map(outline::Person::email).collect();
    format!(
        "Demo: everybody's password is {PASSWORD}\n\
         Teachers: {}\n\
         Students: {}\n\
         curl -i {url}/api/v1/teacher/login/ -H 'Content-Type: application/json' \
         -d '{{\"email\": \"{}\", \"password\": \"{PASSWORD}\"}}'",
        teachers.join(", "),
        students.join(", "),
        MONA.person.email(),
    )
}
