"""One stdout line -> the LogEntry that Cloud Run makes of it (REST form, as `gcloud` prints it).

Sources: Cloud Run logging, structured logging's table of special fields.
"""

import json
from collections.abc import Mapping
from typing import Any

_PREFIX = "logging.googleapis.com/"
_LIFTED = {
    "severity": "severity",
    "httpRequest": "httpRequest",
    _PREFIX + "insertId": "insertId",
    _PREFIX + "labels": "labels",
    _PREFIX + "operation": "operation",
    _PREFIX + "sourceLocation": "sourceLocation",
    _PREFIX + "spanId": "spanId",
    _PREFIX + "trace": "trace",
    _PREFIX + "trace_sampled": "traceSampled",
    "time": "timestamp",
}


def to_log_entry(line: bytes) -> dict[str, Any]:
    """Read one line the way Cloud Run does: special fields lifted, the rest is the payload.

    A line that is not a JSON object becomes `textPayload`, and so does a lone `message`.
    """
    try:
        record = json.loads(line, parse_constant=_refuse)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        return {"textPayload": line.decode("utf-8", "replace").rstrip("\n"), "severity": "DEFAULT"}
    return lift(record)


def lift(record: Mapping[str, Any]) -> dict[str, Any]:
    """The LogEntry of one structured record."""
    entry: dict[str, Any] = {"severity": "DEFAULT"}
    payload = {}
    for name, value in record.items():
        if name in _LIFTED:
            entry[_LIFTED[name]] = value
        else:
            payload[name] = value
    if set(payload) == {"message"} and isinstance(payload["message"], str):
        return {**entry, "textPayload": payload["message"]}
    return {**entry, "jsonPayload": payload}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
