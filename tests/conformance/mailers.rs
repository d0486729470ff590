use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use chrono::DateTime;
use edupro_core::{
    ManualClock,
    conformance::mailer::{self, MailProbe, Received},
    mail::{FileMailer, LogMailer, MailError, Mailer, MemoryMailer, Message},
};

use crate::complaint;

fn received(mail: &Message) -> Received {
    let content = format!(
        "{} {} {} {}",
        mail.id,
        mail.subject,
        mail.text,
        mail.html.as_deref().unwrap_or("")
    );
    Received { to: mail.to.clone(), content }
}

#[derive(Debug)]
struct Memory(Arc<MemoryMailer>);

#[async_trait]
impl MailProbe for Memory {
    async fn received(&self) -> Option<Vec<Received>> {
        Some(self.0.sent().iter().map(received).collect())
    }

    fn unreachable(&self) -> Option<Arc<dyn Mailer>> {
        let mailer = MemoryMailer::default();
        mailer.refuse(true);
        Some(Arc::new(mailer))
    }
}

#[tokio::test]
async fn memory() {
    let mailer = Arc::new(MemoryMailer::default());
    mailer::all(&*mailer, &Memory(Arc::clone(&mailer))).await;
}

#[derive(Debug)]
struct Folder(PathBuf);

fn file_mailer(folder: &Path) -> FileMailer {
    let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
    FileMailer::new(folder.to_owned(), "mail@school.example", clock).unwrap()
}

#[async_trait]
impl MailProbe for Folder {
    async fn received(&self) -> Option<Vec<Received>> {
        let Ok(mails) = self.0.read_dir() else { return Some(Vec::new()) };
        let mails = mails.map(|mail| mail.unwrap().path());
        // What begins with a full stop is not whole yet, and no mail.
        let whole = mails.filter(|path| path.extension().is_some_and(|of| of == "eml"));
        let read = whole.map(|path| {
            let content = std::fs::read_to_string(path).unwrap();
            let to = content.lines().find_map(|line| line.strip_prefix("To: "));
            Received { to: to.unwrap_or_default().to_owned(), content }
        });
        Some(read.collect())
    }

    fn unreachable(&self) -> Option<Arc<dyn Mailer>> {
        // Below a file there is no folder.
        Some(Arc::new(file_mailer(Path::new("/dev/null/mail"))))
    }
}

#[tokio::test]
async fn files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("mail");
    mailer::all(&file_mailer(&folder), &Folder(folder)).await;
}

/// Nobody can tell what arrives from the log.
#[derive(Debug)]
pub(crate) struct Nowhere;

#[async_trait]
impl MailProbe for Nowhere {
    async fn received(&self) -> Option<Vec<Received>> {
        None
    }
}

#[tokio::test]
async fn log() {
    mailer::all(&LogMailer, &Nowhere).await;
}

/// A promise that is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    Swallows,
    Doubles,
    Tests,
    Shortens,
    LosesHtml,
    SecondTryFails,
    TakesRefused,
    RetriesRefused,
    StaysStuck,
    MixesUp,
    IsSilentAbroad,
    RejectsAbroad,
    Smuggles,
    Tells,
}

/// A mailer that keeps all promises but one.
struct Liar {
    lie: Lie,
    sent: Mutex<Vec<Received>>,
    subject: Mutex<String>,
    stuck: AtomicBool,
}

const REFUSED: &str = "refused@pupils.example";

impl Liar {
    fn new(lie: Lie) -> Self {
        let (sent, subject, stuck) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        Self { lie, sent, subject, stuck }
    }

    fn keep(&self, mail: &Message) {
        self.sent.lock().unwrap().push(received(mail));
    }
}

impl std::fmt::Debug for Liar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.lie {
            Lie::Tells => write!(formatter, "{:?}", self.sent),
            _ => formatter.write_str("Liar"),
        }
    }
}

