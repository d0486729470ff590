//! Requests that a proxy and this server could read differently, and lines that a client would like
//! to write into the log (security 2.5).

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use crate::{
    client::Connection,
    home::{Home, Server},
    support::{HANGS, LOGIN},
};

/// The request that would be hidden in another one's body.
const HIDDEN: &str = "GET /healthz?hidden HTTP/1.1\r\nhost: school\r\n\r\n";

/// The statuses of all that is answered on one connection, until it is closed or stays silent.
async fn answers(server: &Server, request: &str) -> Vec<u16> {
    let mut connection: Connection = server.connect().await;
    connection.send(request).await;
    let mut statuses = Vec::new();
    while let Ok(Some(answer)) = timeout(Duration::from_millis(700), connection.next_answer()).await
    {
        statuses.push(answer.status);
    }
    statuses
}

fn post(headers: &str, body: &str) -> String {
    format!(
        "POST {LOGIN} HTTP/1.1\r\nhost: school\r\ncontent-type: application/json\r\n{headers}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn a_request_has_one_length_and_hides_no_other() {
    let home = Home::new();
    let server = home.serve(&[]).await;
    let chunked = "0\r\n\r\n";
    for (what, request, allowed) in [
        // Refused, or read as one, and what follows never as a request of its own.
        (
            "CL and TE",
            post("content-length: 4\r\ntransfer-encoding: chunked", &format!("{chunked}{HIDDEN}")),
            &[400][..],
        ),
        (
            "TE and CL",
            post("transfer-encoding: chunked\r\ncontent-length: 50", &format!("{chunked}{HIDDEN}")),
            &[400],
        ),
        (
            "two CLs",
            post("content-length: 2\r\ncontent-length: 50", &format!("{{}}{HIDDEN}")),
            &[400],
        ),
        ("a list of CLs", post("content-length: 2, 50", &format!("{{}}{HIDDEN}")), &[400]),
        ("a CL with a sign", post("content-length: +2", "{}"), &[400]),
        ("a negative CL", post("content-length: -2", "{}"), &[400]),
        ("a hexadecimal CL", post("content-length: 0x2", "{}"), &[400]),
        ("a CL beyond 64 bits", post("content-length: 99999999999999999999", "{}"), &[400, 413]),
        ("a CL with a blank before the colon", post("content-length : 2", "{}"), &[400]),
        ("TE with a blank before the colon", post("transfer-encoding : chunked", chunked), &[400]),
        ("an unknown TE", post("transfer-encoding: xchunked", chunked), &[400, 501]),
        (
            "TE that ends otherwise",
            post("transfer-encoding: chunked, identity", chunked),
            &[400, 501],
        ),
        ("TE with a vertical tab", post("transfer-encoding: \u{b}chunked", chunked), &[400, 501]),
        ("a folded header", post("x: y\r\n transfer-encoding: chunked", chunked), &[400]),
        ("a size with a sign", post("transfer-encoding: chunked", "+2\r\n{}\r\n0\r\n\r\n"), &[400]),
        (
            "a size that is none",
            post("transfer-encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n"),
            &[400],
        ),
        (
            "a size beyond 64 bits",
            post("transfer-encoding: chunked", "10000000000000002\r\n{}\r\n0\r\n\r\n"),
            &[400],
        ),
        (
            "a chunk longer than its size",
            post("transfer-encoding: chunked", "1\r\n{}\r\n0\r\n\r\n"),
            &[400],
        ),
        (
            "a chunk that is too large",
            post("transfer-encoding: chunked", "ffffffff\r\n{}"),
            &[400, 408, 413],
        ),
        ("a NUL in a header", post("x: a\0b\r\ncontent-length: 2", "{}"), &[400]),
        ("a bare CR in a header", post("x: a\rb\r\ncontent-length: 2", "{}"), &[400]),
        ("no colon", post("nothing\r\ncontent-length: 2", "{}"), &[400]),
        ("an empty name", post(": x\r\ncontent-length: 2", "{}"), &[400]),
        ("HTTP/0.9", "GET /healthz\r\n\r\n".to_owned(), &[400]),
        ("HTTP/1.9", "GET /healthz HTTP/1.9\r\nhost: school\r\n\r\n".to_owned(), &[400, 505]),
        ("HTTP/2 without a word", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &[400, 505]),
        (
            "a blank in the path",
            "GET /healthz x HTTP/1.1\r\nhost: school\r\n\r\n".to_owned(),
            &[400],
        ),
        ("a tab for a blank", "GET\t/healthz\tHTTP/1.1\r\nhost: school\r\n\r\n".to_owned(), &[400]),
        (
            "a method that is none",
            "G@T /healthz HTTP/1.1\r\nhost: school\r\n\r\n".to_owned(),
            &[400],
        ),
    ] {
        let statuses = answers(&server, &request).await;
        // Nothing at all is an answer too: hyper closes what is no HTTP.
        assert!(statuses.len() <= 1, "{what}: {statuses:?}");
        assert!(statuses.iter().all(|status| allowed.contains(status)), "{what}: {statuses:?}");
    }
    // Of its own: one whole request after the other, with chunks and with lengths, is two.
    let whole = format!("{}{HIDDEN}", post("content-length: 2", "{}"));
    assert_eq!(answers(&server, &whole).await, [400, 200]);
    let whole = format!(
        "{}{HIDDEN}",
        post("transfer-encoding: chunked", "2;ext=\"x\"\r\n{}\r\n0\r\nx-trailer: 1\r\n\r\n")
    );
    assert_eq!(answers(&server, &whole).await, [400, 200]);
    // A body that nobody wanted is no request either.
    let unwanted = format!(
        "GET /healthz HTTP/1.1\r\nhost: school\r\ncontent-length: {}\r\n\r\n{HIDDEN}",
        HIDDEN.len()
    );
    assert_eq!(answers(&server, &unwanted).await, [200]);
    server.visitor().get("/healthz").await.expect(200);
}

#[tokio::test]
async fn links_do_not_follow_the_host_of_a_request() {
    let home = Home::new().with("EDUPRO_HTTP__PUBLIC_URL", "https://school.example");
    let server = home.serve(&[]).await;
    for head in [
        "GET /api/v1 HTTP/1.1\r\nhost: evil.example\r\n",
        "GET /api/v1 HTTP/1.1\r\nhost: school.example\r\nx-forwarded-host: evil.example\r\n",
        "GET /api/v1 HTTP/1.1\r\nhost: school.example\r\nhost: evil.example\r\n",
        "GET http://evil.example/api/v1 HTTP/1.1\r\nhost: school.example\r\n",
        "GET /api/v1 HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-proto: evil\r\nforwarded: host=evil.example\r\n",
    ] {
        let mut connection = server.connect().await;
        connection.send(format!("{head}\r\n")).await;
        let answer = timeout(HANGS, connection.answer()).await.unwrap();
        if answer.status == 200 {
            let text = answer.to_string();
            assert!(
                text.contains("https://school.example/api/v1") && !text.contains("evil"),
                "{head}: {text}"
            );
        } else {
            assert!(matches!(answer.status, 400 | 404), "{head}: {answer}");
        }
    }
}

#[tokio::test]
async fn nobody_writes_lines_into_the_log() {
    for format in ["json", "text"] {
        let home =
            Home::new().with("EDUPRO_LOG__FORMAT", format).with("EDUPRO_LOG__LEVEL", "trace");
        let server = home.serve(&[]).await;
        let fake = "2031-01-01T00:00:00Z ERROR all is lost";
        for request in [
            format!(
                "GET /x%0d%0a{}%1b[2J HTTP/1.1\r\nhost: school\r\n\r\n",
                fake.replace(' ', "%20")
            ),
            format!(
                "GET /api/v1/teacher/teacher-profile/a%0a{}%1b]0;x%07 HTTP/1.1\r\nhost: school\r\n\r\n",
                fake.replace(' ', "%20")
            ),
            format!(
                "GET /healthz?a=%0a{} HTTP/1.1\r\nhost: school\r\n\r\n",
                fake.replace(' ', "%20")
            ),
            format!(
                "GET /healthz HTTP/1.1\r\nhost: school\r\nuser-agent: a\u{1b}[2J{fake}\r\nx-request-id: a\u{1b}[31m\r\n\r\n"
            ),
            format!(
                "GET /healthz HTTP/1.1\r\nhost: school\r\nx-request-id: {fake}\r\nx-forwarded-for: {fake}\r\n\r\n"
            ),
            format!("GET /healthz HTTP/1.1\r\nhost: school\r\nx-request-id: a\n{fake}\r\n\r\n"),
            format!("GET /healthz HTTP/1.1\r\nhost: school\r\nx-request-id: a\r{fake}\r\n\r\n"),
            format!("GET /healthz\u{1b}[2J HTTP/1.1\r\n{fake}\r\n\r\n"),
            format!("\u{1b}[2J{fake}\r\n\r\n"),
            post(
                "content-length: 75",
                &format!("{{\"email\": \"a\\n{fake}\", \"password\": \"\\u001b[2J\"}}"),
            ),
        ] {
            let _statuses = answers(&server, &request).await;
        }
        let [output, log] = server.stop().await;
        for (text, is_log) in [(&output, false), (&log, true)] {
            for line in text.lines() {
                assert!(!line.starts_with("2031-01-01"), "{format}: {line}");
                assert!(!line.chars().any(char::is_control), "{format}: {line:?}");
                if format == "json" && is_log {
                    let line: Value = serde_json::from_str(line).unwrap();
                    assert_ne!(line["level"], "ERROR", "{line}");
                }
            }
        }
        assert!(log.lines().count() > 5, "{log}");
    }
}
