//! What two people can do at once.

use edupro_http::testkit::{Answer, Browser, PASSWORD, TestApp, email, person};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{course, module, on_both_engines, on_postgres};

/// Sends the same request many times at once, each on a task of its own.
pub(crate) async fn at_once<F>(count: usize, request: impl Fn(usize) -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let tasks = (0..count).map(|number| tokio::spawn(request(number)));
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

/// The orders that were given, sorted; everything was made.
fn orders(answers: &[Answer]) -> Vec<i64> {
    assert_eq!(count(answers, 201), answers.len(), "{answers:?}");
    let mut orders: Vec<i64> =
        answers.iter().map(|answer| answer.json()["order"].as_i64().unwrap()).collect();
    orders.sort_unstable();
    orders
}

fn post(browser: &Browser, path: &str, body: Value) -> impl Future<Output = Answer> + use<> {
    let (browser, path) = (browser.clone(), path.to_owned());
    async move { browser.post(&path, body).await }
}

pub(crate) fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status() == status).count()
}

async fn register(visitor: Browser, username: String, email: String, phone: String) -> Answer {
    let mut body = person(&username);
    body["email"] = email.into();
    body["phone"] = phone.into();
    visitor.post("/teacher/teacher-register/", body).await
}

on_both_engines! {
    /// Twenty identical registrations: one is made, the others are told what is taken.
    async fn registrations(school) {
        let app = school.start().await;
        let answers = at_once(20, |_| {
            register(app.visitor(), "mona".into(), email("mona"), "0123".into())
        }).await;
        assert_eq!((count(&answers, 201), count(&answers, 400)), (1, 19));
    }

    /// Ten usernames with one slug: all are made, and no slug twice.
    async fn slugs(school) {
        let app = school.start().await;
        let answers = at_once(8, |number| {
            let username = format!("mona{}", ".".repeat(number + 1));
            register(app.visitor(), username, format!("{number}@example.com"), format!("{number}"))
        }).await;
        assert_eq!(count(&answers, 201), 8, "{answers:?}");
        let mut slugs: Vec<_> = answers.iter().map(|answer| answer.json()["user"]["slug"].to_string()).collect();
        slugs.sort();
        slugs.dedup();
        assert_eq!(slugs.len(), 8);
    }

    /// Joining twice at once makes one relation.
    async fn joins(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let answers = at_once(10, |_| {
            let omar = omar.clone();
            async move { omar.post("/join-teacher/hana/", json!({})).await }
        }).await;
        assert_eq!((count(&answers, 201), count(&answers, 200)), (1, 9));
    }

    /// Two toggles are two toggles.
    async fn toggles(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        app.student("omar", "mona").await;
        let answers = at_once(10, |_| {
            let mona = mona.clone();
            async move { mona.patch("/teacher/students/toggle-block/2/", json!({})).await }
        }).await;
        let blocked = answers.iter().filter(|answer| answer.to_string().contains("been blocked")).count();
        assert_eq!((count(&answers, 200), blocked), (10, 5));
    }

    /// Eight tabs refresh with one token: all of them stay logged in (security R10).
    async fn refreshes(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let tabs: Vec<Browser> = (0..8).map(|_| mona.fork()).collect();
        let answers = at_once(8, |number| {
            let tab = tabs[number].clone();
            async move { tab.post("/token/refresh/", json!({})).await }
        }).await;
        assert_eq!(count(&answers, 200), 8);
        for tab in &tabs {
            assert_eq!(tab.get("/teacher/revenue/").await.status(), 200);
            assert_eq!(tab.post("/token/refresh/", json!({})).await.status(), 200);
        }
    }

    /// Forty guesses at once get five verdicts at most (security R4).
    async fn guesses(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        app.teacher("mona").await;
        let answers = at_once(40, |_| {
            let visitor = app.visitor();
            async move {
                visitor.post("/teacher/login/", json!({"email": email("mona"), "password": "wrong-one"})).await
            }
        }).await;
        assert!(count(&answers, 401) <= 5);
        assert_eq!(count(&answers, 401) + count(&answers, 429), 40);
    }

    /// Eight use one code: one password is set (security R6).
    async fn codes(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        app.visitor().post("/password-reset/request/", json!({"email": email("mona")})).await;
        let mails = app.mails().await;
        let code = mails[0].text["Your OTP code is: ".len()..][..6].to_owned();
        let answers = at_once(8, |number| {
            let (visitor, code) = (app.visitor(), code.clone());
            async move {
                let password = format!("Str0ng-Pass-{number}");
                let body = json!({"email": email("mona"), "otp": code, "new_password": password});
                visitor.post("/password-reset/confirm/", body).await
            }
        }).await;
        assert_eq!((count(&answers, 200), count(&answers, 400)), (1, 7), "{answers:?}");
    }

    /// Updates of different fields at once are all kept.
    async fn profiles(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let fields = ["bio", "address", "country", "city", "specialization", "institution", "experiance", "gender"];
        let answers = at_once(fields.len(), |number| {
            let mona = mona.clone();
            async move { mona.patch("/teacher/update-profile/", json!({fields[number]: "kept"})).await }
        }).await;
        assert_eq!(count(&answers, 200), fields.len());
        let profile = mona.get("/teacher/teacher-profile/").await.json();
        for field in fields {
            assert_eq!(profile[field], "kept", "{field}");
        }
    }

    /// Modules and lessons made at once get places of their own.
    async fn orders_at_the_end(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let course = course(&mona, json!({})).await;
        let path = format!("/courses/{course}/modules/create/");
        let answers = at_once(16, |_| post(&mona, &path, json!({"title": "A module"}))).await;
        assert_eq!(orders(&answers), (1..=16).collect::<Vec<_>>());
        let module = answers[0].json()["id"].as_str().unwrap().to_owned();
        let path = format!("/modules/{module}/lessons/create/");
        let answers = at_once(16, |_| post(&mona, &path, json!({"title": "A lesson", "duration": 2}))).await;
        assert_eq!(orders(&answers), (1..=16).collect::<Vec<_>>());
        let course = mona.get(&format!("/course/course-detail/{course}")).await.json();
        assert_eq!((&course["total_lessons"], &course["total_durations"]), (&json!(16), &json!(32)));
    }

    /// One place is given to one of sixteen who want it, by making or by moving.
    async fn one_order_for_all(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let course = course(&mona, json!({})).await;
        let path = format!("/courses/{course}/modules/create/");
        let body = json!({"title": "A module", "order": 7});
        let answers = at_once(16, |_| post(&mona, &path, body.clone())).await;
        assert_eq!((count(&answers, 201), count(&answers, 400)), (1, 15));
        let mut modules = Vec::new();
        for _ in 0..16 {
            modules.push(module(&mona, &course, json!({})).await);
        }
        let answers = at_once(16, |number| {
            let (mona, path) = (mona.clone(), format!("/modules/{}/update/", modules[number]));
            async move { mona.patch(&path, json!({"order": 99})).await }
        }).await;
        assert_eq!((count(&answers, 200), count(&answers, 400)), (1, 15));
        let list = mona.get(&format!("/courses/{course}/modules/")).await.json();
        let mut orders: Vec<i64> =
            list.as_array().unwrap().iter().map(|module| module["order"].as_i64().unwrap()).collect();
        let length = orders.len();
        orders.dedup();
        assert_eq!((orders.len(), length), (17, 17));
    }

    /// Lessons made while their course is deleted are refused or gone, never left over.
    async fn lessons_of_a_vanishing_course(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let course = course(&mona, json!({})).await;
        let module = module(&mona, &course, json!({})).await;
        let answers = at_once(12, |number| {
            let (mona, course, module) = (mona.clone(), course.clone(), module.clone());
            async move {
                match number {
                    5 => mona.delete(&format!("/course/course-delete/{course}")).await,
                    _ => mona.post(&format!("/modules/{module}/lessons/create/"), json!({"title": "A lesson"})).await,
                }
            }
        }).await;
        assert_eq!(count(&answers, 204), 1);
        assert!(answers.iter().all(|answer| matches!(answer.status(), 201 | 204 | 404)), "{answers:?}");
    }

    /// A job runs once, whoever works.
    async fn jobs(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        for _ in 0..5 {
            app.visitor().put("/change-password/", json!({})).await;
            app.visitor().post("/password-reset/request/", json!({"email": email("mona")})).await;
        }
        let worked = futures_util::join!(app.work(), app.work(), app.work());
        assert_eq!(worked.0 + worked.1 + worked.2, 5);
        // Four of the codes were replaced before they were sent.
        assert_eq!(app.mailer().take().len(), 1);
    }
}

/// Two schools on one PostgreSQL share sessions, limits and jobs.
#[tokio::test]
async fn two_servers() {
    let school = on_postgres().await.settings(|settings| settings.throttle = true);
    let twin = school.clone();
    let (one, two): (TestApp, TestApp) = (school.start().await, twin.start().await);
    let mona = one.teacher("mona").await;
    let elsewhere = two.visitor();
    elsewhere.set_cookie("access_token", mona.cookie("access_token").as_deref());
    assert_eq!(elsewhere.get("/teacher/revenue/").await.status(), 200);
    mona.send(axum::http::Method::POST, "/logout/", None, axum::body::Body::empty()).await;
    assert_eq!(elsewhere.get("/teacher/revenue/").await.status(), 401);
    for app in [&one, &two, &one, &two, &one] {
        let body = json!({"email": email("mona"), "password": "wrong-one"});
        assert_eq!(app.visitor().post("/teacher/login/", body).await.status(), 401);
    }
    let body = json!({"email": email("mona"), "password": PASSWORD});
    assert_eq!(two.visitor().post("/teacher/login/", body).await.status(), 429);
}
