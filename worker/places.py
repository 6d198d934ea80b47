"""How many handlers of each feature run at the same time: one that hangs leaves the others theirs.

A handler has its place until it really ends, also when its push was answered at the deadline.
"""

import threading
from typing import Any

from worker.feature import Feature
from worker.outcome import Overloaded


class Places:
    """A feature has `each` places, fewer if it says so."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._taken: dict[str, int] = {}
        self._lock = threading.Lock()

    def of(self, feature: Feature[Any]) -> "_Place":
        """A place for one handler, taken while the block runs."""
        most = self._each if feature.concurrency is None else min(feature.concurrency, self._each)
        return _Place(self, feature.name, most)

    def taken(self) -> dict[str, int]:
        """Who holds places now: feature -> how many, most first."""
        with self._lock:
            held = [(name, count) for name, count in self._taken.items() if count]
        return dict(sorted(held, key=lambda one: -one[1]))

    def take(self, name: str, most: int) -> None:
        """Take one of the feature's places. Raises Overloaded when it has `most` of them."""
        with self._lock:
            taken = self._taken.get(name, 0)
            if taken >= most:
                raise Overloaded(f"all places of {name} are taken", {name: taken})
            self._taken[name] = taken + 1

    def leave(self, name: str) -> None:
        """Give one of the feature's places back."""
        with self._lock:
            self._taken[name] -= 1


class _Place:
    """Raises Overloaded when the block begins and there is none."""

    def __init__(self, places: Places, name: str, most: int) -> None:
        self._places = places
        self._name = name
        self._most = most

    def __enter__(self) -> None:
        self._places.take(self._name, self._most)

    def __exit__(self, *_: object) -> None:
        self._places.leave(self._name)
