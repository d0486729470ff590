//! What goes wrong, in the contract's four shapes (behaviour G6).
//!
//! A rule's error becomes an [`ApiError`] in one exhaustive `match` beside the handlers of its
//! noun. What a client cannot help is logged here with its cause and answered without it.

use std::{borrow::Cow, error::Error};

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use edupro_core::{
    StoreError,
    accounts::HashError,
    files::FileError,
    limits::{LimitError, Throttled},
    policies::PolicyError,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

/// When to come back if a policy could not decide and did not say.
const POLICY_RETRY_SECONDS: u64 = 5;

/// A message to a client.
pub(crate) type Words = Cow<'static, str>;

/// What a handler answers.
pub(crate) type Answer<T> = Result<T, ApiError>;

/// The errors of a request's fields: each field with all that is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldErrors(Vec<(Words, Problem)>);

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Problem {
    /// All there is to say.
    Messages(Vec<Words>),
    /// It is a list, and these are the errors of its elements; those of good ones are empty.
    Elements(Vec<FieldErrors>),
}

impl FieldErrors {
    pub(crate) fn add(&mut self, field: impl Into<Words>, message: impl Into<Words>) {
        let field = field.into();
        let message = message.into();
        match self.0.iter_mut().find(|(known, _)| *known == field) {
            Some((_, Problem::Messages(messages))) => messages.push(message),
            // Whoever reads what is wrong with the elements has enough to do.
            Some((_, Problem::Elements(_))) => {}
            None => self.0.push((field, Problem::Messages(vec![message]))),
        }
    }

    /// Notes what is wrong with the elements of a list, in its order.
    pub(crate) fn add_elements(&mut self, field: impl Into<Words>, elements: Vec<Self>) {
        let field = field.into();
        self.0.retain(|(known, _)| *known != field);
        self.0.push((field, Problem::Elements(elements)));
    }

    /// The first message, where the contract has room for one only.
    pub(crate) fn first(&self) -> Option<&Words> {
        self.0.iter().find_map(|(_, problem)| match problem {
            Problem::Messages(messages) => messages.first(),
            Problem::Elements(elements) => elements.iter().find_map(Self::first),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, problem) in &self.0 {
            map.serialize_entry(field, problem)?;
        }
        map.end()
    }
}

impl JsonSchema for FieldErrors {
    fn schema_name() -> Cow<'static, str> {
        "FieldErrors".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let errors = generator.subschema_for::<Self>();
        json_schema!({
            "description": "What is wrong with each field of a request. A list of things has a list \
                            of such errors, in which those of good ones are empty.",
            "type": "object",
            "additionalProperties": {
                "type": "array",
                "items": {"anyOf": [{"type": "string"}, errors]},
            },
        })
    }
}

/// What the body of an error with one message looks like.
pub(crate) struct ErrorMessage;

impl JsonSchema for ErrorMessage {
    fn schema_name() -> Cow<'static, str> {
        "ErrorMessage".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A message to a person, under the key that the contract has for it.",
            "type": "object",
            "minProperties": 1,
            "properties": {
                "detail": {"type": "string"},
                "error": {"type": "string"},
                "message": {"type": "string"},
            },
            "additionalProperties": {"type": "string"},
        })
    }
}

