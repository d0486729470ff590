//! Two schools in one process, each with a database, a secret and people of its own. It runs until
//! Ctrl-C.
//!
//! ```sh
//! cargo run -p edupro-suite --example two_schools
//! curl http://127.0.0.1:3000/north/api/v1
//! curl http://127.0.0.1:3000/south/api/v1
//! ```

use std::{env, error::Error, io::Write, net::SocketAddr, path::Path, sync::Arc};

use axum::{Router, routing::get};
use edupro_core::{Settings, accounts::admin, files::FileStore, jobs::Worker};
use edupro_http::EduPro;
use edupro_storage::{Database, DatabaseOptions};
use tokio::{net::TcpListener, signal::ctrl_c, sync::watch, task::JoinSet};

/// What is kept of a school lies in a folder of its name.
async fn school(folder: &Path, name: &str, settings: Settings) -> Result<EduPro, Box<dyn Error>> {
    let folder = folder.join(name);
    let files = FileStore::on_disk(&folder.join("files"))?;
    let url = format!("sqlite://{}", folder.join("school.db").display());
    let database = Database::connect(&DatabaseOptions::new(url)).await?;
    database.migrate().await?;
    Ok(EduPro::builder(Arc::new(database))
        .secret(format!("the secret of the school in the {name}, which the other does not have"))
        .files(files)
        .settings(settings)
        .build()?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut for_ever = Settings::default();
    for_ever.enrollment_days = 0;
    let north = school(folder.path(), "north", Settings::default()).await?;
    let south = school(folder.path(), "south", for_ever).await?;

    // The same person may run both, with a password at each.
    let (email, name) = ("root@example.com".parse()?, "root".parse()?);
    for (school, password) in [(&north, "palm-tree-42"), (&south, "date-tree-43")] {
        admin::create(school.school(), &email, &name, password).await?;
    }

    let (stop, stopping) = watch::channel(false);
    let mut workers = JoinSet::new();
    for school in [&north, &south] {
        let (worker, stopping) = (Worker::new(Arc::clone(school.school())), stopping.clone());
        workers.spawn(async move { worker.run(stopping).await });
    }

    // Links and cookies follow the path, so one browser can be at both.
    let app = Router::new()
        .route("/", get(async || "Two schools: /north and /south.\n"))
        .nest("/north", north.router())
        .nest("/south", south.router());

    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    writeln!(std::io::stdout(), "open at http://{}", listener.local_addr()?)?;
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(async { drop(ctrl_c().await) }).await?;
    stop.send_replace(true);
    workers.join_all().await;
    Ok(())
}
