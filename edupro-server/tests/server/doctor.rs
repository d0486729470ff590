//! `edupro doctor`: a healthy school, and each fault with its line, its key and its exit code.

use std::{
    collections::BTreeMap,
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    home::Home,
    support::{
        home_with_mail, postgres,
        smtp_server::{Encryption, Script, SmtpServer},
    },
};

/// What it found: exit code, findings.
struct Diagnosis {
    code: i32,
    findings: Vec<Value>,
    text: String,
}

impl Diagnosis {
    fn of(home: &Home) -> Self {
        // What it asks may be answered by this very thread.
        let [json, text] = tokio::task::block_in_place(|| {
            [&["doctor", "--json"][..], &["doctor"]].map(|arguments| home.run(arguments))
        });
        assert_eq!(json.status.code(), text.status.code());
        let report: Value = serde_json::from_slice(&json.stdout).unwrap();
        let text = String::from_utf8(text.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        // A line for each, and one for all.
        assert_eq!(text.lines().count(), findings.len() + 1, "{text}");
        let code = json.status.code().unwrap();
        assert_eq!(report["status"] == "failed", code == 1, "{report}");
        Self { code, findings, text }
    }

    /// A finding about this part that has these words.
    #[track_caller]
    fn says(&self, status: &str, part: &str, words: &str) -> &Value {
        let said = |finding: &&Value| {
            let text = |name: &str| finding[name].as_str().unwrap();
            finding["part"] == part
                && (text("found").contains(words) || text("remedy").contains(words))
        };
        let found = self.findings.iter().find(said);
        let found = found.unwrap_or_else(|| panic!("{part}, {words}: {}", self.text));
        assert_eq!(found["status"], status, "{}", self.text);
        found
    }

    /// The same, with the keys that mend it; and that the whole has failed.
    #[track_caller]
    fn fails(&self, part: &str, words: &str, keys: &[&str]) {
        assert_eq!(self.code, 1, "{}", self.text);
        assert_eq!(self.says("failed", part, words)["keys"], Value::from(keys));
    }

    #[track_caller]
    fn warns(&self, part: &str, words: &str, keys: &[&str]) {
        assert_eq!(self.says("warning", part, words)["keys"], Value::from(keys));
    }
}

/// Every file below a folder, with its mode and content.
fn everything_below(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = path.metadata().unwrap().permissions().mode();
        match path.is_dir() {
            true => {
                found.insert(path.clone(), (mode, Vec::new()));
                found.extend(everything_below(&path));
            }
            false => {
                found.insert(path.clone(), (mode, fs::read(&path).unwrap()));
            }
        }
    }
    found
}

/// A school that has been open, and is closed.
async fn school(home: &Home) {
    home.serve(&[]).await.stop().await;
}

