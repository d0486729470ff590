//! Who did what (security R52): what is noted, who may read it, and that nobody changes it.

use chrono::TimeDelta;
use edupro_core::{
    accounts::admin,
    audit::{Action, Entry, KEPT, LogQuery},
    jobs::sweep,
};
use edupro_http::testkit::{Browser, PASSWORD, TestApp, email};
use insta::assert_snapshot;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::{
    attempts::{choice, essay, start, submit},
    grading::{grade, waiting},
    support::{
        assessment, behind, coupon, course, lesson, module, on_both_engines, question, redeem,
    },
};

/// The whole log, the oldest first.
async fn log(app: &TestApp) -> Vec<Entry> {
    admin::audit(app.school(), None, LogQuery { limit: 10_000, ..LogQuery::default() })
        .await
        .unwrap()
}

/// The words of the entries since `before`, each with its object and who did it.
fn told(entries: &[Entry]) -> String {
    let line = |entry: &Entry| {
        let name = |person: &Option<(edupro_core::accounts::UserId, String)>| {
            person.as_ref().map_or("-".to_owned(), |(_, name)| name.clone())
        };
        let details = |details: &Option<edupro_core::audit::Details>| {
            details.as_ref().map_or("-".to_owned(), |details| json!(details).to_string())
        };
        format!(
            "{} {} by {} from {}; teacher {}, student {}; {} -> {}",
            entry.action,
            entry.object.0,
            name(&entry.actor),
            entry.address.as_deref().unwrap_or("-"),
            entry.teacher.map_or("-".to_owned(), |teacher| teacher.to_string()),
            name(&entry.student),
            details(&entry.before),
            details(&entry.after),
        )
    };
    entries.iter().map(line).collect::<Vec<_>>().join("\n")
}

async fn done(answer: impl Future<Output = edupro_http::testkit::Answer>) -> Value {
    let answer = answer.await;
    assert!(answer.status() < 300, "{answer}");
    if answer.bytes().is_empty() { Value::Null } else { answer.json() }
}

async fn number_of(teacher: &Browser, username: &str) -> i64 {
    let path = format!("/teacher/get_students/?search={username}");
    teacher.get(&path).await.json()["results"][0]["student"]["id"].as_i64().unwrap()
}

