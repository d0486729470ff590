//! Composing a school: a value for each part, and a default for most.

use std::{
    error::Error,
    fmt::{self, Display},
    iter,
    sync::{Arc, atomic::AtomicBool},
    thread::available_parallelism,
    time::Duration,
};

use axum::http::{HeaderValue, Uri};
use edupro_core::{
    Clock, Entropy, School, Settings, Storage, SystemClock, SystemEntropy,
    accounts::{HashCost, Keys, Passwords, WeakSecret},
    events::EventSink,
    files::{FileError, FileStore},
    grading::{AssessmentGrader, Graders},
    jobs::Alarm,
    mail::{LogMailer, Mailer, Templates},
    payment::{CouponEngine, PaymentProvider},
    policies::Policy,
    storage::{UserDirectory, WithUsers},
    video::{LocalVideo, VideoHosts, VideoProvider},
};
use ipnet::IpNet;
use tokio::sync::Semaphore;

use crate::{
    EduPro,
    cookies::is_path,
    edupro::{Described, Parts},
    guard::Traffic,
};

/// Longest lifetime of a session: a date can still be reckoned with it.
const LIFETIME_MAX: Duration = Duration::from_hours(100 * 365 * 24);
/// Most days that an enrolment lasts.
const DAYS_MAX: i64 = 36_500;

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
    events: Option<Arc<dyn EventSink>>,
    policy: Option<Arc<dyn Policy>>,
    users: Option<Arc<dyn UserDirectory>>,
    public_url: Option<String>,
    cors_origins: Vec<String>,
    trusted_proxies: Vec<IpNet>,
    cookie_secure: Option<bool>,
    cookie_path: Option<String>,
}

/// Everything that is missing or makes no sense, not only the first of it.
#[derive(Debug)]
pub struct BuildError(Vec<BuildProblem>);

impl BuildError {
    /// What it is; there is at least one.
    #[must_use]
    pub fn problems(&self) -> &[BuildProblem] {
        &self.0
    }
}

impl Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the school cannot be composed")?;
        self.0
            .iter()
            .zip(iter::once(": ").chain(iter::repeat("; ")))
            .try_for_each(|(problem, separator)| write!(formatter, "{separator}{problem}"))
    }
}

impl Error for BuildError {}

