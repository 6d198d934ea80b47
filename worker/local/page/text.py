"""Values -> text for people: nothing in it hides, reorders or breaks what stands around it."""

import re
from datetime import UTC, datetime

# Control characters but tab and newline, overrides of the writing direction, lone surrogates.
# Sources: Unicode TR9 (explicit directional formatting), "Trojan Source" (CVE-2021-42574).
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_PICTURES = 0x2400  # Unicode's pictures of the control characters 0 to 31
_UNITS = ("bytes", "KiB", "MiB", "GiB")
_STEP = 1024
_MINUTE = 60
_HOUR = 3600
_DAY = 86400


def visible(text: str) -> str:
    """The same text with what cannot be seen shown: "␀" for NUL, "⟨U+202E⟩" for an override."""
    return _HIDDEN.sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(_PICTURES + code) if code < ord(" ") else f"⟨U+{code:04X}⟩"


def cut(text: str, most: int) -> str:
    """At most so many characters, with an ellipsis where there were more."""
    return text if len(text) <= most else text[: most - 1] + "…"


def duration(seconds: float) -> str:
    """Three digits of it: "850 µs", "12.3 ms", "1.20 s", "2 min 5 s", "3 h 4 min"."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < 0.0009995:  # noqa: PLR2004 - what rounds to less than a millisecond
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 0.9995:  # noqa: PLR2004 - what rounds to less than a second
        return f"{seconds * 1e3:.3g} ms"
    if seconds < _MINUTE:
        return f"{seconds:.3g} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"


def size(count: int) -> str:
    """Bytes: "812 bytes", "1.5 KiB"."""
    amount, unit = float(count), 0
    while amount >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    return f"{amount:.0f} bytes" if unit == 0 else f"{amount:.3g} {_UNITS[unit]}"


def moment(seconds: float) -> datetime:
    """Seconds since the epoch as an aware time in UTC; one that no calendar has is the epoch."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def iso(seconds: float) -> str:
    """RFC 3339 in UTC, milliseconds."""
    return moment(seconds).isoformat(timespec="milliseconds")[:-6] + "Z"


def clock_time(seconds: float, now: float | None = None) -> str:
    """The time of the day in UTC, after the date when that is another day than `now`'s."""
    at = moment(seconds)
    today = datetime.now(UTC) if now is None else moment(now)
    time = at.isoformat(sep=" ", timespec="milliseconds")[:-6]
    return time[11:] if at.date() == today.date() else time


def clock_minute(seconds: float) -> str:
    """Hours and minutes in UTC."""
    return f"{moment(seconds):%H:%M}"


def clock_second(seconds: float, now: float | None = None) -> str:
    """As clock_time, without the part of the second."""
    return clock_time(seconds, now)[:-4]


def ago(seconds: float, now: float) -> str:
    """How long before `now`: "just now", "12 s ago", "3 min ago", "5 h ago", "2 d ago"."""
    passed = now - seconds
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s")):
        if passed >= unit:
            return f"{passed // unit:.0f} {name} ago"
    return "just now"