/// The body of an error.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    /// `{"field": ["message", …], "list": [{}, {"field": ["message", …]}], …}`
    Fields(FieldErrors),
    /// `{"detail": "message"}`, or another key where the contract has one.
    Keyed(&'static str, Words),
    /// The same with a second message.
    Twice(Box<[(&'static str, Words); 2]>),
}

/// An answer that is not a success, in the contract's shapes: what the school's handlers and
/// [extractors](crate::extract) answer, and an embedder's own handlers may.
///
/// The errors of the core's rules become one, so `?` is enough:
///
/// ```
/// use axum::http::StatusCode;
/// use edupro_core::roster::RosterError;
/// use edupro_http::ApiError;
///
/// fn own_rule(is_open: bool) -> Result<(), ApiError> {
///     match is_open {
///         true => Ok(()),
///         false => Err(ApiError::detail(StatusCode::CONFLICT, "The library is closed.")),
///     }
/// }
///
/// assert_eq!(own_rule(false).unwrap_err().status(), StatusCode::CONFLICT);
/// assert_eq!(ApiError::from(RosterError::UnknownTeacher), ApiError::not_found());
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    shape: Shape,
    header: Option<(HeaderName, HeaderValue)>,
}

impl ApiError {
    /// `{"detail": …}`: who may, what is there, what could not be read.
    pub fn detail(status: StatusCode, words: impl Into<Cow<'static, str>>) -> Self {
        Self::keyed(status, "detail", words)
    }

    /// `{"error": …}`, where the contract has it.
    pub(crate) fn error(status: StatusCode, words: impl Into<Words>) -> Self {
        Self::keyed(status, "error", words)
    }

    /// A key of the contract's with a bare string.
    pub(crate) fn keyed(status: StatusCode, key: &'static str, words: impl Into<Words>) -> Self {
        Self { status, shape: Shape::Keyed(key, words.into()), header: None }
    }

    /// 400 with what is wrong with the fields.
    pub(crate) fn fields(errors: FieldErrors) -> Self {
        Self { status: StatusCode::BAD_REQUEST, shape: Shape::Fields(errors), header: None }
    }

    /// 400 with what is wrong with one field: `{"field": ["…"]}`.
    pub fn field(field: &'static str, words: impl Into<Cow<'static, str>>) -> Self {
        let mut errors = FieldErrors::default();
        errors.add(field, words);
        Self::fields(errors)
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The same body with another status.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with a second message, where the contract has one.
    pub(crate) fn and(mut self, key: &'static str, words: impl Into<Words>) -> Self {
        if let Shape::Keyed(first, said) = self.shape {
            self.shape = Shape::Twice(Box::new([(first, said), (key, words.into())]));
        }
        self
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// 401: nobody is logged in.
    #[must_use]
    pub fn not_signed_in() -> Self {
        Self::detail(StatusCode::UNAUTHORIZED, "Authentication credentials were not provided.")
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"api\""))
    }

    /// 403: somebody is logged in who may not.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::detail(StatusCode::FORBIDDEN, "You do not have permission to perform this action.")
    }

    /// 404: there is no such thing, or the asker may not know of it.
    #[must_use]
    pub fn not_found() -> Self {
        Self::detail(StatusCode::NOT_FOUND, "Not found.")
    }

    /// Too many (behaviour G13).
    pub(crate) fn throttled(throttled: Throttled) -> Self {
        Self::detail(StatusCode::TOO_MANY_REQUESTS, throttled.to_string())
            .with_header(header::RETRY_AFTER, throttled.seconds().into())
    }

    /// The body ended before its end.
    pub(crate) fn cut_off() -> Self {
        Self::detail(StatusCode::BAD_REQUEST, "The request body was cut off.")
    }

    /// 503: not now; perhaps in so many seconds.
    #[must_use]
    pub fn unavailable(seconds: u32) -> Self {
        Self::detail(StatusCode::SERVICE_UNAVAILABLE, "The service is busy. Please try again.")
            .with_header(header::RETRY_AFTER, seconds.into())
    }

    /// Something outside is broken. The cause goes to the log and nowhere else.
    pub(crate) fn bad_gateway(error: &(dyn Error + 'static), words: &'static str) -> Self {
        tracing::error!(error, "somebody else failed a request");
        Self::detail(StatusCode::BAD_GATEWAY, words)
    }

    /// 500: something is broken. The cause goes to the log and nowhere else.
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error, "a request failed");
        Self::broken()
    }

    /// 500, without a cause to log.
    pub(crate) fn broken() -> Self {
        Self::detail(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.")
    }
}

fn keyed(
    messages: impl IntoIterator<Item = (&'static str, Words)>,
) -> serde_json::Map<String, Value> {
    let messages = messages.into_iter();
    messages.map(|(key, words)| (key.to_owned(), words.into_owned().into())).collect()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = match self.shape {
            Shape::Fields(errors) => (self.status, Json(errors)).into_response(),
            Shape::Keyed(key, words) => (self.status, Json(keyed([(key, words)]))).into_response(),
            Shape::Twice(messages) => (self.status, Json(keyed(*messages))).into_response(),
        };
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) | StoreError::Contended(_) => {
                tracing::warn!(error = &error as &dyn Error, "the storage is not available");
                Self::unavailable(1)
            }
            _ => Self::internal(&error),
        }
    }
}

impl From<HashError> for ApiError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::unavailable(2),
            HashError::Failed(_) => Self::internal(&error),
        }
    }
}

impl From<LimitError> for ApiError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Throttled(throttled) => Self::throttled(throttled),
            LimitError::Store(error) => error.into(),
        }
    }
}

impl From<Throttled> for ApiError {
    fn from(throttled: Throttled) -> Self {
        Self::throttled(throttled)
    }
}

impl From<PolicyError> for ApiError {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Refused { message } => Self::detail(StatusCode::FORBIDDEN, message),
            error => {
                tracing::warn!(error = &error as &dyn Error, "a policy could not decide");
                let asked = match error {
                    PolicyError::Undecided { retry_after: Some(asked), .. } => asked.as_secs(),
                    _ => POLICY_RETRY_SECONDS,
                };
                Self::unavailable(u32::try_from(asked).unwrap_or(u32::MAX).max(1))
            }
        }
    }
}

impl From<FileError> for ApiError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::NotFound => Self::not_found(),
            FileError::NoSpace => {
                tracing::error!("there is no room left for uploads");
                Self::detail(
                    StatusCode::INSUFFICIENT_STORAGE,
                    "There is no room left for this file. Please try again later.",
                )
                .with_header(header::RETRY_AFTER, 60.into())
            }
            FileError::QuotaExceeded(_) => Self::error(
                StatusCode::BAD_REQUEST,
                "Your storage is full. Please delete files you no longer need.",
            ),
            FileError::Store(error) => error.into(),
            error => Self::internal(&error),
        }
    }
}
