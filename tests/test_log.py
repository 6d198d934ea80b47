"""Entries as Cloud Logging understands them, and whose fields are whose."""

import inspect
import logging
import os
import re
import subprocess
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.hostile import HostileError
from tests.support.inprocess import ListSink
from tests.support.server import ROOT
from worker.log import Log, Service, next_insert_id, severity_of
from worker.outcome import NOTICE

SPECIAL = "logging.googleapis.com/"
SERVICE = Service("my-service", "my-service-00007", "demo")


@pytest.fixture
def sink() -> ListSink:
    return ListSink()


@pytest.fixture
def log(sink: ListSink) -> Log:
    return Log(sink, service=SERVICE)


def one(sink: ListSink) -> dict[str, Any]:
    (entry,) = sink.entries
    return entry


def raised() -> ZeroDivisionError:
    try:
        return ZeroDivisionError(str(1 // 0))
    except ZeroDivisionError as error:
        return error


# --- severity


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (-5, "DEFAULT"),
        (0, "DEFAULT"),
        (5, "DEFAULT"),
        (logging.DEBUG, "DEBUG"),
        (15, "DEBUG"),
        (logging.INFO, "INFO"),
        (24, "INFO"),
        (NOTICE, "NOTICE"),
        (29, "NOTICE"),
        (logging.WARNING, "WARNING"),
        (35, "WARNING"),
        (logging.ERROR, "ERROR"),
        (logging.CRITICAL, "CRITICAL"),
        (59, "CRITICAL"),
        (60, "ALERT"),
        (70, "EMERGENCY"),
        (10_000, "EMERGENCY"),
    ],
)
def test_severity_is_mapped_by_number_custom_levels_included(level: int, severity: str) -> None:
    assert severity_of(level) == severity


@pytest.mark.parametrize(
    ("method", "severity"),
    [
        ("debug", "DEBUG"),
        ("info", "INFO"),
        ("notice", "NOTICE"),
        ("warning", "WARNING"),
        ("error", "ERROR"),
    ],
)
def test_each_method_writes_its_severity(sink: ListSink, method: str, severity: str) -> None:
    getattr(Log(sink, level=0), method)("thing.happened", "A sentence", n=1)
    entry = one(sink)
    assert entry["severity"] == severity
    assert (entry["message"], entry["event"], entry["n"]) == ("A sentence", "thing.happened", 1)


@pytest.mark.parametrize(
    ("level", "written"),
    [
        (logging.DEBUG, ["debug", "info", "notice", "warning", "error"]),
        (logging.INFO, ["info", "notice", "warning", "error"]),
        (NOTICE, ["notice", "warning", "error"]),
        (logging.WARNING, ["warning", "error"]),
        (logging.CRITICAL, []),
    ],
)
def test_entries_under_the_level_are_not_written(
    sink: ListSink, level: int, written: list[str]
) -> None:
    log = Log(sink, level)
    for method in ("debug", "info", "notice", "warning", "error"):
        getattr(log, method)(method)
    assert [entry["event"] for entry in sink.entries] == written


def test_an_entry_under_the_level_costs_nothing(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Log, "put", None)
    monkeypatch.setattr(Log, "error_fields", None)
    off = log._replace(level=logging.CRITICAL)
    for method in ("debug", "info", "notice", "warning"):
        getattr(off, method)(method, n=1)
    off.error("e", exc=raised())
    off.write(logging.ERROR, "e", "m", {})


def test_an_entry_without_a_sentence_has_its_event_for_one(sink: ListSink) -> None:
    for method in ("debug", "info", "notice", "warning", "error"):
        getattr(Log(sink, level=0), method)(method)
    assert all(entry["message"] == entry["event"] for entry in sink.entries)


# --- what every entry has


def test_an_entry_has_the_special_fields_and_a_second_field_beside_its_message(
    sink: ListSink, log: Log
) -> None:
    before = datetime.now(UTC)
    log.info("thing.happened")
    line = inspect.currentframe().f_lineno - 1  # type: ignore[union-attr]  # CPython has it
    entry = one(sink)
    time = datetime.fromisoformat(entry.pop("time"))
    assert before <= time <= datetime.now(UTC)
    assert re.fullmatch(r"[0-9a-z-]+", entry.pop(SPECIAL + "insertId"))
    assert entry.pop(SPECIAL + "sourceLocation") == {
        "file": __file__,
        "line": str(line),
        "function": "test_an_entry_has_the_special_fields_and_a_second_field_beside_its_message",
    }
    assert entry == {"severity": "INFO", "message": "thing.happened", "event": "thing.happened"}


