"""Logging calls, warnings and uncaught exceptions come out as entries like all others."""

import json
import logging
import os
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from tests.support.hostile import Hostile, HostileError
from tests.support.inprocess import WAIT_SECONDS, ListSink, in_thread
from tests.support.server import ROOT
from worker.log import Log, Service
from worker.outcome import NOTICE
from worker.stdlog import LoggingHandler, Printed, handling, install


@pytest.fixture
def sink() -> ListSink:
    return ListSink()


@pytest.fixture
def logger(sink: ListSink) -> logging.Logger:
    """A logger of its own, so that nothing of the process changes."""
    logger = logging.Logger("some.library")  # noqa: LOG001 - getLogger's would stay
    logger.addHandler(LoggingHandler(Log(sink, service=Service("s", "v"))))
    return logger


def one(sink: ListSink) -> dict[str, Any]:
    (entry,) = sink.entries
    return entry


def lines_of(program: str, *options: str) -> tuple[list[dict[str, Any]], int]:
    """Run a program that has our logging installed: the entries on its stdout, its exit code."""
    install = """
        import logging, sys, threading, warnings
        from worker.log import Log
        from worker.sink import StdoutSink
        from worker.stdlog import install
        install(Log(StdoutSink(), level=logging.INFO))
    """
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(install) + textwrap.dedent(program)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


# --- records


def test_a_record_is_an_entry_with_the_loggers_name_and_the_place_of_the_call(
    sink: ListSink, logger: logging.Logger
) -> None:
    logger.warning("%s is %d", "seven", 7)
    entry = one(sink)
    assert entry["message"] == "seven is 7"
    assert (entry["severity"], entry["event"]) == ("WARNING", "log")
    assert entry["logger"] == "some.library"
    place = entry["logging.googleapis.com/sourceLocation"]
    assert place["file"] == __file__
    assert place["function"] == (
        "test_a_record_is_an_entry_with_the_loggers_name_and_the_place_of_the_call"
    )
    assert int(place["line"]) > 1


@pytest.mark.parametrize(("level", "severity"), [(1, "DEFAULT"), (25, "NOTICE"), (35, "WARNING")])
def test_a_custom_level_gets_the_severity_below_it(
    sink: ListSink, logger: logging.Logger, level: int, severity: str
) -> None:
    logger.log(level, "m")
    assert one(sink)["severity"] == severity


def test_extra_fields_are_fields_of_the_entry(sink: ListSink, logger: logging.Logger) -> None:
    logger.info("m", extra={"order": {"id": 7}, "odd": float("nan")})
    assert (one(sink)["order"], one(sink)["odd"]) == ({"id": 7}, "nan")


@pytest.mark.parametrize("name", ["severity", "time", "event", "logger", "httpRequest"])
def test_an_extra_field_cannot_pose_as_ours(
    sink: ListSink, logger: logging.Logger, name: str
) -> None:
    logger.info("m", extra={name: "FAKE"})
    entry = one(sink)
    assert entry.get(name) != "FAKE"
    assert entry[name + "_"] == "FAKE"


def test_an_extra_field_may_have_a_name_that_is_no_text(
    sink: ListSink, logger: logging.Logger
) -> None:
    extra: Any = {1: "v"}
    logger.info("m", extra=extra)
    assert one(sink)["1"] == "v"


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("%d", ("seven",)),
        ("%s %s", ("one",)),
        ("no place", (1,)),
        ("%(a)s", ({"b": 1},)),
        ("%", (1,)),
    ],
)
def test_arguments_that_do_not_match_do_not_lose_the_entry(
    sink: ListSink, logger: logging.Logger, text: str, args: tuple[Any, ...]
) -> None:
    logger.info(text, *args)
    assert text in one(sink)["message"]
    assert str(args[0] if isinstance(args[0], int | str) else "b") in one(sink)["message"]


@pytest.mark.parametrize("place", ["message", "argument", "extra"])
def test_an_object_that_cannot_be_shown_does_not_lose_the_entry(
    sink: ListSink, logger: logging.Logger, place: str
) -> None:
    hostile = Hostile()
    match place:
        case "message":
            logger.info(hostile)
        case "argument":
            logger.info("a %s b", hostile)
        case _:
            logger.info("m", extra={"x": hostile})
    assert "<unprintable Hostile>" in json.dumps(one(sink))


def test_text_is_one_entry_however_it_looks(sink: ListSink, logger: logging.Logger) -> None:
    logger.info('{"severity": "EMERGENCY"}\nsecond line')
    assert one(sink)["message"] == '{"severity": "EMERGENCY"}\nsecond line'
    assert one(sink)["severity"] == "INFO"


