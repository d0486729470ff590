//! Somebody who asks, and keeps the cookies.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderName, HeaderValue, Method, Request, header},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Answer, Exchange, PASSWORD, PUBLIC_URL, email, exchange::Witness};

/// Cookies by the path below which they are sent, and by their names.
type Jar = BTreeMap<(String, String), String>;

/// Somebody who asks. Clones share their cookies, as tabs do.
#[derive(Clone, Debug)]
pub struct Browser {
    router: Router,
    prefix: String,
    cookies: Arc<Mutex<Jar>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    witness: Option<Witness>,
}

/// A part of a multipart form.
#[derive(Clone, Debug)]
pub enum Part<'a> {
    /// A field with text.
    Text(&'a str, &'a str),
    /// A file: the field, the file's name, its content.
    File(&'a str, &'a str, &'a [u8]),
}

impl Browser {
    pub(super) fn new(router: Router, prefix: &str, witness: Option<Witness>) -> Self {
        let prefix = prefix.to_owned();
        Self { router, prefix, cookies: Arc::default(), headers: Vec::new(), witness }
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same browser, sending one more header with each request.
    #[must_use]
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut browser = self.clone();
        let value = HeaderValue::try_from(value).expect("a header's value");
        browser.headers.push((HeaderName::from_static(name), value));
        browser
    }

    /// Another browser with a copy of these cookies.
    #[must_use]
    pub fn fork(&self) -> Self {
        let cookies = self.jar().clone();
        Self { cookies: Arc::new(Mutex::new(cookies)), ..self.clone() }
    }

    /// A cookie's value.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar().iter().find(|((_, known), _)| known == name).map(|(_, value)| value.clone())
    }

    /// Sets a cookie that goes along everywhere, or removes it.
    pub fn set_cookie(&self, name: &str, value: Option<&str>) {
        let mut jar = self.jar();
        jar.retain(|(_, known), _| known != name);
        if let Some(value) = value {
            jar.insert(("/".to_owned(), name.to_owned()), value.to_owned());
        }
    }

    /// 1.1 as a test's teacher or administrator.
    pub async fn log_in_teacher(&self, username: &str) {
        let body = json!({"email": email(username), "password": PASSWORD});
        let answer = self.post("/teacher/login/", body).await;
        assert_eq!(answer.status(), 200, "{answer}");
    }

    /// 1.2 as a test's student.
    pub async fn log_in_student(&self, username: &str, teacher: &str) {
        let body = json!({"email": email(username), "password": PASSWORD});
        let answer = self.post(&format!("/student/login/{teacher}/"), body).await;
        assert_eq!(answer.status(), 200, "{answer}");
    }

    /// `GET` of a path below the contract's prefix, or of a whole URL of this school.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, Body::empty()).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, Body::empty()).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, &body).await
    }

    /// `PUT` of JSON.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PUT, path, &body).await
    }

    /// `PATCH` of JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PATCH, path, &body).await
    }

    /// A multipart form.
    pub async fn multipart(&self, method: Method, path: &str, parts: &[Part<'_>]) -> Answer {
        let boundary = "a-boundary-of-a-test";
        let mut body = Vec::new();
        for part in parts {
            body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            let (head, content) = match part {
                Part::Text(name, text) => (
                    format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n"),
                    text.as_bytes(),
                ),
                Part::File(name, file, content) => (
                    format!(
                        "Content-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\
                         Content-Type: application/octet-stream\r\n\r\n"
                    ),
                    *content,
                ),
            };
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let content_type = format!("multipart/form-data; boundary={boundary}");
        self.send(method, path, Some(&content_type), body.into()).await
    }

    async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(method, path, Some("application/json"), body.to_string().into()).await
    }

    /// Any method with any body.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Body,
    ) -> Answer {
        let path = match path.strip_prefix(PUBLIC_URL) {
            Some(path) => path.to_owned(),
            None => format!("{}/api/v1{path}", self.prefix),
        };
        let cookies = self.cookie_header(&path);
        let mut request = Request::builder().method(&method).uri(&path);
        request = request.header(header::HOST, "school.example");
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(body).expect("a request");
        let response = self.router.clone().oneshot(request).await.unwrap_or_else(|e| match e {});
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body arrives").to_bytes();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        self.keep_cookies(&answer);
        if let Some(witness) = &self.witness {
            witness.see(&Exchange { method: &method, path: &path, answer: &answer });
        }
        answer
    }

    fn cookie_header(&self, path: &str) -> String {
        let path = path.split('?').next().unwrap_or_default();
        let is_below = |start: &str| {
            let rest = path.strip_prefix(start.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let jar = self.jar();
        let sent = jar.iter().filter(|((start, _), _)| is_below(start));
        let pairs: Vec<_> = sent.map(|((_, name), value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn keep_cookies(&self, answer: &Answer) {
        let mut jar = self.jar();
        for cookie in answer.cookies() {
            let (pair, flags) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let flags = || flags.split(';').map(str::trim);
            let path = flags().find_map(|flag| flag.strip_prefix("Path=")).unwrap_or("/");
            let key = (path.to_owned(), name.to_owned());
            match flags().any(|flag| flag == "Max-Age=0") {
                true => jar.remove(&key),
                false => jar.insert(key, value.to_owned()),
            };
        }
    }
}