def test_the_time_is_utc_and_says_so_with_a_z(sink: ListSink, log: Log) -> None:
    log.info("e")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", one(sink)["time"])


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (1_795_288_809_000_000_000, "2026-11-21T19:20:09.000000Z"),
        (1_795_288_809_123_456_999, "2026-11-21T19:20:09.123456Z"),
        (1_795_288_809_999_999_999, "2026-11-21T19:20:09.999999Z"),
        (1_795_288_810_000_001_000, "2026-11-21T19:20:10.000001Z"),
        (1_795_288_809_500_000_000, "2026-11-21T19:20:09.500000Z"),  # the clock was set back
    ],
)
def test_the_time_is_that_of_the_entry_whatever_was_written_before(
    sink: ListSink, log: Log, monkeypatch: pytest.MonkeyPatch, nanoseconds: int, text: str
) -> None:
    for now in (1_795_288_809_000_000_000, nanoseconds):
        monkeypatch.setattr(time, "time_ns", lambda now=now: now)
        log.info("e")
    assert sink.entries[1]["time"] == text


def test_the_time_does_not_depend_on_the_zone_of_the_machine(
    sink: ListSink, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_795_288_811_000_000_000)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "XYZ-5")
        time.tzset()
        log.info("e")
    time.tzset()
    assert one(sink)["time"] == "2026-11-21T19:20:11.000000Z"


