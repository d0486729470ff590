//! Clients that ask for too much (security R17, R18).

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::timeout;

use crate::{
    home::Home,
    support::{HANGS, LOGIN},
};

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_read() {
    let home = Home::new();
    let server = home.serve(&[]).await;
    let long = "x".repeat(33 * 1024);
    let post = format!("POST {LOGIN} HTTP/1.1\r\nhost: school\r\ncontent-type: application/json");
    for (request, status, detail) in [
        (
            format!("GET /healthz HTTP/1.1\r\nhost: school\r\nx-long: {long}\r\n\r\n"),
            431,
            "The request header is too large.",
        ),
        (
            format!("GET /healthz?{} HTTP/1.1\r\nhost: school\r\n\r\n", &long[..8200]),
            414,
            "The URL is too long.",
        ),
        // The body is announced and never sent.
        (format!("{post}\r\ncontent-length: 2097152\r\n\r\n"), 413, "Request body too large."),
        (
            format!("{post}\r\ncontent-length: 2097152\r\nexpect: 100-continue\r\n\r\n"),
            413,
            "Request body too large.",
        ),
        (
            format!("{post}\r\ntransfer-encoding: chunked\r\n\r\n200000\r\n{}", long.repeat(40)),
            413,
            "Request body too large.",
        ),
    ] {
        let mut connection = server.connect().await;
        connection.send(&request).await;
        let answer = timeout(Duration::from_secs(5), connection.answer()).await.unwrap();
        assert_eq!(answer.expect(status).json(), json!({"detail": detail}));
    }
    server.visitor().get("/healthz").await.expect(200);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_waited_for_fifteen_seconds() {
    let home = Home::new();
    let server = home.serve(&[]).await;
    let mut slow = server.connect().await;
    let head = server.visitor().head("POST", LOGIN, "application/json", 100);
    slow.send(format!("{head}{{\"email\"")).await;
    let start = Instant::now();
    let answer = timeout(HANGS, slow.answer()).await.unwrap();
    let detail = json!({"detail": "The request body arrived too slowly."});
    assert_eq!(answer.expect(408).json(), detail);
    assert!(start.elapsed() > Duration::from_secs(14), "{:?}", start.elapsed());
}
