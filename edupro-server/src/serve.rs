//! `edupro serve`: a listening process from start to stop.

use std::{io, net::SocketAddr, time::Duration};

use anyhow::Context;
use edupro_core::jobs::Worker;
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tracing::{info, warn};

use crate::{
    cli::say,
    compose,
    config::{Config, Loaded, MailProvider},
    demo,
    listener::{self, Limits},
};

/// How long jobs at hand may take to finish once the listener has stopped. With the requests' 25 s
/// that makes the 30 s of security R48.
const JOBS_FINISH: Duration = Duration::from_secs(4);

/// Serves until SIGINT or SIGTERM; a second one stops at once (security R48).
pub(crate) async fn serve(loaded: &Loaded, with_demo: bool) -> anyhow::Result<()> {
    let config = &loaded.config;
    let signals = signals().context("cannot listen for signals")?;
    let (listener, listening) = listen(config.http.addr).await?;
    let database = compose::database(loaded).await?;
    compose::migrate(&database).await?;
    let edupro = compose::edupro(loaded, database.clone())?;
    if with_demo {
        if !listening.ip().is_loopback() {
            warn!("everybody knows the demo's password, and not only this machine can connect");
        }
        say(&demo::fill(edupro.school(), &to_open(listening)).await?);
    }
    let (stop_jobs, jobs_stop) = watch::channel(false);
    let worker = Worker::new(edupro.school().clone());
    let jobs = tokio::spawn(async move { worker.run(jobs_stop).await });

    say(&where_everything_is(config, listening));
    info!(%listening, "serving");
    let stop = async {
        received(signals.clone(), 1).await;
        info!("stopping");
        edupro.stop_accepting();
    };
    let stopped = tokio::select! {
        stopped = listener::serve(listener, edupro.site(), Limits::default(), stop) => Some(stopped),
        () = received(signals.clone(), 2) => None,
    };
    if stopped.is_none() {
        warn!("stopped at once: some requests may not have been answered");
        return Ok(());
    }
    stop_jobs.send_replace(true);
    if timeout(JOBS_FINISH, jobs).await.is_err() {
        warn!("some jobs are not finished; they are tried again after the next start");
    }
    database.close().await;
    info!("stopped");
    Ok(())
}

async fn listen(addr: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(addr).await.with_context(|| {
        format!("cannot listen on {addr}; choose another address with --addr or `http.addr`")
    })?;
    let listening = listener.local_addr().context("cannot tell where we listen")?;
    Ok((listener, listening))
}

/// One line for the person who has just typed the command.
fn where_everything_is(config: &Config, listening: SocketAddr) -> String {
    let mail = match &config.mail.provider {
        MailProvider::File => config.data_path("mail").display().to_string(),
        MailProvider::Log => "the log".to_owned(),
        MailProvider::Smtp(smtp) => smtp.host.clone(),
        MailProvider::Own(name) => name.clone(),
    };
    let open = to_open(listening);
    format!(
        "EduPro is open at {open}  (try the API: {open}/docs, database: {}, mail: {mail}, data: {})",
        config.database_url().shown(),
        config.data_dir.display(),
    )
}

/// Where a browser on this machine finds us: "all addresses" is no address to go to.
fn to_open(listening: SocketAddr) -> String {
    let everywhere = listening.ip().is_unspecified();
    let host = everywhere.then(|| format!("localhost:{}", listening.port()));
    format!("http://{}", host.unwrap_or_else(|| listening.to_string()))
}

/// How many times the process was asked to stop.
#[cfg(unix)]
fn signals() -> io::Result<watch::Receiver<usize>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (count, counted) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            count.send_modify(|count| *count += 1);
        }
    });
    Ok(counted)
}

/// How many times the process was asked to stop.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "on Unix this can fail")]
fn signals() -> io::Result<watch::Receiver<usize>> {
    let (count, counted) = watch::channel(0);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            count.send_modify(|count| *count += 1);
        }
    });
    Ok(counted)
}

/// Ready once there were this many signals.
async fn received(mut signals: watch::Receiver<usize>, count: usize) {
    if signals.wait_for(|received| *received >= count).await.is_err() {
        // The counting task is gone, so there will be no signal.
        std::future::pending::<()>().await;
    }
}
