use std::fmt::{self, Display};

use axum::http::{Method, StatusCode};

use super::Description;
use crate::error::FieldErrors;

/// Who may call an operation. Everybody else is answered 401 or 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// Everybody.
    Anyone,
    /// Whoever is logged in.
    SignedIn,
    /// Students.
    Student,
    /// Teachers.
    Teacher,
    /// Administrators.
    Admin,
}

impl Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Anyone => "Everybody may.",
            Self::SignedIn => "Whoever is logged in may.",
            Self::Student => "Students may.",
            Self::Teacher => "Teachers may.",
            Self::Admin => "Administrators may.",
        })
    }
}

/// Something that the API does: a method at a path.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces: `/api/v1/coupon/detail/{coupon_id}`.
    pub path: String,
    /// Its number in the contract (`5.1`) or in the list of what clients ask beside it (`X5`);
    /// empty when it is an addition of ours.
    pub number: &'static str,
    /// What the contract calls it.
    pub title: &'static str,
    /// Who may call it.
    pub permission: Permission,
    /// The parameter of the path that names something of a teacher's or of a student's own. For
    /// everybody else it is as if that did not exist, or not theirs.
    pub owned: Option<&'static str>,
    pub(crate) details: Details,
}

impl Operation {
    /// Number and title: `5.1 Create coupons`.
    #[must_use]
    pub fn summary(&self) -> String {
        format!("{} {}", self.number, self.title).trim_start().to_owned()
    }

    pub(super) fn describe(&self, description: &mut Description<'_>) {
        (self.details.describe)(description);
        if self.permission != description.permission {
            description.allow(self.permission);
        }
        for status in &self.details.failures {
            description.fail(*status);
            description.answer::<FieldErrors>(*status);
        }
    }
}

/// What only a document needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Details {
    /// The part of the contract that it stands in.
    pub(crate) section: &'static str,
    /// The handler, in full: `edupro_http::api::coupons::create`.
    pub(crate) handler: &'static str,
    /// Whether the handler has another method, too.
    pub(crate) is_shared: bool,
    pub(crate) describe: fn(&mut Description<'_>),
    /// Parameters of the query, and what each is for.
    pub(crate) query: Vec<(&'static str, &'static str)>,
    /// What may go wrong that neither arguments nor the answer say.
    pub(crate) failures: Vec<StatusCode>,
}
