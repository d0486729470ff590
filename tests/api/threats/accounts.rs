//! 2.1: log-ins, tokens, codes, registrations, profiles.

use aws_lc_rs::hmac;
use axum::{body::Body, http::Method};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use edupro_http::testkit::{Answer, Browser, PASSWORD, PUBLIC_URL, Part, TestApp, email, person};
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Before, Told};
use crate::{
    races::{at_once, count},
    support::{coupons, course, enroll, lesson, module, on_both_engines, picture},
};

const TEACHER_LOGIN: &str = "/teacher/login/";
const STUDENT_LOGIN: &str = "/student/login/mona/";
const REQUEST: &str = "/password-reset/request/";
const VERIFY: &str = "/password-reset/verify/";
const CONFIRM: &str = "/password-reset/confirm/";
const CHANGE: &str = "/change-password/";

fn credentials(username: &str, password: &str) -> Value {
    json!({"email": email(username), "password": password})
}

/// Asks for a code and reads it in the mail.
async fn code(app: &TestApp, username: &str) -> String {
    let answer = app.visitor().post(REQUEST, json!({"email": email(username)})).await;
    assert_eq!(answer.status(), 200, "{answer}");
    let mails = app.mails().await;
    assert_eq!(mails.last().unwrap().to, email(username));
    mails.last().unwrap().text["Your OTP code is: ".len()..][..6].to_owned()
}

async fn verify(app: &TestApp, username: &str, code: &str) -> Answer {
    app.visitor().post(VERIFY, json!({"email": email(username), "otp": code})).await
}

async fn confirm(app: &TestApp, username: &str, code: &str, password: &str) -> Answer {
    let body = json!({"email": email(username), "otp": code, "new_password": password});
    app.visitor().post(CONFIRM, body).await
}

/// Makes tokens as the school does: whoever has its secret could.
struct Forger {
    header: Value,
    claims: Value,
    key: [u8; 32],
}

impl Forger {
    /// Somebody who has read a token, and knows the secret of a test.
    fn with(token: &str) -> Self {
        let mut parts = token.split('.').map(|part| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
            serde_json::from_slice(&bytes).unwrap_or_default()
        });
        let secret = b"the secret of a test, thirty-two bytes or more";
        let master = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let key = hmac::sign(&master, b"edupro tokens v1").as_ref().try_into().unwrap();
        Self { header: parts.next().unwrap(), claims: parts.next().unwrap(), key }
    }

    fn sign(&self, header: Value, claims: Value, algorithm: hmac::Algorithm) -> String {
        let changed = |mut value: Value, changes: Value| {
            for (name, change) in changes.as_object().unwrap() {
                match change {
                    Value::Null => value.as_object_mut().unwrap().remove(name),
                    change => value.as_object_mut().unwrap().insert(name.clone(), change.clone()),
                };
            }
            BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
        };
        let signed = format!(
            "{}.{}",
            changed(self.header.clone(), header),
            changed(self.claims.clone(), claims)
        );
        let tag = hmac::sign(&hmac::Key::new(algorithm, &self.key), signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    }

    /// With these claims other than they were; null takes one away.
    fn claim(&self, claims: Value) -> String {
        self.sign(json!({}), claims, hmac::HMAC_SHA256)
    }
}

/// The statuses with which a token is answered as a cookie, as a bearer token and as a refresh.
async fn present(app: &TestApp, token: &str) -> [u16; 4] {
    let cookie = app.visitor();
    cookie.set_cookie("access_token", Some(token));
    let bearer = app.visitor().with_header("authorization", &format!("Bearer {token}"));
    let refresh = app.visitor();
    refresh.set_cookie("refresh_token", Some(token));
    [
        cookie.get("/teacher/revenue/").await.status(),
        bearer.get("/teacher/revenue/").await.status(),
        refresh.post("/token/refresh/", json!({})).await.status(),
        refresh.post("/student/refresh/mona/", json!({})).await.status(),
    ]
}

