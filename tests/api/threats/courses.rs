//! 2.2: courses, coupons, enrolments, ratings.

use axum::{body::Body, http::Method};
use chrono::TimeDelta;
use edupro_http::{
    openapi::operations,
    testkit::{Browser, PUBLIC_URL, TestApp},
};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Before, Told};
use crate::support::{
    UNKNOWN, assessment, coupon, course, enroll, free_course, lesson, module, on_both_engines,
    question, redeem, redeem_module,
};

/// What stands in everything that is not published.
const SECRET: &str = "SECRET";

/// Everybody whom a draft of mona's is nothing to.
async fn strangers(app: &TestApp, mona: &Browser) -> Vec<(&'static str, Browser)> {
    app.teacher("hana").await;
    let strangers = vec![
        ("nobody", app.visitor()),
        ("active", app.student("active", "mona").await),
        ("blocked", app.student("blocked", "mona").await),
        ("removed", app.student("removed", "mona").await),
        ("other", app.student("other", "hana").await),
        ("hana", {
            let hana = app.visitor();
            hana.log_in_teacher("hana").await;
            hana
        }),
    ];
    let students = mona.get("/teacher/get_students/").await.json();
    let number = |name: &str| {
        let students = students["results"].as_array().unwrap();
        let named = |it: &&Value| {
            it["student"]["user"]["username"] == name || it.to_string().contains(name)
        };
        students.iter().find(named).unwrap()["student"]["id"].as_i64().unwrap()
    };
    let blocked = format!("/teacher/students/toggle-block/{}/", number("blocked"));
    assert_eq!(mona.patch(&blocked, json!({})).await.status(), 200);
    let removed = format!("/teacher/students/remove/{}/", number("removed"));
    assert!(mona.delete(&removed).await.status() < 300);
    strangers
}

