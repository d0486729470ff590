//! 1.1–1.8 and 1.23: log in, log out, refresh, forget, change.

use axum::{body::Body, http::Method};
use chrono::TimeDelta;
use edupro_http::testkit::{Browser, PASSWORD, TestApp, email};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::on_both_engines;

fn credentials(username: &str, password: &str) -> Value {
    json!({"email": email(username), "password": password})
}

/// Whether somebody is let in at a route that needs a log-in.
async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/teacher/revenue/").await.status() != 401
}

async fn code_of(app: &TestApp) -> String {
    let mails = app.mails().await;
    let text = &mails.last().expect("a mail was sent").text;
    let code = text.strip_prefix("Your OTP code is: ").expect("the mail begins with the code");
    code[..6].to_owned()
}

on_both_engines! {
    /// 1.1
    async fn teacher_login(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        app.student("omar", "mona").await;
        app.admin("root").await;
        let visitor = app.visitor();
        let login = async |body| visitor.post("/teacher/login/", body).await;
        assert_snapshot!("ok", login(credentials("mona", PASSWORD)).await);
        assert_snapshot!("admin", login(credentials("root", PASSWORD)).await);
        assert_snapshot!("other_case", login(json!({"email": "MONA@Example.com", "password": PASSWORD})).await);
        assert_snapshot!("wrong_password", login(credentials("mona", "not-the-password")).await);
        assert_snapshot!("unknown", login(credentials("nobody", PASSWORD)).await);
        assert_snapshot!("student", login(credentials("omar", PASSWORD)).await);
        assert_snapshot!("nothing", login(json!({})).await);
        assert_snapshot!("nonsense", login(json!({"email": "mona", "password": ""})).await);
        assert_snapshot!("too_long", login(credentials("mona", &"x".repeat(1_000_000))).await);
        edupro_core::accounts::admin::set_active(app.school(), "mona", false).await.unwrap();
        assert_snapshot!("closed", login(credentials("mona", PASSWORD)).await);
    }

    /// 1.2
    async fn student_login(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        app.teacher("hana").await;
        app.student("omar", "mona").await;
        let visitor = app.visitor();
        let login = async |teacher: &str, body| visitor.post(&format!("/student/login/{teacher}/"), body).await;
        assert_snapshot!("ok", login("MONA", credentials("omar", PASSWORD)).await);
        assert_snapshot!("nothing", login("nobody", json!({})).await);
        assert_snapshot!("unknown_teacher", login("nobody", credentials("omar", PASSWORD)).await);
        assert_snapshot!("teacher_is_a_student", login("omar", credentials("omar", PASSWORD)).await);
        assert_snapshot!("wrong_password", login("hana", credentials("omar", "not-the-password")).await);
        assert_snapshot!("not_registered", login("hana", credentials("omar", PASSWORD)).await);
        assert_snapshot!("a_teacher", login("mona", credentials("mona", PASSWORD)).await);
        mona.patch("/teacher/students/toggle-block/2/", json!({})).await;
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert_snapshot!("blocked", login("mona", credentials("omar", PASSWORD)).await);
    }

    /// 1.3
    async fn logout(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let out = async |browser: &Browser| browser.send(Method::POST, "/logout/", None, Body::empty()).await;
        assert_snapshot!("nobody", out(&app.visitor()).await);

        let stolen = mona.fork();
        let answer = out(&mona).await;
        assert_eq!(answer.header("content-length"), Some("37"));
        assert_snapshot!("ok", answer);
        assert_eq!(mona.cookie("access_token"), None);
        assert!(!is_signed_in(&stolen).await);
        assert_eq!(stolen.post("/token/refresh/", json!({})).await.status(), 401);

        mona.log_in_teacher("mona").await;
        mona.set_cookie("refresh_token", None);
        let stolen = mona.fork();
        assert_snapshot!("no_refresh_token", out(&mona).await);
        assert!(!is_signed_in(&stolen).await);

        mona.log_in_teacher("mona").await;
        mona.set_cookie("refresh_token", Some("nonsense"));
        assert_snapshot!("invalid_token", out(&mona).await);

        // The access token has expired; the refresh token is enough.
        mona.log_in_teacher("mona").await;
        app.clock().advance(TimeDelta::minutes(16));
        assert!(!is_signed_in(&mona).await);
        assert_eq!(out(&mona).await.status(), 205);
    }

    /// 1.3: another user's refresh token logs nobody else out.
    async fn logout_with_a_foreign_token(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        mona.set_cookie("refresh_token", hana.cookie("refresh_token").as_deref());
        let answer = mona.send(Method::POST, "/logout/", None, Body::empty()).await;
        assert_eq!(answer.status(), 400);
        assert!(is_signed_in(&hana).await);
        assert_eq!(hana.post("/token/refresh/", json!({})).await.status(), 200);
    }

    /// 1.4
    async fn teacher_refresh(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let refresh = async |browser: &Browser| browser.post("/token/refresh/", json!({})).await;
        let old = mona.fork();
        app.clock().advance(TimeDelta::minutes(16));
        assert!(!is_signed_in(&mona).await);
        assert_snapshot!("ok", refresh(&mona).await);
        assert!(is_signed_in(&mona).await);

        assert_snapshot!("no_token", refresh(&app.visitor()).await);
        let visitor = app.visitor();
        visitor.set_cookie("refresh_token", Some(""));
        assert_eq!(refresh(&visitor).await.to_string(), refresh(&app.visitor()).await.to_string());
        visitor.set_cookie("refresh_token", Some("nonsense"));
        assert_snapshot!("nonsense", refresh(&visitor).await);
        visitor.set_cookie("refresh_token", mona.cookie("access_token").as_deref());
        assert_snapshot!("access_token", refresh(&visitor).await);
        assert_snapshot!("student", refresh(&omar).await);

        // Another tab has the old token and 30 seconds to use it.
        app.clock().advance(TimeDelta::seconds(30));
        let tab = old.fork();
        assert_eq!(refresh(&tab).await.status(), 200);
        assert!(is_signed_in(&tab).await);
        assert_eq!(refresh(&tab).await.status(), 200);
        // After that its use ends the session.
        app.clock().advance(TimeDelta::seconds(31));
        assert_eq!(refresh(&old).await.status(), 401);
        assert!(!is_signed_in(&mona).await);
        assert_eq!(refresh(&mona).await.status(), 401);

        mona.log_in_teacher("mona").await;
        app.clock().advance(TimeDelta::days(8));
        assert_snapshot!("expired", refresh(&mona).await);
        mona.log_in_teacher("mona").await;
        edupro_core::accounts::admin::set_active(app.school(), "mona", false).await.unwrap();
        assert_snapshot!("closed", refresh(&mona).await);
    }

    /// 1.4: a refresh token is no access token.
    async fn wrong_kinds_of_tokens(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let refresh = mona.cookie("refresh_token");
        let access = mona.cookie("access_token").unwrap();
        mona.set_cookie("access_token", refresh.as_deref());
        assert!(!is_signed_in(&mona).await);
        // A stale cookie is nobody: public pages still work (behaviour G4).
        assert_eq!(mona.get("/teacher/teacher-profile/mona").await.status(), 200);
        let bearer = app.visitor().with_header("authorization", &format!("Bearer {access}"));
        assert!(is_signed_in(&bearer).await);
        let tampered = app.visitor().with_header("authorization", &format!("Bearer {access}x"));
        assert!(!is_signed_in(&tampered).await);
    }

    /// 1.5
    async fn student_refresh(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let refresh = async |browser: &Browser, teacher: &str| {
            browser.post(&format!("/student/refresh/{teacher}/"), json!({})).await
        };
        assert_snapshot!("ok", refresh(&omar, "mona").await);
        assert_snapshot!("no_token", refresh(&app.visitor(), "mona").await);
        let visitor = app.visitor();
        visitor.set_cookie("refresh_token", Some("nonsense"));
        assert_snapshot!("nonsense", refresh(&visitor, "mona").await);
        assert_snapshot!("a_teacher", refresh(&mona, "mona").await);
        assert_snapshot!("unknown_teacher", refresh(&omar, "nobody").await);
        assert_snapshot!("not_registered", refresh(&omar, "hana").await);
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert_snapshot!("blocked", refresh(&omar, "mona").await);
        // What was refused has used nothing up.
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert_eq!(refresh(&omar, "mona").await.status(), 200);
    }

    /// 1.6–1.8
    async fn password_reset(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let visitor = app.visitor();
        let request = async |body| visitor.post("/password-reset/request/", body).await;
        let verify = async |body| visitor.post("/password-reset/verify/", body).await;
        let confirm = async |body| visitor.post("/password-reset/confirm/", body).await;

        assert_snapshot!("request_nothing", request(json!({})).await);
        assert_snapshot!("request_unknown", request(json!({"email": "nobody@example.com"})).await);
        assert_snapshot!("request_ok", request(json!({"email": "MONA@example.com"})).await);
        let first = code_of(&app).await;
        assert_eq!(request(json!({"email": email("mona")})).await.status(), 200);
        let mails = app.mails().await;
        let mail = mails.last().unwrap();
        assert_snapshot!("mail", format!("To: {}\nSubject: {}\n\n{}", mail.to, mail.subject, mail.text));
        let code = mail.text["Your OTP code is: ".len()..][..6].to_owned();
        assert_ne!(first, code);

        let with = |code: &str| json!({"email": email("mona"), "otp": code});
        assert_snapshot!("verify_nothing", verify(json!({})).await);
        assert_snapshot!("verify_unknown", verify(json!({"email": "nobody@example.com", "otp": code})).await);
        assert_snapshot!("verify_replaced", verify(with(&first)).await);
        assert_snapshot!("verify_too_long", verify(with("ABCDEFG")).await);
        assert_snapshot!("verify_ok", verify(with(&code.to_lowercase())).await);

        let new = |code: &str, password: &str| {
            json!({"email": email("mona"), "otp": code, "new_password": password})
        };
        assert_snapshot!("confirm_nothing", confirm(json!({})).await);
        assert_snapshot!("confirm_weak", confirm(new(&code, "1234567")).await);
        assert_snapshot!("confirm_personal", confirm(new(&code, "mona@example.com")).await);
        assert_snapshot!("confirm_wrong", confirm(new("000000", "An0ther-Pass!")).await);
        assert_snapshot!("confirm_unknown", confirm(json!({"email": "nobody@example.com", "otp": code, "new_password": "An0ther-Pass!"})).await);
        assert_snapshot!("confirm_ok", confirm(new(&code, "An0ther-Pass!")).await);
        assert_snapshot!("confirm_again", confirm(new(&code, "An0ther-Pass!")).await);
        assert_eq!(app.mails().await.last().unwrap().subject, "Your password was changed");
        assert!(!is_signed_in(&mona).await);
        assert_eq!(visitor.post("/teacher/login/", credentials("mona", PASSWORD)).await.status(), 401);
        assert_eq!(visitor.post("/teacher/login/", credentials("mona", "An0ther-Pass!")).await.status(), 200);
    }

    /// 1.7: a code dies after ten minutes.
    async fn expired_code(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        let visitor = app.visitor();
        visitor.post("/password-reset/request/", json!({"email": email("mona")})).await;
        let code = code_of(&app).await;
        app.clock().advance(TimeDelta::minutes(10));
        let body = json!({"email": email("mona"), "otp": code, "new_password": "An0ther-Pass!"});
        assert_snapshot!("verify", visitor.post("/password-reset/verify/", body.clone()).await);
        assert_snapshot!("confirm", visitor.post("/password-reset/confirm/", body).await);
    }

    /// 1.7: five wrong tries make a right code void, whether or not limits are on.
    async fn guessed_code(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        let visitor = app.visitor();
        visitor.post("/password-reset/request/", json!({"email": email("mona")})).await;
        let code = code_of(&app).await;
        let verify = async |code: &str| {
            visitor.post("/password-reset/verify/", json!({"email": email("mona"), "otp": code})).await
        };
        for _ in 0..4 {
            assert_eq!(verify("000000").await.status(), 400);
            assert_eq!(verify(&code).await.status(), 200);
        }
        assert_eq!(verify("00").await.status(), 400);
        assert_eq!(verify(&code).await.json(), json!({"otp": ["Invalid OTP"]}));
    }

    /// 1.6: a mail server that is down changes no answer and loses no mail.
    async fn mail_server_down(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        app.mailer().refuse(true);
        let visitor = app.visitor();
        let request = visitor.post("/password-reset/request/", json!({"email": email("mona")})).await;
        assert_eq!(request.status(), 200);
        assert_eq!(app.mails().await, []);
        app.mailer().refuse(false);
        assert_eq!(app.mails().await, [], "the next try waits");
        app.clock().advance(TimeDelta::seconds(7));
        assert_eq!(app.mails().await.len(), 1);
        assert_eq!(app.work().await, 0);
    }

    /// 1.6: a code that nobody could read any more is not sent.
    async fn mail_too_late(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        app.visitor().post("/password-reset/request/", json!({"email": email("mona")})).await;
        app.clock().advance(TimeDelta::minutes(11));
        assert_eq!(app.mails().await, []);
        assert_eq!(app.work().await, 0);
    }

    /// 1.23
    async fn change_password(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let elsewhere = app.visitor();
        elsewhere.log_in_teacher("mona").await;
        let change = async |body| mona.put("/change-password/", body).await;
        let pair = |old: &str, new: &str| json!({"old_password": old, "new_password": new});
        assert_snapshot!("nobody", app.visitor().put("/change-password/", json!({})).await);
        assert_snapshot!("nothing", change(json!({})).await);
        assert_snapshot!("wrong", change(pair("not-the-password", "y")).await);
        assert_snapshot!("weak", change(pair(PASSWORD, "y")).await);
        assert_snapshot!("common", change(pair(PASSWORD, "password123")).await);
        assert_snapshot!("ok", change(pair(PASSWORD, " An0ther-Pass! ")).await);
        assert_snapshot!("patch", mona.patch("/change-password/", json!({})).await);
        assert!(is_signed_in(&mona).await);
        assert!(!is_signed_in(&elsewhere).await);
        assert_eq!(app.mails().await.last().unwrap().subject, "Your password was changed");
        // Passwords are taken as they were typed.
        let login = async |password: &str| {
            app.visitor().post("/teacher/login/", credentials("mona", password)).await.status()
        };
        assert_eq!(login("An0ther-Pass!").await, 401);
        assert_eq!(login(" An0ther-Pass! ").await, 200);
    }

    /// With one more than ten sessions the oldest ends (security R11).
    async fn eleven_sessions(school) {
        let app = school.start().await;
        let first = app.teacher("mona").await;
        app.clock().advance(TimeDelta::seconds(1));
        for _ in 0..9 {
            app.visitor().log_in_teacher("mona").await;
        }
        assert!(is_signed_in(&first).await);
        app.visitor().log_in_teacher("mona").await;
        assert!(!is_signed_in(&first).await);
    }

    /// `auth.single_session`: a student's log-in ends the student's others.
    async fn single_session(school) {
        let app = school.settings(|settings| settings.single_session = true).start().await;
        let mona = app.teacher("mona").await;
        app.visitor().log_in_teacher("mona").await;
        assert!(is_signed_in(&mona).await);
        let omar = app.student("omar", "mona").await;
        app.visitor().log_in_student("omar", "mona").await;
        assert!(!is_signed_in(&omar).await);
    }

    /// Five wrong passwords, then not even the right one (security R4).
    async fn throttled_login(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        app.teacher("mona").await;
        let visitor = app.visitor();
        let login = async |password: &str| {
            visitor.post("/teacher/login/", credentials("mona", password)).await
        };
        // Successes do not count.
        for _ in 0..10 {
            assert_eq!(login(PASSWORD).await.status(), 200);
        }
        for _ in 0..5 {
            assert_eq!(login("not-the-password").await.status(), 401);
        }
        assert_snapshot!("refused", login(PASSWORD).await);
        assert_eq!(login(PASSWORD).await.status(), 429);
        app.clock().advance(TimeDelta::minutes(15));
        assert_eq!(login(PASSWORD).await.status(), 200);
    }

    /// Three codes an hour (security R5), for addresses that nobody has too.
    async fn throttled_reset(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        app.teacher("mona").await;
        for (email, status) in [("mona@example.com", 200), ("nobody@example.com", 400)] {
            let request = async || {
                app.visitor().post("/password-reset/request/", json!({"email": email})).await.status()
            };
            for _ in 0..3 {
                assert_eq!(request().await, status);
            }
            assert_eq!(request().await, 429);
        }
    }

    /// `auth.uniform_reset_response`: nobody learns who exists.
    async fn uniform_reset(school) {
        let app = school.settings(|settings| settings.uniform_reset_response = true).start().await;
        app.teacher("mona").await;
        let request = async |email: &str| {
            app.visitor().post("/password-reset/request/", json!({"email": email})).await.to_string()
        };
        assert_eq!(request("nobody@example.com").await, request("mona@example.com").await);
    }
}
