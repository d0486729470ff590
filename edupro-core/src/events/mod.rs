//! Events: what has happened in a school, told to whoever wants to know.
//!
//! An [`EventSink`] is given to the school by value (`Builder::events`) and then hears of each
//! [`Event`]: to send a welcome mail, to fill a data warehouse, to open a door in another system.
//!
//! # What is promised
//!
//! - **What is announced has happened.** An event is a job in the transaction of its cause: it is
//!   told after the commit, and a transaction that is undone takes its events with it.
//! - **What has happened is announced, at least once.** A process that dies, a sink that fails or
//!   takes more than 30 seconds: the event is told again, under the same [`Announced::id`]. A sink
//!   that must not do something twice remembers the ids.
//! - **Order is not promised.** Several events are told at the same time, and one that is told
//!   again comes late. [`Announced::at`] says when it happened.
//! - **Ten tries**, with pauses that grow from five seconds to three quarters of an hour in all;
//!   then the event stays in the table of jobs for a person to look at. One that the sink rejects
//!   stays there at once.
//! - **No secrets.** Events hold ids, titles and usernames: no codes, no e-mail addresses, no
//!   telephone numbers, and nothing of what an exam asks or a student answers. A subscriber that needs more, and may have it, looks it up.
//! - **A school without a sink** writes no jobs for events and asks the database nothing more.
//!
//! # Versions
//!
//! An event is tagged with its name and its version. A new field may come in any version of this
//! library; a field that goes or means something else makes the event's version one higher. New
//! events come too, so a subscriber ignores those it does not know. Written as JSON:
//!
//! ```
//! use edupro_core::events::{Announced, Event};
//!
//! let told = r#"{
//!     "id": "019b8275-3adb-7000-8000-000000000000",
//!     "version": 1,
//!     "at": "2026-01-03T08:00:00.123456Z",
//!     "event": "student_joined",
//!     "teacher": 1,
//!     "student": 2
//! }"#;
//! let announced: Announced = serde_json::from_str(told)?;
//! assert_eq!(announced.event.name(), "student_joined");
//! assert!(matches!(announced.event, Event::StudentJoined { .. }));
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # One more event
//!
//! A variant of [`Event`] with its name and version in `kind`, its JSON in this module's test, and
//! a call of `announce` at the one place of the core where it happens.

mod event;
mod fan_out;
mod memory;
#[cfg(test)]
mod tests;

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::{event::Event, fan_out::FanOut, memory::MemorySink};
use crate::{
    School, StoreResult, Transaction,
    error::Source,
    jobs::{self, Task},
};

/// An event that is told to a sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Announced {
    /// Which one: the same when it is told again.
    pub id: Uuid,
    /// The version of the event: [`Event::version`] as it was when it happened.
    pub version: u16,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Announced {
    pub(crate) const fn new(id: Uuid, version: u16, at: DateTime<Utc>, event: Event) -> Self {
        Self { id, version, at, event }
    }
}

/// Why a sink did not take an event, named by what is to be done about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// It will never take this one. It is not told again, and a person should look at it.
    #[error("the event was refused: {reason}")]
    Rejected {
        /// Why, for the log.
        reason: String,
    },
    /// It cannot take it now. It is told again later.
    #[error("the event could not be delivered")]
    Unavailable {
        /// How long to wait at least.
        retry_after: Option<Duration>,
        /// What happened.
        #[source]
        source: Source,
    },
}

impl EventError {
    /// The event will never be taken, for this reason.
    pub fn rejected(reason: impl Into<String>) -> Self {
        Self::Rejected { reason: reason.into() }
    }

    /// The event could not be taken because of `source`, and nobody said when to come back.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable { retry_after: None, source: source.into() }
    }
}

/// Hears of what happens in a school. What it may rely on is said [above](self).
///
/// ```
/// use std::sync::Mutex;
///
/// use async_trait::async_trait;
/// use edupro_core::events::{Announced, Event, EventError, EventSink};
///
/// /// Tells the secretary who has joined.
/// #[derive(Debug, Default)]
/// struct Secretary(Mutex<Vec<String>>);
///
/// #[async_trait]
/// impl EventSink for Secretary {
///     async fn receive(&self, announced: &Announced) -> Result<(), EventError> {
///         // What it does not know, or does not care for, it ignores.
///         if let Event::StudentJoined { student, teacher, .. } = &announced.event {
///             let mut notes = self.0.lock().map_err(|_| EventError::unavailable("no paper"))?;
///             notes.push(format!("{}: student {student} joined {teacher}", announced.at));
///         }
///         Ok(())
///     }
/// }
/// ```
///
/// To test one, start a `TestApp` of `edupro_http::testkit` with it, have something happen and
/// call `work()`. [`Announced`] can be read from JSON, so a sink can be tried without a school too.
#[async_trait]
pub trait EventSink: Debug + Send + Sync + 'static {
    /// Takes an event. Returns once the sink, or somebody behind it, is responsible for it.
    ///
    /// Called by the school's worker, beside no transaction, from several tasks at once and
    /// perhaps from several processes. It is called again with the same id after an error other
    /// than [`EventError::Rejected`], after 30 seconds, when the call is dropped at an `await`, and
    /// after a crash: so it may have done its work already. It shares the workers with the
    /// school's mails, so a slow sink puts the event into a queue of its own and returns.
    async fn receive(&self, announced: &Announced) -> Result<(), EventError>;
}

/// The same amount with two places.
pub(crate) fn money(mut amount: Decimal) -> Decimal {
    amount.rescale(2);
    amount
}

/// Announces in this transaction what it does, if anybody wants to know.
pub(crate) async fn announce(
    tx: &mut dyn Transaction,
    school: &School,
    event: Event,
) -> StoreResult<()> {
    announce_all(tx, school, [event]).await
}

/// The same of what has happened together, in one statement.
pub(crate) async fn announce_all(
    tx: &mut dyn Transaction,
    school: &School,
    events: impl IntoIterator<Item: Into<Event>>,
) -> StoreResult<()> {
    if school.events.is_none() {
        return Ok(());
    }
    let at = school.clock.now();
    let task = |event: Event| Task::Announce { version: event.version(), at, event };
    let tasks = events.into_iter().map(|event| task(event.into())).collect();
    jobs::all_later(tx, school, tasks).await
}
