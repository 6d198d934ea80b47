"""How fast a subscription is pushed: the window of slow start, and the push backoff.

Source: Pub/Sub push subscriptions, "Delivery rate" and "Push backoff". The service does not say
its numbers; what it does say holds: a window that begins with a small single digit, grows with each
ack and shrinks with nacks; a pause of 100 ms to 60 s for the whole subscription after nacks, which
cannot be switched off.
"""

FIRST_WINDOW = 3
LARGEST_WINDOW = 100
SHORTEST_BACKOFF = 0.1  # seconds
LONGEST_BACKOFF = 60.0  # seconds


class Flow:
    """Of one subscription. Not safe to share: one thread schedules."""

    def __init__(self) -> None:
        self.step = 0  # of the backoff: pushes that failed together count once
        self._window = FIRST_WINDOW
        self._backoff = 0.0
        self._failed = 0.0

    @property
    def window(self) -> int:
        """How many pushes may be under way at once."""
        return self._window

    @property
    def resumes(self) -> float:
        """From when on messages may be pushed again, in seconds since the epoch."""
        return self._failed + self._backoff

    def room(self, under_way: int, now: float) -> int:
        """How many more pushes may begin now."""
        return max(self._window - under_way, 0) if now >= self.resumes else 0

    def acked(self) -> None:
        """One more in the window: it doubles with each round of answers. The backoff halves."""
        self._window = min(self._window + 1, LARGEST_WINDOW)
        self._backoff = self._backoff / 2 if self._backoff > SHORTEST_BACKOFF else 0.0

    def nacked(self, step: int, now: float) -> None:
        """Half of the window, twice the backoff; a missed deadline counts the same.

        `step` is what `self.step` was when the push began: of those that were under way together
        the first counts, so that an outage under load begins with the shortest backoff.
        """
        if step != self.step:
            return
        self.step += 1
        self._window = max(self._window // 2, 1)
        self._backoff = min(max(self._backoff * 2, SHORTEST_BACKOFF), LONGEST_BACKOFF)
        self._failed = now
