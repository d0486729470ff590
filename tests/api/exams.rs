//! Histories of exams, whatever happens in them, compared with a model of them.

use chrono::TimeDelta;
use edupro_core::{
    Change,
    accounts::{Actor, UserId},
    attempts,
    grading::{self, GradingError, NewGrade, RegradeOf, RegradePolicy},
};
use edupro_http::testkit::{Browser, TestApp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    histories,
    support::{assessment, on_postgres, on_sqlite, question},
};

const STUDENTS: usize = 2;
const EXAMS: usize = 2;
/// Seconds that an attempt at the first exam may take; the other one has no limit.
const LIMIT: i64 = 30 * 60;
/// Seconds after the deadline in which an attempt is taken all the same.
const GRACE: i64 = 10;
/// What a question gives, in hundredths.
const POINTS: [i64; 3] = [100, 250, 33];
/// The two answers that a rule may accept.
const WORDS: [&str; 2] = ["salt", "pepper"];

/// How a question is answered and marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Two options, of which any number is right.
    Choice,
    /// One of two words is right.
    Rule,
    /// A person says what is right.
    Essay,
}

/// Something that happens. Numbers choose among what is there.
#[derive(Clone, Debug)]
enum Act {
    Ask { exam: usize, kind: Kind, points: usize },
    Reprice { question: usize, points: usize },
    Rekey { question: usize, option: usize },
    Drop { question: usize },
    Rule { exam: usize, passing: i64, most: i64 },
    Replace { exam: usize },
    Start { student: usize, exam: usize },
    Submit { student: usize, exam: usize, picks: u64 },
    Sit { student: usize, exam: usize, picks: u64 },
    SubmitAgain { attempt: usize },
    Grade { answer: usize, quarters: i64 },
    Regrade { exam: usize, policy: RegradePolicy },
    Block { student: usize },
    Wait { seconds: i64 },
    WaitForDeadline { attempt: usize, more: i64 },
    Sweep,
}

fn act() -> impl Strategy<Value = Act> {
    let (some, exam, student) = (any::<usize>, || 0..EXAMS, || 0..STUDENTS);
    let kind = prop::sample::select([Kind::Choice, Kind::Rule, Kind::Essay].as_slice());
    let points = || 0..POINTS.len();
    prop_oneof![
        2 => (exam(), kind, points())
            .prop_map(|(exam, kind, points)| Act::Ask { exam, kind, points }),
        2 => (some(), points()).prop_map(|(question, points)| Act::Reprice { question, points }),
        6 => (some(), 0..2_usize).prop_map(|(question, option)| Act::Rekey { question, option }),
        1 => some().prop_map(|question| Act::Drop { question }),
        2 => (exam(), 0..=100_i64, 1..6_i64)
            .prop_map(|(exam, passing, most)| Act::Rule { exam, passing, most }),
        1 => exam().prop_map(|exam| Act::Replace { exam }),
        4 => (student(), exam()).prop_map(|(student, exam)| Act::Start { student, exam }),
        4 => (student(), exam(), any::<u64>())
            .prop_map(|(student, exam, picks)| Act::Submit { student, exam, picks }),
        6 => (student(), exam(), any::<u64>())
            .prop_map(|(student, exam, picks)| Act::Sit { student, exam, picks }),
        1 => some().prop_map(|attempt| Act::SubmitAgain { attempt }),
        6 => (some(), 0..=4_i64).prop_map(|(answer, quarters)| Act::Grade { answer, quarters }),
        6 => (exam(), prop::sample::select(RegradePolicy::ALL.as_slice()))
            .prop_map(|(exam, policy)| Act::Regrade { exam, policy }),
        1 => student().prop_map(|student| Act::Block { student }),
        1 => (1..2 * LIMIT).prop_map(|seconds| Act::Wait { seconds }),
        2 => (some(), prop::sample::select([0, GRACE, GRACE + 1].as_slice()))
            .prop_map(|(attempt, more)| Act::WaitForDeadline { attempt, more }),
        1 => Just(Act::Sweep),
    ]
}

#[derive(Clone, Debug)]
struct QuestionModel {
    id: String,
    exam: usize,
    kind: Kind,
    points: i64,
    options: Vec<String>,
    /// Which of the options, or of the words, are right.
    right: [bool; 2],
    version: i64,
}

