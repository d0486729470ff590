//! Mail by SMTP, against a real session on the server's side (security R44).
#![cfg(feature = "smtp")]

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{TimeZone, Utc};
use edupro_core::{
    ManualClock,
    mail::{MailError, Mailer, Message, SmtpConfigError, SmtpMailer, SmtpOptions, SmtpTls},
};
use smtp_server::{Encryption, Script, SmtpServer};

#[path = "support/smtp_server.rs"]
mod smtp_server;

type Outcome = Result<(), Box<dyn Error>>;

fn options(server: &SmtpServer, tls: SmtpTls) -> SmtpOptions {
    let from = "School <mail@school.example>".to_owned();
    let mut options = SmtpOptions::new("localhost".to_owned(), tls, from);
    options.port = Some(server.port());
    options
}

fn impatient(server: &SmtpServer) -> SmtpOptions {
    let mut options = options(server, SmtpTls::None);
    options.timeout = Duration::from_millis(500);
    options
}

fn mailer(options: SmtpOptions) -> Result<SmtpMailer, Box<dyn Error>> {
    let now = Utc.timestamp_opt(1_767_323_045, 0).single().ok_or("no such time")?;
    Ok(SmtpMailer::new(options, Arc::new(ManualClock::new(now)))?)
}

fn message() -> Message {
    let text = "Your OTP code is: ABC234. It will expire in 10 minutes.".to_owned();
    let subject = "Password Reset OTP".to_owned();
    Message::new("0190c0de-7".to_owned(), "sara@pupils.example".to_owned(), subject, text)
}

fn is_unavailable(answer: &Result<(), MailError>) -> bool {
    matches!(answer, Err(MailError::Unavailable { .. }))
}

/// What a subject says, when each of its words is coded (RFC 2047).
fn decoded(subject: &str) -> Result<String, Box<dyn Error>> {
    let mut bytes = Vec::new();
    for word in subject.split_whitespace() {
        let word = word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?="));
        bytes.extend(STANDARD.decode(word.ok_or("not a coded word")?)?);
    }
    Ok(String::from_utf8(bytes)?)
}

#[tokio::test]
async fn a_mail_arrives() -> Outcome {
    let server = SmtpServer::start(Script::new(Encryption::None)).await?;
    let mailer = mailer(options(&server, SmtpTls::None))?;
    mailer.check().await?;
    let html = "<p>Your OTP code is: <b>ABC234</b></p>".to_owned();
    mailer.send(&message().with_html(html)).await?;
    // A second try is the same mail.
    mailer.send(&message()).await?;

    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        assert_eq!(mail.from, "mail@school.example");
        assert_eq!(mail.to, ["sara@pupils.example"]);
        assert_eq!(mail.header("From").as_deref(), Some("School <mail@school.example>"));
        assert_eq!(mail.header("Subject").as_deref(), Some("Password Reset OTP"));
        assert_eq!(mail.header("Message-ID").as_deref(), Some("<0190c0de-7@school.example>"));
        assert_eq!(mail.header("Date").as_deref(), Some("Fri, 02 Jan 2026 03:04:05 +0000"));
        assert!(mail.text.lines().any(|line| line.starts_with("Your OTP code is: ABC234. ")));
    }
    assert!(mails[0].text.contains("<b>ABC234</b>"));
    assert!(mails[0].header("Content-Type").is_some_and(|of| of.starts_with("multipart/alterna")));
    Ok(())
}

