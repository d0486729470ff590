//! How lists and details find their rows: by an index, whatever the tables have grown to.

use edupro_http::testkit::{Browser, TestApp};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::{
    attempts::{choice, started},
    statements::seen,
    support::{assessment, coupons, course, enroll, lesson, module, on_both_engines, redeem},
};

/// Tables that grow with a school. A teacher's categories and a school's settings do not.
const LARGE: [&str; 19] = [
    "answers",
    "assessments",
    "attempts",
    "audit_log",
    "coupons",
    "course_enrollments",
    "courses",
    "lesson_progress",
    "lessons",
    "module_enrollments",
    "modules",
    "question_options",
    "questions",
    "ratings",
    "row_counts",
    "sales",
    "sessions",
    "teacher_students",
    "users",
];

/// What a statement would read from end to end.
async fn scans(url: &str, statement: &str) -> Vec<String> {
    if url.starts_with("sqlite") {
        let mut database = SqliteConnection::connect(url).await.unwrap();
        let plan = sqlx::query_as::<_, (i64, i64, i64, String)>(AssertSqlSafe(format!(
            "EXPLAIN QUERY PLAN {statement}"
        )));
        let steps = plan.fetch_all(&mut database).await.unwrap().into_iter().map(|step| step.3);
        // `SCAN c USING INDEX` reads an index in its order, and no further than it has to. A page's
        // students have the same name as all of them once they are chosen.
        let is_chosen = statement.contains("FROM chosen r ");
        let is_scan = |step: &String| {
            step.strip_prefix("SCAN ").is_some_and(|name| {
                let alias = name.split(' ').next().unwrap_or_default();
                let is_large = aliases(statement).contains(&alias.to_owned());
                is_large && !name.contains(" USING ") && !(is_chosen && alias == "r")
            })
        };
        return steps.filter(is_scan).collect();
    }
    let mut database = PgConnection::connect(url).await.unwrap();
    // Small tables are read whole by right: what is left with this has no index to use.
    database.execute("SET enable_seqscan = off").await.unwrap();
    database.execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    let values = (1..100).take_while(|number| statement.contains(&format!("${number}"))).count();
    // Nobody says here what type a value has that is only asked whether it is there.
    let statement = (1..=values).rev().fold(statement.to_owned(), |statement, number| {
        statement.replace(&format!("${number} IS NULL"), "FALSE")
    });
    database.execute(AssertSqlSafe(format!("PREPARE asked AS {statement}"))).await.unwrap();
    let values = match vec!["NULL"; values].join(", ") {
        none if none.is_empty() => none,
        some => format!("({some})"),
    };
    let plan =
        sqlx::query_as::<_, (String,)>(AssertSqlSafe(format!("EXPLAIN EXECUTE asked{values}")));
    let steps = plan.persistent(false).fetch_all(&mut database).await.unwrap();
    let is_scan =
        |step: &String| LARGE.iter().any(|table| step.contains(&format!("Seq Scan on {table} ")));
    steps.into_iter().map(|(step,)| step).filter(is_scan).collect()
}

/// What large tables are called in a statement.
fn aliases(statement: &str) -> Vec<String> {
    let words: Vec<_> = statement
        .split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let named = words.windows(2).filter(|pair| LARGE.contains(&pair[0]));
    named.flat_map(|pair| [pair[0].to_owned(), pair[1].to_owned()]).collect()
}

/// A school with something of everything.
async fn furnished(app: &TestApp) -> (Browser, Browser, Vec<String>) {
    let mona = app.teacher("mona").await;
    let omar = app.student("omar", "mona").await;
    let waves = course(&mona, json!({"title": "Waves", "price": "50"})).await;
    let sound = module(&mona, &waves, json!({})).await;
    lesson(&mona, &sound, json!({})).await;
    let codes = coupons(&mona, 2, "50").await;
    redeem(&omar, &waves, &codes[0].1).await;
    enroll(app, "omar", &course(&mona, json!({})).await, None).await;
    let quiz = assessment(&mona, json!({})).await;
    choice(&mona, &quiz, json!({})).await;
    started(&omar, &quiz).await;
    (mona, omar, vec![waves, sound, quiz])
}

on_both_engines! {
    async fn of_lists_and_details(school) {
        let app = school.start().await;
        let (mona, omar, ids) = furnished(&app).await;
        let [waves, sound, quiz] = ids.try_into().unwrap();
        let of_teachers = [
            "/course/list/".to_owned(),
            "/course/list/?page_size=100".to_owned(),
            "/course/teacher-list/mona".to_owned(),
            "/course/list-by-teacher/".to_owned(),
            format!("/course/course-detail/{waves}"),
            format!("/course/private-deatils/{waves}"),
            format!("/courses/{waves}/modules/"),
            format!("/modules/{sound}/"),
            format!("/modules/{sound}/lessons/"),
            format!("/courses/{waves}/list-ratings/"),
            "/teacher/get_students/".to_owned(),
            "/teacher/get_students/?ordering=-enrollment_date".to_owned(),
            "/teacher/get_students/?search=omar".to_owned(),
            format!("/get_student-enrollments/{waves}"),
            "/coupon/list/".to_owned(),
            "/coupon/used-coupons/".to_owned(),
            "/teacher/revenue/".to_owned(),
            "/teacher/teacher-profile/".to_owned(),
            "/teacher/audit/".to_owned(),
            "/teacher/assessments/".to_owned(),
            format!("/teacher/assessments/{quiz}/"),
            format!("/teacher/assessments/{quiz}/questions/"),
            format!("/teacher/assessments/{quiz}/attempts/?page=1"),
            "/teacher/assessments/attempts/omar/".to_owned(),
            "/teacher/grading/pending/".to_owned(),
            "/sessions/".to_owned(),
        ];
        let of_students = [
            "/my-courses/".to_owned(),
            "/course/course-enrollment-list/".to_owned(),
            format!("/modules/{sound}/"),
            format!("/modules/{sound}/lessons/"),
            "/student/assessments/mona/".to_owned(),
            "/student/mona/attempts/".to_owned(),
        ];
        // What has no index is noticed.
        let unindexed = "SELECT l.id FROM lessons l WHERE l.title = $1";
        assert_eq!(scans(app.database_url(), unindexed).await.len(), 1);
        let asked = of_teachers.iter().map(|path| (&mona, path));
        for (asker, path) in asked.chain(of_students.iter().map(|path| (&omar, path))) {
            let (answer, statements) = seen(asker.get(path)).await;
            assert_eq!(answer.status(), 200, "{path}: {answer}");
            for statement in statements {
                let scans = scans(app.database_url(), &statement).await;
                assert!(scans.is_empty(), "{path}: {scans:?}\n{statement}");
            }
        }
    }
}

#[test]
fn tables_are_known_by_what_they_are_called() {
    let statement = "SELECT 1 FROM courses c JOIN (SELECT * FROM lessons) x ON x.id = c.id";
    assert_eq!(aliases(statement), ["courses", "c", "lessons", "x"]);
}
