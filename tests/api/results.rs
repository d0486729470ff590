//! 10.10, 10.11, X5–X9: what came of attempts, for students and for their teachers.

use chrono::TimeDelta;
use edupro_http::testkit::{Browser, PUBLIC_URL, TestApp};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    attempts::{choice, essay, result, start, started, submit},
    support::{UNKNOWN, assessment, course, enroll, lesson, module, on_both_engines},
};

/// A teacher with assessments in a course, a module, a lesson and nowhere, and a student who has
/// taken some of them: graded, waiting, in progress.
struct Term {
    mona: Browser,
    omar: Browser,
    course: String,
    assessments: Vec<String>,
    attempts: Vec<String>,
}

async fn term(app: &TestApp) -> Term {
    let mona = app.teacher("mona").await;
    let omar = app.student("omar", "mona").await;
    let course = course(&mona, json!({})).await;
    let module = module(&mona, &course, json!({"title": "Sound"})).await;
    let lesson = lesson(&mona, &module, json!({"title": "Air"})).await;
    enroll(app, "omar", &course, None).await;
    let (mut assessments, mut attempts) = (Vec::new(), Vec::new());
    for body in [
        json!({"title": "Of the course", "course": course, "assessment_type": "course_exam"}),
        json!({"title": "Of the module", "module": module, "assessment_type": "exam"}),
        json!({"title": "Of the lesson", "lesson": lesson}),
        json!({"title": "Of nothing", "max_attempts": 2}),
    ] {
        let id = assessment(&mona, body).await;
        let sound = choice(&mona, &id, json!({"points": "1.5"})).await;
        let why = essay(&mona, &id).await;
        let attempt = started(&omar, &id).await;
        app.clock().advance(TimeDelta::seconds(61));
        let answers = match assessments.len() {
            0 => json!([{"question_id": sound.id, "selected_option_id": sound.right}]),
            1 => json!([{"question_id": why, "short_answer_text": "Because."}]),
            2 => json!([]),
            _ => Value::Null,
        };
        if !answers.is_null() {
            assert_eq!(submit(&omar, &attempt, answers).await.status(), 200);
        }
        assessments.push(id);
        attempts.push(attempt);
    }
    Term { mona, omar, course, assessments, attempts }
}

fn numbers(list: &Value) -> Vec<(&str, &str)> {
    let of = |item: &Value, key: &str| item[key].as_str().unwrap().len();
    let list = list.as_array().unwrap();
    assert!(list.iter().all(|item| of(item, "id") == 36));
    list.iter()
        .map(|item| (item["assessment_title"].as_str().unwrap(), item["status"].as_str().unwrap()))
        .collect()
}

