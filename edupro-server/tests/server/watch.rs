//! The demo school's films in a real browser, on a site of the school's own (security R16, R25).

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    response::Html,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::sleep,
};

use crate::{
    chromium::Chromium,
    client::{Browser, multipart},
    home::{Home, Server},
    support::{DEMO_PASSWORD, LOGIN, credentials},
};

/// How long a browser may take for all that it is to do.
const PATIENCE: Duration = Duration::from_mins(3);
/// More than a browser reads in advance, in bytes.
const FILLER: u32 = 24 << 20;

/// `app.school.example`, whose page plays what `api.school.example` has.
struct Site {
    address: SocketAddr,
    task: Arc<Mutex<Value>>,
    findings: UnboundedReceiver<Value>,
}

impl Site {
    async fn open() -> Self {
        let task = Arc::new(Mutex::new(Value::Null));
        let given = Arc::clone(&task);
        let (tell, findings) = unbounded_channel();
        let pages = Router::new()
            .route("/", get(async || Html(include_str!("watch.html"))))
            .route("/task", get(async move || Json(given.lock().unwrap().clone())))
            .route("/findings", post(async move |Json(found)| tell.send(found).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, pages).await });
        Self { address, task, findings }
    }

    fn origin(&self) -> String {
        format!("http://app.school.example:{}", self.address.port())
    }

    /// Has somebody's new browser do something, and gives what it found.
    async fn visit(&mut self, task: Value) -> Value {
        *self.task.lock().unwrap() = task;
        let mut chromium = Chromium::open(&self.origin());
        tokio::select! {
            found = self.findings.recv() => found.unwrap(),
            said = chromium.ended() => panic!("Chromium has ended: {said}"),
            () = sleep(PATIENCE) => panic!("nothing after {PATIENCE:?}: {}", chromium.log()),
        }
    }
}

/// What a browser found when a film of five seconds played from its middle on.
#[track_caller]
fn assert_plays(film: &Value) {
    assert_eq!((&film["duration"], &film["size"]), (&json!(5), &json!([64, 48])), "{film}");
    let seconds = |key: &str| film[key].as_f64().unwrap();
    assert_eq!(film["from"], 2.5, "{film}");
    assert!(seconds("to") >= 3.0, "{film}");
    assert!(seconds("picture") >= 3.0, "{film}");
}

#[track_caller]
fn assert_refused(film: &Value) {
    // The player knows no more than that it got no film.
    assert_eq!((&film["status"], &film["code"]), (&json!(403), &json!(4)), "{film}");
}

/// The same film with much between its second picture and its third: filler, a unit of H.264 that
/// no player shows.
fn lengthen(mut film: Vec<u8>) -> Vec<u8> {
    let place = |kind: &[u8]| film.windows(4).position(|window| window == kind).unwrap();
    // Behind the kind: version and flags, the size of all, how many there are.
    let sizes = place(b"stsz") + 16;
    let data = place(b"mdat");
    let [first, second] = [sizes, sizes + 4].map(|at| grow(&mut film, at, 0));
    let end = data + 4 + (first + second) as usize;
    grow(&mut film, sizes + 4, FILLER);
    grow(&mut film, data - 4, FILLER);
    let mut filler = (FILLER - 4).to_be_bytes().to_vec();
    filler.push(12);
    filler.resize(FILLER as usize - 1, 0xFF);
    filler.push(0x80);
    film.splice(end..end, filler);
    film
}

/// Adds to a number in a file, and gives the sum.
fn grow(file: &mut [u8], at: usize, by: u32) -> u32 {
    let field = file[at..].first_chunk_mut().unwrap();
    let sum = u32::from_be_bytes(*field) + by;
    *field = sum.to_be_bytes();
    sum
}

/// Somebody of the demo, logged in.
async fn log_in(server: &Server, login: &str, username: &str) -> Browser {
    let browser = server.visitor();
    browser.post(login, &credentials(username, DEMO_PASSWORD)).await.expect(200);
    browser
}

/// The films of the demo's free course: as it comes, and one made so long that a seek leaves what
/// the browser has read. Both students are enrolled.
async fn films(server: &Server) -> [Value; 2] {
    let mona = log_in(server, LOGIN, "mona").await;
    let list = async |path: String| match mona.get(&path).await.expect(200).json() {
        Value::Array(list) => list,
        other => panic!("{path}: {other}"),
    };
    let courses = list("/api/v1/course/teacher-list/mona".to_owned()).await;
    let course = courses.iter().find(|course| course["is_free"] == true).unwrap();
    let course = course["id"].as_str().unwrap();
    for student in ["omar", "salma"] {
        let student = log_in(server, "/api/v1/student/login/mona/", student).await;
        let enrolment = json!({"course_id": course});
        student.post("/api/v1/course/course-enrollment/", &enrolment).await.expect(201);
    }
    let mut films = Vec::new();
    for module in list(format!("/api/v1/courses/{course}/modules/")).await {
        let id = module["id"].as_str().unwrap();
        let lessons = list(format!("/api/v1/modules/{id}/lessons/")).await;
        films.extend(lessons.into_iter().filter(|lesson| !lesson["video_url"].is_null()));
    }
    let [film, other] = <[Value; 2]>::try_from(films).unwrap();
    let url = other["video_url"].as_str().unwrap();
    let path = &url[url.find("/media/").unwrap()..];
    let long = lengthen(mona.get(path).await.expect(200).body);
    let (kind, form) = multipart("video", "long.mp4", &long);
    let lesson = format!("/api/v1/lessons/{}/update/", other["id"].as_str().unwrap());
    mona.ask("PATCH", &lesson, kind, &form).await.expect(200);
    [film["id"].clone(), other["id"].clone()]
}

#[tokio::test]
async fn a_film_plays_in_a_browser_from_its_middle_and_only_for_whom_its_link_was_made() {
    let mut site = Site::open().await;
    let home = Home::new().with("EDUPRO_HTTP__CORS_ORIGINS", &json!([site.origin()]).to_string());
    let server = home.serve(&["--demo"]).await;
    let lessons = films(&server).await;
    let task = |student: &str, stolen: &Value| {
        json!({
            "api": format!("http://api.school.example:{}", server.address.port()),
            "student": credentials(student, DEMO_PASSWORD),
            "lessons": lessons,
            "stolen": stolen,
        })
    };
    let answers = |status: u16| {
        let line = format!("path=\"/media/{{*key}}\" status={status} ");
        server.log().matches(&line).count()
    };

    let omar = site.visit(task("omar", &Value::Null)).await;
    assert_eq!(omar["login"], 200, "{omar}");
    let [film, long] = [0, 1].map(|place| &omar["lessons"][place]);
    assert_plays(film);
    // It goes on where it was told to, without what is between.
    assert_plays(long);
    assert!(long["requests"].as_u64() >= Some(2), "{long}");
    assert!(answers(206) >= 3, "{}", server.log());
    assert_eq!(answers(403), 0, "{}", server.log());

    // She has these lessons too, but the link is his.
    let salma = site.visit(task("salma", &film["video_url"])).await;
    assert_refused(&salma["stranger"]);
    assert_eq!(salma["login"], 200, "{salma}");
    assert_refused(&salma["thief"]);
    assert_plays(&salma["lessons"][0]);
    assert_plays(&salma["lessons"][1]);
    assert_eq!(answers(403), 4, "{}", server.log());
}