/// Something that is missing or makes no sense. Each says which method of [`Builder`] to look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildProblem {
    /// There is no secret.
    #[error("a secret is missing: give one of at least 32 bytes with `Builder::secret`")]
    NoSecret,
    /// A secret is none.
    #[error("`Builder::{0}`: {1}")]
    WeakSecret(&'static str, #[source] WeakSecret),
    /// The public URL is none.
    #[error("`Builder::public_url` must look like https://school.example, but is {0}")]
    PublicUrl(String),
    /// An origin is none.
    #[error(
        "`Builder::cors_origins` must look like https://school.example without a path, but one is {0}"
    )]
    Origin(String),
    /// The path of cookies is none.
    #[error("`Builder::cookie_path` must look like /school, but is {0}")]
    CookiePath(String),
    /// A setting makes no sense.
    #[error("`Settings::{0}` {1}")]
    Setting(&'static str, &'static str),
    /// The name of a provider cannot stand in a path.
    #[error("`Builder::{0}`: a provider's name must be a word of a-z and 0-9, but is {1:?}")]
    ProviderName(&'static str, &'static str),
    /// Nobody could tell whose videos are whose.
    #[error("`Builder::other_video`: two providers have the name {0:?}")]
    SameName(&'static str),
    /// Uploads can be kept nowhere.
    #[error("`Builder::files` was not called, and there is no room for uploads in memory: {0}")]
    Files(#[source] FileError),
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
            events: None,
            policy: None,
            users: None,
            public_url: None,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            cookie_secure: None,
            cookie_path: None,
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

    /// Where people are kept, if not with everything else: see [`UserDirectory`].
    pub fn users(mut self, users: Arc<dyn UserDirectory>) -> Self {
        self.users = Some(users);
        self
    }

    /// Who hears what happens: several are one with a [`FanOut`](edupro_core::events::FanOut).
    /// Default: nobody.
    pub fn events(mut self, sink: Arc<dyn EventSink>) -> Self {
        self.events = Some(sink);
        self
    }

    /// What the school forbids beyond its rules. Default: nothing.
    pub fn policy(mut self, policy: Arc<dyn Policy>) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Where the school is reached from outside, with the path below which its router is nested or
    /// a proxy has it: the base of every link. Default: what each request calls the host, and the
    /// path below which the router is nested.
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

    /// The path below which browsers send the cookies again. Default: the path below which the
    /// router is nested, so that two schools on one host do not log each other's people out.
    ///
    /// Handlers of one's own that ask who is there and stand beside the nested router need `"/"`.
    pub fn cookie_path(mut self, path: impl Into<String>) -> Self {
        self.cookie_path = Some(path.into());
        self
    }

    /// The school, or everything that is missing. Nobody is asked anything yet, neither the storage
    /// nor a provider: that is [`Storage::check`], and what `/readyz` does.
    pub fn build(self) -> Result<EduPro, BuildError> {
        let mut problems = Vec::new();
        self.check_settings(&mut problems);
        self.check_names(&mut problems);
        let keys = noted(self.keys(), &mut problems);
        let public_url =
            noted(self.public_url.map(public_url).transpose(), &mut problems).flatten();
        let origins = self.cors_origins.iter();
        let cors_origins = origins.filter_map(|text| noted(origin(text), &mut problems)).collect();
        if let Some(path) = self.cookie_path.as_ref().filter(|path| !is_path(path)) {
            problems.push(BuildProblem::CookiePath(path.clone()));
        }
        let files = self.files.map_or_else(FileStore::in_memory, Ok);
        let files = noted(files.map_err(BuildProblem::Files), &mut problems);
        let (Some(keys), Some(files), true) = (keys, files, problems.is_empty()) else {
            return Err(BuildError(problems));
        };
        let is_https = public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
        let cores = available_parallelism().map_or(1, usize::from);
        let threads = self.hash_threads.unwrap_or(cores / 2);
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
            storage: match self.users {
                Some(users) => Arc::new(WithUsers::new(self.storage, users)),
                None => self.storage,
            },
            passwords: Passwords::new(threads, self.hash_cost, Arc::clone(&self.entropy)),
            keys,
            files,
            mailer: self.mailer,
            templates: self.templates,
            payment: self.payment,
            graders: self.graders,
            video: VideoHosts::new(current, others, &self.clock),
            events: self.events,
            policy: self.policy,
            settings: self.settings,
            work: Alarm::default(),
            entropy: self.entropy,
            clock: Arc::clone(&self.clock),
        };
        Ok(EduPro::new(Parts {
            school: Arc::new(school),
            public_url,
            cors_origins,
            trusted_proxies: self.trusted_proxies,
            cookie_secure: self.cookie_secure.unwrap_or(is_https),
            cookie_path: self.cookie_path,
            traffic: Traffic::new(self.clock),
            // A large picture takes its decoder up to 200 MB.
            decoders: Arc::new(Semaphore::new((cores / 2).max(1))),
            stopping: AtomicBool::new(false),
            described: Described::default(),
        }))
    }

    /// Each secret is looked at by itself, so that the right one is named.
    fn keys(&self) -> Result<Keys, BuildProblem> {
        let secret = self.secret.as_deref().ok_or(BuildProblem::NoSecret)?;
        let weak = |name| move |error| BuildProblem::WeakSecret(name, error);
        let keys = Keys::new(secret, None).map_err(weak("secret"))?;
        match self.previous_secret.as_deref() {
            Some(previous) => Keys::new(secret, Some(previous)).map_err(weak("previous_secret")),
            None => Ok(keys),
        }
    }

    fn check_settings(&self, problems: &mut Vec<BuildProblem>) {
        let lifetimes =
            [("access_ttl", self.settings.access_ttl), ("refresh_ttl", self.settings.refresh_ttl)];
        for (name, lifetime) in lifetimes {
            if lifetime.as_secs() == 0 || lifetime > LIFETIME_MAX {
                let problem = "must be between a second and a hundred years";
                problems.push(BuildProblem::Setting(name, problem));
            }
        }
        if !(0..=DAYS_MAX).contains(&self.settings.enrollment_days) {
            let problem = "must be between 0, which is for ever, and 36500";
            problems.push(BuildProblem::Setting("enrollment_days", problem));
        }
    }

    fn check_names(&self, problems: &mut Vec<BuildProblem>) {
        let payment = ("payment", self.payment.name());
        let video = self.video.iter().map(|video| ("video", video.name()));
        let others = self.other_video.iter().map(|video| ("other_video", video.name()));
        for (method, name) in iter::once(payment).chain(video.clone()).chain(others.clone()) {
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            if name.is_empty() || !name.bytes().all(is_plain) {
                problems.push(BuildProblem::ProviderName(method, name));
            }
        }
        let mut names: Vec<_> = video.chain(others).map(|(_, name)| name).collect();
        // What the school keeps itself is always played.
        names.push(LocalVideo::NAME);
        names.sort_unstable();
        for same in names.windows(2).filter(|pair| pair[0] == pair[1]) {
            problems.push(BuildProblem::SameName(same[0]));
        }
    }
}

