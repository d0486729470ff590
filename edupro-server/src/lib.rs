//! The reference server: a configuration file, the school that it describes, and a process that
//! listens. It knows neither SQL nor rules. Who wants another provider of something, chosen in the
//! configuration like those that are here, has a program of three lines around [`Server`]; whoever
//! needs more than that embeds `edupro_http` instead.
//!
//! | where | what |
//! | --- | --- |
//! | [`Server`] | all of it as one command, with providers of one's own by name |
//! | `cli` | the command line and its exit codes |
//! | [`config`] | what can be set, where it comes from, what is refused |
//! | `registry` | the names of providers of one's own, and how each is made from its options |
//! | `compose` | from a configuration to a school: the only `match` on providers |
//! | [`listener`] | the accept loop: protocol limits, graceful stop |
//! | `serve` | a process from start to stop |
//! | `accounts` | accounts from the command line |
//! | `doctor` | whether everything is there that the school stands on |
//! | `demo` | a small school to try things out with |
//! | [`logging`] | the log |
//!
//! Providers that are services elsewhere are features. What was left out and is configured all the
//! same is refused at the start:
//!
//! | feature | brings |
//! | --- | --- |
//! | `bunny` (default) | `video.provider = "bunny"` |
//! | `stripe` (default) | `payment.provider = "stripe"` |
//! | `vdocipher` (default) | `video.provider = "vdocipher"` |

mod accounts;
mod audit;
mod cli;
mod compose;
pub mod config;
mod demo;
mod doctor;
pub mod listener;
pub mod logging;
mod registry;
mod serve;
mod server;

pub use self::server::{NoOptions, Server};
