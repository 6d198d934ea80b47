"""Cloud Logging over REST: what is answered, what is refused, and how."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.local.logs_support import LOG, client_of, entry, open_logs
from tests.support.anything import JSON
from worker.local.logs.store import Logs
from worker.local.lql import parse

DEMO = ["projects/demo"]
GLOBAL = {"type": "global"}


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    opened = open_logs(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def client(logs: Logs) -> FlaskClient:
    return client_of(logs)


def call(client: FlaskClient, method: str, body: Any) -> dict[str, Any]:
    answer = client.post(f"/v2/entries:{method}?alt=json&prettyPrint=false", json=body)
    assert answer.status_code == 200, answer.json
    return dict(answer.get_json())


def refusal(client: FlaskClient, method: str, body: Any) -> str:
    """The text of a 400."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(f"/v2/entries:{method}", data=data)
    assert answer.status_code == 400, answer.json
    error = answer.get_json()["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    return str(error["message"])


def listed(client: FlaskClient, query: str = "", **more: Any) -> list[str]:
    found = call(client, "list", {"resourceNames": DEMO, "filter": query, **more})
    return [one["insertId"] for one in found["entries"]]


def test_entries_are_listed_oldest_first_unless_asked_otherwise(
    client: FlaskClient, logs: Logs
) -> None:
    logs.write([entry(1), entry(2)])
    assert listed(client) == ["id-000002", "id-000001"]
    assert listed(client, orderBy="timestamp asc") == ["id-000002", "id-000001"]
    assert listed(client, orderBy="timestamp desc") == ["id-000001", "id-000002"]
    assert listed(client, "jsonPayload.n=2") == ["id-000002"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("projects/demo", 1),
        ("projects/other", 0),
        ("organizations/1", 0),
        ("projects/demo/locations/global/buckets/_Default/views/_AllLogs", 1),
        ("projects/demo/locations/global/buckets/_Default/views/_Default", 1),
    ],
)
def test_entries_are_those_of_the_named_resource(
    client: FlaskClient, logs: Logs, name: str, found: int
) -> None:
    logs.write([entry(1)])
    answer = call(client, "list", {"resourceNames": [name]})
    assert len(answer["entries"]) == found


def test_a_bucket_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    name = "projects/demo/locations/global/buckets/mine/views/_AllLogs"
    answer = client.post("/v2/entries:list", json={"resourceNames": [name]})
    assert (answer.status_code, answer.get_json()["error"]["status"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"resourceNames": []}, "resourceNames is missing"),
        ({"resourceNames": ["demo"]}, "resource name is malformed"),
        ({"resourceNames": ["projects/demo/logs/a"]}, "resource name is malformed"),
        ({"resourceNames": ["projects/demo\n"]}, "resource name is malformed"),
        ({"resourceNames": DEMO * 101}, "100 names"),
        ({"orderBy": "severity"}, 'orderBy: want "timestamp asc"'),
        ({"orderBy": "timestamp DESC"}, 'orderBy: want "timestamp asc"'),
        ({"pageSize": -1}, "pageSize"),
        ({"pageSize": "many"}, "Invalid value at 'pageSize'"),
        ({"pageToken": "nonsense"}, "pageToken"),
        ({"filter": 'severity="SECRET"'}, "Unparseable filter"),
        ({"filter": "a b ( c"}, "at line 1, column"),
        ({"filter": 5}, "Invalid value at 'filter'"),
        ({"projectId": "SECRET"}, 'Unknown name "projectId": Cannot find field.'),
    ],
)
def test_a_wrong_list_is_refused_with_the_reason(
    client: FlaskClient, change: dict[str, Any], says: str
) -> None:
    assert says in refusal(client, "list", {"resourceNames": DEMO} | change)


def test_pages_have_50_entries_or_as_many_as_wanted_but_1000(
    client: FlaskClient, logs: Logs
) -> None:
    logs.write([entry(number) for number in range(1001)])
    assert len(listed(client)) == 50
    assert len(listed(client, pageSize=7)) == 7
    assert len(listed(client, pageSize=5000)) == 1000


