"""What `publish` publishes, the real worker handles: requirements, order, keys, trace."""

from collections.abc import Iterator

import pytest

from handlers.smoke_test import SmokeTest
from worker.local.testing import LocalCloud
from worker.publisher import Publisher
from worker.pubsub import PUBSUB
from worker.rest import Api

pytestmark = pytest.mark.server

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def publisher(local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", local_cloud.environment["PUBSUB_EMULATOR_HOST"])
    made = Publisher(local_cloud.topic)
    yield made
    made._pubsub._api._sessions.session.close()


def test_the_handler_gets_the_requirements_and_the_entry_the_trace(
    local_cloud: LocalCloud, publisher: Publisher
) -> None:
    traceparent = f"00-{TRACE}-b7ad6b7169203331-01"
    want = SmokeTest(nonce="größe")
    message_id = publisher.publish(want, description="typed", traceparent=traceparent)
    entry = local_cloud.outcome(message_id)
    assert (entry["outcome"], entry["publisher_trace"]) == ("done", TRACE)
    (passed,) = local_cloud.entries('jsonPayload.event="smoke_test.passed"', message_id=message_id)
    payload = passed["jsonPayload"]
    assert (payload["nonce"], payload["description"]) == ("größe", "typed")


def test_two_messages_of_one_idempotency_key_are_handled_once(
    local_cloud: LocalCloud, publisher: Publisher
) -> None:
    first = publisher.publish(SmokeTest(), idempotency_key="order-4711")
    assert local_cloud.outcome(first)["outcome"] == "done"
    again = publisher.publish(SmokeTest(), idempotency_key="order-4711")
    assert local_cloud.outcome(again)["outcome"] == "duplicate"


@pytest.fixture
def in_order(local_cloud: LocalCloud, publisher: Publisher) -> Publisher:
    """Publishes to a topic whose subscription delivers in order."""
    pubsub = Api(PUBSUB, 10.0)
    topic, subscription = f"{local_cloud.topic}-in-order", f"{local_cloud.subscription}-in-order"
    pubsub.call("PUT", f"v1/{topic}", {})
    push = {"pushEndpoint": f"{local_cloud.worker_url}/"}
    ordered = {"topic": topic, "pushConfig": push, "enableMessageOrdering": True}
    pubsub.call("PUT", f"v1/{subscription}", ordered)
    pubsub._sessions.session.close()
    publisher.topic = topic
    return publisher


def test_messages_of_one_ordering_key_are_handled_in_their_order(
    local_cloud: LocalCloud, in_order: Publisher
) -> None:
    numbers = [str(number) for number in range(7)]
    local_cloud.faults(paused=True)
    sent = [
        in_order.publish(SmokeTest(nonce=number), description="in order", ordering_key="pet-7")
        for number in numbers
    ]
    local_cloud.faults(reorder=True)
    assert [local_cloud.outcome(one)["outcome"] for one in sent] == ["done"] * 7
    passed = local_cloud.entries('jsonPayload.description="in order"')
    assert [entry["jsonPayload"]["nonce"] for entry in passed] == numbers