on_both_engines! {
    /// 10.10
    async fn list(school) {
        let app = school.start().await;
        let term = term(&app).await;
        let Term { mona, omar, course, .. } = &term;
        app.teacher("hana").await;
        let path = "/student/mona/attempts/";
        let listed = omar.get(path).await;
        assert_snapshot!("ok", listed);
        let at_root = omar.get(&format!("{PUBLIC_URL}/student/MONA/attempts")).await;
        assert_eq!((at_root.status(), at_root.bytes()), (200, listed.bytes()));
        let of_course = omar.get(&format!("{path}?course_id={course}")).await.json();
        assert_eq!(numbers(&of_course), [
            ("Of the lesson", "graded"), ("Of the module", "submitted"), ("Of the course", "graded"),
        ]);
        for nothing in [UNKNOWN, "waves"] {
            assert_eq!(omar.get(&format!("{path}?course_id={nothing}")).await.json(), json!([]));
        }
        assert_eq!(omar.get("/student/hana/attempts/").await.json(), json!([]));
        assert_snapshot!("unknown_teacher", omar.get("/student/nobody/attempts/").await);
        assert_snapshot!("of_a_student", omar.get("/student/omar/attempts/").await);
        assert_snapshot!("by_a_teacher", mona.get(path).await);
        assert_snapshot!("by_nobody", app.visitor().get(path).await);
        assert_eq!(app.student("sara", "mona").await.get(path).await.json(), json!([]));
        // One's own past stays, also with a teacher who has let one go.
        mona.delete("/teacher/students/remove/2/").await;
        assert_eq!(omar.get(path).await.bytes(), listed.bytes());
    }

    /// 10.11
    async fn results(school) {
        let app = school.start().await;
        let term = term(&app).await;
        let Term { mona, omar, attempts, .. } = &term;
        assert_snapshot!("graded", result(omar, &attempts[0]).await);
        assert_snapshot!("waiting", result(omar, &attempts[1]).await);
        assert_snapshot!("nothing_handed_in", result(omar, &attempts[2]).await);
        assert_snapshot!("in_progress", result(omar, &attempts[3]).await);
        assert_snapshot!("unknown", result(omar, UNKNOWN).await);
        assert_eq!(result(omar, "mine").await.status(), 404);
        let sara = app.student("sara", "mona").await;
        assert_snapshot!("by_another", result(&sara, &attempts[0]).await);
        assert_snapshot!("by_a_teacher", result(mona, &attempts[0]).await);
        assert_snapshot!("by_nobody", result(&app.visitor(), &attempts[0]).await);
    }

    /// X5–X9
    async fn of_teachers(school) {
        let app = school.start().await;
        let term = term(&app).await;
        let Term { mona, omar, course, assessments, .. } = &term;
        let hana = app.teacher("hana").await;
        let sara = app.student("sara", "mona").await;
        let free = &assessments[3];
        started(&sara, free).await;
        let of_one = format!("/teacher/assessments/{free}/attempts/");
        let of_student = format!("{of_one}omar/");
        let of_course = format!("/teacher/courses/{course}/assessments/attempts/omar/");
        let of_teacher = "/teacher/assessments/attempts/omar/";
        let of_exams = "/teacher/assessments/exam/attempts/omar/";

        // X5: an array, and the envelope for whoever asks for a page.
        assert_snapshot!("of_one", mona.get(&of_one).await);
        assert_snapshot!("page_of_one", mona.get(&format!("{of_one}?page=2&page_size=1")).await);
        let whole = mona.get(&format!("{of_one}?page_size=1")).await.json();
        assert_eq!(whole.as_array().unwrap().len(), 2);
        for (username, found) in [("OMAR", 1), ("sara", 1), ("nobody", 0), ("", 2)] {
            let listed = mona.get(&format!("{of_one}?student_username={username}")).await.json();
            assert_eq!(listed.as_array().unwrap().len(), found, "{username}");
        }
        assert_eq!(mona.get("/teacher/assessments/quiz/attempts/").await.status(), 404);

        // X6–X9: the envelope, ten on a page.
        assert_snapshot!("of_student", mona.get(&of_student).await);
        let all = mona.get(of_teacher).await.json();
        assert_eq!(numbers(&all["results"]).len(), 4);
        let titles = async |path: &str| {
            let found = mona.get(path).await;
            assert_eq!(found.status(), 200, "{found}");
            let listed = found.json()["results"].clone();
            let titles = numbers(&listed).into_iter().map(|(title, _)| title.replace("Of ", ""));
            titles.collect::<Vec<_>>().join(", ")
        };
        let in_course = "the lesson, the module, the course";
        assert_eq!(titles(&format!("{of_teacher}?course_id={course}")).await, in_course);
        assert_eq!(titles(&of_course).await, in_course);
        assert_eq!(titles(&format!("{of_course}?assessment_type=quiz")).await, "the lesson");
        // An exam and a course exam are the same (behaviour 10.1).
        for path in [
            of_exams.to_owned(),
            "/teacher/assessments/course_exam/attempts/omar/".to_owned(),
            format!("{of_teacher}?assessment_type=exam"),
        ] {
            assert_eq!(titles(&path).await, "the module, the course", "{path}");
        }
        for nothing in [
            "/teacher/assessments/riddle/attempts/omar/".to_owned(),
            format!("{of_teacher}?assessment_type=riddle"),
            format!("{of_teacher}?course_id=waves"),
        ] {
            assert_eq!(titles(&nothing).await, "", "{nothing}");
            assert_eq!(mona.get(&format!("{nothing}{}page=2", if nothing.contains('?') { '&' } else { '?' })).await.status(), 404);
        }
        // Another teacher's are not among them.
        assert_eq!(hana.get(of_teacher).await.json()["count"], 0);
        assert_eq!(mona.get(&format!("{of_student}?page=2")).await.status(), 404);

        for (name, path) in [("of_one", &of_one), ("of_student", &of_student), ("of_course", &of_course)] {
            assert_snapshot!(format!("{name}_by_another_teacher"), hana.get(path).await);
            let unknown = path.replace(free.as_str(), UNKNOWN).replace(course.as_str(), UNKNOWN);
            assert_snapshot!(format!("{name}_unknown"), mona.get(&unknown).await);
        }
        assert_eq!(hana.get(&format!("{of_teacher}?course_id={course}")).await.status(), 403);
        for path in [&of_student, &of_course, of_teacher, of_exams] {
            for nobody in ["nobody", "mona", "hana"] {
                let path = path.replace("omar", nobody);
                assert_eq!(mona.get(&path).await.status(), 404, "{path}");
            }
        }
        for path in [&of_one, &of_student, &of_course, of_teacher, of_exams] {
            assert_eq!(omar.get(path).await.status(), 403);
            assert_eq!(app.visitor().get(path).await.status(), 401);
        }
    }

    /// 1.12, 1.20: who sits an assessment is active.
    async fn activity(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let id = assessment(&mona, json!({})).await;
        let active = async || {
            let profile = omar.get("/student/student-profile/mona").await.json();
            profile["last_activity"].as_str().unwrap()[11..16].to_owned()
        };
        assert_eq!(active().await, "08:00");
        app.clock().advance(TimeDelta::minutes(3));
        let attempt = started(&omar, &id).await;
        assert_eq!(active().await, "08:03");
        app.clock().advance(TimeDelta::minutes(4));
        submit(&omar, &attempt, json!([])).await;
        assert_eq!(active().await, "08:07");
    }

    /// Security R29: nothing that a student sees says what is right before the result may be seen.
    async fn secrets(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({})).await;
        enroll(&app, "omar", &waves, None).await;
        let timed = json!({"course": waves, "is_timed": true, "time_limit": 5, "max_attempts": 5});
        let id = assessment(&mona, timed).await;
        let sound = choice(&mona, &id, json!({"explanation": "SECRET"})).await;
        let why = essay(&mona, &id).await;
        let marked = json!({
            "question_text": "__", "question_type": "fill_blank", "explanation": "SECRET",
            "marking": {"by": "blanks", "blanks": [{"name": "b1", "accept": [{"text": "SECRET"}]}]},
        });
        crate::support::question(&mona, &id, marked).await;

        let seen = async |attempt: &str| {
            let mut seen = vec![start(&omar, &id).await, result(&omar, attempt).await];
            for path in [
                "/student/assessments/mona/".to_owned(),
                "/student/mona/attempts/".to_owned(),
                format!("/course/course-detail/{waves}"),
                format!("/courses/{waves}/modules/"),
                "/course/course-enrollment-list/mona".to_owned(),
                "/my-courses/".to_owned(),
                // What is not for students at all.
                format!("/teacher/assessments/{id}/"),
                format!("/teacher/assessments/{id}/questions/"),
                format!("/teacher/assessments/questions/{}/", sound.id),
                format!("/teacher/questions/{}/options/", sound.id),
                format!("/teacher/questions/options/{}/", sound.right),
                format!("/teacher/assessments/{id}/attempts/"),
                "/teacher/grading/pending/".to_owned(),
            ] {
                seen.push(omar.get(&path).await);
            }
            seen
        };
        let attempt = started(&omar, &id).await;
        let mut answers = seen(&attempt).await;
        // What is said of answers that are wrong.
        for sent in [
            json!([{"question_id": sound.id, "selected_option_id": UNKNOWN}]),
            json!([{"question_id": why}, {"question_id": why}]),
            json!([{}]),
        ] {
            answers.push(submit(&omar, &attempt, sent).await);
        }
        let sent = json!([
            {"question_id": sound.id, "selected_option_id": sound.right},
            {"question_id": why, "short_answer_text": "Because."},
        ]);
        answers.push(submit(&omar, &attempt, sent.clone()).await);
        answers.push(submit(&omar, &attempt, sent).await);
        // It waits for the essay, and the next one is running.
        app.clock().advance(TimeDelta::seconds(1));
        answers.extend(seen(&attempt).await);
        for answer in &answers {
            let text = answer.to_string();
            for secret in ["is_correct", "explanation", "correct_answer", "marking", "accept\"", "SECRET"] {
                assert!(!text.contains(secret), "{secret}: {text}");
            }
        }
        // Then, and only of that attempt.
        app.clock().advance(TimeDelta::minutes(6));
        let listed = omar.get("/student/mona/attempts/").await.json();
        let expired = listed[0]["attempt_id"].as_str().unwrap();
        assert_eq!(listed[0]["status"], "expired");
        let shown = result(&omar, expired).await;
        assert_eq!(shown.json()["answers"][0]["correct_answer"], "Air");
        assert!(!result(&omar, &attempt).await.to_string().contains("correct"));
    }
}
