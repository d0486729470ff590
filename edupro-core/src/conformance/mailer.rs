//! Whatever the worker asks of a mailer: mails that are taken, refused, given up half-way, repeated,
//! or sent all at once.

use std::{fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{given_up_after, word, working};
use crate::{
    Clock, SystemClock,
    entropy::{Entropy, SystemEntropy},
    mail::{MailError, Mailer, Message},
};

/// How long a mail may take. The worker gives it 30 seconds.
const PATIENCE: Duration = Duration::from_secs(25);
/// How many mails are sent at once: more than the worker sends.
const CROWD: usize = 16;
/// How often a mail is polled at most before it is given up.
const POLLS: usize = 60;
/// Somebody who must get nothing.
const EVE: &str = "eve@elsewhere.example";

/// Texts that are no address, or more than one.
const NONSENSE: [&str; 7] = [
    "",
    "nobody",
    "a b@pupils.example",
    "sara@",
    "sara@pupils.example, eve@elsewhere.example",
    "sara@pupils.example>\r\nRCPT TO:<eve@elsewhere.example",
    "sara@pupils.example\nBcc: eve@elsewhere.example",
];

/// A mail as the far side has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Who got it: one of these for each recipient.
    pub to: String,
    /// Everything that is known of it: at least its id, its subject and its texts, as they are or in
    /// a coding that leaves words of ASCII readable.
    pub content: String,
}

/// The far side of a mailer, as far as a test can look at it and change it.
#[async_trait]
pub trait MailProbe: Debug + Send + Sync {
    /// What has arrived so far, the oldest first; `None` when nobody can tell.
    async fn received(&self) -> Option<Vec<Received>>;

    /// An address that is refused for good, if there is one.
    fn refused(&self) -> Option<&str> {
        None
    }

    /// The same mailer with a far side that cannot be reached, if that can be had.
    fn unreachable(&self) -> Option<Arc<dyn Mailer>> {
        None
    }

    /// What the mailer knows and no log may show.
    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Everything that can be asked of a mailer, once. All mails go to `…@pupils.example`, an address
/// that nobody has.
///
/// # Panics
///
/// When a promise is not kept, or the mailer does not work at all.
pub async fn all(mailer: &dyn Mailer, probe: &dyn MailProbe) {
    let trial = Trial { mailer, probe };
    trial.sends().await;
    trial.repeats().await;
    trial.refuses().await;
    trial.bears_to_be_given_up().await;
    trial.serves_a_crowd().await;
    trial.tells_when_nobody_is_there().await;
    trial.misleads_nobody().await;
}

/// A mailer that is looked at.
struct Trial<'a> {
    mailer: &'a dyn Mailer,
    probe: &'a dyn MailProbe,
}

/// A mail to somebody who gets no other, and the word by which its content is known.
fn mail() -> (Message, String) {
    let code = word();
    let id = SystemEntropy.uuid(SystemClock.now()).to_string();
    let to = format!("{}@pupils.example", code.to_lowercase());
    // What mail has trouble with: a line that is a full stop, a line that is too long, and letters
    // beyond ASCII.
    let text = format!(
        "The code is {code}.\n.\n..\nFrom the school\n{}\nرمز التحقق\n\nThis is the end of {code}.\n",
        "long ".repeat(220)
    );
    let html = format!("<p>The code is <b>{code}</b></p>");
    let message = Message::new(id, to, format!("A code {code}"), text).with_html(html);
    (message, code)
}

/// Whether nothing is missing of a mail, nor anything of another in it.
fn is_whole(received: &Received, message: &Message, code: &str) -> bool {
    let parts = [
        message.id.clone(),
        format!("A code {code}"),
        format!("The code is {code}."),
        format!("This is the end of {code}."),
        format!("<b>{code}</b>"),
    ];
    received.to == message.to && parts.iter().all(|part| received.content.contains(part))
}

