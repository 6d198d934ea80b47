"""Pub/Sub over REST, without grpc; the emulator's when PUBSUB_EMULATOR_HOST is set.

Sources: projects.topics.publish; projects.subscriptions.pull, acknowledge, modifyAckDeadline.
"""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.message import PubsubMessage
from worker.rest import Api, CallFailed, Service, application_default

PUBSUB = Service("Pub/Sub", "https://pubsub.googleapis.com", "PUBSUB_EMULATOR_HOST")
_TIMEOUT_SECONDS = 5.0
_PULL_SECONDS = 60.0  # an answer may hold many messages of 10 MB
_ACKS_AT_ONCE = 1000  # ack ids in one call, which may be of 512 KiB


class PublishFailed(Exception):
    """Pub/Sub did not confirm the message. Says why and what to do, without the message.

    `status` is that of HTTP, 0 when there was no answer.
    """

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


def resource_of(message: PubsubMessage) -> dict[str, Any]:
    """The message as publish wants it. Source: PubsubMessage."""
    resource: dict[str, Any] = {
        "data": base64.b64encode(message.data).decode("ascii"),
        "attributes": dict(message.attributes),
    }
    if message.ordering_key:
        resource["orderingKey"] = message.ordering_key
    return resource


class Publisher:
    """Publishes single messages and waits for Pub/Sub's confirmation. Safe to share by threads.

    `credentials` is asked once, and never for an emulator.
    """

    def __init__(self, credentials: Callable[[], Any] = application_default) -> None:
        self._api = Api(PUBSUB, _TIMEOUT_SECONDS, credentials)

    def publish(self, topic: str, message: PubsubMessage) -> str:
        """Publish to `projects/P/topics/T` and return the message id. Raises PublishFailed."""
        body = {"messages": [resource_of(message)]}
        try:
            return str(self._api.post(f"{topic}:publish", body)["messageIds"][0])
        except CallFailed as failed:
            raise PublishFailed(str(failed), failed.status) from failed
        except (LookupError, TypeError):
            raise PublishFailed(f"{PUBSUB.endpoint()} answered without a message id") from None


@dataclass(frozen=True, slots=True)
class Received:
    """A message as a pull hands it over; whoever has it acks it by `ack_id`."""

    ack_id: str
    id: str
    publish_time: datetime | None  # aware
    message: PubsubMessage


class Subscriber:
    """Pulls from `projects/P/subscriptions/S` and says what becomes of what it got.

    Every method raises CallFailed. Safe to share by threads.
    """

    def __init__(
        self, subscription: str, credentials: Callable[[], Any] = application_default
    ) -> None:
        self._subscription = subscription
        self._api = Api(PUBSUB, _TIMEOUT_SECONDS, credentials)

    def pull(self, most: int) -> list[Received]:
        """What is there now: fewer than `most`, even none, though there may be more."""
        answer = self._call("pull", {"maxMessages": most, "returnImmediately": True}, _PULL_SECONDS)
        try:
            return [_received(one) for one in answer.get("receivedMessages", [])]
        except (LookupError, TypeError, ValueError, AttributeError):
            raise CallFailed(f"{PUBSUB.endpoint()} answered a pull with no messages") from None

    def acknowledge(self, ack_ids: Sequence[str]) -> None:
        """They are done with. An ack that comes too late is no error, and the message comes again.

        Source: projects.subscriptions.acknowledge.
        """
        for some in _portions(ack_ids):
            self._call("acknowledge", {"ackIds": some})

    def modify_ack_deadline(self, ack_ids: Sequence[str], seconds: int) -> None:
        """Keep them for that long from now; 0 gives them back at once."""
        for some in _portions(ack_ids):
            self._call("modifyAckDeadline", {"ackIds": some, "ackDeadlineSeconds": seconds})

    def _call(self, method: str, body: Any, seconds: float | None = None) -> Any:
        return self._api.post(f"{self._subscription}:{method}", body, seconds)


def _portions(ack_ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ack_ids), _ACKS_AT_ONCE):
        yield list(ack_ids[start : start + _ACKS_AT_ONCE])


def _received(one: Mapping[str, Any]) -> Received:
    message = one["message"]
    published = message.get("publishTime")
    sent = PubsubMessage(
        base64.b64decode(message.get("data", ""), validate=True),
        dict(message.get("attributes") or {}),
        str(message.get("orderingKey", "")),
    )
    time = datetime.fromisoformat(published) if published else None
    return Received(str(one["ackId"]), str(message["messageId"]), time, sent)
