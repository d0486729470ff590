//! 1.17–1.21: a teacher's students.

use chrono::TimeDelta;
use edupro_http::testkit::{Answer, Browser};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::on_both_engines;

fn names(answer: &Answer) -> Vec<String> {
    let results = answer.json()["results"].clone();
    let name = |result: &Value| result["student"]["full_name"].as_str().unwrap().to_owned();
    results.as_array().unwrap().iter().map(name).collect()
}

on_both_engines! {
    /// 1.17
    async fn remove(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let path = "/teacher/students/remove/3/";
        assert_snapshot!("no_student", mona.delete("/teacher/students/remove/").await);
        assert_snapshot!("of_another_teacher", hana.delete(path).await);
        assert_snapshot!("unknown", mona.delete("/teacher/students/remove/99/").await);
        assert_snapshot!("not_a_number", mona.delete("/teacher/students/remove/zz/").await);
        assert_snapshot!("a_student", omar.delete(path).await);
        assert_snapshot!("nobody", app.visitor().delete(path).await);
        assert_snapshot!("ok", mona.delete(path).await);
        assert_snapshot!("again", mona.delete(path).await);
        // Whoever was removed is not this teacher's any more, and may join again.
        assert_eq!(omar.get("/student/student-profile/mona").await.status(), 404);
        assert_eq!(omar.post("/join-teacher/mona/", json!({})).await.status(), 201);
    }

    /// 1.18
    async fn toggle_block(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let toggle = async |browser: &Browser, student: &str| {
            browser.patch(&format!("/teacher/students/toggle-block/{student}"), json!({"is_active": true})).await
        };
        assert_snapshot!("blocked", toggle(&mona, "3/").await);
        assert_snapshot!("unblocked", toggle(&mona, "3").await);
        assert_snapshot!("no_student", toggle(&mona, "").await);
        assert_snapshot!("of_another_teacher", toggle(&hana, "3/").await);
        assert_snapshot!("a_teacher", toggle(&mona, "2/").await);
        assert_snapshot!("not_a_number", toggle(&mona, "zz/").await);
        assert_snapshot!("a_student", toggle(&omar, "3/").await);
        assert_snapshot!("nobody", toggle(&app.visitor(), "3/").await);
        assert_snapshot!("put", mona.put("/teacher/students/toggle-block/3/", json!({})).await);
    }

    /// 1.19, 1.20
    async fn list(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        assert_snapshot!("empty", mona.get("/teacher/get_students/").await);
        for username in ["omar", "sara", "adam", "lina", "zaki", "nour"] {
            app.clock().advance(TimeDelta::minutes(1));
            app.student(username, "mona").await;
        }
        app.student("other", "hana").await;
        let students = async |query: &str| mona.get(&format!("/teacher/get_students/{query}")).await;
        assert_snapshot!("first_page", students("").await);
        assert_snapshot!("last_page", students("?page=last").await);
        assert_snapshot!("middle_page", students("?page=2&page_size=2&search=adel").await);
        assert_snapshot!("no_such_page", students("?page=3").await);
        assert_snapshot!("not_a_page", students("?page=x").await);
        assert_eq!(students("?page=0").await.status(), 404);
        assert_eq!(students("?page=-1").await.status(), 404);
        assert_eq!(names(&students("?page_size=1000000000").await).len(), 6);
        assert_eq!(names(&students("?page_size=0").await).len(), 5);

        let by_name = ["Adam Adel", "Lina Adel", "Nour Adel", "Omar Adel", "Sara Adel", "Zaki Adel"];
        assert_eq!(names(&students("?page_size=9").await), by_name);
        assert_eq!(
            names(&students("?ordering=-student__full_name&page_size=2").await),
            ["Zaki Adel", "Sara Adel"]
        );
        assert_eq!(
            names(&students("?ordering=enrollment_date&page_size=2").await),
            ["Omar Adel", "Sara Adel"]
        );
        assert_eq!(
            names(&students("?ordering=-enrollment_date,student__full_name&page_size=1").await),
            ["Nour Adel"]
        );
        assert_eq!(names(&students("?ordering=user__password&page_size=9").await), by_name);

        assert_eq!(names(&students("?search=SARA").await), ["Sara Adel"]);
        assert_eq!(names(&students("?search=adel,example.com%20lin").await), ["Lina Adel"]);
        assert_eq!(names(&students("?search=%25").await), Vec::<String>::new());
        assert_eq!(names(&students("?search=_").await), Vec::<String>::new());
        assert_eq!(names(&students("?search=%00omar").await), ["Omar Adel"]);

        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert_eq!(names(&students("?is_active=false").await), ["Omar Adel"]);
        assert_eq!(names(&students("?is_active=TRUE&page_size=9").await).len(), 5);
        assert_eq!(names(&students("?is_active=maybe&page_size=9").await).len(), 6);
        assert_eq!(names(&hana.get("/teacher/get_students/").await), ["Other Adel"]);

        let omar = app.visitor();
        assert_snapshot!("nobody", omar.get("/teacher/get_students/").await);
        omar.log_in_student("sara", "mona").await;
        assert_snapshot!("a_student", omar.get("/teacher/get_students/").await);
    }

    /// 1.20: names in any script and any case are found and ordered.
    async fn names_of_the_world(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        for (username, name) in [("stud1", "Émile Zola"), ("stud2", "عمر الشريف"), ("stud3", "emile ajar")] {
            let student = app.student(username, "mona").await;
            student.patch("/student/update-profile/", json!({"full_name": name})).await;
        }
        let find = async |word: &str| names(&mona.get(&format!("/teacher/get_students/?search={word}")).await);
        assert_eq!(find("%C3%89MILE").await, ["Émile Zola"]);
        assert_eq!(find("%D8%B9%D9%85%D8%B1").await, ["عمر الشريف"]);
        assert_eq!(find("EMILE").await, ["emile ajar"]);
        let all = names(&mona.get("/teacher/get_students/").await);
        assert_eq!(all, ["emile ajar", "Émile Zola", "عمر الشريف"]);
    }

    /// 1.21
    async fn show(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        let path = "/teacher/get-student-profile/3";
        assert_snapshot!("ok", mona.get(path).await);
        assert_snapshot!("of_another_teacher", hana.get(path).await);
        assert_snapshot!("unknown", mona.get("/teacher/get-student-profile/99").await);
        assert_snapshot!("not_a_number", mona.get("/teacher/get-student-profile/zz").await);
        assert_snapshot!("a_student", omar.get(path).await);
        assert_snapshot!("an_admin", app.admin("root").await.get(path).await);
        assert_snapshot!("nobody", app.visitor().get(path).await);
    }
}
