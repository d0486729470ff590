//! What the routes say of themselves. A handler's arguments say who may call it and what it reads,
//! its answer says what comes back: what is here collects that, so that nobody writes it twice.

mod description;
mod document;
mod examples;
mod operation;

use self::document::Document;
pub use self::operation::{Operation, Permission};
pub(crate) use self::{
    description::{Describe, Description, Documented, Field},
    operation::Details,
};
use serde_json::{Value, json};

use crate::routes;

/// Everything that can be called, in the contract's order.
///
/// ```
/// use edupro_http::openapi::{Permission, operations};
///
/// let operations = operations();
/// let create = operations.iter().find(|operation| operation.number == "5.1").unwrap();
/// assert_eq!(create.path, "/api/v1/coupon/create/");
/// assert_eq!(create.permission, Permission::Teacher);
/// ```
#[must_use]
pub fn operations() -> Vec<Operation> {
    routes::api().operations()
}

/// The OpenAPI 3.1 document of the API, which is reached at `base`: `https://school.example`, or
/// nothing for a client that knows where it has the document from.
#[must_use]
pub fn document(base: &str) -> Value {
    reached_at(describe(), base)
}

/// The document, which does not say yet where the API is reached.
pub(crate) fn describe() -> Value {
    Document::of(&operations())
}

/// A document of an API that is reached at `base`.
pub(crate) fn reached_at(mut document: Value, base: &str) -> Value {
    document["servers"] = json!([{"url": if base.is_empty() { "/" } else { base }}]);
    document
}
