use std::fmt;

use chrono::TimeDelta;
use serde_json::json;

use super::super::{Browser, TestApp};
use crate::openapi::Permission;

/// Who asks. Shown, it is the username, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Visitor {
    /// Somebody without a session.
    Nobody,
    /// Teacher A in another browser, whose session is over.
    Expired,
    /// A student of teacher A.
    StudentA,
    /// A student of teacher B.
    StudentB,
    /// A student whom teacher A has blocked.
    Blocked,
    /// The teacher to whom everything belongs.
    TeacherA,
    /// Another teacher.
    TeacherB,
    /// An administrator, who is not a teacher.
    Admin,
}

impl Visitor {
    /// All of them, in the order of a matrix.
    pub const ALL: [Self; 8] = [
        Self::Nobody,
        Self::Expired,
        Self::StudentA,
        Self::StudentB,
        Self::Blocked,
        Self::TeacherA,
        Self::TeacherB,
        Self::Admin,
    ];

    pub(super) fn is_signed_in(self) -> bool {
        self.has(Permission::SignedIn)
    }

    /// Whether this is somebody of the role.
    pub(super) fn has(self, permission: Permission) -> bool {
        let role = match self {
            Self::Nobody | Self::Expired => None,
            Self::StudentA | Self::StudentB | Self::Blocked => Some(Permission::Student),
            Self::TeacherA | Self::TeacherB => Some(Permission::Teacher),
            Self::Admin => Some(Permission::Admin),
        };
        match permission {
            Permission::Anyone => true,
            Permission::SignedIn => role.is_some(),
            permission => role == Some(permission),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Expired => "expired",
            Self::StudentA => "student_a",
            Self::StudentB => "student_b",
            Self::Blocked => "blocked",
            Self::TeacherA => "teacher_a",
            Self::TeacherB => "teacher_b",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Visitor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A browser for each [`Visitor`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cast {
    /// [`Visitor::Nobody`].
    pub nobody: Browser,
    /// [`Visitor::Expired`].
    pub expired: Browser,
    /// [`Visitor::StudentA`].
    pub student_a: Browser,
    /// [`Visitor::StudentB`].
    pub student_b: Browser,
    /// [`Visitor::Blocked`].
    pub blocked: Browser,
    /// [`Visitor::TeacherA`].
    pub teacher_a: Browser,
    /// [`Visitor::TeacherB`].
    pub teacher_b: Browser,
    /// [`Visitor::Admin`].
    pub admin: Browser,
}

impl Cast {
    /// Registers them all with a school. Its clock goes on until the first session is over.
    pub async fn of(app: &TestApp) -> Self {
        let expired = app.teacher("teacher_a").await;
        let session = TimeDelta::from_std(app.school().settings.refresh_ttl);
        app.clock().advance(session.expect("a session's length") + TimeDelta::days(1));
        let teacher_a = app.visitor();
        teacher_a.log_in_teacher("teacher_a").await;
        let cast = Self {
            nobody: app.visitor(),
            expired,
            student_a: app.student("student_a", "teacher_a").await,
            teacher_b: app.teacher("teacher_b").await,
            student_b: app.student("student_b", "teacher_b").await,
            blocked: app.student("blocked", "teacher_a").await,
            admin: app.admin("admin").await,
            teacher_a,
        };
        let blocked = cast.number_of_student("blocked").await;
        let path = format!("/teacher/students/toggle-block/{blocked}/");
        let answer = cast.teacher_a.patch(&path, json!({})).await;
        assert_eq!(answer.status(), 200, "{answer}");
        cast
    }

    /// The browser of a visitor.
    #[must_use]
    pub fn browser(&self, visitor: Visitor) -> &Browser {
        match visitor {
            Visitor::Nobody => &self.nobody,
            Visitor::Expired => &self.expired,
            Visitor::StudentA => &self.student_a,
            Visitor::StudentB => &self.student_b,
            Visitor::Blocked => &self.blocked,
            Visitor::TeacherA => &self.teacher_a,
            Visitor::TeacherB => &self.teacher_b,
            Visitor::Admin => &self.admin,
        }
    }

    /// The number of one of teacher A's students.
    pub async fn number_of_student(&self, username: &str) -> i64 {
        let path = format!("/teacher/get_students/?search={username}");
        let found = self.teacher_a.get(&path).await.json();
        found["results"][0]["student"]["id"].as_i64().expect("a student of teacher A")
    }
}
