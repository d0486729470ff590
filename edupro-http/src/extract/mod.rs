//! What a handler asks of a request: who is asking, from where, for which page, with what.
//!
//! All of it works under any state `S` that holds an [`EduPro`](crate::EduPro), so an embedder's
//! own handlers can ask the same, and then ask a rule of the core, which needs no HTTP:
//!
//! ```
//! use axum::{Router, extract::{FromRef, Path, State}, routing::get};
//! use edupro_core::{lessons, roster::{self, Standing}};
//! use edupro_http::{ApiError, EduPro, extract::{SignedIn, Student, Visitor}};
//! use uuid::Uuid;
//!
//! /// The state of the service: the school is a part of it.
//! #[derive(Clone)]
//! struct App {
//!     edupro: EduPro,
//! }
//!
//! // What `#[derive(FromRef)]` of axum's feature `macros` writes.
//! impl FromRef<App> for EduPro {
//!     fn from_ref(app: &App) -> Self {
//!         app.edupro.clone()
//!     }
//! }
//!
//! /// For everybody.
//! async fn hello(Visitor(visitor): Visitor) -> String {
//!     visitor.map_or_else(|| "Hello!".to_owned(), |v| format!("Hello, {}!", v.user.first_name))
//! }
//!
//! /// For whoever may have the lesson; the others get 401, 403 or 404, as they do from the school.
//! async fn transcript(
//!     State(edupro): State<EduPro>,
//!     SignedIn(visitor): SignedIn,
//!     Path(id): Path<Uuid>,
//! ) -> Result<String, ApiError> {
//!     let school = edupro.school();
//!     let mut tx = school.storage.read().await?;
//!     let lesson = lessons::show(&mut *tx, &visitor.user, id, school.clock.now()).await?;
//!     Ok(format!("What is said in {}: …", lesson.title))
//! }
//!
//! /// For students whom this teacher lets in.
//! async fn noticeboard(
//!     State(edupro): State<EduPro>,
//!     Student(student): Student,
//!     Path(teacher): Path<String>,
//! ) -> Result<&'static str, ApiError> {
//!     let mut tx = edupro.school().storage.read().await?;
//!     let teacher = roster::teacher(&mut *tx, &teacher).await?.ok_or_else(ApiError::not_found)?;
//!     match tx.roster().standing(teacher.id, student.id).await? {
//!         Some(Standing::Active) => Ok("No lessons on Friday."),
//!         Some(Standing::Blocked) | None => Err(ApiError::forbidden()),
//!     }
//! }
//!
//! fn app(edupro: EduPro) -> Router {
//!     let own = Router::new()
//!         .route("/hello", get(hello))
//!         .route("/lessons/{id}/transcript", get(transcript))
//!         .route("/teachers/{username}/noticeboard", get(noticeboard));
//!     let school = edupro.router();
//!     edupro.guard(own).merge(school).with_state(App { edupro })
//! }
//! ```
//!
//! [`EduPro::guard`](crate::EduPro::guard) puts in front of them what stands in front of the
//! school's own: a handler that changes something needs it, since browsers send the cookies with
//! requests that other sites make them send.

pub(crate) mod body;
mod client;
mod list;
mod media;
mod once;
mod path;
mod webhook;
mod who;

pub(crate) use self::{
    body::{Body, FILM_FIELD, FilmForm, Form, Incoming, OneOrMany, form, whole},
    client::{address, host, prefix},
    list::{ListQuery, Paginated, invalid_page},
    media::{PrivateLinks, admit},
    once::Once,
    path::Path,
    webhook::Webhook,
    who::access_token,
};
pub use self::{
    client::{Asker, Site},
    who::{Admin, SignedIn, Student, Teacher, Visitor},
};
