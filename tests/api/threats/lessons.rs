//! 2.3: modules, lessons, progress, films and papers.

use axum::{body::Body, http::Method};
use chrono::TimeDelta;
use edupro_http::testkit::{Answer, Browser, PUBLIC_URL, Part, TestApp};
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Before, Told};
use crate::support::{
    coupons, course, enroll, film, lesson, module, on_both_engines, pdf, picture, redeem,
    redeem_module,
};

/// A lesson with a film and a paper, in a course that is sold.
struct Shelf {
    course: String,
    module: String,
    lesson: String,
    film: String,
    paper: String,
}

async fn shelf(mona: &Browser) -> Shelf {
    let course = course(mona, json!({"price": "50"})).await;
    let module = module(mona, &course, json!({"price": "20"})).await;
    let path = format!("/modules/{module}/lessons/create/");
    let (film, paper, picture) = (film(42), pdf(), picture(ImageFormat::Png));
    let made = mona
        .multipart(
            Method::POST,
            &path,
            &[
                Part::Text("title", "Waves"),
                Part::File("video", "waves.mp4", &film),
                Part::File("document", "waves.pdf", &paper),
                Part::File("thumbnail", "waves.png", &picture),
            ],
        )
        .await;
    assert_eq!(made.status(), 201, "{made}");
    let text = |key: &str| made.json()[key].as_str().unwrap().to_owned();
    Shelf {
        course,
        module,
        lesson: text("id"),
        film: text("video_url"),
        paper: text("document_url"),
    }
}

async fn ask(who: &Browser, method: Method, path: &str) -> Answer {
    who.send(method, path, None, Body::empty()).await
}

/// Whether anything in an answer leads to a film or a paper.
fn leads_to_files(answer: &Answer) -> bool {
    let text = answer.to_string();
    [
        "/media/lesson-video",
        "/media/lesson-document",
        "/media/lesson_video",
        "/media/lesson_document",
        "exp=",
        "sig=",
    ]
    .iter()
    .any(|word| text.contains(word))
        || (answer.status() == 200 && has_key(&answer.json(), &["otp", "playback_info"]))
}

/// Whether one of these keys has a value somewhere.
fn has_key(value: &Value, keys: &[&str]) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| {
            (keys.contains(&key.as_str()) && !value.is_null()) || has_key(value, keys)
        }),
        Value::Array(list) => list.iter().any(|value| has_key(value, keys)),
        _ => false,
    }
}

