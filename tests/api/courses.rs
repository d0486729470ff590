//! 3.1–3.9: courses.

use axum::http::Method;
use chrono::TimeDelta;
use edupro_http::testkit::{Answer, Browser, Part, TestApp};
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{course, film, lesson, module, on_both_engines, picture};

fn titles(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let results = body.get("results").unwrap_or(&body).as_array().unwrap().clone();
    results.iter().map(|course| course["title"].as_str().unwrap().to_owned()).collect()
}

/// A school with two teachers, two categories and some courses, one of them a draft.
async fn filled(app: &TestApp) -> (Browser, Browser) {
    let root = app.admin("root").await;
    for name in ["Physics", "Art"] {
        root.post("/course/category/create/", json!({"name": name})).await;
    }
    let mona = app.teacher("mona").await;
    let hana = app.teacher("hana").await;
    for (teacher, body) in [
        (
            &mona,
            json!({"title": "Waves", "description": "Sound and light", "price": "50", "category": 1}),
        ),
        (
            &mona,
            json!({"title": "Heat", "description": "100% warm_th", "price": "20.50", "category": 1}),
        ),
        (
            &hana,
            json!({"title": "Light", "description": "Painting by night", "is_free": true, "category": 2}),
        ),
        (
            &mona,
            json!({"title": "Draft of light", "description": "Not yet", "is_published": false}),
        ),
    ] {
        app.clock().advance(TimeDelta::minutes(1));
        let made = teacher.post("/course/create/", body).await;
        assert_eq!(made.status(), 201, "{made}");
    }
    (mona, hana)
}

