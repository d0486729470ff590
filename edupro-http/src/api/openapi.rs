use axum::Json;
use serde_json::Value;

use crate::{extract::Site, openapi};

/// Describe this API.
pub(crate) async fn show(Site(links): Site) -> Json<Value> {
    Json(openapi::document(&links.to("")))
}
