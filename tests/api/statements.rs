//! What a request costs: statements, counted where they are run. A list of a hundred takes as many
//! as a list of one.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use edupro_http::testkit::{Browser, TestApp};
use serde_json::json;
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

use crate::support::{course, enroll, lesson, module, on_both_engines};

/// Counts the statements of this thread.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl<S: tracing::Subscriber> Layer<S> for Counter {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "edupro_storage::sql" {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// How many statements a successful `GET` takes.
async fn cost(browser: &Browser, path: &str) -> usize {
    let counter = Counter::default();
    let subscriber = tracing_subscriber::registry().with(counter.clone());
    let guard = tracing::subscriber::set_default(subscriber);
    let answer = browser.get(path).await;
    drop(guard);
    assert_eq!(answer.status(), 200, "{answer}");
    counter.0.load(Ordering::Relaxed)
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
        // A student's access is one more.
        assert_eq!(cost(&omar, &format!("/modules/{module_id}/lessons/")).await, 4);

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
}
