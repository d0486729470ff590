//! The demo on a SQLite database of its own.

use std::{sync::Arc, time::Duration};

use edupro_core::{
    accounts::{Actor, HashCost, admin},
    categories,
    courses::{self, Course, CourseTree},
    files::{FileStore, PictureRules, Reserve},
    lessons, modules,
    roster::{self, RosterOrder, RosterQuery},
    teachers, {Page, PageNumber},
};
use edupro_http::EduPro;
use edupro_storage::{Database, DatabaseOptions};
use tempfile::TempDir;
use tokio::time::timeout;

use super::*;

/// A school without anybody in it, and where it is kept.
async fn school() -> (Arc<School>, TempDir) {
    let home = TempDir::new().unwrap();
    let url = format!("sqlite://{}", home.path().join("edupro.db").display());
    let database = Database::connect(&DatabaseOptions::new(url)).await.unwrap();
    database.migrate().await.unwrap();
    let files = FileStore::on_disk(&home.path().join("files")).unwrap();
    let builder = EduPro::builder(Arc::new(database))
        .secret("a secret of the demo's tests, and of nobody else")
        .hash_cost(HashCost::CHEAPEST)
        .files(files.with_reserve(Reserve::NONE));
    (Arc::clone(builder.build().unwrap().school()), home)
}

/// All courses of the demo's teachers, the oldest first.
async fn trees(school: &School) -> Vec<CourseTree> {
    let mut tx = school.storage.read().await.unwrap();
    let mut trees = Vec::new();
    for outline in &TEACHERS {
        let teacher = roster::teacher(&mut *tx, outline.person.username).await.unwrap().unwrap();
        for course in courses::own(&mut *tx, teacher.id).await.unwrap().iter().rev() {
            trees.push(courses::tree(&mut *tx, teacher.id, course.id).await.unwrap());
        }
    }
    trees
}

/// Each person, category, membership, course, module and lesson, with all there is to it.
async fn everything(school: &School) -> Vec<String> {
    let mut all: Vec<_> =
        admin::list(school).await.unwrap().iter().map(|user| format!("{user:?}")).collect();
    let mut tx = school.storage.read().await.unwrap();
    let categories = categories::list(&mut *tx).await.unwrap();
    all.extend(categories.iter().map(|category| format!("{category:?}")));
    for outline in &TEACHERS {
        let teacher = roster::teacher(&mut *tx, outline.person.username).await.unwrap().unwrap();
        all.push(format!("{:?}", teachers::own(&mut *tx, teacher.id).await.unwrap()));
        let query = RosterQuery {
            is_active: None,
            words: Vec::new(),
            order: vec![(RosterOrder::FullName, false)],
            page: Page { number: PageNumber::Nth(1), size: 100 },
        };
        let students =
            roster::list(&mut *tx, teacher.id, &query, school.clock.now()).await.unwrap();
        all.extend(students.items.iter().map(|student| format!("{student:?}")));
    }
    drop(tx);
    all.extend(trees(school).await.iter().map(|tree| format!("{tree:?}")));
    all
}

/// What a visitor would notice of everything: no ids, no moments, no names of files.
async fn contents(school: &School) -> Vec<String> {
    let mut contents = Vec::new();
    for CourseTree { course, modules } in trees(school).await {
        contents.push(format!("{} {:?}", course.title, course.totals));
        for (module, lessons) in modules {
            contents.push(format!("  {} {} {:?}", module.order, module.title, module.price));
            for lesson in lessons {
                let files = [&lesson.document, &lesson.thumbnail].map(Option::is_some);
                let files = [lesson.video.is_some(), files[0], files[1]];
                contents.push(format!("    {} {} {files:?}", lesson.order, lesson.title));
            }
        }
    }
    let mut tx = school.storage.read().await.unwrap();
    for category in categories::list(&mut *tx).await.unwrap() {
        contents.push(format!("{} {}", category.name, category.icon.is_some()));
    }
    for outline in &TEACHERS {
        let teacher = roster::teacher(&mut *tx, outline.person.username).await.unwrap().unwrap();
        let teacher = teachers::own(&mut *tx, teacher.id).await.unwrap();
        let specialization = &teacher.teacher.specialization;
        contents.push(format!("{specialization:?} {} students", teacher.students));
    }
    contents
}

/// How many files are stored.
fn files(home: &TempDir) -> usize {
    let mut count = 0;
    let mut folders = vec![home.path().join("files/media")];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => count += 1,
            }
        }
    }
    count
}

