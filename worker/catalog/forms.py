"""The forms that a message is delivered in, as OpenAPI: bodies, headers, and an example of each."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from worker.envelope import PUBSUB_EVENT

Json = dict[str, Any]

_BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_TEXT: Json = {"type": "string"}
_ID: Json = {"type": "string", "minLength": 1}
_TIME: Json = {"type": "string", "format": "date-time"}
_DATA: Json = {
    "type": "string",
    "pattern": _BASE64,
    "contentEncoding": "base64",
    "contentMediaType": "application/json",
    "contentSchema": {"$ref": "#/components/schemas/Payload"},
}
_SUBSCRIPTION = "projects/demo/subscriptions/feature-worker"
_TOPIC = "//pubsub.googleapis.com/projects/demo/topics/features"
_KNOWN = ("WrappedPush", "CloudEvent")
_EVENT = "application/cloudevents+json"
_RECOGNISED = (
    "JSON in each of the known forms. A CloudEvent is recognised by the content type "
    f"{_EVENT} or by its headers, the others by their headers and fields."
)
_TIME_EXAMPLE = "2026-01-31T12:00:00.123Z"


def schemas() -> Json:
    """Of the bodies that the worker knows. There may be more fields: Pub/Sub may add some."""
    message: Json = {
        "title": "PubsubMessage",
        "type": "object",
        "properties": {
            "data": _DATA,
            "attributes": {"type": "object", "additionalProperties": _TEXT},
            "messageId": _ID,
            "publishTime": _TIME,
            "orderingKey": _TEXT,
        },
    }
    push: Json = {
        "title": "WrappedPush",
        "description": "What a push subscription sends, unless it is told to unwrap.",
        "type": "object",
        "properties": {
            "message": {"$ref": "#/components/schemas/PubsubMessage"},
            "subscription": _TEXT,
            "deliveryAttempt": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
        },
        "required": ["message"],
    }
    event: Json = {
        "title": "CloudEvent",
        "description": f"A CloudEvent in one body. The data of a {PUBSUB_EVENT} is a WrappedPush, "
        "of any other the payload itself.",
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _ID,
            "source": _ID,
            "type": _ID,
            "time": _TIME,
            "data": {},
            "data_base64": {"type": "string", "pattern": _BASE64},
        },
        "required": ["specversion", "id", "source", "type"],
    }
    return {
        "PubsubMessage": message,
        "WrappedPush": push,
        "CloudEvent": event,
        "AnyBody": {
            "title": "AnyBody",
            "description": "Any other body is the data of a message that was unwrapped: "
            "a Payload. What is none is quarantined and acked, so that nothing is lost.",
        },
    }


def request_body(payload: Mapping[str, Any]) -> Json:
    """The body of POST /, with an example of each form that carries this payload."""
    data = base64.b64encode(json.dumps(payload).encode()).decode()
    wrapped = {
        "message": {"data": data, "attributes": {}, "messageId": "1", "publishTime": _TIME_EXAMPLE},
        "subscription": _SUBSCRIPTION,
    }
    event = {
        "specversion": "1.0", "id": "2", "source": _TOPIC, "type": PUBSUB_EVENT, "data": wrapped,
    }  # fmt: skip
    forms = [{"$ref": f"#/components/schemas/{name}"} for name in (*_KNOWN, "AnyBody")]
    examples = {
        "wrapped": {"summary": "A push subscription's usual form", "value": wrapped},
        "unwrapped": {"summary": "The message's data alone", "value": payload},
        "cloudevent": {"summary": f"Sent as {_EVENT}", "value": event},
    }
    # Under a JSON type it would seem that what is no JSON is refused; it is quarantined.
    content = {"*/*": {"schema": {"anyOf": forms}, "examples": examples}}
    return {"description": _RECOGNISED, "content": content}


_HEADERS = {
    "x-goog-pubsub-message-id": "Of an unwrapped push: the id of the message.",
    "x-goog-pubsub-subscription-name": "Of an unwrapped push: projects/P/subscriptions/S.",
    "x-goog-pubsub-publish-time": "Of an unwrapped push: when the message was published.",
    "x-goog-pubsub-ordering-key": "Of an unwrapped push: the message's ordering key.",
    "ce-specversion": "Of a CloudEvent in headers: 1.0.",
    "ce-id": "Of a CloudEvent in headers: unique within its source.",
    "ce-source": "Of a CloudEvent in headers: where it happened.",
    "ce-type": f"Of a CloudEvent in headers; the body is a WrappedPush if it is {PUBSUB_EVENT}.",
    "ce-time": "Of a CloudEvent in headers: when it happened.",
    "idempotency_key": "Of an unwrapped push: an attribute, like every header that Pub/Sub and "
    "the way to us do not set. Messages with the same key are handled once.",
    "traceparent": "W3C Trace Context: the trace that the log entries belong to.",
}


def headers() -> list[Json]:
    """The headers that count. Each may hold anything: a bad one is a message to quarantine."""
    return [
        {"name": name, "in": "header", "description": text, "schema": _TEXT}
        for name, text in _HEADERS.items()
    ]
