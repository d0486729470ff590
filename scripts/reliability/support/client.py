"""Somebody who asks the school for things."""

import http.client
import json
import time
import uuid
from dataclasses import dataclass

API = "/api/v1"


class Unanswered(Exception):
    """The connection ended before the answer was there."""


@dataclass
class Answer:
    status: int
    body: object
    headers: http.client.HTTPMessage
    seconds: float
    # Of what it is one, for whoever counts.
    kind: str = ""


class Client:
    """Somebody with cookies, on one connection."""

    # A set that gets the value of every cookie that anybody is given, for a test that looks for them.
    given = None

    def __init__(self, port, cookies=None, timeout=20):
        self.port, self.cookies, self.timeout = port, dict(cookies or {}), timeout
        self.connection = None

    def again(self, port=None):
        """The same person on another connection, perhaps to another server."""
        return Client(port or self.port, self.cookies, self.timeout)

    def ask(self, method, path, body=None, headers=None):
        """The answer; `Unanswered` when there is none. A body that is no bytes is sent as JSON."""
        headers = {"Content-Type": "application/json", **(headers or {})}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        begin = time.monotonic()
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            self.connection.request(method, path, body, headers)
            got = self.connection.getresponse()
            text = got.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(f"{method} {path}: {error!r} after {time.monotonic() - begin:.1f} s") from error
        seconds = time.monotonic() - begin
        for cookie in got.headers.get_all("Set-Cookie", []):
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
            if Client.given is not None and value:
                Client.given.add(value)
        is_json = got.headers.get("Content-Type", "").startswith("application/json")
        return Answer(got.status, json.loads(text) if text and is_json else text, got.headers, seconds)

    def api(self, method, path, body=None, headers=None):
        """The answer to a request below /api/v1."""
        return self.ask(method, API + path, body, headers)

    def must(self, status, method, path, body=None):
        """The body of an answer of the API with this status; any other one ends the test."""
        answer = self.api(method, path, body)
        if answer.status != status:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {answer.body}")
        return answer.body

    def send_form(self, method, path, fields, files=()):
        """A multipart form: fields by name; files as (field, file name, content type, bytes)."""
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        for field, name, kind, content in files:
            head = f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: {kind}'
            parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
        body = b"".join([*parts, f"--{boundary}--\r\n".encode()])
        return self.api(method, path, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None
