//! 8.1–8.5: lessons and their files.

use axum::http::Method;
use chrono::TimeDelta;
use edupro_http::testkit::{Browser, Part};
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{
    UNKNOWN, course, enroll, film, lesson, module, on_both_engines, pdf, picture, titles,
};

on_both_engines! {
    /// 8.1
    async fn list(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({"price": "50"})).await;
        let open = module(&mona, &id, json!({})).await;
        let draft = module(&mona, &id, json!({"is_published": false})).await;
        lesson(&mona, &open, json!({"title": "Two", "order": 2, "description": "Words"})).await;
        lesson(&mona, &open, json!({"title": "One", "order": 1, "is_free": true})).await;
        lesson(&mona, &open, json!({"title": "Draft", "order": 3, "is_published": false})).await;
        let list = async |browser: &Browser, id: &str| browser.get(&format!("/modules/{id}/lessons/")).await;
        assert_snapshot!("ok", list(&mona, &open).await);
        assert_snapshot!("not_enrolled", list(&omar, &open).await);
        assert_snapshot!("of_another_teacher", list(&hana, &open).await);
        assert_snapshot!("nobody", list(&app.visitor(), &open).await);
        assert_snapshot!("unknown", list(&mona, UNKNOWN).await);
        assert_eq!(list(&omar, &draft).await.status(), 404);
        assert_eq!(list(&hana, &draft).await.status(), 404);

        enroll(&app, "omar", &id, None).await;
        assert_eq!(titles(&list(&omar, &open).await.json()), ["One", "Two"]);
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert_snapshot!("blocked", list(&omar, &open).await);
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        // Who is enrolled keeps a course that is no longer published.
        mona.patch(&format!("/course/update/{id}"), json!({"is_published": false})).await;
        assert_eq!(list(&omar, &open).await.status(), 200);
        mona.delete("/teacher/students/remove/3/").await;
        assert_eq!(list(&omar, &open).await.status(), 404);
    }

    /// 8.2
    async fn create(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({})).await;
        let module_id = module(&mona, &id, json!({})).await;
        let path = format!("/modules/{module_id}/lessons/create/");
        let create = async |body| mona.post(&path, body).await;
        assert_snapshot!("least", create(json!({"title": "Waves"})).await);
        assert_snapshot!("all", create(json!({
            "title": "Sound", "description": "What we hear", "order": 5, "is_published": false,
            "is_free": true, "duration": 90,
        })).await);
        assert_eq!(create(json!({"title": "Next"})).await.json()["order"], 6);
        assert_snapshot!("order_taken", create(json!({"title": "Again", "order": 5})).await);
        assert_snapshot!("wrong", create(json!({
            "title": "x".repeat(201), "order": 0, "duration": 0, "is_free": "maybe", "video": "no file",
            "document": 5, "thumbnail": "no file",
        })).await);
        assert_snapshot!("nothing", create(json!({})).await);
        assert_snapshot!("of_another_teacher", hana.post(&path, json!({})).await);
        assert_snapshot!("a_student", omar.post(&path, json!({})).await);
        assert_snapshot!("nobody", app.visitor().post(&path, json!({})).await);
        assert_snapshot!("unknown", mona.post(&format!("/modules/{UNKNOWN}/lessons/create/"), json!({})).await);
    }

    /// 8.2: files, of which video and document are for those with access only.
    async fn files(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({"price": "50"})).await;
        let module_id = module(&mona, &id, json!({})).await;
        let path = format!("/modules/{module_id}/lessons/create/");
        let (film, pdf, png) = (film(75), pdf(), picture(ImageFormat::Png));
        let made = mona.multipart(Method::POST, &path, &[
            Part::Text("title", "Waves"),
            Part::File("video", "waves.mp4", &film),
            Part::File("document", "../notes.PDF", &pdf),
            Part::File("thumbnail", "waves.png", &png),
        ]).await;
        assert_snapshot!("made", made);
        let url = |answer: &Value, key: &str| answer[key].as_str().unwrap().to_owned();
        let video = url(&made.json(), "video_url");
        let document = url(&made.json(), "document_url");

        let watched = mona.get(&video).await;
        assert_eq!((watched.status(), watched.bytes()), (200, &film[..]));
        assert_eq!(watched.header("content-type"), Some("video/mp4"));
        assert_eq!(watched.header("cache-control"), Some("private, no-store"));
        assert_eq!(watched.header("accept-ranges"), Some("bytes"));
        let part = mona.with_header("range", "bytes=4-7").get(&video).await;
        assert_eq!((part.status(), part.bytes()), (206, &b"ftyp"[..]));
        let read = mona.get(&document).await;
        assert_eq!((read.status(), read.bytes()), (200, &pdf[..]));
        assert_eq!(read.header("content-disposition"), Some("attachment"));
        assert_eq!(app.visitor().get(&url(&made.json(), "thumbnail_url")).await.status(), 200);

        // A link is worth nothing to others, altered, without its signature, or later.
        for stranger in [&app.visitor(), &hana, &omar] {
            assert_eq!(stranger.get(&video).await.status(), 403);
        }
        let (bare, _) = video.split_once('?').unwrap();
        assert_eq!(mona.get(bare).await.status(), 403);
        assert_eq!(mona.get(&video.replace("exp=", "exp=1")).await.status(), 403);
        assert_eq!(mona.get(&format!("{bare}?{}", document.split_once('?').unwrap().1)).await.status(), 403);
        app.clock().advance(TimeDelta::seconds(301));
        assert_eq!(mona.get(&video).await.status(), 403);

        // Access is asked again at each download.
        enroll(&app, "omar", &id, None).await;
        let lesson_path = format!("/lessons/{}/", url(&made.json(), "id"));
        let video = url(&omar.get(&lesson_path).await.json(), "video_url");
        assert_eq!(omar.get(&video).await.status(), 200);
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert_eq!(omar.get(&video).await.status(), 403);
    }

    /// 8.2: what is not what it says is refused, and everything wrong is said at once.
    async fn wrong_files(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let id = course(&mona, json!({})).await;
        let module_id = module(&mona, &id, json!({})).await;
        let path = format!("/modules/{module_id}/lessons/create/");
        let gif = picture(ImageFormat::Gif);
        assert_snapshot!("disguised", mona.multipart(Method::POST, &path, &[
            Part::File("video", "waves.mp4", b"MZ not a film"),
            Part::File("document", "notes.pdf", b"<html>not a paper</html>"),
            Part::File("thumbnail", "waves.gif", &gif),
        ]).await);
        let pdf = pdf();
        assert_snapshot!("other_extension", mona.multipart(Method::POST, &path, &[
            Part::Text("title", "Waves"),
            Part::File("video", "waves.exe", &film(1)),
            Part::File("document", "notes.docx", &pdf),
            Part::File("thumbnail", "waves.png", &vec![0; 3 * 1024 * 1024]),
        ]).await);
        assert_eq!(mona.get(&format!("/modules/{module_id}/lessons/")).await.json(), json!([]));
    }

    /// 8.2: a thumbnail is scaled to fit 400×300.
    async fn thumbnails(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let id = course(&mona, json!({})).await;
        let module_id = module(&mona, &id, json!({})).await;
        let mut large = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(1200, 600).write_to(&mut large, ImageFormat::Jpeg).unwrap();
        let made = mona.multipart(Method::POST, &format!("/modules/{module_id}/lessons/create/"), &[
            Part::Text("title", "Waves"), Part::File("thumbnail", "t.jpeg", large.get_ref()),
        ]).await;
        let url = made.json()["thumbnail_url"].as_str().unwrap().to_owned();
        let stored = image::load_from_memory(mona.get(&url).await.bytes()).unwrap();
        assert_eq!((stored.width(), stored.height()), (400, 200));
    }

    /// 8.3: who may have a lesson.
    async fn show(school) {
        let app = school.start().await;
        let root = app.admin("root").await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "hana").await;
        let id = course(&mona, json!({"price": "50"})).await;
        let module_id = module(&mona, &id, json!({})).await;
        let paid = lesson(&mona, &module_id, json!({"title": "Paid"})).await;
        let free = lesson(&mona, &module_id, json!({"title": "Preview", "is_free": true})).await;
        let draft = lesson(&mona, &module_id, json!({"title": "Draft", "is_published": false, "is_free": true})).await;
        let show = async |browser: &Browser, id: &str| browser.get(&format!("/lessons/{id}/")).await;
        assert_snapshot!("ok", show(&mona, &paid).await);
        assert_snapshot!("not_enrolled", show(&omar, &paid).await);
        assert_snapshot!("unknown", show(&mona, UNKNOWN).await);
        assert_snapshot!("nobody", show(&app.visitor(), &paid).await);
        for (who, lesson, status) in [
            (&hana, &paid, 403), (&root, &paid, 403), (&sara, &paid, 403), (&omar, &free, 200),
            (&sara, &free, 403), (&hana, &free, 403), (&omar, &draft, 403), (&mona, &draft, 200),
        ] {
            assert_eq!(show(who, lesson).await.status(), status);
        }
        enroll(&app, "omar", &id, Some(app.school().clock.now() + TimeDelta::days(30))).await;
        assert_eq!(show(&omar, &paid).await.status(), 200);
        assert_eq!(show(&omar, &draft).await.status(), 403);
        mona.patch("/teacher/students/toggle-block/4/", json!({})).await;
        assert_snapshot!("blocked", show(&omar, &paid).await);
        mona.patch("/teacher/students/toggle-block/4/", json!({})).await;
        mona.patch(&format!("/modules/{module_id}/update/"), json!({"is_published": false})).await;
        assert_eq!(show(&omar, &paid).await.status(), 403);
        mona.patch(&format!("/modules/{module_id}/update/"), json!({"is_published": true})).await;
        // The enrolment ends at its moment, whatever a job does later.
        app.clock().advance(TimeDelta::days(30));
        omar.log_in_student("omar", "mona").await;
        assert_eq!(show(&omar, &paid).await.status(), 403);
        assert_eq!(show(&omar, &free).await.status(), 200);
    }

    /// 8.4
    async fn update(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({})).await;
        let module_id = module(&mona, &id, json!({})).await;
        let first = lesson(&mona, &module_id, json!({"order": 1, "duration": 10})).await;
        lesson(&mona, &module_id, json!({"order": 2})).await;
        let path = format!("/lessons/{first}/update/");
        let update = async |body| mona.patch(&path, body).await;
        assert_snapshot!("nothing", mona.put(&path, json!({})).await);
        assert_snapshot!("ok", update(json!({
            "title": "Other", "description": "Words", "order": 9, "duration": 25, "is_free": true,
            "is_published": false,
        })).await);
        assert_snapshot!("order_taken", update(json!({"order": 2, "title": "Lost"})).await);
        assert_snapshot!("wrong", update(json!({"order": 0, "duration": 0, "title": null})).await);
        assert_snapshot!("of_another_teacher", hana.patch(&path, json!({"title": ""})).await);
        assert_snapshot!("a_student", omar.patch(&path, json!({})).await);
        assert_snapshot!("nobody", app.visitor().patch(&path, json!({})).await);
        assert_snapshot!("unknown", mona.patch(&format!("/lessons/{UNKNOWN}/update/"), json!({})).await);
        let course = mona.get(&format!("/course/course-detail/{id}")).await.json();
        assert_eq!((&course["total_lessons"], &course["total_durations"]), (&json!(2), &json!(25)));
    }

    /// 8.4: a new video brings its own length, and the old one disappears.
    async fn replace_video(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let id = course(&mona, json!({})).await;
        let module_id = module(&mona, &id, json!({})).await;
        let lesson_id = lesson(&mona, &module_id, json!({})).await;
        let path = format!("/lessons/{lesson_id}/update/");
        let upload = async |seconds| {
            mona.multipart(Method::PATCH, &path, &[Part::File("video", "v.mp4", &film(seconds))]).await.json()
        };
        let first = upload(30).await;
        assert_eq!((&first["duration"], &first["video_status"]), (&json!(30), &json!("ready")));
        let second = upload(45).await;
        assert_eq!(second["duration"], 45);
        app.work().await;
        assert_eq!(mona.get(first["video_url"].as_str().unwrap()).await.status(), 404);
        assert_eq!(mona.get(second["video_url"].as_str().unwrap()).await.status(), 200);
        let cleared = mona.patch(&path, json!({"video": null})).await.json();
        assert_eq!((&cleared["duration"], &cleared["video_url"]), (&json!(0), &json!(null)));
    }

    /// 8.5
    async fn delete(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let id = course(&mona, json!({})).await;
        let module_id = module(&mona, &id, json!({})).await;
        let gone = lesson(&mona, &module_id, json!({"order": 4, "duration": 10})).await;
        let kept = lesson(&mona, &module_id, json!({"order": 6})).await;
        let path = format!("/lessons/{gone}/delete/");
        assert_snapshot!("of_another_teacher", hana.delete(&path).await);
        assert_snapshot!("nobody", app.visitor().delete(&path).await);
        assert_snapshot!("ok", mona.delete(&path).await);
        assert_snapshot!("again", mona.delete(&path).await);
        assert_eq!(mona.get(&format!("/lessons/{kept}/")).await.json()["order"], 6);
        let module = mona.get(&format!("/modules/{module_id}/")).await.json();
        assert_eq!((&module["total_lessons"], &module["total_duration"]), (&json!(1), &json!(0)));
    }
}
