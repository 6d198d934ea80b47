"""One stdout line -> the LogEntry that Cloud Run makes of it (REST form, as `gcloud` prints it).

Sources: Cloud Run logging, structured logging's table of special fields.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_PREFIX = "logging.googleapis.com/"
_LIFTED = {
    "httpRequest": "httpRequest",
    _PREFIX + "insertId": "insertId",
    _PREFIX + "labels": "labels",
    _PREFIX + "operation": "operation",
    _PREFIX + "sourceLocation": "sourceLocation",
    _PREFIX + "spanId": "spanId",
    _PREFIX + "trace": "trace",
    _PREFIX + "trace_sampled": "traceSampled",
}
_SEVERITIES = {
    "DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY",
}  # fmt: skip
_SYNONYMS = {"WARN": "WARNING", "ERR": "ERROR", "FATAL": "CRITICAL", "CRIT": "CRITICAL"}


def to_log_entry(line: bytes) -> dict[str, Any]:
    """Read one line the way Cloud Run does: special fields lifted, the rest is the payload.

    A line that is not a JSON object becomes `textPayload`, and so does a lone `message`.
    """
    try:
        record = json.loads(line, parse_constant=_refuse)
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
    entry |= {_LIFTED[name]: payload.pop(name) for name in record if name in _LIFTED}
    if isinstance(entry.get("labels"), dict):
        entry["labels"] = {key: _as_text(value) for key, value in entry["labels"].items()}
    if set(payload) == {"message"} and isinstance(payload["message"], str):
        return {**entry, "textPayload": payload["message"]}
    return {**entry, "jsonPayload": payload}


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


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
