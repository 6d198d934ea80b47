"""A canonical entry as Cloud Logging shows it: how a push of our message ended, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from worker.outcome import DONE, REJECTED
from worker.pipeline import CANONICAL_EVENT

_MOST_SECONDS = 10.0**8  # three years: a number beyond it is no duration
_FIRST_YEAR, _LAST_YEAR = 2000, 9000  # so that durations can be added and taken away


@dataclass(frozen=True, slots=True)
class Processed:
    """One push that ended. `queue_seconds` is None where the publish time was not known."""

    entry: Mapping[str, Any]
    time: datetime  # aware: when the entry was written
    seconds: float  # from the request's arrival to its answer
    queue_seconds: float | None  # from the publish time to the request's arrival

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self | None:
        """The canonical entry, None for any other."""
        payload = entry.get("jsonPayload")
        if not isinstance(payload, dict) or payload.get("event") != CANONICAL_EVENT:
            return None
        time = time_of(entry.get("timestamp"))
        if time is None:
            return None
        return cls(
            entry, time, _duration(payload.get("seconds")) or 0.0,
            _duration(payload.get("queue_seconds")),
        )  # fmt: skip

    @property
    def arrived(self) -> datetime:
        """When the request came."""
        return self.time - timedelta(seconds=self.seconds)

    @property
    def service(self) -> str:
        """The Cloud Run service that wrote it; the name of the job where it is no service."""
        labels = self._labels
        return labels.get("service_name") or labels.get("job") or ""

    @property
    def revision(self) -> str:
        """The revision that wrote it, "" where it names none."""
        return self._labels.get("revision_name", "")

    @property
    def outcome(self) -> str:
        """One of worker.outcome, or what an entry says instead."""
        return self.text("outcome")

    @property
    def reason(self) -> str:
        """Why it ended like this."""
        return self.text("reason")

    @property
    def status(self) -> int:
        """The HTTP status of the answer, 0 where there is none."""
        found = self.entry["jsonPayload"].get("status")
        return int(found) if isinstance(found, int | float) and 0 < found < 1000 else 0  # noqa: PLR2004 - three digits

    @property
    def done(self) -> bool:
        """Whether the handler returned."""
        return self.outcome == DONE.name

    @property
    def final(self) -> bool:
        """Whether no other delivery follows: the message is handled, or quarantined."""
        return self.done or (self.outcome == REJECTED.name and self.status == REJECTED.status)

    def text(self, name: str) -> str:
        """A field of its payload, "" where there is none."""
        found = self.entry["jsonPayload"].get(name)
        return "" if found is None else str(found)

    @property
    def _labels(self) -> dict[str, str]:
        resource = self.entry.get("resource")
        labels = resource.get("labels") if isinstance(resource, dict) else None
        if not isinstance(labels, dict):
            return {}
        return {str(name): str(value) for name, value in labels.items()}


def processed_of(entries: Sequence[Mapping[str, Any]], nonce: str) -> list[Processed]:
    """The canonical entries among those of one message, which are newest first; oldest first.

    None at all when its handler logged another nonce: then another message had the same id.
    """
    entries = list(reversed(entries))  # those of the same time stay in their order
    payloads = [one.get("jsonPayload") for one in entries]
    nonces = {str(one["nonce"]) for one in payloads if isinstance(one, dict) and one.get("nonce")}
    if nonces - {nonce}:
        return []
    found = [one for one in map(Processed.of, entries) if one is not None]
    return sorted(found, key=lambda one: one.time)


def time_of(text: object) -> datetime | None:
    """A time as Google writes it, None for what is none, or is of another millennium."""
    try:
        time = datetime.fromisoformat(str(text))
        fits = time.tzinfo is not None and _FIRST_YEAR <= time.year <= _LAST_YEAR
        return time.astimezone(UTC) if fits else None
    except (ValueError, OverflowError):
        return None


def _duration(value: object) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if fits and 0 <= value <= _MOST_SECONDS else None  # type: ignore[operator,arg-type]  # a number
