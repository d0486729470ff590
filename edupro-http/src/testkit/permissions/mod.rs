//! Who may do what, tried out: every route, as everybody.
//!
//! A [`Route`] says who may call it, and which parameter of its path names something that has an
//! owner. From that follows what each of eight [`Visitor`]s has to be answered, and a [`Walk`] asks
//! all of it of a school that a test has built, a [`World`]. The parameters always name what is
//! teacher A's, or their student's:
//!
//! | who asks | has to be answered |
//! | --- | --- |
//! | nobody, and whoever had a session once | 401, if not everybody may |
//! | somebody of another role | 403 |
//! | somebody of the right role to whom the owned thing does not belong | 403 or 404 |
//! | everybody else | anything but 401, 403, 404, 405 and 500 or more |
//!
//! Whoever is not let in has changed nothing, and neither has a request that was answered 400 or
//! more. What differs for a reason is said once, with the reason: [`Walk::except`]. An exception
//! that is not needed any more is an error, as is a parameter that nobody can fill.
//!
//! Each request meets the same world: when one has changed something, the next gets a new world. So
//! the order of routes does not matter, and one that deletes everything does not hide another.
//!
//! # Routes of one's own
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use std::sync::{Arc, Mutex};
//!
//! use async_trait::async_trait;
//! use axum::{Router, extract::Path, http::Method, routing::put};
//! use edupro_http::{
//!     ApiError, EduPro,
//!     extract::Teacher,
//!     openapi::Permission,
//!     testkit::{TestApp, permissions::{Cast, Route, Visitor, Walk, World}},
//! };
//!
//! // A note has an owner, and a text that the owner may change.
//! type Notes = Arc<Mutex<Vec<(String, &'static str)>>>;
//!
//! async fn change(notes: Notes, teacher: Teacher, id: usize) -> Result<&'static str, ApiError> {
//!     let mut notes = notes.lock().unwrap();
//!     let note = notes.get_mut(id).ok_or_else(ApiError::not_found)?;
//!     if note.0 != teacher.0.username {
//!         return Err(ApiError::forbidden());
//!     }
//!     note.1 = "changed";
//!     Ok("\"changed\"")
//! }
//!
//! fn app(edupro: &EduPro, notes: Notes) -> Router {
//!     let put = put(|teacher: Teacher, Path(id)| change(notes, teacher, id));
//!     let own = Router::new().route("/notes/{note}", put);
//!     edupro.guard(own).merge(edupro.router()).with_state(edupro.clone())
//! }
//!
//! // A test of it.
//! struct School {
//!     cast: Cast,
//!     notes: Notes,
//!     app: TestApp,
//! }
//!
//! #[async_trait]
//! impl World for School {
//!     fn cast(&self) -> &Cast {
//!         &self.cast
//!     }
//!
//!     fn parameter(&self, _: &Route, name: &str) -> Option<String> {
//!         (name == "note").then(|| "0".to_owned())
//!     }
//!
//!     async fn state(&self) -> String {
//!         format!("{:?}", self.notes.lock().unwrap())
//!     }
//! }
//!
//! async fn school() -> School {
//!     let notes = Notes::new(Mutex::new(vec![("teacher_a".to_owned(), "mine")]));
//!     let app = TestApp::new().await.inside(|edupro| app(edupro, Arc::clone(&notes)));
//!     School { cast: Cast::of(&app).await, notes, app }
//! }
//!
//! let route = Route::new(Method::PUT, "/notes/{note}", Permission::Teacher).owned("note");
//! let matrix = Walk::new([route]).run(school).await;
//! matrix.assert();
//! assert_eq!(matrix.status("PUT", "/notes/{note}", Visitor::TeacherB), Some(403));
//! # }
//! ```

mod cast;
mod matrix;
mod route;

use std::collections::HashSet;

use async_trait::async_trait;
use axum::{body::Body, http::Method};
use serde_json::{Value, json};

use self::matrix::Cell;
pub use self::{
    cast::{Cast, Visitor},
    matrix::Matrix,
    route::Route,
};
use super::PUBLIC_URL;
use crate::openapi::Permission;

/// A school in which something belongs to teacher A and to their student, as a walk wants it.
#[async_trait]
pub trait World: Send + Sync {
    /// Who asks.
    fn cast(&self) -> &Cast;

