use axum::{Json, extract::State};

use crate::{EduPro, extract::Site};

/// 1.0 List the paths of the contract, parameters by their bare names.
pub(crate) async fn list(State(edupro): State<EduPro>, Site(links): Site) -> Json<Vec<String>> {
    Json(edupro.index().iter().map(|path| links.to(path)).collect())
}
