//! The command line: what can be asked, and which exit code says how it went.

use std::{
    fs,
    io::{self, Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use edupro_core::SystemClock;
use tokio::runtime::Runtime;
use tracing::warn;

use crate::{
    accounts,
    audit::{self, AuditArgs},
    compose,
    config::{ConfigError, Loaded, SecretError, Sources},
    doctor, logging,
    registry::Registry,
    serve::serve,
};

/// The command line or the configuration is wrong; anything else that fails is 1.
const EXIT_USAGE: u8 = 2;
/// Longest line read as a password; the rules have a lower limit of their own.
const PASSWORD_BYTES: u64 = 4096;
/// How long background work may go on after a command is done.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// An online school's backend.
#[derive(Debug, Parser)]
#[command(name = "edupro", version)]
struct Cli {
    /// Read this configuration instead of `edupro.toml` in the working directory
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server
    Serve {
        /// Put a teacher and a few students into the school, to try things out
        #[arg(long)]
        demo: bool,
        /// Listen here, for instance on 0.0.0.0:8000
        #[arg(long, value_name = "ADDRESS")]
        addr: Option<SocketAddr>,
    },
    /// Bring the database's schema up to date; `serve` does so as well
    Migrate,
    /// Administrators
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Show who did what, the newest last
    Audit(AuditArgs),
    /// Show the configuration in force, each key with where it comes from
    Config,
    /// Look at everything the school stands on, without changing anything, and say what is wrong
    Doctor {
        /// Say it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the description of the API, an `OpenAPI` 3.1 document, with the school's address if
    /// `http.public_url` is configured
    Openapi {
        /// Write it to this file instead of to standard output
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Make an administrator
    Create {
        /// Log in with this address
        #[arg(long)]
        email: String,
        /// Be called so
        #[arg(long)]
        username: String,
        /// Read the password from the first line of standard input: arguments are seen by everybody
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Show everybody
    List,
    /// Open an account again
    Activate {
        /// Whose
        #[arg(value_name = "USERNAME OR EMAIL")]
        name: String,
    },
    /// Close an account and end its sessions
    Deactivate {
        /// Whose
        #[arg(value_name = "USERNAME OR EMAIL")]
        name: String,
    },
}

/// Does what the command line asks. 0: done; 1: failed, or not well; 2: the command line or the
/// configuration is wrong, unless that was the question.
pub(crate) fn main(registry: &Registry) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help_or_error) => {
            // Standard output or error may be closed; there is nobody to tell then.
            drop(help_or_error.print());
            return ExitCode::from(if help_or_error.use_stderr() { EXIT_USAGE } else { 0 });
        }
    };
    match run(cli, registry) {
        Ok(code) => code,
        Err(error) => {
            drop(writeln!(io::stderr(), "edupro: {error:#}"));
            let usage = error.is::<ConfigError>() || error.is::<SecretError>();
            ExitCode::from(if usage { EXIT_USAGE } else { 1 })
        }
    }
}

fn run(cli: Cli, registry: &Registry) -> anyhow::Result<ExitCode> {
    registry.check()?;
    let addr = match cli.command {
        Command::Serve { addr, .. } => addr,
        _ => None,
    };
    let loaded = match Loaded::with(Sources::of_process(cli.config, addr), registry) {
        Err(error) if let Command::Doctor { json } = cli.command => {
            return tell(&doctor::unreadable(&error), json);
        }
        loaded => loaded?,
    };
    logging::start(&loaded.config.log);
    if let Some(file) = loaded.exposed_file() {
        let file = file.display();
        warn!("{file} holds a secret and everybody can read it: run `chmod 600 {file}`");
    }
    let runtime = Runtime::new().context("cannot start the runtime's threads")?;
    let done = runtime.block_on(obey(cli.command, &loaded));
    runtime.shutdown_timeout(SHUTDOWN);
    done
}

async fn obey(command: Command, loaded: &Loaded) -> anyhow::Result<ExitCode> {
    match command {
        Command::Doctor { json } => {
            return tell(&doctor::examine(loaded, &SystemClock).await, json);
        }
        Command::Serve { demo, .. } => serve(loaded, demo).await?,
        Command::Migrate => {
            let database = compose::database(loaded).await?;
            compose::migrate(&database).await?;
            say(&format!("{} is up to date", loaded.config.database_url().shown()));
        }
        Command::Admin(AdminCommand::Create { email, username, password_stdin: _ }) => {
            let password = first_line(io::stdin())?;
            let school = compose::school(loaded).await?;
            let admin = accounts::create_admin(&school, &email, &username, &password).await?;
            say(&format!("{} <{}> can log in as administrator", admin.username, admin.email));
        }
        Command::User(UserCommand::List) => {
            let school = compose::school(loaded).await?;
            say(accounts::list(&school).await?.trim_end());
        }
        Command::User(UserCommand::Activate { name }) => {
            let school = compose::school(loaded).await?;
            let user = accounts::set_active(&school, &name, true).await?;
            say(&format!("{} can log in", user.username));
        }
        Command::User(UserCommand::Deactivate { name }) => {
            let school = compose::school(loaded).await?;
            let user = accounts::set_active(&school, &name, false).await?;
            say(&format!("{} cannot log in any more; all sessions have ended", user.username));
        }
        Command::Audit(args) => {
            let school = compose::school(loaded).await?;
            say(&audit::show(&school, &args).await?);
        }
        Command::Config => say(loaded.to_toml().trim_end()),
        Command::Openapi { output } => describe_api(loaded, output.as_deref())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Says how the school is. 0: nothing has failed.
fn tell(report: &doctor::Report, json: bool) -> anyhow::Result<ExitCode> {
    say(&if json { report.to_json()? } else { report.to_text() });
    Ok(if report.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The same document as `/api/v1/openapi.json`, without a running server or its database.
fn describe_api(loaded: &Loaded, output: Option<&Path>) -> anyhow::Result<()> {
    let base = loaded.config.http.public_url.as_ref().map_or("", |url| url.as_str());
    let document = edupro_http::openapi::document(base);
    let text = format!("{document:#}\n");
    match output {
        Some(file) => {
            fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
        }
        // Not `say`: half a document that nobody was told of would be taken for a whole one.
        None => io::stdout().write_all(text.as_bytes()).context("cannot write the document"),
    }
}

/// Tells the person at the terminal, not the log.
pub(crate) fn say(text: &str) {
    // `edupro user list | head` closes its end early, which is no failure.
    drop(writeln!(io::stdout(), "{text}"));
}

/// The first line, without its end.
fn first_line(input: impl Read) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = input.take(PASSWORD_BYTES).read_to_string(&mut text);
    read.context("cannot read the password from standard input")?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    anyhow::ensure!(!line.is_empty(), "there is no password on standard input");
    Ok(line)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::{NoOptions, config::Config};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_are_understood() {
        for line in [
            "edupro serve",
            "edupro serve --demo --addr 0.0.0.0:80",
            "edupro --config a.toml migrate",
            "edupro config --config a.toml",
            "edupro admin create --email a@b.example --username a --password-stdin",
            "edupro doctor",
            "edupro doctor --json",
            "edupro openapi",
            "edupro openapi --output api.json",
            "edupro audit",
            "edupro audit --since 7d --until 2026-01-01 --user mona --action deleted --limit 9 --json",
            "edupro user list",
            "edupro user activate mona",
            "edupro user deactivate mona@example.com",
        ] {
            Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        for line in [
            "edupro",
            "edupro serve --addr localhost",
            "edupro audit --since yesterday",
            "edupro audit --action cheered",
            "edupro admin create --email a@b.example --username a",
            "edupro admin create --email a@b.example --username a --password secret",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }

    #[test]
    fn a_name_that_is_taken_stops_every_command() {
        let mut registry = Registry::default();
        let make = |NoOptions {}, _: &Config| Err("it is never made".into());
        registry.mail.add("smtp", make, |_| None);
        for line in ["edupro serve", "edupro config", "edupro user list"] {
            let error = run(Cli::try_parse_from(line.split(' ')).unwrap(), &registry).unwrap_err();
            assert!(error.to_string().starts_with("\"smtp\" of `mail.provider` "), "{error}");
        }
    }

    #[test]
    fn a_password_is_the_first_line() {
        for (input, password) in
            [("Str0ng pass\n", "Str0ng pass"), ("a b \r\nrest", "a b "), ("x", "x")]
        {
            assert_eq!(first_line(input.as_bytes()).unwrap(), password);
        }
        assert!(first_line(&b"\nsecond"[..]).is_err());
    }
}
