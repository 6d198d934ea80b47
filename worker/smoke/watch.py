"""Waits for the canonical entry of a message, without using up the quota of Cloud Logging."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from worker.client.logs import CLOCK_SKEW, logs_query
from worker.rest import CallFailed
from worker.smoke.processed import Processed, processed_of
from worker.smoke.question import Question, Sent, Time

# A project has 60 reads a minute, people's own included. Ours are at most 24 in any minute: with
# the few that look for what is broken, half of it stays free.
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 3.0
_MOST_SILENT = 3  # calls in a row that nobody answers: then nobody is there
_LATER = frozenset({0, 429, 500, 502, 503, 504})  # what another call may not get


class Reader(Protocol):
    """What is needed of worker.project.entries.Entries. Raises CallFailed."""

    def find(self, query: str, most: int = 20) -> list[dict[str, Any]]:
        """The newest entries that match, newest first."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What was found until the time was up, or the answer was clear."""

    processed: tuple[Processed, ...] = ()  # by the service that was asked, oldest first
    seen: datetime | None = None  # when the last one of them could be read
    failed: CallFailed | None = None  # the last call, and none before it got an answer

    def by(self, revision: str) -> Processed | None:
        """The entry that proves it: done, and by that revision if one is named."""
        found = [one for one in self.processed if one.done and revision in ("", one.revision)]
        return found[0] if found else None


def pauses() -> Iterator[float]:
    """Seconds before each next call: short at first, then bounded by the quota."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield min(pause, LONGEST_PAUSE_SECONDS)
        pause *= 2


def watch(
    question: Question, sent: Sent, reader: Reader, time: Time, when: tuple[Iterator[float], float]
) -> Watched:
    """Ask until an entry decides; `when` has the pauses, and the end by `time.seconds`.

    Raises CallFailed: there is no leave to read, or nobody to ask.
    """
    waits, until = when
    query, patient = query_of(question, sent), _Patient(reader)
    found = Watched()
    while True:
        entries = patient.find(query)
        if entries is not None:
            found = _read(entries, sent, question, time.now)
        elif found.seen is None:
            found = Watched(failed=patient.failed)
        left = until - time.seconds()
        if _decided(found, question) or left <= 0:
            return found
        time.sleep(min(next(waits), left))


class _Patient:
    """Asks a reader that may be overloaded, or away, for a moment."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._silent = 0
        self.failed: CallFailed | None = None

    def find(self, query: str) -> list[dict[str, Any]] | None:
        """The entries; None for this time. Raises CallFailed where another time is of no use."""
        try:
            found = self._reader.find(query)
        except CallFailed as failed:
            self._silent = self._silent + 1 if failed.status == 0 else 0
            if failed.status not in _LATER or self._silent >= _MOST_SILENT:
                raise
            self.failed = failed
            return None
        self._silent = 0
        return found


def query_of(question: Question, sent: Sent) -> str:
    """For all entries of the message that the service wrote. It names a time: that is quicker."""
    fields = {"message_id": sent.message_id}
    return logs_query(question.deployment.service, fields, sent.began - CLOCK_SKEW)


def _read(
    entries: list[dict[str, Any]], sent: Sent, question: Question, now: Callable[[], datetime]
) -> Watched:
    ours = question.deployment.service
    found = [one for one in processed_of(entries, sent.nonce) if one.service == ours]
    return Watched(tuple(found), now())


def _decided(found: Watched, question: Question) -> bool:
    """A url is pushed to once; Pub/Sub pushes again what was nacked."""
    if question.url:
        return bool(found.processed)
    return any(one.final for one in found.processed)
