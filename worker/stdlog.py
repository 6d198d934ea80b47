"""Everything else that a process logs, as entries: logging calls, warnings, uncaught exceptions."""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from worker.log import Log
from worker.outcome import NOTICE

_current: ContextVar[Log | None] = ContextVar("log of the message being handled", default=None)


@contextmanager
def handling(log: Log) -> Iterator[None]:
    """Standard-library logging calls inside belong to this message."""
    token = _current.set(log)
    try:
        yield
    finally:
        _current.reset(token)


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LoggingHandler(logging.Handler):
    """Standard-library records as entries: level, text, `extra=`, traceback, place of the call."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record to the log of the message being handled, else to the process's own."""
        log = _current.get() or self._log
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        error = record.exc_info[1] if record.exc_info else None
        fields = {"logger": record.name, **extra, **log.error_fields(error)}
        if record.stack_info:
            fields["stack_info"] = record.stack_info
        where = {
            "file": record.pathname,
            "line": str(record.lineno),
            "function": record.funcName or "",
        }
        replace(log, level=0).write(record.levelno, "log", _text(record), fields, location=where)


def _text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - wrong arguments to a log call must not lose the entry
        return f"{record.msg!r} % {record.args!r}"


def install(log: Log) -> None:
    """Send everything that this process logs through `log`: logging, warnings, uncaught errors."""
    root = logging.getLogger()
    root.handlers[:] = [LoggingHandler(log)]
    root.setLevel(log.level)
    logging.addLevelName(NOTICE, "NOTICE")
    logging.captureWarnings(capture=True)

    def uncaught(error: BaseException, thread: str) -> None:
        fields = {"thread": thread, **log.error_fields(error)}
        where = {"file": "", "line": "0", "function": thread}
        text = f"uncaught {type(error).__name__} in {thread}"
        log.write(logging.CRITICAL, "error.uncaught", text, fields, location=where)

    sys.excepthook = lambda _kind, error, _trace: uncaught(error, "MainThread")
    sys.unraisablehook = lambda args: uncaught(
        args.exc_value or SystemExit(), args.err_msg or "a finalizer"
    )
    threading.excepthook = lambda args: uncaught(
        args.exc_value or SystemExit(), args.thread.name if args.thread else "a thread"
    )
