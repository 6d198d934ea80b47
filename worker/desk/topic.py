"""Replays to a topic. (`worker.cli` has the other target, straight to a worker.)"""

from collections.abc import Callable

from worker.claims import IDEMPOTENCY_ATTRIBUTE
from worker.desk import DeskFailed
from worker.desk.held import Held
from worker.desk.target import Sent, attributes_again
from worker.message import Message, PubsubMessage
from worker.pubsub import PublishFailed

_NOT_TAKEN = frozenset({400, 413})  # what is wrong with this message, not with the topic


class TopicTarget:
    """Publishes to `name`, projects/P/topics/T, for every subscription of that topic.

    Published twice, it is handled once: Pub/Sub gives each its own id, the key stays the same.
    """

    def __init__(self, name: str, publish: Callable[[str, PubsubMessage], str]) -> None:
        self.name = name
        self._publish = publish

    def send(self, held: Held, message: Message, replays: int) -> Sent:
        """Publish it. What Pub/Sub has added (goog...) cannot be published."""
        again = attributes_again(message, replays)
        attributes = {key: value for key, value in again.items() if not key.startswith("goog")}
        if not attributes.get(IDEMPOTENCY_ATTRIBUTE):
            attributes[IDEMPOTENCY_ATTRIBUTE] = f"replay-{held.id}"
        try:
            published = PubsubMessage(message.data, attributes, message.ordering_key)
            message_id = self._publish(self.name, published)
        except PublishFailed as failed:
            if failed.status in _NOT_TAKEN:
                return Sent(f"not taken: {failed}", settled=False)
            raise DeskFailed(f"cannot publish to {self.name}: {failed}") from None
        return Sent(f"published as {message_id}", settled=True)
