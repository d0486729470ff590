//! What an online school **is**: its types, its rules, and the traits behind which everything
//! stands that a school may want to replace. It knows neither HTTP nor SQL.
//!
//! | module | noun | contract |
//! | --- | --- | --- |
//! | [`accounts`] | users, sessions, passwords, codes | 1.1–1.8, 1.23 |
//! | [`registration`] | how people become users | 1.9, 1.10 |
//! | [`students`], [`teachers`] | their profiles | 1.13–1.16, 1.22 |
//! | [`roster`] | which students a teacher has | 1.11, 1.12, 1.17–1.21 |
//! | [`categories`], [`courses`], [`modules`], [`lessons`] | what is taught | 2, 3.1–3.9, 7.1–7.5, 8.1–8.5 |
//! | [`coupons`], [`enrollments`] | how a student pays and enrols | 4, 5, 7.6, 3.10, 3.11, 1.22 |
//! | [`payment`] | who takes the money, and orders with those outside | |
//! | [`assessments`], [`attempts`], [`grading`] | exams: asked, taken, graded | 10 |
//! | [`progress`], [`ratings`] | how far students come, and what they think | 8.6, 6 |
//! | [`access`] | who may see what | |
//! | [`audit`] | who did what | |
//! | [`limits`] | how often something may be tried | |
//! | [`files`] | pictures, and where they are kept | |
//! | [`video`] | where videos are, and how they are played | 8.7, 9 |
//! | [`mail`] | what is mailed, and by whom | |
//! | [`jobs`] | what must happen after a commit | |
//! | [`events`] | who hears what has happened | |
//! | [`policies`] | what a school forbids beyond its rules | |
//!
//! A rule is a function over a [`School`], which holds the doors and the providers, or over one
//! [`Transaction`] of its [`Storage`]:
//!
//! ```no_run
//! # async fn example(school: &edupro_core::School) -> Result<(), edupro_core::StoreError> {
//! use edupro_core::accounts::UserId;
//!
//! let mut tx = school.storage.read().await?;
//! let standing = tx.roster().standing(UserId(1), UserId(2)).await?;
//! # let _ = standing; Ok(()) }
//! ```
//!
//! No feature is on by itself, so nothing here brings a client of any service:
//!
//! | feature | brings | and with it |
//! | --- | --- | --- |
//! | `bunny` | `video::BunnyStream` | an HTTPS client |
//! | `conformance` | what whoever implements a trait can have checked | |
//! | `smtp` | `mail::SmtpMailer` | a client of mail servers |
//! | `stripe` | `payment::Stripe`: Stripe Checkout | an HTTPS client |
//! | `vdocipher` | `video::VdoCipher` | an HTTPS client |

pub mod access;
pub mod accounts;
pub mod assessments;
pub mod attempts;
pub mod audit;
pub mod categories;
mod change;
mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod coupons;
pub mod courses;
pub mod enrollments;
pub mod entropy;
mod error;
pub mod events;
pub mod files;
pub mod grading;
#[cfg(any(feature = "vdocipher", feature = "bunny", feature = "stripe"))]
mod https;
pub mod idempotency;
pub mod jobs;
pub mod lessons;
pub mod limits;
pub mod mail;
pub mod modules;
mod page;
pub mod payment;
pub mod policies;
pub mod profiles;
pub mod progress;
pub mod ratings;
pub mod registration;
pub mod roster;
mod school;
pub mod storage;
pub mod students;
pub mod teachers;
pub mod video;
mod webhook;

#[cfg(any(feature = "vdocipher", feature = "bunny", feature = "stripe"))]
pub use self::https::status_of;
pub use self::{
    change::Change,
    clock::{Clock, ManualClock, SystemClock},
    entropy::{Entropy, SeededEntropy, SystemEntropy},
    error::{Source, StoreError, StoreResult, store_error},
    page::{Page, PageNumber, PageOf, Window},
    school::{School, Settings},
    storage::{Storage, Transaction},
    webhook::WebhookRequest,
};
