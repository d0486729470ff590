//! A school in a test: answers that can be snapshot.
//!
//! The clock stands still and chance is seeded, so two runs give the same answers byte for byte,
//! ids, codes and times included, on SQLite and on PostgreSQL: a snapshot needs no redaction, and
//! one serves both engines.
//!
//! | for | there is |
//! | --- | --- |
//! | people | [`TestApp::teacher`], [`student`](TestApp::student), [`admin`](TestApp::admin), [`visitor`](TestApp::visitor): each a [`Browser`] that is logged in and keeps its cookies |
//! | answers | [`Answer`]: shown, it is the status, the cookies and the body, as a snapshot wants it |
//! | time | [`TestApp::clock`] is moved by hand |
//! | mail | [`TestApp::mails`]: what was sent; [`TestApp::mailer`] can refuse |
//! | what happens after a commit | [`TestApp::work`] does it, when the test says so |
//! | events | [`TestBuilder::hear_events`], [`TestApp::events`] |
//! | providers of one's own | [`TestBuilder::start_with`]: a last word with the [`Builder`] |
//! | a double of VdoCipher | [`FakeVdoCipher`] |
//! | handlers of one's own | [`TestApp::inside`], [`TestBuilder::below`] |
//! | who may do what | [`permissions`]: every route, own ones too, as nobody, as strangers and as owners |
//! | rules without HTTP | [`TestApp::school`] |
//! | bytes that a fuzzer makes up | [`strangers`]: what holds whatever they are |
//!
//! Each test has a school of its own, with a database, chance and time of its own. There is nothing
//! global, so tests run in any order and at the same moment, and none has to tidy up. Files are kept
//! in memory and passwords hashed as cheaply as can be: a school starts in milliseconds.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use edupro_http::testkit::TestApp;
//! use serde_json::json;
//!
//! let app = TestApp::new().await;
//! let mona = app.teacher("mona").await;
//! let answer = mona.get("/teacher/revenue/").await;
//! assert_eq!(answer.to_string(), "200 OK\n\n{\n  \"revenue\": 0\n}");
//! # }
//! ```

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "what goes wrong in a test kit fails the test"
)]

mod answer;
mod browser;
mod exchange;
pub mod permissions;
pub mod strangers;
pub mod vdocipher;

use std::{path::Path, sync::Arc};

use axum::Router;
use chrono::{DateTime, Utc};
use edupro_core::{
    ManualClock, School, SeededEntropy, Settings, Storage,
    accounts::{self, HashCost},
    events::{Announced, MemorySink},
    files::FileStore,
    jobs::Worker,
    mail::{MemoryMailer, Message},
};
use edupro_storage::{Database, DatabaseOptions};
use serde_json::json;
use tempfile::TempDir;

use self::exchange::Witness;
pub use self::{
    answer::Answer,
    browser::{Browser, Part},
    exchange::Exchange,
    vdocipher::FakeVdoCipher,
};
use crate::{Builder, EduPro};

/// Where the school of a test is reached.
pub const PUBLIC_URL: &str = "http://school.example";
/// Everybody's password.
pub const PASSWORD: &str = "Str0ng-Pass!";

/// A school in a test.
#[derive(Debug)]
pub struct TestApp {
    edupro: EduPro,
    router: Router,
    prefix: String,
    clock: Arc<ManualClock>,
    mailer: Arc<MemoryMailer>,
    sink: Option<Arc<MemorySink>>,
    witness: Option<Witness>,
    database_url: String,
    /// Removes itself when the test ends.
    _folder: TempDir,
}

/// Composes a [`TestApp`].
#[derive(Clone, Debug)]
#[must_use = "nothing is made until `start` is called"]
pub struct TestBuilder {
    clock: Arc<ManualClock>,
    database_url: Option<String>,
    settings: Settings,
    hash_cost: Option<HashCost>,
    hears_events: bool,
    prefix: String,
    witness: Option<Witness>,
}

