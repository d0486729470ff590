//! Providers of one's own by their names, and what becomes of each name: a factory, and once its
//! table in the configuration was read, a provider that is ready to be made.

use std::{
    error::Error,
    fmt::{self, Debug, Formatter},
    marker::PhantomData,
    sync::Arc,
};

use edupro_core::{
    files::FileStore, grading::AssessmentGrader, mail::Mailer, payment::PaymentProvider,
    video::VideoProvider,
};
use figment::Figment;
use serde::de::DeserializeOwned;

use crate::config::{
    BuiltIn, Choice, Choices, Config, ConfigError, FilesProvider, GradingProvider, MailKind,
    PaymentKind, Tables, VideoKind, is_key,
};

/// Why a provider cannot be made, in its own words.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

type Make<T> = Box<dyn Fn(&Config) -> Result<T, BoxError> + Send + Sync>;
type Read<T> = Box<dyn Fn(&Figment) -> Result<Make<T>, Box<figment::Error>> + Send + Sync>;

/// Why a provider cannot have the name that it was given. Only the program can be put right, not a
/// configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error(
        "a name of `{key}` must be a word of a-z and 0-9, but {name:?} is not: correct the program"
    )]
    NotAWord { key: &'static str, name: &'static str },
    #[error("{name:?} of `{key}` {by}: choose another name in the program")]
    Taken { key: &'static str, name: &'static str, by: &'static str },
}

/// Who can be chosen beside the providers of this server.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    pub(crate) video: Own<VideoKind, Arc<dyn VideoProvider>>,
    pub(crate) mail: Own<MailKind, Arc<dyn Mailer>>,
    pub(crate) payment: Own<PaymentKind, Arc<dyn PaymentProvider>>,
    pub(crate) grading: Own<GradingProvider, Arc<dyn AssessmentGrader>>,
    pub(crate) files: Own<FilesProvider, FileStore>,
}

impl Registry {
    /// Refuses names that a configuration could not tell apart.
    pub(crate) fn check(&self) -> Result<(), NameError> {
        self.video.check()?;
        self.mail.check()?;
        self.payment.check()?;
        self.grading.check()?;
        self.files.check()
    }

    /// The tables in which options may stand, such as `video.mine`.
    pub(crate) fn tables(&self) -> Tables {
        let video = self.video.tables().chain(self.mail.tables());
        let others = self.payment.tables().chain(self.grading.tables()).chain(self.files.tables());
        Tables::new(video.chain(others))
    }

    /// Reads the options of everybody who is chosen, or still has old videos.
    pub(crate) fn read(
        &self,
        choices: &Choices<'_>,
        tables: &mut Tables,
    ) -> Result<Prepared, ConfigError> {
        Ok(Prepared {
            video: self.video.read(choices.video, Others::Stay, tables)?,
            mail: self.mail.read(choices.mail, Others::Mistake, tables)?,
            payment: self.payment.read(choices.payment, Others::Mistake, tables)?,
            grading: self.grading.read(choices.grading, Others::Mistake, tables)?,
            files: self.files.read(choices.files, Others::Mistake, tables)?,
        })
    }
}

/// What a table means whose provider is not chosen.
#[derive(Clone, Copy, PartialEq)]
enum Others {
    /// It still has something of the school's.
    Stay,
    /// Somebody forgot to choose it.
    Mistake,
}

/// The providers of one's own in one section.
pub(crate) struct Own<K, T>(Vec<Factory<T>>, PhantomData<K>);

struct Factory<T> {
    name: &'static str,
    read: Read<T>,
}

impl<K, T> Default for Own<K, T> {
    fn default() -> Self {
        Self(Vec::new(), PhantomData)
    }
}

impl<K, T> Debug for Own<K, T> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.names()).finish()
    }
}

impl<K, T> Own<K, T> {
    /// The names, as they were added.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|factory| factory.name).collect()
    }
}

