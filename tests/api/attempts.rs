//! 10.8, 10.9, X15: a student starts an assessment and hands it in.

use axum::{body::Body, http::Method};
use chrono::TimeDelta;
use edupro_core::attempts;
use edupro_http::testkit::{Answer, Browser, PUBLIC_URL, Part, TestApp};
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    races::{at_once, count},
    support::{
        UNKNOWN, assessment, course, enroll, lesson, module, on_both_engines, picture, question,
        redeem_module,
    },
};

/// 10.8
pub(crate) async fn start(student: &Browser, assessment: &str) -> Answer {
    student.post(&format!("/student/assessments/{assessment}/mona/start/"), json!({})).await
}

/// Starts an assessment and returns the attempt's id.
pub(crate) async fn started(student: &Browser, assessment: &str) -> String {
    let answer = start(student, assessment).await;
    assert_eq!(answer.status(), 201, "{answer}");
    answer.json()["attempt_id"].as_str().unwrap().to_owned()
}

/// 10.9
pub(crate) async fn submit(student: &Browser, attempt: &str, answers: Value) -> Answer {
    student.post(&path(attempt), json!({"answers": answers})).await
}

/// 10.11
pub(crate) async fn result(student: &Browser, attempt: &str) -> Answer {
    student.get(&format!("/student/attempts/{attempt}/result/")).await
}

fn path(attempt: &str) -> String {
    format!("/students/attempts/{attempt}/submit/")
}

/// A question with its options' ids: the right one comes first.
pub(crate) struct Choice {
    pub(crate) id: String,
    pub(crate) right: String,
    pub(crate) wrong: String,
}

/// Makes a question with two options.
pub(crate) async fn choice(teacher: &Browser, assessment: &str, body: Value) -> Choice {
    let id = question(teacher, assessment, body).await;
    let options = teacher.get(&format!("/teacher/questions/{id}/options/")).await.json();
    let option = |number: usize| options[number]["id"].as_str().unwrap().to_owned();
    Choice { right: option(0), wrong: option(1), id }
}

/// Makes an essay and returns its id.
pub(crate) async fn essay(teacher: &Browser, assessment: &str) -> String {
    let body =
        json!({"question_text": "Why?", "question_type": "essay", "explanation": "Because."});
    question(teacher, assessment, body).await
}

/// A teacher, a student of theirs, and an assessment with a choice and an essay.
async fn begin(app: &TestApp, body: Value) -> (Browser, Browser, String, Choice, String) {
    let mona = app.teacher("mona").await;
    let omar = app.student("omar", "mona").await;
    let id = assessment(&mona, body).await;
    let choice = choice(&mona, &id, json!({"points": 2, "explanation": "Air moves."})).await;
    let essay = essay(&mona, &id).await;
    (mona, omar, id, choice, essay)
}

/// Every kind of question, marked by rules where there are any.
async fn questions_of_all_kinds(mona: &Browser, id: &str) {
    let picture = picture(ImageFormat::Png);
    let parts = [
        Part::Text("question_text", "What is this?"),
        Part::Text("question_type", "multiple_choice"),
        Part::Text("points", "2.5"),
        Part::Text("explanation", "One sees it."),
        Part::Text(
            "options",
            r#"[{"option_text": "Red", "is_correct": true}, {"option_text": "Blue"}]"#,
        ),
        Part::File("image", "red.png", &picture),
    ];
    let path = format!("/teacher/assessments/{id}/questions/");
    assert_eq!(mona.multipart(Method::POST, &path, &parts).await.status(), 201);
    for body in [
        json!({
            "question_text": "Which are odd?", "question_type": "multiple_choice",
            "marking": {"by": "all_options"},
            "options": [
                {"option_text": "1", "is_correct": true},
                {"option_text": "2"},
                {"option_text": "3", "is_correct": true},
            ],
        }),
        json!({
            "question_text": "Is it?", "question_type": "true_false",
            "options": [{"option_text": "True", "is_correct": true}, {"option_text": "False"}],
        }),
        json!({
            "question_text": "How fast?", "question_type": "short_answer",
            "marking": {"by": "number", "accept": [{"value": "343", "tolerance": "1"}]},
        }),
        json!({
            "question_text": "__ and __", "question_type": "fill_blank", "points": 3,
            "explanation": "Salt and pepper",
            "marking": {"by": "blanks", "partial": true, "blanks": [
                {"name": "second", "accept": [{"text": "pepper"}]},
                {"name": "first", "accept": [{"text": "salt"}]},
            ]},
        }),
        json!({"question_text": "Why?", "question_type": "essay", "explanation": "Because."}),
    ] {
        question(mona, id, body).await;
    }
}

