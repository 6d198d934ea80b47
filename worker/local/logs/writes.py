"""entries:write: defaults and limits. Source: WriteLogEntriesRequest; quotas and limits."""

import json
from typing import Any

from worker.local.errors import ApiError, Code
from worker.local.logs import limits
from worker.local.logs.convert import from_entry
from worker.local.logs.scope import log_name
from worker.local.logs.times import DAY, SECOND


def check_request(request: Any) -> None:
    """Raises ApiError for a request that no entry of can be taken."""
    if request.ByteSize() > limits.REQUEST_BYTES:
        raise ApiError(Code.INVALID_ARGUMENT, "the request exceeds 10 MB: write fewer at once")


def entries_of(request: Any, now: int) -> tuple[list[dict[str, Any]], list[ApiError]]:
    """The entries with the request's defaults, and what is wrong with the others."""
    good, problems = [], []
    for number, message in enumerate(request.entries):
        try:
            good.append(_entry(request, message, now))
        except ApiError as error:
            problems.append(ApiError(error.code, f"entries[{number}]: {error}"))
    return good, problems


def _entry(request: Any, message: Any, now: int) -> dict[str, Any]:
    _check(message, now)
    entry = from_entry(message)
    entry.pop("receiveTimestamp", None)  # the service's own
    entry["logName"] = log_name(message.log_name or request.log_name)
    if not message.resource.type:
        if not request.resource.type:
            _refuse('resource is missing: want, say, {"type": "global"}')
        kind = {"type": request.resource.type}
        if request.resource.labels:
            kind["labels"] = dict(request.resource.labels)
        entry["resource"] = kind
    labels = {**request.labels, **message.labels}
    if labels:
        entry["labels"] = _labels(labels)
    if limits.is_too_deep(entry.get("jsonPayload")):
        _refuse("jsonPayload has too many levels: want 30 or fewer")
    if len(json.dumps(entry, ensure_ascii=False).encode()) > limits.ENTRY_BYTES:
        _refuse("the entry exceeds 256 KB")
    return entry


def _check(message: Any, now: int) -> None:
    time = message.timestamp.seconds * SECOND + message.timestamp.nanos
    if time > now + DAY:
        _refuse("timestamp is more than a day ahead")
    if message.ByteSize() > limits.ENTRY_BYTES:
        _refuse("the entry exceeds 256 KB")


def _labels(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > limits.LABELS:
        _refuse("labels: want 64 or fewer")
    if any(len(key.encode()) > limits.LABEL_KEY_BYTES for key in labels):
        _refuse("labels: want keys of 512 bytes or fewer")
    return {key: _cut(value) for key, value in labels.items()}


def _cut(value: str) -> str:
    """The documented limit of a label: what is longer is cut."""
    return value.encode()[: limits.LABEL_VALUE_BYTES].decode("utf-8", "ignore")


def _refuse(why: str) -> None:
    raise ApiError(Code.INVALID_ARGUMENT, why)
