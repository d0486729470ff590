//! What a school forbids beyond its rules: a refusal, and a policy that cannot decide, change nothing.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use edupro_core::{
    accounts::User,
    enrollments::Prospect,
    policies::{Newcomer, Policy, PolicyError},
};
use edupro_http::testkit::{Answer, Browser, Part, TestApp, TestBuilder, person};
use image::ImageFormat;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::{
    coupon, course, free_course, module, on_both_engines, picture, redeem, redeem_module,
};

/// What a policy says to everything.
#[derive(Clone, Copy, Debug, Default)]
enum Mood {
    #[default]
    Kind,
    Strict,
    Broken,
    Hurried,
    Asleep,
}

/// A policy that says what it is told to say, and notes what it was asked.
#[derive(Debug, Default)]
struct Moody {
    mood: Mutex<Mood>,
    asked: Mutex<Vec<String>>,
}

impl Moody {
    async fn answer(&self, asked: String) -> Result<(), PolicyError> {
        self.asked.lock().unwrap().push(asked);
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Kind => Ok(()),
            Mood::Strict => Err(PolicyError::refused("Not before you are twelve.")),
            Mood::Broken => Err(PolicyError::undecided("nobody knows")),
            Mood::Hurried => Err(PolicyError::Undecided {
                retry_after: Some(Duration::from_secs(90)),
                source: "ask later".into(),
            }),
            Mood::Asleep => std::future::pending().await,
        }
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

#[async_trait::async_trait]
impl Policy for Moody {
    async fn may_register(&self, newcomer: &Newcomer<'_>) -> Result<(), PolicyError> {
        assert!(!format!("{newcomer:?}").contains('@'));
        let teacher = newcomer.teacher.map(|teacher| teacher.username.as_str());
        let asked = format!("register {} with {teacher:?}", newcomer.username.as_str());
        self.answer(asked).await
    }

    async fn may_join(&self, student: &User, teacher: &User) -> Result<(), PolicyError> {
        self.answer(format!("join {} {}", student.username, teacher.username)).await
    }

