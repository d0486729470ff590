//! A grader of one's own: it marks essays by the words in them, takes its time over it, and is
//! asked later what came of it.
//!
//! ```sh
//! cargo run -p edupro-suite --example custom_grader
//! ```

use std::{collections::HashMap, error::Error, io::Write, sync::Arc};

use async_trait::async_trait;
use chrono::TimeDelta;
use edupro_core::grading::{
    AssessmentGrader, GradeError, GradeRequest, GraderCapabilities, Marking, MarkingError,
    Response, Share, Verdict,
};
use edupro_http::testkit::TestApp;
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// Counts the words of a marking that are in an essay, and keeps the verdict behind each ticket.
/// Its desk is in memory; yours may be a service that is asked over the network.
#[derive(Debug, Default)]
pub(crate) struct Keywords(Mutex<HashMap<String, Verdict>>);

#[async_trait]
impl AssessmentGrader for Keywords {
    fn name(&self) -> &'static str {
        "keywords"
    }

    fn capabilities(&self) -> GraderCapabilities {
        GraderCapabilities::new().deterministic().deferred()
    }

    fn check(&self, marking: &Marking) -> Result<(), MarkingError> {
        match words(marking).is_empty() {
            true => Err(MarkingError::Settings("At least one word is required.".to_owned())),
            false => Ok(()),
        }
    }

    async fn grade(&self, request: &GradeRequest<'_>) -> Result<Verdict, GradeError> {
        let Response::Text(said) = request.response else {
            return Ok(Verdict::graded(Share::NONE));
        };
        let (said, words) = (said.to_lowercase(), words(request.marking));
        let found = words.iter().filter(|word| said.contains(**word)).count();
        let (found, all) = (found.try_into().unwrap_or(0), words.len().try_into().unwrap_or(0));
        let feedback = Some(format!("{found} of {all} words"));
        let verdict = Verdict::Graded { share: Share::new(found, all), feedback, matched: None };
        // The same answer gets the same ticket, however often a job asks.
        let ticket = format!("{}-{}", request.answer, request.question_version);
        self.0.lock().await.entry(ticket.clone()).or_insert(verdict);
        Ok(Verdict::Deferred { ticket })
    }

    async fn collect(&self, ticket: &str) -> Result<Option<Verdict>, GradeError> {
        // Work that is not done yet would be `Ok(None)`: a job asks again.
        let unknown = || GradeError::Rejected { reason: "there is no such ticket".to_owned() };
        self.0.lock().await.get(ticket).cloned().map(Some).ok_or_else(unknown)
    }
}

/// What the teacher's settings hold: `{"words": ["chlorophyll", …]}`.
fn words(marking: &Marking) -> Vec<&str> {
    let Marking::External { settings, .. } = marking else { return Vec::new() };
    let words = settings.get("words").and_then(Value::as_array);
    words.into_iter().flatten().filter_map(Value::as_str).collect()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A school to try things with; in yours it is `EduPro::builder(…).grader(…)`.
    let app = TestApp::builder().start_with(|it| it.grader(Arc::<Keywords>::default())).await;
    let (mona, omar) = (app.teacher("mona").await, app.student("omar", "mona").await);
    let exam = json!({"title": "Plants", "assessment_type": "quiz"});
    let exam = mona.post("/teacher/assessments/", exam).await.json()["id"].take();
    let exam = exam.as_str().ok_or("no assessment")?;
    // The teacher says with the question how it is marked.
    let settings = json!({"words": ["light", "water", "chlorophyll"]});
    let question = json!({"question_text": "How do plants live?", "question_type": "essay",
        "points": 3, "marking": {"by": "external", "grader": "keywords", "settings": settings}});
    mona.post(&format!("/teacher/assessments/{exam}/questions/"), question).await;

    let path = format!("/student/assessments/{exam}/mona/start/");
    let begun = omar.post(&path, json!({})).await.json();
    let essay = json!({"question_id": begun["questions"][0]["question_id"],
                       "short_answer_text": "Plants make sugar of light and water."});
    let attempt = begun["attempt_id"].as_str().ok_or("no attempt")?;
    omar.post(&format!("/students/attempts/{attempt}/submit/"), json!({"answers": [essay]})).await;
    // `edupro serve` keeps a worker running. Here the jobs are done by hand: one asks the grader,
    // another one collects the verdict five seconds later.
    app.work().await;
    app.clock().advance(TimeDelta::seconds(5));
    app.work().await;
    let result = omar.get(&format!("/student/attempts/{attempt}/result/")).await.json();
    let (points, answer) = (&result["total_score"], &result["answers"][0]);
    Ok(writeln!(std::io::stdout(), "{points} points: {}", answer["teacher_feedback"])?)
}
