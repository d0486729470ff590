//! 10.3–10.6: questions and their options.

use axum::http::Method;
use edupro_http::testkit::{Answer, Browser, Part, TestApp};
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    attempts::started,
    races::{at_once, count},
    support::{UNKNOWN, assessment, course, lesson, module, on_both_engines, picture, question},
};

/// A teacher with an assessment, and the path of its questions.
async fn begin(app: &TestApp) -> (Browser, String, String) {
    let mona = app.teacher("mona").await;
    let id = assessment(&mona, json!({})).await;
    let path = format!("/teacher/assessments/{id}/questions/");
    (mona, id, path)
}

fn path_of(question: &str) -> String {
    format!("/teacher/assessments/questions/{question}/")
}

fn options_of(question: &str) -> String {
    format!("/teacher/questions/{question}/options/")
}

/// An essay with this text.
fn essay(text: &str) -> Value {
    json!({"question_text": text, "question_type": "essay"})
}

/// The questions of an assessment: their texts and orders.
async fn orders(mona: &Browser, path: &str) -> Vec<(String, i64)> {
    let listed = mona.get(path).await.json();
    let order = |question: &Value| {
        (
            question["question_text"].as_str().unwrap().to_owned(),
            question["order"].as_i64().unwrap(),
        )
    };
    listed.as_array().unwrap().iter().map(order).collect()
}

/// The same in short: `A1 B2`.
async fn places(mona: &Browser, path: &str) -> String {
    let places = orders(mona, path).await;
    let places: Vec<_> = places.iter().map(|(text, order)| format!("{text}{order}")).collect();
    places.join(" ")
}

/// How many questions an assessment counts, and their points.
async fn totals(mona: &Browser, assessment: &str) -> (Value, Value) {
    let shown = mona.get(&format!("/teacher/assessments/{assessment}/")).await.json();
    (shown["total_questions"].clone(), shown["total_marks"].clone())
}

