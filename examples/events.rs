//! Hearing what happens in a school: a chat that is told of enrolments, and a file of everything.
//!
//! ```sh
//! cargo run -p edupro-suite --example events
//! ```

use std::{
    collections::HashSet,
    error::Error,
    io::{Write, stdout},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use edupro_core::events::{Announced, Event, EventError, EventSink, FanOut};
use edupro_http::testkit::TestApp;
use serde_json::json;
use tokio::{fs::OpenOptions, io::AsyncWriteExt};
use uuid::Uuid;

/// Writes each event into a file, as it is. An event that comes twice is there twice, under one id.
#[derive(Debug)]
struct Journal(PathBuf);

#[async_trait]
impl EventSink for Journal {
    async fn receive(&self, announced: &Announced) -> Result<(), EventError> {
        let mut line = serde_json::to_vec(announced).map_err(EventError::unavailable)?;
        line.push(b'\n');
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).open(&self.0).await;
        // A full disk is emptied one day: the event comes again until then.
        let mut file = file.map_err(EventError::unavailable)?;
        file.write_all(&line).await.map_err(EventError::unavailable)?;
        file.flush().await.map_err(EventError::unavailable)
    }
}

/// Tells a chat who has enrolled, once: it remembers what it has told.
#[derive(Debug, Default)]
struct Chat {
    told: Mutex<HashSet<Uuid>>,
}

#[async_trait]
impl EventSink for Chat {
    async fn receive(&self, announced: &Announced) -> Result<(), EventError> {
        // Versions to come may know other events: they are none of our business.
        let Event::CourseEnrolled { student, course_title, paid, .. } = &announced.event else {
            return Ok(());
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.contains(&announced.id) {
            return Ok(());
        }
        writeln!(stdout(), "chat: student {student} is in {course_title} now, for {paid}")
            .map_err(EventError::unavailable)?;
        told.insert(announced.id);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let journal = folder.path().join("events.jsonl");
    let sinks: Vec<Arc<dyn EventSink>> =
        vec![Arc::new(Journal(journal.clone())), Arc::new(Chat::default())];
    let sink = Arc::new(FanOut::new(sinks));
    // A school to try things with; in yours it is `EduPro::builder(…).events(…)`.
    let app = TestApp::builder().start_with(|school| school.events(sink)).await;
    let mona = app.teacher("mona").await;
    let omar = app.student("omar", "mona").await;

    let course = json!({"title": "Sound", "description": "What we hear", "is_free": true});
    let course = mona.post("/course/create/", course).await.json();
    omar.post("/course/course-enrollment/", json!({"course_id": course["id"]})).await;
    // `edupro serve` keeps a worker running; here the jobs are done by hand.
    app.work().await;

    write!(stdout(), "{}", std::fs::read_to_string(journal)?)?;
    Ok(())
}
