//! 4.1–4.3, 7.6, 3.10, 3.11, X1–X3: a student buys, has and loses a course or a module.

use chrono::TimeDelta;
use edupro_core::jobs;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{
    UNKNOWN, coupon, coupons, course, free_course, lesson, module, on_both_engines, redeem,
    redeem_module, titles,
};

const COURSES: &str = "/course/course-enrollment/";
const MODULES: &str = "/course/module-enrollment/";

on_both_engines! {
    /// 4.1
    async fn enroll(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let gift = free_course(&mona).await;
        let (_, code) = coupon(&mona, "50").await;
        assert_snapshot!("nothing", omar.post(COURSES, json!({})).await);
        assert_snapshot!("not_an_id", omar.post(COURSES, json!({"course_id": "waves", "coupon_code": 5})).await);
        assert_snapshot!("unknown", omar.post(COURSES, json!({"course_id": UNKNOWN})).await);
        assert_snapshot!("code_required", omar.post(COURSES, json!({"course_id": waves})).await);
        assert_snapshot!("code_blank", omar.post(COURSES, json!({"course_id": waves, "coupon_code": ""})).await);
        assert_snapshot!("code_null", omar.post(COURSES, json!({"course_id": waves, "coupon_code": null})).await);
        assert_snapshot!("a_teacher", mona.post(COURSES, json!({"course_id": waves})).await);
        assert_snapshot!("nobody", app.visitor().post(COURSES, json!({"course_id": waves})).await);
        // Spaces and case do not matter.
        let typed = format!(" {} ", code.to_lowercase());
        assert_snapshot!("ok", redeem(&omar, &waves, &typed).await);
        assert_snapshot!("again", redeem(&omar, &waves, &code).await);

        // A free course takes no code, and uses none up.
        let (id, other) = coupon(&mona, "0").await;
        assert_snapshot!("free", redeem(&omar, &gift, &other).await);
        assert_eq!(mona.get(&format!("/coupon/detail/{id}")).await.json()["used_count"], 0);

        let draft = course(&mona, json!({"price": "50", "is_published": false})).await;
        assert_snapshot!("not_published", omar.post(COURSES, json!({"course_id": draft})).await);
        let light = course(&hana, json!({"price": "50"})).await;
        let (_, hanas) = coupon(&hana, "50").await;
        assert_snapshot!("not_a_student", redeem(&omar, &light, &hanas).await);
        let sara = app.student("sara", "mona").await;
        mona.patch("/teacher/students/toggle-block/4/", json!({})).await;
        assert_snapshot!("blocked", sara.post(COURSES, json!({"course_id": gift})).await);
    }

    /// 4.1: what is wrong with a coupon, in the ruled order.
    async fn refused_coupons(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let light = course(&mona, json!({"price": "50", "title": "Light"})).await;
        let sound = module(&mona, &waves, json!({"title": "Sound", "price": "5"})).await;
        assert_snapshot!("invalid", redeem(&omar, &waves, "NO-SUCH-CODE").await);
        let (_, hanas) = coupon(&hana, "50").await;
        assert_snapshot!("of_another_teacher", redeem(&omar, &waves, &hanas).await);
        assert_snapshot!("of_another_teacher_for_module", redeem_module(&omar, &sound, &hanas).await);
        let (_, cheap) = coupon(&mona, "49.99").await;
        assert_snapshot!("of_another_price", redeem(&omar, &waves, &cheap).await);

        // Everything at once is wrong with this one; one by one it is put right.
        let (id, code) = coupon(&mona, "50").await;
        assert_eq!(redeem(&sara, &waves, &code).await.status(), 201);
        let change = async |body| {
            assert_eq!(mona.patch(&format!("/coupon/update/{id}"), body).await.status(), 200);
        };
        change(json!({
            "expiration_date": "2020-01-01T00:00:00Z", "is_active": false, "status": "limited_access", "price": 1,
        })).await;
        assert_snapshot!("expired", redeem(&omar, &waves, &code).await);
        change(json!({"expiration_date": null})).await;
        assert_snapshot!("used_up", redeem(&omar, &waves, &code).await);
        change(json!({"max_uses": 3})).await;
        assert_snapshot!("inactive", redeem(&omar, &waves, &code).await);
        change(json!({"is_active": true})).await;
        assert_snapshot!("limited", redeem(&omar, &waves, &code).await);
        change(json!({"status": "full_accessed"})).await;
        assert_snapshot!("other_price", redeem(&omar, &waves, &code).await);
        change(json!({"price": 50})).await;
        assert_snapshot!("used_before", redeem(&sara, &light, &code).await);
        assert_eq!(redeem(&omar, &waves, &code).await.status(), 201);
    }

    /// 7.6
    async fn enroll_in_module(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let sound = module(&mona, &waves, json!({"title": "Sound", "price": "7.50"})).await;
        let gift = module(&mona, &waves, json!({"title": "Gift", "is_free": true})).await;
        let draft = module(&mona, &waves, json!({"title": "Draft", "price": "5", "is_published": false})).await;
        let (_, code) = coupon(&mona, "7.50").await;
        assert_snapshot!("nothing", omar.post(MODULES, json!({})).await);
        assert_snapshot!("not_an_id", omar.post(MODULES, json!({"module_id": 5})).await);
        assert_snapshot!("unknown", omar.post(MODULES, json!({"module_id": UNKNOWN})).await);
        assert_snapshot!("code_required", omar.post(MODULES, json!({"module_id": sound})).await);
        assert_snapshot!("not_published", omar.post(MODULES, json!({"module_id": draft})).await);
        assert_snapshot!("invalid", redeem_module(&omar, &sound, "NO-SUCH-CODE").await);
        let (_, dear) = coupon(&mona, "50").await;
        assert_snapshot!("of_another_price", redeem_module(&omar, &sound, &dear).await);
        assert_snapshot!("a_teacher", mona.post(MODULES, json!({"module_id": sound})).await);
        assert_snapshot!("nobody", app.visitor().post(MODULES, json!({"module_id": sound})).await);
        assert_snapshot!("ok", redeem_module(&omar, &sound, &code).await);
        assert_snapshot!("again", redeem_module(&omar, &sound, &code).await);
        assert_snapshot!("free", omar.post(MODULES, json!({"module_id": gift})).await);
        // Revenue of the course grows, its number of enrolments does not.
        assert_eq!(mona.get("/teacher/revenue/").await.json()["revenue"], json!(7.5));
        assert_eq!(mona.get(&format!("/course/course-detail/{waves}")).await.json()["total_enrollments"], 0);

        // Who has the course has its modules: no coupon is burnt.
        let (_, for_course) = coupon(&mona, "50").await;
        let (id, for_module) = coupon(&mona, "7.50").await;
        assert_eq!(redeem(&sara, &waves, &for_course).await.status(), 201);
        assert_snapshot!("has_the_course", redeem_module(&sara, &sound, &for_module).await);
        assert_eq!(mona.get(&format!("/coupon/detail/{id}")).await.json()["used_count"], 0);
        app.teacher("hana").await;
        let lina = app.student("lina", "hana").await;
        assert_snapshot!("not_a_student", lina.post(MODULES, json!({"module_id": gift})).await);
        mona.patch("/teacher/students/toggle-block/2/", json!({})).await;
        let light = module(&mona, &waves, json!({"title": "Light", "is_free": true})).await;
        assert_snapshot!("blocked", omar.post(MODULES, json!({"module_id": light})).await);
        mona.patch(&format!("/course/update/{waves}"), json!({"is_published": false})).await;
        assert_snapshot!("course_not_published", sara.post(MODULES, json!({"module_id": light})).await);
    }

    /// 4.2, X1
    async fn courses_of_a_student(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        omar.post("/join-teacher/hana/", json!({})).await;
        assert_snapshot!("empty", omar.get("/course/course-enrollment-list/mona").await);
        let waves = course(&mona, json!({"price": "50"})).await;
        course(&mona, json!({"title": "Not bought"})).await;
        app.clock().advance(TimeDelta::minutes(1));
        let light = course(&hana, json!({"title": "Light", "is_free": true})).await;
        let (_, code) = coupon(&mona, "50").await;
        redeem(&omar, &waves, &code).await;
        redeem(&omar, &light, "").await;
        assert_snapshot!("of_teacher", omar.get("/course/course-enrollment-list/mona").await);
        let all = omar.get("/course/course-enrollment-list/").await.json();
        assert_eq!(titles(&all["results"]), ["Light", "Waves"]);
        let all = omar.get("/course/course-enrollment-list/?page_size=1&page=2").await.json();
        assert_eq!((titles(&all["results"]), &all["count"]), (vec!["Waves"], &json!(2)));
        let unknown = omar.get("/course/course-enrollment-list/nobody").await;
        assert_eq!((unknown.status(), unknown.json()["count"].clone()), (200, json!(0)));
        assert_snapshot!("no_such_page", omar.get("/course/course-enrollment-list/mona?page=2").await);
        assert_snapshot!("my_courses", omar.get("/my-courses/").await);
        assert_snapshot!("a_teacher", mona.get("/course/course-enrollment-list/mona").await);
        assert_snapshot!("my_courses_of_a_teacher", mona.get("/my-courses/").await);
        assert_snapshot!("nobody", app.visitor().get("/course/course-enrollment-list/mona").await);

        // Blocked or over: not there now, but not forgotten.
        hana.patch("/teacher/students/toggle-block/3/", json!({})).await;
        let all = omar.get("/course/course-enrollment-list/").await.json();
        assert_eq!(titles(&all["results"]), ["Waves"]);
        app.clock().advance(TimeDelta::days(31));
        omar.log_in_student("omar", "mona").await;
        assert_eq!(omar.get("/course/course-enrollment-list/").await.json()["count"], 0);
        assert_snapshot!("my_old_courses", omar.get("/my-courses/").await);
    }

    /// 3.9: over is over at that moment, by the hour's job in the lists too, and can be bought again.
    async fn expire_and_renew(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let sound = module(&mona, &waves, json!({"price": "5"})).await;
        let pipes = lesson(&mona, &sound, json!({})).await;
        let path = format!("/modules/{sound}/lessons/");
        let status = format!("/lessons/{pipes}/status/");
        let codes = coupons(&mona, 2, "50").await;
        let first = redeem(&omar, &waves, &codes[0].1).await.json();
        assert_eq!(omar.put(&status, json!({"is_completed": true})).await.status(), 200);
        app.clock().advance(TimeDelta::days(30) - TimeDelta::seconds(1));
        omar.log_in_student("omar", "mona").await;
        assert_eq!(omar.get(&path).await.status(), 200);
        app.clock().advance(TimeDelta::seconds(1));
        assert_eq!(omar.get(&path).await.status(), 403);
        mona.log_in_teacher("mona").await;
        let list = async || mona.get(&format!("/get_student-enrollments/{waves}")).await;
        assert_snapshot!("expired", list().await);
        let before = list().await;
        jobs::expire(app.school()).await.unwrap();
        jobs::expire(app.school()).await.unwrap();
        assert_eq!(list().await.bytes(), before.bytes());
        let old = mona.get(&format!("/coupon/detail/{}", codes[1].0)).await.json();
        assert_eq!(old["is_active"], false);
        // The coupons are over too.
        assert!(redeem(&omar, &waves, &codes[1].1).await.to_string().contains("expired"));
        let (_, code) = coupon(&mona, "50").await;
        let again = redeem(&omar, &waves, &code).await;
        assert_snapshot!("renewed", again);
        assert_eq!(again.json()["id"], first["id"]);
        assert_eq!(omar.get(&path).await.status(), 200);
        assert_eq!(omar.get(&status).await.json()["is_completed"], true);
        assert_eq!(mona.get("/teacher/revenue/").await.json()["revenue"], json!(100));
        assert_eq!(mona.get(&format!("/course/course-detail/{waves}")).await.json()["total_enrollments"], 1);
    }

    /// Without `enrollment.days` nothing ends.
    async fn for_ever(school) {
        let app = school.settings(|settings| settings.enrollment_days = 0).start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let gift = free_course(&mona).await;
        assert_eq!(redeem(&omar, &gift, "").await.json()["ended_date"], Value::Null);
        app.clock().advance(TimeDelta::days(3000));
        omar.log_in_student("omar", "mona").await;
        assert_eq!(omar.get("/course/course-enrollment-list/").await.json()["count"], 1);
    }

    /// 4.3
    async fn delete(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let gift = free_course(&mona).await;
        let codes = coupons(&mona, 3, "50").await;
        let enrollment = redeem(&omar, &waves, &codes[0].1).await.json()["id"].clone();
        let others = redeem(&sara, &waves, &codes[1].1).await.json()["id"].clone();
        let path = format!("/course/course-enrollment-delete/{waves}");
        assert_snapshot!("nobody", app.visitor().delete(&format!("{path}/")).await);
        assert_snapshot!("no_id", mona.delete(&format!("{path}/")).await);
        assert_snapshot!("of_another_teacher", hana.delete(&format!("{path}/{enrollment}")).await);
        assert_snapshot!("unknown_course", mona.delete(&format!("/course/course-enrollment-delete/{UNKNOWN}/1")).await);
        assert_snapshot!("unknown", mona.delete(&format!("{path}/99")).await);
        assert_snapshot!("not_a_number", mona.delete(&format!("{path}/first")).await);
        assert_snapshot!("of_another_course", mona.delete(&format!("/course/course-enrollment-delete/{gift}/{enrollment}")).await);
        assert_snapshot!("of_another_student", omar.delete(&format!("{path}/{others}")).await);
        let admin = app.admin("root").await;
        assert_snapshot!("an_admin", admin.delete(&format!("{path}/{others}")).await);
        assert_snapshot!("by_student", omar.delete(&format!("{path}/")).await);
        assert_snapshot!("by_student_again", omar.delete(&format!("{path}/")).await);
        assert_snapshot!("by_teacher", mona.delete(&format!("{path}/{others}")).await);
        assert_eq!(mona.get(&format!("/course/course-detail/{waves}")).await.json()["total_enrollments"], 0);
        assert_eq!(mona.get("/teacher/revenue/").await.json()["revenue"], json!(100));
        // What was used stays used.
        assert!(redeem(&omar, &waves, &codes[0].1).await.to_string().contains("maximum uses"));
        assert_eq!(redeem(&omar, &waves, &codes[2].1).await.status(), 201);
    }

    /// 4.3: a module that was bought alone is kept when the course is given up.
    async fn delete_with_a_module(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({"is_free": true})).await;
        let sound = module(&mona, &waves, json!({"is_free": true})).await;
        let light = module(&mona, &waves, json!({"price": "5"})).await;
        let pipes = lesson(&mona, &sound, json!({})).await;
        let lamps = lesson(&mona, &light, json!({})).await;
        omar.post(MODULES, json!({"module_id": sound})).await;
        assert_eq!(redeem(&omar, &waves, "").await.status(), 201);
        for lesson in [&pipes, &lamps] {
            let done = omar.put(&format!("/lessons/{lesson}/status/"), json!({"is_completed": true})).await;
            assert_eq!(done.status(), 200);
        }
        omar.delete(&format!("/course/course-enrollment-delete/{waves}/")).await;
        assert_eq!(omar.get(&format!("/lessons/{pipes}/status/")).await.json()["is_completed"], true);
        assert_eq!(omar.get(&format!("/lessons/{lamps}/status/")).await.status(), 403);
        redeem(&omar, &waves, "").await;
        assert_eq!(omar.get(&format!("/lessons/{lamps}/status/")).await.json()["is_completed"], false);
    }

    /// 3.10, 3.11, X2, X3
    async fn lists_of_a_teacher(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let waves = course(&mona, json!({"is_free": true})).await;
        let light = course(&mona, json!({"title": "Light", "is_free": true})).await;
        let of_course = format!("/get_student-enrollments/{waves}");
        let page_of_course = format!("/teacher/courses/{waves}/enrollments/");
        let of_student = format!("/teacher/courses/{waves}/enrollments/3/");
        assert_snapshot!("of_course_empty", mona.get(&of_course).await);
        redeem(&omar, &waves, "").await;
        app.clock().advance(TimeDelta::minutes(1));
        redeem(&sara, &waves, "").await;
        redeem(&omar, &light, "").await;
        assert_snapshot!("of_course", mona.get(&of_course).await);
        assert_snapshot!("page_of_course", mona.get(&format!("{page_of_course}?page_size=1")).await);
        assert_snapshot!("of_student_in_course", mona.get(&of_student).await);
        assert_snapshot!("of_student", mona.get("/teacher/students/3/enrollments/").await);
        for (name, path) in
            [("of_course", &of_course), ("page_of_course", &page_of_course), ("of_student_in_course", &of_student)]
        {
            assert_snapshot!(format!("{name}_by_another_teacher"), hana.get(path).await);
            assert_snapshot!(format!("{name}_by_a_student"), omar.get(path).await);
            assert_snapshot!(format!("{name}_by_nobody"), app.visitor().get(path).await);
            let unknown = path.replace(&waves, UNKNOWN);
            assert_snapshot!(format!("{name}_unknown"), mona.get(&unknown).await);
        }
        // By number, and a number that is none names nobody (behaviour G10).
        let one = mona.get(&format!("{page_of_course}?student_id=4")).await.json();
        assert_eq!((&one["count"], &one["results"][0]["student_name"]), (&json!(1), &json!("Sara Adel")));
        assert_eq!(mona.get(&format!("{page_of_course}?student_id=first")).await.json()["count"], 0);
        assert_eq!(mona.get(&format!("{page_of_course}?page=3")).await.status(), 404);
        assert_eq!(hana.get("/teacher/students/3/enrollments/").await.status(), 404);
        assert_eq!(mona.get("/teacher/students/99/enrollments/").await.status(), 404);
        assert_eq!(omar.get("/teacher/students/3/enrollments/").await.status(), 403);
    }

    /// Security R7: guessing codes is not worth it.
    async fn guessed_codes(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let (_, code) = coupon(&mona, "50").await;
        let mut statuses = Vec::new();
        for number in 0..40 {
            statuses.push(redeem(&omar, &waves, &format!("GUESS{number}")).await.status());
            if statuses.last() == Some(&429) {
                break;
            }
        }
        assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
        let refused = redeem(&omar, &waves, &code).await;
        assert_eq!(refused.status(), 429);
        assert!(refused.header("retry-after").is_some());
    }

    /// Security R35: a request that is sent again gets its first answer, and does nothing more.
    async fn idempotency(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let create = async |key: &str, body: Value| {
            mona.with_header("idempotency-key", key).post("/coupon/create/", body).await
        };
        let body = json!({"number_of_coupons": 2, "price": "50"});
        let first = create("one", body.clone()).await;
        let again = create("one", body.clone()).await;
        assert_eq!((first.status(), first.bytes()), (again.status(), again.bytes()));
        assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), (None, Some("true")));
        assert_eq!(mona.get("/coupon/list/").await.json()["count"], 2);
        assert_snapshot!("other_body", create("one", json!({"number_of_coupons": 3, "price": "50"})).await);
        assert_snapshot!("too_long", create(&"k".repeat(256), body.clone()).await);
        assert_eq!(create("two", body.clone()).await.status(), 201);
        // Another teacher's key is another key.
        let other = hana.with_header("idempotency-key", "one").post("/coupon/create/", body.clone()).await;
        assert_ne!(other.bytes(), first.bytes());

        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let (_, code) = coupon(&mona, "50").await;
        let browser = omar.with_header("idempotency-key", "one");
        let (first, again) = (redeem(&browser, &waves, &code).await, redeem(&browser, &waves, &code).await);
        assert_eq!((first.status(), again.status()), (201, 201));
        assert_eq!(first.bytes(), again.bytes());
        assert_eq!(redeem(&omar, &waves, &code).await.status(), 400);
        // A refusal is an answer too.
        let browser = omar.with_header("idempotency-key", "two");
        let (first, again) = (redeem(&browser, &waves, &code).await, redeem(&browser, &waves, &code).await);
        assert_eq!((first.status(), again.status()), (400, 400));
        assert_eq!(first.bytes(), again.bytes());
        // The key is forgotten after a day.
        app.clock().advance(TimeDelta::hours(25));
        mona.log_in_teacher("mona").await;
        app.work().await;
        assert_eq!(create("one", body).await.header("idempotent-replayed"), None);
    }
}
