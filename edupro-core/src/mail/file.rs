use std::{
    fs::DirBuilder,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use tempfile::NamedTempFile;

use super::{
    InvalidSender, MailError, Mailer, Message,
    compose::{Alphabet, Sender},
};
use crate::Clock;

/// Keeps each mail as `<id>.eml`, which every mail program opens. The same id again replaces it.
#[derive(Debug)]
pub struct FileMailer {
    directory: PathBuf,
    sender: Sender,
    clock: Arc<dyn Clock>,
}

impl FileMailer {
    /// Keeps mails in `directory`, which is created with the first one.
    pub fn new(
        directory: PathBuf,
        from: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidSender> {
        Ok(Self { directory, sender: from.parse()?, clock })
    }

    async fn with_directory(
        &self,
        work: impl FnOnce(&Path) -> io::Result<()> + Send + 'static,
    ) -> Result<(), MailError> {
        let directory = self.directory.clone();
        tokio::task::spawn_blocking(move || work(&directory))
            .await
            .map_err(MailError::unavailable)?
            .map_err(MailError::unavailable)
    }
}

#[async_trait]
impl Mailer for FileMailer {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let mail = self.sender.compose(message, self.clock.now(), Alphabet::Utf8)?.formatted();
        let name = format!("{}.eml", message.id);
        self.with_directory(move |directory| {
            let mut file = draft(directory)?;
            file.write_all(&mail)?;
            file.as_file().sync_all()?;
            // Renamed when it is whole, so that nobody reads half a mail.
            file.persist(directory.join(name))?;
            Ok(())
        })
        .await
    }

    async fn check(&self) -> Result<(), MailError> {
        self.with_directory(|directory| draft(directory).map(drop)).await
    }
}

/// A file that only its owner reads, in a directory that only its owner enters: mails hold codes.
fn draft(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)?;
    // tempfile gives it the mode 0600 itself.
    tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(directory)
}

#[cfg(test)]
mod tests {
    use std::{error::Error, fs};

    use super::*;
    use crate::SystemClock;

    #[tokio::test]
    async fn keeps_one_readable_file_a_mail() -> Result<(), Box<dyn Error>> {
        let home = tempfile::tempdir()?;
        let directory = home.path().join("data/mail");
        let mailer = FileMailer::new(directory.clone(), "mail@localhost", Arc::new(SystemClock))?;
        mailer.check().await?;
        let text = "Your OTP code is: ABC234.".to_owned();
        let mut message = Message::new("7".into(), "a@b.example".into(), "Code".into(), text);
        mailer.send(&message).await?;
        message.text = "Your OTP code is: DEF567.".to_owned();
        mailer.send(&message).await?;

        let names: Vec<_> = fs::read_dir(&directory)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<Result<_, _>>()?;
        assert_eq!(names, ["7.eml"]);
        let mail = fs::read_to_string(directory.join("7.eml"))?;
        assert!(mail.contains("DEF567") && !mail.contains("ABC234"));

        #[cfg(unix)]
        for (path, mode) in [(directory.join("7.eml"), 0o600), (directory, 0o700)] {
            let permissions = fs::metadata(path)?.permissions();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o777, mode);
        }
        Ok(())
    }

    #[tokio::test]
    async fn says_when_it_cannot_write() -> Result<(), Box<dyn Error>> {
        let file = NamedTempFile::new()?;
        let directory = file.path().join("mail");
        let mailer = FileMailer::new(directory, "mail@localhost", Arc::new(SystemClock))?;
        let message = Message::new("7".into(), "a@b.example".into(), "Code".into(), String::new());
        let answer = mailer.send(&message).await;
        assert!(matches!(answer, Err(MailError::Unavailable { .. })), "{answer:?}");
        assert!(mailer.check().await.is_err());
        Ok(())
    }
}