def test_a_forked_process_has_insert_ids_of_its_own() -> None:
    script = (
        "import os\n"
        "from worker.log import next_insert_id\n"
        "child = os.fork()\n"
        "if child:\n"
        "    os.waitpid(child, 0)\n"
        "print(os.getpid(), next_insert_id(), flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len({insert_id for _, insert_id in lines}) == 2
    assert all(f"{int(pid):x}" == insert_id.split("-")[1] for pid, insert_id in lines)


def test_insert_ids_differ_and_sort_in_the_order_of_writing() -> None:
    ids = [next_insert_id() for _ in range(1000)]
    assert ids == sorted(set(ids))
    assert f"{os.getpid():x}" in ids[0].split("-")


def test_the_place_of_an_entry_is_a_file_a_line_and_a_function(sink: ListSink, log: Log) -> None:
    log.info("e")
    place = one(sink)[SPECIAL + "sourceLocation"]
    assert set(place) == {"file", "line", "function"}
    assert place["line"].isdecimal()


def test_the_place_is_that_of_the_caller_however_the_entry_is_written(
    sink: ListSink, log: Log
) -> None:
    log.info("e")
    log.error("e", exc=raised())
    log.canonical(logging.INFO, "e", "m", {}, {})
    log.bind(a=1).write(logging.INFO, "e", "m", {})
    log.put(logging.INFO, "e", "m", {})
    places = [entry[SPECIAL + "sourceLocation"] for entry in sink.entries]
    assert {place["file"] for place in places} == {__file__}
    assert len({place["line"] for place in places}) == 5


# --- bind, label, operation


def test_bind_gives_a_new_log_and_leaves_the_old_one(sink: ListSink, log: Log) -> None:
    bound = log.bind(a=1, b=1).bind(b=2)
    bound.info("e", c=3)
    log.info("e")
    first, second = sink.entries
    assert (first["a"], first["b"], first["c"]) == (1, 2, 3)
    assert "a" not in second


def test_labels_are_added_up(sink: ListSink, log: Log) -> None:
    log.label(a="1", b="1").label(b="2").info("e")
    assert one(sink)[SPECIAL + "labels"] == {"a": "1", "b": "2"}


def test_the_first_and_the_last_entry_of_an_operation_say_so(sink: ListSink, log: Log) -> None:
    of_message = log.of_operation("42")
    of_message.info("e")
    of_message.bind(a=1).info("e")
    of_message.label(b="2").canonical(logging.INFO, "end", "m", {}, {})
    of_message.info("late")
    operation = {"id": "42", "producer": "my-service"}
    assert [entry[SPECIAL + "operation"] for entry in sink.entries] == [
        {**operation, "first": True},
        operation,
        {**operation, "last": True},
        operation,
    ]


def test_the_log_of_a_request_writes_to_its_sink_and_has_more_special_fields(
    sink: ListSink, log: Log
) -> None:
    own = ListSink()
    before = log.bind(a=1).label(b="2").of_operation("42")
    request = before.of_request(own, {SPECIAL + "trace": "t"})
    request.info("e")
    before.info("e")
    entry = one(own)
    assert (entry["a"], entry[SPECIAL + "labels"]) == (1, {"b": "2"})
    assert entry[SPECIAL + "operation"]["id"] == "42"
    assert entry[SPECIAL + "trace"] == "t"
    assert SPECIAL + "trace" not in one(sink)
    assert (request.level, request.service) == (before.level, before.service)


def test_a_special_field_of_a_request_counts_before_an_earlier_one(log: Log) -> None:
    own = ListSink()
    first = log.of_request(own, {SPECIAL + "trace": "1", SPECIAL + "spanId": "2"})
    first.of_request(own, {SPECIAL + "trace": "3"}).info("e")
    assert (one(own)[SPECIAL + "trace"], one(own)[SPECIAL + "spanId"]) == ("3", "2")


def test_whatever_is_made_from_a_log_has_the_rest_of_it(sink: ListSink) -> None:
    full = Log(sink, logging.DEBUG, SERVICE, {"a": 1}, {SPECIAL + "trace": "t"}).of_operation("1")
    assert full._replace(operation=None) == Log(
        sink, logging.DEBUG, SERVICE, {"a": 1}, {SPECIAL + "trace": "t"}
    )
    assert full.bind(b=2) == full._replace(fields={"a": 1, "b": 2})
    labelled = {SPECIAL + "trace": "t", SPECIAL + "labels": {"b": "2"}}
    assert full.label(b="2") == full._replace(special=labelled)
    assert full.of_request(sink, {}) == full


def test_a_lone_entry_is_the_first_and_the_last(sink: ListSink, log: Log) -> None:
    log.of_operation("42").canonical(logging.INFO, "end", "m", {}, {})
    assert one(sink)[SPECIAL + "operation"] == {
        "id": "42",
        "producer": "my-service",
        "first": True,
        "last": True,
    }


def test_an_entry_that_is_not_written_is_not_the_first(sink: ListSink, log: Log) -> None:
    of_message = log.of_operation("42")
    of_message.debug("e")
    of_message.info("e")
    assert one(sink)[SPECIAL + "operation"]["first"] is True


@pytest.mark.parametrize("level", [0, logging.CRITICAL, 1000])
def test_the_canonical_entry_is_written_whatever_the_level(sink: ListSink, level: int) -> None:
    Log(sink, level).canonical(logging.INFO, "end", "m", {"n": 1}, {})
    assert (one(sink)["severity"], one(sink)["n"]) == ("INFO", 1)


# --- whose field it is


@pytest.mark.parametrize(
    "name",
    ["severity", "time", "timestamp", "httpRequest", "message", "event", SPECIAL + "labels",
     SPECIAL + "trace", SPECIAL + "insertId", "message_id", "feature"],
)  # fmt: skip
@pytest.mark.parametrize("how", ["field", "bind", "both"])
def test_a_handlers_field_keeps_its_value_and_cannot_pose_as_ours(
    sink: ListSink, log: Log, name: str, how: str
) -> None:
    ours = log.bind(message_id="1", feature="f").label(feature="f").of_operation("1")
    ours.info("e", "m")
    bound = ours.bind(**{name: "FAKE"}) if how != "field" else ours
    bound.write(logging.INFO, "e", "m", {name: "FAKE 2"} if how != "bind" else {})
    before, entry = sink.entries
    assert {key: entry[key] for key in before if key not in (*VARYING, name)} == {
        key: before[key] for key in before if key not in (*VARYING, name)
    }
    assert "FAKE" not in str(entry.get(name))
    kept = [entry[name + "_"]] + ([entry[name + "__"]] if how == "both" else [])
    assert kept == {"field": ["FAKE 2"], "bind": ["FAKE"], "both": ["FAKE", "FAKE 2"]}[how]


VARYING = ("time", SPECIAL + "insertId", SPECIAL + "sourceLocation", SPECIAL + "operation")


def test_a_handler_may_bind_its_own_field_again(sink: ListSink, log: Log) -> None:
    log.bind(message_id="1").bind(message_id="2").bind(message_id="3").info("e")
    assert (one(sink)["message_id"], one(sink)["message_id_"]) == ("1", "3")


@pytest.mark.parametrize("name", ["self", "event", "message_", "level", "fields", "location"])
def test_a_field_may_be_called_like_an_argument(sink: ListSink, log: Log, name: str) -> None:
    log.bind(**{name: "bound"}).info("e", **{name: "given"})
    found = {key: value for key, value in one(sink).items() if key.startswith(name)}
    assert {"bound", "given"} <= set(found.values())


def test_the_callers_fields_are_not_changed(log: Log) -> None:
    fields = {"severity": "x", "a": [1]}
    log.write(logging.INFO, "e", "m", fields)
    assert fields == {"severity": "x", "a": [1]}


# --- errors


def test_an_exception_is_what_error_reporting_groups_by(sink: ListSink, log: Log) -> None:
    log.error("thing.failed", "It failed", exc=raised(), n=1)
    entry = one(sink)
    assert entry["stack_trace"].startswith("Traceback (most recent call last):\n")
    assert "ZeroDivisionError" in entry["stack_trace"]
    assert f'File "{__file__}"' in entry["stack_trace"]
    assert entry["@type"] == (
        "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
    )
    assert entry["serviceContext"] == {"service": "my-service", "version": "my-service-00007"}
    assert (entry["message"], entry["n"]) == ("It failed", 1)


def test_an_error_without_an_exception_is_no_crash_to_report(sink: ListSink, log: Log) -> None:
    log.error("thing.failed")
    assert not {"stack_trace", "@type", "serviceContext"} & set(one(sink))


MALFORMED: Any = ("f", 1, 1, 5)  # the last should be text


@pytest.mark.parametrize(
    "error",
    [
        HostileError(),
        SyntaxError("m", MALFORMED),
        SystemExit(3),
        ExceptionGroup("g", [KeyError()]),
    ],
    ids=["hostile", "malformed", "exit", "group"],
)
def test_any_exception_has_a_stack_trace(log: Log, error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        raise error
    trace = log.error_fields(caught.value)["stack_trace"]
    assert "Traceback (most recent call last):\n" in trace
    assert f'File "{__file__}"' in trace.replace("| ", "")
    assert type(error).__name__ in trace


def test_a_stack_trace_is_the_one_that_python_prints(log: Log) -> None:
    error = raised()
    assert log.error_fields(error)["stack_trace"] == "".join(traceback.format_exception(error))


def test_a_malformed_exception_still_says_where_it_was_raised(log: Log) -> None:
    def fail() -> None:
        raise SyntaxError("m", MALFORMED)

    with pytest.raises(SyntaxError) as caught:
        fail()
    frames = "".join(traceback.format_tb(caught.value.__traceback__))
    assert frames.count("File") == 2
    assert log.error_fields(caught.value)["stack_trace"] == (
        f"Traceback (most recent call last):\n{frames}SyntaxError\n"
    )


def test_the_cause_of_an_exception_is_in_its_stack_trace(log: Log) -> None:
    error = ValueError("second")
    error.__cause__ = KeyError("first")
    trace = log.error_fields(error)["stack_trace"]
    assert trace.index("KeyError: 'first'") < trace.index("ValueError: second")


def test_a_log_never_changes(log: Log) -> None:
    for name in ("sink", "level", "service", "fields", "special", "operation", "anything"):
        with pytest.raises(AttributeError):
            setattr(log, name, None)


@pytest.mark.parametrize("name", ["message", "event", "self", "severity"])
def test_whatever_a_field_is_named_it_is_a_field(name: str) -> None:
    """Attributes of a message may be named like our arguments."""
    sink = ListSink()
    Log(sink).info("pet.seen", "a pet was seen", **{name: "from outside"})
    (entry,) = sink.entries
    assert (entry["event"], entry["message"]) == ("pet.seen", "a pet was seen")
    assert "from outside" in entry.values()
