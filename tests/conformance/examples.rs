//! What the examples implement is what others copy, so it keeps its promises too.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::hmac::{HMAC_SHA256, Key};
use edupro_core::{
    Storage, SystemClock,
    assessments::QuestionType,
    conformance::{
        grading::{self, Exercise},
        mailer,
        payment::{self, Hook, PaymentProbe},
        storage, video,
    },
    files::FileStore,
    grading::{AssessmentGrader, Marking, Response},
    payment::orders::Order,
    storage::WithUsers,
};
use serde_json::json;
use sqlx::SqlitePool;

use crate::{mailers::Nowhere, storage::on_sqlite};

#[path = "../../examples/custom_grader.rs"]
#[expect(dead_code, reason = "its main is not called here")]
mod custom_grader;
#[path = "../../examples/custom_mailer.rs"]
#[expect(dead_code, reason = "its main is not called here")]
mod custom_mailer;
#[path = "../../examples/custom_payment.rs"]
#[expect(dead_code, reason = "its main is not called here")]
mod custom_payment;
#[path = "../../examples/custom_users.rs"]
#[expect(dead_code, reason = "its main is not called here")]
mod custom_users;
#[path = "../../examples/custom_video.rs"]
#[expect(dead_code, reason = "its main is not called here")]
mod custom_video;

use custom_payment::Desk;

#[tokio::test]
async fn the_grader() {
    let grader: Arc<dyn AssessmentGrader> = Arc::<custom_grader::Keywords>::default();
    let exercise = |words: &[&str]| {
        let settings = json!({"words": words});
        let sent = json!({"by": "external", "grader": "keywords", "settings": settings});
        let marking = Marking::parse(QuestionType::Essay, sent).unwrap();
        let texts = ["Sugar of light and water.", "Light", "Soil", "LIGHT, water: chlorophyll!"];
        let answers = texts.map(|text| Response::Text(text.to_owned())).to_vec();
        Exercise::new(QuestionType::Essay, "How do plants live?", marking, answers)
    };
    let exercises = [exercise(&["light", "water", "chlorophyll"]), exercise(&["light"])];
    grading::all(&grader, &(), &exercises).await;
}

#[tokio::test]
async fn the_mailer() {
    mailer::all(&custom_mailer::Terminal, &Nowhere).await;
}

/// A till that knows the same as the desk.
#[derive(Debug)]
struct Till(Desk);

#[async_trait]
impl PaymentProbe for Till {
    async fn pay(&self, order: &Order, _: &str) -> Option<Hook> {
        let (body, signature) = self.0.report(&order.id.to_string(), order.amount.minor);
        let headers = vec![("x-signature".to_owned(), signature)];
        Some(Hook { headers, query: Vec::new(), body: body.into_bytes() })
    }
}

#[tokio::test]
async fn the_payment_provider() {
    let desk = || Desk(Key::new(HMAC_SHA256, b"what only the till knows"));
    payment::all(&desk(), &Till(desk()), &SystemClock).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_users() {
    let (folder, _, database) = on_sqlite().await;
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("accounts.db").display());
    let accounts = SqlitePool::connect(&url).await.unwrap();
    sqlx::query(custom_users::TABLE).execute(&accounts).await.unwrap();
    let users = Arc::new(custom_users::Accounts(accounts));
    let storage: Arc<dyn Storage> = Arc::new(WithUsers::new(Arc::new(database), users));
    storage::all(&storage).await;
}

#[tokio::test]
async fn the_video_provider() {
    let files = FileStore::in_memory().unwrap();
    video::all(&custom_video::Cdn::default(), &files, &SystemClock).await;
}
