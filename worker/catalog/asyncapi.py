"""AsyncAPI 3: the topic, and the message of each feature, for whoever publishes."""

from collections.abc import Sequence
from typing import Any

from worker.catalog.described import Described
from worker.catalog.subschemas import moved, rewritten
from worker.claims import IDEMPOTENCY_ATTRIBUTE

_SERVER = "pubsub"
_CHANNEL = "features"
_JSON = "application/json"
_ABOUT = (
    "Publish a JSON object that names a feature, and the worker runs that feature's handler. "
    "A message that fits none of these is quarantined and acked."
)


def document(described: Sequence[Described], *, topic: str) -> dict[str, Any]:
    """The AsyncAPI document. `topic` is projects/P/topics/T, or its last part."""
    names = sorted(one.name for one in described)
    channel = f"#/channels/{_CHANNEL}"
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Features",
            "version": "1.0.0",  # of what every document has, not of the features
            "description": _ABOUT,
            "tags": [{"name": "features"}],
        },
        "defaultContentType": _JSON,
        "servers": {_SERVER: _server()},
        "channels": {
            _CHANNEL: {
                "address": topic,
                "title": "The topic of features",
                "description": "The Pub/Sub topic that the worker's push subscription is of.",
                "servers": [{"$ref": f"#/servers/{_SERVER}"}],
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
            }
        },
        "operations": {
            "handleFeature": {
                "action": "receive",
                "title": "Handle a feature",
                "summary": "The worker runs the handler of the feature that the message names.",
                "channel": {"$ref": channel},
                "messages": [{"$ref": f"{channel}/messages/{name}"} for name in names],
            }
        },
        "components": {
            "schemas": {"attributes": _ATTRIBUTES, **_payloads(described)},
            "messages": {one.name: _message(one) for one in _by_name(described)},
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": "pubsub.googleapis.com",
        "protocol": "googlepubsub",
        "description": "Google Cloud Pub/Sub. Publishers need the role roles/pubsub.publisher.",
    }


_ATTRIBUTES = {
    "title": "Attributes",
    "description": "Of the Pub/Sub message. None of them has to be there.",
    "type": "object",
    "properties": {
        IDEMPOTENCY_ATTRIBUTE: {
            "type": "string",
            "description": "Two messages with the same key are handled once.",
        },
        "traceparent": {
            "type": "string",
            "description": "W3C Trace Context: which trace the publisher was in.",
        },
    },
    "additionalProperties": {"type": "string"},
}


def _by_name(described: Sequence[Described]) -> list[Described]:
    return sorted(described, key=lambda one: one.name)


def _message(one: Described) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.name,
        "summary": one.summary,
        "description": one.about,
        "contentType": _JSON,
        "tags": [{"name": "idempotent"}] if one.idempotent else [],
        "headers": {"$ref": "#/components/schemas/attributes"},
        "payload": {"$ref": f"#/components/schemas/payload.{one.name}"},
        # The channel has none: it would have to name a schema of Pub/Sub's, and there is none.
        "bindings": {"googlepubsub": {"attributes": {}, "bindingVersion": "0.2.0"}},
        "examples": [
            {"name": f"{one.name}_{number}", "payload": payload}
            for number, payload in enumerate(one.examples, 1)
        ],
    }


def _payloads(described: Sequence[Described]) -> dict[str, Any]:
    return {
        f"payload.{one.name}": rewritten(
            moved(one.payload, f"#/components/schemas/payload.{one.name}"), _as_draft_07
        )
        for one in _by_name(described)
    }


def _as_draft_07(schema: dict[str, Any]) -> dict[str, Any]:
    """The same in the dialect of AsyncAPI's schemas: draft 7, and a discriminator of its own."""
    schema = {key: value for key, value in schema.items() if key != "discriminator"}
    if "prefixItems" in schema:
        rest = {"additionalItems": schema.pop("items")} if "items" in schema else {}
        schema = {**schema, "items": schema["prefixItems"], **rest}
        del schema["prefixItems"]
    if "$ref" in schema and len(schema) > 1:  # there, what stands beside it does not count
        also = {"$ref": schema.pop("$ref")}
        schema["allOf"] = [also, *schema.get("allOf", [])]
    return schema