    async fn may_enroll(&self, student: &User, wanted: &Prospect) -> Result<(), PolicyError> {
        let module = wanted.item.module.as_ref().map(|(_, title)| title);
        let asked =
            format!("enrol {} in {} {module:?}", student.username, wanted.item.course_title);
        self.answer(asked).await
    }
}

async fn start(school: TestBuilder) -> (TestApp, Arc<Moody>) {
    let policy = Arc::new(Moody::default());
    let given = Arc::<Moody>::clone(&policy);
    (school.start_with(|builder| builder.policy(given)).await, policy)
}

/// Registers somebody with a picture.
async fn register(app: &TestApp, path: &str, username: &str) -> Answer {
    let mut person = person(username);
    person["phone"] = "+201000000099".into();
    person["parent_phone"] = "+201000000098".into();
    let fields = person.as_object().unwrap();
    let mut parts: Vec<_> =
        fields.iter().map(|(name, value)| Part::Text(name, value.as_str().unwrap())).collect();
    let avatar = picture(ImageFormat::Png);
    parts.push(Part::File("avatar", "me.png", &avatar));
    app.visitor().multipart(axum::http::Method::POST, path, &parts).await
}

/// How many people and enrolments there are.
async fn census(app: &TestApp, student: &Browser) -> (usize, usize) {
    let mut tx = app.school().storage.read().await.unwrap();
    let people = tx.users().all().await.unwrap().len();
    let mine = student.get("/my-courses/").await.json();
    (people, mine.as_array().unwrap().len())
}

on_both_engines! {
    /// 1.9, 1.10: asked when everything else is in order.
    async fn registering(school) {
        let (app, policy) = start(school).await;
        app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        assert_eq!(policy.asked(), ["register mona with None", "register omar with Some(\"mona\")"]);
        let before = census(&app, &omar).await;

        policy.is(Mood::Strict);
        let wrong = app.visitor().post("/teacher/teacher-register/", person("omar")).await;
        assert_eq!(wrong.status(), 400);
        let path = "/student/student-register/nobody";
        assert_eq!(app.visitor().post(path, person("sara")).await.status(), 404);
        assert_eq!(policy.asked(), [""; 0], "what is wrong is refused without asking");

        assert_snapshot!("refused_teacher", register(&app, "/teacher/teacher-register/", "tarek").await);
        assert_snapshot!("refused_student", register(&app, "/student/student-register/mona", "sara").await);
        policy.is(Mood::Broken);
        assert_snapshot!("undecided_teacher", register(&app, "/teacher/teacher-register/", "tarek").await);
        policy.is(Mood::Hurried);
        assert_snapshot!("undecided_student", register(&app, "/student/student-register/mona", "sara").await);
        assert_eq!(policy.asked().len(), 4);
        assert_eq!(census(&app, &omar).await, before);

        policy.is(Mood::Kind);
        let sara = register(&app, "/student/student-register/mona", "sara").await;
        assert_eq!(sara.status(), 201, "{sara}");
    }

    /// 1.11: asked when it makes a difference.
    async fn joining(school) {
        let (app, policy) = start(school).await;
        app.teacher("mona").await;
        app.teacher("tarek").await;
        let omar = app.student("omar", "mona").await;
        policy.asked();
        policy.is(Mood::Strict);
        let join = async |teacher: &str| omar.post(&format!("/join-teacher/{teacher}/"), json!({})).await;
        assert_eq!(join("nobody").await.status(), 404);
        assert_eq!(join("mona").await.status(), 200, "there already");
        assert_eq!(policy.asked(), [""; 0]);
        assert_snapshot!("refused", join("tarek").await);
        policy.is(Mood::Broken);
        assert_snapshot!("undecided", join("tarek").await);
        assert_eq!(policy.asked(), ["join omar tarek", "join omar tarek"]);
        policy.is(Mood::Kind);
        assert_eq!(join("tarek").await.status(), 201, "nothing of it had happened");
    }

    /// 4.1, 7.6: asked before the coupon is touched.
    async fn enrolling(school) {
        let (app, policy) = start(school).await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        let gift = free_course(&mona).await;
        let waves = course(&mona, json!({"price": "50"})).await;
        let sound = module(&mona, &waves, json!({"title": "Sound", "price": "5"})).await;
        let (id, code) = coupon(&mona, "50").await;
        let (_, small) = coupon(&mona, "5").await;
        policy.asked();
        policy.is(Mood::Strict);
        let before = census(&app, &omar).await;

        assert_eq!(redeem(&omar, &waves, "").await.status(), 400);
        assert_eq!(policy.asked(), [""; 0], "there is no code, whatever the policy says");
        assert_snapshot!("refused_free", redeem(&omar, &gift, "").await);
        assert_snapshot!("refused_course", redeem(&omar, &waves, &code).await);
        assert_snapshot!("refused_module", redeem_module(&omar, &sound, &small).await);
        policy.is(Mood::Broken);
        assert_snapshot!("undecided", redeem(&omar, &waves, &code).await);
        assert_eq!(policy.asked(), [
            "enrol omar in Gift None",
            "enrol omar in Waves None",
            "enrol omar in Waves Some(\"Sound\")",
            "enrol omar in Waves None",
        ]);
        assert_eq!(census(&app, &omar).await, before);
        let coupon = mona.get(&format!("/coupon/detail/{id}")).await.json();
        assert_eq!(coupon["used_count"], 0);

        policy.is(Mood::Kind);
        assert_eq!(redeem(&omar, &waves, &code).await.status(), 201);
        policy.asked();
        assert_eq!(redeem(&omar, &waves, &code).await.status(), 400, "has it");
        assert_eq!(policy.asked(), [""; 0]);
    }

    /// A request with an `Idempotency-Key` may be tried again when the policy could not decide.
    async fn trying_again(school) {
        let (app, policy) = start(school).await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await.with_header("idempotency-key", "once");
        let gift = free_course(&mona).await;
        policy.is(Mood::Broken);
        assert_eq!(redeem(&omar, &gift, "").await.status(), 503);
        policy.is(Mood::Kind);
        assert_eq!(redeem(&omar, &gift, "").await.status(), 201);
    }
}

/// A policy that never answers does not hold the request up for ever.
#[tokio::test]
async fn asleep() {
    let (app, policy) = start(TestApp::builder()).await;
    let mona = app.teacher("mona").await;
    let omar = app.student("omar", "mona").await;
    let gift = free_course(&mona).await;
    policy.is(Mood::Asleep);
    let answer = redeem(&omar, &gift, "").await;
    assert_eq!((answer.status(), answer.header("retry-after")), (503, Some("5")));
}