@pytest.mark.parametrize("error", [KeyError("k"), HostileError()], ids=["usual", "hostile"])
def test_an_exception_is_what_error_reporting_groups_by(
    sink: ListSink, logger: logging.Logger, error: Exception
) -> None:
    with pytest.raises(type(error)) as caught:
        raise error
    logger.error("it failed", exc_info=caught.value)
    entry = one(sink)
    assert (entry["message"], entry["severity"]) == ("it failed", "ERROR")
    assert "Traceback (most recent call last):\n" in entry["stack_trace"]
    assert type(error).__name__ in entry["stack_trace"]
    assert entry["@type"].endswith("ReportedErrorEvent")
    assert entry["serviceContext"] == {"service": "s", "version": "v"}


def test_exc_info_where_nothing_was_raised_is_no_crash(
    sink: ListSink, logger: logging.Logger
) -> None:
    logger.error("m", exc_info=True)  # noqa: LOG014 - people do
    assert "stack_trace" not in one(sink)


def test_the_stack_of_a_call_is_a_field(sink: ListSink, logger: logging.Logger) -> None:
    logger.info("m", stack_info=True)
    assert "test_stdlog.py" in one(sink)["stack_info"]


def test_a_record_that_says_nothing_is_an_entry_too(sink: ListSink, logger: logging.Logger) -> None:
    logger.handle(logging.makeLogRecord({"msg": "m", "levelno": 0, "lineno": 0}))
    place = {"file": "", "line": "0", "function": ""}
    assert (one(sink)["message"], one(sink)["severity"]) == ("m", "DEFAULT")
    assert one(sink)["logging.googleapis.com/sourceLocation"] == place


# --- the message being handled


def test_records_of_a_handler_carry_the_id_of_its_message(
    sink: ListSink, logger: logging.Logger
) -> None:
    of_message = Log(sink).of_operation("42").bind(message_id="42", feature="f")
    with handling(of_message):
        logger.info("inside", extra={"message_id": "FAKE"})
    logger.info("outside")
    inside, outside = sink.entries
    assert (inside["message_id"], inside["message_id_"]) == ("42", "FAKE")
    assert inside["feature"] == "f"
    assert inside["logging.googleapis.com/operation"]["id"] == "42"
    assert "message_id" not in outside


def test_handling_within_handling_ends_where_it_began(
    sink: ListSink, logger: logging.Logger
) -> None:
    with handling(Log(sink).bind(message_id="1")):
        with pytest.raises(ValueError, match="x"), handling(Log(sink).bind(message_id="2")):
            raise ValueError("x")
        logger.info("m")
    assert one(sink)["message_id"] == "1"


def test_which_records_are_written_is_for_the_loggers_to_say(
    sink: ListSink, logger: logging.Logger
) -> None:
    with handling(Log(sink, level=logging.ERROR)):
        logger.debug("m")
    assert one(sink)["severity"] == "DEBUG"


# --- what is printed


@pytest.fixture
def printed(sink: ListSink) -> Printed:
    return Printed(Log(sink))


def messages(sink: ListSink) -> list[str]:
    assert {(entry["event"], entry["severity"]) for entry in sink.entries} <= {("print", "INFO")}
    return [entry["message"] for entry in sink.entries]


def test_a_printed_line_is_an_entry_when_it_ends(sink: ListSink, printed: Printed) -> None:
    assert printed.write("one\ntwo") == 7
    assert messages(sink) == ["one"]
    print(" more\n", file=printed)
    assert messages(sink) == ["one", "two more"]


def test_a_line_that_was_begun_is_written_once_when_it_is_flushed(
    sink: ListSink, printed: Printed
) -> None:
    printed.flush()
    assert messages(sink) == []
    for _ in range(2):
        printed.write("begun")
        printed.flush()
        printed.flush()
    printed.write("next\n")
    assert messages(sink) == ["begun", "begun", "next"]


def test_threads_do_not_share_a_line(sink: ListSink, printed: Printed) -> None:
    printed.write("mine")
    in_thread(lambda: printed.write("theirs\n")).join(WAIT_SECONDS)
    printed.write("\n")
    assert messages(sink) == ["theirs", "mine"]


