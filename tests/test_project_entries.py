"""Reading log entries with the real google-cloud-logging client, against a stand-in for its API."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.standin import Reply, StandIn, unused_address
from worker.logging_client import ENDPOINT_VARIABLE
from worker.project.entries import Entries, entries_of
from worker.rest import CallFailed

QUERY = 'jsonPayload.message_id="4711"\ntimestamp>="2026-11-21T19:00:00Z"'
ENTRY = {
    "logName": "projects/demo-project/logs/run.googleapis.com%2Fstdout",
    "resource": {"type": "cloud_run_revision", "labels": {"service_name": "feature-worker"}},
    "timestamp": "2026-11-21T19:00:02.5Z",
    "severity": "INFO",
    "insertId": "1",
    "trace": "projects/demo-project/traces/0af7651916cd43dd8448eb211c80319c",
    "spanId": "b7ad6b7169203331",
    "traceSampled": True,
    "labels": {"feature": "smoke_test"},
    "operation": {"id": "4711", "producer": "feature-worker", "last": True},
    "jsonPayload": {"event": "message.processed", "status": 200, "seconds": 0.25, "nested": {}},
}
REQUEST = {
    **{name: ENTRY[name] for name in ("logName", "resource", "timestamp", "insertId")},
    "httpRequest": {"requestMethod": "POST", "status": 403, "userAgent": "APIs-Google"},
}


class Api(StandIn):
    """Answers every call with `reply`."""

    def __init__(self) -> None:
        self.reply = Reply.json({"entries": [ENTRY, REQUEST]})
        super().__init__(lambda _call: self.reply)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    with Api() as there:
        monkeypatch.setenv(ENDPOINT_VARIABLE, f"{there.url}/")
        yield there


@pytest.fixture
def entries(api: Api) -> Iterator[Entries]:
    with entries_of("demo-project") as found:
        yield found


def failure_of(entries: Entries) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        entries.find(QUERY)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_question_is_one_call_for_the_newest(entries: Entries, api: Api) -> None:
    entries.find(QUERY, most=7)
    (call,) = api.calls
    assert (call.method, call.path.partition("?")[0]) == ("POST", "/v2/entries:list")
    asked = call.json()
    assert (asked["filter"], asked["orderBy"], asked["pageSize"]) == (QUERY, "timestamp desc", 7)
    assert asked["resourceNames"] == ["projects/demo-project"]


def test_entries_come_in_the_form_of_the_api(entries: Entries) -> None:
    found, request = entries.find(QUERY)
    for name in ("logName", "resource", "severity", "insertId", "labels", "trace", "spanId"):
        assert found[name] == ENTRY[name]
    assert found["jsonPayload"] == ENTRY["jsonPayload"]
    assert found["timestamp"].startswith("2026-11-21T19:00:02.5")
    assert request["httpRequest"] == REQUEST["httpRequest"]


def test_no_more_are_given_than_wanted(entries: Entries, api: Api) -> None:
    api.reply = Reply.json({"entries": [ENTRY] * 5, "nextPageToken": "more"})
    assert len(entries.find(QUERY, most=3)) == 3
    assert len(api.calls) == 1  # each call counts against the quota


def test_no_entry_is_no_failure(entries: Entries, api: Api) -> None:
    api.reply = Reply.json({})
    assert entries.find(QUERY) == []


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_a_refusal_is_told_with_its_status(entries: Entries, api: Api, status: int) -> None:
    api.reply = Reply.error(status, "because")
    failed = failure_of(entries)
    assert failed.status == status
    assert str(failed).startswith(f"Cloud Logging cannot be read: {status} ")
    assert "because" in str(failed)


@pytest.mark.parametrize(
    "answer",
    [
        {"entries": [{"jsonPayload": {}}]},
        {"entries": [7]},
        {"entries": [{**ENTRY, "timestamp": "soon"}]},
        {"entries": [{**ENTRY, "resource": 7}]},
        [],
    ],
)
def test_an_answer_that_makes_no_sense_is_a_failure(
    entries: Entries, api: Api, answer: Any
) -> None:
    api.reply = Reply.json(answer)
    assert failure_of(entries).status == 502


def test_an_answer_that_is_no_json_is_a_failure(entries: Entries, api: Api) -> None:
    api.reply = Reply(200, b"<html>")
    assert "Cloud Logging" in str(failure_of(entries))


def test_nobody_there_has_no_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, f"http://{unused_address()}/")
    with entries_of("demo-project") as entries:
        assert failure_of(entries).status == 0


def test_without_credentials_it_says_so_before_the_first_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(ENDPOINT_VARIABLE, raising=False)
    monkeypatch.setenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true")
    with pytest.raises(CallFailed, match="no credentials"), entries_of("demo-project"):
        pass


def test_an_http_address_is_never_given_a_token(entries: Entries, api: Api) -> None:
    entries.find(QUERY)
    assert "authorization" not in api.calls[0].headers


def test_the_connection_is_kept_from_call_to_call(entries: Entries, api: Api) -> None:
    entries.find(QUERY)
    entries.find(QUERY)
    assert len({call.connection for call in api.calls}) == 1
