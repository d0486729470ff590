//! 10.12, 10.13, X10–X13: what waits for a teacher, and how it is graded.

use axum::http::Method;
use chrono::TimeDelta;
use edupro_http::testkit::{Answer, Browser, Part, TestApp};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    attempts::{choice, result, started, submit},
    races::{at_once, count},
    support::{
        UNKNOWN, assessment, behind, course, enroll, lesson, module, on_both_engines, question,
        uuid_literal,
    },
};

const PENDING: &str = "/teacher/grading/pending/";

pub(crate) fn answer_path(answer: &str) -> String {
    format!("/teacher/grading/answer/{answer}/")
}

pub(crate) fn history_path(answer: &str) -> String {
    format!("/teacher/grading/answer/{answer}/history/")
}

/// 10.13
pub(crate) async fn grade(teacher: &Browser, answer: &str, points: f64) -> Answer {
    teacher.patch(&answer_path(answer), json!({"points_awarded": points})).await
}

/// The ids of the answers that wait, the oldest first.
pub(crate) async fn waiting(teacher: &Browser) -> Vec<String> {
    let listed = teacher.get(PENDING).await.json();
    let id = |item: &Value| item["answer_id"].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(id).collect()
}

/// An essay of so many points.
async fn essay(teacher: &Browser, assessment: &str, points: &str) -> String {
    question(teacher, assessment, json!({"question_type": "essay", "points": points})).await
}

fn text(question: &str, text: &str) -> Value {
    json!({"question_id": question, "short_answer_text": text})
}

/// Takes an assessment and returns the attempt.
async fn take(student: &Browser, assessment: &str, answers: Value) -> String {
    let attempt = started(student, assessment).await;
    let submitted = submit(student, &attempt, answers).await;
    assert_eq!(submitted.status(), 200, "{submitted}");
    attempt
}

/// A teacher, a student, and an attempt at two essays of ten and five points that waits for both.
struct Exam {
    mona: Browser,
    omar: Browser,
    assessment: String,
    attempt: String,
    answers: Vec<String>,
}

async fn exam(app: &TestApp) -> Exam {
    let mona = app.teacher("mona").await;
    let omar = app.student("omar", "mona").await;
    let assessment = assessment(&mona, json!({"passing_grade": 50, "max_attempts": 2})).await;
    let (first, second) =
        (essay(&mona, &assessment, "10").await, essay(&mona, &assessment, "5").await);
    let answers = json!([text(&second, "Light."), text(&first, "Water.\nAnd air.")]);
    let attempt = take(&omar, &assessment, answers).await;
    let answers = waiting(&mona).await;
    assert_eq!(answers.len(), 2);
    Exam { mona, omar, assessment, attempt, answers }
}

/// What the student sees of the attempt in the list of them.
async fn listed(exam: &Exam) -> (Value, Value, Value, Value) {
    let listed = exam.omar.get("/student/mona/attempts/").await.json();
    let of = |key: &str| listed[0][key].clone();
    (of("status"), of("score"), of("percentage"), of("is_passed"))
}