#[tokio::test]
async fn tls_is_spoken_with_a_server_that_is_trusted() -> Outcome {
    for (ours, theirs) in
        [(SmtpTls::Implicit, Encryption::Implicit), (SmtpTls::StartTls, Encryption::StartTls)]
    {
        let server = SmtpServer::start(Script::new(theirs)).await?;
        let mut options = options(&server, ours);
        let answer = mailer(options.clone())?.send(&message()).await;
        assert!(is_unavailable(&answer), "unknown authority: {answer:?}");

        options.ca_pem = Some(server.ca_pem());
        let mut other_name = options.clone();
        other_name.host = "127.0.0.1".to_owned();
        let answer = mailer(other_name)?.send(&message()).await;
        assert!(is_unavailable(&answer), "another's certificate: {answer:?}");
        assert!(server.mails().is_empty());

        let mailer = mailer(options)?;
        mailer.check().await?;
        mailer.send(&message()).await?;
        assert!(matches!(&server.mails()[..], [mail] if mail.encrypted));
    }
    Ok(())
}

#[tokio::test]
async fn nothing_is_sent_in_clear_when_tls_is_wanted() -> Outcome {
    let server = SmtpServer::start(Script::new(Encryption::None)).await?;
    for tls in [SmtpTls::StartTls, SmtpTls::Implicit] {
        let answer = mailer(options(&server, tls))?.send(&message()).await;
        assert!(is_unavailable(&answer), "{answer:?}");
    }
    assert!(server.mails().is_empty());
    Ok(())
}

#[tokio::test]
async fn accounts_are_used_over_tls() -> Outcome {
    let mut script = Script::new(Encryption::StartTls);
    script.account = Some(("school", "sesame"));
    let server = SmtpServer::start(script).await?;
    let mut options = options(&server, SmtpTls::StartTls);
    options.ca_pem = Some(server.ca_pem());
    options.username = Some("school".to_owned());

    options.password = Some("sesame?".into());
    let answer = mailer(options.clone())?.send(&message()).await;
    assert!(is_unavailable(&answer), "wrong password: {answer:?}");
    let mut without = options.clone();
    (without.username, without.password) = (None, None);
    let answer = mailer(without)?.send(&message()).await;
    assert!(is_unavailable(&answer), "no account: {answer:?}");
    assert!(server.mails().is_empty());

    options.password = Some("sesame".into());
    assert!(!format!("{options:?}").contains("sesame"));
    let right = mailer(options.clone())?;
    assert!(!format!("{right:?}").contains("sesame"));
    right.send(&message()).await?;
    assert_eq!(server.mails()[0].account.as_deref(), Some("school"));

    server.change(|script| script.account = None);
    let answer = mailer(options)?.send(&message()).await;
    assert!(is_unavailable(&answer), "a server without accounts: {answer:?}");
    Ok(())
}

