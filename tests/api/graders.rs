//! Graders that answer later: asked by jobs, never in anybody's way.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::TimeDelta;
use edupro_core::grading::{
    self, AssessmentGrader, GradeError, GradeRequest, GraderCapabilities, Share, Suggestion,
    Verdict,
};
use edupro_http::testkit::{Browser, TestApp, TestBuilder};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    attempts::{result, started, submit},
    grading::{answer_path, grade, history_path, waiting},
    support::{assessment, on_both_engines, question},
};

/// What a grader says when it is asked, and when it is asked for a ticket.
type Words = Box<dyn Fn() -> Result<Option<Verdict>, GradeError> + Send>;

/// A grader that says what it was told to say, and notes who asked.
#[derive(Default)]
struct Machine {
    script: Mutex<VecDeque<Words>>,
    asked: Mutex<Vec<(String, i64)>>,
    collected: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Machine")
    }
}

impl Machine {
    /// The next thing it says.
    fn says(&self, words: impl Fn() -> Result<Option<Verdict>, GradeError> + Send + 'static) {
        self.script.lock().unwrap().push_back(Box::new(words));
    }

    fn says_verdict(&self, verdict: Verdict) {
        self.says(move || Ok(Some(verdict.clone())));
    }

    fn next(&self) -> Result<Option<Verdict>, GradeError> {
        self.script.lock().unwrap().pop_front().expect("nobody should have asked")()
    }

    fn asked(&self) -> Vec<(String, i64)> {
        self.asked.lock().unwrap().clone()
    }

    fn collected(&self) -> usize {
        self.collected.lock().unwrap().len()
    }
}

#[async_trait]
impl AssessmentGrader for Machine {
    fn name(&self) -> &'static str {
        "machine"
    }

    fn capabilities(&self) -> GraderCapabilities {
        GraderCapabilities::new().deferred()
    }

    async fn grade(&self, request: &GradeRequest<'_>) -> Result<Verdict, GradeError> {
        self.asked.lock().unwrap().push((request.answer.to_string(), request.question_version));
        self.next().map(Option::unwrap)
    }

    async fn collect(&self, ticket: &str) -> Result<Option<Verdict>, GradeError> {
        self.collected.lock().unwrap().push(ticket.to_owned());
        self.next()
    }
}

fn ticket() -> Verdict {
    Verdict::Deferred { ticket: "number 7".to_owned() }
}

fn half() -> Verdict {
    Verdict::Graded {
        share: Share::new(1, 2),
        feedback: Some("Half of it.".to_owned()),
        matched: None,
    }
}

/// An exam with one question for the machine, which a student has handed in.
struct Exam {
    app: TestApp,
    machine: Arc<Machine>,
    mona: Browser,
    omar: Browser,
    question: String,
    assessment: String,
    attempt: String,
}

async fn exam(school: TestBuilder, machine: Machine) -> Exam {
    let machine = Arc::new(machine);
    let grader: Arc<dyn AssessmentGrader> = Arc::<Machine>::clone(&machine);
    let app = school.start_with(|builder| builder.grader(grader)).await;
    let mona = app.teacher("mona").await;
    let omar = app.student("omar", "mona").await;
    let assessment = assessment(&mona, json!({"passing_grade": 50})).await;
    let body = json!({"question_type": "essay", "points": 5, "marking": {"by": "external", "grader": "machine"}});
    let question = question(&mona, &assessment, body).await;
    let attempt = started(&omar, &assessment).await;
    let answers = json!([{"question_id": question, "short_answer_text": "Because."}]);
    let submitted = submit(&omar, &attempt, answers).await.json();
    assert_eq!(submitted["status"], "submitted");
    Exam { app, machine, mona, omar, question, assessment, attempt }
}

impl Exam {
    /// The machine's answer, and the version under which it was asked first.
    fn answer(&self) -> String {
        self.machine.asked()[0].0.clone()
    }