/// The ids of a started attempt's questions, each with those of its options.
fn asked(started: &Answer) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let started = started.json();
    let questions = started["questions"].as_array().unwrap().iter();
    let ids = questions.map(|question| {
        let options = question["options"].as_array().unwrap().iter();
        (text(&question["question_id"]), options.map(|option| text(&option["option_id"])).collect())
    });
    ids.collect()
}

on_both_engines! {
    /// 10.8: what is asked, whatever is asked; whoever starts again goes on.
    async fn begun(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let id = assessment(&mona, json!({
            "description": "All of it", "is_timed": true, "time_limit": 30, "max_attempts": 2,
        })).await;
        questions_of_all_kinds(&mona, &id).await;
        let first = start(&omar, &id).await;
        assert_snapshot!("ok", first);
        app.clock().advance(TimeDelta::minutes(5));
        let again = start(&omar, &id).await;
        assert_eq!((again.status(), again.bytes()), (200, first.bytes()));
        // Somebody else's is another one, on the same paper.
        let other = start(&sara, &id).await.json();
        assert_ne!(other["attempt_id"], first.json()["attempt_id"]);
        assert_eq!(other["questions"], first.json()["questions"]);
        // The username in any case, without the slash, whatever the body says.
        let path = format!("/student/assessments/{id}/MONA/start");
        let again = omar.send(Method::POST, &path, Some("text/plain"), Body::from("hello")).await;
        assert_eq!((again.status(), again.bytes()), (200, first.bytes()));
        assert_snapshot!("wrong_method", omar.get(&path).await);

        let empty = assessment(&mona, json!({"title": "Nothing"})).await;
        assert_snapshot!("without_questions", start(&omar, &empty).await);
    }

    /// 10.8: what speaks against a start, in the ruled order: all of it holds at first, and one by
    /// one it is put right.
    async fn refused(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        app.teacher("hana").await;
        let omar = app.student("omar", "hana").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let id = assessment(&mona, json!({
            "course": waves, "is_published": false, "available_from": "2027-01-01T00:00:00Z",
        })).await;
        assert_snapshot!("by_nobody", start(&app.visitor(), &id).await);
        assert_snapshot!("by_a_teacher", start(&mona, &id).await);
        assert_snapshot!("unknown", start(&omar, UNKNOWN).await);
        assert_eq!(start(&omar, "waves").await.status(), 404);
        assert_snapshot!("draft", start(&omar, &id).await);
        let change = async |body: Value| {
            let changed = mona.patch(&format!("/teacher/assessments/{id}/"), body).await;
            assert_eq!(changed.status(), 200, "{changed}");
        };
        change(json!({"is_published": true})).await;
        for username in ["hana", "nobody", "omar"] {
            let path = format!("/student/assessments/{id}/{username}/start/");
            assert_eq!(omar.post(&path, json!({})).await.status(), 404, "{username}");
        }
        assert_snapshot!("not_attached", start(&omar, &id).await);
        omar.post("/join-teacher/mona/", json!({})).await;
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert_snapshot!("blocked", start(&omar, &id).await);
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert_snapshot!("not_enrolled", start(&omar, &id).await);
        enroll(&app, "omar", &waves, None).await;
        assert_snapshot!("too_early", start(&omar, &id).await);
        change(json!({
            "available_from": "2020-01-01T00:00:00Z", "available_until": "2020-01-02T00:00:00Z",
        })).await;
        assert_snapshot!("too_late", start(&omar, &id).await);
        change(json!({"available_until": null})).await;
        let attempt = started(&omar, &id).await;
        // Whoever is in an attempt may go on with it, but not when it is over.
        assert_eq!(start(&omar, &id).await.status(), 200);
        change(json!({"available_until": "2020-01-02T00:00:00Z"})).await;
        assert_eq!(start(&omar, &id).await.status(), 403);
        change(json!({"available_until": null})).await;
        assert_eq!(submit(&omar, &attempt, json!([])).await.status(), 200);
        assert_snapshot!("used_up", start(&omar, &id).await);
        change(json!({"max_attempts": 3})).await;
        let next = start(&omar, &id).await;
        assert_eq!((next.status(), &next.json()["attempt_number"]), (201, &json!(2)));
        // Fewer than were had already.
        assert_eq!(submit(&omar, next.json()["attempt_id"].as_str().unwrap(), json!([])).await.status(), 200);
        change(json!({"max_attempts": 1})).await;
        assert_eq!(start(&omar, &id).await.status(), 400);
    }

    /// 10.8: who has the course has what belongs to its modules and lessons; who has a module has
    /// what belongs to it; a free preview is for everybody the teacher lets in.
    async fn access(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let [omar, sara, lina] =
            [app.student("omar", "mona").await, app.student("sara", "mona").await, app.student("lina", "mona").await];
        let waves = course(&mona, json!({"price": "50"})).await;
        let sound = module(&mona, &waves, json!({"is_free": true})).await;
        let air = lesson(&mona, &sound, json!({})).await;
        let preview = lesson(&mona, &sound, json!({"is_free": true})).await;
        let other = module(&mona, &waves, json!({"title": "Light"})).await;
        enroll(&app, "omar", &waves, None).await;
        assert_eq!(redeem_module(&sara, &sound, "").await.status(), 201);
        let mut statuses = Vec::new();
        for body in [
            json!({}),
            json!({"course": waves}),
            json!({"module": sound}),
            json!({"lesson": air}),
            json!({"lesson": preview}),
            json!({"module": other}),
        ] {
            let id = assessment(&mona, body).await;
            let mut row = Vec::new();
            for student in [&omar, &sara, &lina] {
                row.push(start(student, &id).await.status());
            }
            statuses.push(row);
        }
        assert_eq!(statuses, [
            [201, 201, 201],
            [201, 403, 403],
            [201, 201, 403],
            [201, 201, 403],
            [201, 201, 201],
            [201, 403, 403],
        ]);
    }

    /// 10.8: the deadline is the earlier of the time limit and the end, and is fixed at the start.
    async fn deadlines(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let mut deadlines = Vec::new();
        for body in [
            json!({}),
            json!({"is_timed": true, "time_limit": 30}),
            json!({"available_until": "2026-01-03T08:10:00Z"}),
            json!({"is_timed": true, "time_limit": 5, "available_until": "2026-01-03T08:10:00Z"}),
            json!({"is_timed": true, "time_limit": 30, "available_until": "2026-01-03T08:10:00Z"}),
        ] {
            let id = assessment(&mona, body).await;
            let begun = start(&omar, &id).await.json();
            assert_eq!(begun["started_at"], "2026-01-03T08:00:00.123456Z");
            deadlines.push(begun["expires_at"].clone());
            let change = json!({"is_timed": true, "time_limit": 1, "available_until": "2026-01-04T00:00:00Z"});
            mona.patch(&format!("/teacher/assessments/{id}/"), change).await;
            assert_eq!(start(&omar, &id).await.json()["expires_at"], begun["expires_at"]);
        }
        assert_eq!(deadlines, [
            json!(null),
            json!("2026-01-03T08:30:00.123456Z"),
            json!("2026-01-03T08:10:00Z"),
            json!("2026-01-03T08:05:00.123456Z"),
            json!("2026-01-03T08:10:00Z"),
        ]);
    }

    /// 10.9: everything right in every kind of question, in every name there is for it.
    async fn handed_in(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let id = assessment(&mona, json!({"max_attempts": 9})).await;
        questions_of_all_kinds(&mona, &id).await;
        let begun = start(&omar, &id).await;
        let questions = asked(&begun);
        let [colour, odd, truth, speed, blanks, why] = questions.as_slice() else { panic!("six") };
        let answers = json!([
            {"question_id": why.0, "short_answer_text": " Because\nit does. "},
            {"question_id": blanks.0, "blanks": {"first": "Salt", "second": "paper"}},
            {"question_id": speed.0, "short_answer_text": "343.5"},
            {"question_id": truth.0, "selected_option_id": truth.1[1], "short_answer_text": "dropped"},
            {"question_id": odd.0, "selected_option_ids": [odd.1[0], odd.1[2]]},
            {"question_id": colour.0, "selected_option_id": colour.1[0]},
        ]);
        let attempt = begun.json()["attempt_id"].as_str().unwrap().to_owned();
        app.clock().advance(TimeDelta::seconds(90));
        assert_snapshot!("waits", submit(&omar, &attempt, answers).await);
        assert_snapshot!("again", submit(&omar, &attempt, json!([])).await);
        assert_snapshot!("result_waits", result(&omar, &attempt).await);

        // Without the essay nothing waits. PUT and PATCH, the older names, and the root do as well.
        let old_names = |begun: &Answer| {
            let questions = asked(begun);
            let [colour, _, _, speed, blanks, why] = questions.as_slice() else { panic!("six") };
            json!({"answers": [
                {"question_id": colour.0, "selected_option": colour.1[0]},
                {"question_id": speed.0, "text_answer": "slow"},
                {"question_id": blanks.0, "blanks": {"first": " ", "second": ""}},
                {"question_id": why.0, "text_answer": "  "},
            ]})
        };
        let begun = start(&omar, &id).await;
        let attempt = begun.json()["attempt_id"].as_str().unwrap().to_owned();
        app.clock().advance(TimeDelta::seconds(30));
        assert_snapshot!("graded", omar.put(&path(&attempt), old_names(&begun)).await);
        assert_snapshot!("result", result(&omar, &attempt).await);

        let begun = start(&omar, &id).await;
        let attempt = begun.json()["attempt_id"].as_str().unwrap().to_owned();
        let at_root = format!("{PUBLIC_URL}/students/attempts/{attempt}/submit");
        assert_eq!(omar.patch(&at_root, old_names(&begun)).await.status(), 200);
        let shown = result(&omar, &attempt).await;
        let at_root = omar.get(&format!("{PUBLIC_URL}/student/attempts/{attempt}/result")).await;
        assert_eq!((at_root.status(), at_root.bytes()), (200, shown.bytes()));

        // The contract's names win over the older ones.
        let begun = start(&omar, &id).await;
        let questions = asked(&begun);
        let (colour, speed) = (&questions[0], &questions[3]);
        let attempt = begun.json()["attempt_id"].as_str().unwrap().to_owned();
        submit(&omar, &attempt, json!([
            {
                "question_id": colour.0, "selected_option_id": colour.1[0],
                "selected_option": colour.1[1], "selected_option_ids": colour.1,
            },
            {"question_id": speed.0, "short_answer_text": "343", "text_answer": "0"},
        ])).await;
        let shown = result(&omar, &attempt).await.json();
        assert_eq!((&shown["total_score"], &shown["answers"][3]["text_answer"]), (&json!(3.5), &json!("343")));

        // Nothing at all.
        let attempt = started(&omar, &id).await;
        assert_snapshot!("nothing", submit(&omar, &attempt, json!([])).await);
        assert_eq!(result(&omar, &attempt).await.json()["total_score"], json!(0));
        // A form of a browser.
        let begun = start(&omar, &id).await;
        let attempt = begun.json()["attempt_id"].as_str().unwrap().to_owned();
        let answers = old_names(&begun)["answers"].to_string();
        let form = omar.multipart(Method::POST, &path(&attempt), &[Part::Text("answers", &answers)]).await;
        assert_eq!(form.status(), 200, "{form}");
        assert_eq!(result(&omar, &attempt).await.json()["total_score"], json!(2.5));
    }

    /// 10.9: what is wrong with answers stands at each, and nothing was handed in.
    async fn wrong_answers(school) {
        let app = school.start().await;
        let (mona, omar, id, sound, why) = begin(&app, json!({})).await;
        let light = choice(&mona, &id, json!({})).await;
        let elsewhere = assessment(&mona, json!({"title": "Elsewhere"})).await;
        let other = choice(&mona, &elsewhere, json!({})).await;
        let attempt = started(&omar, &id).await;
        let send = async |body: Value| omar.post(&path(&attempt), body).await;
        assert_snapshot!("missing", send(json!({})).await);
        assert_snapshot!("null", send(json!({"answers": null})).await);
        assert_snapshot!("not_a_list", send(json!({"answers": "all"})).await);
        assert_snapshot!("a_list", send(json!([])).await);
        assert_snapshot!("unreadable", send(json!({"answers": [
            {"question_id": sound.id, "selected_option_id": sound.right},
            "Air",
            {},
            {"question_id": "sound", "selected_option_id": 5, "selected_option_ids": ["air"], "blanks": ["air"]},
            {"question_id": why, "short_answer_text": "x".repeat(20_001)},
            {"question_id": why, "blanks": {"first": "y".repeat(20_001)}},
        ]})).await);
        assert_snapshot!("wrong", send(json!({"answers": [
            {"question_id": sound.id, "selected_option_id": sound.right},
            {"question_id": UNKNOWN},
            {"question_id": other.id, "selected_option_id": other.right},
            {"question_id": why, "short_answer_text": "x".repeat(20_000), "selected_option_id": UNKNOWN},
            {"question_id": why, "short_answer_text": "Once more"},
            {"question_id": light.id, "selected_option_id": sound.right},
        ]})).await);
        assert_snapshot!("unknown_option", send(json!({"answers": [
            {"question_id": sound.id, "selected_option_id": UNKNOWN},
            {"question_id": light.id, "selected_option_ids": [light.right, other.right]},
        ]})).await);
        assert_snapshot!("no_media_type", omar.send(Method::POST, &path(&attempt), Some("text/plain"), Body::from("answers")).await);
        assert_snapshot!("no_json", omar.send(Method::POST, &path(&attempt), Some("application/json"), Body::from("{")).await);
        assert_snapshot!("wrong_method", omar.get(&path(&attempt)).await);
        assert_eq!(start(&omar, &id).await.json()["attempt_id"], json!(attempt));

        let sara = app.student("sara", "mona").await;
        let answers = json!([{"question_id": sound.id, "selected_option_id": sound.right}]);
        assert_snapshot!("by_nobody", submit(&app.visitor(), &attempt, answers.clone()).await);
        assert_snapshot!("by_a_teacher", submit(&mona, &attempt, answers.clone()).await);
        assert_snapshot!("by_another", submit(&sara, &attempt, answers.clone()).await);
        assert_snapshot!("unknown", submit(&omar, UNKNOWN, answers.clone()).await);
        assert_eq!(submit(&omar, "mine", answers.clone()).await.status(), 404);
        // Whose it is comes before what is in it.
        assert_eq!(sara.post(&path(&attempt), json!({})).await.status(), 404);
        assert_eq!(submit(&omar, &attempt, answers).await.status(), 200);
        assert_eq!(omar.post(&path(&attempt), json!({})).await.status(), 403);
    }

    /// 10.9: access is asked for again.
    async fn lost_access(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let id = assessment(&mona, json!({"course": waves})).await;
        let now = app.school().clock.now();
        enroll(&app, "omar", &waves, Some(now + TimeDelta::minutes(10))).await;
        let attempt = started(&omar, &id).await;
        mona.patch("/teacher/students/toggle-block/2/", json!({})).await;
        assert_snapshot!("blocked", submit(&omar, &attempt, json!([])).await);
        mona.patch("/teacher/students/toggle-block/2/", json!({})).await;
        mona.delete("/teacher/students/remove/2/").await;
        assert_snapshot!("removed", submit(&omar, &attempt, json!([])).await);
        omar.post("/join-teacher/mona/", json!({})).await;
        app.clock().advance(TimeDelta::minutes(10));
        assert_snapshot!("not_enrolled", submit(&omar, &attempt, json!([])).await);
        // That it was withdrawn is nothing that the student did.
        let free = assessment(&mona, json!({})).await;
        let attempt = started(&omar, &free).await;
        mona.patch(&format!("/teacher/assessments/{free}/"), json!({"is_published": false})).await;
        assert_eq!(submit(&omar, &attempt, json!([])).await.status(), 200);
    }

    /// 10.9, behaviour G17: ten seconds more than the deadline, and whoever notes what has expired,
    /// it looks the same.
    async fn expiry(school) {
        let app = school.start().await;
        let timed = json!({"is_timed": true, "time_limit": 5, "max_attempts": 5});
        let (mona, omar, id, sound, _) = begin(&app, timed).await;
        let answers = json!([{"question_id": sound.id, "selected_option_id": sound.right}]);
        let first = started(&omar, &id).await;
        app.clock().advance(TimeDelta::minutes(5) + TimeDelta::seconds(10));
        attempts::expire(app.school()).await.unwrap();
        assert_snapshot!("in_the_grace", result(&omar, &first).await);
        assert_eq!(submit(&omar, &first, answers.clone()).await.status(), 200);
        assert_eq!(result(&omar, &first).await.json()["time_taken"], 310);

        let second = started(&omar, &id).await;
        app.clock().advance(TimeDelta::minutes(5) + TimeDelta::seconds(11));
        assert_snapshot!("too_late", submit(&omar, &second, answers.clone()).await);
        assert_eq!(omar.post(&path(&second), json!({})).await.json(), json!({"detail": "Time limit exceeded. Attempt expired."}));
        let seen = async || {
            [
                result(&omar, &second).await,
                omar.get("/student/mona/attempts/").await,
                mona.get(&format!("/teacher/assessments/{id}/attempts/")).await,
            ]
            .map(|answer| answer.to_string())
        };
        let before = seen().await;
        assert_snapshot!("expired", before[0]);
        attempts::expire(app.school()).await.unwrap();
        assert_eq!(seen().await, before);
        assert_snapshot!("closed", submit(&omar, &second, answers.clone()).await);

        // A start notes it as well, and counts it.
        omar.log_in_student("omar", "mona").await;
        mona.log_in_teacher("mona").await;
        let third = started(&omar, &id).await;
        app.clock().advance(TimeDelta::minutes(6));
        let fourth = start(&omar, &id).await.json();
        assert_eq!(fourth["attempt_number"], 4);
        assert_eq!(result(&omar, &third).await.json()["status"], "expired");
        // What has no deadline stays.
        let endless = assessment(&mona, json!({"title": "Endless"})).await;
        let attempt = started(&omar, &endless).await;
        app.clock().advance(TimeDelta::days(300));
        attempts::expire(app.school()).await.unwrap();
        omar.log_in_student("omar", "mona").await;
        assert_eq!(submit(&omar, &attempt, json!([])).await.status(), 200);
        // The last one is over, and the one before it was.
        mona.log_in_teacher("mona").await;
        mona.patch(&format!("/teacher/assessments/{id}/"), json!({"max_attempts": 4})).await;
        assert_eq!(start(&omar, &id).await.status(), 400);
    }

    /// What a teacher changes touches no attempt that was started: neither what is asked nor what is
    /// right.
    async fn changed_meanwhile(school) {
        let app = school.start().await;
        let (mona, omar, id, sound, why) = begin(&app, json!({"max_attempts": 2})).await;
        let first = start(&omar, &id).await;
        let attempt = first.json()["attempt_id"].as_str().unwrap().to_owned();
        for (path, body) in [
            (format!("/teacher/assessments/questions/{}/", sound.id), json!({"question_text": "?", "points": 9})),
            (format!("/teacher/questions/options/{}/", sound.right), json!({"option_text": "Water", "is_correct": false})),
            (format!("/teacher/questions/options/{}/", sound.wrong), json!({"is_correct": true})),
            (format!("/teacher/assessments/{id}/"), json!({"passing_grade": 100})),
        ] {
            assert_eq!(mona.patch(&path, body).await.status(), 200);
        }
        mona.delete(&format!("/teacher/assessments/questions/{why}/")).await;
        question(&mona, &id, json!({})).await;
        assert_eq!(start(&omar, &id).await.json()["questions"], first.json()["questions"]);
        let answers = json!([{"question_id": sound.id, "selected_option_id": sound.right}]);
        assert_eq!(submit(&omar, &attempt, answers.clone()).await.status(), 200);
        let before = result(&omar, &attempt).await;
        assert_snapshot!("result", before);
        // Nor one that is graded.
        mona.delete(&format!("/teacher/questions/options/{}/", sound.right)).await;
        mona.delete(&format!("/teacher/assessments/questions/{}/", sound.id)).await;
        assert_eq!(result(&omar, &attempt).await.bytes(), before.bytes());
        // The next one is about what there is now.
        let next = start(&omar, &id).await.json();
        assert_eq!((&next["total_questions"], &next["attempt_number"]), (&json!(1), &json!(2)));
        let next = next["attempt_id"].as_str().unwrap().to_owned();
        assert_eq!(submit(&omar, &next, answers).await.status(), 400);
        // And with the assessment everything goes.
        mona.delete(&format!("/teacher/assessments/{id}/")).await;
        assert_eq!(result(&omar, &attempt).await.status(), 404);
        assert_eq!(submit(&omar, &next, json!([])).await.status(), 404);
        assert_eq!(omar.get("/student/mona/attempts/").await.json(), json!([]));
    }

    /// Security R35: handing in again with the same key gets the first answer.
    async fn idempotency(school) {
        let app = school.start().await;
        let (_, omar, id, sound, _) = begin(&app, json!({})).await;
        let attempt = started(&omar, &id).await;
        let browser = omar.with_header("idempotency-key", "one");
        let right = json!([{"question_id": sound.id, "selected_option_id": sound.right}]);
        // What could not be read uses no key up.
        assert_eq!(browser.post(&path(&attempt), json!({})).await.status(), 400);
        let first = submit(&browser, &attempt, right.clone()).await;
        let again = submit(&browser, &attempt, right.clone()).await;
        assert_eq!((first.status(), first.bytes()), (200, again.bytes()));
        assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), (None, Some("true")));
        let wrong = json!([{"question_id": sound.id, "selected_option_id": sound.wrong}]);
        assert_eq!(submit(&browser, &attempt, wrong).await.status(), 422);
        assert_eq!(submit(&omar, &attempt, right).await.status(), 403);
        assert_eq!(result(&omar, &attempt).await.json()["total_score"], json!(2));
    }

    /// Sixteen starts at once are one attempt, also when nobody has started before; sixteen who hand
    /// it in are one who has.
    async fn at_the_same_moment(school) {
        let app = school.start().await;
        let (_, omar, id, sound, _) = begin(&app, json!({"max_attempts": 1})).await;
        let answers = at_once(16, |_| {
            let (omar, id) = (omar.clone(), id.clone());
            async move { start(&omar, &id).await }
        }).await;
        assert_eq!((count(&answers, 201), count(&answers, 200)), (1, 15), "{answers:?}");
        let attempt = answers[0].json()["attempt_id"].as_str().unwrap().to_owned();
        assert!(answers.iter().all(|answer| answer.json()["attempt_id"] == json!(attempt)));
        assert_eq!(omar.get("/student/mona/attempts/").await.json().as_array().unwrap().len(), 1);

        let answers = at_once(16, |number| {
            let option = if number % 2 == 0 { &sound.right } else { &sound.wrong };
            let answers = json!([{"question_id": sound.id, "selected_option_id": option}]);
            let (omar, attempt) = (omar.clone(), attempt.clone());
            async move { submit(&omar, &attempt, answers).await }
        }).await;
        assert_eq!((count(&answers, 200), count(&answers, 403)), (1, 15), "{answers:?}");
        let first = answers.iter().position(|answer| answer.status() == 200).unwrap();
        let points = if first % 2 == 0 { 2 } else { 0 };
        assert_eq!(result(&omar, &attempt).await.json()["total_score"], json!(points));
        assert_eq!(start(&omar, &id).await.status(), 400);
    }

    /// A class that starts at once, one that hands in at once, and a teacher who changes the
    /// assessment and deletes it meanwhile: nobody is told of an error of ours.
    async fn a_class(school) {
        let app = school.start().await;
        let (mona, _, id, sound, _) = begin(&app, json!({"max_attempts": 3})).await;
        let mut class = Vec::new();
        for number in 0..12 {
            class.push(app.student(&format!("student{number}"), "mona").await);
        }
        let questions = format!("/teacher/assessments/{id}/questions/");
        let answers = at_once(16, |number| {
            let (mona, student, id, questions) =
                (mona.clone(), class.get(number).cloned(), id.clone(), questions.clone());
            async move {
                match student {
                    Some(student) => start(&student, &id).await,
                    None => mona.post(&questions, json!({"question_text": "?", "question_type": "essay"})).await,
                }
            }
        }).await;
        assert_eq!(count(&answers, 201), 16, "{answers:?}");
        let attempts: Vec<String> = answers[..12]
            .iter()
            .map(|answer| answer.json()["attempt_id"].as_str().unwrap().to_owned())
            .collect();
        let path = format!("/teacher/assessments/{id}/");
        let sent = json!([{"question_id": sound.id, "selected_option_id": sound.right}]);
        let answers = at_once(25, |number| {
            let (mona, id, path, sent) = (mona.clone(), id.clone(), path.clone(), sent.clone());
            let (student, attempt) = (class[number % 12].clone(), attempts[number % 12].clone());
            async move {
                match number {
                    0..12 => submit(&student, &attempt, sent).await,
                    12..24 => start(&student, &id).await,
                    _ => mona.delete(&path).await,
                }
            }
        }).await;
        assert_eq!(count(&answers, 204), 1);
        assert!(answers.iter().all(|answer| matches!(answer.status(), 200 | 201 | 204 | 404)), "{answers:?}");
    }
}
