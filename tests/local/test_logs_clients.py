"""Unmodified clients against our Cloud Logging: google-cloud-logging and gcloud."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask
import google.cloud.logging as gcl
import google.cloud.logging_v2
import grpc
import pytest
from google.api_core.exceptions import BadRequest, InvalidArgument, NotFound, ServiceUnavailable
from google.auth.credentials import AnonymousCredentials
from google.cloud.logging_v2 import _gapic
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import (
    LoggingServiceV2GrpcTransport,
)
from google.cloud.logging_v2.types import TailLogEntriesRequest

from tests.faults.waiting import wait_until
from tests.support.tools import tool
from worker.local.logs.rest import blueprint
from worker.local.logs.rpc import rpc_handler
from worker.local.logs.store import Logs
from worker.local.rpc import RpcServer
from worker.local.web import WebServer

PROJECT = "demo"
LOG = f"projects/{PROJECT}/logs/app"
WAIT_SECONDS = 60.0


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    opened = Logs(tmp_path / "state", PROJECT)
    yield opened
    opened.close()


@pytest.fixture
def target(logs: Logs) -> Iterator[str]:
    """HOST:PORT of both protocols."""
    app = flask.Flask("test")
    app.register_blueprint(blueprint(logs))
    rpc = RpcServer([rpc_handler(logs)], 0)
    web = WebServer(app, 0, rpc.port)
    rpc.start()
    web.start()
    yield f"127.0.0.1:{web.port}"
    web.stop()
    rpc.stop()


@pytest.fixture
def channel(target: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(target) as opened:
        yield opened


@pytest.fixture
def api(channel: grpc.Channel) -> LoggingServiceV2Client:
    return LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))


@pytest.fixture(params=["rest", "grpc"])
def client(
    request: pytest.FixtureRequest,
    target: str,
    api: LoggingServiceV2Client,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    # Else the first write of the process has an entry about the library in it.
    monkeypatch.setattr(google.cloud.logging_v2, "_instrumentation_emitted", True)
    credentials: Any = AnonymousCredentials()
    if request.param == "rest":
        options = {"api_endpoint": f"http://{target}"}
        return gcl.Client(
            project=PROJECT, credentials=credentials, _use_grpc=False, client_options=options
        )
    made = gcl.Client(project=PROJECT, credentials=credentials, _use_grpc=True)
    made._logging_api = _gapic._LoggingAPI(api, made)
    return made


def test_what_the_client_writes_it_lists(client: Any) -> None:
    logger = client.logger("app")
    logger.log_text("hello", severity="NOTICE", labels={"a": "b"})
    logger.log_struct({"n": 1, "deep": {"l": [1.5, None, True]}}, insert_id="mine")
    text, struct = client.list_entries(order_by="timestamp asc")
    assert (text.payload, text.severity, text.labels) == ("hello", "NOTICE", {"a": "b"})
    assert (struct.payload, struct.insert_id) == (
        {"n": 1, "deep": {"l": [1.5, None, True]}},
        "mine",
    )
    assert struct.log_name == LOG
    assert struct.timestamp.tzinfo is not None


def test_the_client_pages_through_all_entries(client: Any, logs: Logs) -> None:
    logs.write([_text(str(number)) for number in range(7)])
    found = client.list_entries(filter_="textPayload:*", page_size=2)
    assert [one.payload for one in found] == [str(number) for number in range(7)]
    limited = client.list_entries(order_by="timestamp desc", max_results=3, page_size=2)
    assert [one.payload for one in limited] == ["6", "5", "4"]


def test_a_wrong_filter_is_an_error_of_the_client_with_place_and_reason(client: Any) -> None:
    with pytest.raises((BadRequest, InvalidArgument), match="line 1, column 10"):
        list(client.list_entries(filter_="severity>>INFO"))


def test_the_client_deletes_a_log(client: Any, logs: Logs) -> None:
    client.logger("app").log_text("hello")
    client.logger("app").delete()
    assert logs.names() == []
    with pytest.raises(NotFound):
        client.logger("app").delete()


def test_a_batch_of_the_client_arrives_whole_and_in_order(client: Any, logs: Logs) -> None:
    with client.logger("app").batch() as batch:
        for number in range(20):
            batch.log_text(str(number))
    found = client.list_entries(order_by="timestamp asc")
    assert [one.payload for one in found] == [str(number) for number in range(20)]


def _text(text: str) -> dict[str, Any]:
    return {"logName": LOG, "resource": {"type": "global"}, "textPayload": text}


def test_the_names_of_logs_are_listed_over_grpc(api: LoggingServiceV2Client, logs: Logs) -> None:
    logs.write([_text("a") | {"logName": f"projects/demo/logs/{name}"} for name in "abc"])
    found = api.list_logs(request={"parent": "projects/demo", "page_size": 2})
    assert list(found) == [f"projects/demo/logs/{name}" for name in "abc"]
    assert [one.type for one in api.list_monitored_resource_descriptors()]


def test_a_payload_of_a_type_unknown_here_keeps_its_type_over_grpc(
    api: LoggingServiceV2Client, logs: Logs
) -> None:
    audit = {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "methodName": "m"}
    logs.write([{"logName": LOG, "resource": {"type": "global"}, "protoPayload": audit}])
    (found,) = api.list_log_entries(request={"resource_names": ["projects/demo"]})
    payload = type(found).pb(found).proto_payload
    assert payload.type_url == "type.googleapis.com/google.cloud.audit.AuditLog"


def tail(api: LoggingServiceV2Client, ended: threading.Event, **request: Any) -> Any:
    """The answers of a tail that lasts until the event."""

    def requests() -> Iterator[TailLogEntriesRequest]:
        yield TailLogEntriesRequest(resource_names=["projects/demo"], **request)
        ended.wait(WAIT_SECONDS)

    return api.tail_log_entries(requests(), timeout=WAIT_SECONDS)


def test_a_tail_sends_what_matches_as_it_is_written(
    api: LoggingServiceV2Client, logs: Logs
) -> None:
    logs.write([_text("before")])
    ended = threading.Event()
    answers = tail(api, ended, filter="severity>=ERROR OR textPayload:a")
    logs.write([_text("a"), _text("b"), _text("c") | {"severity": "ERROR"}])
    logs.write([_text("a2") | {"logName": "projects/other/logs/app"}])
    logs.write([_text("a3")])
    seen: list[str] = []
    while len(seen) < 3:
        seen += [one.text_payload for one in next(answers).entries]
    assert seen == ["a", "c", "a3"]
    answers.cancel()
    ended.set()


def test_a_tail_with_a_window_sorts_what_came_in_it(
    api: LoggingServiceV2Client, logs: Logs
) -> None:
    ended = threading.Event()
    answers = tail(api, ended, buffer_window="0.2s")
    now = datetime.now(UTC)
    times = [f"{now:%Y-%m-%dT%H:%M:%S}{fraction}Z" for fraction in (".5", "", ".123456789")]
    logs.write([_text(time) | {"timestamp": time} for time in times])
    assert next(answers).entries == []
    assert [one.text_payload for one in next(answers).entries] == [times[1], times[2], times[0]]
    answers.cancel()
    ended.set()


def test_a_tail_that_is_slow_learns_what_it_missed(
    api: LoggingServiceV2Client, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs._tails, "_size", 3)
    ended = threading.Event()
    answers = tail(api, ended, buffer_window="0.1s")
    next(answers)
    logs._tails.offer([_text(str(n)) | {"timestamp": "2026-01-01T00:00:00Z"} for n in range(5000)])
    counts = [0, 0]
    while sum(counts) < 5000:
        answer = next(answers)
        counts[0] += len(answer.entries)
        counts[1] += sum(one.suppressed_count for one in answer.suppression_info)
    assert sum(counts) == 5000
    assert counts[1] > 0
    answers.cancel()
    ended.set()


def test_a_wrong_tail_is_refused(api: LoggingServiceV2Client) -> None:
    for request in ({"filter": "a=="}, {"buffer_window": "61s"}, {"resource_names": ["x"]}):
        call = {"resource_names": ["projects/demo"]} | request
        with pytest.raises(InvalidArgument):
            list(api.tail_log_entries(iter([TailLogEntriesRequest(call)])))


def test_a_tail_ends_when_the_server_stops(logs: Logs) -> None:
    rpc = RpcServer([rpc_handler(logs)], 0)
    rpc.start()
    with grpc.insecure_channel(f"127.0.0.1:{rpc.port}") as channel:
        transport = LoggingServiceV2GrpcTransport(channel=channel)
        ended = threading.Event()
        answers = tail(LoggingServiceV2Client(transport=transport), ended)
        next(answers)
        rpc.stop()
        with pytest.raises(ServiceUnavailable):
            next(answers)
        ended.set()
    wait_until(lambda: logs._tails._tails == (), "the server has forgotten the tail")


class Gcloud:
    """The real gcloud with a configuration of its own, no account, and only our server."""

    def __init__(self, target: str, folder: Path) -> None:
        self._path = tool("gcloud")
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._environment = kept | {
            "CLOUDSDK_CONFIG": str(folder),
            "CLOUDSDK_CORE_PROJECT": PROJECT,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": f"http://{target}/",
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._path, "logging", *arguments, "--format=json"],
            env=self._environment, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    def __call__(self, *arguments: str) -> Any:
        """The JSON that `gcloud logging ARGUMENTS` prints."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")


