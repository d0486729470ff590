//! The contract, path by path, on SQLite and on PostgreSQL: the same stories, the same snapshots.
//!
//! A story is told once, to a school that has not been started. Snapshots are not redacted: the
//! clock stands still and chance is seeded.

#![cfg(test)]

mod support;

mod accounts;
mod assessments;
mod attempts;
mod audit;
mod categories;
mod coupons;
mod courses;
mod embedding;
mod enrollments;
mod events;
mod exams;
mod foundation;
mod graders;
mod grading;
mod histories;
mod hosted_videos;
mod ledger;
mod lessons;
mod limits;
mod modules;
mod money;
mod mounting;
mod ordering;
mod orphans;
mod payments;
mod permissions;
mod plans;
mod policies;
mod progress;
mod questions;
mod quotas;
mod races;
mod ratings;
mod registration;
mod regrades;
mod results;
mod roster;
mod sessions;
mod statements;
mod students;
mod teachers;
mod threats;
mod totals;
mod truth;
mod videos;
mod visibility;
mod with_users;
