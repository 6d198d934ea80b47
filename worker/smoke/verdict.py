"""What smoke says in the end: one value, and the JSON that machines read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from worker.client.gcloud import logging_read, publish_command
from worker.client.logs import logs_link
from worker.project.apis import LOGGING
from worker.smoke.ladder import RUNGS
from worker.smoke.ladder.rung import Rung, State
from worker.smoke.processed import Processed
from worker.smoke.question import Content, Question, Sent
from worker.smoke.sending import is_here
from worker.smoke.watch import query_of


class Conclusion(StrEnum):
    """The answer. Its `code` is the exit code."""

    PROVED = "proved"
    NOT_PROVED = "not_proved"
    COULD_NOT_ASK = "could_not_ask"

    @property
    def code(self) -> int:
        """0 proved, 1 not proved, 2 could not ask."""
        return list(Conclusion).index(self)


@dataclass(frozen=True, slots=True)
class Times:
    """When what happened; None where it did not. Aware.

    `seconds` since it was published (pushed, with a url), each by the clock that knows: Google's
    for what happened there, this machine's for what was seen here.
    """

    published: datetime | None = None
    pushed: datetime | None = None
    handled: datetime | None = None
    visible: datetime | None = None

    def seconds(self, entry: Processed | None) -> dict[str, float | None]:
        """Of each step."""
        start = self.published or self.pushed
        since = {name: _between(start, getattr(self, name)) for name in self.__slots__}
        if entry is not None and self.published and entry.queue_seconds is not None:
            since["pushed"] = round(entry.queue_seconds, 3)
            since["handled"] = round(entry.queue_seconds + entry.seconds, 3)
        return since


def _between(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return round(max((end - start) / timedelta(seconds=1), 0.0), 3)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that is to be told. `error` is one line, "" where it could be asked."""

    conclusion: Conclusion
    question: Question | None = None  # None: the settings made none
    sent: Sent | None = None
    entry: Processed | None = None  # the canonical entry: the proof, or the last that is none
    times: Times = Times()
    rungs: tuple[Rung, ...] = ()
    broken: Rung | None = None
    error: str = ""

    @property
    def query(self) -> str:
        """Logs Explorer's query for the entries of the message, "" where none was sent."""
        if self.question is None or self.sent is None or not self.sent.message_id:
            return ""
        return query_of(self.question, self.sent)

    @property
    def link(self) -> str:
        """Logs Explorer with that query, the laptop cloud's page there; "" without a query."""
        if not self.query or self.question is None:
            return ""
        if is_here(LOGGING.endpoint()):
            return f"{LOGGING.endpoint()}/logs?{urlencode({'query': self.query})}"
        return logs_link(self.query, self.question.deployment.project)

    @property
    def commands(self) -> list[str]:
        """The gcloud commands that show the same."""
        if self.question is None:
            return []
        message = Content(self.sent.nonce if self.sent else "smoke").message
        found = [] if self.question.url else [publish_command(self.question.topic, message)]
        read = logging_read(self.query, self.question.deployment.project) if self.query else ""
        return [*found, *([read] if read else [])]

    def as_json(self) -> dict[str, Any]:
        """For machines; docs/smoke.md explains each field."""
        asked, sent = self.question, self.sent
        return {
            "verdict": self.conclusion,
            "mode": asked.mode if asked else None,
            "message_id": (sent.message_id or None) if sent else None,
            "nonce": sent.nonce if sent else None,
            "topic": asked.topic if asked else None,
            "service": asked.deployment.service if asked else None,
            "revision": self._revision(),
            **{name: _written(getattr(self.times, name)) for name in Times.__slots__},
            "seconds": self.times.seconds(self.entry),
            "entry": self.entry.entry if self.entry else None,
            "commands": self.commands,
            "logs_link": self.link or None,
            "logs_query": self.query or None,
            "broken": _broken(self.broken) if self.broken else None,
            "rungs": [{"rung": one.name, "state": one.state, "what": one.what} for one in self.all],
            "error": self.error or None,
        }

    @property
    def all(self) -> tuple[Rung, ...]:
        """Every rung of the ladder; those that nobody looked at say so."""
        return self.rungs or tuple(Rung(State.NOT_ASKED, name=name) for name in RUNGS)

    def _revision(self) -> str | None:
        """Which handled it, else which should."""
        by = self.entry.revision if self.entry else ""
        return by or (self.question.revision if self.question else "") or None


def _broken(rung: Rung) -> Mapping[str, Any]:
    return {
        "rung": rung.name,
        "what": rung.what,
        "why": rung.why,
        "fix": list(rung.fix),
        "evidence": rung.evidence,
    }


def _written(time: datetime | None) -> str | None:
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
