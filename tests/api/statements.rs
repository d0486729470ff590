//! What a request costs: statements, counted where they are run. A list of a hundred takes as many
//! as a list of one.

use std::{cell::RefCell, fmt::Debug, sync::Once};

use chrono::TimeDelta;
use edupro_core::attempts::expire;
use edupro_http::testkit::{Answer, Browser, PASSWORD, TestApp, email};
use serde_json::{Value, json};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    subscriber::Interest,
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

use crate::{
    attempts::{choice, start, submit},
    grading::{grade, history_path, waiting},
    support::{
        assessment, coupons, course, enroll, lesson, module, on_both_engines, question, redeem,
    },
};

thread_local! {
    /// The statements of this thread, and so of this test.
    static STATEMENTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Counts statements. There is one for the whole process: subscribers that come and go with their
/// tests may miss an event that is seen for the first time.
struct Counter;

impl<S: Subscriber> Layer<S> for Counter {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match metadata.target() == "edupro_storage::sql" {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut Note);
    }
}

/// Writes a statement down.
struct Note;

impl Visit for Note {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "statement" {
            STATEMENTS.with_borrow_mut(|statements| statements.push(value.to_owned()));
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// What comes of something, and the statements it takes.
pub(crate) async fn seen<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
    static COUNTING: Once = Once::new();
    COUNTING.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Counter);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    STATEMENTS.take();
    let done = work.await;
    (done, STATEMENTS.take())
}

/// What comes of something, and how many statements it takes.
async fn counted<T>(work: impl Future<Output = T>) -> (T, usize) {
    let (done, statements) = seen(work).await;
    (done, statements.len())
}

/// How many statements a successful request takes.
async fn cost_of(request: impl Future<Output = Answer>) -> usize {
    let (answer, cost) = counted(request).await;
    assert!(answer.status() < 300, "{answer}");
    cost
}

/// How many statements a successful `GET` takes.
async fn cost(browser: &Browser, path: &str) -> usize {
    cost_of(browser.get(path)).await
}

/// A teacher with a course of many modules, many lessons and many courses beside it.
async fn filled(app: &TestApp, many: usize) -> (Browser, String, String) {
    let mona = app.teacher("mona").await;
    let id = course(&mona, json!({})).await;
    let module_id = module(&mona, &id, json!({})).await;
    lesson(&mona, &module_id, json!({})).await;
    for _ in 1..many {
        course(&mona, json!({})).await;
        module(&mona, &id, json!({})).await;
        lesson(&mona, &module_id, json!({})).await;
    }
    (mona, id, module_id)
}

/// What it costs to hand in, to start, to go on, and to start when the last attempt is over; then
/// what the chore costs that finds one attempt, three, and none.
async fn exam_costs(app: &TestApp) -> Vec<usize> {
    let mona = app.teacher("mona").await;
    let timed = json!({"max_attempts": 9, "is_timed": true, "time_limit": 5});
    let id = assessment(&mona, timed).await;
    choice(&mona, &id, json!({})).await;
    let mut class = Vec::new();
    for name in ["omar", "sara", "lina"] {
        class.push(app.student(name, "mona").await);
    }
    let omar = &class[0];
    let attempt = start(omar, &id).await.json()["attempt_id"].as_str().unwrap().to_owned();
    let mut costs = vec![cost_of(submit(omar, &attempt, json!([]))).await];
    for _ in 0..2 {
        costs.push(cost_of(start(omar, &id)).await);
    }
    app.clock().advance(TimeDelta::minutes(6));
    costs.push(cost_of(start(omar, &id)).await);
    for takers in [1, 3, 0] {
        for student in &class[..takers] {
            assert!(start(student, &id).await.status() < 300);
        }
        app.clock().advance(TimeDelta::minutes(6));
        let (expired, cost) = counted(expire(app.school())).await;
        expired.unwrap();
        costs.push(cost);
    }
    costs
}

