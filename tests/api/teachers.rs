//! 1.14–1.16 and 1.22: a teacher's profile and revenue.

use axum::http::Method;
use edupro_http::testkit::Part;
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{on_both_engines, picture};

on_both_engines! {
    /// 1.14
    async fn own_profile(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let root = app.admin("root").await;
        assert_snapshot!("ok", mona.get("/teacher/teacher-profile/").await);
        assert_snapshot!("a_student", omar.get("/teacher/teacher-profile/").await);
        assert_snapshot!("an_admin", root.get("/teacher/teacher-profile/").await);
        assert_snapshot!("nobody", app.visitor().get("/teacher/teacher-profile/").await);
    }

    /// 1.15
    async fn public_profile(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        app.student("omar", "mona").await;
        let visitor = app.visitor();
        assert_snapshot!("ok", visitor.get("/teacher/teacher-profile/MONA").await);
        assert_snapshot!("unknown", visitor.get("/teacher/teacher-profile/nobody").await);
        assert_snapshot!("a_student", visitor.get("/teacher/teacher-profile/omar").await);
        edupro_core::accounts::admin::set_active(app.school(), "mona", false).await.unwrap();
        assert_eq!(visitor.get("/teacher/teacher-profile/mona").await.status(), 404);
    }

    /// 1.16
    async fn update_teacher_profile(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let update = async |body| mona.patch("/teacher/update-profile/", body).await;
        assert_snapshot!("nothing", mona.put("/teacher/update-profile/", json!({})).await);
        assert_snapshot!("ok", update(json!({
            "full_name": "Dr. Mona Adel", "bio": "Physics.", "date_of_birth": "1980-12-31",
            "address": "1 School Street", "country": "Egypt", "city": "Cairo",
            "specialization": "Physics", "institution": "Cairo University", "experiance": "12 years",
            "gender": "female", "primary_color": "#0A0b0C", "primary_color_light": "#fff",
            "primary_color_dark": "", "secondary_color": null, "accent_color": "#123456",
            "background_color": "#abc",
            "rating": 5, "number_of_courses": 99, "number_of_students": 99, "id": 99,
        })).await);
        assert_snapshot!("one_field", mona.put("/teacher/update-profile/", json!({"accent_color": null})).await);
        assert_snapshot!("wrong", update(json!({
            "primary_color": "zzz", "accent_color": "#12345", "background_color": "#1234567",
            "specialization": "x".repeat(101), "institution": ["x"], "date_of_birth": "yesterday",
            "logo": "https://example.com/logo.png",
        })).await);
        assert_snapshot!("born_tomorrow", update(json!({"date_of_birth": "2026-01-04"})).await);
        assert_snapshot!("a_student", omar.patch("/teacher/update-profile/", json!({})).await);
        assert_snapshot!("nobody", app.visitor().patch("/teacher/update-profile/", json!({})).await);
    }

    /// 1.16: picture and logo are the profile's own; the registration's avatar stays.
    async fn teacher_pictures(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let gif = picture(ImageFormat::Gif);
        let jpeg = picture(ImageFormat::Jpeg);
        let answer = mona.multipart(Method::PUT, "/teacher/update-profile/", &[
            Part::File("profile_picture", "me.gif", &gif),
            Part::File("logo", "logo.jpeg", &jpeg),
            Part::Text("date_of_birth", ""),
        ]).await;
        assert_snapshot!("ok", answer);
        let logo = answer.json()["logo"].as_str().unwrap().to_owned();
        let cleared = mona.patch("/teacher/update-profile/", json!({"logo": null})).await;
        assert_eq!(cleared.json()["logo"], json!(null));
        app.work().await;
        assert_eq!(mona.get(&logo).await.status(), 404);
    }

    /// 1.22
    async fn revenue(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        assert_snapshot!("ok", mona.get("/teacher/revenue/").await);
        assert_snapshot!("a_student", omar.get("/teacher/revenue/").await);
        assert_snapshot!("an_admin", app.admin("root").await.get("/teacher/revenue/").await);
        assert_snapshot!("nobody", app.visitor().get("/teacher/revenue/").await);
    }
}
