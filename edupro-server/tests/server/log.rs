//! What the log does not say (security R50).

use std::fs;

use serde_json::{Value, json};

use crate::{
    client::Browser,
    support::{
        CONFIRM_RESET, LOGIN, LOGOUT, PASSWORD, PROFILE, REFRESH, REQUEST_RESET, code, credentials,
        eventually, home_with_mail,
        smtp_server::{Encryption, Script, SmtpServer},
    },
};

#[tokio::test]
async fn no_secret_is_ever_logged() {
    let account = ("school", "hunter2-of-the-mail");
    let script = Script { account: Some(account), ..Script::new(Encryption::Implicit) };
    let smtp = SmtpServer::start(script).await.unwrap();
    let home = home_with_mail(&smtp)
        .with("EDUPRO_MAIL__TLS", "implicit")
        .with("EDUPRO_MAIL__USERNAME", account.0)
        .with("EDUPRO_MAIL__PASSWORD", account.1)
        .with("EDUPRO_AUTH__SECRET", "a-secret-that-nobody-shall-see-001")
        .with("EDUPRO_LOG__FORMAT", "json")
        .with("EDUPRO_LOG__LEVEL", "trace");
    // The server's certificate is from an authority of the test's own.
    fs::write(home.path("authority.pem"), smtp.ca_pem()).unwrap();
    let authority = home.path("authority.pem").display().to_string();
    let home = home.with("SSL_CERT_FILE", &authority);
    let server = home.serve(&[]).await;

    let mona = server.teacher("mona", "0100").await;
    let mut secrets: Vec<String> =
        vec![PASSWORD.into(), account.1.into(), "a-secret-that-nobody-shall-see-001".into()];
    let mut remember = |browser: &Browser| {
        secrets.extend(["access_token", "refresh_token"].map(|name| browser.cookie(name).unwrap()));
    };
    remember(&mona);
    mona.post(REFRESH, &json!({})).await.expect(200);
    remember(&mona);
    let visitor = server.visitor();
    visitor.post(LOGIN, &credentials("mona", "a-wrong-Password-1")).await.expect(401);
    visitor.get(&format!("{PROFILE}?password={PASSWORD}")).await.expect(401);
    visitor.post(&format!("/{PASSWORD}"), &credentials("mona", PASSWORD)).await.expect(404);
    visitor.ask("POST", LOGIN, "application/json", br#"{"password": "a-broken-Password"#).await;
    visitor.post(REQUEST_RESET, &json!({"email": "mona@example.com"})).await.expect(200);
    let mail = eventually("mail", async || smtp.mails().pop()).await;
    assert!(mail.encrypted && mail.account.is_some());
    let code = code(&mail.text).unwrap();
    let new = json!({"email": "mona@example.com", "otp": code, "new_password": "an0ther-Pass!"});
    visitor.post("/api/v1/password-reset/verify/", &new).await.expect(200);
    visitor.post(CONFIRM_RESET, &new).await.expect(200);
    visitor.post(LOGIN, &credentials("mona", "an0ther-Pass!")).await.expect(200);
    visitor.ask("POST", LOGOUT, "", b"").await.expect(205);
    secrets.extend(
        [code, "an0ther-Pass!", "a-wrong-Password-1", "a-broken-Password"].map(str::to_owned),
    );

    let [output, log] = server.stop().await;
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    assert!(log.contains("\"status\":200") && log.contains("/api/v1/teacher/login/"), "{log}");
    for text in [output, log] {
        for secret in &secrets {
            let found = text.lines().find(|line| line.contains(secret));
            assert_eq!(found, None, "{secret}");
        }
    }
}
