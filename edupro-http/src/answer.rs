//! Answers that say by their type what they are.

use std::marker::PhantomData;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::openapi::{Describe, Description};

/// 201: something is there that was not.
#[derive(Debug)]
pub(crate) struct Created<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

impl<T: JsonSchema> Describe for Created<T> {
    fn describe(description: &mut Description<'_>) {
        description.answer::<T>(StatusCode::CREATED);
    }
}

/// 201, or 200 when it was there already.
#[derive(Debug)]
pub(crate) struct Begun<T> {
    /// Whether it is new.
    pub(crate) is_new: bool,
    /// What is there.
    pub(crate) what: T,
}

impl<T: Serialize> IntoResponse for Begun<T> {
    fn into_response(self) -> Response {
        let status = if self.is_new { StatusCode::CREATED } else { StatusCode::OK };
        (status, Json(self.what)).into_response()
    }
}

impl<T: JsonSchema> Describe for Begun<T> {
    fn describe(description: &mut Description<'_>) {
        description.answer::<T>(StatusCode::OK);
        description.answer::<T>(StatusCode::CREATED);
    }
}

/// 204: there is nothing to say.
#[derive(Debug)]
pub(crate) struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl Describe for NoContent {
    fn describe(description: &mut Description<'_>) {
        description.answer_nothing(StatusCode::NO_CONTENT);
    }
}

/// 205 with a body, as the contract has it for a log-out.
#[derive(Debug)]
pub(crate) struct Reset<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Reset<T> {
    fn into_response(self) -> Response {
        (StatusCode::RESET_CONTENT, Json(self.0)).into_response()
    }
}

impl<T: JsonSchema> Describe for Reset<T> {
    fn describe(description: &mut Description<'_>) {
        description.answer::<T>(StatusCode::RESET_CONTENT);
    }
}

/// Everything, or a page of it for a client that asks for one.
#[derive(Debug)]
pub(crate) enum ListOrPage<L, P> {
    /// Everything.
    List(L),
    /// A page.
    Page(P),
}

impl<L: IntoResponse, P: IntoResponse> IntoResponse for ListOrPage<L, P> {
    fn into_response(self) -> Response {
        match self {
            Self::List(list) => list.into_response(),
            Self::Page(page) => page.into_response(),
        }
    }
}

impl<L: Describe, P: Describe> Describe for ListOrPage<L, P> {
    fn describe(description: &mut Description<'_>) {
        L::describe(description);
        P::describe(description);
    }
}

/// An `A` that is written already: it was kept, or what it is made of does not live long enough.
#[derive(Debug)]
pub(crate) struct Ready<A> {
    response: Response,
    answer: PhantomData<fn() -> A>,
}

impl<A> Ready<A> {
    /// This is an `A`.
    pub(crate) const fn new(response: Response) -> Self {
        Self { response, answer: PhantomData }
    }
}

impl<A> IntoResponse for Ready<A> {
    fn into_response(self) -> Response {
        self.response
    }
}

impl<A: Describe> Describe for Ready<A> {
    fn describe(description: &mut Description<'_>) {
        A::describe(description);
    }
}

/// 200 without a body: it was heard.
#[derive(Debug)]
pub(crate) struct Heard;

impl IntoResponse for Heard {
    fn into_response(self) -> Response {
        StatusCode::OK.into_response()
    }
}

impl Describe for Heard {
    fn describe(description: &mut Description<'_>) {
        description.answer_nothing(StatusCode::OK);
    }
}

/// 200: what is gone, in words.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Deleted {
    pub(crate) detail: &'static str,
}
