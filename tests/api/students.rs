//! 1.12, 1.13: a student's own profile.

use axum::http::Method;
use edupro_http::testkit::Part;
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{on_both_engines, picture};

on_both_engines! {
    /// 1.12
    async fn student_profile(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        assert_snapshot!("ok", omar.get("/student/student-profile/MONA").await);
        assert_snapshot!("not_joined", omar.get("/student/student-profile/hana").await);
        assert_snapshot!("unknown_teacher", omar.get("/student/student-profile/nobody").await);
        assert_snapshot!("no_teacher", omar.get("/student/student-profile/").await);
        assert_snapshot!("a_teacher", mona.get("/student/student-profile/mona").await);
        assert_snapshot!("nobody", app.visitor().get("/student/student-profile/mona").await);
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert_eq!(omar.get("/student/student-profile/mona").await.json()["is_active"], false);
    }

    /// 1.13
    async fn update_student_profile(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let update = async |body| omar.patch("/student/update-profile/", body).await;
        assert_snapshot!("nothing", omar.put("/student/update-profile/", json!({})).await);
        assert_snapshot!("ok", update(json!({
            "full_name": "Omar Sharif", "bio": "Two\nlines & <b>tags</b>", "date_of_birth": "2001-02-28",
            "address": "12 Nile Street", "country": "Egypt", "city": "Cairo", "gender": "male",
            "id": 99, "user": {"id": 99}, "is_active": false,
        })).await);
        assert_snapshot!("one_field", omar.put("/student/update-profile/", json!({"city": "Giza"})).await);
        assert_snapshot!("cleared", update(json!({
            "full_name": "", "bio": null, "date_of_birth": null, "address": "", "gender": null,
        })).await);
        assert_snapshot!("too_long", update(json!({
            "full_name": "x".repeat(101), "bio": "x".repeat(5_001), "address": "x".repeat(256),
            "country": "x".repeat(101), "city": "x".repeat(101), "gender": "x".repeat(11),
            "date_of_birth": "2001-02-29",
        })).await);
        assert_snapshot!("born_tomorrow", update(json!({"date_of_birth": "2026-01-04"})).await);
        assert_snapshot!("a_teacher", mona.patch("/student/update-profile/", json!({})).await);
        assert_snapshot!("nobody", app.visitor().patch("/student/update-profile/", json!({})).await);
        assert_snapshot!("post", omar.post("/student/update-profile/", json!({})).await);
    }

    /// 1.13: a new picture takes the place of the old one, and the old one disappears.
    async fn profile_picture(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let png = picture(ImageFormat::Png);
        let webp = picture(ImageFormat::WebP);
        let upload = async |parts: &[Part<'_>]| {
            omar.multipart(Method::PATCH, "/student/update-profile/", parts).await
        };
        let url = async |parts: &[Part<'_>]| {
            upload(parts).await.json()["profile_picture"].as_str().unwrap_or_default().to_owned()
        };
        let first = url(&[Part::File("profile_picture", "me.png", &png)]).await;
        assert_eq!(omar.get(&first).await.status(), 200);
        let second = url(&[Part::File("profile_picture", "me.webp", &webp), Part::Text("city", "Giza")]).await;
        assert_ne!(first, second);
        // A picture input that nobody touched changes nothing.
        assert_eq!(url(&[Part::Text("profile_picture", ""), Part::Text("city", "")]).await, second);
        assert_eq!(url(&[Part::File("profile_picture", "", b"")]).await, second);
        app.work().await;
        assert_eq!(omar.get(&first).await.status(), 404);
        assert_eq!(omar.get(&second).await.status(), 200);

        assert_snapshot!("wrong_extension", upload(&[Part::File("profile_picture", "me.png", &webp)]).await);
        let cleared = omar.patch("/student/update-profile/", json!({"profile_picture": null})).await;
        assert_eq!(cleared.json()["profile_picture"], json!(null));
        app.work().await;
        assert_eq!(omar.get(&second).await.status(), 404);
    }
}
