//! The demo's people: found by their usernames, registered when they are not there.

use edupro_core::{
    Change, School,
    accounts::{Actor, User},
    audit::By,
    registration::{self, RegistrationError},
    roster,
    teachers::{self, TeacherChanges},
};
use tracing::warn;

use super::{
    colours::css,
    outline::{Person, Teacher},
};

pub(super) const STUDENTS: [Person; 5] = [
    Person { username: "omar", first_name: "Omar", last_name: "Hassan", phone: "+201000000011" },
    Person { username: "salma", first_name: "Salma", last_name: "Nabil", phone: "+201000000012" },
    Person { username: "karim", first_name: "Karim", last_name: "Fouad", phone: "+201000000013" },
    Person { username: "nour", first_name: "Nour", last_name: "Samir", phone: "+201000000014" },
    Person { username: "hana", first_name: "Hana", last_name: "Youssef", phone: "+201000000015" },
];

/// A teacher of the demo, and the account. `None` when it is somebody else's, or closed: then the
/// demo does without.
pub(super) async fn teacher(school: &School, outline: &Teacher) -> anyhow::Result<Option<User>> {
    let Person { username, .. } = outline.person;
    let user = match find(school, username).await? {
        Some(user) => Ok(user),
        None => registration::register_teacher(school, By::nobody(), outline.person.form()?).await,
    };
    let Some(user) = unless_refused(user, username)? else { return Ok(None) };
    if !(user.is_teacher() && user.is_active) {
        left_out(username);
        return Ok(None);
    }
    introduce(school, &user, outline).await?;
    Ok(Some(user))
}

/// A student of the demo, who joins these teachers.
pub(super) async fn student(
    school: &School,
    person: &Person,
    teachers: &[&User],
) -> anyhow::Result<()> {
    let Some(first) = teachers.first() else { return Ok(()) };
    let user = match find(school, person.username).await? {
        Some(user) => Ok(user),
        None => registration::register_student(school, By::nobody(), first, person.form()?).await,
    };
    let Some(user) = unless_refused(user, person.username)? else { return Ok(()) };
    if !(user.is_student() && user.is_active) {
        left_out(person.username);
        return Ok(());
    }
    let user = Actor::from(user);
    for teacher in teachers {
        let mut tx = school.storage.read().await?;
        if tx.roster().standing(teacher.id, user.id).await?.is_some() {
            continue;
        }
        drop(tx);
        roster::join(school, &user, &teacher.username).await?;
    }
    Ok(())
}

async fn find(school: &School, username: &str) -> anyhow::Result<Option<User>> {
    Ok(school.storage.read().await?.users().find_by_username(username).await?)
}

/// A registration is refused when somebody else has the e-mail address or the telephone number.
fn unless_refused(
    user: Result<User, RegistrationError>,
    username: &str,
) -> Result<Option<User>, RegistrationError> {
    match user {
        Ok(user) => Ok(Some(user)),
        Err(RegistrationError::Refused(_)) => {
            left_out(username);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn left_out(username: &str) {
    warn!(username, "the demo does without somebody: the account is closed or not the demo's");
}

/// Fills in the profile of a teacher who has not said anything yet.
async fn introduce(school: &School, user: &User, outline: &Teacher) -> anyhow::Result<()> {
    let own = teachers::own(&mut *school.storage.read().await?, user.id).await?.teacher;
    let said = [&own.profile.bio, &own.specialization, &own.institution, &own.experiance];
    if said.into_iter().any(Option::is_some) {
        return Ok(());
    }
    let colours = outline.style.colours;
    let set = |text: &str| Change::Set(text.to_owned());
    let mut changes = TeacherChanges {
        specialization: set(outline.specialization),
        institution: set(outline.institution),
        experiance: set(outline.experience),
        primary_color: Change::Set(css(colours.dark)),
        accent_color: Change::Set(css(colours.light)),
        ..TeacherChanges::default()
    };
    changes.profile.bio = set(outline.bio);
    teachers::update(school, user.id, changes).await?;
    Ok(())
}
