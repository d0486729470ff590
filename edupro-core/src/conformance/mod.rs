//! What whoever implements a trait of this crate can have checked. Not a stable API: a new version
//! may ask for more.
//!
//! | call | with your | and |
//! | --- | --- | --- |
//! | [`files::all`] | [`FileStore`](crate::files::FileStore) over any object store | |
//! | [`grading::all`] | [`AssessmentGrader`](crate::grading::AssessmentGrader) | exercises, a [`GraderProbe`](grading::GraderProbe) or `()` |
//! | [`mailer::all`] | [`Mailer`](crate::mail::Mailer) | a [`MailProbe`](mailer::MailProbe) |
//! | [`payment::all`] | [`PaymentProvider`](crate::payment::PaymentProvider) | a [`PaymentProbe`](payment::PaymentProbe) |
//! | [`redemption::all`] | [`School`](crate::School) on your storage | |
//! | [`storage::all`] | [`Storage`](crate::Storage) | |
//! | [`storage::users`] | [`UserStore`](crate::accounts::UserStore) | |
//! | [`video::all`] | [`VideoProvider`](crate::video::VideoProvider) | a store of films |
//!
//! What [`strangers`] send keeps its promises whatever the bytes are: its functions are for fuzzers
//! and for tests that make bytes up.
//!
//! One call, from a test, checks everything: what is asked once, what is asked again, what is asked
//! by many at the same moment, what nobody waits for any more, and which error says what. It panics
//! at the first promise that is not kept, and says which.
//!
//! A *probe* is what a test knows of the far side: it says what arrived there, or makes something
//! happen. A part that it cannot do is left out, and so are the checks that need it.
//!
//! ```
//! use edupro_core::{
//!     conformance::mailer::{self, MailProbe, Received},
//!     mail::{MemoryMailer, Message},
//! };
//!
//! /// Here the far side is the mailer itself.
//! #[derive(Debug)]
//! struct Probe<'a>(&'a MemoryMailer);
//!
//! #[async_trait::async_trait]
//! impl MailProbe for Probe<'_> {
//!     async fn received(&self) -> Option<Vec<Received>> {
//!         let received = |mail: &Message| Received {
//!             to: mail.to.clone(),
//!             content: format!("{mail:?} {} {:?}", mail.text, mail.html),
//!         };
//!         Some(self.0.sent().iter().map(received).collect())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let mailer = MemoryMailer::default();
//! mailer::all(&mailer, &Probe(&mailer)).await;
//! # }
//! ```

#![expect(clippy::panic, reason = "this is how a check fails the test that called it")]

pub mod files;
pub mod grading;
pub mod mailer;
pub mod payment;
pub mod redemption;
pub mod storage;
pub mod strangers;
pub mod video;

use std::{future::poll_fn, pin::pin, task::Poll};

use crate::entropy::{self, Entropy, SystemEntropy};

/// What has to work before anything can be asked.
fn working<T, E: std::fmt::Debug>(otherwise: &str, outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| panic!("{otherwise}: {error:?}"))
}

/// A word that nothing else has.
fn word() -> String {
    let mut chance = [0; 10];
    SystemEntropy.fill(&mut chance);
    entropy::code(&chance)
}

/// What comes of a future that is dropped after it was polled so often: `None`, unless it was done
/// by then. So whatever it does between two moments of waiting is cut off after.
async fn given_up_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            left = left.saturating_sub(1);
            if left == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}
