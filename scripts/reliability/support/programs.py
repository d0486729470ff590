"""Programs that a test runs, and where they come from."""

import functools
import glob
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()


def build(*arguments):
    """Builds in the release profile; quiet unless it fails."""
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet", *arguments], cwd=ROOT, check=True)


def edupro():
    build("-p", "edupro-server")
    return TARGET / "release/edupro"


@functools.cache
def tcp_proxy():
    program = TARGET / "release/tcp-proxy"
    build("-p", "edupro-suite", "--bin", "tcp-proxy")
    return program


def previous():
    """The program of the version before the newest migration, built once and kept in target/previous."""
    migrations = sorted((ROOT / "edupro-storage/migrations").glob("*.sql"))
    number = migrations[-1].name.split("_")[0]
    newest = [str(path.relative_to(ROOT)) for path in migrations if path.name.startswith(number)]
    git = ["git", "-C", str(ROOT)]
    added = subprocess.run([*git, "log", "--diff-filter=A", "--format=%H", "--", *newest], stdout=subprocess.PIPE, text=True, check=True)
    commit = subprocess.run([*git, "rev-parse", f"{added.stdout.split()[-1]}^"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    place = TARGET / "previous"
    program, source = place / f"edupro-{commit[:12]}", place / "source"
    if not program.exists():
        place.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(source, ignore_errors=True)
        subprocess.run([*git, "worktree", "prune"], check=True)
        subprocess.run([*git, "worktree", "add", "--quiet", "--detach", str(source), commit], check=True)
        command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "edupro-server", "--target-dir", str(place)]
        subprocess.run(command, cwd=source, check=True)
        shutil.copy2(place / "release/edupro", program)
        subprocess.run([*git, "worktree", "remove", "--force", str(source)], check=True)
    return program


def need(name, package=None):
    """The path of a program, which is installed from Debian's packages if it is missing."""
    found = shutil.which(name)
    if not found and shutil.which("apt-get"):
        sudo = [] if os.getuid() == 0 else ["sudo", "-n"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*sudo, "apt-get", "-qq", "update"], **quiet)
        install = ["apt-get", "-qq", "install", "--no-install-recommends", package or name]
        subprocess.run([*sudo, "env", "DEBIAN_FRONTEND=noninteractive", *install], **quiet)
        found = shutil.which(name)
    if not found:
        sys.exit(f"install {package or name}: this test runs {name}")
    return found


def postgres_programs():
    """The directory with initdb and pg_ctl, where scripts/test looks for it as well."""
    given = os.environ.get("EDUPRO_TEST_POSTGRES_BIN")
    if given:
        return given
    if shutil.which("initdb") and shutil.which("pg_ctl"):
        return os.path.dirname(shutil.which("pg_ctl"))
    places = ("/usr/lib/postgresql/*", "/usr/pgsql-*", "/opt/homebrew/opt/postgresql*", "/usr/local/opt/postgresql*")
    for place in places:
        found = glob.glob(f"{place}/bin/initdb")
        if found:
            newest = max(found, key=lambda path: [int(number) for number in re.findall(r"\d+", path)])
            return os.path.dirname(newest)
    sys.exit("install PostgreSQL's server (scripts/test does), or set EDUPRO_TEST_POSTGRES_BIN")