    /// What stands in this place of the route's path: something that is teacher A's, or their
    /// student's. Nothing, when the world has no such thing, which is an error.
    fn parameter(&self, route: &Route, name: &str) -> Option<String>;

    /// To whom belongs what the route's owned parameter names. By default to teacher A or to their
    /// student, or to both, whoever of them may call the route.
    fn owners(&self, route: &Route) -> &'static [Visitor] {
        match route.permission {
            Permission::Teacher => &[Visitor::TeacherA],
            Permission::Student => &[Visitor::StudentA],
            Permission::Admin => &[Visitor::Admin],
            Permission::Anyone | Permission::SignedIn => &[Visitor::TeacherA, Visitor::StudentA],
        }
    }

    /// What is sent, to a route that may be sent something. By default an empty object: whoever is
    /// let in may well be answered 400.
    fn body(&self, route: &Route) -> Value {
        let _ = route;
        json!({})
    }

    /// All that strangers must not change, in any words that are always the same for the same. What
    /// stands on lines of its own is reported by itself.
    async fn state(&self) -> String;

    /// Puts everything back as it was in the beginning, where that costs less than a new world, and
    /// says whether it has. It is looked at, too: what is not as it was is left for a new world.
    async fn restore(&self) -> bool {
        false
    }
}

/// Every route, as everybody.
#[derive(Clone, Debug)]
#[must_use = "nothing is asked until `run` is called"]
pub struct Walk {
    routes: Vec<Route>,
    exceptions: Vec<Exception>,
}

/// What is answered differently, and why.
#[derive(Clone, Debug)]
struct Exception {
    methods: Vec<Method>,
    path: String,
    visitors: Vec<Visitor>,
    status: u16,
    reason: &'static str,
}

impl Walk {
    /// A walk over these routes: `openapi::operations()`, or routes of one's own.
    pub fn new(routes: impl IntoIterator<Item = impl Into<Route>>) -> Self {
        let routes = routes.into_iter().map(Into::into).collect();
        Self { routes, exceptions: Vec::new() }
    }

    /// These visitors are answered with this status, for a reason. A route is written with its
    /// methods, as it is shown: `PUT PATCH /api/v1/lessons/{id}/status/`.
    pub fn except(
        mut self,
        route: &str,
        visitors: &[Visitor],
        status: u16,
        reason: &'static str,
    ) -> Self {
        let (methods, path) = route.rsplit_once(' ').expect("methods and a path");
        let methods = methods.split(' ').map(|name| name.parse().expect("a method")).collect();
        let (path, visitors) = (path.to_owned(), visitors.to_vec());
        self.exceptions.push(Exception { methods, path, visitors, status, reason });
        self
    }

    /// Asks everything. `build` makes a world, the same each time.
    pub async fn run<W: World>(self, build: impl AsyncFn() -> W) -> Matrix {
        let mut world = build().await;
        let mut fresh = world.state().await;
        let mut matrix = Matrix::default();
        let mut used = HashSet::new();
        for route in &self.routes {
            let Some(mut path) = fill(&world, route, &mut matrix) else {
                continue;
            };
            let mut cells = Vec::with_capacity(Visitor::ALL.len());
            for visitor in Visitor::ALL {
                let status = ask(&world, route, &path, visitor).await;
                let expected = Expected::of(route, visitor, world.owners(route));
                let exception = self.exceptions.iter().position(|it| it.is_about(route, visitor));
                let exception = exception.map(|place| {
                    used.insert((place, visitor));
                    &self.exceptions[place]
                });
                let state = world.state().await;
                let changed = (state != fresh).then(|| difference(&fresh, &state));
                let wrong = judge(expected, exception, status, changed.as_deref());
                cells.push(Cell { visitor, status, wrong });
                let is_restored = async || world.restore().await && world.state().await == fresh;
                if changed.is_some() && !is_restored().await {
                    world = build().await;
                    fresh = world.state().await;
                    // The new world may have other names for its things.
                    path = fill(&world, route, &mut matrix).unwrap_or(path);
                }
            }
            matrix.add(route.clone(), cells);
        }
        for (place, exception) in self.exceptions.iter().enumerate() {
            for visitor in &exception.visitors {
                if !used.contains(&(place, *visitor)) {
                    let Exception { path, reason, .. } = exception;
                    matrix.fault(format!(
                        "{path} as {visitor}: there is no such route for ‘{reason}’"
                    ));
                }
            }
        }
        matrix
    }
}

