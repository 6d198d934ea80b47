"""Try a handler without a server: hand it a payload, look at how that ended. For tests.

    delivered = deliver(smoke_test, {"nonce": "run-7"})
    assert delivered.outcome == "done"

The whole path of a message is walked, with everything kept in memory.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.artifacts import MemoryArtifacts
from worker.claims.memory import MemoryClaims
from worker.feature import Feature
from worker.jsonline import plain
from worker.log import Log
from worker.message import Push
from worker.pipeline import CANONICAL_EVENT, Worker, process
from worker.places import Places
from worker.quarantine import Rejected
from worker.registry import Features

_MANY = 250


class EntriesSink:
    """Keeps entries as the dictionaries that a reader of the JSON lines gets."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def write(self, entry: Mapping[str, Any]) -> None:
        """Keep one."""
        self.entries.append(plain(entry))

    def batch(self) -> "EntriesSink":
        """Itself: nothing is held back."""
        return self

    def close(self) -> None:
        """Nothing is held."""

    def events(self, event: str) -> list[dict[str, Any]]:
        """The entries with this event."""
        return [entry for entry in self.entries if entry["event"] == event]

    def canonical(self) -> dict[str, Any]:
        """The one canonical entry. Raises ValueError when there is none, or more than one."""
        (entry,) = self.events(CANONICAL_EVENT)
        return entry


class ListQuarantine:
    """Keeps what was rejected in a list."""

    def __init__(self) -> None:
        self.kept: list[Rejected] = []

    def keep(self, rejected: Rejected) -> str:
        """Keep it."""
        self.kept.append(rejected)
        return f"list#{len(self.kept)}"


@dataclass(frozen=True, slots=True)
class Delivered:
    """How a message ended. `entries` are all its log entries, the canonical one last."""

    outcome: str
    status: int
    reason: str
    result: Any
    entries: list[dict[str, Any]]
    artifacts: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)

    def event(self, name: str) -> dict[str, Any]:
        """The one entry with this event. Raises ValueError when there is none, or another."""
        (entry,) = [one for one in self.entries if one["event"] == name]
        return entry


def deliver(
    feature: Feature[Any], requirements: Any = None, description: str = "", **parts: Any
) -> Delivered:
    """Deliver a payload for the feature as a message does, and say how that ended.

    `parts` replace those of the worker: `budget_seconds=1.0`, `artifacts=...`.
    """
    payload = {
        "feature": feature.name, "description": description, "requirements": requirements,
    }  # fmt: skip
    sink, artifacts = EntriesSink(), MemoryArtifacts()
    worker = worker_of(feature, sink=sink, **{"artifacts": artifacts, **parts})
    message_id = ("x-goog-pubsub-message-id", "1")
    process(worker, Push((message_id,), json.dumps(payload).encode()))
    entry = sink.canonical()
    return Delivered(
        entry["outcome"], entry["status"], entry["reason"], entry.get("result"),
        sink.entries, artifacts.bundles,
    )  # fmt: skip


def worker_of(
    *features: Feature[Any],
    sink: EntriesSink | None = None,
    budget_seconds: float = 5.0,
    **parts: Any,
) -> Worker:
    """A worker that trusts everyone, with memory claims and a list for a quarantine."""
    defaults: dict[str, Any] = {
        "features": Features(features),
        "authenticate": lambda _push: None,
        "claims": MemoryClaims(),
        "quarantine": ListQuarantine(),
        "log": Log(sink or EntriesSink()),
        "budget_seconds": budget_seconds,
        "places": Places(_MANY),
    }
    return Worker(**{**defaults, **parts})
