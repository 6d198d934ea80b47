"""The typed publisher and Google's emulator: the worker gets what was published."""

from collections.abc import Iterator

import pytest

from handlers.smoke_test import SmokeTest
from tests.emulator.support import Entries, PubSub
from tests.support.emulator import Emulator
from tests.support.server import ServerProcess
from worker.publisher import Publisher

pytestmark = pytest.mark.emulator

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def publisher(
    emulator: Emulator, pubsub: PubSub, server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Publisher]:
    """It publishes to a topic of its own, which is pushed to the worker."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.host)
    made = Publisher(pubsub.topic())
    pubsub.push(made.topic, server.url)
    yield made
    made._pubsub._api._sessions.session.close()


def test_typed_requirements_are_handled(publisher: Publisher, entries: Entries) -> None:
    message_id = publisher.publish(
        SmokeTest(nonce="größe"), idempotency_key="typed-1", traceparent=f"00-{TRACE}-{1:016x}-01"
    )
    entry = entries.wait(message_id, outcome="done")["jsonPayload"]
    assert entry["publisher_trace"] == TRACE
    (passed,) = entries.of(message_id, "smoke_test.passed")
    assert passed["jsonPayload"]["nonce"] == "größe"

    again = publisher.publish(SmokeTest(), idempotency_key="typed-1")
    assert entries.wait(again, outcome="duplicate")["jsonPayload"]["status"] == 200
