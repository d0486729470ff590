//! 9.1, 8.7 and what a lesson's video goes through where the school keeps its videos itself.

use axum::http::Method;
use chrono::TimeDelta;
use edupro_http::testkit::{Answer, Browser, PUBLIC_URL, Part, TestApp};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{UNKNOWN, course, enroll, film, lesson, module, on_both_engines};

pub(crate) const ISSUE: &str = "/course/create-vdocipher-upload-credentials/";

/// 9.1: what a page needs for an upload.
pub(crate) async fn issued(teacher: &Browser, title: &str) -> Value {
    let answer = teacher.post(ISSUE, json!({ "title": title })).await;
    assert_eq!(answer.status(), 200, "{answer}");
    answer.json()["data"].clone()
}

/// 8.7
pub(crate) async fn status(teacher: &Browser, lesson: &str) -> Answer {
    teacher.get(&format!("/video/check-status/{lesson}")).await
}

/// An URL of this school's in an answer.
fn path(url: &Value) -> String {
    url.as_str().unwrap().to_owned()
}

/// Puts bytes as they are.
async fn put_film(browser: &Browser, upload: &Value, bytes: Vec<u8>) -> Answer {
    let url = upload["upload_url"].as_str().unwrap();
    browser.send(Method::PUT, url, Some("video/mp4"), bytes.into()).await
}

/// A module of mona's to put lessons into.
async fn shelf(mona: &Browser) -> String {
    let course = course(mona, json!({})).await;
    module(mona, &course, json!({})).await
}

