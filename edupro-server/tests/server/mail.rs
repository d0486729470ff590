//! Mail that is not lost, whatever happens to the mail server or to this one (security R44, T13,
//! T14).

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{Connection, SqliteConnection};

use crate::{
    home::Home,
    support::{
        CONFIRM_RESET, REQUEST_RESET, code, eventually, home_with_mail,
        smtp_server::{Encryption, Script, SmtpServer},
    },
};

async fn smtp(silent_at: &'static str) -> SmtpServer {
    let script = Script { silent_at: Some(silent_at), ..Script::new(Encryption::None) };
    SmtpServer::start(script).await.unwrap()
}

async fn database(home: &Home) -> SqliteConnection {
    let file = home.path("edupro-data/edupro.db");
    SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap()
}

/// A process that is killed leaves its claims, which hold for a minute. This is a minute later.
async fn let_claims_run_out(home: &Home) {
    let mut database = database(home).await;
    sqlx::query("UPDATE jobs SET due_at = created_at").execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

async fn all_jobs_are_done(home: &Home) {
    let mut database = database(home).await;
    eventually("end of the jobs", async || {
        let job = sqlx::query("SELECT id FROM jobs").fetch_optional(&mut database).await.unwrap();
        job.is_none().then_some(())
    })
    .await;
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_mail_server_that_is_silent_slows_nobody_and_a_kill_loses_no_mail() {
    let smtp = smtp("connect").await;
    let home = home_with_mail(&smtp);
    let server = home.serve(&[]).await;
    server.teacher("mona", "0100").await;
    let visitor = server.visitor();
    // More than there are workers, who are waiting for the mail server by then.
    let mut times = Vec::new();
    for _ in 0..9 {
        let start = Instant::now();
        visitor.post(REQUEST_RESET, &json!({"email": "mona@example.com"})).await.expect(200);
        times.push(start.elapsed());
    }
    times.sort_unstable();
    assert!(times[4] < Duration::from_millis(300), "{times:?}");
    server.kill();
    assert!(smtp.mails().is_empty());

    smtp.change(|script| script.silent_at = None);
    let_claims_run_out(&home).await;
    let server = home.serve(&[]).await;
    let mail = eventually("mail", async || smtp.mails().pop()).await;
    assert_eq!((mail.from.as_str(), mail.to.len()), ("mail@school.example", 1));
    let new = json!({
        "email": "mona@example.com",
        "otp": code(&mail.text).expect("the mail has a code"),
        "new_password": "an0ther-Pass!",
    });
    server.visitor().post(CONFIRM_RESET, &new).await.expect(200);
    // The codes that were replaced are not sent, nor is the last one a second time.
    all_jobs_are_done(&home).await;
    let subjects: Vec<_> =
        smtp.mails().iter().map(|mail| mail.header("subject").unwrap()).collect();
    assert_eq!(subjects, ["Password Reset OTP", "Your password was changed"]);
}

#[tokio::test]
async fn a_mail_that_was_taken_just_before_a_kill_comes_twice_at_most() {
    let smtp = smtp("QUIT").await;
    let home = home_with_mail(&smtp);
    let server = home.serve(&[]).await;
    server.teacher("mona", "0100").await;
    server.visitor().post(REQUEST_RESET, &json!({"email": "mona@example.com"})).await.expect(200);
    let first = eventually("mail", async || smtp.mails().pop()).await;
    server.kill();

    smtp.change(|script| script.silent_at = None);
    let_claims_run_out(&home).await;
    let _server = home.serve(&[]).await;
    all_jobs_are_done(&home).await;
    let mails = smtp.mails();
    assert!(mails.len() <= 2, "{}", mails.len());
    // Mail programs show a mail with a known id once.
    assert_eq!(mails.last().unwrap().header("message-id"), first.header("message-id"));
}
