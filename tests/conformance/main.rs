//! What every implementation of a trait has to promise, and whether it is noticed when one does not
//! keep it. Providers of videos are held to theirs in `tests/vdocipher`, `SmtpMailer` in
//! `edupro-core/tests/smtp.rs`, where their doubles are.

#![cfg(test)]

mod examples;
mod files;
mod mailers;
mod payment;
mod storage;

/// What a suite says of somebody who does not keep a promise.
async fn complaint(trial: impl Future<Output = ()> + Send + 'static) -> String {
    let Err(failed) = tokio::spawn(trial).await else { return "all promises are kept".to_owned() };
    let panic = failed.into_panic();
    let words = panic.downcast_ref::<String>().cloned();
    words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}
