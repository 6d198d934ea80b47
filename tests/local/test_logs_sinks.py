"""Sinks: what is shown of them, what can be changed, and which entries are not stored then."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from flask.testing import FlaskClient
from google.api_core.exceptions import FailedPrecondition, InvalidArgument
from google.cloud.logging_v2.services.config_service_v2 import ConfigServiceV2Client
from google.cloud.logging_v2.services.config_service_v2.transports import (
    ConfigServiceV2GrpcTransport,
)
from google.cloud.logging_v2.types import LogExclusion, LogSink, UpdateSinkRequest
from hypothesis import given
from hypothesis import strategies as st

from tests.local.logs_support import LOG, app_of, client_of, entry, open_logs
from tests.support.anything import JSON, TEXT
from tests.support.tools import tool
from worker.local.logs.rpc import config_handler
from worker.local.logs.run import CloudRun
from worker.local.logs.store import Logs
from worker.local.lql import parse
from worker.local.rpc import RpcServer
from worker.local.web import WebServer

SINKS = "/v2/projects/demo/sinks"
DEFAULT = f"{SINKS}/_Default"
AUDIT = "projects/demo/logs/cloudaudit.googleapis.com%2Factivity"
ODD = {"name": "odd", "filter": "jsonPayload.n=1 OR jsonPayload.n=3"}


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    opened = open_logs(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def client(logs: Logs) -> FlaskClient:
    return client_of(logs)


def change(client: FlaskClient, mask: str, **fields: Any) -> dict[str, Any]:
    answer = client.patch(f"{DEFAULT}?alt=json&updateMask={mask}", json=fields)
    assert answer.status_code == 200, answer.json
    return dict(answer.get_json())


def refusal(client: FlaskClient, mask: str, body: Any) -> tuple[str, str]:
    """The code and the text of an update that is refused."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.patch(f"{DEFAULT}?updateMask={mask}", data=data)
    assert answer.status_code >= 400
    error = answer.get_json()["error"]
    return error["status"], error["message"]


def stored(logs: Logs) -> list[int]:
    """Which of five entries with the numbers 0 to 4 are kept."""
    logs.write([entry(number) for number in range(5)])
    found = logs.search(parse("jsonPayload:n"), limit=100)
    return [one["jsonPayload"]["n"] for one in found.entries]


def test_a_project_has_the_two_sinks_of_every_project(client: FlaskClient) -> None:
    required, default = client.get(SINKS).get_json()["sinks"]
    bucket = "logging.googleapis.com/projects/demo/locations/global/buckets"
    assert (required["name"], required["destination"]) == ("_Required", f"{bucket}/_Required")
    assert (default["name"], default["destination"]) == ("_Default", f"{bucket}/_Default")
    assert default["filter"].startswith('NOT LOG_ID("cloudaudit.googleapis.com/activity") AND NOT')
    assert client.get(DEFAULT).get_json() == default
    assert client.get(f"{SINKS}/_Required").get_json() == required


@pytest.mark.parametrize(
    "place", ["/v2/projects/demo/sinks/mine", "/v2/projects/other/sinks/_Default"]
)
def test_a_sink_that_is_not_there_is_not_found(client: FlaskClient, place: str) -> None:
    answer = client.get(place)
    assert (answer.status_code, answer.get_json()["error"]["status"]) == (404, "NOT_FOUND")
    assert client.patch(place, json={}).status_code == 404


def test_another_project_has_no_sinks(client: FlaskClient) -> None:
    assert client.get("/v2/projects/other/sinks").get_json() == {"sinks": []}


def test_what_an_exclusion_matches_is_not_stored(client: FlaskClient, logs: Logs) -> None:
    assert change(client, "exclusions", exclusions=[ODD])["exclusions"] == [ODD]
    assert client.get(DEFAULT).get_json()["exclusions"] == [ODD]
    assert stored(logs) == [0, 2, 4]


def test_one_of_several_exclusions_is_enough(client: FlaskClient, logs: Logs) -> None:
    change(client, "exclusions", exclusions=[ODD, {"name": "two", "filter": "jsonPayload.n=2"}])
    assert stored(logs) == [0, 4]


def test_an_exclusion_that_is_disabled_or_removed_excludes_nothing(
    client: FlaskClient, logs: Logs
) -> None:
    change(client, "exclusions", exclusions=[{**ODD, "disabled": True}])
    assert len(stored(logs)) == 5
    change(client, "exclusions", exclusions=[ODD])
    assert "exclusions" not in change(client, "exclusions", name="_Default")
    logs.delete(LOG)
    assert len(stored(logs)) == 5


def test_a_disabled_sink_stores_nothing(client: FlaskClient, logs: Logs) -> None:
    assert change(client, "disabled", disabled=True)["disabled"] is True
    assert stored(logs) == []
    assert "disabled" not in change(client, "disabled", disabled=False)
    assert len(stored(logs)) == 5


