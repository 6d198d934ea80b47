"""RFC 3339 times and durations, as the Logging API writes them, and whole nanoseconds."""

import re
from datetime import UTC, datetime, timedelta

from worker.local.lql.values import SECOND, from_duration, from_time

__all__ = ["DAY", "SECOND", "duration", "nanoseconds", "written"]

DAY = 86_400 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORM = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:?\d\d)", re.ASCII
)


def nanoseconds(text: str) -> int:
    """The time since the epoch. Raises ValueError for what is no time with an offset."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("want a time such as 2026-11-21T19:20:09.5Z")
    day, clock, fraction, offset = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'Z' if offset in 'zZ' else offset}")
    except ValueError:
        raise ValueError("no calendar has this time") from None
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    return seconds * SECOND + int((fraction or "").ljust(9, "0"))


def written(time: int) -> str:
    """The time as protobuf's JSON has it: UTC, with no more of 0, 3, 6 or 9 digits than needed.

    Raises ValueError for a time outside of the years 1 to 9999.
    """
    text = from_time(time)
    if text is None:
        raise ValueError("no calendar has this time")
    return text


def duration(seconds: float) -> str:
    """A duration as protobuf's JSON has it, such as 0.012s; one below zero counts as none."""
    return from_duration(max(round(seconds * SECOND), 0))
