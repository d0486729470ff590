"""`edupro serve`, and what it costs."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from .client import Client, Unanswered
from .ports import free_port

# A test that asks a thousand times in a second is not what the limits are for, and its sessions are
# longer than it. Tests of limits and of tokens say otherwise.
SETTINGS = {"auth__throttle": "false", "auth__access_ttl": "6h"}


class Server:
    """One process on a folder, on a port of its own. `around` is put before its command line, for
    programs that watch it."""

    def __init__(self, program, folder, database=None, around=(), **settings):
        self.program, self.folder, self.port, self.process = program, Path(folder), free_port(), None
        self.around, self.database = list(around), database
        self.folder.mkdir(exist_ok=True)
        self.log = self.folder / "log"
        settings = {**SETTINGS, **settings}
        if database:
            settings["database__url"] = database
        # Nothing else: what is set around the test is not what is tested.
        self.environment = {f"EDUPRO_{key.upper()}": str(value) for key, value in settings.items()}
        self.environment["PATH"] = os.environ["PATH"]

    @property
    def data(self):
        return self.folder / "edupro-data"

    def launch(self):
        """Starts it and does not wait."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.around, self.program, "serve", "--addr", f"127.0.0.1:{self.port}"],
                cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )

    def start(self, patience=20):
        """Starts it; the seconds to the first 200 of /readyz."""
        begin = time.monotonic()
        self.launch()
        self.wait_for("/readyz", 200, patience)
        return time.monotonic() - begin

    def wait_for(self, path, status, patience=20):
        """The seconds until a path first answers with this status."""
        begin = time.monotonic()
        while time.monotonic() < begin + patience:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(Unanswered):
                client = Client(self.port, timeout=patience)
                answer = client.ask("GET", path)
                client.close()
                if answer.status == status:
                    return time.monotonic() - begin
            time.sleep(0.002)
        raise RuntimeError(f"{path} did not answer {status} within {patience} s:\n{self.log.read_text()[-4000:]}")

    def command(self, *words, text=None):
        """What another command of the program says, on the same configuration."""
        done = subprocess.run(
            [self.program, *words], cwd=self.folder, env=self.environment, input=text, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        if done.returncode:
            raise RuntimeError(f"edupro {' '.join(words)}: {done.stderr}")
        return done.stdout

    def stop(self, patience=60):
        """Asks it to end; its exit code and the seconds that took."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(patience)
        return code, time.monotonic() - begin

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def memory(self, field="VmRSS"):
        """MB in memory: now, or with VmHWM the most so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(f"{field}:"))
        return int(line.split()[1]) * 1024 / 1e6

    def reset_peak(self):
        """VmHWM starts again from now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stored(self):
        """The files that were uploaded."""
        return [path for path in (self.data / "files").rglob("*") if path.is_file() and ".staging" not in path.parts]

    def staged(self):
        """How many uploads are under way, or were left behind."""
        return sum(path.is_file() for path in (self.data / "files/.staging").rglob("*"))

    def log_lines(self, *words):
        """Lines of the log with all of these words."""
        return [line for line in self.log.read_text().splitlines() if all(word in line for word in words)]
