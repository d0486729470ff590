//! Every example runs, and says what it should. `cargo test` has built them by then; whoever picks
//! this test alone builds them first: `cargo build --workspace --all-features --examples`.

#![cfg(test)]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// How long an example may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What those print that end by themselves.
const PRINTED: [(&str, &str); 7] = [
    ("custom_grader", "2 points: \"2 of 3 words\"\n"),
    ("custom_mailer", "To: root@example.com\nSubject: Password Reset OTP\n\n"),
    ("custom_payment", "\"Sound\": \"paid\"\n"),
    ("custom_users", "mona's password is kept here: $argon2id$"),
    ("custom_video", "\"ready\": \"https://cdn.example/films/"),
    ("events", "chat: student 2 is in Sound now, for "),
    ("snapshot", "201 Created\n\n{\n"),
];

/// Where those that serve until they are stopped are asked for, and what they answer.
const SERVED: [(&str, &[(&str, &str)]); 2] = [
    (
        "embed",
        &[
            ("/hello", "401 Unauthorized"),
            ("/school/api/v1/course/list/", "{\"count\":0,"),
            ("/school/api/v1/nothing", "{\"detail\":\"Not found.\"}"),
            ("/elsewhere", "My own page"),
        ],
    ),
    (
        "two_schools",
        &[
            ("/", "Two schools"),
            ("/north/api/v1", "/north/api/v1/teacher/login/"),
            ("/south/api/v1", "/south/api/v1/teacher/login/"),
        ],
    ),
];

/// The whole command line with a provider of its own.
const CONFIGURED: &str = "own_server";

fn program(name: &str) -> PathBuf {
    // This test is in `target/<profile>/deps`, examples are beside that.
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "{} is not built: cargo build --workspace --all-features --examples",
        program.display()
    );
    program
}

/// An example that runs. Whatever becomes of the test, it does not outlive it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It is over already, unless the test has failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn start(name: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program(name));
        command.args(arguments).env("INSTA_UPDATE", "no");
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap())
    }

    fn interrupt(&self) {
        let interrupted = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        assert!(interrupted.unwrap().success());
    }

    /// Waits until it ends by itself, and well.
    fn ends(&mut self, name: &str) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                assert!(status.success(), "{name}: {status}");
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{name} has not ended after {PATIENCE:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn every_example_is_run() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let names = examples.read_dir().unwrap().map(|file| file.unwrap().path());
    let there: BTreeSet<_> =
        names.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let run = PRINTED.iter().map(|(name, _)| *name).chain(SERVED.iter().map(|(name, _)| *name));
    assert_eq!(there, run.chain([CONFIGURED]).map(ToOwned::to_owned).collect());
}

#[test]
fn some_print_and_end() {
    for (name, expected) in PRINTED {
        let mut example = Running::start(name, &[]);
        // They print little, which fits the pipe.
        example.ends(name);
        let mut printed = String::new();
        example.0.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        assert!(printed.contains(expected), "{name}: {printed}");
    }
}

fn get(address: &str, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))
}

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[cfg(unix)]
#[test]
fn others_serve_until_ctrl_c() {
    for (name, questions) in &SERVED {
        let mut example = Running::start(name, &["127.0.0.1:0"]);
        let mut line = String::new();
        let mut output = BufReader::new(example.0.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("open at http://").unwrap_or_else(|| {
            panic!("{name} does not say where it is: {line:?}");
        });
        for (path, expected) in *questions {
            let answer = get(address, path);
            assert!(answer.contains(expected), "{name} {path}: {answer}");
        }
        example.interrupt();
        example.ends(name);
    }
}

/// What is printed after `start`, up to the next space or line's end.
#[cfg(unix)]
fn printed_after(output: &mpsc::Receiver<String>, start: &str) -> String {
    loop {
        let line = output.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {start:?}"));
        if let Some((_, rest)) = line.split_once(start) {
            return rest.split_whitespace().next().unwrap_or_default().to_owned();
        }
    }
}

/// The lines of a process, as they come.
#[cfg(unix)]
fn lines(output: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        // Nobody listens any more once the test is over.
        BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    lines
}

#[cfg(unix)]
#[test]
fn a_configuration_names_the_provider_of_a_server_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str], mailer: &str| {
        let mut command = Command::new(program(CONFIGURED));
        command.args(arguments).current_dir(&folder).env("EDUPRO_MAIL__PROVIDER", mailer);
        command.env("EDUPRO_MAIL__TERMINAL__HEADING", "A mail.");
        command
    };
    let refused = command(&["config"], "pigeons").output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("must be one of file, smtp, log, terminal, not \"pigeons\""), "{said}");

    let arguments = ["serve", "--demo", "--addr", "127.0.0.1:0"];
    let mut server = Running::spawn(command(&arguments, "terminal"));
    let output = lines(server.0.stdout.take().unwrap());
    let address = printed_after(&output, "EduPro is open at http://");
    let body = "{\"email\": \"mona@example.com\"}";
    let answer = ask(
        &address,
        &format!(
            "POST /api/v1/password-reset/request/ HTTP/1.1\r\nHost: {address}\r\n\
             Connection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n\
             {body}",
            body.len()
        ),
    );
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    printed_after(&output, "A mail.");
    assert_eq!(printed_after(&output, "To: "), "mona@example.com");
    server.interrupt();
    server.ends(CONFIGURED);
}