#[tokio::test]
async fn a_refusal_is_told_from_a_delay() -> Outcome {
    type Change = fn(&mut Script);
    let rejected: [Change; 3] = [|of| of.recipient = 550, |of| of.end = 554, |of| of.mail = 552];
    let delayed: [Change; 7] = [
        |of| of.recipient = 451,
        |of| of.end = 452,
        |of| of.mail = 421,
        |of| of.mail = 530,
        |of| of.recipient = 503,
        |of| of.greeting = Some(421),
        |of| of.greeting = Some(554),
    ];
    let server = SmtpServer::start(Script::new(Encryption::None)).await?;
    let mailer = mailer(options(&server, SmtpTls::None))?;
    for change in rejected {
        server.change(change);
        let answer = mailer.send(&message()).await;
        let Err(MailError::Rejected { reason }) = answer else {
            return Err(format!("{answer:?}").into());
        };
        assert!(reason.ends_with("as the test wants it"), "{reason}");
        server.change(|script| *script = Script::new(Encryption::None));
    }
    for (number, change) in delayed.into_iter().enumerate() {
        server.change(change);
        let answer = mailer.send(&message()).await;
        assert!(is_unavailable(&answer), "{number}: {answer:?}");
        server.change(|script| *script = Script::new(Encryption::None));
    }
    assert!(server.mails().is_empty());

    let mut international = message();
    international.to = "سارة@pupils.example".to_owned();
    let answer = mailer.send(&international).await;
    assert!(matches!(answer, Err(MailError::Rejected { .. })), "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn a_silent_server_is_given_up() -> Outcome {
    for command in ["connect", "EHLO", "MAIL", "RCPT", "DATA", ".\r\n"] {
        let mut script = Script::new(Encryption::None);
        script.silent_at = Some(command);
        let server = SmtpServer::start(script).await?;
        let begun = Instant::now();
        let answer = mailer(impatient(&server))?.send(&message()).await;
        assert!(is_unavailable(&answer), "{command}: {answer:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{command}: {:?}", begun.elapsed());
        assert!(server.mails().is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn a_mail_does_not_get_the_answers_to_the_one_before() -> Outcome {
    let mut script = Script::new(Encryption::None);
    script.silent_at = Some("DATA");
    let server = SmtpServer::start(script).await?;
    let mailer = mailer(impatient(&server))?;
    assert!(is_unavailable(&mailer.send(&message()).await));
    server.change(|script| (script.silent_at, script.recipient) = (None, 550));
    let answer = mailer.send(&message()).await;
    assert!(matches!(answer, Err(MailError::Rejected { .. })), "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn a_mail_that_was_taken_is_sent_whatever_comes_after() -> Outcome {
    let mut script = Script::new(Encryption::None);
    script.silent_at = Some("QUIT");
    let server = SmtpServer::start(script).await?;
    mailer(impatient(&server))?.send(&message()).await?;
    assert_eq!(server.mails().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() -> Outcome {
    let server = SmtpServer::start(Script::new(Encryption::None)).await?;
    let mailer = mailer(options(&server, SmtpTls::None))?;
    mailer.send(&message()).await?;
    drop(server);
    tokio::task::yield_now().await;
    let answer = mailer.send(&message()).await;
    assert!(is_unavailable(&answer), "{answer:?}");
    assert!(is_unavailable(&mailer.check().await));
    Ok(())
}

#[tokio::test]
async fn nobody_adds_headers_recipients_or_mails() -> Outcome {
    let server = SmtpServer::start(Script::new(Encryption::None)).await?;
    let mailer = mailer(options(&server, SmtpTls::None))?;
    let mut mail = message();
    mail.subject = "Hi\r\nBcc: eve@elsewhere.example\r\n\r\nYou won".to_owned();
    mail.text =
        "a\r.\r\nMAIL FROM:<eve@elsewhere.example>\r\n.\r\nRCPT TO:<b@c.example>".to_owned();
    mailer.send(&mail).await?;

    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["sara@pupils.example"]);
    assert_eq!(mails[0].header("Bcc"), None);
    let head = mails[0].text.split("\r\n\r\n").next().unwrap_or_default();
    assert!(!head.contains("elsewhere"), "{head}");
    assert!(mails[0].text.ends_with("\r\n.\r\nRCPT TO:<b@c.example>\r\n\r\n"), "{}", mails[0].text);

    let mut mail = message();
    mail.to = "sara@pupils.example>\r\nRCPT TO:<eve@elsewhere.example".to_owned();
    assert!(matches!(mailer.send(&mail).await, Err(MailError::Rejected { .. })));
    let mut mail = message();
    mail.id = "7>\r\nBcc: eve@elsewhere.example".to_owned();
    assert!(matches!(mailer.send(&mail).await, Err(MailError::Rejected { .. })));
    Ok(())
}

#[tokio::test]
async fn arabic_arrives() -> Outcome {
    let server = SmtpServer::start(Script::new(Encryption::None)).await?;
    let mut mail = message();
    mail.subject = "رمز إعادة تعيين كلمة المرور الخاصة بك في المدرسة".to_owned();
    mail.text = "رمز التحقق: ABC234".to_owned();
    mailer(options(&server, SmtpTls::None))?.send(&mail).await?;
    let mails = server.mails();
    assert_eq!(decoded(&mails[0].header("Subject").ok_or("no subject")?)?, mail.subject);
    assert!(mails[0].text.is_ascii() && mails[0].text.contains("ABC234"));
    Ok(())
}

#[cfg(feature = "conformance")]
mod conformance {
    use edupro_core::conformance::mailer::{self, MailProbe, Received};

    use super::*;

    const STRANGER: &str = "stranger@pupils.example";
    const PASSWORD: &str = "open sesame";

    #[derive(Debug)]
    struct Post(SmtpServer);

    impl Post {
        fn mailer(&self, port: u16) -> Result<SmtpMailer, Box<dyn Error>> {
            let mut options = options(&self.0, SmtpTls::StartTls);
            (options.ca_pem, options.port) = (Some(self.0.ca_pem()), Some(port));
            options.username = Some("school".to_owned());
            options.password = Some(PASSWORD.into());
            mailer(options)
        }
    }

    #[async_trait::async_trait]
    impl MailProbe for Post {
        async fn received(&self) -> Option<Vec<Received>> {
            let mails = self.0.mails().into_iter();
            let each = |mail: smtp_server::Mail| {
                let content = mail.text;
                mail.to.into_iter().map(move |to| Received { to, content: content.clone() })
            };
            Some(mails.flat_map(each).collect())
        }

        fn refused(&self) -> Option<&str> {
            Some(STRANGER)
        }

        fn unreachable(&self) -> Option<Arc<dyn Mailer>> {
            let mailer = self.mailer(9).ok()?;
            Some(Arc::new(mailer))
        }

        fn secrets(&self) -> Vec<String> {
            vec![PASSWORD.to_owned()]
        }
    }

    #[tokio::test]
    async fn a_mail_server_keeps_all_promises() -> Outcome {
        let mut script = Script::new(Encryption::StartTls);
        (script.account, script.stranger) = (Some(("school", PASSWORD)), Some(STRANGER));
        let post = Post(SmtpServer::start(script).await?);
        mailer::all(&post.mailer(post.0.port())?, &post).await;
        Ok(())
    }
}

#[test]
fn nonsense_is_refused_at_the_start() {
    let new = |host: &str, tls, change: fn(&mut SmtpOptions)| {
        let mut options = SmtpOptions::new(host.to_owned(), tls, "mail@school.example".to_owned());
        change(&mut options);
        SmtpMailer::new(options, Arc::new(ManualClock::new(Utc.timestamp_nanos(0))))
    };
    let far = "mail.school.example";
    for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1", "[::1]"] {
        assert!(new(host, SmtpTls::None, |_| ()).is_ok(), "{host}");
    }
    for host in [far, "10.0.0.1", "localhost.example", "::2"] {
        let answer = new(host, SmtpTls::None, |_| ());
        assert!(matches!(answer, Err(SmtpConfigError::TlsNeeded { .. })), "{host}: {answer:?}");
    }
    let halves: [fn(&mut SmtpOptions); 2] =
        [|of| of.username = Some("school".into()), |of| of.password = Some("sesame".into())];
    for half in halves {
        let answer = new(far, SmtpTls::Implicit, half);
        assert!(matches!(answer, Err(SmtpConfigError::HalfAnAccount)), "{answer:?}");
    }
    let answer = new(far, SmtpTls::StartTls, |of| of.from = "school".into());
    assert!(matches!(answer, Err(SmtpConfigError::Sender(_))), "{answer:?}");
    let certificates: [fn(&mut SmtpOptions); 3] = [
        |of| of.ca_pem = Some(Vec::new()),
        |of| of.ca_pem = Some(b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----".into()),
        |of| of.ca_pem = Some(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----".into()),
    ];
    for certificate in certificates {
        let answer = new(far, SmtpTls::StartTls, certificate);
        assert!(matches!(answer, Err(SmtpConfigError::Certificates)), "{answer:?}");
    }
}

#[test]
fn protections_have_the_names_of_the_manual() -> Outcome {
    let all: Vec<SmtpTls> = serde_json::from_str(r#"["implicit", "starttls", "none"]"#)?;
    assert_eq!(all, [SmtpTls::Implicit, SmtpTls::StartTls, SmtpTls::None]);
    Ok(())
}