impl QuestionModel {
    /// What the rules give for a pick: all or nothing, or nothing they can say.
    fn worth(&self, pick: Option<usize>) -> Option<bool> {
        match (self.kind, pick) {
            (_, None) => Some(false),
            (Kind::Choice | Kind::Rule, Some(pick)) => Some(self.right[pick]),
            (Kind::Essay, Some(_)) => None,
        }
    }
}

#[derive(Clone, Debug)]
struct AnswerModel {
    id: String,
    question: QuestionModel,
    /// The version of the key that it was last looked at with.
    version: i64,
    pick: Option<usize>,
    points: Option<i64>,
    by_hand: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    InProgress,
    Submitted,
    Graded,
    Expired,
}

#[derive(Clone, Debug)]
struct AttemptModel {
    id: String,
    student: usize,
    exam: usize,
    number: i64,
    paper: Vec<QuestionModel>,
    passing: i64,
    started: i64,
    deadline: Option<i64>,
    ended: Option<i64>,
    status: Status,
    answers: Vec<AnswerModel>,
}

impl AttemptModel {
    fn most(&self) -> i64 {
        self.paper.iter().map(|question| question.points).sum()
    }

    /// The points, hundredths of a percent, and whether that is enough; nothing while something
    /// waits.
    fn outcome(&self) -> Option<(i64, i64, bool)> {
        let score = match self.status {
            Status::InProgress | Status::Submitted => return None,
            Status::Expired => return Some((0, 0, false)),
            Status::Graded => self.answers.iter().map(|answer| answer.points.unwrap()).sum::<i64>(),
        };
        let most = self.most();
        let percentage = if most == 0 { 0 } else { (2 * score * 10_000 + most) / (2 * most) };
        Some((score, percentage, percentage >= self.passing * 100))
    }

    /// It is graded as soon as nothing waits.
    fn settle(&mut self) {
        if self.answers.iter().all(|answer| answer.points.is_some()) {
            self.status = Status::Graded;
        }
    }
}

#[derive(Clone, Debug)]
struct ExamModel {
    id: String,
    passing: i64,
    most: i64,
}

/// What a school's exams are, in so many words.
#[derive(Debug, Default)]
struct Model {
    now: i64,
    exams: Vec<ExamModel>,
    questions: Vec<QuestionModel>,
    attempts: Vec<AttemptModel>,
    blocked: [bool; STUDENTS],
}

impl Model {
    fn running(&mut self, student: usize, exam: usize) -> Option<&mut AttemptModel> {
        self.attempts.iter_mut().find(|attempt| {
            attempt.status == Status::InProgress
                && (attempt.student, attempt.exam) == (student, exam)
        })
    }

    /// Attempts expire by themselves, at their deadline.
    fn wait(&mut self, seconds: i64) {
        self.now += seconds;
        for attempt in &mut self.attempts {
            if attempt.status == Status::InProgress
                && attempt.deadline.is_some_and(|deadline| self.now > deadline + GRACE)
            {
                attempt.status = Status::Expired;
                attempt.ended = attempt.deadline;
            }
        }
    }

    fn regrade(&mut self, exam: usize, policy: RegradePolicy) {
        for attempt in self.attempts.iter_mut().filter(|attempt| attempt.exam == exam) {
            for answer in &mut attempt.answers {
                let present =
                    self.questions.iter().find(|question| question.id == answer.question.id);
                let Some(present) = present.filter(|it| it.version > answer.version) else {
                    continue;
                };
                if answer.by_hand {
                    continue;
                }
                answer.version = present.version;
                let most = answer.question.points;
                let new = present.worth(answer.pick).map(|right| if right { most } else { 0 });
                let points = match policy {
                    RegradePolicy::None => None,
                    RegradePolicy::NewKeyOnly => new,
                    RegradePolicy::NewOrOldKey => new.max(answer.points),
                    RegradePolicy::FullCredit => Some(most),
                };
                answer.points = points.or(answer.points);
            }
            if attempt.status == Status::Submitted {
                attempt.settle();
            }
        }
    }
}

/// The school itself, with what a model does not need.
struct Term<'a> {
    app: &'a TestApp,
    number: usize,
    mona: Browser,
    teacher: Actor,
    students: Vec<Browser>,
    model: Model,
}

