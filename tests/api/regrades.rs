//! Beside the contract: answers are graded again because their key was wrong.

use chrono::TimeDelta;
use edupro_http::testkit::{Answer, Browser, TestApp};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    attempts::{Choice, choice, result, started, submit},
    grading::{grade, history_path, waiting},
    races::{at_once, count},
    support::{UNKNOWN, assessment, on_both_engines, question},
};

fn path(assessment: &str) -> String {
    format!("/teacher/assessments/{assessment}/regrade/")
}

async fn regrade(teacher: &Browser, assessment: &str, policy: &str) -> Answer {
    teacher.post(&path(assessment), json!({"policy": policy})).await
}

/// How many answers and attempts were looked at, and how many have changed.
fn numbers(regraded: &Answer) -> [i64; 4] {
    assert_eq!(regraded.status(), 200, "{regraded}");
    let regraded = regraded.json();
    ["affected_answers", "changed_answers", "affected_attempts", "changed_attempts"]
        .map(|key| regraded[key].as_i64().unwrap())
}

/// A choice whose key is wrong, and three who have answered it: as the key says, otherwise, and not
/// at all. A true word of another question gives one point more.
struct Exam {
    mona: Browser,
    assessment: String,
    sound: Choice,
    word: String,
    students: Vec<(Browser, String)>,
}

async fn exam(app: &TestApp) -> Exam {
    let mona = app.teacher("mona").await;
    let assessment = assessment(&mona, json!({"passing_grade": 50, "max_attempts": 9})).await;
    let sound = choice(&mona, &assessment, json!({"points": "2.5"})).await;
    let rule = json!({"by": "text", "accept": [{"text": "air"}]});
    let body = json!({"question_type": "short_answer", "marking": rule});
    let word = question(&mona, &assessment, body).await;
    let mut students = Vec::new();
    for (name, option) in [("omar", &sound.right), ("lara", &sound.wrong), ("sara", &String::new())]
    {
        let student = app.student(name, "mona").await;
        let attempt = started(&student, &assessment).await;
        let mut answers = vec![json!({"question_id": word, "short_answer_text": "Air"})];
        if !option.is_empty() {
            answers.push(json!({"question_id": sound.id, "selected_option_id": option}));
        }
        let submitted = submit(&student, &attempt, json!(answers)).await.json();
        assert_eq!(submitted["status"], "graded");
        students.push((student, attempt));
    }
    Exam { mona, assessment, sound, word, students }
}

impl Exam {
    /// The other option is right.
    async fn mend(&self) {
        for (option, is_correct) in [(&self.sound.right, false), (&self.sound.wrong, true)] {
            let path = format!("/teacher/questions/options/{option}/");
            let changed = self.mona.patch(&path, json!({"is_correct": is_correct})).await;
            assert_eq!(changed.status(), 200, "{changed}");
        }
    }

    /// Everybody's points, and whether they have passed.
    async fn results(&self) -> Vec<(f64, bool)> {
        let mut results = Vec::new();
        for (student, attempt) in &self.students {
            let seen = result(student, attempt).await.json();
            results.push((
                seen["total_score"].as_f64().unwrap(),
                seen["is_passed"].as_bool().unwrap(),
            ));
        }
        results
    }

    async fn offered(&self) -> Value {
        self.mona.get(&path(&self.assessment)).await.json()["questions"].clone()
    }

    /// The answers of a student, by their order.
    async fn answer(&self, app: &TestApp, student: usize, order: usize) -> String {
        let mut tx = app.school().storage.read().await.unwrap();
        let attempt = self.students[student].1.parse().unwrap();
        tx.attempts().answers(attempt).await.unwrap()[order - 1].id.to_string()
    }
}

