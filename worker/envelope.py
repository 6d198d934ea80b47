"""Headers + bytes -> Message, for every form that Pub/Sub and Eventarc deliver in.

| form | recognised by | body |
|---|---|---|
| cloudevent-structured | content-type application/cloudevents+json | CloudEvent JSON |
| cloudevent-binary | ce-specversion, ce-type messagePublished | wrapped push |
| cloudevent-attributes | ce-specversion, any other ce-type | the data itself |
| unwrapped | x-goog-pubsub-message-id (or another x-goog-pubsub-* header) | the data itself |
| wrapped | a JSON object with `message` or `subscription` | wrapped push |
| unwrapped-no-metadata | none of these | the data itself |

Sources: Pub/Sub push and PushConfig.NoWrapper; CloudEvents 1.0 HTTP binding.
"""

import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import (
    AliasChoices,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import from_json, to_json

from worker.explain import explain
from worker.message import SECRET_HEADERS, Form, Message, Push, digest_id
from worker.outcome import BadEnvelope

PUBSUB_EVENT = "google.cloud.pubsub.topic.v1.messagePublished"

_METADATA = "x-goog-pubsub-"
# Headers that the way to us adds; what is left of an unwrapped push's headers are its attributes.
_TRANSPORT = SECRET_HEADERS | {
    "accept", "accept-encoding", "connection", "content-encoding", "content-length",
    "content-type", "expect", "forwarded", "from", "grpc-trace-bin", "host", "keep-alive", "te",
    "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
    "x-cloud-trace-context", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port",
    "x-forwarded-proto",
}  # fmt: skip

_SURROGATE = re.compile("[\ud800-\udfff]")
_Id = Annotated[str, Field(min_length=1)]
_timestamp: TypeAdapter[AwareDatetime] = TypeAdapter(AwareDatetime)


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)


class _PubsubMessage(_Strict):
    """Unknown fields are let through: Pub/Sub may add some, and a nack loop would answer them."""

    data: str | None = None
    attributes: dict[str, str] | None = None
    id: _Id | None = Field(None, validation_alias=AliasChoices("messageId", "message_id"))
    publish_time: AwareDatetime | None = Field(
        None, validation_alias=AliasChoices("publishTime", "publish_time")
    )
    ordering_key: str | None = Field(
        None, validation_alias=AliasChoices("orderingKey", "ordering_key")
    )


class _Wrapped(_Strict):
    message: _PubsubMessage
    subscription: str = ""
    delivery_attempt: Annotated[int, Field(ge=0)] | None = Field(
        None, validation_alias=AliasChoices("deliveryAttempt", "delivery_attempt")
    )


# Without the checks of its arguments that model_validate_json makes: a fifth of what it costs.
_read_wrapped = _Wrapped.__pydantic_validator__.validate_json


class _CloudEvent(_Strict):
    specversion: str
    id: _Id
    type: _Id
    source: _Id
    time: AwareDatetime | None = None
    data: JsonValue = None
    data_base64: str | None = None


def decode(push: Push) -> Message:
    """Recognise the delivery form and read the message.

    Raises BadEnvelope, and nothing else, for a request that is none of the forms or a broken one.
    """
    try:
        return _decode(push)
    except ValidationError as error:
        raise BadEnvelope(f"bad envelope: {explain(error)}") from None


def _decode(push: Push) -> Message:
    codings = {value.lower() for name, value in push.headers if name == "content-encoding"}
    if codings - {"", "identity"}:  # Pub/Sub compresses nothing, and a bomb would be a few bytes
        raise BadEnvelope("bad envelope: content-encoding: a compressed body is not read")
    content_type = (push.header("content-type") or "").partition(";")[0].strip().lower()
    if content_type == "application/cloudevents+json":
        return _structured(push.body)
    if content_type == "application/cloudevents-batch+json":
        raise BadEnvelope(
            "bad envelope: batches of CloudEvents are not supported; push them singly"
        )
    if push.header("ce-specversion") is not None:
        return _binary(push)
    for name, _ in push.headers:
        if name.startswith(_METADATA):
            return _unwrapped(push, Form.UNWRAPPED)
    try:
        return _wrapped(push.body, Form.WRAPPED)
    except ValidationError:
        if _looks_wrapped(push.body):
            raise
    return _unwrapped(push, Form.UNWRAPPED_NO_METADATA)


