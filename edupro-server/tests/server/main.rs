//! The reference server as a process, over real sockets: what its clients see, what outlives it.

// Clippy then knows that the helpers are tests too.
#![cfg(test)]
#![cfg(unix)]

mod chromium;
mod client;
mod docs;
mod home;
mod support;
mod tab;

mod command;
mod doctor;
mod journey;
mod limits;
mod log;
mod mail;
mod smuggling;
mod stop;
mod together;
mod watch;
