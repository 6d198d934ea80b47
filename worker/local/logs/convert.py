"""JSON to protobuf messages and back, as Google's front end does it for REST calls."""

import re
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Error as MessageError

from worker.local.errors import ApiError, Code
from worker.local.logs.protos import LogEntry
from worker.local.lql import SEVERITIES

_UNKNOWN = re.compile(r'has no field named "([^"]*)" at "\w+\.?([^"]*)"')
_PLACE = re.compile(r' at "?[A-Z]\w+\.([\w.\[\]]*\w\]?)')
_CHAIN = re.compile(r"Failed to parse (\w+) field")
_WHOLE = 2**53  # up to here a double tells whole numbers apart
_SHOWN = 40  # characters of a field's name


def to_message(body: Any, kind: type[Any]) -> Any:
    """The request. Raises ApiError naming the place that is wrong, never the value there."""
    if not isinstance(body, dict):
        raise ApiError(Code.INVALID_ARGUMENT, "Invalid JSON payload received: want an object")
    message = kind()
    try:
        return json_format.ParseDict(body, message)
    except (json_format.ParseError, ValueError, TypeError, MessageError, RecursionError) as error:
        text = _invalid(f" {error}")
    raise ApiError(Code.INVALID_ARGUMENT, text)


def _invalid(error: str) -> str:
    start = "Invalid JSON payload received."
    if unknown := _UNKNOWN.search(error):
        name, place = unknown.groups()
        where = f" at '{place}'" if place else ""
        return f'{start} Unknown name "{name[:_SHOWN]}"{where}: Cannot find field.'
    if place := _PLACE.search(error):
        return f"{start} Invalid value at '{place[1]}'."
    names = ".".join(_CHAIN.findall(error))
    return f"{start} Invalid value{f' at {names!r}' if names else ''}."


def from_entry(message: Any) -> dict[str, Any]:
    """A LogEntry in JSON. Raises ApiError for one that JSON cannot hold."""
    try:
        entry: dict[str, Any] = json_format.MessageToDict(message)
    except (json_format.Error, ValueError, TypeError, RecursionError):
        raise ApiError(
            Code.INVALID_ARGUMENT, "an entry holds what JSON cannot: NaN, Infinity, or levels"
            " upon levels",
        ) from None  # fmt: skip
    if "jsonPayload" in entry:
        entry["jsonPayload"] = _whole_numbers(entry["jsonPayload"])
    if isinstance(entry.get("severity"), int):
        entry["severity"] = _named(entry["severity"])
    return entry


def _named(severity: int) -> str:
    """The name of a severity; the one below for a number between two."""
    return max((number, name) for name, number in SEVERITIES.items() if number <= max(severity, 0))[
        1
    ]


def _whole_numbers(value: Any) -> Any:
    """Struct has doubles only; JSON writes those without a fraction as whole numbers."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _WHOLE:
        return int(value)
    if isinstance(value, dict):
        return {name: _whole_numbers(inner) for name, inner in value.items()}
    return [_whole_numbers(inner) for inner in value] if isinstance(value, list) else value


def to_entry(entry: Mapping[str, Any]) -> Any:
    """A LogEntry as a message. Of a protoPayload whose type is not known, only the type is."""
    payload = entry.get("protoPayload")
    if payload is None:
        return json_format.ParseDict(entry, LogEntry(), ignore_unknown_fields=True)
    rest = {name: value for name, value in entry.items() if name != "protoPayload"}
    message = json_format.ParseDict(rest, LogEntry(), ignore_unknown_fields=True)
    try:
        json_format.ParseDict(payload, message.proto_payload)
    except json_format.ParseError:
        message.proto_payload.type_url = str(payload.get("@type", ""))
    return message
