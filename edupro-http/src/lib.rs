//! The contract over HTTP: one table of routes, what a request is read into, what an answer looks
//! like. It knows the school and its rules, and neither SQL nor configuration files.
//!
//! ```no_run
//! # async fn example(storage: std::sync::Arc<dyn edupro_core::Storage>) -> Result<(), edupro_http::BuildError> {
//! use edupro_http::EduPro;
//!
//! let edupro = EduPro::builder(storage)
//!     .secret("thirty-two bytes that nobody else can guess")
//!     .build()?;
//! let app: axum::Router = axum::Router::new()
//!     .route("/", axum::routing::get(async || "my own page"))
//!     .merge(edupro.router());
//! # let _ = app; Ok(()) }
//! ```
//!
//! Two things are the embedder's: run an [`edupro_core::jobs::Worker`], which sends the mails, and
//! serve with `into_make_service_with_connect_info::<SocketAddr>()`, by which visitors are told
//! apart. `examples/embed.rs` does both.
//!
//! | where | what |
//! | --- | --- |
//! | `routes.rs` | the table: every path, in the contract's order, with its numbers |
//! | `api/<noun>.rs` | a noun's requests, answers, handlers and errors |
//! | [`extract`] | who is asking, from where, for which page, with what |
//! | `error.rs`, `render.rs` | the contract's error shapes; its dates, numbers and links |
//! | [`openapi`] | what the routes say of themselves |
//! | `docs.rs`, `assets/docs/` | the page that shows it in a browser |
//! | `guard/` | what stands before and after every handler |
//! | `testkit` (feature) | a school in a test |
//!
//! | feature | brings |
//! | --- | --- |
//! | `testkit` | [`testkit`], with a SQLite database in a temporary folder |

mod answer;
mod api;
mod builder;
mod cookies;
mod docs;
mod edupro;
mod error;
pub mod extract;
mod guard;
mod media;
pub mod openapi;
mod render;
mod routes;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use self::{
    builder::{BuildError, BuildProblem, Builder},
    edupro::EduPro,
    error::ApiError,
    render::Links,
};
