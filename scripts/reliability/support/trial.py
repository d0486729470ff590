"""A test of security.md section 4 on one engine, and its line."""

import argparse
import contextlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path

from . import programs
from .postgres import Cluster
from .proxy import Proxy
from .server import Server

ENGINES = ("sqlite", "postgres")


class Trial:
    """What a test starts ends with it; what it finds is one line, and it fails when a figure is not
    within its bounds or when there is a fault."""

    def __init__(self, engine, program, folder, stack, given):
        self.engine, self.program, self.folder, self.stack, self.given = engine, program, folder, stack, given
        self.figures, self.faults, self.is_well, self.servers = [], [], True, 0
        self._cluster, self._lock = None, threading.Lock()

    @property
    def cluster(self):
        """The engine's PostgreSQL, started when it is first asked for."""
        with self._lock:
            if self._cluster is None:
                self._cluster = self.start_cluster()
            return self._cluster

    def start_cluster(self, settings=()):
        cluster = Cluster(settings)
        self.stack.callback(cluster.close)
        return cluster

    def database(self, name=None):
        """The URL for a server: `None` is a file in the server's folder. With a name it is a new one."""
        if self.engine == "sqlite":
            return None
        if name:
            self.cluster.sql(f'CREATE DATABASE "{name}"')
        return self.cluster.url(database=name or "postgres")

    def rows(self, server, text):
        """What a query says of a server's database, each row a list of texts."""
        if server.database:
            return self.cluster.sql(text, database=server.database.rpartition("/")[2])
        with contextlib.closing(sqlite3.connect(f"file:{server.data}/edupro.db?mode=ro", uri=True, timeout=10)) as base:
            return [["" if value is None else str(value) for value in row] for row in base.execute(text)]

    def server(self, folder="school", database=None, start=True, **settings):
        """A server on this engine; on the same folder or database it is another replica."""
        self.servers += 1
        server = Server(self.program, self.folder / folder, database or self.database(), **settings)
        self.stack.callback(server.kill)
        if start:
            server.start()
        return server

    def proxy(self, target):
        proxy = Proxy(target)
        self.stack.callback(proxy.close)
        return proxy

    def figure(self, name, value, unit="", most=None, least=None):
        """Notes a measure and, if it has bounds, whether it keeps them."""
        shown = f"{value:.0f}" if isinstance(value, float) and value >= 100 else f"{value:.3g}" if isinstance(value, float) else str(value)
        bounds = [f"{sign} {bound}" for sign, bound in (("≤", most), ("≥", least)) if bound is not None]
        is_kept = (most is None or value <= most) and (least is None or value >= least)
        self.is_well &= is_kept
        self.figures.append(
            f"{name} {shown}{' ' + unit if unit else ''}{' (' + ', '.join(bounds) + ')' if bounds else ''}"
            f"{'' if is_kept else ' MISSED'}"
        )

    def fault(self, text):
        self.is_well = False
        self.faults.append(str(text))

    def line(self, number):
        return f"{number:4} {self.engine:8} {'ok' if self.is_well else 'FAILED':6} {'; '.join(self.figures)}"


def run(number, trial, engines=ENGINES, options=None, prepare=None, title=None, together=False):
    """The whole program: `trial` is called for each engine that was asked for, one after another, or
    `together`, for tests that mostly wait.

    `options` adds to the parser what this test can be told besides, `prepare` installs and builds
    what it needs besides the server. Exit code 1 when any failed.
    """
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--engine", choices=ENGINES, action="append", help="only on this one")
    parser.add_argument("--program", type=Path, help="the edupro to test, instead of a new release build")
    parser.add_argument("--prepare", action="store_true", help="only install and build what it needs")
    if options:
        options(parser)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    program = given.program.resolve() if given.program else programs.edupro()
    if prepare:
        prepare()
    if given.prepare:
        sys.exit(0)
    if together and not given.engine:
        sys.exit(_each_alone(engines, program))
    # All engines are tried, also when the first has failed.
    wanted = given.engine or engines
    results = [_try(number, trial, engine, program, given) for engine in wanted if engine in engines]
    for engine in set(wanted) - set(engines):
        print(f"{number:4} {engine:8} none   there is nothing to try on it")
    sys.exit(0 if all(results) else 1)


def _each_alone(engines, program):
    """This program once for each engine, at the same time; 1 when any failed."""
    command = [sys.executable, *sys.argv, "--program", program, "--engine"]
    ones = [subprocess.Popen([*command, engine]) for engine in engines]
    try:
        return max(one.wait() != 0 for one in ones)
    finally:
        for one in ones:
            if one.poll() is None:
                one.terminate()
        for one in ones:
            one.wait()


def _try(number, trial, engine, program, given):
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edupro-trial-")))
        found = Trial(engine, program, folder, stack, given)
        try:
            trial(found)
        except Exception as error:
            traceback.print_exc()
            found.fault(f"{type(error).__name__}: {error}")
        for fault in found.faults[:20]:
            print(f"{number} {engine}: {fault}", file=sys.stderr)
        print(found.line(number), flush=True)
        return found.is_well
