//! Schools below a path of somebody else's service, and two of them in one process.

use std::sync::Arc;

use axum::{Router, body::Body, http::Method, routing::get};
use edupro_core::SeededEntropy;
use edupro_http::{
    EduPro,
    testkit::{Answer, Browser, PASSWORD, PUBLIC_URL, Part, TestApp, email},
};
use edupro_storage::{Database, DatabaseOptions};
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{film, module, on_both_engines, picture};

async fn ask(browser: &Browser, path: &str) -> Answer {
    browser.get(&format!("{PUBLIC_URL}{path}")).await
}

fn link(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What a service has beside the schools.
fn service() -> Router {
    Router::new()
        .route("/", get(async || "my own page"))
        .route("/healthz", get(async || "my own health"))
        .fallback(async || "my own 404")
}

/// A course with everything that has an address.
async fn lesson_with_files(mona: &Browser) -> (Value, Value) {
    let png = picture(ImageFormat::Png);
    let parts = [
        Part::Text("title", "Sound"),
        Part::Text("description", "What we hear"),
        Part::File("thumbnail", "a.png", &png),
    ];
    let course = mona.multipart(Method::POST, "/course/create/", &parts).await.json();
    let module = module(mona, course["id"].as_str().unwrap(), json!({})).await;
    let film = film(5);
    let parts = [Part::Text("title", "Pitch"), Part::File("video", "a.mp4", &film)];
    let path = format!("/modules/{module}/lessons/create/");
    let lesson = mona.multipart(Method::POST, &path, &parts).await.json();
    (course, lesson)
}

on_both_engines! {
    /// The API's page, alone and below a path: what it loads is beside it.
    async fn pages(school) {
        for prefix in ["", "/schools/north"] {
            let app = school.clone().below(prefix).start().await;
            let visitor = app.visitor();
            let at = |path: &str| format!("{PUBLIC_URL}{prefix}/docs{path}");
            for (path, folder) in [("", "docs/"), ("/", "")] {
                let page = visitor.get(&at(path)).await;
                assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
                let text = String::from_utf8(page.bytes().to_vec()).unwrap();
                assert!(text.contains(&format!("src=\"{folder}page.js\"")), "{text}");
                assert!(text.contains(&format!("href=\"{folder}page.css\"")), "{text}");
            }
            for (path, kind) in [("/page.js", "text/javascript"), ("/page.css", "text/css")] {
                let file = visitor.get(&at(path)).await;
                assert_eq!(file.header("content-type"), Some(&*format!("{kind}; charset=utf-8")));
            }
            assert_eq!(visitor.get(&at("/../Cargo.toml")).await.status(), 404);
            assert_eq!(visitor.get(&at("/page.html")).await.status(), 404);
        }
    }

    /// The page may load its own files and ask its own API, and is asked for again (security R16).
    async fn page_headers(school) {
        let app = school.start().await;
        let visitor = app.visitor();
        for path in ["/docs", "/docs/", "/docs/page.js"] {
            let url = format!("{PUBLIC_URL}{path}");
            let page = visitor.get(&url).await;
            assert_eq!(page.status(), 200);
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "));
            assert!(!policy.contains("unsafe"), "{policy}");
            for (name, value) in [
                ("cache-control", "no-cache"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "same-origin"),
            ] {
                assert_eq!(page.header(name), Some(value), "{name}");
            }
            let tag = page.header("etag").unwrap();
            let weak = format!("W/{tag}");
            for known in [tag, &weak] {
                let again = visitor.with_header("if-none-match", known).get(&url).await;
                assert_eq!((again.status(), again.bytes()), (304, &b""[..]));
                assert_eq!(again.header("etag"), Some(tag));
            }
            assert_eq!(visitor.with_header("if-none-match", "\"0\"").get(&url).await.status(), 200);
            let head = visitor.send(Method::HEAD, &url, None, Body::empty()).await;
            assert_eq!((head.status(), head.bytes()), (200, &b""[..]));
            let length = page.bytes().len().to_string();
            assert_eq!(head.header("content-length"), Some(&*length));
            let post = visitor.send(Method::POST, &url, None, Body::empty()).await;
            assert_eq!((post.status(), post.header("allow")), (405, Some("GET,HEAD")));
            let strict = "default-src 'none'; frame-ancestors 'none'";
            assert_eq!(post.header("content-security-policy"), Some(strict));
        }
    }

    /// A service may take the page, or leave it.
    async fn chosen_page(school) {
        let app = school.start().await;
        let url = format!("{PUBLIC_URL}/docs");
        let without = app.inside(|edupro| service().merge(edupro.router()));
        assert_eq!(without.visitor().get(&url).await.bytes(), b"my own 404");
        let with = without.inside(|edupro| service().merge(edupro.router()).merge(edupro.docs()));
        assert_eq!(with.visitor().get(&url).await.status(), 200);
        assert_eq!(ask(&with.visitor(), "/docs/nothing").await.bytes(), b"my own 404");
    }

    /// Links, pages, cookies and uploads of a school that is nested below a path.
    async fn below_a_path(school) {
        let app = school.below("/schools/north").start().await;
        let visitor = app.visitor();
        app.teacher("mona").await;
        let login = json!({"email": email("mona"), "password": PASSWORD});
        assert_snapshot!("logged_in", visitor.post("/teacher/login/", login).await);
        let mona = visitor;
        let refreshed = mona.post("/token/refresh/", json!({})).await;
        assert!(refreshed.cookies().all(|cookie| cookie.contains("; Path=/schools/north;")));

        let (course, lesson) = lesson_with_files(&mona).await;
        let thumbnail = link(&course["thumbnail"]);
        assert!(thumbnail.starts_with("http://school.example/schools/north/media/"), "{thumbnail}");
        assert_eq!(mona.get(thumbnail).await.status(), 200);
        let video = link(&lesson["video_url"]);
        assert!(video.starts_with("http://school.example/schools/north/media/"), "{video}");
        assert_eq!(mona.get(video).await.bytes(), film(5));

        mona.post("/course/create/", json!({"title": "Light", "description": "What we see"})).await;
        let first = mona.get("/course/list/?page_size=1").await.json();
        let next = link(&first["next"]);
        assert_eq!(next, "http://school.example/schools/north/api/v1/course/list/?page_size=1&page=2");
        let second = mona.get(next).await.json();
        assert_eq!(second["previous"], "http://school.example/schools/north/api/v1/course/list/?page_size=1");
        assert_eq!(second["results"].as_array().map(Vec::len), Some(1));

        let leave = json!({"title": "Waves"});
        let leave = mona.post("/course/create-vdocipher-upload-credentials/", leave).await.json();
        let url = link(&leave["data"]["upload_url"]);
        assert!(url.starts_with("http://school.example/schools/north/media/uploads/"), "{url}");
        let sent = mona.send(Method::PUT, url, Some("video/mp4"), film(5).into()).await;
        assert!(sent.status() < 300, "{sent}");

        let index = ask(&mona, "/schools/north/api/v1").await.json();
        assert_eq!(index[0], "http://school.example/schools/north/api/v1/teacher/login/");
        assert_snapshot!("unknown", mona.get("/nothing").await);
        assert_eq!(ask(&mona, "/schools/north/readyz").await.status(), 200);
        let out = mona.post("/logout/", json!({})).await;
        assert_snapshot!("logged_out", out);
        assert_eq!(mona.cookie("access_token"), None);
    }

    /// Without a public URL everything follows from the request.
    async fn by_the_request(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        let options = DatabaseOptions::new(app.database_url());
        let database = Database::connect(&options).await.unwrap();
        let edupro = EduPro::builder(Arc::new(database))
            .secret("another secret of thirty-two bytes or more")
            .build()
            .unwrap();
        let north = TestApp::new().await.inside(|_| Router::new().nest("/north", edupro.router()));
        let visitor = north.visitor();
        let url = format!("{PUBLIC_URL}/north/api/v1/teacher/login/");
        let login = json!({"email": email("mona"), "password": PASSWORD});
        let answer = visitor.post(&url, login).await;
        assert!(answer.cookies().all(|cookie| cookie.contains("; Path=/north;")), "{answer}");
        let index = ask(&visitor, "/north/api/v1").await.json();
        assert_eq!(index[0], "http://school.example/north/api/v1/teacher/login/");
    }

    /// Two schools on one host: neither knows the other's people, nor logs them out.
    async fn two_schools(school) {
        let north = school.below("/north").start().await;
        let south = TestApp::builder().below("/south");
        let south = south.start_with(|builder| {
            builder
                .entropy(Arc::new(SeededEntropy::new(2)))
                .secret("the secret of the other school, which is its own")
        });
        let south = south.await;
        let (one, other) = (north.edupro().clone(), south.edupro().clone());
        let both = move |_: &EduPro| {
            service().nest("/north", one.router()).nest("/south", other.router())
        };
        let (north, south) = (north.inside(both.clone()), south.inside(both));

        let mona = north.teacher("mona").await;
        let laila = south.teacher("laila").await;
        assert_eq!(mona.get("/teacher/teacher-profile/").await.status(), 200);
        let own = "/south/api/v1/teacher/teacher-profile/";
        assert_eq!(ask(&mona, own).await.status(), 401);
        assert_eq!(ask(&laila, own).await.json()["user"]["username"], "laila");
        // In one browser at both.
        let url = format!("{PUBLIC_URL}/south/api/v1/teacher/login/");
        let login = json!({"email": email("laila"), "password": PASSWORD});
        assert_eq!(mona.post(&url, login).await.status(), 200);
        assert_eq!(ask(&mona, own).await.json()["user"]["username"], "laila");
        let profile = mona.get("/teacher/teacher-profile/").await.json();
        assert_eq!(profile["user"]["username"], "mona");
        let url = format!("{PUBLIC_URL}/south/api/v1/logout/");
        assert_eq!(mona.post(&url, json!({})).await.status(), 205);
        assert_eq!(ask(&mona, own).await.status(), 401);
        assert_eq!(mona.get("/teacher/teacher-profile/").await.status(), 200);

        // A token of one is nothing to the other, however it gets there.
        let stolen = format!("Bearer {}", mona.cookie("access_token").unwrap());
        let visitor = south.visitor().with_header("authorization", &stolen);
        assert_eq!(visitor.get("/teacher/teacher-profile/").await.status(), 401);
        assert_eq!(ask(&visitor, "/north/api/v1/teacher/teacher-profile/").await.status(), 200);

        let names = ["/", "/healthz", "/elsewhere"];
        for (path, expected) in names.into_iter().zip(["page", "health", "404"]) {
            let answer = ask(&visitor, path).await;
            assert_eq!(answer.bytes(), format!("my own {expected}").as_bytes());
            // What the guards add is on the school's own answers alone.
            assert_eq!(answer.header("x-request-id"), None);
        }
        assert_eq!(ask(&visitor, "/north/healthz").await.bytes(), b"my own 404");
        let unknown = ask(&visitor, "/north/api/v1/nothing").await;
        assert_eq!(unknown.json(), json!({"detail": "Not found."}));
        assert!(unknown.header("x-request-id").is_some());
    }

    /// At the root, beside routes and a fallback that are somebody else's.
    async fn at_the_root(school) {
        let app = school.start().await;
        let app = app.inside(|edupro| service().merge(edupro.router()));
        let mona = app.teacher("mona").await;
        assert_eq!(mona.get("/teacher/revenue/").await.status(), 200);
        assert_eq!(ask(&mona, "/").await.bytes(), b"my own page");
        assert_eq!(ask(&mona, "/api/v2").await.bytes(), b"my own 404");
        assert_eq!(ask(&mona, "/api/v1/nothing").await.json(), json!({"detail": "Not found."}));
        assert_eq!(mona.delete("/teacher/revenue/").await.status(), 405);
    }

    /// Handlers of one's own beside the nested school, which see its people too.
    async fn shared_cookies(school) {
        let app = school.below("/school").start_with(|builder| builder.cookie_path("/")).await;
        let app = app.inside(|edupro| {
            let hello = async |who: edupro_http::extract::SignedIn| who.0.user.username.clone();
            let own = Router::new().route("/hello", get(hello));
            own.nest("/school", edupro.router()).with_state(edupro.clone())
        });
        let mona = app.teacher("mona").await;
        assert_eq!(ask(&mona, "/hello").await.bytes(), b"mona");
    }
}