on_both_engines! {
    /// 9.1: the contract's keys and those that a page needs; who may ask; what a title is.
    async fn issue(school) {
        let app = school.start().await;
        let root = app.admin("root").await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        assert_snapshot!("ok", mona.post(ISSUE, json!({"title": " Waves "})).await);
        assert_snapshot!("no_title", mona.post(ISSUE, json!({})).await);
        for body in [json!({"title": ""}), json!({"title": " \t"}), json!({"title": null})] {
            let answer = mona.post(ISSUE, body).await;
            assert_eq!(answer.json(), json!({"error": "Title is required."}));
        }
        assert_snapshot!("long_title", mona.post(ISSUE, json!({"title": "x".repeat(256)})).await);
        assert_eq!(mona.post(ISSUE, json!({"title": "é".repeat(255)})).await.status(), 200);
        assert_snapshot!("no_text", mona.post(ISSUE, json!({"title": ["Waves"]})).await);
        assert_snapshot!("a_student", omar.post(ISSUE, json!({"title": "Waves"})).await);
        assert_snapshot!("an_admin", root.post(ISSUE, json!({})).await);
        assert_snapshot!("nobody", app.visitor().post(ISSUE, json!({"title": "Waves"})).await);
        assert_snapshot!("get", mona.get(ISSUE).await);
    }

    /// 9.1, 8.2: uploaded by the teacher's page, then shown by a lesson, then watched.
    async fn upload(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let course_id = course(&mona, json!({"price": "50"})).await;
        let module_id = module(&mona, &course_id, json!({})).await;
        enroll(&app, "omar", &course_id, None).await;
        let upload = issued(&mona, "Waves").await;
        let id = &upload["vdo_cipher_video_id"];
        // The page may be anybody's: what it has is the link.
        assert_snapshot!("received", put_film(&app.visitor(), &upload, film(42)).await);
        assert_snapshot!("again", put_film(&app.visitor(), &upload, film(43)).await);
        let made = mona.post(
            &format!("/modules/{module_id}/lessons/create/"),
            json!({"title": "Waves", "video_id": id}),
        ).await;
        assert_snapshot!("lesson", made);
        let lesson_id = made.json()["id"].as_str().unwrap().to_owned();
        assert_snapshot!("ready", status(&mona, &lesson_id).await);
        let shown = omar.get(&format!("/lessons/{lesson_id}/")).await.json();
        let watched = omar.get(&path(&shown["video_url"])).await;
        assert_eq!((watched.status(), watched.bytes()), (200, &film(42)[..]));
        // The same link is worth nothing to somebody else, even to the teacher.
        assert_eq!(mona.get(&path(&shown["video_url"])).await.status(), 403);
        assert_eq!(app.visitor().get(&path(&shown["video_url"])).await.status(), 403);
        let totals = mona.get(&format!("/modules/{module_id}/")).await.json();
        assert_eq!(totals["total_duration"], 42);
        omar.put(&format!("/lessons/{lesson_id}/status/"), json!({"is_completed": true})).await;
        let list = format!("/modules/{module_id}/lessons/");
        assert_eq!(omar.get(&list).await.json()[0]["is_completed"], true);
        assert_eq!(omar.get(&format!("/lessons/{lesson_id}/")).await.json()["is_completed"], true);
        assert!(mona.get(&list).await.json()[0].get("is_completed").is_none());
        // Pages of an allowed origin may show it, whatever a browser takes for the same site.
        for (page, policy) in [
            ("http://localhost:5173/lesson/1", "cross-origin"),
            ("http://localhost:5174/", "same-site"),
            ("http://localhost:5173.evil.example/", "same-site"),
            ("nonsense", "same-site"),
        ] {
            let omar = omar.with_header("referer", page);
            let answer = omar.get(&path(&shown["video_url"])).await;
            assert_eq!(answer.header("cross-origin-resource-policy"), Some(policy), "{page}");
            let answer = omar.get(&format!("/lessons/{lesson_id}/")).await;
            assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-site"));
        }
        // A part from the middle, as a player asks for.
        let middle = omar.with_header("range", "bytes=20-39").get(&path(&shown["video_url"])).await;
        assert_eq!((middle.status(), middle.bytes()), (206, &film(42)[20..40]));
    }

    /// An upload by a form, as for a host elsewhere: one page serves both.
    async fn upload_by_form(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let upload = issued(&mona, "Waves").await;
        let field = upload["file_field"].as_str().unwrap();
        let url = path(&upload["upload_url"]);
        let sent = mona.multipart(Method::POST, &url, &[Part::File(field, "w.mp4", &film(7))]).await;
        assert_eq!((sent.status(), &sent.json()["duration"]), (201, &json!(7)));
        let url = path(&issued(&mona, "Other").await["upload_url"]);
        let sent = mona.multipart(Method::POST, &url, &[Part::File(field, "w.mov", &film(7))]).await;
        assert_snapshot!("other_extension", sent);
        assert_snapshot!("no_file", mona.multipart(Method::POST, &url, &[]).await);
    }

    /// What is no film, or comes by a link that is not good, changes nothing.
    async fn refused_uploads(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let upload = issued(&mona, "Waves").await;
        assert_snapshot!("no_film", put_film(&mona, &upload, b"MZ not a film".to_vec()).await);
        assert_snapshot!("empty", put_film(&mona, &upload, Vec::new()).await);
        let url = path(&upload["upload_url"]);
        let other = path(&issued(&mona, "Other").await["upload_url"]);
        let (id, _) = url.split_once('?').unwrap();
        let (_, signature) = other.split_once('?').unwrap();
        for url in [
            format!("{id}?{signature}"),
            id.to_owned(),
            url.replace("exp=1", "exp=2"),
            format!("{url}x"),
        ] {
            let answer = app.visitor().send(Method::PUT, &url, None, film(1).into()).await;
            assert_eq!(answer.status(), 403, "{url}");
        }
        let unknown = app.visitor().send(Method::PUT, &format!("{PUBLIC_URL}/media/uploads/nothing"), None, film(1).into()).await;
        assert_eq!(unknown.status(), 404);
        app.clock().advance(TimeDelta::minutes(61));
        assert_snapshot!("expired", put_film(&app.visitor(), &upload, film(1)).await);
        assert_eq!(app.work().await, 0);
    }

    /// 8.2, 8.4: a video belongs to who asked for it, and to one lesson.
    async fn video_ids(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let module_id = shelf(&mona).await;
        let path = format!("/modules/{module_id}/lessons/create/");
        let create = async |id: &Value| mona.post(&path, json!({"title": "L", "video_id": id})).await;
        let hers = issued(&hana, "Hers").await;
        assert_snapshot!("unknown", create(&json!("no-such-video")).await);
        assert_snapshot!("of_another_teacher", create(&hers["vdo_cipher_video_id"]).await);
        assert_snapshot!("too_long", create(&json!("x".repeat(101))).await);
        let upload = issued(&mona, "Waves").await;
        put_film(&mona, &upload, film(5)).await;
        let id = &upload["vdo_cipher_video_id"];
        assert_snapshot!("both", mona.multipart(Method::POST, &path, &[
            Part::Text("title", "L"), Part::File("video", "v.mp4", &film(1)),
            Part::Text("video_id", id.as_str().unwrap()),
        ]).await);
        assert_eq!(create(id).await.status(), 201);
        assert_snapshot!("twice", create(id).await);
        assert_eq!(mona.get(&format!("/modules/{module_id}/lessons/")).await.json().as_array().unwrap().len(), 1);
        // An empty input of a form is no id.
        let empty = mona.post(&path, json!({"title": "Other", "video_id": ""})).await;
        assert_eq!((empty.status(), &empty.json()["video_url"]), (201, &json!(null)));
    }

    /// 8.4: one video takes the place of another, and the old one is deleted.
    async fn replace(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let module_id = shelf(&mona).await;
        let first = issued(&mona, "First").await;
        put_film(&mona, &first, film(5)).await;
        let lesson_id = lesson(&mona, &module_id, json!({"video_id": first["upload_id"]})).await;
        let shown = mona.get(&format!("/lessons/{lesson_id}/")).await.json();
        let second = issued(&mona, "Second").await;
        let update = async |body| mona.patch(&format!("/lessons/{lesson_id}/update/"), body).await;
        let waiting = update(json!({"video_id": second["upload_id"]})).await.json();
        assert_eq!(waiting["video_status"], "pre-upload");
        assert_eq!((&waiting["video_url"], &waiting["duration"]), (&json!(null), &json!(0)));
        assert_snapshot!("uploading", status(&mona, &lesson_id).await);
        app.work().await;
        assert_eq!(mona.get(&path(&shown["video_url"])).await.status(), 404);
        // The film comes after the lesson knows of it.
        put_film(&mona, &second, film(9)).await;
        assert_snapshot!("ready", status(&mona, &lesson_id).await);
        assert_eq!(mona.get(&format!("/lessons/{lesson_id}/")).await.json()["duration"], 9);
        let totals = mona.get(&format!("/modules/{module_id}/")).await.json();
        assert_eq!(totals["total_duration"], 9);
        let cleared = update(json!({"video_id": null})).await.json();
        assert_eq!((&cleared["video_status"], &cleared["duration"]), (&json!("pre-upload"), &json!(0)));
        assert_snapshot!("nothing", status(&mona, &lesson_id).await);
    }

    /// 8.7: who may ask, and of what.
    async fn check(school) {
        let app = school.start().await;
        let root = app.admin("root").await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let module_id = shelf(&mona).await;
        let lesson_id = lesson(&mona, &module_id, json!({})).await;
        assert_snapshot!("nothing", status(&mona, &lesson_id).await);
        assert_snapshot!("of_another_teacher", status(&hana, &lesson_id).await);
        assert_snapshot!("a_student", status(&omar, &lesson_id).await);
        assert_eq!(status(&root, &lesson_id).await.status(), 403);
        assert_snapshot!("nobody", status(&app.visitor(), &lesson_id).await);
        assert_snapshot!("unknown", status(&mona, UNKNOWN).await);
        assert_snapshot!("no_uuid", status(&mona, "zz").await);
        let made = mona.multipart(Method::POST, &format!("/modules/{module_id}/lessons/create/"), &[
            Part::Text("title", "Waves"), Part::File("video", "v.mp4", &film(3)),
        ]).await;
        let made = made.json()["id"].as_str().unwrap().to_owned();
        assert_snapshot!("ready", status(&mona, &made).await);
    }

    /// What nobody needs any more is deleted: with its lesson, module or course, or after a day.
    async fn sweeping(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let course_id = course(&mona, json!({})).await;
        let mut links = Vec::new();
        let mut makers = Vec::new();
        for _ in 0..3 {
            let module_id = module(&mona, &course_id, json!({})).await;
            let upload = issued(&mona, "Waves").await;
            put_film(&mona, &upload, film(5)).await;
            let made = lesson(&mona, &module_id, json!({"video_id": upload["upload_id"]})).await;
            let shown = mona.get(&format!("/lessons/{made}/")).await.json();
            links.push(path(&shown["video_url"]));
            makers.push((module_id, made));
        }
        let there = async |link: &str| mona.get(link).await.status();
        assert_eq!(mona.delete(&format!("/lessons/{}/delete/", makers[0].1)).await.status(), 200);
        assert_eq!(mona.delete(&format!("/modules/{}/delete/", makers[1].0)).await.status(), 200);
        app.work().await;
        assert_eq!((there(&links[0]).await, there(&links[1]).await), (404, 404));
        assert_eq!(there(&links[2]).await, 200);
        assert_eq!(mona.delete(&format!("/course/course-delete/{course_id}")).await.status(), 204);
        app.work().await;
        assert_eq!(there(&links[2]).await, 404);

        // One upload came and is kept for a lesson, the other never came.
        let (came, never) = (issued(&mona, "Came").await, issued(&mona, "Never").await);
        put_film(&mona, &came, film(5)).await;
        app.clock().advance(TimeDelta::hours(25));
        sweep(&app).await;
        mona.log_in_teacher("mona").await;
        let module_id = shelf(&mona).await;
        let path = format!("/modules/{module_id}/lessons/create/");
        let create = async |upload: &Value| {
            mona.post(&path, json!({"title": "L", "video_id": upload["upload_id"]})).await.status()
        };
        assert_eq!((create(&came).await, create(&never).await), (201, 400));
    }

    /// A lesson whose film never came says so after a day.
    async fn never_came(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let module_id = shelf(&mona).await;
        let upload = issued(&mona, "Waves").await;
        let made = lesson(&mona, &module_id, json!({"video_id": upload["upload_id"]})).await;
        app.work().await;
        app.clock().advance(TimeDelta::hours(25));
        app.work().await;
        mona.log_in_teacher("mona").await;
        assert_snapshot!("failed", status(&mona, &made).await);
        let shown = mona.get(&format!("/lessons/{made}/")).await.json();
        assert_eq!(shown["video_status"], "failed");
    }
}

/// What the worker does every hour.
pub(crate) async fn sweep(app: &TestApp) {
    edupro_core::video::uploads::sweep(app.school()).await.unwrap();
}
