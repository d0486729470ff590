"""Many people at once, and what they were answered."""

import random
import threading
import time
from dataclasses import dataclass, field

from .client import Unanswered


@dataclass
class Seen:
    """An answer, or that there was none (status 0), and when it was asked for."""

    kind: str
    status: int
    begin: float
    seconds: float
    retry_after: object = None
    body: object = field(default=None, repr=False)


class Crowd:
    """People who each do the same again and again, until told to stop or until a time is over.

    `works` are functions without arguments that return a client's `Answer`; each has a thread. Whoever
    does several things says in the answer's `kind` which of them this was. An
    exception other than `Unanswered` is a fault of the test and is raised by `stop`.
    """

    def __init__(self, works, seconds=None, pause=0.0):
        self.seen, self.errors, self.over = [], [], threading.Event()
        self.lock = threading.Lock()
        self.until = None if seconds is None else time.monotonic() + seconds
        self.pause = pause
        self.threads = [
            threading.Thread(target=self._run, args=(kind, work), daemon=True) for kind, work in works
        ]
        for thread in self.threads:
            thread.start()

    def _run(self, kind, work):
        try:
            while not self.over.is_set() and (self.until is None or time.monotonic() < self.until):
                begin = time.monotonic()
                try:
                    answer = work()
                    seen = Seen(answer.kind or kind, answer.status, begin, answer.seconds, answer.headers.get("Retry-After"), answer.body)
                except Unanswered as error:
                    seen = Seen(kind, 0, begin, time.monotonic() - begin, body=str(error))
                with self.lock:
                    self.seen.append(seen)
                if self.pause:
                    # Never all together.
                    self.over.wait(self.pause * random.uniform(0.2, 1.8))
        except Exception as error:
            self.errors.append(error)

    def join(self):
        """Waits until the time is over; everything that was seen."""
        for thread in self.threads:
            thread.join()
        if self.errors:
            raise self.errors[0]
        return self.seen

    def stop(self):
        self.over.set()
        return self.join()


def at_once(works):
    """Runs all functions at the same moment; what each returned, or the exception it raised."""
    gate, results = threading.Barrier(len(works)), [None] * len(works)

    def run(place, work):
        gate.wait()
        try:
            results[place] = work()
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def quantile(share, numbers):
    """The number that so many hundredths of them do not exceed; 0 of none."""
    numbers = sorted(numbers)
    return numbers[min(len(numbers) - 1, int(len(numbers) * share / 100))] if numbers else 0


def statuses(seen):
    """How often each status was seen, as text: `200: 31, 503: 4`; 0 is no answer."""
    found = {}
    for one in seen:
        found[one.status] = found.get(one.status, 0) + 1
    return ", ".join(f"{status}: {count}" for status, count in sorted(found.items()))
