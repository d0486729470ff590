//! EduPro's stores in SQL, written once for PostgreSQL and SQLite.
//!
//! [`Database`] is a [`Storage`](edupro_core::Storage): connect it by URL and give it to the
//! school. Only `sql.rs` knows that there are two engines; every statement stands once.
//!
//! It has no cargo features: both engines are always there, and the URL chooses.
//!
//! # The shared dialect
//!
//! - Placeholders are `$1`, `$2` … on both. A forgotten value would be NULL on SQLite, so values
//!   are counted against placeholders and a difference is refused on both.
//! - Whole numbers are `BIGINT` and `i64`. Money, points and ratings are whole hundredths.
//! - Times are bound, never `now()` and never a default; UTC, cut to microseconds by the `Clock`.
//! - UUIDs are bound, never literals. `Json<T>` is for objects and arrays, and never in a `WHERE`.
//! - Enums are `TEXT` with a `CHECK`; a word the domain does not know is `StoreError::Corrupt`.
//! - Search and order use lower-case twins made in Rust; `%`, `_` and `\` of a search are escaped.
//! - A race is closed in one statement: a guard in the `WHERE` of an `UPDATE … RETURNING`, or
//!   `INSERT … ON CONFLICT DO NOTHING` and the row count. After an error a transaction is over.
//! - There is no `FOR UPDATE`; an `UPDATE … RETURNING` of the row locks it and reads it at once.
//! - A sum is cast: `CAST(COALESCE(SUM(x), 0) AS BIGINT)`.
//! - Not in the dialect: `now()`, `INTERVAL`, `::type`, `DISTINCT ON`, arrays, `ILIKE`, advisory
//!   locks, `LISTEN`.
//!
//! # One more store
//!
//! A migration in `migrations/`, a file named after the noun with the row struct, `From<Row>` and
//! `impl <Noun>Store for Tx`, and its line in `impl Transaction for Tx`.

mod access;
mod answers;
mod assessments;
mod attempt_lists;
mod attempts;
mod audit;
mod categories;
mod cents;
mod coupons;
mod courses;
mod database;
mod deferrals;
mod enrollments;
mod examination;
mod file_names;
mod grading;
mod idempotency;
mod jobs;
mod lessons;
mod limits;
mod migrations;
mod modules;
mod orders;
mod postgres;
mod progress;
mod questions;
mod quotas;
mod ratings;
mod regrades;
mod resets;
mod roster;
mod sessions;
mod sql;
mod sqlite;
mod students;
mod teachers;
mod users;
mod videos;

pub use self::{
    database::{ConnectError, Database, DatabaseOptions},
    examination::{Examination, ExaminationError, examine},
    file_names::FILE_COLUMNS,
    migrations::{MigrationError, Schema},
};
