//! 7.1–7.5: modules.

use axum::http::Method;
use edupro_http::testkit::{Browser, Part};
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{UNKNOWN, course, lesson, module, on_both_engines, picture, titles};

on_both_engines! {
    /// 7.1
    async fn list(school) {
        let app = school.start().await;
        let root = app.admin("root").await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({})).await;
        module(&mona, &id, json!({"title": "Second", "order": 7})).await;
        module(&mona, &id, json!({"title": "First", "order": 2, "description": "Begin", "price": "5"})).await;
        module(&mona, &id, json!({"title": "Draft", "order": 3, "is_published": false})).await;
        let list = async |browser: &Browser, id: &str| browser.get(&format!("/courses/{id}/modules/")).await;
        assert_snapshot!("ok", list(&omar, &id).await);
        assert_eq!(titles(&list(&mona, &id).await.json()), ["First", "Draft", "Second"]);
        assert_eq!(titles(&list(&root, &id).await.json()), ["First", "Draft", "Second"]);
        assert_eq!(titles(&list(&hana, &id).await.json()), ["First", "Second"]);
        assert_snapshot!("nobody", list(&app.visitor(), &id).await);
        assert_snapshot!("unknown", list(&mona, UNKNOWN).await);
        assert_eq!(list(&mona, "zzz").await.status(), 404);
        let draft = course(&mona, json!({"is_published": false})).await;
        assert_eq!(list(&omar, &draft).await.status(), 404);
        assert_eq!(list(&mona, &draft).await.json(), json!([]));
    }

    /// 7.2
    async fn create(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({})).await;
        let path = format!("/courses/{id}/modules/create/");
        let create = async |body| mona.post(&path, body).await;
        assert_snapshot!("least", create(json!({"title": "Waves"})).await);
        assert_snapshot!("all", create(json!({
            "title": "Sound", "description": "What we hear", "order": 5, "price": "10.50",
            "is_free": false, "is_published": false, "total_lessons": 99,
        })).await);
        assert_eq!(create(json!({"title": "Next", "order": null})).await.json()["order"], 6);
        assert_snapshot!("order_taken", create(json!({"title": "Again", "order": 5})).await);
        assert_snapshot!("blank_title", create(json!({"title": " ", "order": 0})).await);
        assert_snapshot!("short_title", create(json!({"title": "ab", "order": "x", "image": "no file"})).await);
        assert_snapshot!("nothing", create(json!({})).await);
        assert_snapshot!("free_with_price", create(json!({"title": "Free", "is_free": true, "price": 5})).await);
        assert_eq!(create(json!({"title": "Cheap", "price": -1})).await.status(), 400);
        assert_snapshot!("of_another_teacher", hana.post(&path, json!({})).await);
        assert_snapshot!("a_student", omar.post(&path, json!({})).await);
        assert_snapshot!("nobody", app.visitor().post(&path, json!({})).await);
        assert_snapshot!("unknown", mona.post(&format!("/courses/{UNKNOWN}/modules/create/"), json!({})).await);
    }

    /// 7.2: images are JPEG or PNG, two megabytes at most.
    async fn images(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let id = course(&mona, json!({})).await;
        let path = format!("/courses/{id}/modules/create/");
        let create = async |name: &str, image: &[u8]| {
            mona.multipart(Method::POST, &path, &[
                Part::Text("title", "Waves"), Part::Text("order", ""), Part::File("image", name, image),
            ]).await
        };
        let png = create("image.png", &picture(ImageFormat::Png)).await;
        assert_snapshot!("ok", png);
        assert_snapshot!("gif", create("image.gif", &picture(ImageFormat::Gif)).await);
        assert_snapshot!("text", create("image.png", b"<svg onload='alert(1)'/>").await);
        assert_snapshot!("too_large", create("image.png", &vec![0; 3 * 1024 * 1024]).await);
        let url = png.json()["image_url"].as_str().unwrap().to_owned();
        assert_eq!(app.visitor().get(&url).await.status(), 200);
    }

    /// 7.3
    async fn show(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({})).await;
        let open = module(&mona, &id, json!({})).await;
        let draft = module(&mona, &id, json!({"is_published": false})).await;
        lesson(&mona, &open, json!({"title": "Two", "order": 2})).await;
        lesson(&mona, &open, json!({"title": "One", "order": 1, "duration": 90})).await;
        lesson(&mona, &open, json!({"title": "Draft", "order": 3, "is_published": false})).await;
        let show = async |browser: &Browser, id: &str| browser.get(&format!("/modules/{id}/")).await;
        assert_snapshot!("a_student", show(&omar, &open).await);
        assert_eq!(titles(&show(&mona, &open).await.json()["lessons"]), ["One", "Two", "Draft"]);
        assert_eq!(titles(&show(&hana, &open).await.json()["lessons"]), ["One", "Two"]);
        for (who, status) in [(&mona, 200), (&hana, 404), (&omar, 404)] {
            assert_eq!(show(who, &draft).await.status(), status);
        }
        assert_snapshot!("unknown", show(&mona, UNKNOWN).await);
        assert_snapshot!("nobody", show(&app.visitor(), &open).await);
        mona.patch(&format!("/course/update/{id}"), json!({"is_published": false})).await;
        assert_eq!(show(&omar, &open).await.status(), 404);
    }

    /// 7.4
    async fn update(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({})).await;
        let first = module(&mona, &id, json!({"order": 1})).await;
        module(&mona, &id, json!({"order": 2})).await;
        let path = format!("/modules/{first}/update/");
        let update = async |body| mona.patch(&path, body).await;
        assert_snapshot!("nothing", mona.put(&path, json!({})).await);
        assert_snapshot!("ok", update(json!({
            "title": "Other", "description": "Words", "order": 9, "price": "7", "is_published": false,
        })).await);
        assert_eq!(update(json!({"order": 9})).await.status(), 200);
        assert_eq!(update(json!({"order": null, "description": null})).await.json()["order"], 9);
        assert_snapshot!("order_taken", update(json!({"order": 2, "title": "Lost"})).await);
        assert_eq!(mona.get(&format!("/modules/{first}/")).await.json()["title"], "Other");
        assert_snapshot!("order_too_small", update(json!({"order": 0, "title": ""})).await);
        assert_snapshot!("free_with_stored_price", update(json!({"is_free": true})).await);
        assert_snapshot!("of_another_teacher", hana.patch(&path, json!({"title": ""})).await);
        assert_snapshot!("a_student", omar.patch(&path, json!({})).await);
        assert_snapshot!("nobody", app.visitor().patch(&path, json!({})).await);
        assert_snapshot!("unknown", mona.patch(&format!("/modules/{UNKNOWN}/update/"), json!({})).await);
    }

    /// 7.5
    async fn delete(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let id = course(&mona, json!({})).await;
        let kept = module(&mona, &id, json!({"order": 3})).await;
        let gone = module(&mona, &id, json!({"order": 1})).await;
        lesson(&mona, &kept, json!({"duration": 40})).await;
        let lesson_id = lesson(&mona, &gone, json!({"duration": 20})).await;
        let totals = async || {
            let course = mona.get(&format!("/course/course-detail/{id}")).await.json();
            (course["total_lessons"].clone(), course["total_durations"].clone())
        };
        assert_eq!(totals().await, (json!(2), json!(60)));
        let path = format!("/modules/{gone}/delete/");
        assert_snapshot!("of_another_teacher", hana.delete(&path).await);
        assert_snapshot!("nobody", app.visitor().delete(&path).await);
        assert_snapshot!("ok", mona.delete(&path).await);
        assert_snapshot!("again", mona.delete(&path).await);
        assert_eq!(totals().await, (json!(1), json!(40)));
        assert_eq!(mona.get(&format!("/lessons/{lesson_id}/")).await.status(), 404);
        assert_eq!(mona.get(&format!("/modules/{kept}/")).await.json()["order"], 3);
    }
}
