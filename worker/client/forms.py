"""A message -> the request that Pub/Sub or Eventarc makes of it: the reverse of worker.envelope."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from worker.envelope import PUBSUB_EVENT
from worker.message import Form

SUBSCRIPTION = "projects/local-dev/subscriptions/push"
_EVENT_SOURCE = "//pubsub.googleapis.com/projects/local-dev/topics/push"
_OWN_SOURCE = "//local-dev/push"
_OWN_EVENT = "local-dev.push"

# What a form has no place for, by the field's name in Delivery. Sources: PushConfig.NoWrapper.
NOT_CARRIED: Mapping[Form, frozenset[str]] = {
    Form.UNWRAPPED: frozenset({"delivery_attempt"}),
    Form.CLOUDEVENT_ATTRIBUTES: frozenset({"delivery_attempt"}),
    Form.UNWRAPPED_NO_METADATA: frozenset(
        {"attributes", "message_id", "ordering_key", "delivery_attempt", "subscription"}
    ),
}

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HTTP_OWN = frozenset({"connection", "content-length", "host", "transfer-encoding"})


class CannotSend(Exception):
    """The message does not fit into a request of this form. Names what, never its value."""


def fresh_id() -> str:
    """A message id that no earlier message had."""
    return f"local-{uuid4().hex}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What Pub/Sub knows when it delivers. Nothing is checked: trying bad messages is a use."""

    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    message_id: str = field(default_factory=fresh_id)
    ordering_key: str = ""
    delivery_attempt: int | None = None
    subscription: str = SUBSCRIPTION
    publish_time: datetime = field(default_factory=lambda: datetime.now(UTC))  # aware

    @property
    def published(self) -> str:
        """The publish time as Pub/Sub writes it."""
        return self.publish_time.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


@dataclass(frozen=True, slots=True)
class Request:
    """The body and the headers of a POST."""

    headers: Mapping[str, str]
    body: bytes


def request_of(form: Form, delivery: Delivery) -> Request:
    """The request that delivers it in this form. Raises CannotSend."""
    request = _MAKERS[form](delivery)
    for name, value in request.headers.items():
        check_header(name, value)
    return request


def check_header(name: str, value: str) -> None:
    """Raise CannotSend for what HTTP cannot carry in a header, or would take for its own."""
    if not _HEADER_NAME.fullmatch(name) or name.lower() in _HTTP_OWN:
        raise CannotSend(
            f"the attribute name {name!r} cannot be a header name (try --form wrapped)"
        )
    if _NOT_IN_A_HEADER.search(value):
        raise CannotSend(f"{name}: a header cannot carry control characters (try --form wrapped)")


def checked_token(token: str | None) -> str:
    """The value of --token, "" where there is none. Raises CannotSend."""
    if token is None:
        return ""
    token = token.strip()
    if not token:
        raise CannotSend("--token is empty: the command that makes it has failed")
    check_header("--token", token)
    return token


def _envelope(delivery: Delivery) -> dict[str, Any]:
    message = {
        "attributes": dict(delivery.attributes),
        "messageId": delivery.message_id,
        "message_id": delivery.message_id,
        "publishTime": delivery.published,
        "publish_time": delivery.published,
    }
    if delivery.data:
        message["data"] = base64.b64encode(delivery.data).decode("ascii")
    if delivery.ordering_key:
        message["orderingKey"] = delivery.ordering_key
    body = {"message": message, "subscription": delivery.subscription}
    if delivery.delivery_attempt is not None:
        return {**body, "deliveryAttempt": delivery.delivery_attempt}
    return body


def _wrapped(delivery: Delivery) -> Request:
    return Request(
        {"content-type": "application/json"}, json.dumps(_envelope(delivery)).encode("ascii")
    )


def _unwrapped(delivery: Delivery) -> Request:
    metadata = {
        "x-goog-pubsub-subscription-name": delivery.subscription,
        "x-goog-pubsub-message-id": delivery.message_id,
        "x-goog-pubsub-publish-time": delivery.published,
    }
    if delivery.ordering_key:
        metadata["x-goog-pubsub-ordering-key"] = delivery.ordering_key
    content_type = {"content-type": "application/json"}  # an attribute may say otherwise
    return Request({**content_type, **delivery.attributes, **metadata}, delivery.data)


def _without_metadata(delivery: Delivery) -> Request:
    return Request({"content-type": "application/json"}, delivery.data)


def _event(delivery: Delivery, kind: str, source: str) -> dict[str, str]:
    return {
        "specversion": "1.0",
        "id": delivery.message_id,
        "type": kind,
        "source": source,
        "time": delivery.published,
    }


def _event_headers(delivery: Delivery, kind: str, source: str) -> dict[str, str]:
    return {f"ce-{name}": value for name, value in _event(delivery, kind, source).items()}


def _binary(delivery: Delivery) -> Request:
    wrapped = _wrapped(delivery)
    headers = {**wrapped.headers, **_event_headers(delivery, PUBSUB_EVENT, _EVENT_SOURCE)}
    return Request(headers, wrapped.body)


def _structured(delivery: Delivery) -> Request:
    event = {
        **_event(delivery, PUBSUB_EVENT, _EVENT_SOURCE),
        "datacontenttype": "application/json",
        "data": _envelope(delivery),
    }
    return Request(
        {"content-type": "application/cloudevents+json"}, json.dumps(event).encode("ascii")
    )


def _of_attributes(delivery: Delivery) -> Request:
    unwrapped = _unwrapped(delivery)
    headers = {**_event_headers(delivery, _OWN_EVENT, _OWN_SOURCE), **unwrapped.headers}
    return Request(headers, unwrapped.body)


_MAKERS: Mapping[Form, Callable[[Delivery], Request]] = {
    Form.WRAPPED: _wrapped,
    Form.UNWRAPPED: _unwrapped,
    Form.UNWRAPPED_NO_METADATA: _without_metadata,
    Form.CLOUDEVENT_BINARY: _binary,
    Form.CLOUDEVENT_STRUCTURED: _structured,
    Form.CLOUDEVENT_ATTRIBUTES: _of_attributes,
}
