//! A file a noun: its requests, its answers, its handlers in the table's order, its errors.

pub(crate) mod accounts;
pub(crate) mod assessments;
pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod categories;
pub(crate) mod coupons;
pub(crate) mod courses;
pub(crate) mod enrollments;
pub(crate) mod grading;
pub(crate) mod health;
pub(crate) mod index;
pub(crate) mod lessons;
pub(crate) mod modules;
pub(crate) mod openapi;
pub(crate) mod payments;
pub(crate) mod progress;
pub(crate) mod questions;
pub(crate) mod ratings;
pub(crate) mod registration;
pub(crate) mod results;
pub(crate) mod roster;
pub(crate) mod sessions;
pub(crate) mod students;
pub(crate) mod teachers;
pub(crate) mod videos;
