//! A school inside another service: its routes beside ours, its visitors in our handlers.
//!
//! ```sh
//! cargo run -p edupro-suite --example embed
//! curl -i http://127.0.0.1:3000/hello
//! curl -i http://127.0.0.1:3000/school/api/v1
//! ```

use std::sync::Arc;

use axum::{Router, extract::FromRef, routing::get};
use edupro_http::{EduPro, extract::SignedIn};
use edupro_storage::{Database, DatabaseOptions};

/// The state of our service: the school is a part of it.
#[derive(Clone, FromRef)]
struct App {
    edupro: EduPro,
}

/// Our own page, for whoever is logged in at the school; everybody else gets the school's 401.
async fn hello(SignedIn(visitor): SignedIn) -> String {
    format!("Hello, {}!", visitor.user.first_name)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("school.db").display());
    let database = Database::connect(&DatabaseOptions::new(url)).await?;
    database.migrate().await?;

    let edupro = EduPro::builder(Arc::new(database))
        .secret("an example's secret; yours is in a file nobody else reads")
        .build()?;
    let app = Router::new()
        .route("/hello", get(hello))
        .nest("/school", edupro.router())
        .with_state(App { edupro });

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    Ok(())
}
