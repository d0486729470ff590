//! A [`Message`] as the text that is sent or kept (RFC 5322).

use std::str::FromStr;

use chrono::{DateTime, Utc};
use lettre::{
    Address,
    message::{
        Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};

use super::{MailError, Message};

/// Longest line, in octets (RFC 5322, 2.1.1).
const LINE_LENGTH: usize = 998;
/// Longest id. It becomes a file's name and a part of headers that are not folded.
const ID_LENGTH: usize = 60;

/// Why a text cannot be the sender of mails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot be the sender of mails: write `mail@school.example` or `School <mail@school.example>`"
)]
pub struct InvalidSender(String);

/// Which bytes a mail's texts may consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// ASCII: every mail server takes it.
    #[cfg_attr(not(any(feature = "smtp", test)), expect(dead_code, reason = "for SMTP"))]
    Ascii,
    /// UTF-8: people read it and `grep` finds words in it.
    Utf8,
}

/// Who the mails are from.
#[derive(Clone, Debug)]
pub(super) struct Sender(Mailbox);

impl FromStr for Sender {
    type Err = InvalidSender;

    fn from_str(text: &str) -> Result<Self, InvalidSender> {
        match text.parse::<Mailbox>() {
            // Outside ASCII, a server would need SMTPUTF8 for every single mail.
            Ok(mailbox) if AsRef::<str>::as_ref(&mailbox.email).is_ascii() => Ok(Self(mailbox)),
            _ => Err(InvalidSender(text.to_owned())),
        }
    }
}

impl Sender {
    /// What follows the `@`.
    pub(super) fn domain(&self) -> &str {
        self.0.email.domain()
    }

    /// Writes the mail. The same message at the same time gives the same bytes.
    pub(super) fn compose(
        &self,
        message: &Message,
        now: DateTime<Utc>,
        alphabet: Alphabet,
    ) -> Result<lettre::Message, MailError> {
        let id = &message.id;
        if !is_plain(id) {
            return Err(rejected(format!("`{id}` cannot be the id of a mail")));
        }
        let to: Address =
            message.to.parse().map_err(|_| rejected("the recipient is no mail address"))?;
        let mail = lettre::Message::builder()
            .from(self.0.clone())
            .to(to.into())
            .subject(message.subject.as_str())
            .date(now.into())
            .message_id(Some(format!("<{id}@{}>", self.domain())))
            // Keeps absence notes from being sent in reply (RFC 3834, 5).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        let text = part(ContentType::TEXT_PLAIN, &message.text, alphabet);
        match &message.html {
            None => mail.singlepart(text),
            Some(html) => mail.multipart(
                MultiPart::alternative()
                    .boundary(format!("edupro-{id}"))
                    .singlepart(text)
                    .singlepart(part(ContentType::TEXT_HTML, html, alphabet)),
            ),
        }
        .map_err(|error| rejected(error.to_string()))
    }
}

/// Whether an id can stand in a header and in a file's name as it is.
fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !id.is_empty() && id.len() <= ID_LENGTH && id.bytes().all(plain)
}

fn rejected(reason: impl Into<String>) -> MailError {
    MailError::Rejected { reason: reason.into() }
}

/// The coding is chosen here because lettre's choice, base64 for Arabic, hides even ASCII words,
/// and breaks lines that are longer than 76 characters wherever that falls.
fn part(content: ContentType, text: &str, alphabet: Alphabet) -> SinglePart {
    let text = lines(text);
    let coding = if text.split("\r\n").any(|line| line.len() > LINE_LENGTH) {
        ContentTransferEncoding::QuotedPrintable
    } else if text.is_ascii() {
        ContentTransferEncoding::SevenBit
    } else if alphabet == Alphabet::Utf8 {
        ContentTransferEncoding::EightBit
    } else {
        ContentTransferEncoding::QuotedPrintable
    };
    let body = match coding {
        ContentTransferEncoding::QuotedPrintable => {
            Body::new_with_encoding(text, coding).unwrap_or_else(Body::new)
        }
        _ => Body::dangerous_pre_encoded(text.into_bytes(), coding),
    };
    SinglePart::builder().header(content).body(body)
}