def test_pages_follow_each_other_until_the_last(client: FlaskClient, logs: Logs) -> None:
    logs.write([entry(number) for number in range(5)])
    body: dict[str, Any] = {"resourceNames": DEMO, "pageSize": 2, "orderBy": "timestamp desc"}
    seen = []
    while True:
        answer = call(client, "list", body)
        seen += [one["insertId"] for one in answer["entries"]]
        if "nextPageToken" not in answer:
            break
        body["pageToken"] = answer["nextPageToken"]
    assert seen == [f"id-00000{number}" for number in range(5)]


def test_a_page_token_of_another_list_is_refused(client: FlaskClient, logs: Logs) -> None:
    logs.write([entry(number) for number in range(5)])
    body = {"resourceNames": DEMO, "pageSize": 2}
    token = call(client, "list", body)["nextPageToken"]
    for change in (
        {"filter": "severity>=INFO"},
        {"orderBy": "timestamp desc"},
        {"resourceNames": ["projects/demo", "projects/other"]},
    ):
        message = refusal(client, "list", {**body, "pageToken": token, **change})
        assert "pageToken belongs to another call" in message
    assert call(client, "list", {**body, "pageToken": token, "pageSize": 3})["entries"]


def test_what_is_written_is_listed_with_the_defaults_of_the_call(client: FlaskClient) -> None:
    call(client, "write", {
        "logName": "projects/demo/logs/a%2Fb",
        "resource": {"type": "generic_task", "labels": {"job": "j"}},
        "labels": {"of": "call", "both": "call"},
        "entries": [
            {"textPayload": "t", "insertId": "1"},
            {"jsonPayload": {"n": 1, "f": 1.5, "big": 1e20, "none": None, "l": [1, [True]]},
             "severity": "WARNING", "labels": {"both": "entry"}, "insertId": "2",
             "resource": GLOBAL, "logName": "projects/demo/logs/c",
             "receiveTimestamp": "2020-01-01T00:00:00Z",
             "httpRequest": {"status": 200, "latency": "0.5s", "responseSize": 5},
             "timestamp": "2026-11-18T12:06:39.5+01:00"},
        ],
    })  # fmt: skip
    answer = call(client, "list", {"resourceNames": DEMO, "orderBy": "timestamp desc"})
    assert answer["entries"] == [
        {
            "textPayload": "t",
            "insertId": "1",
            "logName": "projects/demo/logs/a%2Fb",
            "resource": {"type": "generic_task", "labels": {"job": "j"}},
            "labels": {"of": "call", "both": "call"},
            "timestamp": "2026-11-18T11:06:40Z",
            "receiveTimestamp": "2026-11-18T11:06:40Z",
        },
        {
            "jsonPayload": {"n": 1, "f": 1.5, "big": 1e20, "none": None, "l": [1, [True]]},
            "insertId": "2",
            "severity": "WARNING",
            "logName": "projects/demo/logs/c",
            "resource": GLOBAL,
            "labels": {"of": "call", "both": "entry"},
            "httpRequest": {"status": 200, "latency": "0.500s", "responseSize": "5"},
            "timestamp": "2026-11-18T11:06:39.500Z",
            "receiveTimestamp": "2026-11-18T11:06:40Z",
        },
    ]


def test_a_number_is_written_without_a_fraction_as_far_as_it_is_exact(client: FlaskClient) -> None:
    payload = {"whole": 2**53, "more": 2.0**70, "half": 0.5}
    call(
        client, "write", {"entries": [{"logName": LOG, "resource": GLOBAL, "jsonPayload": payload}]}
    )
    text = client.post("/v2/entries:list", json={"resourceNames": DEMO}).text
    for said in (f'"whole":{2**53}', '"more":1.1805916207174113e+21', '"half":0.5'):
        assert said in text.replace(" ", "")