on_both_engines! {
    /// A lesson is for those who have it: nobody else sees what is in it, or is said to have done it.
    async fn without_access(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        app.teacher("hana").await;
        let Shelf { course, module: module_id, lesson: lesson_id, film, paper } = shelf(&mona).await;
        let gift = module(&mona, &course, json!({"is_free": true})).await;
        let mut strangers = Vec::new();
        for (username, teacher) in [
            ("active", "mona"), ("blocked", "mona"), ("removed", "mona"), ("expired", "mona"), ("guest", "mona"), ("other", "hana"),
        ] {
            strangers.push((username, app.student(username, teacher).await));
        }
        let now = app.school().clock.now();
        for username in ["blocked", "removed"] {
            enroll(&app, username, &course, None).await;
        }
        enroll(&app, "expired", &course, Some(now + TimeDelta::minutes(1))).await;
        assert_eq!(redeem_module(&strangers[4].1, &gift, "").await.status(), 201);
        mona.patch("/teacher/students/toggle-block/4/", json!({})).await;
        mona.delete("/teacher/students/remove/5/").await;
        app.clock().advance(TimeDelta::minutes(1));
        let hana = app.visitor();
        hana.log_in_teacher("hana").await;
        let root = app.admin("root").await;
        strangers.extend([("hana", hana), ("root", root), ("nobody", app.visitor())]);

        let mut before = Before::of(&app).await;
        let mut told = Told::default();
        for (name, who) in &strangers {
            for path in [format!("/modules/{module_id}/lessons/"), format!("/lessons/{lesson_id}/"), format!("/lessons/{lesson_id}/status/")] {
                let answer = who.get(&path).await;
                assert!(matches!(answer.status(), 401 | 403 | 404), "{name} {path}: {answer}");
                assert!(!leads_to_files(&answer) && !answer.to_string().contains("Waves"), "{name}: {answer}");
                told.note(&format!("{name} {}", path.replace(&module_id, "1").replace(&lesson_id, "1")), &answer);
            }
            let done = json!({"is_completed": true, "student": 3, "student_id": 3, "progress": 100});
            for answer in [
                who.put(&format!("/lessons/{lesson_id}/status/"), done.clone()).await,
                who.patch(&format!("/lessons/{lesson_id}/status/"), done.clone()).await,
                who.put(&format!("/lessons/{lesson_id}/complete/"), done.clone()).await,
                who.get(&format!("/video/check-status/{lesson_id}")).await,
                ask(who, Method::GET, &film).await,
                ask(who, Method::HEAD, &film).await,
                ask(who, Method::GET, &paper).await,
            ] {
                assert!(matches!(answer.status(), 401 | 403 | 404), "{name}: {answer}");
            }
            // What everybody may see of the course does not lead there.
            for path in [
                format!("/course/course-detail/{course}"), format!("/courses/{course}/modules/"), format!("/modules/{module_id}/"),
                "/course/list/".to_owned(), "/course/teacher-list/mona".to_owned(), format!("/courses/{course}/list-ratings/"),
                "/course/course-enrollment-list/mona".to_owned(), "/my-courses/".to_owned(),
                format!("/course/private-deatils/{course}"),
            ] {
                let answer = who.get(&path).await;
                assert!(answer.status() < 500 && !leads_to_files(&answer), "{name} {path}: {answer}");
            }
            before.assert_same(name).await;
        }
        assert_snapshot!("told", told.text());
    }

    /// A lesson is completed by who has it, for oneself, and a draft counts for nothing.
    async fn progress_of_others(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let [omar, sara] = [app.student("omar", "mona").await, app.student("sara", "mona").await];
        let shelf = shelf(&mona).await;
        let draft = lesson(&mona, &shelf.module, json!({"is_published": false})).await;
        let hidden = module(&mona, &shelf.course, json!({"is_published": false})).await;
        let within = lesson(&mona, &hidden, json!({})).await;
        for (student, (_, code)) in [&omar, &sara].into_iter().zip(coupons(&mona, 2, "50").await) {
            assert_eq!(redeem(student, &shelf.course, &code).await.status(), 201);
        }
        let mut before = Before::of(&app).await;
        let mut told = Told::default();
        let done = json!({"is_completed": true, "student": 3, "student_id": 3, "user": "sara", "progress": 100});
        for (name, id) in [("a draft", &draft), ("in a hidden module", &within)] {
            told.note(name, &omar.put(&format!("/lessons/{id}/status/"), done.clone()).await);
        }
        told.note("by a number", &omar.put("/lessons/1/status/", done.clone()).await);
        assert_snapshot!("told", told.text());
        before.assert_same("drafts").await;
        // One's own, and nobody else's, whoever is named.
        assert_eq!(omar.put(&format!("/lessons/{}/status/", shelf.lesson), done).await.status(), 200);
        let progress = async |who: &Browser| who.get("/my-courses/").await.json()[0]["progress"].clone();
        assert_eq!((progress(&omar).await, progress(&sara).await), (json!("100.00"), json!("0.00")));
        // What is published later is to be done, too.
        mona.patch(&format!("/lessons/{draft}/update/"), json!({"is_published": true})).await;
        assert_eq!(progress(&omar).await, json!("50.00"));
    }

    /// Nobody moves what is another teacher's, or one's own into what is another's.
    async fn foreign_places(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let shelf = shelf(&mona).await;
        let hers = course(&hana, json!({})).await;
        let her_module = module(&hana, &hers, json!({})).await;
        let her_lesson = lesson(&hana, &her_module, json!({})).await;
        let mut before = Before::of(&app).await;
        let mut told = Told::default();
        let module_path = format!("/modules/{}/update/", shelf.module);
        let lesson_path = format!("/lessons/{}/update/", shelf.lesson);
        for body in [json!({"order": 9}), json!({"order": 0}), json!({"is_published": false}), json!({"course": hers, "module": her_module})] {
            for (name, answer) in [
                ("module", hana.patch(&module_path, body.clone()).await),
                ("lesson", hana.put(&lesson_path, body.clone()).await),
                ("new module", hana.post(&format!("/courses/{}/modules/create/", shelf.course), body.clone()).await),
                ("new lesson", hana.post(&format!("/modules/{}/lessons/create/", shelf.module), body.clone()).await),
            ] {
                assert_eq!(answer.status(), 403, "{name}: {answer}");
                if body["order"] == 0 {
                    told.note(name, &answer);
                }
            }
        }
        for path in [format!("/modules/{}/delete/", shelf.module), format!("/lessons/{}/delete/", shelf.lesson)] {
            assert_eq!(hana.delete(&path).await.status(), 403);
        }
        assert_snapshot!("told", told.text());
        // One's own stays where it is.
        let moved = json!({"course": shelf.course, "course_id": shelf.course, "module": shelf.module, "module_id": shelf.module});
        assert_eq!(hana.patch(&format!("/modules/{her_module}/update/"), moved.clone()).await.status(), 200);
        assert_eq!(hana.patch(&format!("/lessons/{her_lesson}/update/"), moved).await.status(), 200);
        before.assert_same("hana").await;
    }

    /// A link is for one file, one session and five minutes, letter by letter (security R25).
    async fn links(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let shelf = shelf(&mona).await;
        let mut before = Before::of(&app).await;
        let (bare, query) = shelf.film.split_once('?').unwrap();
        let (exp, sig) = query.split_once('&').unwrap();
        let (exp, sig) = (exp.strip_prefix("exp=").unwrap(), sig.strip_prefix("sig=").unwrap());
        let status = async |url: String| mona.get(&url).await.status();
        let link = |exp: &str, sig: &str| format!("{bare}?exp={exp}&sig={sig}");
        assert_eq!(status(link(exp, sig)).await, 200);
        // Each letter of the signature counts, and it has one spelling.
        for at in 0..sig.len() {
            let other = if sig.as_bytes()[at] == b'A' { "B" } else { "A" };
            let changed = format!("{}{other}{}", &sig[..at], &sig[at + 1..]);
            assert_eq!(status(link(exp, &changed)).await, 403, "{changed}");
        }
        let seconds: i64 = exp.parse().unwrap();
        for (exp, sig) in [
            (exp, ""), ("", sig), (exp, &sig[1..]), (exp, &format!("{sig}A")), (exp, &format!("{sig}=")), (exp, &format!("{sig}%00")),
            (exp, &sig.to_uppercase()), (exp, &sig.to_lowercase()), (exp, &format!("%20{sig}")),
            (&(seconds + 1).to_string(), sig), (&(seconds * 10).to_string(), sig), ("9223372036854775807", sig),
            ("9223372036854775808", sig), ("99999999999999999999999", sig), ("-1", sig), ("0", sig), ("NaN", sig), ("1e99", sig),
            (&format!("+{seconds}"), sig), (&format!("0{seconds}"), sig), (&format!("{seconds}.0"), sig), (&format!("{seconds}%20"), sig),
        ] {
            assert_eq!(status(link(exp, sig)).await, 403, "{exp} {sig}");
        }
        for url in [
            bare.to_owned(),
            format!("{bare}?"),
            format!("{bare}?sig={sig}"),
            format!("{bare}?exp={exp}"),
            format!("{bare}?EXP={exp}&SIG={sig}"),
            format!("{bare}?exp[]={exp}&sig[]={sig}"),
            format!("{bare}?exp={exp}&sig=x&sig={sig}x"),
            format!("{bare}?exp={exp};sig={sig}"),
            // The signature of another file.
            format!("{bare}?{}", shelf.paper.split_once('?').unwrap().1),
            format!("{}?{query}", shelf.paper.split_once('?').unwrap().0),
        ] {
            assert_eq!(status(url.clone()).await, 403, "{url}");
        }
        // Another session of the same person is another viewer, as is nobody with the same link.
        let elsewhere = app.visitor();
        elsewhere.log_in_teacher("mona").await;
        assert_eq!(elsewhere.get(&shelf.film).await.status(), 403);
        let renewed = mona.fork();
        assert_eq!(renewed.post("/token/refresh/", json!({})).await.status(), 200);
        assert_eq!(renewed.get(&shelf.film).await.status(), 200);
        before.assert_only(&["sessions"]).await;
        ask(&mona, Method::POST, "/logout/").await;
        for late in [&mona, &renewed] {
            assert_eq!(late.get(&shelf.film).await.status(), 403);
        }
    }

    /// A path is the name of a stored file or of none.
    async fn paths(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let Shelf { film, paper, .. } = shelf(&mona).await;
        let mut before = Before::of(&app).await;
        let (bare, query) = film.split_once('?').unwrap();
        let key = bare.strip_prefix(&format!("{PUBLIC_URL}/media/")).unwrap();
        let (kind, rest) = key.split_once('/').unwrap();
        let (folder, file) = rest.split_once('/').unwrap();
        let (id, _) = file.split_once('.').unwrap();
        assert!(paper.contains("/media/"));
        for path in [
            "/media/".to_owned(),
            "/media/..".to_owned(),
            format!("/media/{kind}"),
            format!("/media/{kind}/"),
            format!("/media/{kind}/{folder}/"),
            format!("/media/{kind}/{folder}/{id}"),
            format!("/media/{kind}/{folder}/{id}.html"),
            format!("/media/{kind}/{folder}/{id}.mp4.html"),
            format!("/media/{kind}/{folder}/{id}.mp4/"),
            format!("/media/{kind}/{folder}//{file}"),
            format!("/media//{key}"),
            format!("/media/./{key}"),
            format!("/media/x/../{key}"),
            format!("/media/{kind}/{folder}/{id}.mp4%00.png"),
            format!("/media/{kind}/{folder}/{id}.mp4%0d%0aset-cookie:x=y"),
            format!("/media/{kind}/{folder}%2f{id}.MP4"),
            format!("/media/{kind}/{folder}/{}.mp4", id.to_uppercase()),
            format!("/media/{kind}/{folder}/{}.mp4", id.replace('-', "")),
            format!("/media/{kind}/00/{file}"),
            // A private file under the name of a public kind.
            format!("/media/avatar/{rest}"),
            format!("/media/logo/{rest}"),
            format!("/media/.staging/{rest}"),
            "/media/../edupro.db".to_owned(),
            "/media/../secret".to_owned(),
            "/media/%2e%2e/secret".to_owned(),
            "/media/%2e%2e%2fsecret".to_owned(),
            "/media/..%2f..%2fetc%2fpasswd".to_owned(),
            "/media/%252e%252e%252fsecret".to_owned(),
            "/media/..%5c..%5csecret".to_owned(),
            "/media/..;/secret".to_owned(),
            "/media/%c0%ae%c0%ae/secret".to_owned(),
            "/media/%ff%fe".to_owned(),
            "/media//etc/passwd".to_owned(),
            "/media/file:///etc/passwd".to_owned(),
            "/media/http://evil.example/".to_owned(),
            format!("/media/{}", "../".repeat(200)),
            format!("/media/{}", "a".repeat(5_000)),
            "/media/uploads/".to_owned(),
            "/media/uploads/../secret".to_owned(),
            "/static/x".to_owned(),
            "/api/v1/../../media/x".to_owned(),
        ] {
            for query in ["", &format!("?{query}")] {
                for method in [Method::GET, Method::HEAD] {
                    let answer = ask(&mona, method, &format!("{PUBLIC_URL}{path}{query}")).await;
                    assert!(matches!(answer.status(), 403..=405), "{path}{query}: {answer}");
                    assert_eq!(answer.header("set-cookie"), None);
                }
            }
        }
        // Nobody writes there either.
        for method in [Method::PUT, Method::POST, Method::DELETE, Method::PATCH] {
            let answer = ask(&mona, method, &film).await;
            assert_eq!(answer.status(), 405, "{answer}");
        }
        assert_eq!(mona.get(&film).await.status(), 200);
        before.assert_same("paths").await;
    }

    /// One range of a film, or all of it: never more than there is, and nothing without access.
    async fn ranges(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let Shelf { film: link, .. } = shelf(&mona).await;
        let whole = film(42);
        let size = whole.len();
        let mut told = Told::default();
        let many: Vec<String> = (0..5_000).map(|at| format!("{at}-{at}")).collect();
        let many = format!("bytes={}", many.join(","));
        for range in [
            "bytes=0-0", "bytes=4-7", "bytes=-4", "bytes=0-", "bytes=0-18446744073709551615", "bytes=0-99999999999999999999999",
            "bytes=-18446744073709551615", "bytes=18446744073709551615-", "bytes=99999999999999999999-", &format!("bytes={size}-"),
            "bytes=-0", "bytes=7-4", "bytes=0-0,2-3", "bytes=0-,0-,0-", "bytes=--1", "bytes=-", "bytes=", "items=0-1", "bytes=0x1-0x2", &many,
        ] {
            let answer = mona.with_header("range", range).get(&link).await;
            let shown: String = range.chars().take(40).collect();
            told.0.push(format!("{shown}: {} {} bytes {}", answer.status(), answer.bytes().len(), answer.header("content-range").unwrap_or("-")));
            assert!(answer.status() == 416 || answer.bytes().len() <= size, "{shown}: {answer}");
            let head = ask(&mona.with_header("range", range), Method::HEAD, &link).await;
            assert_eq!((head.status(), head.bytes().len()), (answer.status(), 0), "{shown}");
            assert_eq!(head.header("content-length"), answer.header("content-length"), "{shown}");
            // A range, or knowing the file, opens nothing.
            let tag = answer.header("etag").unwrap_or_default().to_owned();
            let stranger = app.visitor().with_header("range", range).with_header("if-none-match", &tag);
            assert_eq!(stranger.get(&link).await.status(), 403);
        }
        assert_snapshot!("told", told.0.join("\n"));
        let answer = mona.get(&link).await;
        for (name, value) in [
            ("cache-control", "private, no-store"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("content-type", "video/mp4"),
        ] {
            assert_eq!(answer.header(name), Some(value));
        }
    }

    /// Twenty credentials an hour: a provider's quota is not one teacher's to burn (security R7). A
    /// title is a text.
    async fn credentials(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        let [mona, hana] = [app.teacher("mona").await, app.teacher("hana").await];
        let issue = async |who: &Browser, title: &str| {
            who.post("/course/create-vdocipher-upload-credentials/", json!({"title": title})).await
        };
        // What is refused for its title has cost nothing.
        for title in ["", " ", "\0", "a\r\nb", "\u{1b}[2J", &"x".repeat(256)] {
            assert_eq!(issue(&mona, title).await.status(), 400);
        }
        for _ in 0..20 {
            assert_eq!(issue(&mona, "'; DROP TABLE videos; -- <script>").await.status(), 200);
        }
        let mut before = Before::of(&app).await;
        assert_snapshot!("refused", issue(&mona, "Waves").await);
        before.assert_same("the twenty-first").await;
        assert_eq!(issue(&hana, "Waves").await.status(), 200);
        app.clock().advance(TimeDelta::hours(1));
        mona.log_in_teacher("mona").await;
        assert_eq!(issue(&mona, "Waves").await.status(), 200);
    }

    /// Sixty requests with files an hour (security R7); what comes without files goes on.
    async fn uploads(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        let mona = app.teacher("mona").await;
        let logo = picture(ImageFormat::Png);
        let send = async |file: Part<'_>| {
            mona.multipart(Method::PATCH, "/teacher/update-profile/", &[Part::Text("city", "Cairo"), file]).await
        };
        for _ in 0..59 {
            assert_eq!(send(Part::File("logo", "l.svg", b"<svg/>")).await.status(), 400);
        }
        assert_eq!(send(Part::File("logo", "l.png", &logo)).await.status(), 200);
        let mut before = Before::of(&app).await;
        assert_snapshot!("refused", send(Part::File("logo", "l.png", &logo)).await);
        before.assert_same("the sixty-first").await;
        // A file input that nobody touched is no file.
        assert_eq!(send(Part::File("logo", "", b"")).await.status(), 200);
        assert_eq!(mona.patch("/teacher/update-profile/", json!({"city": "Giza"})).await.status(), 200);
        app.clock().advance(TimeDelta::hours(1));
        mona.log_in_teacher("mona").await;
        assert_eq!(send(Part::File("logo", "l.png", &logo)).await.status(), 200);
    }

    /// What is uploaded is what it says, in a lesson and in a course, and lies nowhere else.
    async fn disguises(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let shelf = shelf(&mona).await;
        let mut before = Before::of(&app).await;
        let html = b"<html><script>alert(1)</script></html>";
        let polyglot = [&b"%PDF-1.4\n"[..], html].concat();
        for (field, file, content) in [
            ("document", "notes.html", &html[..]), ("document", "notes.pdf", html), ("document", "notes.pdf", &polyglot),
            ("document", "notes.svg", b"<svg onload='alert(1)'/>"), ("document", "notes.pdf\0.html", &pdf()),
            ("document", "notes.pdf.html", &pdf()), ("document", "notes", &pdf()), ("document", "notes.docx", b"PK\x03\x04"),
            ("video", "film.html", &film(1)), ("video", "film.mp4", html), ("video", "film.mp4", &pdf()), ("video", "film.m3u8", b"#EXTM3U\nfile:///etc/passwd"),
            ("thumbnail", "t.svg", b"<svg onload='alert(1)'/>"), ("thumbnail", "t.png", b"<svg onload='alert(1)'/>"), ("thumbnail", "t.html", &picture(ImageFormat::Png)),
        ] {
            for path in [format!("/modules/{}/lessons/create/", shelf.module), format!("/lessons/{}/update/", shelf.lesson)] {
                let method = if path.ends_with("create/") { Method::POST } else { Method::PATCH };
                let answer = mona.multipart(method, &path, &[Part::Text("title", "L"), Part::File(field, file, content)]).await;
                assert_eq!(answer.status(), 400, "{field} {file}: {answer}");
                before.assert_same(file).await;
            }
        }
    }
}

/// The app's own disk keeps nothing of an address: what a teacher writes is never asked for.
#[tokio::test]
async fn addresses_are_not_asked() {
    let app = TestApp::new().await;
    let mona = app.teacher("mona").await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/latest/meta-data/", listener.local_addr().unwrap());
    let made = mona
        .post("/course/create/", json!({"title": "T", "description": "D", "trailer_video": url}))
        .await;
    assert_eq!((made.status(), &made.json()["trailer_video"]), (201, &json!(url)));
    for url in
        ["file:///etc/passwd", "javascript:alert(1)", "gopher://x", "data:text/html,x", "//evil"]
    {
        let body = json!({"title": "T", "description": "D", "trailer_video": url});
        let answer = mona.post("/course/create/", body).await;
        assert_eq!(answer.status(), 400, "{url}: {answer}");
    }
    app.work().await;
    assert!(listener.accept().is_err(), "somebody has asked");
}