@pytest.fixture
def gcloud(target: str, tmp_path: Path) -> Gcloud:
    return Gcloud(target, tmp_path / "gcloud")


@pytest.mark.server
def test_gcloud_writes_reads_lists_and_deletes(gcloud: Gcloud, logs: Logs) -> None:
    payload = '{"feature": "smoke_test", "n": 5}'
    gcloud("write", "app%2Fone", payload, "--payload-type=json", "--severity=WARNING")
    (found,) = gcloud("read", "severity=WARNING OR severity=ERROR jsonPayload.n>4")
    assert found["jsonPayload"] == {"feature": "smoke_test", "n": 5}
    assert found["logName"] == "projects/demo/logs/app%2Fone"
    assert gcloud("read", 'jsonPayload.feature="other"') == []
    assert gcloud("logs", "list") == ["projects/demo/logs/app%2Fone"]
    gcloud("logs", "delete", "app%2Fone")
    assert logs.names() == []


@pytest.mark.server
def test_gcloud_reads_as_many_entries_as_wanted_from_views_as_well(
    gcloud: Gcloud, logs: Logs
) -> None:
    logs.write([_text(str(number)) for number in range(1200)])
    assert [one["textPayload"] for one in gcloud("read", "--limit=2")] == ["1199", "1198"]
    view = ("--bucket=_Default", "--location=global", "--view=_AllLogs")
    oldest = gcloud("read", "textPayload:*", "--order=asc", *view)
    assert [one["textPayload"] for one in oldest] == [str(number) for number in range(1200)]


@pytest.mark.server
def test_gcloud_shows_where_a_filter_is_wrong(gcloud: Gcloud) -> None:
    done = gcloud.run("read", "severity>>INFO")
    assert done.returncode == 1
    assert "INVALID_ARGUMENT: Unparseable filter: " in done.stderr
    assert "line 1, column" in done.stderr
