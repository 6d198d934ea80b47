"""Messages through Google's own emulator: a topic and a push subscription for every few of them."""

from collections.abc import Sequence
from typing import Any

from tests.emulator.support import PubSub
from tests.faults.messages import Kind, Sent, to_publish
from tests.faults.waiting import wait_until

PAIRS = 4  # the emulator pushes two at a time for each subscription


class Emulated:
    """Topics whose subscriptions push to `url`; `settings` are those of the REST API."""

    def __init__(self, pubsub: PubSub, url: str, **settings: Any) -> None:
        self._pubsub = pubsub
        self._topics = [pubsub.topic(f"topic-{number}") for number in range(PAIRS)]
        self._subscriptions = [
            pubsub.push(topic, url, f"push-{number}", **settings)
            for number, topic in enumerate(self._topics)
        ]
        self.published: list[Sent] = []

    def publish(self, kinds: Sequence[Kind]) -> None:
        """Publish a message of each kind, to the topics in turn."""
        for kind, data in to_publish(kinds):
            topic = self._topics[len(self.published) % PAIRS]
            self.published.append(Sent(self._pubsub.publish(topic, data), kind, data))

    def handed_back(self, expected: set[str]) -> set[str]:
        """Push no more, and take out what the emulator still has: at least what is expected."""
        found: set[str] = set()
        for subscription in self._subscriptions:
            self._pubsub.call("POST", f"{subscription}:modifyPushConfig", {"pushConfig": {}})

        def all_found() -> bool:
            found.update(*(self._pull(one) for one in self._subscriptions))
            return expected <= found

        wait_until(all_found, f"the emulator still has {expected}")
        return found

    def _pull(self, subscription: str) -> set[str]:
        body = {"maxMessages": 1000, "returnImmediately": True}
        answer = self._pubsub.call("POST", f"{subscription}:pull", body)
        return {str(one["message"]["messageId"]) for one in answer.get("receivedMessages", [])}
