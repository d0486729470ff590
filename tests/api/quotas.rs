//! How much of the store a teacher may fill (security R21).

use axum::http::Method;
use chrono::TimeDelta;
use edupro_core::files::{Quota, orphans};
use edupro_http::testkit::{Answer, Browser, Part, TestApp};
use futures_util::future::join_all;
use image::ImageFormat;
use serde_json::json;

use crate::support::{behind, course, module, on_both_engines, pdf, picture};

/// Makes a lesson with a document of this size, filled with blanks.
async fn lesson(teacher: &Browser, module: &str, title: &str, size: usize) -> Answer {
    let mut document = pdf();
    assert!(document.len() <= size);
    document.resize(size, b' ');
    let path = format!("/modules/{module}/lessons/create/");
    let parts = [Part::Text("title", title), Part::File("document", "waves.pdf", &document)];
    teacher.multipart(Method::POST, &path, &parts).await
}

async fn stored(app: &TestApp) -> usize {
    use futures_util::TryStreamExt;
    // Files in memory are as old as the test, whatever the school's clock says.
    let ever = app.school().clock.now() + TimeDelta::days(36_500);
    app.school().files.stored_before(ever).try_collect::<Vec<_>>().await.unwrap().len()
}

#[track_caller]
fn assert_full(answer: &Answer) {
    assert_eq!(answer.status(), 400, "{answer}");
    let words = "Your storage is full. Please delete files you no longer need.";
    assert_eq!(answer.json(), json!({"error": words}));
}

on_both_engines! {
    /// What is too much is refused, leaves nothing behind, and what was deleted makes room.
    async fn files_of_a_teacher(school) {
        let quota = Quota { bytes: u64::MAX, files: 3 };
        let app = school.settings(|settings| settings.quota = quota).start().await;
        let mona = app.teacher("mona").await;
        let nour = app.teacher("nour").await;
        let omar = app.student("omar", "mona").await;
        let module = module(&mona, &course(&mona, json!({})).await, json!({})).await;
        let picture = picture(ImageFormat::Png);
        let portrait = [Part::File("profile_picture", "me.png", &picture)];
        let of_teachers = "/teacher/update-profile/";
        assert_eq!(mona.multipart(Method::PATCH, of_teachers, &portrait).await.status(), 200);
        for title in ["One", "Two"] {
            assert_eq!(lesson(&mona, &module, title, 1_000).await.status(), 201);
        }
        assert_full(&lesson(&mona, &module, "Three", 1_000).await);
        assert_full(&mona.multipart(Method::PATCH, of_teachers, &portrait).await);
        assert_eq!(stored(&app).await, 3);

        // Others have room of their own, and students' pictures are nobody's.
        assert_eq!(nour.multipart(Method::PATCH, of_teachers, &portrait).await.status(), 200);
        let of_students = "/student/update-profile/";
        assert_eq!(omar.multipart(Method::PATCH, of_students, &portrait).await.status(), 200);
        // What has no file needs no room.
        let answer = mona.patch(of_teachers, json!({"bio": "Waves"})).await;
        assert_eq!(answer.status(), 200, "{answer}");

        let lessons = mona.get(&format!("/modules/{module}/lessons/")).await.json();
        let id = lessons[0]["id"].as_str().unwrap();
        assert_eq!(mona.delete(&format!("/lessons/{id}/delete/")).await.status(), 200);
        app.work().await;
        assert_eq!(lesson(&mona, &module, "Three", 1_000).await.status(), 201);
        assert_full(&lesson(&mona, &module, "Four", 1_000).await);
    }

    /// A form with two files is taken whole or not at all.
    async fn two_files_at_once(school) {
        let quota = Quota { bytes: u64::MAX, files: 1 };
        let app = school.settings(|settings| settings.quota = quota).start().await;
        let mona = app.teacher("mona").await;
        let picture = picture(ImageFormat::Png);
        let one = Part::File("profile_picture", "me.png", &picture);
        let other = Part::File("logo", "logo.png", &picture);
        let path = "/teacher/update-profile/";
        assert_full(&mona.multipart(Method::PATCH, path, &[one, other]).await);
        assert_eq!(stored(&app).await, 0);
        let one = Part::File("profile_picture", "me.png", &picture);
        assert_eq!(mona.multipart(Method::PATCH, path, &[one]).await.status(), 200);
    }

    /// The last byte is still within it, the next one is not.
    async fn bytes_of_a_teacher(school) {
        let quota = Quota { bytes: 2_000, files: u64::MAX };
        let app = school.settings(|settings| settings.quota = quota).start().await;
        let mona = app.teacher("mona").await;
        let module = module(&mona, &course(&mona, json!({})).await, json!({})).await;
        let answer = lesson(&mona, &module, "One", 1_000).await;
        assert_eq!(answer.status(), 201, "{answer}");
        assert_full(&lesson(&mona, &module, "Two", 1_001).await);
        assert_eq!(lesson(&mona, &module, "Two", 1_000).await.status(), 201);
        assert_full(&lesson(&mona, &module, "Three", 900).await);
    }

    /// However many are sent at once, no more come in than there is room for.
    async fn many_at_once(school) {
        let quota = Quota { bytes: 3_500, files: 100 };
        let app = school.settings(|settings| settings.quota = quota).start().await;
        let mona = app.teacher("mona").await;
        let module = module(&mona, &course(&mona, json!({})).await, json!({})).await;
        let titles: Vec<_> = (0..8).map(|number| format!("Lesson {number}")).collect();
        let sent = titles.iter().map(|title| lesson(&mona, &module, title, 1_000));
        let answers = join_all(sent).await;
        let taken = answers.iter().filter(|answer| answer.status() == 201).count();
        answers.iter().filter(|answer| answer.status() != 201).for_each(assert_full);
        assert_eq!((taken, stored(&app).await), (3, 3));
    }

    /// What a process that was killed has written down, and never stored, counts for a day.
    async fn what_was_never_stored_is_struck_out(school) {
        let quota = Quota { bytes: u64::MAX, files: 2 };
        let app = school.settings(|settings| settings.quota = quota).start().await;
        let mona = app.teacher("mona").await;
        let module = module(&mona, &course(&mona, json!({})).await, json!({})).await;
        assert_eq!(lesson(&mona, &module, "One", 1_000).await.status(), 201);
        let row = "INSERT INTO stored_files SELECT 'media/logo/3f/01890a5d-ac96-774b-bcce-b302099a803f.png',
                       teacher_id, bytes, created_at FROM stored_files";
        behind(&app, row.to_owned()).await;
        app.clock().advance(TimeDelta::hours(23));
        orphans::sweep(app.school()).await.unwrap();
        mona.log_in_teacher("mona").await;
        assert_full(&lesson(&mona, &module, "Two", 1_000).await);
        app.clock().advance(TimeDelta::hours(2));
        orphans::sweep(app.school()).await.unwrap();
        mona.log_in_teacher("mona").await;
        assert_eq!(lesson(&mona, &module, "Two", 1_000).await.status(), 201);
        assert_full(&lesson(&mona, &module, "Three", 1_000).await);
    }
}