GOOD: dict[str, Any] = {"logName": LOG, "resource": GLOBAL, "textPayload": "t"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"logName": ""}, "entries[0]: the log name is malformed"),
        ({"logName": "projects/demo/logs/"}, "the log name is malformed"),
        ({"logName": "projects/demo/logs/a b"}, "the log name is malformed"),
        ({"logName": "projects/demo/logs/" + "a" * 512}, "the log name is malformed"),
        ({"logName": "projects/demo/logs/%ff"}, "the log name is malformed"),
        ({"logName": "demo/logs/a"}, "the log name is malformed"),
        ({"resource": {}}, "entries[0]: resource is missing"),
        ({"severity": "SECRET"}, "Invalid value at 'entries[0].severity'"),
        ({"severity": "info"}, "Invalid value at 'entries[0].severity'"),
        ({"timestamp": "SECRET"}, "Invalid value at 'entries[0].timestamp'"),
        ({"timestamp": "2026-11-19T11:06:41Z"}, "more than a day ahead"),
        ({"jsonPayload": {}}, "Invalid value at 'entries[0]'"),
        ({"httpRequest": {"status": "SECRET"}}, "Invalid value at 'entries"),
        ({"labels": {"a": 5}}, "Invalid value at 'entries"),
        ({"labels": {str(number): "" for number in range(65)}}, "labels: want 64 or fewer"),
        ({"labels": {"a" * 513: ""}}, "labels: want keys of 512 bytes"),
        ({"textPayload": "a" * 256 * 1024}, "entries[0]: the entry exceeds 256 KB"),
        ({"colour": "SECRET"}, "Unknown name \"colour\" at 'entries[0]': Cannot find field."),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place_and_without_its_values(
    client: FlaskClient, change: dict[str, Any], says: str
) -> None:
    message = refusal(client, "write", {"entries": [GOOD | change]})
    assert says in message
    assert "SECRET" not in message
    assert listed(client) == []


def test_an_entry_with_levels_upon_levels_is_refused(client: FlaskClient) -> None:
    deep: Any = 1
    for _ in range(31):
        deep = {"a": deep}
    good = {"logName": LOG, "resource": GLOBAL}
    assert "levels" in refusal(client, "write", {"entries": [{**good, "jsonPayload": deep}]})
    call(client, "write", {"entries": [{**good, "jsonPayload": deep["a"]}]})


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"5", b'"a"', b"\xff", b'{"entries": 5}', b'{"entries": [5]}',
     b'{"entries": [{"jsonPayload": {"a": NaN}}]}', b'{"entries": [{"jsonPayload": {"a": 1e999}}]}',
     b"[" * 100_000, b'{"entries": [{"textPayload": "\\ud800"}]}'],
)  # fmt: skip
def test_what_is_no_request_is_refused(client: FlaskClient, body: bytes) -> None:
    if body:
        assert refusal(client, "write", body)
    assert refusal(client, "list", body)


def test_of_a_batch_all_entries_are_written_or_none(client: FlaskClient) -> None:
    bad = GOOD | {"resource": {}}
    entries = [GOOD | {"insertId": "1"}, bad, GOOD | {"insertId": "3"}]
    assert "entries[1]: resource" in refusal(client, "write", {"entries": entries})
    assert listed(client) == []
    partly = {"entries": entries, "partialSuccess": True}
    assert "entries[1]: resource" in refusal(client, "write", partly)
    assert listed(client) == ["1", "3"]


def test_a_dry_run_checks_and_writes_nothing(client: FlaskClient) -> None:
    call(client, "write", {"entries": [GOOD], "dryRun": True})
    refusal(client, "write", {"entries": [GOOD | {"resource": {}}], "dryRun": True})
    assert listed(client) == []


def test_a_label_that_is_too_long_is_cut(client: FlaskClient, logs: Logs) -> None:
    call(client, "write", {"entries": [GOOD | {"labels": {"a": "é" * 40_000}}]})
    (found,) = logs.search(parse(""), limit=9).entries
    assert found["labels"] == {"a": "é" * 32_768}


def test_ten_megabytes_at_once_are_refused(client: FlaskClient) -> None:
    entries = [GOOD | {"textPayload": "a" * 250_000}] * 43
    assert "10 MB" in refusal(client, "write", {"entries": entries})


