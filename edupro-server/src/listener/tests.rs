//! Real sockets against the accept loop, with small limits.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::ConnectInfo, http::StatusCode, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{Limits, Stopped, serve};

/// Longer than any limit of these tests: what takes that long hangs.
const HANGS: Duration = Duration::from_secs(10);

fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn limits() -> Limits {
    Limits {
        first_byte: milliseconds(300),
        header: milliseconds(300),
        idle: Duration::from_secs(2),
        write_stall: milliseconds(300),
        linger: milliseconds(100),
        farewell: milliseconds(200),
        drain: Duration::from_secs(5),
        ..Limits::default()
    }
}

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Stopped>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let slow = || async {
            sleep(milliseconds(500)).await;
            "slow"
        };
        let app = Router::new()
            .route("/", get(|| async { "hello" }).post(|body: Bytes| async move { body }))
            .route(
                "/peer",
                get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
            )
            .route("/slow", get(slow))
            .route("/refuse", axum::routing::post(|| async { StatusCode::PAYLOAD_TOO_LARGE }))
            .route("/large", get(|| async { vec![b'x'; 64 * 1024 * 1024] }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, app, limits, async {
            stopped.await.unwrap();
        }));
        Self { address, stop, task }
    }

    async fn client(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// Says stop, and gives how the serving ended and how long that took.
    async fn stop(self) -> (Stopped, Duration) {
        let start = Instant::now();
        self.stop.send(()).unwrap();
        let stopped = timeout(HANGS, self.task).await.unwrap().unwrap();
        (stopped, start.elapsed())
    }
}

struct Client(TcpStream);

impl Client {
    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Sends a GET and reads its answer, leaving the connection open.
    async fn get(&mut self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
        self.answer().await
    }

    /// Reads one answer that has a content-length.
    async fn answer(&mut self) -> String {
        let mut text = String::new();
        loop {
            let mut buffer = [0; 4096];
            let count = timeout(HANGS, self.0.read(&mut buffer)).await.unwrap().unwrap();
            assert_ne!(count, 0, "the server closed after: {text}");
            text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .expect("a content-length");
                if body.len() == length.parse::<usize>().unwrap() {
                    return text;
                }
            }
        }
    }

    /// Reads until the server closes; gives what came and how long it took.
    async fn closed(&mut self) -> (String, Duration) {
        let start = Instant::now();
        let mut text = Vec::new();
        // A reset ends a connection as well.
        let _ = timeout(HANGS, self.0.read_to_end(&mut text)).await.expect("the server closes");
        (String::from_utf8(text).unwrap(), start.elapsed())
    }
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn a_request_is_answered_and_knows_its_peer() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    let answer = client.get("/peer").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(body(&answer), client.0.local_addr().unwrap().to_string());
}

#[tokio::test]
async fn a_connection_is_used_again_and_outlives_the_header_limit_while_idle() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    for _ in 0..3 {
        assert_eq!(body(&client.get("/").await), "hello");
        sleep(milliseconds(600)).await;
    }
    let (rest, after) = client.closed().await;
    assert_eq!(rest, "");
    assert!(after > milliseconds(1000) && after < milliseconds(2500), "{after:?}");
}

#[tokio::test]
async fn requests_sent_together_are_answered_in_order() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    client.send("GET /slow HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    let (answers, _) = client.closed().await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    assert!(answers.find("slow").unwrap() < answers.find("hello").unwrap());
}

#[tokio::test]
async fn a_body_reaches_the_router() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    client.send("POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nab").await;
    // The header limit is over once the header is here.
    sleep(milliseconds(500)).await;
    client.send("cd").await;
    assert_eq!(body(&client.answer().await), "abcd");
}

