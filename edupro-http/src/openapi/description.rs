use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::Permission;
use crate::{
    EduPro,
    error::{ApiError, ErrorMessage, FieldErrors},
};

/// What a part of a handler, an argument or its answer, says of the operation.
pub(crate) trait Describe {
    fn describe(description: &mut Description<'_>);
}

/// A handler, all parts of which say something of it.
pub(crate) trait Documented<T> {
    fn describe(description: &mut Description<'_>);
}

macro_rules! documented {
    ($($part:ident),*) => {
        impl<F, Answering, $($part,)*> Documented<($($part,)*)> for F
        where
            F: Fn($($part,)*) -> Answering,
            Answering: Future<Output: Describe>,
            $($part: Describe,)*
        {
            fn describe(description: &mut Description<'_>) {
                $($part::describe(description);)*
                Answering::Output::describe(description);
            }
        }
    };
}
documented!();
documented!(A);
documented!(A, B);
documented!(A, B, C);
documented!(A, B, C, D);
documented!(A, B, C, D, E);
documented!(A, B, C, D, E, G);
documented!(A, B, C, D, E, G, H);

/// What a field of a request is.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) schema: Value,
    pub(crate) is_required: bool,
    pub(crate) is_nullable: bool,
    /// In a form it may be a file.
    pub(crate) is_file: bool,
    /// In JSON it may be something.
    pub(crate) is_text: bool,
}

/// What is said of an operation.
#[derive(Debug)]
pub(crate) struct Description<'a> {
    generator: &'a mut SchemaGenerator,
    pub(crate) permission: Permission,
    /// The types of the path's parameters, in their order.
    pub(crate) path: Vec<Value>,
    pub(crate) query: Vec<(&'static str, Value, &'static str)>,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    /// A media type and a schema each.
    pub(crate) body: Vec<(&'static str, Value)>,
    pub(crate) is_body_required: bool,
    /// What each status brings; nothing at all, or one of these.
    pub(crate) answers: BTreeMap<u16, Vec<Value>>,
}

impl<'a> Description<'a> {
    pub(crate) const fn new(generator: &'a mut SchemaGenerator) -> Self {
        Self {
            generator,
            permission: Permission::Anyone,
            path: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
            is_body_required: false,
            answers: BTreeMap::new(),
        }
    }

    pub(crate) fn schema<T: JsonSchema>(&mut self) -> Value {
        self.generator.subschema_for::<T>().to_value()
    }

    /// A schema that is referred to by its name.
    pub(crate) fn named(&mut self, name: &str, schema: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.generator.definitions().contains_key(name) {
            let schema = schema(self);
            self.generator.definitions_mut().insert(name.to_owned(), schema);
        }
        Schema::new_ref(format!("#/components/schemas/{name}")).to_value()
    }

    pub(crate) fn allow(&mut self, permission: Permission) {
        self.permission = permission;
        self.fail(StatusCode::UNAUTHORIZED);
        self.fail(StatusCode::FORBIDDEN);
    }

    /// Brings a `T`.
    pub(crate) fn answer<T: JsonSchema>(&mut self, status: StatusCode) {
        let schema = self.schema::<T>();
        let known = self.answers.entry(status.as_u16()).or_default();
        if !known.contains(&schema) {
            known.push(schema);
        }
    }

    /// Brings nothing but a status.
    pub(crate) fn answer_nothing(&mut self, status: StatusCode) {
        self.answers.entry(status.as_u16()).or_default();
    }

    /// May go wrong, with this status.
    pub(crate) fn fail(&mut self, status: StatusCode) {
        self.answer::<ErrorMessage>(status);
        if status == StatusCode::BAD_REQUEST {
            self.answer::<FieldErrors>(status);
        }
    }
}

/// Parts that say nothing.
macro_rules! silent {
    ($($part:ty),*) => {$(
        impl Describe for $part {
            fn describe(_: &mut Description<'_>) {}
        }
    )*};
}
silent!(State<EduPro>, HeaderMap, ApiError);

impl<A: Describe> Describe for Result<A, ApiError> {
    fn describe(description: &mut Description<'_>) {
        A::describe(description);
    }
}

impl<T: JsonSchema> Describe for Json<T> {
    fn describe(description: &mut Description<'_>) {
        description.answer::<T>(StatusCode::OK);
    }
}

/// Headers beside an answer: cookies.
impl<A: Describe> Describe for (HeaderMap, A) {
    fn describe(description: &mut Description<'_>) {
        A::describe(description);
    }
}