    async fn result(&self) -> (u16, Value, Value) {
        let result = result(&self.omar, &self.attempt).await;
        let seen = result.json();
        (result.status(), seen["total_score"].clone(), seen["is_passed"].clone())
    }

    async fn is_waiting(&self) -> bool {
        assert_eq!(self.result().await.0, 202);
        !waiting(&self.mona).await.is_empty()
    }

    /// Lets some time pass, and does what is due then.
    async fn later(&self, seconds: i64) -> usize {
        self.app.clock().advance(TimeDelta::seconds(seconds));
        self.app.work().await
    }
}

on_both_engines! {
    /// It answers when it is asked, after the student has gone.
    async fn at_once(school) {
        let exam = exam(school, Machine::default()).await;
        assert!(exam.machine.asked().is_empty());
        assert!(!exam.is_waiting().await);
        exam.machine.says_verdict(half());
        assert_eq!(exam.app.work().await, 1);
        assert_eq!(exam.result().await, (200, json!(2.5), json!(true)));
        assert_eq!(exam.machine.asked()[0].1, 1);
        assert_snapshot!("history", exam.mona.get(&history_path(&exam.answer())).await);
        assert_snapshot!("result", result(&exam.omar, &exam.attempt).await);
        // A teacher may think otherwise.
        assert_eq!(grade(&exam.mona, &exam.answer(), 5.0).await.status(), 200);
        assert_eq!(exam.result().await, (200, json!(5), json!(true)));
        assert_eq!(exam.later(3_600).await, 0);
    }

    /// It gives a ticket, and is asked for it with pauses.
    async fn with_a_ticket(school) {
        let exam = exam(school, Machine::default()).await;
        exam.machine.says_verdict(ticket());
        assert_eq!(exam.app.work().await, 1);
        assert_eq!(exam.later(4).await, 0);
        for (seconds, collected) in [(1, 1), (14, 1), (1, 2), (30, 3), (59, 3), (1, 4), (60, 5)] {
            exam.machine.says(|| Ok(None));
            exam.later(seconds).await;
            assert_eq!(exam.machine.collected(), collected);
            exam.machine.script.lock().unwrap().clear();
        }
        assert!(!exam.is_waiting().await);
        exam.machine.says_verdict(half());
        assert_eq!(exam.later(60).await, 1);
        assert_eq!(exam.result().await, (200, json!(2.5), json!(true)));
        assert_eq!(exam.machine.asked().len(), 1);
        assert!(exam.machine.collected.lock().unwrap().iter().all(|ticket| ticket == "number 7"));
    }

    /// What it only suggests counts for nothing until the teacher says so.
    async fn suggested(school) {
        let exam = exam(school, Machine::default()).await;
        exam.machine.says_verdict(Verdict::NeedsHuman {
            why: "It is not sure.".to_owned(),
            suggestion: Some(Suggestion { share: Share::new(3, 4), reason: "Most of it.".to_owned() }),
        });
        exam.app.work().await;
        assert!(exam.is_waiting().await);
        assert_snapshot!("pending", exam.mona.get("/teacher/grading/pending/").await);
        assert_eq!(exam.mona.get(&history_path(&exam.answer())).await.json(), json!([]));
        let accepted = exam.mona.patch(&answer_path(&exam.answer()), json!({"points_awarded": 3.75})).await;
        assert_eq!(accepted.json()["attempt_status"], "graded");
        assert_eq!(exam.result().await, (200, json!(3.75), json!(true)));
    }

    /// What it cannot grade is a person's at once.
    async fn refused(school) {
        let exam = exam(school, Machine::default()).await;
        exam.machine.says(|| Err(GradeError::Rejected { reason: "no".to_owned() }));
        exam.app.work().await;
        assert!(exam.is_waiting().await);
        let listed = exam.mona.get("/teacher/grading/pending/").await.json();
        let remark = json!({"grader": "machine", "why": "The grader could not grade it.", "points_awarded": null, "reason": null});
        assert_eq!(listed[0]["suggestion"], remark);
        assert_eq!(exam.later(3_600).await, 0);
    }

    /// Nobody is in its way while it is down, and after ten minutes a person has the answer.
    async fn away(school) {
        let exam = exam(school, Machine::default()).await;
        let is_away = || Err(GradeError::unavailable("no line"));
        exam.machine.says(is_away);
        assert_eq!(exam.app.work().await, 1);
        // Another student hands in meanwhile: the machine is left alone.
        let lara = exam.app.student("lara", "mona").await;
        let attempt = started(&lara, &exam.assessment).await;
        let answers = json!([{"question_id": exam.question, "short_answer_text": "Because."}]);
        assert_eq!(submit(&lara, &attempt, answers).await.status(), 200);
        assert_eq!(exam.later(29).await, 1);
        assert_eq!(exam.machine.asked().len(), 1);
        // It is back for one of them and asks for an hour's rest then.
        exam.machine.says_verdict(half());
        exam.machine.says(|| {
            let retry_after = Some(Duration::from_hours(1));
            Err(GradeError::Unavailable { retry_after, source: "too much".into() })
        });
        assert_eq!(exam.later(1).await, 2);
        assert_eq!(exam.later(568).await, 0);
        assert!(waiting(&exam.mona).await.is_empty());
        assert_eq!(exam.later(31).await, 1);
        assert_eq!(waiting(&exam.mona).await.len(), 1);
        let listed = exam.mona.get("/teacher/grading/pending/").await.json();
        assert_eq!(listed[0]["suggestion"]["why"], "It was not graded in time.");
        assert_eq!(exam.machine.asked().len(), 3);
    }

    /// When the job is lost, a chore leaves the answer to a person all the same.
    async fn lost(school) {
        let exam = exam(school, Machine::default()).await;
        exam.app.clock().advance(TimeDelta::minutes(10));
        grading::leave_late(exam.app.school()).await.unwrap();
        assert!(!exam.is_waiting().await);
        exam.app.clock().advance(TimeDelta::microseconds(1));
        grading::leave_late(exam.app.school()).await.unwrap();
        assert!(exam.is_waiting().await);
        // The job that was not lost finds nothing to do.
        assert_eq!(exam.app.work().await, 1);
        assert!(exam.machine.asked().is_empty());
    }

    /// A person may be faster.
    async fn too_late(school) {
        let exam = exam(school, Machine::default()).await;
        exam.machine.says_verdict(ticket());
        exam.app.work().await;
        assert_eq!(grade(&exam.mona, &exam.answer(), 1.0).await.json()["attempt_status"], "graded");
        assert_eq!(exam.later(5).await, 1);
        assert_eq!((exam.machine.collected(), exam.result().await), (0, (200, json!(1), json!(false))));
    }

    /// What it says of a question that has changed since is dropped once the teacher has asked for
    /// the new one: it is asked again.
    async fn another_version(school) {
        let exam = exam(school, Machine::default()).await;
        exam.machine.says_verdict(ticket());
        exam.app.work().await;
        let path = format!("/teacher/assessments/questions/{}/", exam.question);
        let marking = json!({"by": "external", "grader": "machine", "settings": {"strict": true}});
        assert_eq!(exam.mona.patch(&path, json!({"marking": marking})).await.status(), 200);
        // The student was asked the old one, so its verdict would count still.
        let path = format!("/teacher/assessments/{}/regrade/", exam.assessment);
        assert_eq!(exam.mona.get(&path).await.json()["questions"][0]["answers"], 1);
        let regraded = exam.mona.post(&path, json!({"policy": "new_key_only"})).await.json();
        assert_eq!((&regraded["affected_answers"], &regraded["changed_answers"]), (&json!(1), &json!(0)));
        assert_eq!(exam.mona.get(&path).await.json()["questions"], json!([]));
        exam.machine.says_verdict(half());
        assert_eq!(exam.later(5).await, 2);
        let answer = exam.answer();
        assert_eq!(exam.machine.asked(), [(answer.clone(), 1), (answer, 2)]);
        assert_eq!((exam.machine.collected(), exam.result().await), (0, (200, json!(2.5), json!(true))));
    }

    /// A key that needs no machine any more, or a person instead.
    async fn another_key(school) {
        let exam = exam(school, Machine::default()).await;
        let path = format!("/teacher/assessments/questions/{}/", exam.question);
        let regrade = format!("/teacher/assessments/{}/regrade/", exam.assessment);
        for marking in [json!({"by": "manual"}), json!({"by": "text", "accept": [{"text": "because."}]})] {
            assert_eq!(exam.mona.patch(&path, json!({"marking": marking})).await.status(), 200);
            assert_eq!(exam.mona.post(&regrade, json!({"policy": "new_or_old_key"})).await.status(), 200);
            exam.app.work().await;
            if marking["by"] == "manual" {
                assert!(exam.is_waiting().await);
                let listed = exam.mona.get("/teacher/grading/pending/").await.json();
                assert_eq!(listed[0]["suggestion"]["why"], "It has another key now.");
            }
        }
        assert_eq!(exam.result().await, (200, json!(5), json!(true)));
        assert!(exam.machine.asked().is_empty());
    }

    /// A choice may be for a machine, too; when it leaves one to a person, the person can grade it.
    async fn choices(school) {
        let exam = exam(school, Machine::default()).await;
        exam.machine.says_verdict(half());
        exam.app.work().await;
        let id = assessment(&exam.mona, json!({})).await;
        let body = json!({
            "question_type": "multiple_choice", "question_text": "Which?", "points": 2,
            "options": [{"option_text": "This", "is_correct": true}], "marking": {"by": "external", "grader": "machine"},
        });
        let which = question(&exam.mona, &id, body).await;
        let option = exam.mona.get(&format!("/teacher/questions/{which}/options/")).await.json();
        let attempt = started(&exam.omar, &id).await;
        let answers = json!([{"question_id": which, "selected_option_id": option[0]["id"]}]);
        assert_eq!(submit(&exam.omar, &attempt, answers).await.json()["status"], "submitted");
        exam.machine.says_verdict(Verdict::needs_human("It is not sure."));
        exam.app.work().await;
        let [answer] = waiting(&exam.mona).await.try_into().unwrap();
        let listed = exam.mona.get("/teacher/grading/pending/").await.json();
        assert_eq!((&listed[0]["question_type"], &listed[0]["text_answer"]), (&json!("multiple_choice"), &json!("This")));
        assert_eq!(grade(&exam.mona, &answer, 2.0).await.json()["attempt_status"], "graded");
        assert_eq!(grade(&exam.mona, &answer, 1.0).await.json()["points_awarded"], 1);
    }

    /// Several workers, a teacher and a chore at once: the answer is graded once, and added up
    /// rightly.
    async fn all_at_once(school) {
        let exam = exam(school, Machine::default()).await;
        for _ in 0..4 {
            exam.machine.says_verdict(half());
        }
        exam.app.clock().advance(TimeDelta::minutes(5));
        let answer = {
            let id = exam.attempt.parse().unwrap();
            let mut tx = exam.app.school().storage.read().await.unwrap();
            tx.attempts().answers(id).await.unwrap()[0].id.to_string()
        };
        let (_, _, by_hand, late) = futures_util::join!(
            exam.app.work(), exam.app.work(), grade(&exam.mona, &answer, 5.0), grading::leave_late(exam.app.school()),
        );
        late.unwrap();
        assert_eq!(by_hand.status(), 200);
        assert_eq!(exam.result().await, (200, json!(5), json!(true)));
        let history = exam.mona.get(&history_path(&answer)).await.json();
        let reasons: Vec<_> = history.as_array().unwrap().iter().map(|line| line["reason"].clone()).collect();
        assert!(reasons == ["manual"] || reasons == ["auto", "manual"], "{reasons:?}");
    }
}
