use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::EduPro;

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
    let database = school.storage.check().await;
    let files = school.files.check().await;
    let is_ready = database.is_ok() && files.is_ok() && !edupro.is_stopping();
    let word = |works| if works { "ok" } else { "unavailable" };
    let health = Health {
        status: if edupro.is_stopping() { "stopping" } else { word(is_ready) },
        database: word(database.is_ok()),
        files: word(files.is_ok()),
    };
    if is_ready {
        return Json(health).into_response();
    }
    let soon = [(header::RETRY_AFTER, "1")];
    (StatusCode::SERVICE_UNAVAILABLE, soon, Json(health)).into_response()
}
