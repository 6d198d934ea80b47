"""Log entries as Cloud Logging understands them: events with fields, one JSON object per line.

Source: Cloud Logging structured logging (special fields), Error Reporting (ReportedErrorEvent).
"""

import itertools
import os
import sys
import time
import traceback
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from logging import CRITICAL, DEBUG, ERROR, INFO, WARNING
from typing import Any, NamedTuple

from worker.jsonline import free_name, is_special
from worker.outcome import NOTICE
from worker.sink import Sink

_LEVELS = (DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL, 60, 70)  # each begins a severity
_SEVERITIES = (
    "DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY",
)  # fmt: skip
_ERROR_EVENT = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
_SPECIAL = "logging.googleapis.com/"
_LABELS = _SPECIAL + "labels"
_OPERATION = _SPECIAL + "operation"
_PLACE = _SPECIAL + "sourceLocation"
_INSERT_ID = _SPECIAL + "insertId"
_FIXED = frozenset({"message", "event"})  # what every entry has
_IDENTITY = frozenset({"message_id", "feature"})  # bound by the worker, not for a handler to rebind


def severity_of(level: int) -> str:
    """Cloud Logging's name for a logging level number, custom levels included."""
    return _SEVERITIES[bisect_right(_LEVELS, level)]


@dataclass(frozen=True, slots=True)
class Service:
    """Who writes: what Error Reporting groups crashes by."""

    name: str = "feature-worker"
    version: str = ""
    project: str = ""


class Operation:
    """Groups the entries of one message: the first says so, and the last."""

    def __init__(self, operation_id: str, producer: str) -> None:
        self._id = operation_id
        self._producer = producer
        self._flags = {"first": True}

    def close(self) -> None:
        """Make the next entry the last."""
        self._flags = {**self._flags, "last": True}

    def next(self) -> dict[str, Any]:
        """The operation field of the next entry."""
        flags, self._flags = self._flags, {}
        return {"id": self._id, "producer": self._producer, **flags}