impl TestBuilder {
    /// The clock that the school will have: for what stands beside it and needs the same time.
    #[must_use]
    pub fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(&self.clock)
    }

    /// Uses this database instead of a new SQLite file.
    pub fn database(mut self, url: impl Into<String>) -> Self {
        self.database_url = Some(url.into());
        self
    }

    /// What the school has set. Limits are off unless this switches them on.
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// What a password's hash costs. Default: as little as possible.
    pub fn hash_cost(mut self, cost: HashCost) -> Self {
        self.hash_cost = Some(cost);
        self
    }

    /// Nests the school below this path, as in a service that has other things at its root:
    /// [`PUBLIC_URL`] and the path are its address then.
    pub fn below(mut self, path: impl Into<String>) -> Self {
        self.prefix = path.into();
        self
    }

    /// Shows this every request with its answer: to check what all answers have in common.
    pub fn witness(mut self, see: impl Fn(&Exchange<'_>) + Send + Sync + 'static) -> Self {
        self.witness = Some(Witness::new(see));
        self
    }

    /// Keeps what the school announces, for [`TestApp::events`]. Without it nothing is announced,
    /// which takes no ids: so a snapshot with events is another than one without.
    pub fn hear_events(mut self) -> Self {
        self.hears_events = true;
        self
    }

    /// Starts the school.
    pub async fn start(self) -> TestApp {
        self.start_with(|builder| builder).await
    }

    /// Starts the school after a last word with its [`Builder`].
    pub async fn start_with(self, change: impl FnOnce(Builder) -> Builder) -> TestApp {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let url = self.database_url.unwrap_or_else(|| sqlite_url(folder.path()));
        let database = Database::connect(&DatabaseOptions::new(&url)).await;
        let database = database.expect("the database of a test can be opened");
        database.migrate().await.expect("the schema can be made");
        let clock = self.clock;
        let mailer = Arc::new(MemoryMailer::default());
        let sink = self.hears_events.then(Arc::<MemorySink>::default);
        let mut builder = EduPro::builder(Arc::new(database) as Arc<dyn Storage>)
            .clock(Arc::<ManualClock>::clone(&clock))
            .entropy(Arc::new(SeededEntropy::new(1)))
            .secret("the secret of a test, thirty-two bytes or more")
            .settings(self.settings)
            .hash_cost(self.hash_cost.unwrap_or(HashCost::CHEAPEST))
            .mailer(Arc::<MemoryMailer>::clone(&mailer))
            .files(FileStore::in_memory().expect("files can be kept in memory"))
            .public_url(format!("{PUBLIC_URL}{}", self.prefix))
            .cors_origins(["http://localhost:5173"]);
        if let Some(sink) = &sink {
            builder = builder.events(Arc::<MemorySink>::clone(sink));
        }
        let edupro = change(builder).build().expect("a school can be composed");
        let router = match self.prefix.as_str() {
            "" => edupro.site(),
            prefix => Router::new().nest(prefix, edupro.site()),
        };
        TestApp {
            router,
            prefix: self.prefix,
            edupro,
            clock,
            mailer,
            sink,
            witness: self.witness,
            database_url: url,
            _folder: folder,
        }
    }
}

fn sqlite_url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("edupro.db").display())
}

/// A Saturday morning.
fn start_of_time() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_767_427_200_123_456).expect("a moment of this century")
}

impl TestApp {
    /// A school on a new SQLite file.
    pub async fn new() -> Self {
        Self::builder().start().await
    }

    /// Begins to compose a school.
    pub fn builder() -> TestBuilder {
        let mut settings = Settings::default();
        settings.throttle = false;
        let clock = Arc::new(ManualClock::new(start_of_time()));
        TestBuilder {
            clock,
            database_url: None,
            settings,
            hash_cost: None,
            hears_events: false,
            prefix: String::new(),
            witness: None,
        }
    }

    /// The same school inside a router of one's own, which every browser asks from now on: to test
    /// own handlers beside the school's. They are asked by a whole URL, [`PUBLIC_URL`] and a path.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use axum::{Router, routing::get};
    /// use edupro_http::{EduPro, extract::SignedIn, testkit::TestApp};
    ///
    /// async fn hello(SignedIn(visitor): SignedIn) -> String {
    ///     format!("\"Hello, {}!\"", visitor.user.first_name)
    /// }
    ///
    /// fn app(edupro: &EduPro) -> Router {
    ///     let own = Router::new().route("/hello", get(hello));
    ///     edupro.guard(own).merge(edupro.router()).with_state(edupro.clone())
    /// }
    ///
    /// let app = TestApp::new().await.inside(app);
    /// let url = "http://school.example/hello";
    /// assert_eq!(app.visitor().get(url).await.status(), 401);
    /// assert_eq!(app.teacher("mona").await.get(url).await.json(), "Hello, Mona!");
    /// # }
    /// ```
    #[must_use]
    pub fn inside(mut self, build: impl FnOnce(&EduPro) -> Router) -> Self {
        self.router = build(&self.edupro);
        self
    }