impl<K: BuiltIn, T: 'static> Own<K, T> {
    /// One more. `called` is the name by which the provider itself goes, if it has one.
    pub(crate) fn add<O>(
        &mut self,
        name: &'static str,
        make: impl Fn(O, &Config) -> Result<T, BoxError> + Send + Sync + 'static,
        called: fn(&T) -> Option<&str>,
    ) where
        O: DeserializeOwned + Clone + Send + Sync + 'static,
    {
        let make = Arc::new(move |options: O, config: &Config| {
            let provider = make(options, config)?;
            match called(&provider) {
                Some(other) if other != name => Err(format!(
                    "its own name is {other:?}: the program must add it under that name"
                )
                .into()),
                _ => Ok(provider),
            }
        });
        let read: Read<T> = Box::new(move |options| {
            let options: O = options.extract().map_err(Box::new)?;
            let make = Arc::clone(&make);
            Ok(Box::new(move |config: &Config| make(options.clone(), config)))
        });
        self.0.push(Factory { name, read });
    }

    fn section() -> &'static str {
        K::KEY.split_once('.').map_or(K::KEY, |(section, _)| section)
    }

    fn tables(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|factory| format!("{}.{}", Self::section(), factory.name))
    }

    fn check(&self) -> Result<(), NameError> {
        for (place, Factory { name, .. }) in self.0.iter().enumerate() {
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            if name.is_empty() || !name.bytes().all(is_plain) {
                return Err(NameError::NotAWord { key: K::KEY, name });
            }
            let by = if K::ALL.iter().any(|kind| kind.as_str() == *name) {
                "comes with this server"
            } else if is_key(&format!("{}.{name}", Self::section())) {
                "is a key of the same section"
            } else if self.0.iter().take(place).any(|other| other.name == *name) {
                "is added twice"
            } else {
                continue;
            };
            return Err(NameError::Taken { key: K::KEY, name, by });
        }
        Ok(())
    }

    fn read(
        &self,
        choice: &Choice<K>,
        others: Others,
        tables: &mut Tables,
    ) -> Result<Vec<Ready<T>>, ConfigError> {
        let mut ready = Vec::new();
        for (Factory { name, read }, table) in self.0.iter().zip(self.tables()) {
            let is_chosen = matches!(choice, Choice::Own(chosen) if chosen == name);
            let Some(table) = tables.get(&table).filter(|table| is_chosen || table.is_there())
            else {
                continue;
            };
            if !is_chosen && others == Others::Mistake {
                return Err(table.belongs_to(&format!("{} = \"{name}\"", K::KEY)));
            }
            let make = table.read(read)?;
            let (table, origin) = (table.name().to_owned(), table.origin().to_owned());
            ready.push(Ready { name, table, origin, make });
        }
        Ok(ready)
    }
}

/// A provider of one's own whose options were read.
pub(crate) struct Ready<T> {
    pub(crate) name: &'static str,
    table: String,
    origin: String,
    make: Make<T>,
}

impl<T> Debug for Ready<T> {
    /// The options may be secret.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl<T> Ready<T> {
    /// The provider.
    pub(crate) fn make(&self, config: &Config) -> Result<T, ConfigError> {
        (self.make)(config).map_err(|error| ConfigError::Invalid {
            origin: self.origin.clone(),
            key: self.table.clone(),
            problem: format!("cannot be used: {:#}", anyhow::Error::from_boxed(error)),
        })
    }
}

/// The providers of one's own that a configuration asks for: one of each section, and everybody
/// who still has videos.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) video: Vec<Ready<Arc<dyn VideoProvider>>>,
    pub(crate) mail: Vec<Ready<Arc<dyn Mailer>>>,
    pub(crate) payment: Vec<Ready<Arc<dyn PaymentProvider>>>,
    pub(crate) grading: Vec<Ready<Arc<dyn AssessmentGrader>>>,
    pub(crate) files: Vec<Ready<FileStore>>,
}