def test_what_a_handler_prints_belongs_to_its_message(
    sink: ListSink, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ListSink()
    monkeypatch.setattr(sys, "stdout", printed)
    with handling(Log(own).bind(message_id="42")):
        sys.stdout.write("one\ntwo")
    assert messages(own) == ["one", "two"]
    assert {entry["message_id"] for entry in own.entries} == {"42"}
    assert sink.entries == []


# --- the hooks, in this process


@contextmanager
def installed(sink: ListSink) -> Iterator[None]:
    """Our logging in this process; afterwards it is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    with patch.dict(logging._levelToName), patch.dict(logging._nameToLevel):
        logging.addLevelName(NOTICE, "not named yet")
        try:
            install(Log(sink, service=Service("s", "v")))
            yield
        finally:
            logging.captureWarnings(capture=False)
            sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
            root.handlers[:] = handlers
            root.setLevel(level)


def test_records_and_warnings_of_the_process_are_entries(sink: ListSink) -> None:
    with installed(sink), warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.getLogger("a.b").info("one")
        logging.getLogger("a.b").debug("not written")
        warnings.warn("careful", stacklevel=1)
        assert logging.getLevelName(NOTICE) == "NOTICE"
    first, second = sink.entries
    assert (first["message"], first["logger"]) == ("one", "a.b")
    assert (second["severity"], second["logger"]) == ("WARNING", "py.warnings")
    assert "UserWarning: careful" in second["message"]


def of_thread(
    kind: type[BaseException], error: BaseException | None, thread: threading.Thread | None
) -> threading.ExceptHookArgs:
    return threading.ExceptHookArgs((kind, error, None, thread))


WHY = ValueError("why")
UNCAUGHT: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: sys.excepthook(ValueError, WHY, None), "MainThread", "ValueError: why"),
    (
        lambda: threading.excepthook(of_thread(ValueError, WHY, threading.Thread(name="poller"))),
        "poller",
        "ValueError: why",
    ),
    (
        lambda: threading.excepthook(of_thread(KeyError, None, None)),
        "a thread",
        "KeyError",
    ),
    (
        lambda: sys.unraisablehook(SimpleNamespace(exc_value=WHY, err_msg=None)),
        "a finalizer",
        "ValueError: why",
    ),
    (
        lambda: sys.unraisablehook(SimpleNamespace(exc_value=None, err_msg="a callback")),
        "a callback",
        "SystemExit",
    ),
]


@pytest.mark.parametrize(("call", "place", "end"), UNCAUGHT)
def test_whatever_nobody_caught_is_a_critical_entry(
    sink: ListSink, call: Callable[[], Any], place: str, end: str
) -> None:
    with installed(sink):
        call()
    entry = one(sink)
    kind = end.partition(":")[0]
    assert (entry["severity"], entry["event"]) == ("CRITICAL", "error.uncaught")
    assert (entry["message"], entry["thread"]) == (f"uncaught {kind} in {place}", place)
    assert entry["stack_trace"].rstrip().endswith(end)
    assert entry["serviceContext"] == {"service": "s", "version": "v"}
    assert entry["logging.googleapis.com/sourceLocation"] == {
        "file": "",
        "line": "0",
        "function": place,
    }


def test_a_thread_that_leaves_with_sys_exit_writes_nothing(sink: ListSink) -> None:
    with installed(sink):
        threading.excepthook(of_thread(SystemExit, SystemExit(), threading.Thread()))
    assert sink.entries == []


# --- the whole process


def test_every_logger_of_the_process_writes_entries_from_the_level_up() -> None:
    entries, code = lines_of("""
        logging.getLogger("a.b").info("one")
        logging.getLogger("a.b").debug("not written")
        logging.warning("two")
        logging.log(25, "three")
    """)
    assert [(entry["message"], entry["severity"]) for entry in entries] == [
        ("one", "INFO"),
        ("two", "WARNING"),
        ("three", "NOTICE"),
    ]
    assert code == 0


def test_a_warning_is_an_entry() -> None:
    (entry,), _ = lines_of("warnings.warn('careful', UserWarning)", "-W", "default")
    assert (entry["severity"], entry["logger"]) == ("WARNING", "py.warnings")
    assert "UserWarning: careful" in entry["message"]


def test_an_uncaught_exception_is_an_entry_and_still_ends_the_process() -> None:
    (entry,), code = lines_of("raise ValueError('why')")
    assert (entry["severity"], entry["event"]) == ("CRITICAL", "error.uncaught")
    assert entry["message"] == "uncaught ValueError in MainThread"
    assert "ValueError: why" in entry["stack_trace"]
    assert code == 1


def test_an_uncaught_exception_of_a_thread_is_an_entry() -> None:
    (entry,), code = lines_of("""
        thread = threading.Thread(target=lambda: 1 // 0, name="poller")
        thread.start()
        thread.join()
    """)
    assert entry["message"] == "uncaught ZeroDivisionError in poller"
    assert (entry["thread"], entry["severity"]) == ("poller", "CRITICAL")
    assert "ZeroDivisionError" in entry["stack_trace"]
    assert code == 0


@pytest.mark.parametrize("where", ["thread", "process"])
def test_leaving_with_sys_exit_is_no_error(where: str) -> None:
    program = {
        "thread": "t = threading.Thread(target=sys.exit); t.start(); t.join()",
        "process": "sys.exit(0)",
    }[where]
    assert lines_of(program) == ([], 0)


def test_an_exception_in_a_finalizer_is_an_entry() -> None:
    (entry,), _ = lines_of("""
        class Bad:
            def __del__(self):
                raise ValueError("why")
        bad = Bad()
        del bad
    """)
    assert (entry["severity"], entry["event"]) == ("CRITICAL", "error.uncaught")
    assert "ValueError: why" in entry["stack_trace"]