on_both_engines! {
    /// Each list and each detail, with one thing in it and with thirty.
    async fn lists(school) {
        let twin = school.clone();
        let few = school.start().await;
        let (mona, id, module_id) = filled(&few, 1).await;
        let omar = few.student("omar", "mona").await;
        enroll(&few, "omar", &id, None).await;
        let visitor = few.visitor();
        let paths = |id: &str, module_id: &str| {
            [
                "/course/list/?page_size=100".to_owned(),
                "/course/course-search-filter/?search=sound&page_size=100".to_owned(),
                "/course/teacher-list/mona".to_owned(),
                format!("/course/course-detail/{id}"),
                "/course/list-by-teacher/".to_owned(),
                format!("/course/private-deatils/{id}"),
                format!("/courses/{id}/modules/"),
                format!("/modules/{module_id}/"),
                format!("/modules/{module_id}/lessons/"),
            ]
        };
        let mut costs = Vec::new();
        for path in paths(&id, &module_id) {
            costs.push(cost(&mona, &path).await);
        }
        // Authentication is one of them where the handler asks who it is.
        assert_eq!(costs, [2, 2, 2, 2, 2, 4, 3, 3, 3]);
        // Without a log-in: the page and its count; the course alone.
        assert_eq!(cost(&visitor, "/course/list/").await, 2);
        assert_eq!(cost(&visitor, &format!("/course/course-detail/{id}")).await, 1);
        // A student's access comes with the module, and what the student has completed with the lessons.
        assert_eq!(cost(&omar, &format!("/modules/{module_id}/")).await, 3);
        assert_eq!(cost(&omar, &format!("/modules/{module_id}/lessons/")).await, 3);

        if !few.database_url().starts_with("postgres") {
            let many = twin.start().await;
            let (mona, id, module_id) = filled(&many, 30).await;
            for (path, before) in paths(&id, &module_id).iter().zip(costs) {
                assert_eq!(cost(&mona, path).await, before, "{path}");
            }
        }
    }

    /// 1.20 with authentication: three statements, however many students.
    async fn roster(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        for username in ["omar", "sara", "lina"] {
            app.student(username, "mona").await;
            assert_eq!(cost(&mona, "/teacher/get_students/").await, 3);
        }
        assert_eq!(cost(&mona, "/teacher/teacher-profile/").await, 2);
    }

    /// 1.1, 1.2: the account; the session, which ends what is too many; the time; the audit log. With
    /// limits, three that count before and one that takes it back.
    async fn logins(school) {
        let twin = school.clone();
        let app = school.start().await;
        app.teacher("mona").await;
        app.student("omar", "mona").await;
        let visitor = app.visitor();
        let login = |name: &str| json!({"email": email(name), "password": PASSWORD});
        for _ in 0..12 {
            assert_eq!(cost_of(visitor.post("/teacher/login/", login("mona"))).await, 4);
        }
        // Which teacher, and how the student stands with them.
        assert_eq!(cost_of(visitor.post("/student/login/mona/", login("omar"))).await, 4 + 2);
        assert_eq!(cost(&app.teacher("hana").await, "/sessions/").await, 2);

        if !app.database_url().starts_with("postgres") {
            let limited = twin.settings(|settings| settings.throttle = true).start().await;
            limited.teacher("mona").await;
            let visitor = limited.visitor();
            assert_eq!(cost_of(visitor.post("/teacher/login/", login("mona"))).await, 4 + 4);
        }
    }

    /// 4.1, 5.1: the same for one lesson and for thirty, for one coupon and for a thousand.
    async fn money(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let small = course(&mona, json!({"price": "50"})).await;
        let large = course(&mona, json!({"price": "50"})).await;
        let module = module(&mona, &large, json!({})).await;
        for _ in 0..30 {
            lesson(&mona, &module, json!({})).await;
        }
        let omar = app.student("omar", "mona").await;
        let codes = coupons(&mona, 2, "50").await;
        // Who asks is read before; the transaction itself is seven, the last of them for the audit log.
        for (course, (_, code)) in [&small, &large].into_iter().zip(&codes) {
            assert_eq!(cost_of(redeem(&omar, course, code)).await, 7 + 1);
        }
        let create = |count: usize| {
            mona.post("/coupon/create/", json!({"number_of_coupons": count, "price": "5"}))
        };
        assert_eq!(cost_of(create(1)).await, 2 + 1);
        assert_eq!(cost_of(create(1000)).await, 2 + 1);
        for path in ["/coupon/list/?page_size=100", "/coupon/used-coupons/", "/teacher/revenue/"] {
            assert!(cost(&mona, path).await <= 3, "{path}");
        }
        for path in ["/course/course-enrollment-list/", "/my-courses/"] {
            assert!(cost(&omar, path).await <= 3, "{path}");
        }
        let path = format!("/get_student-enrollments/{large}");
        assert_eq!(cost(&mona, &path).await, 3);
        let path = format!("/courses/{large}/list-ratings/");
        assert_eq!(cost(&app.visitor(), &path).await, 2);
    }

    /// 10.1–10.7: the same for one question and for fifty.
    async fn assessments(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let id = assessment(&mona, json!({})).await;
        let first = question(&mona, &id, json!({})).await;
        let questions = format!("/teacher/assessments/{id}/questions/");
        let paths = [
            "/teacher/assessments/".to_owned(),
            format!("/teacher/assessments/{id}/"),
            questions.clone(),
            format!("/teacher/assessments/questions/{first}/"),
            format!("/teacher/questions/{first}/options/"),
        ];
        let create = async |options: usize| {
            let options = vec![json!({"option_text": "Air"}); options];
            let body = json!({"question_text": "?", "question_type": "multiple_choice", "options": options});
            cost_of(mona.post(&questions, body)).await
        };
        let costs = async || {
            let mut costs = Vec::new();
            for path in &paths {
                costs.push(cost(&mona, path).await);
            }
            costs.push(cost(&omar, "/student/assessments/mona/").await);
            costs.push(create(1).await);
            costs
        };
        let few = costs().await;
        // Who asks is one of them, and whose it is another.
        assert_eq!(few, [2, 4, 4, 4, 4, 4, 8]);
        for _ in 0..50 {
            question(&mona, &id, json!({})).await;
            assessment(&mona, json!({})).await;
        }
        assert_eq!(costs().await, few);
        assert_eq!(create(100).await, few[6]);
    }

    /// 10.8–10.11, X5–X9: the same for one question and for fifty, for one attempt and for ten.
    async fn attempts(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let mut costs = Vec::new();
        for count in [1, 50] {
            let timed = json!({"max_attempts": 20, "is_timed": true, "time_limit": 5});
            let id = assessment(&mona, timed).await;
            for _ in 0..count {
                question(&mona, &id, json!({})).await;
            }
            let start = async |student: &Browser| {
                let path = format!("/student/assessments/{id}/mona/start/");
                let mut started = Value::Null;
                let cost = cost_of(async {
                    let answer = student.post(&path, json!({})).await;
                    started = answer.json();
                    answer
                });
                (cost.await, started)
            };
            // The first of all makes the paper; then one starts and goes on.
            let mut row = vec![start(&omar).await.0, start(&sara).await.0];
            let (again, started) = start(&omar).await;
            row.push(again);
            let answers = |started: &Value| {
                let answer = |question: &Value| {
                    let option = &question["options"][0]["option_id"];
                    json!({"question_id": question["question_id"], "selected_option_id": option})
                };
                let questions = started["questions"].as_array().unwrap();
                json!({"answers": questions.iter().map(answer).collect::<Vec<_>>()})
            };
            let attempt = started["attempt_id"].as_str().unwrap().to_owned();
            let path = format!("/students/attempts/{attempt}/submit/");
            row.push(cost_of(omar.post(&path, answers(&started))).await);
            row.push(cost(&omar, &format!("/student/attempts/{attempt}/result/")).await);
            // Whoever starts after one that has expired, and makes a new paper.
            app.clock().advance(TimeDelta::minutes(6));
            question(&mona, &id, json!({})).await;
            row.push(start(&sara).await.0);
            for path in [
                "/student/mona/attempts/".to_owned(),
                format!("/teacher/assessments/{id}/attempts/"),
                format!("/teacher/assessments/{id}/attempts/?page=1"),
                format!("/teacher/assessments/{id}/attempts/omar/"),
                "/teacher/assessments/attempts/omar/".to_owned(),
            ] {
                let asker = if path.starts_with("/student") { &omar } else { &mona };
                row.push(cost(asker, &path).await);
            }
            costs.push(row);
        }
        // Who asks is one of them.
        assert_eq!(costs[0], [6, 3, 3, 4, 3, 8, 3, 3, 4, 5, 4]);
        assert_eq!(costs[1], costs[0]);
    }

    /// 10.8, 10.9 and the chore, where nobody listens.
    async fn exams(school) {
        let app = school.start().await;
        // Who asks is one of them.
        assert_eq!(exam_costs(&app).await, [4, 3, 3, 5, 1, 1, 1]);
    }

    /// The same where somebody does: one more, however much there is to tell, and none when there is
    /// nothing.
    async fn exams_with_events(school) {
        let app = school.hear_events().start().await;
        assert_eq!(exam_costs(&app).await, [5, 4, 3, 6, 2, 2, 1]);
    }

    /// 10.12, 10.13, X10–X13 and what is beside the contract: the same for one answer that waits, or
    /// is graded again, and for many.
    async fn grading(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let mut costs = Vec::new();
        for (turn, (questions, takers)) in [(1, 1), (9, 3)].into_iter().enumerate() {
            let id = assessment(&mona, json!({})).await;
            for _ in 0..questions {
                question(&mona, &id, json!({"question_type": "essay"})).await;
            }
            let sound = choice(&mona, &id, json!({})).await;
            for number in 0..takers {
                let student = app.student(&format!("student{turn}x{number}"), "mona").await;
                let started = start(&student, &id).await.json();
                let answer = |question: &Value| json!({
                    "question_id": question["question_id"],
                    "short_answer_text": "Because.",
                    "selected_option_id": question["options"][0]["option_id"],
                });
                let answers = started["questions"].as_array().unwrap().iter().map(answer).collect();
                let attempt = started["attempt_id"].as_str().unwrap();
                assert_eq!(submit(&student, attempt, answers).await.status(), 200);
            }
            let answer = waiting(&mona).await.pop().unwrap();
            let mut row = Vec::new();
            for path in [
                "/teacher/grading/pending/".to_owned(),
                format!("/teacher/assessments/{id}/grading/pending/"),
                "/teacher/assessments/quiz/grading/pending/?question_type=essay".to_owned(),
                history_path(&answer),
            ] {
                row.push(cost(&mona, &path).await);
            }
            row.push(cost_of(grade(&mona, &answer, 1.0)).await);
            let option = format!("/teacher/questions/options/{}/", sound.right);
            assert_eq!(mona.patch(&option, json!({"is_correct": false})).await.status(), 200);
            let regrade = format!("/teacher/assessments/{id}/regrade/");
            row.push(cost(&mona, &regrade).await);
            for dry_run in [true, false] {
                let body = json!({"policy": "new_key_only", "dry_run": dry_run});
                row.push(cost_of(mona.post(&regrade, body)).await);
            }
            costs.push(row);
        }
        // Who asks is one of them, and whose it is another.
        assert_eq!(costs[0], [2, 3, 2, 3, 11, 6, 7, 14]);
        assert_eq!(costs[1], costs[0]);
    }
}
