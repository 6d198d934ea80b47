"""The fields of LogEntry and their types: which paths there are, and which of them are open.

Source: google.logging.v2.LogEntry, google.logging.type.HttpRequest, google.api.MonitoredResource.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from worker.local.lql.errors import Problem, shown


class Kind(Enum):
    """What a field holds. The value is how an error calls it."""

    STRING = "text"
    BOOL = "a bool"
    INT32 = "a whole number"
    INT64 = "a 64-bit whole number"
    DOUBLE = "a number"
    SEVERITY = "a severity"
    TIMESTAMP = "a time"
    DURATION = "a duration"
    LABEL = "the text of a key"  # a value of a map: the key may be missing
    OPEN = "JSON"  # a value inside a payload: missing, or of any type
    MESSAGE = "an object"
    MAP = "a map"
    STRUCT = "a JSON object"
    ANY = "a message of any type"  # its names are those of protobuf: in any letter case


CONTAINERS = frozenset({Kind.MESSAGE, Kind.MAP, Kind.STRUCT, Kind.ANY})


@dataclass(frozen=True)
class Type:
    """A field's type: its kind, the fields of a message, and whether it is a list of those."""

    kind: Kind
    fields: Mapping[str, "Type"]
    repeated: bool = False


def _message(fields: Mapping[str, Kind | Type], *, repeated: bool = False) -> Type:
    types = {name: _type(value) for name, value in fields.items()}
    return Type(Kind.MESSAGE, types, repeated=repeated)


def _type(value: Kind | Type) -> Type:
    return value if isinstance(value, Type) else Type(value, {})


_HTTP_REQUEST = _message(
    {
        "cacheFillBytes": Kind.INT64,
        "cacheHit": Kind.BOOL,
        "cacheLookup": Kind.BOOL,
        "cacheValidatedWithOriginServer": Kind.BOOL,
        "latency": Kind.DURATION,
        "protocol": Kind.STRING,
        "referer": Kind.STRING,
        "remoteIp": Kind.STRING,
        "requestMethod": Kind.STRING,
        "requestSize": Kind.INT64,
        "requestUrl": Kind.STRING,
        "responseSize": Kind.INT64,
        "serverIp": Kind.STRING,
        "status": Kind.INT32,
        "userAgent": Kind.STRING,
    }
)
_APPHUB_PART = {
    "id": Kind.STRING, "environmentType": Kind.STRING, "criticalityType": Kind.STRING,
}  # fmt: skip
_APPHUB = _message(
    {
        "application": _message(
            {"container": Kind.STRING, "id": Kind.STRING, "location": Kind.STRING}
        ),
        "service": _message(_APPHUB_PART),
        "workload": _message(_APPHUB_PART),
    }
)
LOG_ENTRY = _message(
    {
        "apphub": _APPHUB,
        "apphubDestination": _APPHUB,
        "apphubSource": _APPHUB,
        "errorGroups": _message({"id": Kind.STRING}, repeated=True),
        "httpRequest": _HTTP_REQUEST,
        "insertId": Kind.STRING,
        "jsonPayload": Kind.STRUCT,
        "labels": Kind.MAP,
        "logName": Kind.STRING,
        "metadata": _message({"systemLabels": Kind.STRUCT, "userLabels": Kind.MAP}),
        "operation": _message(
            {"first": Kind.BOOL, "id": Kind.STRING, "last": Kind.BOOL, "producer": Kind.STRING}
        ),
        "protoPayload": Kind.ANY,
        "receiveTimestamp": Kind.TIMESTAMP,
        "resource": _message({"labels": Kind.MAP, "type": Kind.STRING}),
        "severity": Kind.SEVERITY,
        "sourceLocation": _message(
            {"file": Kind.STRING, "function": Kind.STRING, "line": Kind.INT64}
        ),
        "spanId": Kind.STRING,
        "split": _message(
            {"index": Kind.INT32, "totalSplits": Kind.INT32, "uid": Kind.STRING}
        ),
        "textPayload": Kind.STRING,
        "timestamp": Kind.TIMESTAMP,
        "trace": Kind.STRING,
        "traceSampled": Kind.BOOL,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """Where a path leads: the type, and whether a list lies on the way."""

    path: tuple[str, ...]  # with the names of LogEntry as JSON spells them
    type: Type
    repeated: bool = False

    @property
    def kind(self) -> Kind:
        """The kind of what is there."""
        return self.type.kind


def resolve(names: tuple[str, ...], position: int) -> Target:
    """The field that `names` lead to. Raises Problem for one that LogEntry has not.

    LogEntry's own names count in any letter case and as protobuf spells them, log_name; the keys
    of maps and payloads as they are.
    """
    path: tuple[str, ...] = ()
    here, repeated = LOG_ENTRY, False
    for level, name in enumerate(names):
        if here.kind is not Kind.MESSAGE:
            return _inside(Target(path, here, repeated), names[level:], position)
        known = {_plain(one): one for one in here.fields}
        spelled = known.get(_plain(name))
        if spelled is None:
            raise _unknown(path, name, here, position)
        path, here = (*path, spelled), here.fields[spelled]
        repeated = repeated or here.repeated
    return Target(path, here, repeated)


def _inside(outer: Target, names: tuple[str, ...], position: int) -> Target:
    path = (*outer.path, *names)
    if outer.kind is Kind.MAP and len(names) == 1:
        return Target(path, Type(Kind.LABEL, {}))
    if outer.kind is Kind.MAP:
        key = ".".join(names)
        hint = f"a key with dots is one name in double quotes, {'.'.join(outer.path)}.{shown(key)}"
        raise Problem(f"unknown field {shown('.'.join(path))}", hint, position)
    if outer.kind in CONTAINERS:
        return Target(path, Type(Kind.OPEN, {}))
    name = ".".join(outer.path)
    hint = f"{name} is {outer.kind.value}, it has no fields"
    raise Problem(f"unknown field {shown('.'.join(path))}", hint, position)


def _unknown(path: tuple[str, ...], name: str, here: Type, position: int) -> Problem:
    """The error for a name that is not among the fields of `here`."""
    close = get_close_matches(name.lower(), [one.lower() for one in here.fields], 1, 0.6)
    spelled = [one for one in here.fields if [one.lower()] == close]
    if spelled:
        hint = f"did you mean {'.'.join((*path, *spelled))}?"
    elif path:
        hint = f"{'.'.join(path)} has {', '.join(here.fields)}"
    else:
        hint = "want a field of LogEntry; one of the payload is written jsonPayload.NAME"
    return Problem(f"unknown field {shown('.'.join((*path, name)))}", hint, position)


def _plain(name: str) -> str:
    return name.lower().replace("_", "")
