//! What a school announces, to whom, and when: exactly these events after these requests.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use chrono::TimeDelta;
use edupro_core::{
    StoreError, StoreResult, attempts,
    events::{Announced, EventError, EventSink, FanOut, MemorySink},
    grading::{AssessmentGrader, GradeError, GradeRequest, GraderCapabilities, Share, Verdict},
    storage::{UserDirectory, UserOverlay},
};
use edupro_http::testkit::{Browser, PASSWORD, Part, TestApp};
use futures_util::future::join_all;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    attempts::{choice, essay, result, start, started, submit},
    grading::{grade, waiting},
    races::{at_once, count},
    support::{
        UNKNOWN, assessment, coupon, course, film, free_course, lesson, module, on_both_engines,
        question, redeem, redeem_module,
    },
};

/// What was announced since the last time, as subscribers read it.
async fn told(app: &TestApp) -> String {
    let events: Vec<Value> = app.events().await.iter().map(|told| json!(told)).collect();
    serde_json::to_string_pretty(&events).unwrap()
}

/// The same, by name.
async fn names(app: &TestApp) -> Vec<&'static str> {
    let mut names: Vec<_> = app.events().await.iter().map(|told| told.event.name()).collect();
    names.sort_unstable();
    names
}

async fn complete(student: &Browser, lesson: &str, is_completed: bool) {
    let path = format!("/lessons/{lesson}/status/");
    let answer = student.put(&path, json!({"is_completed": is_completed})).await;
    assert_eq!(answer.status(), 200, "{answer}");
}

/// Takes one of two.
#[derive(Debug, Default)]
struct Forgetful {
    asked: Mutex<Vec<Announced>>,
    fails: AtomicBool,
    rejects: bool,
}

#[async_trait::async_trait]
impl EventSink for Forgetful {
    async fn receive(&self, announced: &Announced) -> Result<(), EventError> {
        self.asked.lock().unwrap().push(announced.clone());
        match self.fails.load(Ordering::SeqCst) {
            true if self.rejects => Err(EventError::rejected("no")),
            true => Err(EventError::unavailable("not now")),
            false => Ok(()),
        }
    }
}

/// Gives half of the points for everything.
#[derive(Debug)]
struct Half;

#[async_trait::async_trait]
impl AssessmentGrader for Half {
    fn name(&self) -> &'static str {
        "half"
    }

    fn capabilities(&self) -> GraderCapabilities {
        GraderCapabilities::new().deterministic()
    }

    async fn grade(&self, _: &GradeRequest<'_>) -> Result<Verdict, GradeError> {
        Ok(Verdict::graded(Share::new(1, 2)))
    }
}

/// A directory whose transactions cannot be committed while it is told so.
#[derive(Debug, Default)]
struct Brittle(Arc<AtomicBool>);

struct BrittleOverlay(Arc<AtomicBool>);

impl UserDirectory for Brittle {
    fn open(&self) -> Box<dyn UserOverlay> {
        Box::new(BrittleOverlay(Arc::clone(&self.0)))
    }
}

#[async_trait::async_trait]
impl UserOverlay for BrittleOverlay {
    async fn commit(self: Box<Self>) -> StoreResult<()> {
        match self.0.load(Ordering::SeqCst) {
            true => Err(StoreError::Other("broken on purpose".into())),
            false => Ok(()),
        }
    }
}

