//! The names that people script against, in the order in which they are shown.

/// What a key's value is. Environment variables have no types of their own, and some values must
/// not be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, also when it looks like a number.
    Text,
    /// Text that is never shown.
    Secret,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Switch,
    /// A list of texts.
    List,
}

/// Every key there is. `edupro.example.toml` explains each of them; a test holds the two together.
pub(super) const KEYS: &[(&str, Kind)] = &[
    ("data_dir", Kind::Text),
    ("http.addr", Kind::Text),
    ("http.public_url", Kind::Text),
    ("http.cors_origins", Kind::List),
    ("http.trusted_proxies", Kind::List),
    ("database.url", Kind::Text),
    ("database.read_url", Kind::Text),
    ("database.max_connections", Kind::Number),
    ("auth.secret", Kind::Secret),
    ("auth.previous_secret", Kind::Secret),
    ("auth.access_ttl", Kind::Text),
    ("auth.refresh_ttl", Kind::Text),
    ("auth.cookie_secure", Kind::Text),
    ("auth.throttle", Kind::Switch),
    ("auth.single_session", Kind::Switch),
    ("auth.uniform_reset_response", Kind::Switch),
    ("auth.hash_threads", Kind::Number),
    ("enrollment.days", Kind::Number),
    ("mail.provider", Kind::Text),
    ("mail.from", Kind::Text),
    ("mail.templates", Kind::Text),
    ("mail.host", Kind::Text),
    ("mail.port", Kind::Number),
    ("mail.tls", Kind::Text),
    ("mail.username", Kind::Text),
    ("mail.password", Kind::Secret),
    ("video.provider", Kind::Text),
    ("video.api_secret", Kind::Secret),
    ("video.webhook_token", Kind::Secret),
    ("video.base_url", Kind::Text),
    ("video.player_url", Kind::Text),
    ("video.bunny_library_id", Kind::Number),
    ("video.bunny_api_key", Kind::Secret),
    ("video.bunny_read_only_key", Kind::Secret),
    ("video.bunny_token_key", Kind::Secret),
    ("video.bunny_base_url", Kind::Text),
    ("files.provider", Kind::Text),
    ("files.quota_gigabytes", Kind::Number),
    ("files.quota_files", Kind::Number),
    ("payment.provider", Kind::Text),
    ("payment.secret_key", Kind::Secret),
    ("payment.webhook_secret", Kind::Secret),
    ("payment.webhook_secret_previous", Kind::Secret),
    ("payment.currency", Kind::Text),
    ("payment.success_url", Kind::Text),
    ("payment.cancel_url", Kind::Text),
    ("payment.base_url", Kind::Text),
    ("grading.provider", Kind::Text),
    ("log.level", Kind::Text),
    ("log.format", Kind::Text),
];

/// The kind of a key, if there is such a key.
pub(super) fn kind(key: &str) -> Option<Kind> {
    KEYS.iter().find(|(known, _)| *known == key).map(|(_, kind)| *kind)
}

/// Whether `name` is a table of keys, such as `http`.
pub(super) fn is_section(name: &str) -> bool {
    KEYS.iter().any(|(key, _)| key.split_once('.').is_some_and(|(section, _)| section == name))
}

/// The keys to choose from in place of an unknown one: those of its section, else the sections.
pub(super) fn alternatives(unknown: &str) -> Vec<&'static str> {
    let section = unknown.split('.').next().unwrap_or_default();
    let mut names: Vec<&str> = if is_section(section) {
        KEYS.iter()
            .filter_map(|(key, _)| key.split_once('.').filter(|(name, _)| *name == section))
            .map(|(_, key)| key)
            .collect()
    } else {
        KEYS.iter().filter_map(|(key, _)| key.split('.').next()).collect()
    };
    names.dedup();
    names
}

/// The environment variable of a key: `http.addr` is `EDUPRO_HTTP__ADDR`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// The key of an environment variable, if it is one of ours. Variables of the tests are not.
pub(super) fn key_of(variable: &str) -> Option<String> {
    let name = variable.strip_prefix(PREFIX)?;
    let ours = !name.starts_with("TEST_");
    ours.then(|| name.to_lowercase().replace("__", "."))
}

const PREFIX: &str = "EDUPRO_";
