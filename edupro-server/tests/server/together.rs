//! Two processes on one database (security R47, R57, T18).

use serde_json::json;

use crate::{
    home::{Home, Server},
    support::{LOGOUT, REFRESH, postgres},
};

/// What was begun at one server goes on at the other.
async fn share(one: &Server, other: &Server) {
    for server in [one, other] {
        server.visitor().get("/readyz").await.expect(200);
    }
    let here = one.teacher("mona", "0100").await;
    let there = here.at(other.address);
    assert!(there.is_signed_in().await);
    there.post(REFRESH, &json!({})).await.expect(200);
    there.ask("POST", LOGOUT, "", b"").await.expect(205);
    assert!(!here.is_signed_in().await);
}

#[tokio::test]
async fn two_processes_start_at_once_on_one_sqlite_file() {
    let home = Home::new();
    let (one, other) = tokio::join!(home.serve(&[]), home.serve(&[]));
    share(&one, &other).await;
}

#[tokio::test]
async fn two_machines_start_at_once_on_one_postgresql() {
    let url = postgres::database(async |_| {}).await;
    let machine = || {
        Home::new()
            .with("EDUPRO_DATABASE__URL", &url)
            .with("EDUPRO_AUTH__SECRET", "a-secret-that-two-machines-were-given")
    };
    let (home, second_home) = (machine(), machine());
    let (one, other) = tokio::join!(home.serve(&[]), second_home.serve(&[]));
    share(&one, &other).await;
}
