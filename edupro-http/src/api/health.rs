use axum::{
    Json,
    extract::State,
    http::StatusCode,
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

/// `GET /readyz`: visitors can be sent here. Mail has an outbox and is not asked.
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
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}
