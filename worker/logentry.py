"""One stdout line -> the LogEntry that Cloud Run makes of it (REST form, as `gcloud` prints it).

Sources: Cloud Run logging, structured logging's table of special fields.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

_PREFIX = "logging.googleapis.com/"
_DURATION = re.compile(r"\d{1,12}(?:\.\d{1,9})?s", re.ASCII)
_DIGITS = re.compile(r"-?\d{1,19}", re.ASCII)
_LARGEST_DIGITS = 308  # of a whole number that a double holds
_INT32, _INT64 = 2**31, 2**63


def _text(value: Any) -> str:
    """Each of these returns the value as the field has it; ValueError or TypeError: it cannot."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _number(value: Any) -> int:
    number = _whole(value)
    if not -_INT32 <= number < _INT32:
        raise ValueError("too large")
    return number


def _long(value: Any) -> str:
    """int64 is text in JSON."""
    number = _whole(value)
    if not -_INT64 <= number < _INT64:
        raise ValueError("too large")
    return str(number)


def _whole(value: Any) -> int:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("no whole number")
    return value


def _duration(value: Any) -> str:
    if _DURATION.fullmatch(_text(value)) is None:
        raise ValueError("no duration")
    return str(value)


def _labels(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError("no object")
    return {key: _as_text(inner) for key, inner in value.items()}


_Kind = Callable[[Any], Any]
_LIFTED: dict[str, tuple[str, _Kind]] = {
    _PREFIX + "insertId": ("insertId", _text),
    _PREFIX + "labels": ("labels", _labels),
    _PREFIX + "spanId": ("spanId", _text),
    _PREFIX + "trace": ("trace", _text),
    _PREFIX + "trace_sampled": ("traceSampled", _flag),
}
_LIFTED_OBJECTS: dict[str, tuple[str, dict[str, _Kind]]] = {
    "httpRequest": (
        "httpRequest",
        {
            "requestMethod": _text, "requestUrl": _text, "requestSize": _long, "status": _number,
            "responseSize": _long, "userAgent": _text, "remoteIp": _text, "serverIp": _text,
            "referer": _text, "latency": _duration, "cacheLookup": _flag, "cacheHit": _flag,
            "cacheValidatedWithOriginServer": _flag, "cacheFillBytes": _long, "protocol": _text,
        },
    ),
    _PREFIX + "operation": (
        "operation", {"id": _text, "producer": _text, "first": _flag, "last": _flag}
    ),
    _PREFIX + "sourceLocation": (
        "sourceLocation", {"file": _text, "line": _long, "function": _text}
    ),
}  # fmt: skip
_SEVERITIES = {
    "DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY",
}  # fmt: skip
_SYNONYMS = {"WARN": "WARNING", "ERR": "ERROR", "FATAL": "CRITICAL", "CRIT": "CRITICAL"}


def to_log_entry(line: bytes) -> dict[str, Any]:
    """Read one line the way Cloud Run does: special fields lifted, the rest is the payload.

    A line that is not a JSON object becomes `textPayload`, and so does a lone `message`.
    """
    try:
        record = json.loads(
            line, parse_constant=_refuse, parse_float=_finite, parse_int=_finite_int
        )
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        return {"textPayload": line.decode("utf-8", "replace").rstrip("\n"), "severity": "DEFAULT"}
    return lift(record)


def lift(record: Mapping[str, Any]) -> dict[str, Any]:
    """The LogEntry of one structured record."""
    payload = dict(record)
    entry: dict[str, Any] = {"severity": _severity(payload.pop("severity", ""))}
    timestamp = _timestamp(payload)
    if timestamp:
        entry["timestamp"] = timestamp
    entry |= _lifted(payload)
    if set(payload) == {"message"} and isinstance(payload["message"], str):
        return {**entry, "textPayload": payload["message"]}
    return {**entry, "jsonPayload": payload}


def _lifted(payload: dict[str, Any]) -> dict[str, Any]:
    """Take the special fields out of the payload. What has not the type of its field stays."""
    lifted: dict[str, Any] = {}
    for name, (field, kind) in _LIFTED.items():
        if name in payload:
            with suppress(TypeError):
                lifted[field] = kind(payload[name])
                del payload[name]
    for name, (field, kinds) in _LIFTED_OBJECTS.items():
        if isinstance(payload.get(name), dict):
            lifted[field], rest = _split(payload.pop(name), kinds)
            payload |= {name: rest} if rest else {}
    return lifted


def _split(
    value: Mapping[str, Any], kinds: Mapping[str, _Kind]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of an object its field can hold, and the rest. Source: fluent-plugin-google-cloud."""
    fits, rest = {}, {}
    for name, inner in value.items():
        try:
            fits[name] = kinds[name](inner)
        except (KeyError, TypeError, ValueError):
            rest[name] = inner
    return fits, rest


def _severity(said: Any) -> str:
    """Cloud Logging's name of a severity; one that it does not know counts as DEFAULT."""
    name = str(said).upper()
    name = _SYNONYMS.get(name, name)
    return name if name in _SEVERITIES else "DEFAULT"


def _timestamp(payload: dict[str, Any]) -> str | None:
    """Take the time out of the payload, from the first of the three spellings that is there."""
    match payload:
        case {"timestamp": {"seconds": int(seconds), "nanos": int(nanos)}}:
            del payload["timestamp"]
        case {"timestampSeconds": int(seconds), "timestampNanos": int(nanos)}:
            del payload["timestampSeconds"], payload["timestampNanos"]
        case {"time": str(text)}:
            del payload["time"]
            return text
        case _:
            return None
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"
    except (ValueError, OverflowError, OSError):  # no calendar has it
        return None


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("beyond what a double holds")
    return number


def _finite_int(text: str) -> int:
    if len(text) > _LARGEST_DIGITS:
        raise ValueError("beyond what a double holds")
    return int(text)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
