//! 5.1–5.6: coupons, and what they have bought; 1.22: what that brought in.

use chrono::TimeDelta;
use edupro_http::testkit::Browser;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{coupon, coupons, course, module, on_both_engines, redeem, redeem_module};

fn codes(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap()).collect()
}

on_both_engines! {
    /// 5.1
    async fn create(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let create = async |body| mona.post("/coupon/create/", body).await;
        assert_snapshot!("ok", create(json!({"number_of_coupons": 2, "price": "50"})).await);
        assert_snapshot!("nothing", create(json!({})).await);
        assert_snapshot!("too_small", create(json!({"number_of_coupons": 0, "price": -1})).await);
        assert_snapshot!("too_large", create(json!({"number_of_coupons": 1001, "price": "123456789.00"})).await);
        assert_snapshot!("wrong_types", create(json!({"number_of_coupons": "some", "price": "cheap"})).await);
        assert_snapshot!("three_places", create(json!({"number_of_coupons": true, "price": "1.005"})).await);
        assert_snapshot!("a_student", omar.post("/coupon/create/", json!({})).await);
        assert_snapshot!("nobody", app.visitor().post("/coupon/create/", json!({})).await);

        // As many as were asked for, each with a code of its own.
        let many = create(json!({"number_of_coupons": 1000, "price": 0})).await;
        assert_eq!(many.status(), 201);
        let many = many.json();
        let mut codes = codes(&many);
        assert!(codes.iter().all(|code| code.len() == 10 && code.chars().all(|c| c.is_ascii_alphanumeric())));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), 1000);
    }

    /// 5.2
    async fn list(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        assert_snapshot!("empty", mona.get("/coupon/list/").await);
        let first = coupons(&mona, 1, "10").await;
        app.clock().advance(TimeDelta::minutes(1));
        let later = coupons(&mona, 11, "20").await;
        coupons(&hana, 1, "30").await;
        // The newest first, ten on a page.
        let page = mona.get("/coupon/list/").await.json();
        let newest: Vec<&str> = later.iter().rev().take(10).map(|(_, code)| code.as_str()).collect();
        assert_eq!(codes(&page["results"]), newest);
        assert_snapshot!("second_page", mona.get("/coupon/list/?page=2").await);
        assert_snapshot!("page_size", mona.get("/coupon/list/?page=12&page_size=1").await);
        assert_snapshot!("no_such_page", mona.get("/coupon/list/?page=3").await);
        mona.delete(&format!("/coupon/delete/{}", first[0].0)).await;
        assert_eq!(mona.get("/coupon/list/").await.json()["count"], 11);
        assert_snapshot!("a_student", omar.get("/coupon/list/").await);
        assert_snapshot!("nobody", app.visitor().get("/coupon/list/").await);
    }

    /// 5.3
    async fn detail(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let (id, _) = coupon(&mona, "12.5").await;
        let path = format!("/coupon/detail/{id}");
        assert_snapshot!("ok", mona.get(&path).await);
        assert_snapshot!("of_another_teacher", hana.get(&path).await);
        assert_snapshot!("unknown", mona.get("/coupon/detail/99").await);
        assert_snapshot!("not_a_number", mona.get("/coupon/detail/first").await);
        assert_snapshot!("a_student", omar.get(&path).await);
        assert_snapshot!("nobody", app.visitor().get(&path).await);
    }

    /// 5.4
    async fn update(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let (id, code) = coupon(&mona, "50").await;
        let path = format!("/coupon/update/{id}");
        assert_snapshot!("all", mona.put(&path, json!({
            "status": "limited_access", "max_uses": 3, "expiration_date": "2030-01-02T03:04:05+02:00",
            "price": "7.25", "is_active": false,
        })).await);
        assert_snapshot!("nothing", mona.patch(&path, json!({})).await);
        app.clock().advance(TimeDelta::minutes(5));
        assert_snapshot!("default_end", mona.patch(&path, json!({"expiration_date": null})).await);
        // What only the school decides stays as it is.
        let before = mona.patch(&path, json!({})).await.json();
        let after = mona.patch(&path, json!({
            "id": 9, "teacher": 2, "code": "MINE", "used_count": 3, "date": "2030-01-02T03:04:05Z",
        })).await.json();
        assert_eq!(before, after);
        assert_snapshot!("wrong", mona.patch(&path, json!({
            "status": "open", "max_uses": 0, "expiration_date": "soon", "price": -1, "is_active": "maybe",
        })).await);
        assert_snapshot!("null", mona.patch(&path, json!({
            "status": null, "max_uses": null, "price": null, "is_active": null,
        })).await);
        assert_snapshot!("too_many_uses", mona.patch(&path, json!({"max_uses": 1_000_001})).await);
        assert_snapshot!("of_another_teacher", hana.patch(&path, json!({"max_uses": 0})).await);
        assert_snapshot!("unknown", mona.patch("/coupon/update/99", json!({})).await);
        assert_snapshot!("a_student", omar.patch(&path, json!({})).await);
        assert_snapshot!("nobody", app.visitor().patch(&path, json!({})).await);

        // Never fewer uses than there were.
        let sara = app.student("sara", "mona").await;
        mona.patch(&path, json!({"status": "full_accessed", "is_active": true, "price": "50", "max_uses": 2})).await;
        let waves = course(&mona, json!({"price": "50"})).await;
        assert_eq!(redeem(&omar, &waves, &code).await.status(), 201);
        assert_eq!(redeem(&sara, &waves, &code).await.status(), 201);
        assert_snapshot!("fewer_uses_than_used", mona.patch(&path, json!({"max_uses": 1})).await);
        // Switching a used-up coupon on is allowed and opens nothing.
        assert_snapshot!("used_up", mona.patch(&path, json!({"is_active": true})).await);
        let lina = app.student("lina", "mona").await;
        assert!(redeem(&lina, &waves, &code).await.to_string().contains("maximum uses"));
    }

    /// 5.5
    async fn delete(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let (id, code) = coupon(&mona, "50").await;
        let path = format!("/coupon/delete/{id}");
        assert_snapshot!("of_another_teacher", hana.delete(&path).await);
        assert_snapshot!("a_student", omar.delete(&path).await);
        assert_snapshot!("nobody", app.visitor().delete(&path).await);
        assert_snapshot!("ok", mona.delete(&path).await);
        assert_snapshot!("again", mona.delete(&path).await);
        assert_eq!(mona.get(&format!("/coupon/detail/{id}")).await.status(), 404);
        assert_eq!(mona.patch(&format!("/coupon/update/{id}"), json!({})).await.status(), 404);
        let waves = course(&mona, json!({"price": "50"})).await;
        assert_snapshot!("works_no_more", redeem(&omar, &waves, &code).await);
    }

    /// 5.6, 1.22: the ledger remembers what was paid, whatever becomes of coupon, course and student.
    async fn used(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        assert_snapshot!("none", mona.get("/coupon/used-coupons/").await);
        let waves = course(&mona, json!({"price": "50"})).await;
        let sound = module(&mona, &waves, json!({"title": "Sound", "price": "7.50"})).await;
        let (of_course, code) = coupon(&mona, "50").await;
        let (of_module, module_code) = coupon(&mona, "7.50").await;
        assert_eq!(redeem(&omar, &waves, &code).await.status(), 201);
        app.clock().advance(TimeDelta::minutes(1));
        assert_eq!(redeem_module(&sara, &sound, &module_code).await.status(), 201);
        assert_snapshot!("ok", mona.get("/coupon/used-coupons/").await);
        assert_snapshot!("page", mona.get("/coupon/used-coupons/?page=1&page_size=1").await);
        assert_snapshot!("revenue", mona.get("/teacher/revenue/").await);

        let ledger = async |mona: &Browser| {
            let used = mona.get("/coupon/used-coupons/").await.json();
            let lines: Vec<_> = used.as_array().unwrap().iter()
                .map(|used| (used["coupon"]["price"].clone(), used["course"].clone(), used["module"].clone()))
                .collect();
            (lines, mona.get("/teacher/revenue/").await.json())
        };
        let before = ledger(&mona).await;
        mona.patch(&format!("/coupon/update/{of_course}"), json!({"price": "1", "max_uses": 5})).await;
        mona.delete(&format!("/coupon/delete/{of_module}")).await;
        assert_eq!(ledger(&mona).await, before);
        mona.delete(&format!("/course/course-enrollment-delete/{waves}/1")).await;
        mona.delete("/teacher/students/remove/4/").await;
        assert_eq!(ledger(&mona).await, before);
        assert_eq!(mona.delete(&format!("/course/course-delete/{waves}")).await.status(), 204);
        assert_eq!(ledger(&mona).await, before);

        assert_snapshot!("of_another_teacher", hana.get("/coupon/used-coupons/").await);
        assert_snapshot!("no_such_page", mona.get("/coupon/used-coupons/?page=9").await);
        assert_snapshot!("a_student", omar.get("/coupon/used-coupons/").await);
        assert_snapshot!("nobody", app.visitor().get("/coupon/used-coupons/").await);
    }
}
