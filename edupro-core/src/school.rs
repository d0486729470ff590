//! A school: the storage, the doors and the providers that its rules work with.

use std::{error::Error, sync::Arc, time::Duration};

use crate::{
    Clock, Entropy, Storage, StoreError,
    accounts::{Keys, Passwords, UserId},
    error::store_error,
    events::EventSink,
    files::{CheckedFile, FileError, FileKey, FileKind, FileStore, Quota, quota},
    grading::Graders,
    jobs::Alarm,
    mail::{Mailer, Templates},
    payment::PaymentProvider,
    policies::Policy,
    storage,
    video::VideoHosts,
};

/// What a school may set. The defaults are those of `design.md` section 7.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// How long an access token is valid.
    pub access_ttl: Duration,
    /// How long a session lasts after its last refresh.
    pub refresh_ttl: Duration,
    /// How long the previous refresh token goes on working: tabs refresh at the same time.
    pub refresh_grace: Duration,
    /// Whether a student's log-in ends the student's other sessions.
    pub single_session: bool,
    /// How many days an enrolment lasts; 0 is for ever.
    pub enrollment_days: i64,
    /// Whether attempts are limited (security R4–R7).
    pub throttle: bool,
    /// Whether a password reset for an unknown address answers as if it were known.
    pub uniform_reset_response: bool,
    /// How much each teacher may have in the store of files.
    pub quota: Quota,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_ttl: Duration::from_mins(15),
            refresh_ttl: Duration::from_hours(7 * 24),
            refresh_grace: Duration::from_secs(30),
            single_session: false,
            enrollment_days: 30,
            throttle: true,
            uniform_reset_response: false,
            quota: Quota::default(),
        }
    }
}

/// What a rule needs beside the transaction it works in. One for each school in the process;
/// there is no static, so two schools can live side by side.
#[derive(Debug)]
pub struct School {
    /// Where everything is kept.
    pub storage: Arc<dyn Storage>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Hashes passwords on threads of its own.
    pub passwords: Passwords,
    /// Signs and checks tokens, codes and links.
    pub keys: Keys,
    /// Uploaded files.
    pub files: FileStore,
    /// Sends mail.
    pub mailer: Arc<dyn Mailer>,
    /// What mails say.
    pub templates: Templates,
    /// Takes money, beside the coupons that always work.
    pub payment: Arc<dyn PaymentProvider>,
    /// Mark answers, beside the program itself.
    pub graders: Graders,
    /// Keeps videos and plays them.
    pub video: VideoHosts,
    /// Hears what happens, if anybody does.
    pub events: Option<Arc<dyn EventSink>>,
    /// What this school forbids beyond its rules, if it does.
    pub policy: Option<Arc<dyn Policy>>,
    /// What this school has set.
    pub settings: Settings,
    /// Wakes a worker when a committed transaction may have left a job.
    pub work: Alarm,
}

impl School {
    /// Runs `work`, which opens a writing transaction and commits it, and runs it again when
    /// another transaction was in the way ([`storage::atomically`]). Wakes the worker afterwards.
    pub async fn atomically<T, E, F>(&self, work: impl Fn() -> F) -> Result<T, E>
    where
        E: Error + 'static,
        F: Future<Output = Result<T, E>>,
    {
        let done = storage::atomically(&*self.entropy, work).await;
        self.work.ring();
        done
    }

    /// [`School::atomically`] for work that names files which are stored already: when it fails,
    /// they are deleted again. When nobody can tell whether it was committed, they stay: a file
    /// too many is better than a row without its file.
    pub async fn keep_files<T, E, F>(
        &self,
        files: Vec<FileKey>,
        work: impl Fn() -> F,
    ) -> Result<T, E>
    where
        E: Error + 'static,
        F: Future<Output = Result<T, E>>,
    {
        let done = self.atomically(work).await;
        if let Err(error) = &done {
            match store_error(error) {
                Some(StoreError::Unavailable(_) | StoreError::Other(_)) if !files.is_empty() => {
                    tracing::warn!(?files, "these files may belong to nothing");
                }
                _ => self.discard(&files).await,
            }
        }
        done
    }

    /// Stores a checked file. One that belongs to a teacher counts against the teacher's
    /// [`Quota`].
    pub async fn store_file(
        &self,
        teacher: Option<UserId>,
        kind: FileKind,
        file: impl Into<CheckedFile>,
    ) -> Result<FileKey, FileError> {
        let file = file.into();
        let key = file.key(kind, &*self.entropy, self.clock.now());
        let Some(teacher) = teacher else {
            self.files.put_under(&key, file).await?;
            return Ok(key);
        };
        quota::take(self, teacher, &key, file.size()?).await?;
        if let Err(error) = self.files.put_under(&key, file).await {
            self.discard(&[key]).await;
            return Err(error);
        }
        Ok(key)
    }

    /// Deletes stored files, and with them what they count against anybody's [`Quota`].
    pub async fn delete_files(&self, files: &[FileKey]) -> Result<(), FileError> {
        self.files.delete(files).await?;
        Ok(quota::give_back(self, files).await?)
    }

    /// Deletes files that no row names. One that cannot be deleted is only noted: whoever asked
    /// has something more important to hear.
    pub async fn discard(&self, files: &[FileKey]) {
        if let Err(error) = self.delete_files(files).await {
            tracing::warn!(?files, error = &error as &dyn Error, "files could not be deleted");
        }
    }
}
