"""Deliveries of one message: again after a failure, once after a success, for each subscription."""

import json

import pytest

from tests.emulator.support import Entries, PubSub, failing, wait_past_a_redelivery
from tests.support.pushes import SMOKE_TEST
from tests.support.server import ServerProcess

pytestmark = pytest.mark.emulator


@pytest.mark.parametrize(("how", "outcome"), [("retry", "retry"), ("crash", "crashed")])
def test_a_message_whose_handler_fails_is_delivered_again_and_done(
    pubsub: PubSub, server: ServerProcess, entries: Entries, how: str, outcome: str
) -> None:
    topic = pubsub.topic()
    pubsub.push(topic, server.url)
    message_id = pubsub.publish(topic, failing(how))
    entries.wait(message_id, outcome="done")

    # Not "duplicate" or "busy": the failed handler gave its key back, so that the next one ran.
    assert entries.outcomes(message_id) == [outcome, "done"]
    runs = [entry["jsonPayload"]["run"] for entry in entries.of(message_id, "fails_first.run")]
    assert runs == [1, 2]


def test_a_crash_is_an_entry_for_error_reporting(
    pubsub: PubSub, server: ServerProcess, entries: Entries
) -> None:
    topic = pubsub.topic()
    pubsub.push(topic, server.url)
    crashed = entries.wait(pubsub.publish(topic, failing("crash")), outcome="crashed")

    assert crashed["severity"] == "ERROR"
    assert "RuntimeError: the bug of the day" in crashed["jsonPayload"]["stack_trace"]
    assert crashed["jsonPayload"]["@type"].endswith("ReportedErrorEvent")
    assert "the bug of the day" not in crashed["jsonPayload"]["reason"]


def test_what_is_done_or_rejected_is_not_delivered_again(
    pubsub: PubSub, server: ServerProcess, entries: Entries
) -> None:
    topic = pubsub.topic()
    subscription = pubsub.push(topic, server.url)
    payloads = [SMOKE_TEST, failing("reject"), {"feature": "smoke_tset"}, b"\xff\x00", {}]
    ids = [pubsub.publish(topic, payload) for payload in payloads]
    for message_id in ids:
        entries.wait(message_id)
    wait_past_a_redelivery(pubsub, entries)

    expected = ["done", "rejected", "rejected", "rejected", "rejected"]
    assert [entries.outcomes(message_id) for message_id in ids] == [[one] for one in expected]
    assert pubsub.is_empty(subscription)


def test_a_message_without_data_is_rejected(
    pubsub: PubSub, server: ServerProcess, entries: Entries
) -> None:
    topic = pubsub.topic()
    pubsub.push(topic, server.url)
    canonical = entries.wait(pubsub.publish(topic, b"", {"only": "attributes"}))
    assert canonical["jsonPayload"]["outcome"] == "rejected"
    assert canonical["jsonPayload"]["reason"].startswith("the message has no data")


def test_each_subscription_of_a_topic_has_the_message_handled(
    pubsub: PubSub, server: ServerProcess, entries: Entries
) -> None:
    topic = pubsub.topic()
    subscriptions = [pubsub.push(topic, server.url, name) for name in ("left", "right")]
    message_id = pubsub.publish(topic, SMOKE_TEST)
    done = [entries.wait(message_id, subscription=name, outcome="done") for name in subscriptions]

    assert [entry["jsonPayload"]["subscription"] for entry in done] == subscriptions
    assert len(entries.of(message_id, "smoke_test.passed")) == 2


def test_messages_of_one_ordering_key_wait_for_the_one_that_failed(
    pubsub: PubSub, server: ServerProcess, entries: Entries
) -> None:
    topic = pubsub.topic()
    wrapper = {"noWrapper": {"writeMetadata": True}}
    pubsub.push(topic, server.url, enableMessageOrdering=True, pushConfig=wrapper)
    payloads = [failing("retry"), SMOKE_TEST, {"feature": "shows_message"}]
    ids = [pubsub.publish(topic, payload, key="customer-1") for payload in payloads]
    entries.wait(ids[-1], outcome="done")

    happened = [
        (payload["message_id"], payload["outcome"])
        for payload in server.entries()
        if payload.get("event") == "message.processed" and payload["message_id"] in ids
    ]
    assert happened == [
        (ids[0], "retry"),
        (ids[0], "done"),
        (ids[1], "done"),
        (ids[2], "done"),
    ]
    (seen,) = entries.of(ids[2], "message.seen")
    assert seen["jsonPayload"]["ordering_key"] == "customer-1"


def test_a_hundred_attributes_arrive_as_headers_of_an_unwrapped_push(
    pubsub: PubSub, server: ServerProcess, entries: Entries
) -> None:
    topic = pubsub.topic()
    pubsub.push(topic, server.url, pushConfig={"noWrapper": {"writeMetadata": True}})
    attributes = {f"attribute-{number:03}": "v" * 100 for number in range(100)}
    message_id = pubsub.publish(topic, {"feature": "shows_message"}, attributes)
    entries.wait(message_id, outcome="done")

    (seen,) = entries.of(message_id, "message.seen")
    assert seen["jsonPayload"]["attributes"] == attributes


def test_the_largest_message_that_the_emulator_takes_is_handled(
    pubsub: PubSub, server: ServerProcess, entries: Entries
) -> None:
    topic = pubsub.topic()
    pubsub.push(topic, server.url)
    payload = json.dumps({"feature": "smoke_test", "description": "x" * 10_485_700}).encode()
    assert 10_485_700 < len(payload) < 10_485_761
    message_id = pubsub.publish(topic, payload)
    canonical = entries.wait(message_id)["jsonPayload"]
    (passed,) = entries.of(message_id, "smoke_test.passed")

    assert canonical["outcome"] == "done"
    assert canonical["bytes"] > 13_980_000
    assert passed["jsonPayload"]["truncated"] is True
    assert passed["jsonPayload"]["original_size"] > 10_485_700
