//! Histories of who may have which lesson, whatever happens, compared with a model of it
//! (security R27, behaviour G15).

use chrono::TimeDelta;
use edupro_http::testkit::{Browser, TestApp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    histories,
    support::{coupon, course, lesson, module, on_postgres, on_sqlite, redeem, redeem_module},
};

const STUDENTS: usize = 2;
/// The first is sold, the second costs nothing; each has one module with one lesson.
const COURSES: usize = 2;
const COURSE_PRICE: i64 = 50;
const MODULE_PRICE: i64 = 20;
/// Hours that an enrolment lasts.
const LIFETIME: i64 = 30 * 24;

/// Something that happens.
#[derive(Clone, Debug)]
enum Act {
    PublishCourse { course: usize, on: bool },
    PublishModule { course: usize, on: bool },
    PublishLesson { course: usize, on: bool },
    GiveLesson { course: usize, on: bool },
    Enroll { student: usize, course: usize },
    EnrollInModule { student: usize, course: usize },
    GiveUp { student: usize, course: usize },
    Block { student: usize },
    Remove { student: usize },
    Join { student: usize },
    Wait { hours: i64 },
}

fn act() -> impl Strategy<Value = Act> {
    let (student, course, on) = (|| 0..STUDENTS, || 0..COURSES, any::<bool>);
    prop_oneof![
        2 => (course(), on()).prop_map(|(course, on)| Act::PublishCourse { course, on }),
        2 => (course(), on()).prop_map(|(course, on)| Act::PublishModule { course, on }),
        2 => (course(), on()).prop_map(|(course, on)| Act::PublishLesson { course, on }),
        2 => (course(), on()).prop_map(|(course, on)| Act::GiveLesson { course, on }),
        6 => (student(), course()).prop_map(|(student, course)| Act::Enroll { student, course }),
        3 => (student(), course())
            .prop_map(|(student, course)| Act::EnrollInModule { student, course }),
        1 => (student(), course()).prop_map(|(student, course)| Act::GiveUp { student, course }),
        2 => student().prop_map(|student| Act::Block { student }),
        1 => student().prop_map(|student| Act::Remove { student }),
        2 => student().prop_map(|student| Act::Join { student }),
        1 => (1..LIFETIME).prop_map(|hours| Act::Wait { hours }),
    ]
}

/// What is published and given away of a course.
#[derive(Clone, Copy, Debug)]
struct CourseModel {
    course: bool,
    module: bool,
    lesson: bool,
    is_given: bool,
}

#[derive(Debug)]
struct Model {
    now: i64,
    courses: [CourseModel; COURSES],
    /// `Some(false)` is blocked.
    relations: [Option<bool>; STUDENTS],
    /// When each student's enrolments end, in courses and in their modules.
    enrollments: [[Option<i64>; COURSES]; STUDENTS],
    in_modules: [[Option<i64>; COURSES]; STUDENTS],
}

impl Model {
    fn new() -> Self {
        let course = CourseModel { course: true, module: true, lesson: true, is_given: false };
        Self {
            now: 0,
            courses: [course; COURSES],
            relations: [Some(true); STUDENTS],
            enrollments: [[None; COURSES]; STUDENTS],
            in_modules: [[None; COURSES]; STUDENTS],
        }
    }

    fn holds(&self, ends: Option<i64>) -> bool {
        ends.is_some_and(|ends| ends > self.now)
    }

    /// The whole of the rule.
    fn may_have(&self, student: usize, course: usize) -> bool {
        let there = self.courses[course];
        let is_theirs = self.holds(self.enrollments[student][course])
            || self.holds(self.in_modules[student][course])
            || (there.is_given && there.course);
        self.relations[student] == Some(true) && there.module && there.lesson && is_theirs
    }
}

/// A course with what is in it.
struct Shelf {
    course: String,
    module: String,
    lesson: String,
}

struct Class<'a> {
    app: &'a TestApp,
    number: usize,
    mona: Browser,
    students: Vec<Browser>,
    shelves: Vec<Shelf>,
    model: Model,
}

impl<'a> Class<'a> {
    /// A new teacher of the same school, with students and courses.
    async fn open(app: &'a TestApp, number: usize) -> Self {
        let mona = app.teacher(&format!("mona{number}")).await;
        let mut shelves = Vec::new();
        for body in [json!({"price": COURSE_PRICE}), json!({"is_free": true})] {
            let course = course(&mona, body).await;
            let published = json!({"price": MODULE_PRICE, "is_published": true});
            let module = module(&mona, &course, published).await;
            let lesson = lesson(&mona, &module, json!({"is_published": true})).await;
            shelves.push(Shelf { course, module, lesson });
        }
        let mut students = Vec::new();
        for student in 0..STUDENTS {
            let name = format!("student{number}x{student}");
            let browser = app.student(&name, "open").await;
            let joined = browser.post(&format!("/join-teacher/mona{number}/"), json!({})).await;
            assert_eq!(joined.status(), 201, "{joined}");
            students.push(browser);
        }
        Self { app, number, mona, students, shelves, model: Model::new() }
    }