def _looks_wrapped(body: bytes) -> bool:
    """Whether the body is a JSON object with a top-level `message` or `subscription`."""
    try:
        top = from_json(body)
    except ValueError:
        return False
    return isinstance(top, dict) and ("message" in top or "subscription" in top)


def _wrapped(body: bytes, form: Form) -> Message:
    wrapped: _Wrapped = _read_wrapped(body)
    message = wrapped.message
    data = _base64(message.data or "", "message.data")
    return Message(
        id=message.id or digest_id(data, to_json(message.attributes or {})),
        id_derived=message.id is None,
        data=data,
        attributes=message.attributes or {},
        form=form,
        subscription=wrapped.subscription,
        publish_time=message.publish_time,
        delivery_attempt=wrapped.delivery_attempt or None,  # 0 means: no dead-letter policy
        ordering_key=message.ordering_key or "",
    )


def _check_text(push: Push) -> None:
    """Headers become ids and attributes here; what is not text cannot travel on."""
    if any(_SURROGATE.search(part) for pair in push.headers for part in pair):
        raise BadEnvelope("bad envelope: a header holds a lone surrogate")


def _unwrapped(push: Push, form: Form) -> Message:
    _check_text(push)
    message_id = push.header(_METADATA + "message-id")
    if message_id == "":
        raise BadEnvelope("bad envelope: the x-goog-pubsub-message-id header is empty")
    return Message(
        id=message_id or digest_id(push.body),
        id_derived=message_id is None,
        data=push.body,
        attributes=_attributes(push),
        form=form,
        subscription=push.header(_METADATA + "subscription-name") or "",
        publish_time=_publish_time(push),
        ordering_key=push.header(_METADATA + "ordering-key")
        or push.header("x-goog-ordering-key")  # the emulator's spelling
        or "",
    )


def _publish_time(push: Push) -> datetime | None:
    header = _METADATA + "publish-time"
    text = push.header(header)
    try:
        return _timestamp.validate_json(to_json(text)) if text else None
    except ValidationError as error:
        raise BadEnvelope(f"bad envelope: {explain(error, header)}") from None


def _attributes(push: Push) -> Mapping[str, str]:
    return {
        name: value
        for name, value in push.public_headers().items()
        if name not in _TRANSPORT and not name.startswith("x-goog-")
    }


def _binary(push: Push) -> Message:
    """A CloudEvent in headers: Eventarc's (the body is a wrapped push) or the publisher's own."""
    _check_text(push)
    event = _CloudEvent.model_validate_json(
        to_json({name[3:]: value for name, value in push.headers if name.startswith("ce-")})
    )
    _check_version(event)
    if event.type == PUBSUB_EVENT:
        return _of_event(_wrapped(push.body, Form.CLOUDEVENT_BINARY), event)
    return _of_event(_unwrapped(push, Form.CLOUDEVENT_ATTRIBUTES), event)


def _structured(body: bytes) -> Message:
    event = _CloudEvent.model_validate_json(body)
    _check_version(event)
    data = _event_data(event)
    if event.type == PUBSUB_EVENT:
        return _of_event(_wrapped(data, Form.CLOUDEVENT_STRUCTURED), event)
    message = Message(
        id="", id_derived=True, data=data, attributes={}, form=Form.CLOUDEVENT_STRUCTURED
    )
    return _of_event(message, event)


def _event_data(event: _CloudEvent) -> bytes:
    if event.data_base64 is not None:
        return _base64(event.data_base64, "data_base64")
    if event.data is None:
        return b""
    if isinstance(event.data, str):
        return event.data.encode()
    return to_json(event.data, inf_nan_mode="constants")


def _check_version(event: _CloudEvent) -> None:
    if event.specversion != "1.0":
        raise BadEnvelope("bad envelope: specversion: only CloudEvents 1.0 is supported")


def _of_event(message: Message, event: _CloudEvent) -> Message:
    """Fill in from the event what the message itself does not say."""
    message = message._replace(publish_time=message.publish_time or event.time)
    if not message.id_derived:
        return message
    # The id of an event is unique within its source only (CloudEvents 1.0).
    return message._replace(id=event.id, source=event.source, id_derived=False)


def _base64(text: str, where: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # binascii.Error is one; so is what a character beyond ASCII raises
        raise BadEnvelope(f"bad envelope: {where}: not valid base64") from None