on_both_engines! {
    /// A draft does not exist for anybody but its teacher: every operation that names it, or a part
    /// of it, as everybody else.
    async fn drafts(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let draft = |extra: Value| {
            let mut body = json!({"title": SECRET, "description": SECRET, "is_published": false});
            body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            body
        };
        let course_id = course(&mona, draft(json!({"is_free": true}))).await;
        let module_id = module(&mona, &course_id, draft(json!({"is_free": true}))).await;
        let lesson_id = lesson(&mona, &module_id, draft(json!({"is_free": true}))).await;
        let exam_id = assessment(&mona, draft(json!({"course": course_id}))).await;
        let question_id = question(&mona, &exam_id, json!({
            "question_text": SECRET, "question_type": "multiple_choice", "explanation": SECRET,
            "options": [{"option_text": SECRET, "is_correct": true}, {"option_text": SECRET}],
        })).await;
        let options = mona.get(&format!("/teacher/questions/{question_id}/options/")).await.json();
        let option_id = options[0]["id"].as_str().unwrap().to_owned();
        let strangers = strangers(&app, &mona).await;
        let mut before = Before::of(&app).await;
        let fill = |path: &str| {
            let mut path = path.replace("{id}", &lesson_id);
            for (name, id) in [
                ("course_id", &course_id), ("module_id", &module_id), ("lesson_id", &lesson_id),
                ("assessment_id", &exam_id), ("question_id", &question_id), ("option_id", &option_id),
            ] {
                path = path.replace(&format!("{{{name}}}"), id);
            }
            for (name, value) in [("enrollment_id", "1"), ("student_id", "3"), ("student_username", "active"), ("teacher_username", "mona")] {
                path = path.replace(&format!("{{{name}}}"), value);
            }
            path
        };
        let body = json!({
            "course_id": course_id, "module_id": module_id, "course": course_id, "coupon_code": "X",
            "title": "Taken", "name": "Taken", "rating": 1, "is_completed": true, "is_published": true,
            "assessment_type": "quiz", "question_text": "?", "question_type": "essay", "option_text": "!",
            "number_of_coupons": 1, "price": "1", "answers": [],
        });
        let mut asked = 0;
        for operation in operations() {
            let names_it = ["course_id", "module_id", "lesson_id", "assessment_id", "question_id", "option_id"]
                .iter().any(|name| operation.path.contains(&format!("{{{name}}}")));
            let is_lesson = operation.path.contains("/lessons/{id}");
            let enrols = operation.path.ends_with("-enrollment/") || operation.path.ends_with("/checkout/");
            if !names_it && !is_lesson && !enrols {
                continue;
            }
            // X13 has a type of questions there.
            if operation.number == "X13" {
                continue;
            }
            let path = fill(&operation.path);
            assert!(!path.contains('{'), "{path}");
            for (name, who) in &strangers {
                let is_read = operation.method == Method::GET || operation.method == Method::DELETE;
                let (kind, sent) = match is_read {
                    true => (None, Body::empty()),
                    false => (Some("application/json"), body.to_string().into()),
                };
                let url = format!("{PUBLIC_URL}{path}");
                let answer = who.send(operation.method.clone(), &url, kind, sent).await;
                let attack = format!("{} {} as {name}", operation.method, operation.path);
                assert!(matches!(answer.status(), 400..500), "{attack}: {answer}");
                assert!(!answer.to_string().contains(SECRET), "{attack}: {answer}");
                before.assert_same(&attack).await;
                asked += 1;
            }
        }
        assert!(asked > 200, "{asked}");
        // Lists and searches do not find it either.
        for query in [
            "/course/list/?page_size=100",
            "/course/list/?is_published=false",
            "/course/teacher-list/mona?is_published=false",
            "/course/course-search-filter/?is_published=false",
            "/course/course-search-filter/?search=SECRET",
            "/course/course-search-filter/?search=SECRET&is_published=0",
            "/course/course-search-filter/?teacher__full_name=mona%20adel",
            "/course/course-enrollment-list/mona",
            "/my-courses/",
            "/student/assessments/mona/",
            "/teacher/teacher-profile/mona",
            "/course/list-by-teacher/",
            "/teacher/assessments/",
            "/teacher/grading/pending/",
        ] {
            for (name, who) in &strangers {
                let answer = who.get(query).await;
                assert!(answer.status() < 500 && !answer.to_string().contains(SECRET), "{query} as {name}: {answer}");
            }
        }
    }

    /// What is no number, or none that makes sense, is refused wherever numbers are written, before
    /// anything is counted or made.
    async fn numbers(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({})).await;
        let gift = free_course(&mona).await;
        redeem(&omar, &gift, "").await;
        let sound = module(&mona, &waves, json!({})).await;
        let echo = lesson(&mona, &sound, json!({})).await;
        let exam = assessment(&mona, json!({})).await;
        let asked = question(&mona, &exam, json!({})).await;
        let (coupon_id, _) = coupon(&mona, "5").await;
        let mut before = Before::of(&app).await;
        let nonsense = [
            "NaN", "-NaN", "Infinity", "-Infinity", "1e400", "-1e400", "-1", "-0.01", "-1e-9", "\"NaN\"", "\"nan\"",
            "\"Infinity\"", "\"-Infinity\"", "\"-1\"", "\"0x10\"", "\"1_000\"", "\"1,000\"", "\"1 2\"", "\"1;2\"",
            "\"1e99999\"", "\"99999999999999999999999999999999\"", "1e300", "170141183460469231731687303715884105728",
            "[5]", "{\"a\":5}", "\"five\"", "\"5\\u0000\"",
        ];
        for (method, path, field, rest) in [
            (Method::POST, "/course/create/".to_owned(), "price", r#""title":"T","description":"D""#),
            (Method::PATCH, format!("/course/update/{waves}"), "price", r#""title":"T""#),
            (Method::POST, format!("/courses/{waves}/modules/create/"), "price", r#""title":"A module""#),
            (Method::POST, format!("/courses/{waves}/modules/create/"), "order", r#""title":"A module""#),
            (Method::PATCH, format!("/modules/{sound}/update/"), "price", r#""title":"A module""#),
            (Method::PATCH, format!("/modules/{sound}/update/"), "order", r#""title":"A module""#),
            (Method::POST, format!("/modules/{sound}/lessons/create/"), "order", r#""title":"L""#),
            (Method::POST, format!("/modules/{sound}/lessons/create/"), "duration", r#""title":"L""#),
            (Method::PATCH, format!("/lessons/{echo}/update/"), "order", r#""title":"L""#),
            (Method::PATCH, format!("/lessons/{echo}/update/"), "duration", r#""title":"L""#),
            (Method::POST, "/coupon/create/".to_owned(), "number_of_coupons", r#""price":"5""#),
            (Method::POST, "/coupon/create/".to_owned(), "price", r#""number_of_coupons":1"#),
            (Method::PATCH, format!("/coupon/update/{coupon_id}"), "max_uses", r#""price":"5""#),
            (Method::PATCH, format!("/coupon/update/{coupon_id}"), "price", r#""is_active":true"#),
            (Method::POST, format!("/courses/{gift}/ratings/create/"), "rating", r#""comment":"C""#),
            (Method::POST, "/teacher/assessments/".to_owned(), "time_limit", r#""title":"T","assessment_type":"quiz","is_timed":true"#),
            (Method::POST, "/teacher/assessments/".to_owned(), "max_attempts", r#""title":"T","assessment_type":"quiz""#),
            (Method::POST, "/teacher/assessments/".to_owned(), "passing_grade", r#""title":"T","assessment_type":"quiz""#),
            (Method::PATCH, format!("/teacher/assessments/{exam}/"), "max_attempts", r#""title":"T""#),
            (Method::POST, format!("/teacher/assessments/{exam}/questions/"), "points", r#""question_text":"?","question_type":"essay""#),
            (Method::PATCH, format!("/teacher/assessments/questions/{asked}/"), "points", r#""question_text":"?""#),
            (Method::PATCH, format!("/teacher/assessments/questions/{asked}/"), "order", r#""question_text":"?""#),
        ] {
            let who = if field == "rating" { &omar } else { &mona };
            let mut values: Vec<&str> = nonsense.to_vec();
            match field {
                "price" | "points" | "passing_grade" => values.extend(["123456789012", "0.001", "\"0.0001\""]),
                "number_of_coupons" => values.extend(["0", "1001", "1000000000", "2147483648", "1.5"]),
                "rating" => values.extend(["0", "6", "4.5", "\"4.5\"", "true"]),
                _ => values.extend(["0", "1.5", "\"1.5\"", "2147483648", "-2147483649", "9223372036854775808"]),
            }
            for value in values {
                let body = format!("{{{rest},\"{field}\":{value}}}");
                let answer = who.send(method.clone(), &path, Some("application/json"), body.clone().into()).await;
                assert_eq!(answer.status(), 400, "{method} {path} {body}: {answer}");
                before.assert_same(&body).await;
            }
        }
    }

    /// A code is a text that is compared: nothing in it is a statement or a pattern (CVE-2025-13673).
    async fn codes_are_texts(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let sound = module(&mona, &waves, json!({"price": "50"})).await;
        let (_, code) = coupon(&mona, "50").await;
        let mut before = Before::of(&app).await;
        let (start, end) = code.split_at(5);
        for guess in [
            "' OR '1'='1", "' OR 1=1 --", "\" OR \"\"=\"", "'; DROP TABLE coupons; --", "' UNION SELECT code FROM coupons --",
            "%", "_%", "__________", "*", "?", "\\", "$1", ":code", "{{code}}", "${code}", "NULL", "null", "true", "0",
            &format!("{start}%"), &format!("{start}_____"), &format!("{start} {end}"), &format!("{code}'--"),
            &format!("{code}{code}"), &format!("{start}\u{200b}{end}"), &"A".repeat(50),
        ] {
            let answer = redeem(&omar, &waves, guess).await;
            assert_eq!(answer.status(), 400, "{guess}: {answer}");
            assert!(answer.to_string().contains("nvalid coupon code"), "{guess}: {answer}");
            let answer = redeem_module(&omar, &sound, guess).await;
            assert_eq!(answer.status(), 400, "{guess}: {answer}");
        }
        let mut told = Told::default();
        for (what, value) in [
            ("a NUL", json!(format!("{code}\0"))), ("a list", json!([code])), ("an object", json!({"$ne": ""})),
            ("true", json!(true)), ("a long text", json!("A".repeat(100_000))), ("an escape", json!("\u{1b}[2J")),
        ] {
            told.note(what, &omar.post("/course/course-enrollment/", json!({"course_id": waves, "coupon_code": value})).await);
        }
        for (what, id) in [("a list of courses", json!([waves])), ("SQL for a course", json!("' OR 1=1 --")), ("a null", json!(null))] {
            told.note(what, &omar.post("/course/course-enrollment/", json!({"course_id": id, "coupon_code": code})).await);
        }
        assert_snapshot!("told", told.text());
        before.assert_same("codes").await;
        assert_eq!(redeem(&omar, &waves, &code).await.status(), 201);
    }

    /// Ten wrong codes an hour, at both doors together; then not even the right one, and nobody else
    /// is kept out (security R7).
    async fn guessing_codes(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        let mona = app.teacher("mona").await;
        let [omar, sara] = [app.student("omar", "mona").await, app.student("sara", "mona").await];
        let waves = course(&mona, json!({"price": "50"})).await;
        let sound = module(&mona, &waves, json!({"price": "50"})).await;
        let codes = crate::support::coupons(&mona, 2, "50").await;
        let mut before = Before::of(&app).await;
        for number in 0..5 {
            let elsewhere = omar.with_header("x-forwarded-for", &format!("203.0.113.{number}"));
            assert_eq!(redeem(&elsewhere, &waves, &format!("GUESS{number}")).await.status(), 400);
            assert_eq!(redeem_module(&elsewhere, &sound, &format!("GUESS{number}")).await.status(), 400);
        }
        assert_snapshot!("refused", redeem(&omar, &waves, &codes[0].1).await);
        assert_eq!(redeem_module(&omar, &sound, &codes[0].1).await.status(), 429);
        before.assert_same("guesses").await;
        assert_eq!(redeem(&sara, &waves, &codes[1].1).await.status(), 201);
        app.clock().advance(TimeDelta::hours(1));
        omar.log_in_student("omar", "mona").await;
        assert_eq!(redeem(&omar, &waves, &codes[0].1).await.status(), 201);
    }

    /// An enrolment is its student's and its teacher's, and a course that does not fit names none.
    async fn enrolments_of_others(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let [omar, sara] = [app.student("omar", "mona").await, app.student("sara", "hana").await];
        let waves = course(&mona, json!({"price": "50"})).await;
        let light = course(&hana, json!({"price": "50"})).await;
        enroll(&app, "omar", &waves, None).await;
        enroll(&app, "sara", &light, None).await;
        let mut before = Before::of(&app).await;
        let mut told = Told::default();
        for (who, name) in [(&omar, "omar"), (&sara, "sara"), (&mona, "mona"), (&hana, "hana"), (&app.visitor(), "nobody")] {
            for (course_id, course_name) in [(waves.as_str(), "waves"), (light.as_str(), "light"), (UNKNOWN, "unknown")] {
                for (enrollment, owners) in [("1", ["omar", "mona"]), ("2", ["sara", "hana"]), ("3", ["", ""]), ("1%20OR%201=1", ["", ""])] {
                    let fits = (enrollment == "1" && course_name == "waves") || (enrollment == "2" && course_name == "light");
                    if fits && owners.contains(&name) {
                        continue;
                    }
                    let path = format!("/course/course-enrollment-delete/{course_id}/{enrollment}");
                    let answer = who.delete(&path).await;
                    assert!(matches!(answer.status(), 401 | 403 | 404), "{name} {path}: {answer}");
                    told.note(&format!("{name} deletes {enrollment} of {course_name}"), &answer);
                    before.assert_same(&path).await;
                }
            }
        }
        assert_snapshot!("told", told.text());
    }

    /// A refund does not give the coupon back: there is no second course for one payment.
    async fn no_refund_by_deleting(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let light = course(&mona, json!({"price": "50", "title": "Light"})).await;
        let (id, code) = coupon(&mona, "50").await;
        assert_eq!(redeem(&omar, &waves, &code).await.status(), 201);
        let answer = omar.delete(&format!("/course/course-enrollment-delete/{waves}/")).await;
        assert_eq!(answer.status(), 204);
        let mut before = Before::of(&app).await;
        let mut told = Told::default();
        told.note("the same course", &redeem(&omar, &waves, &code).await);
        told.note("another course", &redeem(&omar, &light, &code).await);
        told.note("another student", &redeem(&app.student("sara", "mona").await, &waves, &code).await);
        assert_snapshot!("told", told.text());
        before.assert_only(&["users", "student_profiles", "teacher_students", "row_counts", "sessions"]).await;
        assert_eq!(mona.get(&format!("/coupon/detail/{id}")).await.json()["used_count"], 1);
        assert_eq!(mona.get("/teacher/revenue/").await.json()["revenue"], 50);
    }

    /// A rating is its student's: kept letter by letter, and not its teacher's to mend.
    async fn ratings_of_others(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let [omar, sara] = [app.student("omar", "mona").await, app.student("sara", "mona").await];
        let root = app.admin("root").await;
        let gift = free_course(&mona).await;
        for student in [&omar, &sara] {
            redeem(student, &gift, "").await;
        }
        let evil = "<script>alert('x')</script> & \"quotes\"";
        let rated = omar.post(&format!("/courses/{gift}/ratings/create/"), json!({"rating": 1, "comment": evil})).await;
        assert_eq!((rated.status(), &rated.json()["comment"]), (201, &json!(evil)));
        let listed = app.visitor().get(&format!("/courses/{gift}/list-ratings/")).await;
        assert_eq!(listed.header("content-type"), Some("application/json"));
        assert!(listed.json().to_string().contains("<script>alert('x')</script>"));
        let mut before = Before::of(&app).await;
        let (id, uuid) = (&rated.json()["id"], rated.json()["uuid"].as_str().unwrap().to_owned());
        let mut told = Told::default();
        for (name, who) in [("sara", &sara), ("mona", &mona), ("root", &root), ("nobody", &app.visitor())] {
            for path in [format!("/course/retrive-upadate-delete-ratings/{id}/"), format!("/course/retrive-upadate-delete-ratings/{uuid}/")] {
                let answers = [who.patch(&path, json!({"rating": 5})).await, who.put(&path, json!({"rating": 5})).await, who.delete(&path).await];
                assert!(answers.iter().all(|answer| answer.to_string() == answers[0].to_string()), "{answers:#?}");
                if path.ends_with(&format!("{uuid}/")) {
                    told.note(name, &answers[0]);
                }
            }
        }
        told.note("twice", &omar.post(&format!("/courses/{gift}/ratings/create/"), json!({"rating": 5})).await);
        assert_snapshot!("told", told.text());
        before.assert_same("others").await;
    }
}
