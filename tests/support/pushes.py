"""Pushes in the forms that Pub/Sub and Eventarc deliver."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from worker.envelope import PUBSUB_EVENT
from worker.message import Push

SUBSCRIPTION = "projects/demo/subscriptions/worker-push"
PUBLISHED = "2026-11-21T19:20:09.017Z"

METADATA = {
    "x-goog-pubsub-subscription-name": SUBSCRIPTION,
    "x-goog-pubsub-message-id": "1",
    "x-goog-pubsub-publish-time": PUBLISHED,
}
TOPIC_SOURCE = "//pubsub.googleapis.com/projects/demo/topics/features"
EVENTARC = {
    "ce-id": "event-1",
    "ce-source": TOPIC_SOURCE,
    "ce-specversion": "1.0",
    "ce-type": PUBSUB_EVENT,
    "ce-time": PUBLISHED,
}
OWN_EVENT = {**EVENTARC, "ce-source": "//shop/orders", "ce-type": "shop.order.placed"}

SMOKE_TEST = {"feature": "smoke_test", "description": "verify logs", "requirements": "none"}


def wrapped(
    payload: Any = SMOKE_TEST,
    *,
    message_id: str = "1",
    attributes: dict[str, str] | None = None,
    **envelope: Any,
) -> dict[str, Any]:
    """The body of a wrapped push, as JSON fields; bytes are the data as they are."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return {
        "message": {
            "data": base64.b64encode(data).decode(),
            "attributes": attributes or {},
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": PUBLISHED,
            "publish_time": PUBLISHED,
        },
        "subscription": SUBSCRIPTION,
        **envelope,
    }


def push_of(body: Any, headers: dict[str, str] | None = None) -> Push:
    """A push as the edge hands it over; anything but bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"content-type": "application/json", **(headers or {})}
    return Push(tuple(given.items()), data)


def unwrapped(
    data: bytes, *, message_id: str = "1", attributes: Mapping[str, str] | None = None
) -> Push:
    """A push without the wrapper, with its metadata and attributes in headers."""
    headers = {**METADATA, "x-goog-pubsub-message-id": message_id, **(attributes or {})}
    return push_of(data, headers)


def structured(**event: Any) -> Push:
    """A CloudEvent in one JSON body."""
    fields = {"specversion": "1.0", "id": "event-1", "source": "//shop/orders", "type": "placed"}
    return push_of({**fields, **event}, {"content-type": "application/cloudevents+json"})