on_both_engines! {
    /// 3.1
    async fn create(school) {
        let app = school.start().await;
        let root = app.admin("root").await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        root.post("/course/category/create/", json!({"name": "Physics"})).await;
        let create = async |body| mona.post("/course/create/", body).await;
        assert_snapshot!("least", create(json!({"title": "Waves", "description": "Sound"})).await);
        assert_snapshot!("all", create(json!({
            "title": "Waves", "description": "Sound\nand light", "price": 10.5, "is_free": "false",
            "is_published": false, "category": "1", "trailer_video": "https://videos.example/1",
            "teacher": 99, "total_enrollments": 99, "id": "mine",
        })).await);
        assert_snapshot!("nothing", create(json!({})).await);
        assert_snapshot!("free_with_price", create(json!({
            "title": "Waves", "description": "Sound", "price": "10", "is_free": true,
        })).await);
        assert_snapshot!("everything_wrong", create(json!({
            "title": "x".repeat(101), "description": " ", "price": "-1", "is_free": "maybe",
            "is_published": null, "category": 99, "trailer_video": "no link", "thumbnail": "no file",
        })).await);
        assert_snapshot!("wrong_types", create(json!({
            "title": [], "description": "Sound", "price": "NaN", "category": "physics",
        })).await);
        assert_eq!(create(json!({"title": "x", "description": "y", "price": "0.001"})).await.status(), 400);
        assert_eq!(create(json!({"title": "x", "description": "y", "price": "123456789"})).await.status(), 400);
        assert_snapshot!("a_student", omar.post("/course/create/", json!({})).await);
        assert_snapshot!("an_admin", root.post("/course/create/", json!({})).await);
        assert_snapshot!("nobody", app.visitor().post("/course/create/", json!({})).await);
    }

    /// 3.1: with files; whatever a form does not send keeps its default.
    async fn create_by_form(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let thumbnail = picture(ImageFormat::WebP);
        let trailer = film(30);
        let answer = mona.multipart(Method::POST, "/course/create/", &[
            Part::Text("title", "Waves"), Part::Text("description", "Sound"), Part::Text("price", ""),
            Part::Text("category", ""), Part::File("thumbnail", "t.webp", &thumbnail),
            Part::File("trailer_video", "trailer.mp4", &trailer),
        ]).await;
        assert_snapshot!("ok", answer);
        for key in ["trailer_video", "thumbnail"] {
            let url = answer.json()[key].as_str().unwrap().to_owned();
            assert_eq!(app.visitor().get(&url).await.status(), 200, "{key}");
        }
        assert_snapshot!("not_a_film", mona.multipart(Method::POST, "/course/create/", &[
            Part::Text("title", "Waves"), Part::Text("description", "Sound"),
            Part::File("trailer_video", "trailer.mp4", b"not a film"),
        ]).await);
    }

    /// 3.2
    async fn list(school) {
        let app = school.start().await;
        assert_snapshot!("empty", app.visitor().get("/course/list/").await);
        filled(&app).await;
        let list = async |query: &str| app.visitor().get(&format!("/course/list/{query}")).await;
        assert_snapshot!("ok", list("?page_size=2").await);
        assert_eq!(titles(&list("").await), ["Light", "Heat", "Waves"]);
        assert_eq!(titles(&list("?page=last&page_size=2").await), ["Waves"]);
        assert_snapshot!("no_such_page", list("?page=2").await);
    }

    /// 3.3
    async fn show(school) {
        let app = school.start().await;
        let root = app.admin("root").await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let open = course(&mona, json!({})).await;
        let draft = course(&mona, json!({"is_published": false})).await;
        let show = async |browser: &Browser, id: &str| browser.get(&format!("/course/course-detail/{id}")).await;
        assert_snapshot!("ok", show(&app.visitor(), &open).await);
        assert_snapshot!("unknown", show(&mona, "00000000-0000-7000-8000-000000000000").await);
        assert_snapshot!("not_an_id", show(&mona, "zzz").await);
        for (who, status) in [(&app.visitor(), 404), (&hana, 404), (&omar, 404), (&mona, 200), (&root, 200)] {
            assert_eq!(show(who, &draft).await.status(), status);
        }
    }

    /// 3.4
    async fn update(school) {
        let app = school.start().await;
        let (mona, hana) = filled(&app).await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({"price": "50", "category": 1})).await;
        let path = format!("/course/update/{id}");
        let update = async |body| mona.patch(&path, body).await;
        assert_snapshot!("nothing", mona.put(&path, json!({})).await);
        assert_snapshot!("ok", update(json!({
            "title": "Waves II", "description": "More", "price": "60", "is_published": false,
            "category": 2, "trailer_video": "http://videos.example/2", "teacher": 99,
        })).await);
        assert_snapshot!("cleared", update(json!({"category": null, "trailer_video": null, "is_published": true})).await);
        assert_snapshot!("free_with_stored_price", update(json!({"is_free": true})).await);
        assert_snapshot!("free", update(json!({"is_free": true, "price": 0})).await);
        assert_snapshot!("price_of_a_free_course", update(json!({"price": 5})).await);
        assert_snapshot!("wrong", update(json!({"title": "", "price": null, "category": 99})).await);
        assert_snapshot!("of_another_teacher", hana.patch(&path, json!({"title": ""})).await);
        assert_snapshot!("a_student", omar.patch(&path, json!({})).await);
        assert_snapshot!("nobody", app.visitor().patch(&path, json!({})).await);
        assert_snapshot!("unknown", mona.patch("/course/update/00000000-0000-7000-8000-000000000000", json!({})).await);
        assert_eq!(mona.patch("/course/update/zzz", json!({})).await.status(), 404);
    }

    /// 3.4: a form that does not send a flag does not change it, and an untouched file stays.
    async fn update_by_form(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let first = picture(ImageFormat::Png);
        let second = picture(ImageFormat::Jpeg);
        let id = course(&mona, json!({"is_published": true})).await;
        let path = format!("/course/update/{id}");
        let put = async |parts: &[Part<'_>]| mona.multipart(Method::PUT, &path, parts).await.json();
        let old = put(&[Part::File("thumbnail", "a.png", &first)]).await["thumbnail"].clone();
        let after = put(&[Part::Text("title", "Other"), Part::Text("thumbnail", "")]).await;
        assert_eq!((&after["is_published"], &after["thumbnail"]), (&json!(true), &old));
        let new = put(&[Part::File("thumbnail", "b.jpg", &second)]).await["thumbnail"].clone();
        app.work().await;
        assert_eq!(mona.get(old.as_str().unwrap()).await.status(), 404);
        assert_eq!(mona.get(new.as_str().unwrap()).await.status(), 200);
        // What was refused leaves no file behind.
        let refused = mona.multipart(Method::PUT, &path, &[
            Part::File("thumbnail", "c.png", &first), Part::Text("price", "-1"),
        ]).await;
        assert_eq!(refused.status(), 400);
        assert_eq!(mona.get(new.as_str().unwrap()).await.status(), 200);
    }

    /// 3.5: a course goes with all its files.
    async fn delete(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let id = course(&mona, json!({})).await;
        let module_id = module(&mona, &id, json!({})).await;
        let film = film(5);
        let lesson = mona.multipart(Method::POST, &format!("/modules/{module_id}/lessons/create/"), &[
            Part::Text("title", "One"), Part::File("video", "v.mp4", &film),
        ]).await;
        let video = lesson.json()["video_url"].as_str().unwrap().to_owned();
        assert_eq!(mona.get(&video).await.status(), 200);
        let path = format!("/course/course-delete/{id}");
        assert_snapshot!("of_another_teacher", hana.delete(&path).await);
        assert_snapshot!("nobody", app.visitor().delete(&path).await);
        assert_snapshot!("ok", mona.delete(&path).await);
        assert_snapshot!("again", mona.delete(&path).await);
        assert_eq!(mona.get(&format!("/modules/{module_id}/")).await.status(), 404);
        app.work().await;
        assert_eq!(mona.get(&video).await.status(), 404);
        assert_eq!(mona.get("/course/list-by-teacher/").await.json(), json!([]));
    }

    /// 3.6
    async fn search(school) {
        let app = school.start().await;
        filled(&app).await;
        let search = async |query: &str| {
            app.visitor().get(&format!("/course/course-search-filter/{query}")).await
        };
        assert_snapshot!("ok", search("?search=LIGHT&page_size=1&ordering=price").await);
        assert_eq!(titles(&search("?search=light").await), ["Light", "Waves"]);
        assert_eq!(titles(&search("?search=painting,night").await), ["Light"]);
        assert_eq!(titles(&search("?search=li").await), ["Light", "Waves"]);
        assert_eq!(titles(&search("?search=%25").await), ["Heat"]);
        assert_eq!(titles(&search("?search=0%25%20w").await), ["Heat"]);
        assert_eq!(titles(&search("?search=warm_th").await), ["Heat"]);
        assert_eq!(titles(&search("?search=warmXth").await), Vec::<String>::new());
        assert_eq!(titles(&search("?search=%22%20OR%20%22").await), Vec::<String>::new());
        assert_eq!(titles(&search("?search=draft").await), Vec::<String>::new());
        assert_eq!(titles(&search("?category__name=physics").await), ["Heat", "Waves"]);
        assert_eq!(titles(&search("?category__name=nothing").await), Vec::<String>::new());
        assert_eq!(titles(&search("?teacher__full_name=hana%20ADEL").await), ["Light"]);
        assert_eq!(
            titles(&search("?teacher__full_name=Mona+Adel&category__name=Physics&search=sound").await),
            ["Waves"]
        );
        assert_eq!(titles(&search("?ordering=price").await), ["Light", "Heat", "Waves"]);
        assert_eq!(titles(&search("?ordering=-price,created_at").await), ["Waves", "Heat", "Light"]);
        assert_eq!(titles(&search("?ordering=created_at").await), ["Waves", "Heat", "Light"]);
        assert_eq!(titles(&search("?ordering=teacher__password").await), ["Light", "Heat", "Waves"]);
        assert_eq!(titles(&search("?is_published=true").await).len(), 3);
        assert_snapshot!("unpublished", search("?is_published=false").await);
        assert_snapshot!("no_such_page", search("?is_published=false&page=2").await);
    }

    /// 3.6: a changed or deleted course is found by what it says now.
    async fn search_keeps_up(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let id = course(&mona, json!({"title": "Astronomy"})).await;
        let found = async |word: &str| {
            titles(&app.visitor().get(&format!("/course/course-search-filter/?search={word}")).await).len()
        };
        assert_eq!(found("astron").await, 1);
        mona.patch(&format!("/course/update/{id}"), json!({"title": "عِلم الفلك"})).await;
        assert_eq!((found("astron").await, found("%D8%A7%D9%84%D9%81%D9%84%D9%83").await), (0, 1));
        mona.delete(&format!("/course/course-delete/{id}")).await;
        assert_eq!(found("%D8%A7%D9%84%D9%81%D9%84%D9%83").await, 0);
    }

    /// 3.7
    async fn list_own(school) {
        let app = school.start().await;
        let (mona, hana) = filled(&app).await;
        assert_snapshot!("ok", hana.get("/course/list-by-teacher/").await);
        assert_eq!(titles(&mona.get("/course/list-by-teacher/").await), ["Draft of light", "Heat", "Waves"]);
        let omar = app.student("omar", "mona").await;
        assert_snapshot!("a_student", omar.get("/course/list-by-teacher/").await);
        assert_snapshot!("nobody", app.visitor().get("/course/list-by-teacher/").await);
        // What others see of a teacher counts what others see of the courses.
        assert_eq!(mona.get("/teacher/teacher-profile/").await.json()["number_of_courses"], 3);
        assert_eq!(mona.get("/teacher/teacher-profile/mona").await.json()["number_of_courses"], 2);
    }

    /// 3.8
    async fn list_of_teacher(school) {
        let app = school.start().await;
        filled(&app).await;
        app.student("omar", "mona").await;
        app.teacher("nada").await;
        let list = async |username: &str| {
            app.visitor().get(&format!("/course/teacher-list/{username}")).await
        };
        assert_eq!(titles(&list("MONA").await), ["Heat", "Waves"]);
        assert_snapshot!("ok", list("hana").await);
        assert_snapshot!("empty", list("nada").await);
        assert_snapshot!("unknown", list("nobody").await);
        assert_snapshot!("a_student", list("omar").await);
    }

    /// 3.9
    async fn show_private(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({"is_published": false})).await;
        let second = module(&mona, &id, json!({"title": "Second", "order": 2})).await;
        module(&mona, &id, json!({"title": "First", "order": 1, "is_published": false})).await;
        lesson(&mona, &second, json!({"title": "B", "order": 2, "duration": 60})).await;
        lesson(&mona, &second, json!({"title": "A", "order": 1, "is_published": false})).await;
        let path = format!("/course/private-deatils/{id}");
        assert_snapshot!("ok", mona.get(&path).await);
        assert_snapshot!("of_another_teacher", hana.get(&path).await);
        assert_snapshot!("a_student", omar.get(&path).await);
        assert_snapshot!("nobody", app.visitor().get(&path).await);
        assert_snapshot!("unknown", mona.get("/course/private-deatils/00000000-0000-7000-8000-000000000000").await);
        assert_ne!(mona.get(&path).await.json(), Value::Null);
    }
}
