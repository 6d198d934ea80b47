"""Subscriber against a stand-in for Pub/Sub's REST API. The emulator has tests of its own."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.support.standin import Reply, StandIn
from worker.message import PubsubMessage
from worker.pubsub import PUBSUB, Received, Subscriber
from worker.rest import CallFailed

SUBSCRIPTION = "projects/demo-project/subscriptions/dead"
MESSAGE = {
    "ackId": "a-1",
    "message": {
        "data": base64.b64encode(b"\xff\x00data").decode(),
        "attributes": {"name": "Zoë"},
        "messageId": "17",
        "publishTime": "2026-11-21T19:20:09.017Z",
        "orderingKey": "k",
    },
    "deliveryAttempt": 3,
}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with StandIn(lambda _call: Reply.json({})) as running:
        monkeypatch.setenv(PUBSUB.emulator, running.address)
        yield running


@pytest.fixture
def subscriber() -> Subscriber:
    return Subscriber(SUBSCRIPTION)


def test_messages_are_pulled_whole(service: StandIn, subscriber: Subscriber) -> None:
    service.answer = lambda _call: Reply.json({"receivedMessages": [MESSAGE]})

    published = datetime(2026, 11, 21, 19, 20, 9, 17000, tzinfo=UTC)
    sent = PubsubMessage(b"\xff\x00data", {"name": "Zoë"}, "k")
    assert subscriber.pull(50) == [Received("a-1", "17", published, sent)]
    (call,) = service.calls
    assert (call.method, call.path) == ("POST", f"/v1/{SUBSCRIPTION}:pull")
    assert call.json() == {"maxMessages": 50, "returnImmediately": True}


def test_a_message_of_attributes_only_has_no_data(service: StandIn, subscriber: Subscriber) -> None:
    message = {"messageId": "17", "attributes": {"a": "b"}}
    service.answer = lambda _call: Reply.json(
        {"receivedMessages": [{"ackId": "a", "message": message}]}
    )

    assert subscriber.pull(1) == [Received("a", "17", None, PubsubMessage(b"", {"a": "b"}))]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'{"receivedMessages": 1}',
        b'{"receivedMessages": [1]}',
        b'{"receivedMessages": [{"ackId": "a"}]}',
        b'{"receivedMessages": [{"message": {"messageId": "1"}}]}',
        b'{"receivedMessages": [{"ackId": "a", "message": {"messageId": "1", "data": "%"}}]}',
        b'{"receivedMessages": [{"ackId": "", "message": {"messageId": "1", "publishTime": "x"}}]}',
    ],
)
def test_an_answer_that_is_none_is_a_failure_of_one_line(
    service: StandIn, subscriber: Subscriber, body: bytes
) -> None:
    service.answer = lambda _call: Reply(200, body)

    with pytest.raises(CallFailed) as failed:
        subscriber.pull(1)
    assert "\n" not in str(failed.value)


def test_acks_and_leases_name_their_messages(service: StandIn, subscriber: Subscriber) -> None:
    subscriber.acknowledge(["a", "b"])
    subscriber.modify_ack_deadline(["c"], 30)

    acked, leased = service.calls
    assert acked.path == f"/v1/{SUBSCRIPTION}:acknowledge"
    assert acked.json() == {"ackIds": ["a", "b"]}
    assert leased.path == f"/v1/{SUBSCRIPTION}:modifyAckDeadline"
    assert leased.json() == {"ackIds": ["c"], "ackDeadlineSeconds": 30}


def test_many_are_named_in_several_calls_and_none_in_no_call(
    service: StandIn, subscriber: Subscriber
) -> None:
    ids = [str(number) for number in range(2500)]
    subscriber.acknowledge(ids)
    assert [len(call.json()["ackIds"]) for call in service.calls] == [1000, 1000, 500]
    assert [one for call in service.calls for one in call.json()["ackIds"]] == ids
    subscriber.modify_ack_deadline([], 0)
    assert len(service.calls) == 3


def test_what_pubsub_says_is_passed_on(service: StandIn, subscriber: Subscriber) -> None:
    service.answer = lambda _call: Reply.error(404, "Resource not found (resource=dead).")

    with pytest.raises(CallFailed, match=r"^Pub/Sub answered 404: Resource not found"):
        subscriber.pull(1)
