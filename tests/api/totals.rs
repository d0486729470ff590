//! What is counted is always what a recount gives, whatever happened before (behaviour 3.20).

use edupro_http::testkit::{Browser, TestApp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    histories,
    support::{behind, course, lesson, module, on_both_engines, on_postgres, on_sqlite},
};

/// Something a teacher does to a course. Numbers choose among what is there.
#[derive(Clone, Debug)]
enum Act {
    AddModule,
    AddLesson { module: usize, duration: u8, published: bool },
    SetDuration { lesson: usize, duration: u8 },
    Publish { lesson: usize, published: bool },
    MoveModule { module: usize, order: u8 },
    HideModule { module: usize },
    DropLesson { lesson: usize },
    DropModule { module: usize },
}

fn act() -> impl Strategy<Value = Act> {
    let which = any::<usize>;
    prop_oneof![
        2 => Just(Act::AddModule),
        4 => (which(), any::<u8>(), any::<bool>())
            .prop_map(|(module, duration, published)| Act::AddLesson { module, duration, published }),
        2 => (which(), any::<u8>()).prop_map(|(lesson, duration)| Act::SetDuration { lesson, duration }),
        1 => (which(), any::<bool>()).prop_map(|(lesson, published)| Act::Publish { lesson, published }),
        1 => (which(), any::<u8>()).prop_map(|(module, order)| Act::MoveModule { module, order }),
        1 => which().prop_map(|module| Act::HideModule { module }),
        2 => which().prop_map(|lesson| Act::DropLesson { lesson }),
        1 => which().prop_map(|module| Act::DropModule { module }),
    ]
}

/// The whole course, as its owner sees it.
async fn tree(mona: &Browser, course: &str) -> Value {
    mona.get(&format!("/course/private-deatils/{course}")).await.json()
}

fn id(list: &[Value], which: usize) -> Option<&str> {
    let chosen = list.get(which.checked_rem(list.len())?)?;
    chosen["id"].as_str()
}

async fn carry_out(mona: &Browser, course: &str, act: &Act) {
    let tree = tree(mona, course).await;
    let modules = tree["modules"].as_array().unwrap();
    let lessons: Vec<Value> =
        modules.iter().flat_map(|module| module["lessons"].as_array().unwrap().clone()).collect();
    let seconds = |duration: u8| i64::from(duration) + 1;
    let answer = match act {
        Act::AddModule => {
            mona.post(&format!("/courses/{course}/modules/create/"), json!({"title": "A module"}))
                .await
        }
        Act::AddLesson { module, duration, published } => {
            let Some(module) = id(modules, *module) else { return };
            let body = json!({"title": "A lesson", "duration": seconds(*duration), "is_published": published});
            mona.post(&format!("/modules/{module}/lessons/create/"), body).await
        }
        Act::SetDuration { lesson, duration } => {
            let Some(lesson) = id(&lessons, *lesson) else { return };
            let body = json!({"duration": seconds(*duration)});
            mona.patch(&format!("/lessons/{lesson}/update/"), body).await
        }
        Act::Publish { lesson, published } => {
            let Some(lesson) = id(&lessons, *lesson) else { return };
            mona.patch(&format!("/lessons/{lesson}/update/"), json!({"is_published": published}))
                .await
        }
        Act::MoveModule { module, order } => {
            let Some(module) = id(modules, *module) else { return };
            mona.patch(
                &format!("/modules/{module}/update/"),
                json!({"order": i64::from(*order) + 1}),
            )
            .await
        }
        Act::HideModule { module } => {
            let Some(module) = id(modules, *module) else { return };
            mona.patch(&format!("/modules/{module}/update/"), json!({"is_published": false})).await
        }
        Act::DropLesson { lesson } => {
            let Some(lesson) = id(&lessons, *lesson) else { return };
            mona.delete(&format!("/lessons/{lesson}/delete/")).await
        }
        Act::DropModule { module } => {
            let Some(module) = id(modules, *module) else { return };
            mona.delete(&format!("/modules/{module}/delete/")).await
        }
    };
    // A place that is taken is refused; nothing else can be.
    assert!(answer.status() < 300 || matches!(act, Act::MoveModule { .. }), "{act:?}: {answer}");
}

fn recount(tree: &Value) {
    let (mut course_lessons, mut course_duration) = (0, 0);
    let mut orders = Vec::new();
    for module in tree["modules"].as_array().unwrap() {
        let lessons = module["lessons"].as_array().unwrap();
        let count = i64::try_from(lessons.len()).unwrap();
        let duration: i64 = lessons.iter().map(|lesson| lesson["duration"].as_i64().unwrap()).sum();
        assert_eq!(
            (&module["total_lessons"], &module["total_duration"]),
            (&json!(count), &json!(duration))
        );
        course_lessons += count;
        course_duration += duration;
        orders.push(module["order"].as_i64().unwrap());
        let own: Vec<i64> =
            lessons.iter().map(|lesson| lesson["order"].as_i64().unwrap()).collect();
        assert!(own.is_sorted_by(|a, b| a < b), "{own:?}");
    }
    assert!(orders.is_sorted_by(|a, b| a < b), "{orders:?}");
    assert_eq!(
        (&tree["total_lessons"], &tree["total_durations"]),
        (&json!(course_lessons), &json!(course_duration))
    );
}