#[tokio::test]
async fn half_open_connections_slow_nobody_and_go_away() {
    let limit = milliseconds(1500);
    let server = Server::start(Limits { first_byte: limit, header: limit, ..limits() }).await;
    let mut half_open = Vec::new();
    for number in 0..150 {
        let mut client = server.client().await;
        if number % 2 == 0 {
            client.send("GET / HTTP/1.1\r\nhost: te").await;
        }
        half_open.push(client);
    }
    let start = Instant::now();
    assert_eq!(body(&server.client().await.get("/").await), "hello");
    assert!(start.elapsed() < milliseconds(1000), "{:?}", start.elapsed());
    for client in &mut half_open {
        let (answer, _) = client.closed().await;
        assert_eq!(answer, "");
    }
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_header_that_trickles_is_cut_off() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    let start = Instant::now();
    for letter in "GET / HTTP/1.1\r\nx-long: aaaaaaaaaaaaaaaaaaaaaa".chars() {
        if client.0.write_all(letter.to_string().as_bytes()).await.is_err() {
            break;
        }
        sleep(milliseconds(30)).await;
    }
    assert!(start.elapsed() < milliseconds(900), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_client_that_stops_reading_is_dropped() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    client.send("GET /large HTTP/1.1\r\n\r\n").await;
    sleep(milliseconds(800)).await;
    let mut received = Vec::new();
    let _ = timeout(HANGS, client.0.read_to_end(&mut received)).await.expect("the server closes");
    assert!(received.len() < 64 * 1024 * 1024, "{} bytes arrived", received.len());
}

#[tokio::test]
async fn a_slow_reader_that_does_read_gets_everything() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    client.send("GET /large HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    let mut received = 0;
    let mut buffer = vec![0; 4 * 1024 * 1024];
    loop {
        let count = timeout(HANGS, client.0.read(&mut buffer)).await.unwrap().unwrap();
        if count == 0 {
            break;
        }
        received += count;
        sleep(milliseconds(5)).await;
    }
    assert!(received > 64 * 1024 * 1024, "{received}");
}

#[tokio::test]
async fn headers_and_urls_that_are_too_large_are_refused_in_json() {
    let server = Server::start(limits()).await;
    let long = "x".repeat(40 * 1024);
    let many = "a: b\r\n".repeat(101);
    let too_large = r#"{"detail":"The request header is too large."}"#;
    for (request, status, detail) in [
        (format!("GET / HTTP/1.1\r\nx-long: {long}\r\n\r\n"), "431", too_large),
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), "431", too_large),
        (format!("GET /?{long} HTTP/1.1\r\n\r\n"), "431", too_large),
        (
            format!("GET /?{} HTTP/1.1\r\n\r\n", &long[..9000]),
            "414",
            r#"{"detail":"The URL is too long."}"#,
        ),
        ("nonsense\r\n\r\n".to_owned(), "400", r#"{"detail":"The request is not valid HTTP."}"#),
    ] {
        let mut client = server.client().await;
        client.send(&request).await;
        let (answer, _) = client.closed().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert_eq!(body(&answer), detail);
    }
    // Nobody else minds, and what fits is let in.
    let mut client = server.client().await;
    assert_eq!(body(&client.get(&format!("/?{}", &long[..8000])).await), "hello");
    client.send("nonsense\r\n\r\n").await;
    assert!(client.closed().await.0.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn an_answer_before_the_body_is_not_lost_in_a_reset() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    client.send("POST /refuse HTTP/1.1\r\ncontent-length: 8000000\r\n\r\n").await;
    client.send(&"x".repeat(200_000)).await;
    sleep(milliseconds(50)).await;
    let (answer, _) = client.closed().await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

/// Or the next request would be sent into a connection that is being closed.
#[tokio::test]
async fn whoever_is_answered_before_the_body_came_is_told_that_the_connection_closes() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    client.send("POST /refuse HTTP/1.1\r\ncontent-length: 5\r\n\r\n").await;
    let (answer, _) = client.closed().await;
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    let mut client = server.client().await;
    for _ in 0..2 {
        client.send("POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello").await;
        let answer = client.answer().await;
        assert!(!answer.contains("connection: close"), "{answer}");
        assert_eq!(body(&answer), "hello");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let server = Server::start(Limits { connections: 2, ..limits() }).await;
    let first = server.client().await;
    let _second = server.client().await;
    let mut third = server.client().await;
    third.send("GET / HTTP/1.1\r\n\r\n").await;
    sleep(milliseconds(100)).await;
    let mut buffer = [0; 16];
    assert!(third.0.try_read(&mut buffer).is_err(), "no answer yet");
    drop(first);
    assert_eq!(body(&third.answer().await), "hello");
}

#[tokio::test]
async fn a_graceful_stop_finishes_requests_and_drops_the_rest() {
    let server = Server::start(limits()).await;
    let mut idle = server.client().await;
    idle.get("/").await;
    let mut half_open = server.client().await;
    half_open.send("GET / HT").await;
    let silent = server.client().await;
    let mut slow = server.client().await;
    slow.send("GET /slow HTTP/1.1\r\n\r\n").await;
    sleep(milliseconds(50)).await;
    let address = server.address;
    let (slow_answer, ended) = tokio::join!(slow.closed(), server.stop());
    assert_eq!(body(&slow_answer.0), "slow");
    assert!(slow_answer.0.contains("connection: close"), "{}", slow_answer.0);
    assert_eq!(ended.0, Stopped { cut_off: 0 });
    assert!(ended.1 < Duration::from_secs(2), "{:?}", ended.1);
    for mut client in [idle, half_open, silent] {
        assert_eq!(client.closed().await.0, "");
    }
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_stop_with_only_idle_connections_takes_no_time() {
    let server = Server::start(limits()).await;
    let mut idle = server.client().await;
    idle.get("/").await;
    let (stopped, took) = server.stop().await;
    assert_eq!(stopped, Stopped { cut_off: 0 });
    assert!(took < milliseconds(1000), "{took:?}");
}

#[tokio::test]
async fn a_request_that_takes_too_long_to_finish_is_cut_off() {
    let server = Server::start(Limits { drain: milliseconds(100), ..limits() }).await;
    let mut slow = server.client().await;
    slow.send("GET /slow HTTP/1.1\r\n\r\n").await;
    sleep(milliseconds(50)).await;
    let (stopped, took) = server.stop().await;
    assert_eq!(stopped, Stopped { cut_off: 1 });
    assert!(took < milliseconds(400), "{took:?}");
}

/// Sends GETs, on one connection or on a new one each, until the server says goodbye. A request
/// without an answer is a failure.
async fn visit_until_goodbye(address: SocketAddr, keep_alive: bool) -> Result<(), String> {
    let mut connection = None;
    loop {
        let mut stream = match connection.take() {
            Some(stream) => stream,
            None => match TcpStream::connect(address).await {
                Ok(stream) => stream,
                // Nobody listens, or no longer does: nothing was asked yet.
                Err(_) => return Ok(()),
            },
        };
        let mut buffer = [0; 4096];
        let request = b"GET / HTTP/1.1\r\n\r\n";
        stream.write_all(request).await.map_err(|error| format!("write: {error}"))?;
        match stream.read(&mut buffer).await {
            Ok(0) => return Err("closed without an answer".to_owned()),
            Err(error) => return Err(format!("read: {error}")),
            Ok(count) if !keep_alive => assert!(buffer[..count].starts_with(b"HTTP/1.1 200 OK")),
            Ok(count) => {
                let answer = std::str::from_utf8(&buffer[..count]).unwrap();
                assert!(answer.starts_with("HTTP/1.1 200 OK"));
                if answer.contains("connection: close") {
                    return Ok(());
                }
                connection = Some(stream);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_leaves_no_request_without_an_answer() {
    for keep_alive in [true, false] {
        let server = Server::start(limits()).await;
        let clients: Vec<_> = (0..30)
            .map(|_| tokio::spawn(visit_until_goodbye(server.address, keep_alive)))
            .collect();
        sleep(milliseconds(200)).await;
        let (stopped, took) = server.stop().await;
        assert_eq!(stopped, Stopped { cut_off: 0 });
        assert!(took < Duration::from_secs(2), "{took:?}");
        for client in clients {
            assert_eq!(client.await.unwrap(), Ok(()), "keep-alive: {keep_alive}");
        }
    }
}