async fn actions(teacher: &Browser, query: &str) -> Vec<String> {
    let found = teacher.get(&format!("/teacher/audit/?page_size=100{query}")).await.json();
    let entries = found["results"].as_array().unwrap().iter();
    entries.map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

/// Whether the database takes a statement.
async fn is_taken(app: &TestApp, statement: &str) -> bool {
    let (url, statement) = (app.database_url(), AssertSqlSafe(statement.to_owned()));
    if url.starts_with("sqlite") {
        SqliteConnection::connect(url).await.unwrap().execute(statement).await.is_ok()
    } else {
        PgConnection::connect(url).await.unwrap().execute(statement).await.is_ok()
    }
}

/// The code of the last mail.
async fn code(app: &TestApp) -> String {
    let text = app.mails().await.pop().unwrap().text;
    text.strip_prefix("Your OTP code is: ").unwrap()[..6].to_owned()
}

on_both_engines! {
    /// Log-ins, sessions and passwords; no secret of it is in the log.
    async fn accounts(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        let mona = app.teacher("mona").await;
        app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        app.admin("root").await;
        let visitor = app.visitor();
        let wrong = "a-wrong-guess-of-omar";
        let login = |name: &str, password: &str| json!({"email": email(name), "password": password});
        for (path, body, status) in [
            ("/student/login/mona/", login("omar", wrong), 401),
            ("/student/login/mona/", login("stranger", wrong), 401),
            ("/student/login/hana/", login("omar", wrong), 401),
            ("/student/login/hana/", login("omar", PASSWORD), 403),
            ("/teacher/login/", login("omar", PASSWORD), 401),
            ("/student/login/mona/", login("omar", wrong), 401),
            ("/student/login/mona/", login("omar", wrong), 401),
            ("/student/login/mona/", login("omar", wrong), 401),
            ("/student/login/mona/", login("omar", wrong), 429),
            ("/student/login/mona/", login("omar", wrong), 429),
        ] {
            assert_eq!(visitor.post(path, body).await.status(), status);
        }
        app.clock().advance(TimeDelta::hours(1));
        mona.log_in_teacher("mona").await;

        // An old refresh token is used by somebody who has kept it.
        let lina = app.student("lina", "mona").await;
        let stale = lina.fork();
        for _ in 0..2 {
            app.clock().advance(TimeDelta::minutes(1));
            done(lina.post("/student/refresh/mona/", json!({}))).await;
        }
        assert_eq!(stale.post("/student/refresh/mona/", json!({})).await.status(), 401);
        assert_eq!(stale.post("/student/refresh/mona/", json!({})).await.status(), 401);

        done(visitor.post("/password-reset/request/", json!({"email": email("omar")}))).await;
        let code = code(&app).await;
        let passwords = ["An0ther-Pass!", "A-th1rd-Pass!"];
        let body = json!({"email": email("omar"), "otp": code, "new_password": passwords[0]});
        done(visitor.post("/password-reset/confirm/", body)).await;
        assert_eq!(omar.post("/student/refresh/mona/", json!({})).await.status(), 401);
        let body = json!({"old_password": "not-this-one", "new_password": passwords[1]});
        assert_eq!(mona.put("/change-password/", body).await.status(), 400);
        let body = json!({"old_password": PASSWORD, "new_password": passwords[1]});
        done(mona.put("/change-password/", body)).await;
        let sessions = mona.get("/sessions/").await.json();
        let id = sessions[0]["id"].as_str().unwrap();
        assert_eq!(mona.delete(&format!("/sessions/{id}/")).await.status(), 204);
        let hana = app.visitor();
        hana.log_in_teacher("hana").await;
        let tokens = ["access_token", "refresh_token"].map(|name| hana.cookie(name).unwrap());
        assert_eq!(hana.post("/logout/", json!({})).await.status(), 205);
        for active in [false, true] {
            admin::set_active(app.school(), "hana", active).await.unwrap();
        }

        let entries = log(&app).await;
        assert_snapshot!("log", told(&entries));
        let all = format!("{entries:?}");
        for secret in passwords.into_iter().chain([PASSWORD, wrong, "not-this-one", &code]) {
            assert!(!all.contains(secret), "{secret}");
        }
        for token in tokens {
            assert!(!all.contains(&token), "a token");
        }
        assert!(!all.contains("argon2"));
    }

    /// Money, contents and grades; a coupon's code is never whole.
    async fn deeds(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let before = log(&app).await.len();
        let id = course(&mona, json!({"price": "50"})).await;
        let part = module(&mona, &id, json!({"price": "20"})).await;
        let film = lesson(&mona, &part, json!({})).await;
        let path = format!("/course/update/{id}");
        done(mona.patch(&path, json!({"price": "60", "is_published": false}))).await;
        done(mona.patch(&path, json!({"title": "Sound"}))).await;
        done(mona.patch(&path, json!({"price": "50", "is_published": true}))).await;
        done(mona.patch(&format!("/modules/{part}/update/"), json!({"price": "0", "is_free": true}))).await;
        done(mona.patch(&format!("/lessons/{film}/update/"), json!({"is_published": false}))).await;

        let (number, code) = coupon(&mona, "50").await;
        let (other, other_code) = coupon(&mona, "5").await;
        done(mona.patch(&format!("/coupon/update/{number}"), json!({"max_uses": 3}))).await;
        assert_eq!(redeem(&omar, &id, &other_code).await.status(), 400);
        let enrolled = done(redeem(&omar, &id, &code)).await["id"].as_i64().unwrap();
        done(mona.delete(&format!("/coupon/delete/{other}"))).await;
        let rating = done(omar.post(&format!("/courses/{id}/ratings/create/"), json!({"rating": 4}))).await;
        done(omar.delete(&format!("/course/retrive-upadate-delete-ratings/{}/", rating["id"]))).await;

        let exam = assessment(&mona, json!({})).await;
        let text = essay(&mona, &exam).await;
        let sound = choice(&mona, &exam, json!({})).await;
        let spare = question(&mona, &exam, json!({})).await;
        let attempt = start(&omar, &exam).await.json()["attempt_id"].as_str().unwrap().to_owned();
        let answers = json!([
            {"question_id": text, "short_answer_text": "So."},
            {"question_id": sound.id, "selected_option_id": sound.right},
        ]);
        done(submit(&omar, &attempt, answers)).await;
        let answer = waiting(&mona).await.pop().unwrap();
        done(grade(&mona, &answer, 1.0)).await;
        done(grade(&mona, &answer, 0.5)).await;
        let option = format!("/teacher/questions/options/{}/", sound.right);
        done(mona.patch(&option, json!({"is_correct": false}))).await;
        let regrade = format!("/teacher/assessments/{exam}/regrade/");
        for dry_run in [true, false] {
            done(mona.post(&regrade, json!({"policy": "new_key_only", "dry_run": dry_run}))).await;
        }
        done(mona.delete(&option)).await;
        done(mona.delete(&format!("/teacher/assessments/questions/{spare}/"))).await;
        done(mona.delete(&format!("/teacher/assessments/{exam}/"))).await;

        let student = number_of(&mona, "omar").await;
        for _ in 0..2 {
            done(mona.patch(&format!("/teacher/students/toggle-block/{student}/"), json!({}))).await;
        }
        done(mona.delete(&format!("/course/course-enrollment-delete/{id}/{enrolled}"))).await;
        done(mona.delete(&format!("/teacher/students/remove/{student}/"))).await;
        for _ in 0..2 {
            omar.post("/join-teacher/mona/", json!({})).await;
        }
        done(mona.delete(&format!("/lessons/{film}/delete/"))).await;
        done(mona.delete(&format!("/modules/{part}/delete/"))).await;
        done(mona.delete(&format!("/course/course-delete/{id}"))).await;

        let entries = log(&app).await;
        assert_snapshot!("log", told(&entries[before..]));
        let all = format!("{entries:?}");
        for code in [code, other_code] {
            assert!(!all.contains(&code), "a whole code is in the log");
            assert!(!all.contains(&code[..code.len() - 3]), "more than three characters are");
        }
    }

    /// A teacher sees what concerns them and a student, and nobody sees what is another's.
    async fn teachers_see_their_students(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let hana = app.teacher("hana").await;
        let omar = app.student("omar", "mona").await;
        app.student("sara", "mona").await;
        app.student("lina", "hana").await;
        done(omar.post("/join-teacher/hana/", json!({}))).await;
        let student = number_of(&mona, "omar").await;
        done(mona.patch(&format!("/teacher/students/toggle-block/{student}/"), json!({}))).await;
        coupon(&mona, "5").await;
        // A stranger tries mona's student at hana's door, and hana's at mona's.
        let body = json!({"email": email("lina"), "password": "wrong"});
        assert_eq!(app.visitor().post("/student/login/mona/", body).await.status(), 401);

        assert_snapshot!("list", mona.get("/teacher/audit/?page_size=3").await);
        assert_snapshot!("last", mona.get("/teacher/audit/?page_size=3&page=last").await);
        assert_eq!(
            actions(&mona, "").await,
            ["student_blocked", "logged_in", "registered", "logged_in", "registered"]
        );
        assert_eq!(actions(&hana, "").await, ["student_joined", "logged_in", "registered"]);
        assert_eq!(
            actions(&mona, &format!("&student={student}")).await,
            ["student_blocked", "logged_in", "registered"]
        );
        assert_eq!(actions(&hana, &format!("&student={student}")).await, ["student_joined"]);
        assert_eq!(actions(&mona, "&action=logged_in").await.len(), 2);
        for nothing in ["&student=999999", "&student=x", "&action=x", "&action=LOGGED_IN"] {
            assert!(actions(&mona, nothing).await.is_empty(), "{nothing}");
        }
        // Whose school it is cannot be asked for.
        for query in ["&teacher=1", "&teacher_id=1", "&user=mona"] {
            assert_eq!(actions(&hana, query).await, actions(&hana, "").await, "{query}");
        }
        assert_snapshot!("no_page", mona.get("/teacher/audit/?page=9").await);
        let root = app.admin("root").await;
        for (browser, status) in [(&omar, 403), (&root, 403), (&app.visitor(), 401)] {
            let answer = browser.get("/teacher/audit/").await;
            assert_eq!(answer.status(), status, "{answer}");
        }
        assert_eq!(mona.delete("/teacher/audit/").await.status(), 405);
    }

    /// The database itself refuses to change or delete an entry that is younger than 400 days.
    async fn nobody_changes_it(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        let entries = log(&app).await;
        for statement in [
            "UPDATE audit_log SET action = 'logged_out'",
            "UPDATE audit_log SET at = '2001-01-01T00:00:00+00:00'",
            "DELETE FROM audit_log",
            "DELETE FROM audit_log WHERE id = 1",
        ] {
            assert!(!is_taken(&app, statement).await, "{statement}");
        }
        if app.database_url().starts_with("postgres") {
            assert!(!is_taken(&app, "TRUNCATE audit_log").await);
        }
        assert_eq!(log(&app).await, entries);

        let mut tx = app.school().storage.write().await.unwrap();
        assert!(tx.audit().purge(app.school().clock.now() + KEPT).await.is_err());
        drop(tx);
        assert_eq!(log(&app).await, entries);
    }

    /// The housekeeping forgets what is older than 400 days, says so, and forgets nothing else.
    async fn old_entries_go(school) {
        let app = school.start().await;
        app.teacher("mona").await;
        let old = log(&app).await;
        app.clock().advance(TimeDelta::days(399));
        app.teacher("hana").await;
        let young = log(&app).await.split_off(old.len());
        sweep(app.school()).await.unwrap();
        assert_eq!(log(&app).await.len(), old.len() + young.len());
        app.clock().advance(TimeDelta::days(1) + TimeDelta::microseconds(1));
        for _ in 0..2 {
            sweep(app.school()).await.unwrap();
            let left = log(&app).await;
            assert_eq!(left[..young.len()], young[..]);
            assert_eq!(told(&left[young.len()..]).lines().count(), 1);
            assert_eq!(left.last().unwrap().action, Action::Purged.as_str());
        }
    }

    /// What is undone was not done.
    async fn what_is_undone_is_not_in_it(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let id = course(&mona, json!({"price": "50"})).await;
        let (_, code) = coupon(&mona, "50").await;
        let before = log(&app).await;
        // The ledger takes nothing, so nobody is enrolled.
        behind(&app, "ALTER TABLE sales RENAME TO gone".to_owned()).await;
        assert_eq!(redeem(&omar, &id, &code).await.status(), 500);
        behind(&app, "ALTER TABLE gone RENAME TO sales".to_owned()).await;
        assert_eq!(log(&app).await, before);
        // Nor is anything done of which the log takes nothing.
        behind(&app, "ALTER TABLE audit_log RENAME TO gone".to_owned()).await;
        assert_eq!(redeem(&omar, &id, &code).await.status(), 500);
        behind(&app, "ALTER TABLE gone RENAME TO audit_log".to_owned()).await;
        assert_eq!(log(&app).await, before);
        assert_eq!(mona.get("/coupon/used-coupons/").await.json(), json!([]));
        assert_eq!(redeem(&omar, &id, &code).await.status(), 201);
        assert_eq!(log(&app).await.len(), before.len() + 1);
    }

    /// What an administrator asks for on the command line.
    async fn administrators_see_all(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        app.student("omar", "mona").await;
        app.clock().advance(TimeDelta::minutes(5));
        let noon = app.school().clock.now();
        let student = number_of(&mona, "omar").await;
        done(mona.patch(&format!("/teacher/students/toggle-block/{student}/"), json!({}))).await;
        let ask = async |user: Option<&str>, query: LogQuery| {
            let found = admin::audit(app.school(), user, query).await.unwrap();
            found.into_iter().map(|entry| entry.action).collect::<Vec<_>>()
        };
        let all = LogQuery { limit: 100, ..LogQuery::default() };
        let everything = ["registered", "logged_in", "registered", "logged_in", "student_blocked"];
        assert_eq!(ask(None, all).await, everything);
        assert_eq!(ask(None, LogQuery { limit: 2, ..all }).await, everything[3..]);
        assert_eq!(ask(None, LogQuery { since: Some(noon), ..all }).await, everything[4..]);
        assert_eq!(ask(None, LogQuery { until: Some(noon), ..all }).await, everything[..4]);
        let action = Some(Action::Registered);
        assert_eq!(ask(None, LogQuery { action, ..all }).await, ["registered"; 2]);
        assert_eq!(ask(Some("OMAR"), all).await, everything[2..]);
        assert_eq!(ask(Some("omar@example.com"), all).await, everything[2..]);
        assert_eq!(ask(Some("mona"), all).await, everything);
        assert!(admin::audit(app.school(), Some("nobody"), all).await.is_err());
    }
}
