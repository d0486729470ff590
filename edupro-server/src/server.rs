//! The server as a library: the whole `edupro` command, with providers of one's own.

use std::{process::ExitCode, sync::Arc};

use edupro_core::{
    files::FileStore, grading::AssessmentGrader, mail::Mailer, payment::PaymentProvider,
    video::VideoProvider,
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    cli,
    config::Config,
    registry::{BoxError, Registry},
};

/// The `edupro` command, and the providers that its configuration can name beside those that come
/// with it.
///
/// ```no_run
/// # use std::{process::ExitCode, sync::Arc};
/// # use async_trait::async_trait;
/// # use edupro_core::mail::{MailError, Mailer, Message};
/// # #[derive(Debug)]
/// # struct Pigeons(PigeonOptions);
/// # #[async_trait]
/// # impl Mailer for Pigeons {
/// #     async fn send(&self, _: &Message) -> Result<(), MailError> { Ok(()) }
/// # }
/// #[derive(Clone, Debug, serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct PigeonOptions {
///     loft: String,
/// }
///
/// fn main() -> ExitCode {
///     edupro_server::Server::new()
///         .mailer("pigeons", |options: PigeonOptions, _| Ok(Arc::new(Pigeons(options))))
///         .run()
/// }
/// ```
///
/// and in `edupro.toml`
///
/// ```toml
/// [mail]
/// provider = "pigeons"
///
/// [mail.pigeons] # or EDUPRO_MAIL__PIGEONS__LOFT in the environment
/// loft = "on the roof"
/// ```
///
/// The name is a word of a-z and 0-9 that neither a provider nor a key of that section has; else
/// the program refuses to start. Who has a name of their own, for instance because it is stored
/// beside each video, must be added under that name.
///
/// Options are read before anything is opened, and by every command. Derive `Deserialize` with
/// `deny_unknown_fields`, so that a misspelt option is refused like any other key, and let secrets
/// be [`SecretString`](secrecy::SecretString)s. Who has no options takes [`NoOptions`]. What the
/// function says is wrong stops the start as well. Which options are secret is not known here:
/// `edupro config` shows numbers and switches, and of a text only where it was set.
///
/// The provider itself is made when the school is put together, inside the runtime. The function
/// then gets the rest of the configuration too: `mail.from`, or a place in the data directory
/// ([`Config::data_path`]).
#[derive(Debug, Default)]
#[must_use = "nothing happens until `run` is called"]
pub struct Server {
    registry: Registry,
}

/// The options of a provider that has none: any option is refused.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

impl Server {
    /// The server with its own providers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a keeper of videos: `video.provider = "<name>"`, options in `[video.<name>]`. As long
    /// as it has that table it plays the videos it has, whoever gets the new ones.
    pub fn video<O>(
        mut self,
        name: &'static str,
        make: impl Fn(O, &Config) -> Result<Arc<dyn VideoProvider>, BoxError> + Send + Sync + 'static,
    ) -> Self
    where
        O: DeserializeOwned + Clone + Send + Sync + 'static,
    {
        self.registry.video.add(name, make, |video| Some(video.name()));
        self
    }

    /// Adds a way to send mail: `mail.provider = "<name>"`, options in `[mail.<name>]`.
    pub fn mailer<O>(
        mut self,
        name: &'static str,
        make: impl Fn(O, &Config) -> Result<Arc<dyn Mailer>, BoxError> + Send + Sync + 'static,
    ) -> Self
    where
        O: DeserializeOwned + Clone + Send + Sync + 'static,
    {
        self.registry.mail.add(name, make, |_| None);
        self
    }

    /// Adds a way to pay: `payment.provider = "<name>"`, options in `[payment.<name>]`. Coupons
    /// work beside it.
    pub fn payment<O>(
        mut self,
        name: &'static str,
        make: impl Fn(O, &Config) -> Result<Arc<dyn PaymentProvider>, BoxError> + Send + Sync + 'static,
    ) -> Self
    where
        O: DeserializeOwned + Clone + Send + Sync + 'static,
    {
        self.registry.payment.add(name, make, |payment| Some(payment.name()));
        self
    }

    /// Adds who marks answers: `grading.provider = "<name>"`, options in `[grading.<name>]`. It is
    /// asked before the school itself.
    pub fn grader<O>(
        mut self,
        name: &'static str,
        make: impl Fn(O, &Config) -> Result<Arc<dyn AssessmentGrader>, BoxError> + Send + Sync + 'static,
    ) -> Self
    where
        O: DeserializeOwned + Clone + Send + Sync + 'static,
    {
        self.registry.grading.add(name, make, |grader| Some(grader.name()));
        self
    }

    /// Adds a place for uploads: `files.provider = "<name>"`, options in `[files.<name>]`.
    pub fn files<O>(
        mut self,
        name: &'static str,
        make: impl Fn(O, &Config) -> Result<FileStore, BoxError> + Send + Sync + 'static,
    ) -> Self
    where
        O: DeserializeOwned + Clone + Send + Sync + 'static,
    {
        self.registry.files.add(name, make, |_| None);
        self
    }

    /// Does what the command line of this process asks. 0: done; 1: failed, or a name is not
    /// possible; 2: the command line or the configuration is wrong.
    #[must_use]
    pub fn run(self) -> ExitCode {
        cli::main(&self.registry)
    }
}

#[cfg(test)]
mod tests;
