//! What holds for every path: slashes, methods, bodies, headers, origins.

use axum::{body::Body, http::Method};
use edupro_http::testkit::PUBLIC_URL;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::on_both_engines;

on_both_engines! {
    /// 1.0
    async fn index(school) {
        let app = school.start().await;
        let visitor = app.visitor();
        let answer = visitor.get("").await;
        assert_snapshot!("ok", answer);
        assert_eq!(visitor.get("/").await.to_string(), answer.to_string());
        visitor.set_cookie("access_token", Some("stale"));
        assert_eq!(visitor.get("").await.to_string(), answer.to_string());
    }

    /// Behaviour G1: with and without the last slash, and nothing else.
    async fn paths(school) {
        let app = school.start().await;
        let visitor = app.visitor();
        for (with, without) in [
            ("/teacher/login/", "/teacher/login"),
            ("/password-reset/request/", "/password-reset/request"),
            ("/student/student-register/nobody/", "/student/student-register/nobody"),
        ] {
            let answer = visitor.post(with, json!({})).await;
            assert!(answer.status() < 500 && !(300..400).contains(&answer.status()));
            assert_eq!(answer.to_string(), visitor.post(without, json!({})).await.to_string());
        }
        assert_snapshot!("unknown", visitor.get("/no/such/path/").await);
        assert_snapshot!("unknown_at_root", visitor.get(&format!("{PUBLIC_URL}/")).await);
        assert_snapshot!("method", visitor.get("/teacher/login/").await);
        assert_snapshot!("options", visitor.send(Method::OPTIONS, "/teacher/login/", None, Body::empty()).await);
        let head = visitor.send(Method::HEAD, "", None, Body::empty()).await;
        assert_eq!((head.status(), head.bytes()), (200, &b""[..]));
        for path in ["/healthz", "/readyz"] {
            assert_eq!(visitor.get(&format!("{PUBLIC_URL}{path}")).await.status(), 200);
        }
        app.edupro().stop_accepting();
        let unready = visitor.get(&format!("{PUBLIC_URL}/readyz")).await;
        assert_eq!((unready.status(), unready.header("retry-after")), (503, Some("1")));
    }

    /// Behaviour G2
    async fn bodies(school) {
        let app = school.start().await;
        let visitor = app.visitor();
        let send = async |content_type: Option<&str>, body: &str| {
            visitor.send(Method::POST, "/teacher/login/", content_type, body.to_owned().into()).await
        };
        let json = async |body: &str| send(Some("application/json"), body).await;
        assert_snapshot!("not_json", json("{").await);
        assert_snapshot!("trailing", json("{} x").await);
        assert_snapshot!("list", json("[]").await);
        assert_snapshot!("text", json("\"a\"").await);
        assert_snapshot!("null", json("null").await);
        assert_snapshot!("nothing", json("").await);
        assert_snapshot!("last_key_wins", json(r#"{"email": "a", "email": null, "password": 5}"#).await);
        assert_snapshot!("other_type", send(Some("text/plain"), "email=a").await);
        assert_snapshot!("no_type", send(None, "email=a").await);
        assert_eq!(send(Some("text/plain"), "").await.status(), 400);
        assert_snapshot!("too_large", json(&" ".repeat(1024 * 1024 + 1)).await);
        assert_eq!(json(&format!("{{\"a\": {}1{}}}", "[".repeat(64), "]".repeat(64))).await.status(), 400);
        let deep = json(&format!("{{\"a\": {}1{}}}", "[".repeat(60_000), "]".repeat(60_000))).await;
        assert!(deep.json()["detail"].as_str().unwrap().starts_with("JSON parse error - "), "{deep}");
        assert_snapshot!("not_a_form", send(Some("multipart/form-data"), "x").await);
        assert_snapshot!("cut_off_form", send(Some("multipart/form-data; boundary=b"), "--b\r\nContent-Disp").await);
        assert_snapshot!("not_utf8", visitor.send(Method::POST, "/teacher/login/", Some("application/json"), b"{\"email\": \"\xff\"}".to_vec().into()).await);
        let parts = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(65) + "--b--\r\n";
        assert_snapshot!("many_parts", send(Some("multipart/form-data; boundary=b"), &parts).await);
        let pairs = async |count: usize| {
            send(Some("application/x-www-form-urlencoded"), &"a=1&".repeat(count)).await
        };
        let told = pairs(65).await.json()["detail"].clone();
        assert_eq!(told, "Form parse error - too many fields");
        assert_eq!(pairs(64).await.json()["detail"], Value::Null);
    }

    /// Behaviour G14, security R14–R16
    async fn headers(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let answer = mona.get("/teacher/revenue/").await;
        for (name, value) in [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("cross-origin-resource-policy", "same-site"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
            let missing = mona.get("/no/such/path").await;
            assert_eq!(missing.header(name), Some(value), "{name}");
        }
        assert!(answer.header("x-request-id").is_some());
        let proxied = mona.with_header("x-request-id", "from-the-proxy");
        let given = proxied.put("/change-password/", json!({})).await;
        assert_eq!(given.header("x-request-id"), Some("from-the-proxy"));
    }

    /// Security R14, R15
    async fn origins(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let change = async |name: &'static str, value: &str| {
            mona.with_header(name, value).put("/change-password/", json!({})).await
        };
        assert_snapshot!("foreign", change("origin", "http://evil.example").await);
        for foreign in ["null", "", "http:", "http:/", "http://", "http://school", "http://school.example.evil.example", "https://school.example", "http://school.exampl"] {
            assert_eq!(change("origin", foreign).await.status(), 403, "{foreign}");
        }
        assert_eq!(change("sec-fetch-site", "cross-site").await.status(), 403);
        assert_eq!(change("sec-fetch-site", "same-site").await.status(), 403);
        for own in ["http://school.example", "http://localhost:5173"] {
            assert_eq!(change("origin", own).await.status(), 400, "{own}");
        }
        assert_eq!(change("sec-fetch-site", "same-origin").await.status(), 400);

        let from = async |origin: &str| mona.with_header("origin", origin).get("/teacher/revenue/").await;
        let allowed = from("http://localhost:5173").await;
        assert_eq!(allowed.header("access-control-allow-origin"), Some("http://localhost:5173"));
        assert_eq!(allowed.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(from("http://evil.example").await.header("access-control-allow-origin"), None);
        let preflight = mona
            .with_header("origin", "http://localhost:5173")
            .with_header("access-control-request-method", "PATCH")
            .send(Method::OPTIONS, "/teacher/update-profile/", None, Body::empty())
            .await;
        assert_eq!(preflight.status(), 200);
        assert_eq!(preflight.header("access-control-max-age"), Some("600"));
        // Another site cannot make a browser send a bearer token, so it needs no origin.
        let token = mona.cookie("access_token").unwrap();
        let bearer = app.visitor()
            .with_header("authorization", &format!("Bearer {token}"))
            .with_header("origin", "http://evil.example");
        assert_eq!(bearer.put("/change-password/", json!({})).await.status(), 400);
    }

    /// Links come from the configured URL, never from a host that a request names.
    async fn hosts(school) {
        let app = school.start().await;
        let visitor = app.visitor().with_header("host", "evil.example").with_header("x-forwarded-host", "evil.example");
        let answer = visitor.send(Method::GET, "", None, Body::empty()).await;
        assert!(!answer.to_string().contains("evil"), "{answer}");
    }

    /// Security R7: three hundred requests at once, then thirty a second.
    async fn traffic(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        let mona = app.teacher("mona").await;
        let visitor = app.visitor();
        let mut refused = None;
        for _ in 0..301 {
            let answer = visitor.get("/teacher/teacher-profile/mona").await;
            if answer.status() == 429 {
                refused = Some(answer);
            }
        }
        assert_snapshot!("refused", refused.expect("the three hundredth or so is refused"));
        // A session is counted by itself.
        assert_eq!(mona.get("/teacher/revenue/").await.status(), 200);
        app.clock().advance(chrono::TimeDelta::seconds(1));
        assert_eq!(visitor.get("/teacher/teacher-profile/mona").await.status(), 200);
    }
}

/// No answer to a student ever has the hash of a password or a token in it.
#[tokio::test]
async fn no_body_has_a_secret() {
    let app = edupro_http::testkit::TestApp::new().await;
    let mona = app.teacher("mona").await;
    let omar = app.student("omar", "mona").await;
    let answers = [
        mona.get("/teacher/teacher-profile/").await,
        mona.get("/teacher/get_students/").await,
        omar.get("/student/student-profile/mona").await,
        app.visitor().get("/teacher/teacher-profile/mona").await,
    ];
    for answer in answers {
        let body = answer.json().to_string();
        for secret in ["password", "argon2", "token", "eyJ"] {
            assert!(!body.contains(secret), "{secret} in {body}");
        }
        assert_ne!(answer.json(), Value::Null);
    }
}
