"""Values of LogEntry's types: as a filter writes them, and as an entry in JSON holds them.

Times and durations are whole nanoseconds. Source: Logging query language, values and conversions.
"""

import functools
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from worker.local.lql.schema import Kind

SEVERITIES: Mapping[str, int] = {
    "DEFAULT": 0, "DEBUG": 100, "INFO": 200, "NOTICE": 300, "WARNING": 400,
    "ERROR": 500, "CRITICAL": 600, "ALERT": 700, "EMERGENCY": 800,
}  # fmt: skip
SECOND = 1_000_000_000  # nanoseconds
_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MOST_DIGITS = 40  # of a number that is meant as a duration or a whole number
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?([Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)
_DURATION = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(ns|us|ms|s|m|h)", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SPECIAL = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


def to_time(text: str, zone: tzinfo = UTC) -> int | None:
    """Nanoseconds since the epoch of an RFC 3339 time or ISO 8601 date; None for anything else.

    Without an offset it is a time in `zone`.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset, sign, hours, minutes = match.groups()
    clock = (int(hour or 0), int(minute or 0), int(second or 0))
    if clock > (23, 59, 60) or clock[1] > 59 or clock[2] > 60:  # noqa: PLR2004 - 60: a leap second
        return None
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    seconds = days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
    if sign:
        seconds -= int(sign + "1") * (int(hours) * 3600 + int(minutes or 0) * 60)
    elif not offset and zone is not UTC:
        seconds -= _offset(zone, seconds)
    return seconds * SECOND + int((fraction or "")[:9].ljust(9, "0"))


def _offset(zone: tzinfo, local: int) -> int:
    """Seconds that the zone's clocks are ahead of UTC when they show `local`."""
    try:
        shown = datetime(1970, 1, 1, tzinfo=zone) + timedelta(seconds=local)
        return round((shown.utcoffset() or timedelta()).total_seconds())
    except OverflowError:
        return 0


def from_time(nanoseconds: int, zone: tzinfo = UTC) -> str | None:
    """RFC 3339 as protobuf writes it in JSON: with 0, 3, 6 or 9 digits; None outside a calendar."""
    seconds, rest = divmod(nanoseconds, SECOND)
    try:
        local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(zone)
    except OverflowError:
        return None
    offset = "Z" if zone is UTC else f"{local:%z}"[:3] + ":" + f"{local:%z}"[3:5]
    return f"{local.replace(tzinfo=None).isoformat()}{_fraction(rest)}{offset}"


def to_duration(text: str) -> int | None:
    """Nanoseconds of "1.5s", "-999ms"; None for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None or len(text) > _MOST_DIGITS:
        return None
    return int(Decimal(match[1]) * _UNITS[match[2]])


def from_duration(nanoseconds: int) -> str:
    """The duration as protobuf writes it in JSON: "1.500s"."""
    seconds, rest = divmod(abs(nanoseconds), SECOND)
    return f"{'-' if nanoseconds < 0 else ''}{seconds}{_fraction(rest)}s"


def _fraction(nanoseconds: int) -> str:
    digits = f"{nanoseconds:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f".{digits}" if digits else ""


def to_double(text: str) -> float | None:
    """The number that a text is; None for any other text."""
    if _NUMBER.fullmatch(text) or _SPECIAL.fullmatch(text):
        return float(text)
    return None


def as_double(number: float) -> float:
    """A number of JSON as the service keeps it."""
    try:
        return float(number)
    except OverflowError:  # an int with hundreds of digits
        return math.inf if number > 0 else -math.inf


def to_bool(text: str) -> bool | None:
    """Read true or false in any letter case; None for any other text."""
    return {"true": True, "false": False}.get(text.lower())


def to_int64(text: str) -> int | None:
    """A whole number that 64 bits hold; None for any other text."""
    return _whole(text, 63)


def to_int32(text: str) -> int | None:
    """A whole number that 32 bits hold; None for any other text."""
    return _whole(text, 31)


def _whole(text: str, bits: int) -> int | None:
    if not _WHOLE.fullmatch(text) or len(text) > _MOST_DIGITS:
        return None
    number = int(text)
    return number if -(1 << bits) <= number < 1 << bits else None


def to_severity(text: str) -> int | None:
    """The number of a severity: of its name in any letter case, or of a whole number."""
    number = SEVERITIES.get(text.upper())
    return to_int32(text) if number is None else number


CONVERSIONS: Mapping[Kind, Callable[[str], Any]] = {
    Kind.STRING: str,
    Kind.BOOL: to_bool,
    Kind.INT32: to_int32,
    Kind.INT64: to_int64,
    Kind.DOUBLE: to_double,
    Kind.SEVERITY: to_severity,
    Kind.TIMESTAMP: to_time,
    Kind.DURATION: to_duration,
}
DEFAULTS: Mapping[Kind, Any] = {
    Kind.STRING: "",
    Kind.BOOL: False,
    Kind.INT32: 0,
    Kind.INT64: 0,
    Kind.SEVERITY: 0,
    Kind.TIMESTAMP: 0,
    Kind.DURATION: 0,
}
WANTED: Mapping[Kind, str] = {
    Kind.BOOL: "true or false",
    Kind.INT32: "a whole number of 32 bits",
    Kind.INT64: "a whole number of 64 bits",
    Kind.DOUBLE: "a number",
    Kind.SEVERITY: f"one of {', '.join(SEVERITIES)}",
    Kind.TIMESTAMP: 'a time like "2026-01-31T12:00:00Z" or a date like "2026-01-31"',
    Kind.DURATION: 'a number with a unit, ns, us, ms, s, m or h, like "1.5s"',
}


_WHOLE_KINDS = frozenset({Kind.INT32, Kind.INT64, Kind.SEVERITY})


@functools.lru_cache(maxsize=64)
def _severity(name: str) -> int | None:
    return to_severity(name)


def decoder(kind: Kind) -> Callable[[Any], Any]:
    """A function from JSON to a value of a typed field: its default for what is none such."""
    default, whole, boolean = DEFAULTS[kind], kind in _WHOLE_KINDS, kind is Kind.BOOL
    convert = _severity if kind is Kind.SEVERITY else CONVERSIONS[kind]

    def decode(value: Any) -> Any:
        if isinstance(value, str):
            converted = convert(value) if not boolean else None
            return default if converted is None else converted
        if isinstance(value, bool):
            return value if boolean else default
        return value if whole and isinstance(value, int) else default

    return decode