on_both_engines! {
    /// 10.12: what waits, and whose it is.
    async fn pending(school) {
        let app = school.start().await;
        let Exam { mona, omar, .. } = exam(&app).await;
        assert_snapshot!("two", mona.get(PENDING).await);
        // Nothing of what is empty, chosen or not handed in waits.
        let id = assessment(&mona, json!({"title": "Sound"})).await;
        let sound = choice(&mona, &id, json!({})).await;
        let why = essay(&mona, &id, "1").await;
        let lara = app.student("lara", "mona").await;
        take(&lara, &id, json!([{"question_id": sound.id, "selected_option_id": sound.wrong}, text(&why, "  ")])).await;
        started(&omar, &id).await;
        assert_eq!(waiting(&mona).await.len(), 2);
        let hana = app.teacher("hana").await;
        assert_snapshot!("of_another_teacher", hana.get(PENDING).await);
        assert_snapshot!("a_student", omar.get(PENDING).await);
        assert_snapshot!("nobody", app.visitor().get(PENDING).await);
        assert_snapshot!("method", mona.post(PENDING, json!({})).await);
    }

    /// 10.12, X10–X13: filters of paths and queries hold all together.
    async fn filters(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let course_id = course(&mona, json!({})).await;
        let module_id = module(&mona, &course_id, json!({})).await;
        let lesson_id = lesson(&mona, &module_id, json!({})).await;
        enroll(&app, "omar", &course_id, None).await;
        let mut ids = Vec::new();
        for (title, kind, link) in [
            ("Course", "course_exam", json!({"course": course_id})),
            ("Module", "exam", json!({"module": module_id})),
            ("Lesson", "quiz", json!({"lesson": lesson_id})),
            ("Nothing", "assignment", json!({})),
        ] {
            let mut body = link;
            (body["title"], body["assessment_type"]) = (title.into(), kind.into());
            let id = assessment(&mona, body).await;
            let long = essay(&mona, &id, "1").await;
            let short = question(&mona, &id, json!({"question_type": "short_answer"})).await;
            app.clock().advance(TimeDelta::seconds(1));
            take(&omar, &id, json!([text(&long, "Long."), text(&short, "Short.")])).await;
            ids.push(id);
        }
        // What of which assessment waits, in short.
        let found = async |path: &str| {
            let listed = mona.get(path).await;
            assert_eq!(listed.status(), 200, "{path}: {listed}");
            let name = |item: &Value| {
                let (title, text) = (&item["assessment_title"], &item["text_answer"]);
                format!("{}{}", &title.as_str().unwrap()[..1], &text.as_str().unwrap()[..1])
            };
            listed.json().as_array().unwrap().iter().map(name).collect::<Vec<_>>().join(" ")
        };
        let (of_course, of_assessment) = (
            format!("/teacher/courses/{course_id}/grading/pending/"),
            format!("/teacher/assessments/{}/grading/pending/", ids[1]),
        );
        let (of_type, of_questions) = (
            |kind: &str| format!("/teacher/assessments/{kind}/grading/pending/"),
            |kind: &str| format!("/teacher/assessments/questions/{kind}/grading/pending/"),
        );
        let query = |query: &str| format!("{PENDING}?{query}");
        for (path, expected) in [
            (PENDING.to_owned(), "CL CS ML MS LL LS NL NS"),
            (query("course_id=&assessment_id=&assessment_type=&question_type="), "CL CS ML MS LL LS NL NS"),
            (of_course.clone(), "CL CS ML MS LL LS"),
            (query(&format!("course_id={course_id}")), "CL CS ML MS LL LS"),
            (of_assessment.clone(), "ML MS"),
            (query(&format!("assessment_id={}", ids[3])), "NL NS"),
            (of_type("exam"), "CL CS ML MS"),
            (of_type("course_exam"), "CL CS ML MS"),
            (query("assessment_type=quiz"), "LL LS"),
            (of_questions("essay"), "CL ML LL NL"),
            (query("question_type=short_answer"), "CS MS LS NS"),
            (of_questions("fill_blank"), ""),
            (format!("{of_course}?assessment_type=quiz&question_type=essay"), "LL"),
            (format!("{of_course}?assessment_id={}", ids[3]), ""),
            (format!("{of_assessment}?question_type=short_answer&course_id={course_id}"), "MS"),
            (format!("{of_assessment}?assessment_id={}", ids[1]), "ML MS"),
            (format!("{of_assessment}?assessment_id={}", ids[2]), ""),
            (format!("{}?assessment_type=course_exam", of_type("exam")), "CL CS ML MS"),
            (format!("{}?assessment_type=quiz", of_type("exam")), ""),
            (format!("{}?question_type=essay", of_questions("short_answer")), ""),
            (of_type("riddle"), ""),
            (of_type("questions"), ""),
            (of_questions("riddle"), ""),
            (query("assessment_type=riddle"), ""),
            (query("question_type=riddle"), ""),
        ] {
            assert_eq!(found(&path).await, expected, "{path}");
        }
        let hana = app.teacher("hana").await;
        for (name, path) in [
            ("course", of_course.clone()), ("assessment", of_assessment.clone()),
            ("query_course", query(&format!("course_id={course_id}&question_type=riddle"))),
            ("query_assessment", query(&format!("assessment_id={}", ids[0]))),
        ] {
            assert_snapshot!(format!("foreign_{name}"), hana.get(&path).await);
            assert_snapshot!(format!("a_student_{name}"), omar.get(&path).await);
            assert_snapshot!(format!("nobody_{name}"), app.visitor().get(&path).await);
        }
        for (name, path) in [
            ("course", format!("/teacher/courses/{UNKNOWN}/grading/pending/")),
            ("assessment", format!("/teacher/assessments/{UNKNOWN}/grading/pending/")),
            ("query_course", query(&format!("course_id={UNKNOWN}"))),
            ("query_assessment", query(&format!("assessment_id={UNKNOWN}"))),
            ("no_course", "/teacher/courses/zzz/grading/pending/".to_owned()),
            ("query_no_course", query("course_id=zzz")),
            ("query_no_assessment", query("assessment_id=zzz")),
        ] {
            assert_snapshot!(format!("unknown_{name}"), mona.get(&path).await);
        }
        assert_eq!(hana.get(&of_type("exam")).await.json(), json!([]));
        assert_eq!(omar.get(&of_type("exam")).await.status(), 403);
        assert_eq!(omar.get(&of_questions("essay")).await.status(), 403);
    }

    /// 10.12: whoever handed in first is read first.
    async fn oldest_first(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let id = assessment(&mona, json!({})).await;
        let why = essay(&mona, &id, "1").await;
        let mut attempts = Vec::new();
        for name in ["omar", "lara", "sara"] {
            let student = app.student(name, "mona").await;
            let attempt = started(&student, &id).await;
            attempts.push((student, attempt));
        }
        for (student, attempt) in attempts.iter().rev() {
            app.clock().advance(TimeDelta::seconds(1));
            submit(student, attempt, json!([text(&why, "Because.")])).await;
        }
        let listed = mona.get(PENDING).await.json();
        let names: Vec<_> = listed.as_array().unwrap().iter().map(|it| it["student_name"].clone()).collect();
        assert_eq!(names, ["sara", "lara", "omar"]);
    }

    /// 10.13: with the last answer the attempt is graded.
    async fn graded(school) {
        let app = school.start().await;
        let exam = exam(&app).await;
        let Exam { mona, omar, answers, attempt, .. } = &exam;
        app.clock().advance(TimeDelta::minutes(5));
        let body = json!({"points_awarded": 7.25, "teacher_feedback": " Good.\nBut short. "});
        assert_snapshot!("first", mona.patch(&answer_path(&answers[0]), body).await);
        assert_eq!(listed(&exam).await, (json!("submitted"), json!(null), json!(null), json!(null)));
        assert_eq!(result(omar, attempt).await.status(), 202);
        assert_eq!(waiting(mona).await, answers[1..]);
        assert_snapshot!("last", mona.put(&answer_path(&answers[1]), json!({"marks_awarded": "5.00"})).await);
        assert_eq!(waiting(mona).await, [""; 0]);
        assert_eq!(listed(&exam).await, (json!("graded"), json!("12.25"), json!("81.67"), json!(true)));
        assert_snapshot!("result", result(omar, attempt).await);
    }

    /// 10.13: a teacher may think better of it.
    async fn graded_again(school) {
        let app = school.start().await;
        let exam = exam(&app).await;
        let Exam { mona, answers, .. } = &exam;
        grade(mona, &answers[0], 10.0).await;
        grade(mona, &answers[1], 5.0).await;
        assert_eq!(listed(&exam).await, (json!("graded"), json!("15.00"), json!("100.00"), json!(true)));
        app.clock().advance(TimeDelta::minutes(10));
        let again = async |body: Value| mona.patch(&answer_path(&answers[0]), body).await;
        assert_snapshot!("less", again(json!({"points_awarded": 0, "teacher_feedback": "Copied.", "is_correct": false})).await);
        assert_eq!(listed(&exam).await, (json!("graded"), json!("5.00"), json!("33.33"), json!(false)));
        // What is not sent stays, null clears it.
        let kept = again(json!({"points_awarded": "2.5"})).await.json();
        assert_eq!(kept["teacher_feedback"], "Copied.");
        let cleared = again(json!({"points_awarded": 10, "teacher_feedback": null, "is_correct": null})).await.json();
        assert_eq!((&cleared["teacher_feedback"], &cleared["is_correct"]), (&json!(null), &json!(true)));
        // Right is what the teacher says is right.
        let right = again(json!({"points_awarded": 9, "is_correct": true})).await.json();
        assert_eq!((&right["points_awarded"], &right["is_correct"]), (&json!(9), &json!(true)));
        assert_eq!(listed(&exam).await, (json!("graded"), json!("14.00"), json!("93.33"), json!(true)));
    }

    /// 10.13: forms, aliases, and what wins.
    async fn bodies(school) {
        let app = school.start().await;
        let Exam { mona, answers, .. } = exam(&app).await;
        let path = answer_path(&answers[0]);
        let both = mona.patch(&path, json!({"points_awarded": 3, "marks_awarded": 4})).await.json();
        assert_eq!((&both["points_awarded"], &both["marks_awarded"]), (&json!(3), &json!("3.00")));
        let form = mona.multipart(Method::PUT, &path, &[Part::Text("points_awarded", "4.5"), Part::Text("teacher_feedback", "")]).await;
        assert_eq!((form.status(), &form.json()["points_awarded"]), (200, &json!(4.5)));
        assert_eq!(mona.patch(&path, json!({"points_awarded": "1e1"})).await.json()["points_awarded"], 10);
        assert_eq!(mona.patch(&path, json!({"points_awarded": 0})).await.json()["points_awarded"], 0);
    }

    /// 10.13: who may not, and what is no grade.
    async fn refused(school) {
        let app = school.start().await;
        let exam = exam(&app).await;
        let Exam { mona, omar, answers, .. } = &exam;
        let path = answer_path(&answers[0]);
        let grade = async |body: Value| mona.patch(&path, body).await;
        assert_snapshot!("nothing", grade(json!({})).await);
        assert_snapshot!("null", grade(json!({"points_awarded": null, "is_correct": "perhaps"})).await);
        assert_snapshot!("negative", grade(json!({"points_awarded": -1})).await);
        assert_snapshot!("negative_marks", grade(json!({"marks_awarded": "-0.01"})).await);
        assert_snapshot!("too_much", grade(json!({"points_awarded": 10.01})).await);
        assert_snapshot!("far_too_much", grade(json!({"marks_awarded": 1e30})).await);
        assert_snapshot!("too_fine", grade(json!({"points_awarded": "1.005"})).await);
        assert_snapshot!("no_number", grade(json!({"points_awarded": "many", "teacher_feedback": ["Good."]})).await);
        assert_snapshot!("only_feedback", grade(json!({"teacher_feedback": "x".repeat(5_001)})).await);
        assert_eq!(grade(json!({"points_awarded": 1, "teacher_feedback": "x".repeat(5_000)})).await.status(), 200);
        let hana = app.teacher("hana").await;
        assert_snapshot!("of_another_teacher", hana.patch(&path, json!({})).await);
        assert_snapshot!("a_student", omar.patch(&path, json!({})).await);
        assert_snapshot!("nobody", app.visitor().patch(&path, json!({})).await);
        assert_snapshot!("unknown", mona.patch(&answer_path(UNKNOWN), json!({})).await);
        assert_snapshot!("no_answer", mona.put(&answer_path("zzz"), json!({})).await);
        assert_snapshot!("method", mona.get(&path).await);
        // Nothing of what was refused counts.
        assert_eq!(listed(&exam).await.0, "submitted");
    }

    /// 10.13: the program marks what can be chosen, and a person what was handed in.
    async fn not_by_hand(school) {
        let app = school.start().await;
        let Exam { mona, omar, attempt, answers, .. } = exam(&app).await;
        let id = assessment(&mona, json!({"title": "Sound"})).await;
        let sound = choice(&mona, &id, json!({})).await;
        let why = essay(&mona, &id, "1").await;
        take(&omar, &id, json!([{"question_id": sound.id, "selected_option_id": sound.wrong}, text(&why, "Because.")])).await;
        let essay = waiting(&mona).await.pop().unwrap();
        let chosen = neighbour(&app, &essay).await;
        assert_snapshot!("choice", grade(&mona, &chosen, 1.0).await);
        assert_snapshot!("choice_without_points", mona.patch(&answer_path(&chosen), json!({})).await);
        for status in ["expired", "in_progress"] {
            let id = uuid_literal(&app, &attempt);
            behind(&app, format!("UPDATE attempts SET status = '{status}' WHERE id = {id}")).await;
            assert_snapshot!(status, grade(&mona, &answers[0], 1.0).await);
        }
    }

    /// 10.13: an answer that a rule marked is a teacher's to mark, too.
    async fn marked_by_a_rule(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let id = assessment(&mona, json!({})).await;
        let rule = json!({"by": "text", "accept": [{"text": "air"}]});
        let short = question(&mona, &id, json!({"question_type": "short_answer", "marking": rule})).await;
        let why = essay(&mona, &id, "1").await;
        take(&omar, &id, json!([text(&short, "The air."), text(&why, "Because.")])).await;
        let essay = waiting(&mona).await.pop().unwrap();
        let short = neighbour(&app, &essay).await;
        assert_eq!(grade(&mona, &short, 1.0).await.json()["attempt_status"], "submitted");
        assert_snapshot!("history", mona.get(&history_path(&short)).await);
        assert_eq!(grade(&mona, &essay, 0.0).await.json()["attempt_status"], "graded");
    }

    /// Beside the contract: who graded what.
    async fn history(school) {
        let app = school.start().await;
        let Exam { mona, omar, answers, .. } = exam(&app).await;
        let path = history_path(&answers[0]);
        assert_snapshot!("nothing", mona.get(&path).await);
        for (points, feedback) in [(2.5, json!("Good.")), (2.5, json!("Good.")), (0.0, json!(null))] {
            app.clock().advance(TimeDelta::minutes(1));
            mona.patch(&answer_path(&answers[0]), json!({"points_awarded": points, "teacher_feedback": feedback})).await;
        }
        assert_eq!(grade(&mona, &answers[0], 11.0).await.status(), 400);
        assert_snapshot!("three", mona.get(&path).await);
        assert_eq!(mona.get(&history_path(&answers[1])).await.json(), json!([]));
        let hana = app.teacher("hana").await;
        assert_snapshot!("of_another_teacher", hana.get(&path).await);
        assert_snapshot!("a_student", omar.get(&path).await);
        assert_snapshot!("nobody", app.visitor().get(&path).await);
        assert_snapshot!("unknown", mona.get(&history_path(UNKNOWN)).await);
        assert_snapshot!("no_answer", mona.get(&history_path("zzz")).await);
    }

    /// Twelve tabs grade as many answers at once, several times over: the attempt comes to what
    /// they gave together.
    async fn tabs(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let id = assessment(&mona, json!({"passing_grade": 60})).await;
        let mut answers = Vec::new();
        for _ in 0..12 {
            answers.push(text(&essay(&mona, &id, "2").await, "Because."));
        }
        let attempt = take(&omar, &id, json!(answers)).await;
        let answers = waiting(&mona).await;
        let graded = at_once(36, |number| {
            let (mona, answer) = (mona.clone(), answers[number % 12].clone());
            // Each answer gets the same from all its tabs.
            let points = if number % 12 < 5 { 2.0 } else { 0.25 };
            async move { grade(&mona, &answer, points).await }
        }).await;
        assert_eq!(count(&graded, 200), 36, "{graded:?}");
        assert!(graded.iter().any(|answer| answer.json()["attempt_status"] == "graded"));
        let seen = result(&omar, &attempt).await.json();
        assert_eq!((&seen["total_score"], &seen["percentage"], &seen["is_passed"]), (&json!(11.75), &json!("48.96"), &json!(false)));
        for answer in &answers {
            assert_eq!(mona.get(&history_path(answer)).await.json().as_array().unwrap().len(), 3);
        }
    }

    /// Answers are graded while their assessment is deleted: nothing is broken, nothing is left.
    async fn graded_and_deleted(school) {
        let app = school.start().await;
        let Exam { mona, assessment, answers, .. } = exam(&app).await;
        let done = at_once(9, |number| {
            let (mona, answer) = (mona.clone(), answers[number % 2].clone());
            let assessment = format!("/teacher/assessments/{assessment}/");
            async move {
                match number {
                    4 => mona.delete(&assessment).await,
                    _ => grade(&mona, &answer, 1.0).await,
                }
            }
        }).await;
        assert_eq!(count(&done, 204), 1, "{done:?}");
        assert!(done.iter().all(|answer| matches!(answer.status(), 200 | 204 | 404)), "{done:?}");
        assert_eq!(mona.get(&answer_path(&answers[0])).await.status(), 405);
        assert_eq!(grade(&mona, &answers[0], 1.0).await.status(), 404);
    }
}

/// The other answer of the attempt that an answer belongs to.
async fn neighbour(app: &TestApp, answer: &str) -> String {
    let mut tx = app.school().storage.read().await.unwrap();
    let id = answer.parse().unwrap();
    let attempt = tx.grading().find(id).await.unwrap().unwrap().attempt.id;
    let answers = tx.attempts().answers(attempt).await.unwrap();
    answers.iter().find(|other| other.id != id).unwrap().id.to_string()
}
