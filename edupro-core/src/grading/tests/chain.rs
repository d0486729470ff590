//! Which grader is asked, and what comes back.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use uuid::Uuid;

use super::{marking, option, text};
use crate::{
    assessments::QuestionType,
    grading::{
        AssessmentGrader, GradeError, GradeRequest, GraderCapabilities, Graders, Marking,
        MarkingError, Plan, Response, Share, Suggestion, Verdict, WORDS_LENGTH,
    },
};

/// Says what it was told to say.
#[derive(Debug)]
struct Parrot {
    name: &'static str,
    capabilities: GraderCapabilities,
    essays: bool,
    verdict: Verdict,
}

impl Parrot {
    fn new(name: &'static str, verdict: Verdict) -> Self {
        Self { name, capabilities: GraderCapabilities::new(), essays: false, verdict }
    }
}

#[async_trait]
impl AssessmentGrader for Parrot {
    fn name(&self) -> &'static str {
        self.name
    }

    fn capabilities(&self) -> GraderCapabilities {
        self.capabilities
    }

    fn handles(&self, kind: QuestionType, marking: &Marking) -> bool {
        let is_essay = kind == QuestionType::Essay && matches!(marking, Marking::Manual {});
        marking.is_for(self.name) || self.essays && is_essay
    }

    fn check(&self, marking: &Marking) -> Result<(), MarkingError> {
        match marking {
            Marking::External { settings, .. } if settings.contains_key("bad") => {
                Err(MarkingError::Settings("The parrot knows no bad words.".to_owned()))
            }
            _ => Ok(()),
        }
    }

    async fn grade(&self, _: &GradeRequest<'_>) -> Result<Verdict, GradeError> {
        Ok(self.verdict.clone())
    }

    async fn collect(&self, ticket: &str) -> Result<Option<Verdict>, GradeError> {
        Ok((ticket == "ready").then(|| self.verdict.clone()))
    }
}

fn full() -> Verdict {
    Verdict::graded(Share::FULL)
}

fn essay<'a>(marking: &'a Marking, response: &'a Response) -> GradeRequest<'a> {
    GradeRequest::new(Uuid::nil(), QuestionType::Essay, marking, response)
}

#[tokio::test]
async fn rules_decide_at_once_and_people_read_the_rest() {
    let graders = Graders::new();
    let (manual, said) = (Marking::Manual {}, text("a whole essay"));
    let request = essay(&manual, &said);
    assert_eq!(graders.plan(&request), Plan::Human);
    let verdict = graders.grade(&request).await.unwrap();
    assert!(matches!(verdict, Verdict::NeedsHuman { suggestion: None, .. }), "{verdict:?}");

    let choice = Marking::OneOption {};
    let (right, chosen) = ([option('a')], Response::Options(vec![option('a')]));
    let mut request = GradeRequest::new(Uuid::nil(), QuestionType::TrueFalse, &choice, &chosen);
    assert_eq!(graders.plan(&request), Plan::Graded(Share::NONE));
    request.right_options = &right;
    assert_eq!(graders.plan(&request), Plan::Graded(Share::FULL));
    assert_eq!(graders.grade(&request).await.unwrap(), full());

    // The teacher sees which accepted answer it was.
    let rule = marking(json!({"by": "text", "accept": [{"text": "ca*o", "wildcard": true}]}));
    let said = text("Cairo");
    let request = GradeRequest::new(Uuid::nil(), QuestionType::ShortAnswer, &rule, &said);
    let matched = Some("ca*o".to_owned());
    assert_eq!(
        graders.grade(&request).await.unwrap(),
        Verdict::Graded { share: Share::FULL, feedback: None, matched }
    );
}

#[tokio::test]
async fn nothing_answered_is_worth_nothing_whoever_marks_it() {
    let graders =
        Graders::new().with(Arc::new(Parrot { essays: true, ..Parrot::new("parrot", full()) }));
    let external = marking(json!({"by": "external", "grader": "parrot"}));
    let blank = [("1".to_owned(), " ".to_owned())].into();
    for response in
        [Response::Blank, text(" \n"), Response::Options(vec![]), Response::Blanks(blank)]
    {
        for marking in [&Marking::Manual {}, &external] {
            let request = essay(marking, &response);
            assert_eq!(graders.plan(&request), Plan::Graded(Share::NONE));
            assert_eq!(graders.grade(&request).await.unwrap(), Verdict::graded(Share::NONE));
        }
    }
}

