"""The time of the laptop cloud: it can run faster than the machine's, and be moved forward.

Retries, backoff, leases and retention go by it. What a worker does takes the machine's time, so
the timeout of a push request does not.
"""

import threading
import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch, `speed` of them for each of the machine's. Safe to share."""

    def __init__(self, speed: float = 1.0, *, machine: Callable[[], float] = time.time) -> None:
        self._machine = machine
        self._speed = speed
        self._began = machine()
        self._skipped = 0.0
        self._waiting: set[threading.Condition] = set()
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._began + (self._machine() - self._began) * self._speed + self._skipped

    def ahead(self) -> float:
        """By how many seconds it is ahead of the machine's time."""
        return (self._machine() - self._began) * (self._speed - 1) + self._skipped

    @property
    def speed(self) -> float:
        """Seconds of ours for each of the machine's."""
        return self._speed

    def advance(self, seconds: float) -> None:
        """Move it forward at once; whoever waits for a time looks again. Raises ValueError."""
        if not seconds >= 0:
            raise ValueError("time cannot be moved back")
        with self._lock:
            self._skipped += seconds
            waiting = list(self._waiting)
        for condition in waiting:
            with condition:
                condition.notify_all()

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Wait on `condition`, which the caller holds, for a notice or so many seconds of ours.

        It may return earlier than that: who waits for a time looks at `now` and waits again.
        """
        with self._lock:
            self._waiting.add(condition)
        condition.wait(None if seconds is None else max(seconds, 0.0) / self._speed)
