//! A school inside another service: its routes beside ours, its visitors in our handlers. It runs
//! until Ctrl-C.
//!
//! ```sh
//! cargo run -p edupro-suite --example embed
//! curl -i http://127.0.0.1:3000/hello
//! curl -i http://127.0.0.1:3000/school/api/v1
//! ```

use std::{env, error::Error, io::Write, net::SocketAddr, sync::Arc};

use axum::{Router, extract::FromRef, routing::get};
use edupro_core::jobs::Worker;
use edupro_http::{EduPro, extract::SignedIn};
use edupro_storage::{Database, DatabaseOptions};
use tokio::{net::TcpListener, signal::ctrl_c, sync::watch};

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
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("school.db").display());
    let database = Database::connect(&DatabaseOptions::new(url)).await?;
    database.migrate().await?;

    let edupro = EduPro::builder(Arc::new(database))
        .secret("an example's secret; yours is in a file nobody else reads")
        // Our own page wants to know who is there, and stands beside the school.
        .cookie_path("/")
        .build()?;

    // Mails, and what else has to happen after a request.
    let (stop, stopping) = watch::channel(false);
    let worker = Worker::new(Arc::clone(edupro.school()));
    let working = tokio::spawn(async move { worker.run(stopping).await });

    let app = edupro
        .guard(Router::new().route("/hello", get(hello)))
        .nest("/school", edupro.router())
        .fallback(async || "My own page for what is not there.\n")
        .with_state(App { edupro });

    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    writeln!(std::io::stdout(), "open at http://{}", listener.local_addr()?)?;
    // Limits on log-ins count by address: without it, everybody would be one visitor.
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(async { drop(ctrl_c().await) }).await?;
    stop.send_replace(true);
    Ok(working.await?)
}
