"""LOG_SINK=api: the real google-cloud-logging client against a stand-in for the Logging API."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.inprocess import ListSink, make_worker
from tests.support.logging_api import LoggingApi
from tests.support.pushes import push_of, wrapped
from tests.support.rawhttp import post, request, send
from tests.support.server import ROOT, WAIT_SECONDS, ServerProcess, with_probe_handlers
from tests.support.standin import Reply, unused_address
from worker import Context, Requirements, api_sink, feature
from worker.api_sink import ApiSink, connect
from worker.config import SettingsInvalid
from worker.log import Log, Service
from worker.logging_client import ENDPOINT_VARIABLE
from worker.pipeline import process

PROJECT = "demo-project"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@feature("talk")
def talk(want: Requirements, context: Context) -> None:
    context.log.info("talk.first", size=1)
    context.log.warning("talk.second")


@pytest.fixture
def api() -> Iterator[LoggingApi]:
    with LoggingApi() as running:
        yield running


@pytest.fixture
def stdout() -> ListSink:
    return ListSink()


@pytest.fixture
def sink(api: LoggingApi, stdout: ListSink, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiSink]:
    monkeypatch.setenv(ENDPOINT_VARIABLE, api.url + "/")
    client = connect(PROJECT)
    yield ApiSink(client, stdout, "worker")
    client.close()
    client._http.close()


def push_one(sink: ApiSink, message_id: str = "7", name: str = "talk") -> str:
    worker = make_worker(talk, log=Log(sink, service=Service(project=PROJECT)))
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    push = push_of(wrapped({"feature": name}, message_id=message_id), headers)
    return process(worker, push).outcome.name


def events(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["jsonPayload"]["event"] for entry in entries]


def test_the_entries_of_a_push_are_written_in_one_call_before_the_answer(
    sink: ApiSink, api: LoggingApi, stdout: ListSink
) -> None:
    assert push_one(sink) == "done"

    ((*entries,),) = api.writes  # written when process() has returned: nothing runs behind it
    assert events(entries) == ["talk.first", "talk.second", "message.processed"]
    assert stdout.entries == []


def test_each_push_has_a_call_of_its_own(sink: ApiSink, api: LoggingApi) -> None:
    for message_id in ("1", "2", "3"):
        push_one(sink, message_id)

    assert [len(written) for written in api.writes] == [3, 3, 3]


def test_special_fields_become_fields_of_the_log_entry(sink: ApiSink, api: LoggingApi) -> None:
    push_one(sink)

    first, second, canonical = api.entries
    assert [entry["severity"] for entry in api.entries] == ["INFO", "WARNING", "INFO"]
    assert canonical["logName"] == f"projects/{PROJECT}/logs/worker"
    assert canonical["resource"]["type"] == "generic_task"
    assert canonical["resource"]["labels"]["project_id"] == PROJECT
    assert canonical["trace"] == f"projects/{PROJECT}/traces/{TRACE}"
    assert canonical["spanId"] == SPAN
    assert canonical["traceSampled"] is True
    assert canonical["labels"] == {"feature": "talk", "outcome": "done"}
    assert [entry["operation"]["id"] for entry in api.entries] == ["7", "7", "7"]
    assert (first["operation"].get("first"), canonical["operation"].get("last")) == (True, True)
    assert canonical["sourceLocation"]["file"].endswith(".py")
    assert canonical["timestamp"].endswith("Z")
    assert len({entry["insertId"] for entry in api.entries}) == 3
    assert second["jsonPayload"]["message_id"] == "7"
    for entry in api.entries:
        assert not [name for name in entry["jsonPayload"] if name.startswith("logging.google")]
        assert "severity" not in entry["jsonPayload"]
        assert "time" not in entry["jsonPayload"]


def test_what_was_written_is_read_back_by_the_clients_list_entries(
    sink: ApiSink, api: LoggingApi
) -> None:
    push_one(sink)

    found = list(
        sink._client.list_entries(filter_='jsonPayload.event="message.processed" timestamp>="2026"')
    )

    read = [entry for entry in found if entry.payload["event"] == "message.processed"]
    assert [entry.payload["message_id"] for entry in read] == ["7"]
    assert read[0].severity == "INFO"
    assert read[0].trace == f"projects/{PROJECT}/traces/{TRACE}"


@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
def test_what_the_api_does_not_take_goes_to_stdout(
    sink: ApiSink, api: LoggingApi, stdout: ListSink, status: int
) -> None:
    api.failure = Reply.error(status, "no")

    assert push_one(sink) == "done"

    assert [entry["event"] for entry in stdout.entries] == [
        "talk.first",
        "talk.second",
        "message.processed",
    ]
    assert all(entry["log_sink_error"] for entry in stdout.entries)
    assert stdout.entries[2]["logging.googleapis.com/trace"].endswith(TRACE)

    api.failure = None
    push_one(sink, "8")
    assert len(api.entries) == 3  # and the next one is written to the API again


def test_an_api_that_answers_nonsense_loses_nothing(
    sink: ApiSink, api: LoggingApi, stdout: ListSink
) -> None:
    api.failure = Reply(503, b"<html>", {"Content-Type": "text/html"})

    push_one(sink)

    assert len(stdout.entries) == 3


def test_an_api_that_hangs_is_not_waited_for_longer_than_the_bound(
    sink: ApiSink, api: LoggingApi, stdout: ListSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api_sink._TIMEOUT_SECONDS <= 5  # what a push can wait
    monkeypatch.setattr(api_sink, "_TIMEOUT_SECONDS", 0.2)
    api.failure = Reply(hang=True)  # until the test is over: without the bound it never ends

    push_one(sink)

    assert [entry["event"] for entry in stdout.entries][-1] == "message.processed"


def test_an_api_that_cannot_be_reached_loses_nothing(
    stdout: ListSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, f"http://{unused_address()}/")

    push_one(ApiSink(connect(PROJECT), stdout, "worker"))

    assert len(stdout.entries) == 3


def test_an_entry_that_belongs_to_no_push_is_written_at_once(
    sink: ApiSink, api: LoggingApi
) -> None:
    Log(sink).info("server.listening")

    assert events(api.entries) == ["server.listening"]


def test_an_entry_after_the_end_of_its_push_is_written_at_once(
    sink: ApiSink, api: LoggingApi
) -> None:
    batch = sink.batch()
    log = Log(batch)
    log.info("in.time")
    assert api.writes == []
    batch.close()
    log.info("too.late")  # by a handler that outlived its push
    batch.close()

    assert [events(written) for written in api.writes] == [["in.time"], ["too.late"]]


def test_a_push_without_entries_makes_no_call(sink: ApiSink, api: LoggingApi) -> None:
    sink.batch().close()

    assert api.calls == []


def test_entries_that_json_cannot_say_are_written_all_the_same(
    sink: ApiSink, api: LoggingApi, stdout: ListSink
) -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    Log(sink).info(
        "odd", nan=float("nan"), raw=b"\xff", lone="\ud800", big=2**70, cycle=cycle, key={(1, 2): 3}
    )

    ((entry,),) = api.writes
    assert entry["jsonPayload"]["nan"] == "nan"
    assert stdout.entries == []


def test_more_than_one_call_takes_is_split_and_nothing_is_lost(
    sink: ApiSink, api: LoggingApi, stdout: ListSink
) -> None:
    batch = sink.batch()
    for number in range(100):
        Log(batch).info("big", number=number, blob="x" * 150_000)
    batch.close()

    assert len(api.writes) == 2
    assert max(len(call.body) for call in api.calls) < 10_000_000  # what entries.write takes
    assert [entry["jsonPayload"]["number"] for entry in api.entries] == list(range(100))
    assert stdout.entries == []


def test_an_entry_over_the_limit_is_cut_and_says_so(sink: ApiSink, api: LoggingApi) -> None:
    Log(sink).info("huge", blob="x" * 1_000_000)

    ((entry,),) = api.writes
    assert entry["jsonPayload"]["truncated"] is True
    assert len(json.dumps(entry)) < 256 * 1024


def test_a_forked_process_does_not_write_on_its_parents_connection(api: LoggingApi) -> None:
    script = (
        "import os\n"
        "from tests.support.inprocess import ListSink\n"
        "from worker.api_sink import ApiSink, connect\n"
        "sink = ApiSink(connect('demo-project'), ListSink(), 'worker')\n"
        "sink.write({'message': 'x', 'event': 'before'})\n"
        "child = os.fork()\n"
        "if child:\n"
        "    os.waitpid(child, 0)\n"
        "sink.write({'message': 'x', 'event': 'after' if child else 'forked'})\n"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT), ENDPOINT_VARIABLE: api.url},
        timeout=60,
        check=True,
    )

    connection_of = {
        entry["jsonPayload"]["event"]: call.connection
        for call in api.calls
        for entry in call.json()["entries"]
    }
    assert connection_of["before"] == connection_of["after"] != connection_of["forked"]


def test_without_credentials_connecting_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENDPOINT_VARIABLE, raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))

    with pytest.raises(SettingsInvalid, match="gcloud auth application-default login"):
        connect(PROJECT)


def api_settings(url: str) -> dict[str, str]:
    return {"LOG_SINK": "api", "GOOGLE_CLOUD_PROJECT": PROJECT, ENDPOINT_VARIABLE: f"{url}/"}


@pytest.mark.server
class TestServer:
    @pytest.mark.parametrize("level", ["INFO", "DEBUG"])
    def test_the_whole_server_writes_to_the_api_before_it_answers(
        self, api: LoggingApi, tmp_path: Path, level: str
    ) -> None:
        folder = with_probe_handlers(tmp_path)
        environment = {**api_settings(api.url), "LOG_LEVEL": level}
        with ApiServer(folder, environment, api) as server:
            for message_id in ("1", "2"):
                body = json.dumps(wrapped(message_id=message_id)).encode()
                assert post(server.port, body).status == 200
                (written,) = api.writes_of(message_id)  # already there when the answer is
                assert events(written)[-2:] == ["smoke_test.passed", "message.processed"]
            assert send(server.port, request("GET", "/smoke-test/")).status == 200
            assert events(api.writes[-1]) == ["smoke_test.passed"] or level == "DEBUG"
            assert server.stop() == 0

        # At DEBUG the client's HTTP library logs its calls: that must not make more calls.
        assert {json.loads(line)["logger"].split(".")[0] for line in server.lines} <= {"urllib3"}
        assert level == "DEBUG" or server.lines == []
        assert server.stderr() == ""

    def test_the_whole_server_goes_on_without_the_api(self, tmp_path: Path) -> None:
        environment = api_settings(f"http://{unused_address()}")
        with ServerProcess(with_probe_handlers(tmp_path), environment) as server:
            body = json.dumps(wrapped(message_id="1")).encode()
            assert post(server.port, body).status == 200
            entry = server.canonical("1")
            assert entry["log_sink_error"]
            assert server.stop() == 0

        assert server.stderr() == ""
        assert all(json.loads(line)["message"] for line in server.lines)


class ApiServer(ServerProcess):
    """A server whose first line goes to the API, so that its port is found there."""

    def __init__(self, folder: Path, environment: dict[str, str], api: LoggingApi) -> None:
        self._api = api
        super().__init__(folder, environment)

    def wait_for(self, matches: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            payloads = (entry["jsonPayload"] for entry in self._api.entries)
            return next(filter(matches, payloads), None)

        with self._api.written:
            entry = self._api.written.wait_for(found, WAIT_SECONDS)
        assert entry is not None, f"the server did not say so: {self.stderr()}"
        return entry


def test_serving_with_stdout_loads_neither_the_client_nor_grpc() -> None:
    script = (
        "import os, sys, worker.cli, worker.cli.serve, worker.server\n"
        "from worker.app import create_site\n"
        "from worker.build import build\n"
        "from worker.config import read_settings\n"
        "create_site(build(read_settings(os.environ)))\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(roots & {'grpc', 'google', 'rich', 'requests'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT), "LOG_SINK": "stdout"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == "[]\n"
