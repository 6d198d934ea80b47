"""How long a push may still take, on a clock that never jumps."""

import time
from collections.abc import Callable
from typing import NamedTuple

from worker.outcome import TimedOut


class Deadline(NamedTuple):
    """A point in time that work must not pass. Pass `remaining()` to clients as their timeout."""

    at: float  # seconds on `clock`
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        """The deadline that many seconds from now."""
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.clock())

    def check(self) -> None:
        """Raise TimedOut when nothing is left: call it between the steps of long work."""
        if self.remaining() <= 0:
            raise TimedOut("the deadline of this delivery has passed")
