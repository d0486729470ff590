use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;

use super::{MailError, Mailer, Message};

/// Keeps mails in memory, for tests.
#[derive(Default)]
pub struct MemoryMailer {
    sent: Mutex<Vec<Message>>,
    refusing: AtomicBool,
}

impl MemoryMailer {
    /// What was sent so far, the oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Message> {
        self.lock().clone()
    }

    /// What was sent since the last call, the oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<Message> {
        std::mem::take(&mut *self.lock())
    }

    /// Plays a mail server that is down, until it is called with `false`.
    pub fn refuse(&self, refuse: bool) {
        self.refusing.store(refuse, Ordering::SeqCst);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Message>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells how many mails it keeps, not what they say: they hold codes (security R50).
impl std::fmt::Debug for MemoryMailer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MemoryMailer")
            .field("sent", &self.lock().len())
            .field("refusing", &self.refusing)
            .finish()
    }
}

#[async_trait]
impl Mailer for MemoryMailer {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        self.check().await?;
        self.lock().push(message.clone());
        Ok(())
    }

    async fn check(&self) -> Result<(), MailError> {
        if self.refusing.load(Ordering::SeqCst) {
            return Err(MailError::unavailable("the mailer was told to refuse"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_what_is_sent_unless_it_refuses() {
        let mailer = MemoryMailer::default();
        let message = Message::new("1".into(), "a@b.example".into(), "Hi".into(), "ABC234".into());

        mailer.refuse(true);
        let refused = mailer.send(&message).await;
        assert!(matches!(refused, Err(MailError::Unavailable { .. })));
        assert!(mailer.check().await.is_err());

        mailer.refuse(false);
        assert!(mailer.send(&message).await.is_ok());
        assert_eq!(mailer.sent().len(), 1);
        assert!(!format!("{mailer:?}").contains("ABC234"));
        assert_eq!(mailer.take(), [message]);
        assert_eq!(mailer.sent(), []);
    }
}
