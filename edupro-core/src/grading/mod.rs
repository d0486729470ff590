//! Grading: what an answer is worth, and who says so (contract 10.12, 10.13).

mod history;

pub use self::history::{GradingEntry, GradingReason, GradingStore};
