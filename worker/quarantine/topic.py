"""QUARANTINE=topic:projects/P/topics/T: published the way Pub/Sub's own dead-lettering does it.

The message keeps its data and attributes and gets CloudPubSubDeadLetterSource* attributes, the
reason and the headers. What cannot travel like that (an unreadable envelope, attributes over
Pub/Sub's limits) is published as the JSON record that the folder quarantine writes, uncut.
"""

import json
from collections.abc import Callable, Mapping

from worker.message import PubsubMessage
from worker.pubsub import PublishFailed
from worker.quarantine import QuarantineFailed, Rejected
from worker.quarantine.attributes import SOURCE

# Pub/Sub's limits on attributes.
_MAX_ATTRIBUTES = 100
_MAX_KEY_BYTES = 256
_MAX_VALUE_BYTES = 1024

Publish = Callable[[str, PubsubMessage], str]


class TopicQuarantine:
    """Publishes to `topic` (projects/P/topics/T), confirmed before `keep` returns."""

    def __init__(self, topic: str, publish: Publish) -> None:
        self._topic = topic
        self._publish = publish

    def keep(self, rejected: Rejected) -> str:
        """Publish it and return `topic#message id`."""
        try:
            message_id = self._publish(
                self._topic, _as_dead_letter(rejected) or _as_record(rejected)
            )
        except PublishFailed as error:
            raise QuarantineFailed(f"cannot publish to {self._topic}: {error}") from error
        return f"{self._topic}#{message_id}"


def _as_dead_letter(rejected: Rejected) -> PubsubMessage | None:
    message = rejected.message
    if message is None:
        return None
    _, _, subscription = message.subscription.rpartition("/")
    parts = message.subscription.split("/")
    project = parts[1] if len(parts) == 4 else ""  # noqa: PLR2004 - projects/P/subscriptions/S
    published = message.publish_time.isoformat() if message.publish_time else ""
    added = {
        f"{SOURCE}DeliveryCount": str(message.delivery_attempt or 1),
        f"{SOURCE}Subscription": subscription,
        f"{SOURCE}SubscriptionProject": project,
        f"{SOURCE}TopicPublishTime": published,
        "QuarantineHeaders": json.dumps(dict(rejected.headers)),
        "QuarantineMessageId": message.id,
        **_about(rejected),
        "QuarantineReason": rejected.reason,  # uncut: one that does not fit travels in a record
    }
    attributes = {**message.attributes, **added}
    if not _fits(attributes) or not message.data or added.keys() & message.attributes.keys():
        return None
    return PubsubMessage(message.data, attributes, message.ordering_key)


def _as_record(rejected: Rejected) -> PubsubMessage:
    data = json.dumps(rejected.record()).encode()
    return PubsubMessage(data, {"QuarantineEncoding": "record", **_about(rejected)})


def _about(rejected: Rejected) -> dict[str, str]:
    reason = rejected.reason.encode("utf-8", "replace")[:_MAX_VALUE_BYTES].decode("utf-8", "ignore")
    return {
        "QuarantineReason": reason,
        "QuarantineTime": rejected.time.isoformat(),
        "QuarantineId": rejected.id,
        "QuarantineKind": rejected.kind,
    }


def _fits(attributes: Mapping[str, str]) -> bool:
    return len(attributes) <= _MAX_ATTRIBUTES and all(
        0 < len(key.encode()) <= _MAX_KEY_BYTES
        and not key.startswith("goog")  # reserved: Pub/Sub refuses to publish these
        and len(value.encode()) <= _MAX_VALUE_BYTES
        for key, value in attributes.items()
    )