#[tokio::test]
async fn the_first_that_handles_it_is_asked() {
    let third = Verdict::graded(Share::new(1, 3));
    let essays = Parrot { essays: true, ..Parrot::new("essays", third.clone()) };
    let graders =
        Graders::new().with(Arc::new(Parrot::new("parrot", full()))).with(Arc::new(essays));
    assert_eq!(format!("{graders:?}"), r#"["parrot", "essays", "auto"]"#);

    let external = marking(json!({"by": "external", "grader": "parrot"}));
    let (manual, said) = (Marking::Manual {}, text("polly"));
    assert_eq!(graders.plan(&essay(&external, &said)), Plan::Deferred { grader: "parrot" });
    assert_eq!(graders.grade(&essay(&external, &said)).await.unwrap(), full());
    assert_eq!(graders.plan(&essay(&manual, &said)), Plan::Deferred { grader: "essays" });
    assert_eq!(graders.grade(&essay(&manual, &said)).await.unwrap(), third);
    // The same marking, but another type of question.
    let request = GradeRequest::new(Uuid::nil(), QuestionType::ShortAnswer, &manual, &said);
    assert_eq!(graders.plan(&request), Plan::Human);

    // One of the same name takes its place.
    let graders = graders.with(Arc::new(Parrot::new("parrot", third.clone())));
    assert_eq!(format!("{graders:?}"), r#"["parrot", "essays", "auto"]"#);
    assert_eq!(graders.grade(&essay(&external, &said)).await.unwrap(), third);
}

#[tokio::test]
async fn a_question_whose_grader_is_gone_is_for_a_person() {
    let external = marking(json!({"by": "external", "grader": "gone"}));
    let said = text("polly");
    let request = essay(&external, &said);
    assert_eq!(Graders::new().plan(&request), Plan::Human);
    assert_eq!(
        Graders::new().grade(&request).await.unwrap(),
        Verdict::needs_human("There is no grader called \"gone\".")
    );
    assert!(matches!(Graders::new().collect("gone", "1").await, Err(GradeError::Rejected { .. })));
}

#[test]
fn a_teacher_may_name_only_graders_that_are_there() {
    let graders = Graders::new().with(Arc::new(Parrot::new("parrot", full())));
    let check =
        |sent| graders.check(QuestionType::Essay, &marking(sent)).map_err(|e| e.to_string());
    assert_eq!(check(json!({"by": "manual"})), Ok(()));
    assert_eq!(check(json!({"by": "external", "grader": "parrot"})), Ok(()));
    assert_eq!(
        check(json!({"by": "external", "grader": "parot"})),
        Err("There is no grader called \"parot\".".to_owned())
    );
    assert_eq!(
        check(json!({"by": "external", "grader": "parrot", "settings": {"bad": true}})),
        Err("The parrot knows no bad words.".to_owned())
    );
    let all = Marking::AllOptions {};
    assert_eq!(graders.check(QuestionType::Essay, &all), Err(MarkingError::NoOptions));
}

#[tokio::test]
async fn what_comes_back_can_be_kept() {
    let external = marking(json!({"by": "external", "grader": "parrot"}));
    let said = text("polly");
    let request = essay(&external, &said);
    let says = |verdict, capabilities| {
        let parrot = Parrot { capabilities, ..Parrot::new("parrot", verdict) };
        Graders::new().with(Arc::new(parrot))
    };
    let plain = GraderCapabilities::new();

    let long = Verdict::Graded {
        share: Share::FULL,
        feedback: Some("\0ä".repeat(WORDS_LENGTH + 1)),
        matched: None,
    };
    let cut = Some("ä".repeat(WORDS_LENGTH));
    assert_eq!(
        says(long, plain).grade(&request).await.unwrap(),
        Verdict::Graded { share: Share::FULL, feedback: cut, matched: None }
    );

    // What must be confirmed is only suggested, also when it is collected.
    let sure = Verdict::Graded {
        share: Share::FULL,
        feedback: Some("Well said".to_owned()),
        matched: None,
    };
    let suggested = Verdict::NeedsHuman {
        why: "A person has to confirm it.".to_owned(),
        suggestion: Some(Suggestion { share: Share::FULL, reason: "Well said".to_owned() }),
    };
    let reviewed = says(sure, plain.needs_review());
    assert_eq!(reviewed.grade(&request).await.unwrap(), suggested);
    assert_eq!(reviewed.collect("parrot", "ready").await.unwrap(), Some(suggested));
    assert_eq!(reviewed.collect("parrot", "waiting").await.unwrap(), None);

    let ticket = |ticket: &str| Verdict::Deferred { ticket: ticket.to_owned() };
    let deferring = says(ticket("17"), plain.deferred());
    assert_eq!(deferring.grade(&request).await.unwrap(), ticket("17"));
    assert!(matches!(deferring.collect("parrot", "ready").await, Err(GradeError::Other(_))));
    for bad in ["", "a\0", &"a".repeat(256)] {
        let graders = says(ticket(bad), plain.deferred());
        assert!(matches!(graders.grade(&request).await, Err(GradeError::Other(_))), "{bad:?}");
    }
}

#[test]
fn answers_and_keys_stay_out_of_the_log() {
    let rule = marking(json!({"by": "text", "accept": [{"text": "a key"}]}));
    let blanks = Response::Blanks([("1".to_owned(), "an answer".to_owned())].into());
    for response in [text("an answer"), blanks] {
        let shown = format!("{response:?} {:?}", essay(&rule, &response));
        assert!(!shown.contains("answer\"") && !shown.contains("key"), "{shown}");
        assert!(!shown.contains("an answer"), "{shown}");
    }
}
