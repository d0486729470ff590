//! The sections of the configuration: what can be set, with defaults that run.
//!
//! Each field is a key of `edupro.example.toml`. To add one: a field with its default here, a line
//! in `keys.rs`, one in the example, and its use in `compose.rs`; the tests miss whichever is
//! forgotten.

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::{NonZeroU16, NonZeroU32},
    path::PathBuf,
    thread,
};

use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{
    choice::{BuiltIn, Choice},
    period::Period,
    urls::{DatabaseUrl, Origin, PublicUrl},
    values::{CookieSecure, LogLevel, hidden, parsed},
};

/// The keys of `[http]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where to listen.
    #[serde(deserialize_with = "address")]
    pub addr: SocketAddr,
    /// Where the school is reached from outside; by default whatever each request calls the host.
    pub public_url: Option<PublicUrl>,
    /// Pages that may call with cookies.
    pub cors_origins: Vec<Origin>,
    /// Whose `X-Forwarded-For` is believed (security R8).
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for Http {
    fn default() -> Self {
        let origins = [
            "http://localhost:5173",
            "http://127.0.0.1:5173",
            "http://localhost:8000",
            "http://127.0.0.1:8000",
        ];
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            public_url: None,
            cors_origins: origins
                .into_iter()
                .filter_map(|origin| Origin::try_from(origin.to_owned()).ok())
                .collect(),
            trusted_proxies: Vec::new(),
        }
    }
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    parsed(deserializer, "must be an address with a port, such as \"127.0.0.1:8000\"")
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let network = |text: String| {
        text.parse().map_err(|_| {
            let like = "must be networks such as \"127.0.0.1/32\" or \"10.0.0.0/8\"";
            D::Error::custom(format!("{like}, not {text:?}"))
        })
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(network).collect()
}

/// The keys of `[database]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// Where everything is kept; by default `edupro.db` in the data directory.
    pub url: Option<DatabaseUrl>,
    /// A replica that answers reads.
    pub read_url: Option<DatabaseUrl>,
    /// How many connections may be open at once (security R41).
    pub max_connections: NonZeroU32,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            read_url: None,
            max_connections: NonZeroU32::MIN.saturating_add(9).saturating_add(cores()),
        }
    }
}

/// The keys of `[auth]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// What tokens, codes and links are signed with; by default made once, in the data directory.
    #[serde(serialize_with = "hidden")]
    pub secret: Option<SecretString>,
    /// The secret before this one: what it signed is valid until it expires.
    #[serde(serialize_with = "hidden")]
    pub previous_secret: Option<SecretString>,
    /// How long an access token is valid.
    pub access_ttl: Period,
    /// How long a session lasts without use.
    pub refresh_ttl: Period,
    /// Whether cookies are sent over https only.
    pub cookie_secure: CookieSecure,
    /// Whether attempts are limited (security R4–R7).
    pub throttle: bool,
    /// Whether a student's log-in ends the student's other sessions.
    pub single_session: bool,
    /// Whether a password reset answers alike for known and unknown addresses.
    pub uniform_reset_response: bool,
    /// How many passwords are hashed at once, each in 19 MiB (security R2).
    pub hash_threads: NonZeroU16,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            secret: None,
            previous_secret: None,
            access_ttl: Period::seconds(15 * 60),
            refresh_ttl: Period::seconds(7 * 24 * 60 * 60),
            cookie_secure: CookieSecure::Auto,
            throttle: true,
            single_session: false,
            uniform_reset_response: false,
            hash_threads: u16::try_from(cores() / 2)
                .ok()
                .and_then(NonZeroU16::new)
                .unwrap_or(NonZeroU16::MIN),
        }
    }
}

/// The keys of `[enrollment]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Enrollment {
    /// How many days an enrolment lasts; 0 is for ever.
    pub days: u16,
}

impl Default for Enrollment {
    fn default() -> Self {
        Self { days: 30 }
    }
}

/// The keys of `[mail]` as they are written. Which of them may stand together is decided in
/// [`Mail`](super::Mail).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MailKeys {
    pub(super) provider: Choice<MailKind>,
    pub(super) from: Option<String>,
    pub(super) templates: Option<PathBuf>,
    pub(super) host: Option<String>,
    pub(super) port: Option<NonZeroU16>,
    pub(super) tls: Option<MailTls>,
    pub(super) username: Option<String>,
    #[serde(serialize_with = "hidden")]
    pub(super) password: Option<SecretString>,
}

/// The mail providers of this server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MailKind {
    #[default]
    File,
    Smtp,
    Log,
}

