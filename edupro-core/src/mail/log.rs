use async_trait::async_trait;

use super::{MailError, Mailer, Message};

/// Sends nothing and notes that in the log: for demonstrations without a mail server.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogMailer;

#[async_trait]
impl Mailer for LogMailer {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        // Not the text: it holds codes (security R50).
        tracing::info!(
            id = message.id,
            to = message.to,
            subject = message.subject,
            "a mail was logged instead of being sent"
        );
        Ok(())
    }
}
