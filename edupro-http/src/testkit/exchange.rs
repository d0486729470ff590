//! What was asked and what came back, for whoever looks at all of it.

use std::{
    fmt::{self, Debug},
    sync::Arc,
};

use axum::http::Method;

use super::Answer;

/// A request that was answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path and the query, as they were sent.
    pub path: &'a str,
    /// What came back.
    pub answer: &'a Answer,
}

/// Somebody who sees every exchange of a school.
#[derive(Clone)]
pub(super) struct Witness(Arc<dyn Fn(&Exchange<'_>) + Send + Sync>);

impl Witness {
    pub(super) fn new(see: impl Fn(&Exchange<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(see))
    }

    pub(super) fn see(&self, exchange: &Exchange<'_>) {
        (self.0)(exchange);
    }
}

impl Debug for Witness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Witness")
    }
}
