"""Everything else that a process says, as entries: logging, print, warnings, uncaught errors."""

import io
import logging
import sys
import threading
from contextvars import ContextVar

from worker.jsonline import free_name, plain
from worker.log import Log
from worker.outcome import NOTICE

_current: ContextVar[Log | None] = ContextVar("log of the message being handled", default=None)


class handling:  # noqa: N801 - read as a verb: with handling(log)
    """What is logged and printed inside belongs to this message."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def __enter__(self) -> None:
        self._token = _current.set(self._log)

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()  # a line that was begun and not ended
        _current.reset(self._token)


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LoggingHandler(logging.Handler):
    """Standard-library records as entries: level, text, `extra=`, traceback, place of the call."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record to the log of the message being handled, else to the process's own."""
        log = _current.get() or self._log
        error = record.exc_info[1] if record.exc_info else None
        fields = {"logger": record.name, **log.error_fields(error)}
        if record.stack_info:
            fields["stack_info"] = record.stack_info
        for key, value in vars(record).items():
            if key not in _STANDARD:
                fields[free_name(str(key), fields)] = value
        where = {
            "file": record.pathname,
            "line": str(record.lineno),
            "function": record.funcName or "",
        }
        log.put(record.levelno, "log", _text(record), fields, location=where)


def _text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - wrong arguments to a log call must not lose the entry
        return f"{plain(record.msg)} % {plain(record.args)}"


class Printed(io.TextIOBase):
    """Stands in for stdout: a printed line is an entry, so it can share its line with no other."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._begun = threading.local()  # .text: the line that this thread has not ended yet

    def write(self, text: str, /) -> int:
        """Write an entry for each line that ends here."""
        *lines, self._begun.text = (getattr(self._begun, "text", "") + text).split("\n")
        for line in filter(None, lines):
            self._entry(line)
        return len(text)

    def flush(self) -> None:
        """Write an entry for the line that was begun."""
        line = getattr(self._begun, "text", "")
        if line:
            self._begun.text = ""
            self._entry(line)

    def _entry(self, line: str) -> None:
        (_current.get() or self._log).info("print", line)


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

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit:  # a thread may end itself that way
            name = args.thread.name if args.thread else "a thread"
            uncaught(args.exc_value or args.exc_type(), name)

    sys.excepthook = lambda _kind, error, _trace: uncaught(error, "MainThread")
    sys.unraisablehook = lambda args: uncaught(
        args.exc_value or SystemExit(), args.err_msg or "a finalizer"
    )
    threading.excepthook = in_thread
