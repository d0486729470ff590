//! Where values come from, what is refused and how that is said.

use std::{fs, path::PathBuf};

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;

const EXAMPLE: &str = include_str!("../../edupro.example.toml");

/// A configuration from a file's text and environment variables.
fn load(file: &str, variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("edupro.toml");
    fs::write(&path, file).unwrap();
    let variables =
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Loaded::new(Sources { file: Some(path), variables, addr: None })
}

/// What is said about a configuration that is refused, with the file's name cut to its last part.
fn refusal(file: &str, variables: &[(&str, &str)]) -> String {
    let message = load(file, variables).expect_err("this must not be accepted").to_string();
    match message.find("edupro.toml") {
        Some(start) => message[start..].to_owned(),
        None => message,
    }
}

fn values(loaded: &Loaded) -> serde_json::Value {
    serde_json::to_value(&loaded.sections).unwrap()
}

#[test]
fn without_anything_there_are_defaults() {
    let config = load("", &[]).unwrap().config;
    assert_eq!(config.http.addr.to_string(), "127.0.0.1:8000");
    assert_eq!(config.http.cors_origins.len(), 4);
    assert_eq!(config.database_url().expose(), "sqlite://edupro-data/edupro.db");
    assert!(!config.cookies_are_secure());
    let odd = load("data_dir = \"100% sure?\"", &[]).unwrap().config;
    assert_eq!(odd.database_url().expose(), "sqlite://100%25 sure%3F/edupro.db");
    assert!(matches!(config.mail.provider, MailProvider::File));
}

#[test]
fn the_example_has_every_key_and_changes_nothing() {
    let mut example = values(&load(EXAMPLE, &[]).unwrap());
    // The one default that depends on another key is written out.
    assert_eq!(example.pointer("/mail/from").unwrap(), "EduPro <edupro@localhost>");
    example["mail"]["from"] = serde_json::Value::Null;
    assert_eq!(example, values(&load("", &[]).unwrap()));

    let mut keys = Vec::new();
    let mut section = String::new();
    for line in EXAMPLE.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        } else if let Some((key, _)) = line.trim_start_matches("# ").split_once(" = ")
            && !key.contains(' ')
        {
            keys.push(format!("{section}{key}"));
        }
    }
    let known: Vec<_> = keys::KEYS.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(keys, known);
}

