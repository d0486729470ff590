use std::fmt;

use axum::http::Method;

use crate::openapi::{Operation, Permission};

/// What a route is for a walk: who may call it, and what in it has an owner.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The whole path, with its parameters in braces: `/notes/{note}`.
    pub path: String,
    /// Who may call it.
    pub permission: Permission,
    /// The parameter of the path that names something of somebody's own.
    pub owned: Option<&'static str>,
}

impl Route {
    /// A route of one's own.
    #[must_use]
    pub fn new(method: Method, path: impl Into<String>, permission: Permission) -> Self {
        Self { method, path: path.into(), permission, owned: None }
    }

    /// What this parameter of the path names has an owner.
    #[must_use]
    pub fn owned(self, parameter: &'static str) -> Self {
        Self { owned: Some(parameter), ..self }
    }

    /// The names in the path's braces.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
    }
}

impl From<Operation> for Route {
    fn from(operation: Operation) -> Self {
        let Operation { method, path, permission, owned, .. } = operation;
        Self { method, path, permission, owned }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)
    }
}