def test_an_old_entry_is_taken_and_not_kept(client: FlaskClient) -> None:
    call(client, "write", {"entries": [GOOD | {"timestamp": "2026-09-01T00:00:00Z"}]})
    assert listed(client) == []


def test_logs_are_listed_with_their_escaped_names_page_by_page(
    client: FlaskClient, logs: Logs
) -> None:
    names = [f"projects/demo/logs/{name}" for name in ("a", "b%2Fc", "d")]
    logs.write([entry(1, logName=name) for name in [*names, "projects/other/logs/a"]])
    assert client.get("/v2/projects/demo/logs").json == {"logNames": names}
    first = client.get("/v2/projects/demo/logs?pageSize=2").get_json()
    assert first["logNames"] == names[:2]
    token = first["nextPageToken"]
    last = client.get(f"/v2/projects/demo/logs?pageSize=2&pageToken={token}").json
    assert last == {"logNames": names[2:]}
    assert client.get("/v2/projects/demo/logs?pageSize=3").json == {"logNames": names}
    for wrong in ("pageSize=-1", "pageSize=x", "pageToken=x", f"pageToken={token[:8]}%21"):
        assert client.get(f"/v2/projects/demo/logs?{wrong}").status_code == 400
    view = "/v2/projects/demo/locations/global/buckets/_Default/views/_Default/logs"
    assert client.get(view).json == {"logNames": names}


@pytest.mark.parametrize("escaped", ["b%2Fc", "b%252Fc", "b/c"])
def test_a_log_is_deleted_once_however_its_name_is_escaped(
    client: FlaskClient, logs: Logs, escaped: str
) -> None:
    logs.write([entry(1, logName="projects/demo/logs/b%2Fc"), entry(2)])
    path = f"/v2/projects/demo/logs/{escaped}"
    answer = client.delete(path)
    assert (answer.status_code, answer.json) == (200, {})
    assert listed(client) == ["id-000002"]
    gone = client.delete(path)
    assert (gone.status_code, gone.get_json()["error"]["status"]) == (404, "NOT_FOUND")


def test_a_tail_is_there_over_grpc_only(client: FlaskClient) -> None:
    answer = client.post("/v2/entries:tail", json={"resourceNames": DEMO})
    assert (answer.status_code, answer.get_json()["error"]["status"]) == (501, "UNIMPLEMENTED")


def test_the_resources_are_described(client: FlaskClient) -> None:
    found = client.get("/v2/monitoredResourceDescriptors").get_json()["resourceDescriptors"]
    assert "cloud_run_revision" in {one["type"] for one in found}


FIELD_NAMES = ["logName", "resource", "textPayload", "jsonPayload", "severity", "timestamp",
               "insertId", "labels", "httpRequest", "operation", "trace", "sourceLocation",
               "protoPayload", "other"]  # fmt: skip


@given(
    st.sampled_from(["write", "list"]),
    JSON
    | st.dictionaries(st.sampled_from(["entries", "resourceNames", "filter", "pageToken"]), JSON)
    | st.dictionaries(st.sampled_from(FIELD_NAMES), JSON).map(
        lambda fields: {"entries": [{**GOOD, **fields}]}
    ),
)
def test_any_json_is_answered_or_refused(
    tmp_path_factory: pytest.TempPathFactory, method: str, body: Any
) -> None:
    logs = open_logs(tmp_path_factory.mktemp("logs"))
    answer = client_of(logs).post(f"/v2/entries:{method}", data=json.dumps(body).encode())
    logs.close()
    assert answer.status_code in {200, 400}, answer.text


PAYLOADS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\0é"), inner),
        max_leaves=6,
    ),
)  # fmt: skip


@given(PAYLOADS)
def test_a_payload_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, payload: dict[str, Any]
) -> None:
    logs = open_logs(tmp_path_factory.mktemp("logs"))
    client = client_of(logs)
    written = {"logName": LOG, "resource": GLOBAL, "jsonPayload": payload}
    call(client, "write", {"entries": [written]})
    (found,) = call(client, "list", {"resourceNames": DEMO})["entries"]
    logs.close()
    assert found["jsonPayload"] == payload