    /// The composed school.
    #[must_use]
    pub fn edupro(&self) -> &EduPro {
        &self.edupro
    }

    /// The school itself, to ask its rules without HTTP.
    #[must_use]
    pub fn school(&self) -> &School {
        self.edupro.school()
    }

    /// Where the school's database is, to look into it from outside.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// The clock, to move it.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The mailer, to have it refuse.
    #[must_use]
    pub fn mailer(&self) -> &MemoryMailer {
        &self.mailer
    }

    /// Does what is due after the commits so far, and returns how many jobs that were.
    pub async fn work(&self) -> usize {
        let worker = Worker::new(Arc::clone(self.edupro.school()));
        worker.run_due().await.expect("jobs can be read")
    }

    /// The mails since the last time, after doing what is due.
    pub async fn mails(&self) -> Vec<Message> {
        self.work().await;
        self.mailer.take()
    }

    /// The events since the last time, after doing what is due.
    ///
    /// # Panics
    ///
    /// When the school was started without [`TestBuilder::hear_events`].
    pub async fn events(&self) -> Vec<Announced> {
        self.work().await;
        self.sink().take()
    }

    /// Who hears the events, to have it refuse.
    ///
    /// # Panics
    ///
    /// When the school was started without [`TestBuilder::hear_events`].
    #[must_use]
    pub fn sink(&self) -> &MemorySink {
        self.sink.as_deref().expect("a school that was started with `hear_events`")
    }

    /// Somebody who is not logged in.
    #[must_use]
    pub fn visitor(&self) -> Browser {
        Browser::new(self.router.clone(), &self.prefix, self.witness.clone())
    }

    /// A teacher of this username, registered and logged in.
    pub async fn teacher(&self, username: &str) -> Browser {
        let browser = self.visitor();
        let mut person = person(username);
        person["phone"] = phone(username, 1).into();
        let registered = browser.post("/teacher/teacher-register/", person).await;
        assert_eq!(registered.status(), 201, "{registered}");
        browser.log_in_teacher(username).await;
        browser
    }

    /// A student of this username, registered with a teacher and logged in.
    pub async fn student(&self, username: &str, teacher: &str) -> Browser {
        let browser = self.visitor();
        let mut person = person(username);
        person["phone"] = phone(username, 2).into();
        person["parent_phone"] = phone(username, 3).into();
        let path = format!("/student/student-register/{teacher}");
        let registered = browser.post(&path, person).await;
        assert_eq!(registered.status(), 201, "{registered}");
        browser.log_in_student(username, teacher).await;
        browser
    }

    /// An administrator of this username, logged in.
    pub async fn admin(&self, username: &str) -> Browser {
        let (email, username_value) = (email(username).parse(), username.parse());
        let (email, name) = (email.unwrap(), username_value.unwrap());
        let admin = accounts::admin::create(self.school(), &email, &name, PASSWORD).await;
        admin.expect("an administrator can be made");
        let browser = self.visitor();
        browser.log_in_teacher(username).await;
        browser
    }
}

/// The e-mail address of a test's person.
#[must_use]
pub fn email(username: &str) -> String {
    format!("{username}@example.com")
}

/// What a test's person registers with, but for the telephone.
#[must_use]
pub fn person(username: &str) -> serde_json::Value {
    let mut first_name = username.to_owned();
    if let Some(initial) = first_name.get_mut(0..1) {
        initial.make_ascii_uppercase();
    }
    json!({
        "first_name": first_name,
        "last_name": "Adel",
        "username": username,
        "email": email(username),
        "password1": PASSWORD,
        "password2": PASSWORD,
    })
}

/// A number that belongs to a username: two people of a test do not share one by accident.
fn phone(username: &str, kind: u64) -> String {
    let digits =
        username.bytes().fold(kind, |sum, byte| (sum * 131 + u64::from(byte)) % 1_000_000_007);
    format!("+20{kind}{digits:010}")
}
