//! A grader of one's own: it marks essays by the words in them, takes its time over it, and is
//! asked later what came of it.
//!
//! ```sh
//! cargo run -p edupro-suite --example custom_grader
//! ```

use std::{
    collections::HashMap,
    io::Write,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use edupro_core::{
    assessments::QuestionType,
    conformance::{self, grading::Exercise},
    grading::{
        AssessmentGrader, GradeError, GradeRequest, GraderCapabilities, Marking, MarkingError,
        Response, Share, Verdict,
    },
};
use edupro_http::EduPro;
use edupro_storage::{Database, DatabaseOptions};
use serde_json::{Value, json};

/// Counts the words of a marking that are in an essay. Its desk is in memory; yours may be a
/// service that is asked over the network.
#[derive(Debug, Default)]
struct Keywords {
    /// The verdict behind each ticket.
    desk: Mutex<HashMap<String, Verdict>>,
}

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
        let said = match request.response {
            Response::Text(text) => text.to_lowercase(),
            _ => String::new(),
        };
        let words = words(request.marking);
        let found = words.iter().filter(|word| said.contains(**word)).count();
        let share = Share::new(found.try_into().unwrap_or(0), words.len().try_into().unwrap_or(0));
        let feedback = Some(format!("{found} of {} words", words.len()));
        // The same answer gets the same ticket, however often a job asks.
        let ticket = format!("{}-{}", request.answer, request.question_version);
        let verdict = Verdict::Graded { share, feedback, matched: None };
        self.desk.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket.clone(), verdict);
        Ok(Verdict::Deferred { ticket })
    }

    async fn collect(&self, ticket: &str) -> Result<Option<Verdict>, GradeError> {
        // Work that is not done yet would be `Ok(None)`: a job asks again.
        let unknown = || GradeError::Rejected { reason: "there is no such ticket".to_owned() };
        let desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        desk.get(ticket).cloned().map(Some).ok_or_else(unknown)
    }
}

/// What the teacher's settings hold: `{"words": ["chlorophyll", …]}`.
fn words(marking: &Marking) -> Vec<&str> {
    let words = match marking {
        Marking::External { settings, .. } => settings.get("words").and_then(Value::as_array),
        _ => None,
    };
    words.into_iter().flatten().filter_map(Value::as_str).collect()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let keywords: Arc<dyn AssessmentGrader> = Arc::new(Keywords::default());
    let edupro = school(folder.path(), Arc::clone(&keywords)).await?;
    let school = edupro.school();
    let graders = &school.graders;

    // A teacher says with the question how it is marked.
    let sent = json!({"by": "external", "grader": "keywords",
                      "settings": {"words": ["light", "water", "chlorophyll"]}});
    let marking = Marking::parse(QuestionType::Essay, sent)?;
    graders.check(QuestionType::Essay, &marking)?;

    // A student hands in. The server does the rest in jobs: it asks, and collects what was deferred.
    let essay = Response::Text("Plants make sugar of light and water.".to_owned());
    let answer = school.entropy.uuid(school.clock.now());
    let request = GradeRequest::new(answer, QuestionType::Essay, &marking, &essay);
    let mut verdict = graders.grade(&request).await?;
    if let Verdict::Deferred { ticket } = verdict {
        verdict = graders.collect("keywords", &ticket).await?.ok_or("it is not done yet")?;
    }
    if let Verdict::Graded { share, feedback, .. } = verdict {
        writeln!(std::io::stdout(), "It is worth {share}: {}", feedback.unwrap_or_default())?;
    }

    // Whether it keeps what a school relies on; you would call this from a test.
    let question = "What do plants live on?";
    let exercise =
        Exercise::new(QuestionType::Essay, question, marking.clone(), vec![essay.clone()]);
    conformance::grading::all(&keywords, &[exercise]).await;
    Ok(())
}

async fn school(
    folder: &Path,
    grader: Arc<dyn AssessmentGrader>,
) -> Result<EduPro, Box<dyn std::error::Error>> {
    let url = format!("sqlite://{}", folder.join("school.db").display());
    let database = Database::connect(&DatabaseOptions::new(url)).await?;
    database.migrate().await?;
    Ok(EduPro::builder(Arc::new(database))
        .secret("an example's secret; yours is in a file nobody else reads")
        .grader(grader)
        .build()?)
}
