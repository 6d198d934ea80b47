"""The main job from end to end: gcloud publishes, the emulator pushes, the real server logs."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.emulator.support import Entries, Gcloud, PubSub, wait_past_a_redelivery
from tests.support.server import ServerProcess
from worker.message import digest_id

pytestmark = pytest.mark.emulator

SMOKE_TEST = '{"feature":"smoke_test","description":"verify logs","requirements":"none"}'
BROKEN = '{"feature":"smoke_test",'
SHOW = '{"feature":"shows_message"}'


@pytest.fixture(scope="module")
def topic(gcloud: Gcloud, server: ServerProcess) -> str:
    """A topic that is pushed to the server, made by gcloud as docs/local.md does it."""
    gcloud("topics", "create", "gcloud-features")
    gcloud(
        "subscriptions", "create", "gcloud-push", "--topic=gcloud-features",
        f"--push-endpoint={server.url}/", "--ack-deadline=10",
    )  # fmt: skip
    return "gcloud-features"


def test_a_smoke_test_published_with_gcloud_leaves_its_entries(
    gcloud: Gcloud, topic: str, entries: Entries
) -> None:
    before = datetime.now(UTC)
    message_id = gcloud.publish(topic, SMOKE_TEST)
    canonical = entries.wait(message_id)
    (passed,) = entries.of(message_id, "smoke_test.passed")

    assert message_id.isdigit()
    assert passed["severity"] == canonical["severity"] == "INFO"
    assert passed["labels"] == {"feature": "smoke_test"}
    assert canonical["labels"] == {"feature": "smoke_test", "outcome": "done"}
    operation = {"id": message_id, "producer": "feature-worker"}
    assert passed["operation"] == {**operation, "first": True}
    assert canonical["operation"] == {**operation, "last": True}
    assert passed["sourceLocation"]["file"].endswith("handlers/smoke_test.py")
    assert passed["insertId"] != canonical["insertId"]
    first, last = (datetime.fromisoformat(entry["timestamp"]) for entry in (passed, canonical))
    assert before < first <= last < datetime.now(UTC)
    assert "trace" not in canonical  # the emulator sends no trace header

    proof = passed["jsonPayload"]
    assert proof == {
        "message": proof["message"],
        "event": "smoke_test.passed",
        "message_id": message_id,
        "feature": "smoke_test",
        "description": "verify logs",
    }
    payload = canonical["jsonPayload"]
    assert payload == {
        "message": payload["message"],
        "event": "message.processed",
        "outcome": "done",
        "status": 200,
        "reason": "handled by smoke_test",
        "feature": "smoke_test",
        "message_id": message_id,
        "message_id_derived": False,
        "subscription": "projects/demo/subscriptions/gcloud-push",
        "delivery_attempt": None,
        "form": "wrapped",
        "seconds": payload["seconds"],
        "bytes": payload["bytes"],
        "queue_seconds": payload["queue_seconds"],
        "result": {"status": "ok", "message": "Smoke test successful. Log generated."},
    }
    assert payload["message"].startswith("smoke_test: done in ")
    assert 0 < payload["seconds"] < payload["queue_seconds"] + payload["seconds"] < 30
    assert len(base64.b64encode(SMOKE_TEST.encode())) < payload["bytes"] < 500


def test_a_broken_payload_published_with_gcloud_is_quarantined_once_and_acked(
    gcloud: Gcloud, topic: str, home: Path, entries: Entries, pubsub: PubSub
) -> None:
    message_id = gcloud.publish(topic, BROKEN, "--attribute=source=backend")
    canonical = entries.wait(message_id)
    wait_past_a_redelivery(pubsub, entries)

    assert entries.outcomes(message_id) == ["rejected"]
    assert canonical["severity"] == "WARNING"
    assert canonical["labels"] == {"outcome": "rejected"}
    assert canonical["jsonPayload"]["status"] == 200
    kept = [json.loads(path.read_text()) for path in (home / "quarantine").iterdir()]
    (record,) = [record for record in kept if record["message_id"] == message_id]
    assert record["reason"] == canonical["jsonPayload"]["reason"]
    assert record["reason"].startswith("bad payload: ")
    assert record["subscription"] == "projects/demo/subscriptions/gcloud-push"
    assert record["attributes"] == {"source": "backend"}
    push = json.loads(base64.b64decode(record["body"]))
    assert push["message"]["messageId"] == message_id
    assert base64.b64decode(push["message"]["data"]).decode() == BROKEN
    assert (home / canonical["jsonPayload"]["quarantine"]).exists()


def test_gcloud_makes_an_unwrapped_subscription_that_tells_metadata_attributes_and_key(
    gcloud: Gcloud, server: ServerProcess, entries: Entries, pubsub: PubSub
) -> None:
    topic = pubsub.topic()
    subscription = pubsub.name("subscriptions", "unwrapped")
    gcloud(
        "subscriptions", "create", subscription,
        f"--topic={topic}", f"--push-endpoint={server.url}/", "--push-no-wrapper",
        "--push-no-wrapper-write-metadata", "--enable-message-ordering",
    )  # fmt: skip
    message_id = gcloud.publish(
        topic,
        SHOW,
        "--attribute=source=backend,idempotency_key=order-7",
        "--ordering-key=customer-1",
    )
    canonical = entries.wait(message_id)["jsonPayload"]
    (seen,) = entries.of(message_id, "message.seen")

    assert canonical["outcome"] == "done"
    assert canonical["form"] == "unwrapped"
    assert canonical["message_id_derived"] is False
    assert canonical["subscription"] == subscription
    assert canonical["bytes"] == len(SHOW)
    assert canonical["queue_seconds"] > 0
    attributes = {"source": "backend", "idempotency_key": "order-7"}
    assert seen["jsonPayload"]["attributes"] == attributes
    assert seen["jsonPayload"]["ordering_key"] == "customer-1"
    assert seen["jsonPayload"]["data"] == SHOW


def test_gcloud_makes_an_unwrapped_subscription_without_metadata(
    gcloud: Gcloud, server: ServerProcess, entries: Entries, pubsub: PubSub
) -> None:
    topic = pubsub.topic()
    gcloud(
        "subscriptions", "create", pubsub.name("subscriptions", "bare"), f"--topic={topic}",
        f"--push-endpoint={server.url}/", "--push-no-wrapper",
    )  # fmt: skip
    payload = '{"feature":"shows_message","description":"no id"}'
    gcloud.publish(topic, payload)
    canonical = entries.wait_for(event="message.processed", form="unwrapped-no-metadata")[
        "jsonPayload"
    ]

    assert canonical["outcome"] == "done"
    assert canonical["message_id"] == digest_id(payload.encode())
    assert canonical["message_id_derived"] is True
    assert canonical["subscription"] is None
    assert canonical["queue_seconds"] is None
    (seen,) = entries.of(canonical["message_id"], "message.seen")
    assert seen["jsonPayload"]["data"] == payload
    assert seen["jsonPayload"]["attributes"] == {}
