"""How long a push may still take, on a clock that never jumps."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from worker.outcome import Draining, TimedOut


class Shutdown:
    """The end of this process, once it is known: `at` seconds on the clock of its deadlines."""

    def __init__(self) -> None:
        self.at = math.inf

    def begin(self, at: float) -> None:
        """The process ends at that time; what was said first stays."""
        self.at = min(self.at, at)

    @property
    def begun(self) -> bool:
        """Whether the process takes no new work any more."""
        return self.at < math.inf


class Deadline(NamedTuple):
    """A point in time that work must not pass. Pass `remaining()` to clients as their timeout.

    It comes nearer when the process is told to end: no handler is waited for longer than that.
    """

    at: float  # seconds on `clock`
    clock: Callable[[], float] = time.monotonic
    shutdown: Shutdown = Shutdown()  # that of nobody: it never begins

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        """The deadline that many seconds from now."""
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, min(self.at, self.shutdown.at) - self.clock())

    def check(self) -> None:
        """Raise when nothing is left: call it between the steps of long work.

        TimedOut at the deadline, Draining when the process ends before.
        """
        if self.remaining() > 0:
            return
        if self.shutdown.at < self.at:
            raise Draining("this instance shuts down before the handler has finished")
        raise TimedOut("the deadline of this delivery has passed")