impl<'a> Term<'a> {
    /// Another term of the same school: a new teacher with new students.
    async fn begin(app: &'a TestApp, number: usize) -> Self {
        let mona = app.teacher(&format!("mona{number}")).await;
        let teacher = mona.get("/teacher/teacher-profile/").await.json();
        let teacher = UserId(teacher["user"]["id"].as_i64().unwrap());
        let mut tx = app.school().storage.read().await.unwrap();
        let teacher = tx.users().find(teacher).await.unwrap().unwrap().into();
        drop(tx);
        let mut students = Vec::new();
        for student in 0..STUDENTS {
            let browser = app.student(&format!("student{number}x{student}"), "open").await;
            let joined = browser.post(&format!("/join-teacher/mona{number}/"), json!({})).await;
            assert_eq!(joined.status(), 201, "{joined}");
            students.push(browser);
        }
        let mut term = Self { app, number, mona, teacher, students, model: Model::default() };
        for (exam, points) in POINTS.into_iter().enumerate().take(EXAMS) {
            let made = term.exam(exam).await;
            term.model.exams.push(made);
            for kind in [Kind::Choice, Kind::Rule, Kind::Essay] {
                let asked = term.ask(exam, kind, points).await;
                term.model.questions.push(asked);
            }
        }
        term
    }

    async fn exam(&self, exam: usize) -> ExamModel {
        let body = match exam {
            0 => json!({"is_timed": true, "time_limit": LIMIT / 60, "max_attempts": 3}),
            _ => json!({"max_attempts": 3}),
        };
        ExamModel { id: assessment(&self.mona, body).await, passing: 60, most: 3 }
    }

    async fn ask(&self, exam: usize, kind: Kind, points: i64) -> QuestionModel {
        let options =
            [json!({"option_text": "0", "is_correct": true}), json!({"option_text": "1"})];
        let mut body = match kind {
            Kind::Choice => json!({"question_type": "multiple_choice", "options": options}),
            Kind::Rule => json!({"question_type": "short_answer", "marking": rule(0)}),
            Kind::Essay => json!({"question_type": "essay"}),
        };
        body["points"] = hundredths(points);
        let id = question(&self.mona, &self.model.exams[exam].id, body).await;
        let options = self.mona.get(&format!("/teacher/questions/{id}/options/")).await.json();
        let options = options.as_array().unwrap().iter();
        let options = options.map(|option| option["id"].as_str().unwrap().to_owned()).collect();
        QuestionModel { id, exam, kind, points, options, right: [true, false], version: 1 }
    }

    async fn patch(&self, path: &str, body: Value) {
        let changed = self.mona.patch(path, body).await;
        assert_eq!(changed.status(), 200, "{changed}");
    }

