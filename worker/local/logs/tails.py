"""Live tails: whoever listens gets each entry when it is written, and never holds up a writer."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Full, Queue
from typing import Any

_WAITING = 10_000  # entries that one listener may be behind


class Tail(Queue[dict[str, Any]]):
    """The entries that one listener has not taken yet. Those beyond its size are dropped."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._dropped = 0
        self._counting = threading.Lock()

    def offer(self, entry: dict[str, Any]) -> None:
        """Add the entry, or count it as dropped."""
        try:
            self.put_nowait(entry)
        except Full:
            with self._counting:
                self._dropped += 1

    def take_dropped(self) -> int:
        """How many were dropped since this was last asked: the mark that some are missing."""
        with self._counting:
            dropped, self._dropped = self._dropped, 0
        return dropped


class Tails:
    """All who listen. Safe to share."""

    def __init__(self, size: int = _WAITING) -> None:
        self._size = size
        self._tails: tuple[Tail, ...] = ()
        self._lock = threading.Lock()

    @contextmanager
    def listen(self) -> Iterator[Tail]:
        """What is written within the block. Nobody may change the entries: all get the same."""
        tail = Tail(self._size)
        with self._lock:
            self._tails = (*self._tails, tail)
        try:
            yield tail
        finally:
            with self._lock:
                self._tails = tuple(one for one in self._tails if one is not tail)

    def offer(self, entries: Sequence[dict[str, Any]]) -> None:
        """Hand the entries to everybody who listens."""
        for tail in self._tails:
            for entry in entries:
                tail.offer(entry)
