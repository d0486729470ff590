"""A host of videos that speaks as VdoCipher does, and can be down, slow, broken, or talk nonsense."""

import json
import re
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from .ports import free_port


class VideoHost:
    """What it does is its `mode`: `well`; `down`: nobody takes the call; `slow`: says nothing for so
    long that nobody waits for it, and does nothing; `failing`: 503; `garbage`: a page instead of data.
    """

    SLOW = 8

    def __init__(self, api_secret):
        self.api_secret, self.port, self.mode = api_secret, free_port(), "well"
        # By name: the title, and whether a film has come. What was done, as (method, path, name).
        self.videos, self.done, self.calls = {}, [], 0
        self.lock, self.server = threading.Lock(), None
        self.turn("well")

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.port}/api"

    def settings(self):
        """For the server that keeps its videos here."""
        return {"video__provider": "vdocipher", "video__api_secret": self.api_secret, "video__base_url": self.base_url}

    def turn(self, mode):
        self.mode = mode
        if mode == "down":
            self.close()
        elif self.server is None:
            handler = type("Handler", (_Handler,), {"host": self})
            self.server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
            threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        if self.server:
            self.server.shutdown()
            # Does not wait for those who are being answered slowly.
            self.server.socket.close()
        self.server = None

    def calls_of(self, method, name=None):
        """How often it did this, to this video."""
        return sum(done[0] == method and name in (None, done[2]) for done in self.done)

    def act(self, method, path, query, is_known):
        """The status and the answer."""
        if path == "/bucket" and method == "POST":
            return 201, b""
        if not is_known:
            return 401, {"message": "Invalid API Secret"}
        if path == "/api/videos":
            return self._act_on_all(method, query)
        name, _, what = path.removeprefix("/api/videos/").partition("/")
        if name not in self.videos:
            return 404, {"message": "Video not found"}
        self.done.append((method, path, name))
        if what == "otp" and method == "POST":
            return 200, {"otp": secrets.token_hex(32), "playbackInfo": secrets.token_hex(16)}
        if what == "" and method == "GET":
            return 200, {"id": name, "title": self.videos[name], "status": "ready", "length": 25}
        return 405, {"message": "Method not allowed"}

    def _act_on_all(self, method, query):
        if method == "PUT":
            name = secrets.token_hex(16)
            self.videos[name] = query["title"]
            self.done.append((method, "/api/videos", name))
            ours = ("policy", "key", "x-amz-signature", "x-amz-algorithm", "x-amz-date", "x-amz-credential")
            link = {"uploadLink": f"http://127.0.0.1:{self.port}/bucket"}
            return 200, {"videoId": name, "clientPayload": {**{key: f"{key}-{name}" for key in ours}, **link}}
        if method == "DELETE":
            for name in query["videos"].split(","):
                self.done.append((method, "/api/videos", name))
                self.videos.pop(name, None)
            return 200, {"code": 200, "message": "Successfully deleted"}
        rows = [{"id": name, "title": title, "status": "ready", "length": 25} for name, title in self.videos.items() if title == query.get("q")]
        return 200, {"count": len(rows), "rows": rows}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True
    host = None

    def _handle(self):
        host = self.host
        host.calls += 1
        left = int(self.headers.get("Content-Length") or 0)
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 16)))
        if host.mode == "down":
            self.close_connection = True
            return
        if host.mode == "slow":
            time.sleep(host.SLOW)
            self.close_connection = True
            return
        if host.mode == "failing":
            status, answer = 503, {"message": "Try again"}
        elif host.mode == "garbage":
            status, answer = 200, b"<html><body>Welcome to the wifi of this hotel"
        else:
            url = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(url.query).items()}
            is_known = self.headers.get("Authorization") == f"Apisecret {host.api_secret}"
            with host.lock:
                status, answer = host.act(self.command, re.sub("/$", "", url.path), query, is_known)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _handle

    def log_message(self, *_):
        pass
