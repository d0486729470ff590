//! 1.9–1.11: register, join.

use axum::http::Method;
use edupro_http::testkit::{Browser, Part, person};
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{on_both_engines, picture};

fn teacher(username: &str, phone: &str) -> Value {
    let mut body = person(username);
    body["phone"] = phone.into();
    body
}

fn student(username: &str, phone: &str) -> Value {
    let mut body = teacher(username, phone);
    body["parent_phone"] = "+20100000000".into();
    body
}

fn with(mut body: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("an object") };
    body.as_object_mut().unwrap().extend(changes);
    body
}

on_both_engines! {
    /// 1.9
    async fn register_teacher(school) {
        let app = school.start().await;
        let visitor = app.visitor();
        let register = async |body| visitor.post("/teacher/teacher-register/", body).await;
        assert_snapshot!("ok", register(teacher("Mona.K", "+20123456789")).await);
        assert_eq!(visitor.cookie("access_token"), None);
        assert_snapshot!("nothing", register(json!({})).await);
        assert_snapshot!("again", register(teacher("mona.k", "+20123456789")).await);
        assert_snapshot!("email_in_other_case", register(with(teacher("other", "1"), json!({"email": "MONA.K@example.com"}))).await);
        assert_snapshot!("everything_wrong", register(json!({
            "first_name": "x".repeat(31),
            "last_name": " ",
            "username": "a b/c",
            "email": "mona",
            "phone": "0123-456",
            "password1": "1234567",
            "password2": "12345678",
        })).await);
        assert_snapshot!("wrong_and_taken", register(with(teacher("mo", "+20123456789"), json!({"password2": "other"}))).await);
        assert_snapshot!("reserved", register(teacher("Attempts", "2")).await);
        assert_snapshot!("wrong_types", register(json!({
            "first_name": ["Mona"], "last_name": {}, "username": true, "email": null,
            "phone": 123, "password1": "Str0ng-Pass!", "password2": "Str0ng-Pass!",
            "avatar": "picture.png",
        })).await);
        assert_snapshot!("read_only_keys", register(with(teacher("hana", "3"), json!({
            "id": 77, "user_type": "admin", "is_staff": true, "is_active": false, "slug": "mine",
        }))).await);
    }

    /// 1.9: pictures, and the same fields as a form.
    async fn register_teacher_with_pictures(school) {
        let app = school.start().await;
        let visitor = app.visitor();
        let avatar = picture(ImageFormat::Jpeg);
        let logo = picture(ImageFormat::Png);
        let fields = [
            Part::Text("first_name", "Mona"),
            Part::Text("last_name", "Adel"),
            Part::Text("username", "mona"),
            Part::Text("email", "mona@example.com"),
            Part::Text("phone", "0123"),
            Part::Text("password1", "Str0ng-Pass!"),
            Part::Text("password2", "Str0ng-Pass!"),
        ];
        let register = async |files: &[Part<'_>]| {
            let parts = [&fields[..], files].concat();
            visitor.multipart(Method::POST, "/teacher/teacher-register/", &parts).await
        };
        assert_snapshot!("disguised", register(&[
            Part::File("avatar", "avatar.png", b"<html><script>alert(1)</script></html>"),
            Part::File("logo", "logo.jpg", &logo),
        ]).await);
        assert_snapshot!("empty", register(&[Part::File("avatar", "avatar.png", b"")]).await);
        assert_snapshot!("too_large", register(&[Part::File("avatar", "avatar.png", &vec![0; 6 * 1024 * 1024])]).await);
        assert_snapshot!("not_a_file", register(&[Part::Text("avatar", "avatar.png")]).await);
        let answer = register(&[
            Part::File("avatar", "../../avatar.JPG", &avatar),
            Part::File("logo", "logo.png", &logo),
            Part::File("unasked", "unasked.exe", b"MZ"),
        ]).await;
        assert_snapshot!("ok", answer);

        let url = answer.json()["user"]["avatar"].as_str().unwrap().to_owned();
        let file = visitor.get(&url).await;
        assert_eq!(file.status(), 200);
        assert_eq!(file.header("content-type"), Some("image/jpeg"));
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        let ranged = visitor.with_header("range", "bytes=0-1").get(&url).await;
        assert_eq!((ranged.status(), ranged.bytes()), (206, &file.bytes()[..2]));
        assert_eq!(visitor.with_header("range", "bytes=999999-").get(&url).await.status(), 416);
        assert_eq!(visitor.get("http://school.example/media/avatar/../../edupro.db").await.status(), 404);
    }

    /// 1.9: a form of a browser.
    async fn register_teacher_by_form(school) {
        let app = school.start().await;
        let body = "first_name=Mona&last_name=Adel&username=first&username=mona&email=mona%40example.com\
                    &phone=%2B20123&password1=Str0ng-Pass!&password2=Str0ng-Pass!&avatar=&logo=";
        let content_type = Some("application/x-www-form-urlencoded; charset=utf-8");
        let answer = app.visitor().send(Method::POST, "/teacher/teacher-register/", content_type, body.into()).await;
        assert_snapshot!("ok", answer);
    }

    /// 1.9: two usernames may have one slug, and a username may have none.
    async fn slugs(school) {
        let app = school.start().await;
        let visitor = app.visitor();
        let slug = async |username: &str, phone: &str| {
            let answer = visitor.post("/teacher/teacher-register/", with(teacher("any", phone), json!({
                "username": username, "email": format!("{phone}@example.com"),
            }))).await;
            answer.json()["user"]["slug"].clone()
        };
        assert_eq!(slug("mona.k", "1").await, "monak");
        assert_eq!(slug("mona+k", "2").await, "monak-2");
        assert_eq!(slug("Monak", "3").await, "monak-3");
        assert_eq!(slug("@@@", "4").await, "user-4");
    }

    /// 1.10
    async fn register_student(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        let visitor = app.visitor();
        let register = async |teacher: &str, body| {
            visitor.post(&format!("/student/student-register/{teacher}"), body).await
        };
        assert_snapshot!("ok", register("MONA", student("omar", "0123")).await);
        assert_snapshot!("nothing", register("mona", json!({})).await);
        assert_snapshot!("again", register("mona", student("omar", "0123")).await);
        assert_snapshot!("unknown_teacher", register("nobody", json!({})).await);
        assert_snapshot!("teacher_is_a_student", register("omar", json!({})).await);
        assert_snapshot!("no_teacher", register("", json!({})).await);
        assert_snapshot!("long_parent_phone", register("mona", with(student("sara", "1"), json!({
            "parent_phone": "1".repeat(28), "password2": "other",
        }))).await);
    }

    /// 1.11
    async fn join_teacher(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let join = async |browser: &Browser, teacher: &str| {
            browser.post(&format!("/join-teacher/{teacher}/"), json!({})).await
        };
        assert_snapshot!("ok", join(&omar, "Hana").await);
        assert_snapshot!("again", join(&omar, "hana").await);
        assert_snapshot!("unknown_teacher", join(&omar, "nobody").await);
        assert_snapshot!("teacher_is_a_student", join(&omar, "omar").await);
        assert_snapshot!("no_teacher", omar.post("/join-teacher/", json!({})).await);
        assert_snapshot!("a_teacher", join(&mona, "hana").await);
        assert_snapshot!("a_teacher_and_no_teacher", mona.post("/join-teacher/", json!({})).await);
        assert_snapshot!("nobody", join(&app.visitor(), "hana").await);
        // Joining never unblocks.
        hana.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert_eq!(join(&omar, "hana").await.status(), 200);
        let profile = omar.get("/student/student-profile/hana").await;
        assert_eq!(profile.json()["is_active"], false);
    }

    /// Sixty registrations an hour from one address (security R7).
    async fn throttled_registration(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        let register = async || app.visitor().post("/teacher/teacher-register/", json!({})).await;
        for _ in 0..60 {
            assert_eq!(register().await.status(), 400);
        }
        assert_snapshot!("refused", register().await);
    }
}
