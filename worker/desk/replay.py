"""Replay and drop: one message at a time, each step safe to be the last one."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from worker.desk import DeskFailed, Place
from worker.desk.audit import Audit
from worker.desk.held import Held
from worker.desk.target import Sent, Target


class Pace:
    """Lets no more than `rate` through a second; the first one at once."""

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._seconds = 1 / rate
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait(self) -> None:
        """Return when it is time for the next one."""
        early = self._next - self._clock()
        if early > 0:
            self._sleep(early)
        self._next = max(self._next, self._clock()) + self._seconds


@dataclass(frozen=True, slots=True)
class Replay:
    """Sends messages of a place to a target."""

    place: Place
    target: Target
    audit: Audit
    max_replays: int

    def refusal(self, held: Held) -> str:
        """Why it is not to be replayed, "" when it may be."""
        if held.message is None:
            return held.problem
        replays = self.audit.replays(held)
        if replays >= self.max_replays:
            times = "once" if replays == 1 else f"{replays} times"
            return f"replayed {times} already and came back: see why (--max-replays allows more)"
        return ""

    def send(self, held: Held) -> Sent:
        """Replay one: send it, write that down, remove it if it need not be held any more.

        Raises DeskFailed; then, and after a kill at any point, the message is held as before.
        """
        refusal = self.refusal(held)
        if held.message is None or refusal:
            return Sent(f"refused: {refusal}", settled=False)
        before = self.audit.replays(held)
        try:
            sent = self.target.send(held, held.message, before + 1)
        except DeskFailed as failed:  # the message may have got there all the same
            self.audit.replayed(held, self.target.name, Sent(str(failed), settled=False), before)
            raise
        counted = before + (sent.settled or sent.rejected)
        self.audit.replayed(held, self.target.name, sent, counted)
        if sent.settled:
            self.place.remove(held)
        elif sent.rejected:
            self.place.count(held, counted)
        return sent


def drop(place: Place, audit: Audit, held: Held) -> None:
    """Remove a message for good, after that was written down. Raises DeskFailed."""
    audit.dropped(held, place.name)
    place.remove(held)
