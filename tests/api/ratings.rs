//! 6.1–6.3: what students think of a course.

use chrono::TimeDelta;
use edupro_http::testkit::{Answer, Browser};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{
    UNKNOWN, course, free_course, module, on_both_engines, redeem, redeem_module,
};

async fn rate(student: &Browser, course: &str, body: Value) -> Answer {
    student.post(&format!("/courses/{course}/ratings/create/"), body).await
}

on_both_engines! {
    /// 6.2
    async fn create(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let gift = free_course(&mona).await;
        redeem(&omar, &gift, "").await;
        assert_snapshot!("nothing", rate(&omar, &gift, json!({})).await);
        assert_snapshot!("too_low", rate(&omar, &gift, json!({"rating": 0})).await);
        assert_snapshot!("too_high", rate(&omar, &gift, json!({"rating": 6, "comment": "x".repeat(501)})).await);
        for rating in [json!(4.5), json!(true), json!("good"), json!(null)] {
            assert_eq!(rate(&omar, &gift, json!({"rating": rating})).await.status(), 400, "{rating}");
        }
        assert_snapshot!("wrong_type", rate(&omar, &gift, json!({"rating": "good"})).await);
        assert_snapshot!("not_enrolled", rate(&sara, &gift, json!({})).await);
        assert_snapshot!("a_teacher", rate(&mona, &gift, json!({"rating": 5})).await);
        assert_snapshot!("nobody", rate(&app.visitor(), &gift, json!({"rating": 5})).await);
        assert_snapshot!("unknown", rate(&omar, UNKNOWN, json!({"rating": 5})).await);
        assert_snapshot!("ok", rate(&omar, &gift, json!({"rating": "4", "comment": " Two\nlines "})).await);
        redeem(&sara, &gift, "").await;
        assert_snapshot!("least", rate(&sara, &gift, json!({"rating": 5.0, "comment": null})).await);
        assert_snapshot!("again", rate(&omar, &gift, json!({"rating": 5})).await);

        // One module is enough; who was blocked, or whose time is over, may not.
        let waves = course(&mona, json!({"price": "50"})).await;
        let sound = module(&mona, &waves, json!({"is_free": true})).await;
        redeem_module(&omar, &sound, "").await;
        redeem_module(&sara, &sound, "").await;
        assert_eq!(rate(&omar, &waves, json!({"rating": 1})).await.status(), 201);
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert!(matches!(rate(&sara, &waves, json!({"rating": 1})).await.status(), 403 | 404));
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        app.clock().advance(TimeDelta::days(30));
        sara.log_in_student("sara", "mona").await;
        assert_eq!(rate(&sara, &waves, json!({"rating": 1})).await.status(), 403);
    }

    /// 6.1
    async fn list(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let gift = free_course(&mona).await;
        let path = format!("/courses/{gift}/list-ratings/");
        assert_snapshot!("empty", app.visitor().get(&path).await);
        for (student, rating) in [(&omar, 5), (&sara, 2)] {
            redeem(student, &gift, "").await;
            rate(student, &gift, json!({"rating": rating, "comment": "Well."})).await;
            app.clock().advance(TimeDelta::minutes(1));
        }
        assert_snapshot!("ok", app.visitor().get(&path).await);
        assert_snapshot!("unknown", app.visitor().get(&format!("/courses/{UNKNOWN}/list-ratings/")).await);
        mona.patch(&format!("/course/update/{gift}"), json!({"is_published": false})).await;
        assert_eq!(app.visitor().get(&path).await.status(), 404);
        assert_eq!(mona.get(&path).await.status(), 200);
    }

    /// 6.3, and the averages of the course and its teacher.
    async fn own(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let gift = free_course(&mona).await;
        let averages = async || {
            let course = mona.get(&format!("/course/course-detail/{gift}")).await.json();
            let teacher = mona.get("/teacher/teacher-profile/").await.json();
            json!([course["total_reviews"], course["average_rating"], teacher["rating"]])
        };
        redeem(&omar, &gift, "").await;
        redeem(&sara, &gift, "").await;
        assert_eq!(averages().await[0], 0);
        let made = rate(&omar, &gift, json!({"rating": 5, "comment": "Good"})).await.json();
        rate(&sara, &gift, json!({"rating": 2})).await;
        assert_snapshot!("averages", averages().await);
        let by_number = format!("/course/retrive-upadate-delete-ratings/{}/", made["id"]);
        let by_name = format!("/course/retrive-upadate-delete-ratings/{}/", made["uuid"].as_str().unwrap());
        assert_snapshot!("show", omar.get(&by_number).await);
        assert_eq!(omar.get(&by_name).await.bytes(), omar.get(&by_number).await.bytes());
        assert_snapshot!("update", omar.patch(&by_name, json!({"rating": 3})).await);
        assert_eq!(averages().await[1], json!(2.5));
        assert_snapshot!("update_nothing", omar.put(&by_number, json!({})).await);
        assert_snapshot!("wrong", omar.put(&by_number, json!({"rating": 9, "comment": "x".repeat(501)})).await);
        for other in [&sara, &mona] {
            assert_eq!(other.get(&by_number).await.status(), 403);
            assert_eq!(other.patch(&by_number, json!({"rating": 1})).await.status(), 403);
            assert_eq!(other.delete(&by_number).await.status(), 403);
        }
        assert_snapshot!("of_another", sara.get(&by_number).await);
        assert_snapshot!("nobody", app.visitor().get(&by_number).await);
        assert_snapshot!("unknown", omar.get("/course/retrive-upadate-delete-ratings/99/").await);
        assert_snapshot!("nonsense", omar.get("/course/retrive-upadate-delete-ratings/mine/").await);
        // Who has given the course up may still take back what was said.
        omar.delete(&format!("/course/course-enrollment-delete/{gift}/")).await;
        assert_eq!(omar.patch(&by_number, json!({"comment": "Well"})).await.status(), 200);
        assert_snapshot!("delete", omar.delete(&by_number).await);
        assert_snapshot!("delete_again", omar.delete(&by_number).await);
        assert_eq!(averages().await[1], json!(2));
    }
}
