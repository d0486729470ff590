//! What the demo consists of, in words: [`people`](super::people) and
//! [`teaching`](super::teaching) make a school of it.

use edupro_core::registration::Registration;

use super::painting::Style;

/// Everybody's password. It is written here for all to read, which is why there is no such school
/// unless it is asked for.
pub(super) const PASSWORD: &str = "palm-tree-42";

/// Somebody who can log in.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) username: &'static str,
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    pub(super) phone: &'static str,
}

impl Person {
    pub(super) fn email(&self) -> String {
        format!("{}@example.com", self.username)
    }

    /// What this person fills in to register.
    pub(super) fn form(&self) -> anyhow::Result<Registration> {
        Ok(Registration {
            first_name: self.first_name.to_owned(),
            last_name: self.last_name.to_owned(),
            username: self.username.parse()?,
            email: self.email().parse()?,
            phone: self.phone.parse()?,
            parent_phone: None,
            password1: PASSWORD.to_owned(),
            password2: PASSWORD.to_owned(),
            avatar: None,
            logo: None,
        })
    }
}

/// A teacher, and all that the teacher has.
#[derive(Debug)]
pub(super) struct Teacher {
    pub(super) person: Person,
    pub(super) specialization: &'static str,
    pub(super) institution: &'static str,
    pub(super) experience: &'static str,
    pub(super) bio: &'static str,
    /// Usernames.
    pub(super) students: &'static [&'static str],
    /// How the teacher's pictures and films look.
    pub(super) style: Style,
    /// A teacher has no two courses with one title: that is how they are found again.
    pub(super) courses: &'static [Course],
}

/// A course. One without a price is free.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) category: &'static str,
    pub(super) price: i64,
    pub(super) is_published: bool,
    /// In order; each is found again by its place.
    pub(super) modules: &'static [Module],
}

/// A module. One without a price comes only with its course.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) price: i64,
    /// In order; each is found again by its place.
    pub(super) lessons: &'static [Lesson],
}

/// A lesson. The first one of each course is a free preview.
#[derive(Debug)]
pub(super) struct Lesson {
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) content: Content,
}

/// What there is to a lesson.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    /// A film.
    Film,
    /// A worksheet with these lines.
    Paper(&'static [&'static str]),
    /// A film, and a worksheet to go with it.
    Both(&'static [&'static str]),
}
