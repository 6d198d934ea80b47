"""Logging calls, warnings and uncaught exceptions come out as entries like all others."""

import json
import logging
import os
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from tests.support.hostile import Hostile, HostileError
from tests.support.inprocess import ListSink
from tests.support.server import ROOT
from worker.log import Log, Service
from worker.stdlog import LoggingHandler, handling


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
