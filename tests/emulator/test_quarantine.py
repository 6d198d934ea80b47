"""Where a rejected message ends: on the quarantine topic, or on the dead-letter topic."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.support import Entries, PubSub, failing, wait_past_a_redelivery
from tests.support.emulator import Emulator
from tests.support.server import ServerProcess

pytestmark = pytest.mark.emulator

BROKEN = b'{"feature": "smoke_test", "requirement": {}}'
REASON = "bad payload: requirement: unknown field"
DEAD_TOPIC = "projects/demo/topics/quarantine"
DEAD_SUBSCRIPTION = "projects/demo/subscriptions/quarantine-reader"


@pytest.fixture(scope="module")
def quarantining(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory, prepare: Callable[[Path], Path]
) -> Iterator[ServerProcess]:
    """A server whose quarantine is a topic."""
    settings = {"QUARANTINE": f"topic:{DEAD_TOPIC}", "PUBSUB_EMULATOR_HOST": emulator.host}
    with ServerProcess(prepare(tmp_path_factory.mktemp("quarantining")), settings) as running:
        yield running


@pytest.fixture
def dead(pubsub: PubSub) -> str:
    """An empty quarantine topic and its only subscription."""
    pubsub.topic(DEAD_TOPIC)
    return pubsub.subscription(DEAD_TOPIC, DEAD_SUBSCRIPTION)


def test_a_rejected_message_arrives_on_the_topic_as_it_was_published(
    pubsub: PubSub, quarantining: ServerProcess, dead: str
) -> None:
    topic = pubsub.topic()
    subscription = pubsub.push(topic, quarantining.url)
    before = datetime.now(UTC)
    message_id = pubsub.publish(topic, BROKEN, {"source": "backend", "größe": "ü"})
    kept = pubsub.pull(dead)
    canonical = Entries(quarantining).wait(message_id)["jsonPayload"]

    assert kept["data"] == BROKEN
    attributes = kept["attributes"]
    published = datetime.fromisoformat(
        attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime")
    )
    quarantined = datetime.fromisoformat(attributes.pop("QuarantineTime"))
    assert published <= quarantined <= datetime.now(UTC)
    assert abs((published - before).total_seconds()) < 30
    assert json.loads(attributes.pop("QuarantineHeaders"))["content-type"] == "application/json"
    assert attributes == {
        "source": "backend",
        "größe": "ü",
        "CloudPubSubDeadLetterSourceDeliveryCount": "1",
        "CloudPubSubDeadLetterSourceSubscription": subscription.rpartition("/")[2],
        "CloudPubSubDeadLetterSourceSubscriptionProject": "demo",
        "QuarantineMessageId": message_id,
        "QuarantineReason": REASON,
        "QuarantineKind": "bad_payload",
        "QuarantineId": canonical["quarantine_id"],
    }
    assert canonical["outcome"] == "rejected"
    assert canonical["status"] == 200
    assert canonical["quarantine"] == f"{DEAD_TOPIC}#{kept['messageId']}"


def test_a_quarantined_message_is_acked_and_quarantined_once(
    pubsub: PubSub, quarantining: ServerProcess, dead: str
) -> None:
    topic = pubsub.topic()
    pubsub.push(topic, quarantining.url)
    entries = Entries(quarantining)
    message_id = pubsub.publish(topic, BROKEN)
    pubsub.pull(dead)
    wait_past_a_redelivery(pubsub, entries)
    assert entries.outcomes(message_id) == ["rejected"]
    assert pubsub.is_empty(dead)


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param({f"attribute-{number}": "v" for number in range(98)}, id="98-attributes"),
        pytest.param({"googclient_schemaname": "projects/demo/schemas/s"}, id="googclient"),
        pytest.param({"long": "v" * 1025}, id="long-value"),
    ],
)
def test_what_cannot_travel_as_attributes_arrives_as_a_record(
    pubsub: PubSub, quarantining: ServerProcess, dead: str, attributes: dict[str, str]
) -> None:
    topic = pubsub.topic()
    subscription = pubsub.push(topic, quarantining.url)
    message_id = pubsub.publish(topic, BROKEN, attributes)
    kept = pubsub.pull(dead)

    assert kept["attributes"]["QuarantineEncoding"] == "record"
    assert kept["attributes"]["QuarantineReason"] == REASON
    assert len(kept["attributes"]) == 5
    record = json.loads(kept["data"])
    assert record["message_id"] == message_id
    assert record["subscription"] == subscription
    assert record["attributes"] == attributes
    push = json.loads(base64.b64decode(record["body"]))
    assert push["message"]["attributes"] == attributes
    assert base64.b64decode(push["message"]["data"]) == BROKEN


def test_a_rejected_unwrapped_message_arrives_with_its_attributes_and_ordering_key(
    pubsub: PubSub, quarantining: ServerProcess, dead: str
) -> None:
    topic = pubsub.topic()
    wrapper = {"noWrapper": {"writeMetadata": True}}
    subscription = pubsub.push(topic, quarantining.url, pushConfig=wrapper)
    message_id = pubsub.publish(topic, BROKEN, {"source": "backend"}, key="customer-1")
    kept = pubsub.pull(dead)

    assert kept["data"] == BROKEN
    assert kept["orderingKey"] == "customer-1"
    attributes = kept["attributes"]
    assert attributes["source"] == "backend"
    assert attributes["QuarantineMessageId"] == message_id
    name = subscription.rpartition("/")[2]
    assert attributes["CloudPubSubDeadLetterSourceSubscription"] == name
    assert json.loads(attributes["QuarantineHeaders"])["x-goog-pubsub-message-id"] == message_id


def test_a_rejected_message_without_metadata_arrives_on_the_topic(
    pubsub: PubSub, quarantining: ServerProcess, dead: str
) -> None:
    topic = pubsub.topic()
    pubsub.push(topic, quarantining.url, pushConfig={"noWrapper": {}})
    pubsub.publish(topic, BROKEN)
    kept = pubsub.pull(dead)
    assert kept["data"] == BROKEN
    assert kept["attributes"]["QuarantineReason"] == REASON
    assert kept["attributes"]["CloudPubSubDeadLetterSourceSubscription"] == ""


def test_a_message_is_nacked_until_its_quarantine_exists(
    pubsub: PubSub, quarantining: ServerProcess
) -> None:
    entries = Entries(quarantining)
    topic = pubsub.topic()
    pubsub.push(topic, quarantining.url)
    message_id = pubsub.publish(topic, BROKEN)
    nacked = entries.wait(message_id, status=500)
    assert nacked["severity"] == "ERROR"
    assert "not quarantined, so nacked" in nacked["jsonPayload"]["reason"]

    pubsub.topic(DEAD_TOPIC)
    reader = pubsub.subscription(DEAD_TOPIC, DEAD_SUBSCRIPTION)
    assert pubsub.pull(reader)["data"] == BROKEN
    entries.wait(message_id, status=200)


def test_without_quarantine_the_dead_letter_policy_takes_the_message_after_five_attempts(
    pubsub: PubSub, folder: Path, stack: ExitStack
) -> None:
    server = stack.enter_context(ServerProcess(folder, {"QUARANTINE": "none"}))
    entries = Entries(server)
    dead_topic = pubsub.topic("dead")
    dead = pubsub.subscription(dead_topic, "dead")
    topic = pubsub.topic()
    policy = {"deadLetterTopic": dead_topic, "maxDeliveryAttempts": 5}
    subscription = pubsub.push(topic, server.url, deadLetterPolicy=policy)
    message_id = pubsub.publish(topic, failing("reject", times=99), {"source": "backend"})
    taken = pubsub.pull(dead)

    assert json.loads(taken["data"]) == failing("reject", times=99)
    attributes = taken["attributes"]
    assert attributes["source"] == "backend"
    assert attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    name = subscription.rpartition("/")[2]
    assert attributes["CloudPubSubDeadLetterSourceSubscription"] == name
    server.stop()  # all its entries are read then
    ended: list[dict[str, Any]] = [entry["jsonPayload"] for entry in entries.of(message_id)]
    assert [(one["outcome"], one["status"]) for one in ended] == [("rejected", 500)] * 5
    assert not (folder / "quarantine").exists()