    /// Does it in the school and in the model, which have to answer alike.
    #[expect(clippy::too_many_lines, reason = "one arm for each thing that can happen")]
    async fn carry_out(&mut self, act: &Act) {
        match *act {
            Act::Ask { exam, kind, points } => {
                let question = self.ask(exam, kind, POINTS[points]).await;
                self.model.questions.push(question);
            }
            Act::Reprice { question, points } => {
                let Some(which) = question.checked_rem(self.model.questions.len()) else { return };
                let path =
                    format!("/teacher/assessments/questions/{}/", self.model.questions[which].id);
                self.patch(&path, json!({"points": hundredths(POINTS[points])})).await;
                let question = &mut self.model.questions[which];
                question.version += i64::from(question.points != POINTS[points]);
                question.points = POINTS[points];
            }
            Act::Rekey { question, option } => {
                let Some(which) = question.checked_rem(self.model.questions.len()) else { return };
                let question = &self.model.questions[which];
                let right = match question.kind {
                    Kind::Choice => {
                        let mut right = question.right;
                        right[option] = !right[option];
                        let path =
                            format!("/teacher/questions/options/{}/", question.options[option]);
                        self.patch(&path, json!({"is_correct": right[option]})).await;
                        right
                    }
                    Kind::Rule => {
                        let path = format!("/teacher/assessments/questions/{}/", question.id);
                        self.patch(&path, json!({"marking": rule(option)})).await;
                        [option == 0, option == 1]
                    }
                    Kind::Essay => return,
                };
                let question = &mut self.model.questions[which];
                question.version += i64::from(question.right != right);
                question.right = right;
            }
            Act::Drop { question } => {
                let Some(which) = question.checked_rem(self.model.questions.len()) else { return };
                let question = self.model.questions.remove(which);
                let path = format!("/teacher/assessments/questions/{}/", question.id);
                assert_eq!(self.mona.delete(&path).await.status(), 204);
            }
            Act::Rule { exam, passing, most } => {
                let path = format!("/teacher/assessments/{}/", self.model.exams[exam].id);
                self.patch(&path, json!({"passing_grade": passing, "max_attempts": most})).await;
                let exam = &mut self.model.exams[exam];
                (exam.passing, exam.most) = (passing, most);
            }
            Act::Replace { exam } => {
                let path = format!("/teacher/assessments/{}/", self.model.exams[exam].id);
                assert_eq!(self.mona.delete(&path).await.status(), 204);
                assert_eq!(self.mona.get(&path).await.status(), 404);
                self.model.exams[exam] = self.exam(exam).await;
                self.model.questions.retain(|question| question.exam != exam);
                self.model.attempts.retain(|attempt| attempt.exam != exam);
            }
            Act::Start { student, exam } => self.start(student, exam).await,
            Act::Submit { student, exam, picks } => self.submit(student, exam, picks).await,
            // Starts, if the student may, and hands in.
            Act::Sit { student, exam, picks } => {
                self.start(student, exam).await;
                self.submit(student, exam, picks).await;
            }
            Act::SubmitAgain { attempt } => {
                let Some(which) = attempt.checked_rem(self.model.attempts.len()) else { return };
                let attempt = &self.model.attempts[which];
                if attempt.status != Status::InProgress {
                    let path = format!("/students/attempts/{}/submit/", attempt.id);
                    let answer =
                        self.students[attempt.student].post(&path, json!({"answers": []})).await;
                    assert_eq!(answer.status(), 403, "{answer}");
                }
            }
            Act::Grade { answer, quarters } => self.grade(answer, quarters).await,
            Act::Regrade { exam, policy } => {
                let of = RegradeOf { policy, question: None, dry_run: false };
                let id = self.model.exams[exam].id.parse().unwrap();
                grading::regrade(self.app.school(), &self.teacher, id, of).await.unwrap();
                self.model.regrade(exam, policy);
            }
            Act::Block { student } => {
                let name = format!("student{}x{student}", self.number);
                let found =
                    self.mona.get(&format!("/teacher/get_students/?search={name}")).await.json();
                let id = &found["results"][0]["student"]["user"]["id"];
                let path = format!("/teacher/students/toggle-block/{id}/");
                let toggled = self.mona.patch(&path, json!({})).await;
                assert_eq!(toggled.status(), 200, "{found} {toggled}");
                self.model.blocked[student] = !self.model.blocked[student];
            }
            Act::Wait { seconds } => self.wait(seconds).await,
            Act::WaitForDeadline { attempt, more } => {
                let running: Vec<_> = self
                    .model
                    .attempts
                    .iter()
                    .filter(|it| it.status == Status::InProgress)
                    .collect();
                let Some(which) = attempt.checked_rem(running.len()) else { return };
                let Some(deadline) = running[which].deadline else { return };
                self.wait(deadline + more - self.model.now).await;
            }
            Act::Sweep => attempts::expire(self.app.school()).await.unwrap(),
        }
    }

