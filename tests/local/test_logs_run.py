"""Cloud Run's side of the log: lines of output and requests become entries."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.local.logs_support import NOW, PROJECT, open_logs
from tests.support.anything import JSON
from worker.local.logs import protos
from worker.local.logs.convert import from_entry, to_entry
from worker.local.logs.run import CloudRun, RequestSeen
from worker.local.logs.store import Logs
from worker.local.lql import parse

NOW_WRITTEN = "2026-11-18T11:06:40Z"
SPECIAL = "logging.googleapis.com/"
SEEN = RequestSeen(
    url="http://127.0.0.1:8080/push",
    status=204,
    started=NOW + 0.5,
    seconds=0.0125,
    request_size=321,
    response_size=7,
    user_agent="CloudPubSub-Google",
    trace="4bf92f3577b34da6a3ce929d0e0e4736",
    span="00f067aa0ba902b7",
)


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    opened = open_logs(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def run(logs: Logs) -> CloudRun:
    made = CloudRun(logs, project=PROJECT)
    made.begin()
    return made


def entries(logs: Logs) -> list[dict[str, Any]]:
    return logs.search(parse(""), limit=1000, newest_first=False).entries


def taken(logs: Logs, run: CloudRun, line: bytes | dict[str, Any]) -> dict[str, Any]:
    """The entry of one line."""
    run.line(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n", "stdout")
    return entries(logs)[-1]


def test_a_line_becomes_an_entry_of_the_revision(logs: Logs, run: CloudRun) -> None:
    line = {
        "severity": "INFO",
        "time": "2026-11-18T11:06:39.25Z",
        "message": "m",
        "feature": "smoke_test",
        SPECIAL + "labels": {"k": "v"},
        SPECIAL + "trace": "projects/demo/traces/t",
    }
    found = taken(logs, run, line)
    assert found == {
        "severity": "INFO",
        "timestamp": "2026-11-18T11:06:39.250Z",
        "receiveTimestamp": NOW_WRITTEN,
        "insertId": found["insertId"],
        "jsonPayload": {"message": "m", "feature": "smoke_test"},
        "labels": {"k": "v", "instanceId": found["labels"]["instanceId"]},
        "trace": "projects/demo/traces/t",
        "logName": "projects/demo/logs/run.googleapis.com%2Fstdout",
        "resource": {
            "type": "cloud_run_revision",
            "labels": {
                "project_id": "demo",
                "service_name": "feature-worker",
                "revision_name": "feature-worker-00001-dev",
                "configuration_name": "feature-worker",
                "location": "europe-west1",
            },
        },
    }


def test_stderr_has_a_log_of_its_own(logs: Logs, run: CloudRun) -> None:
    run.line(b"Traceback\n", "stderr")
    (found,) = entries(logs)
    assert found["logName"] == "projects/demo/logs/run.googleapis.com%2Fstderr"
    assert found["textPayload"] == "Traceback"
    assert found["timestamp"] == NOW_WRITTEN


def test_lines_of_one_moment_keep_their_order(logs: Logs, run: CloudRun) -> None:
    for number in range(50):
        run.line(b"%d" % number, "stdout")
    assert [found["textPayload"] for found in entries(logs)] == [str(n) for n in range(50)]


def test_each_start_is_a_revision_with_an_instance_also_after_a_restart(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        logs = open_logs(tmp_path)
        run = CloudRun(logs, project=PROJECT)
        assert run.begin() == run.revision
        run.line(b"a", "stdout")
        found = logs.search(parse(f'resource.labels.revision_name="{run.revision}"'), limit=9)
        seen.append((run.revision, len(found.entries), found.entries[0]["labels"]["instanceId"]))
        logs.close()
    assert [one[:2] for one in seen] == [
        ("feature-worker-00001-dev", 1),
        ("feature-worker-00002-dev", 1),
    ]
    assert seen[0][2] != seen[1][2]


def test_a_line_before_the_first_revision_begins_it(logs: Logs) -> None:
    run = CloudRun(logs, project=PROJECT)
    run.line(b"a", "stdout")
    assert run.revision == "feature-worker-00001-dev"


@pytest.mark.parametrize(
    "time",
    [
        "soon",
        "2026-11-18",
        "2026-11-18T11:06:39",
        "2026-11-20T11:06:39Z",  # two days ahead
        "2026-10-01T00:00:00Z",  # would leave at once
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
    ],
)
def test_a_time_that_cannot_be_is_replaced(logs: Logs, run: CloudRun, time: str) -> None:
    assert taken(logs, run, {"a": 1, "time": time})["timestamp"] == NOW_WRITTEN


def test_a_line_that_is_too_large_is_cut_and_says_so(logs: Logs, run: CloudRun) -> None:
    line = json.dumps({"severity": "ERROR", "a": "é" * 300_000}, ensure_ascii=False).encode()
    found = taken(logs, run, line)
    assert found["severity"] == "ERROR"
    assert found["textPayload"].startswith('{"severity": "ERROR", "a": "éé')
    assert found["textPayload"].endswith(f"é [cut: the line has {len(line)} bytes]")
    assert 250_000 < len(found["textPayload"].encode()) < 256 * 1024


def test_a_line_with_levels_upon_levels_is_text(logs: Logs, run: CloudRun) -> None:
    deep: Any = 1
    for _ in range(31):
        deep = {"a": deep}
    assert "textPayload" in taken(logs, run, {"a": deep})
    found = taken(logs, run, deep["a"])
    answer = protos.TailLogEntriesResponse(entries=[to_entry(found)])
    read = protos.TailLogEntriesResponse.FromString(answer.SerializeToString())
    assert from_entry(read.entries[0])["jsonPayload"] == deep["a"]


def test_half_a_character_is_replaced(logs: Logs, run: CloudRun) -> None:
    assert taken(logs, run, b'{"a": "x\\ud800y", "b": 1}')["jsonPayload"]["a"] == "x\ufffdy"
    assert taken(logs, run, b'{"a": "\\ud83d\\ude00", "b": 1}')["jsonPayload"]["a"] == "\U0001f600"


def test_empty_special_fields_are_left_out(logs: Logs, run: CloudRun) -> None:
    line = {"a": 1, SPECIAL + "trace": "", SPECIAL + "spanId": "", SPECIAL + "trace_sampled": False}
    assert {"trace", "spanId", "traceSampled"}.isdisjoint(taken(logs, run, line))


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()) | st.dictionaries(
    st.sampled_from(["message", "time", "severity", "httpRequest", SPECIAL + "labels",
                     SPECIAL + "operation", SPECIAL + "sourceLocation", SPECIAL + "insertId"]),
    JSON | st.dictionaries(st.sampled_from(["status", "latency", "id", "line", "first"]), JSON),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_line_is_an_entry_that_is_found_again_and_that_protobuf_can_hold(
    tmp_path_factory: pytest.TempPathFactory, line: bytes
) -> None:
    logs = open_logs(tmp_path_factory.mktemp("logs"))
    run = CloudRun(logs, project=PROJECT)
    found = taken(logs, run, line)
    query = parse(f'insertId={json.dumps(found["insertId"])} log_id("run.googleapis.com/stdout")')
    assert logs.search(query, limit=9).entries == [found]
    logs.close()
    json.dumps(found, allow_nan=False).encode()
    message = to_entry(found)
    assert protos.LogEntry.FromString(message.SerializeToString()) == message


def test_a_request_is_an_entry_of_the_request_log(logs: Logs, run: CloudRun) -> None:
    run.request(SEEN)
    (found,) = entries(logs)
    assert found["logName"] == "projects/demo/logs/run.googleapis.com%2Frequests"
    assert found["resource"]["labels"]["revision_name"] == run.revision
    assert found["severity"] == "INFO"
    assert found["timestamp"] == "2026-11-18T11:06:40.500Z"
    assert found["trace"] == "projects/demo/traces/4bf92f3577b34da6a3ce929d0e0e4736"
    assert (found["spanId"], found["traceSampled"]) == ("00f067aa0ba902b7", True)
    assert found["httpRequest"] == {
        "requestMethod": "POST",
        "requestUrl": "http://127.0.0.1:8080/push",
        "requestSize": "321",
        "status": 204,
        "responseSize": "7",
        "userAgent": "CloudPubSub-Google",
        "remoteIp": "127.0.0.1",
        "serverIp": "127.0.0.1",
        "latency": "0.012500s",
        "protocol": "HTTP/1.1",
    }


@pytest.mark.parametrize(
    ("status", "severity"),
    [(102, "INFO"), (204, "INFO"), (399, "INFO"), (400, "WARNING"), (429, "WARNING"),
     (499, "WARNING"), (500, "ERROR"), (503, "ERROR"), (0, "ERROR")],
)  # fmt: skip
def test_the_status_of_a_request_decides_its_severity(
    logs: Logs, run: CloudRun, status: int, severity: str
) -> None:
    run.request(replace(SEEN, status=status))
    assert entries(logs)[0]["severity"] == severity
