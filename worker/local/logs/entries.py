"""A LogEntry as the store keeps it: complete, with its time and the text that is stored."""

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from worker.local.logs.times import nanoseconds, written

_LARGEST = 2**63 - 1  # nanoseconds that SQLite can hold: up to the year 2262


class Ready(NamedTuple):
    """An entry that lacks nothing. `body` is its JSON; `time` is its timestamp, nanoseconds."""

    entry: dict[str, Any]
    time: int
    insert_id: str
    log_name: str
    body: str


class InsertIds:
    """Makes ids that sort in the order they were made, also across restarts. Safe to share."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now  # nanoseconds
        self._last = 0
        self._lock = threading.Lock()
        self._tail = secrets.token_hex(3)  # two programs that write at once do not meet

    def make(self) -> str:
        """An id that nobody else has and that sorts after all those before."""
        with self._lock:
            self._last = max(self._last + 1, self._now())
            return f"{self._last:016x}{self._tail}"


def ready(entry: Mapping[str, Any], ids: InsertIds, now: int) -> Ready:
    """The entry with what the service fills in.

    Raises ValueError for a timestamp that is none, and for text or numbers that JSON cannot hold.
    """
    said = entry.get("timestamp")
    time = nanoseconds(said) if said else now
    if abs(time) > _LARGEST:
        raise ValueError("the timestamp is centuries away")
    insert_id = entry.get("insertId") or ids.make()
    complete = dict(entry) | {
        "insertId": insert_id,
        "timestamp": written(time),
        "receiveTimestamp": entry.get("receiveTimestamp") or written(now),
    }
    body = json.dumps(complete, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    body.encode()  # a lone surrogate could not be stored
    return Ready(complete, time, insert_id, entry["logName"], body)
