"""Servers to be faster than, from a folder given with --peers: what they need is installed into
target/bench, and their tables get the data that they bring with them."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from performance import dataset

WORKERS = 2


class Peers:
    def __init__(self, folder, home, cluster):
        self.folder, self.home, self.cluster = Path(folder).resolve(), home, cluster
        cluster.sql("CREATE DATABASE peers")
        for file in ("schema_django", "gen", "map_django"):
            cluster.run("psql", "--quiet", "--output=/dev/null", f"--file={self.folder}/sql/{file}.sql", cluster.url(database="peers"))

    def cookie(self, kind, number):
        """The peers' own access token."""
        user, now = str(dataset.id_of(f"{kind}-user", number)), int(time.time())
        claims = {"token_type": "access", "exp": now + 48 * 3600, "iat": now, "jti": hashlib.md5(user.encode()).hexdigest(), "user_id": user}
        parts = b".".join(
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256", "typ": "JWT"}, claims)
        )
        tag = base64.urlsafe_b64encode(hmac.new(dataset.SECRET.encode(), parts, hashlib.sha256).digest()).rstrip(b"=")
        return f"access_token={(parts + b'.' + tag).decode()}"

    def commands(self):
        """Those that this machine can run: name, command line for a port, folder, more environment."""
        gunicorn = self._python("drf")
        if gunicorn:
            yield "DRF", lambda port: [gunicorn / "gunicorn", "lms.wsgi:application", "-w", str(WORKERS + 1), "-b", f"127.0.0.1:{port}",
                                       "--log-level", "warning"], self.folder / "drf", {}
        uvicorn = self._python("fastapi")
        if uvicorn:
            def serve(port):
                return [uvicorn / "uvicorn", "app:app", "--host", "127.0.0.1", "--port", str(port), "--workers", str(WORKERS),
                        "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
            yield "FastAPI", serve, self.folder / "fastapi", {}
            yield "FastAPI, raw", serve, self.folder / "fastapi", {"PEER_RAW": "1"}
        node = self._node("fastify")
        if node:
            yield "Fastify", lambda port: ["node", "server.mjs"], node, {"WORKERS": str(WORKERS)}

    def environment(self, port):
        return {
            "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PGHOST": "127.0.0.1", "PGPORT": str(self.cluster.port),
            "PGUSER": "postgres", "PGDATABASE": "peers", "PEER_SECRET": dataset.SECRET, "PORT": str(port), "NODE_ENV": "production",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _python(self, name):
        place = self.home / name
        wanted = self.folder / name / "requirements.txt"
        if not (place / "installed").exists():
            commands = [[sys.executable, "-m", "venv", place], [place / "bin/pip", "install", "--quiet", "-r", wanted]]
            if not all(subprocess.run(command).returncode == 0 for command in commands):
                print(f"without {name}: it could not be installed", file=sys.stderr)
                return None
            (place / "installed").touch()
        return place / "bin"

    def _node(self, name):
        place = self.home / name
        if not shutil.which("npm"):
            print(f"without {name}: there is no npm", file=sys.stderr)
            return None
        if not (place / "node_modules").exists():
            shutil.copytree(self.folder / name, place, dirs_exist_ok=True)
            if subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=place).returncode:
                shutil.rmtree(place)
                print(f"without {name}: it could not be installed", file=sys.stderr)
                return None
        return place