async fn on_sqlite(home: &Home, statement: &'static str) {
    let file = home.path("edupro-data/edupro.db");
    let url = format!("sqlite://{}", file.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    connection.execute("PRAGMA foreign_keys = OFF").await.unwrap();
    connection.execute(statement).await.unwrap();
    connection.close().await.unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// An address at which nobody listens.
async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// Somebody over HTTP who says the same to everybody.
async fn service(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            drop(stream.read(&mut request).await);
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n\
                 content-length: {length}\r\n\r\n{body}"
            );
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_school_has_nothing_wrong() {
    let smtp = SmtpServer::start(Script::new(Encryption::None)).await.unwrap();
    let home = home_with_mail(&smtp);
    let server = home.serve(&[]).await;
    let home = home.with("EDUPRO_HTTP__ADDR", &server.address.to_string());
    let diagnosis = Diagnosis::of(&home);
    assert_eq!(diagnosis.code, 0, "{}", diagnosis.text);
    for finding in &diagnosis.findings {
        // These two are this machine's.
        let is_the_machines = finding["part"] == "disk" || finding["part"] == "open files";
        assert!(is_the_machines || finding["status"] == "ok", "{finding}");
    }
    for (part, words) in [
        ("database", "SQLite"),
        ("database", "it can be written"),
        ("database", "journal_mode is wal"),
        ("database", "nothing in it is broken"),
        ("mail", "localhost answers and would take mail"),
        ("public url", "/healthz answers"),
        ("secrets", "closed to others"),
    ] {
        diagnosis.says("ok", part, words);
    }
    assert!(smtp.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_or_changed() {
    let home = Home::new();
    let diagnosis = Diagnosis::of(&home);
    diagnosis.warns("directories", "edupro-data is not there yet", &["data_dir"]);
    diagnosis.warns("database", "edupro.db is not there yet", &["database.url"]);
    assert_eq!(diagnosis.code, 0, "{}", diagnosis.text);
    assert_eq!(fs::read_dir(home.path("")).unwrap().count(), 0);

    school(&home).await;
    // A schema that a start would bring up to date.
    on_sqlite(&home, "DELETE FROM _sqlx_migrations WHERE version > 1").await;
    let before = everything_below(&home.path(""));
    Diagnosis::of(&home).warns("database", "its schema is number 1", &[]);
    assert_eq!(everything_below(&home.path("")), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_can_enter_or_read_is_closed() {
    let home = Home::new();
    school(&home).await;
    for (name, mode, part, words) in [
        ("edupro-data", 0o755, "directories", "run `chmod go-rwx edupro-data`"),
        ("edupro-data/files", 0o755, "directories", "run `chmod o-rwx edupro-data/files`"),
        ("edupro-data/secret", 0o640, "secrets", "run `chmod 600 edupro-data/secret`"),
    ] {
        let path = home.path(name);
        let before = path.metadata().unwrap().permissions();
        set_mode(&path, mode);
        Diagnosis::of(&home).fails(part, words, &[]);
        fs::set_permissions(&path, before).unwrap();
    }
    let file = home.path("edupro.toml");
    fs::write(&file, "[auth]\nsecret = \"a-secret-that-nobody-shall-see-001\"\n").unwrap();
    set_mode(&file, 0o644);
    Diagnosis::of(&home).fails("secrets", "run `chmod 600 edupro.toml`", &[]);
    set_mode(&file, 0o640);
    let diagnosis = Diagnosis::of(&home);
    diagnosis.warns("secrets", "run `chmod 600 edupro.toml`", &[]);
    assert!(!diagnosis.text.contains("nobody-shall-see"), "{}", diagnosis.text);
    set_mode(&file, 0o600);
    let diagnosis = Diagnosis::of(&home);
    diagnosis.says("ok", "secrets", "edupro.toml holds a secret");
    assert_eq!(diagnosis.code, 0, "{}", diagnosis.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_that_is_none_is_named() {
    let home = Home::new().with("EDUPRO_DATA_DIR", "a-file");
    fs::write(home.path("a-file"), "").unwrap();
    Diagnosis::of(&home).fails("directories", "a-file is no directory", &["data_dir"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn weak_and_old_secrets_are_found() {
    let home = Home::new();
    school(&home).await;
    fs::write(home.path("edupro-data/secret"), "changeme").unwrap();
    let diagnosis = Diagnosis::of(&home);
    diagnosis.fails("secrets", "must be at least 32 characters", &["auth.secret"]);

    fs::remove_file(home.path("edupro-data/secret")).unwrap();
    let file = home.path("edupro.toml");
    fs::write(&file, "[auth]\nprevious_secret = \"a-secret-that-was-in-use-before-01\"\n").unwrap();
    set_mode(&file, 0o600);
    Diagnosis::of(&home).says("ok", "secrets", "leave it out after 7d");
    let last_week = file.metadata().unwrap().modified().unwrap() - Duration::from_hours(8 * 24);
    File::options().append(true).open(&file).unwrap().set_modified(last_week).unwrap();
    Diagnosis::of(&home).warns("secrets", "set 8 days ago", &["auth.previous_secret"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_cannot_be_read_is_the_only_finding() {
    for (name, value, key) in [
        ("EDUPRO_AUTH__SECRET", "changeme", "auth.secret"),
        ("EDUPRO_MAIL__HOST", "mail.school.example", "mail.host"),
        ("EDUPRO_HTTP__PUBLIC_URL", "school", "http.public_url"),
    ] {
        let diagnosis = Diagnosis::of(&Home::new().with(name, value));
        diagnosis.fails("configuration", key, &[key]);
        assert_eq!(diagnosis.findings.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_stops_no_other_check() {
    let port = closed_port().await;
    let url = format!("postgres://edupro:hunter2-of-the-db@127.0.0.1:{port}/edupro");
    let home = Home::new()
        .with("EDUPRO_DATABASE__URL", &url)
        .with("EDUPRO_MAIL__PROVIDER", "smtp")
        .with("EDUPRO_MAIL__HOST", "localhost")
        .with("EDUPRO_MAIL__PORT", &port.to_string())
        .with("EDUPRO_MAIL__TLS", "none")
        .with("EDUPRO_MAIL__FROM", "mail@school.example");
    let diagnosis = Diagnosis::of(&home);
    diagnosis.fails("database", "edupro:***@127.0.0.1", &["database.url"]);
    diagnosis.fails("mail", "localhost", &["mail.host", "mail.port", "mail.tls"]);
    diagnosis.says("ok", "video", "with the files");
    assert!(!diagnosis.text.contains("hunter2"), "{}", diagnosis.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_of_other_versions_and_damage_are_told_apart() {
    let home = Home::new();
    school(&home).await;
    let insert =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                  VALUES (9999, 'of tomorrow', TRUE, x'00', 0)";
    on_sqlite(&home, insert).await;
    Diagnosis::of(&home).fails("database", "schema is number 9999", &[]);
    on_sqlite(&home, "DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    on_sqlite(&home, "UPDATE _sqlx_migrations SET success = FALSE WHERE version = 2").await;
    Diagnosis::of(&home).fails("database", "migration 2 of its schema", &[]);
    on_sqlite(&home, "UPDATE _sqlx_migrations SET success = TRUE WHERE version = 2").await;
    assert_eq!(Diagnosis::of(&home).code, 0);

    on_sqlite(
        &home,
        "INSERT INTO password_resets (user_id, nonce, tries, expires_at) VALUES (7, '', 0, 0)",
    )
    .await;
    Diagnosis::of(&home).fails("database", "refers to nothing in users", &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_that_would_lose_or_refuse_something_is_found() {
    let url = postgres::database(async |_| {}).await;
    let (server, name) = url.rsplit_once('/').unwrap();
    let (server, name) = (format!("{server}/postgres"), name.split('?').next().unwrap());
    let alter = async |words: &str| {
        let mut connection = PgConnection::connect(&server).await.unwrap();
        let statement = AssertSqlSafe(format!("ALTER DATABASE {name} {words}"));
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
    };
    let home = Home::new().with("EDUPRO_DATABASE__URL", &url);
    Diagnosis::of(&home).warns("database", "it has no schema yet", &[]);
    school(&home).await;
    let diagnosis = Diagnosis::of(&home);
    diagnosis.says("ok", "database", "PostgreSQL");
    diagnosis.says("ok", "database", "its schema is this version's");
    diagnosis.says("ok", "clock", "s from this machine's");

    alter("SET synchronous_commit = off").await;
    Diagnosis::of(&home).fails("database", "synchronous_commit is off", &[]);
    alter("RESET ALL").await;
    alter("SET default_transaction_read_only = on").await;
    let read_only = Diagnosis::of(&home);
    read_only.fails("database", "its transactions are read-only", &["database.url"]);
    alter("RESET ALL").await;
    let home = home.with("EDUPRO_DATABASE__MAX_CONNECTIONS", "5000");
    let crowded = Diagnosis::of(&home);
    crowded.fails("database", "this process may use 10000", &["database.max_connections"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_account_that_is_refused_is_the_accounts_fault() {
    let account = Some(("school", "hunter2-of-the-mail"));
    let script = Script { account, ..Script::new(Encryption::Implicit) };
    let smtp = SmtpServer::start(script).await.unwrap();
    let home = home_with_mail(&smtp)
        .with("EDUPRO_MAIL__TLS", "implicit")
        .with("EDUPRO_MAIL__USERNAME", "school")
        .with("EDUPRO_MAIL__PASSWORD", "another-password");
    // Nobody vouches for its certificate.
    let keys = &["mail.host", "mail.port", "mail.tls"];
    Diagnosis::of(&home).fails("mail", "certificate", keys);
    fs::write(home.path("authority.pem"), smtp.ca_pem()).unwrap();
    let authority = home.path("authority.pem").display().to_string();
    let home = home.with("SSL_CERT_FILE", &authority);
    let diagnosis = Diagnosis::of(&home);
    diagnosis.fails("mail", "535", &["mail.username", "mail.password"]);
    assert!(!diagnosis.text.contains("another-password"), "{}", diagnosis.text);
    let home = home.with("EDUPRO_MAIL__PASSWORD", "hunter2-of-the-mail");
    Diagnosis::of(&home).says("ok", "mail", "would take mail");
    assert!(smtp.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_services_elsewhere_are_tried() {
    let refuses = service("401 Unauthorized", "{}").await;
    let has_nothing = service("200 OK", r#"{"count": 0, "rows": [], "items": []}"#).await;
    let knows_nothing = service("404 Not Found", r#"{"error": {"type": "t"}}"#).await;
    let home = |video: &str, payment: &str| {
        [
            ("VIDEO__PROVIDER", "vdocipher"),
            ("VIDEO__API_SECRET", "hunter2-of-vdocipher"),
            ("VIDEO__BASE_URL", video),
            ("VIDEO__BUNNY_LIBRARY_ID", "759"),
            ("VIDEO__BUNNY_API_KEY", "hunter2-of-bunny"),
            ("VIDEO__BUNNY_TOKEN_KEY", "hunter2-of-players"),
            ("VIDEO__BUNNY_BASE_URL", video),
            ("PAYMENT__PROVIDER", "stripe"),
            ("PAYMENT__SECRET_KEY", "sk_test_hunter2"),
            ("PAYMENT__WEBHOOK_SECRET", "whsec_hunter2"),
            ("PAYMENT__CURRENCY", "EGP"),
            ("PAYMENT__SUCCESS_URL", "https://school.example/paid"),
            ("PAYMENT__CANCEL_URL", "https://school.example/courses"),
            ("PAYMENT__BASE_URL", payment),
        ]
        .into_iter()
        .fold(Home::new(), |home, (key, value)| home.with(&format!("EDUPRO_{key}"), value))
    };
    let diagnosis = Diagnosis::of(&home(&refuses, &refuses));
    diagnosis.fails("video", "vdocipher", &["video.api_secret"]);
    diagnosis.fails("video", "bunny", &["video.bunny_library_id", "video.bunny_api_key"]);
    diagnosis.fails("payment", "stripe", &["payment.secret_key"]);
    assert!(!diagnosis.text.contains("hunter2"), "{}", diagnosis.text);
    let diagnosis = Diagnosis::of(&home(&has_nothing, &knows_nothing));
    diagnosis.says("ok", "video", "vdocipher answers and accepts the school's key");
    diagnosis.says("ok", "video", "bunny answers and accepts the school's key");
    diagnosis.says("ok", "payment", "stripe answers and accepts the school's key");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_outside_needs_other_keys_too() {
    let home = Home::new().with("EDUPRO_HTTP__PUBLIC_URL", "https://school.invalid");
    let diagnosis = Diagnosis::of(&home);
    diagnosis.warns("public url", "http://localhost:5173", &["http.cors_origins"]);
    diagnosis.warns("public url", "the proxy's address", &["http.trusted_proxies"]);
    diagnosis.warns("public url", "/healthz does not answer", &["http.public_url"]);
    diagnosis.warns("mail", "becomes a file", &["mail.provider"]);
    assert_eq!(diagnosis.code, 0, "{}", diagnosis.text);

    let home = Home::new()
        .with("EDUPRO_HTTP__PUBLIC_URL", "http://school.invalid")
        .with("EDUPRO_HTTP__CORS_ORIGINS", "[\"https://pages.invalid\"]")
        .with("EDUPRO_AUTH__COOKIE_SECURE", "true");
    let diagnosis = Diagnosis::of(&home);
    diagnosis.warns("public url", "passwords cross the network in clear", &["http.public_url"]);
    diagnosis.warns(
        "public url",
        "from another site: https://pages.invalid",
        &["http.cors_origins", "http.public_url"],
    );
    let keys = &["auth.cookie_secure", "http.public_url"];
    diagnosis.fails("public url", "nobody stays logged in", keys);
}