#[tokio::test]
async fn it_is_a_school_and_stays_as_it_is() {
    let (school, home) = school().await;
    make(&school).await.unwrap();
    let (made, stored) = (everything(&school).await, files(&home));
    let trees = trees(&school).await;
    let counts = |tree: &CourseTree| (tree.modules.len(), tree.course.totals.lessons);
    let counts: Vec<_> = trees.iter().map(counts).collect();
    assert_eq!(counts, [(2, 4), (2, 3), (1, 1), (2, 3), (2, 3), (2, 3), (2, 3)]);
    assert_eq!(trees.iter().filter(|tree| !tree.course.is_published).count(), 1);
    assert_eq!(trees.iter().filter(|tree| tree.course.is_free).count(), 3);
    assert!(trees.iter().all(|tree| tree.course.category.is_some()));
    // 3 teachers and 5 students; 4 categories; 3 profiles and 8 memberships; 7 courses.
    assert_eq!(made.len(), 8 + 4 + 3 + 8 + 7);

    make(&school).await.unwrap();
    assert_eq!(everything(&school).await, made);
    assert_eq!(files(&home), stored);
}

/// The teacher whose course it is.
async fn owner(school: &School, course: &Course) -> Actor {
    let mut tx = school.storage.read().await.unwrap();
    tx.users().find(course.teacher).await.unwrap().unwrap().into()
}

#[tokio::test]
async fn what_is_missing_is_made_again() {
    let (school, _home) = school().await;
    make(&school).await.unwrap();
    let whole = contents(&school).await;
    let trees = trees(&school).await;
    let [first, second, .., last] = &trees[..] else { panic!("three courses") };
    let (module, lessons) = &first.modules[1];
    lessons::delete(&school, &owner(&school, &first.course).await, lessons[0].id).await.unwrap();
    assert_eq!(module.order, 2);
    modules::delete(&school, &owner(&school, &second.course).await, second.modules[0].0.id)
        .await
        .unwrap();
    courses::delete(&school, &owner(&school, &last.course).await, last.course.id).await.unwrap();
    assert_ne!(contents(&school).await, whole);
    make(&school).await.unwrap();
    assert_eq!(contents(&school).await, whole);
}

#[tokio::test]
async fn a_demo_that_is_stopped_again_and_again_is_completed() {
    let (school, _home) = school().await;
    let mut starts = 0;
    let mut time = Duration::from_millis(5);
    while timeout(time, make(&school)).await.map(Result::unwrap).is_err() {
        // What was being committed is committed once there is another turn to write. A process that
        // is killed leaves nothing under way; a future that is dropped may.
        drop(school.storage.write().await.unwrap());
        time += time / 2;
        starts += 1;
    }
    assert!(starts > 2, "{starts}");
    let (other, _home) = self::school().await;
    make(&other).await.unwrap();
    assert_eq!(contents(&school).await, contents(&other).await);
}

#[tokio::test]
async fn a_closed_account_is_left_alone() {
    let (school, _home) = school().await;
    admin::create(
        &school,
        &"tarek@example.com".parse().unwrap(),
        &"somebody".parse().unwrap(),
        PASSWORD,
    )
    .await
    .unwrap();
    make(&school).await.unwrap();
    admin::set_active(&school, "mona", false).await.unwrap();
    admin::set_active(&school, "nour", false).await.unwrap();
    make(&school).await.unwrap();
    let people = admin::list(&school).await.unwrap();
    let people: Vec<_> =
        people.iter().map(|user| (user.username.as_str(), user.is_active)).collect();
    assert_eq!(
        people,
        [
            ("somebody", true),
            ("mona", false),
            ("laila", true),
            ("omar", true),
            ("salma", true),
            ("karim", true),
            ("nour", false),
            ("hana", true),
        ]
    );
}

#[tokio::test]
async fn its_files_are_what_they_say() {
    let (school, _home) = school().await;
    let video = uploads::video(&school, MONA.style.colours).await.unwrap();
    assert_eq!(video.duration, Some(Duration::from_secs(5)));
    for teacher in &TEACHERS {
        for rules in
            [PictureRules::PUBLIC, PictureRules::MODULE_IMAGE, PictureRules::LESSON_THUMBNAIL]
        {
            let picture = uploads::picture(&school, teacher.style, "title", rules).await.unwrap();
            assert_eq!((picture.width, picture.height), (320, 180));
        }
        for course in teacher.courses {
            for lesson in course.modules.iter().flat_map(|module| module.lessons) {
                let (outline::Content::Paper(lines) | outline::Content::Both(lines)) =
                    lesson.content
                else {
                    continue;
                };
                assert!(lesson.title.is_ascii() && lines.iter().all(|line| line.is_ascii()));
                uploads::document(&school, lesson.title, lines).await.unwrap();
            }
        }
    }
}

#[test]
fn it_says_how_to_log_in() {
    let said = how_to_log_in("http://localhost:8000");
    assert_eq!(
        said,
        "Demo: everybody's password is palm-tree-42\n\
         Teachers: mona@example.com (Physics), tarek@example.com (Mathematics), \
         laila@example.com (Computer science)\n\
         Students: omar@example.com, salma@example.com, karim@example.com, nour@example.com, \
         hana@example.com\n\
         curl -i http://localhost:8000/api/v1/teacher/login/ \
         -H 'Content-Type: application/json' \
         -d '{\"email\": \"mona@example.com\", \"password\": \"palm-tree-42\"}'"
    );
}
