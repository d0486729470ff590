use axum::{Json, extract::State, response::IntoResponse};
use serde_json::{Map, Value};

use crate::{EduPro, answer::Ready, extract::Site, openapi};

/// Describe this API.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    Site(links): Site,
) -> Ready<Json<Map<String, Value>>> {
    let document = openapi::reached_at(edupro.document().clone(), &links.to(""));
    Ready::new(Json(document).into_response())
}
