"""A circuit breaker: what fails again and again is left alone for a while, then tried once."""

import threading
import time
from collections.abc import Callable

FAILURES = 3  # in a row, until it opens
RETRY_SECONDS = 1.0


class Circuit:
    """Closed until FAILURES calls in a row have failed: then one in RETRY_SECONDS goes through.

    The first that works closes it again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._next_try = 0.0  # seconds on the clock
        self._lock = threading.Lock()

    def is_open(self) -> bool:
        """Whether calls are kept back."""
        return self._failures >= FAILURES

    def lets_through(self) -> bool:
        """Whether a call may be made now; who asks has to make it, and tell what it came to."""
        if not self.is_open():
            return True
        with self._lock:
            now = self._clock()
            if self.is_open() and now < self._next_try:
                return False
            self._next_try = now + RETRY_SECONDS
            return True

    def worked(self) -> bool:
        """A call was answered. Returns whether that has closed the circuit."""
        if not self._failures:
            return False
        with self._lock:
            closes, self._failures = self.is_open(), 0
            return closes

    def failed(self) -> bool:
        """A call was not answered. Returns whether that has opened the circuit."""
        with self._lock:
            self._failures += 1
            self._next_try = self._clock() + RETRY_SECONDS
            return self._failures == FAILURES
