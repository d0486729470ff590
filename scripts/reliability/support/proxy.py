"""A line that can be bad: tests/support/proxy.rs between two programs."""

import subprocess

from .programs import tcp_proxy


class Proxy:
    """Listens on `port` and passes everything on to `target`, until it is told otherwise."""

    def __init__(self, target):
        self.process = subprocess.Popen(
            [tcp_proxy(), f"127.0.0.1:{target}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.port = int(self.process.stdout.readline())

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline().strip()
        if said != "done":
            raise RuntimeError(f"tcp-proxy {words}: {said}")

    def flow(self):
        """Everything passes again, also what was held up."""
        self.tell("flow")

    def hold(self):
        """Nothing passes and nobody is told: the other side seems to be silent."""
        self.tell("hold")

    def refuse(self):
        """Connections are reset, those that are there and those that come."""
        self.tell("refuse")

    def cut(self):
        """Connections that are there are reset; new ones are welcome."""
        self.tell("cut")

    def finish(self):
        """Both sides are told that the other has nothing more to say."""
        self.tell("finish")

    def delay(self, milliseconds):
        self.tell("delay", milliseconds)

    def limit(self, bytes_per_second):
        """So much passes in each direction of each connection; 0 is no limit."""
        self.tell("limit", bytes_per_second)

    def turn_to(self, port):
        """Where new connections go from now on."""
        self.tell("target", f"127.0.0.1:{port}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()
