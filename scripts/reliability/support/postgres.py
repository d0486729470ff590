"""A private PostgreSQL that a test may stop, kill and copy."""

import os
import pwd
import subprocess
import threading
import time

from .ports import free_port
from .programs import postgres_programs

# A cluster's whole life: it does what its standard input says, a line at a time, and answers with
# what came of it. The input closes when the test ends in whatever way; then it stops every server
# that is left and removes everything.
CLUSTER = r"""
    trap '' HUP INT TERM PIPE
    directory=$(mktemp -d "${TMPDIR:-/tmp}/edupro-postgres-XXXXXX") && cd "$directory" || exit 1
    while IFS= read -r line; do
        (eval "$line") >output 2>&1
        code=$?
        wc -c <output
        cat output
        echo "$code"
    done
    for data in data*; do pg_ctl --pgdata="$data" --mode=immediate stop; done >/dev/null 2>&1
    cd / && rm -rf "$directory"
"""


class Cluster:
    """Servers of one machine: `data` is the first one, a test may add more."""

    def __init__(self, settings=()):
        environment = {**os.environ, "PATH": f"{postgres_programs()}:{os.environ['PATH']}", "LC_ALL": "C"}
        options = {}
        if os.getuid() == 0:
            # PostgreSQL does not run as root.
            names = {entry.pw_name: entry for entry in pwd.getpwall()}
            user = names.get("postgres") or names["nobody"]
            options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        # Ctrl-C is for the test, which then closes the shell's input.
        self.shell_process = subprocess.Popen(
            ["sh", "-c", CLUSTER], cwd="/", env=environment, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options,
        )
        self.lock = threading.Lock()
        self.directory = self.shell("pwd").strip()
        self.port = free_port()
        self.shell("initdb --pgdata=data --auth=trust --username=postgres --encoding=UTF8 --locale=C")
        for setting in ("listen_addresses = '127.0.0.1'", f"unix_socket_directories = '{self.directory}'", *settings):
            self.shell(f'printf "%s\\n" "{setting}" >>data/postgresql.conf')
        self.start()

    def shell(self, line, check=True):
        """What a line of shell says, which the servers' user runs in the cluster's directory."""
        assert "\n" not in line
        with self.lock:
            self.shell_process.stdin.write(f"{line}\n".encode())
            self.shell_process.stdin.flush()
            length = int(self.shell_process.stdout.readline())
            output = self.shell_process.stdout.read(length).decode()
            code = int(self.shell_process.stdout.readline())
        if check and code:
            raise RuntimeError(f"{line}: {output}")
        return output

    def url(self, port=None, database="postgres"):
        return f"postgres://postgres@127.0.0.1:{port or self.port}/{database}"

    def start(self, data="data", port=None):
        self.shell(f"pg_ctl --pgdata={data} --wait --log={data}.log --options='-p {port or self.port}' start")

    def stop(self, mode="fast", data="data"):
        """`immediate` is what a crash leaves: nothing is written any more."""
        self.shell(f"pg_ctl --pgdata={data} --mode={mode} --wait stop")

    def kill(self, data="data"):
        """Kills the server itself; its other processes notice and end."""
        self.shell(f"kill -9 $(head -n 1 {data}/postmaster.pid)")

    def start_again(self, data="data", port=None, patience=10):
        """Starts it as soon as what a kill left is gone; the seconds that took."""
        begin = time.monotonic()
        while True:
            try:
                self.start(data, port)
                return time.monotonic() - begin
            except RuntimeError:
                if time.monotonic() > begin + patience:
                    raise
                time.sleep(0.05)

    def add_standby(self, data, way=None):
        """Copies the first server and has the copy follow it, by way of a port that may be a
        proxy's; the copy's port."""
        port = free_port()
        source = f"--host=127.0.0.1 --port={self.port} --username=postgres"
        self.shell(f"pg_basebackup {source} --pgdata={data} --checkpoint=fast --write-recovery-conf")
        if way:
            follow = f"primary_conninfo = 'host=127.0.0.1 port={way} user=postgres'"
            self.shell(f'printf "%s\\n" "{follow}" >>{data}/postgresql.auto.conf')
        self.start(data, port)
        return port

    def promote(self, data):
        """The standby takes over; the seconds until it writes."""
        begin = time.monotonic()
        self.shell(f"pg_ctl --pgdata={data} --wait promote")
        return time.monotonic() - begin

    def sql(self, text, port=None, database="postgres"):
        """The rows that a statement returns, each a list of texts."""
        done = subprocess.run(
            ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator=\x1f",
             "--set=ON_ERROR_STOP=1", "--command", text, self.url(port, database)],
            env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{text}: {done.stderr}")
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def run(self, program, *arguments):
        """Runs one of PostgreSQL's programs."""
        done = subprocess.run([program, *map(str, arguments)], env=self._environment(), stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")

    def session(self, text, port=None):
        """A connection that runs these statements meanwhile; the caller waits for it or kills it."""
        return subprocess.Popen(
            ["psql", "--no-psqlrc", "--quiet", "--command", text, self.url(port)],
            env=self._environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def close(self):
        self.shell_process.stdin.close()
        self.shell_process.wait()

    @staticmethod
    def _environment():
        return {**os.environ, "PATH": f"{postgres_programs()}:{os.environ['PATH']}", "PGCONNECT_TIMEOUT": "5"}
