//! What the routes say of themselves. A handler's arguments say who may call it and what it reads,
//! its answer says what comes back: what is here collects that, so that nobody writes it twice.

mod description;
mod document;
mod examples;
mod operation;

pub use self::operation::{Operation, Permission};
pub(crate) use self::description::{Describe, Description, Field};
