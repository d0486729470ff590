//! The graceful stop (security R48, T16).

use std::time::{Duration, Instant};

use tokio::{net::TcpStream, task::JoinSet, time::sleep};

use crate::{
    client::{Answer, Connection, multipart},
    home::Home,
    support::{UPDATE, eventually, png},
};

/// Asks `/readyz` again and again, as a balancer does, until the server says goodbye.
async fn last_word(mut balancer: Connection) -> Option<Answer> {
    loop {
        balancer.send("GET /readyz HTTP/1.1\r\nhost: school\r\n\r\n").await;
        let answer = balancer.next_answer().await?;
        if answer.header("connection") == "close" {
            return Some(answer);
        }
        answer.expect(200);
    }
}

#[tokio::test]
async fn a_stop_finishes_an_upload_and_says_that_it_is_not_ready() {
    let home = Home::new().with("EDUPRO_AUTH__THROTTLE", "false");
    let mut server = home.serve(&[]).await;
    let mona = server.teacher("mona", "0100").await;
    let mut half_open = server.connect().await;
    half_open.send("GET /healthz HT").await;
    let (kind, form) = multipart("profile_picture", "me.png", &png(500, 400));
    let mut upload = server.connect().await;
    upload.send(mona.head("PATCH", UPDATE, kind, form.len())).await;
    let mut pieces = form.chunks(form.len().div_ceil(8));
    upload.send(pieces.next().unwrap()).await;
    let mut balancers = JoinSet::new();
    for _ in 0..4 {
        balancers.spawn(last_word(server.connect().await));
    }
    sleep(Duration::from_millis(100)).await;

    server.terminate();
    let start = Instant::now();
    let words = balancers.join_all().await;
    let stopping = |answer: &Answer| answer.status == 503 && answer.json()["status"] == "stopping";
    assert!(words.iter().flatten().any(stopping), "nobody heard that it stops");
    eventually("closed door", async || TcpStream::connect(server.address).await.err()).await;
    for piece in pieces {
        sleep(Duration::from_millis(100)).await;
        upload.send(piece).await;
    }
    let profile = upload.answer().await.expect(200).json();
    assert_eq!(half_open.rest().await, b"");
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());

    let address = server.address;
    let server = home.serve(&[]).await;
    let url = profile["profile_picture"].as_str().unwrap();
    let path = url.strip_prefix(&format!("http://{address}")).unwrap();
    server.visitor().get(path).await.expect(200);
}
