//! HTTP/1.1 as it goes over the wire, and a browser's cookies.

use std::{collections::BTreeMap, fmt, io, net::SocketAddr, sync::Mutex};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{HANGS, PROFILE};

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The answer itself, if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// The values of a header.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| *key == name).map(|(_, value)| value).collect()
    }

    /// The value of a header that is there once, or the empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers(name).first().copied().unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}\n\n{}", self.head, String::from_utf8_lossy(&self.body))
    }
}

/// A connection, for requests that no library would send.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { stream: TcpStream::connect(address).await?, received: Vec::new() })
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The next answer.
    pub(crate) async fn answer(&mut self) -> Answer {
        self.next_answer().await.expect("an answer, before the connection is closed")
    }

    /// The next answer, if there is one more. Its `Content-Length` is believed, so a wrong one
    /// does not go unseen.
    pub(crate) async fn next_answer(&mut self) -> Option<Answer> {
        let end = loop {
            let found = self.received.windows(4).position(|window| window == b"\r\n\r\n");
            match found {
                Some(end) => break end + 4,
                None if self.receive().await => {}
                None => return None,
            }
        };
        let head: Vec<u8> = self.received.drain(..end).collect();
        let head = String::from_utf8(head).unwrap().trim_end().to_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        let length = match answer.header("content-length") {
            "" => 0,
            length => length.parse().unwrap(),
        };
        while self.received.len() < length {
            assert!(self.receive().await, "closed in the middle of a body: {answer}");
        }
        answer.body = self.received.drain(..length).collect();
        Some(answer)
    }

    /// What came after the last answer, until the server closed the connection.
    pub(crate) async fn rest(&mut self) -> &[u8] {
        while self.receive().await {}
        &self.received
    }

    async fn receive(&mut self) -> bool {
        let read = timeout(HANGS, self.stream.read_buf(&mut self.received)).await;
        // Whom the server resets, it has nothing more to say.
        read.expect("the server says something or closes").is_ok_and(|count| count > 0)
    }
}

/// Somebody who keeps cookies, and has a new connection for each request.
pub(crate) struct Browser {
    address: SocketAddr,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, cookies: Mutex::default() }
    }

    /// The same cookies at another server.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self { address, cookies: Mutex::new(self.cookies.lock().unwrap().clone()) }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    /// Whether a teacher is let in where a log-in is needed.
    pub(crate) async fn is_signed_in(&self) -> bool {
        self.get(PROFILE).await.status == 200
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json("POST", path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.json("PATCH", path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.json("PUT", path, body).await
    }

    async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.ask(method, path, "application/json", body.to_string().as_bytes()).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
        let mut connection = Connection::open(self.address).await.unwrap();
        connection.send(self.head(method, path, kind, body.len())).await;
        connection.send(body).await;
        let answer = connection.answer().await;
        for cookie in answer.headers("set-cookie") {
            self.keep(cookie);
        }
        answer
    }

    /// A request's header, with the cookies.
    pub(crate) fn head(&self, method: &str, path: &str, kind: &str, length: usize) -> String {
        let mut lines =
            vec![format!("{method} {path} HTTP/1.1"), format!("host: {}", self.address)];
        if !kind.is_empty() {
            lines.extend([format!("content-type: {kind}"), format!("content-length: {length}")]);
        }
        let cookies = self.cookies.lock().unwrap();
        let cookies: Vec<_> =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            lines.push(format!("cookie: {}", cookies.join("; ")));
        }
        lines.join("\r\n") + "\r\n\r\n"
    }

    fn keep(&self, cookie: &str) {
        let (pair, flags) = cookie.split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let mut cookies = self.cookies.lock().unwrap();
        match flags.ends_with("Max-Age=0") {
            true => drop(cookies.remove(name)),
            false => drop(cookies.insert(name.to_owned(), value.to_owned())),
        }
    }
}

/// A form with one file: its content type and its body.
pub(crate) fn multipart(field: &str, file: &str, content: &[u8]) -> (&'static str, Vec<u8>) {
    let head = format!(
        "--a-boundary\r\n\
         content-disposition: form-data; name=\"{field}\"; filename=\"{file}\"\r\n\r\n"
    );
    let body = [head.as_bytes(), content, b"\r\n--a-boundary--\r\n"].concat();
    ("multipart/form-data; boundary=a-boundary", body)
}