    async fn change(&self, path: String, body: Value) {
        let answer = self.mona.patch(&path, body).await;
        assert_eq!(answer.status(), 200, "{answer}");
    }

    /// Does it in the school and in the model. Who is let in for what is another model's business
    /// (`ledger`): an enrolment that the school makes is in the model from then on.
    async fn carry_out(&mut self, act: &Act) {
        match *act {
            Act::PublishCourse { course, on } => {
                let path = format!("/course/update/{}", self.shelves[course].course);
                self.change(path, json!({"is_published": on})).await;
                self.model.courses[course].course = on;
            }
            Act::PublishModule { course, on } => {
                let path = format!("/modules/{}/update/", self.shelves[course].module);
                self.change(path, json!({"is_published": on})).await;
                self.model.courses[course].module = on;
            }
            Act::PublishLesson { course, on } => {
                let path = format!("/lessons/{}/update/", self.shelves[course].lesson);
                self.change(path, json!({"is_published": on})).await;
                self.model.courses[course].lesson = on;
            }
            Act::GiveLesson { course, on } => {
                let path = format!("/lessons/{}/update/", self.shelves[course].lesson);
                self.change(path, json!({"is_free": on})).await;
                self.model.courses[course].is_given = on;
            }
            Act::Enroll { student, course } => {
                let (_, code) = coupon(&self.mona, &COURSE_PRICE.to_string()).await;
                let id = &self.shelves[course].course;
                if redeem(&self.students[student], id, &code).await.status() == 201 {
                    self.model.enrollments[student][course] = Some(self.model.now + LIFETIME);
                }
            }
            Act::EnrollInModule { student, course } => {
                let (_, code) = coupon(&self.mona, &MODULE_PRICE.to_string()).await;
                let id = &self.shelves[course].module;
                if redeem_module(&self.students[student], id, &code).await.status() == 201 {
                    self.model.in_modules[student][course] = Some(self.model.now + LIFETIME);
                }
            }
            Act::GiveUp { student, course } => {
                let id = &self.shelves[course].course;
                let path = format!("/course/course-enrollment-delete/{id}/");
                if self.students[student].delete(&path).await.status() == 204 {
                    self.model.enrollments[student][course] = None;
                }
            }
            Act::Block { student } => {
                let path = format!("/teacher/students/toggle-block/{}/", self.id(student).await);
                self.mona.patch(&path, json!({})).await;
                let relation = &mut self.model.relations[student];
                *relation = relation.map(|is_active| !is_active);
            }
            Act::Remove { student } => {
                let path = format!("/teacher/students/remove/{}/", self.id(student).await);
                self.mona.delete(&path).await;
                self.model.relations[student] = None;
            }
            Act::Join { student } => {
                let path = format!("/join-teacher/mona{}/", self.number);
                self.students[student].post(&path, json!({})).await;
                self.model.relations[student].get_or_insert(true);
            }
            Act::Wait { hours } => {
                self.app.clock().advance(TimeDelta::hours(hours));
                self.model.now += hours;
                let number = self.number;
                self.mona.log_in_teacher(&format!("mona{number}")).await;
                for (student, browser) in self.students.iter().enumerate() {
                    // By a teacher who blocks nobody: what is tried here is lessons, not log-in.
                    browser.log_in_student(&format!("student{number}x{student}"), "open").await;
                }
            }
        }
    }

    async fn id(&self, student: usize) -> Value {
        let profile = self.students[student].get("/student/student-profile/open").await.json();
        profile["student"]["user"]["id"].clone()
    }

    /// Every student has the lessons that the model says, and no other.
    async fn compare(&self) {
        for (student, browser) in self.students.iter().enumerate() {
            for (course, shelf) in self.shelves.iter().enumerate() {
                let answer = browser.get(&format!("/lessons/{}/", shelf.lesson)).await;
                let may = self.model.may_have(student, course);
                assert_eq!(answer.status(), if may { 200 } else { 403 }, "{answer}");
            }
        }
    }
}

fn histories(start: impl Future<Output = TestApp>) {
    let start = histories::with_open_teacher(start);
    histories::tell(40, act(), 10..40, start, async |app, number, acts| {
        let mut class = Class::open(app, number).await;
        class.compare().await;
        for act in acts {
            class.carry_out(act).await;
            class.compare().await;
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