on_both_engines! {
    /// The new key counts, also where it takes points away.
    async fn new_key_only(school) {
        let app = school.start().await;
        let exam = exam(&app).await;
        assert_snapshot!("nothing_offered", exam.mona.get(&path(&exam.assessment)).await);
        assert_eq!(numbers(&regrade(&exam.mona, &exam.assessment, "new_key_only").await), [0; 4]);
        exam.mend().await;
        // A new key alone changes nothing.
        let before = [(3.5, true), (1.0, false), (1.0, false)];
        assert_eq!(exam.results().await, before);
        assert_snapshot!("offered", exam.mona.get(&path(&exam.assessment)).await);
        let body = json!({"policy": "new_key_only", "dry_run": true});
        assert_snapshot!("dry_run", exam.mona.post(&path(&exam.assessment), body).await);
        assert_eq!(exam.results().await, before);
        assert_eq!(exam.offered().await[0]["answers"], 3);
        app.clock().advance(TimeDelta::minutes(1));
        assert_snapshot!("regraded", regrade(&exam.mona, &exam.assessment, "new_key_only").await);
        assert_eq!(exam.results().await, [(1.0, false), (3.5, true), (1.0, false)]);
        let (omar, attempt) = &exam.students[0];
        assert_snapshot!("result", result(omar, attempt).await);
        assert_snapshot!("history", exam.mona.get(&history_path(&exam.answer(&app, 0, 1).await)).await);
        assert_eq!(exam.offered().await, json!([]));
        assert_eq!(numbers(&regrade(&exam.mona, &exam.assessment, "new_key_only").await), [0; 4]);
    }

    /// Nobody loses what the old key gave.
    async fn new_or_old_key(school) {
        let app = school.start().await;
        let exam = exam(&app).await;
        exam.mend().await;
        assert_eq!(numbers(&regrade(&exam.mona, &exam.assessment, "new_or_old_key").await), [3, 1, 3, 1]);
        assert_eq!(exam.results().await, [(3.5, true), (3.5, true), (1.0, false)]);
        let kept = exam.mona.get(&history_path(&exam.answer(&app, 0, 1).await)).await.json();
        assert_eq!(kept.as_array().unwrap().len(), 1);
    }

    /// The question was no good: all get all points, also those who said nothing.
    async fn full_credit(school) {
        let app = school.start().await;
        let exam = exam(&app).await;
        // Nothing has changed, so nothing is looked at unless the teacher names it.
        assert_eq!(numbers(&regrade(&exam.mona, &exam.assessment, "full_credit").await), [0; 4]);
        let body = json!({"policy": "full_credit", "question_id": exam.sound.id});
        assert_eq!(numbers(&exam.mona.post(&path(&exam.assessment), body).await), [3, 2, 3, 2]);
        assert_eq!(exam.results().await, [(3.5, true); 3]);
        // The teacher thinks better of it.
        let body = json!({"policy": "new_key_only", "question_id": exam.sound.id, "dry_run": false});
        assert_eq!(numbers(&exam.mona.post(&path(&exam.assessment), body).await), [3, 2, 3, 2]);
        assert_eq!(exam.results().await, [(3.5, true), (1.0, false), (1.0, false)]);
    }

    /// What a person has given is never touched.
    async fn by_hand(school) {
        let app = school.start().await;
        let exam = exam(&app).await;
        for (student, points) in [(0, 0.25), (1, 0.0)] {
            let answer = exam.answer(&app, student, 2).await;
            assert_eq!(grade(&exam.mona, &answer, points).await.status(), 200);
        }
        let rule = json!({"by": "text", "accept": [{"text": "the air"}]});
        let patch = json!({"marking": rule, "explanation": "It moves."});
        exam.mona.patch(&format!("/teacher/assessments/questions/{}/", exam.word), patch).await;
        let offered = exam.offered().await;
        assert_eq!((&offered[0]["answers"], &offered[0]["graded_by_hand"]), (&json!(1), &json!(2)));
        for policy in ["new_key_only", "full_credit"] {
            let body = json!({"policy": policy, "question_id": exam.word});
            assert_eq!(numbers(&exam.mona.post(&path(&exam.assessment), body).await), [1, 1, 1, 1]);
        }
        assert_eq!(exam.results().await, [(2.75, true), (0.0, false), (1.0, false)]);
        assert_eq!(exam.offered().await, json!([]));
    }

    /// A rule that comes later grades what waits, and the attempt with it.
    async fn waiting_answers(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let id = assessment(&mona, json!({})).await;
        let why = question(&mona, &id, json!({"question_type": "short_answer", "points": 4})).await;
        let attempt = started(&omar, &id).await;
        let answers = json!([{"question_id": why, "short_answer_text": "Air"}]);
        assert_eq!(submit(&omar, &attempt, answers).await.json()["status"], "submitted");
        let [answer] = waiting(&mona).await.try_into().unwrap();
        let accept = json!([{"text": "air", "share": "1/2"}, {"text": "the air"}]);
        let patch = json!({"marking": {"by": "text", "accept": accept}, "points": 9});
        mona.patch(&format!("/teacher/assessments/questions/{why}/"), patch).await;
        assert_eq!(numbers(&regrade(&mona, &id, "new_or_old_key").await), [1, 1, 1, 1]);
        assert!(waiting(&mona).await.is_empty());
        // It gives what it gave when it was asked.
        let seen = result(&omar, &attempt).await.json();
        assert_eq!((&seen["total_score"], &seen["percentage"]), (&json!(2), &json!("50.00")));
        assert_snapshot!("history", mona.get(&history_path(&answer)).await);
    }

    /// What cannot be compared is not compared.
    async fn not_comparable(school) {
        let app = school.start().await;
        let exam = exam(&app).await;
        let options = format!("/teacher/questions/{}/options/", exam.sound.id);
        let added = exam.mona.post(&options, json!({"option_text": "Wood", "is_correct": true})).await.json();
        assert_eq!(exam.offered().await[0]["is_comparable"], false);
        let before = exam.results().await;
        for policy in ["new_key_only", "new_or_old_key"] {
            assert_snapshot!(policy, regrade(&exam.mona, &exam.assessment, policy).await);
            let body = json!({"policy": policy, "dry_run": true, "question_id": exam.sound.id});
            assert_eq!(exam.mona.post(&path(&exam.assessment), body).await.status(), 400);
            let body = json!({"policy": policy, "question_id": exam.word});
            assert_eq!(numbers(&exam.mona.post(&path(&exam.assessment), body).await), [3, 0, 3, 0]);
        }
        assert_eq!(exam.results().await, before);
        // Without it, it is what it was.
        let added = added["id"].as_str().unwrap();
        exam.mona.delete(&format!("/teacher/questions/options/{added}/")).await;
        assert_eq!(exam.offered().await[0]["is_comparable"], true);
        exam.mona.delete(&format!("/teacher/questions/options/{}/", exam.sound.wrong)).await;
        assert_eq!(regrade(&exam.mona, &exam.assessment, "new_key_only").await.status(), 400);
        assert_eq!(numbers(&regrade(&exam.mona, &exam.assessment, "full_credit").await), [3, 2, 3, 2]);
        assert_eq!(exam.results().await, [(3.5, true); 3]);
        // A question that is gone is nobody's to grade again.
        exam.mona.delete(&format!("/teacher/assessments/questions/{}/", exam.sound.id)).await;
        assert_eq!(exam.offered().await, json!([]));
        let body = json!({"policy": "full_credit", "question_id": exam.sound.id});
        assert_snapshot!("gone", exam.mona.post(&path(&exam.assessment), body).await);
    }

    /// Another type, or other blanks, are another question.
    async fn other_blanks(school) {
        let app = school.start().await;
        let exam = exam(&app).await;
        let path = format!("/teacher/assessments/questions/{}/", exam.word);
        let blanks = |names: &[&str]| {
            let blank = |name: &&str| json!({"name": name, "accept": [{"text": "air"}]});
            json!({"by": "blanks", "blanks": names.iter().map(blank).collect::<Vec<_>>()})
        };
        let one = json!({"marking": blanks(&["a"])});
        assert_eq!(exam.mona.patch(&path, one).await.status(), 200);
        assert_eq!(exam.offered().await[0]["is_comparable"], true);
        for patch in [json!({"marking": blanks(&["a", "b"])}), json!({"marking": null, "question_type": "essay"})] {
            assert_eq!(exam.mona.patch(&path, patch).await.status(), 200);
            assert_eq!(exam.offered().await[0]["is_comparable"], false);
        }
    }

    /// Who may, and what has to be said.
    async fn refused(school) {
        let app = school.start().await;
        let exam = exam(&app).await;
        let hana = app.teacher("hana").await;
        let path_of = path(&exam.assessment);
        let other = assessment(&exam.mona, json!({"title": "Other"})).await;
        let other = question(&exam.mona, &other, json!({})).await;
        let post = async |body: Value| exam.mona.post(&path_of, body).await;
        assert_snapshot!("nothing", post(json!({})).await);
        assert_snapshot!("wrong", post(json!({"policy": "none", "question_id": "zzz", "dry_run": "perhaps"})).await);
        assert_snapshot!("unknown_question", post(json!({"policy": "full_credit", "question_id": UNKNOWN})).await);
        assert_eq!(post(json!({"policy": "full_credit", "question_id": other, "dry_run": true})).await.status(), 400);
        let unknown = path(UNKNOWN);
        for (name, who, path) in [
            ("another_teacher", &hana, &path_of), ("a_student", &exam.students[0].0, &path_of),
            ("nobody", &app.visitor(), &path_of), ("unknown", &exam.mona, &unknown),
            ("no_assessment", &exam.mona, &path("zzz")),
        ] {
            assert_snapshot!(format!("get_{name}"), who.get(path).await);
            assert_snapshot!(format!("post_{name}"), who.post(path, json!({})).await);
        }
        assert_snapshot!("method", exam.mona.put(&path_of, json!({})).await);
    }

    /// Regrades, grades and submissions at once: everybody has what their answers add up to.
    async fn all_at_once(school) {
        let app = school.start().await;
        let exam = exam(&app).await;
        exam.mend().await;
        let by_hand = exam.answer(&app, 2, 2).await;
        let mut running = Vec::new();
        for (student, _) in &exam.students {
            running.push((student.clone(), started(student, &exam.assessment).await));
        }
        let done = at_once(12, |number| {
            let (mona, by_hand, assessment) = (exam.mona.clone(), by_hand.clone(), exam.assessment.clone());
            let (student, attempt) = running[number % 3].clone();
            let answers = json!([
                {"question_id": exam.sound.id, "selected_option_id": exam.sound.wrong},
                {"question_id": exam.word, "short_answer_text": "Air"},
            ]);
            async move {
                match number {
                    0..=2 => submit(&student, &attempt, answers).await,
                    3..=6 => grade(&mona, &by_hand, 0.5).await,
                    _ => regrade(&mona, &assessment, "new_key_only").await,
                }
            }
        }).await;
        assert_eq!(count(&done, 200), 12, "{done:?}");
        assert_eq!(exam.results().await, [(1.0, false), (3.5, true), (0.5, false)]);
        assert_eq!(exam.offered().await, json!([]));
        for (student, attempt) in &running {
            assert_eq!(result(student, attempt).await.json()["total_score"], 3.5);
        }
    }
}
