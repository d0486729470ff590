//! A real browser: Chromium without a window, with a new profile each time.

use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::NamedTempFile;
use tokio::time::sleep;

/// The browser's whole life. It listens on the pipe by which it can be steered, and ends when that
/// closes: when we let go of it, or when the test process ends in whatever way. What it answers
/// there goes to standard output, all that it says besides to standard error.
const BROWSER: &str = r#"
    chromium=${EDUPRO_TEST_CHROMIUM:-chromium}
    if ! command -v "$chromium" >/dev/null; then
        echo "there is no $chromium: run scripts/test, which finds or installs it, or install Chromium (Debian: chromium) and name its program in EDUPRO_TEST_CHROMIUM" >&2
        exit 1
    fi
    profile=$(mktemp -d "${TMPDIR:-/tmp}/edupro-test-chromium-XXXXXX") || exit 1
    HOME=$profile "$chromium" --user-data-dir="$profile" --remote-debugging-pipe "$@" \
        3<&0 4>&1 >&2 </dev/null
    rm -rf "$profile"
"#;

/// No window, nothing but this machine, and neither a sandbox nor much shared memory: a container
/// may have neither.
const FLAGS: [&str; 14] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--mute-audio",
    "--no-first-run",
    "--no-proxy-server",
    // The names of a school's site are this machine's, and there are no others.
    "--host-resolver-rules=MAP *.school.example 127.0.0.1, MAP * ~NOTFOUND",
];

/// How long it may take to go.
const GOES: Duration = Duration::from_secs(20);

/// A running browser. It goes when it is dropped.
pub(crate) struct Chromium {
    process: Child,
    log: NamedTempFile,
}

impl Chromium {
    /// Opens a page that needs nobody to steer it.
    pub(crate) fn open(url: &str) -> Self {
        Self::start(url, Stdio::null())
    }

    /// Opens no page yet, and listens to whoever steers it.
    pub(crate) fn steered() -> Self {
        Self::start("about:blank", Stdio::piped())
    }

    /// The two ends of the pipe to steer it by. When the first is closed, it ends.
    pub(crate) fn pipe(&mut self) -> (ChildStdin, ChildStdout) {
        (self.process.stdin.take().unwrap(), self.process.stdout.take().unwrap())
    }

    fn start(url: &str, answers: Stdio) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", BROWSER, "sh"]).args(FLAGS).arg(url);
        command.stdin(Stdio::piped());
        command.stdout(answers).stderr(log.reopen().unwrap());
        // A group of its own, to be ended as a whole.
        let process = command.process_group(0).spawn().unwrap();
        Self { process, log }
    }

    /// Waits until it ends by itself, and gives what it has said.
    pub(crate) async fn ended(&mut self) -> String {
        while self.process.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(50)).await;
        }
        self.log()
    }

    /// What it has said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let start = Instant::now();
        while self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            if start.elapsed() > GOES {
                let group = format!("-{}", self.process.id());
                drop(Command::new("kill").args(["-KILL", "--", &group]).status());
                drop(self.process.wait());
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}
