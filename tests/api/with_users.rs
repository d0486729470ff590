//! People who are kept elsewhere: the school works as ever, and has no password.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    Storage, StoreError, StoreResult,
    accounts::{self, Credentials, Email, NewUser, Taken, User, UserId, UserStore},
    storage::{UserDirectory, UserOverlay},
};
use edupro_http::testkit::{PASSWORD, TestApp, TestBuilder, email, person};
use edupro_storage::{Database, DatabaseOptions};
use serde_json::json;

use crate::support::{free_course, on_both_engines, redeem};

/// Hashes by address.
type Hashes = Arc<Mutex<BTreeMap<String, String>>>;

/// Another system, which keeps the passwords and reserves names.
#[derive(Debug, Default)]
struct Elsewhere {
    hashes: Hashes,
    is_down: Arc<AtomicBool>,
}

struct Beside {
    hashes: Hashes,
    is_down: Arc<AtomicBool>,
    written: BTreeMap<String, String>,
}

impl UserDirectory for Elsewhere {
    fn open(&self) -> Box<dyn UserOverlay> {
        let (hashes, is_down) = (Arc::clone(&self.hashes), Arc::clone(&self.is_down));
        Box::new(Beside { hashes, is_down, written: BTreeMap::new() })
    }
}

#[async_trait]
impl UserOverlay for Beside {
    async fn find_credentials(
        &mut self,
        rows: &mut dyn UserStore,
        email: &Email,
    ) -> StoreResult<Option<Credentials>> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("the other system is down"));
        }
        let hash = self.hashes.lock().unwrap().get(email.as_str()).cloned();
        let row = rows.find_credentials(email).await?;
        Ok(row.zip(hash).map(|(row, password_hash)| Credentials { password_hash, ..row }))
    }

    async fn taken(
        &mut self,
        rows: &mut dyn UserStore,
        username: Option<&accounts::Username>,
        email: Option<&Email>,
        phone: Option<&accounts::Phone>,
    ) -> StoreResult<Taken> {
        let taken = rows.taken(username, email, phone).await?;
        let is_reserved = username.is_some_and(|username| username.as_str() == "principal");
        Ok(Taken { username: taken.username || is_reserved, ..taken })
    }

    async fn add(&mut self, rows: &mut dyn UserStore, new: &NewUser) -> StoreResult<Option<User>> {
        self.written.insert(new.email.to_string(), new.password_hash.clone());
        rows.add(&NewUser { password_hash: "elsewhere".to_owned(), ..new.clone() }).await
    }

    async fn set_password(
        &mut self,
        rows: &mut dyn UserStore,
        id: UserId,
        hash: &str,
        _: DateTime<Utc>,
    ) -> StoreResult<()> {
        let user = rows.find(id).await?.unwrap();
        self.written.insert(user.email, hash.to_owned());
        Ok(())
    }

    async fn commit(self: Box<Self>) -> StoreResult<()> {
        self.hashes.lock().unwrap().extend(self.written);
        Ok(())
    }
}

async fn start(school: TestBuilder) -> (TestApp, Arc<Elsewhere>) {
    let elsewhere = Arc::new(Elsewhere::default());
    let given = Arc::<Elsewhere>::clone(&elsewhere);
    (school.start_with(|builder| builder.users(given)).await, elsewhere)
}

/// What the school's own row has for a hash.
async fn own_hash(app: &TestApp, username: &str) -> String {
    let database = Database::connect(&DatabaseOptions::new(app.database_url())).await.unwrap();
    let mut tx = database.read().await.unwrap();
    let found = tx.users().find_credentials(&email(username).parse().unwrap()).await.unwrap();
    found.unwrap().password_hash
}

async fn log_in(app: &TestApp, username: &str, password: &str) -> u16 {
    let body = json!({"email": email(username), "password": password});
    app.visitor().post("/teacher/login/", body).await.status()
}

on_both_engines! {
    /// Registering, logging in and changing a password; the rest of the school knows everybody.
    async fn passwords(school) {
        let (app, elsewhere) = start(school).await;
        let mona = app.teacher("mona").await;
        let omar = app.student("omar", "mona").await;
        assert_eq!(own_hash(&app, "mona").await, "elsewhere");
        let before = elsewhere.hashes.lock().unwrap().clone();
        assert_eq!(before.keys().collect::<Vec<_>>(), ["mona@example.com", "omar@example.com"]);

        let change = json!({"old_password": PASSWORD, "new_password": "blue-door-17"});
        assert_eq!(mona.put("/change-password/", change).await.status(), 200);
        assert_ne!(elsewhere.hashes.lock().unwrap()["mona@example.com"], before["mona@example.com"]);
        assert_eq!(own_hash(&app, "mona").await, "elsewhere");
        assert_eq!(log_in(&app, "mona", PASSWORD).await, 401);
        assert_eq!(log_in(&app, "mona", "blue-door-17").await, 200);

        let gift = free_course(&mona).await;
        assert_eq!(redeem(&omar, &gift, "").await.status(), 201);
        let students = mona.get("/teacher/get_students/").await.json();
        assert_eq!(students["results"][0]["student"]["user"]["username"], "omar");
    }

    /// What is undone here is undone there; whom only one side knows cannot log in.
    async fn undone(school) {
        let (app, elsewhere) = start(school).await;
        app.teacher("mona").await;
        let mut twin = person("tarek");
        twin["email"] = email("mona").into();
        twin["phone"] = "+201000000099".into();
        assert_eq!(app.visitor().post("/teacher/teacher-register/", twin).await.status(), 400);
        assert_eq!(elsewhere.hashes.lock().unwrap().len(), 1);
        assert_eq!(log_in(&app, "mona", PASSWORD).await, 200);

        let hash = elsewhere.hashes.lock().unwrap()["mona@example.com"].clone();
        elsewhere.hashes.lock().unwrap().insert(email("ghost"), hash);
        assert_eq!(log_in(&app, "ghost", PASSWORD).await, 401);
        app.teacher("ghost").await;
        assert_eq!(log_in(&app, "ghost", PASSWORD).await, 200, "taken over");

        let mut principal = person("principal");
        principal["phone"] = "+201000000098".into();
        let refused = app.visitor().post("/teacher/teacher-register/", principal).await;
        assert_eq!(refused.json(), json!({"username": ["Username already exists"]}));
    }

    /// Who is logged in stays so while the other system is down: sessions are the school's.
    async fn down(school) {
        let (app, elsewhere) = start(school).await;
        let mona = app.teacher("mona").await;
        elsewhere.is_down.store(true, Ordering::SeqCst);
        assert_eq!(mona.get("/teacher/revenue/").await.status(), 200);
        assert_eq!(log_in(&app, "mona", PASSWORD).await, 503);
    }
}