    async fn start(&mut self, student: usize, exam: usize) {
        let ExamModel { id, passing, most } = self.model.exams[exam].clone();
        let path = format!("/student/assessments/{id}/mona{}/start/", self.number);
        let answer = self.students[student].post(&path, json!({})).await;
        let used = self
            .model
            .attempts
            .iter()
            .filter(|attempt| (attempt.student, attempt.exam) == (student, exam))
            .count();
        let used = i64::try_from(used).unwrap();
        let questions = |paper: &[QuestionModel]| {
            paper.iter().map(|question| json!(question.id)).collect::<Vec<_>>()
        };
        let body = answer.json();
        let asked = || {
            let asked = body["questions"].as_array().unwrap().iter();
            asked.map(|question| question["question_id"].clone()).collect::<Vec<_>>()
        };
        if self.model.blocked[student] {
            assert_eq!(answer.status(), 403, "{answer}");
        } else if let Some(running) = self.model.running(student, exam) {
            assert_eq!(answer.status(), 200, "{answer}");
            assert_eq!(body["attempt_id"], running.id.as_str());
            assert_eq!(asked(), questions(&running.paper));
        } else if used >= most {
            assert_eq!(answer.status(), 400, "{answer}");
        } else {
            assert_eq!(answer.status(), 201, "{answer}");
            let questions_of = |question: &&QuestionModel| question.exam == exam;
            let paper: Vec<_> = self.model.questions.iter().filter(questions_of).cloned().collect();
            assert_eq!(asked(), questions(&paper));
            assert_eq!(body["attempt_number"], used + 1);
            self.model.attempts.push(AttemptModel {
                id: body["attempt_id"].as_str().unwrap().to_owned(),
                student,
                exam,
                number: used + 1,
                paper,
                passing,
                started: self.model.now,
                deadline: (exam == 0).then_some(self.model.now + LIMIT),
                ended: None,
                status: Status::InProgress,
                answers: Vec::new(),
            });
        }
    }

    async fn submit(&mut self, student: usize, exam: usize, picks: u64) {
        let (now, blocked) = (self.model.now, self.model.blocked[student]);
        let Some(attempt) = self.model.running(student, exam) else { return };
        let pick = |number: usize| match picks >> (2 * (number % 32)) & 3 {
            0 => None,
            1 => Some(0),
            _ => Some(1),
        };
        let mut sent = Vec::new();
        for (number, question) in attempt.paper.iter().enumerate() {
            let id = &question.id;
            sent.extend(pick(number).map(|pick| match question.kind {
                Kind::Choice => {
                    json!({"question_id": id, "selected_option_id": question.options[pick]})
                }
                Kind::Rule | Kind::Essay => {
                    json!({"question_id": id, "short_answer_text": WORDS[pick]})
                }
            }));
        }
        let path = format!("/students/attempts/{}/submit/", attempt.id);
        let answer = self.students[student].post(&path, json!({"answers": sent})).await;
        if blocked {
            assert_eq!(answer.status(), 403, "{answer}");
            return;
        }
        assert_eq!(answer.status(), 200, "{answer}");
        let mut tx = self.app.school().storage.read().await.unwrap();
        let kept = tx.attempts().answers(attempt.id.parse().unwrap()).await.unwrap();
        assert_eq!(kept.len(), attempt.paper.len());
        for (number, (question, kept)) in attempt.paper.iter().zip(kept).enumerate() {
            let worth = question.worth(pick(number));
            attempt.answers.push(AnswerModel {
                id: kept.id.to_string(),
                question: question.clone(),
                version: question.version,
                pick: pick(number),
                points: worth.map(|right| if right { question.points } else { 0 }),
                by_hand: false,
            });
        }
        attempt.ended = Some(now);
        attempt.status = Status::Submitted;
        attempt.settle();
    }

    async fn grade(&mut self, answer: usize, quarters: i64) {
        let attempts = self.model.attempts.iter_mut();
        let mut all: Vec<_> = attempts
            .flat_map(|attempt| {
                let (exam, id) = (attempt.exam, attempt.id.clone());
                attempt.answers.iter_mut().map(move |answer| (exam, id.clone(), answer))
            })
            .collect();
        let Some(which) = answer.checked_rem(all.len()) else { return };
        let (_, attempt, answer) = &mut all[which];
        let points = answer.question.points * quarters / 4;
        let new = NewGrade {
            points: format!("{}.{:02}", points / 100, points % 100).parse().unwrap(),
            is_correct: None,
            feedback: Change::Keep,
        };
        let id = answer.id.parse().unwrap();
        let graded = grading::grade(self.app.school(), &self.teacher, id, &new).await;
        if answer.question.kind == Kind::Choice {
            assert!(matches!(graded, Err(GradingError::NotByHand)), "{graded:?}");
            return;
        }
        graded.unwrap();
        answer.points = Some(points);
        answer.by_hand = true;
        let attempt = attempt.clone();
        let attempt = self.model.attempts.iter_mut().find(|known| known.id == attempt).unwrap();
        attempt.settle();
    }