impl Trial<'_> {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let late = "a mail takes longer than the worker waits";
        working(late, timeout(PATIENCE, self.mailer.send(message)).await)
    }

    /// What arrived of a mail; `None` when nobody can tell.
    async fn arrived(&self, message: &Message) -> Option<Vec<Received>> {
        let all = self.probe.received().await?;
        Some(all.into_iter().filter(|received| received.to == message.to).collect())
    }

    /// A mail was sent, so it is there, once and whole.
    async fn is_there(&self, message: &Message, code: &str, how: &str) {
        let Some(received) = self.arrived(message).await else { return };
        assert_eq!(received.len(), 1, "{how} arrives so often");
        assert!(is_whole(&received[0], message, code), "{how} arrives mutilated: {received:?}");
    }

    async fn sends(&self) {
        let before = self.probe.received().await;
        for _ in 0..2 {
            working("the mailer is not ready", self.mailer.check().await);
        }
        assert_eq!(self.probe.received().await, before, "asking whether it is ready sends a mail");
        let (message, code) = mail();
        working("a mail is not sent", self.send(&message).await);
        self.is_there(&message, &code, "a mail").await;
        let (message, code) = mail();
        let plain = message.with_html(None);
        working("a mail without HTML is not sent", self.send(&plain).await);
        if let Some(received) = self.arrived(&plain).await {
            let is_there = matches!(&received[..], [one] if one.content.contains(&code));
            assert!(is_there, "a mail without HTML arrives as {received:?}");
        }
        let shown = format!("{:?}", self.mailer);
        assert!(!shown.contains(&code), "a log would show what a mail says");
        for secret in self.probe.secrets() {
            assert!(!shown.contains(&secret), "a log would show a secret of the mailer");
        }
    }

    /// A process may die between sending a mail and noting that: it is sent again.
    async fn repeats(&self) {
        let (message, code) = mail();
        for _ in 0..3 {
            working("a mail is not sent again", self.send(&message).await);
        }
        let Some(received) = self.arrived(&message).await else { return };
        assert!((1..=3).contains(&received.len()), "a mail that is sent three times arrives");
        for again in &received {
            assert!(is_whole(again, &message, &code), "a second try is another mail: {again:?}");
        }
    }

    async fn refuses(&self) {
        for nonsense in NONSENSE {
            let (mut message, _) = mail();
            nonsense.clone_into(&mut message.to);
            let answer = self.send(&message).await;
            // A service may only find out later. But what is no address now never will be one.
            let is_final = matches!(answer, Ok(()) | Err(MailError::Rejected { .. }));
            assert!(is_final, "a mail to {nonsense:?} would be tried again: {answer:?}");
        }
        let (mut message, _) = mail();
        message.subject = format!("Hello\r\nBcc: {EVE}\r\n\r\nYou won");
        let answer = self.send(&message).await;
        assert!(
            matches!(answer, Ok(()) | Err(MailError::Rejected { .. })),
            "a subject of two lines would be tried again: {answer:?}"
        );
        if let Some(refused) = self.probe.refused() {
            let (mut message, code) = mail();
            refused.clone_into(&mut message.to);
            for _ in 0..2 {
                let answer = self.send(&message).await;
                let Err(error @ MailError::Rejected { .. }) = &answer else {
                    panic!("who is refused for good is not rejected: {answer:?}")
                };
                assert!(!error.to_string().contains(&code), "a log would show what a mail says");
            }
            let received = self.arrived(&message).await.unwrap_or_default();
            assert_eq!(received, [], "a mail that was refused arrives");
        }
        let (message, code) = mail();
        working("after a refusal nobody gets mail", self.send(&message).await);
        self.is_there(&message, &code, "a mail after a refusal").await;
    }

    /// The worker stops waiting after half a minute, and when the process ends.
    async fn bears_to_be_given_up(&self) {
        let mut given_up = Vec::new();
        for polls in 1..=POLLS {
            let (message, code) = mail();
            let is_done = given_up_after(polls, self.mailer.send(&message)).await.is_some();
            given_up.push((message, code));
            if is_done {
                break;
            }
        }
        if let Some(refused) = self.probe.refused() {
            // Whoever takes the answer to the mail before for the answer to this one says yes.
            let (mut message, _) = mail();
            refused.clone_into(&mut message.to);
            let answer = self.send(&message).await;
            let is_rejected = matches!(answer, Err(MailError::Rejected { .. }));
            assert!(is_rejected, "who is refused for good, after mails were given up: {answer:?}");
        }
        let (message, code) = mail();
        working("after mails were given up none is sent", self.send(&message).await);
        self.is_there(&message, &code, "a mail after others were given up").await;
        for (message, code) in &given_up {
            let before = self.arrived(message).await.unwrap_or_default();
            assert!(before.len() <= 1, "a mail that was given up arrives several times");
            let are_whole = before.iter().all(|one| is_whole(one, message, code));
            assert!(are_whole, "half a mail arrives: {before:?}");
            working("a mail that was given up is not sent again", self.send(message).await);
            if let Some(received) = self.arrived(message).await {
                let has_arrived = received.iter().any(|one| is_whole(one, message, code));
                assert!(has_arrived, "a mail that was given up never arrives");
            }
        }
    }

    async fn serves_a_crowd(&self) {
        let mails: Vec<_> = (0..CROWD).map(|_| mail()).collect();
        let sent = join_all(mails.iter().map(|(message, _)| self.send(message))).await;
        for answer in sent {
            working("of many mails at once one is not sent", answer);
        }
        for (message, code) in &mails {
            self.is_there(message, code, "of many mails at once, one").await;
            for received in self.arrived(message).await.unwrap_or_default() {
                let mut others = mails.iter().filter(|(other, _)| other.id != message.id);
                let is_mixed = others.any(|(_, other)| received.content.contains(other.as_str()));
                assert!(!is_mixed, "somebody gets what another mail says: {received:?}");
            }
        }
    }

    async fn tells_when_nobody_is_there(&self) {
        let Some(mailer) = self.probe.unreachable() else { return };
        let lost = Trial { mailer: &*mailer, probe: self.probe };
        let (message, code) = mail();
        let checked = timeout(PATIENCE, mailer.check()).await;
        let checked = working("a mailer that reaches nobody hangs", checked);
        assert!(checked.is_err(), "a mailer that reaches nobody is ready");
        for _ in 0..2 {
            let answer = lost.send(&message).await;
            let Err(error @ MailError::Unavailable { .. }) = &answer else {
                panic!("a mail that reaches nobody would not be tried again: {answer:?}")
            };
            let shown = format!("{error:?} {mailer:?}");
            assert!(!shown.contains(&code), "a log would show what a mail says");
            for secret in self.probe.secrets() {
                assert!(!shown.contains(&secret), "a log would show a secret of the mailer");
            }
        }
        let received = self.arrived(&message).await.unwrap_or_default();
        assert_eq!(received, [], "a mail that reached nobody arrives");
    }

    async fn misleads_nobody(&self) {
        let received = self.probe.received().await.unwrap_or_default();
        let strangers: Vec<_> = received.iter().filter(|received| received.to == EVE).collect();
        assert!(strangers.is_empty(), "a mail reaches who was smuggled in: {strangers:?}");
    }
}
