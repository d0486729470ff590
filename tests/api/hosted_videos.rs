//! 8.2–8.5, 8.7 and 9.1 where VdoCipher keeps the videos: what a lesson shows, and what happens when
//! it is down, slow, lost or replaced.

use std::{sync::Arc, time::Duration};

use axum::http::Method;
use chrono::TimeDelta;
use edupro_core::{
    SeededEntropy,
    jobs::Worker,
    video::{VdoCipher, VdoCipherOptions},
};
use edupro_http::testkit::{
    Browser, FakeVdoCipher, Part, TestApp, TestBuilder, vdocipher::Failure,
};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    support::{course, enroll, film, lesson, module, on_both_engines},
    videos::{ISSUE, issued, status, sweep},
};

/// What stands in the address of the webhook.
const TOKEN: &str = "a-token-that-nobody-guesses";
const WEBHOOK: &str = "/videos/webhook/vdocipher/";

/// A school whose videos are at VdoCipher, with a teacher, a student and a course for both.
struct Studio {
    app: TestApp,
    fake: FakeVdoCipher,
    mona: Browser,
    omar: Browser,
    module: String,
}

fn vdocipher(fake: &FakeVdoCipher) -> Arc<VdoCipher> {
    let mut options = VdoCipherOptions::new(FakeVdoCipher::API_SECRET.into());
    options.base_url = fake.base_url();
    options.webhook_token = Some(TOKEN.into());
    Arc::new(VdoCipher::new(options).unwrap())
}

async fn studio(school: TestBuilder) -> Studio {
    let fake = FakeVdoCipher::start(school.clock()).await;
    let app = school.start_with(|builder| builder.video(vdocipher(&fake))).await;
    let mona = app.teacher("mona").await;
    let omar = app.student("omar", "mona").await;
    let course = course(&mona, json!({"price": "50"})).await;
    enroll(&app, "omar", &course, None).await;
    let module = module(&mona, &course, json!({})).await;
    Studio { app, fake, mona, omar, module }
}