def test_a_filter_of_the_sink_says_what_it_keeps(client: FlaskClient, logs: Logs) -> None:
    change(client, "filter", filter="jsonPayload.n<2")
    assert stored(logs) == [0, 1]
    again = change(client, "filter", filter="")
    assert again == client.get(SINKS).get_json()["sinks"][1]
    assert again["filter"].startswith("NOT LOG_ID(")


def test_audit_logs_are_kept_whatever_the_default_sink_says(
    client: FlaskClient, logs: Logs
) -> None:
    change(client, "disabled,exclusions", disabled=True, exclusions=[ODD])
    logs.write([entry(1, logName=AUDIT), entry(2)])
    assert [one["logName"] for one in logs.search(parse(""), limit=9).entries] == [AUDIT]


def test_only_what_the_mask_names_is_changed(client: FlaskClient) -> None:
    change(client, "exclusions,description", exclusions=[ODD], description="less of it")
    changed = change(client, "disabled", disabled=True, description="not named")
    assert (changed["description"], changed["exclusions"]) == ("less of it", [ODD])


def test_without_a_mask_only_the_filter_is_changed(client: FlaskClient) -> None:
    change(client, "exclusions", exclusions=[ODD])
    changed = change(client, "", filter="severity>=INFO", disabled=True)
    assert (changed["filter"], changed["exclusions"]) == ("severity>=INFO", [ODD])
    assert "disabled" not in changed


def test_every_writer_is_held_to_the_exclusions(client: FlaskClient, logs: Logs) -> None:
    change(client, "exclusions", exclusions=[{"name": "quiet", "filter": "severity<WARNING"}])
    body = {"logName": LOG, "resource": {"type": "global"}, "severity": "INFO", "textPayload": "a"}
    wrote = client.post(
        "/v2/entries:write", json={"entries": [body, {**body, "severity": "ERROR"}]}
    )
    assert wrote.status_code == 200
    run = CloudRun(logs, project="demo")
    run.line(b'{"severity": "INFO", "message": "dropped"}\n', "stdout")
    run.line(b'{"severity": "WARNING", "message": "kept"}\n', "stdout")
    found = logs.search(parse(""), limit=9, newest_first=False).entries
    assert sorted(one["severity"] for one in found) == ["ERROR", "WARNING"]


def test_an_exclusion_sees_what_the_service_fills_in(client: FlaskClient, logs: Logs) -> None:
    change(client, "exclusions", exclusions=[{"name": "all", "filter": "insertId:* timestamp:*"}])
    logs.write([{"logName": LOG, "resource": {"type": "global"}, "textPayload": "bare"}])
    assert logs.search(parse(""), limit=9).entries == []


def test_the_sink_is_as_it_was_after_a_restart(tmp_path: Path) -> None:
    first = open_logs(tmp_path)
    change(client_of(first), "exclusions", exclusions=[ODD])
    first.close()
    second = open_logs(tmp_path)
    try:
        assert client_of(second).get(DEFAULT).get_json()["exclusions"] == [ODD]
        assert stored(second) == [0, 2, 4]
    finally:
        second.close()


def test_without_changes_no_entry_is_looked_at(logs: Logs, client: FlaskClient) -> None:
    class Sealed(dict[str, Any]):
        def get(self, *_: Any) -> Any:
            raise AssertionError("an entry was looked at")

    assert logs.sinks.keeps(Sealed())
    change(client, "exclusions", exclusions=[ODD])
    with pytest.raises(AssertionError, match="looked at"):
        logs.sinks.keeps(Sealed())
    change(client, "exclusions", exclusions=[])
    assert logs.sinks.keeps(Sealed())


@pytest.mark.parametrize(
    ("mask", "body", "code", "says"),
    [
        ("exclusions", {"exclusions": [{"name": "a", "filter": "x=("}]}, "INVALID_ARGUMENT",
         "sink.exclusions[0].filter: Unparseable filter: "),
        ("exclusions", {"exclusions": [{"name": "a", "filter": "x=(", "disabled": True}]},
         "INVALID_ARGUMENT", "Unparseable filter"),
        ("exclusions", {"exclusions": [{"name": "a", "filter": " "}]}, "INVALID_ARGUMENT",
         "sink.exclusions[0].filter is missing"),
        ("exclusions", {"exclusions": [{"name": "", "filter": "x"}]}, "INVALID_ARGUMENT",
         "sink.exclusions[0].name: want 1 to 100"),
        ("exclusions", {"exclusions": [ODD, ODD]}, "INVALID_ARGUMENT", "two have the same name"),
        ("exclusions", {"exclusions": [{**ODD, "name": f"n{n}"} for n in range(51)]},
         "INVALID_ARGUMENT", "50 or fewer"),
        ("exclusions", {"exclusions": 5}, "INVALID_ARGUMENT", "Invalid value at"),
        ("filter", {"filter": 'severity="odd"'}, "INVALID_ARGUMENT", "sink.filter: Unparseable"),
        ("colour", {}, "INVALID_ARGUMENT", "updateMask: colour cannot be changed here"),
        ("writerIdentity", {}, "INVALID_ARGUMENT", "updateMask: writer_identity cannot be changed"),
        ("destination", {"destination": "storage.googleapis.com/b"}, "UNIMPLEMENTED",
         "entries stay on this machine"),
        ("disabled", {"disabled": "SECRET"}, "INVALID_ARGUMENT", "Invalid value at"),
        ("disabled", b"[", "INVALID_ARGUMENT", "cannot be read as JSON"),
    ],
)  # fmt: skip
def test_a_change_that_cannot_be_is_refused_whole(
    client: FlaskClient, mask: str, body: Any, code: str, says: str
) -> None:
    before = change(client, "description", description="as before")
    status, message = refusal(client, mask, body)
    assert status == code
    assert says in message
    assert "SECRET" not in message
    assert client.get(DEFAULT).get_json() == before


