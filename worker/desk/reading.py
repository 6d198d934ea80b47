"""Bytes and attributes -> Held, for the three kinds of held messages. Nothing in here raises."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from worker.desk.held import DEAD_LETTERED, REPLAY_COUNT, Held
from worker.envelope import decode
from worker.explain import explain
from worker.message import Form, Message, Push, digest_id
from worker.outcome import BadEnvelope
from worker.payload import likely_feature
from worker.quarantine.attributes import ADDED, SOURCE

if TYPE_CHECKING:  # it loads the cloud's clients, which a folder does not need
    from worker.pubsub import Received

_MOST_DIGITS = 9  # of a count: more is no count


def _bytes_of(value: object) -> object:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


class _Record(BaseModel):
    """What the desk wants of `Rejected.record()`; the message itself is read from the body anew."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    time: AwareDatetime
    reason: str
    headers: dict[str, str]
    body: Annotated[bytes, BeforeValidator(_bytes_of)]
    kind: str = ""
    feature: str = ""
    delivery_attempt: int | None = None
    replay_count: int = Field(0, ge=0)


def of_record(held_id: str, data: bytes) -> Held:
    """The message of a JSON record, as today's worker reads its request."""
    try:
        record = _Record.model_validate(json.loads(data))
    except ValidationError as error:
        return foreign(held_id, f"not a record of the quarantine: {explain(error)}", data)
    except (ValueError, RecursionError):
        return foreign(held_id, "not a record of the quarantine: not JSON", data)
    message, problem = _decoded(Push(tuple(record.headers.items()), record.body))
    return Held(
        id=held_id,
        reason=record.reason,
        kind=record.kind,
        message=message,
        problem=problem,
        body=record.body,
        feature=record.feature or (likely_feature(message.data) if message else ""),
        time=_utc(record.time),
        attempts=record.delivery_attempt or 1,
        replays=max(record.replay_count, _replays(message.attributes if message else {})),
        headers=record.headers,
    )


def of_received(received: "Received") -> Held:
    """A message of a dead-letter subscription."""
    attributes = received.message.attributes
    if attributes.get("QuarantineEncoding") == "record":
        return of_record(_id_of(received), received.message.data)
    if "QuarantineId" in attributes:
        return _of_dead_letter(received)
    if f"{SOURCE}Subscription" in attributes:
        return _of_pubsub(received)
    why = "not a quarantined message: it has no attributes of one"
    return foreign(_id_of(received), why, received.message.data, received.publish_time)


def foreign(held_id: str, why: str, body: bytes = b"", time: datetime | None = None) -> Held:
    """Something else that lies there."""
    return Held(id=held_id, reason=why, problem=why, body=body, time=time, foreign=True)


def own_id(received: "Received", subscription: str = "") -> str:
    """The id of a message that brings none: as `Rejected.id` makes one of a delivery of it."""
    return digest_id(subscription.encode("utf-8", "surrogatepass"), b"", received.id.encode())


def _id_of(received: "Received") -> str:
    given = received.message.attributes.get("QuarantineId", "")
    return given if given.startswith("sha256-") else own_id(received)


def _of_dead_letter(received: "Received") -> Held:
    """As worker.quarantine.topic publishes it."""
    attributes = received.message.attributes
    message = _original(received, attributes.get("QuarantineMessageId", ""))
    return Held(
        id=_id_of(received),
        reason=attributes.get("QuarantineReason", ""),
        kind=attributes.get("QuarantineKind", ""),
        message=message,
        feature=likely_feature(message.data),
        time=_time(attributes.get("QuarantineTime", "")) or received.publish_time,
        attempts=message.delivery_attempt or 1,
        replays=_replays(attributes),
        headers=_headers(attributes.get("QuarantineHeaders", "")),
    )


def _of_pubsub(received: "Received") -> Held:
    """As Pub/Sub's own dead-lettering publishes it: nobody knows its first id, nor the reason."""
    message = _original(received, received.id)
    attempts = message.delivery_attempt or 0
    return Held(
        id=own_id(received, message.subscription),
        reason=f"dead-lettered by Pub/Sub after {attempts or 'some'} delivery attempts",
        kind=DEAD_LETTERED,
        message=message,
        feature=likely_feature(message.data),
        time=received.publish_time,
        attempts=attempts,
        replays=_replays(received.message.attributes),
    )


def _original(received: "Received", message_id: str) -> Message:
    """The message as it was when it could not be handled."""
    attributes = received.message.attributes
    project = attributes.get(f"{SOURCE}SubscriptionProject", "")
    name = attributes.get(f"{SOURCE}Subscription", "")
    published = _time(attributes.get(f"{SOURCE}TopicPublishTime", ""))
    return Message(
        id=message_id or received.id,
        data=received.message.data,
        attributes={key: value for key, value in attributes.items() if key not in ADDED},
        form=Form.WRAPPED,
        subscription=f"projects/{project}/subscriptions/{name}" if project and name else name,
        publish_time=published,
        delivery_attempt=_number(attributes.get(f"{SOURCE}DeliveryCount", "")) or None,
        ordering_key=received.message.ordering_key,
    )


def _decoded(push: Push) -> tuple[Message | None, str]:
    try:
        message = decode(push)
    except BadEnvelope as bad:
        return None, bad.reason
    return message._replace(publish_time=_utc(message.publish_time)), ""


def _replays(attributes: Mapping[str, str]) -> int:
    return _number(attributes.get(REPLAY_COUNT, ""))


def _number(text: str) -> int:
    fits = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if fits else 0


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _utc(time) if time.tzinfo else None


def _utc(time: datetime | None) -> datetime | None:
    """In UTC; None for what only other time zones can say, at both ends of the calendar."""
    try:
        return time.astimezone(UTC) if time else None
    except OverflowError:
        return None


def _headers(text: str) -> Mapping[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
