//! Sessions that a person can see and end, and `auth.single_session`.

use axum::{body::Body, http::Method};
use chrono::TimeDelta;
use edupro_http::testkit::{Browser, TestApp};
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{UNKNOWN, on_both_engines};

/// The same person in another browser.
async fn again(app: &TestApp, username: &str, teacher: Option<&str>) -> Browser {
    app.clock().advance(TimeDelta::minutes(1));
    let browser = app.visitor();
    match teacher {
        Some(teacher) => browser.log_in_student(username, teacher).await,
        None => browser.log_in_teacher(username).await,
    }
    browser
}

async fn ids(browser: &Browser) -> Vec<String> {
    let list = browser.get("/sessions/").await.json();
    let ids = list.as_array().unwrap().iter();
    ids.map(|session| session["id"].as_str().unwrap().to_owned()).collect()
}

async fn end(browser: &Browser, id: &str) -> u16 {
    browser.delete(&format!("/sessions/{id}/")).await.status()
}

on_both_engines! {
    /// One sees one's own, whoever one is, and no others.
    async fn are_listed(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let root = app.admin("root").await;
        let second = again(&app, "mona", None).await;
        app.clock().advance(TimeDelta::minutes(5));
        assert_eq!(mona.post("/token/refresh/", json!({})).await.status(), 200);
        assert_snapshot!("list", second.get("/sessions/").await);
        assert_snapshot!("nobody", app.visitor().get("/sessions/").await);
        assert_eq!(ids(&mona).await, ids(&second).await);
        for other in [&omar, &root] {
            let list = other.get("/sessions/").await.json();
            assert_eq!(list.as_array().unwrap().len(), 1);
            assert_eq!(list[0]["is_current"], true);
            assert!(!ids(&mona).await.contains(&list[0]["id"].as_str().unwrap().to_owned()));
        }
        // What has ended is not there any more.
        app.clock().advance(TimeDelta::days(7) - TimeDelta::minutes(5));
        assert_eq!(mona.post("/token/refresh/", json!({})).await.status(), 200);
        assert_eq!(ids(&mona).await.len(), 1);
        for _ in 0..12 {
            again(&app, "mona", None).await;
        }
        let mona = again(&app, "mona", None).await;
        assert_eq!(ids(&mona).await.len(), 10);
    }

    /// One ends one's own: both tokens are worth nothing from then on.
    async fn are_ended(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let second = again(&app, "mona", None).await;
        let [newest, oldest] = &ids(&mona).await[..] else { panic!("two sessions") };
        let path = format!("/sessions/{newest}/");
        assert_eq!(hana.delete(&path).await.status(), 404);
        assert_eq!(app.visitor().delete(&path).await.status(), 401);
        assert_eq!(second.get("/sessions/").await.status(), 200);

        assert_snapshot!("another", mona.delete(&path).await);
        assert_eq!(second.get("/sessions/").await.status(), 401);
        assert_eq!(second.post("/token/refresh/", json!({})).await.status(), 401);
        assert_eq!(ids(&mona).await, [oldest.as_str()]);
        // Somebody else's, one that has ended, and one that never was are all the same.
        let gone = mona.delete(&path).await;
        assert_snapshot!("gone", gone);
        let theirs = ids(&hana).await.remove(0);
        for id in [theirs.as_str(), UNKNOWN, "not-an-id"] {
            let answer = mona.delete(&format!("/sessions/{id}/")).await;
            assert_eq!((answer.status(), answer.bytes()), (404, gone.bytes()), "{id}");
        }
        assert_eq!(hana.get("/sessions/").await.status(), 200);

        let copy = mona.fork();
        assert_snapshot!("current", mona.delete(&format!("/sessions/{oldest}/")).await);
        assert_eq!(copy.get("/sessions/").await.status(), 401);
        assert_eq!(end(&mona, oldest).await, 401);
    }

    /// `auth.single_session`: a student's log-in ends the student's other sessions, in both tokens. A
    /// teacher's does not.
    async fn students_may_have_one_only(school) {
        let app = school.settings(|settings| settings.single_session = true).start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let omar_again = again(&app, "omar", Some("mona")).await;
        assert_eq!(omar.get("/sessions/").await.status(), 401);
        let refresh = omar.post("/student/refresh/mona/", json!({})).await;
        assert_eq!(refresh.status(), 401);
        assert_eq!(ids(&omar_again).await.len(), 1);
        assert_eq!(ids(&sara).await.len(), 1);

        let mona_again = again(&app, "mona", None).await;
        assert_eq!(ids(&mona).await.len(), 2);
        assert_eq!(ids(&mona_again).await.len(), 2);
    }

    /// What the client calls itself and where it comes from are a client's own words, cut and checked.
    async fn say_where_they_are_from(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        app.clock().advance(TimeDelta::minutes(1));
        let mona = app.visitor().with_header("user-agent", &"x".repeat(300));
        mona.log_in_teacher("mona").await;
        let list = mona.get("/sessions/").await.json();
        assert_eq!(list[0]["user_agent"], "x".repeat(200));
        assert_eq!(list[0]["address"], "127.0.0.1");
        let odd = mona.send(Method::DELETE, "/sessions/", None, Body::empty()).await;
        assert_eq!(odd.status(), 405);
    }
}
