//! A school inside another service: its routes beside ours, its visitors in our handlers.
//!
//! ```sh
//! cargo run -p edupro-suite --example embed
//! curl -i http://127.0.0.1:3000/hello
//! curl -i http://127.0.0.1:3000/school/api/v1
//! ```

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, extract::FromRef, routing::get};
use edupro_core::jobs::Worker;
use edupro_http::{EduPro, extract::SignedIn};
use edupro_storage::{Database, DatabaseOptions};
use tokio::sync::watch;

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

    // Mails, and what else has to happen after a request.
    let (_stop, stopping) = watch::channel(false);
    let worker = Worker::new(Arc::clone(edupro.school()));
    tokio::spawn(async move { worker.run(stopping).await });

    let app = Router::new()
        .route("/hello", get(hello))
        .nest("/school", edupro.router())
        .with_state(App { edupro });

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    // Limits on log-ins count by address: without it, everybody would be one visitor.
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
