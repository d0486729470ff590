//! 2.1–2.3: categories.

use axum::http::Method;
use edupro_http::testkit::{Browser, Part};
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{on_both_engines, picture};

on_both_engines! {
    /// 2.1
    async fn create(school) {
        let app = school.start().await;
        let root = app.admin("root").await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let create = async |browser: &Browser, body| browser.post("/course/category/create/", body).await;
        assert_snapshot!("ok", create(&root, json!({"name": " Programming "})).await);
        assert_snapshot!("nothing", create(&root, json!({})).await);
        assert_snapshot!("again", create(&root, json!({"name": "PROGRAMMING"})).await);
        assert_snapshot!("too_long", create(&root, json!({"name": "x".repeat(31), "icon": "no file"})).await);
        assert_snapshot!("blank", create(&root, json!({"name": "  "})).await);
        assert_snapshot!("a_teacher", create(&mona, json!({"name": "x"})).await);
        assert_snapshot!("a_student", create(&omar, json!({"name": "x"})).await);
        assert_snapshot!("nobody", create(&app.visitor(), json!({"name": "x"})).await);
    }

    /// 2.2
    async fn list(school) {
        let app = school.start().await;
        let visitor = app.visitor();
        assert_snapshot!("empty", visitor.get("/course/category/list/").await);
        let root = app.admin("root").await;
        let icon = picture(ImageFormat::Png);
        root.post("/course/category/create/", json!({"name": "Physics"})).await;
        root.multipart(Method::POST, "/course/category/create/", &[
            Part::Text("name", "Art"), Part::File("icon", "art.png", &icon),
        ]).await;
        assert_snapshot!("ok", visitor.get("/course/category/list/").await);
    }

    /// 2.3
    async fn update(school) {
        let app = school.start().await;
        let root = app.admin("root").await;
        let mona = app.teacher("mona").await;
        root.post("/course/category/create/", json!({"name": "Physics"})).await;
        root.post("/course/category/create/", json!({"name": "Art"})).await;
        let path = "/course/category/update/1";
        assert_snapshot!("nothing", root.put(path, json!({})).await);
        assert_snapshot!("ok", root.patch(path, json!({"name": "PHYSICS"})).await);
        assert_snapshot!("taken", root.patch(path, json!({"name": "art"})).await);
        assert_snapshot!("null", root.patch(path, json!({"name": null})).await);
        assert_snapshot!("unknown", root.patch("/course/category/update/99", json!({})).await);
        assert_snapshot!("not_a_number", root.patch("/course/category/update/zz", json!({})).await);
        assert_snapshot!("a_teacher", mona.patch(path, json!({})).await);
        assert_snapshot!("nobody", app.visitor().patch(path, json!({})).await);
        assert_snapshot!("delete", root.delete(path).await);

        let icon = picture(ImageFormat::Png);
        let put = async || root.multipart(Method::PUT, path, &[Part::File("icon", "i.png", &icon)]).await;
        let first = put().await.json()["icon"].as_str().unwrap().to_owned();
        let second = put().await.json()["icon"].as_str().unwrap().to_owned();
        app.work().await;
        assert_eq!(root.get(&first).await.status(), 404);
        assert_eq!(root.get(&second).await.status(), 200);
    }
}