class Log(NamedTuple):
    """Writes entries; `bind` gives a new Log whose entries carry more fields.

    `context.log` in a handler is one of these, with the message's id, feature and trace bound.
    A push makes several: a named tuple is the frozen value that costs least to make.
    """

    sink: Sink
    level: int = INFO
    service: Service = Service()
    fields: Mapping[str, Any] = {}
    special: Mapping[str, Any] = {}
    operation: Operation | None = None

    def bind(self, /, **fields: Any) -> "Log":
        """A Log whose entries also have these fields. What the worker itself has bound stays."""
        sink, level, service, bound, special, operation = self
        own = {_not_ours(name, bound): value for name, value in fields.items()}
        return Log(sink, level, service, {**bound, **own}, special, operation)

    def label(self, /, **labels: str) -> "Log":
        """A Log whose entries also have these labels."""
        sink, level, service, fields, special, operation = self
        special = {**special, _LABELS: {**special.get(_LABELS, {}), **labels}}
        return Log(sink, level, service, fields, special, operation)

    def of_operation(self, operation_id: str) -> "Log":
        """A Log whose entries, and those of every Log bound from it, are one operation."""
        sink, level, service, fields, special, _ = self
        operation = Operation(operation_id, service.name)
        return Log(sink, level, service, fields, special, operation)

    def of_message(self, message_id: str, feature: str) -> "Log":
        """A Log for the handler of a message: its entries say whose they are."""
        sink, level, service, fields, special, operation = self
        fields = {**fields, "message_id": message_id, "feature": feature}
        special = {**special, _LABELS: {**special.get(_LABELS, {}), "feature": feature}}
        return Log(sink, level, service, fields, special, operation)

    def of_request(self, sink: Sink, special: Mapping[str, Any]) -> "Log":
        """A Log that writes to the request's sink; its entries also have these special fields."""
        _, level, service, fields, own, operation = self
        return Log(sink, level, service, fields, {**own, **special}, operation)

    def debug(self, event: str, message: str = "", /, **fields: Any) -> None:
        """Details for the developer; off unless LOG_LEVEL=DEBUG."""
        if self.level <= DEBUG:
            self.put(DEBUG, event, message, fields)

    def info(self, event: str, message: str = "", /, **fields: Any) -> None:
        """Something happened as it should."""
        if self.level <= INFO:
            self.put(INFO, event, message, fields)

    def notice(self, event: str, message: str = "", /, **fields: Any) -> None:
        """Something normal that is worth noticing."""
        if self.level <= NOTICE:
            self.put(NOTICE, event, message, fields)

    def warning(self, event: str, message: str = "", /, **fields: Any) -> None:
        """Something that may become a problem."""
        if self.level <= WARNING:
            self.put(WARNING, event, message, fields)

    def error(
        self, event: str, message: str = "", /, *, exc: BaseException | None = None, **fields: Any
    ) -> None:
        """Something failed; with `exc`, its stack trace goes to Error Reporting."""
        if self.level <= ERROR:
            self.put(ERROR, event, message, {**fields, **self.error_fields(exc)})

    def write(
        self,
        level: int,
        event: str,
        message: str,
        fields: Mapping[str, Any],
        *,
        location: Mapping[str, str] | None = None,
    ) -> None:
        """Write one entry unless `level` (a logging number) is under LOG_LEVEL."""
        if self.level <= level:
            self.put(level, event, message, fields, location=location)

    def canonical(
        self,
        level: int,
        event: str,
        message: str,
        fields: Mapping[str, Any],
        labels: Mapping[str, str],
    ) -> None:
        """Write the one entry that closes a push, whatever LOG_LEVEL is, with just these fields."""
        entry = {
            "severity": severity_of(level),
            "time": _now(),
            "message": message,
            "event": event,
            **self.special,
            _LABELS: labels,
            _PLACE: _caller(),
            _INSERT_ID: next_insert_id(),
            **fields,
        }
        if self.operation is not None:
            self.operation.close()
            entry[_OPERATION] = self.operation.next()
        self.sink.write(entry)

    def put(
        self,
        level: int,
        event: str,
        message: str,
        fields: Mapping[str, Any],
        *,
        location: Mapping[str, str] | None = None,
    ) -> None:
        """Write one entry, whatever LOG_LEVEL is."""
        entry = {
            "severity": severity_of(level),
            "time": _now(),
            "message": message or event,
            "event": event,
            **self.fields,
            **self.special,
            _PLACE: location or _caller(),
            _INSERT_ID: next_insert_id(),
        }
        if self.operation is not None:
            entry[_OPERATION] = self.operation.next()
        for name, value in fields.items():
            if name in entry or is_special(name):
                # A field cannot pose as one of ours: it keeps its value under a name of its own.
                entry[free_name(name + "_" if is_special(name) else name, entry)] = value
            else:
                entry[name] = value
        self.sink.write(entry)

    def error_fields(self, exc: BaseException | None) -> dict[str, Any]:
        """What Error Reporting needs to group a crash: trace, service and type."""
        if exc is None:
            return {}
        return {
            "stack_trace": _stack(exc),
            "@type": _ERROR_EVENT,
            "serviceContext": {"service": self.service.name, "version": self.service.version},
        }


def _now() -> str:
    second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{_second(second)}.{nanoseconds // 1000:06d}Z"


@lru_cache(maxsize=1)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _insert_ids() -> Callable[[], str]:
    """Ids that sort in the order of writing and differ between processes, forked ones included."""
    counter = itertools.count()
    process = ""

    def begin() -> None:
        nonlocal process
        process = f"{time.time_ns():x}-{os.getpid():x}"

    begin()
    os.register_at_fork(after_in_child=begin)
    return lambda: f"{process}-{next(counter):08x}"


next_insert_id = _insert_ids()


def _not_ours(name: str, bound: Mapping[str, Any]) -> str:
    ours = name in _FIXED or (name in _IDENTITY and name in bound)
    return name + "_" if ours or is_special(name) else name


def _stack(exc: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(exc))
    except Exception:  # noqa: BLE001 - an exception may be malformed: SyntaxError("", ("", 1, 1, 1))
        frames = "".join(traceback.format_tb(exc.__traceback__))
        return f"Traceback (most recent call last):\n{frames}{type(exc).__name__}\n"


def _caller() -> dict[str, str]:
    """Where the entry was asked for: the first frame outside this module."""
    frame = sys._getframe(1).f_back  # noqa: SLF001 - as logging finds it
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    if frame is None:
        return {}
    code = frame.f_code
    return {"file": code.co_filename, "line": str(frame.f_lineno), "function": code.co_qualname}
