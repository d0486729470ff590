//! The `edupro` command in a folder of its own: run to its end, or as a server.

use std::{
    fs,
    io::Write,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
};

use tempfile::{NamedTempFile, TempDir};

use crate::{
    client::{Browser, Connection},
    support::{LOGIN, PASSWORD, credentials, eventually, teacher},
};

/// A folder in which nothing is configured, and the environment of whoever works in it.
pub(crate) struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), variables: Vec::new() }
    }

    /// The same with an environment variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Something in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edupro"));
        command.args(arguments).current_dir(&self.folder).env_clear().stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that reads `input`, to its end.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        process.wait_with_output().unwrap()
    }

    /// A server on a free port of this machine, once it is open.
    pub(crate) async fn serve(&self, arguments: &[&str]) -> Server {
        let [output, log] = [(); 2].map(|()| NamedTempFile::new().unwrap());
        let mut command = self.command(&["serve", "--addr", "127.0.0.1:0"]);
        command.args(arguments).stdout(output.reopen().unwrap()).stderr(log.reopen().unwrap());
        let process = command.spawn().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Server { process, address, output, log };
        server.address = eventually("server", async || server.is_open()).await;
        server
    }
}

/// A running server. It is killed when it is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    output: NamedTempFile,
    log: NamedTempFile,
}

impl Server {
    /// The address that it says it is open at.
    fn is_open(&mut self) -> Option<SocketAddr> {
        let output = self.output();
        let found = output.split_once("EduPro is open at http://");
        if let Some((address, _)) = found.and_then(|(_, rest)| rest.split_once(' ')) {
            return Some(address.parse().unwrap());
        }
        let ended = self.process.try_wait().unwrap();
        assert!(ended.is_none(), "it stopped: {}", self.log());
        None
    }

    /// What it has written to standard output.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    /// What it has written to standard error.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Somebody without cookies.
    pub(crate) fn visitor(&self) -> Browser {
        Browser::new(self.address)
    }

    /// A new teacher, logged in.
    pub(crate) async fn teacher(&self, username: &str, phone: &str) -> Browser {
        let browser = self.visitor();
        let form = teacher(username, phone);
        browser.post("/api/v1/teacher/teacher-register/", &form).await.expect(201);
        browser.post(LOGIN, &credentials(username, PASSWORD)).await.expect(200);
        browser
    }

    /// A connection on which nothing has been said yet.
    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(self.address).await.unwrap()
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        eventually("end", async || self.process.try_wait().unwrap()).await
    }

    /// Asks it to stop, waits for its end, and gives all that it has written.
    pub(crate) async fn stop(mut self) -> [String; 2] {
        self.terminate();
        assert_eq!(self.ended().await.code(), Some(0));
        [self.output(), self.log()]
    }

    /// `kill -9`
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        if std::thread::panicking() {
            eprintln!("{}{}", self.output(), self.log());
        }
    }
}

/// The permission bits of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
