//! A mailer of one's own: this one prints to the terminal instead of sending.
//!
//! ```sh
//! cargo run -p edupro-suite --example custom_mailer
//! ```

use std::{error::Error, io::Write, path::Path, sync::Arc};

use async_trait::async_trait;
use edupro_core::{
    accounts::{Client, Email, admin, resets},
    jobs::Worker,
    mail::{MailError, Mailer, Message},
};
use edupro_http::EduPro;
use edupro_storage::{Database, DatabaseOptions};

/// Writes mails to the terminal.
#[derive(Debug)]
pub(crate) struct Terminal;

#[async_trait]
impl Mailer for Terminal {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        // The worker tries again later when this fails with `MailError::unavailable`.
        let mail =
            format!("To: {}\nSubject: {}\n\n{}\n", message.to, message.subject, message.text);
        std::io::stdout().write_all(mail.as_bytes()).map_err(MailError::unavailable)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let edupro = school(folder.path()).await?;
    let school = edupro.school();

    let email: Email = "root@example.com".parse()?;
    admin::create(school, &email, &"root".parse()?, "palm-tree-42").await?;
    let client = Client { address: [127, 0, 0, 1].into(), user_agent: None };
    resets::request(school, &client, &email).await?;
    // `edupro serve` keeps a worker running; here the one mail is sent by hand.
    Worker::new(Arc::clone(school)).run_due().await?;
    Ok(())
}

async fn school(folder: &Path) -> Result<EduPro, Box<dyn Error>> {
    let url = format!("sqlite://{}", folder.join("school.db").display());
    let database = Database::connect(&DatabaseOptions::new(url)).await?;
    database.migrate().await?;
    Ok(EduPro::builder(Arc::new(database))
        .secret("an example's secret; yours is in a file nobody else reads")
        .mailer(Arc::new(Terminal))
        .build()?)
}
