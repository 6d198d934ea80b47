"""The REST API of Pub/Sub: JSON in and out as Google's, and what it says of a wrong request."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.local.pubsub_support import SUBSCRIPTION, TOPIC, opened
from worker.local.pubsub.rest import blueprint
from worker.local.pubsub.routes import ROUTES

UNKNOWN = 'Invalid JSON payload received. Unknown name "{}"{}: Cannot find field.'


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    app = Flask("test", static_folder=None)
    with opened(tmp_path) as pubsub:
        app.register_blueprint(blueprint(pubsub))
        yield app.test_client()


@pytest.fixture
def ready(client: FlaskClient) -> FlaskClient:
    """With the topic and the subscription."""
    ok(client.put(f"/v1/{TOPIC}", json={}))
    ok(client.put(f"/v1/{SUBSCRIPTION}", json={"topic": TOPIC}))
    return client


def ok(response: TestResponse) -> Any:
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/json"
    return response.json


def refused(response: TestResponse, status: int, name: str) -> str:
    assert response.json is not None
    error = response.json["error"]
    assert (response.status_code, error["code"], error["status"]) == (status, status, name)
    return str(error["message"])


def wrong(response: TestResponse) -> str:
    return refused(response, 400, "INVALID_ARGUMENT")


def test_a_topic_is_created_as_the_reference_shows_it(client: FlaskClient) -> None:
    response = client.put(f"/v1/{TOPIC}", json={"labels": {"team": "a"}})

    assert ok(response) == {"name": TOPIC, "labels": {"team": "a"}}
    assert ok(client.get(f"/v1/{TOPIC}")) == ok(response)
    assert ok(client.get("/v1/projects/demo/topics")) == {"topics": [ok(response)]}


def test_a_subscription_shows_its_defaults(ready: FlaskClient) -> None:
    assert ok(ready.get(f"/v1/{SUBSCRIPTION}")) == {
        "name": SUBSCRIPTION,
        "topic": TOPIC,
        "pushConfig": {},
        "ackDeadlineSeconds": 10,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {"ttl": "2678400s"},
        "state": "ACTIVE",
    }


def test_a_message_goes_in_and_out(ready: FlaskClient) -> None:
    data = base64.b64encode(b"\xff\x00").decode()
    message = {"data": data, "attributes": {"color": "röt"}, "orderingKey": "k"}

    (message_id,) = ok(ready.post(f"/v1/{TOPIC}:publish", json={"messages": [message]}))[
        "messageIds"
    ]
    pulled = ok(ready.post(f"/v1/{SUBSCRIPTION}:pull", json={"maxMessages": 5}))
    (received,) = pulled["receivedMessages"]
    ack_ids = {"ackIds": [received["ackId"]]}

    assert received["message"] == message | {
        "messageId": message_id,
        "publishTime": "2027-01-15T08:00:00Z",
    }
    assert "deliveryAttempt" not in received
    assert ok(ready.post(f"/v1/{SUBSCRIPTION}:acknowledge", json=ack_ids)) == {}
    again = {"maxMessages": 5, "returnImmediately": True}
    assert ok(ready.post(f"/v1/{SUBSCRIPTION}:pull", json=again)) == {}


def test_a_nack_is_a_deadline_of_zero(ready: FlaskClient) -> None:
    ok(ready.post(f"/v1/{TOPIC}:publish", json={"messages": [{"data": "aGk="}]}))
    pull = {"maxMessages": 5, "returnImmediately": True}
    (received,) = ok(ready.post(f"/v1/{SUBSCRIPTION}:pull", json=pull))["receivedMessages"]
    nack = {"ackIds": [received["ackId"]], "ackDeadlineSeconds": 0}
    ok(ready.post(f"/v1/{SUBSCRIPTION}:modifyAckDeadline", json=nack))

    assert ok(ready.post(f"/v1/{SUBSCRIPTION}:pull", json=pull))["receivedMessages"]


def test_the_largest_message_is_taken_in_base64(ready: FlaskClient) -> None:
    largest = base64.b64encode(bytes(10_000_000)).decode()
    ok(ready.post(f"/v1/{TOPIC}:publish", json={"messages": [{"data": largest}]}))

    larger = base64.b64encode(bytes(10_000_001)).decode()
    response = ready.post(f"/v1/{TOPIC}:publish", json={"messages": [{"data": larger}]})
    assert "The value for request_size is too large. You passed 10000001" in wrong(response)


def test_a_body_that_is_much_too_large_is_refused(ready: FlaskClient) -> None:
    response = ready.post(f"/v1/{TOPIC}:publish", data=b" " * 20_000_001)

    assert wrong(response) == "Request payload size exceeds the limit: 20000000 bytes."


@pytest.mark.parametrize("mask", ["labels,ackDeadlineSeconds", "labels,ack_deadline_seconds"])
@pytest.mark.parametrize("place", ["body", "query"])
def test_an_update_changes_what_its_mask_names(ready: FlaskClient, mask: str, place: str) -> None:
    subscription = {"ackDeadlineSeconds": 30, "labels": {"a": "b"}, "retainAckedMessages": True}
    body: dict[str, Any] = {"subscription": subscription}
    if place == "body":
        body["updateMask"] = mask
    query = {"updateMask": mask} if place == "query" else {}

    updated = ok(ready.patch(f"/v1/{SUBSCRIPTION}", json=body, query_string=query))

    assert (updated["ackDeadlineSeconds"], updated["labels"]) == (30, {"a": "b"})
    assert "retainAckedMessages" not in updated
    assert ok(ready.get(f"/v1/{SUBSCRIPTION}")) == updated


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        ("", "must be set, and must contain a non-empty paths list."),
        ("nonsense", "'nonsense' is not a known Subscription field."),
        ("filter", "the 'filter' field in the Subscription is not mutable."),
        ("name", "the 'name' field in the Subscription is not mutable."),
    ],
)
def test_a_mask_that_cannot_be_used_is_refused(ready: FlaskClient, mask: str, reason: str) -> None:
    body = {"subscription": {}, "updateMask": mask}

    assert wrong(ready.patch(f"/v1/{SUBSCRIPTION}", json=body)).endswith(reason)


def test_names_may_be_percent_encoded(client: FlaskClient) -> None:
    assert ok(client.put("/v1/projects/demo/topics/a%2Bb%25c", json={})) == {
        "name": "projects/demo/topics/a+b%c"
    }


def test_the_parameters_that_every_google_api_has_are_no_fields(ready: FlaskClient) -> None:
    query = {"alt": "json", "prettyPrint": "false", "key": "k", "$.xgafv": "2", "fields": "name"}

    ok(ready.get(f"/v1/{TOPIC}", query_string=query, headers={"Authorization": "Bearer x"}))


def test_a_list_comes_in_pages(client: FlaskClient) -> None:
    for number in range(3):
        ok(client.put(f"/v1/projects/demo/topics/topic-{number}", json={}))
    url = "/v1/projects/demo/topics"

    first = ok(client.get(url, query_string={"pageSize": 2}))
    second = ok(client.get(url, query_string={"pageToken": first["nextPageToken"]}))

    assert [topic["name"][-1] for topic in first["topics"] + second["topics"]] == ["0", "1", "2"]
    assert "nextPageToken" not in second
    assert wrong(client.get(url, query_string={"pageToken": "é"})).startswith("The page_token")
    assert wrong(client.get(url, query_string={"pageSize": -1})).startswith("Invalid page_size")


def test_a_policy_is_changed_as_gcloud_changes_it(ready: FlaskClient) -> None:
    query = {"options.requestedPolicyVersion": "3"}
    before = ok(ready.get(f"/v1/{TOPIC}:getIamPolicy", query_string=query))
    binding = {"role": "roles/pubsub.publisher", "members": ["user:a@example.com"]}
    policy = {"policy": {"etag": before["etag"], "bindings": [binding]}}

    kept = ok(ready.post(f"/v1/{TOPIC}:setIamPolicy", json=policy))

    assert before == {"etag": "ACAB"}
    assert kept["bindings"] == [binding]
    assert ok(ready.get(f"/v1/{TOPIC}:getIamPolicy")) == kept
    stale = ready.post(f"/v1/{TOPIC}:setIamPolicy", json=policy)
    assert "concurrent policy changes" in refused(stale, 409, "ABORTED")
    asked = {"permissions": ["pubsub.topics.publish"]}
    assert ok(ready.post(f"/v1/{TOPIC}:testIamPermissions", json=asked)) == asked


@pytest.mark.parametrize("resource", [TOPIC, SUBSCRIPTION])
def test_a_policy_goes_with_its_resource(ready: FlaskClient, resource: str) -> None:
    bindings = [{"role": "roles/viewer", "members": ["user:a@example.com"]}]
    ok(ready.post(f"/v1/{resource}:setIamPolicy", json={"policy": {"bindings": bindings}}))
    ok(ready.delete(f"/v1/{resource}"))
    ok(ready.put(f"/v1/{resource}", json={} if resource == TOPIC else {"topic": TOPIC}))

    assert ok(ready.get(f"/v1/{resource}:getIamPolicy")) == {"etag": "ACAB"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/"),
        ("GET", "/v1/projects/demo/unknown"),
        ("POST", f"/v1/{TOPIC}:unknown"),
        ("POST", f"/v1/{TOPIC}"),
        ("GET", f"/v1/{TOPIC}:publish"),
        ("GET", "/v1/projects/demo/schemas"),
    ],
)
def test_an_unknown_route_is_a_404_in_json(client: FlaskClient, method: str, path: str) -> None:
    assert "There is no" in refused(client.open(path, method=method), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "Invalid JSON payload received. The body is not JSON."),
        (b"\xff", "Invalid JSON payload received. The body is not JSON."),
        (b"[" * 100_000, "Invalid JSON payload received. The body is not JSON."),
        (
            b"[]",
            'Invalid JSON payload received. Unknown name "": Root element must be a message.',
        ),
        (b'{"nonsense": 1}', UNKNOWN.format("nonsense", "")),
        (
            b'{"messages": [{"data": "aGk="}, {"dat": "s3cret"}]}',
            UNKNOWN.format("dat", " at 'messages[1]'"),
        ),
        (
            b'{"messages": [{"data": "s3cret!"}]}',
            "Invalid value at 'messages[0].data' (TYPE_BYTES)",
        ),
        (b'{"messages": [{"data": "abcde"}]}', "Invalid value at 'messages[0].data' (TYPE_BYTES)"),
        (b'{"messages": [{"data": 5}]}', "Invalid value at 'messages.data'."),
        (b'{"messages": "s3cret"}', "Invalid value at 'messages'."),
        (b'{"messages": [{"attributes": {"a": 5}}]}', "Invalid value at 'messages.attributes'."),
        (
            b'{"messages": [{"attributes": {"a": "\\ud800"}}]}',
            "Invalid value at 'messages.attributes'.",
        ),
    ],
)
def test_what_is_wrong_with_a_body_is_told_without_its_values(
    ready: FlaskClient, body: bytes, reason: str
) -> None:
    message = wrong(ready.post(f"/v1/{TOPIC}:publish", data=body))

    assert message.startswith(reason)
    assert "s3cret" not in message


@pytest.mark.parametrize(
    "body",
    [
        {"labels": {"a": "\ud800"}},
        {"labels": {"\ud800": "a"}},
        {"kmsKeyName": "\ud800"},
        {"messageRetentionDuration": "1e3s"},
        {"messageRetentionDuration": "999999999999999999999s"},
        {"labels": 5},
        {"labels": None, "name": 5},
    ],
)
def test_a_topic_of_nonsense_is_refused(client: FlaskClient, body: dict[str, Any]) -> None:
    assert wrong(client.put(f"/v1/{TOPIC}", data=json.dumps(body)))


def test_an_unknown_parameter_is_told_by_its_name(ready: FlaskClient) -> None:
    response = ready.get(f"/v1/{TOPIC}", query_string={"nonsense": "1"})

    assert wrong(response) == UNKNOWN.format("nonsense", "")


def test_data_may_be_base64_of_either_alphabet_with_or_without_padding(ready: FlaskClient) -> None:
    for data in ("_-8=", "/+8=", "_-8", "/+8"):
        ok(ready.post(f"/v1/{TOPIC}:publish", json={"messages": [{"data": data}]}))
    pull = {"maxMessages": 5, "returnImmediately": True}
    received = ok(ready.post(f"/v1/{SUBSCRIPTION}:pull", json=pull))["receivedMessages"]

    assert [one["message"]["data"] for one in received] == ["/+8="] * 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["messages", "data", "attributes", "topic", "pushConfig", "labels", "updateMask",
             "subscription", "messageRetentionDuration", "policy", "time", "ackIds", "maxMessages"]
        ),
        inner,
        max_size=3,
    ),
    max_leaves=6,
)  # fmt: skip


@given(
    st.sampled_from(ROUTES),
    JSON.map(json.dumps).map(str.encode) | st.binary(max_size=20),
    st.dictionaries(st.sampled_from(["pageSize", "topic.name", "a.b", "pageToken"]), st.text()),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_request_gets_an_answer_of_the_api(
    client: FlaskClient, route: Any, body: bytes, query: dict[str, str]
) -> None:
    path = route.pattern.replace("projects/*", "projects/demo").replace("*", "nothing-there")
    if route.call == "pull":
        body = b"{}"  # it may wait
    response = client.open(
        f"/v1/{path}{route.suffix}", method=route.method, data=body, query_string=query
    )

    assert response.status_code in {200, 400, 404, 409, 501}
    assert response.json is not None