/// The header of a picture that is 12,500 pixels wide and high, and nothing more.
fn bomb() -> Vec<u8> {
    let mut png = picture(ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0x30, 0xd4, 0, 0, 0x30, 0xd4]);
    png
}

on_both_engines! {
    /// Links are made of the configured address, whatever a request says of its host.
    async fn links_ignore_the_host(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let logo = picture(ImageFormat::Png);
        let parts = [Part::File("logo", "l.png", &logo)];
        mona.multipart(Method::PATCH, "/teacher/update-profile/", &parts).await;
        for _ in 0..7 {
            course(&mona, json!({})).await;
        }
        coupons(&mona, 12, "5").await;
        for (name, value) in [
            ("host", "evil.example"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "evil"),
            ("x-forwarded-prefix", "/evil"),
            ("x-original-url", "/evil"),
            ("x-rewrite-url", "/evil"),
            ("forwarded", "for=1.1.1.1;host=evil.example;proto=evil"),
        ] {
            let attacker = mona.with_header(name, value);
            for path in [
                "",
                "/course/list/",
                "/coupon/list/",
                "/teacher/teacher-profile/",
                "/openapi.json",
            ] {
                let answer = attacker.get(path).await;
                assert_eq!(answer.to_string(), mona.get(path).await.to_string());
                assert_eq!(answer.status(), 200);
            }
        }
        let page = mona.get("/course/list/").await.json();
        assert_eq!(page["next"], format!("{PUBLIC_URL}/api/v1/course/list/?page=2"));
    }

    /// A student's log-in says nothing of who belongs to whom before the password is right.
    async fn logins_keep_secrets(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        app.teacher("hana").await;
        for username in ["active", "blocked", "removed"] {
            app.student(username, "mona").await;
        }
        app.student("other", "hana").await;
        mona.patch("/teacher/students/toggle-block/4/", json!({})).await;
        mona.delete("/teacher/students/remove/5/").await;
        let mut before = Before::of(&app).await;
        let visitor = app.visitor();
        let everybody = ["active", "blocked", "removed", "other", "mona", "nobody"];
        for password in ["not-the-password", "", &"x".repeat(129), &"x".repeat(1_000_000)] {
            let mut answers = Vec::new();
            for username in everybody {
                let answer = visitor.post(STUDENT_LOGIN, credentials(username, password)).await;
                assert!(matches!(answer.status(), 400 | 401), "{answer}");
                answers.push(answer.to_string());
            }
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
        }
        let mut told = Told::default();
        for username in &everybody[1..] {
            told.note(username, &visitor.post(STUDENT_LOGIN, credentials(username, PASSWORD)).await);
        }
        assert_snapshot!("with_the_password", told.text());
        // A teacher's door is shut to all of them, in the same words as for a wrong password.
        let wrong = visitor.post(TEACHER_LOGIN, credentials("mona", "not-the-password")).await;
        for username in ["active", "blocked", "removed", "other", "nobody"] {
            let answer = visitor.post(TEACHER_LOGIN, credentials(username, PASSWORD)).await;
            assert_eq!(answer.to_string(), wrong.to_string());
        }
        before.assert_same("log-ins").await;
    }

    /// The same five guesses at every door, and a header that names another address gives no more
    /// (security R4, R8).
    async fn guesses_at_every_door(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        let mona = app.teacher("mona").await;
        let mut before = Before::of(&app).await;
        let mut address = 0;
        let mut elsewhere = |browser: &Browser| {
            address += 1;
            browser.with_header("x-forwarded-for", &format!("203.0.113.{address}"))
        };
        let wrong = credentials("mona", "wrong-one");
        let visitor = app.visitor();
        for path in [TEACHER_LOGIN, STUDENT_LOGIN, TEACHER_LOGIN, STUDENT_LOGIN] {
            assert_eq!(elsewhere(&visitor).post(path, wrong.clone()).await.status(), 401);
        }
        // A stolen session is no way to try passwords either.
        let change = |old: &str| json!({"old_password": old, "new_password": "An0ther-Pass!"});
        assert_eq!(elsewhere(&mona).put(CHANGE, change("wrong-one")).await.status(), 400);
        for path in [TEACHER_LOGIN, STUDENT_LOGIN] {
            let answer = elsewhere(&visitor).post(path, credentials("mona", PASSWORD)).await;
            assert_eq!(answer.status(), 429, "{answer}");
            assert!(answer.header("retry-after").is_some());
        }
        assert_snapshot!("refused", elsewhere(&mona).put(CHANGE, change(PASSWORD)).await);
        before.assert_same("guesses").await;
    }

    /// Forty guesses at an old password, at once, with a stolen session: five verdicts at most.
    async fn guesses_with_a_stolen_session(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        let mona = app.teacher("mona").await;
        let mut before = Before::of(&app).await;
        let answers = at_once(40, |number| {
            let mona = mona.clone();
            let body = json!({"old_password": format!("Guess-{number}"), "new_password": "An0ther-Pass!"});
            async move { mona.put(CHANGE, body).await }
        }).await;
        assert!(count(&answers, 400) <= 5, "{}", count(&answers, 400));
        assert_eq!(count(&answers, 400) + count(&answers, 429), 40);
        before.assert_same("guesses").await;
    }

    /// A token is what the school signed, for what it signed it, and nothing else (security R9).
    async fn forged_tokens(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let access = mona.cookie("access_token").unwrap();
        let refresh = mona.cookie("refresh_token").unwrap();
        let forger = Forger::with(&access);
        let mut before = Before::of(&app).await;
        // Whoever has the secret can make one: so the others are refused for what is wrong with them.
        assert_eq!(present(&app, &forger.claim(json!({}))).await, [200, 200, 401, 401]);
        assert_eq!(forger.claim(json!({})).split('.').count(), 3);

        let now = app.school().clock.now().timestamp();
        let (head, rest) = access.split_once('.').unwrap();
        let (body, signature) = rest.split_once('.').unwrap();
        let unsigned = |algorithm: &str| {
            let token = forger.sign(json!({"alg": algorithm}), json!({}), hmac::HMAC_SHA256);
            token.rsplit_once('.').unwrap().0.to_owned()
        };
        let other_key = Forger { key: [7; 32], ..Forger::with(&access) };
        let of_refresh = Forger::with(&refresh);
        let mut false_tokens = vec![
            ("another key", other_key.claim(json!({}))),
            ("another key, named", other_key.sign(json!({"kid": "0"}), json!({}), hmac::HMAC_SHA256)),
            ("no kid", forger.sign(json!({"kid": null}), json!({}), hmac::HMAC_SHA256)),
            ("a kid that is a path", forger.sign(json!({"kid": "../../dev/null"}), json!({}), hmac::HMAC_SHA256)),
            ("a key in the header", forger.sign(json!({"kid": "x", "jwk": {"kty": "oct", "k": "AA"}, "jku": "http://evil.example"}), json!({}), hmac::HMAC_SHA256)),
            ("HS512", forger.sign(json!({"alg": "HS512"}), json!({}), hmac::HMAC_SHA512)),
            ("HS384", forger.sign(json!({"alg": "HS384"}), json!({}), hmac::HMAC_SHA384)),
            ("RS256", forger.sign(json!({"alg": "RS256"}), json!({}), hmac::HMAC_SHA256)),
            ("expired", forger.claim(json!({"exp": now - 6}))),
            ("never expires", forger.claim(json!({"exp": null}))),
            ("expires with a text", forger.claim(json!({"exp": "never"}))),
            ("another issuer", forger.claim(json!({"iss": "evil"}))),
            ("no issuer", forger.claim(json!({"iss": null}))),
            ("another audience", forger.claim(json!({"aud": "evil"}))),
            ("no audience", forger.claim(json!({"aud": null}))),
            ("another type", forger.claim(json!({"typ": "admin"}))),
            ("no type", forger.claim(json!({"typ": null}))),
            ("no session", forger.claim(json!({"sid": null}))),
            ("an unknown session", forger.claim(json!({"sid": "00000000-0000-7000-8000-000000000000"}))),
            ("changed body", format!("{head}.{body}AA.{signature}")),
            ("cut signature", format!("{head}.{body}.{}", &signature[..40])),
            ("no signature", format!("{head}.{body}.")),
            ("two parts", format!("{head}.{body}")),
            ("four parts", format!("{access}.{signature}")),
            ("nonsense", "x".repeat(4_000)),
        ];
        for algorithm in ["none", "None", "NONE", "nOnE", ""] {
            false_tokens.push(("no algorithm, no signature", format!("{}.", unsigned(algorithm))));
            false_tokens.push(("no algorithm", format!("{}.{signature}", unsigned(algorithm))));
        }
        for (what, token) in &false_tokens {
            assert_eq!(present(&app, token).await, [401; 4], "{what}: {token}");
        }
        // A refresh token whose type is swapped was signed for nothing.
        assert_eq!(present(&app, &refresh.replace("eyJ", "eyK")).await, [401; 4]);
        let old = of_refresh.claim(json!({"typ": "access", "exp": now - 6}));
        assert_eq!(present(&app, &old).await, [401; 4]);
        before.assert_same("forged tokens").await;
    }

    /// An old refresh token ends the session when it is used, wherever that is, and logs nobody else
    /// out (security R10).
    async fn stolen_refresh_tokens(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let thief = mona.fork();
        thief.set_cookie("access_token", None);
        let refresh = async |browser: &Browser| browser.post("/token/refresh/", json!({})).await;
        let out = async |browser: &Browser| browser.send(Method::POST, "/logout/", None, Body::empty()).await;
        for _ in 0..2 {
            app.clock().advance(TimeDelta::seconds(1));
            assert_eq!(refresh(&mona).await.status(), 200);
        }
        // Two generations old, though only two seconds: no grace. It does not log its owner out …
        let mut before = Before::of(&app).await;
        let mut told = Told::default();
        told.note("log-out", &out(&thief.fork()).await);
        before.assert_same("a log-out with an old token").await;
        // … nor does it help to bring one's own session along, or somebody else's.
        let with_own = app.visitor();
        with_own.log_in_teacher("hana").await;
        with_own.set_cookie("refresh_token", thief.cookie("refresh_token").as_deref());
        told.note("log-out with another session", &out(&with_own).await);
        assert_eq!(mona.get("/teacher/revenue/").await.status(), 200);
        // Its use as a refresh ends the family: thief and owner have to log in.
        told.note("refresh", &refresh(&thief).await);
        told.note("the owner's refresh", &refresh(&mona).await);
        told.note("the owner's access", &mona.get("/teacher/revenue/").await);
        assert_snapshot!("told", told.text());
        assert_eq!(hana.get("/teacher/revenue/").await.status(), 200);
    }

    /// Nobody writes a mail's header: neither a name, nor an address, nor a code.
    async fn mails_have_our_headers_only(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        app.student("omar", "mona").await;
        let mut before = Before::of(&app).await;
        let breaks = ["\r\nBcc: all@evil.example", "\nX: y", "\rX: y", "\r\n\r\nBody", "\u{b}X", "\u{85}X", "\u{2028}X"];
        let mut told = Told::default();
        for (number, line_break) in breaks.iter().enumerate() {
            let mut newcomer = person("attacker");
            newcomer["phone"] = "0999".into();
            for field in ["first_name", "last_name", "username", "email"] {
                let mut body = newcomer.clone();
                body[field] = format!("{}{line_break}", body[field].as_str().unwrap()).into();
                // Line separators of Unicode are characters like others where a name is written.
                if body[field].as_str().unwrap().contains(['\u{85}', '\u{2028}']) && field.ends_with("_name") {
                    continue;
                }
                let answer = app.visitor().post("/teacher/teacher-register/", body).await;
                assert_eq!(answer.status(), 400, "{field}: {answer}");
                if number == 0 {
                    told.note(field, &answer);
                }
            }
            for address in [format!("{}{line_break}", email("mona")), format!("mona{line_break}@example.com")] {
                let answer = app.visitor().post(REQUEST, json!({"email": address})).await;
                assert_eq!(answer.status(), 400, "{answer}");
            }
        }
        for many in ["mona@example.com,evil@evil.example", "mona@example.com;evil@evil.example", "<mona@example.com>", "Mona <mona@example.com>"] {
            let answer = app.visitor().post(REQUEST, json!({"email": many})).await;
            assert_eq!(answer.status(), 400, "{answer}");
        }
        told.note("several", &app.visitor().post(REQUEST, json!({"email": ["mona@example.com", "evil@evil.example"]})).await);
        told.note("full_name", &mona.patch("/teacher/update-profile/", json!({"full_name": "Mona\r\nBcc: x"})).await);
        assert_snapshot!("told", told.text());
        before.assert_same("broken lines").await;
        assert_eq!(app.mails().await, []);
    }

    /// Whoever asks for a code with a look-alike of an address gets none: the mail goes to the owner.
    async fn codes_go_to_the_owner(school) {
        let app = school.start().await;
        app.teacher("mike").await;
        // The Kelvin sign is a k in lower case, as the dotless i and the long s are in upper case.
        for (twin, reaches_mike) in [
            ("mi\u{212a}e@example.com", true),
            ("m\u{131}ke@example.com", false),
            ("ｍike@example.com", false),
            ("mike@examp\u{142}e.com", false),
            ("mike+1@example.com", false),
        ] {
            let answer = app.visitor().post(REQUEST, json!({"email": twin})).await;
            assert_eq!(answer.status(), if reaches_mike { 200 } else { 400 }, "{twin}: {answer}");
            for mail in app.mails().await {
                assert_eq!(mail.to, email("mike"));
            }
        }
    }

    /// Forty guesses at a code at once make it void, and nothing else (security R6).
    async fn guesses_at_a_code(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        let right = code(&app, "mona").await;
        let mut before = Before::of(&app).await;
        let answers = at_once(40, |number| {
            let visitor = app.visitor();
            let guess = json!({
                "email": email("mona"), "otp": format!("{number:06}"), "new_password": "An0ther-Pass!",
            });
            let path = if number % 2 == 0 { VERIFY } else { CONFIRM };
            async move { visitor.post(path, guess).await }
        }).await;
        assert_eq!(count(&answers, 400), 40, "{answers:?}");
        before.assert_only(&["password_resets"]).await;
        assert_snapshot!("right_code", confirm(&app, "mona", &right, "An0ther-Pass!").await);
        before.assert_same("a void code").await;
        assert_eq!(app.visitor().post(TEACHER_LOGIN, credentials("mona", PASSWORD)).await.status(), 200);
    }

    /// A code opens the account it was made for, and what is wrong with the new password costs no try.
    async fn codes_of_others(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        app.teacher("hana").await;
        let monas = code(&app, "mona").await;
        let hanas = code(&app, "hana").await;
        let mut before = Before::of(&app).await;
        for weak in ["", "1234567", "password123", "mona@example.com", &"x".repeat(129)] {
            for _ in 0..2 {
                assert_eq!(confirm(&app, "mona", &monas, weak).await.status(), 400);
            }
        }
        before.assert_same("weak passwords").await;
        let mut told = Told::default();
        told.note("verify", &verify(&app, "mona", &hanas).await);
        told.note("confirm", &confirm(&app, "mona", &hanas, "An0ther-Pass!").await);
        told.note("of nobody", &confirm(&app, "nobody", &hanas, "An0ther-Pass!").await);
        told.note("a list", &app.visitor().post(CONFIRM, json!({
            "email": email("mona"), "otp": [monas], "new_password": "An0ther-Pass!",
        })).await);
        assert_snapshot!("told", told.text());
        before.assert_only(&["password_resets"]).await;
        assert_eq!(confirm(&app, "mona", &monas, "An0ther-Pass!").await.status(), 200);
        // Hana's is still hers.
        assert_eq!(verify(&app, "hana", &hanas).await.status(), 200);
        assert_eq!(app.visitor().post(TEACHER_LOGIN, credentials("hana", PASSWORD)).await.status(), 200);
    }

    /// Nobody takes somebody's name in another spelling, and a name is no path.
    async fn twins(school) {
        let app = school.start().await;
        app.teacher("mike").await;
        let mut before = Before::of(&app).await;
        let mut told = Told::default();
        let mut attack = async |field: &str, value: &str| {
            let mut body = person("newcomer");
            body["phone"] = "0999".into();
            body[field] = value.into();
            for path in ["/teacher/teacher-register/", "/student/student-register/mike"] {
                let mut body = body.clone();
                body["parent_phone"] = "0998".into();
                let answer = app.visitor().post(path, body).await;
                let shown: String = value.chars().take(40).collect();
                assert_eq!(answer.status(), 400, "{field} {shown}: {answer}");
                if path.starts_with("/teacher") {
                    told.note(&format!("{field} {shown:?}"), &answer);
                }
            }
        };
        for username in [
            "mike", "MIKE", "mi\u{212a}e", "ｍike", "mіke", "m\u{131}ke", "mike\u{200b}", "mike\u{301}", "\u{202e}ekim",
            "../mike", "mike/..", "%2e%2e", "mike\0", "mi\u{1b}ke", "attempts", "", &"m".repeat(300),
        ] {
            attack("username", username).await;
        }
        for address in [
            "mike@example.com", "MIKE@EXAMPLE.COM", "mi\u{212a}e@example.com", "mike@example.com\0",
            "mike", "a@b", &format!("{}@example.com", "m".repeat(300)),
        ] {
            attack("email", address).await;
        }
        for name in ["", " ", "\0", "Mike\u{1b}[31m", &"m".repeat(31)] {
            attack("first_name", name).await;
        }
        assert_snapshot!("told", told.text());
        before.assert_same("twins").await;
    }

    /// A picture is judged by its header, wherever one is sent, and nobody is made with it.
    async fn bombs(school) {
        let app = school.start().await;
        let root = app.admin("root").await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let module_id = module(&mona, &course(&mona, json!({})).await, json!({})).await;
        let mut before = Before::of(&app).await;
        let (bomb, svg) = (bomb(), b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>");
        let names = ["first_name", "last_name", "username", "email", "phone", "password1", "password2"];
        let newcomer = ["Bo", "Mb", "bomb", "bomb@example.com", "0999", PASSWORD, PASSWORD];
        let fields: Vec<_> = names.into_iter().zip(newcomer).map(|(name, value)| Part::Text(name, value)).collect();
        for (file, content) in [("b.png", &bomb[..]), ("s.svg", svg), ("s.png", svg), ("../../x.png", b"<script>")] {
            for (who, method, path, field) in [
                (&app.visitor(), Method::POST, "/teacher/teacher-register/".to_owned(), "avatar"),
                (&root, Method::POST, "/course/category/create/".to_owned(), "icon"),
                (&mona, Method::PATCH, "/teacher/update-profile/".to_owned(), "logo"),
                (&omar, Method::PATCH, "/student/update-profile/".to_owned(), "profile_picture"),
                (&mona, Method::POST, "/course/create/".to_owned(), "thumbnail"),
                (&mona, Method::PATCH, format!("/modules/{module_id}/update/"), "image"),
            ] {
                let parts = [&fields[..], &[
                    Part::Text("name", "Bomb"), Part::Text("title", "Bomb"), Part::Text("description", "Bomb"),
                    Part::File(field, file, content),
                ]].concat();
                let answer = who.multipart(method, &path, &parts).await;
                assert_eq!(answer.status(), 400, "{file} at {path}: {answer}");
                assert!(answer.json()[field].is_array(), "{answer}");
            }
        }
        before.assert_same("pictures").await;
    }

    /// Joining never unblocks, and gives nothing but the relation. Whoever is removed and joins again
    /// has again what was paid for: access is cut by the relation.
    async fn joining(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        app.teacher("hana").await;
        let [blocked, removed, other] =
            [app.student("blocked", "mona").await, app.student("removed", "mona").await, app.student("other", "hana").await];
        let waves = course(&mona, json!({"price": "50"})).await;
        let echo = lesson(&mona, &module(&mona, &waves, json!({})).await, json!({})).await;
        for username in ["blocked", "removed"] {
            enroll(&app, username, &waves, None).await;
        }
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        mona.delete("/teacher/students/remove/4/").await;
        let mut before = Before::of(&app).await;
        let mut told = Told::default();
        let show = async |who: &Browser| who.get(&format!("/lessons/{echo}/")).await;
        told.note("blocked before", &show(&blocked).await);
        told.note("removed before", &show(&removed).await);
        told.note("blocked joins", &blocked.post("/join-teacher/mona/", json!({"is_active": true})).await);
        told.note("a student's name", &blocked.post("/join-teacher/other/", json!({})).await);
        told.note("a path", &blocked.post("/join-teacher/..%2f..%2fmona/", json!({})).await);
        told.note("by get", &removed.get("/join-teacher/mona/").await);
        told.note("from another site", &removed.with_header("origin", "https://evil.example").post("/join-teacher/mona/", json!({})).await);
        before.assert_same("joining").await;
        told.note("blocked after", &show(&blocked).await);
        told.note("removed joins", &removed.post("/join-teacher/mona/", json!({})).await);
        told.note("other joins", &other.post("/join-teacher/mona/", json!({})).await);
        before.assert_only(&["teacher_students", "row_counts"]).await;
        told.note("removed after", &show(&removed).await);
        told.note("other after", &show(&other).await);
        assert_snapshot!("told", told.text());
    }

    /// What people write is kept letter by letter and answered as JSON; what a page would put into a
    /// style is a colour; and it is not too long.
    async fn texts_of_profiles(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let evil = "</script><script>alert(1)</script>\"';--&<img src=x onerror=alert(1)>\u{202e}{{7*7}}";
        for (who, path) in [(&mona, "/teacher/update-profile/"), (&omar, "/student/update-profile/")] {
            let answer = who.patch(path, json!({"bio": evil, "city": evil})).await;
            assert_eq!((answer.status(), &answer.json()["bio"]), (200, &json!(evil)));
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        }
        let shown = app.visitor().get("/teacher/teacher-profile/mona").await;
        assert_eq!(shown.json()["bio"], evil);
        let mut before = Before::of(&app).await;
        for color in [
            "\";}", "#fff;}body{}", "#ffffff\"", "red", "url(//evil)", "#ggg", "#12345", "#١٢٣", "#fff\0", "rgb(0,0,0)",
        ] {
            for field in ["primary_color", "accent_color", "background_color"] {
                let answer = mona.patch("/teacher/update-profile/", json!({field: color})).await;
                assert_eq!((answer.status(), answer.json()[field].is_array()), (400, true), "{color}: {answer}");
            }
        }
        for (length, status) in [(10_001, 400), (2 * 1024 * 1024, 413), (10 * 1024 * 1024, 413)] {
            for (who, path) in [(&mona, "/teacher/update-profile/"), (&omar, "/student/update-profile/")] {
                let answer = who.patch(path, json!({"bio": "x".repeat(length)})).await;
                assert_eq!(answer.status(), status, "{length}: {answer}");
            }
        }
        before.assert_same("texts").await;
    }
}
