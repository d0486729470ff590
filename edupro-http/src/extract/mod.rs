//! What a handler asks of a request: who is asking, from where, for which page, with what.
//!
//! All of it works under any state `S` that holds an [`EduPro`](crate::EduPro), so an embedder's
//! own handlers can ask the same.

pub(crate) mod body;
mod client;
mod list;
mod media;
mod once;
mod path;
mod webhook;
mod who;

pub(crate) use self::{
    body::{Body, FILM_FIELD, Form, Incoming, OneOrMany, form, whole},
    client::{address, host},
    list::{ListQuery, Paginated, invalid_page},
    media::PrivateLinks,
    once::Once,
    path::Path,
    webhook::Webhook,
    who::access_token,
};
pub use self::{
    client::{Asker, Site},
    who::{Admin, SignedIn, Student, Teacher, Visitor},
};
