"""One stdout line as Cloud Run reads it: Cloud Logging's table of special fields."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.anything import JSON
from worker.logentry import to_log_entry

SPECIAL = "logging.googleapis.com/"


def read(record: Any) -> dict[str, Any]:
    return to_log_entry(json.dumps(record).encode() + b"\n")


@pytest.mark.parametrize(
    ("name", "becomes", "value"),
    [
        ("httpRequest", "httpRequest", {"requestMethod": "POST"}),
        (SPECIAL + "insertId", "insertId", "a-1"),
        (SPECIAL + "labels", "labels", {"k": "v"}),
        (SPECIAL + "operation", "operation", {"id": "1", "first": True}),
        (SPECIAL + "sourceLocation", "sourceLocation", {"file": "f", "line": "7"}),
        (SPECIAL + "spanId", "spanId", "b7ad6b7169203331"),
        (SPECIAL + "trace", "trace", "projects/p/traces/t"),
        (SPECIAL + "trace_sampled", "traceSampled", True),
        ("time", "timestamp", "2026-11-21T19:20:09.123456Z"),
    ],
)
def test_a_special_field_is_lifted_out_of_the_payload(name: str, becomes: str, value: Any) -> None:
    entry = read({"message": "m", "event": "e", name: value})
    assert entry == {
        "severity": "DEFAULT",
        becomes: value,
        "jsonPayload": {"message": "m", "event": "e"},
    }


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("INFO", "INFO"), ("info", "INFO"), ("NOTICE", "NOTICE"), ("EMERGENCY", "EMERGENCY"),
        ("WARN", "WARNING"), ("FATAL", "CRITICAL"), ("err", "ERROR"),
        ("Level 25", "DEFAULT"), ("", "DEFAULT"), (None, "DEFAULT"), (25, "DEFAULT"),
    ],
)  # fmt: skip
def test_a_severity_is_one_of_nine_names(said: Any, severity: str) -> None:
    entry = read({"message": "m", "event": "e", "severity": said})
    assert entry["severity"] == severity
    assert "severity" not in entry["jsonPayload"]


SECONDS = {"timestamp": {"seconds": 1_795_000_000, "nanos": 5}}
PAIR = {"timestampSeconds": 1_795_000_001, "timestampNanos": 123_456_789}
TEXT = {"time": "2026-11-21T19:20:09Z"}


@pytest.mark.parametrize(
    ("record", "timestamp"),
    [
        ({**TEXT, **PAIR, **SECONDS}, "2026-11-18T11:06:40.000000005Z"),
        ({**TEXT, **PAIR}, "2026-11-18T11:06:41.123456789Z"),
        (TEXT, "2026-11-21T19:20:09Z"),
    ],
)
def test_of_three_spellings_of_the_time_the_first_counts(
    record: dict[str, Any], timestamp: str
) -> None:
    assert read({"a": 1, **record})["timestamp"] == timestamp


def test_the_time_does_not_depend_on_the_zone_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "XYZ-5")
        time.tzset()
        timestamp = read({"a": 1, **PAIR})["timestamp"]
    time.tzset()
    assert timestamp == "2026-11-18T11:06:41.123456789Z"


@pytest.mark.parametrize(
    "record",
    [
        {"timestamp": "2026-11-21T19:20:09Z"},
        {"timestamp": {"seconds": 1}},
        {"timestampSeconds": 1},
        {"time": 5},
    ],
)
def test_what_is_no_time_stays_in_the_payload(record: dict[str, Any]) -> None:
    assert read(record) == {"severity": "DEFAULT", "jsonPayload": record}


@pytest.mark.parametrize(
    "name",
    [
        "logName",
        "resource",
        "stack_trace",
        "serviceContext",
        "@type",
        SPECIAL + "diagnostic",
        "Severity",
    ],
)
def test_anything_else_stays_in_the_payload(name: str) -> None:
    assert read({"message": "m", name: {"a": 1}})["jsonPayload"] == {"message": "m", name: {"a": 1}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("httpRequest", "GET /"),
        ("httpRequest", None),
        (SPECIAL + "insertId", 7),
        (SPECIAL + "labels", ["a"]),
        (SPECIAL + "operation", "id"),
        (SPECIAL + "sourceLocation", 7),
        (SPECIAL + "spanId", 7),
        (SPECIAL + "trace", {"id": "t"}),
        (SPECIAL + "trace_sampled", "true"),
    ],
)
def test_a_special_field_of_the_wrong_type_stays_in_the_payload(name: str, value: Any) -> None:
    assert read({"a": 1, name: value}) == {
        "severity": "DEFAULT",
        "jsonPayload": {"a": 1, name: value},
    }


@pytest.mark.parametrize(
    ("name", "becomes", "value", "lifted", "rest"),
    [
        (
            "httpRequest", "httpRequest",
            {"requestMethod": "POST", "status": "204", "requestSize": 5, "latency": "0.5s",
             "cacheHit": True, "mine": 1, "userAgent": 5},
            {"requestMethod": "POST", "status": 204, "requestSize": "5", "latency": "0.5s",
             "cacheHit": True},
            {"mine": 1, "userAgent": 5},
        ),
        (
            "httpRequest", "httpRequest",
            {"status": 2**31, "requestSize": str(2**63), "latency": "soon", "protocol": "HTTP/2"},
            {"protocol": "HTTP/2"},
            {"status": 2**31, "requestSize": str(2**63), "latency": "soon"},
        ),
        (
            SPECIAL + "operation", "operation",
            {"id": "1", "first": "true", "last": False},
            {"id": "1", "last": False},
            {"first": "true"},
        ),
        (
            SPECIAL + "sourceLocation", "sourceLocation",
            {"file": "f", "line": 7, "function": None},
            {"file": "f", "line": "7"},
            {"function": None},
        ),
        (
            SPECIAL + "sourceLocation", "sourceLocation",
            {"line": True, "file": "f"},
            {"file": "f"},
            {"line": True},
        ),
    ],
)  # fmt: skip
def test_of_a_special_object_the_known_fields_are_lifted_and_the_rest_stays(
    name: str, becomes: str, value: Any, lifted: Any, rest: Any
) -> None:
    assert read({"a": 1, name: value}) == {
        "severity": "DEFAULT",
        becomes: lifted,
        "jsonPayload": {"a": 1, name: rest},
    }


def test_labels_become_text() -> None:
    labels = read({"a": 1, SPECIAL + "labels": {"n": 5, "t": "x", "b": True}})["labels"]
    assert labels == {"n": "5", "t": "x", "b": "true"}


def test_a_lone_message_becomes_text_and_so_hides_from_queries_of_the_payload() -> None:
    assert read({"severity": "INFO", "message": "m"}) == {"severity": "INFO", "textPayload": "m"}
    assert read({"message": {"a": 1}})["jsonPayload"] == {"message": {"a": 1}}
    assert read({"message": "m", "event": "e"})["jsonPayload"] == {"message": "m", "event": "e"}


@pytest.mark.parametrize(
    "line",
    [
        b"plain text", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1', b"[1]", b'"text"', b"5", b"",
        b"spaces \t ", b"XX", b'{"a": 1} {"b": 2}', b"\xff\xfe", b'{"a": 1e999}', b'{"a": -1e999}',
        b'{"a": ' + b"9" * 309 + b"}", b'{"a": ' + b"9" * 5000 + b"}", b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)  # fmt: skip
def test_a_line_that_is_no_json_object_is_text(line: bytes) -> None:
    assert to_log_entry(line + b"\n") == {
        "textPayload": line.decode("utf-8", "replace"),
        "severity": "DEFAULT",
    }


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_line_is_one_entry_with_one_payload(line: bytes) -> None:
    entry = to_log_entry(line)
    assert ("jsonPayload" in entry) != ("textPayload" in entry)
    assert entry["severity"]