on_both_engines! {
    /// 10.3
    async fn create(school) {
        let app = school.start().await;
        let (mona, id, path) = begin(&app).await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let create = async |body| mona.post(&path, body).await;
        assert_snapshot!("least", create(json!({"question_text": " What?\nWhy? ", "question_type": "short_answer"})).await);
        assert_snapshot!("all", create(json!({
            "question_text": "Which?", "question_type": "multiple_choice", "points": "2.50", "order": 7,
            "explanation": "Because.", "assessment": UNKNOWN, "id": UNKNOWN,
            "options": [
                {"option_text": "This", "is_correct": true, "order": 9, "id": UNKNOWN},
                {"option_text": "That"},
            ],
        })).await);
        assert_snapshot!("old_words", create(json!({
            "question_text": "True?", "question_type": "true_false", "mark": 3, "options": [],
        })).await);
        for kind in ["essay", "fill_blank"] {
            assert_eq!(create(json!({"question_text": "?", "question_type": kind, "options": null})).await.status(), 201);
        }
        assert_eq!(totals(&mona, &id).await, (json!(5), json!("8.50")));
        assert_snapshot!("nothing", create(json!({})).await);
        assert_snapshot!("wrong", create(json!({
            "question_text": "", "question_type": "riddle", "points": 0, "order": 0, "image": "no file",
            "options": "none", "marking": [],
        })).await);
        assert_snapshot!("points", create(json!({
            "question_text": "?", "question_type": "essay", "points": "1.005", "mark": -1, "order": 3_000_000_000_i64,
        })).await);
        assert_snapshot!("too_many_points", create(json!({"question_text": "?", "question_type": "essay", "points": 10000})).await);
        assert_snapshot!("options_on_text", create(json!({
            "question_text": "?", "question_type": "short_answer", "options": [{"option_text": "This"}],
        })).await);
        assert_snapshot!("options", create(json!({
            "question_text": "?", "question_type": "multiple_choice", "options": [
                {"option_text": "Good"}, {"option_text": " ", "is_correct": "perhaps"}, {}, "text",
                {"option_text": "x".repeat(501)}, {"option_text": null, "is_correct": null},
            ],
        })).await);
        assert_snapshot!("too_many_options", create(json!({
            "question_text": "?", "question_type": "multiple_choice", "options": vec![json!({"option_text": "x"}); 101],
        })).await);
        assert_snapshot!("of_another_teacher", hana.post(&path, json!({})).await);
        assert_snapshot!("a_student", omar.post(&path, json!({})).await);
        assert_snapshot!("nobody", app.visitor().post(&path, json!({})).await);
        assert_snapshot!("unknown", mona.post(&format!("/teacher/assessments/{UNKNOWN}/questions/"), json!({})).await);
        // Nothing of what was refused is there.
        assert_eq!(totals(&mona, &id).await, (json!(5), json!("8.50")));
    }

    /// 10.3: a browser's form sends options as text, and an image.
    async fn multipart(school) {
        let app = school.start().await;
        let (mona, _, path) = begin(&app).await;
        let send = async |options: &str, image: &[u8]| {
            mona.multipart(Method::POST, &path, &[
                Part::Text("question_text", "Which?"), Part::Text("question_type", "multiple_choice"),
                Part::Text("points", ""), Part::Text("order", ""), Part::Text("explanation", ""),
                Part::Text("options", options), Part::File("image", "image.png", image),
            ]).await
        };
        let png = picture(ImageFormat::Png);
        let made = send(r#"[{"option_text": "This", "is_correct": true}, {"option_text": "That"}]"#, &png).await;
        assert_snapshot!("ok", made);
        assert_snapshot!("no_list", send("This, That", &png).await);
        assert_snapshot!("wrong", send(r#"[{"option_text": "This"}, {"is_correct": 5}]"#, b"<svg/>").await);
        assert_snapshot!("too_large", send("", &vec![0; 6 * 1024 * 1024]).await);
        let url = made.json()["image"].as_str().unwrap().to_owned();
        assert_eq!(app.visitor().get(&url).await.status(), 200);
    }

    /// 10.3
    async fn list(school) {
        let app = school.start().await;
        let (mona, id, path) = begin(&app).await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        question(&mona, &id, json!({"question_text": "Second", "order": 2})).await;
        question(&mona, &id, json!({"question_text": "First", "order": 1})).await;
        assert_snapshot!("ok", mona.get(&path).await);
        assert_snapshot!("of_another_teacher", hana.get(&path).await);
        assert_snapshot!("a_student", omar.get(&path).await);
        assert_snapshot!("nobody", app.visitor().get(&path).await);
        assert_snapshot!("unknown", mona.get(&format!("/teacher/assessments/{UNKNOWN}/questions/")).await);
        assert_eq!(mona.get("/teacher/assessments/zzz/questions/").await.status(), 404);
    }

    /// 10.3: who has a taken order moves up, and so on until there is a gap.
    async fn order(school) {
        let app = school.start().await;
        let (mona, _, path) = begin(&app).await;
        let create = async |text: &str, order: Option<i64>| {
            let mut body = essay(text);
            body["order"] = json!(order);
            mona.post(&path, body).await.json()["id"].as_str().unwrap().to_owned()
        };
        for text in ["A", "B", "C"] {
            create(text, None).await;
        }
        let last = create("E", Some(5)).await;
        assert_eq!(places(&mona, &path).await, "A1 B2 C3 E5");
        create("X", Some(2)).await;
        assert_eq!(places(&mona, &path).await, "A1 X2 B3 C4 E5");
        let first = create("Y", Some(1)).await;
        assert_eq!(places(&mona, &path).await, "Y1 A2 X3 B4 C5 E6");
        create("Z", Some(9)).await;
        create("N", None).await;
        assert_eq!(places(&mona, &path).await, "Y1 A2 X3 B4 C5 E6 Z9 N10");
        // 10.4: the place that is left is the gap.
        let moved = async |id: &str, order: i64| {
            let answer = mona.patch(&path_of(id), json!({"order": order})).await;
            assert_eq!((answer.status(), &answer.json()["order"]), (200, &json!(order)), "{answer}");
        };
        moved(&last, 2).await;
        assert_eq!(places(&mona, &path).await, "Y1 E2 A3 X4 B5 C6 Z9 N10");
        moved(&first, 5).await;
        assert_eq!(places(&mona, &path).await, "E2 A3 X4 Y5 B6 C7 Z9 N10");
        moved(&first, 5).await;
        moved(&last, 1).await;
        assert_eq!(places(&mona, &path).await, "E1 A3 X4 Y5 B6 C7 Z9 N10");
        assert_eq!(mona.delete(&path_of(&first)).await.status(), 204);
        assert_eq!(places(&mona, &path).await, "E1 A3 X4 B6 C7 Z9 N10");
    }

    /// 10.4
    async fn show(school) {
        let app = school.start().await;
        let (mona, id, _) = begin(&app).await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let path = path_of(&question(&mona, &id, json!({"explanation": "It swings."})).await);
        assert_snapshot!("ok", mona.get(&path).await);
        assert_snapshot!("of_another_teacher", hana.get(&path).await);
        assert_snapshot!("a_student", omar.get(&path).await);
        assert_snapshot!("nobody", app.visitor().get(&path).await);
        assert_snapshot!("unknown", mona.get(&path_of(UNKNOWN)).await);
        assert_eq!(mona.get(&path_of("zzz")).await.status(), 404);
    }

    /// 10.4
    async fn update(school) {
        let app = school.start().await;
        let (mona, id, _) = begin(&app).await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let path = path_of(&question(&mona, &id, json!({"explanation": "It swings."})).await);
        let update = async |body| mona.patch(&path, body).await;
        assert_snapshot!("nothing", mona.put(&path, json!({})).await);
        assert_snapshot!("ok", update(json!({
            "question_text": "True?", "question_type": "true_false", "points": 4, "order": 3, "explanation": null,
            "assessment": UNKNOWN,
        })).await);
        assert_eq!(totals(&mona, &id).await, (json!(1), json!("4.00")));
        assert_snapshot!("other_options", update(json!({
            "options": [{"option_text": "Yes"}, {"option_text": "No", "is_correct": true}, {"option_text": "Perhaps"}],
        })).await);
        assert_snapshot!("options_in_the_way", update(json!({"question_type": "essay"})).await);
        assert_snapshot!("options_on_text", update(json!({
            "question_type": "essay", "options": [{"option_text": "Yes"}],
        })).await);
        let text = update(json!({"question_type": "essay", "options": []})).await.json();
        assert_eq!((&text["question_type"], &text["options"]), (&json!("essay"), &json!([])));
        assert_snapshot!("wrong", update(json!({
            "question_text": null, "question_type": "riddle", "mark": -1, "order": "x", "options": [5],
        })).await);
        assert_snapshot!("of_another_teacher", hana.patch(&path, json!({"points": 0})).await);
        assert_snapshot!("a_student", omar.patch(&path, json!({})).await);
        assert_snapshot!("nobody", app.visitor().put(&path, json!({})).await);
        assert_snapshot!("unknown", mona.patch(&path_of(UNKNOWN), json!({})).await);
    }

    /// 10.3, 10.4, beside the contract: how answers are marked.
    async fn marking(school) {
        let app = school.start().await;
        let (mona, _, path) = begin(&app).await;
        let create = async |kind: &str, marking: Value| {
            mona.post(&path, json!({"question_text": "?", "question_type": kind, "marking": marking})).await
        };
        let made = create("short_answer", json!({
            "by": "text", "accept": [{"text": "Paris"}, {"text": "City of *", "wildcard": true, "share": "1/2"}],
            "ignore": {"marks": true},
        })).await;
        assert_snapshot!("text", made);
        let text = path_of(made.json()["id"].as_str().unwrap());
        let made = create("short_answer", json!({
            "by": "number", "accept": [{"value": "9.81", "tolerance": "0.02"}],
        })).await;
        assert_eq!(made.status(), 201, "{made}");
        let made = create("multiple_choice", json!({"by": "right_minus_wrong"})).await;
        assert_eq!(made.json()["marking"], json!({"by": "right_minus_wrong"}));
        let choice = path_of(made.json()["id"].as_str().unwrap());
        assert_snapshot!("unreadable", create("short_answer", json!({"by": "dice"})).await);
        assert_snapshot!("nothing_accepted", create("short_answer", json!({"by": "text", "accept": []})).await);
        assert_snapshot!("of_options", create("essay", json!({"by": "all_options"})).await);
        assert_snapshot!("of_text", create("true_false", json!({"by": "manual"})).await);
        assert_snapshot!("no_grader", create("essay", json!({"by": "external", "grader": "oracle"})).await);
        assert_snapshot!("null_character", create("essay", json!({
            "by": "external", "grader": "oracle", "settings": {"a": ["\0"]},
        })).await);
        assert_snapshot!("no_object", create("essay", json!("by hand")).await);
        // The type and the marking that an update leaves must agree.
        assert_snapshot!("does_not_suit", mona.patch(&choice, json!({"question_type": "essay"})).await);
        let cleared = mona.patch(&choice, json!({"question_type": "essay", "marking": null})).await;
        assert_eq!((cleared.status(), &cleared.json()["marking"]), (200, &json!(null)));
        let other = mona.patch(&text, json!({"marking": {"by": "manual"}})).await.json();
        assert_eq!(other["marking"], json!({"by": "manual"}));
        let kept = mona.patch(&text, json!({"points": 2})).await.json();
        assert_eq!(kept["marking"], json!({"by": "manual"}));
        // A form of a browser sends it as text.
        let made = mona.multipart(Method::POST, &path, &[
            Part::Text("question_text", "?"), Part::Text("question_type", "short_answer"),
            Part::Text("marking", r#"{"by": "text", "accept": [{"text": "Paris"}]}"#),
        ]).await;
        assert_eq!(made.json()["marking"]["accept"], json!([{"text": "Paris", "wildcard": false}]));
    }

    /// What options weigh is said of options that there are.
    async fn weights(school) {
        let app = school.start().await;
        let (mona, id, path) = begin(&app).await;
        let made = question(&mona, &id, json!({})).await;
        let shown = mona.get(&path_of(&made)).await.json();
        let [right, wrong] = [0, 1].map(|at| shown["options"][at]["id"].as_str().unwrap());
        let weigh = |id: &str| json!({"by": "weighted_options", "weights": {right: 2, id: -1}, "out_of": 2});
        let update = async |body| mona.patch(&path_of(&made), body).await;
        let weighed = update(json!({"marking": weigh(wrong)})).await;
        assert_eq!(weighed.json()["marking"], weigh(wrong));
        assert_snapshot!("unknown_option", update(json!({"marking": weigh(UNKNOWN)})).await);
        // Other options have other ids, and those of a new question are not known yet.
        let refused = update(json!({"options": [{"option_text": "Air", "is_correct": true}]})).await;
        assert!(refused.status() == 400 && refused.json()["marking"].is_array(), "{refused}");
        let refused = mona.post(&path, json!({
            "question_text": "?", "question_type": "multiple_choice", "marking": weigh(UNKNOWN),
        })).await;
        assert!(refused.status() == 400 && refused.json()["marking"].is_array(), "{refused}");
    }

    /// 10.4
    async fn delete(school) {
        let app = school.start().await;
        let (mona, id, path) = begin(&app).await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let first = question(&mona, &id, json!({"points": 2})).await;
        let second = question(&mona, &id, json!({"points": 3})).await;
        assert_snapshot!("of_another_teacher", hana.delete(&path_of(&first)).await);
        assert_snapshot!("a_student", omar.delete(&path_of(&first)).await);
        assert_snapshot!("nobody", app.visitor().delete(&path_of(&first)).await);
        assert_snapshot!("ok", mona.delete(&path_of(&first)).await);
        assert_snapshot!("again", mona.delete(&path_of(&first)).await);
        assert_eq!(totals(&mona, &id).await, (json!(1), json!("3.00")));
        // The last one leaves nothing, and no error.
        assert_eq!(mona.delete(&path_of(&second)).await.status(), 204);
        assert_eq!(totals(&mona, &id).await, (json!(0), json!("0.00")));
        assert_eq!(mona.get(&path).await.json(), json!([]));
    }

    /// 10.5
    async fn options(school) {
        let app = school.start().await;
        let (mona, id, _) = begin(&app).await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let made = question(&mona, &id, json!({})).await;
        let path = options_of(&made);
        let create = async |body| mona.post(&path, body).await;
        assert_snapshot!("created", create(json!({"option_text": " Water ", "is_correct": "true", "question": UNKNOWN})).await);
        assert_snapshot!("least", create(json!({"option_text": "Wood"})).await);
        assert_snapshot!("several", create(json!([{"option_text": "Glass"}, {"option_text": "Steel", "is_correct": true}])).await);
        assert_snapshot!("listed", mona.get(&path).await);
        assert_snapshot!("nothing", create(json!({})).await);
        assert_snapshot!("wrong", create(json!({"option_text": " ", "is_correct": "perhaps"})).await);
        assert_snapshot!("several_wrong", create(json!([{"option_text": "Good"}, {}, 5])).await);
        assert_snapshot!("no_several", create(json!([])).await);
        assert_snapshot!("too_many", create(json!(vec![json!({"option_text": "x"}); 95])).await);
        assert_snapshot!("far_too_many", create(json!(vec![json!({}); 101])).await);
        let text = question(&mona, &id, json!({"question_type": "essay"})).await;
        assert_snapshot!("of_text", mona.post(&options_of(&text), json!({"option_text": "Air"})).await);
        assert_eq!(mona.get(&options_of(&text)).await.json(), json!([]));
        for (name, who) in [("another_teacher", &hana), ("a_student", &omar), ("nobody", &app.visitor())] {
            assert_snapshot!(format!("get_{name}"), who.get(&path).await);
            assert_snapshot!(format!("post_{name}"), who.post(&path, json!({})).await);
        }
        assert_snapshot!("get_unknown", mona.get(&options_of(UNKNOWN)).await);
        assert_snapshot!("post_unknown", mona.post(&options_of(UNKNOWN), json!({})).await);
        let form = mona.multipart(Method::POST, &path, &[Part::Text("option_text", "Stone")]).await;
        assert_eq!((form.status(), &form.json()["is_correct"]), (201, &json!(false)));
    }

    /// 10.6
    async fn option(school) {
        let app = school.start().await;
        let (mona, id, _) = begin(&app).await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let made = question(&mona, &id, json!({})).await;
        let first = mona.get(&options_of(&made)).await.json()[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/teacher/questions/options/{first}/");
        assert_snapshot!("shown", mona.get(&path).await);
        assert_snapshot!("unchanged", mona.put(&path, json!({})).await);
        assert_snapshot!("updated", mona.patch(&path, json!({"option_text": "Water", "is_correct": false, "order": 9})).await);
        assert_snapshot!("wrong", mona.patch(&path, json!({"option_text": "", "is_correct": null})).await);
        let unknown = format!("/teacher/questions/options/{UNKNOWN}/");
        for (name, who, path) in [
            ("another_teacher", &hana, &path), ("a_student", &omar, &path), ("nobody", &app.visitor(), &path),
            ("unknown", &mona, &unknown),
        ] {
            assert_snapshot!(format!("get_{name}"), who.get(path).await);
            assert_snapshot!(format!("patch_{name}"), who.patch(path, json!({"option_text": ""})).await);
            assert_snapshot!(format!("delete_{name}"), who.delete(path).await);
        }
        assert_snapshot!("deleted", mona.delete(&path).await);
        assert_snapshot!("gone", mona.get(&path).await);
        // The orders of the others stay, and the next one is behind them.
        let next = mona.post(&options_of(&made), json!({"option_text": "Wood"})).await.json();
        assert_eq!(next["order"], 3);
        assert_eq!(mona.get("/teacher/questions/options/zzz/").await.status(), 404);
    }

    /// 10.3, 10.4, 10.2: an image disappears with its question, and with what takes that along.
    async fn images(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let course_id = course(&mona, json!({})).await;
        let module_id = module(&mona, &course_id, json!({})).await;
        let lesson_id = lesson(&mona, &module_id, json!({})).await;
        let png = picture(ImageFormat::Png);
        // A question with an image in an assessment, and the image.
        let with_image = async |body: Value| {
            let id = assessment(&mona, body).await;
            let path = format!("/teacher/assessments/{id}/questions/");
            let made = mona.multipart(Method::POST, &path, &[
                Part::Text("question_text", "?"), Part::Text("question_type", "essay"), Part::File("image", "a.png", &png),
            ]).await.json();
            let text = |key: &str| made[key].as_str().unwrap().to_owned();
            (id, text("id"), text("image"))
        };
        let is_there = async |url: &str| {
            app.work().await;
            app.visitor().get(url).await.status() == 200
        };
        let (_, question, image) = with_image(json!({})).await;
        let path = path_of(&question);
        assert_eq!(mona.patch(&path, json!({"image": ""})).await.json()["image"], image);
        let replaced = mona.multipart(Method::PATCH, &path, &[Part::File("image", "b.png", &png)]).await.json();
        let other = replaced["image"].as_str().unwrap();
        assert!(!is_there(&image).await && is_there(other).await);
        assert_eq!(mona.patch(&path, json!({"image": null})).await.json()["image"], json!(null));
        assert!(!is_there(other).await);

        let (_, question, image) = with_image(json!({})).await;
        mona.delete(&path_of(&question)).await;
        assert!(!is_there(&image).await);
        let (id, _, image) = with_image(json!({})).await;
        mona.delete(&format!("/teacher/assessments/{id}/")).await;
        assert!(!is_there(&image).await);
        for (key, value, path) in [
            ("lesson", &lesson_id, format!("/lessons/{lesson_id}/delete/")),
            ("module", &module_id, format!("/modules/{module_id}/delete/")),
            ("course", &course_id, format!("/course/course-delete/{course_id}")),
        ] {
            let (_, _, image) = with_image(json!({key: value})).await;
            assert!(is_there(&image).await, "{key}");
            mona.delete(&path).await;
            assert!(!is_there(&image).await, "{key}");
        }
    }

    /// 10.4: once somebody has started, options are changed one by one and not replaced.
    async fn change_after_start(school) {
        let app = school.start().await;
        let (mona, id, path) = begin(&app).await;
        let omar = app.student("omar", "mona").await;
        let made = question(&mona, &id, json!({})).await;
        started(&omar, &id).await;
        let update = async |body| mona.patch(&path_of(&made), body).await;
        assert_snapshot!("replaced", update(json!({"options": [{"option_text": "Water"}], "points": 9})).await);
        assert_eq!(update(json!({"options": []})).await.status(), 400);
        let changed = update(json!({"question_text": "Which?", "points": 3})).await.json();
        assert_eq!((&changed["points"], &changed["options"][1]["option_text"]), (&json!(3), &json!("Nothing")));
        let option = changed["options"][0]["id"].as_str().unwrap();
        let option = format!("/teacher/questions/options/{option}/");
        assert_eq!(mona.patch(&option, json!({"is_correct": false})).await.status(), 200);
        assert_eq!(mona.delete(&option).await.status(), 204);
        assert_eq!(mona.post(&options_of(&made), json!({"option_text": "Air"})).await.status(), 201);
        assert_eq!(mona.post(&path, essay("?")).await.status(), 201);
        assert_eq!(mona.delete(&path_of(&made)).await.status(), 204);
        assert_eq!(totals(&mona, &id).await, (json!(1), json!("1.00")));
    }

    /// 10.4: an image that stands on somebody's paper goes when the paper goes.
    async fn images_on_papers(school) {
        let app = school.start().await;
        let (mona, id, path) = begin(&app).await;
        let omar = app.student("omar", "mona").await;
        let png = picture(ImageFormat::Png);
        let send = async |method, path: &str| {
            mona.multipart(method, path, &[
                Part::Text("question_text", "?"), Part::Text("question_type", "essay"), Part::File("image", "a.png", &png),
            ]).await.json()
        };
        let made = send(Method::POST, &path).await;
        let seen = made["image"].as_str().unwrap();
        let question = path_of(made["id"].as_str().unwrap());
        started(&omar, &id).await;
        let status = async |url: &str| {
            app.work().await;
            app.visitor().get(url).await.status()
        };
        let replaced = send(Method::PATCH, &question).await;
        let unseen = replaced["image"].as_str().unwrap();
        assert_eq!((status(seen).await, status(unseen).await), (200, 200));
        mona.delete(&question).await;
        assert_eq!((status(seen).await, status(unseen).await), (200, 404));
        mona.delete(&format!("/teacher/assessments/{id}/")).await;
        assert_eq!(status(seen).await, 404);
    }

    /// 10.3 at once: sixteen questions, sixteen orders, and right totals.
    async fn at_once_at_the_end(school) {
        let app = school.start().await;
        let (mona, id, path) = begin(&app).await;
        let answers = at_once(16, |number| post(&mona, &path, essay(&number.to_string()))).await;
        assert_eq!(count(&answers, 201), 16, "{answers:?}");
        let listed: Vec<i64> = orders(&mona, &path).await.into_iter().map(|(_, order)| order).collect();
        assert_eq!(listed, (1..=16).collect::<Vec<_>>());
        assert_eq!(totals(&mona, &id).await, (json!(16), json!("16.00")));
    }

    /// 10.3, 10.4 at once: all want the same place, some move, some go; no place is had twice.
    async fn at_once_in_one_place(school) {
        let app = school.start().await;
        let (mona, id, path) = begin(&app).await;
        let mut questions = Vec::new();
        for number in 0..8 {
            questions.push(question(&mona, &id, json!({"question_text": number.to_string()})).await);
        }
        let answers = at_once(24, |number| {
            let (mona, path, question) = (mona.clone(), path.clone(), path_of(&questions[number / 3]));
            async move {
                match number % 3 {
                    0 => {
                        let mut body = essay("New");
                        body["order"] = json!(1);
                        mona.post(&path, body).await
                    }
                    1 => mona.patch(&question, json!({"order": 1})).await,
                    _ if number > 18 => mona.delete(&question).await,
                    _ => mona.patch(&question, json!({"order": 4, "points": 2})).await,
                }
            }
        }).await;
        assert!(answers.iter().all(|answer| answer.status() < 500), "{answers:?}");
        assert_eq!(count(&answers, 201), 8);
        let listed = mona.get(&path).await.json();
        let listed = listed.as_array().unwrap();
        let mut orders: Vec<i64> = listed.iter().map(|question| question["order"].as_i64().unwrap()).collect();
        assert!(orders.is_sorted() && orders[0] >= 1, "{orders:?}");
        orders.dedup();
        assert_eq!((orders.len(), listed.len()), (14, 14));
        let points: i64 = listed.iter().map(|question| question["points"].as_i64().unwrap()).sum();
        assert_eq!(totals(&mona, &id).await, (json!(14), json!(format!("{points}.00"))));
    }

    /// 10.5 at once: no order is given twice, and no option is one too many.
    async fn options_at_once(school) {
        let app = school.start().await;
        let (mona, id, _) = begin(&app).await;
        let made = question(&mona, &id, json!({})).await;
        let path = options_of(&made);
        let body = json!(vec![json!({"option_text": "x"}); 14]);
        let answers = at_once(10, |_| post(&mona, &path, body.clone())).await;
        // Two were there, a hundred may be.
        assert_eq!((count(&answers, 201), count(&answers, 400)), (7, 3), "{answers:?}");
        let listed = mona.get(&path).await.json();
        let orders: Vec<i64> =
            listed.as_array().unwrap().iter().map(|option| option["order"].as_i64().unwrap()).collect();
        assert_eq!(orders, (1..=100).collect::<Vec<_>>());
    }

    /// Deleting a course while its assessments are edited and made: the one or the other, no 5xx.
    async fn deleted_meanwhile(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let course_id = course(&mona, json!({})).await;
        let id = assessment(&mona, json!({"course": course_id})).await;
        let questions = format!("/teacher/assessments/{id}/questions/");
        let answers = at_once(16, |number| {
            let (mona, id, course_id, questions) = (mona.clone(), id.clone(), course_id.clone(), questions.clone());
            async move {
                match number % 4 {
                    _ if number == 6 => mona.delete(&format!("/course/course-delete/{course_id}")).await,
                    0 => mona.post(&questions, essay("?")).await,
                    1 => mona.patch(&format!("/teacher/assessments/{id}/"), json!({"course": course_id, "title": "Light"})).await,
                    _ => {
                        let body = json!({"title": "New", "assessment_type": "quiz", "course": course_id});
                        mona.post("/teacher/assessments/", body).await
                    }
                }
            }
        }).await;
        assert!(answers.iter().all(|answer| answer.status() < 500), "{answers:?}");
        assert_eq!(count(&answers, 204), 1);
        assert_eq!(mona.get("/teacher/assessments/").await.json(), json!([]));
    }
}

fn post(browser: &Browser, path: &str, body: Value) -> impl Future<Output = Answer> + use<> {
    let (browser, path) = (browser.clone(), path.to_owned());
    async move { browser.post(&path, body).await }
}
