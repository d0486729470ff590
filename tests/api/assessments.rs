//! 10.1, 10.2, 10.7 and X4: assessments.

use axum::http::Method;
use chrono::TimeDelta;
use edupro_http::testkit::{Browser, Part, TestApp};
use insta::assert_snapshot;
use serde_json::json;

use crate::{
    attempts::started,
    support::{
        UNKNOWN, assessment, course, enroll, free_course, lesson, module, on_both_engines,
        question, titles,
    },
};

/// Lets a second pass, so that one thing is newer than another.
fn tick(app: &TestApp) {
    app.clock().advance(TimeDelta::seconds(1));
}

on_both_engines! {
    /// 10.1
    async fn create(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({})).await;
        let create = async |body| mona.post("/teacher/assessments/", body).await;
        assert_snapshot!("least", create(json!({"title": " Sound ", "assessment_type": "quiz"})).await);
        assert_snapshot!("all", create(json!({
            "title": "Light", "description": "All of\nit", "course": id, "assessment_type": "course_exam",
            "passing_grade": "72.5", "is_published": false, "is_timed": true, "time_limit": 45,
            "max_attempts": 3, "available_from": "2026-02-01T08:00:00+02:00", "available_until": "2026-03-01",
            "id": UNKNOWN, "teacher": 99, "total_questions": 7,
        })).await);
        assert_snapshot!("nothing", create(json!({})).await);
        assert_snapshot!("wrong", create(json!({
            "title": "x".repeat(201), "assessment_type": "riddle", "course": "zzz", "passing_grade": 100.5,
            "is_timed": "perhaps", "time_limit": 525_601, "max_attempts": 0, "available_until": "tomorrow",
        })).await);
        assert_snapshot!("null", create(json!({"title": null, "assessment_type": null, "passing_grade": null})).await);
        assert_snapshot!("nobody", app.visitor().post("/teacher/assessments/", json!({})).await);
        assert_snapshot!("a_student", omar.post("/teacher/assessments/", json!({})).await);
    }

    /// 10.1: numbers and words of old.
    async fn grades(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let create = async |mut body: serde_json::Value| {
            body["title"] = "Sound".into();
            body["assessment_type"] = "exam".into();
            mona.post("/teacher/assessments/", body).await
        };
        for (grade, number, text) in [
            (json!(0), json!(0), "0.00"), (json!(100), json!(100), "100.00"), (json!("59.99"), json!(59.99), "59.99"),
            (json!(62.50), json!(62.5), "62.50"),
        ] {
            for key in ["passing_grade", "passing_score"] {
                let made = create(json!({key: grade})).await.json();
                assert_eq!((&made["passing_grade"], &made["passing_score"]), (&number, &json!(text)));
            }
        }
        let both = create(json!({"passing_grade": 70, "passing_score": 80})).await.json();
        assert_eq!(both["passing_grade"], 70);
        assert_snapshot!("too_high", create(json!({"passing_grade": 100.01})).await);
        assert_snapshot!("too_low", create(json!({"passing_score": -1})).await);
        assert_snapshot!("too_fine", create(json!({"passing_grade": "50.125"})).await);
        assert_snapshot!("no_number", create(json!({"passing_grade": "NaN"})).await);
    }

    /// 10.1: at most one of three links, and to something of one's own.
    async fn links(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let course_id = course(&mona, json!({"title": "Waves"})).await;
        let module_id = module(&mona, &course_id, json!({"title": "Sound"})).await;
        let lesson_id = lesson(&mona, &module_id, json!({"title": "Echo"})).await;
        let create = async |who: &Browser, mut body: serde_json::Value| {
            tick(&app);
            body["title"] = "Sound".into();
            body["assessment_type"] = "quiz".into();
            who.post("/teacher/assessments/", body).await
        };
        // Any type may belong to anything.
        let linked = json!([
            create(&mona, json!({"course": course_id})).await.json(),
            create(&mona, json!({"module": module_id})).await.json(),
            create(&mona, json!({"lesson": lesson_id})).await.json(),
        ]);
        let related: Vec<_> = linked.as_array().unwrap().iter().map(|made| &made["related_to"]).collect();
        assert_eq!(json!(related), json!([
            {"type": "course", "id": course_id, "title": "Waves"},
            {"type": "module", "id": module_id, "title": "Sound"},
            {"type": "lesson", "id": lesson_id, "title": "Echo"},
        ]));
        assert_eq!(linked[1]["course"], json!(null));
        assert_snapshot!("listed", mona.get("/teacher/assessments/").await);
        assert_snapshot!("two", create(&mona, json!({"course": course_id, "lesson": lesson_id})).await);
        assert_snapshot!("course_unknown", create(&mona, json!({"course": UNKNOWN})).await);
        assert_snapshot!("module_unknown", create(&mona, json!({"module": UNKNOWN})).await);
        assert_snapshot!("lesson_unknown", create(&mona, json!({"lesson": UNKNOWN})).await);
        assert_snapshot!("course_of_another", create(&hana, json!({"course": course_id})).await);
        assert_snapshot!("module_of_another", create(&hana, json!({"module": module_id})).await);
        assert_snapshot!("lesson_of_another", create(&hana, json!({"lesson": lesson_id})).await);
        // A browser's form sends nothing for what is not chosen.
        let made = mona.multipart(Method::POST, "/teacher/assessments/", &[
            Part::Text("title", "Sound"), Part::Text("assessment_type", "quiz"), Part::Text("course", ""),
            Part::Text("module", &module_id), Part::Text("time_limit", ""), Part::Text("available_until", ""),
        ]).await;
        assert_eq!((made.status(), &made.json()["module"]), (201, &json!(module_id)));
    }

    /// 10.1: a time limit belongs to what is timed, and an end comes after a beginning.
    async fn times(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let create = async |mut body: serde_json::Value| {
            body["title"] = "Sound".into();
            body["assessment_type"] = "quiz".into();
            tick(&app);
            mona.post("/teacher/assessments/", body).await
        };
        assert_snapshot!("no_limit", create(json!({"is_timed": true})).await);
        assert_snapshot!("zero", create(json!({"is_timed": true, "time_limit": 0})).await);
        let untimed = create(json!({"time_limit": -5})).await.json();
        assert_eq!((&untimed["is_timed"], &untimed["time_limit"]), (&json!(false), &json!(null)));
        let timed = create(json!({"is_timed": true, "time_limit": "30"})).await.json();
        assert_eq!((&timed["is_timed"], &timed["time_limit"]), (&json!(true), &json!(30)));
        let now = timed["available_from"].as_str().unwrap();
        assert_eq!(now, timed["created_at"].as_str().unwrap());
        assert_snapshot!("ends_at_once", create(json!({"available_until": now})).await);
        assert_snapshot!("ends_before", create(json!({
            "available_from": "2026-05-02T10:00Z", "available_until": "2026-05-02T09:59Z",
        })).await);
        let later = create(json!({"available_from": "2026-05-02T10:00Z"})).await.json();
        assert_eq!(later["is_available"], false);
        let earlier = create(json!({"available_from": null, "available_until": "2026-05-02T10:00Z"})).await.json();
        assert_eq!(earlier["is_available"], true);
        assert_eq!(create(json!({"is_published": false})).await.json()["is_available"], false);
        app.clock().advance(TimeDelta::days(200));
        mona.log_in_teacher("mona").await;
        let open: Vec<_> = mona.get("/teacher/assessments/").await.json().as_array().unwrap().iter()
            .map(|listed| listed["is_available"].as_bool().unwrap()).collect();
        assert_eq!(open, [false, false, true, true, true]);
    }

    /// 10.1
    async fn list(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({})).await;
        let other = course(&mona, json!({})).await;
        let foreign = course(&hana, json!({})).await;
        let module_id = module(&mona, &id, json!({})).await;
        let lesson_id = lesson(&mona, &module_id, json!({})).await;
        for body in [
            json!({"title": "None", "assessment_type": "assignment", "is_published": false}),
            json!({"title": "Course", "course": id, "assessment_type": "exam"}),
            json!({"title": "Module", "module": module_id, "assessment_type": "course_exam"}),
            json!({"title": "Lesson", "lesson": lesson_id}),
            json!({"title": "Other", "course": other}),
        ] {
            tick(&app);
            assessment(&mona, body).await;
        }
        assessment(&hana, json!({"title": "Foreign"})).await;
        let list = async |query: &str| mona.get(&format!("/teacher/assessments/{query}")).await;
        assert_snapshot!("ok", list("").await);
        let of_course = format!("?course_id={id}");
        let found = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (query, names) in [
            (of_course.as_str(), found(&["Lesson", "Module", "Course"])),
            (&format!("{of_course}&assessment_type=exam"), found(&["Module", "Course"])),
            ("?assessment_type=course_exam", found(&["Module", "Course"])),
            ("?assessment_type=quiz", found(&["Other", "Lesson"])),
            ("?assessment_type=", found(&["Other", "Lesson", "Module", "Course", "None"])),
            ("?assessment_type=riddle", found(&[])),
            ("?course_id=zzz", found(&[])),
        ] {
            let answer = list(query).await.json();
            assert_eq!(titles(&answer), names, "{query}");
        }
        assert_snapshot!("course_of_another", list(&format!("?course_id={foreign}")).await);
        assert_snapshot!("course_unknown", list(&format!("?course_id={UNKNOWN}")).await);
        assert_snapshot!("nobody", app.visitor().get("/teacher/assessments/").await);
        assert_snapshot!("a_student", omar.get("/teacher/assessments/").await);
        assert_snapshot!("method", mona.delete("/teacher/assessments/").await);
        assert_eq!(mona.get("/teacher/assessments").await.json(), list("").await.json());
    }

    /// X4
    async fn of_course(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({})).await;
        let module_id = module(&mona, &id, json!({})).await;
        let path = format!("/teacher/courses/{id}/assessments/");
        assessment(&mona, json!({"title": "Elsewhere"})).await;
        let body = |title: &str| json!({"title": title, "assessment_type": "quiz"});
        tick(&app);
        assert_snapshot!("created", mona.post(&path, body("Here")).await);
        tick(&app);
        let mut of_module = body("Module");
        of_module["module"] = module_id.as_str().into();
        let made = mona.post(&path, of_module).await.json();
        assert_eq!((&made["course"], &made["module"]), (&json!(null), &json!(module_id)));
        assert_snapshot!("listed", mona.get(&path).await);
        assert_eq!(titles(&mona.get(&format!("{path}?assessment_type=exam")).await.json()), Vec::<&str>::new());
        assert_eq!(titles(&mona.get(&format!("{path}?assessment_type=quiz")).await.json()), ["Module", "Here"]);
        assert_snapshot!("wrong", mona.post(&path, json!({})).await);
        assert_snapshot!("of_another_teacher", hana.get(&path).await);
        assert_snapshot!("post_of_another_teacher", hana.post(&path, json!({})).await);
        assert_snapshot!("a_student", omar.get(&path).await);
        assert_snapshot!("nobody", app.visitor().get(&path).await);
        let unknown = format!("/teacher/courses/{UNKNOWN}/assessments/");
        assert_snapshot!("unknown", mona.get(&unknown).await);
        assert_snapshot!("post_unknown", mona.post(&unknown, json!({})).await);
        assert_eq!(mona.get("/teacher/courses/zzz/assessments/").await.status(), 404);
    }

    /// 10.2
    async fn show(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = assessment(&mona, json!({})).await;
        question(&mona, &id, json!({"points": 2})).await;
        question(&mona, &id, json!({"question_type": "essay", "points": 2.5})).await;
        let path = format!("/teacher/assessments/{id}/");
        assert_snapshot!("ok", mona.get(&path).await);
        assert_snapshot!("of_another_teacher", hana.get(&path).await);
        assert_snapshot!("a_student", omar.get(&path).await);
        assert_snapshot!("nobody", app.visitor().get(&path).await);
        assert_snapshot!("unknown", mona.get(&format!("/teacher/assessments/{UNKNOWN}/")).await);
        assert_snapshot!("no_id", mona.get("/teacher/assessments/zzz/").await);
    }

    /// 10.2: what is not sent stays.
    async fn update(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = assessment(&mona, json!({
            "description": "Words", "is_timed": true, "time_limit": 30, "available_until": "2026-06-01",
        })).await;
        question(&mona, &id, json!({})).await;
        let path = format!("/teacher/assessments/{id}/");
        let update = async |body| mona.patch(&path, body).await;
        app.clock().advance(TimeDelta::minutes(5));
        assert_snapshot!("nothing", mona.put(&path, json!({})).await);
        assert_snapshot!("ok", update(json!({
            "title": "Light", "description": null, "assessment_type": "exam", "passing_score": 75,
            "is_published": false, "time_limit": 60, "max_attempts": 2, "available_from": "2026-02-01",
            "available_until": null, "total_questions": 9,
        })).await);
        let untimed = update(json!({"is_timed": false})).await.json();
        assert_eq!((&untimed["is_timed"], &untimed["time_limit"]), (&json!(false), &json!(null)));
        // What it was told to be is checked against what it is.
        assert_snapshot!("no_limit", update(json!({"is_timed": true})).await);
        assert_snapshot!("ends_before", update(json!({"available_until": "2026-01-31"})).await);
        assert_snapshot!("wrong", update(json!({
            "title": " ", "assessment_type": "riddle", "passing_grade": 101, "max_attempts": "x", "time_limit": 1.5,
        })).await);
        assert_snapshot!("of_another_teacher", hana.patch(&path, json!({"title": ""})).await);
        assert_snapshot!("a_student", omar.patch(&path, json!({})).await);
        assert_snapshot!("nobody", app.visitor().put(&path, json!({})).await);
        assert_snapshot!("unknown", mona.patch(&format!("/teacher/assessments/{UNKNOWN}/"), json!({})).await);
        let again = mona.get(&path).await.json();
        assert_eq!((&again["title"], &again["max_attempts"]), (&json!("Light"), &json!(2)));
    }

    /// 10.2: another link takes the place of the one that is cleared.
    async fn relink(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let course_id = course(&mona, json!({})).await;
        let module_id = module(&mona, &course_id, json!({})).await;
        let foreign = course(&hana, json!({})).await;
        let id = assessment(&mona, json!({"course": course_id})).await;
        let path = format!("/teacher/assessments/{id}/");
        let update = async |body| mona.patch(&path, body).await;
        assert_snapshot!("second", update(json!({"module": module_id})).await);
        let moved = update(json!({"course": null, "module": module_id})).await.json();
        assert_eq!(moved["related_to"]["type"], "module");
        assert_snapshot!("foreign", update(json!({"module": null, "course": foreign})).await);
        assert_snapshot!("unknown", update(json!({"module": UNKNOWN})).await);
        assert_snapshot!("no_id", update(json!({"lesson": 5})).await);
        assert_eq!(update(json!({"module": module_id})).await.json()["module"], module_id);
        assert_eq!(update(json!({"module": null})).await.json()["related_to"], json!(null));
    }

    /// 10.2: what kind it is and what it belongs to stay, once somebody has started.
    async fn change_after_start(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let course_id = course(&mona, json!({})).await;
        let other = course(&mona, json!({})).await;
        let module_id = module(&mona, &course_id, json!({})).await;
        let id = assessment(&mona, json!({"course": course_id})).await;
        let path = format!("/teacher/assessments/{id}/");
        let update = async |body| mona.patch(&path, body).await;
        enroll(&app, "omar", &course_id, None).await;
        started(&omar, &id).await;
        assert_snapshot!("kind", update(json!({"assessment_type": "exam", "title": "Lost"})).await);
        assert_snapshot!("other_course", update(json!({"course": other})).await);
        assert_snapshot!("other_thing", update(json!({"course": null, "module": module_id})).await);
        assert_snapshot!("no_link", update(json!({"course": null})).await);
        // What stays as it is may be sent.
        let kept = update(json!({"assessment_type": "quiz", "course": course_id, "title": "Light"})).await;
        assert_eq!((kept.status(), &kept.json()["title"]), (200, &json!("Light")), "{kept}");
        let kept = update(json!({"module": null, "max_attempts": 2, "is_published": true})).await.json();
        assert_eq!((&kept["course"], &kept["max_attempts"]), (&json!(course_id), &json!(2)));
        let open = omar.get("/student/assessments/mona/").await.json();
        assert_eq!(open[0]["attempts_used"], 1);
        // It can go, and takes the attempt along.
        assert_eq!(mona.delete(&path).await.status(), 204);
    }

    /// 10.2
    async fn delete(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = assessment(&mona, json!({})).await;
        let question = question(&mona, &id, json!({})).await;
        let path = format!("/teacher/assessments/{id}/");
        assert_snapshot!("of_another_teacher", hana.delete(&path).await);
        assert_snapshot!("a_student", omar.delete(&path).await);
        assert_snapshot!("nobody", app.visitor().delete(&path).await);
        assert_snapshot!("ok", mona.delete(&path).await);
        assert_snapshot!("again", mona.delete(&path).await);
        assert_eq!(mona.get(&format!("/teacher/assessments/questions/{question}/")).await.status(), 404);
    }

    /// 10.7
    async fn open(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({"title": "Waves"})).await;
        assessment(&mona, json!({"title": "For all", "available_until": "2026-06-01"})).await;
        assessment(&mona, json!({"title": "Draft", "is_published": false})).await;
        tick(&app);
        assessment(&mona, json!({"title": "Later", "available_from": "2026-06-01"})).await;
        tick(&app);
        let within = assessment(&mona, json!({"title": "Course", "course": id})).await;
        question(&mona, &within, json!({"explanation": "It is a wave."})).await;
        let list = async |who: &Browser, teacher: &str| who.get(&format!("/student/assessments/{teacher}/")).await;
        assert_eq!(titles(&list(&omar, "mona").await.json()), ["Later", "For all"]);
        enroll(&app, "omar", &id, None).await;
        assert_snapshot!("ok", list(&omar, "mona").await);
        assert_eq!(titles(&omar.get(&format!("/student/assessments/MONA/?course_id={id}")).await.json()), ["Course"]);
        assert_eq!(omar.get("/student/assessments/mona/?course_id=zzz").await.json(), json!([]));
        assert_eq!(omar.get(&format!("/student/assessments/mona/?course_id={UNKNOWN}")).await.json(), json!([]));
        assert_snapshot!("unknown", list(&omar, "nobody").await);
        assert_snapshot!("a_students_name", list(&omar, "omar").await);
        assert_snapshot!("not_attached", list(&omar, "hana").await);
        assert_snapshot!("a_teacher", list(&mona, "mona").await);
        assert_snapshot!("nobody", list(&app.visitor(), "mona").await);
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert_snapshot!("blocked", list(&omar, "mona").await);
    }

    /// 10.7: what a student has decides: the course has its modules and lessons with it.
    async fn open_by_link(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let lina = app.student("lina", "mona").await;
        let course_id = free_course(&mona).await;
        let module_id = module(&mona, &course_id, json!({})).await;
        let other_module = module(&mona, &course_id, json!({})).await;
        let hidden_module = module(&mona, &course_id, json!({"is_published": false})).await;
        let lesson_id = lesson(&mona, &module_id, json!({})).await;
        let preview = lesson(&mona, &module_id, json!({"is_free": true})).await;
        let hidden_lesson = lesson(&mona, &module_id, json!({"is_published": false})).await;
        for (title, kind, id) in [
            ("Course", "course", &course_id), ("Module", "module", &module_id),
            ("Other module", "module", &other_module), ("Hidden module", "module", &hidden_module),
            ("Lesson", "lesson", &lesson_id), ("Preview", "lesson", &preview),
            ("Hidden lesson", "lesson", &hidden_lesson),
        ] {
            tick(&app);
            assessment(&mona, json!({"title": title, kind: id})).await;
        }
        enroll(&app, "omar", &course_id, Some(app.school().clock.now() + TimeDelta::days(3))).await;
        let body = json!({"module_id": module_id});
        assert_eq!(sara.post("/course/module-enrollment/", body).await.status(), 201);
        let list = async |who: &Browser| who.get("/student/assessments/mona/").await.json();
        assert_eq!(titles(&list(&omar).await), ["Preview", "Lesson", "Other module", "Module", "Course"]);
        assert_eq!(titles(&list(&sara).await), ["Preview", "Lesson", "Module"]);
        assert_eq!(titles(&list(&lina).await), ["Preview"]);
        app.clock().advance(TimeDelta::days(3));
        omar.log_in_student("omar", "mona").await;
        assert_eq!(titles(&list(&omar).await), ["Preview"]);
    }

    /// 3.5, 7.5, 8.5: what an assessment belongs to takes it along.
    async fn cascades(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let course_id = course(&mona, json!({})).await;
        let module_id = module(&mona, &course_id, json!({})).await;
        let lesson_id = lesson(&mona, &module_id, json!({})).await;
        for (title, kind, id) in
            [("Course", "course", &course_id), ("Module", "module", &module_id), ("Lesson", "lesson", &lesson_id)]
        {
            tick(&app);
            assessment(&mona, json!({"title": title, kind: id})).await;
        }
        let left = async || mona.get("/teacher/assessments/").await.json();
        assert_eq!(titles(&left().await), ["Lesson", "Module", "Course"]);
        mona.delete(&format!("/lessons/{lesson_id}/delete/")).await;
        assert_eq!(titles(&left().await), ["Module", "Course"]);
        mona.delete(&format!("/modules/{module_id}/delete/")).await;
        assert_eq!(titles(&left().await), ["Course"]);
        assert_eq!(mona.delete(&format!("/course/course-delete/{course_id}")).await.status(), 204);
        assert_eq!(left().await, json!([]));
    }
}
