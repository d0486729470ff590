//! The `edupro` command as a process: what it prints, how it stops, which code it ends with.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that fails may say so in the shortest way")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// The command in a directory of its own, with nothing of ours in its environment.
fn edupro(directory: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edupro"));
    command.args(arguments).current_dir(directory).env_clear().stdin(Stdio::null());
    command
}

fn run(directory: &TempDir, arguments: &[&str]) -> Output {
    edupro(directory, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

struct Server {
    process: Child,
    address: String,
    /// What it said on standard output until it was open.
    said: String,
}

impl Server {
    fn start(directory: &TempDir, arguments: &[&str]) -> Self {
        let mut command = edupro(directory, &["serve", "--addr", "127.0.0.1:0"]);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null());
        let process = command.spawn().unwrap();
        let mut server = Self { process, address: String::new(), said: String::new() };
        let mut output = BufReader::new(server.process.stdout.take().unwrap());
        while server.address.is_empty() {
            let start = server.said.len();
            let read = output.read_line(&mut server.said).unwrap();
            assert_ne!(read, 0, "it stopped after: {}", server.said);
            let open = server.said[start..].split_once("EduPro is open at http://");
            if let Some(address) = open.and_then(|(_, rest)| rest.split_whitespace().next()) {
                server.address = address.to_owned();
            }
        }
        server
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// Sends a request that ends its connection, and reads the answer.
    fn ask(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Waits for the end, and says how long that took.
    fn end(mut self) -> (ExitStatus, Duration) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return (status, start.elapsed());
            }
            assert!(start.elapsed() < Duration::from_secs(30), "it does not stop");
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves nothing running.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

const LOGIN: &str = "{\"email\": \"mona@example.com\", \"password\": \"palm-tree-42\"}";

fn login() -> String {
    format!(
        "POST /api/v1/teacher/login/ HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{LOGIN}",
        LOGIN.len()
    )
}

#[test]
fn it_starts_with_nothing_configured_and_the_demo_can_log_in() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(&directory, &["--demo"]);
    let health = server.ask("GET /healthz HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    assert!(health.starts_with("HTTP/1.1 200 "), "{health}");
    assert!(server.said.contains("palm-tree-42"), "{}", server.said);
    let answer = server.ask(&login());
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\"first_name\":\"Mona\""), "{answer}");
    server.signal("-TERM");
    let (status, took) = server.end();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(3), "{took:?}");

    // Again: the same people, once, and the same secret.
    let secret = fs::read(directory.path().join("edupro-data/secret")).unwrap();
    let server = Server::start(&directory, &["--demo"]);
    assert!(server.ask(&login()).starts_with("HTTP/1.1 200 "));
    assert_eq!(fs::read(directory.path().join("edupro-data/secret")).unwrap(), secret);
    let list = run(&directory, &["user", "list"]);
    assert_eq!(text(&list.stdout).lines().count(), 9, "{}", text(&list.stdout));
}

#[test]
fn a_stop_waits_for_requests_and_not_for_half_ones() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(&directory, &["--demo"]);
    let mut half_open = server.connect();
    half_open.write_all(b"GET /healthz HT").unwrap();
    let request = login();
    let (start, rest) = request.split_at(request.len() - 4);
    let mut busy = server.connect();
    busy.write_all(start.as_bytes()).unwrap();
    sleep(Duration::from_millis(300));
    server.signal("-INT");
    sleep(Duration::from_millis(300));
    assert!(TcpStream::connect(&server.address).is_err(), "nobody new is let in");
    busy.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (status, took) = server.end();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn a_second_signal_stops_at_once() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(&directory, &["--demo"]);
    let request = login();
    let mut busy = server.connect();
    busy.write_all(&request.as_bytes()[..request.len() - 4]).unwrap();
    sleep(Duration::from_millis(300));
    server.signal("-TERM");
    sleep(Duration::from_millis(300));
    server.signal("-TERM");
    let (_, took) = server.end();
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn an_administrator_is_made_from_standard_input() {
    let directory = TempDir::new().unwrap();
    let create = |password: &str| {
        let arguments = [
            "admin",
            "create",
            "--email",
            "root@example.com",
            "--username",
            "root",
            "--password-stdin",
        ];
        let mut command = edupro(&directory, &arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        process.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        process.wait_with_output().unwrap()
    };
    let weak = create("short\n");
    assert_eq!(weak.status.code(), Some(1));
    assert!(text(&weak.stderr).contains("too short"), "{}", text(&weak.stderr));
    assert_eq!(create("correct horse battery\n").status.code(), Some(0));
    let again = create("correct horse battery\n");
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("exists already"), "{}", text(&again.stderr));

    assert_eq!(run(&directory, &["user", "deactivate", "root@example.com"]).status.code(), Some(0));
    let list = run(&directory, &["user", "list"]);
    assert!(text(&list.stdout).contains("admin    closed"), "{}", text(&list.stdout));
    assert_eq!(run(&directory, &["user", "activate", "root"]).status.code(), Some(0));
    assert_eq!(run(&directory, &["user", "activate", "nobody"]).status.code(), Some(1));
}

#[test]
fn a_wrong_configuration_and_a_wrong_command_line_end_with_two() {
    let directory = TempDir::new().unwrap();
    assert_eq!(run(&directory, &["serv"]).status.code(), Some(2));
    assert_eq!(run(&directory, &["--version"]).status.code(), Some(0));
    fs::write(directory.path().join("edupro.toml"), "[auth]\nthrotle = false\n").unwrap();
    for arguments in [&["serve"][..], &["config"], &["migrate"]] {
        let output = run(&directory, arguments);
        assert_eq!(output.status.code(), Some(2));
        let message = text(&output.stderr);
        assert!(
            message.starts_with("edupro: edupro.toml: there is no key `auth.throtle`"),
            "{message}"
        );
        // The refusal comes before anything is made.
        assert!(!directory.path().join("edupro-data").exists());
    }
    let other = run(&directory, &["config", "--config", "missing.toml"]);
    assert!(text(&other.stderr).contains("missing.toml"), "{}", text(&other.stderr));
}

#[test]
fn an_address_in_use_is_said_so() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(&directory, &[]);
    let output = run(&directory, &["serve", "--addr", &server.address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("choose another address"), "{}", text(&output.stderr));
}
