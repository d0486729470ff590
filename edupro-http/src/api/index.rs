use axum::Json;

use crate::{
    extract::Site,
    routes::{PREFIX, api},
};

/// 1.0 List the paths of the contract, parameters by their bare names.
pub(crate) async fn list(Site(links): Site) -> Json<Vec<String>> {
    let api = api();
    let paths = api.paths().iter().map(|path| {
        let path = path.replace(['{', '}'], "");
        links.to(&format!("{PREFIX}{path}"))
    });
    Json(paths.collect())
}
