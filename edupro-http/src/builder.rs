//! Composing a school: a value for each part, and a default for most.

use std::{
    sync::{Arc, atomic::AtomicBool},
    thread::available_parallelism,
};

use axum::http::{HeaderValue, Uri};
use edupro_core::{
    Clock, Entropy, School, Settings, Storage, SystemClock, SystemEntropy,
    accounts::{HashCost, Keys, Passwords, WeakSecret},
    files::{FileError, FileStore},
    grading::{AssessmentGrader, Graders},
    jobs::Alarm,
    mail::{LogMailer, Mailer, Templates},
    payment::{CouponEngine, PaymentProvider},
    video::{LocalVideo, VideoHosts, VideoProvider},
};
use ipnet::IpNet;
use tokio::sync::Semaphore;

use crate::{EduPro, edupro::Parts, guard::Traffic};

/// Composes an [`EduPro`].
#[derive(Debug)]
#[must_use = "nothing is made until `build` is called"]
pub struct Builder {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    secret: Option<Vec<u8>>,
    previous_secret: Option<Vec<u8>>,
    settings: Settings,
    hash_cost: HashCost,
    hash_threads: Option<usize>,
    mailer: Arc<dyn Mailer>,
    templates: Templates,
    files: Option<FileStore>,
    payment: Arc<dyn PaymentProvider>,
    graders: Graders,
    video: Option<Arc<dyn VideoProvider>>,
    other_video: Vec<Arc<dyn VideoProvider>>,
    public_url: Option<String>,
    cors_origins: Vec<String>,
    trusted_proxies: Vec<IpNet>,
    cookie_secure: Option<bool>,
}