#[async_trait]
impl Mailer for Liar {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let rejected = || MailError::Rejected { reason: "refused".to_owned() };
        if self.stuck.load(Ordering::SeqCst) {
            return Err(MailError::unavailable("the last mail never ended"));
        }
        if message.to == REFUSED {
            return match self.lie {
                Lie::TakesRefused => Ok(()),
                Lie::RetriesRefused => Err(MailError::unavailable("refused")),
                _ => Err(rejected()),
            };
        }
        if !message.to.ends_with("@pupils.example") || message.to.contains([' ', '\n']) {
            if self.lie == Lie::Smuggles && message.to.contains("eve@") {
                let eve = "eve@elsewhere.example".to_owned();
                let (id, text) = (message.id.clone(), message.text.clone());
                self.keep(&Message::new(id, eve, message.subject.clone(), text));
            }
            return Err(rejected());
        }
        let mut mail = message.clone();
        match self.lie {
            Lie::Swallows => return Ok(()),
            Lie::Shortens => mail.text.truncate(900),
            Lie::LosesHtml => mail.html = None,
            Lie::SecondTryFails => {
                let is_there =
                    self.sent.lock().unwrap().iter().any(|one| one.content.contains(&mail.id));
                if is_there {
                    return Err(rejected());
                }
            }
            Lie::Doubles => self.keep(&mail),
            Lie::MixesUp => {
                self.subject.lock().unwrap().clone_from(&mail.subject);
                tokio::task::yield_now().await;
                mail.subject.clone_from(&self.subject.lock().unwrap());
            }
            Lie::StaysStuck => {
                self.stuck.store(true, Ordering::SeqCst);
                tokio::task::yield_now().await;
                self.stuck.store(false, Ordering::SeqCst);
            }
            _ => {}
        }
        self.keep(&mail);
        Ok(())
    }

    async fn check(&self) -> Result<(), MailError> {
        if self.lie == Lie::Tests {
            let text = "Is this thing on?".to_owned();
            self.keep(&Message::new("1".into(), "me@school.example".into(), "A test".into(), text));
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Behind(Arc<Liar>);

/// A mailer that says so of nobody who cannot be reached.
#[derive(Debug)]
struct Abroad(Lie);

#[async_trait]
impl Mailer for Abroad {
    async fn send(&self, _: &Message) -> Result<(), MailError> {
        match self.0 {
            Lie::IsSilentAbroad => Ok(()),
            Lie::RejectsAbroad => Err(MailError::Rejected { reason: "nobody is there".to_owned() }),
            _ => Err(MailError::unavailable("nobody is there")),
        }
    }

    async fn check(&self) -> Result<(), MailError> {
        Err(MailError::unavailable("nobody is there"))
    }
}

#[async_trait]
impl MailProbe for Behind {
    async fn received(&self) -> Option<Vec<Received>> {
        Some(self.0.sent.lock().unwrap().clone())
    }

    fn refused(&self) -> Option<&str> {
        Some(REFUSED)
    }

    fn unreachable(&self) -> Option<Arc<dyn Mailer>> {
        Some(Arc::new(Abroad(self.0.lie)))
    }
}

#[tokio::test]
async fn a_promise_that_is_not_kept_is_noticed() {
    for (lie, expected) in [
        (Lie::Swallows, "a mail arrives so often"),
        (Lie::Doubles, "a mail arrives so often"),
        (Lie::Tests, "asking whether it is ready sends a mail"),
        (Lie::Shortens, "a mail arrives mutilated"),
        (Lie::LosesHtml, "a mail arrives mutilated"),
        (Lie::SecondTryFails, "a mail is not sent again"),
        (Lie::TakesRefused, "who is refused for good is not rejected"),
        (Lie::RetriesRefused, "who is refused for good is not rejected"),
        (Lie::StaysStuck, "after mails were given up"),
        (Lie::MixesUp, "of many mails at once"),
        (Lie::IsSilentAbroad, "would not be tried again"),
        (Lie::RejectsAbroad, "would not be tried again"),
        (Lie::Smuggles, "who was smuggled in"),
        (Lie::Tells, "a log would show what a mail says"),
    ] {
        let liar = Arc::new(Liar::new(lie));
        let words = complaint(async move {
            mailer::all(&*Arc::clone(&liar), &Behind(liar)).await;
        });
        let words = words.await;
        assert!(words.contains(expected), "{lie:?}: {words}");
    }
}
