//! 8.6, X14 and 2.C: how far a student has come.

use edupro_http::testkit::Browser;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{
    UNKNOWN, coupon, course, lesson, module, on_both_engines, redeem, redeem_module,
};

/// Progress of the only enrolment, and whether it is completed.
async fn progress(student: &Browser) -> (String, bool) {
    let courses = student.get("/my-courses/").await.json();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    (text(&courses[0]["progress"]), courses[0]["is_completed"].as_bool().unwrap())
}

async fn complete(student: &Browser, lesson: &str, is_completed: bool) {
    let path = format!("/lessons/{lesson}/status/");
    let answer = student.put(&path, json!({"is_completed": is_completed})).await;
    assert_eq!(answer.status(), 200, "{answer}");
}

on_both_engines! {
    /// 8.6
    async fn status(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let sound = module(&mona, &waves, json!({"price": "5"})).await;
        let pipes = lesson(&mona, &sound, json!({})).await;
        let preview = lesson(&mona, &sound, json!({"title": "Preview", "is_free": true})).await;
        let (_, code) = coupon(&mona, "50").await;
        redeem(&omar, &waves, &code).await;
        let path = format!("/lessons/{pipes}/status/");
        assert_snapshot!("before", omar.get(&path).await);
        assert_snapshot!("put_nothing", omar.put(&path, json!({})).await);
        assert_snapshot!("patch_nothing", omar.patch(&path, json!({})).await);
        assert_snapshot!("wrong", omar.patch(&path, json!({"is_completed": "maybe"})).await);
        assert_snapshot!("completed", omar.put(&path, json!({"is_completed": true})).await);
        assert_snapshot!("taken_back", omar.patch(&path, json!({"is_completed": "false"})).await);
        let alias = format!("/lessons/{pipes}/complete/");
        assert_snapshot!("by_the_old_name", omar.put(&alias, json!({"is_completed": true})).await);
        assert_snapshot!("not_enrolled", sara.put(&path, json!({})).await);
        assert_snapshot!("of_a_preview", sara.put(&format!("/lessons/{preview}/status/"), json!({"is_completed": true})).await);
        assert_snapshot!("a_teacher", mona.put(&path, json!({"is_completed": true})).await);
        assert_snapshot!("nobody", app.visitor().put(&path, json!({})).await);
        assert_snapshot!("unknown", omar.put(&format!("/lessons/{UNKNOWN}/status/"), json!({})).await);
        mona.patch("/teacher/students/toggle-block/2/", json!({})).await;
        assert_snapshot!("blocked", omar.put(&path, json!({"is_completed": true})).await);
    }

    /// Progress follows what is completed and what there is to complete; never above 100.
    async fn recounts(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({"is_free": true})).await;
        redeem(&omar, &waves, "").await;
        assert_eq!(progress(&omar).await, ("0.00".into(), false));
        let sound = module(&mona, &waves, json!({})).await;
        let mut lessons = Vec::new();
        for _ in 0..3 {
            lessons.push(lesson(&mona, &sound, json!({})).await);
        }
        complete(&omar, &lessons[0], true).await;
        assert_eq!(progress(&omar).await, ("33.33".into(), false));
        complete(&omar, &lessons[1], true).await;
        complete(&omar, &lessons[1], true).await;
        assert_eq!(progress(&omar).await, ("66.67".into(), false));
        // A draft is nothing to complete; one that was completed is no longer counted.
        let publish = async |lesson: &str, is_published: bool| {
            mona.patch(&format!("/lessons/{lesson}/update/"), json!({"is_published": is_published})).await
        };
        publish(&lessons[2], false).await;
        assert_eq!(progress(&omar).await, ("100.00".into(), true));
        assert_snapshot!("completed", mona.get(&format!("/get_student-enrollments/{waves}")).await);
        publish(&lessons[0], false).await;
        assert_eq!(progress(&omar).await, ("100.00".into(), true));
        publish(&lessons[2], true).await;
        assert_eq!(progress(&omar).await, ("50.00".into(), false));
        mona.delete(&format!("/lessons/{}/delete/", lessons[2])).await;
        assert_eq!(progress(&omar).await, ("100.00".into(), true));
        lesson(&mona, &sound, json!({})).await;
        assert_eq!(progress(&omar).await, ("50.00".into(), false));
        let light = module(&mona, &waves, json!({})).await;
        lesson(&mona, &light, json!({})).await;
        assert_eq!(progress(&omar).await, ("33.33".into(), false));
        mona.patch(&format!("/modules/{light}/update/"), json!({"is_published": false})).await;
        assert_eq!(progress(&omar).await, ("50.00".into(), false));
        mona.delete(&format!("/modules/{light}/delete/")).await;
        complete(&omar, &lessons[1], false).await;
        assert_eq!(progress(&omar).await, ("0.00".into(), false));
        mona.delete(&format!("/modules/{sound}/delete/")).await;
        assert_eq!(progress(&omar).await, ("0.00".into(), false));
    }

    /// Who has bought a module has its lessons, new ones too, and no others.
    async fn of_a_module(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let sound = module(&mona, &waves, json!({"is_free": true})).await;
        let light = module(&mona, &waves, json!({"price": "5"})).await;
        let lamps = lesson(&mona, &light, json!({})).await;
        assert_eq!(redeem_module(&omar, &sound, "").await.status(), 201);
        let pipes = lesson(&mona, &sound, json!({})).await;
        complete(&omar, &pipes, true).await;
        let (_, code) = coupon(&mona, "50").await;
        let sara = app.student("sara", "mona").await;
        redeem_module(&sara, &sound, "").await;
        complete(&sara, &pipes, true).await;
        // What was completed before is not lost when the whole course is bought.
        assert_eq!(redeem(&sara, &waves, &code).await.json()["progress"], "50.00");
        assert_eq!(progress(&sara).await, ("50.00".into(), false));
        complete(&sara, &lamps, true).await;
        assert_eq!(progress(&sara).await, ("100.00".into(), true));
        assert_eq!(omar.put(&format!("/lessons/{lamps}/status/"), json!({"is_completed": true})).await.status(), 403);
    }
}