/// Histories of one school, each on a course of its own.
fn histories(start: impl Future<Output = TestApp>) {
    let start = async {
        let app = start.await;
        let mona = app.teacher("mona").await;
        (app, mona)
    };
    histories::tell(12, act(), 1..25, start, async |(_, mona), _, acts| {
        let course = course(mona, json!({})).await;
        for act in acts {
            carry_out(mona, &course, act).await;
            recount(&tree(mona, &course).await);
        }
    });
}

#[test]
fn sqlite() {
    histories(async { on_sqlite().start().await });
}

#[test]
fn postgres() {
    histories(async { on_postgres().await.start().await });
}

/// How many a list says it has, and how many it shows.
async fn count(browser: &Browser, path: &str) -> (usize, usize) {
    let list = browser.get(path).await.json();
    let count = list["count"].as_u64().unwrap();
    (usize::try_from(count).unwrap(), list["results"].as_array().unwrap().len())
}

on_both_engines! {
    /// The counts of long lists are kept, not counted, and right after whatever happens to a row.
    async fn long_lists(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let nour = app.teacher("nour").await;
        for name in ["omar", "sara", "lina"] {
            app.student(name, "mona").await;
        }
        app.student("hadi", "nour").await;
        let mut courses = Vec::new();
        for teacher in [&mona, &mona, &mona, &nour] {
            courses.push(course(teacher, json!({})).await);
        }
        let hidden = course(&mona, json!({"is_published": false})).await;
        let published = "/course/list/?page_size=100";
        assert_eq!(count(&mona, published).await, (4, 4));

        let publish = async |id: &str, is_published: bool| {
            let path = format!("/course/update/{id}");
            let answer = mona.patch(&path, json!({"is_published": is_published})).await;
            assert_eq!(answer.status(), 200, "{answer}");
        };
        for (id, is_published, expected) in
            [(&hidden, true, 5), (&hidden, true, 5), (&courses[0], false, 4), (&courses[0], false, 4)]
        {
            publish(id, is_published).await;
            assert_eq!(count(&mona, published).await, (expected, expected));
        }
        for (id, expected) in [(&courses[1], 3), (&courses[0], 3)] {
            let answer = mona.delete(&format!("/course/course-delete/{id}")).await;
            assert!(answer.status() < 300, "{answer}");
            assert_eq!(count(&mona, published).await, (expected, expected));
        }

        let students = async |mona: &Browser| {
            let mut counts = Vec::new();
            for filter in ["", "&is_active=true", "&is_active=false"] {
                let path = format!("/teacher/get_students/?page_size=100{filter}");
                let (count, shown) = count(mona, &path).await;
                assert_eq!(count, shown, "{filter}");
                counts.push(count);
            }
            counts
        };
        assert_eq!(students(&mona).await, [3, 3, 0]);
        mona.patch("/teacher/students/toggle-block/3/", json!({})).await;
        assert_eq!(students(&mona).await, [3, 2, 1]);
        mona.delete("/teacher/students/remove/3/").await;
        mona.delete("/teacher/students/remove/4/").await;
        assert_eq!(students(&mona).await, [1, 1, 0]);

        // Whatever goes with a teacher is no longer counted.
        behind(&app, "DELETE FROM users WHERE username = 'nour'".to_owned()).await;
        assert_eq!(count(&mona, published).await, (2, 2));
    }

    /// What a list keeps of other tables is right when those change, also when a server of the version
    /// before writes them, which knows nothing of it.
    async fn what_lists_keep(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let module = module(&mona, &course(&mona, json!({})).await, json!({})).await;
        lesson(&mona, &module, json!({})).await;
        let row = "INSERT INTO lesson_progress (student_id, lesson_id, is_completed, updated_at)
                   SELECT p.id, l.id, TRUE, l.created_at FROM student_profiles p, lessons l";
        behind(&app, row.to_owned()).await;
        let list = mona.get("/teacher/get_students/").await.json();
        assert_eq!(list["results"][0]["completed_lessons"], 1, "{list}");

        let found = async |name: &str| {
            count(&mona, &format!("/teacher/get_students/?search={name}")).await.0
        };
        assert_eq!((found("omar").await, found("zaki").await), (1, 0));
        let answer = omar.patch("/student/update-profile/", json!({"full_name": "Zaki"})).await;
        assert_eq!(answer.status(), 200, "{answer}");
        // The username still has the old name.
        assert_eq!((found("omar").await, found("zaki").await), (1, 1));
        app.student("lina", "mona").await;
        let list = mona.get("/teacher/get_students/?ordering=full_name").await.json();
        let names: Vec<_> = list["results"].as_array().unwrap().iter()
            .map(|one| one["student"]["full_name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names, ["Lina Adel", "Zaki"], "{list}");
    }
}
