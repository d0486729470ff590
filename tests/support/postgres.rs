//! A throw-away PostgreSQL for the tests.
//!
//! Each test gets a database of its own, already migrated. The server behind them is started by
//! the first test of a process and ends with the process, however that ends;
//! `EDUPRO_TEST_DATABASE_URL` names another one, whose user may create databases. Without either
//! a test fails: an engine that is skipped is an engine that nobody tests.

// Clippy then knows that the helpers here are tests too.
#![cfg(test)]

use std::{
    io::Read,
    net::TcpListener,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    str::FromStr,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor,
    postgres::{PgConnectOptions, PgConnection},
};
use tokio::sync::OnceCell;

/// The URL of a new database. The first call of the process has `migrate` prepare the template
/// that all of them are copied from; it closes its connections before it returns.
pub(crate) async fn database(migrate: impl AsyncFnOnce(&str)) -> String {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    static DATABASES: AtomicUsize = AtomicUsize::new(1);

    let server = SERVER.get_or_init(|| Server::start(migrate)).await;
    let name = server.name(DATABASES.fetch_add(1, Ordering::Relaxed));
    let template = server.name("template");
    let mut connection = server.options.connect().await.expect("PostgreSQL accepts connections");
    run(&mut connection, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    connection.close().await.expect("PostgreSQL says goodbye");
    server.url(&name)
}

struct Server {
    options: PgConnectOptions,
    /// What tells this process's databases from those of others on the same server.
    session: i32,
    /// Open for as long as the process runs: others see by it that its databases are in use.
    _session: Mutex<PgConnection>,
    /// Our end of the cluster's lifeline, see [`CLUSTER`].
    _cluster: Option<Child>,
}

impl Server {
    async fn start(migrate: impl AsyncFnOnce(&str)) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test has no configuration file")]
        let given = std::env::var("EDUPRO_TEST_DATABASE_URL").ok();
        let (cluster, url) = if let Some(url) = given {
            (None, url)
        } else {
            let (cluster, port) = start_cluster();
            (Some(cluster), format!("postgres://postgres@127.0.0.1:{port}/postgres"))
        };
        let options = PgConnectOptions::from_str(&url).expect("a PostgreSQL URL");
        let mut connection = options.connect().await.expect("PostgreSQL accepts connections");
        let session = sqlx::query_scalar("SELECT pg_backend_pid()")
            .fetch_one(&mut connection)
            .await
            .expect("PostgreSQL numbers its sessions");
        drop_abandoned_databases(&mut connection).await;

        let server = Self { options, session, _session: Mutex::new(connection), _cluster: cluster };
        server.prepare_template(migrate).await;
        server
    }

    async fn prepare_template(&self, migrate: impl AsyncFnOnce(&str)) {
        let template = self.name("template");
        let mut connection = self.options.connect().await.expect("PostgreSQL accepts connections");
        // With the C locale text is ordered by its bytes, as SQLite does.
        let create = format!(
            "CREATE DATABASE {template} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
        );
        run(&mut connection, create).await;
        migrate(&self.url(&template)).await;
        // PostgreSQL copies a database only while nobody is in it.
        run(&mut connection, format!("ALTER DATABASE {template} ALLOW_CONNECTIONS false")).await;
        connection.close().await.expect("PostgreSQL says goodbye");
    }

    fn name(&self, suffix: impl std::fmt::Display) -> String {
        format!("edupro_test_{}_{suffix}", self.session)
    }

    fn url(&self, database: &str) -> String {
        self.options.clone().database(database).to_url_lossy().into()
    }
}

/// On a server that outlives us, earlier processes have left their databases: those named after a
/// session that is no more.
async fn drop_abandoned_databases(connection: &mut PgConnection) {
    let abandoned: Vec<String> = sqlx::query_scalar(
        r"SELECT quote_ident(datname)
          FROM pg_database
          WHERE datname LIKE 'edupro\_test\_%'
            AND split_part(datname, '_', 3) NOT IN (SELECT pid::text FROM pg_stat_activity)",
    )
    .fetch_all(&mut *connection)
    .await
    .expect("PostgreSQL lists its databases");
    for name in abandoned {
        // Another process may be tidying up as well.
        run(connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    }
}

async fn run(connection: &mut PgConnection, statement: String) {
    if let Err(error) = connection.execute(AssertSqlSafe(statement.clone())).await {
        panic!("{statement}: {error}");
    }
}

/// A cluster's whole life, in a process of its own: it waits on its standard input, which closes
/// when the test process ends in whatever way, then stops the server and removes the files. One
/// script does it in order, so there is no moment at which a kill could leave something behind.
const CLUSTER: &str = r#"
    # Neither the end of a whole container nor that of the reader of our words may end this script
    # before its work is done.
    trap '' HUP INT TERM PIPE
    exec 2>&1
    PATH=${EDUPRO_TEST_POSTGRES_BIN:+$EDUPRO_TEST_POSTGRES_BIN:}$PATH
    if ! { command -v initdb && command -v pg_ctl; } >/dev/null; then
        echo "PostgreSQL's initdb and pg_ctl are not on PATH: run scripts/test, which finds or installs them, or set EDUPRO_TEST_POSTGRES_BIN or EDUPRO_TEST_DATABASE_URL"
        exit 1
    fi

    directory=$(mktemp -d "${TMPDIR:-/tmp}/edupro-test-postgres-XXXXXX") && cd "$directory" || exit 1
    export PGDATA=$directory/data

    start() {
        initdb --no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C || return 1
        # Nothing here is worth keeping: no write waits for the disk.
        printf '%s\n' >>data/postgresql.conf \
            "listen_addresses = '127.0.0.1'" \
            "unix_socket_directories = '$directory'" \
            "max_connections = 200" \
            "fsync = off" \
            "full_page_writes = off" \
            "synchronous_commit = off"
        # Between our look and the server's start someone else may have taken a port.
        for port; do
            pg_ctl --wait --log=server --options="-p $port" start && return
        done
        return 1
    } >log 2>&1

    if start "$@"; then
        echo "ready $port"
        exec >/dev/null 2>&1
        cat
        pg_ctl --mode=immediate stop
    else
        cat log server 2>/dev/null
    fi
    cd / && rm -rf "$directory"
"#;

fn start_cluster() -> (Child, u16) {
    let mut command = Command::new("sh");
    command.args(["-c", CLUSTER, "sh"]).args(free_ports().map(|port| port.to_string()));
    // Ctrl-C on the test runner goes to the runner's process group.
    command.process_group(0).current_dir("/");
    if number(&["-u"]) == Some(0) {
        // PostgreSQL does not run as root.
        let user = if number(&["-u", "postgres"]).is_some() { "postgres" } else { "nobody" };
        let ids = number(&["-u", user]).zip(number(&["-g", user]));
        let (user, group) = ids.expect("a user other than root to run PostgreSQL");
        command.uid(user).gid(group);
    }
    let mut cluster =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
    let mut said = String::new();
    let mut output = cluster.stdout.take().expect("a piped output");
    output.read_to_string(&mut said).expect("the cluster's words");
    match said.strip_prefix("ready ").and_then(|port| port.trim().parse().ok()) {
        Some(port) => (cluster, port),
        None => panic!("{}", said.trim()),
    }
}

/// Five ports of the loopback interface that are free now.
fn free_ports() -> [u16; 5] {
    // Held together, so that they differ.
    let listeners =
        [(); 5].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free loopback port"));
    listeners.map(|listener| listener.local_addr().expect("a bound listener").port())
}

/// What `id` says about a user or a group, if there is such a one.
fn number(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