/// What there is, or one more problem.
fn noted<T>(found: Result<T, BuildProblem>, problems: &mut Vec<BuildProblem>) -> Option<T> {
    found.map_err(|problem| problems.push(problem)).ok()
}

fn public_url(url: String) -> Result<String, BuildProblem> {
    let is_url = url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some()
            && uri.query().is_none()
    });
    match is_url {
        true => Ok(url.trim_end_matches('/').to_owned()),
        false => Err(BuildProblem::PublicUrl(url)),
    }
}

fn origin(origin: &str) -> Result<HeaderValue, BuildProblem> {
    let parts = origin.split_once("://");
    let is_origin = parts.is_some_and(|(scheme, rest)| {
        matches!(scheme, "http" | "https") && !rest.is_empty() && !rest.contains(['/', '*', ' '])
    });
    let value = HeaderValue::try_from(origin).ok().filter(|_| is_origin);
    value.ok_or_else(|| BuildProblem::Origin(origin.to_owned()))
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use edupro_core::{
        StoreError, StoreResult, Transaction,
        payment::{Begin, PaymentError, orders::Order},
    };

    use super::*;

    #[derive(Debug)]
    struct Nowhere;

    #[async_trait]
    impl Storage for Nowhere {
        async fn read(&self) -> StoreResult<Box<dyn Transaction>> {
            Err(StoreError::unavailable("there is nothing"))
        }

        async fn write(&self) -> StoreResult<Box<dyn Transaction>> {
            self.read().await
        }

        async fn check(&self) -> StoreResult<()> {
            Err(StoreError::unavailable("there is nothing"))
        }
    }

    #[derive(Debug)]
    struct Bank;

    #[async_trait]
    impl PaymentProvider for Bank {
        fn name(&self) -> &'static str {
            "My Bank"
        }

        async fn begin(&self, _: &Order) -> Result<Begin, PaymentError> {
            Ok(Begin::Local)
        }
    }

    fn builder() -> Builder {
        EduPro::builder(Arc::new(Nowhere))
    }

    #[test]
    fn a_secret_is_enough_and_nobody_is_asked_anything() {
        assert!(builder().secret("thirty-two bytes that nobody guesses").build().is_ok());
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_and_what_to_do_about_it() {
        let missing = builder().build().unwrap_err();
        assert!(matches!(missing.problems(), [BuildProblem::NoSecret]));
        assert_eq!(
            missing.to_string(),
            "the school cannot be composed: a secret is missing: give one of at least 32 bytes with \
             `Builder::secret`"
        );

        let mut settings = Settings::default();
        settings.access_ttl = Duration::ZERO;
        settings.refresh_ttl = Duration::MAX;
        settings.enrollment_days = -1;
        let videos = FileStore::in_memory().unwrap();
        let signer = Keys::new(&[1, 2].repeat(16), None).unwrap().links().clone();
        let local = Arc::new(LocalVideo::new(videos, signer));
        let error = builder()
            .secret("thirty-two bytes that nobody guesses")
            .previous_secret("short")
            .settings(settings)
            .payment(Arc::new(Bank))
            .other_video(local)
            .public_url("school.example")
            .cors_origins(["https://good.example", "https://bad.example/", "*"])
            .cookie_path("school; Domain=example.com")
            .build()
            .unwrap_err();
        let words: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
        let expected = [
            "`Settings::access_ttl` must be between a second and a hundred years",
            "`Settings::refresh_ttl` must be between a second and a hundred years",
            "`Settings::enrollment_days` must be between 0, which is for ever, and 36500",
            "`Builder::payment`: a provider's name must be a word of a-z and 0-9, but is \"My Bank\"",
            "`Builder::other_video`: two providers have the name \"local\"",
            "`Builder::previous_secret`: ",
            "`Builder::public_url` must look like https://school.example, but is school.example",
            "`Builder::cors_origins` must look like https://school.example without a path, but one \
             is https://bad.example/",
            "`Builder::cors_origins` must look like https://school.example without a path, but one \
             is *",
            "`Builder::cookie_path` must look like /school, but is school; Domain=example.com",
        ];
        assert_eq!(words.len(), expected.len(), "{words:#?}");
        for (word, expected) in words.iter().zip(expected) {
            assert!(word.starts_with(expected), "{word}");
        }
    }
}