impl BuiltIn for MailKind {
    const KEY: &'static str = "mail.provider";
    const ALL: &'static [Self] = &[Self::File, Self::Smtp, Self::Log];

    fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Smtp => "smtp",
            Self::Log => "log",
        }
    }
}

/// How the way to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// TLS from the first byte.
    #[default]
    Implicit,
    /// TLS after the greeting, or no mail at all.
    StartTls,
    /// None: only for a server on this machine.
    None,
}

/// The keys of `[video]`, as they are written. Those that go with a provider make a
/// [`Video`](super::Video).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct VideoKeys {
    pub(super) provider: Choice<VideoKind>,
    #[serde(serialize_with = "hidden")]
    pub(super) api_secret: Option<SecretString>,
    #[serde(serialize_with = "hidden")]
    pub(super) webhook_token: Option<SecretString>,
    pub(super) base_url: Option<PublicUrl>,
    pub(super) player_url: Option<PublicUrl>,
    pub(super) bunny_library_id: Option<u64>,
    #[serde(serialize_with = "hidden")]
    pub(super) bunny_api_key: Option<SecretString>,
    #[serde(serialize_with = "hidden")]
    pub(super) bunny_read_only_key: Option<SecretString>,
    #[serde(serialize_with = "hidden")]
    pub(super) bunny_token_key: Option<SecretString>,
    pub(super) bunny_base_url: Option<PublicUrl>,
}

/// Who keeps and plays new videos.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VideoKind {
    /// This server.
    #[default]
    Local,
    /// VdoCipher: encrypted, with the viewer's name over the picture.
    VdoCipher,
    /// Bunny Stream.
    Bunny,
}

impl BuiltIn for VideoKind {
    const KEY: &'static str = "video.provider";
    const ALL: &'static [Self] = &[Self::Local, Self::VdoCipher, Self::Bunny];

    fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::VdoCipher => "vdocipher",
            Self::Bunny => "bunny",
        }
    }
}

/// The keys of `[files]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// Where uploads are kept.
    pub provider: Choice<FilesProvider>,
    /// How many gigabytes (of 2³⁰ bytes) each teacher may store; 0 is as many as the disk takes.
    pub quota_gigabytes: u32,
    /// How many files each teacher may store; 0 is as many as the disk takes.
    pub quota_files: u32,
}

impl Default for Files {
    fn default() -> Self {
        Self { provider: Choice::default(), quota_gigabytes: 20, quota_files: 10_000 }
    }
}

/// Where uploads are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FilesProvider {
    /// `files` in the data directory.
    #[default]
    Disk,
}

impl BuiltIn for FilesProvider {
    const KEY: &'static str = "files.provider";
    const ALL: &'static [Self] = &[Self::Disk];

    fn as_str(self) -> &'static str {
        match self {
            Self::Disk => "disk",
        }
    }
}

/// The keys of `[payment]`, as they are written. Those that go with a provider make a
/// [`Payment`](super::Payment).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PaymentKeys {
    pub(super) provider: Choice<PaymentKind>,
    #[serde(serialize_with = "hidden")]
    pub(super) secret_key: Option<SecretString>,
    #[serde(serialize_with = "hidden")]
    pub(super) webhook_secret: Option<SecretString>,
    #[serde(serialize_with = "hidden")]
    pub(super) webhook_secret_previous: Option<SecretString>,
    pub(super) currency: Option<String>,
    pub(super) success_url: Option<String>,
    pub(super) cancel_url: Option<String>,
    pub(super) base_url: Option<PublicUrl>,
}

/// The payment providers of this server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PaymentKind {
    #[default]
    Coupon,
    Stripe,
}

impl BuiltIn for PaymentKind {
    const KEY: &'static str = "payment.provider";
    const ALL: &'static [Self] = &[Self::Coupon, Self::Stripe];

    fn as_str(self) -> &'static str {
        match self {
            Self::Coupon => "coupon",
            Self::Stripe => "stripe",
        }
    }
}

/// The keys of `[grading]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grading {
    /// Who grades answers.
    pub provider: Choice<GradingProvider>,
}

/// Who grades answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GradingProvider {
    /// The program where it can, the teacher where it cannot.
    #[default]
    Auto,
}

impl BuiltIn for GradingProvider {
    const KEY: &'static str = "grading.provider";
    const ALL: &'static [Self] = &[Self::Auto];

    fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
        }
    }
}

/// The keys of `[log]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// What is logged.
    pub level: LogLevel,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// How many threads the machine runs at once.
fn cores() -> u32 {
    thread::available_parallelism().ok().and_then(|cores| cores.get().try_into().ok()).unwrap_or(1)
}
