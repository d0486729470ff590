//! Accounts and configuration from the command line (security R51, R53).

use std::fs;

use serde_json::{Value, json};

use crate::{
    home::Home,
    support::{LOGIN, PASSWORD, REFRESH, credentials},
};

#[tokio::test]
async fn an_account_is_closed_and_opened_while_the_server_runs() {
    let home = Home::new();
    let server = home.serve(&[]).await;
    let mona = server.teacher("mona", "0100").await;
    let mut create = vec!["admin", "create", "--email", "root@example.com"];
    create.extend(["--username", "root", "--password-stdin"]);
    assert!(home.run_with_input(&create, "correct horse battery\n").status.success());
    let root = server.visitor();
    let welcome = root.post(LOGIN, &credentials("root", "correct horse battery")).await;
    assert_eq!(welcome.expect(200).json()["user_type"], "admin");

    assert!(home.run(&["user", "deactivate", "mona"]).status.success());
    assert!(!mona.is_signed_in().await);
    mona.post(REFRESH, &json!({})).await.expect(401);
    mona.post(LOGIN, &credentials("mona", PASSWORD)).await.expect(401);
    let list = String::from_utf8(home.run(&["user", "list"]).stdout).unwrap();
    let state = |name: &str| {
        let line = list.lines().find(|line| line.split_whitespace().nth(1) == Some(name));
        line.unwrap().split_whitespace().skip(2).collect::<Vec<_>>()
    };
    assert_eq!(state("mona"), ["mona@example.com", "teacher", "closed"]);
    assert_eq!(state("root"), ["root@example.com", "admin", "active"]);

    assert!(home.run(&["user", "activate", "mona"]).status.success());
    mona.post(LOGIN, &credentials("mona", PASSWORD)).await.expect(200);
    assert!(mona.is_signed_in().await);
}

/// Who did what, read while the server runs (security R52).
#[tokio::test]
async fn the_log_is_read_on_the_command_line() {
    let home = Home::new();
    let server = home.serve(&[]).await;
    server.teacher("mona", "0100").await;
    let visitor = server.visitor();
    visitor.post(LOGIN, &credentials("mona", "not-the-password")).await.expect(401);
    assert!(home.run(&["user", "deactivate", "mona"]).status.success());

    let said = |arguments: &[&str]| {
        let output = home.run(arguments);
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let table = said(&["audit"]);
    let actions: Vec<_> = table.lines().filter_map(|l| l.split_whitespace().nth(1)).collect();
    assert_eq!(actions, ["ACTION", "registered", "logged_in", "login_failed", "account_closed"]);
    assert!(!table.contains(PASSWORD) && !table.contains("not-the-password"), "{table}");

    let lines = said(&["audit", "--json", "--since", "1h", "--user", "mona", "--limit", "2"]);
    let entries: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["action"], "login_failed");
    assert_eq!(entries[0]["address"], "127.0.0.1");
    assert_eq!(entries[1]["action"], "account_closed");
    assert_eq!(entries[1]["actor"], Value::Null);
    assert_eq!(said(&["audit", "--json", "--action", "deleted"]).trim(), "");
    assert_eq!(said(&["audit", "--json", "--until", "2026-01-01"]).trim(), "");
    assert_eq!(home.run(&["audit", "--user", "nobody"]).status.code(), Some(1));
    assert_eq!(home.run(&["audit", "--action", "cheered"]).status.code(), Some(2));
}

#[test]
fn a_configuration_that_cannot_be_meant_stops_every_command() {
    for (name, value, key) in [
        ("EDUPRO_AUTH_THROTTLE", "false", "EDUPRO_AUTH__THROTTLE"),
        ("EDUPRO_AUTH__SECRET", "changeme", "auth.secret"),
        ("EDUPRO_AUTH__SECRET", "11111111111111111111111111111111", "auth.secret"),
        ("EDUPRO_AUTH__ACCESS_TTL", "soon", "auth.access_ttl"),
        ("EDUPRO_MAIL__PROVIDER", "pigeon", "mail.provider"),
        ("EDUPRO_MAIL__HOST", "mail.school.example", "mail.host"),
        ("EDUPRO_DATABASE__URL", "mysql://localhost/school", "database.url"),
    ] {
        let home = Home::new().with(name, value);
        for command in [&["serve", "--addr", "127.0.0.1:0"][..], &["migrate"], &["user", "list"]] {
            let output = home.run(command);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{name}={value}: {said}");
            assert!(said.contains(name) && said.contains(key), "{name}={value}: {said}");
            let secret = key == "auth.secret" && said.contains(value);
            assert!(!secret && said.lines().count() == 1, "{said}");
        }
    }
}

#[test]
fn the_configuration_in_force_is_shown_without_its_secrets() {
    let secrets =
        ["a-secret-that-nobody-shall-see-001", "hunter2-of-the-mail", "hunter2-of-the-db"];
    let home = Home::new()
        .with("EDUPRO_AUTH__SECRET", secrets[0])
        .with("EDUPRO_MAIL__PROVIDER", "smtp")
        .with("EDUPRO_MAIL__HOST", "mail.school.example")
        .with("EDUPRO_MAIL__FROM", "mail@school.example")
        .with("EDUPRO_MAIL__USERNAME", "school")
        .with("EDUPRO_MAIL__PASSWORD", secrets[1]);
    let file = format!("[database]\nurl = \"postgres://edupro:{}@localhost/edupro\"\n", secrets[2]);
    fs::write(home.path("edupro.toml"), file).unwrap();
    let output = home.run(&["config"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    for secret in secrets {
        assert!(!shown.contains(secret) && !said.contains(secret), "{shown}{said}");
    }
    for (line, origin) in [
        ("url = \"postgres://edupro:***@localhost/edupro\"", "edupro.toml"),
        ("secret = \"***\"", "EDUPRO_AUTH__SECRET"),
        ("password = \"***\"", "EDUPRO_MAIL__PASSWORD"),
        ("access_ttl = \"15m\"", "default"),
    ] {
        let found = shown.lines().find(|shown| shown.starts_with(line));
        assert!(found.is_some_and(|line| line.ends_with(origin)), "{line}: {shown}");
    }
}

#[test]
fn the_description_of_the_api_is_written_without_a_server() {
    let home = Home::new();
    let output = home.run(&["openapi"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("{\n  \"components\": {\n") && text.ends_with("}\n"), "{text}");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document, edupro_http::openapi::document(""));
    assert_eq!(document["servers"], json!([{"url": "/"}]));
    assert!(!home.path("edupro-data").exists());

    let home = Home::new().with("EDUPRO_HTTP__PUBLIC_URL", "https://school.example/north/");
    let output = home.run(&["openapi", "--output", "api.json"]);
    assert!(output.status.success() && output.stdout.is_empty());
    let written = fs::read_to_string(home.path("api.json")).unwrap();
    let document: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(document["servers"], json!([{"url": "https://school.example/north"}]));

    let output = home.run(&["openapi", "--output", "no/such/folder/api.json"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot write no/such/folder/api.json"), "{said}");
}