#[test]
fn the_examples_commented_lines_are_valid() {
    let mut sections: Vec<(&str, Vec<&str>)> = vec![];
    for line in EXAMPLE.lines() {
        if line.starts_with('[') {
            sections.push((line, Vec::new()));
        } else if let Some(line) = line.strip_prefix("# ")
            && line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
        {
            sections.last_mut().unwrap().1.push(line);
        }
    }
    for (section, lines) in sections {
        let mut file = format!("{section}\n{}\n", lines.join("\n"));
        if section == "[mail]" {
            file += "provider = \"smtp\"\nfrom = \"mail@school.example\"\n";
        }
        if section == "[payment]" {
            file += "provider = \"stripe\"\n";
        }
        load(&file, &[]).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

#[test]
fn the_known_keys_are_those_of_the_sections() {
    let values = values(&load("", &[]).unwrap());
    let mut found = Vec::new();
    for (name, value) in values.as_object().unwrap() {
        match value.as_object() {
            Some(section) => found.extend(section.keys().map(|key| format!("{name}.{key}"))),
            None => found.push(name.clone()),
        }
    }
    let mut known: Vec<_> = keys::KEYS.iter().map(|(key, _)| (*key).to_owned()).collect();
    known.sort();
    found.sort();
    assert_eq!(found, known);
}

#[test]
fn flags_beat_the_environment_which_beats_the_file() {
    let file = "[http]\naddr = \"127.0.0.1:1\"\n[auth]\naccess_ttl = \"1m\"\nrefresh_ttl = \"1d\"";
    let environment = [("EDUPRO_HTTP__ADDR", "127.0.0.1:2"), ("EDUPRO_AUTH__ACCESS_TTL", "2m")];
    let config = load(file, &environment).unwrap().config;
    assert_eq!(config.http.addr.port(), 2);
    assert_eq!(config.auth.access_ttl.to_string(), "2m");
    assert_eq!(config.auth.refresh_ttl.to_string(), "1d");

    let addr = Some("127.0.0.1:3".parse().unwrap());
    let variables = vec![("EDUPRO_HTTP__ADDR".into(), "127.0.0.1:2".into())];
    let loaded = Loaded::new(Sources { file: None, variables, addr }).unwrap();
    assert_eq!(loaded.config.http.addr.port(), 3);
    assert!(loaded.to_toml().contains("# --addr"));
}

#[test]
fn environment_variables_have_the_types_of_their_keys() {
    let loaded = load(
        "",
        &[
            ("EDUPRO_DATA_DIR", "/srv/edupro"),
            ("EDUPRO_HTTP__TRUSTED_PROXIES", r#"["127.0.0.1/32", "10.0.0.0/8"]"#),
            ("EDUPRO_HTTP__CORS_ORIGINS", "[]"),
            ("EDUPRO_AUTH__SECRET", "31415926535897932384626433832795"),
            ("EDUPRO_AUTH__THROTTLE", "false"),
            ("EDUPRO_AUTH__COOKIE_SECURE", "true"),
            ("EDUPRO_ENROLLMENT__DAYS", "0"),
            ("EDUPRO_MAIL__PROVIDER", "smtp"),
            ("EDUPRO_MAIL__HOST", "mail.school.example"),
            ("EDUPRO_MAIL__FROM", "mail@school.example"),
            ("EDUPRO_MAIL__PORT", "2525"),
            ("EDUPRO_MAIL__TLS", "starttls"),
            ("EDUPRO_MAIL__USERNAME", "007"),
            ("EDUPRO_MAIL__PASSWORD", "123456"),
            // Not ours.
            ("EDUPRO_TEST_POSTGRES_URL", "postgres://localhost"),
            ("PATH", "/bin"),
        ],
    );
    let config = loaded.unwrap().config;
    assert_eq!(config.data_path("secret"), PathBuf::from("/srv/edupro/secret"));
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert!(config.http.cors_origins.is_empty());
    let secret = config.auth.secret.unwrap();
    assert_eq!(secret.expose_secret(), "31415926535897932384626433832795");
    assert!(!config.auth.throttle);
    assert_eq!(config.auth.cookie_secure, CookieSecure::Always(true));
    assert_eq!(config.enrollment.days, 0);
    let MailProvider::Smtp(smtp) = config.mail.provider else { panic!("not smtp") };
    assert_eq!(smtp.port.unwrap().get(), 2525);
    assert_eq!(smtp.tls, MailTls::StartTls);
    assert_eq!(smtp.username.as_deref(), Some("007"));
    assert_eq!(smtp.password.unwrap().expose_secret(), "123456");
}

#[test]
fn unknown_keys_are_named_with_their_place() {
    for (file, variables, message) in [
        (
            "[auth]\nthrotle = false",
            &[][..],
            "edupro.toml: there is no key `auth.throtle`; choose from secret, previous_secret, \
             access_ttl, refresh_ttl, cookie_secure, throttle, single_session, \
             uniform_reset_response, hash_threads",
        ),
        (
            "[htp]\naddr = \"a\"",
            &[],
            "edupro.toml: there is no key `htp`; choose from data_dir, http, database, auth, \
             enrollment, mail, video, files, payment, grading, log",
        ),
        (
            "",
            &[("EDUPRO_HTTP_ADDR", "127.0.0.1:80")],
            "EDUPRO_HTTP_ADDR: there is no key `http_addr`; choose from EDUPRO_HTTP__ADDR",
        ),
        (
            "",
            &[("EDUPRO_LOG__LEVLE", "info")],
            "EDUPRO_LOG__LEVLE: there is no key `log.levle`; choose from level, format",
        ),
    ] {
        assert_eq!(refusal(file, variables), message);
    }
}

#[test]
fn wrong_values_are_named_with_their_place_and_what_to_write() {
    for (file, variables, message) in [
        (
            "[http]\naddr = \"localhost\"",
            &[][..],
            "edupro.toml: `http.addr` must be an address with a port, such as \"127.0.0.1:8000\"",
        ),
        ("[http]\naddr = 8000", &[], "edupro.toml: `http.addr` must be text in quotes, not 8000"),
        ("http = 8000", &[], "edupro.toml: `http` must be a table of keys, not 8000"),
        (
            "",
            &[("EDUPRO_HTTP__CORS_ORIGINS", "https://school.example")],
            "EDUPRO_HTTP__CORS_ORIGINS: `http.cors_origins` must be a list such as [\"a\", \
             \"b\"], not \"https://school.example\"",
        ),
        (
            "[http]\ntrusted_proxies = [\"127.0.0.1\"]",
            &[],
            "edupro.toml: `http.trusted_proxies` must be networks such as \"127.0.0.1/32\" or \
             \"10.0.0.0/8\", not \"127.0.0.1\"",
        ),
        (
            "[auth]\naccess_ttl = \"15 minutes\"",
            &[],
            "edupro.toml: `auth.access_ttl` must be a period such as \"30s\", \"15m\", \"12h\" \
             or \"7d\"",
        ),
        (
            "[auth]\naccess_ttl = \"8d\"",
            &[],
            "the default: `auth.refresh_ttl` must be at least `auth.access_ttl`, which is 8d",
        ),
        (
            "[auth]\ncookie_secure = \"sometimes\"",
            &[],
            "edupro.toml: `auth.cookie_secure` must be \"auto\", true or false",
        ),
        (
            "[http]\npublic_url = \"https://school.example\"",
            &[("EDUPRO_AUTH__COOKIE_SECURE", "false")],
            "EDUPRO_AUTH__COOKIE_SECURE: `auth.cookie_secure` must be true or \"auto\" where \
             `http.public_url` is https: without it the first http link gives every session away",
        ),
        (
            "",
            &[("EDUPRO_AUTH__THROTTLE", "no")],
            "EDUPRO_AUTH__THROTTLE: `auth.throttle` must be true or false, not \"no\"",
        ),
        (
            "",
            &[("EDUPRO_DATABASE__MAX_CONNECTIONS", "0")],
            "EDUPRO_DATABASE__MAX_CONNECTIONS: `database.max_connections` must be a whole \
             number in its range, not 0",
        ),
        (
            "",
            &[("EDUPRO_MAIL__PROVIDER", "sendmail")],
            "EDUPRO_MAIL__PROVIDER: `mail.provider` must be one of file, smtp, log, not \
             \"sendmail\"",
        ),
        (
            "[video]\nprovider = \"youtube\"",
            &[],
            "edupro.toml: `video.provider` must be one of local, vdocipher, bunny, not \"youtube\"",
        ),
        (
            "[log]\nlevel = \"loud\"",
            &[],
            "edupro.toml: `log.level` must be error, warn, info, debug, trace or off, or such as \
             \"info,sqlx=warn\"",
        ),
    ] {
        assert_eq!(refusal(file, variables), message);
    }
}

#[test]
fn keys_of_another_mail_provider_are_refused() {
    assert_eq!(
        refusal("", &[("EDUPRO_MAIL__HOST", "mail.school.example")]),
        "EDUPRO_MAIL__HOST: `mail.host` belongs to `mail.provider = \"smtp\"`: set that, or \
         leave this out"
    );
    assert_eq!(
        refusal("[mail]\nprovider = \"smtp\"", &[]),
        "the default: `mail.host` must name the mail server when `mail.provider` is \"smtp\""
    );
    assert_eq!(
        refusal("[mail]\nprovider = \"smtp\"\nhost = \"mail.school.example\"", &[]),
        "the default: `mail.from` must say whom mails are from, such as \"School \
         <mail@school.example>\""
    );
}

#[test]
fn a_payment_provider_has_its_keys_and_no_others() {
    assert_eq!(
        refusal("", &[("EDUPRO_PAYMENT__SECRET_KEY", "sk_test_123")]),
        "EDUPRO_PAYMENT__SECRET_KEY: `payment.secret_key` belongs to `payment.provider = \
         \"stripe\"`: set that, or leave this out"
    );
    let stripe = "[payment]\nprovider = \"stripe\"\nsecret_key = \"sk_test_123\"\n\
                  webhook_secret = \"whsec_123\"\nsuccess_url = \"https://school.example/paid\"\n";
    assert_eq!(
        refusal(stripe, &[]),
        "the default: `payment.currency` is needed when `payment.provider` is \"stripe\""
    );
    let cancel = ("EDUPRO_PAYMENT__CANCEL_URL", "https://school.example/?a={CHECKOUT_SESSION_ID}");
    assert_eq!(
        refusal(stripe, &[cancel, ("EDUPRO_PAYMENT__CURRENCY", "pounds")]),
        "EDUPRO_PAYMENT__CURRENCY: `payment.currency` must be three letters, such as \"EGP\""
    );
    let loaded = load(stripe, &[cancel, ("EDUPRO_PAYMENT__CURRENCY", "egp")]).unwrap();
    let Payment::Stripe(keys) = &loaded.config.payment else { panic!("not stripe") };
    assert_eq!(keys.terms.currency.to_string(), "EGP");
    assert!(!loaded.to_toml().contains("_123"), "{}", loaded.to_toml());
    assert!(!format!("{loaded:?}").contains("_123"), "{loaded:?}");
    for (key, secret) in [("SECRET_KEY", "pk_test_123"), ("WEBHOOK_SECRET", "123")] {
        let message = refusal(stripe, &[cancel, (&format!("EDUPRO_PAYMENT__{key}"), secret)]);
        assert!(message.contains("must begin with"), "{message}");
        assert!(!message.contains("123"), "{message}");
    }
}

#[test]
fn a_video_provider_has_its_keys_and_old_ones_keep_theirs() {
    let vdocipher = ("EDUPRO_VIDEO__PROVIDER", "vdocipher");
    assert_eq!(
        refusal("", &[vdocipher]),
        "the default: `video.api_secret` is needed to use \"vdocipher\""
    );
    assert_eq!(
        refusal("", &[("EDUPRO_VIDEO__BASE_URL", "http://127.0.0.1:9")]),
        "EDUPRO_VIDEO__BASE_URL: `video.base_url` belongs to `video.api_secret`: set that, or leave \
         this out"
    );
    let secret = ("EDUPRO_VIDEO__API_SECRET", "secret-of-the-api");
    let message = refusal("", &[vdocipher, ("EDUPRO_VIDEO__API_SECRET", "secret of the api")]);
    assert!(message.contains("without spaces") && !message.contains("of the api"), "{message}");
    let token = ("EDUPRO_VIDEO__WEBHOOK_TOKEN", "short");
    assert!(refusal("", &[vdocipher, secret, token]).contains("at least 16 characters"));
    let loaded = load("", &[vdocipher, secret]).unwrap();
    assert_eq!(loaded.config.video.provider, Choice::BuiltIn(VideoKind::VdoCipher));
    assert!(!loaded.to_toml().contains("of-the-api"), "{}", loaded.to_toml());
    assert!(!format!("{loaded:?}").contains("of-the-api"), "{loaded:?}");
    // Whoever went back to this server still has what was uploaded there.
    let loaded = load("", &[secret]).unwrap();
    assert_eq!(loaded.config.video.provider, Choice::BuiltIn(VideoKind::Local));
    assert!(loaded.config.video.vdocipher.is_some());

    let bunny = "[video]\nprovider = \"bunny\"\n";
    assert_eq!(
        refusal(bunny, &[]),
        "the default: `video.bunny_api_key` is needed to use \"bunny\""
    );
    let bunny = format!("{bunny}bunny_api_key = \"key\"\nbunny_token_key = \"key\"\n");
    assert!(refusal(&bunny, &[]).contains("`video.bunny_library_id` is needed"));
    let loaded = load(&bunny, &[("EDUPRO_VIDEO__BUNNY_LIBRARY_ID", "759")]).unwrap();
    assert_eq!(loaded.config.video.bunny.unwrap().library_id, 759);
}

#[test]
fn weak_secrets_are_refused_and_never_repeated() {
    for weak in [
        "short",
        "changeme-changeme-changeme-changeme",
        "django-insecure-3c6a0123456789012345678901234567",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        for key in ["EDUPRO_AUTH__SECRET", "EDUPRO_AUTH__PREVIOUS_SECRET"] {
            let message = refusal("", &[(key, weak)]);
            assert!(message.starts_with(&format!("{key}: `auth.")), "{message}");
            assert!(message.contains("at least 32 characters"), "{message}");
            assert!(!message.contains(weak), "{message}");
        }
    }
    let message = refusal("[auth]\nsecret = 31415926535", &[]);
    assert_eq!(message, "edupro.toml: `auth.secret` must be text in quotes");
}

#[test]
fn a_file_that_is_no_toml_is_named_with_its_line_and_without_its_words() {
    let message = refusal("[auth]\n\nsecret = \"hunter2", &[]);
    assert!(message.starts_with("edupro.toml, line 3: "), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn a_named_file_must_exist() {
    let file = Some(PathBuf::from("no/such/file.toml"));
    let error = Loaded::new(Sources { file, ..Sources::default() }).unwrap_err();
    assert_eq!(error.to_string(), "no/such/file.toml: cannot read the configuration");
}

#[test]
fn the_effective_configuration_is_shown_with_origins_and_without_secrets() {
    let secret = "correct horse battery staple correct horse";
    let loaded = load(
        "[database]\nurl = \"postgres://edupro:hunter2@db/school\"",
        &[("EDUPRO_AUTH__PREVIOUS_SECRET", secret), ("EDUPRO_HTTP__ADDR", "0.0.0.0:80")],
    )
    .unwrap();
    let toml = loaded.to_toml();
    assert!(!toml.contains(secret) && !toml.contains("hunter2"), "{toml}");
    let line = |start: &str| toml.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    assert!(line("addr").starts_with("addr = \"0.0.0.0:80\"  "), "{toml}");
    assert!(line("addr").ends_with("# EDUPRO_HTTP__ADDR"), "{toml}");
    assert!(line("url").contains("\"postgres://edupro:***@db/school\""), "{toml}");
    assert!(line("url").ends_with("edupro.toml"), "{toml}");
    assert!(line("secret").contains("\"***\""), "{toml}");
    assert!(line("days").ends_with("# default"), "{toml}");
    assert_eq!(line("# host"), "# host is not set");
    assert_eq!(line("# public_url"), "# public_url is not set");
    // What is shown can be read again, but for the secrets and a database's password.
    let readable: Vec<_> = toml.lines().filter(|line| !line.contains("***")).collect();
    load(&readable.join("\n"), &[]).unwrap();
    assert!(!format!("{loaded:?}").contains("hunter2"), "{loaded:?}");
    assert!(!format!("{loaded:?}").contains(secret), "{loaded:?}");
}

#[cfg(unix)]
#[test]
fn a_file_with_secrets_that_everybody_reads_is_noticed() {
    use std::os::unix::fs::PermissionsExt;

    let directory = TempDir::new().unwrap();
    let path = directory.path().join("edupro.toml");
    let exposed = |text: &str, mode| {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let sources = Sources { file: Some(path.clone()), ..Sources::default() };
        Loaded::new(sources).unwrap().exposed_file().is_some()
    };
    let secret = "[auth]\nsecret = \"correct horse battery staple correct horse\"";
    let database = "[database]\nurl = \"postgres://edupro:hunter2@db/school\"";
    assert!(exposed(secret, 0o644));
    assert!(exposed(database, 0o644));
    assert!(!exposed(secret, 0o600));
    assert!(!exposed("[auth]\nthrottle = true", 0o644));
}