/// What is missing or makes no sense.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no secret.
    #[error("a secret is missing: give one of at least 32 bytes with `Builder::secret`")]
    NoSecret,
    /// The secret is no secret.
    #[error(transparent)]
    WeakSecret(#[from] WeakSecret),
    /// The public URL is none.
    #[error("the public URL must look like https://school.example, but is {0}")]
    PublicUrl(String),
    /// An origin is none.
    #[error("an origin must look like https://school.example without a path, but is {0}")]
    Origin(String),
    /// Files can be kept nowhere.
    #[error("uploads can be kept nowhere")]
    Files(#[from] FileError),
}

impl Builder {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self {
            storage,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            secret: None,
            previous_secret: None,
            settings: Settings::default(),
            hash_cost: HashCost::default(),
            hash_threads: None,
            mailer: Arc::new(LogMailer),
            templates: Templates::default(),
            files: None,
            payment: Arc::new(CouponEngine),
            graders: Graders::new(),
            video: None,
            other_video: Vec::new(),
            public_url: None,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            cookie_secure: None,
        }
    }

    /// What tokens, codes and links are signed with: at least 32 bytes that nobody can guess.
    pub fn secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secret = Some(secret.as_ref().to_vec());
        self
    }

    /// The secret before this one: what it signed is still accepted.
    pub fn previous_secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.previous_secret = Some(secret.as_ref().to_vec());
        self
    }

    /// What the school has set. Default: [`Settings::default`].
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The time. Default: the machine's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Chance. Default: the operating system's.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// What a password's hash costs. Default: OWASP's minimum for argon2id.
    pub fn hash_cost(mut self, cost: HashCost) -> Self {
        self.hash_cost = cost;
        self
    }

    /// Threads that hash passwords, each with its own memory. Default: half the cores.
    pub fn hash_threads(mut self, threads: usize) -> Self {
        self.hash_threads = Some(threads);
        self
    }

    /// Who sends mail. Default: nobody; each mail is a line in the log.
    pub fn mailer(mut self, mailer: Arc<dyn Mailer>) -> Self {
        self.mailer = mailer;
        self
    }

    /// What mails say. Default: the words in this library.
    pub fn templates(mut self, templates: Templates) -> Self {
        self.templates = templates;
        self
    }

    /// Where uploads are kept. Default: in memory, so they are gone with the process.
    pub fn files(mut self, files: FileStore) -> Self {
        self.files = Some(files);
        self
    }

    /// Who takes money. Default: nobody; coupons work, as they do beside every provider.
    pub fn payment(mut self, payment: Arc<dyn PaymentProvider>) -> Self {
        self.payment = payment;
        self
    }

    /// One more who marks answers, before the program itself does. Default: nobody.
    pub fn grader(mut self, grader: Arc<dyn AssessmentGrader>) -> Self {
        self.graders = self.graders.with(grader);
        self
    }

    /// Who keeps new videos and plays them. Default: this school, from where its files are.
    pub fn video(mut self, video: Arc<dyn VideoProvider>) -> Self {
        self.video = Some(video);
        self
    }

    /// Somebody who still has videos of this school, and plays them. What the school keeps itself
    /// is always played.
    pub fn other_video(mut self, video: Arc<dyn VideoProvider>) -> Self {
        self.other_video.push(video);
        self
    }

    /// Where the school is reached from outside: the base of every link. Default: what each
    /// request calls the host.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Other origins whose pages may use the API with cookies, exactly as browsers send them.
    pub fn cors_origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.cors_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Networks whose `X-Forwarded-For` is believed.
    pub fn trusted_proxies(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.trusted_proxies = networks.into_iter().collect();
        self
    }

    /// Whether cookies travel over https only. Default: when the public URL is https.
    pub fn cookie_secure(mut self, secure: bool) -> Self {
        self.cookie_secure = Some(secure);
        self
    }

    /// The school, or what is missing.
    pub fn build(self) -> Result<EduPro, BuildError> {
        let secret = self.secret.ok_or(BuildError::NoSecret)?;
        let keys = Keys::new(&secret, self.previous_secret.as_deref())?;
        let public_url = self.public_url.map(public_url).transpose()?;
        let is_https = public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
        let cores = available_parallelism().map_or(1, usize::from);
        let threads = self.hash_threads.unwrap_or(cores / 2);
        let files = self.files.map_or_else(FileStore::in_memory, Ok)?;
        let local: Arc<dyn VideoProvider> =
            Arc::new(LocalVideo::new(files.clone(), keys.links().clone()));
        let mut others = self.other_video;
        let current = match self.video {
            Some(video) => {
                others.push(local);
                video
            }
            None => local,
        };
        let school = School {
            storage: self.storage,
            passwords: Passwords::new(threads, self.hash_cost, Arc::clone(&self.entropy)),
            keys,
            files,
            mailer: self.mailer,
            templates: self.templates,
            payment: self.payment,
            graders: self.graders,
            video: VideoHosts::new(current, others, &self.clock),
            settings: self.settings,
            work: Alarm::default(),
            entropy: self.entropy,
            clock: Arc::clone(&self.clock),
        };
        Ok(EduPro::new(Parts {
            school: Arc::new(school),
            public_url,
            cors_origins: self
                .cors_origins
                .iter()
                .map(|text| origin(text))
                .collect::<Result<_, _>>()?,
            trusted_proxies: self.trusted_proxies,
            cookie_secure: self.cookie_secure.unwrap_or(is_https),
            traffic: Traffic::new(self.clock),
            // A large picture takes its decoder up to 200 MB.
            decoders: Arc::new(Semaphore::new((cores / 2).max(1))),
            stopping: AtomicBool::new(false),
        }))
    }
}

fn public_url(url: String) -> Result<String, BuildError> {
    let is_url = url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some()
            && uri.query().is_none()
    });
    match is_url {
        true => Ok(url.trim_end_matches('/').to_owned()),
        false => Err(BuildError::PublicUrl(url)),
    }
}

fn origin(origin: &str) -> Result<HeaderValue, BuildError> {
    let parts = origin.split_once("://");
    let is_origin = parts.is_some_and(|(scheme, rest)| {
        matches!(scheme, "http" | "https") && !rest.is_empty() && !rest.contains(['/', '*', ' '])
    });
    let value = HeaderValue::try_from(origin).ok().filter(|_| is_origin);
    value.ok_or_else(|| BuildError::Origin(origin.to_owned()))
}