/// A text with the line ends of mail and no other control character. With a single CR in it, two
/// servers can disagree about where a mail ends, and a second one could be smuggled in.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace(|c: char| c.is_control() && c != '\n' && c != '\t', "")
        .replace('\n', "\r\n")
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn compose(
        message: &Message,
        alphabet: Alphabet,
    ) -> Result<String, Box<dyn std::error::Error>> {
        let sender: Sender = "School <mail@school.example>".parse()?;
        let now = Utc.timestamp_opt(1_767_323_045, 0).single().ok_or("no such time")?;
        Ok(String::from_utf8(sender.compose(message, now, alphabet)?.formatted())?)
    }

    fn message(text: &str) -> Message {
        Message::new("7".into(), "a@b.example".into(), "Hi".into(), text.into())
    }

    #[test]
    fn ascii_stays_as_it_is() -> Result<(), Box<dyn std::error::Error>> {
        let mail = compose(&message("Code:\nABC234\n"), Alphabet::Ascii)?;
        assert_eq!(
            mail,
            "From: School <mail@school.example>\r\n\
             To: a@b.example\r\n\
             Subject: Hi\r\n\
             Date: Fri, 02 Jan 2026 03:04:05 +0000\r\n\
             Message-ID: <7@school.example>\r\n\
             Auto-Submitted: auto-generated\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: 7bit\r\n\
             \r\n\
             Code:\r\nABC234\r\n\r\n"
        );
        Ok(())
    }

    #[test]
    fn a_code_stays_in_one_piece_beside_arabic() -> Result<(), Box<dyn std::error::Error>> {
        let text = format!("{} ABC234", "رمز التحقق الخاص بك هو ".repeat(3));
        let mail = compose(&message(&text).with_html(text.clone()), Alphabet::Utf8)?;
        assert_eq!(mail.matches(&text).count(), 2);
        assert!(mail.contains("Content-Transfer-Encoding: 8bit"));

        let mail = compose(&message(&text), Alphabet::Ascii)?;
        assert!(mail.is_ascii());
        assert!(mail.contains("Content-Transfer-Encoding: quoted-printable"));
        Ok(())
    }

    #[test]
    fn long_lines_are_broken() -> Result<(), Box<dyn std::error::Error>> {
        for alphabet in [Alphabet::Ascii, Alphabet::Utf8] {
            let mail = compose(&message(&"long ".repeat(500)), alphabet)?;
            assert!(mail.split("\r\n").all(|line| line.len() <= LINE_LENGTH));
        }
        Ok(())
    }

    #[test]
    fn control_characters_do_not_come_through() -> Result<(), Box<dyn std::error::Error>> {
        let mail = compose(&message("a\r.\r\nb\0\u{1b}c\rd\n"), Alphabet::Ascii)?;
        assert!(mail.ends_with("\r\n\r\na\r\n.\r\nbc\r\nd\r\n\r\n"));
        assert!(!mail.replace("\r\n", "").contains(['\r', '\n']));
        Ok(())
    }

    #[test]
    fn ids_and_recipients_are_checked() {
        for id in ["", "../7", "7>", "7\r\nBcc: c@d.example", "7.8", &"7".repeat(61)] {
            let message = Message { id: id.into(), ..message("") };
            assert!(compose(&message, Alphabet::Ascii).is_err(), "{id}");
        }
        for to in ["", "a", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example"] {
            let message = Message { to: to.into(), ..message("") };
            assert!(compose(&message, Alphabet::Ascii).is_err(), "{to}");
        }
    }

    #[test]
    fn senders_are_mailboxes() {
        for from in ["mail@localhost", "مدرسة <mail@school.example>", "\"A, B\" <a@b.example>"]
        {
            assert!(from.parse::<Sender>().is_ok(), "{from}");
        }
        for from in ["", "school", "School <school>", "مدرسة@school.example"] {
            assert!(from.parse::<Sender>().is_err(), "{from}");
        }
    }
}
