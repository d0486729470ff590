//! 2.4: assessments, attempts, grades.

use chrono::TimeDelta;
use edupro_http::testkit::{Answer, Browser};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Before, Told};
use crate::{
    attempts::{choice, essay, result, start, started, submit},
    grading::waiting,
    races::{at_once, count},
    support::{UNKNOWN, assessment, course, enroll, on_both_engines},
};

fn sent(answers: &Value) -> Value {
    json!({"answers": answers})
}

async fn hand_in(who: &Browser, attempt: &str, answers: Value) -> Answer {
    who.post(&format!("/students/attempts/{attempt}/submit/"), sent(&answers)).await
}

on_both_engines! {
    /// An exam hangs on what is its teacher's own, and is nobody else's to change.
    async fn foreign_exams(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let [hana, omar] = [app.teacher("hana").await, app.student("omar", "mona").await];
        let waves = course(&mona, json!({})).await;
        let exam = assessment(&mona, json!({})).await;
        let asked = choice(&mona, &exam, json!({})).await;
        let hers = assessment(&hana, json!({})).await;
        let mut before = Before::of(&app).await;
        let mut told = Told::default();
        let new = json!({"title": "T", "assessment_type": "quiz", "course": waves});
        told.note("hana's in mona's course", &hana.post("/teacher/assessments/", new.clone()).await);
        told.note("hana moves hers there", &hana.patch(&format!("/teacher/assessments/{hers}/"), json!({"course": waves})).await);
        told.note("hana's by the course", &hana.post(&format!("/teacher/courses/{waves}/assessments/"), json!({"title": "T", "assessment_type": "quiz"})).await);
        for (name, who) in [("hana", &hana), ("omar", &omar), ("nobody", &app.visitor())] {
            let key = json!({"is_correct": true, "option_text": "Mine", "question_text": "?", "points": 99, "title": "T", "question_type": "essay"});
            for (what, answer) in [
                ("changes it", who.patch(&format!("/teacher/assessments/{exam}/"), key.clone()).await),
                ("deletes it", who.delete(&format!("/teacher/assessments/{exam}/")).await),
                ("asks in it", who.post(&format!("/teacher/assessments/{exam}/questions/"), key.clone()).await),
                ("changes a question", who.patch(&format!("/teacher/assessments/questions/{}/", asked.id), key.clone()).await),
                ("deletes a question", who.delete(&format!("/teacher/assessments/questions/{}/", asked.id)).await),
                ("adds an option", who.post(&format!("/teacher/questions/{}/options/", asked.id), key.clone()).await),
                ("makes the wrong one right", who.patch(&format!("/teacher/questions/options/{}/", asked.wrong), key.clone()).await),
                ("deletes the right one", who.delete(&format!("/teacher/questions/options/{}/", asked.right)).await),
                ("reads the key", who.get(&format!("/teacher/questions/{}/options/", asked.id)).await),
                ("marks again", who.post(&format!("/teacher/assessments/{exam}/regrade/"), json!({"policy": "full_credit"})).await),
            ] {
                assert!(matches!(answer.status(), 401 | 403 | 404), "{name} {what}: {answer}");
                assert!(!answer.to_string().contains("Air"), "{name} {what}: {answer}");
                if name == "hana" {
                    told.note(&format!("{name} {what}"), &answer);
                }
            }
        }
        assert_snapshot!("told", told.text());
        before.assert_same("strangers").await;
    }

    /// An exam starts for who has it, when it is open, at its own teacher's; and the questions come
    /// without a key.
    async fn starts(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        app.teacher("hana").await;
        let now = app.school().clock.now();
        let waves = course(&mona, json!({"price": "50"})).await;
        let mut people = Vec::new();
        for (username, teacher) in [("omar", "mona"), ("active", "mona"), ("blocked", "mona"), ("removed", "mona"), ("expired", "mona"), ("other", "hana")] {
            people.push((username, app.student(username, teacher).await));
        }
        for username in ["omar", "blocked", "removed"] {
            enroll(&app, username, &waves, None).await;
        }
        enroll(&app, "expired", &waves, Some(now)).await;
        mona.patch("/teacher/students/toggle-block/5/", json!({})).await;
        mona.delete("/teacher/students/remove/6/").await;
        people.push(("mona", mona.clone()));
        people.push(("nobody", app.visitor()));
        let open = assessment(&mona, json!({"course": waves})).await;
        let early = assessment(&mona, json!({"course": waves, "available_from": (now + TimeDelta::days(1)).to_rfc3339()})).await;
        let over = assessment(&mona, json!({"course": waves, "available_until": (now + TimeDelta::seconds(1)).to_rfc3339()})).await;
        let draft = assessment(&mona, json!({"course": waves, "is_published": false})).await;
        for exam in [&open, &early, &over, &draft] {
            choice(&mona, exam, json!({"explanation": "SECRET"})).await;
        }
        app.clock().advance(TimeDelta::seconds(2));
        let mut before = Before::of(&app).await;
        let mut told = Told::default();
        let body = json!({"attempt_number": 9, "expires_at": "2099-01-01T00:00:00Z", "started_at": "2099-01-01T00:00:00Z", "student": 4, "score": 100});
        for (exam_name, exam) in [("open", open.as_str()), ("early", &early), ("over", &over), ("draft", &draft), ("unknown", UNKNOWN)] {
            for (name, who) in &people {
                if (exam_name, *name) == ("open", "omar") {
                    continue;
                }
                let answer = who.post(&format!("/student/assessments/{exam}/mona/start/"), body.clone()).await;
                assert!(matches!(answer.status(), 400..405), "{name} {exam_name}: {answer}");
                assert!(!answer.to_string().contains("What carries"), "{answer}");
                told.note(&format!("{name} {exam_name}"), &answer);
            }
        }
        // Under another teacher's name, a student's, or none.
        for teacher in ["hana", "omar", "nobody", "..%2fmona"] {
            let answer = people[0].1.post(&format!("/student/assessments/{open}/{teacher}/start/"), body.clone()).await;
            told.note(&format!("at {teacher}'s"), &answer);
        }
        assert_snapshot!("told", told.text());
        before.assert_same("starts").await;
        let begun = people[0].1.post(&format!("/student/assessments/{open}/mona/start/"), body).await;
        assert_eq!((begun.status(), &begun.json()["attempt_number"], &begun.json()["expires_at"]), (201, &json!(1), &json!(null)));
        for secret in ["is_correct", "explanation", "SECRET", "correct_answer", "marking"] {
            assert!(!begun.to_string().contains(secret), "{begun}");
        }
    }

    /// Twice as many starts as there are attempts, by all means at once: not one more.
    async fn attempts_at_once(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let exam = assessment(&mona, json!({"max_attempts": 2})).await;
        choice(&mona, &exam, json!({})).await;
        for round in 1..=2 {
            let answers = at_once(12, |_| {
                let (omar, exam) = (omar.clone(), exam.clone());
                async move { start(&omar, &exam).await }
            }).await;
            assert_eq!((count(&answers, 201), count(&answers, 200)), (1, 11), "{round}: {answers:?}");
            let attempt = answers[0].json()["attempt_id"].as_str().unwrap().to_owned();
            assert_eq!(submit(&omar, &attempt, json!([])).await.status(), 200);
        }
        let mut before = Before::of(&app).await;
        let answers = at_once(12, |_| {
            let (omar, exam) = (omar.clone(), exam.clone());
            async move { start(&omar, &exam).await }
        }).await;
        assert_eq!(count(&answers, 400), 12, "{answers:?}");
        before.assert_same("more starts").await;
        assert_eq!(omar.get("/student/mona/attempts/").await.json().as_array().unwrap().len(), 2);
    }

    /// An attempt is handed in once, by who takes it, with options of its questions, in time.
    async fn submissions(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let [hana, omar, sara] = [app.teacher("hana").await, app.student("omar", "mona").await, app.student("sara", "mona").await];
        let exam = assessment(&mona, json!({"is_timed": true, "time_limit": 5})).await;
        let [sound, light] = [choice(&mona, &exam, json!({})).await, choice(&mona, &exam, json!({})).await];
        let elsewhere = assessment(&mona, json!({"title": "Elsewhere"})).await;
        let foreign = choice(&mona, &elsewhere, json!({})).await;
        let [omars, saras] = [started(&omar, &exam).await, started(&sara, &exam).await];
        let mut before = Before::of(&app).await;
        let right = json!([{"question_id": sound.id, "selected_option_id": sound.right}]);
        let mut told = Told::default();
        for (name, who, attempt) in [
            ("omar hands in sara's", &omar, saras.as_str()), ("sara hands in omar's", &sara, &omars), ("mona", &mona, &omars), ("hana", &hana, &omars),
            ("nobody", &app.visitor(), &omars), ("unknown", &omar, UNKNOWN), ("no id", &omar, "1"),
        ] {
            told.note(name, &hand_in(who, attempt, right.clone()).await);
        }
        for (name, answers) in [
            ("a question of another exam", json!([{"question_id": foreign.id, "selected_option_id": foreign.right}])),
            ("an option of another exam", json!([{"question_id": sound.id, "selected_option_id": foreign.right}])),
            ("an option of another question", json!([{"question_id": sound.id, "selected_option_id": light.right}])),
            ("a question twice", json!([{"question_id": sound.id, "selected_option_id": sound.wrong}, {"question_id": sound.id, "selected_option_id": sound.right}])),
            ("a long text", json!([{"question_id": sound.id, "short_answer_text": "x".repeat(20_001)}])),
            ("a NUL", json!([{"question_id": sound.id, "short_answer_text": "a\0b"}])),
            ("SQL", json!([{"question_id": "' OR 1=1 --", "selected_option_id": sound.right}])),
        ] {
            told.note(name, &hand_in(&omar, &omars, answers).await);
        }
        let many = |count: usize| json!(vec![json!({"question_id": sound.id, "selected_option_id": sound.right}); count]);
        for answers in [many(10_000), many(3)] {
            let answer = hand_in(&omar, &omars, answers).await;
            assert!(matches!(answer.status(), 400 | 413), "{}", answer.status());
            assert!(answer.bytes().len() < 2_000_000);
        }
        before.assert_same("wrong submissions").await;
        // What is sent beside the answers is no grade and no time.
        let graded = json!({
            "answers": [{"question_id": sound.id, "selected_option_id": sound.wrong, "is_correct": true, "points_awarded": 99, "marks_awarded": 99}],
            "score": 100, "total_score": 100, "status": "graded", "is_passed": true, "submitted_at": "2020-01-01T00:00:00Z", "student": 4,
        });
        assert_eq!(omar.post(&format!("/students/attempts/{omars}/submit/"), graded).await.status(), 200);
        let shown = result(&omar, &omars).await.json();
        assert_eq!((&shown["total_score"], &shown["answers"][0]["is_correct"]), (&json!(0), &json!(false)));
        before.assert_only(&["attempts", "answers"]).await;
        told.note("again", &hand_in(&omar, &omars, right.clone()).await);
        app.clock().advance(TimeDelta::minutes(5) + TimeDelta::seconds(11));
        told.note("late", &hand_in(&sara, &saras, right.clone()).await);
        told.note("later", &hand_in(&sara, &saras, right).await);
        assert_snapshot!("told", told.text());
        before.assert_only(&["attempts", "answers"]).await;
        let late = result(&sara, &saras).await.json();
        assert_eq!((&late["status"], &late["total_score"]), (&json!("expired"), &json!(0)));
    }

    /// A result is for who took the attempt, when there is one.
    async fn results(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let [hana, omar, sara] = [app.teacher("hana").await, app.student("omar", "mona").await, app.student("sara", "mona").await];
        let exam = assessment(&mona, json!({"max_attempts": 2})).await;
        let sound = choice(&mona, &exam, json!({"explanation": "SECRET"})).await;
        let why = essay(&mona, &exam).await;
        let attempt = started(&omar, &exam).await;
        let mut told = Told::default();
        let ungraded = async |told: &mut Told, when: &str| {
            let answer = result(&omar, &attempt).await;
            for secret in ["SECRET", "is_correct", "correct_answer", "explanation"] {
                assert!(!answer.to_string().contains(secret), "{when}: {answer}");
            }
            told.note(&format!("omar, {when}"), &answer);
        };
        ungraded(&mut told, "in progress").await;
        let answers = json!([{"question_id": sound.id, "selected_option_id": sound.wrong}, {"question_id": why, "short_answer_text": "So."}]);
        assert_eq!(submit(&omar, &attempt, answers).await.status(), 200);
        ungraded(&mut told, "before it is graded").await;
        let mut before = Before::of(&app).await;
        for (name, who) in [("sara", &sara), ("hana", &hana), ("mona", &mona), ("nobody", &app.visitor())] {
            for path in [format!("/student/attempts/{attempt}/result/"), format!("http://school.example/student/attempts/{attempt}/result/")] {
                let answer = who.get(&path).await;
                assert!(matches!(answer.status(), 401 | 403 | 404), "{name}: {answer}");
                if path.starts_with('/') {
                    told.note(name, &answer);
                }
            }
        }
        assert_eq!(sara.get("/student/mona/attempts/").await.json(), json!([]));
        for path in [format!("/teacher/assessments/{exam}/attempts/"), format!("/teacher/assessments/{exam}/attempts/omar/")] {
            assert_eq!(hana.get(&path).await.status(), 403);
            assert_eq!(sara.get(&path).await.status(), 403);
        }
        assert_snapshot!("told", told.text());
        before.assert_same("readers").await;
    }

    /// A grade is the teacher's to give, between nothing and all; whoever tries something else changes
    /// nothing.
    async fn grades(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let [hana, omar] = [app.teacher("hana").await, app.student("omar", "mona").await];
        let exam = assessment(&mona, json!({})).await;
        let why = essay(&mona, &exam).await;
        let attempt = started(&omar, &exam).await;
        submit(&omar, &attempt, json!([{"question_id": why, "short_answer_text": "So."}])).await;
        let answer_id = waiting(&mona).await.remove(0);
        let path = format!("/teacher/grading/answer/{answer_id}/");
        let mut before = Before::of(&app).await;
        let mut told = Told::default();
        let full = json!({"points_awarded": 1, "is_correct": true});
        for (name, who) in [("omar", &omar), ("hana", &hana), ("nobody", &app.visitor())] {
            told.note(&format!("{name} grades"), &who.patch(&path, full.clone()).await);
            told.note(&format!("{name} reads the history"), &who.get(&format!("{path}history/")).await);
            told.note(&format!("{name} lists"), &who.get(&format!("/teacher/assessments/{exam}/grading/pending/")).await);
        }
        assert_eq!(hana.get("/teacher/grading/pending/").await.json(), json!([]));
        for points in [
            "NaN", "Infinity", "-Infinity", "1e400", "-1", "-0.0001", "1000000", "1e30", "\"NaN\"", "\"Infinity\"", "\"-1\"", "\"1e99999\"",
            "\"1.0000000001\"", "[1]", "{}", "\"\\u0000\"", "\"one\"", "170141183460469231731687303715884105728",
        ] {
            for field in ["points_awarded", "marks_awarded"] {
                let body = format!("{{\"{field}\": {points}}}");
                let answer = mona.send(axum::http::Method::PATCH, &path, Some("application/json"), body.into()).await;
                assert_eq!(answer.status(), 400, "{points}: {answer}");
            }
        }
        for feedback in [json!("x".repeat(5_001)), json!("a\0b"), json!(["x"])] {
            assert_eq!(mona.patch(&path, json!({"points_awarded": 1, "teacher_feedback": feedback})).await.status(), 400);
        }
        assert_snapshot!("told", told.text());
        before.assert_same("grades").await;
        // A second grade is a line of its own: who, and from what to what.
        for points in [1, 0] {
            assert_eq!(mona.patch(&path, json!({"points_awarded": points})).await.status(), 200);
        }
        let history = mona.get(&format!("{path}history/")).await.json();
        assert_eq!(history.as_array().map_or_else(|| history["results"].as_array().unwrap().len(), Vec::len), 2, "{history}");
    }
}
