//! Passwords in another database: the school keeps a row for each person, and no hash in it.
//!
//! ```sh
//! cargo run -p edupro-suite --example custom_users
//! ```

use std::{error::Error, io::Write, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    accounts::{Credentials, Email, NewUser, User, UserId, UserStore},
    storage::{UserDirectory, UserOverlay},
};
use edupro_http::testkit::TestApp;
use sqlx::{Sqlite, SqlitePool, Transaction, query, query_as};

pub(crate) const TABLE: &str = "CREATE TABLE accounts (email TEXT PRIMARY KEY, hash TEXT)";
const FIND: &str = "SELECT hash FROM accounts WHERE email = $1";
const KEEP: &str = "INSERT OR REPLACE INTO accounts (email, hash) VALUES ($1, $2)";

#[derive(Debug)]
pub(crate) struct Accounts(pub(crate) SqlitePool);

impl UserDirectory for Accounts {
    fn open(&self) -> Box<dyn UserOverlay> {
        Box::new(Beside { accounts: self.0.clone(), begun: None })
    }
}

/// What happens here beside a transaction of the school. Dropped without a commit it is undone.
struct Beside {
    accounts: SqlitePool,
    begun: Option<Transaction<'static, Sqlite>>,
}

impl Beside {
    async fn keep(&mut self, email: &str, hash: &str) -> StoreResult<()> {
        let mut begun = match self.begun.take() {
            Some(begun) => begun,
            None => self.accounts.begin().await.map_err(StoreError::unavailable)?,
        };
        let kept = query(KEEP).bind(email).bind(hash).execute(&mut *begun).await;
        self.begun = Some(begun);
        kept.map(drop).map_err(StoreError::unavailable)
    }
}

#[async_trait]
impl UserOverlay for Beside {
    async fn find_credentials(
        &mut self,
        rows: &mut dyn UserStore,
        email: &Email,
    ) -> StoreResult<Option<Credentials>> {
        let found = query_as(FIND).bind(email.as_str()).fetch_optional(&self.accounts).await;
        let found = found.map_err(StoreError::unavailable)?;
        let Some((password_hash,)) = found else { return Ok(None) };
        Ok(rows.find_credentials(email).await?.map(|row| Credentials { password_hash, ..row }))
    }

    async fn add(&mut self, rows: &mut dyn UserStore, new: &NewUser) -> StoreResult<Option<User>> {
        let row = NewUser { password_hash: "elsewhere".to_owned(), ..new.clone() };
        let Some(added) = rows.add(&row).await? else { return Ok(None) };
        // Whom a crash has left here without a row there is taken over.
        self.keep(&added.email, &new.password_hash).await?;
        Ok(Some(added))
    }

    async fn set_password(
        &mut self,
        rows: &mut dyn UserStore,
        id: UserId,
        hash: &str,
        _: DateTime<Utc>,
    ) -> StoreResult<()> {
        let Some(user) = rows.find(id).await? else { return Ok(()) };
        self.keep(&user.email, hash).await
    }

    async fn commit(self: Box<Self>) -> StoreResult<()> {
        let Some(begun) = self.begun else { return Ok(()) };
        begun.commit().await.map_err(StoreError::unavailable)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("accounts.db").display());
    let accounts = SqlitePool::connect(&url).await?;
    query(TABLE).execute(&accounts).await?;
    // A school to try things with; in yours it is `EduPro::builder(…).users(…)`.
    let users = Arc::new(Accounts(accounts.clone()));
    TestApp::builder().start_with(|school| school.users(users)).await.teacher("mona").await;
    let (hash,): (String,) = query_as(FIND).bind("mona@example.com").fetch_one(&accounts).await?;
    Ok(writeln!(std::io::stdout(), "mona's password is kept here: {hash}")?)
}