impl Studio {
    /// 8.2 with a film.
    async fn upload(&self) -> String {
        let path = format!("/modules/{}/lessons/create/", self.module);
        let parts = [Part::Text("title", "Waves"), Part::File("video", "waves.mp4", &film(42))];
        let made = self.mona.multipart(Method::POST, &path, &parts).await;
        assert_eq!(made.status(), 201, "{made}");
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// The same, until it can be watched.
    async fn ready(&self) -> String {
        let lesson = self.upload().await;
        self.app.work().await;
        assert_eq!(status(&self.mona, &lesson).await.json()["message"], "video is ready");
        lesson
    }

    async fn lesson(&self, viewer: &Browser, lesson: &str) -> Value {
        let shown = viewer.get(&format!("/lessons/{lesson}/")).await;
        assert_eq!(shown.status(), 200, "{shown}");
        shown.json()
    }

    async fn message(&self, lesson: &str) -> Value {
        status(&self.mona, lesson).await.json()["message"].clone()
    }

    /// How often the API was asked so.
    fn asked(&self, method: &Method, part: &str) -> usize {
        let requests = self.fake.requests();
        let fits = requests.iter().filter(|seen| {
            seen.method == method
                && seen.uri.path().starts_with("/api/")
                && seen.uri.to_string().contains(part)
        });
        fits.count()
    }

    /// Lets time pass for both, without anybody working meanwhile.
    fn wait(&self, time: TimeDelta) {
        self.app.clock().advance(time);
    }

    /// What its event is answered.
    async fn hear(&self, token: &str, event: &Value) -> u16 {
        let path = format!("{WEBHOOK}?token={token}");
        self.app.visitor().post(&path, event.clone()).await.status()
    }
}

on_both_engines! {
    /// 9.1: what the page gets; the fields are signed, so their values are the double's.
    async fn issue(school) {
        let studio = studio(school).await;
        studio.fake.name_bucket(Some("https://bucket.example"));
        assert_snapshot!("ok", studio.mona.post(ISSUE, json!({"title": "Limits"})).await);
        assert_eq!(studio.fake.videos()[0].title, "Limits");
    }

    /// The teacher's page uploads, the lesson follows, the student watches.
    async fn uploaded_by_the_page(school) {
        let studio = studio(school).await;
        let upload = issued(&studio.mona, "Waves").await;
        let id = upload["vdo_cipher_video_id"].as_str().unwrap();
        let made = lesson(&studio.mona, &studio.module, json!({"video_id": id})).await;
        assert_snapshot!("waiting", status(&studio.mona, &made).await);
        studio.fake.ready_after_polls(None);
        studio.fake.set_status(id, "Queued", None);
        assert_snapshot!("queued", status(&studio.mona, &made).await);
        assert_eq!(studio.lesson(&studio.omar, &made).await["video_url"], json!(null));
        studio.fake.set_status(id, "Transcoding-HD", None);
        assert_snapshot!("unknown_word", status(&studio.mona, &made).await);
        studio.fake.set_status(id, "ready", Some(61));
        assert_snapshot!("ready", status(&studio.mona, &made).await);
        let module = studio.mona.get(&format!("/modules/{}/", studio.module)).await.json();
        assert_eq!(module["total_duration"], 61);
        // Nobody asks any more.
        let asked = studio.asked(&Method::GET, id);
        studio.message(&made).await;
        assert_eq!(studio.asked(&Method::GET, id), asked);
    }

    /// A film that comes with the lesson is pushed by a job, and its copy here goes afterwards.
    async fn pushed_by_a_job(school) {
        let studio = studio(school).await;
        studio.fake.ready_after_polls(None);
        let made = studio.upload().await;
        assert_eq!(studio.message(&made).await, "video is uploading");
        assert!(studio.fake.videos().is_empty(), "nobody is asked while a teacher waits");
        studio.app.work().await;
        let [video] = &studio.fake.videos()[..] else { panic!("one video") };
        assert_eq!((video.title.as_str(), video.size), ("Waves", film(42).len() as u64));
        assert_eq!(studio.message(&made).await, "Video status: Queued");
        // The first look is after 15 seconds, and finds it ready.
        studio.fake.set_status(&video.id, "ready", Some(43));
        studio.wait(TimeDelta::seconds(15));
        studio.app.work().await;
        let shown = studio.lesson(&studio.mona, &made).await;
        assert_eq!((&shown["video_status"], &shown["duration"]), (&json!("ready"), &json!(43)));
        assert_eq!(studio.app.work().await, 0, "nothing is left to do");
    }

    /// 8.1, 8.3: one ticket for one viewer and one answer; none in lists, none for who may not watch.
    async fn tickets(school) {
        let studio = studio(school).await;
        let made = studio.ready().await;
        let id = studio.fake.videos()[0].id.clone();
        let asked = || studio.asked(&Method::POST, "/otp");
        let before = asked();
        let shown = studio.lesson(&studio.omar, &made).await;
        assert_eq!(asked() - before, 1);
        let url = shown["video_url"].as_str().unwrap();
        assert!(url.starts_with("https://player.vdocipher.com/v2/?otp="), "{url}");
        assert!(shown["otp"].is_string() && shown["playback_info"].is_string());
        let seen = studio.fake.requests();
        let seen = seen.iter().rfind(|seen| seen.uri.path().ends_with("/otp")).unwrap();
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert!(body["annotate"].as_str().unwrap().contains("\"omar\""), "{body}");
        assert_eq!(body["ttl"], 300);
        // Another look is another ticket.
        assert_ne!(studio.lesson(&studio.omar, &made).await["otp"], shown["otp"]);
        let total = studio.fake.requests().len();
        let list = studio.omar.get(&format!("/modules/{}/lessons/", studio.module)).await;
        assert_snapshot!("list", list);
        let sara = studio.app.student("sara", "mona").await;
        assert_eq!(sara.get(&format!("/lessons/{made}/")).await.status(), 403);
        assert_eq!(studio.fake.requests().len(), total);
        assert!(!seen.uri.to_string().contains(FakeVdoCipher::API_SECRET));
        assert_eq!(studio.asked(&Method::GET, &id), 1);
    }

    /// 9.1: what it refuses is 400, in words for a teacher, without its address and our key.
    async fn refused(school) {
        let studio = studio(school).await;
        let secret = FakeVdoCipher::API_SECRET;
        let told = format!("Too long at https://api.example/x?key={secret}");
        for (name, failure) in [
            ("rejected", Failure::status(400, &told)),
            ("quota", Failure::status(403, "Trial limit reached. Please upgrade.")),
            ("key", Failure::status(401, "Invalid API Secret")),
            ("busy", Failure::status(429, "Slow down").with_header("retry-after", "9")),
            ("broken", Failure::status(502, "Bad gateway")),
            ("garbage", Failure::Garbage),
            ("half_a_body", Failure::HalfABody),
            ("dropped", Failure::Drop),
        ] {
            studio.fake.fail_next(failure);
            let answer = studio.mona.post(ISSUE, json!({"title": "Waves"})).await;
            assert!(!answer.to_string().contains(secret) && !answer.to_string().contains("://"));
            assert_snapshot!(name, answer);
        }
        assert_eq!(studio.mona.post(ISSUE, json!({"title": "Waves"})).await.status(), 200);
    }

    /// 8.3, 8.7: what cannot be asked is answered all the same, soon, and asked less.
    async fn down(school) {
        let studio = studio(school).await;
        let made = studio.ready().await;
        studio.fake.ready_after_polls(None);
        let waiting = studio.upload().await;
        studio.app.work().await;
        studio.fake.fail_next(Failure::Delay(Duration::from_mins(1)));
        let begun = std::time::Instant::now();
        let shown = studio.lesson(&studio.omar, &made).await;
        assert!(begun.elapsed() < Duration::from_secs(10));
        assert_eq!((&shown["video_url"], &shown["otp"]), (&json!(null), &json!(null)));
        studio.fake.stop();
        for _ in 0..4 {
            studio.lesson(&studio.omar, &made).await;
        }
        // Five failures in a row: for half a minute nobody asks at all.
        assert_eq!(studio.message(&waiting).await, "Video status: Queued");
        assert_snapshot!("no_credentials", studio.mona.post(ISSUE, json!({"title": "Waves"})).await);
        assert_eq!(studio.lesson(&studio.omar, &made).await["video_status"], "ready");
    }

    /// 8.7: a video that its host has lost, says it cannot make, or never finishes.
    async fn failed(school) {
        let studio = studio(school).await;
        studio.fake.ready_after_polls(None);
        let made = [studio.upload().await, studio.upload().await];
        studio.app.work().await;
        let videos = studio.fake.videos();
        // The jobs of one moment come in no order: whose is whose?
        let of = async |lesson: &str, id: &str| {
            studio.fake.set_status(id, "probe", None);
            let found = studio.message(lesson).await == "Video status: probe";
            studio.fake.set_status(id, "Queued", None);
            studio.message(lesson).await;
            found
        };
        let (first, second) = match of(&made[0], &videos[0].id).await {
            true => (&made[0], &made[1]),
            false => (&made[1], &made[0]),
        };
        studio.fake.set_status(&videos[0].id, "Failed", None);
        assert_snapshot!("reported", status(&studio.mona, first).await);
        // Hours later it is still in the queue, and the host never says why.
        studio.wait(TimeDelta::hours(25));
        studio.app.work().await;
        studio.mona.log_in_teacher("mona").await;
        assert_eq!(status(&studio.mona, second).await.status(), 400);
        let shown = studio.lesson(&studio.mona, second).await;
        assert_eq!(shown["video_status"], "failed");
    }

    /// A webhook is a reason to look, and nothing more.
    async fn webhooks(school) {
        let studio = studio(school).await;
        studio.fake.ready_after_polls(None);
        let made = studio.upload().await;
        studio.app.work().await;
        let id = studio.fake.videos()[0].id.clone();
        let mut lie = studio.fake.event(&id);
        lie["payload"]["status"] = json!("ready");
        assert_eq!(studio.hear("wrong", &lie).await, 400);
        assert_eq!(studio.app.visitor().post(WEBHOOK, lie.clone()).await.status(), 400);
        assert_eq!(studio.hear(TOKEN, &lie).await, 200);
        studio.app.work().await;
        assert_eq!(studio.lesson(&studio.mona, &made).await["video_status"], "queued");
        studio.fake.set_status(&id, "ready", Some(9));
        for event in [studio.fake.event(&id), studio.fake.event(&id), json!({"event": "video:new"})] {
            assert_eq!(studio.hear(TOKEN, &event).await, 200);
        }
        studio.app.work().await;
        let shown = studio.lesson(&studio.mona, &made).await;
        assert_eq!((&shown["video_status"], &shown["duration"]), (&json!("ready"), &json!(9)));
        // What it does not know means nothing.
        assert_eq!(studio.hear(TOKEN, &json!("nonsense")).await, 200);
        assert_eq!(studio.app.visitor().post("/videos/webhook/local/", json!({})).await.status(), 404);
        assert_eq!(studio.app.visitor().post("/videos/webhook/nobody/", json!({})).await.status(), 404);
    }

    /// A process that dies over an upload is followed by one that goes on with the same object.
    async fn killed_while_pushing(school) {
        let studio = studio(school).await;
        let made = studio.upload().await;
        studio.fake.fail_next_upload(Failure::Delay(Duration::from_mins(1)));
        // What kill -9 leaves: the future is dropped at an await, and the claim stays.
        let worker = Worker::new(Arc::clone(studio.app.edupro().school()));
        let killed = tokio::time::timeout(Duration::from_millis(400), worker.run_due()).await;
        assert!(killed.is_err());
        assert_eq!(studio.fake.videos().len(), 1);
        assert_eq!(studio.app.work().await, 0, "somebody else still holds it");
        studio.wait(TimeDelta::seconds(46));
        studio.app.work().await;
        assert_eq!(studio.message(&made).await, "video is ready");
        assert_eq!(studio.fake.videos().len(), 1);
    }

    /// An answer that is lost leaves an object behind. It is found and deleted; nobody else's is.
    async fn lost_answers(school) {
        let studio = studio(school).await;
        studio.fake.fail_next(Failure::DropAfterWork);
        assert_eq!(studio.mona.post(ISSUE, json!({"title": "Waves"})).await.status(), 400);
        // Of the same title, but a teacher has them or a film has come.
        let kept = issued(&studio.mona, "Waves").await;
        studio.fake.fail_next(Failure::DropAfterWork);
        let made = studio.upload().await;
        studio.app.work().await;
        assert_eq!(studio.fake.videos().len(), 3);
        // The job tries again with another object. What the first try made is looked for only when
        // nobody can be about to note the name of another one of that title.
        studio.wait(TimeDelta::seconds(20));
        studio.app.work().await;
        assert_eq!(studio.fake.videos().len(), 4);
        studio.wait(TimeDelta::minutes(10));
        studio.app.work().await;
        // What the lost answer of 9.1 was about goes with it: of the same minute and title.
        assert_eq!(studio.fake.videos().len(), 2);
        assert_eq!(studio.message(&made).await, "video is ready");
        studio.wait(TimeDelta::hours(23));
        sweep(&studio.app).await;
        let ids: Vec<String> = studio.fake.videos().into_iter().map(|video| video.id).collect();
        assert!(ids.iter().any(|id| kept["vdo_cipher_video_id"] == **id));
        studio.wait(TimeDelta::hours(2));
        sweep(&studio.app).await;
        studio.app.work().await;
        let left = studio.fake.videos();
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0].status, "ready");
    }

    /// An upload whose leave has run out begins anew, and the old object goes.
    async fn expired_leave(school) {
        let studio = studio(school).await;
        let made = studio.upload().await;
        studio.fake.fail_next_upload(Failure::status(503, "SlowDown"));
        studio.app.work().await;
        let before = studio.fake.videos();
        studio.wait(TimeDelta::minutes(61));
        studio.app.work().await;
        studio.app.work().await;
        studio.mona.log_in_teacher("mona").await;
        assert_eq!(studio.message(&made).await, "video is ready");
        let after = studio.fake.videos();
        assert_eq!((before.len(), after.len()), (1, 1));
        assert_ne!(before[0].id, after[0].id);
    }

    /// 8.4, 8.5: what a lesson does not show any more is deleted there, however often it takes.
    async fn deleted(school) {
        let studio = studio(school).await;
        let replaced = studio.ready().await;
        let deleted = studio.ready().await;
        let kept = studio.ready().await;
        assert_eq!(studio.fake.videos().len(), 3);
        let path = format!("/lessons/{replaced}/update/");
        let film = film(8);
        let update = studio.mona.multipart(Method::PATCH, &path, &[Part::File("video", "n.mp4", &film)]).await;
        assert_eq!(update.json()["video_status"], "pre-upload");
        studio.mona.delete(&format!("/lessons/{deleted}/delete/")).await;
        for _ in 0..2 {
            studio.fake.fail_next(Failure::status(503, "busy"));
            studio.fake.fail_next(Failure::status(503, "busy"));
        }
        for _ in 0..6 {
            studio.app.work().await;
            studio.wait(TimeDelta::minutes(3));
        }
        studio.mona.log_in_teacher("mona").await;
        assert_eq!(studio.fake.videos().len(), 2);
        assert_eq!(studio.message(&replaced).await, "video is ready");
        assert_eq!(studio.message(&kept).await, "video is ready");
    }

    /// Who switches the provider changes where new videos go; the old ones play on.
    async fn switched(school) {
        let fake = FakeVdoCipher::start(school.clock()).await;
        let before = school.clone().start().await;
        let mona = before.teacher("mona").await;
        let course_id = course(&mona, json!({})).await;
        let module_id = module(&mona, &course_id, json!({})).await;
        let path = format!("/modules/{module_id}/lessons/create/");
        let parts = [Part::Text("title", "Waves"), Part::File("video", "waves.mp4", &film(42))];
        let old = mona.multipart(Method::POST, &path, &parts).await.json();
        let files = before.school().files.clone();
        let url = before.database_url().to_owned();

        let hosted = school.clone().database(&url)
            .start_with(|builder| {
                let entropy = Arc::new(SeededEntropy::new(2));
                builder.video(vdocipher(&fake)).files(files.clone()).entropy(entropy)
            }).await;
        let mona = hosted.visitor();
        mona.log_in_teacher("mona").await;
        let old_path = format!("/lessons/{}/", old["id"].as_str().unwrap());
        let shown = mona.get(&old_path).await.json();
        assert_eq!((&shown["video_status"], &shown["otp"]), (&json!("ready"), &json!(null)));
        let film_url = shown["video_url"].as_str().unwrap();
        assert_eq!(mona.get(film_url).await.bytes(), &film(42)[..]);
        let new = mona.multipart(Method::POST, &path, &parts).await.json();
        hosted.work().await;
        let new_path = format!("/lessons/{}/", new["id"].as_str().unwrap());
        status(&mona, new["id"].as_str().unwrap()).await;
        assert!(mona.get(&new_path).await.json()["otp"].is_string());

        // And back again, with the old keys kept.
        let back = school.database(&url)
            .start_with(|builder| {
                let entropy = Arc::new(SeededEntropy::new(3));
                builder.other_video(vdocipher(&fake)).files(files).entropy(entropy)
            }).await;
        let mona = back.visitor();
        mona.log_in_teacher("mona").await;
        assert!(mona.get(&new_path).await.json()["otp"].is_string());
        let third = mona.multipart(Method::POST, &path, &parts).await.json();
        assert_eq!(third["video_status"], "ready");
    }
}
