"""What was acknowledged, and whether it is there afterwards."""

import itertools
import threading

from .client import Unanswered


class Journal:
    """Writers make courses and note each that was acknowledged."""

    def __init__(self, teacher):
        self.teacher, self.names, self.lock = teacher, itertools.count(1), threading.Lock()
        self.acknowledged, self.unanswered = {}, set()

    def write(self, client):
        """Makes one more course; the answer."""
        title = f"Noted {next(self.names)}"
        body = {"title": title, "description": "Sound and light", "price": 50}
        try:
            answer = client.api("POST", "/course/create/", body)
        except Unanswered:
            with self.lock:
                self.unanswered.add(title)
            raise
        with self.lock:
            if answer.status == 201:
                self.acknowledged[answer.body["id"]] = title
        return answer

    def writers(self, count, port=None):
        """Works for a `Crowd`."""
        clients = [self.teacher.client.again(port) for _ in range(count)]
        return [("write", lambda client=client: self.write(client)) for client in clients]

    def lost(self, port=None):
        """Courses that were acknowledged and are not there, or there under another title."""
        client, there = self.teacher.client.again(port), {}
        page = 1
        while page:
            answer = client.must(200, "GET", f"/course/list-by-teacher/?page={page}&page_size=100")
            rows = answer if isinstance(answer, list) else answer["results"]
            there.update((row["id"], row["title"]) for row in rows)
            page = page + 1 if isinstance(answer, dict) and answer["next"] else None
        return [number for number, title in self.acknowledged.items() if there.get(number) != title]
