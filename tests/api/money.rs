//! The coupon is the money: what many do at once, and what the ledger says afterwards.

use edupro_http::testkit::{Browser, TestApp};
use serde_json::{Value, json};

use crate::{
    races::{at_once, count},
    support::{coupon, coupons, course, module, on_both_engines, redeem, redeem_module, students},
};

/// A teacher, and a course that costs 50.
async fn shop(app: &TestApp) -> (Browser, String) {
    let mona = app.teacher("mona").await;
    let waves = course(&mona, json!({"price": "50"})).await;
    (mona, waves)
}

/// What can be read of the money: uses of the coupon, lines of the ledger, revenue, enrolments.
async fn books(mona: &Browser, coupon: i64, course: &str) -> (i64, usize, Value, Value) {
    let uses =
        mona.get(&format!("/coupon/detail/{coupon}")).await.json()["used_count"].as_i64().unwrap();
    let ledger = mona.get("/coupon/used-coupons/").await.json().as_array().unwrap().len();
    let revenue = mona.get("/teacher/revenue/").await.json()["revenue"].clone();
    let course = mona.get(&format!("/course/course-detail/{course}")).await.json();
    (uses, ledger, revenue, course["total_enrollments"].clone())
}

on_both_engines! {
    /// Fifty students and one coupon for one: one is let in, the others are told why not.
    async fn one_coupon(school) {
        let app = school.start().await;
        let (mona, waves) = shop(&app).await;
        let joined = students(&app, "mona", 50).await;
        let (id, code) = coupon(&mona, "50").await;
        let answers = at_once(50, |number| {
            let (student, waves, code) = (joined[number].clone(), waves.clone(), code.clone());
            async move { redeem(&student, &waves, &code).await }
        }).await;
        assert_eq!((count(&answers, 201), count(&answers, 400)), (1, 49), "{answers:?}");
        assert!(answers.iter().all(|answer| answer.status() == 201 || answer.to_string().contains("maximum uses")));
        assert_eq!(books(&mona, id, &waves).await, (1, 1, json!(50), json!(1)));
    }

    /// Five hundred students and a coupon for seven.
    async fn seven_uses(school) {
        let app = school.start().await;
        let (mona, waves) = shop(&app).await;
        let joined = students(&app, "mona", 500).await;
        let (id, code) = coupon(&mona, "50").await;
        mona.patch(&format!("/coupon/update/{id}"), json!({"max_uses": 7})).await;
        let answers = at_once(500, |number| {
            let (student, waves, code) = (joined[number].clone(), waves.clone(), code.clone());
            async move {
                loop {
                    let answer = redeem(&student, &waves, &code).await;
                    // On a busy machine ten connections are too few for five hundred.
                    if answer.status() != 503 {
                        return answer;
                    }
                }
            }
        }).await;
        assert_eq!((count(&answers, 201), count(&answers, 400)), (7, 493));
        assert_eq!(books(&mona, id, &waves).await, (7, 7, json!(350), json!(7)));
    }

    /// One student sends the same wish sixteen times with four coupons: one is used.
    async fn one_student(school) {
        let app = school.start().await;
        let (mona, waves) = shop(&app).await;
        let omar = app.student("omar", "mona").await;
        let codes = coupons(&mona, 4, "50").await;
        let answers = at_once(16, |number| {
            let (omar, waves, code) = (omar.clone(), waves.clone(), codes[number % 4].1.clone());
            async move { redeem(&omar, &waves, &code).await }
        }).await;
        assert_eq!((count(&answers, 201), count(&answers, 400)), (1, 15), "{answers:?}");
        let list = mona.get("/coupon/list/").await.json();
        let uses: i64 = list["results"].as_array().unwrap().iter().map(|coupon| coupon["used_count"].as_i64().unwrap()).sum();
        assert_eq!(uses, 1);
        let (_, ledger, revenue, enrollments) = books(&mona, codes[0].0, &waves).await;
        assert_eq!((ledger, revenue, enrollments), (1, json!(50), json!(1)));
    }

    /// One coupon of one student for a course and a module at once buys one of them.
    async fn two_wishes(school) {
        let app = school.start().await;
        let (mona, waves) = shop(&app).await;
        let sound = module(&mona, &waves, json!({"price": "50"})).await;
        let omar = app.student("omar", "mona").await;
        let (id, code) = coupon(&mona, "50").await;
        mona.patch(&format!("/coupon/update/{id}"), json!({"max_uses": 9})).await;
        let answers = at_once(8, |number| {
            let (omar, waves, sound, code) = (omar.clone(), waves.clone(), sound.clone(), code.clone());
            async move {
                match number % 2 {
                    0 => redeem(&omar, &waves, &code).await,
                    _ => redeem_module(&omar, &sound, &code).await,
                }
            }
        }).await;
        assert_eq!((count(&answers, 201), count(&answers, 400)), (1, 7), "{answers:?}");
        let (uses, ledger, revenue, _) = books(&mona, id, &waves).await;
        assert_eq!((uses, ledger, revenue), (1, 1, json!(50)));
    }

    /// The coupon is made dearer, switched off and deleted while twelve redeem it: each paid what
    /// it cost, and nobody came in after it was gone.
    async fn changed_meanwhile(school) {
        let app = school.start().await;
        let (mona, waves) = shop(&app).await;
        let joined = students(&app, "mona", 12).await;
        let (id, code) = coupon(&mona, "50").await;
        mona.patch(&format!("/coupon/update/{id}"), json!({"max_uses": 100})).await;
        let answers = at_once(15, |number| {
            let (student, waves, code) = (joined.get(number).cloned(), waves.clone(), code.clone());
            let mona = mona.clone();
            async move {
                match student {
                    Some(student) => redeem(&student, &waves, &code).await,
                    None if number == 12 => mona.patch(&format!("/coupon/update/{id}"), json!({"price": "60"})).await,
                    None if number == 13 => mona.patch(&format!("/coupon/update/{id}"), json!({"max_uses": 5})).await,
                    None => mona.delete(&format!("/coupon/delete/{id}")).await,
                }
            }
        }).await;
        assert!(answers.iter().all(|answer| matches!(answer.status(), 200 | 201 | 204 | 400 | 404)), "{answers:?}");
        let sold = count(&answers, 201);
        let ledger = mona.get("/coupon/used-coupons/").await.json();
        let ledger = ledger.as_array().unwrap();
        assert_eq!(ledger.len(), sold);
        assert!(ledger.iter().all(|used| used["coupon"]["price"] == 50));
        assert!(ledger.iter().all(|used| used["coupon"]["used_count"] == sold));
        assert_eq!(mona.get("/teacher/revenue/").await.json()["revenue"], json!(50 * sold));
        let late = redeem(&app.student("late", "mona").await, &waves, &code).await;
        assert!(late.to_string().contains("Invalid coupon code"));
    }

    /// Enrolments that come and go at once leave totals that a recount gives.
    async fn come_and_go(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let gift = course(&mona, json!({"is_free": true})).await;
        let joined = students(&app, "mona", 8).await;
        for _ in 0..3 {
            let answers = at_once(24, |number| {
                let (student, gift) = (joined[number % 8].clone(), gift.clone());
                async move {
                    match number / 8 {
                        1 => student.delete(&format!("/course/course-enrollment-delete/{gift}/")).await,
                        _ => redeem(&student, &gift, "").await,
                    }
                }
            }).await;
            assert!(answers.iter().all(|answer| matches!(answer.status(), 201 | 204 | 400 | 404)), "{answers:?}");
            let rows = mona.get(&format!("/get_student-enrollments/{gift}")).await.json();
            let total = mona.get(&format!("/course/course-detail/{gift}")).await.json();
            assert_eq!(total["total_enrollments"], rows.as_array().unwrap().len());
        }
    }

    /// Twelve rate at once: the averages are those of all twelve.
    async fn ratings(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let gift = course(&mona, json!({"is_free": true})).await;
        let joined = students(&app, "mona", 6).await;
        for student in &joined {
            redeem(student, &gift, "").await;
        }
        let answers = at_once(12, |number| {
            let (student, gift) = (joined[number % 6].clone(), gift.clone());
            async move {
                let body = json!({"rating": number % 6 % 5 + 1});
                student.post(&format!("/courses/{gift}/ratings/create/"), body).await
            }
        }).await;
        assert_eq!((count(&answers, 201), count(&answers, 400)), (6, 6), "{answers:?}");
        let course = mona.get(&format!("/course/course-detail/{gift}")).await.json();
        // 1 + 2 + 3 + 4 + 5 + 1
        assert_eq!((&course["total_reviews"], &course["average_rating"]), (&json!(6), &json!(2.67)));
        assert_eq!(mona.get("/teacher/teacher-profile/").await.json()["rating"], json!(2.67));
    }

    /// Eight send one request with one Idempotency-Key: it is done once, and nobody is told
    /// anything else (security R35).
    async fn one_key(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await.with_header("idempotency-key", "one");
        let answers = at_once(8, |_| {
            let mona = mona.clone();
            async move { mona.post("/coupon/create/", json!({"number_of_coupons": 3, "price": "5"})).await }
        }).await;
        assert!(answers.iter().all(|answer| matches!(answer.status(), 201 | 409)), "{answers:?}");
        let made: Vec<_> = answers.iter().filter(|answer| answer.status() == 201).collect();
        assert!(made.iter().all(|answer| answer.bytes() == made[0].bytes()));
        assert_eq!(mona.get("/coupon/list/").await.json()["count"], 3);
    }
}