impl Exception {
    fn is_about(&self, route: &Route, visitor: Visitor) -> bool {
        self.path == route.path
            && self.methods.contains(&route.method)
            && self.visitors.contains(&visitor)
    }
}

/// What a visitor has to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 403 or 404.
    Stranger,
    /// Let in.
    Admitted,
}

impl Expected {
    fn of(route: &Route, visitor: Visitor, owners: &[Visitor]) -> Self {
        match route.permission {
            Permission::Anyone => Self::Admitted,
            _ if !visitor.is_signed_in() => Self::Unauthorized,
            permission if !visitor.has(permission) => Self::Forbidden,
            _ if route.owned.is_some() && !owners.contains(&visitor) => Self::Stranger,
            _ => Self::Admitted,
        }
    }

    fn admits(self, status: u16) -> bool {
        match self {
            Self::Unauthorized => status == 401,
            Self::Forbidden => status == 403,
            Self::Stranger => matches!(status, 403 | 404),
            Self::Admitted => status < 500 && !matches!(status, 401 | 403 | 404 | 405),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Unauthorized => "401",
            Self::Forbidden => "403",
            Self::Stranger => "403 or 404",
            Self::Admitted => "to be let in",
        }
    }
}

/// What is wrong with an answer, if anything is.
fn judge(
    expected: Expected,
    exception: Option<&Exception>,
    status: u16,
    changed: Option<&str>,
) -> Option<String> {
    if let Some(exception) = exception {
        let (wanted, reason) = (exception.status, exception.reason);
        if expected.admits(wanted) {
            return Some(format!("needs no exception, ‘{reason}’: {wanted} is as expected"));
        }
        if status != wanted {
            return Some(format!("answered {status}, not {wanted}: ‘{reason}’"));
        }
    } else if !expected.admits(status) {
        return Some(format!("answered {status}, not {}", expected.words()));
    }
    let is_let_in = status < 400 && (expected == Expected::Admitted || exception.is_some());
    changed.filter(|_| !is_let_in).map(|changed| format!("answered {status}, but changed{changed}"))
}

/// The path with what is teacher A's in it.
fn fill(world: &impl World, route: &Route, matrix: &mut Matrix) -> Option<String> {
    if let Some(owned) = route.owned.filter(|owned| !route.parameters().any(|it| it == *owned)) {
        matrix.fault(format!("{route}: no parameter is called {owned}"));
        return None;
    }
    if route.owned.is_some() && route.permission == Permission::Anyone {
        matrix.fault(format!("{route}: what everybody may do is nobody's own"));
        return None;
    }
    let mut path = route.path.clone();
    for name in route.parameters() {
        let Some(value) = world.parameter(route, name) else {
            matrix.fault(format!("{route}: the world has nothing for {name}"));
            return None;
        };
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    Some(path)
}

async fn ask(world: &impl World, route: &Route, path: &str, visitor: Visitor) -> u16 {
    // A copy of the cookies: what one answer sets or takes away is not there for the next.
    let browser = world.cast().browser(visitor).fork();
    let is_read = matches!(route.method, Method::GET | Method::HEAD | Method::DELETE);
    let (content_type, body) = match is_read {
        true => (None, Body::empty()),
        false => (Some("application/json"), world.body(route).to_string().into()),
    };
    let url = format!("{PUBLIC_URL}{path}");
    browser.send(route.method.clone(), &url, content_type, body).await.status()
}

/// The lines that are new, or not there any more, as far as somebody reads.
fn difference(before: &str, after: &str) -> String {
    const LONGEST: usize = 400;
    let known: HashSet<_> = before.lines().collect();
    let still: HashSet<_> = after.lines().collect();
    let gone = before.lines().filter(|line| !still.contains(line)).map(|line| ("-", line));
    let new = after.lines().filter(|line| !known.contains(line)).map(|line| ("+", line));
    let lines = gone.chain(new).map(|(sign, line)| format!("\n      {sign} {line}"));
    lines.collect::<String>().chars().take(LONGEST).collect()
}
