"""What became of a message: its canonical entry, waited for in the log."""

from collections.abc import Mapping
from queue import Empty
from time import monotonic
from typing import Any

from worker.local.logs.store import Logs
from worker.local.lql import parse
from worker.pipeline import CANONICAL_EVENT


def canonical_entries(logs: Logs, message_id: str) -> list[Mapping[str, Any]]:
    """The payloads of its canonical entries so far, one for each delivery, oldest first."""
    query = parse(f'jsonPayload.event="{CANONICAL_EVENT}" jsonPayload.message_id="{message_id}"')
    found = logs.search(query, limit=1000, newest_first=False)
    return [entry["jsonPayload"] for entry in found.entries]


def wait_for_outcome(
    logs: Logs, message_id: str, outcome: str = "", *, seconds: float
) -> Mapping[str, Any] | None:
    """The payload of its first canonical entry, or of the first with that outcome.

    None when there is none after so many seconds of the machine's time.
    """
    until = monotonic() + seconds
    with logs.listen() as entries:  # before the look back: what comes in between is in both
        seen = canonical_entries(logs, message_id)
        while True:
            for payload in seen:
                if outcome in ("", payload.get("outcome")):
                    return payload
            try:
                entry = entries.get(timeout=max(0.0, until - monotonic()))
            except Empty:
                return None
            seen = [entry["jsonPayload"]] if _is_of(entry, message_id) else []


def _is_of(entry: Mapping[str, Any], message_id: str) -> bool:
    payload = entry.get("jsonPayload", {})
    return (payload.get("event"), payload.get("message_id")) == (CANONICAL_EVENT, message_id)
