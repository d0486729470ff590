use axum::{Json, response::IntoResponse};
use serde_json::{Map, Value};

use crate::{answer::Ready, extract::Site, openapi};

/// Describe this API.
pub(crate) async fn show(Site(links): Site) -> Ready<Json<Map<String, Value>>> {
    Ready::new(Json(openapi::document(&links.to(""))).into_response())
}
