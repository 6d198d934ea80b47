"""A worker in this process, with parts that a test can swap and entries that it can read."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from worker.claims.memory import MemoryClaims
from worker.feature import Feature, Features
from worker.jsonline import plain
from worker.log import Log
from worker.pipeline import CANONICAL_EVENT, Worker
from worker.places import Places
from worker.quarantine import Rejected

WAIT_SECONDS = 30.0  # for what must happen; far more than it takes


class ListSink:
    """Keeps entries as the dictionaries that a reader of the JSON lines gets."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def write(self, entry: Mapping[str, Any]) -> None:
        self.entries.append(plain(entry))

    def batch(self) -> "ListSink":
        return self

    def close(self) -> None:
        """Nothing is held."""

    def events(self, event: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries if entry["event"] == event]

    def canonical(self) -> dict[str, Any]:
        """The one canonical entry; fails when there is none, or more than one."""
        (entry,) = self.events(CANONICAL_EVENT)
        return entry


class ListQuarantine:
    """Keeps what was rejected in a list."""

    def __init__(self) -> None:
        self.kept: list[Rejected] = []

    def keep(self, rejected: Rejected) -> str:
        self.kept.append(rejected)
        return f"list#{len(self.kept)}"


def make_worker(
    *features: Feature[Any], sink: ListSink | None = None, budget_seconds: float = 5.0, **parts: Any
) -> Worker:
    """A worker that trusts everyone, with memory claims and a list for a quarantine."""
    defaults: dict[str, Any] = {
        "features": Features(features),
        "authenticate": lambda _push: None,
        "claims": MemoryClaims(),
        "quarantine": ListQuarantine(),
        "log": Log(sink or ListSink()),
        "budget_seconds": budget_seconds,
        "places": Places(250),
    }
    return Worker(**{**defaults, **parts})


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    """Start `work` on a thread of its own."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
