"""A mail server that can be down, silent, slow, busy, or somebody else."""

import re
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass

from .ports import free_port
from .programs import need


def code_in(text):
    """The code for a new password in a mail, if there is one."""
    found = re.search(r"code is: (\w{6})", text)
    return found and found[1]


@dataclass
class Mail:
    to: str
    id: str
    text: str
    at: float

    @property
    def code(self):
        return code_in(self.text)


class MailServer:
    """SMTP on a port of its own. What it does is its `mode`, which counts from the next command on:

    `well`: takes mails; `silent`: takes calls and says nothing; `slow`: waits `pause` seconds before
    each answer; `busy`: says that it cannot just now, to one mail before and to the next after it was
    sent; `down`: nobody takes the call.

    With `certificate` it speaks TLS from the first byte; it shows the one that is set when it is
    called.
    """

    def __init__(self, mode="well", certificate=None, pause=0.0):
        self.certificate, self.pause, self.port = certificate, pause, free_port()
        self.mails, self.calls, self.failed_handshakes, self.busy = [], 0, 0, 0
        self.heard, self.lock, self.listener = [], threading.Lock(), None
        self.turn(mode)

    def turn(self, mode):
        """Does this from now on; whom silence kept waiting is answered."""
        was_up, self.mode = self.listener is not None, mode
        if mode == "down" and was_up:
            self.close()
        if mode != "down" and not was_up:
            self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def close(self):
        if self.listener:
            # Only this wakes who waits in accept.
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        self.listener = None

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with self.lock:
            self.calls += 1
        client.settimeout(60)
        try:
            if self.certificate:
                try:
                    client = self.certificate.wrap_socket(client, server_side=True)
                    # What the other side does not believe it says only after the handshake.
                    client.sendall(b"")
                except (ssl.SSLError, ConnectionError):
                    with self.lock:
                        self.failed_handshakes += 1
                    return
            with client, client.makefile("rwb", buffering=0) as lines:
                self._talk(lines)
        except (OSError, ValueError):
            return

    def _say(self, lines, text):
        while self.mode == "silent":
            time.sleep(0.05)
        if self.mode == "slow":
            time.sleep(self.pause)
        lines.write(text.encode() + b"\r\n")

    def _is_busy(self):
        if self.mode != "busy":
            return None
        with self.lock:
            self.busy += 1
            return "before" if self.busy % 2 else "after"

    def _talk(self, lines):
        self._say(lines, "220 mail.example ESMTP")
        sender = receiver = busy = None
        while True:
            line = lines.readline().decode("latin-1").rstrip("\r\n")
            if not line:
                return
            with self.lock:
                self.heard.append(line)
            word = line.split()[0].upper()
            if word == "EHLO":
                self._say(lines, "250-mail.example\r\n250-AUTH PLAIN\r\n250 8BITMIME")
            elif word == "AUTH":
                self._say(lines, "235 2.7.0 Welcome")
            elif word == "MAIL":
                sender, busy = line, self._is_busy()
                self._say(lines, "250 2.1.0 Ok")
            elif word == "RCPT":
                receiver = re.search(r"<(.*)>", line)[1]
                self._say(lines, "451 4.3.2 Not now" if busy == "before" else "250 2.1.5 Ok")
            elif word == "DATA" and sender and receiver:
                self._say(lines, "354 Go on")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    piece = lines.readline()
                    if not piece:
                        return
                    text += piece
                if busy == "after":
                    self._say(lines, "451 4.3.0 Not now")
                    continue
                text = text.decode("latin-1")
                with self.lock:
                    self.mails.append(Mail(receiver, re.search(r"Message-ID: *(\S+)", text, re.I)[1], text, time.monotonic()))
                self._say(lines, "250 2.0.0 Taken")
            elif word == "QUIT":
                self._say(lines, "221 2.0.0 Bye")
                return
            else:
                self._say(lines, "250 2.0.0 Ok")


class Authority:
    """Certificates for a day, in a folder."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.file = folder / f"{name}.pem"
        self._openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={name}",
            "-keyout", folder / f"{name}.key", "-out", self.file,
        )

    def certificate(self, names):
        """What a server shows that has these names: `IP:127.0.0.1`, `DNS:mail.example`."""
        place = self.folder / f"{self.name}-{re.sub(r'[^a-z0-9]', '-', names.lower())}"
        request, key, shown, extensions = (f"{place}.{ending}" for ending in ("csr", "key", "crt", "ext"))
        with open(extensions, "w") as file:
            file.write(f"subjectAltName = {names}\nbasicConstraints = critical, CA:FALSE\n")
        self._openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=mail", "-keyout", key, "-out", request,
        )
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.folder / f"{self.name}.key",
            "-CAcreateserial", "-days", "1", "-extfile", extensions, "-out", shown,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(shown, key)
        return context

    @staticmethod
    def _openssl(*words):
        subprocess.run(
            [need("openssl"), *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )


def code_for(server, email, seen):
    """The code of a mail to somebody that a server has written to a file (`mail.provider = "file"`) and that
    is not in `seen` yet, which it then is."""
    for _ in range(1000):
        for mail in (server.data / "mail").glob("*.eml"):
            text = mail.read_text()
            code = code_in(text)
            if mail.name not in seen and f"To: {email}" in text and code:
                seen.add(mail.name)
                return code
        time.sleep(0.01)
    raise RuntimeError(f"no mail with a code for {email}")