    async fn wait(&mut self, seconds: i64) {
        if seconds <= 0 {
            return;
        }
        self.app.clock().advance(TimeDelta::seconds(seconds));
        self.model.wait(seconds);
        self.mona.log_in_teacher(&format!("mona{}", self.number)).await;
        for (student, browser) in self.students.iter().enumerate() {
            // By a teacher who blocks nobody: what is tried here are exams, not log-in.
            browser.log_in_student(&format!("student{}x{student}", self.number), "open").await;
        }
    }

    /// Everything that can be read of the exams is what the model says.
    async fn compare(&self) {
        for (student, browser) in self.students.iter().enumerate() {
            let listed =
                browser.get(&format!("/student/mona{}/attempts/", self.number)).await.json();
            let mut known: Vec<_> =
                self.model.attempts.iter().filter(|attempt| attempt.student == student).collect();
            known.sort_by_key(|attempt| (attempt.started, attempt.id.clone()));
            let listed = listed.as_array().unwrap();
            assert_eq!(listed.len(), known.len());
            for (shown, known) in listed.iter().zip(known.iter().rev()) {
                compare_summary(shown, known);
                let path = format!("/student/attempts/{}/result/", known.id);
                let result = browser.get(&path).await;
                let status = match known.status {
                    Status::InProgress => 403,
                    Status::Submitted => 202,
                    Status::Graded | Status::Expired => 200,
                };
                assert_eq!(result.status(), status, "{result} {known:?}");
                if status == 200 {
                    compare_result(&result.json(), known);
                }
            }
        }
        for exam in &self.model.exams {
            let path = format!("/teacher/assessments/{}/attempts/", exam.id);
            let listed = self.mona.get(&path).await.json();
            for shown in listed.as_array().unwrap() {
                let known = self.model.attempts.iter().find(|it| shown["id"] == it.id.as_str());
                compare_summary(shown, known.unwrap());
            }
        }
    }
}

/// The rule that one of the words is right.
fn rule(word: usize) -> Value {
    json!({"by": "text", "accept": [{"text": WORDS[word]}]})
}

fn hundredths(number: i64) -> Value {
    Value::String(format!("{}.{:02}", number / 100, number % 100))
}

fn compare_summary(shown: &Value, known: &AttemptModel) {
    let status = match known.status {
        Status::InProgress => "in_progress",
        Status::Submitted => "submitted",
        Status::Graded => "graded",
        Status::Expired => "expired",
    };
    let (score, percentage, is_passed) = match known.outcome() {
        Some((score, percentage, is_passed)) => {
            (hundredths(score), hundredths(percentage), json!(is_passed))
        }
        None => (Value::Null, Value::Null, Value::Null),
    };
    let time = known.ended.map(|ended| ended - known.started);
    assert_eq!(
        (&shown["id"], &shown["status"], &shown["attempt_number"], &shown["time_taken"]),
        (&json!(known.id), &json!(status), &json!(known.number), &json!(time)),
    );
    assert_eq!(
        (&shown["score"], &shown["percentage"], &shown["is_passed"]),
        (&score, &percentage, &is_passed),
        "{known:?}"
    );
}

fn compare_result(shown: &Value, known: &AttemptModel) {
    compare_summary(shown, known);
    let answers = shown["answers"].as_array().unwrap();
    assert_eq!(answers.len(), known.paper.len());
    for (number, (shown, question)) in answers.iter().zip(&known.paper).enumerate() {
        let answer = known.answers.get(number);
        let points = answer.map_or(0, |answer| answer.points.unwrap());
        let words = match (answer.and_then(|answer| answer.pick), question.kind) {
            (None, _) => "",
            (Some(pick), Kind::Choice) => ["0", "1"][pick],
            (Some(pick), Kind::Rule | Kind::Essay) => WORDS[pick],
        };
        assert_eq!(
            (&shown["question"], &shown["marks_awarded"], &shown["student_answer"]),
            (&json!(question.id), &hundredths(points), &json!(words)),
        );
        assert_eq!(shown["is_correct"], points == question.points, "{known:?}");
    }
}

fn histories(start: impl Future<Output = TestApp>) {
    let start = histories::with_open_teacher(start);
    histories::tell(40, act(), 30..80, start, async |app, number, acts| {
        let mut term = Term::begin(app, number).await;
        for (count, act) in acts.iter().enumerate() {
            term.carry_out(act).await;
            if count % 8 == 0 {
                term.compare().await;
            }
        }
        term.compare().await;
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
