"""Pushes straight to the workers, as Pub/Sub does: each message again and again until it is acked.

The emulator pushes two at a time for each subscription; here all are pushed at once.
"""

import http.client
import threading
from collections import Counter
from contextlib import closing
from random import Random
from typing import Self

from tests.faults.messages import Sent
from tests.support.server import WAIT_SECONDS

ACK_DEADLINE_SECONDS = 10.0
_AGAIN_SECONDS = (0.05, 0.4)  # from a nack to the next push
_HEADERS = {"Content-Type": "application/json", "Connection": "close"}


class Pusher:
    """A thread for each message; `answers` counts the statuses of each, 0 where there was none."""

    def __init__(self, port: int, random: Random) -> None:
        self._port = port
        self._random = random
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.pushed: list[Sent] = []
        self._copies: Counter[str] = Counter()
        self.acked: Counter[str] = Counter()
        self.answers: dict[str, Counter[int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def push(self, message: Sent, copies: int = 1) -> None:
        """Begin to push it, several copies of it at once if so many are asked for."""
        self.pushed.append(message)
        self.answers[message.id] = Counter()
        self._begin(message, copies)

    def push_again(self, message: Sent) -> None:
        """Begin to push one that was acked: Pub/Sub delivers at least once."""
        self._begin(message, copies=1)

    def _begin(self, message: Sent, copies: int) -> None:
        self._copies[message.id] += copies
        threads = [
            threading.Thread(target=self._until_acked, args=(message,), daemon=True)
            for _ in range(copies)
        ]
        self._threads += threads
        for thread in threads:
            thread.start()

    def stop(self) -> None:
        """Push no more; what was not acked, Pub/Sub still has."""
        self._over.set()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)

    def not_acked(self) -> set[str]:
        """The messages of which Pub/Sub still has a copy."""
        with self._lock:
            return {one for one, copies in self._copies.items() if self.acked[one] < copies}

    def _until_acked(self, message: Sent) -> None:
        while not self._over.is_set():
            status = self._push_once(message.body)
            with self._lock:
                self.answers[message.id][status] += 1
                self.acked[message.id] += status == 200
                pause = self._random.uniform(*_AGAIN_SECONDS)
            if status == 200:
                return
            self._over.wait(pause)

    def _push_once(self, body: bytes) -> int:
        """The status, 0 without an answer in time."""
        to = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ACK_DEADLINE_SECONDS)
        with closing(to):
            try:
                to.request("POST", "/", body, _HEADERS)
                return to.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0
