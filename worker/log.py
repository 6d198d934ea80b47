"""Log entries as Cloud Logging understands them: events with fields, one JSON object per line.

Source: Cloud Logging structured logging (special fields), Error Reporting (ReportedErrorEvent).
"""

import itertools
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from worker.jsonline import free_name, is_special
from worker.outcome import NOTICE
from worker.sink import Sink

_SEVERITIES = (
    (10, "DEFAULT"),
    (20, "DEBUG"),
    (NOTICE, "INFO"),
    (30, "NOTICE"),
    (40, "WARNING"),
    (50, "ERROR"),
    (60, "CRITICAL"),
    (70, "ALERT"),
)
_ERROR_EVENT = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
_SPECIAL = "logging.googleapis.com/"
_FIXED = frozenset({"message", "event"})  # what every entry has
_IDENTITY = frozenset({"message_id", "feature"})  # bound by the worker, not for a handler to rebind


def severity_of(level: int) -> str:
    """Cloud Logging's name for a logging level number, custom levels included."""
    return next((name for bound, name in _SEVERITIES if level < bound), "EMERGENCY")


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


@dataclass(frozen=True, slots=True)
class Log:
    """Writes entries; `bind` gives a new Log whose entries carry more fields.

    `context.log` in a handler is one of these, with the message's id, feature and trace bound.
    """

    sink: Sink
    level: int = logging.INFO
    service: Service = Service()
    fields: Mapping[str, Any] = field(default_factory=dict)
    special: Mapping[str, Any] = field(default_factory=dict)
    operation: Operation | None = None

    def bind(self, /, **fields: Any) -> "Log":
        """A Log whose entries also have these fields. What the worker itself has bound stays."""
        own = {_not_ours(name, self.fields): value for name, value in fields.items()}
        return replace(self, fields={**self.fields, **own})

    def label(self, /, **labels: str) -> "Log":
        """A Log whose entries also have these labels."""
        name = _SPECIAL + "labels"
        merged = {**self.special.get(name, {}), **labels}
        return replace(self, special={**self.special, name: merged})

    def of_operation(self, operation_id: str) -> "Log":
        """A Log whose entries, and those of every Log bound from it, are one operation."""
        return replace(self, operation=Operation(operation_id, self.service.name))

    def debug(self, event: str, /, message: str = "", **fields: Any) -> None:
        """Details for the developer; off unless LOG_LEVEL=DEBUG."""
        self.write(logging.DEBUG, event, message, fields)

    def info(self, event: str, /, message: str = "", **fields: Any) -> None:
        """Something happened as it should."""
        self.write(logging.INFO, event, message, fields)

    def notice(self, event: str, /, message: str = "", **fields: Any) -> None:
        """Something normal that is worth noticing."""
        self.write(NOTICE, event, message, fields)

    def warning(self, event: str, /, message: str = "", **fields: Any) -> None:
        """Something that may become a problem."""
        self.write(logging.WARNING, event, message, fields)

    def error(
        self, event: str, /, message: str = "", *, exc: BaseException | None = None, **fields: Any
    ) -> None:
        """Something failed; with `exc`, its stack trace goes to Error Reporting."""
        self.write(logging.ERROR, event, message, {**fields, **self.error_fields(exc)})

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
        if level < self.level:
            return
        entry = {
            "severity": severity_of(level),
            "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "message": message or event,
            "event": event,
            **self.fields,
            **self.special,
            _SPECIAL + "sourceLocation": location or _caller(),
            _SPECIAL + "insertId": next_insert_id(),
        }
        if self.operation is not None:
            entry[_SPECIAL + "operation"] = self.operation.next()
        for name, value in fields.items():
            # A field cannot pose as one of ours: it keeps its value under a name of its own.
            entry[free_name(name + "_" if is_special(name) else name, entry)] = value
        self.sink.write(entry)

    def canonical(self, level: int, event: str, message: str, fields: Mapping[str, Any]) -> None:
        """Write the one entry that closes a push, whatever LOG_LEVEL is."""
        if self.operation is not None:
            self.operation.close()
        replace(self, level=0).write(level, event, message, fields)

    def error_fields(self, exc: BaseException | None) -> dict[str, Any]:
        """What Error Reporting needs to group a crash: trace, service and type."""
        if exc is None:
            return {}
        return {
            "stack_trace": _stack(exc),
            "@type": _ERROR_EVENT,
            "serviceContext": {"service": self.service.name, "version": self.service.version},
        }


def _insert_ids() -> Callable[[], str]:
    """Ids that sort in the order of writing and differ between processes, forked ones included."""
    counter = itertools.count()
    started = time.time_ns()
    return lambda: f"{started:x}-{os.getpid():x}-{next(counter):08x}"


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
