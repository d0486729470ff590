use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::timeout;

use crate::EduPro;

/// How long a part may take to say that it works. A part that is slower does not, and whoever asks
/// hears of it within the second of security T5.
const PATIENCE: Duration = Duration::from_millis(800);

/// Whether a part works.
#[derive(Debug, JsonSchema, Serialize)]
struct Health {
    status: &'static str,
    database: &'static str,
    files: &'static str,
}

/// `GET /healthz`: the process answers.
pub(crate) async fn live() -> Json<serde_json::Value> {
    Json(serde_json::json!({"status": "ok"}))
}

/// `GET /readyz`: visitors can be sent here; else 503, and when to ask again (security R42). Mail has
/// an outbox and is not asked.
pub(crate) async fn ready(State(edupro): State<EduPro>) -> Response {
    let school = edupro.school();
    let (database, files) =
        tokio::join!(works(school.storage.check()), works(school.files.check()));
    let is_ready = database && files && !edupro.is_stopping();
    let word = |works| if works { "ok" } else { "unavailable" };
    let health = Health {
        status: if edupro.is_stopping() { "stopping" } else { word(is_ready) },
        database: word(database),
        files: word(files),
    };
    if is_ready {
        return Json(health).into_response();
    }
    let soon = [(header::RETRY_AFTER, "1")];
    (StatusCode::SERVICE_UNAVAILABLE, soon, Json(health)).into_response()
}

async fn works<E>(check: impl Future<Output = Result<(), E>>) -> bool {
    matches!(timeout(PATIENCE, check).await, Ok(Ok(())))
}