on_both_engines! {
    /// 1.9–1.11, 1.17, 1.18, 1.23: who comes and who goes.
    async fn people(school) {
        let app = school.hear_events().start().await;
        let mona = app.teacher("mona").await;
        assert_snapshot!("teacher", told(&app).await);
        let omar = app.student("omar", "mona").await;
        assert_snapshot!("student", told(&app).await);
        app.teacher("tarek").await;
        app.events().await;
        omar.post("/join-teacher/tarek/", json!({})).await;
        assert_snapshot!("joined", told(&app).await);
        omar.post("/join-teacher/tarek/", json!({})).await;
        omar.post("/join-teacher/nobody/", json!({})).await;
        assert_eq!(names(&app).await, [""; 0]);
        mona.patch("/teacher/students/toggle-block/2/", json!({})).await;
        assert_snapshot!("blocked", told(&app).await);
        mona.patch("/teacher/students/toggle-block/2/", json!({})).await;
        assert_snapshot!("unblocked", told(&app).await);
        mona.delete("/teacher/students/remove/2/").await;
        assert_snapshot!("removed", told(&app).await);
        mona.delete("/teacher/students/remove/2/").await;
        assert_eq!(names(&app).await, [""; 0]);
        let passwords = json!({"old_password": PASSWORD, "new_password": "An0ther-Pass!"});
        let changed = omar.put("/change-password/", passwords).await;
        assert_eq!(changed.status(), 200, "{changed}");
        assert_snapshot!("password", told(&app).await);
    }

    /// 4.1, 4.3, 7.6: what is enrolled in, and what pays for it. No event has a code or an address.
    async fn enrolling(school) {
        let app = school.hear_events().start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let gift = free_course(&mona).await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let sound = module(&mona, &waves, json!({"title": "Sound", "price": "5"})).await;
        app.events().await;
        redeem(&omar, &gift, "").await;
        assert_snapshot!("for_nothing", told(&app).await);
        let (_, wrong) = coupon(&mona, "49").await;
        redeem(&omar, &waves, &wrong).await;
        redeem(&omar, &waves, "NOSUCHCODE").await;
        assert_eq!(names(&app).await, [""; 0]);
        let (_, small) = coupon(&mona, "5").await;
        redeem_module(&omar, &sound, &small).await;
        let with_coupon = told(&app).await;
        assert_snapshot!("module_with_coupon", with_coupon);
        let (_, code) = coupon(&mona, "50").await;
        redeem(&omar, &waves, &code).await;
        let course_with_coupon = told(&app).await;
        assert_snapshot!("course_with_coupon", course_with_coupon);
        for secret in [&small, &code, "@"] {
            assert!(!with_coupon.contains(secret) && !course_with_coupon.contains(secret));
        }
        redeem(&omar, &waves, &code).await;
        assert_eq!(names(&app).await, [""; 0]);

        app.clock().advance(TimeDelta::days(31));
        omar.log_in_student("omar", "mona").await;
        mona.log_in_teacher("mona").await;
        redeem(&omar, &gift, "").await;
        assert_snapshot!("renewed", told(&app).await);
        let path = format!("/course/course-enrollment-delete/{gift}");
        omar.delete(&path).await;
        assert_snapshot!("deleted", told(&app).await);
        omar.delete(&path).await;
        assert_eq!(names(&app).await, [""; 0]);
    }

    /// 8.6, 6.2: only what is new is told.
    async fn learning(school) {
        let app = school.hear_events().start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let gift = free_course(&mona).await;
        let sound = module(&mona, &gift, json!({})).await;
        let mut lessons = Vec::new();
        for title in ["Pipes", "Strings", "Drums"] {
            lessons.push(lesson(&mona, &sound, json!({"title": title})).await);
        }
        redeem(&omar, &gift, "").await;
        app.events().await;

        complete(&omar, &lessons[0], true).await;
        assert_snapshot!("lesson", told(&app).await);
        complete(&omar, &lessons[0], true).await;
        complete(&omar, &lessons[0], false).await;
        complete(&omar, &lessons[0], false).await;
        assert_eq!(names(&app).await, [""; 0]);
        complete(&omar, &lessons[0], true).await;
        complete(&omar, &lessons[1], true).await;
        assert_eq!(names(&app).await, ["lesson_completed", "lesson_completed"]);
        complete(&omar, &lessons[2], true).await;
        assert_snapshot!("course", told(&app).await);

        // One more to do, until the teacher takes it away.
        let path = format!("/modules/{sound}/lessons/create/");
        let added = mona.post(&path, json!({"title": "Bells"})).await.json();
        assert_eq!(names(&app).await, [""; 0]);
        let bells = added["id"].as_str().unwrap();
        mona.delete(&format!("/lessons/{bells}/delete/")).await;
        assert_eq!(names(&app).await, ["course_completed"]);
        mona.patch(&format!("/modules/{sound}/update/"), json!({"title": "Tones"})).await;
        assert_eq!(names(&app).await, [""; 0]);

        let path = format!("/courses/{gift}/ratings/create/");
        let rated = omar.post(&path, json!({"rating": 4, "comment": "Loud"})).await;
        assert_eq!(rated.status(), 201, "{rated}");
        assert_snapshot!("rated", told(&app).await);
        omar.post(&path, json!({"rating": 5})).await;
        assert_eq!(names(&app).await, [""; 0]);
    }

    /// Of many that complete the same lesson at the same moment one is first.
    async fn at_once(school) {
        let app = school.hear_events().start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let gift = free_course(&mona).await;
        let sound = module(&mona, &gift, json!({})).await;
        let pipes = lesson(&mona, &sound, json!({})).await;
        redeem(&omar, &gift, "").await;
        app.events().await;
        join_all((0..8).map(|_| complete(&omar, &pipes, true))).await;
        assert_eq!(names(&app).await, ["course_completed", "lesson_completed"]);
    }

    /// Whoever has bought and completed each module has completed the course at once.
    async fn modules_first(school) {
        let app = school.hear_events().start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let sound = module(&mona, &waves, json!({"price": "5"})).await;
        let pipes = lesson(&mona, &sound, json!({})).await;
        let (_, code) = coupon(&mona, "5").await;
        redeem_module(&omar, &sound, &code).await;
        complete(&omar, &pipes, true).await;
        app.events().await;
        let (_, code) = coupon(&mona, "50").await;
        redeem(&omar, &waves, &code).await;
        let names = names(&app).await;
        assert_eq!(names, ["coupon_redeemed", "course_completed", "course_enrolled"]);
    }

    /// 8.2: a video that the school keeps itself can be played at once.
    async fn videos(school) {
        let app = school.hear_events().start().await;
        let mona = app.teacher("mona").await;
        let gift = free_course(&mona).await;
        let sound = module(&mona, &gift, json!({})).await;
        app.events().await;
        let film = film(90);
        let parts = [Part::Text("title", "Pipes"), Part::File("video", "pipes.mp4", &film)];
        let path = format!("/modules/{sound}/lessons/create/");
        let made = mona.multipart(axum::http::Method::POST, &path, &parts).await;
        assert_eq!(made.status(), 201, "{made}");
        assert_snapshot!("ready", told(&app).await);
    }

    /// 10.8, 10.9: an exam that rules decide on. Nothing that is refused is told, and no event has
    /// what was asked or answered.
    async fn exams(school) {
        let app = school.hear_events().start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let timed = json!({"passing_grade": 50, "is_timed": true, "time_limit": 5});
        let id = assessment(&mona, timed).await;
        let right = choice(&mona, &id, json!({"points": "1.5", "question_text": "Which?"})).await;
        let other = choice(&mona, &id, json!({})).await;
        app.events().await;

        assert_eq!(start(&omar, UNKNOWN).await.status(), 404);
        assert_eq!(start(&mona, &id).await.status(), 403);
        assert_eq!(names(&app).await, [""; 0]);
        let attempt = started(&omar, &id).await;
        assert_snapshot!("started", told(&app).await);
        assert_eq!(start(&omar, &id).await.status(), 200);
        let wrong = json!([{"question_id": UNKNOWN}]);
        assert_eq!(submit(&omar, &attempt, wrong).await.status(), 400);
        assert_eq!(submit(&omar, UNKNOWN, json!([])).await.status(), 404);
        assert_eq!(names(&app).await, [""; 0]);
        let answers = json!([
            {"question_id": right.id, "selected_option_id": right.right},
            {"question_id": other.id, "selected_option_id": other.wrong},
        ]);
        assert_eq!(submit(&omar, &attempt, answers.clone()).await.status(), 200);
        let submitted = told(&app).await;
        assert_snapshot!("graded_at_once", submitted);
        for secret in [&right.id, &right.right, &other.wrong, "Which?"] {
            assert!(!submitted.contains(secret), "{secret}");
        }
        assert_eq!(submit(&omar, &attempt, answers).await.status(), 403);
        assert_eq!(start(&omar, &id).await.status(), 400);
        assert_eq!(names(&app).await, [""; 0]);
    }

    /// 10.13: what a person grades, once and again. A grade that comes to the same is no news.
    async fn graded_by_hand(school) {
        let app = school.hear_events().start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let id = assessment(&mona, json!({"passing_grade": 50})).await;
        let mut answers = Vec::new();
        for text in ["Because of it.", "Therefore."] {
            let why = essay(&mona, &id).await;
            answers.push(json!({"question_id": why, "short_answer_text": text}));
        }
        let attempt = started(&omar, &id).await;
        app.events().await;
        assert_eq!(submit(&omar, &attempt, json!(answers)).await.status(), 200);
        let submitted = told(&app).await;
        assert_snapshot!("submitted", submitted);
        let [first, second] = waiting(&mona).await.try_into().unwrap();
        assert_eq!(grade(&mona, &first, 0.5).await.status(), 200);
        assert_eq!(names(&app).await, [""; 0], "one waits still");
        assert_eq!(grade(&mona, &second, 0.25).await.status(), 200);
        let graded = told(&app).await;
        assert_snapshot!("graded", graded);
        assert!(!submitted.contains("Because") && !graded.contains("Because"));
        assert_eq!(grade(&mona, &second, 0.25).await.status(), 200);
        assert_eq!(grade(&mona, &second, 9.0).await.status(), 400);
        assert_eq!(names(&app).await, [""; 0]);
        assert_eq!(grade(&mona, &second, 1.0).await.status(), 200);
        assert_snapshot!("graded_again", told(&app).await);
    }

    /// What a grader grades afterwards, by a job.
    async fn graded_by_a_grader(school) {
        let school = school.hear_events();
        let app = school.start_with(|builder| builder.grader(Arc::new(Half))).await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let id = assessment(&mona, json!({"passing_grade": 50})).await;
        let marking = json!({"by": "external", "grader": "half"});
        let body = json!({"question_type": "essay", "points": 5, "marking": marking});
        let why = question(&mona, &id, body).await;
        let attempt = started(&omar, &id).await;
        app.events().await;
        let answers = json!([{"question_id": why, "short_answer_text": "Because."}]);
        assert_eq!(submit(&omar, &attempt, answers).await.status(), 200);
        assert_snapshot!("graded", told(&app).await);
    }

    /// A key that was wrong: whoever has other points by the new one is told of, and nobody else.
    async fn regraded(school) {
        let app = school.hear_events().start().await;
        let mona = app.teacher("mona").await;
        let id = assessment(&mona, json!({"passing_grade": 50})).await;
        let sound = choice(&mona, &id, json!({})).await;
        for (name, option) in [("omar", &sound.right), ("lara", &sound.wrong), ("sara", &sound.id)] {
            let student = app.student(name, "mona").await;
            let attempt = started(&student, &id).await;
            let answers = match option == &sound.id {
                true => json!([]),
                false => json!([{"question_id": sound.id, "selected_option_id": option}]),
            };
            assert_eq!(submit(&student, &attempt, answers).await.status(), 200);
        }
        app.events().await;
        for (option, is_correct) in [(&sound.right, false), (&sound.wrong, true)] {
            let path = format!("/teacher/questions/options/{option}/");
            mona.patch(&path, json!({"is_correct": is_correct})).await;
        }
        let regrade = async |dry_run: bool| {
            let path = format!("/teacher/assessments/{id}/regrade/");
            let body = json!({"policy": "new_key_only", "dry_run": dry_run});
            assert_eq!(mona.post(&path, body).await.status(), 200);
        };
        regrade(true).await;
        assert_eq!(names(&app).await, [""; 0]);
        regrade(false).await;
        assert_snapshot!("regraded", told(&app).await);
        regrade(false).await;
        assert_eq!(names(&app).await, [""; 0]);
    }

    /// Behaviour G17: who looks at an attempt that is over sees that, but it is told once it is noted:
    /// by the chore, or by the next start.
    async fn expired(school) {
        let app = school.hear_events().start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let sara = app.student("sara", "mona").await;
        let timed = json!({"is_timed": true, "time_limit": 5, "max_attempts": 2});
        let id = assessment(&mona, timed).await;
        let attempt = started(&omar, &id).await;
        started(&sara, &id).await;
        app.events().await;
        app.clock().advance(TimeDelta::minutes(5) + TimeDelta::seconds(10));
        attempts::expire(app.school()).await.unwrap();
        assert_eq!(names(&app).await, [""; 0], "it can be handed in still");
        app.clock().advance(TimeDelta::seconds(1));
        assert_eq!(result(&omar, &attempt).await.json()["status"], "expired");
        assert_eq!(submit(&omar, &attempt, json!([])).await.status(), 403);
        assert_eq!(names(&app).await, [""; 0], "nobody has noted it");
        let next = started(&omar, &id).await;
        assert_snapshot!("by_a_start", told(&app).await);
        attempts::expire(app.school()).await.unwrap();
        assert_snapshot!("by_the_chore", told(&app).await);
        attempts::expire(app.school()).await.unwrap();
        assert_eq!(names(&app).await, [""; 0]);

        // The last one there is: the start is refused, and yet it has noted that.
        app.clock().advance(TimeDelta::minutes(6));
        assert_eq!(start(&omar, &id).await.status(), 400);
        assert_eq!(names(&app).await, ["attempt_expired"]);
        assert_eq!(start(&omar, &id).await.status(), 400);
        attempts::expire(app.school()).await.unwrap();
        assert_eq!(names(&app).await, [""; 0]);
        assert_eq!(result(&omar, &next).await.json()["status"], "expired");
    }

    /// Of many who start, hand in or note the same at the same moment one is told of.
    async fn exams_at_once(school) {
        let app = school.hear_events().start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let timed = json!({"is_timed": true, "time_limit": 5, "max_attempts": 9});
        let id = assessment(&mona, timed).await;
        choice(&mona, &id, json!({})).await;
        app.events().await;
        let starts = async || {
            at_once(8, |_| {
                let (omar, id) = (omar.clone(), id.clone());
                async move { start(&omar, &id).await }
            }).await
        };
        let answers = starts().await;
        assert_eq!((count(&answers, 201), count(&answers, 200)), (1, 7), "{answers:?}");
        assert_eq!(names(&app).await, ["attempt_started"]);
        let attempt = answers[0].json()["attempt_id"].as_str().unwrap().to_owned();
        let answers = at_once(8, |_| {
            let (omar, attempt) = (omar.clone(), attempt.clone());
            async move { submit(&omar, &attempt, json!([])).await }
        }).await;
        assert_eq!((count(&answers, 200), count(&answers, 403)), (1, 7), "{answers:?}");
        assert_eq!(names(&app).await, ["attempt_graded", "attempt_submitted"]);

        started(&omar, &id).await;
        app.clock().advance(TimeDelta::minutes(6));
        app.events().await;
        let chores = join_all((0..4).map(|_| attempts::expire(app.school())));
        let (noted, answers) = tokio::join!(chores, starts());
        assert!(noted.into_iter().all(|noted| noted.is_ok()));
        assert_eq!((count(&answers, 201), count(&answers, 200)), (1, 7), "{answers:?}");
        assert_eq!(names(&app).await, ["attempt_expired", "attempt_started"]);
    }

    /// A sink that fails hears the same event again, with the same id; others are not kept waiting.
    async fn again(school) {
        let sink = Arc::new(Forgetful { fails: true.into(), ..Forgetful::default() });
        let given = Arc::<Forgetful>::clone(&sink);
        let app = school.start_with(|builder| builder.events(given)).await;
        app.teacher("mona").await;
        app.work().await;
        app.work().await;
        assert_eq!(sink.asked.lock().unwrap().len(), 1, "not before the pause is over");
        sink.fails.store(false, Ordering::SeqCst);
        app.clock().advance(TimeDelta::seconds(10));
        app.work().await;
        app.clock().advance(TimeDelta::hours(1));
        assert_eq!(app.work().await, 0, "it is delivered");
        let asked = sink.asked.lock().unwrap();
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[0], asked[1], "id and moment are those of the first time");
    }

    /// What a sink rejects is told once, and to the others all the same.
    async fn rejected(school) {
        let critic = Arc::new(Forgetful { fails: true.into(), rejects: true, ..Forgetful::default() });
        let memory = Arc::new(MemorySink::default());
        let both = FanOut::new(vec![Arc::<Forgetful>::clone(&critic), Arc::<MemorySink>::clone(&memory)]);
        let app = school.start_with(|builder| builder.events(Arc::new(both))).await;
        app.teacher("mona").await;
        assert_eq!(app.work().await, 1);
        app.clock().advance(TimeDelta::hours(2));
        assert_eq!(app.work().await, 0);
        assert_eq!(critic.asked.lock().unwrap().len(), 1);
        assert_eq!(memory.received().len(), 1);
    }

    /// A transaction that is undone takes its events with it.
    async fn undone(school) {
        let breaks = Arc::new(AtomicBool::default());
        let brittle = Arc::new(Brittle(Arc::clone(&breaks)));
        let app = school.hear_events().start_with(|builder| builder.users(brittle)).await;
        let mona = app.teacher("mona").await;
        app.teacher("tarek").await;
        let omar = app.student("omar", "mona").await;
        let gift = free_course(&mona).await;
        app.events().await;
        breaks.store(true, Ordering::SeqCst);
        assert_eq!(omar.post("/join-teacher/tarek/", json!({})).await.status(), 500);
        assert_eq!(redeem(&omar, &gift, "").await.status(), 500);
        breaks.store(false, Ordering::SeqCst);
        assert_eq!(names(&app).await, [""; 0]);
        assert_eq!(redeem(&omar, &gift, "").await.status(), 201);
        assert_eq!(names(&app).await, ["course_enrolled"]);
        assert_eq!(redeem(&omar, UNKNOWN, "").await.status(), 400);
        assert_eq!(names(&app).await, [""; 0]);
    }

    /// Without a sink there is nothing to deliver: no job is made.
    async fn nobody_listens(school) {
        let app = school.start().await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let gift = free_course(&mona).await;
        redeem(&omar, &gift, "").await;
        assert_eq!(app.work().await, 0);
    }

    /// What was announced before the sink was taken out is dropped.
    async fn nobody_listens_any_more(school) {
        let twin = school.clone();
        let before = school.hear_events().start().await;
        let url = before.database_url().to_owned();
        before.teacher("mona").await;
        let after = twin.database(url).start().await;
        assert_eq!(after.work().await, 1);
        assert_eq!(names(&before).await, [""; 0]);
    }
}