def test_the_destination_that_it_has_may_be_said_again(client: FlaskClient) -> None:
    there = client.get(DEFAULT).get_json()["destination"]
    assert change(client, "destination", destination=there)["destination"] == there


@pytest.mark.parametrize(
    ("method", "place", "code"),
    [
        ("PATCH", f"{SINKS}/_Required?updateMask=disabled", "FAILED_PRECONDITION"),
        ("DELETE", f"{SINKS}/_Required", "FAILED_PRECONDITION"),
        ("DELETE", DEFAULT, "FAILED_PRECONDITION"),
        ("DELETE", f"{SINKS}/mine", "NOT_FOUND"),
        ("POST", SINKS, "UNIMPLEMENTED"),
    ],
)
def test_no_sink_comes_or_goes(client: FlaskClient, method: str, place: str, code: str) -> None:
    answer = client.open(place, method=method, json={"name": "mine"})
    assert answer.get_json()["error"]["status"] == code


@pytest.fixture(scope="module")
def one_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    logs = open_logs(tmp_path_factory.mktemp("logs"))
    yield client_of(logs)
    logs.close()


EXCLUSIONS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("ab") | TEXT},
        optional={
            "filter": st.sampled_from(["n=1", "severity>=INFO", "("]) | TEXT,
            "disabled": JSON,
        },
    ),
    max_size=3,
)
SINK = st.fixed_dictionaries({}, optional={"exclusions": EXCLUSIONS | JSON, "filter": TEXT})


@given(body=SINK | JSON, mask=st.sampled_from(["", "exclusions", "filter,exclusions"]) | TEXT)
def test_any_change_is_taken_or_refused_with_a_reason(
    one_client: FlaskClient, body: Any, mask: str
) -> None:
    query = {"updateMask": mask.encode("utf-8", "replace").decode()}
    answer = one_client.patch(DEFAULT, data=json.dumps(body), query_string=query)
    assert answer.status_code == 200 or answer.get_json()["error"]["message"]
    assert answer.status_code in (200, 400, 501)


def test_the_client_library_changes_the_same_sink_over_grpc(logs: Logs) -> None:
    rpc = RpcServer([config_handler(logs)], 0)
    rpc.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{rpc.port}") as channel:
            transport = ConfigServiceV2GrpcTransport(channel=channel)
            api = ConfigServiceV2Client(transport=transport)
            names = [sink.name for sink in api.list_sinks(parent="projects/demo")]
            sink = LogSink(name="_Default", exclusions=[LogExclusion(**ODD)])
            wanted: dict[str, Any] = {
                "sink_name": "projects/demo/sinks/_Default",
                "sink": sink,
                "update_mask": {"paths": ["exclusions"]},
            }
            changed = api.update_sink(UpdateSinkRequest(wanted))
            with pytest.raises(FailedPrecondition, match="cannot be deleted"):
                api.delete_sink(sink_name="projects/demo/sinks/_Default")
            with pytest.raises(InvalidArgument, match="malformed"):
                api.get_sink(sink_name="nonsense")
            assert api.get_sink(sink_name="projects/demo/sinks/_Default") == changed
    finally:
        rpc.stop()
    assert names == ["_Required", "_Default"]
    assert stored(logs) == [0, 2, 4]


def test_gcloud_excludes_and_includes_again(logs: Logs, tmp_path: Path) -> None:
    web = WebServer(app_of(logs), 0, 0)
    web.start()
    environment = {
        **os.environ,
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": "demo",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": f"http://127.0.0.1:{web.port}/",
    }

    def gcloud(*arguments: str) -> None:
        command = [tool("gcloud"), "logging", "sinks", *arguments]
        subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True)

    try:
        gcloud("update", "_Default", "--add-exclusion=name=odd,filter=jsonPayload.n=1")
        assert stored(logs) == [0, 2, 3, 4]
        gcloud("update", "_Default", "--remove-exclusions=odd")
        assert stored(logs) == [0, 1, 2, 3, 4]
    finally:
        web.stop()
